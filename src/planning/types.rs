//! Types are settled: the engine's rule for that, with what PostgreSQL makes of [numbers](super::number_types) of several
//! types, of values that [come together](super::common_types), and of [intervals](super::interval_lengths), before each of its
//! steps. [Operators](super::operators) and [casts](super::casts) that PostgreSQL does not have are refused there.
//!
//! Its rule goes through a plan from the inputs up, and through each expression from the operands up, so that those have their
//! types when a step looks at them. Ours goes the same way and asks both, first us and then it. The columns of a UNION, of
//! VALUES and of joins are looked at when their node is reached.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::{
    common::{
        Column, DFSchema, DFSchemaRef, Result, ScalarValue,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRewriter},
    },
    logical_expr::{
        Distinct, Expr, ExprSchemable, Join, JoinConstraint, LogicalPlan, Projection, RecursiveQuery, Union, Values,
        expr_rewriter::coerce_plan_expr_for_schema, type_coercion::binary::type_union_resolution, utils::merge_schema,
    },
    optimizer::{AnalyzerRule, analyzer::type_coercion::TypeCoercionRewriter},
};

use super::{
    array_elements, byte_patterns, casts,
    common_types::{self, Item},
    days, decimal_places, interval_lengths, json_operators, long_numbers, number_types,
    open_operands::is_open,
    operators, overloads, range_keys, sets, shifts, steps, text_numbers, time_operators, told, unread, written_texts,
};
use crate::pgtype::{ANY_NUMERIC, LONG_NUMERIC, told as told_of};

type Rule = Arc<dyn AnalyzerRule + Send + Sync>;

/// The engine's rules, with ours in the place of the one that it settles types by.
pub(super) fn with_numbers(rules: Vec<Rule>) -> impl Iterator<Item = Rule> {
    rules.into_iter().map(|rule| match rule.name() {
        name if name == SettleTypes.name() => Arc::new(SettleTypes) as Rule,
        _ => rule,
    })
}

/// A plan with the types that its rows will have, before anything else is done to it.
pub(crate) fn settled(plan: LogicalPlan) -> Result<LogicalPlan> {
    let config = ConfigOptions::default();
    let plan = sets::CommonColumns.analyze(plan, &config)?;
    SettleTypes.analyze(plan, &config)
}

/// The columns of a plan's rows once its types are settled, but for those of set operations.
pub(super) fn of_rows(plan: &LogicalPlan) -> Result<DFSchemaRef> {
    let settled = SettleTypes.analyze(plan.clone(), &ConfigOptions::default())?;
    Ok(Arc::clone(settled.schema()))
}

/// The expression of one of a plan's columns, or the column.
pub(super) fn shown_at(plan: &LogicalPlan, at: usize) -> Expr {
    match plan {
        LogicalPlan::Distinct(Distinct::All(input)) => shown_at(input, at),
        LogicalPlan::SubqueryAlias(alias) => shown_at(&alias.input, at),
        LogicalPlan::Projection(projection) => projection.expr[at].clone(),
        other => Expr::Column(Column::from(other.schema().qualified_field(at))),
    }
}

/// Whether one of a plan's columns is no column of a table, but computed of such or written.
pub(crate) fn is_computed(plan: &LogicalPlan, at: usize) -> bool {
    let named = |expression: &Expr, input: &LogicalPlan| match expression.clone().unalias() {
        Expr::Column(column) => input.schema().maybe_index_of_column(&column).is_none_or(|at| is_computed(input, at)),
        // A cast says the digits.
        Expr::Cast(cast) => [ANY_NUMERIC, LONG_NUMERIC].contains(cast.field.data_type()),
        _ => true,
    };
    match plan {
        LogicalPlan::TableScan(_) => false,
        LogicalPlan::Projection(projection) => named(&projection.expr[at], &projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_computed(&alias.input, at),
        LogicalPlan::Filter(filter) => is_computed(&filter.input, at),
        LogicalPlan::Sort(sort) => is_computed(&sort.input, at),
        LogicalPlan::Limit(limit) => is_computed(&limit.input, at),
        LogicalPlan::Distinct(Distinct::All(input)) => is_computed(input, at),
        LogicalPlan::Union(union) => union.inputs.iter().any(|input| is_computed(input, at)),
        LogicalPlan::Window(window) if at < window.input.schema().fields().len() => is_computed(&window.input, at),
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.get(at) {
            Some(key @ Expr::Column(_)) => named(key, &aggregate.input),
            _ => true,
        },
        LogicalPlan::Join(join) => {
            let left = join.left.schema().fields().len();
            let is_both = join.schema.fields().len() == left + join.right.schema().fields().len();
            match at.checked_sub(left) {
                Some(at) if is_both => is_computed(&join.right, at),
                None if is_both => is_computed(&join.left, at),
                _ => true,
            }
        }
        _ => true,
    }
}

/// The node over inputs whose columns have got other types.
pub(super) fn recomputed(node: LogicalPlan) -> Result<LogicalPlan> {
    match node {
        LogicalPlan::RecursiveQuery(query) => as_worked_on(query),
        other => other.recompute_schema(),
    }
}

/// See the module.
#[derive(Debug)]
struct SettleTypes;

impl AnalyzerRule for SettleTypes {
    fn name(&self) -> &str {
        // Errors of the engine's rule are known by its name.
        "type_coercion"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| settled_node(node).map(Transformed::yes)).data()
    }
}

fn settled_node(node: LogicalPlan) -> Result<LogicalPlan> {
    let node = match node {
        // Its rows are cast to the columns of the table, and nothing is above it.
        LogicalPlan::Dml(_) => return Ok(node),
        LogicalPlan::RecursiveQuery(query) => return as_worked_on(query),
        other => other,
    };
    told::check_node(&node)?;
    let mut schema = merge_schema(&node.inputs());
    if let LogicalPlan::TableScan(scan) = &node {
        schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?);
    }
    operators::check_node(&node, &schema)?;
    let node = match node {
        LogicalPlan::Filter(mut filter) => {
            filter.predicate = filter.predicate.cast_to(&DataType::Boolean, &schema)?;
            LogicalPlan::Filter(filter)
        }
        other => other,
    };
    let node = match node {
        LogicalPlan::Values(mut values) => {
            long_numbers::of_rows(&mut values)?;
            LogicalPlan::Values(values)
        }
        other => other,
    };
    let settled = |expression: Expr| {
        expression.rewrite(&mut Settler { schema: &schema, engine: TypeCoercionRewriter::new(&schema) })
    };
    let node = range_keys::widened(node, |key| settled(key.clone())?.data.get_type(&schema))?;
    let node = steps::keep_names(node, settled)?;
    long_numbers::check(&node.data)?;
    let node = match node.data {
        LogicalPlan::Join(join) => LogicalPlan::Join(with_keys(join, &schema)?),
        LogicalPlan::Union(union) => LogicalPlan::Union(with_columns(union)?),
        // Quotients have got their digits by now.
        LogicalPlan::Values(values) => LogicalPlan::Values(with_columns_of_rows(values)?),
        other => other,
    };
    array_elements::with_types(TypeCoercionRewriter::new(&schema).coerce_plan(node)?.recompute_schema()?)
}

/// Settles each step of an expression.
struct Settler<'a> {
    schema: &'a DFSchema,
    engine: TypeCoercionRewriter<'a>,
}

impl TreeNodeRewriter for Settler<'_> {
    type Node = Expr;

    fn f_up(&mut self, step: Expr) -> Result<Transformed<Expr>> {
        let step = json_operators::settled(step, self.schema)?;
        operators::check(&step, self.schema)?;
        casts::check(&step, self.schema)?;
        let (step, told) = told::settled(step, self.schema)?;
        let step = shifts::settled(step, self.schema)?;
        let (step, common) = common_types::settled(step, self.schema)?;
        let step = told::chosen(step, common);
        let step = long_numbers::settled(text_numbers::settled(step)?, self.schema)?;
        let step = time_operators::settled(overloads::settled(step, self.schema)?, self.schema);
        let step = byte_patterns::settled(step, self.schema);
        let step = days::settled(written_texts::settled(step, self.schema), self.schema);
        let step = interval_lengths::settled(number_types::settled(step, self.schema)?, self.schema);
        let step = decimal_places::kept(step, self.schema)?;
        let step = self.engine.f_up(step)?.data;
        Ok(Transformed::yes(told::saying(step, told.or(common), self.schema)?))
    }
}

/// The keys of a join, which the engine compares as they are.
fn with_keys(mut join: Join, schema: &DFSchema) -> Result<Join> {
    join.on.iter().try_for_each(|(left, right)| operators::check_keys(&join, left, right))?;
    for (left, right) in &mut join.on {
        told::compare(&mut [&mut *left, &mut *right], "=", schema)?;
        if !matches!((&*left, &*right), (Expr::Column(_), Expr::Column(_))) {
            // The keys of the other kind are columns.
            join.join_constraint = JoinConstraint::On;
        }
        let types = [left.get_type(join.left.schema())?, right.get_type(join.right.schema())?];
        number_types::compare(&mut [left, right], &types, schema);
    }
    Ok(join)
}

/// The inputs of a UNION with values of one type in each column.
fn with_columns(union: Union) -> Result<Union> {
    let Union { mut inputs, schema } = union;
    let width = schema.fields().len();
    let mut shown: Vec<Vec<Expr>> = inputs.iter().map(|input| shown_by(input)).collect();
    if shown.iter().all(|columns| columns.len() == width) {
        let mut changed = false;
        for at in 0..width {
            let items: Vec<Item> =
                inputs.iter().map(|input| Item::of_column(input.schema().field(at), &shown_at(input, at))).collect();
            let values: Vec<&Expr> = shown.iter().map(|columns| &columns[at]).collect();
            let Some(common) = common_types::found(&values, &items, "UNION")? else { continue };
            for ((input, columns), item) in inputs.iter().zip(&mut shown).zip(&items) {
                if !common.is_of(item) {
                    let below = shown_from(input);
                    let value = std::mem::take(&mut columns[at]).unalias();
                    columns[at] = common_types::as_column(value, item, &common, below)?;
                    changed = true;
                }
            }
        }
        if changed {
            for (input, columns) in inputs.iter_mut().zip(shown) {
                *input = Arc::new(showing(input, columns)?);
            }
        }
    }
    // Until types are settled it has those of its first input, which may be others by now, and of what fields say that of any.
    let first = inputs[0].schema();
    let is_told_otherwise =
        schema.fields().iter().zip(first.fields()).any(|(own, first)| told_of(own) != told_of(first));
    if is_told_otherwise || differ(&schema, first) {
        Union::try_new_with_loose_types(inputs)
    } else {
        Ok(Union { inputs, schema })
    }
}

/// Whether columns at the same places are of other types.
pub(super) fn differ(one: &DFSchema, other: &DFSchema) -> bool {
    one.fields().iter().zip(other.fields()).any(|(one, other)| one.data_type() != other.data_type())
}

/// The expressions of a plan's columns.
pub(super) fn shown_by(plan: &LogicalPlan) -> Vec<Expr> {
    match plan {
        LogicalPlan::Projection(projection) => projection.expr.clone(),
        other => other.schema().columns().into_iter().map(Expr::Column).collect(),
    }
}

/// The columns that these expressions are of.
fn shown_from(plan: &LogicalPlan) -> &DFSchema {
    match plan {
        LogicalPlan::Projection(projection) => projection.input.schema(),
        other => other.schema(),
    }
}

/// The plan with other expressions of its columns, which keep their names.
pub(super) fn showing(plan: &LogicalPlan, columns: Vec<Expr>) -> Result<LogicalPlan> {
    let named = columns.into_iter().zip(shown_by(plan)).enumerate().map(|(at, (column, before))| {
        let (qualifier, field) = plan.schema().qualified_field(at);
        if column == before { column } else { column.alias_qualified(qualifier.cloned(), field.name()) }
    });
    let named = named.collect();
    let input = match plan {
        LogicalPlan::Projection(projection) => Arc::clone(&projection.input),
        other => Arc::new(other.clone()),
    };
    Ok(LogicalPlan::Projection(Projection::try_new(named, input)?))
}

/// The rows of VALUES that were just planned, without the casts by which the planner made values of one type of a column.
pub(super) fn forget_casts(values: &mut Values) -> Result<()> {
    let none = DFSchema::empty();
    for value in values.values.iter_mut().flatten() {
        *value = unread::written(std::mem::take(value));
    }
    for (at, field) in values.schema.fields().iter().enumerate() {
        let planned = field.data_type();
        if !planned.is_numeric() && !planned.is_temporal() {
            continue;
        }
        let written: Vec<Expr> = values.values.iter().map(|row| before_cast(&row[at], planned, &none)).collect();
        let own = |value: &Expr| if is_open(value) { Ok(DataType::Null) } else { value.get_type(&none) };
        let types = written.iter().map(own).collect::<Result<Vec<_>>>()?;
        // Casts of another type than the planner chose are the statement's own.
        if common(&types).as_ref() == Some(planned) {
            for (row, value) in values.values.iter_mut().zip(written) {
                row[at] = value;
            }
        }
    }
    Ok(())
}

/// The rows of VALUES with the types that the values of each column have together.
pub(super) fn with_columns_of_rows(mut values: Values) -> Result<Values> {
    let none = DFSchema::empty();
    let mut fields: Vec<Field> = values.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    for (at, field) in fields.iter_mut().enumerate() {
        // What was cast before may have got other digits since.
        for row in &mut values.values {
            row[at] = common_types::before_cast(std::mem::take(&mut row[at]));
        }
        let mut column: Vec<&mut Expr> = values.values.iter_mut().map(|row| &mut row[at]).collect();
        let told = common_types::unite(&mut column, ("VALUES", false), &none)?;
        let types = column.iter().map(|value| value.get_type(&none)).collect::<Result<Vec<_>>>()?;
        let Some(common) = common(&types) else { continue };
        for (value, own) in column.into_iter().zip(&types) {
            *value = match (std::mem::take(value), own) {
                (Expr::Literal(..), DataType::Null) => Expr::Literal(ScalarValue::try_from(&common)?, None),
                (value, own) if *own == common => value,
                // A date becomes a timestamp by the session's clocks, and stays before or after all others.
                (Expr::Literal(value, metadata), own) if *own != DataType::Date32 => {
                    Expr::Literal(value.cast_to(&common)?, metadata)
                }
                (other, _) => other.cast_to(&common, &none)?,
            };
        }
        *field = field.clone().with_data_type(common);
        if let Some(told) = told {
            field.set_metadata(told.metadata());
        }
    }
    let metadata = values.schema.metadata().clone();
    values.schema = Arc::new(DFSchema::from_unqualified_fields(fields.into(), metadata)?);
    Ok(values)
}

/// A value as it was before the planner cast it to the type of its column.
fn before_cast(value: &Expr, planned: &DataType, none: &DFSchema) -> Expr {
    match value {
        // A NULL has any type.
        Expr::Literal(value, _) if value.is_null() => Expr::Literal(ScalarValue::Null, None),
        Expr::Cast(cast) if cast.field.data_type() == planned => match cast.expr.get_type(none) {
            Ok(from) if is_alike(&from, planned) && from != *planned => cast.expr.as_ref().clone(),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

fn is_alike(from: &DataType, planned: &DataType) -> bool {
    from.is_numeric() && planned.is_numeric()
        || matches!(from, DataType::Date32 | DataType::Timestamp(..)) && matches!(planned, DataType::Timestamp(..))
}

/// The type that the engine gives to a column of values of these.
fn common(types: &[DataType]) -> Option<DataType> {
    let known = types.iter().filter(|data_type| !data_type.is_null()).cloned();
    let each = known.map(Some);
    each.reduce(|before, next| type_union_resolution(&[before?, next?])).flatten()
}

/// A recursive query whose rows have the types of the table that it works on, which were found when it was planned.
fn as_worked_on(query: RecursiveQuery) -> Result<LogicalPlan> {
    let RecursiveQuery { name, static_term, recursive_term, is_distinct, schema } = query;
    let cast = |term: Arc<LogicalPlan>| coerce_plan_expr_for_schema(Arc::unwrap_or_clone(term), &schema).map(Arc::new);
    let (static_term, recursive_term) = (cast(static_term)?, cast(recursive_term)?);
    Ok(LogicalPlan::RecursiveQuery(RecursiveQuery::try_new(name, static_term, recursive_term, is_distinct)?))
}
