//! What all sessions share: the configuration, the catalog, the memory and the threads.
//!
//! Queries and training run on a runtime of their own, so that no computation ever delays the network.

use std::{
    any::Any,
    future::{Future, poll_fn},
    num::NonZeroUsize,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use datafusion::execution::{
    memory_pool::{FairSpillPool, MemoryPool, TrackConsumersPool},
    runtime_env::{RuntimeEnv, RuntimeEnvBuilder},
};
use datafusion::sql::parser::Statement as SqlStatement;
use fusewire_udfs::Registry;
use futures::{
    FutureExt,
    future::{AbortHandle, Aborted, abortable},
};
use object_store::{local::LocalFileSystem, path::Path};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

use super::{
    Scope, Sessions, Ticket,
    compaction::{Compactions, Compactor},
    interrupt::ask_in_tasks,
    plans::Plans,
    storage::Lookups,
    timed_out,
    verification::Verifier,
};
use crate::{
    Config, Error, Fault, Result,
    catalog::{Catalog, Scratch},
    config::THREAD_STACK_BYTES,
    interrupt::Interrupt,
    source::{Looks, Sources},
};

/// What a longer text says is read and planned on a thread of its own, for seconds maybe, in which others have the threads
/// that compute.
const LONG_TEXT_BYTES: usize = 64 << 10;

/// Reads the query of a view that was created with these names of its columns; parentheses within one another may be so many.
pub(crate) type ParseView = fn(&str, &[String], usize) -> Result<SqlStatement>;

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// How a view's text is read.
    pub(crate) parse_view: ParseView,
    pub(crate) catalog: Arc<Catalog>,
    /// What is being put together of its tables.
    pub(crate) compactions: Arc<Compactions>,
    _compactor: Compactor,
    _verifier: Verifier,
    /// Model files.
    pub(crate) registry: Arc<Registry>,
    /// Memory, disk and object stores of queries.
    pub(crate) runtime: Arc<RuntimeEnv>,
    /// Where rows of external tables come from.
    pub(crate) sources: Sources,
    /// What was found when files were looked at.
    pub(crate) looks: Arc<Looks>,
    /// The plans that are kept.
    pub(crate) plans: Plans,
    /// What is kept of tables for lookups by key.
    pub(crate) lookups: Arc<Lookups>,
    /// Who is connected.
    pub(crate) sessions: Arc<Sessions>,
    compute: ComputeRuntime,
    /// What queries have spilled goes with it.
    _scratch: Option<Scratch>,
}

impl Shared {
    /// Locks the data directory, reads what was committed and starts the threads.
    pub(crate) fn open(config: Config, sources: Sources, parse_view: ParseView) -> Result<Self> {
        let catalog = Arc::new(Catalog::with_checkpoints(config.data_dir.as_deref(), config.checkpoint_bytes)?);
        let compactions = Arc::default();
        let compactor = Compactor::start(&catalog, &compactions)?;
        let verifier = Verifier::start(&catalog)?;
        let registry = Arc::new(registry(&catalog, &config)?);
        // Where nothing can be kept, nothing is spilled; who never spills does not mind.
        let scratch = Scratch::create().ok();
        let runtime = runtime_env(&config, scratch.as_ref())?;
        let compute = ComputeRuntime::new(config.threads)?;
        ask_in_tasks();
        let (looks, sessions) = (Arc::default(), Arc::default());
        let plans = Plans::new(config.plan_cache_size);
        let pool = Arc::clone(&runtime.memory_pool);
        let lookups = Arc::new(Lookups::new(config.lookup_cache_size, config.memory_limit_bytes, pool));
        Ok(Self {
            config,
            parse_view,
            catalog,
            compactions,
            _compactor: compactor,
            _verifier: verifier,
            registry,
            runtime,
            sources,
            looks,
            plans,
            lookups,
            sessions,
            compute,
            _scratch: scratch,
        })
    }

    /// Runs `work`, which is a statement's, on the compute runtime. Stopping its ticket ends it, and so does dropping the
    /// returned future: it is cancelled and its interrupt raised, unless its commit has begun, which goes on alone. A panic
    /// becomes an internal error.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        scope: &Scope,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (ticket, interrupt) = (scope.ticket().clone(), scope.interrupt().clone());
        let (work, stopper) = abortable(interrupt.over(AssertUnwindSafe(work).catch_unwind()));
        let handle = match scope.text().len() > LONG_TEXT_BYTES {
            true => self.compute.start_apart(work),
            false => self.compute.handle().spawn(work),
        };
        tokio::select! {
            biased;
            result = AbortOnDrop { handle, stopper, ticket, interrupt }.join() => result,
            error = poll_fn(|context| scope.ticket().poll_stopped(context)) => Err(error),
        }
    }

    /// The same, for as long as the statement may take.
    pub(crate) async fn timed<T: Send + 'static>(
        &self,
        scope: &Scope,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let deadline = scope.interrupt().deadline();
        let mut done = pin!(self.compute(scope, work));
        match deadline {
            None => done.await,
            Some(deadline) => match tokio::time::timeout_at(deadline.into(), done.as_mut()).await {
                Ok(result) => result,
                Err(_) if scope.ticket().cancel() => Err(timed_out()),
                Err(_) => done.await,
            },
        }
    }

    /// The handle of the compute runtime, for streams that outlive their statement's planning.
    pub(crate) fn compute_handle(&self) -> Handle {
        self.compute.handle()
    }
}

/// Model files, beside the tables.
fn registry(catalog: &Catalog, config: &Config) -> Result<Registry> {
    let root = catalog.directory().root();
    let store = LocalFileSystem::new_with_prefix(root).map_err(|error| {
        Error::new(Fault::Io, format!("cannot read the data directory {}: {error}", root.display()))
    })?;
    let cache_bytes = config.max_model_bytes as u64;
    Ok(Registry::new(Arc::new(store), Path::from("models"), Some(root.to_owned()), cache_bytes))
}

fn runtime_env(config: &Config, scratch: Option<&Scratch>) -> Result<Arc<RuntimeEnv>> {
    let consumers = NonZeroUsize::MIN.saturating_add(4);
    let pool: Arc<dyn MemoryPool> =
        Arc::new(TrackConsumersPool::new(FairSpillPool::new(config.memory_limit_bytes), consumers));
    let builder = RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        // New files must be seen by the next statement; within one statement the listing is read once anyway.
        .with_object_list_cache_limit(0)
        .with_object_list_cache_ttl(Some(Duration::ZERO))
        .with_max_temp_directory_size(config.spill_limit_bytes);
    let builder = match scratch {
        Some(scratch) => builder.with_temp_file_path(scratch.path().join("spilled")),
        None => builder,
    };
    Ok(builder.build_arc()?)
}

/// The runtime that computes, shut down without waiting when the engine goes.
struct ComputeRuntime(Option<Runtime>);

impl ComputeRuntime {
    fn new(threads: usize) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("fusewire-compute")
            .thread_stack_size(THREAD_STACK_BYTES)
            .enable_all()
            .build()
            .map_err(|error| Error::new(Fault::Io, format!("cannot start the compute threads: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    fn handle(&self) -> Handle {
        match &self.0 {
            Some(runtime) => runtime.handle().clone(),
            None => Handle::current(),
        }
    }

    /// Starts work that takes long without a pause.
    fn start_apart<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let runtime = self.handle();
        let within = runtime.clone();
        runtime.spawn_blocking(move || within.block_on(work))
    }
}

impl Drop for ComputeRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

type Caught<T> = std::result::Result<Result<T>, Box<dyn Any + Send>>;

/// A task that ends with whoever waits for it, unless it commits.
struct AbortOnDrop<T> {
    handle: JoinHandle<Result<Caught<T>, Aborted>>,
    /// Ends it where it waits on a thread of its own.
    stopper: AbortHandle,
    ticket: Ticket,
    interrupt: Interrupt,
}

impl<T> AbortOnDrop<T> {
    async fn join(mut self) -> Result<T> {
        match (&mut self.handle).await {
            Ok(Ok(Ok(result))) => result,
            Ok(Ok(Err(panic))) => Err(Error::panicked(panic.as_ref())),
            Ok(Err(error)) => Err(Error::new(Fault::Shutdown, format!("the statement was stopped: {error}"))),
            Err(error) => Err(Error::new(Fault::Shutdown, format!("the statement was stopped: {error}"))),
        }
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        // A finished one may have left rows behind, which are still to be read.
        if !self.handle.is_finished() && self.ticket.cancel() {
            self.interrupt.raise();
            self.stopper.abort();
            self.handle.abort();
        }
    }
}
