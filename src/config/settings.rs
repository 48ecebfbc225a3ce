//! The one list of settings: name, what is accepted, what it does, and how it is read and written.

use std::{path::PathBuf, str::FromStr};

use super::Config;

/// One setting of the list.
pub(super) struct Declaration {
    /// Its key in the file.
    pub(super) name: &'static str,
    /// What it accepts, as it stands after "expected".
    pub(super) accepts: &'static str,
    /// What it does.
    pub(super) description: &'static str,
    /// Whether it takes several values.
    pub(super) list: bool,
    /// Its value, as it would be written in the environment.
    pub(super) read: fn(&Config) -> String,
    /// Takes a value; false when it is not accepted.
    pub(super) write: fn(&mut Config, &[String]) -> bool,
}

/// Every setting, in the order of the help text.
pub(super) const SETTINGS: &[Declaration] = &[
    Declaration {
        name: "data_dir",
        accepts: "a directory",
        description: "where tables, views, secrets and models are kept; without it they live in memory",
        list: false,
        read: |config| config.data_dir.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        write: |config, values| assign(&mut config.data_dir, text(values).map(|path| Some(PathBuf::from(path)))),
    },
    Declaration {
        name: "checkpoint_bytes",
        accepts: "a size, for example 1MiB",
        description: "how long the log of changes becomes at least before a checkpoint of the catalog takes its place",
        list: false,
        read: |config| config.checkpoint_bytes.to_string(),
        write: |config, values| assign(&mut config.checkpoint_bytes, size(values, 1)),
    },
    Declaration {
        name: "allow_paths",
        accepts: "paths and URLs: an array in the file, elsewhere separated by commas",
        description: "what SQL that comes over the network may open",
        list: true,
        read: |config| config.allow_paths.join(","),
        write: |config, values| {
            let filled = values.iter().all(|value| !value.is_empty());
            assign(&mut config.allow_paths, filled.then(|| values.to_vec()))
        },
    },
    Declaration {
        name: "memory_limit_bytes",
        accepts: "a size of at least 16MB, for example 2GB or 512MiB",
        description: "memory that queries may use before they spill to disk",
        list: false,
        read: |config| config.memory_limit_bytes.to_string(),
        write: |config, values| assign(&mut config.memory_limit_bytes, size(values, 16_000_000)),
    },
    Declaration {
        name: "spill_limit_bytes",
        accepts: "a size, for example 100GB",
        description: "disk that spilling queries may use at once",
        list: false,
        read: |config| config.spill_limit_bytes.to_string(),
        write: |config, values| assign(&mut config.spill_limit_bytes, size(values, 0)),
    },
    Declaration {
        name: "threads",
        accepts: "a whole number from 1 to 1024",
        description: "threads that run queries and training",
        list: false,
        read: |config| config.threads.to_string(),
        write: |config, values| assign(&mut config.threads, number(values, 1, 1024)),
    },
    Declaration {
        name: "target_partitions",
        accepts: "a whole number from 0 to 1024",
        description: "parts that a query is cut into, 0 for as many as threads; fewer where memory is short",
        list: false,
        read: |config| config.target_partitions.to_string(),
        write: |config, values| assign(&mut config.target_partitions, number(values, 0, 1024)),
    },
    Declaration {
        name: "batch_size",
        accepts: "a whole number from 1 to 1000000",
        description: "rows that operators hand on at once; fewer where memory is short",
        list: false,
        read: |config| config.batch_size.to_string(),
        write: |config, values| assign(&mut config.batch_size, number(values, 1, 1_000_000)),
    },
    Declaration {
        name: "plan_cache_size",
        accepts: "a size, 0 to keep none",
        description: "memory for plans that are kept until the same statement comes again",
        list: false,
        read: |config| config.plan_cache_size.to_string(),
        write: |config, values| assign(&mut config.plan_cache_size, size(values, 0)),
    },
    Declaration {
        name: "lookup_cache_size",
        accepts: "a size, 0 to keep nothing",
        description: "memory for indexes and rows of tables that are looked up by a key; at most a quarter of memory_limit_bytes",
        list: false,
        read: |config| config.lookup_cache_size.to_string(),
        write: |config, values| assign(&mut config.lookup_cache_size, size(values, 0)),
    },
    Declaration {
        name: "statement_timeout_ms",
        accepts: "milliseconds, 0 for no limit",
        description: "the longest that a statement may run",
        list: false,
        read: |config| config.statement_timeout_ms.to_string(),
        write: |config, values| assign(&mut config.statement_timeout_ms, number(values, 0, i64::MAX as u64)),
    },
    Declaration {
        name: "max_parse_depth",
        accepts: "a whole number from 10 to 1000",
        description: "how deep expressions and queries may nest",
        list: false,
        read: |config| config.max_parse_depth.to_string(),
        write: |config, values| assign(&mut config.max_parse_depth, number(values, 10, 1000)),
    },
    Declaration {
        name: "max_model_bytes",
        accepts: "a size, for example 1GB",
        description: "the largest model that is stored or loaded",
        list: false,
        read: |config| config.max_model_bytes.to_string(),
        write: |config, values| assign(&mut config.max_model_bytes, size(values, 1)),
    },
    Declaration {
        name: "max_training_rows",
        accepts: "a whole number of at least 1",
        description: "rows that one training run may read",
        list: false,
        read: |config| config.max_training_rows.to_string(),
        write: |config, values| assign(&mut config.max_training_rows, number(values, 1, usize::MAX)),
    },
    Declaration {
        name: "listen_host",
        accepts: "a host name or an address",
        description: "the address that the server listens on",
        list: false,
        read: |config| config.listen_host.clone(),
        write: |config, values| assign(&mut config.listen_host, text(values)),
    },
    Declaration {
        name: "listen_port",
        accepts: "a port from 0 to 65535, 0 for any free one",
        description: "the port that the server listens on",
        list: false,
        read: |config| config.listen_port.to_string(),
        write: |config, values| assign(&mut config.listen_port, number(values, 0, u16::MAX)),
    },
    Declaration {
        name: "max_connections",
        accepts: "a whole number from 1 to 100000",
        description: "connections served at once",
        list: false,
        read: |config| config.max_connections.to_string(),
        write: |config, values| assign(&mut config.max_connections, number(values, 1, 100_000)),
    },
    Declaration {
        name: "max_message_bytes",
        accepts: "a size from 1kB to 1GB",
        description: "the longest message a client may send and the longest statement of a script",
        list: false,
        read: |config| config.max_message_bytes.to_string(),
        write: |config, values| {
            let bytes = size(values, 1000).filter(|bytes| *bytes <= 1 << 30);
            assign(&mut config.max_message_bytes, bytes)
        },
    },
    Declaration {
        name: "max_rows_displayed",
        accepts: "a whole number, 0 for all rows",
        description: "rows of a result that are shown on a terminal",
        list: false,
        read: |config| config.max_rows_displayed.to_string(),
        write: |config, values| assign(&mut config.max_rows_displayed, number(values, 0, usize::MAX)),
    },
];

/// The units of a size and their bytes.
const UNITS: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

fn assign<T>(slot: &mut T, value: Option<T>) -> bool {
    value.map(|value| *slot = value).is_some()
}

fn text(values: &[String]) -> Option<String> {
    match values {
        [value] if !value.is_empty() => Some(value.clone()),
        _ => None,
    }
}

fn number<T: FromStr + PartialOrd>(values: &[String], least: T, most: T) -> Option<T> {
    let number = text(values)?.trim().parse().ok()?;
    (least <= number && number <= most).then_some(number)
}

/// Bytes, or a decimal number with a unit: `2GB` is 2,000,000,000 and `2GiB` is 2,147,483,648.
fn size<T: TryFrom<u64>>(values: &[String], least: u64) -> Option<T> {
    let text = text(values)?.trim().to_lowercase();
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (figure, unit) = text.split_at(digits);
    let bytes = match unit.trim() {
        "" => figure.parse().ok()?,
        unit => {
            let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
            let bytes = figure.parse::<f64>().ok()? * *factor as f64;
            (bytes.is_finite() && bytes < 2f64.powi(63)).then_some(bytes as u64)?
        }
    };
    (bytes >= least).then_some(bytes).and_then(|bytes| T::try_from(bytes).ok())
}
