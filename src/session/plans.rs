//! Plans that are kept for statements that are the same: read once, planned once, run as often as they come.
//!
//! One store an engine. A plan is kept for a statement, the types of its parameters, the role, the search path and the
//! engine's options; it is used while the objects that it was made of are those that the statement sees. It holds nothing of
//! the statement that it was made for: no scope, and functions that know one are given those of each statement anew (see
//! `statement/reuse.rs`). What is used least goes when all of it is larger than it may be.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, SchemaRef},
};
use datafusion::logical_expr::LogicalPlan;

use super::{
    Action, Analysis, Outcome, Reads, Scope, Sealed,
    client::{beginning, lock},
    masked::masked_beginning,
    search_path::SearchPath,
    shapes::Shape,
    storage::PointRead,
    turns::Turns,
};
use crate::{
    Fault, Result,
    catalog::ObjectKey,
    pgtype::{ColumnType, Styles},
};

/// No statement takes more than this part of the store.
const PARTS: usize = 8;

/// About what a statement takes of memory for each byte of its text, as a tree.
const BYTES_OF_LETTER: usize = 16;

/// The same of an entry without its contents, of an object that was looked for, and of a parameter.
const BYTES_OF_ENTRY: usize = 512;

/// Rows that are kept with their plan take no more than this.
const MAX_BYTES_OF_ROWS: usize = 16 << 10;

/// Which statement a plan is for, and for whom.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlanKey {
    /// What tells the statement from every other one: see [`Action::identity`].
    statement: u64,
    /// The types of its parameters, as far as they were told.
    types: Vec<Option<DataType>>,
    /// Those that Arrow's do not tell.
    declared: Arc<[Option<ColumnType>]>,
    /// What its texts were read by, where that is no option of now.
    written_in: Option<(Arc<str>, Styles)>,
    role: Arc<str>,
    path: Arc<SearchPath>,
    /// What is chosen of the engine's options.
    options: Arc<str>,
}

/// A statement that was read.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) action: Arc<dyn Action>,
    pub(crate) text: Arc<str>,
    /// The whole text that it is alone in.
    pub(crate) source: Arc<str>,
}

/// What is known of a statement, and its plan.
#[derive(Debug)]
pub(crate) struct Kept {
    /// What others are shown of it, which has no secrets.
    text: Arc<str>,
    parameters: Vec<DataType>,
    columns: Option<SchemaRef>,
    plan: Option<Sealed<LogicalPlan>>,
    reads: Arc<Reads>,
    bytes: usize,
    hits: AtomicU64,
    /// What clients are told of its columns; none: that it has none.
    told: OnceLock<Option<SchemaRef>>,
    /// Set once its types were found to fit.
    checked: OnceLock<()>,
    /// The plan as it was optimized; none: it is to be each time.
    optimized: OnceLock<Option<Sealed<LogicalPlan>>>,
    /// The rows that the optimized plan looks up, where it does nothing else.
    point: OnceLock<Option<PointRead>>,
    /// Its rows, where they are the same each time and few.
    rows: OnceLock<RecordBatch>,
}

/// What others see of a kept plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shown {
    pub(crate) text: String,
    /// None where it was left open.
    pub(crate) types: Vec<Option<DataType>>,
    pub(crate) role: String,
    pub(crate) bytes: u64,
    pub(crate) hits: u64,
    /// The names of tables, views and models.
    pub(crate) reads: Vec<String>,
}

/// The statements and plans of an engine that are kept.
#[derive(Debug)]
pub(crate) struct Plans {
    /// Bytes that they take together; 0: nothing is kept.
    limit: usize,
    slots: Mutex<Turns<Key, Value>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// The whole text of a statement.
    Text(Arc<str>),
    /// The text without the values in it.
    Shape(Arc<str>),
    Plan(Arc<PlanKey>),
}

#[derive(Debug, Clone)]
enum Value {
    Statement(Known),
    Shape(Arc<Shape>),
    Plan(Arc<Kept>),
}

/// About how many bytes a statement takes that was read.
fn bytes_of_text(source: &str) -> usize {
    BYTES_OF_ENTRY.saturating_add(source.len().saturating_mul(BYTES_OF_LETTER))
}

impl Plans {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, slots: Mutex::default() }
    }

    /// The statement that a text is.
    pub(crate) fn statement(&self, source: &str) -> Option<Known> {
        if bytes_of_text(source) > self.limit / PARTS {
            return None;
        }
        match lock(&self.slots).get(&Key::Text(Arc::from(source)))? {
            Value::Statement(known) => Some(known),
            Value::Shape(_) | Value::Plan(_) => None,
        }
    }

    /// Keeps the statement that a text is, where its plans may be kept.
    pub(crate) fn keep_statement(&self, known: Known) {
        if known.action.identity().is_some() {
            let bytes = bytes_of_text(&known.source);
            self.keep(Key::Text(Arc::clone(&known.source)), Value::Statement(known), bytes);
        }
    }

    /// The statement that a text is but for its values, which are left out of `blank`.
    pub(crate) fn shape(&self, blank: &str) -> Option<Arc<Shape>> {
        match lock(&self.slots).get(&Key::Shape(Arc::from(blank)))? {
            Value::Shape(shape) => Some(shape),
            Value::Statement(_) | Value::Plan(_) => None,
        }
    }

    /// Keeps the statement that texts are but for their values.
    pub(crate) fn keep_shape(&self, blank: &str, shape: Shape) {
        self.keep(Key::Shape(Arc::from(blank)), Value::Shape(Arc::new(shape)), bytes_of_text(blank));
    }

    fn plan(&self, key: &Arc<PlanKey>) -> Option<Arc<Kept>> {
        match lock(&self.slots).get(&Key::Plan(Arc::clone(key)))? {
            Value::Plan(kept) => Some(kept),
            Value::Statement(_) | Value::Shape(_) => None,
        }
    }

    fn keep(&self, key: Key, value: Value, bytes: usize) {
        if bytes <= self.limit / PARTS {
            lock(&self.slots).put(key, value, bytes, self.limit);
        }
    }

    /// What plans there are, by their texts.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let slots = lock(&self.slots);
        let plans = slots.iter().filter_map(|(key, value)| match (key, value) {
            (Key::Plan(key), Value::Plan(kept)) => Some(kept.shown(key)),
            _ => None,
        });
        let mut plans: Vec<Shown> = plans.collect();
        drop(slots);
        plans.sort_unstable();
        plans
    }
}

impl Kept {
    /// What is known of a statement; `bytes` is what its plan takes.
    fn new(scope: &Scope, analysis: &Analysis, bytes: usize) -> Self {
        let (text, reads) = (masked_beginning(scope.text()), Arc::clone(&analysis.reads));
        let beside = text.len() + BYTES_OF_ENTRY * (1 + reads.count() + analysis.parameters.len());
        Self {
            text,
            parameters: analysis.parameters.clone(),
            columns: analysis.columns.clone(),
            plan: analysis.plan.clone(),
            reads,
            // The plan as it was optimized is about as large.
            bytes: bytes.saturating_mul(2).saturating_add(beside),
            hits: AtomicU64::new(0),
            told: OnceLock::new(),
            checked: OnceLock::new(),
            optimized: OnceLock::new(),
            point: OnceLock::new(),
            rows: OnceLock::new(),
        }
    }

    /// The types of its parameters.
    pub(crate) fn parameters(&self) -> &[DataType] {
        &self.parameters
    }

    /// What clients are told of its columns; found once.
    pub(crate) fn told(&self, find: impl FnOnce() -> Option<SchemaRef>) -> Option<SchemaRef> {
        self.told.get_or_init(find).clone()
    }

    /// Checks its plan, unless it was found to be right before.
    pub(crate) fn check(&self, check: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.checked.get().is_none() {
            check()?;
            // Whoever was first has found the same.
            let _ = self.checked.set(());
        }
        Ok(())
    }

    /// The plan as it is optimized, unless it is to be each time, as one that cannot be; found once.
    pub(crate) fn optimized(
        &self,
        find: impl FnOnce(&LogicalPlan) -> Result<Option<LogicalPlan>>,
    ) -> Option<&Sealed<LogicalPlan>> {
        let plan: &LogicalPlan = self.plan.as_ref()?;
        if self.optimized.get().is_none() {
            match find(plan) {
                // The statement was stopped, which says nothing of its plan.
                Err(error) if error.fault() == Fault::Cancelled => return None,
                // Who comes meanwhile does not wait for it; whoever is first has the same.
                found => drop(self.optimized.set(found.ok().flatten().map(Sealed::new))),
            }
        }
        self.optimized.get()?.as_ref()
    }

    /// What it looks up by a key, where it was optimized and does nothing else.
    pub(crate) fn point(&self) -> Option<&PointRead> {
        let plan: &LogicalPlan = self.optimized.get()?.as_ref()?;
        self.point.get_or_init(|| PointRead::of(plan)).as_ref()
    }

    /// Its rows are the same each time. They take no more than the plan does.
    pub(crate) fn keep_rows(&self, rows: &RecordBatch) {
        if rows.get_array_memory_size() <= MAX_BYTES_OF_ROWS.min(self.bytes) {
            // Whoever was first has the same.
            let _ = self.rows.set(rows.clone());
        }
    }

    /// What it returns, where its rows are kept.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let rows = self.rows.get()?;
        Outcome::batches(rows.schema(), vec![rows.clone()]).ok()
    }

    fn analysis(self: Arc<Self>) -> Analysis {
        self.hits.fetch_add(1, Ordering::Relaxed);
        Analysis {
            parameters: self.parameters.clone(),
            columns: self.columns.clone(),
            plan: self.plan.clone(),
            reads: Arc::clone(&self.reads),
            kept: Some(self),
        }
    }

    fn shown(&self, key: &PlanKey) -> Shown {
        let names = self.reads.objects().filter_map(|key| match key {
            ObjectKey::Relation(name) | ObjectKey::Model(name) => Some(format!("{}.{}", name.schema, name.name)),
            ObjectKey::Schema(_) | ObjectKey::Secret(_) => None,
        });
        Shown {
            text: beginning(&self.text).to_owned(),
            types: key.types.clone(),
            role: key.role.to_string(),
            bytes: self.bytes as u64,
            hits: self.hits.load(Ordering::Relaxed),
            reads: names.collect(),
        }
    }
}

impl Scope {
    /// The key of a statement's plan; none where none is kept.
    pub(super) fn plan_key(&self, action: &dyn Action, types: &[Option<DataType>]) -> Option<Arc<PlanKey>> {
        if self.shared.plans.limit == 0 {
            return None;
        }
        Some(Arc::new(PlanKey {
            statement: action.identity()?,
            types: types.to_vec(),
            declared: Arc::clone(&self.declared),
            written_in: self.written_in.clone(),
            role: Arc::clone(self.role()),
            path: Arc::clone(self.search_path()),
            options: Arc::clone(self.settings.choice()),
        }))
    }

    /// The plan of this key, if it is made of the objects that this scope sees.
    fn current_plan(&self, key: &Arc<PlanKey>) -> Option<Arc<Kept>> {
        let kept = self.shared.plans.plan(key)?;
        kept.reads.are_in(&self.snapshot).then_some(kept)
    }

    /// What is known of a statement by the plan of this key.
    pub(super) fn known(&self, key: &Arc<PlanKey>) -> Option<Analysis> {
        Some(self.current_plan(key)?.analysis())
    }

    /// What is known of a statement, for values of these types. It counts as a use where `answers` makes something of it.
    pub(crate) fn answered<T>(
        &self,
        action: &dyn Action,
        types: &[Option<DataType>],
        answers: impl FnOnce(&Kept) -> Option<T>,
    ) -> Option<T> {
        let kept = self.current_plan(&self.plan_key(action, types)?)?;
        let answer = answers(&kept)?;
        kept.hits.fetch_add(1, Ordering::Relaxed);
        Some(answer)
    }

    /// Keeps what is known of a statement, whose plan takes so many bytes.
    pub(super) fn keep_plan(&self, key: Arc<PlanKey>, analysis: &Analysis, bytes: usize) -> Arc<Kept> {
        let kept = Arc::new(Kept::new(self, analysis, bytes));
        self.shared.plans.keep(Key::Plan(key), Value::Plan(Arc::clone(&kept)), kept.bytes);
        kept
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::session::Running;

    #[derive(Debug)]
    struct Nothing(Option<u64>);

    #[async_trait]
    impl Action for Nothing {
        async fn run(&self, _running: Running<'_>) -> Result<Outcome> {
            Ok(Outcome::Empty)
        }

        fn identity(&self) -> Option<u64> {
            self.0
        }
    }

    fn keep(plans: &Plans, source: &str, identity: Option<u64>) {
        let text: Arc<str> = Arc::from(source);
        plans.keep_statement(Known { action: Arc::new(Nothing(identity)), text: Arc::clone(&text), source: text });
    }

    fn has(plans: &Plans, source: &str) -> bool {
        plans.statement(source).is_some()
    }

    #[test]
    fn what_was_not_used_goes_first_when_there_is_too_much() {
        let plans = Plans::new(PARTS * bytes_of_text("s000"));
        (0..PARTS).for_each(|number| keep(&plans, &format!("s{number:03}"), Some(1)));
        assert!(has(&plans, "s000"));
        keep(&plans, "new1", Some(2));
        assert!(has(&plans, "new1") && has(&plans, "s000") && !has(&plans, "s001") && has(&plans, "s002"));
        keep(&plans, "s000", Some(3));
        assert_eq!(lock(&plans.slots).taken(), (plans.limit, PARTS));
        for number in 0..10 * PARTS {
            keep(&plans, &format!("t{number:03}"), Some(4));
        }
        assert_eq!(lock(&plans.slots).taken(), (plans.limit, PARTS));
        assert!(!has(&plans, "s002"), "it was used once, long ago");
    }

    #[test]
    fn what_is_too_large_or_may_not_be_kept_is_not() {
        let plans = Plans::new(PARTS * bytes_of_text("s000"));
        keep(&plans, "s0000", Some(1));
        keep(&plans, "s000", None);
        assert!(!has(&plans, "s0000") && !has(&plans, "s000"));
        assert_eq!(lock(&plans.slots).taken(), (0, 0));
        let none = Plans::new(0);
        keep(&none, "", Some(1));
        assert!(!has(&none, ""));
    }
}
