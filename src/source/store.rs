//! How buckets are reached: secrets or the environment, one object store for each secret and bucket.
//!
//! DataFusion finds object stores by scheme and host in a runtime that all sessions share. A store is therefore kept
//! under a scheme of its secret's own, which no SQL can name: two secrets for one bucket never meet.

use std::{fmt, sync::Arc, time::Duration};

use datafusion::{
    common::DataFusionError, execution::object_store::ObjectStoreUrl, execution::runtime_env::RuntimeEnv,
};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, Looks, Rejects, bucket::Bucket};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a server may take to answer a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a failed request is tried again, all attempts together.
const RETRY_TIMEOUT: Duration = Duration::from_secs(6);
/// How often a failed request is tried again.
const MAX_RETRIES: usize = 2;

/// How to reach some buckets: what `CREATE SECRET` keeps. `Debug` never shows the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretDefinition {
    /// `KEY_ID`.
    pub key_id: Option<String>,
    /// `SECRET`.
    pub secret: Option<String>,
    /// `SESSION_TOKEN`, for temporary keys.
    pub session_token: Option<String>,
    /// `REGION`.
    pub region: Option<String>,
    /// `ENDPOINT`, for servers other than Amazon's, for example `http://127.0.0.1:9000`.
    pub endpoint: Option<String>,
    /// `URL_STYLE 'path'` (the default with an endpoint) or `'vhost'`.
    pub virtual_hosted_style: Option<bool>,
    /// `USE_SSL false` or `ALLOW_HTTP true`; an endpoint that starts with `http://` implies it.
    pub allow_http: bool,
    /// `SCOPE`: the prefix for which the secret is used, `s3://` for every bucket.
    pub scope: String,
}

/// The names and keys of the options of `CREATE SECRET … (TYPE s3, …)`.
pub const SECRET_OPTIONS: [&str; 10] =
    ["type", "key_id", "secret", "session_token", "region", "endpoint", "url_style", "use_ssl", "allow_http", "scope"];

/// The secrets that a session may use, and where their object stores are kept.
#[derive(Clone)]
pub struct Stores {
    runtime: Arc<RuntimeEnv>,
    secrets: Vec<(String, SecretDefinition)>,
    looks: Arc<Looks>,
    rejects: Arc<Rejects>,
}

impl SecretDefinition {
    /// From the options of `CREATE SECRET`; names in any case.
    pub fn from_options(name: &str, options: &[(String, String)]) -> Result<Self, Error> {
        let mut definition = Self {
            key_id: None,
            secret: None,
            session_token: None,
            region: None,
            endpoint: None,
            virtual_hosted_style: None,
            allow_http: false,
            scope: "s3://".to_owned(),
        };
        for (option, value) in options {
            definition.set(&option.to_ascii_lowercase(), value)?;
        }
        definition.checked(name)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), Error> {
        let invalid = |expected: &str| Error::InvalidOption {
            option: option.to_owned(),
            value: value.to_owned(),
            expected: expected.to_owned(),
        };
        let boolean = || match value.to_ascii_lowercase().as_str() {
            "true" | "on" | "1" => Ok(true),
            "false" | "off" | "0" => Ok(false),
            _ => Err(invalid("true or false")),
        };
        match option {
            "type" if value.eq_ignore_ascii_case("s3") => {}
            "type" => return Err(invalid("s3")),
            "key_id" => self.key_id = Some(value.to_owned()),
            "secret" => self.secret = Some(value.to_owned()),
            "session_token" => self.session_token = Some(value.to_owned()),
            "region" => self.region = Some(value.to_owned()),
            "endpoint" => self.endpoint = Some(value.to_owned()),
            "url_style" => {
                self.virtual_hosted_style = Some(match value.to_ascii_lowercase().as_str() {
                    "path" => false,
                    "vhost" => true,
                    _ => return Err(invalid("path or vhost")),
                });
            }
            "use_ssl" => self.allow_http |= !boolean()?,
            "allow_http" => self.allow_http |= boolean()?,
            "scope" if value.starts_with("s3://") => self.scope = value.to_owned(),
            "scope" => return Err(invalid("a prefix such as s3://bucket/path")),
            _ => {
                return Err(Error::UnknownOption {
                    format: "a secret".to_owned(),
                    option: option.to_owned(),
                    accepted: SECRET_OPTIONS.join(", "),
                });
            }
        }
        Ok(())
    }

    fn checked(mut self, name: &str) -> Result<Self, Error> {
        let invalid = |reason: &str| Error::InvalidSecret { secret: name.to_owned(), reason: reason.to_owned() };
        match (&self.key_id, &self.secret) {
            (Some(_), None) => return Err(invalid("KEY_ID needs SECRET")),
            (None, Some(_)) => return Err(invalid("SECRET needs KEY_ID")),
            _ => {}
        }
        if let Some(endpoint) = &self.endpoint {
            if !endpoint.contains("://") {
                let scheme = if self.allow_http { "http" } else { "https" };
                self.endpoint = Some(format!("{scheme}://{endpoint}"));
            } else if endpoint.starts_with("http://") {
                self.allow_http = true;
            } else if !endpoint.starts_with("https://") {
                return Err(invalid("ENDPOINT must start with http:// or https://"));
            }
        }
        Ok(self)
    }

    /// Whether the secret is for this URL: its scope is a prefix that ends at a `/`.
    fn covers(&self, url: &str) -> bool {
        let scope = self.scope.trim_end_matches('/');
        scope == "s3:" || url.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A name that differs whenever anything in the secret differs, and tells nothing about it.
    fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        let parts = [&self.key_id, &self.secret, &self.session_token, &self.region, &self.endpoint];
        for part in parts {
            let part = part.as_deref().unwrap_or("\u{0}");
            hasher.update(part.len().to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update([u8::from(self.allow_http), self.virtual_hosted_style.map_or(2, u8::from)]);
        hasher.update(self.scope.as_bytes());
        hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    fn build(&self, name: &str, bucket: &str) -> Result<Bucket, Error> {
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
        let settings = [
            (AmazonS3ConfigKey::AccessKeyId, &self.key_id),
            (AmazonS3ConfigKey::SecretAccessKey, &self.secret),
            (AmazonS3ConfigKey::Token, &self.session_token),
            (AmazonS3ConfigKey::Region, &self.region),
            (AmazonS3ConfigKey::Endpoint, &self.endpoint),
        ];
        for (key, value) in settings {
            if let Some(value) = value {
                builder = builder.with_config(key, value);
            }
        }
        if self.key_id.is_none() {
            builder = builder.with_skip_signature(true);
        }
        let virtual_hosted = self.virtual_hosted_style.unwrap_or(self.endpoint.is_none());
        builder = builder.with_virtual_hosted_style_request(virtual_hosted);
        finish(builder, self.allow_http, format!("secret {name}"), bucket)
    }
}

impl fmt::Debug for SecretDefinition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SecretDefinition")
            .field("key_id", &self.key_id)
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
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

    /// The bucket with the secret whose scope fits `url` best. `url` is `s3://bucket/key`.
    pub(super) fn bucket(&self, bucket: &str, url: &str) -> Result<(ObjectStoreUrl, Arc<dyn ObjectStore>), Error> {
        let fitting = self.secrets.iter().filter(|(_, secret)| secret.covers(url));
        let secret = fitting.max_by_key(|(name, secret)| (secret.scope.trim_end_matches('/').len(), name));
        let scheme = match secret {
            Some((_, secret)) => format!("s3-{}", secret.fingerprint()),
            None => "s3-env".to_owned(),
        };
        let key = ObjectStoreUrl::parse(format!("{scheme}://{bucket}")).map_err(|_| Error::InvalidLocation {
            location: url.to_owned(),
            reason: format!("'{bucket}' is not a bucket's name"),
        })?;
        if let Ok(store) = self.runtime.object_store(&key) {
            return Ok((key, store));
        }
        let store: Arc<dyn ObjectStore> = Arc::new(match secret {
            Some((name, secret)) => secret.build(name, bucket)?,
            None => from_environment(bucket)?,
        });
        self.runtime.register_object_store(key.as_ref(), Arc::clone(&store));
        Ok((key, store))
    }
}

/// A bucket reached with the usual `AWS_*` variables.
fn from_environment(bucket: &str) -> Result<Bucket, Error> {
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).unwrap_or_default();
    let allow_http = endpoint.starts_with("http://");
    finish(builder, allow_http, "the environment (AWS_ACCESS_KEY_ID)".to_owned(), bucket)
}

fn finish(builder: AmazonS3Builder, allow_http: bool, secret: String, bucket: &str) -> Result<Bucket, Error> {
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".to_owned());
    let endpoint = builder
        .get_config_value(&AmazonS3ConfigKey::Endpoint)
        .unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
    let retry = RetryConfig {
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
        backoff: BackoffConfig { max_backoff: Duration::from_secs(1), ..BackoffConfig::default() },
    };
    let client = ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT);
    let store = builder.with_region(region).with_retry(retry).with_client_options(client).build().map_err(|error| {
        Error::InvalidSecret { secret: secret.clone(), reason: DataFusionError::from(error).to_string() }
    })?;
    Ok(Bucket::new(store, bucket.to_owned(), endpoint, secret))
}
