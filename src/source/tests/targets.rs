//! Where files are written: at the place that was checked, and at no other.

use std::os::unix::fs::symlink;

use datafusion::dataframe::DataFrameWriteOptions;

use super::*;

/// Writes one row to a target, as `COPY` does.
async fn write(files: &Files, text: &str, access: &Access, partitions: &[&str]) -> Outcome<()> {
    let shown = |error: Error| files.shown(&error);
    let target = Target::parse(text, access).map_err(shown)?;
    let writing = target.open(&files.stores(), !partitions.is_empty()).map_err(shown)?;
    let frame = files.context.sql("SELECT 1 AS a, '2' AS k").await.unwrap();
    let options = DataFrameWriteOptions::new()
        .with_single_file_output(writing.is_single_file())
        .with_partition_by(partitions.iter().map(|name| (*name).to_owned()).collect());
    let written = frame.write_csv(&writing.url(), options, None).await;
    written.map_err(|error| writing.failure().map_or(error.to_string(), |error| files.shown(&error)))?;
    writing.finish().map_err(shown)
}

/// Every file below a directory, and every link, with an @ behind it.
fn below(files: &Files, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(files.path(name)).into_iter().flatten() {
        let entry = entry.unwrap();
        let path = format!("{name}/{}", entry.file_name().to_str().unwrap());
        let path = path.trim_start_matches('/').to_owned();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(below(files, &path)),
            kind if kind.is_symlink() => found.push(format!("{path}@")),
            _ => found.push(path),
        }
    }
    found.sort();
    found
}

fn prepared() -> (Files, Access) {
    let files = Files::new();
    files
        .put("open/in/old.csv", "old")
        .put("open/dir.csv/old.csv", "old")
        .put("open/data/t.csv", "old")
        .put("closed/deep/old.csv", "old");
    for (target, link) in [
        ("../closed/deep", "open/link"),
        ("../closed/deep/old.csv", "open/link.csv"),
        ("../closed/new.csv", "open/dangling.csv"),
        ("in/old.csv", "open/inward.csv"),
        ("in/made.csv", "open/inward_dangling.csv"),
        ("circle.csv", "open/circle.csv"),
    ] {
        symlink(target, files.path(link)).unwrap();
    }
    let access =
        Access::Wire { allowed: vec![files.path("open")], data_dir: Some(PathBuf::from(files.path("open/data"))) };
    (files, access)
}

#[tokio::test]
async fn a_file_is_written_where_its_name_leads() {
    for is_wire in [false, true] {
        let (files, wire) = prepared();
        let access = if is_wire { wire } else { Access::Local };
        for (text, place) in [
            (files.path("open/a.csv"), "open/a.csv"),
            (format!("file:{}", files.path("open/b.csv")), "open/b.csv"),
            (format!("file://{}", files.path("open/%63.csv")), "open/c.csv"),
            (format!("FILE://LOCALHOST{}", files.path("open/d e.csv")), "open/d e.csv"),
            // No pattern, no URL, nothing that is decoded.
            (files.path("open/report[1].csv"), "open/report[1].csv"),
            (files.path("open/{a,b}*?.csv"), "open/{a,b}*?.csv"),
            (files.path("open/50%25#1.csv"), "open/50%25#1.csv"),
            (files.path("open/new/deep/a.csv"), "open/new/deep/a.csv"),
            (files.path("open/in/../../open/./f.csv"), "open/f.csv"),
            (files.path("open/inward.csv"), "open/in/old.csv"),
            (files.path("open/inward_dangling.csv"), "open/in/made.csv"),
        ] {
            let before = below(&files, "");
            write(&files, &text, &access, &[]).await.unwrap();
            assert_eq!(fs::read_to_string(files.path(place)).unwrap(), "a,k\n1,2\n", "{text}");
            let mut after = below(&files, "");
            after.retain(|path| !before.contains(path));
            assert!(after.is_empty() || after == [place], "{text}: {after:?}");
        }
        assert!(fs::symlink_metadata(files.path("open/inward.csv")).unwrap().is_symlink());
    }
}

#[tokio::test]
async fn a_directory_gets_files_of_the_engines_names() {
    let (files, access) = prepared();
    for (text, directory) in [
        ("open/dir.csv", "open/dir.csv"),
        ("open/new.csv/", "open/new.csv"),
        ("open/plain", "open/plain"),
        ("open/in/.", "open/in"),
        ("open/in/..", "open"),
    ] {
        let (before, text) = (below(&files, ""), files.path(text));
        write(&files, &text, &access, &[]).await.unwrap();
        let mut after = below(&files, "");
        after.retain(|path| !before.contains(path));
        let [made] = after.as_slice() else { panic!("{text}: {after:?}") };
        assert_eq!(made.rsplit_once('/').unwrap().0, directory, "{text}");
    }
    let error = write(&files, &files.path("open/in/old.csv/"), &access, &[]).await.unwrap_err();
    assert_eq!(error, "Io: cannot write open/in/old.csv: it is a file, and a directory is needed");
}

#[tokio::test]
async fn no_spelling_leads_to_what_may_not_be_written() {
    let (files, access) = prepared();
    let before = below(&files, "");
    for text in [
        files.path("closed/a.csv"),
        files.path("closed/a/"),
        format!("file:{}/", files.path("closed/a")),
        format!("FILE:///..{}", files.path("closed/a.csv")),
        format!("file://{}", files.path("open/%2e%2e/closed/a.csv")),
        files.path("open/../closed/a.csv"),
        files.path("open/link/a.csv"),
        files.path("open/link/../a.csv"),
        files.path("open/link/../../open-not/a.csv"),
        files.path("open/link"),
        files.path("open/link.csv"),
        files.path("open/dangling.csv"),
        files.path("open/circle.csv"),
        files.path("open/missing/../a.csv"),
        files.path("open/in/old.csv/../a.csv"),
        files.path("open/.."),
    ] {
        let error = write(&files, &text, &access, &[]).await.unwrap_err();
        assert!(error.starts_with("PermissionDenied: '") && error.contains("may not be opened"), "{text}: {error}");
    }
    let error = write(&files, &files.path("open/in/../data/a.csv"), &access, &[]).await.unwrap_err();
    assert!(error.contains("belongs to the data directory"), "{error}");
    for (text, reason) in [("", "it is empty"), ("s3://bucket/a.csv", "expected a path")] {
        let error = write(&files, text, &access, &[]).await.unwrap_err();
        assert_eq!(error, format!("InvalidArgument: '{text}' is not a usable location: {reason}"));
    }
    assert_eq!(below(&files, ""), before);
    // Where everything may be written, what leads nowhere is still no place.
    let error = write(&files, &files.path("open/circle.csv"), &Access::Local, &[]).await.unwrap_err();
    assert!(error.contains("its links lead in a circle"), "{error}");
}

#[tokio::test]
async fn partitions_are_written_through_no_link() {
    let (files, access) = prepared();
    write(&files, &files.path("open/parts"), &access, &["k"]).await.unwrap();
    let made = below(&files, "open/parts").join(", ");
    assert!(made.starts_with("open/parts/k=2/") && made.ends_with(".csv"), "{made}");
    symlink(files.path("closed/deep"), files.path("open/in/k=2")).unwrap();
    for access in [access, Access::Local] {
        let error = write(&files, &files.path("open/in"), &access, &["k"]).await.unwrap_err();
        let expected = "PermissionDenied: 'open/in/k=2' is a symbolic link, and nothing is written through one there";
        assert_eq!(error, expected);
    }
    assert_eq!(below(&files, "closed"), ["closed/deep/old.csv"]);
    assert_eq!(below(&files, "open/in"), ["open/in/k=2@", "open/in/old.csv"]);
}

#[tokio::test]
async fn what_is_not_finished_leaves_nothing() {
    let (files, access) = prepared();
    let before = below(&files, "");
    let target = Target::parse(&files.path("open/in/old.csv"), &access).unwrap();
    let writing = target.open(&files.stores(), false).unwrap();
    let frame = files.context.sql("SELECT 1 AS a").await.unwrap();
    let options = DataFrameWriteOptions::new().with_single_file_output(true);
    frame.write_csv(&writing.url(), options, None).await.unwrap();
    assert_eq!(fs::read_to_string(files.path("open/in/old.csv")).unwrap(), "old");
    let url = writing.url();
    drop(writing);
    assert_eq!(below(&files, ""), before);
    // And the name under which the query engine wrote is nobody's any more.
    let frame = files.context.sql("SELECT 1 AS a").await.unwrap();
    assert!(frame.write_csv(&url, DataFrameWriteOptions::new(), None).await.is_err());
}
