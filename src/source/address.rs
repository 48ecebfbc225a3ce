//! What the text of a location names: a path of this machine, or a key in a bucket.
//!
//! Knows no patterns and looks at no file. Whoever opens, checks or writes a location asks here, so that no two of them take
//! one text for two places.

use super::{
    Error, listed,
    store::{STORES, StoreKind},
};

/// The longest location, in bytes.
const MAX_LENGTH: usize = 8_192;

/// What a location's text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A path, written as one or as a `file:` URL.
    Path(String),
    /// What follows `s3://` and the like in a store of this kind.
    Object(&'static StoreKind, String),
}

impl Address {
    /// Reads a path, a `file:` URL or that of a store.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Err(invalid(text, "it is empty"));
        }
        if text.len() > MAX_LENGTH {
            return Err(invalid(text, &format!("it is longer than {MAX_LENGTH} bytes")));
        }
        if text.contains('\0') {
            return Err(invalid(text, "it holds a zero byte"));
        }
        let Some((scheme, rest)) = url(text) else { return Ok(Self::Path(text.to_owned())) };
        if scheme == "file" {
            return file_path(text, rest).map(Self::Path);
        }
        let kind = STORES.iter().copied().find(|kind| kind.scheme == scheme);
        match (kind, rest.strip_prefix("//")) {
            (Some(kind), Some(rest)) => Ok(Self::Object(kind, rest.to_owned())),
            _ => {
                let urls: Vec<_> = STORES.iter().map(|kind| format!("{}://", kind.scheme)).collect();
                let known: Vec<_> = std::iter::once("file://").chain(urls.iter().map(String::as_str)).collect();
                Err(invalid(text, &format!("expected a path, {}", listed(&known))))
            }
        }
    }
}

/// Whether a location is a URL of another scheme than `file:`.
pub(crate) fn is_remote(text: &str) -> bool {
    url(text).is_some_and(|(scheme, _)| scheme != "file")
}

/// The scheme of a URL in lower case, and what follows its colon. A path may hold a colon too: but for `file:`, only `://`
/// tells.
fn url(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    let (is_scheme, scheme) = (scheme.chars().all(allowed), scheme.to_ascii_lowercase());
    (is_scheme && (scheme == "file" || rest.starts_with("//"))).then_some((scheme, rest))
}

/// The path of a `file:` URL: `file:/a`, `file:///a` and `file://localhost/a` are `/a`, and `%20` is a blank. What a `..` means
/// is left to whoever follows the path: the links before it come first.
fn file_path(text: &str, rest: &str) -> Result<String, Error> {
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        return Err(invalid(text, "it names another host"));
    }
    if !path.starts_with('/') {
        return Err(invalid(text, "expected an absolute path, as in file:///data/a.csv"));
    }
    let path = String::from_utf8(percent_decoded(path)).map_err(|_| invalid(text, "it is not UTF-8"))?;
    if path.contains('\0') {
        return Err(invalid(text, "it holds a zero byte"));
    }
    Ok(path)
}

/// The bytes that a text with `%20` and the like stands for; what is no valid escape stays as it is.
pub(super) fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

fn invalid(location: &str, reason: &str) -> Error {
    Error::InvalidLocation { location: location.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{super::s3, *};

    #[test]
    fn a_file_has_one_path_in_every_spelling() {
        for text in ["/a b/c", "file:/a b/c", "file:///a%20b/c", "FILE:///a b/%63", "File://LocalHost/a%20b/c"] {
            assert_eq!(Address::parse(text).ok(), Some(Address::Path("/a b/c".to_owned())), "{text}");
        }
        // No scheme: a colon may stand in a name. What a URL does not escape, and `..`, stay as they are.
        for (text, path) in
            [("a:b.csv", "a:b.csv"), ("file:///a/%2e%2E/b%zz", "/a/../b%zz"), ("file:///a/%+1?*", "/a/%+1?*")]
        {
            assert_eq!(Address::parse(text).ok(), Some(Address::Path(path.to_owned())), "{text}");
        }
        let key = |rest: &str| Some(Address::Object(&s3::STORE, rest.to_owned()));
        assert_eq!(Address::parse("S3://b/k").ok(), key("b/k"));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for (text, reason) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("a\0b", "it holds a zero byte"),
            ("file:///a%00b", "it holds a zero byte"),
            ("file:///a%ffb", "it is not UTF-8"),
            ("file://host/a", "it names another host"),
            ("file://", "expected an absolute path, as in file:///data/a.csv"),
            ("file:a.csv", "expected an absolute path, as in file:///data/a.csv"),
            ("http://host/a.csv", "expected a path, file:// or s3://"),
            ("s3-env://bucket/a.csv", "expected a path, file:// or s3://"),
        ] {
            let error = Address::parse(text).map_err(|error| error.to_string());
            assert_eq!(error, Err(format!("'{text}' is not a usable location: {reason}")), "{text}");
        }
        assert!(Address::parse(&"a".repeat(MAX_LENGTH + 1)).is_err());
    }
}
