//! What one statement knows of its session and its transaction, as facts that can be written down: who asks, when, where names
//! are looked for, what is set, how buckets are reached.
//!
//! Functions that know a statement, as `current_user`, `now()` and `current_setting('app.tenant')` do, are made of it alone.
//! Whoever computes a part of a statement on another machine is sent it beside the plan, and there they yield the same.
//! What a statement does to its session, it cannot do from there: `set_config`, `pg_sleep` and `pg_cancel_backend` need the
//! session itself.

mod written;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use datafusion::{config::ConfigOptions, execution::runtime_env::RuntimeEnv, logical_expr::ScalarUDF};

use super::{
    Modes, functions,
    search_path::SearchPath,
    settings::{Later, Shown},
};
use crate::{
    Result,
    catalog::{QualifiedName, Secret, Snapshot, is_of_system},
    interrupt::Interrupt,
    source::{SecretDefinition, SecretType, Stores},
};

/// The circumstances of one statement. `Debug` and `Display` show nothing that is set and no secret.
pub struct Circumstances {
    /// The number of the session.
    pub(super) pid: i32,
    /// Who has connected.
    pub(super) user: Arc<str>,
    /// With whose rights the statement runs.
    pub(super) role: Arc<str>,
    pub(super) database: Cow<'static, str>,
    /// Where names without a schema are looked for.
    pub(super) path: Arc<SearchPath>,
    /// The schemas on the path that there are, each once.
    pub(super) schemas: Vec<String>,
    pub(super) settings: Shown,
    /// How the transaction is run.
    pub(super) modes: Modes,
    /// When the transaction began: `now()`.
    pub(super) began: DateTime<Utc>,
    /// When the statement did.
    pub(super) started: DateTime<Utc>,
    /// What ends the statement. Its time travels; that somebody cancels it has to be told.
    pub(super) interrupt: Interrupt,
    /// How it reaches buckets.
    pub(super) secrets: Later<Vec<(QualifiedName, Secret)>>,
}

impl Circumstances {
    /// As bytes for another machine.
    ///
    /// They hold the secrets by which buckets are opened, and what the session has set, in the clear, as a worker has to open
    /// the same buckets. Send them over encrypted connections to workers that are trusted like the engine itself; store and
    /// log them nowhere.
    ///
    /// # Errors
    /// A fault of this program alone.
    pub fn encode(&self) -> Result<Vec<u8>> {
        written::encode(self)
    }

    /// From such bytes. The rest of the statement's time begins now.
    ///
    /// # Errors
    /// Bytes that are damaged, or that a newer version has written.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        written::decode(bytes)
    }

    /// The functions that know the session or the statement, to be registered before a plan is read that calls them.
    pub fn functions(&self) -> Vec<ScalarUDF> {
        functions::elsewhere(self)
    }

    /// Sets what the session has chosen of the query engine's options, its time zone among them. The others stay as they are
    /// on this machine.
    ///
    /// # Errors
    /// Options that the query engine does not have here.
    pub fn choose(&self, options: &mut ConfigOptions) -> Result<()> {
        self.settings.choose(options)
    }

    /// The stores of a runtime, reached as the statement reaches them.
    pub fn stores(&self, runtime: Arc<RuntimeEnv>) -> Stores {
        let secrets = self.secrets.iter().filter_map(|(name, secret)| {
            let options: Vec<(String, String)> =
                secret.options.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
            let kind = SecretType::named(&secret.provider)?;
            let definition = SecretDefinition::read(&name.name, kind, &options).ok()?;
            Some((name.to_string(), definition))
        });
        Stores::new(runtime, secrets.collect())
    }

    /// How long the statement may still take; none: as long as it likes.
    pub fn time_left(&self) -> Option<Duration> {
        self.interrupt.time_left()
    }

    /// The value of a setting.
    pub(super) fn setting(&self, name: &str) -> Result<String> {
        self.settings.show_in(self.modes, name)
    }
}

/// The schemas on a path that there are in a snapshot.
pub(super) fn schemas_on(path: &SearchPath, snapshot: &Snapshot) -> Vec<String> {
    let mut schemas: Vec<String> = Vec::new();
    for schema in path.schemas() {
        if !schemas.contains(schema) && has_schema(snapshot, schema) {
            schemas.push(schema.clone());
        }
    }
    schemas
}

/// Whether there is a schema, of a user or of the engine.
pub(super) fn has_schema(snapshot: &Snapshot, name: &str) -> bool {
    is_of_system(name) || snapshot.has_schema(name)
}

/// How a snapshot says that buckets are reached.
pub(super) fn secrets_of(snapshot: &Snapshot) -> Vec<(QualifiedName, Secret)> {
    snapshot.secrets().filter_map(|(name, object)| Some((name.clone(), object.as_secret()?.clone()))).collect()
}

impl fmt::Debug for Circumstances {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Circumstances")
            .field("user", &self.user)
            .field("role", &self.role)
            .field("path", &self.path)
            .field("began", &self.began)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Circumstances {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a statement of {} in session {}", self.user, self.pid)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
