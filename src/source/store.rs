//! Where objects lie: the kinds of stores that URLs name, and one object store for each bucket and secret.
//!
//! DataFusion finds object stores by scheme and host in a runtime that all sessions share. A store is therefore kept
//! under a scheme of its secret's own, which no SQL can name: two secrets for one bucket never meet.
//!
//! To add a kind: one line in [`STORES`]. The machine's own files are none of them: they have paths.

use std::{fmt, sync::Arc};

use datafusion::execution::{object_store::ObjectStoreUrl, runtime_env::RuntimeEnv};
use object_store::ObjectStore;

use super::{Error, Looks, Rejects, SecretDefinition, s3};

/// Every kind of store, in the order in which errors list them.
pub(super) const STORES: [&StoreKind; 1] = [&s3::STORE];

/// Reaches a bucket with a secret, which has a name, or as the environment says.
type Connect = fn(&str, Option<(&str, &SecretDefinition)>) -> Result<Arc<dyn ObjectStore>, Error>;

/// A kind of store.
#[derive(Debug)]
pub(super) struct StoreKind {
    /// The scheme of its URLs, in letters and digits alone: `s3` of `s3://bucket/key`.
    pub(super) scheme: &'static str,
    pub(super) connect: Connect,
}

impl PartialEq for StoreKind {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme
    }
}

impl Eq for StoreKind {}

/// The secrets that a session may use, and where their object stores are kept.
#[derive(Clone)]
pub struct Stores {
    runtime: Arc<RuntimeEnv>,
    secrets: Vec<(String, SecretDefinition)>,
    looks: Arc<Looks>,
    rejects: Arc<Rejects>,
}

impl fmt::Debug for Stores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.secrets.iter().map(|(name, _)| name).collect();
        formatter.debug_struct("Stores").field("secrets", &names).finish_non_exhaustive()
    }
}

impl Stores {
    /// The stores of a runtime, reached with these secrets (name and definition), or with the environment where no
    /// secret's scope fits.
    pub fn new(runtime: Arc<RuntimeEnv>, secrets: Vec<(String, SecretDefinition)>) -> Self {
        Self { runtime, secrets, looks: Arc::default(), rejects: Arc::default() }
    }

    /// The same, with what was found when files were looked at before.
    pub fn with_looks(self, looks: Arc<Looks>) -> Self {
        Self { looks, ..self }
    }

    /// The same, for a client who is told what scans leave out.
    pub fn with_rejects(self, rejects: Arc<Rejects>) -> Self {
        Self { rejects, ..self }
    }

    pub(super) fn rejects(&self) -> &Arc<Rejects> {
        &self.rejects
    }

    pub(super) fn looks(&self) -> &Looks {
        &self.looks
    }

    /// Where the query engine finds the stores.
    pub(super) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }

    /// The machine's own files.
    pub(super) fn local(&self) -> Result<(ObjectStoreUrl, Arc<dyn ObjectStore>), Error> {
        let url = ObjectStoreUrl::local_filesystem();
        let store = self.runtime.object_store(&url).map_err(|error| Error::engine("file://", error))?;
        Ok((url, store))
    }

    /// The bucket with the secret whose scope fits `url` best. `url` is as `s3://bucket/key`.
    pub(super) fn bucket(
        &self,
        kind: &StoreKind,
        bucket: &str,
        url: &str,
    ) -> Result<(ObjectStoreUrl, Arc<dyn ObjectStore>), Error> {
        let fitting = self.secrets.iter().filter(|(_, secret)| secret.covers(url));
        let secret = fitting.max_by_key(|(name, secret)| (secret.scope.trim_end_matches('/').len(), name));
        let own = secret.map_or_else(|| "env".to_owned(), |(_, secret)| secret.fingerprint());
        let key = ObjectStoreUrl::parse(format!("{}-{own}://{bucket}", kind.scheme)).map_err(|_| {
            Error::InvalidLocation { location: url.to_owned(), reason: format!("'{bucket}' is not a bucket's name") }
        })?;
        if let Ok(store) = self.runtime.object_store(&key) {
            return Ok((key, store));
        }
        let store = (kind.connect)(bucket, secret.map(|(name, secret)| (name.as_str(), secret)))?;
        self.runtime.register_object_store(key.as_ref(), Arc::clone(&store));
        Ok((key, store))
    }
}
