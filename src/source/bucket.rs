//! An S3 bucket whose errors say which bucket, which key and what to do.
//!
//! Only translates errors; every operation is the store's own.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, aws::AmazonS3, path::Path,
};

use super::Error;

/// One bucket, reached with one key.
#[derive(Debug)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    place: Arc<Place>,
}

/// What an error message needs to know.
#[derive(Debug)]
struct Place {
    bucket: String,
    endpoint: String,
    secret: String,
}

impl Bucket {
    pub(super) fn new(store: AmazonS3, bucket: String, endpoint: String, secret: String) -> Self {
        Self { store: Arc::new(store), place: Arc::new(Place { bucket, endpoint, secret }) }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}", self.place.bucket)
    }
}

impl Place {
    /// Puts the typed error beneath the store's, keeping the variant: callers tell a missing object by it.
    fn translate(&self, error: object_store::Error) -> object_store::Error {
        use object_store::Error as Store;
        let text = full_text(&error);
        let bucket = self.bucket.clone();
        let reason = server_words(&text);
        if text.contains("NoSuchBucket") {
            let endpoint = self.endpoint.clone();
            return generic(Error::NoSuchBucket { bucket, endpoint, source: Arc::new(error) });
        }
        let key_codes = ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "InvalidToken", "ExpiredToken"];
        let denied = matches!(error, Store::PermissionDenied { .. } | Store::Unauthenticated { .. })
            || text.contains("403 Forbidden")
            || text.contains("401 Unauthorized");
        if denied || key_codes.iter().any(|code| text.contains(code)) {
            let secret = self.secret.clone();
            return generic(Error::KeyRefused { secret, bucket, reason, source: Arc::new(error) });
        }
        let lost = ["error sending request", "Connect", "connect", "timed out", "dns error"];
        if matches!(error, Store::Generic { .. }) && lost.iter().any(|sign| text.contains(sign)) {
            let endpoint = self.endpoint.clone();
            return generic(Error::Unreachable { endpoint, bucket, reason, source: Arc::new(error) });
        }
        error
    }

    fn translate_stream<T: Send + 'static>(
        self: &Arc<Self>,
        stream: BoxStream<'static, Result<T>>,
    ) -> BoxStream<'static, Result<T>> {
        let place = Arc::clone(self);
        stream.map_err(move |error| place.translate(error)).boxed()
    }
}

fn generic(error: Error) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: Box::new(error) }
}

/// An error's text with those of its sources: the S3 code stands in the innermost one.
fn full_text(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&error.to_string());
        text.push('\n');
        next = error.source();
    }
    text
}

/// The server's code from its XML answer, or the innermost error's line.
fn server_words(text: &str) -> String {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    match code {
        Some((code, _)) => code.to_owned(),
        None => text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned(),
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await.map_err(|error| self.place.translate(error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await.map_err(|error| self.place.translate(error))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut result = self.store.get_opts(location, options).await.map_err(|error| self.place.translate(error))?;
        if let GetResultPayload::Stream(stream) = result.payload {
            result.payload = GetResultPayload::Stream(self.place.translate_stream(stream));
        }
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(location, ranges).await.map_err(|error| self.place.translate(error))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.place.translate_stream(self.store.delete_stream(locations))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.place.translate_stream(self.store.list(prefix))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await.map_err(|error| self.place.translate(error))
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await.map_err(|error| self.place.translate(error))
    }
}
