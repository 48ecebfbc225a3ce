//! Ends statements where they compute without coming up for air.
//!
//! Dropping a statement's task stops it at its next pause. A join that tries millions of pairs of one batch makes none, so
//! its condition asks here: whether anybody still wants the answer, and whether others wait for this thread.

mod rules;
mod tasks;

use std::{
    cell::Cell,
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, FieldRef, Schema},
};
use datafusion::{
    common::{
        Result,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::ColumnarValue,
    physical_expr::PhysicalExpr,
    physical_plan::{
        ExecutionPlan,
        joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, utils::JoinFilter},
    },
};
use tokio::runtime::{Handle, RuntimeFlavor};

pub(crate) use rules::{asking_analyzers, asking_optimizers};
pub(super) use tasks::ask_in_tasks;
pub(crate) use tasks::check_wanted;

use super::timed_out;
use crate::{Error, Fault};

/// How long a condition computes before the other work of its thread moves to another one.
const PATIENCE: Duration = Duration::from_millis(20);

/// Whether one statement should go on: shared by whoever may stop it and whatever computes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    raised: Arc<AtomicBool>,
    deadline: Arc<Mutex<Option<Instant>>>,
}

impl Interrupt {
    /// Of a statement that starts now and may take so long.
    pub(crate) fn within(limit: Option<Duration>) -> Self {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { raised: Arc::default(), deadline: Arc::new(Mutex::new(deadline)) }
    }

    /// When the statement's time is up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the statement's time is left.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Gives it another time: what is read in portions has time for each of them, and none runs in between.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// An error where the statement is to end.
    pub(super) fn check(&self) -> crate::Result<()> {
        if self.is_raised() {
            return Err(Error::new(Fault::Cancelled, "canceling statement due to user request"));
        }
        match self.deadline() {
            Some(deadline) if Instant::now() >= deadline => Err(timed_out()),
            _ => Ok(()),
        }
    }

    /// The same plan, with joins that end when this is raised. For a plan that is about to run.
    pub(crate) fn guard(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| self.guard_join(node)).data()
    }

    fn guard_join(&self, node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
            && let Some(filter) = join.filter()
        {
            let guarded = NestedLoopJoinExecBuilder::from(join).with_filter(Some(self.guard_filter(filter))).build()?;
            return Ok(Transformed::yes(Arc::new(guarded)));
        }
        if let Some(join) = node.downcast_ref::<HashJoinExec>()
            && let Some(filter) = join.filter()
        {
            return Ok(Transformed::yes(join.builder().with_filter(Some(self.guard_filter(filter))).build_exec()?));
        }
        Ok(Transformed::no(node))
    }

    fn guard_filter(&self, filter: &JoinFilter) -> JoinFilter {
        let condition = Guarded { condition: Arc::clone(filter.expression()), interrupt: self.clone() };
        JoinFilter::new(Arc::new(condition), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    }
}

/// A join's condition that asks first whether to go on.
#[derive(Debug)]
struct Guarded {
    condition: Arc<dyn PhysicalExpr>,
    interrupt: Interrupt,
}

impl PhysicalExpr for Guarded {
    fn data_type(&self, input: &Schema) -> Result<DataType> {
        self.condition.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> Result<bool> {
        self.condition.nullable(input)
    }

    fn return_field(&self, input: &Schema) -> Result<FieldRef> {
        self.condition.return_field(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.interrupt.check()?;
        let_others_run();
        self.condition.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.pop().unwrap_or_else(|| Arc::clone(&self.condition));
        Ok(Arc::new(Self { condition, interrupt: self.interrupt.clone() }))
    }

    fn fmt_sql(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(formatter)
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(formatter)
    }
}

impl PartialEq for Guarded {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for Guarded {}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}

/// Steps from one question to the next.
const STEPS: u32 = 1_024;

thread_local! {
    static STEP: Cell<u32> = const { Cell::new(0) };
    /// Whether the last question had no for an answer.
    static STOPPED: Cell<bool> = const { Cell::new(false) };
    static HANDED_OVER: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A step of what computes for long without coming up for air, as reading a long text does. Every so many of them it is asked
/// whether the statement is to go on that this thread works for; where it is not, each step says so, as whoever makes them may
/// try something else first.
pub(crate) fn step() -> crate::Result<()> {
    let step = STEP.get().wrapping_add(1);
    STEP.set(step);
    if !STOPPED.get() && !step.is_multiple_of(STEPS) {
        return Ok(());
    }
    let wanted = check_wanted();
    STOPPED.set(wanted.is_err());
    wanted
}

/// Every few milliseconds of one computation, hands what else waits for this thread to another.
fn let_others_run() {
    let now = Instant::now();
    let waited = HANDED_OVER.get().is_none_or(|last| now.duration_since(last) >= PATIENCE);
    let Ok(runtime) = Handle::try_current() else { return };
    if waited && runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
        HANDED_OVER.set(Some(now));
        tokio::task::block_in_place(|| ());
    }
}
