//! Queries that look up a few rows of a managed table by a key, answered from memory.
//!
//! An optimized plan is one where it keeps columns of the rows of one table for which a column equals a value, or one of a few:
//! the [`Index`](super::index::Index) of that column tells which rows may, and the conditions are asked of the values of those
//! rows, as a scan asks them. They may be sorted, and counted off; nothing else is computed, so that nothing has to be planned:
//! whatever else a plan does makes it none, and it runs as ever. So does every plan whose parts are not in memory, until they
//! are: the first lookups in a column read as before, and the next makes its index.
//!
//! The files are those of the snapshot that the statement reads, and what is kept of them are their own values.

mod condition;
mod seen;

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions},
    compute::{SortColumn, SortOptions, and, filter, lexsort_to_indices, take},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
};
use datafusion::{
    catalog::TableProvider,
    common::{DFSchema, ScalarValue},
    datasource::source_as_provider,
    logical_expr::{
        Expr, FetchType, Limit, LogicalPlan, SkipType, Sort, SortExpr, TableScan, utils::split_conjunction,
    },
};

use self::{
    condition::{Condition, Values},
    seen::{Lack, Places, Seen},
};
use super::{
    StoredTable,
    cache::{Column, Wanted},
    form,
    index::is_indexed,
};
use crate::{
    catalog::{Definition, ManagedTable, TableFile},
    interrupt::Interrupt,
    pgtype,
};

/// Lookups in a column before its indexes are made.
const LOOKUPS_BEFORE: u32 = 2;

/// How often parts are read for one lookup: others may let go of them.
const MAX_LOADS: usize = 5;

/// The rows that an optimized plan looks up.
#[derive(Debug)]
pub(crate) struct PointRead {
    /// A [`StoredTable`].
    table: Arc<dyn TableProvider>,
    /// The columns that are read, by their places in the table.
    columns: Vec<usize>,
    /// All of them hold. One of them finds rows.
    conditions: Vec<Condition>,
    /// What the rows are sorted by: columns, by their places among those that are read.
    order: Vec<(usize, SortOptions)>,
    skip: usize,
    fetch: Option<usize>,
    /// What is returned of each row.
    output: Vec<Output>,
    schema: SchemaRef,
}

#[derive(Debug, Clone)]
enum Output {
    /// A column, by its place among those that are read.
    Column(usize),
    Value(ScalarValue),
}

impl PointRead {
    /// What an optimized plan looks up, where that is all that it does.
    pub(crate) fn of(plan: &LogicalPlan) -> Option<Self> {
        let read = Self::read_by(plan)?;
        read.conditions.iter().any(|condition| matches!(condition, Condition::Equals(..))).then_some(read)
    }

    fn read_by(plan: &LogicalPlan) -> Option<Self> {
        let mut read = match plan {
            LogicalPlan::TableScan(scan) => return Self::of_scan(scan, &[]),
            LogicalPlan::Filter(filter) => {
                let mut read = match filter.input.as_ref() {
                    LogicalPlan::TableScan(scan) => Self::of_scan(scan, &split_conjunction(&filter.predicate))?,
                    input => Self::read_by(input)?,
                };
                read.ask(&filter.predicate, filter.input.schema())?;
                read
            }
            LogicalPlan::SubqueryAlias(alias) => Self::read_by(&alias.input)?,
            LogicalPlan::Projection(projection) => {
                let mut read = Self::read_by(&projection.input)?;
                let kept = |expression| read.kept(expression, projection.input.schema());
                read.output = projection.expr.iter().map(kept).collect::<Option<_>>()?;
                read
            }
            LogicalPlan::Sort(sort) => Self::read_by(&sort.input)?.sorted(sort)?,
            LogicalPlan::Limit(limit) => Self::read_by(&limit.input)?.limited(limit)?,
            _ => return None,
        };
        read.schema = Arc::clone(plan.schema().inner());
        Some(read)
    }

    /// What a scan reads. Of its conditions, these are asked by a filter above it.
    fn of_scan(scan: &TableScan, above: &[&Expr]) -> Option<Self> {
        let table = source_as_provider(&scan.source).ok()?;
        let stored = table.downcast_ref::<StoredTable>()?;
        if scan.fetch.is_some() || !stored.lookups.is_on() {
            return None;
        }
        let all = || (0..stored.schema.fields().len()).collect();
        let columns: Vec<usize> = scan.projection.clone().unwrap_or_else(all);
        // What is stored as another type is read as ever.
        let is_stored = |column: &usize| {
            let field = stored.schema.fields().get(*column);
            field.is_some_and(|field| !form::is_converted(field.data_type()))
        };
        if !columns.iter().all(is_stored) {
            return None;
        }
        let mut read = Self {
            table: Arc::clone(&table),
            output: (0..columns.len()).map(Output::Column).collect(),
            columns,
            conditions: Vec::new(),
            order: Vec::new(),
            skip: 0,
            fetch: None,
            schema: Arc::clone(scan.projected_schema.inner()),
        };
        for condition in scan.filters.iter().flat_map(split_conjunction) {
            if !above.contains(&condition) {
                read.ask(condition, &scan.projected_schema)?;
            }
        }
        Some(read)
    }

    /// Leaves the rows for which a condition over the columns of this schema holds; nothing where they cannot be asked.
    fn ask(&mut self, condition: &Expr, schema: &DFSchema) -> Option<()> {
        if self.skip > 0 || self.fetch.is_some() {
            return None;
        }
        let place = |output: &Output| match output {
            Output::Column(place) => Some(*place),
            Output::Value(_) => None,
        };
        let places: Vec<Option<usize>> = self.output.iter().map(place).collect();
        for condition in split_conjunction(condition) {
            self.conditions.push(Condition::of(condition, schema, &places)?);
        }
        Some(())
    }

    /// Sorts the rows.
    fn sorted(mut self, sort: &Sort) -> Option<Self> {
        if self.skip > 0 || self.fetch.is_some() {
            return None;
        }
        let key = |key: &SortExpr| {
            let Output::Column(place) = self.kept(&key.expr, sort.input.schema())? else { return None };
            let options = SortOptions { descending: !key.asc, nulls_first: key.nulls_first };
            is_sorted(self.type_of(place)?).then_some((place, options))
        };
        self.order = sort.expr.iter().map(key).collect::<Option<_>>()?;
        self.fetch = sort.fetch;
        Some(self)
    }

    /// Counts rows off.
    fn limited(mut self, limit: &Limit) -> Option<Self> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
            (limit.get_skip_type().ok()?, limit.get_fetch_type().ok()?)
        else {
            return None;
        };
        let left = self.fetch.map(|before| before.saturating_sub(skip));
        self.skip = self.skip.saturating_add(skip);
        self.fetch = match (left, fetch) {
            (Some(left), Some(fetch)) => Some(left.min(fetch)),
            (left, fetch) => left.or(fetch),
        };
        Some(self)
    }

    /// What an expression over the columns of this schema keeps of a row.
    fn kept(&self, expression: &Expr, schema: &DFSchema) -> Option<Output> {
        match expression {
            Expr::Column(column) => self.output.get(schema.maybe_index_of_column(column)?).cloned(),
            Expr::Alias(alias) => self.kept(&alias.expr, schema),
            Expr::Literal(value, _) => Some(Output::Value(value.clone())),
            _ => None,
        }
    }

    /// The type of a column that is read.
    fn type_of(&self, place: usize) -> Option<&DataType> {
        let stored = self.table.downcast_ref::<StoredTable>()?;
        Some(stored.schema.fields().get(*self.columns.get(place)?)?.data_type())
    }

    /// The rows for these values of the parameters, where all that it takes is in memory.
    pub(crate) fn now(&self, values: &[ScalarValue]) -> Option<RecordBatch> {
        self.look(values).ok()
    }

    /// The same; what is not in memory is read, where it may be kept.
    pub(crate) async fn read(&self, values: &[ScalarValue], interrupt: &Interrupt) -> Option<RecordBatch> {
        for _ in 0..MAX_LOADS {
            match self.look(values) {
                Ok(rows) => return Some(rows),
                Err(Lack::Unfit) => return None,
                Err(Lack::Parts(parts)) => self.load(parts, interrupt).await?,
            }
        }
        None
    }

    fn look(&self, given: &[ScalarValue]) -> Result<RecordBatch, Lack> {
        let stored = self.table.downcast_ref::<StoredTable>().ok_or(Lack::Unfit)?;
        let object = stored.object.upgrade().ok_or(Lack::Unfit)?;
        let Definition::ManagedTable(table) = &object.definition else { return Err(Lack::Unfit) };
        let seen = Seen::new(&stored.lookups, table).ok_or(Lack::Unfit)?;
        if !self.conditions.iter().all(|condition| self.is_plain(condition, table)) {
            return Err(Lack::Unfit);
        }
        let values: Vec<Values> = self
            .conditions
            .iter()
            .map(|condition| condition.values(given))
            .collect::<Option<_>>()
            .ok_or(Lack::Unfit)?;
        let found = self.find(&seen, &values)?;
        if found.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let columns: Vec<Column> =
            self.columns.iter().map(|place| seen.column(*place)).collect::<Option<_>>().ok_or(Lack::Unfit)?;
        let columns = seen.values(&columns, &found)?;
        self.rows(columns, &values, found.len()).map_err(|_| Lack::Unfit)
    }

    /// Whether what a condition says to be equal is so where it is the same, and only there, whatever type a parameter has.
    fn is_plain(&self, condition: &Condition, table: &ManagedTable) -> bool {
        let Condition::Equals(place, _) = condition else { return true };
        let column = self.columns.get(*place).and_then(|place| table.columns.get(*place));
        let is_text = |oid: u32| [pgtype::TEXT, pgtype::VARCHAR].iter().any(|known| known.oid == oid);
        column.is_some_and(|column| is_text(column.type_oid) || self.type_of(*place) != Some(&DataType::Utf8View))
    }

    /// The rows that one of the conditions finds, and maybe a few others, in the order of the table.
    fn find(&self, seen: &Seen<'_>, values: &[Values]) -> Result<Places, Lack> {
        for (condition, values) in self.conditions.iter().zip(values) {
            let Condition::Equals(place, _) = condition else { continue };
            let column = seen.column(*self.columns.get(*place).ok_or(Lack::Unfit)?).ok_or(Lack::Unfit)?;
            if !is_indexed(&column.data_type) {
                continue;
            }
            match seen.rows_of(&column, values) {
                // A key that too many rows have.
                Ok(None) => {}
                Ok(Some(found)) => return Ok(found),
                // Of an index that cannot be, another may be in its place.
                Err(Lack::Unfit) => {}
                Err(lack) => return Err(lack),
            }
        }
        Err(Lack::Unfit)
    }

    /// Those of so many rows for which all conditions hold, as they are returned.
    fn rows(&self, mut columns: Vec<ArrayRef>, values: &[Values], count: usize) -> Result<RecordBatch, ArrowError> {
        let mut holds = BooleanArray::from(vec![true; count]);
        for (condition, values) in self.conditions.iter().zip(values) {
            holds = and(&holds, &condition.holds(&columns, values)?)?;
        }
        let left = holds.true_count();
        if left < count {
            columns = columns.iter().map(|column| filter(column, &holds)).collect::<Result<_, _>>()?;
        }
        if left > 1 && !self.order.is_empty() {
            let places = lexsort_to_indices(&self.sort_columns(&columns)?, None)?;
            columns = columns.iter().map(|column| take(column, &places, None)).collect::<Result<_, _>>()?;
        }
        let skip = self.skip.min(left);
        let fetch = self.fetch.unwrap_or(usize::MAX).min(left - skip);
        let returned = |output: &Output| -> Result<ArrayRef, ArrowError> {
            match output {
                Output::Value(value) => Ok(value.to_array_of_size(fetch)?),
                Output::Column(place) => Ok(columns.get(*place).ok_or_else(missing)?.slice(skip, fetch)),
            }
        };
        let output = self.output.iter().map(returned).collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(fetch));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), output, &options)
    }

    fn sort_columns(&self, columns: &[ArrayRef]) -> Result<Vec<SortColumn>, ArrowError> {
        let key = |(place, options): &(usize, SortOptions)| {
            let values = Arc::clone(columns.get(*place).ok_or_else(missing)?);
            Ok(SortColumn { values, options: Some(*options) })
        };
        self.order.iter().map(key).collect()
    }

    /// Reads what a lookup lacks, where it is worth it.
    async fn load(&self, parts: Vec<(usize, Wanted)>, interrupt: &Interrupt) -> Option<()> {
        let stored = self.table.downcast_ref::<StoredTable>()?;
        let object = stored.object.upgrade()?;
        let Definition::ManagedTable(table) = &object.definition else { return None };
        let index = parts.iter().find_map(|(_, wanted)| match wanted {
            Wanted::Index(column) => Some(column.number),
            Wanted::Values(..) => None,
        });
        if let Some(column) = index
            && stored.lookups.ask(object.header.oid, column) <= LOOKUPS_BEFORE
        {
            return None;
        }
        let files: Vec<TableFile> = table.files.iter().cloned().collect();
        let (lookups, directory) = (Arc::clone(&stored.lookups), Arc::clone(&stored.directory));
        let interrupt = interrupt.clone();
        let work = move || {
            parts.into_iter().all(|(at, wanted)| {
                let Some(file) = files.get(at) else { return false };
                let path: Arc<str> = Arc::from(file.path.as_str());
                lookups.load(&directory, (file, &path), wanted, &interrupt)
            })
        };
        tokio::task::spawn_blocking(work).await.ok()?.then_some(())
    }
}

/// Whether values of a type are sorted as the engine's operators sort them.
fn is_sorted(data_type: &DataType) -> bool {
    is_indexed(data_type) || matches!(data_type, DataType::Boolean | DataType::Decimal128(..))
}

fn missing() -> ArrowError {
    ArrowError::ComputeError("a column of a lookup is missing".to_owned())
}
