//! A location as the user wrote it, and the files that lie there now: a file, a directory, a glob, local or in a bucket.
//!
//! Knows names only; what is in the files is the formats' business. Files come sorted by name, so that the same
//! location reads in the same order everywhere.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path as ObjectPath};

use super::{
    Access, Error, Stores,
    address::{Address, percent_decoded},
    store::StoreKind,
};

/// The most files that one location may hold.
const MAX_FILES: usize = 100_000;
/// The deepest nesting of directories that is followed.
const MAX_DEPTH: usize = 64;
/// How Hive writes a NULL partition.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A parsed location.
#[derive(Debug, Clone)]
pub(super) struct Location {
    text: String,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// A path; with a pattern, the segments below it of each of its alternatives.
    Local { base: PathBuf, patterns: Vec<Vec<String>> },
    /// A key or prefix in a bucket; with a pattern, the segments below it of each of its alternatives.
    Bucket { kind: &'static StoreKind, bucket: String, prefix: String, patterns: Vec<Vec<String>> },
}

/// A file found, with the partition values that its directories name.
#[derive(Debug, Clone)]
pub(super) struct FoundFile {
    pub(super) meta: ObjectMeta,
    /// How messages call it: an absolute path, or a URL such as `s3://bucket/key`.
    pub(super) name: String,
    /// `key=value` directories between the location and the file; none for a NULL.
    pub(super) partitions: Vec<(String, Option<String>)>,
}

/// The files of a location and how to read them.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) url: ObjectStoreUrl,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) files: Vec<FoundFile>,
    /// Whether the location is a directory, whose files are chosen by their endings.
    pub(super) directory: bool,
}

impl Location {
    /// Parses a path, a `file:` URL or that of a store; paths become absolute.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        match Address::parse(text)? {
            Address::Object(kind, rest) => Self::parse_object(kind, text, &rest),
            Address::Path(path) => Self::parse_local(&path),
        }
    }

    fn parse_local(text: &str) -> Result<Self, Error> {
        let path = std::path::absolute(text)
            .map_err(|error| Error::InvalidLocation { location: text.to_owned(), reason: error.to_string() })?;
        let absolute = path.to_string_lossy().into_owned();
        let (base, patterns) = match path.exists() {
            // A name that exists means itself, whatever characters are in it.
            true => (absolute.as_str(), Vec::new()),
            false => split_pattern(text, &absolute)?,
        };
        let base = if patterns.is_empty() { path } else { PathBuf::from(base) };
        Ok(Self { text: absolute, place: Place::Local { base, patterns } })
    }

    fn parse_object(kind: &'static StoreKind, text: &str, rest: &str) -> Result<Self, Error> {
        let invalid = |reason: &str| Error::InvalidLocation { location: text.to_owned(), reason: reason.to_owned() };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
        if bucket.is_empty() || !bucket.chars().all(allowed) {
            return Err(invalid(&format!("expected {}://bucket/key", kind.scheme)));
        }
        if key.split('/').any(|segment| segment == "." || segment == "..") {
            return Err(invalid("an object's key cannot hold . or .. as a directory"));
        }
        let (prefix, patterns) = split_pattern(text, key)?;
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Ok(Self { text: text.to_owned(), place: Place::Bucket { kind, bucket, prefix, patterns } })
    }

    /// The location, absolute.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The part before a glob, of a local path.
    pub(super) fn local_base(&self) -> Option<&Path> {
        match &self.place {
            Place::Local { base, .. } => Some(base),
            Place::Bucket { .. } => None,
        }
    }

    /// The part before a glob as a URL, of a location in a bucket; empty for a path.
    pub(super) fn object_prefix(&self) -> String {
        match &self.place {
            Place::Bucket { kind, bucket, prefix, .. } => format!("{}://{bucket}/{prefix}", kind.scheme),
            Place::Local { .. } => String::new(),
        }
    }

    /// The files that lie there now. At least one, else an error.
    pub(super) async fn list(&self, stores: &Stores, access: &Access) -> Result<Listing, Error> {
        access.check_location(self)?;
        let mut listing = match &self.place {
            Place::Local { .. } => {
                let (url, store) = stores.local()?;
                let (location, access) = (self.clone(), access.clone());
                let walked = tokio::task::spawn_blocking(move || location.walk(&access)).await;
                let (files, directory) = walked.map_err(|error| Error::Io {
                    file: self.text.clone(),
                    reason: error.to_string(),
                    source: Arc::new(error),
                })??;
                Listing { url, store, files, directory }
            }
            Place::Bucket { kind, bucket, prefix, patterns } => {
                let (url, store) = stores.bucket(kind, bucket, &self.object_prefix())?;
                let root = format!("{}://{bucket}", kind.scheme);
                let (files, directory) = self.list_bucket(store.as_ref(), access, &root, prefix, patterns).await?;
                Listing { url, store, files, directory }
            }
        };
        if listing.files.is_empty() && !listing.directory {
            return Err(Error::NoSuchFile { location: self.text.clone() });
        }
        listing.files.sort_by(|left, right| left.name.cmp(&right.name));
        listing.files.dedup_by(|left, right| left.name == right.name);
        Ok(listing)
    }

    /// The local files, and whether the location is a directory.
    fn walk(&self, access: &Access) -> Result<(Vec<FoundFile>, bool), Error> {
        let Place::Local { base, patterns } = &self.place else { return Ok((Vec::new(), false)) };
        let literal = Path::new(&self.text);
        let mut walk = Walk { location: self, access, base, files: Vec::new() };
        if patterns.is_empty() || literal.exists() {
            // One that has come to exist since was checked up to its first pattern alone.
            access.check_path(&self.text, literal)?;
            let kind = std::fs::metadata(literal).map_err(|error| Error::io(&self.text, error))?;
            if kind.is_dir() {
                walk.base = literal;
                walk.directory(literal, 0)?;
                return Ok((walk.files, true));
            }
            walk.file(literal)?;
        } else {
            for pattern in patterns {
                check_named(base, pattern)?;
                walk.pattern(base, pattern, 0)?;
            }
        }
        Ok((walk.files, false))
    }

    /// The objects of a bucket, whose URL is `root`, and whether the location is a directory.
    async fn list_bucket(
        &self,
        store: &dyn ObjectStore,
        access: &Access,
        root: &str,
        prefix: &str,
        patterns: &[Vec<String>],
    ) -> Result<(Vec<FoundFile>, bool), Error> {
        let key = ObjectPath::parse(prefix.trim_matches('/'))
            .map_err(|error| Error::InvalidLocation { location: self.text.clone(), reason: error.to_string() })?;
        let failed = |error| Error::store(&self.text, error);
        let mut files = Vec::new();
        let mut head_failed = None;
        if patterns.is_empty() && !prefix.is_empty() && !prefix.ends_with('/') {
            match store.head(&key).await {
                Ok(meta) => {
                    files.push(FoundFile { meta, name: format!("{root}/{key}"), partitions: Vec::new() });
                    return Ok((files, false));
                }
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => match failed(error) {
                    // Some servers stumble over a key that is a prefix of others; listing tells.
                    error @ Error::Io { .. } => head_failed = Some(error),
                    error => return Err(error),
                },
            }
        }
        let matching: Vec<_> = patterns.iter().filter_map(|pattern| compiled(&pattern.join("/"))).collect();
        let named = patterns.iter().map(|pattern| named(pattern));
        let mut missing: Vec<(String, bool)> = named.filter(|(name, _)| !name.is_empty()).collect();
        let mut found = store.list((!key.as_ref().is_empty()).then_some(&key));
        while let Some(meta) = found.try_next().await.map_err(failed)? {
            let full = meta.location.as_ref();
            let Some(rest) = full.strip_prefix(key.as_ref()) else { continue };
            let relative = rest.trim_start_matches('/').to_owned();
            missing.retain(|(name, is_whole)| !is_named(&relative, name, *is_whole));
            let chosen = match patterns.is_empty() {
                false => matching.iter().any(|pattern| pattern.matches_with(&relative, MATCHING)),
                true => !relative.split('/').any(is_hidden),
            };
            if !chosen || relative.is_empty() {
                continue;
            }
            if files.len() == MAX_FILES {
                return Err(Error::TooManyFiles { location: self.text.clone(), limit: MAX_FILES });
            }
            let name = format!("{root}/{full}");
            access.check_url(&name, &name)?;
            files.push(FoundFile { meta, name, partitions: partitions_of(&relative) });
        }
        if let (true, Some(error)) = (files.is_empty(), head_failed) {
            return Err(error);
        }
        if let Some((name, _)) = missing.first() {
            return Err(Error::NoSuchFile { location: format!("{root}/{prefix}{name}") });
        }
        let directory = patterns.is_empty() && !files.is_empty();
        Ok((files, directory))
    }
}

/// One walk over the local disk.
struct Walk<'a> {
    location: &'a Location,
    access: &'a Access,
    base: &'a Path,
    files: Vec<FoundFile>,
}

impl Walk<'_> {
    /// All files below, hidden ones left out. Links to directories are not followed: they can form a circle.
    fn directory(&mut self, directory: &Path, depth: usize) -> Result<(), Error> {
        for (name, path) in self.entries(directory, depth)? {
            if is_hidden(&name) {
                continue;
            }
            let kind = std::fs::symlink_metadata(&path).map_err(|error| Error::io(&shown(&path), error))?;
            if kind.is_dir() {
                self.directory(&path, depth + 1)?;
            } else if path.is_file() {
                self.file(&path)?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, directory: &Path, pattern: &[String], depth: usize) -> Result<(), Error> {
        let Some((first, rest)) = pattern.split_first() else { return Ok(()) };
        if first == "**" {
            self.pattern(directory, rest, depth)?;
            for (name, path) in self.entries(directory, depth)? {
                if path.is_dir() && !path.is_symlink() && !is_hidden(&name) {
                    self.pattern(&path, pattern, depth + 1)?;
                }
            }
            return Ok(());
        }
        let Some(matching) = compiled(first) else { return Ok(()) };
        for (name, path) in self.entries(directory, depth)? {
            if !matching.matches_with(&name, MATCHING) {
                continue;
            }
            match (rest.is_empty(), path.is_dir()) {
                (true, true) => self.directory(&path, depth + 1)?,
                (true, false) => self.file(&path)?,
                (false, true) => self.pattern(&path, rest, depth + 1)?,
                (false, false) => {}
            }
        }
        Ok(())
    }

    /// The entries of a directory in the order of their names. A directory that is gone has none.
    fn entries(&self, directory: &Path, depth: usize) -> Result<Vec<(String, PathBuf)>, Error> {
        if directory.is_symlink() {
            // Not even the names of what it leads to may be told.
            self.access.check_path(&shown(directory), directory)?;
        }
        if depth > MAX_DEPTH {
            return Err(Error::InvalidLocation {
                location: self.location.text.clone(),
                reason: format!("its directories are nested more than {MAX_DEPTH} deep"),
            });
        }
        let read = match std::fs::read_dir(directory) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(&shown(directory), error)),
        };
        let mut entries = Vec::new();
        for entry in read {
            let entry = entry.map_err(|error| Error::io(&shown(directory), error))?;
            // A name that is not UTF-8 cannot be written in SQL, nor kept in the catalog.
            if let Ok(name) = entry.file_name().into_string() {
                entries.push((name, entry.path()));
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn file(&mut self, path: &Path) -> Result<(), Error> {
        let name = shown(path);
        if self.files.len() == MAX_FILES {
            return Err(Error::TooManyFiles { location: self.location.text.clone(), limit: MAX_FILES });
        }
        let mut path_to_read = self.access.check_path(&name, path)?;
        if path_to_read.components().any(|part| part == Component::ParentDir) {
            // An object store's path cannot go up.
            path_to_read = path_to_read.canonicalize().map_err(|error| Error::io(&name, error))?;
        }
        let metadata = std::fs::metadata(&path_to_read).map_err(|error| Error::io(&name, error))?;
        if !metadata.is_file() {
            let reason = format!("{name} is not a regular file");
            return Err(Error::InvalidLocation { location: self.location.text.clone(), reason });
        }
        let location = ObjectPath::from_absolute_path(&path_to_read)
            .map_err(|error| Error::InvalidLocation { location: name.clone(), reason: error.to_string() })?;
        let last_modified: DateTime<Utc> = metadata.modified().map_err(|error| Error::io(&name, error))?.into();
        let relative = path.strip_prefix(self.base).map(|path| path.to_string_lossy().into_owned());
        let partitions = partitions_of(&relative.unwrap_or_default());
        let meta = ObjectMeta { location, last_modified, size: metadata.len(), e_tag: None, version: None };
        self.files.push(FoundFile { meta, name, partitions });
        Ok(())
    }
}

/// Whether a name in `FROM 'name'` is a file's rather than a table's.
pub(super) fn looks_like_path(name: &str, endings: &[&str]) -> bool {
    name.contains('/') || ending(name).is_some_and(|(ending, _)| endings.contains(&ending.as_str()))
}

/// A file name's ending in lower case, and the compression that follows it: `a.csv.gz` gives `csv` and `gz`.
pub(crate) fn ending(name: &str) -> Option<(String, Option<String>)> {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let (stem, last) = name.rsplit_once('.')?;
    if !matches!(last, "gz" | "zst" | "bz2" | "xz") {
        return Some((last.to_owned(), None));
    }
    let (_, inner) = stem.rsplit_once('.').unwrap_or(("", ""));
    Some((inner.to_owned(), Some(last.to_owned())))
}

/// How a message calls an object of a store, given the store's URL: `s3-` and what tells secrets apart stand for `s3`.
pub(super) fn object_name(url: &ObjectStoreUrl, path: &ObjectPath) -> String {
    let url: &url::Url = url.as_ref();
    match url.host_str() {
        Some(bucket) if url.scheme() != "file" => {
            let scheme = url.scheme().split('-').next().unwrap_or_default();
            format!("{scheme}://{bucket}/{path}")
        }
        _ => format!("/{path}"),
    }
}

/// A path as a message calls it.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn is_hidden(name: &str) -> bool {
    // Excel locks an open file with one whose name begins so.
    let is_lock = name.starts_with("~$");
    is_lock || name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

/// The path before the first segment that is a pattern, and the segments from there on: `*`, `?`, `[…]`, and alternatives as
/// in `{2023,2024/q1}.csv`, each of which has its own.
fn split_pattern<'a>(location: &str, path: &'a str) -> Result<(&'a str, Vec<Vec<String>>), Error> {
    let mut start = 0;
    for segment in path.split_inclusive('/') {
        let rest = path.get(start..).unwrap_or_default();
        let has_choices = || alternatives(rest).is_some_and(|(before, ..)| !before.contains('/'));
        if has_wildcards(segment) || has_choices() {
            let invalid = |reason: String| Error::InvalidLocation { location: location.to_owned(), reason };
            let mut patterns = Vec::new();
            for alternative in expanded(rest)
                .ok_or_else(|| invalid(format!("it has more than {MAX_ALTERNATIVES} alternatives in braces")))?
            {
                let segments = alternative.split('/').filter(|segment| !matches!(*segment, "" | "."));
                let segments: Vec<_> = segments.map(str::to_owned).collect();
                for segment in &segments {
                    if segment == ".." {
                        return Err(invalid("it goes up with .. within or behind a pattern".to_owned()));
                    }
                    Pattern::new(segment).map_err(|error| invalid(error.msg.to_lowercase()))?;
                }
                patterns.push(segments);
            }
            return Ok((path.get(..start).unwrap_or_default(), patterns));
        }
        start += segment.len();
    }
    Ok((path, Vec::new()))
}

fn has_wildcards(segment: &str) -> bool {
    segment.contains(['*', '?', '['])
}

/// What a pattern of alternatives names before its first wildcard, and whether that is all of it.
fn named(pattern: &[String]) -> (String, bool) {
    let names = pattern.iter().take_while(|segment| !has_wildcards(segment));
    let names: Vec<&str> = names.map(String::as_str).collect();
    (names.join("/"), names.len() == pattern.len())
}

/// Whether a path is the named one or, if a pattern goes on, lies below it.
fn is_named(path: &str, name: &str, is_whole: bool) -> bool {
    match path.strip_prefix(name) {
        Some(rest) if is_whole => rest.is_empty(),
        Some(rest) => rest.starts_with('/'),
        None => false,
    }
}

/// Refuses an alternative that names what does not exist: it was meant, as a path without a pattern is.
fn check_named(base: &Path, pattern: &[String]) -> Result<(), Error> {
    let (name, _) = named(pattern);
    let path = base.join(&name);
    if name.is_empty() || path.exists() { Ok(()) } else { Err(Error::NoSuchFile { location: shown(&path) }) }
}

/// The most alternatives that the braces of a location may stand for.
const MAX_ALTERNATIVES: usize = 1_000;

/// What the braces of a pattern stand for; none if that is too much.
fn expanded(pattern: &str) -> Option<Vec<String>> {
    let (mut done, mut open) = (Vec::new(), vec![pattern.to_owned()]);
    while let Some(pattern) = open.pop() {
        match alternatives(&pattern) {
            None => done.push(pattern),
            Some((_, choices, _)) if done.len() + open.len() + choices.len() > MAX_ALTERNATIVES => return None,
            Some((before, choices, after)) => {
                open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
            }
        }
    }
    Some(done)
}

/// The first braces of a pattern that hold a comma: what is before, the choices, what is after.
fn alternatives(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    for (start, _) in pattern.match_indices('{') {
        let inside = pattern.get(start + 1..)?;
        let (mut depth, mut from, mut choices) = (0_usize, 0, Vec::new());
        for (place, letter) in inside.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 => {
                    choices.push(inside.get(from..place)?);
                    from = place + 1;
                }
                '}' if choices.is_empty() => break,
                '}' => {
                    choices.push(inside.get(from..place)?);
                    return Some((pattern.get(..start)?, choices, inside.get(place + 1..)?));
                }
                _ => {}
            }
        }
    }
    None
}

/// The pattern, of segments that were checked when the location was parsed; none for no pattern.
fn compiled(pattern: &str) -> Option<Pattern> {
    if pattern.is_empty() { None } else { Pattern::new(pattern).ok() }
}

/// The `key=value` directories of a relative path.
fn partitions_of(relative: &str) -> Vec<(String, Option<String>)> {
    let Some((directories, _)) = relative.rsplit_once('/') else { return Vec::new() };
    let pairs = directories.split('/').filter_map(|segment| segment.split_once('='));
    pairs
        .map(|(key, value)| {
            let value = unescaped(value);
            (unescaped(key), (value != NULL_PARTITION).then_some(value))
        })
        .collect()
}

/// Hive escapes what a path cannot hold.
fn unescaped(text: &str) -> String {
    String::from_utf8(percent_decoded(text)).unwrap_or_else(|_| text.to_owned())
}
