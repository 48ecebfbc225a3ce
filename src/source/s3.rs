//! S3: what a secret of it says, and how its buckets are reached, with a secret or as the environment says.

use std::{sync::Arc, time::Duration};

use datafusion::common::DataFusionError;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
};

use super::{
    Error, SecretDefinition, SecretType,
    bucket::Bucket,
    secret::{SecretOption, SecretValues},
    store::StoreKind,
};

pub(super) const STORE: StoreKind = StoreKind { scheme: "s3", connect };

pub(super) const SECRET: SecretType = SecretType {
    name: "s3",
    prefix: "s3://",
    options: &[
        text("key_id", "the name of the access key; without one, requests are not signed"),
        text("secret", "the access key itself"),
        text("session_token", "what temporary keys need beside it"),
        text("region", "where the buckets are"),
        text("endpoint", "a server other than Amazon's, for example http://127.0.0.1:9000"),
        SecretOption {
            name: "url_style",
            purpose: "where a bucket's name stands in URLs: path (usual with an endpoint) or vhost",
            values: SecretValues::OneOf(&["path", "vhost"]),
        },
        boolean("use_ssl", "false: requests are not encrypted"),
        boolean("allow_http", "true: the same; an endpoint that starts with http:// implies it"),
    ],
    check,
};

const fn text(name: &'static str, purpose: &'static str) -> SecretOption {
    SecretOption { name, purpose, values: SecretValues::Text }
}

const fn boolean(name: &'static str, purpose: &'static str) -> SecretOption {
    SecretOption { name, purpose, values: SecretValues::Boolean }
}

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a server may take to answer a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a failed request is tried again, all attempts together.
const RETRY_TIMEOUT: Duration = Duration::from_secs(6);
/// How often a failed request is tried again.
const MAX_RETRIES: usize = 2;

fn check(secret: &SecretDefinition) -> Result<(), &'static str> {
    match (secret.get("key_id"), secret.get("secret")) {
        (Some(_), None) => Err("KEY_ID needs SECRET"),
        (None, Some(_)) => Err("SECRET needs KEY_ID"),
        _ => endpoint(secret).map(|_| ()),
    }
}

/// The endpoint as a URL, where one is given, and whether requests may go unencrypted.
fn endpoint(secret: &SecretDefinition) -> Result<(Option<String>, bool), &'static str> {
    let is_plain = secret.is("use_ssl") == Some(false) || secret.is("allow_http") == Some(true);
    let Some(endpoint) = secret.get("endpoint") else { return Ok((None, is_plain)) };
    if !endpoint.contains("://") {
        let scheme = if is_plain { "http" } else { "https" };
        return Ok((Some(format!("{scheme}://{endpoint}")), is_plain));
    }
    let is_http = endpoint.starts_with("http://");
    if !is_http && !endpoint.starts_with("https://") {
        return Err("ENDPOINT must start with http:// or https://");
    }
    Ok((Some(endpoint.to_owned()), is_plain || is_http))
}

/// A bucket, reached with a secret of this name.
fn connect(bucket: &str, secret: Option<(&str, &SecretDefinition)>) -> Result<Arc<dyn ObjectStore>, Error> {
    Ok(Arc::new(match secret {
        Some((name, secret)) => with_secret(bucket, name, secret)?,
        None => from_environment(bucket)?,
    }))
}

fn with_secret(bucket: &str, name: &str, secret: &SecretDefinition) -> Result<Bucket, Error> {
    let invalid = |reason: &str| Error::InvalidSecret { secret: name.to_owned(), reason: reason.to_owned() };
    let (endpoint, allow_http) = endpoint(secret).map_err(invalid)?;
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    let settings = [
        (AmazonS3ConfigKey::AccessKeyId, secret.get("key_id")),
        (AmazonS3ConfigKey::SecretAccessKey, secret.get("secret")),
        (AmazonS3ConfigKey::Token, secret.get("session_token")),
        (AmazonS3ConfigKey::Region, secret.get("region")),
        (AmazonS3ConfigKey::Endpoint, endpoint.as_deref()),
    ];
    for (key, value) in settings {
        if let Some(value) = value {
            builder = builder.with_config(key, value);
        }
    }
    if secret.get("key_id").is_none() {
        builder = builder.with_skip_signature(true);
    }
    let style = secret.get("url_style").map(|style| style.eq_ignore_ascii_case("vhost"));
    builder = builder.with_virtual_hosted_style_request(style.unwrap_or(endpoint.is_none()));
    finish(builder, allow_http, format!("secret {name}"), bucket)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<SecretDefinition, Error> {
        let options: Vec<_> = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SecretDefinition::read("s", &SECRET, &options)
    }

    #[test]
    fn secrets_are_checked_and_hidden() {
        let secret = read(&[("KEY_ID", "id"), ("SECRET", "hush"), ("SESSION_TOKEN", "quiet")]);
        let shown = format!("{secret:?}");
        assert!(secret.is_ok() && !shown.contains("hush") && !shown.contains("quiet"), "{shown}");
        let refused: [(&[(&str, &str)], &str); 7] = [
            (&[("KEY_ID", "id")], "secret s: KEY_ID needs SECRET"),
            (&[("SECRET", "x")], "secret s: SECRET needs KEY_ID"),
            (&[("SCOPE", "/tmp")], "option scope cannot be '/tmp', expected a prefix such as s3://bucket/path"),
            (&[("URL_STYLE", "host")], "option url_style cannot be 'host', expected path or vhost"),
            (&[("USE_SSL", "perhaps")], "option use_ssl cannot be 'perhaps', expected true or false"),
            (&[("ENDPOINT", "ftp://h")], "secret s: ENDPOINT must start with http:// or https://"),
            (
                &[("PASSWORD", "x")],
                "unknown option password for a secret, accepted are type, key_id, secret, session_token, region, \
                 endpoint, url_style, use_ssl, allow_http, scope",
            ),
        ];
        for (given, message) in refused {
            assert_eq!(read(given).map(|_| ()).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
    }

    #[test]
    fn endpoints_say_whether_requests_are_encrypted() {
        for (given, url, is_plain) in [
            (&[][..], None, false),
            (&[("USE_SSL", "off")][..], None, true),
            (&[("ENDPOINT", "h:9")][..], Some("https://h:9"), false),
            (&[("ENDPOINT", "h:9"), ("ALLOW_HTTP", "TRUE")][..], Some("http://h:9"), true),
            (&[("ENDPOINT", "h:9"), ("USE_SSL", "0")][..], Some("http://h:9"), true),
            (&[("ENDPOINT", "http://h:9")][..], Some("http://h:9"), true),
            (&[("ENDPOINT", "https://h:9"), ("USE_SSL", "1")][..], Some("https://h:9"), false),
        ] {
            let found = read(given).map(|secret| endpoint(&secret));
            assert_eq!(found.ok(), Some(Ok((url.map(str::to_owned), is_plain))), "{given:?}");
        }
    }

    #[test]
    fn a_secret_is_for_the_urls_below_its_scope() {
        for (scope, url, expected) in [
            ("s3://", "s3://shop/a.csv", true),
            ("s3://shop", "s3://shop/a.csv", true),
            ("s3://shop/", "s3://shop", true),
            ("s3://shop/a", "s3://shop/a.csv", false),
            ("s3://shop/a", "s3://shop/a/b.csv", true),
            ("s3://sho", "s3://shop/a.csv", false),
        ] {
            let found = read(&[("SCOPE", scope)]).map(|secret| secret.covers(url));
            assert_eq!(found.ok(), Some(expected), "{scope} {url}");
        }
    }
}
