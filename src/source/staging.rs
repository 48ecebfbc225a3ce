//! The files that a `COPY` writes: beside the ones that are wanted at first, and in their places when all are whole.
//!
//! The query engine writes to object stores by their URLs. Each `COPY` has a store of its own, under a URL that no SQL can
//! name and for as long as it runs; what it is asked to put goes below one opened directory and nowhere else.

use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use datafusion::execution::{object_store::ObjectStoreUrl, runtime_env::RuntimeEnv};
use futures::{FutureExt, StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult, UploadPart,
    path::{Path as ObjectPath, PathPart},
};

use super::{Error, Stores, folder::Folder};

/// A `COPY` that is being written. Dropped before it is finished, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Writing {
    staging: Arc<Staging>,
    runtime: Arc<RuntimeEnv>,
    url: ObjectStoreUrl,
}

impl Writing {
    /// Lets the query engine write into a directory; with a name, one file of that name.
    pub(super) fn start(stores: &Stores, folder: Folder, file: Option<OsString>) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let url = format!("copy-{}://target", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = ObjectStoreUrl::parse(&url).map_err(|error| Error::engine(&url, error))?;
        let staging = Arc::new(Staging { folder, file, state: Mutex::default() });
        let runtime = Arc::clone(stores.runtime());
        let store: Arc<dyn ObjectStore> = Arc::new(Store(Arc::clone(&staging)));
        runtime.register_object_store(url.as_ref(), store);
        Ok(Self { staging, runtime, url })
    }

    /// Where the query engine writes, which has neither the directory's name nor the file's.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.url.as_str(), if self.is_single_file() { "file" } else { "" })
    }

    /// Whether one file is written and not several.
    pub(crate) fn is_single_file(&self) -> bool {
        self.staging.file.is_some()
    }

    /// Why a file could not be written, of which the query engine says only that something failed.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.staging.state().failure.clone()
    }

    /// Puts the files in their places.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for file in self.staging.close() {
            if file.is_whole && outcome.is_ok() {
                outcome = self.staging.place(&file);
            }
            if !file.is_whole || outcome.is_err() {
                self.staging.discard(&file);
            }
        }
        outcome
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _never_registered = self.runtime.deregister_object_store(self.url.as_ref());
        for file in self.staging.close() {
            self.staging.discard(&file);
        }
    }
}

/// The directory, and what was made in it.
#[derive(Debug)]
struct Staging {
    folder: Folder,
    /// The one file's name; none where the query engine names them.
    file: Option<OsString>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Staged>,
    /// Set at the end: a task that was left behind makes nothing more.
    is_closed: bool,
    failure: Option<Error>,
}

/// A file beside the one that is wanted.
#[derive(Debug, Clone)]
struct Staged {
    /// The directories between the folder and the file.
    directories: Vec<OsString>,
    name: OsString,
    temporary: String,
    is_whole: bool,
}

impl Staging {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was made, of which nobody else knows from now on.
    fn close(&self) -> Vec<Staged> {
        let mut state = self.state();
        state.is_closed = true;
        std::mem::take(&mut state.files)
    }

    /// Makes the file that will be the one at `location`, and gives its number.
    fn begin(&self, location: &ObjectPath) -> Result<(File, usize), Error> {
        let mut state = self.state();
        if state.is_closed {
            let path = self.folder.path().to_string_lossy();
            return Err(Error::unwritable(&path, io::Error::other("the statement has ended")));
        }
        let (directories, name) = match &self.file {
            Some(name) => (Vec::new(), name.clone()),
            None => {
                let part = |part: PathPart<'_>| -> OsString { AsRef::<str>::as_ref(&part).into() };
                let mut parts: Vec<_> = location.parts().map(part).collect();
                let name = parts.pop().unwrap_or_default();
                (parts, name)
            }
        };
        let (file, temporary) = self.within(&directories, |folder| folder.create_beside(&name))?;
        state.files.push(Staged { directories, name, temporary, is_whole: false });
        Ok((file, state.files.len() - 1))
    }

    fn end(&self, number: usize) {
        // Once closed there are none, and nothing is to be placed.
        if let Some(file) = self.state().files.get_mut(number) {
            file.is_whole = true;
        }
    }

    fn put(&self, location: &ObjectPath, payload: &PutPayload) -> Result<(), Error> {
        let (file, number) = self.begin(location)?;
        self.write(&file, payload, 0)?;
        self.end(number);
        Ok(())
    }

    fn write(&self, file: &File, payload: &PutPayload, mut offset: u64) -> Result<(), Error> {
        for chunk in payload {
            let written = file.write_all_at(chunk, offset);
            written.map_err(|error| Error::unwritable(&self.folder.path().to_string_lossy(), error))?;
            offset += chunk.len() as u64;
        }
        Ok(())
    }

    fn place(&self, file: &Staged) -> Result<(), Error> {
        self.within(&file.directories, |folder| folder.rename(&file.temporary, &file.name))
    }

    fn discard(&self, file: &Staged) {
        // Where the directory cannot be opened any more, there is nothing that could be done.
        let _gone = self.within(&file.directories, |folder| {
            folder.remove(&file.temporary);
            Ok(())
        });
    }

    /// Does something in a directory below.
    fn within<T>(&self, directories: &[OsString], work: impl FnOnce(&Folder) -> Result<T, Error>) -> Result<T, Error> {
        let mut below: Option<Folder> = None;
        for name in directories {
            below = Some(below.as_ref().unwrap_or(&self.folder).below(name)?);
        }
        work(below.as_ref().unwrap_or(&self.folder))
    }

    /// Keeps the first failure.
    fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.state().failure.get_or_insert_with(|| error.clone());
        }
        result
    }
}

/// The store that the query engine is given.
#[derive(Debug)]
struct Store(Arc<Staging>);

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the target of a COPY")
    }
}

/// Runs what waits for the disk where nobody else waits.
async fn blocking<T: Send + 'static>(
    staging: Arc<Staging>,
    work: impl FnOnce(&Staging) -> Result<T, Error> + Send + 'static,
) -> StoreResult<T> {
    let done = tokio::task::spawn_blocking(move || staging.noted(work(&staging))).await;
    done.map_err(failed)?.map_err(failed)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "COPY", source: Box::new(error) }
}

const PUT: PutResult = PutResult { e_tag: None, version: None };

#[async_trait]
impl ObjectStore for Store {
    async fn put_opts(&self, location: &ObjectPath, payload: PutPayload, _: PutOptions) -> StoreResult<PutResult> {
        let location = location.clone();
        blocking(Arc::clone(&self.0), move |staging| staging.put(&location, &payload)).await?;
        Ok(PUT)
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        _: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        let location = location.clone();
        let (file, number) = blocking(Arc::clone(&self.0), move |staging| staging.begin(&location)).await?;
        Ok(Box::new(Upload { staging: Arc::clone(&self.0), file: Arc::new(file), number, offset: 0 }))
    }

    async fn get_opts(&self, _: &ObjectPath, _: GetOptions) -> StoreResult<GetResult> {
        Err(writes_alone("get"))
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, StoreResult<ObjectPath>>,
    ) -> BoxStream<'static, StoreResult<ObjectPath>> {
        futures::stream::once(async { Err(writes_alone("delete")) }).boxed()
    }

    fn list(&self, _: Option<&ObjectPath>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        futures::stream::once(async { Err(writes_alone("list")) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&ObjectPath>) -> StoreResult<ListResult> {
        Err(writes_alone("list"))
    }

    async fn copy_opts(&self, _: &ObjectPath, _: &ObjectPath, _: CopyOptions) -> StoreResult<()> {
        Err(writes_alone("copy"))
    }
}

fn writes_alone(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "the target of a COPY".to_owned(),
    }
}

/// A file that comes in parts.
#[derive(Debug)]
struct Upload {
    staging: Arc<Staging>,
    file: Arc<File>,
    number: usize,
    offset: u64,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        self.offset += data.content_length() as u64;
        blocking(Arc::clone(&self.staging), move |staging| staging.write(&file, &data, offset)).boxed()
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        self.staging.end(self.number);
        Ok(PUT)
    }

    async fn abort(&mut self) -> StoreResult<()> {
        // What is not whole is removed at the end.
        Ok(())
    }
}
