//! How to reach what lies behind URLs: what `CREATE SECRET` says of it, and the types of secrets.
//!
//! To add a type: one line in [`SECRET_TYPES`].

use std::{collections::BTreeMap, fmt};

use sha2::{Digest, Sha256};

use super::{Error, listed, s3};

/// Every type of secret, in the order in which errors list them.
pub const SECRET_TYPES: [&SecretType; 1] = [&s3::SECRET];

/// The option that every type has: the prefix of the URLs that a secret is for.
const SCOPE: &str = "scope";

/// A type of secret.
#[derive(Debug)]
pub struct SecretType {
    /// The name in `TYPE`, in lower case.
    pub name: &'static str,
    /// What the URLs that it is for begin with, such as `s3://`: the scope of a secret that says none.
    pub prefix: &'static str,
    /// Its options beside `TYPE` and `SCOPE`.
    pub options: &'static [SecretOption],
    /// Says what is wrong with options that do not go together.
    pub(super) check: fn(&SecretDefinition) -> Result<(), &'static str>,
}

/// An option of a type of secret.
#[derive(Debug)]
pub struct SecretOption {
    /// The name, in lower case.
    pub name: &'static str,
    /// What it means.
    pub purpose: &'static str,
    /// The values that it may have.
    pub values: SecretValues,
}

/// The values that an option of secrets may have, letters in any case.
#[derive(Debug)]
pub enum SecretValues {
    /// Any text.
    Text,
    /// True or false.
    Boolean,
    /// One of these, which are in lower case.
    OneOf(&'static [&'static str]),
}

/// What a secret says. `Debug` shows none of its options.
#[derive(Clone)]
pub struct SecretDefinition {
    /// `SCOPE`: the prefix for which the secret is used, `s3://` for every bucket.
    pub scope: String,
    /// The others, checked, by their names in lower case.
    options: BTreeMap<String, String>,
}

impl SecretType {
    /// The type of a name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        SECRET_TYPES.iter().copied().find(|known| known.name.eq_ignore_ascii_case(name))
    }
}

impl SecretValues {
    /// What is expected instead of a value; nothing where it may be it.
    fn refuse(&self, value: &str) -> Option<String> {
        match self {
            Self::Text => None,
            Self::Boolean => boolean(value).is_none().then(|| "true or false".to_owned()),
            Self::OneOf(known) => {
                let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(value));
                (!is_known).then(|| listed(known))
            }
        }
    }
}

impl SecretDefinition {
    /// From the options of `CREATE SECRET`, all but `TYPE`; names in any case.
    pub fn read(name: &str, kind: &SecretType, options: &[(String, String)]) -> Result<Self, Error> {
        let mut definition = Self { scope: kind.prefix.to_owned(), options: BTreeMap::new() };
        for (option, value) in options {
            let option = option.to_ascii_lowercase();
            let refused = match kind.options.iter().find(|known| known.name == option) {
                Some(known) => known.values.refuse(value),
                None if option == SCOPE && value.starts_with(kind.prefix) => None,
                None if option == SCOPE => Some(format!("a prefix such as {}bucket/path", kind.prefix)),
                None => {
                    let own = kind.options.iter().map(|known| known.name);
                    let accepted: Vec<_> = std::iter::once("type").chain(own).chain([SCOPE]).collect();
                    let (format, accepted) = ("a secret".to_owned(), accepted.join(", "));
                    return Err(Error::UnknownOption { format, option, accepted });
                }
            };
            if let Some(expected) = refused {
                return Err(Error::InvalidOption { option, value: value.clone(), expected });
            }
            if option == SCOPE {
                definition.scope.clone_from(value);
            } else {
                definition.options.insert(option, value.clone());
            }
        }
        match (kind.check)(&definition) {
            Ok(()) => Ok(definition),
            Err(reason) => Err(Error::InvalidSecret { secret: name.to_owned(), reason: reason.to_owned() }),
        }
    }

    /// The value of an option, if it is given.
    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.options.get(option).map(String::as_str)
    }

    /// Whether an option is true or false, if it is given.
    pub(super) fn is(&self, option: &str) -> Option<bool> {
        boolean(self.get(option)?)
    }

    /// Whether the secret is for this URL: its scope is a prefix that ends at a `/`.
    pub(super) fn covers(&self, url: &str) -> bool {
        let scope = self.scope.trim_end_matches('/');
        url.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A name that differs whenever anything in the secret differs, and tells nothing about it.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        for (option, value) in &self.options {
            for part in [option, value] {
                hasher.update(part.len().to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.update(self.scope.as_bytes());
        hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for SecretDefinition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretDefinition").field("scope", &self.scope).finish_non_exhaustive()
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}
