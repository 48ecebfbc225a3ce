//! Plans of statements: made in their scope, with the types of their parameters and then with their values.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::{
    common::{
        ParamValues, Result as PlanResult, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Cast, Expr, LogicalPlan, expr::ScalarFunction},
    sql::parser::Statement as SqlStatement,
};
use futures::future::BoxFuture;

use super::{
    parameters::mentioned,
    placeholders::numbered,
    series::{self, Given},
};
use crate::{
    Error, Fault, Result,
    pgtype::{self, ColumnType},
    planning,
    session::{Analysis, Scope, Sealed, functions::SET_CONFIG},
};

/// A plan of a statement before the values of its parameters are known.
pub(super) struct Typed {
    pub(super) plan: Sealed<LogicalPlan>,
    /// The types of its parameters.
    pub(super) parameters: Vec<DataType>,
    /// Whether it is what runs: no value decides what is planned.
    pub(super) is_final: bool,
}

/// Plans a statement whose parameters have these types, as far as they are told; where they are not, the plan of a statement
/// with parameters of no type tells them. Its rows are stored in columns of the types `columns`, if there are any.
pub(super) fn typed<'a>(
    scope: &Arc<Scope>,
    statement: &SqlStatement,
    declared: &'a [Option<DataType>],
    columns: Vec<DataType>,
) -> BoxFuture<'a, Result<Typed>> {
    let mut statement = statement.clone();
    let rewritten = fusewire_udfs::arguments::rewrite(&mut statement, None);
    let mentioned = mentioned(&statement);
    let of_series = series::give(scope, &mut statement, Given::Types(declared));
    let (scope, statement) = (Arc::clone(scope), Sealed::new(statement));
    Box::pin(async move {
        rewritten?;
        let mut types = declared_types(declared, &mentioned);
        for (number, data_type) in &of_series {
            types[number - 1].get_or_insert_with(|| data_type.clone());
        }
        let mut scope = scope;
        if types.iter().any(Option::is_none) {
            let open: Vec<_> = types.iter().map(|known| known.clone().unwrap_or(DataType::Null)).collect();
            let plan = scope.plan(SqlStatement::clone(&statement), &open).await?;
            let found = planning::parameter_types(&plan, &types, &columns)?;
            let told = found_told(scope.declared(), (&types, &found), &planning::told_parameters(&plan)?);
            (types, scope) = (found, scope.declaring(&told));
        }
        let parameters = found_types(types, &mentioned)?;
        let plan = scope.plan(SqlStatement::clone(&statement), &parameters).await?;
        // Now that all types are known, so is what texts in quotes are.
        let known: Vec<_> = parameters.iter().cloned().map(Some).collect();
        planning::parameter_types(&plan, &known, &columns)?;
        let is_final = of_series.is_empty() && !fusewire_udfs::plan::is_unbound(&plan)?;
        Ok(Typed { plan: Sealed::new(plan), parameters, is_final })
    })
}

/// The types that were declared of the parameters up to the greatest number.
fn declared_types(declared: &[Option<DataType>], mentioned: &BTreeSet<usize>) -> Vec<Option<DataType>> {
    let count = mentioned.last().copied().unwrap_or(0).max(declared.len());
    let known = |at: usize| declared.get(at).cloned().flatten().filter(|data_type| !data_type.is_null());
    (0..count).map(known).collect()
}

/// The types of all parameters. One that the plan has no use for is a text, and one that the statement does not have is unknown.
fn found_types(found: Vec<Option<DataType>>, mentioned: &BTreeSet<usize>) -> Result<Vec<DataType>> {
    let each = found.into_iter().zip(1..).map(|(found, number)| match found {
        Some(data_type) => Ok(data_type),
        None if mentioned.contains(&number) => Ok(DataType::Utf8),
        None => {
            let message = format!("could not determine data type of parameter ${number}");
            Err(Error::new(Fault::IndeterminateDatatype, message))
        }
    });
    each.collect()
}

/// What fields have to say of the types of parameters, which are known and then found: what was declared, and of those that were
/// left open, what their places say.
fn found_told(
    declared: &[Option<ColumnType>],
    (known, found): (&[Option<DataType>], &[Option<DataType>]),
    told: &BTreeMap<usize, u32>,
) -> Vec<Option<ColumnType>> {
    let each = known.iter().zip(found).enumerate().map(|(at, (known, found))| match known {
        Some(_) => declared.get(at).copied().flatten(),
        None => pgtype::told_of(*told.get(&(at + 1))?, found.as_ref()?),
    });
    each.collect()
}

/// What is known of such a statement, which has no rows to tell of.
pub(super) async fn analyze(
    scope: &Arc<Scope>,
    statement: &SqlStatement,
    types: &[Option<DataType>],
) -> Result<Analysis> {
    let Typed { plan, parameters, is_final } = typed(scope, statement, types, Vec::new()).await?;
    Ok(Analysis { parameters, plan: is_final.then_some(plan), ..Analysis::default() })
}

/// The plan of a statement that was analysed, with the values of its parameters.
pub(super) fn planned<'a>(
    scope: &Arc<Scope>,
    statement: &SqlStatement,
    plan: Option<Sealed<LogicalPlan>>,
    values: &'a [ScalarValue],
) -> BoxFuture<'a, Result<LogicalPlan>> {
    match plan {
        Some(plan) => Box::pin(async move { bind(LogicalPlan::clone(&plan), values) }),
        None => self::plan(scope, statement.clone(), values),
    }
}

/// Plans a statement with the values of its parameters.
pub(super) fn plan<'a>(
    scope: &Arc<Scope>,
    mut statement: SqlStatement,
    values: &'a [ScalarValue],
) -> BoxFuture<'a, Result<LogicalPlan>> {
    let types: Vec<_> = values.iter().map(ScalarValue::data_type).collect();
    series::give(scope, &mut statement, Given::Values(values));
    let rewritten = fusewire_udfs::arguments::rewrite(&mut statement, Some(values));
    let planned = scope.plan(statement, &types);
    Box::pin(async move {
        rewritten?;
        bind(planned.await?, values)
    })
}

/// Whether a plan calls `set_config`.
pub(super) fn assigns(plan: &LogicalPlan) -> Result<bool> {
    let is_call = |part: &Expr| matches!(part, Expr::ScalarFunction(call) if call.name() == SET_CONFIG);
    Ok(has(plan, |node| planning::has_step(node, is_call).unwrap_or(true))?)
}

/// The plan of a statement that calls `set_config`, in which `current_setting` yields what was set so far.
pub(super) fn following(plan: LogicalPlan, scope: &Scope) -> Result<LogicalPlan> {
    let function = scope.following_setting();
    let bind = |step: Expr| match step {
        Expr::ScalarFunction(call) if call.name() == function.name() => {
            let bound = ScalarFunction { func: Arc::clone(&function), args: call.args };
            Ok(Transformed::yes(Expr::ScalarFunction(bound)))
        }
        other => Ok(Transformed::no(other)),
    };
    let node = |node: LogicalPlan| node.map_expressions(|expression| expression.transform_up(bind));
    Ok(plan.transform_up_with_subqueries(node).data()?)
}

/// Whether a plan, or one of the subqueries in it, has such a node.
pub(super) fn has(plan: &LogicalPlan, is_wanted: impl Fn(&LogicalPlan) -> bool) -> PlanResult<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found = is_wanted(node);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Puts the values of `$1`, `$2`, … into a plan.
pub(super) fn bind(plan: LogicalPlan, values: &[ScalarValue]) -> Result<LogicalPlan> {
    let wanted = plan.get_parameter_names()?;
    if let Some(number) = wanted.iter().filter_map(|name| numbered(name)).filter(|number| *number > values.len()).min()
    {
        let message = format!("there is no parameter ${number}");
        let hint = Some(format!("the statement was given {} values", values.len()));
        return Err(Error::Statement { fault: Fault::UndefinedParameter, message, hint });
    }
    if values.is_empty() {
        return Ok(plan);
    }
    let plan = with_dimensions(plan, values)?;
    let values = planning::told_values(&plan, values)?;
    Ok(plan.with_param_values(ParamValues::List(values))?)
}

/// Casts of parameters to arrays are to such of as many dimensions as their values have: `int[]` stands for any number of them.
fn with_dimensions(plan: LogicalPlan, values: &[ScalarValue]) -> PlanResult<LogicalPlan> {
    let dimensions: Vec<usize> = values.iter().map(|value| pgtype::dimensions_of(&value.data_type())).collect();
    if dimensions.iter().all(|dimensions| *dimensions < 2) {
        return Ok(plan);
    }
    let deepened = |step: Expr| {
        let Expr::Cast(Cast { expr, field }) = &step else { return Ok(Transformed::no(step)) };
        let Expr::Placeholder(placeholder) = expr.as_ref() else { return Ok(Transformed::no(step)) };
        let at = numbered(&placeholder.id).and_then(|number| number.checked_sub(1));
        let given = at.and_then(|at| dimensions.get(at)).copied().unwrap_or_default();
        let wanted = pgtype::dimensions_of(field.data_type());
        if wanted == 0 || given <= wanted {
            return Ok(Transformed::no(step));
        }
        let array = pgtype::nested(given, pgtype::innermost(field.data_type()).clone());
        let field = Arc::new(field.as_ref().clone().with_data_type(array));
        Ok(Transformed::yes(Expr::Cast(Cast::new_from_field(expr.clone(), field))))
    };
    let node = |node: LogicalPlan| node.map_expressions(|expression| expression.transform_up(deepened));
    plan.transform_up_with_subqueries(node).data()
}

/// The columns of a plan's rows with the types that they will have. Before types are settled, a UNION has those of its first
/// input. Where they cannot be settled, running the plan says why.
pub(super) fn schema_of(plan: &LogicalPlan) -> SchemaRef {
    let settled = planning::settled(plan.clone());
    Arc::clone(settled.as_ref().unwrap_or(plan).schema().inner())
}
