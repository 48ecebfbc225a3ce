//! Recursive queries that PostgreSQL refuses, and the types of the others' columns.
//!
//! The term of a recursive query runs until it gives no row. One with an aggregate over its own rows gives one each time, and
//! would never end.
//!
//! Its columns are of the types of what it begins with, and what its term gives has to be of these. The planner has bigints of
//! the integers that are written there, and casts what the term gives to them: `SELECT 1 UNION ALL SELECT x + 0.5` were whole
//! numbers. Numerics get the room that the term's need.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, Schema};
use datafusion::{
    catalog::cte_worktable::CteWorkTable,
    common::{
        DFSchema, DFSchemaRef, DataFusionError, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    datasource::{provider_as_source, source_as_provider},
    logical_expr::{
        Cast, Expr, ExprSchemable, LogicalPlan, Projection, RecursiveQuery, TableScan, TableScanBuilder, TableSource,
    },
    optimizer::AnalyzerRule,
};

use super::{
    common_types::{self, Item},
    types,
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, ANY_NUMERIC, Form},
};

/// The check; see the module. It changes nothing.
#[derive(Debug)]
pub(super) struct CheckRecursion;

impl AnalyzerRule for CheckRecursion {
    fn name(&self) -> &str {
        "check_recursion"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            let LogicalPlan::RecursiveQuery(query) = node else { return Ok(TreeNodeRecursion::Continue) };
            query.recursive_term.apply(|part| match part {
                LogicalPlan::Aggregate(aggregate)
                    if !aggregate.aggr_expr.is_empty() && reads(&aggregate.input, &query.name) =>
                {
                    Err(refused())
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })?;
        Ok(plan)
    }
}

/// Whether the rows of a recursive query are among those that are joined here, not within a query of their own.
fn reads(plan: &LogicalPlan, name: &str) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => scan.table_name.table() == name,
        LogicalPlan::SubqueryAlias(alias) => {
            matches!(alias.input.as_ref(), LogicalPlan::TableScan(_) | LogicalPlan::SubqueryAlias(_))
                && reads(&alias.input, name)
        }
        LogicalPlan::Join(_) | LogicalPlan::Filter(_) => plan.inputs().into_iter().any(|input| reads(input, name)),
        _ => false,
    }
}

fn refused() -> DataFusionError {
    let message = "aggregate functions are not allowed in a recursive query's recursive term";
    Failure::new(Fault::InvalidRecursion, message).into()
}

/// A recursive query that was just planned, with the types that PostgreSQL gives its columns. `change` is what else happens to
/// each of its terms.
pub(super) fn with_types(
    query: RecursiveQuery,
    mut change: impl FnMut(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<RecursiveQuery> {
    let RecursiveQuery { name, static_term, recursive_term, is_distinct, .. } = query;
    let planned = Arc::clone(static_term.schema());
    let first = change(Arc::unwrap_or_clone(static_term))?;
    let term = without_casts(Arc::unwrap_or_clone(recursive_term), &first, planned.fields())?;
    let mut columns = columns_of(&first);
    let mut rest = change(over(term.clone(), &name, &columns)?)?;
    let mut own = settled_columns(&rest);
    if widen(&mut columns, &own) {
        rest = change(over(term, &name, &columns)?)?;
        own = settled_columns(&rest);
    }
    let rest = checked(rest, &own, &name, &columns)?;
    let first = shown_as(first, &columns)?;
    RecursiveQuery::try_new(name, Arc::new(first), Arc::new(rest), is_distinct)
}

/// The columns of a term with the types that they will have. What cannot be settled is refused when it is.
fn settled_columns(term: &LogicalPlan) -> DFSchemaRef {
    types::of_rows(term).unwrap_or_else(|_| Arc::clone(term.schema()))
}

/// The columns of what a query begins with, which are texts where nothing says what they are.
fn columns_of(term: &LogicalPlan) -> Vec<Field> {
    let column = |field: &Arc<Field>| {
        let is_open = field.data_type().is_null();
        let data_type = if is_open { DataType::Utf8 } else { field.data_type().clone() };
        field.as_ref().clone().with_data_type(data_type).with_nullable(true)
    };
    settled_columns(term).fields().iter().map(column).collect()
}

/// The term without the casts by which the planner made its columns be as `planned`, where they can be told from the statement's
/// own: of integers and numerics that are written to begin with, there are none of those.
fn without_casts(term: LogicalPlan, first: &LogicalPlan, planned: &[Arc<Field>]) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(Projection { mut expr, input, .. }) = term else { return Ok(term) };
    for (at, (shown, planned)) in expr.iter_mut().zip(planned).enumerate() {
        let planned = planned.data_type();
        let is_planners = match planned {
            integer if integer.is_integer() => first.schema().field(at).data_type() != integer,
            decimal if decimal.is_decimal() => types::is_computed(first, at),
            // The planner casts what an interval was added to back to a date.
            DataType::Date32 => true,
            _ => false,
        };
        if is_planners
            && let Expr::Cast(Cast { expr: inner, field }) = shown.clone().unalias()
            && field.data_type() == planned
            && inner.get_type(input.schema()).is_ok_and(|own| is_forgotten(&own, planned))
        {
            let (qualifier, name) = shown.qualified_name();
            *shown = inner.alias_qualified(qualifier, name);
        }
    }
    Projection::try_new(expr, input).map(LogicalPlan::Projection)
}

/// Whether a cast from one type to another is the planner's.
fn is_forgotten(own: &DataType, planned: &DataType) -> bool {
    own != planned && (*planned != DataType::Date32 || matches!(own, DataType::Timestamp(..)))
}

/// The term over rows with these columns.
fn over(term: LogicalPlan, name: &str, columns: &[Field]) -> Result<LogicalPlan> {
    let schema = Arc::new(Schema::new(columns.to_vec()));
    let source = provider_as_source(Arc::new(CteWorkTable::new(name, schema)));
    let replaced = term.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) if is_work_table(&scan, name) => {
            Ok(Transformed::yes(scan_over(scan, Arc::clone(&source))?))
        }
        other => Ok(Transformed::no(other)),
    });
    replaced.data()
}

/// The term over rows that carry further columns behind their own; `shown` makes of the scan of them what stands in its place.
/// None if the term does not read them in one place, which can be seen.
pub(super) fn carrying(
    term: LogicalPlan,
    name: &str,
    carried: &[Field],
    shown: impl Fn(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<Option<LogicalPlan>> {
    let mut places = 0;
    let replaced = term.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(mut scan) if is_work_table(&scan, name) => {
            places += 1;
            let own = scan.source.schema();
            let before = own.fields().len();
            let columns = own.fields().iter().cloned().chain(carried.iter().cloned().map(Arc::new));
            let schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
            if let Some(projection) = &mut scan.projection {
                projection.extend(before..before + carried.len());
            }
            let source = provider_as_source(Arc::new(CteWorkTable::new(name, schema)));
            Ok(Transformed::yes(shown(scan_over(scan, source)?)?))
        }
        other => Ok(Transformed::no(other)),
    });
    let replaced = replaced.data()?;
    Ok((places == 1).then_some(replaced))
}

/// The scan over another source.
fn scan_over(scan: TableScan, source: Arc<dyn TableSource>) -> Result<LogicalPlan> {
    let TableScan { table_name, projection, filters, fetch, .. } = scan;
    let scan =
        TableScanBuilder::new(table_name, source).with_projection(projection).with_filters(filters).with_fetch(fetch);
    Ok(LogicalPlan::TableScan(scan.build()?))
}

/// Whether a scan reads the rows of the last step of any recursion.
pub(super) fn reads_last_step(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|table| table.downcast_ref::<CteWorkTable>().is_some())
}

fn is_work_table(scan: &TableScan, name: &str) -> bool {
    let provider = source_as_provider(&scan.source);
    provider.is_ok_and(|table| table.downcast_ref::<CteWorkTable>().is_some_and(|table| table.name() == name))
}

/// Makes room in columns of numerics for those that the term gives; whether any needs it.
fn widen(columns: &mut [Field], term: &DFSchema) -> bool {
    let mut widened = false;
    for (column, own) in columns.iter_mut().zip(term.fields()) {
        let wider = match (column.data_type(), own.data_type()) {
            (DataType::Decimal128(digits, places), DataType::Decimal128(own_digits, own_places)) => {
                let fits = own_places <= places
                    && i32::from(*own_digits) - i32::from(*own_places) <= i32::from(*digits) - i32::from(*places);
                match own_places <= places {
                    _ if fits => continue,
                    true => DataType::Decimal128(DECIMAL128_MAX_PRECISION, *places),
                    false => ANY_NUMERIC,
                }
            }
            _ => continue,
        };
        widened |= wider != *column.data_type();
        *column = column.clone().with_data_type(wider);
    }
    widened
}

/// The term, whose columns, `own` once they are settled, go together with those of what the query begins with and are of their types then.
fn checked(term: LogicalPlan, own: &DFSchema, name: &str, columns: &[Field]) -> Result<LogicalPlan> {
    let schema = Arc::clone(term.schema());
    let mut shown = Vec::with_capacity(columns.len());
    let mut changed = false;
    for (at, (column, own)) in columns.iter().zip(own.fields()).enumerate() {
        let (qualifier, field) = schema.qualified_field(at);
        let value = Expr::from((qualifier, field));
        let written = types::shown_at(&term, at).unalias();
        let items = [Item::of_field(column), Item::of_column(own, &written)];
        let Some(common) = common_types::found(&[&value, &written], &items, "UNION")? else {
            shown.push(value);
            continue;
        };
        let (begins_as, is_in_all) = (pgtype::of_field(column), common.column());
        let is_other = begins_as.pg.oid != is_in_all.pg.oid
            || common.told().is_some_and(|told| told.modifier != begins_as.modifier);
        if is_other {
            let spelled = |of: pgtype::ColumnType| match of.pg.form {
                Form::Numeric => of.pg.sql(None),
                _ => of.pg.sql(Some(of.modifier)),
            };
            let message = format!(
                "recursive query \"{name}\" column {} has type {} in non-recursive term but type {} overall; \
                 cast the output of the non-recursive term to the correct type",
                at + 1,
                spelled(begins_as),
                spelled(is_in_all),
            );
            return Err(Failure::new(Fault::DatatypeMismatch, message).into());
        }
        let [_, item] = &items;
        // Numerics are cast to those that the query begins with.
        if common.is_of(item) || begins_as.pg.form == Form::Numeric {
            shown.push(value);
        } else {
            let value = common_types::as_column(value, item, &common, &schema)?;
            shown.push(value.alias_qualified(qualifier.cloned(), field.name()));
            changed = true;
        }
    }
    if !changed {
        return Ok(term);
    }
    Projection::try_new(shown, Arc::new(term)).map(LogicalPlan::Projection)
}

/// What a query begins with, with columns of these types.
fn shown_as(term: LogicalPlan, columns: &[Field]) -> Result<LogicalPlan> {
    let schema = Arc::clone(term.schema());
    if schema.fields().iter().zip(columns).all(|(own, column)| own.data_type() == column.data_type()) {
        return Ok(term);
    }
    let shown = columns.iter().enumerate().map(|(at, column)| {
        let (qualifier, field) = schema.qualified_field(at);
        let value = Expr::from((qualifier, field));
        match field.data_type() == column.data_type() {
            true => value,
            false => {
                let cast = Expr::Cast(Cast::new(Box::new(value), column.data_type().clone()));
                cast.alias_qualified(qualifier.cloned(), field.name())
            }
        }
    });
    Projection::try_new(shown.collect(), Arc::new(term)).map(LogicalPlan::Projection)
}
