//! The settings of one session: those that PostgreSQL clients know, and the engine's own under `datafusion.`.

use std::{collections::BTreeMap, sync::Arc};

use datafusion::{config::ConfigOptions, execution::FunctionRegistry, prelude::SessionContext};

use crate::{Error, Fault, Result};

/// A setting that clients know from PostgreSQL.
pub(crate) struct Setting {
    /// Its name in lower case.
    pub(crate) name: &'static str,
    /// How the protocol spells it, if it reports it.
    pub(crate) reported: Option<&'static str>,
    /// Its value at the start of a session.
    pub(crate) default: &'static str,
    /// Which values are taken.
    accepts: Accepts,
    /// What it is for.
    pub(crate) description: &'static str,
}

/// Which values a setting takes.
#[derive(Debug, Clone, Copy)]
enum Accepts {
    /// Any text.
    Any,
    /// None: it tells, and can't be set.
    Nothing,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
    /// A number of milliseconds, with or without a unit.
    Milliseconds,
    /// A time zone that the engine knows.
    TimeZone,
    /// A style of dates that begins with ISO, or tells the order of day and month alone.
    IsoDates,
    /// Schemas of which `public` is the first that exists.
    PublicFirst,
}

const BOOLEANS: &[&str] = &["on", "off", "true", "false", "yes", "no", "1", "0"];

/// Every setting that clients know from PostgreSQL.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("application_name", Some("application_name"), "", Accepts::Any, "the client's name for itself"),
    setting("bytea_output", None, "hex", Accepts::OneOf(&["hex"]), "how bytes are written as text"),
    setting(
        "client_encoding",
        Some("client_encoding"),
        "UTF8",
        Accepts::OneOf(&["utf8", "utf-8", "unicode", "sql_ascii"]),
        "the encoding of text on the wire",
    ),
    setting("client_min_messages", None, "notice", Accepts::Any, "the least severe message that is sent"),
    setting("datestyle", Some("DateStyle"), "ISO, MDY", Accepts::IsoDates, "how dates are written; only ISO is"),
    setting(
        "default_transaction_isolation",
        None,
        "serializable",
        Accepts::Any,
        "accepted; a statement reads one snapshot",
    ),
    setting(
        "default_transaction_read_only",
        Some("default_transaction_read_only"),
        "off",
        Accepts::OneOf(BOOLEANS),
        "accepted",
    ),
    setting("extra_float_digits", None, "1", Accepts::Any, "accepted; numbers are always written exactly"),
    setting("idle_in_transaction_session_timeout", None, "0", Accepts::Milliseconds, "accepted"),
    setting("in_hot_standby", Some("in_hot_standby"), "off", Accepts::Nothing, "whether this is a standby"),
    setting("integer_datetimes", Some("integer_datetimes"), "on", Accepts::Nothing, "how times are sent in binary"),
    setting(
        "intervalstyle",
        Some("IntervalStyle"),
        "postgres",
        Accepts::OneOf(&["postgres"]),
        "how intervals are written",
    ),
    setting("is_superuser", Some("is_superuser"), "on", Accepts::Nothing, "whether the user may do anything"),
    setting("jit", None, "off", Accepts::OneOf(BOOLEANS), "accepted"),
    setting("lock_timeout", None, "0", Accepts::Milliseconds, "accepted; statements take no locks"),
    setting("max_identifier_length", None, "63", Accepts::Nothing, "the longest name that clients should use"),
    setting("row_security", None, "on", Accepts::OneOf(BOOLEANS), "accepted"),
    setting("search_path", None, "public", Accepts::PublicFirst, "where names without a schema are looked for: public"),
    setting("server_encoding", Some("server_encoding"), "UTF8", Accepts::Nothing, "the encoding of stored text"),
    setting(
        "server_version",
        Some("server_version"),
        SERVER_VERSION,
        Accepts::Nothing,
        "the PostgreSQL version whose dialect is spoken",
    ),
    setting("server_version_num", None, "150000", Accepts::Nothing, "the same as a number"),
    setting(
        "standard_conforming_strings",
        Some("standard_conforming_strings"),
        "on",
        Accepts::OneOf(&["on"]),
        "backslashes in texts are plain",
    ),
    setting(
        "statement_timeout",
        None,
        "0",
        Accepts::Milliseconds,
        "a statement that takes longer is cancelled; 0: never",
    ),
    setting("synchronous_commit", None, "on", Accepts::OneOf(BOOLEANS), "accepted; commits are always durable"),
    setting("timezone", Some("TimeZone"), "UTC", Accepts::TimeZone, "the time zone of timestamps"),
    setting("transaction_isolation", None, "serializable", Accepts::Any, "accepted; a statement reads one snapshot"),
    setting("transaction_read_only", None, "off", Accepts::OneOf(BOOLEANS), "accepted"),
    setting("xmloption", None, "content", Accepts::Any, "accepted"),
];

/// The PostgreSQL version whose dialect is spoken, and who speaks it.
pub(crate) const SERVER_VERSION: &str = concat!("15.0 (Fusewire ", env!("CARGO_PKG_VERSION"), ")");

const fn setting(
    name: &'static str,
    reported: Option<&'static str>,
    default: &'static str,
    accepts: Accepts,
    description: &'static str,
) -> Setting {
    Setting { name, reported, default, accepts, description }
}

/// What one session has changed.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    changed: BTreeMap<&'static str, String>,
    /// What `SET LOCAL` changed, with the value to go back to.
    local: BTreeMap<&'static str, Option<String>>,
}

impl Settings {
    /// The value of a known setting.
    pub(crate) fn value(&self, known: &Setting) -> &str {
        self.changed.get(known.name).map_or(known.default, String::as_str)
    }

    /// Changes a setting, or sets it back where `value` is none. Returns what the protocol must report.
    pub(crate) fn set(
        &mut self,
        context: &SessionContext,
        name: &str,
        value: Option<&str>,
        local: bool,
    ) -> Result<Option<(String, String)>> {
        if name.starts_with("datafusion.") {
            set_option(context, name, value)?;
            return Ok(None);
        }
        let known = known(name)?;
        let value = value.map(|value| check(known, value)).transpose()?;
        if local {
            self.local.entry(known.name).or_insert_with(|| self.changed.get(known.name).cloned());
        }
        match value {
            Some(value) => self.changed.insert(known.name, value),
            None => self.changed.remove(known.name),
        };
        if matches!(known.accepts, Accepts::TimeZone) {
            self.apply(context)?;
        }
        Ok(known.reported.map(|name| (name.to_owned(), self.value(known).to_owned())))
    }

    /// Makes the engine's options those of the settings.
    fn apply(&self, context: &SessionContext) -> Result<()> {
        for known in SETTINGS.iter().filter(|known| matches!(known.accepts, Accepts::TimeZone)) {
            set_option(context, "datafusion.execution.time_zone", Some(self.value(known)))?;
        }
        Ok(())
    }

    /// Undoes what the session changed.
    pub(crate) fn reset_all(&mut self, context: &SessionContext) -> Result<()> {
        *self = Self::default();
        self.apply(context)
    }

    /// Undoes what `SET LOCAL` changed.
    pub(crate) fn end_transaction(&mut self, context: &SessionContext) -> Result<()> {
        let changed = !self.local.is_empty();
        for (name, value) in std::mem::take(&mut self.local) {
            match value {
                Some(value) => self.changed.insert(name, value),
                None => self.changed.remove(name),
            };
        }
        if changed { self.apply(context) } else { Ok(()) }
    }

    /// The value of any setting by name.
    pub(crate) fn show(&self, context: &SessionContext, name: &str) -> Result<String> {
        if name.starts_with("datafusion.") {
            let options = options(context);
            return options
                .into_iter()
                .find_map(|(key, value, _)| (key == name).then_some(value))
                .ok_or_else(|| unknown(name));
        }
        Ok(self.value(known(name)?).to_owned())
    }

    /// Name, value and description of every setting.
    pub(crate) fn all(&self, context: &SessionContext) -> Vec<(String, String, String)> {
        let known = SETTINGS
            .iter()
            .map(|known| (known.name.to_owned(), self.value(known).to_owned(), known.description.to_owned()));
        known.chain(options(context)).collect()
    }

    /// How long a statement may take, where the session has said it; 0: as long as it likes.
    pub(crate) fn statement_timeout_ms(&self) -> Option<u64> {
        self.changed.get("statement_timeout").and_then(|value| value.parse().ok())
    }
}

fn known(name: &str) -> Result<&'static Setting> {
    SETTINGS.iter().find(|known| known.name == name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    Error::new(
        Fault::UndefinedObject,
        format!("unrecognized configuration parameter \"{name}\"; SHOW ALL lists those there are"),
    )
}

/// The value as it is stored, if the setting takes it.
fn check(known: &Setting, value: &str) -> Result<String> {
    let refused = |expected: String| {
        Err(Error::new(
            Fault::InvalidArgument,
            format!("invalid value for parameter \"{}\": \"{value}\"; expected {expected}", known.name),
        ))
    };
    match known.accepts {
        Accepts::Any => Ok(value.to_owned()),
        Accepts::Nothing => {
            Err(Error::new(Fault::InvalidArgument, format!("parameter \"{}\" cannot be changed", known.name)))
        }
        Accepts::OneOf(values) if values.iter().any(|accepted| accepted.eq_ignore_ascii_case(value)) => {
            Ok(if known.name == "client_encoding" { "UTF8".to_owned() } else { value.to_lowercase() })
        }
        Accepts::OneOf(values) => refused(format!("one of {}", values.join(", "))),
        Accepts::Milliseconds => match milliseconds(value) {
            Some(milliseconds) => Ok(milliseconds.to_string()),
            None => refused("a number of milliseconds, or with a unit as in '30s'".to_owned()),
        },
        Accepts::IsoDates => {
            let words: Vec<String> = value.split(',').map(|word| word.trim().to_lowercase()).collect();
            match words.iter().all(|word| ["iso", "mdy", "dmy", "ymd", "us", "european"].contains(&word.as_str())) {
                true => Ok(known.default.to_owned()),
                false => refused("ISO: dates are written as 2024-12-31".to_owned()),
            }
        }
        Accepts::PublicFirst => {
            let implied = ["\"$user\"", "$user", "pg_catalog", ""];
            let mut schemas = value.split(',').map(str::trim).filter(|schema| !implied.contains(schema));
            match schemas.next() {
                None | Some("public" | "\"public\"") => Ok(value.to_owned()),
                Some(_) => refused("public first: names in other schemas are written with their schema".to_owned()),
            }
        }
        Accepts::TimeZone if value.eq_ignore_ascii_case("utc") => Ok("UTC".to_owned()),
        Accepts::TimeZone if value.parse::<arrow::array::timezone::Tz>().is_ok() => Ok(value.to_owned()),
        Accepts::TimeZone => refused("a time zone such as 'UTC', '+02:00' or 'Europe/Berlin'".to_owned()),
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let factor = match text.get(digits..)?.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Changes one of the engine's options for this session alone.
fn set_option(context: &SessionContext, name: &str, value: Option<&str>) -> Result<()> {
    if name.starts_with("datafusion.runtime.") {
        return Err(Error::new(
            Fault::PermissionDenied,
            format!("\"{name}\" belongs to the whole server; set it where the server is started (see --help)"),
        ));
    }
    if name.starts_with("datafusion.catalog.") || name.starts_with("datafusion.sql_parser.") {
        return Err(Error::new(Fault::PermissionDenied, format!("\"{name}\" cannot be changed")));
    }
    let default = ConfigOptions::default().entries().into_iter().find(|entry| entry.key == name);
    let Some(default) = default else { return Err(unknown(name)) };
    let value = value.map(str::to_owned).or(default.value).unwrap_or_default();
    let state = context.state_ref();
    let mut state = state.write();
    state.config_mut().options_mut().set(name, &value).map_err(|error| {
        Error::new(
            Fault::InvalidArgument,
            format!("invalid value for parameter \"{name}\": {}", error.strip_backtrace()),
        )
    })?;
    // What functions of time return has the session's zone in its type.
    let options = Arc::clone(state.config().options());
    let functions = state.scalar_functions().values();
    let updated: Vec<_> = functions.filter_map(|function| function.inner().with_updated_config(&options)).collect();
    for function in updated {
        state.register_udf(Arc::new(function)).map_err(Error::Query)?;
    }
    Ok(())
}

fn options(context: &SessionContext) -> Vec<(String, String, String)> {
    let state = context.state_ref();
    let entries = state.read().config_options().entries();
    entries
        .into_iter()
        .map(|entry| (entry.key, entry.value.unwrap_or_default(), entry.description.to_owned()))
        .collect()
}
