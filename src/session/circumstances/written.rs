//! Circumstances as bytes: a header line (magic, format and SHA-256 of what it heads), and the facts as JSON.
//!
//! No error quotes what was read: there are secrets in it.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Circumstances;
use crate::{
    Error, Fault, Result,
    catalog::{QualifiedName, Secret},
    interrupt::Interrupt,
    session::{
        Isolation, Modes,
        search_path::SearchPath,
        settings::{Shown, later},
    },
};

/// The first word.
pub(super) const MAGIC: &str = "fusewire-circumstances";

/// The format that is written, and the only one that is read. What is sent to a worker is read at once or never.
const FORMAT: u32 = 1;

/// The facts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pid: i32,
    user: String,
    role: String,
    database: String,
    path: Vec<String>,
    schemas: Vec<String>,
    /// Every setting as it is shown.
    settings: BTreeMap<String, String>,
    /// What is chosen of the engine's options, in the order in which it was.
    chosen: Vec<(String, String)>,
    isolation: String,
    read_only: bool,
    deferrable: bool,
    began_us: i64,
    started_us: i64,
    /// The clocks of two machines differ: not when the time is up, but how much of it is left.
    time_left: Option<Duration>,
    secrets: Vec<(QualifiedName, Secret)>,
}

pub(super) fn encode(circumstances: &Circumstances) -> Result<Vec<u8>> {
    let body = serde_json::to_vec(&Written::of(circumstances)).map_err(|error| {
        Error::new(Fault::Internal, format!("the circumstances of a statement cannot be written: {error}"))
    })?;
    let mut bytes = format!("{MAGIC} {FORMAT} {}\n", sum_of(&body)).into_bytes();
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Circumstances> {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (line, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split(' ').collect();
    let [MAGIC, format, sum] = words[..] else {
        return Err(damaged(&format!("they do not begin with {MAGIC}, a format and a SHA-256")));
    };
    match format.parse::<u32>() {
        Ok(FORMAT) => {}
        Ok(newer) if newer > FORMAT => {
            return Err(Error::Statement {
                fault: Fault::FeatureNotSupported,
                message: format!("the circumstances of a statement have format {newer}; this version reads {FORMAT}"),
                hint: Some("run the same version here as where the statement was planned".to_owned()),
            });
        }
        _ => return Err(damaged("the second word is no format")),
    }
    if sum_of(body) != sum {
        return Err(damaged("their SHA-256 is another one than they begin with"));
    }
    let written: Written = serde_json::from_slice(body)
        .map_err(|error| damaged(&format!("byte {} of the second line is not expected", error.column())))?;
    written.read()
}

impl Written {
    fn of(circumstances: &Circumstances) -> Self {
        let Circumstances { settings, modes, .. } = circumstances;
        Self {
            pid: circumstances.pid,
            user: circumstances.user.to_string(),
            role: circumstances.role.to_string(),
            database: circumstances.database.to_string(),
            path: circumstances.path.schemas().to_vec(),
            schemas: circumstances.schemas.clone(),
            settings: settings.all(),
            chosen: settings.chosen().cloned().collect(),
            isolation: modes.isolation.name().to_owned(),
            read_only: modes.read_only,
            deferrable: modes.deferrable,
            began_us: circumstances.began.timestamp_micros(),
            started_us: circumstances.started.timestamp_micros(),
            time_left: circumstances.time_left(),
            secrets: circumstances.secrets.to_vec(),
        }
    }

    fn read(self) -> Result<Circumstances> {
        let instant =
            |micros: i64| DateTime::from_timestamp_micros(micros).ok_or_else(|| damaged("an instant is none"));
        let isolation = Isolation::named(&self.isolation).ok_or_else(|| damaged("an isolation level is none"))?;
        let secrets = self.secrets;
        Ok(Circumstances {
            pid: self.pid,
            user: Arc::from(self.user),
            role: Arc::from(self.role),
            database: Cow::Owned(self.database),
            path: Arc::new(SearchPath::new(self.path)),
            schemas: self.schemas,
            settings: Shown::read(self.settings, self.chosen),
            modes: Modes { isolation, read_only: self.read_only, deferrable: self.deferrable },
            began: instant(self.began_us)?,
            started: instant(self.started_us)?,
            interrupt: Interrupt::within(self.time_left),
            secrets: later(move || secrets),
        })
    }
}

fn damaged(found: &str) -> Error {
    Error::Statement {
        fault: Fault::Corrupt,
        message: format!("the circumstances of a statement are damaged: {found}"),
        hint: Some("send them again".to_owned()),
    }
}

pub(super) fn sum_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
