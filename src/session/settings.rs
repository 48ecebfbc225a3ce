//! The settings of one session: those that PostgreSQL clients know, the engine's own under `datafusion.`, and those that
//! clients make up, whose names have a dot in them.

mod list;
mod server;
mod shown;
mod takes;
pub(crate) mod told;
mod zones;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use datafusion::{
    config::ConfigOptions,
    execution::{FunctionRegistry, SessionState, TaskContext},
};

use self::{
    list::{DEFAULT_PATH, MESSAGES, Setting, every},
    shown::shown_options,
    takes::{Refused, Takes, Unit},
};
pub(crate) use self::{
    list::{SERVER_VERSION, SETTINGS},
    shown::{Later, Shown, later},
    zones::of_engine as engine_zone,
};
use super::{
    Isolation, Modes, PATH_SCHEMA,
    search_path::{self, SearchPath},
};
use crate::{Error, Fault, Result, pgtype::Styles};

/// The settings that texts are read by.
pub(super) const READ_BY: [&str; 3] = ["timezone", "datestyle", "intervalstyle"];

/// The settings that are the engine's by another name, or stand among its options.
const FOLLOWED: [&str; 4] = [READ_BY[0], READ_BY[1], READ_BY[2], "extra_float_digits"];

/// The option of the engine that the setting `timezone` stands for.
const ENGINE_TIME_ZONE: &str = "datafusion.execution.time_zone";

/// Settings that a client makes up; each is kept for as long as its session is.
const MAX_CUSTOM: usize = 1_000;

/// The longest name that a client gives itself.
const CLIENT_NAME_BYTES: usize = 63;

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
    /// The names that the client has made up. They are known for as long as its session is.
    custom: Arc<BTreeSet<String>>,
    /// The engine's options, of which nothing was set.
    options: Arc<ConfigOptions>,
    /// What plans and runs statements, with the values of now.
    engine: Arc<SessionState>,
    /// What operators have of it, once one has asked.
    task: Arc<OnceLock<Arc<TaskContext>>>,
    /// What is chosen of the engine's options.
    choice: Arc<str>,
    /// What all of them are shown as.
    told: Arc<Later<BTreeMap<String, String>>>,
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
    /// Those of a user's session with this engine, on a server that gives so many milliseconds to statements (0: as many as
    /// they like) and serves so many clients.
    pub(crate) fn new(user: &str, engine: SessionState, (timeout_ms, clients): (u64, usize)) -> Self {
        let options = Arc::clone(engine.config().options());
        let path = Arc::new(SearchPath::of(DEFAULT_PATH, user));
        let timeout = i64::try_from(timeout_ms).unwrap_or(i64::MAX);
        let start = [
            ("session_authorization", user.to_owned()),
            ("statement_timeout", takes::told(timeout, Unit::Milliseconds)),
            ("max_connections", clients.to_string()),
        ];
        Self {
            start: Arc::new(Chosen(start.map(|(name, value)| (name.to_owned(), value)).into())),
            values: Values::default(),
            custom: Arc::default(),
            told: shown_options(Arc::clone(&options)),
            options,
            engine: Arc::new(engine),
            task: Arc::default(),
            choice: Arc::from(""),
            path,
        }
    }

    /// What plans and runs statements; it knows no tables.
    pub(crate) fn engine(&self) -> &Arc<SessionState> {
        &self.engine
    }

    /// The same as operators have it.
    pub(crate) fn task(&self) -> Arc<TaskContext> {
        Arc::clone(self.task.get_or_init(|| self.engine.task_ctx()))
    }

    /// What is chosen of the engine's options, as one text: of any two sessions with the same one they are the same.
    pub(crate) fn choice(&self) -> &Arc<str> {
        &self.choice
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
        self.note(name)?;
        Arc::make_mut(&mut self.start).put(name, value.as_deref());
        if is_engine(name) || FOLLOWED.contains(&name) {
            let values = self.values.clone();
            self.install(&values.current)?;
        }
        self.find_path()
    }

    /// Changes a setting, or sets it back where `value` is none; for this transaction alone if it is `local`.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<Reported> {
        let (name, value) = self.checked(name, value)?;
        self.note(name)?;
        let mut values = self.values.clone();
        Arc::make_mut(&mut values.current).put(name, value.as_deref());
        if !local {
            Arc::make_mut(&mut values.kept).put(name, value.as_deref());
        }
        self.restore(values)
    }

    /// The setting's own name and the value as it is kept, if it takes it.
    pub(crate) fn checked<'a>(&self, name: &'a str, value: Option<&str>) -> Result<(&'a str, Option<String>)> {
        if name == ENGINE_TIME_ZONE {
            let value = value.map(zones::from_engine);
            return self.checked("timezone", value.as_deref());
        }
        if is_engine(name) {
            check_option(name)?;
            if let Some(value) = value {
                set_option(&mut ConfigOptions::clone(&self.options), name, value)?;
            }
            return Ok((name, value.map(str::to_owned)));
        }
        if is_custom(name) {
            check_custom(name)?;
            return Ok((name, value.map(str::to_owned)));
        }
        let known = known(name)?;
        check_changes(known)?;
        Ok((name, value.map(|value| self.check(known, value)).transpose()?))
    }

    /// Keeps the name of a setting that the client makes up.
    pub(crate) fn note(&mut self, name: &str) -> Result<()> {
        if !is_custom(name) || self.custom.contains(name) {
            return Ok(());
        }
        if self.custom.len() >= MAX_CUSTOM {
            let message = format!("a session makes up at most {MAX_CUSTOM} settings; use a table");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        Arc::make_mut(&mut self.custom).insert(name.to_owned());
        Ok(())
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
        let is_followed = self.followed(&self.values.current)? == self.followed(&values.current)?;
        if !is_followed || !self.values.current.engine().eq(values.current.engine()) {
            self.install(&values.current)?;
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

    /// Has the engine do as is chosen.
    fn install(&mut self, chosen: &Chosen) -> Result<()> {
        let options = self.engine_options(chosen)?;
        let own = self.start.engine().chain(chosen.engine()).map(|(name, value)| (name.as_str(), value.as_str()));
        let followed = FOLLOWED.into_iter().zip(self.followed(chosen)?);
        let choice: String = own.chain(followed).map(|option| format!("{option:?}\n")).collect();
        install(&mut self.engine, options)?;
        (self.task, self.choice) = (Arc::default(), Arc::from(choice));
        self.told = shown_options(Arc::clone(self.engine.config().options()));
        Ok(())
    }

    /// The values of those that the engine follows, in their order.
    fn followed<'a>(&'a self, chosen: &'a Chosen) -> Result<[&'a str; 4]> {
        let value = |name| Ok::<_, Error>(self.value_of(chosen, known(name)?));
        let [zone, dates, intervals, floats] = FOLLOWED;
        Ok([value(zone)?, value(dates)?, value(intervals)?, value(floats)?])
    }

    /// The engine's options with what is chosen.
    fn engine_options(&self, chosen: &Chosen) -> Result<ConfigOptions> {
        let mut options = ConfigOptions::clone(&self.options);
        let [zone, dates, intervals, floats] = self.followed(chosen)?;
        let (zone, styles) = (engine_zone(zone), Styles::named(dates, intervals).with_floats(floats));
        choose(&mut options, self.start.engine().chain(chosen.engine()), &zone, styles)?;
        Ok(options)
    }

    /// The settings by name, with the values of now.
    pub(crate) fn shown(&self) -> Shown {
        Shown {
            start: Arc::clone(&self.start),
            current: Arc::clone(&self.values.current),
            custom: Arc::clone(&self.custom),
            engine: Arc::clone(&self.told),
        }
    }

    /// The value of any setting by name.
    pub(crate) fn show(&self, name: &str) -> Result<String> {
        self.shown().show(name)
    }

    /// Name, value and description of every setting.
    pub(crate) fn all(&self) -> Vec<(String, String, String)> {
        let known =
            every().map(|known| (known.name.to_owned(), self.value(known).to_owned(), known.description.to_owned()));
        known.chain(options(self.engine.config_options())).collect()
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

    /// How long a statement may take, as far as settings can say it; 0: as long as it likes.
    pub(crate) fn statement_timeout_ms(&self) -> Option<u64> {
        self.milliseconds("statement_timeout")
    }

    /// How long a client may leave its transaction alone; 0: as long as it likes.
    pub(crate) fn idle_in_transaction_timeout_ms(&self) -> u64 {
        self.milliseconds("idle_in_transaction_session_timeout").unwrap_or(0)
    }

    /// How long a client may ask nothing outside of a transaction; 0: as long as it likes.
    pub(crate) fn idle_timeout_ms(&self) -> u64 {
        self.milliseconds("idle_session_timeout").unwrap_or(0)
    }

    fn milliseconds(&self, name: &str) -> Option<u64> {
        let known = SETTINGS.iter().find(|known| known.name == name)?;
        takes::read(self.value(known), Unit::Milliseconds)
    }

    /// Whether the client wants to hear of something as grave as this, in the words of `client_min_messages`.
    pub(crate) fn hears(&self, gravity: &str) -> bool {
        let place = |word: &str| MESSAGES.iter().position(|known| *known == word);
        let least = SETTINGS.iter().find(|known| known.name == "client_min_messages").map(|known| self.value(known));
        place(gravity) >= least.and_then(place)
    }

    /// The value as it is kept, if the setting takes it.
    fn check(&self, known: &Setting, value: &str) -> Result<String> {
        let name = spelled(known.name);
        let refused = |expected: &str| {
            let message = format!("invalid value for parameter \"{name}\": \"{value}\"; expected {expected}");
            Error::new(Fault::InvalidArgument, message)
        };
        let not_done = |instead: &str| {
            let message = format!("parameter \"{name}\" cannot be \"{value}\", which is not supported; use {instead}");
            Error::new(Fault::FeatureNotSupported, message)
        };
        let not_boolean = || {
            let message = format!("parameter \"{name}\" requires a Boolean value; found \"{value}\"");
            Error::new(Fault::InvalidArgument, message)
        };
        let no_number = |why: Refused, least: String, most: String| match why {
            Refused::Malformed => refused(&format!("a number from {least} to {most}{}", unit_hint(known))),
            Refused::OutOfRange(number) => {
                let message =
                    format!("{number} is outside the valid range for parameter \"{name}\" ({least} .. {most})");
                Error::new(Fault::InvalidArgument, message)
            }
        };
        match known.takes {
            Takes::Text => Ok(value.to_owned()),
            Takes::ClientName => {
                let printable = |byte: u8| if (32..127).contains(&byte) { char::from(byte) } else { '?' };
                Ok(value.bytes().take(CLIENT_NAME_BYTES).map(printable).collect())
            }
            Takes::Nothing | Takes::Server | Takes::Files | Takes::Connection => {
                check_changes(known).map(|()| value.to_owned())
            }
            Takes::Boolean => takes::boolean(value).map(takes::on_or_off).ok_or_else(not_boolean),
            Takes::Always(done) => match takes::boolean(value) {
                Some(on) if on == done => Ok(takes::on_or_off(on)),
                Some(_) => Err(not_done(&takes::on_or_off(done))),
                None => Err(not_boolean()),
            },
            Takes::Word(words) => {
                let wanted = if value.eq_ignore_ascii_case("debug") { "debug2" } else { value };
                word(words, wanted).map(str::to_owned).ok_or_else(|| refused(&one_of(words)))
            }
            Takes::Switch(words) => match (word(words, value), takes::switch(value)) {
                (Some(word), _) => Ok(word.to_owned()),
                (None, Some(on)) => Ok(takes::on_or_off(on)),
                (None, None) => Err(refused(&format!("{}, on, off", one_of(words)))),
            },
            Takes::First(words) => match (word(words, value), words.first()) {
                (Some(word), Some(first)) if word == *first => Ok(word.to_owned()),
                (Some(_), Some(first)) => Err(not_done(first)),
                _ => Err(refused(&one_of(words.get(..1).unwrap_or(words)))),
            },
            Takes::Number { least, most, unit } => takes::number(value, (least, most), unit)
                .map(|number| takes::told(number, unit))
                .map_err(|why| no_number(why, least.to_string(), most.to_string())),
            Takes::Fraction { least, most } => takes::fraction(value, least, most)
                .map(takes::six_digits)
                .map_err(|why| no_number(why, takes::six_digits(least), takes::six_digits(most))),
            Takes::Encoding => match encoding(value) {
                Some(true) => Ok(known.default.to_owned()),
                Some(false) => Err(not_done(known.default)),
                None => Err(refused(known.default)),
            },
            Takes::Isolation => match Isolation::named(value) {
                Some(level) => Ok(level.name().to_owned()),
                None => Err(refused("serializable, repeatable read, read committed or read uncommitted")),
            },
            Takes::TimeZone => zones::named(value)
                .ok_or_else(|| refused("a time zone such as 'UTC', 'Europe/Berlin' or hours to the east")),
            Takes::Dates => takes::dates(value, self.value(known))
                .ok_or_else(|| refused("ISO, SQL, Postgres or German, and YMD, MDY or DMY")),
            Takes::Schemas => search_path::check(value).map(|()| value.to_owned()),
            Takes::Role => {
                let is_user = self.start.get("session_authorization") == Some(value);
                if is_user || !value.is_empty() && value == known.default {
                    return Ok(value.to_owned());
                }
                Err(Error::new(Fault::InvalidArgument, format!("role \"{value}\" does not exist")))
            }
        }
    }
}

/// How SHOW heads the column of a setting: as the protocol spells it.
pub(crate) fn spelled(name: &str) -> &str {
    SETTINGS.iter().find(|known| known.name == name).and_then(|known| known.reported).unwrap_or(name)
}

fn is_engine(name: &str) -> bool {
    name.starts_with("datafusion.")
}

/// Whether the name is one that clients may make up.
fn is_custom(name: &str) -> bool {
    name.contains('.') && !is_engine(name)
}

/// Whether the setting takes several values.
pub(crate) fn takes_several(name: &str) -> bool {
    matches!(known(name).map(|known| known.takes), Ok(Takes::Dates | Takes::Schemas)) || name == "temp_tablespaces"
}

fn known(name: &str) -> Result<&'static Setting> {
    every().find(|known| known.name == name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    Error::new(
        Fault::UndefinedObject,
        format!("unrecognized configuration parameter \"{name}\"; SHOW ALL lists those there are"),
    )
}

/// Refuses a name that is no list of identifiers with dots between them.
fn check_custom(name: &str) -> Result<()> {
    let begins = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii();
    let goes_on = |letter: char| begins(letter) || letter.is_ascii_digit() || letter == '$';
    let is_name = |part: &str| part.starts_with(begins) && part.chars().all(goes_on);
    match name.split('.').all(is_name) {
        true => Ok(()),
        false => Err(Error::Statement {
            fault: Fault::InvalidName,
            message: format!("invalid configuration parameter name \"{name}\""),
            hint: Some("a name of a client's own is two or more words with dots between them".to_owned()),
        }),
    }
}

/// Refuses to change what can't be.
fn check_changes(known: &Setting) -> Result<()> {
    let name = spelled(known.name);
    let message = match known.takes {
        Takes::Nothing => format!("parameter \"{name}\" cannot be changed"),
        Takes::Server => format!("parameter \"{name}\" cannot be changed without restarting the server"),
        Takes::Files => format!("parameter \"{name}\" cannot be changed now"),
        Takes::Connection => format!("parameter \"{name}\" cannot be set after connection start"),
        _ => return Ok(()),
    };
    Err(Error::new(Fault::FixedSetting, message))
}

/// The word as the list has it.
fn word<'a>(words: &[&'a str], written: &str) -> Option<&'a str> {
    words.iter().copied().find(|word| word.eq_ignore_ascii_case(written))
}

fn one_of(words: &[&str]) -> String {
    let written: Vec<&str> = words.iter().map(|word| if word.is_empty() { "''" } else { *word }).collect();
    match written.as_slice() {
        [word] => (*word).to_owned(),
        words => format!("one of {}", words.join(", ")),
    }
}

/// How a number of the setting may be written.
fn unit_hint(known: &Setting) -> &'static str {
    match known.takes {
        Takes::Number { unit: Unit::Milliseconds | Unit::Seconds, .. } => ", or with a unit as in '30s'",
        Takes::Number { unit: Unit::Bytes | Unit::Kilobytes | Unit::Blocks, .. } => ", or with a unit as in '64MB'",
        _ => "",
    }
}

/// Whether the encoding of a name, which is written in many ways, is spoken; none for an unknown one.
fn encoding(name: &str) -> Option<bool> {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let begins = |families: &[&str]| families.iter().any(|family| name.starts_with(family));
    match name.as_str() {
        "utf8" | "unicode" | "sqlascii" => Some(true),
        _ if begins(&["latin", "iso8859", "win", "koi8", "euc", "sjis", "big5", "gb18030", "gbk", "johab", "uhc"]) => {
            Some(false)
        }
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

/// Sets what is chosen of the engine's options, in this order, its time zone, and the styles of dates, intervals and floats.
fn choose<'a>(
    options: &mut ConfigOptions,
    mut chosen: impl Iterator<Item = &'a (String, String)>,
    zone: &str,
    styles: Styles,
) -> Result<()> {
    options.extensions.insert(styles);
    chosen.try_for_each(|(name, value)| set_option(options, name, value))?;
    set_option(options, ENGINE_TIME_ZONE, zone)
}

/// Makes these the engine's options for this session alone.
fn install(engine: &mut Arc<SessionState>, options: ConfigOptions) -> Result<()> {
    let state = Arc::make_mut(engine);
    *state.config_mut().options_mut() = options;
    // Functions are computed with the options of when statements began to be planned.
    state.mark_start_execution();
    // What functions of time return has the session's zone in its type.
    let options = Arc::clone(state.config().options());
    let functions = state.scalar_functions().values();
    let updated: Vec<_> = functions.filter_map(|function| function.inner().with_updated_config(&options)).collect();
    for function in updated {
        state.register_udf(Arc::new(function)).map_err(Error::Query)?;
    }
    Ok(())
}

fn options(options: &ConfigOptions) -> Vec<(String, String, String)> {
    options
        .entries()
        .into_iter()
        // What stands for the path there is no schema that anybody knows.
        .map(|entry| {
            (entry.key, entry.value.filter(|value| value != PATH_SCHEMA).unwrap_or_default(), entry.description)
        })
        .map(|(key, value, description)| (key, value, description.to_owned()))
        .collect()
}
