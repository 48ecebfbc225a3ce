//! Where a path leads: symbolic links are followed as the operating system follows them, also where the path ends in what
//! does not exist yet.

use std::{
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

/// The most links that a path may lead over, which is what the operating system allows.
const MAX_LINKS: usize = 40;

/// One step of a path.
enum Step {
    Root,
    Up,
    Down(OsString),
}

/// The path without links and `..`. A link comes before the `..` that follows it, and one whose end does not exist leads there
/// all the same: whoever opened it would make a file there.
///
/// None where no place can be told: links lead in a circle, or `..` goes up from what is no directory.
pub(super) fn resolve(path: &Path) -> Option<PathBuf> {
    let mut open = steps(&std::path::absolute(path).ok()?);
    let (mut resolved, mut is_directory, mut links) = (PathBuf::from("/"), true, 0);
    while let Some(step) = open.pop() {
        match step {
            Step::Root => (resolved, is_directory) = (PathBuf::from("/"), true),
            Step::Up if !is_directory => return None,
            Step::Up => {
                resolved.pop();
            }
            Step::Down(name) => {
                resolved.push(name);
                match fs::symlink_metadata(&resolved) {
                    Ok(found) if found.is_symlink() => {
                        links += 1;
                        let target = fs::read_link(&resolved).ok().filter(|_| links <= MAX_LINKS)?;
                        resolved.pop();
                        open.extend(steps(&target));
                    }
                    found => is_directory = found.is_ok_and(|found| found.is_dir()),
                }
            }
        }
    }
    Some(resolved)
}

/// The steps of a path, the last one first.
fn steps(path: &Path) -> Vec<Step> {
    let steps = path.components().rev().filter_map(|component| match component {
        Component::Prefix(_) | Component::CurDir => None,
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    });
    steps.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_before_what_comes_after_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("open/in")).unwrap();
        fs::create_dir_all(root.join("closed/deep")).unwrap();
        fs::write(root.join("open/file"), "").unwrap();
        for (target, link) in [
            ("../closed/deep", "open/link"),
            ("missing/file", "open/dangling"),
            ("link/new", "open/twice"),
            ("circle", "open/circle"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        for (path, wanted) in [
            ("open/./in//new.csv", Some("open/in/new.csv")),
            ("open/in/../../closed/x", Some("closed/x")),
            ("open/link/../x", Some("closed/x")),
            ("open/link/x/", Some("closed/deep/x")),
            ("open/dangling", Some("open/missing/file")),
            ("open/twice", Some("closed/deep/new")),
            ("open/missing/x", Some("open/missing/x")),
            ("open/missing/../x", None),
            ("open/file/../x", None),
            ("open/circle", None),
        ] {
            assert_eq!(resolve(&root.join(path)), wanted.map(|wanted| root.join(wanted)), "{path}");
        }
        let link = root.join("open/absolute");
        symlink(root.join("closed"), &link).unwrap();
        assert_eq!(resolve(&link.join("deep/..")), Some(root.join("closed")));
    }
}
