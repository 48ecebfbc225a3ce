//! Queries that look up a few rows of a managed table by a key, answered from memory.
//!
//! An optimized plan is one where it keeps columns of the rows of one table for which a column equals a value: the
//! [`Index`](super::index::Index) of that column tells which rows may, and the conditions are compared with the values of those
//! rows. Nothing else is computed, so that nothing has to be planned: whatever else a plan does (a function, a sort, a cast)
//! makes it none, and it runs as ever. So does every plan whose parts are not in memory, until they are: the first lookups in a
//! column read as before, and the next makes its index.
//!
//! The files are those of the snapshot that the statement reads, and what is kept of them are their own values.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, Scalar},
    compute::{and, filter, interleave, is_not_null, is_null, kernels::cmp, prep_null_mask_filter},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
};
use datafusion::{
    catalog::TableProvider,
    common::{DFSchema, ScalarValue},
    datasource::source_as_provider,
    logical_expr::{
        BinaryExpr, Expr, FetchType, LogicalPlan, Operator, SkipType, TableScan, expr::Placeholder,
        utils::split_conjunction,
    },
};

use super::{
    StoredTable,
    cache::{Column, Key, Lookups, Part, ROWS_OF_PART, Wanted, compact},
    form,
    index::{hashes, is_indexed},
};
use crate::{
    catalog::{Definition, ManagedTable, TableFile},
    pgtype,
    planning::parameter_number,
    session::Interrupt,
};

/// Lookups in a column before its indexes are made.
const LOOKUPS_BEFORE: u32 = 2;

/// A table of more files is read as ever.
const MAX_FILES: usize = 64;

/// So many rows may have a key, and more are read as ever.
const MAX_ROWS: usize = 128;

/// How often parts are read for one lookup: others may let go of them.
const MAX_LOADS: usize = 5;

/// The rows that an optimized plan looks up.
#[derive(Debug)]
pub(crate) struct PointRead {
    /// A [`StoredTable`].
    table: Arc<dyn TableProvider>,
    /// The columns that are read, by their places in the table.
    columns: Vec<usize>,
    /// All of them hold. One of them says what a column equals.
    conditions: Vec<Condition>,
    /// What is returned of each row.
    output: Vec<Output>,
    skip: usize,
    fetch: Option<usize>,
    schema: SchemaRef,
}

/// What holds for a column, given by its place among those that are read.
#[derive(Debug, Clone, PartialEq)]
enum Condition {
    Compared(usize, Operator, Value),
    IsNull(usize),
    IsNotNull(usize),
}

/// What a column is compared with; it is of the column's type.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Known(ScalarValue),
    /// The value of this parameter, from 0, as one of the type.
    Given(usize, DataType),
}

#[derive(Debug, Clone)]
enum Output {
    /// A column, by its place among those that are read.
    Column(usize),
    Value(ScalarValue),
}

/// Why rows cannot be told at once.
enum Lack {
    /// They never can.
    Unfit,
    /// Something is to be read first, of files by their places in the table.
    Parts(Vec<(usize, Wanted)>),
}

/// Rows, or parts of the rows, of files, by their places in the table.
type Places = Vec<(usize, u64)>;

/// The table as the statement sees it.
struct Seen<'a> {
    lookups: &'a Lookups,
    table: &'a ManagedTable,
    /// The paths of its files.
    paths: Vec<Arc<str>>,
}

impl PointRead {
    /// What an optimized plan looks up, where that is all that it does.
    pub(crate) fn of(plan: &LogicalPlan) -> Option<Self> {
        let read = Self::read_by(plan)?;
        let finds = |condition: &Condition| match condition {
            Condition::Compared(place, Operator::Eq, _) => read.type_of(*place).is_some_and(is_indexed),
            _ => false,
        };
        read.conditions.iter().any(finds).then_some(read)
    }

    fn read_by(plan: &LogicalPlan) -> Option<Self> {
        match plan {
            LogicalPlan::TableScan(scan) => Self::of_scan(scan),
            LogicalPlan::SubqueryAlias(alias) => {
                let read = Self::read_by(&alias.input)?;
                Some(Self { schema: Arc::clone(plan.schema().inner()), ..read })
            }
            LogicalPlan::Filter(filter) => {
                let mut read = Self::read_by(&filter.input)?;
                if read.skip > 0 || read.fetch.is_some() {
                    return None;
                }
                for condition in split_conjunction(&filter.predicate) {
                    read.add(condition, filter.input.schema())?;
                }
                Some(read)
            }
            LogicalPlan::Projection(projection) => {
                let read = Self::read_by(&projection.input)?;
                let kept = |expression| read.kept(expression, projection.input.schema());
                let output = projection.expr.iter().map(kept).collect::<Option<_>>()?;
                Some(Self { output, schema: Arc::clone(plan.schema().inner()), ..read })
            }
            LogicalPlan::Limit(limit) => {
                let read = Self::read_by(&limit.input)?;
                let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
                    (limit.get_skip_type().ok()?, limit.get_fetch_type().ok()?)
                else {
                    return None;
                };
                let is_first = read.skip == 0 && read.fetch.is_none();
                is_first.then_some(Self { skip, fetch, ..read })
            }
            _ => None,
        }
    }

    fn of_scan(scan: &TableScan) -> Option<Self> {
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
        let output = (0..columns.len()).map(Output::Column).collect();
        let schema = Arc::clone(scan.projected_schema.inner());
        let mut read =
            Self { table: Arc::clone(&table), columns, conditions: Vec::new(), output, skip: 0, fetch: None, schema };
        for condition in scan.filters.iter().flat_map(split_conjunction) {
            read.add(condition, &scan.projected_schema)?;
        }
        Some(read)
    }

    /// Takes one more condition over the columns of this schema; nothing where it is another than the rows can be asked.
    fn add(&mut self, condition: &Expr, schema: &DFSchema) -> Option<()> {
        let condition = match condition {
            Expr::IsNull(column) => Condition::IsNull(self.place(column, schema)?),
            Expr::IsNotNull(column) => Condition::IsNotNull(self.place(column, schema)?),
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let (column, op, value) = match left.as_ref() {
                    Expr::Column(_) => (left, *op, right),
                    _ => (right, op.swap()?, left),
                };
                let place = self.place(column, schema)?;
                // Of the other types not all that is the same is equal, or the other way round.
                let data_type = self.type_of(place).filter(|data_type| is_indexed(data_type))?;
                Condition::Compared(place, compared(op)?, value_of(value, data_type)?)
            }
            _ => return None,
        };
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
        Some(())
    }

    /// The place of a column among those that are read.
    fn place(&self, column: &Expr, schema: &DFSchema) -> Option<usize> {
        match self.kept(column, schema)? {
            Output::Column(place) => Some(place),
            Output::Value(_) => None,
        }
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

    fn look(&self, values: &[ScalarValue]) -> Result<RecordBatch, Lack> {
        let stored = self.table.downcast_ref::<StoredTable>().ok_or(Lack::Unfit)?;
        let object = stored.object.upgrade().ok_or(Lack::Unfit)?;
        let Definition::ManagedTable(table) = &object.definition else { return Err(Lack::Unfit) };
        if table.files.len() > MAX_FILES || table.files.iter().any(|file| file.deleted.is_some()) {
            return Err(Lack::Unfit);
        }
        let paths: Vec<Arc<str>> = table.files.iter().map(|file| Arc::from(file.path.as_str())).collect();
        let seen = Seen { lookups: &stored.lookups, table, paths };
        if !self.conditions.iter().all(|condition| self.is_plain(condition, table)) {
            return Err(Lack::Unfit);
        }
        let compared = self.compared(values).ok_or(Lack::Unfit)?;
        let found = self.candidates(&seen, &compared)?;
        if found.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let columns = self.values(&seen, &found)?;
        self.rows(&columns, &compared, found.len()).map_err(|_| Lack::Unfit)
    }

    /// Whether a condition compares no texts, or such as are equal where they are the same, and only there.
    fn is_plain(&self, condition: &Condition, table: &ManagedTable) -> bool {
        let Condition::Compared(place, ..) = condition else { return true };
        let column = self.columns.get(*place).and_then(|column| table.columns.get(*column));
        column.is_some_and(|column| {
            let is_text = |known: pgtype::PgType| known.oid == column.type_oid;
            self.type_of(*place) != Some(&DataType::Utf8View) || is_text(pgtype::TEXT) || is_text(pgtype::VARCHAR)
        })
    }

    /// What the column of each condition is compared with; nothing for those that compare none.
    fn compared(&self, values: &[ScalarValue]) -> Option<Vec<Option<Scalar<ArrayRef>>>> {
        let value = |condition: &Condition| match condition {
            Condition::Compared(_, _, value) => Some(Some(value.scalar(values)?)),
            Condition::IsNull(_) | Condition::IsNotNull(_) => Some(None),
        };
        self.conditions.iter().map(value).collect()
    }

    /// The rows that one of the conditions leaves, and maybe a few others, in the order of the table.
    fn candidates(&self, seen: &Seen<'_>, compared: &[Option<Scalar<ArrayRef>>]) -> Result<Places, Lack> {
        for (condition, value) in self.conditions.iter().zip(compared) {
            let (Condition::Compared(place, Operator::Eq, _), Some(value)) = (condition, value) else { continue };
            let column = seen.column(*self.columns.get(*place).ok_or(Lack::Unfit)?).ok_or(Lack::Unfit)?;
            if !is_indexed(&column.data_type) {
                continue;
            }
            match seen.rows_of(&column, value) {
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

    /// The columns that are read, of these rows.
    fn values(&self, seen: &Seen<'_>, found: &[(usize, u64)]) -> Result<Vec<ArrayRef>, Lack> {
        let columns: Vec<Column> =
            self.columns.iter().map(|place| seen.column(*place)).collect::<Option<_>>().ok_or(Lack::Unfit)?;
        let (mut arrays, mut missing) = (Vec::with_capacity(columns.len()), Places::new());
        for column in &columns {
            arrays.extend(seen.values_of(column, found, &mut missing)?);
        }
        if missing.is_empty() {
            return Ok(arrays);
        }
        missing.sort_unstable();
        missing.dedup();
        let of_file = |parts: &[(usize, u64)]| {
            let file = parts.first().map_or(0, |(file, _)| *file);
            (file, Wanted::Values(columns.clone(), parts.iter().map(|(_, part)| *part).collect()))
        };
        Err(Lack::Parts(missing.chunk_by(|one, next| one.0 == next.0).map(of_file).collect()))
    }

    /// Those of the rows for which all conditions hold, as they are returned.
    fn rows(
        &self,
        columns: &[ArrayRef],
        compared: &[Option<Scalar<ArrayRef>>],
        count: usize,
    ) -> Result<RecordBatch, ArrowError> {
        let missing = || ArrowError::ComputeError("a column is missing".to_owned());
        let mut holds: Option<BooleanArray> = None;
        for (condition, value) in self.conditions.iter().zip(compared) {
            let column = columns.get(condition.place()).ok_or_else(missing)?;
            let one = condition.holds(column, value.as_ref())?;
            holds = Some(match holds {
                Some(holds) => and(&holds, &one)?,
                None => one,
            });
        }
        let holds = holds.ok_or_else(missing)?;
        let left = holds.true_count();
        let skip = self.skip.min(left);
        let fetch = self.fetch.unwrap_or(usize::MAX).min(left - skip);
        let returned = |output: &Output| -> Result<ArrayRef, ArrowError> {
            match output {
                Output::Value(value) => Ok(value.to_array_of_size(fetch)?),
                Output::Column(place) => {
                    let column = columns.get(*place).ok_or_else(missing)?;
                    let kept = if left == count { Arc::clone(column) } else { filter(column, &holds)? };
                    Ok(if fetch == left { kept } else { kept.slice(skip, fetch) })
                }
            }
        };
        let output = self.output.iter().map(returned).collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(fetch));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), output, &options)
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

impl Condition {
    fn place(&self) -> usize {
        match self {
            Self::Compared(place, ..) | Self::IsNull(place) | Self::IsNotNull(place) => *place,
        }
    }

    /// For which values of its column it holds.
    fn holds(&self, column: &ArrayRef, value: Option<&Scalar<ArrayRef>>) -> Result<BooleanArray, ArrowError> {
        let (operator, value) = match (self, value) {
            (Self::IsNull(_), _) => return is_null(column),
            (Self::IsNotNull(_), _) => return is_not_null(column),
            (Self::Compared(_, operator, _), Some(value)) => (operator, value),
            (Self::Compared(..), None) => return Err(ArrowError::ComputeError("a value is missing".to_owned())),
        };
        let holds = match operator {
            Operator::Eq => cmp::eq(column, value),
            Operator::NotEq => cmp::neq(column, value),
            Operator::Lt => cmp::lt(column, value),
            Operator::LtEq => cmp::lt_eq(column, value),
            Operator::Gt => cmp::gt(column, value),
            Operator::GtEq => cmp::gt_eq(column, value),
            other => Err(ArrowError::ComputeError(format!("{other} is no comparison"))),
        }?;
        // What is compared with NULL does not hold.
        Ok(if holds.null_count() == 0 { holds } else { prep_null_mask_filter(&holds) })
    }
}

impl Value {
    fn scalar(&self, values: &[ScalarValue]) -> Option<Scalar<ArrayRef>> {
        match self {
            Self::Known(value) => value.to_scalar().ok(),
            Self::Given(number, data_type) => match values.get(*number)? {
                value if value.data_type() == *data_type => value.to_scalar().ok(),
                value => value.cast_to(data_type).ok()?.to_scalar().ok(),
            },
        }
    }
}

impl Seen<'_> {
    /// A column of the table, by its place.
    fn column(&self, place: usize) -> Option<Column> {
        let (field, column) = (self.table.schema.fields().get(place)?, self.table.columns.get(place)?);
        Some(Column { name: field.name().clone(), number: column.number, data_type: field.data_type().clone() })
    }

    /// The rows of a value of a column, and maybe a few others; none if they are too many.
    fn rows_of(&self, column: &Column, value: &Scalar<ArrayRef>) -> Result<Option<Places>, Lack> {
        let value = value.clone().into_inner();
        let hash = hashes(self.lookups.hasher(), &value).and_then(|hashes| hashes.first().copied());
        // Nothing equals NULL.
        let Some(hash) = hash.ok_or(Lack::Unfit)? else { return Ok(Some(Places::new())) };
        let (mut found, mut lacking) = (Places::new(), Vec::new());
        for (at, path) in self.paths.iter().enumerate() {
            let index = match self.lookups.get(&Key::index(path, column.number)) {
                Some(Part::Index(index)) if *index.data_type() == column.data_type => index,
                Some(_) => return Err(Lack::Unfit),
                None => {
                    lacking.push((at, Wanted::Index(column.clone())));
                    continue;
                }
            };
            let rows = index.rows(hash);
            if found.len() + rows.len() > MAX_ROWS {
                return Ok(None);
            }
            found.extend(rows.map(|row| (at, row)));
        }
        if lacking.is_empty() { Ok(Some(found)) } else { Err(Lack::Parts(lacking)) }
    }

    /// The values of a column in these rows; the parts of files that are not in memory are added to those that are missing.
    fn values_of(
        &self,
        column: &Column,
        found: &[(usize, u64)],
        missing: &mut Places,
    ) -> Result<Option<ArrayRef>, Lack> {
        let (mut arrays, mut places, mut last) = (Vec::new(), Vec::with_capacity(found.len()), None);
        for (file, row) in found {
            let part = (*file, row / ROWS_OF_PART);
            if last != Some(part) {
                last = Some(part);
                let path = self.paths.get(part.0).ok_or(Lack::Unfit)?;
                match self.lookups.get(&Key::values(path, column.number, part.1)) {
                    Some(Part::Values(values)) if *values.data_type() == column.data_type => arrays.push(values),
                    Some(_) => return Err(Lack::Unfit),
                    None => missing.push(part),
                }
            }
            let within = usize::try_from(row % ROWS_OF_PART).map_err(|_| Lack::Unfit)?;
            places.push((arrays.len().saturating_sub(1), within));
        }
        if !missing.is_empty() {
            return Ok(None);
        }
        let is_there = |(array, row): &(usize, usize)| arrays.get(*array).is_some_and(|values| *row < values.len());
        if !places.iter().all(is_there) {
            return Err(Lack::Unfit);
        }
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        // A copy: whoever holds a row holds no more than it.
        interleave(&arrays, &places).map(|values| Some(compact(values))).map_err(|_| Lack::Unfit)
    }
}

/// The operator, where it compares.
fn compared(operator: Operator) -> Option<Operator> {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq).then_some(operator)
}

/// What a column of this type is compared with, where that is a value of it or becomes one as it is given.
fn value_of(expression: &Expr, data_type: &DataType) -> Option<Value> {
    match expression {
        Expr::Literal(value, _) if value.data_type() == *data_type => Some(Value::Known(value.clone())),
        Expr::Placeholder(Placeholder { id, field: Some(field) }) if field.data_type() == data_type => {
            Some(Value::Given(parameter_number(id)?.checked_sub(1)?, data_type.clone()))
        }
        _ => None,
    }
}
