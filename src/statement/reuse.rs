//! Plans that are used again: which may be, and how one is fitted to the statement that uses it.
//!
//! A plan is kept as it was made of the statement's text, before it is optimized. Where the statement has no part in it but
//! values that stand beside columns, it is kept as it was optimized, too. Otherwise the functions that know the session or the
//! statement are replaced by those of the statement's scope, so that `now()` is its own, and it is optimized each time.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field},
};
use datafusion::{
    common::{
        DFSchema, ExprSchema, Result as PlanResult, ScalarValue, internal_err,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, Volatility,
        expr::{Placeholder, ScalarFunction},
        utils::split_conjunction,
    },
};
use fusewire_udfs::table::train;
use futures::TryStreamExt;

use super::{
    placeholders::numbered,
    plan::has,
    rows::{run_optimized, shown},
};
use crate::{
    Result, functions, pgtype, planning,
    session::{Kept, Outcome, Scope, storage::is_managed},
};

/// About what a node and an expression take.
const BYTES_OF_NODE: usize = 1_024;
const BYTES_OF_EXPRESSION: usize = 256;

/// Functions that yield the same for all statements of a role.
const OF_ROLE: &[&str] =
    &["version", "current_database", "current_catalog", "current_user", "current_role", "session_user", "user"];

/// Functions that yield the same for one statement, or session, alone, or something else for each row; they hold nothing but
/// that. What is in neither list is in no plan that is kept: it may do something, or hold a session.
const OF_STATEMENT: &[&str] = &[
    "clock_timestamp",
    "current_date",
    "current_schema",
    "current_schemas",
    "current_time",
    "gen_random_uuid",
    "localtime",
    "localtimestamp",
    "now",
    "pg_backend_pid",
    "random",
    "statement_timestamp",
    "timeofday",
    "uuid",
];

/// About how many bytes a plan takes; none if it may not be used again, as those that train, and those over anything that is
/// not in the catalog.
pub(super) fn bytes_of(plan: &LogicalPlan) -> Option<usize> {
    let trains = !train::find(plan).ok()?.is_empty();
    let (mut bytes, mut may_be) = (0_usize, !trains);
    let looked = plan.apply_with_subqueries(|node| {
        bytes = bytes.saturating_add(BYTES_OF_NODE);
        may_be &= is_reusable(node);
        node.apply_expressions(|expression| {
            expression.apply(|step| {
                bytes = bytes.saturating_add(BYTES_OF_EXPRESSION);
                match step {
                    Expr::Literal(value, _) => {
                        bytes = bytes.saturating_add(value.size());
                        // `'today'` may be a date, which is another one tomorrow.
                        may_be &= !value.try_as_str().flatten().is_some_and(pgtype::tells_time);
                    }
                    Expr::ScalarFunction(call) if volatility(call) != Volatility::Immutable => {
                        let is_known = OF_ROLE.contains(&call.name()) || OF_STATEMENT.contains(&call.name());
                        may_be &= is_known || functions::function_of(&call.func).is_some();
                    }
                    Expr::ScalarVariable(..) => may_be = false,
                    _ => {}
                }
                Ok(go_on_if(may_be))
            })
        })?;
        Ok(go_on_if(may_be))
    });
    (looked.is_ok() && may_be).then_some(bytes)
}

/// The plan with the functions of this scope.
pub(super) fn rebound(plan: LogicalPlan, scope: &Scope) -> Result<LogicalPlan> {
    if !knows_session(&plan)? {
        return Ok(plan);
    }
    let own = scope.own_functions();
    let bind = |step: Expr| match step {
        Expr::ScalarFunction(call) if volatility(&call) != Volatility::Immutable => {
            let found = own.iter().find(|function| function.name() == call.name());
            let Some(function) = found.or_else(|| scope.session_function(call.name())) else {
                return internal_err!("the function {} of a plan that was kept is not there any more", call.name());
            };
            let bound = ScalarFunction { func: Arc::clone(function), args: call.args };
            Ok(Transformed::yes(Expr::ScalarFunction(bound)))
        }
        other => Ok(Transformed::no(other)),
    };
    let node = |node: LogicalPlan| node.map_expressions(|expression| expression.transform_up(bind));
    Ok(plan.transform_up_with_subqueries(node).data()?)
}

/// Runs a kept plan as it was optimized; none where it is to be optimized for these values.
pub(super) async fn run(scope: &Scope, kept: &Kept, values: &[ScalarValue]) -> Result<Option<Outcome>> {
    if values.is_empty()
        && let Some(outcome) = kept.outcome()
    {
        return Ok(Some(outcome));
    }
    if let Some(outcome) = looked_up(scope, kept, values).await {
        return Ok(Some(outcome));
    }
    // What cannot be optimized so, tells why when it is planned as always.
    let optimized = kept.optimized(|plan| optimized(scope, plan, kept.parameters()));
    let Some(plan) = optimized.map(|plan| LogicalPlan::clone(plan)) else { return Ok(None) };
    if !values.is_empty() {
        return match filled(plan, values) {
            Ok(plan) => Ok(Some(run_optimized(scope, plan).await?)),
            Err(_) => Ok(None),
        };
    }
    let is_constant = is_constant(&plan);
    let outcome = run_optimized(scope, plan).await?;
    match outcome {
        Outcome::Rows { stream, .. } if is_constant => {
            let schema = stream.schema();
            let rows: Vec<RecordBatch> = stream.try_collect().await?;
            if let [batch] = rows.as_slice() {
                kept.keep_rows(batch);
            }
            Ok(Some(Outcome::batches(schema, rows)?))
        }
        other => Ok(Some(other)),
    }
}

/// What a kept plan returns, where its rows are kept or those that it looks up are in memory.
pub(super) fn answer(scope: &Scope, kept: &Kept, values: &[ScalarValue]) -> Option<Outcome> {
    if values.is_empty()
        && let Some(outcome) = kept.outcome()
    {
        return Some(outcome);
    }
    shown(scope, kept.point()?.now(values)?).ok()
}

/// The rows that a kept plan looks up by a key; none where it does something else, or reads as ever.
pub(super) async fn looked_up(scope: &Scope, kept: &Kept, values: &[ScalarValue]) -> Option<Outcome> {
    kept.optimized(|plan| optimized(scope, plan, kept.parameters()))?;
    shown(scope, kept.point()?.read(values, scope.interrupt()).await?).ok()
}

/// The plan as it is optimized, where that is the same for all statements: values of its parameters, which have these types,
/// are compared with columns and nothing else.
fn optimized(scope: &Scope, plan: &LogicalPlan, parameters: &[DataType]) -> Result<Option<LogicalPlan>> {
    if knows_session(plan)? || !(parameters.is_empty() || are_compared(plan, parameters)?) {
        return Ok(None);
    }
    let optimized = match parameters {
        [] => scope.optimize(plan)?,
        _ => scope.optimize(&with_types_of_columns(plan.clone())?)?,
    };
    // What is computed once keeps its rows.
    let is_plain = !has(&optimized, |node| matches!(node, LogicalPlan::Extension(_)))?;
    Ok(is_plain.then_some(optimized))
}

/// Whether a node is nothing but its expressions and inputs, and reads nothing but managed tables.
fn is_reusable(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::TableScan(scan) => is_managed(&scan.source),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Extension(_) => true,
        _ => false,
    }
}

/// Whether a plan has functions whose values are those of one statement, or nodes that are not looked into.
fn knows_session(plan: &LogicalPlan) -> PlanResult<bool> {
    let is_own = |step: &Expr| match step {
        Expr::ScalarFunction(call) => volatility(call) != Volatility::Immutable && !OF_ROLE.contains(&call.name()),
        _ => false,
    };
    has(plan, |node| matches!(node, LogicalPlan::Extension(_)) || planning::has_step(node, is_own).unwrap_or(true))
}

/// Whether all parameters of a plan are values that columns of their types are compared with.
fn are_compared(plan: &LogicalPlan, parameters: &[DataType]) -> PlanResult<bool> {
    let (mut all, mut compared, mut is_plain) = (0_usize, 0_usize, true);
    plan.apply_with_subqueries(|node| {
        is_plain &= matches!(
            node,
            LogicalPlan::TableScan(_)
                | LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::SubqueryAlias(_)
        );
        node.apply_expressions(|expression| {
            expression.apply(|step| {
                all += usize::from(matches!(step, Expr::Placeholder(_)));
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if let LogicalPlan::Filter(filter) = node {
            let conditions = split_conjunction(&filter.predicate);
            let schema = filter.input.schema();
            compared += conditions.into_iter().filter(|condition| compares(condition, schema, parameters)).count();
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(is_plain && all == compared)
}

/// Whether a condition compares a column with one parameter, whose values are of the column's type or become so unchanged.
fn compares(condition: &Expr, schema: &DFSchema, parameters: &[DataType]) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return false };
    let (column, parameter) = match (left.as_ref(), right.as_ref()) {
        (column @ Expr::Column(_), Expr::Placeholder(parameter))
        | (Expr::Placeholder(parameter), column @ Expr::Column(_)) => (column, parameter),
        _ => return false,
    };
    let (Ok(wanted), Some(field)) = (column.get_type(schema), &parameter.field) else { return false };
    let given = numbered(&parameter.id).and_then(|number| parameters.get(number - 1));
    let is_given = |given: &DataType| {
        let own = field.data_type();
        given == own || given.is_string() && own.is_string() && pgtype::told(field).is_some()
    };
    is_comparison(*op) && given.is_some_and(|given| is_given(given) && becomes(given, &wanted))
}

/// The plan whose parameters have the types of the columns that they are compared with, so that none is cast.
fn with_types_of_columns(plan: LogicalPlan) -> PlanResult<LogicalPlan> {
    let typed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(mut filter) => {
            let schema = Arc::clone(filter.input.schema());
            let predicate = filter.predicate.transform_up(|step| with_type_of_column(step, &schema))?;
            filter.predicate = predicate.data;
            Ok(Transformed::yes(LogicalPlan::Filter(filter)))
        }
        other => Ok(Transformed::no(other)),
    });
    typed.data()
}

fn with_type_of_column(mut step: Expr, schema: &DFSchema) -> PlanResult<Transformed<Expr>> {
    if let Expr::BinaryExpr(BinaryExpr { left, right, .. }) = &mut step
        && let (Expr::Column(column), Expr::Placeholder(parameter))
        | (Expr::Placeholder(parameter), Expr::Column(column)) = (left.as_mut(), right.as_mut())
    {
        let wanted = schema.field_from_column(column)?.data_type().clone();
        let told = parameter.field.as_ref().map(|field| field.metadata().clone()).unwrap_or_default();
        parameter.field = Some(Arc::new(Field::new("", wanted, true).with_metadata(told)));
    }
    Ok(Transformed::yes(step))
}

fn is_comparison(operator: Operator) -> bool {
    matches!(operator, Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

/// Whether each value of a type is one of the other, and values of that are compared as they are written.
fn becomes(given: &DataType, wanted: &DataType) -> bool {
    match wanted {
        DataType::Int16 => matches!(given, DataType::Int16),
        DataType::Int32 => matches!(given, DataType::Int16 | DataType::Int32),
        DataType::Int64 => matches!(given, DataType::Int16 | DataType::Int32 | DataType::Int64),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => given.is_string(),
        DataType::Date32 => matches!(given, DataType::Date32),
        _ => false,
    }
}

/// The plan with these values in the places of its parameters.
fn filled(plan: LogicalPlan, values: &[ScalarValue]) -> PlanResult<LogicalPlan> {
    let fill = |step: Expr| match step {
        Expr::Placeholder(Placeholder { id, field: Some(field) }) => {
            let Some(value) = numbered(&id).and_then(|number| values.get(number - 1)) else {
                return internal_err!("the parameter {id} has no value");
            };
            let value = if value.data_type() == *field.data_type() {
                value.clone()
            } else {
                value.cast_to(field.data_type())?
            };
            Ok(Transformed::yes(Expr::Literal(value, None)))
        }
        other => Ok(Transformed::no(other)),
    };
    let node = |node: LogicalPlan| node.map_expressions(|expression| expression.transform_up(fill));
    plan.transform_up_with_subqueries(node).data()
}

/// Whether a plan is one row of values.
fn is_constant(plan: &LogicalPlan) -> bool {
    fn is_value(expression: &Expr) -> bool {
        match expression {
            Expr::Literal(..) => true,
            Expr::Alias(alias) => is_value(&alias.expr),
            _ => false,
        }
    }
    match plan {
        LogicalPlan::Projection(projection) => {
            matches!(projection.input.as_ref(), LogicalPlan::EmptyRelation(empty) if empty.produce_one_row)
                && projection.expr.iter().all(is_value)
        }
        _ => false,
    }
}

fn go_on_if(on: bool) -> TreeNodeRecursion {
    if on { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop }
}

fn volatility(call: &ScalarFunction) -> Volatility {
    call.func.signature().volatility
}
