//! Every limit and setting of the engine, as one plain struct: defaults, then a file, the environment and flags.
//!
//! [`SETTINGS`] is the one list: the file's keys, the `FUSEWIRE_*` variables, `--set`, the help text and the table
//! `fusewire.settings` all come from it. Anything that is not understood stops the start; nothing is skipped in silence.
//! This module knows neither the engine nor the command line.

mod settings;

use std::{collections::BTreeMap, num::NonZero, path::Path, path::PathBuf, thread};

use settings::{Declaration, SETTINGS};

use crate::{Error, Fault, Result, catalog::CHECKPOINT_BYTES};

/// What the names of environment variables begin with.
const ENVIRONMENT_PREFIX: &str = "FUSEWIRE_";

/// The variable that names the configuration file; it is not a setting itself.
const FILE_VARIABLE: &str = "FUSEWIRE_CONFIG";

/// The stack of every thread that handles statements: trees are walked by recursion, and a long chain of operators is a deep
/// tree. Only what is used of it takes memory.
pub const THREAD_STACK_BYTES: usize = 256 << 20;

/// The configuration of an engine and its server.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where tables, models and the catalog live; none: in memory.
    pub data_dir: Option<PathBuf>,
    /// How long the log of changes of the catalog becomes before a checkpoint takes its place, in bytes.
    pub checkpoint_bytes: u64,
    /// Paths and URLs that SQL from the wire may open.
    pub allow_paths: Vec<String>,
    /// Memory that queries may use before they spill, in bytes.
    pub memory_limit_bytes: usize,
    /// Disk that spilling queries may use at once, in bytes.
    pub spill_limit_bytes: u64,
    /// Threads that run queries and training.
    pub threads: usize,
    /// Parts that a query is cut into; 0: as many as threads.
    pub target_partitions: usize,
    /// Rows that operators hand on at once.
    pub batch_size: usize,
    /// Memory that plans take which are kept for the next statement that is the same, in bytes; 0: none is kept.
    pub plan_cache_size: usize,
    /// Memory that takes what is kept of tables for lookups by key, in bytes; 0: nothing is kept.
    pub lookup_cache_size: usize,
    /// The longest a statement may run, in milliseconds; 0: no limit.
    pub statement_timeout_ms: u64,
    /// How deep expressions and queries may nest.
    pub max_parse_depth: usize,
    /// The largest model that is stored or loaded, in bytes.
    pub max_model_bytes: usize,
    /// Rows that one training run may read.
    pub max_training_rows: usize,
    /// The address that the server listens on.
    pub listen_host: String,
    /// The port that the server listens on; 0: any free one.
    pub listen_port: u16,
    /// Connections served at once.
    pub max_connections: usize,
    /// The longest message a client may send and the longest statement a script may hold, in bytes.
    pub max_message_bytes: usize,
    /// Rows of a result that are shown on a terminal; 0: all.
    pub max_rows_displayed: usize,
    /// Where the settings that are not defaults were given, by setting.
    pub sources: BTreeMap<&'static str, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: None,
            checkpoint_bytes: CHECKPOINT_BYTES,
            allow_paths: Vec::new(),
            memory_limit_bytes: 2 << 30,
            spill_limit_bytes: 100 << 30,
            threads: thread::available_parallelism().map_or(1, NonZero::get),
            target_partitions: 0,
            batch_size: 8192,
            plan_cache_size: 32 << 20,
            lookup_cache_size: 256 << 20,
            statement_timeout_ms: 0,
            max_parse_depth: 50,
            max_model_bytes: 1 << 30,
            max_training_rows: 1_000_000_000,
            listen_host: "127.0.0.1".to_owned(),
            listen_port: 5432,
            max_connections: 100,
            max_message_bytes: 64 << 20,
            max_rows_displayed: 200,
            sources: BTreeMap::new(),
        }
    }
}

/// One setting as it stands, for `fusewire.settings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the file; in the environment it is in upper case after `FUSEWIRE_`.
    pub name: &'static str,
    /// Its value, written as it would be in the environment.
    pub value: String,
    /// Where the value was given: `default`, a file, a variable or a flag.
    pub source: String,
    /// What it does and what it accepts.
    pub description: String,
}

/// A setting given as a flag: its name, its values and the flag as the user typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The setting.
    pub name: String,
    /// Its value; several only for a list.
    pub values: Vec<String>,
    /// The flag, for messages.
    pub flag: String,
}

impl Config {
    /// Reads the defaults, then the file, the environment and the flags, later ones winning.
    ///
    /// An unknown key, an unknown `FUSEWIRE_*` variable and a value outside what the setting accepts are errors that
    /// name where they stand and what is accepted.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[Flag],
    ) -> Result<Self> {
        let mut config = Self::default();
        if let Some(path) = file {
            config.apply_file(path)?;
        }
        config.apply_environment(environment)?;
        for flag in flags {
            config.apply(&flag.name, &flag.values, &flag.flag)?;
        }
        Ok(config)
    }

    /// Every setting with its value and where it was given, by name.
    pub fn settings(&self) -> Vec<Setting> {
        let defaults = Self::default();
        let mut settings: Vec<Setting> = SETTINGS
            .iter()
            .map(|declaration| {
                let value = (declaration.read)(self);
                // An embedding program fills the fields itself and gives no source.
                let unnamed = if value == (declaration.read)(&defaults) { "default" } else { "program" };
                let source = self.sources.get(declaration.name).map_or(unnamed, String::as_str).to_owned();
                let description = format!("{} ({})", declaration.description, declaration.accepts);
                Setting { name: declaration.name, value, source, description }
            })
            .collect();
        settings.sort_by_key(|setting| setting.name);
        settings
    }

    fn apply_file(&mut self, path: &Path) -> Result<()> {
        let place = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(Fault::UndefinedFile, format!("configuration file {place} cannot be read: {error}"))
        })?;
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            invalid(format!("{place}:{line}: not TOML: {}", error.message()), None)
        })?;
        for (name, value) in &table {
            let values = match value {
                toml::Value::Array(items) => items.iter().map(scalar_text).collect(),
                value => scalar_text(value).map(|text| vec![text]),
            };
            let values = values.ok_or_else(|| match SETTINGS.iter().find(|setting| setting.name == name) {
                Some(setting) => refused(&place.to_string(), setting, &value.to_string()),
                None => unknown(&place.to_string(), name),
            })?;
            self.apply(name, &values, &place.to_string())?;
        }
        Ok(())
    }

    fn apply_environment(&mut self, environment: impl IntoIterator<Item = (String, String)>) -> Result<()> {
        let mut given: Vec<(String, String)> = environment
            .into_iter()
            .filter(|(variable, _)| variable.starts_with(ENVIRONMENT_PREFIX) && variable != FILE_VARIABLE)
            .filter(|(variable, _)| !names_a_service(variable))
            .collect();
        given.sort();
        for (variable, value) in given {
            let name = variable.trim_start_matches(ENVIRONMENT_PREFIX).to_lowercase();
            let source = format!("environment variable {variable}");
            self.apply(&name, &values(&name, &value), &source)?;
        }
        Ok(())
    }

    fn apply(&mut self, name: &str, values: &[String], source: &str) -> Result<()> {
        let Some(declaration) = SETTINGS.iter().find(|setting| setting.name == name) else {
            return Err(unknown(source, name));
        };
        if !(declaration.write)(self, values) {
            return Err(refused(source, declaration, &values.join(", ")));
        }
        self.sources.insert(declaration.name, source.to_owned());
        Ok(())
    }
}

/// The values that a text gives a setting: several, separated by commas, where it takes several.
pub fn values(name: &str, text: &str) -> Vec<String> {
    match SETTINGS.iter().any(|setting| setting.name == name && setting.list) {
        true => text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        false => vec![text.to_owned()],
    }
}

/// The settings for the help text: name, what it does, what it accepts and its default.
pub fn help() -> String {
    let defaults = Config::default();
    let mut help = String::new();
    for setting in SETTINGS {
        let default = (setting.read)(&defaults);
        let default = if default.is_empty() { "none".to_owned() } else { default };
        help.push_str(&format!("  {:<22}{}\n", setting.name, setting.description));
        help.push_str(&format!("  {:<22}accepts {}; default {default}\n", "", setting.accepts));
    }
    help
}

/// Kubernetes describes a service named `fusewire` to every pod in variables of this shape; they are not settings.
fn names_a_service(variable: &str) -> bool {
    let name = variable.trim_start_matches(ENVIRONMENT_PREFIX);
    name == "PORT" || name.starts_with("PORT_") || name == "SERVICE_HOST" || name.starts_with("SERVICE_PORT")
}

fn scalar_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn unknown(source: &str, name: &str) -> Error {
    let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    invalid(format!("{source}: unknown setting {name}"), Some(format!("the settings are {}", names.join(", "))))
}

fn refused(source: &str, setting: &Declaration, value: &str) -> Error {
    invalid(format!("{source}: {} is '{value}', expected {}", setting.name, setting.accepts), None)
}

fn invalid(message: String, hint: Option<String>) -> Error {
    Error::Statement { fault: Fault::InvalidArgument, message, hint }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
