//! What `pg_settings` says of a setting beside its value: of which type it is, and which values it takes.

use super::{
    known,
    takes::{Takes, Unit},
};

/// What is known of the values of a setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// `bool`, `integer`, `real`, `enum` or `string`.
    pub(crate) vartype: &'static str,
    /// What a number counts.
    pub(crate) unit: Option<&'static str>,
    pub(crate) least: Option<String>,
    pub(crate) most: Option<String>,
    /// The words that it takes.
    pub(crate) words: Option<Vec<String>>,
    /// `user` where a session sets it, `internal` where nobody does, `postmaster` where the server is started with it.
    pub(crate) context: &'static str,
    /// Its value at the start of a session.
    pub(crate) default: &'static str,
}

/// What is known of the values of a setting that clients know from PostgreSQL.
pub(crate) fn told(name: &str) -> Option<Told> {
    let known = known(name).ok()?;
    let context = match known.takes {
        Takes::Nothing => "internal",
        Takes::Server => "postmaster",
        _ => "user",
    };
    let (default, unit) = (known.default, None);
    let plain = Told { vartype: "string", unit, least: None, most: None, words: None, context, default };
    Some(match known.takes {
        Takes::Boolean | Takes::Always(_) => Told { vartype: "bool", ..plain },
        Takes::Word(words) | Takes::Switch(words) | Takes::First(words) => {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Told { vartype: "enum", words: Some(words), ..plain }
        }
        Takes::Number { least, most, unit } => {
            let (least, most) = (Some(least.to_string()), Some(most.to_string()));
            Told { vartype: "integer", unit: counted(unit), least, most, ..plain }
        }
        Takes::Fraction { least, most } => {
            Told { vartype: "real", least: Some(least.to_string()), most: Some(most.to_string()), ..plain }
        }
        Takes::Nothing | Takes::Server if matches!(known.default, "on" | "off") => Told { vartype: "bool", ..plain },
        Takes::Nothing | Takes::Server if known.default.parse::<i64>().is_ok() => Told { vartype: "integer", ..plain },
        _ => plain,
    })
}

fn counted(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::None => None,
        Unit::Milliseconds => Some("ms"),
        Unit::Seconds => Some("s"),
        Unit::Bytes => Some("B"),
        Unit::Kilobytes => Some("kB"),
        Unit::Blocks => Some("8kB"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15.18's `pg_settings` has them.
    #[test]
    fn settings_are_of_the_types_of_postgresql() {
        let kind = |name: &str| {
            let told = told(name).unwrap();
            (told.vartype, told.unit)
        };
        assert_eq!(kind("statement_timeout"), ("integer", Some("ms")));
        assert_eq!(kind("array_nulls"), ("bool", None));
        assert_eq!(kind("bytea_output"), ("enum", None));
        assert_eq!(kind("application_name"), ("string", None));
        assert_eq!(told("nothing"), None);
    }
}
