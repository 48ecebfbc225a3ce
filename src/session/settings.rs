//! The settings of one session: those that PostgreSQL clients know, and the engine's own under `datafusion.`.

use std::sync::Arc;

use datafusion::{
    config::ConfigOptions,
    execution::{FunctionRegistry, SessionState},
};

use super::{
    Isolation, Modes, PATH_SCHEMA,
    search_path::{self, SearchPath},
};
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
    /// Whether something is, in PostgreSQL's many words for it.
    Boolean,
    /// How far a transaction is kept apart from others.
    Isolation,
    /// A number of milliseconds, with or without a unit.
    Milliseconds,
    /// A time zone that the engine knows.
    TimeZone,
    /// A style of dates that begins with ISO, or tells the order of day and month alone.
    IsoDates,
    /// Names of schemas.
    Schemas,
}

/// Where names are looked for unless a session says otherwise.
const DEFAULT_PATH: &str = "\"$user\", public";

/// The option of the engine that the setting `timezone` stands for.
const ENGINE_TIME_ZONE: &str = "datafusion.execution.time_zone";

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
    setting("default_transaction_deferrable", None, "off", Accepts::Boolean, "accepted; no transaction waits"),
    setting(
        "default_transaction_isolation",
        None,
        Modes::DEFAULT.isolation.name(),
        Accepts::Isolation,
        "the isolation of transactions that say nothing; each reads one snapshot",
    ),
    setting(
        "default_transaction_read_only",
        Some("default_transaction_read_only"),
        "off",
        Accepts::Boolean,
        "whether transactions that say nothing may change nothing",
    ),
    setting("extra_float_digits", None, "1", Accepts::Any, "accepted; numbers are always written exactly"),
    setting(
        "idle_in_transaction_session_timeout",
        None,
        "0",
        Accepts::Milliseconds,
        "a client that leaves its transaction alone for longer is disconnected; 0: never",
    ),
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
    setting("jit", None, "off", Accepts::Boolean, "accepted"),
    setting("lc_collate", None, "C.UTF-8", Accepts::Nothing, "how texts are ordered: by their characters' codes"),
    setting("lock_timeout", None, "0", Accepts::Milliseconds, "accepted; statements take no locks"),
    setting("max_identifier_length", None, "63", Accepts::Nothing, "the longest name that clients should use"),
    setting("row_security", None, "on", Accepts::Boolean, "accepted"),
    setting(
        "search_path",
        None,
        DEFAULT_PATH,
        Accepts::Schemas,
        "the schemas where names without one are looked for; the first that exists is where objects are created",
    ),
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
        "session_authorization",
        Some("session_authorization"),
        "",
        Accepts::Nothing,
        "the user that the client has named",
    ),
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
    setting("synchronous_commit", None, "on", Accepts::Boolean, "accepted; commits are always durable"),
    setting("timezone", Some("TimeZone"), "UTC", Accepts::TimeZone, "the time zone of timestamps"),
    setting("transaction_deferrable", None, "off", Accepts::Boolean, "accepted; no transaction waits"),
    setting(
        "transaction_isolation",
        None,
        Modes::DEFAULT.isolation.name(),
        Accepts::Isolation,
        "the isolation of this transaction, which reads one snapshot",
    ),
    setting("transaction_read_only", None, "off", Accepts::Boolean, "whether this transaction may change nothing"),
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

/// What a session has set, in the order in which it was.
#[derive(Debug, Clone, Default, PartialEq)]
struct Chosen(Vec<(String, String)>);

/// The values that a session has set: those of now, and those that stay when its transaction is committed. Cheap to clone,
/// so that a transaction and its savepoints can keep what to put back.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Values {
    current: Arc<Chosen>,
    kept: Arc<Chosen>,
}

/// The settings of one session. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What its client asked for at its start: RESET goes back to it.
    start: Arc<Chosen>,
    values: Values,
    /// The engine's options, of which nothing was set.
    options: Arc<ConfigOptions>,
    /// What plans and runs statements, with the values of now.
    engine: Arc<SessionState>,
    /// Where names without a schema are looked for, with the values of now.
    path: Arc<SearchPath>,
}

/// Settings that the protocol reports, as it spells them, with their new values.
pub(crate) type Reported = Vec<(String, String)>;

impl Chosen {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(chosen, _)| chosen == name).map(|(_, value)| value.as_str())
    }

    /// Sets one, or forgets it.
    fn put(&mut self, name: &str, value: Option<&str>) {
        self.0.retain(|(chosen, _)| chosen != name);
        self.0.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// The engine's own options.
    fn engine(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter().filter(|(name, _)| is_engine(name))
    }
}

impl Settings {
    /// Those of a user's session with this engine.
    pub(crate) fn new(user: &str, engine: SessionState) -> Self {
        let options = Arc::clone(engine.config().options());
        let path = Arc::new(SearchPath::of(DEFAULT_PATH, user));
        let start = Chosen(vec![("session_authorization".to_owned(), user.to_owned())]);
        Self { start: Arc::new(start), values: Values::default(), options, engine: Arc::new(engine), path }
    }

    /// What plans and runs statements; it knows no tables.
    pub(crate) fn engine(&self) -> &Arc<SessionState> {
        &self.engine
    }

    /// Where names without a schema are looked for.
    pub(crate) fn path(&self) -> &Arc<SearchPath> {
        &self.path
    }

    /// The value of a known setting.
    pub(crate) fn value(&self, known: &Setting) -> &str {
        self.value_of(&self.values.current, known)
    }

    fn value_of<'a>(&'a self, chosen: &'a Chosen, known: &Setting) -> &'a str {
        chosen.get(known.name).or_else(|| self.start.get(known.name)).unwrap_or(known.default)
    }

    /// Takes what a client asks for at its start.
    pub(crate) fn set_start(&mut self, name: &str, value: &str) -> Result<()> {
        let (name, value) = self.checked(name, Some(value))?;
        Arc::make_mut(&mut self.start).put(name, value.as_deref());
        if is_engine(name) || name == "timezone" {
            let options = self.engine_options(&self.values.current)?;
            install(&mut self.engine, options)?;
        }
        self.find_path()
    }

    /// Changes a setting, or sets it back where `value` is none; for this transaction alone if it is `local`.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<Reported> {
        let (name, value) = self.checked(name, value)?;
        let mut values = self.values.clone();
        Arc::make_mut(&mut values.current).put(name, value.as_deref());
        if !local {
            Arc::make_mut(&mut values.kept).put(name, value.as_deref());
        }
        self.restore(values)
    }

    /// The setting's own name and the value as it is kept, if it takes it.
    pub(crate) fn checked<'a>(&self, name: &'a str, value: Option<&str>) -> Result<(&'a str, Option<String>)> {
        let name = if name == ENGINE_TIME_ZONE { "timezone" } else { name };
        if !is_engine(name) {
            let known = known(name)?;
            return Ok((name, value.map(|value| check(known, value)).transpose()?));
        }
        check_option(name)?;
        if let Some(value) = value {
            set_option(&mut ConfigOptions::clone(&self.options), name, value)?;
        }
        Ok((name, value.map(str::to_owned)))
    }

    /// The values as they are, to be put back.
    pub(crate) fn values(&self) -> Values {
        self.values.clone()
    }

    /// Puts values back.
    pub(crate) fn restore(&mut self, values: Values) -> Result<Reported> {
        if self.values.current == values.current {
            self.values = values;
            return Ok(Reported::default());
        }
        let zone = known("timezone")?;
        let same_zone = self.value(zone) == self.value_of(&values.current, zone);
        if !same_zone || !self.values.current.engine().eq(values.current.engine()) {
            let options = self.engine_options(&values.current)?;
            install(&mut self.engine, options)?;
        }
        let reported = SETTINGS.iter().filter_map(|known| {
            let (before, now) = (self.value(known), self.value_of(&values.current, known));
            known.reported.filter(|_| before != now).map(|name| (name.to_owned(), now.to_owned()))
        });
        let reported = reported.collect();
        self.values = values;
        self.find_path()?;
        Ok(reported)
    }

    /// The transaction is committed: what `SET LOCAL` changed goes.
    pub(crate) fn commit(&mut self) -> Result<Reported> {
        let kept = Arc::clone(&self.values.kept);
        self.restore(Values { current: Arc::clone(&kept), kept })
    }

    /// Undoes what the session changed.
    pub(crate) fn reset_all(&mut self) -> Result<Reported> {
        self.restore(Values::default())
    }

    /// Reads the path anew, where it is another.
    fn find_path(&mut self) -> Result<()> {
        let (setting, user) = (self.value(known("search_path")?), self.value(known("session_authorization")?));
        let path = SearchPath::of(setting, user);
        if *self.path != path {
            self.path = Arc::new(path);
        }
        Ok(())
    }

    /// The engine's options with what is chosen.
    fn engine_options(&self, chosen: &Chosen) -> Result<ConfigOptions> {
        let mut options = ConfigOptions::clone(&self.options);
        for (name, value) in self.start.engine().chain(chosen.engine()) {
            set_option(&mut options, name, value)?;
        }
        set_option(&mut options, ENGINE_TIME_ZONE, self.value_of(chosen, known("timezone")?))?;
        Ok(options)
    }

    /// The value of any setting by name.
    pub(crate) fn show(&self, name: &str) -> Result<String> {
        if is_engine(name) {
            let options = options(&self.engine);
            return options
                .into_iter()
                .find_map(|(key, value, _)| (key == name).then_some(value))
                .ok_or_else(|| unknown(name));
        }
        Ok(self.value(known(name)?).to_owned())
    }

    /// Name, value and description of every setting.
    pub(crate) fn all(&self) -> Vec<(String, String, String)> {
        let known = SETTINGS
            .iter()
            .map(|known| (known.name.to_owned(), self.value(known).to_owned(), known.description.to_owned()));
        known.chain(options(&self.engine)).collect()
    }

    /// How a transaction is run that says nothing.
    pub(crate) fn default_modes(&self) -> Modes {
        let value = |name: &str| SETTINGS.iter().find(|known| known.name == name).map_or("", |known| self.value(known));
        Modes {
            isolation: Isolation::named(value("default_transaction_isolation")).unwrap_or(Modes::DEFAULT.isolation),
            read_only: value("default_transaction_read_only") == "on",
            deferrable: value("default_transaction_deferrable") == "on",
        }
    }

    /// How long a statement may take, where the session has said it; 0: as long as it likes.
    pub(crate) fn statement_timeout_ms(&self) -> Option<u64> {
        let chosen = self.values.current.get("statement_timeout").or_else(|| self.start.get("statement_timeout"));
        chosen.and_then(|value| value.parse().ok())
    }

    /// How long a client may leave its transaction alone; 0: as long as it likes.
    pub(crate) fn idle_in_transaction_timeout_ms(&self) -> u64 {
        let known = SETTINGS.iter().find(|known| known.name == "idle_in_transaction_session_timeout");
        known.and_then(|known| self.value(known).parse().ok()).unwrap_or(0)
    }
}

/// How SHOW heads the column of a setting: as the protocol spells it.
pub(crate) fn spelled(name: &str) -> &str {
    SETTINGS.iter().find(|known| known.name == name).and_then(|known| known.reported).unwrap_or(name)
}

fn is_engine(name: &str) -> bool {
    name.starts_with("datafusion.")
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
        Accepts::Boolean => match boolean(value) {
            Some(on) => Ok(if on { "on" } else { "off" }.to_owned()),
            None => {
                let message = format!("parameter \"{}\" requires a Boolean value; found \"{value}\"", known.name);
                Err(Error::new(Fault::InvalidArgument, message))
            }
        },
        Accepts::Isolation => match Isolation::named(value) {
            Some(level) => Ok(level.name().to_owned()),
            None => refused("serializable, repeatable read, read committed or read uncommitted".to_owned()),
        },
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
        Accepts::Schemas => search_path::check(value).map(|()| value.to_owned()),
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

/// The words for yes and no, which PostgreSQL lets be shortened as long as they are told apart.
fn boolean(text: &str) -> Option<bool> {
    let text = text.trim().to_ascii_lowercase();
    let starts = |word: &str, least: usize| text.len() >= least && word.starts_with(text.as_str());
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        _ if starts("true", 1) || starts("yes", 1) || starts("on", 2) => Some(true),
        _ if starts("false", 1) || starts("no", 1) || starts("off", 2) => Some(false),
        _ => None,
    }
}

/// Refuses what is no option of the engine, or not a session's.
fn check_option(name: &str) -> Result<()> {
    if name.starts_with("datafusion.runtime.") {
        return Err(Error::new(
            Fault::PermissionDenied,
            format!("\"{name}\" belongs to the whole server; set it where the server is started (see --help)"),
        ));
    }
    if name.starts_with("datafusion.catalog.") || name.starts_with("datafusion.sql_parser.") {
        return Err(Error::new(Fault::PermissionDenied, format!("\"{name}\" cannot be changed")));
    }
    match ConfigOptions::default().entries().iter().any(|entry| entry.key == name) {
        true => Ok(()),
        false => Err(unknown(name)),
    }
}

fn set_option(options: &mut ConfigOptions, name: &str, value: &str) -> Result<()> {
    options.set(name, value).map_err(|error| {
        Error::new(
            Fault::InvalidArgument,
            format!("invalid value for parameter \"{name}\": {}", error.strip_backtrace()),
        )
    })
}

/// Makes these the engine's options for this session alone.
fn install(engine: &mut Arc<SessionState>, options: ConfigOptions) -> Result<()> {
    let state = Arc::make_mut(engine);
    *state.config_mut().options_mut() = options;
    // What functions of time return has the session's zone in its type.
    let options = Arc::clone(state.config().options());
    let functions = state.scalar_functions().values();
    let updated: Vec<_> = functions.filter_map(|function| function.inner().with_updated_config(&options)).collect();
    for function in updated {
        state.register_udf(Arc::new(function)).map_err(Error::Query)?;
    }
    Ok(())
}

fn options(engine: &SessionState) -> Vec<(String, String, String)> {
    let entries = engine.config_options().entries();
    entries
        .into_iter()
        // What stands for the path there is no schema that anybody knows.
        .map(|entry| {
            (entry.key, entry.value.filter(|value| value != PATH_SCHEMA).unwrap_or_default(), entry.description)
        })
        .map(|(key, value, description)| (key, value, description.to_owned()))
        .collect()
}
