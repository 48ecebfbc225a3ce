//! Plans of statements: made in their scope, with the types of their parameters and then with their values.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::{
    common::{
        ParamValues, ScalarValue,
        metadata::ScalarAndMetadata,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, LogicalPlan, expr::Placeholder},
    sql::parser::Statement as SqlStatement,
};
use futures::future::BoxFuture;

use super::parameters::{give_types, numbered};
use crate::{
    Error, Fault, Result, planning,
    session::{Analysis, Scope, Sealed, functions::SET_CONFIG},
};

/// A plan of a statement before the values of its parameters are known.
pub(super) struct Typed {
    pub(super) plan: Sealed<LogicalPlan>,
    /// The types of its parameters.
    pub(super) parameters: Vec<DataType>,
    /// Whether it is what runs: all types were told, and no value decides what is planned.
    pub(super) is_final: bool,
}

/// Plans a statement whose parameters have these types, as far as they are told.
pub(super) fn typed<'a>(
    scope: &Arc<Scope>,
    statement: &SqlStatement,
    types: &'a [Option<DataType>],
) -> BoxFuture<'a, Result<Typed>> {
    let mut statement = statement.clone();
    give_types(&mut statement, types);
    let planning = plan(scope, statement, None);
    Box::pin(async move {
        let plan = planning.await?;
        let parameters = parameter_types(&plan, types)?;
        let told = parameters.iter().enumerate().all(|(at, _)| matches!(types.get(at), Some(Some(_))));
        let is_final = told && !fusewire_udfs::plan::is_unbound(&plan)?;
        Ok(Typed { plan: Sealed::new(plan), parameters, is_final })
    })
}

/// What is known of such a statement, which has no rows to tell of.
pub(super) async fn analyze(
    scope: &Arc<Scope>,
    statement: &SqlStatement,
    types: &[Option<DataType>],
) -> Result<Analysis> {
    let Typed { plan, parameters, is_final } = typed(scope, statement, types).await?;
    Ok(Analysis { parameters, plan: is_final.then_some(plan), columns: None })
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
        None => self::plan(scope, statement.clone(), Some(values)),
    }
}

/// Plans a statement; with the values of its parameters, or to describe it without.
pub(super) fn plan<'a>(
    scope: &Arc<Scope>,
    mut statement: SqlStatement,
    values: Option<&'a [ScalarValue]>,
) -> BoxFuture<'a, Result<LogicalPlan>> {
    if let Some(values) = values {
        let types: Vec<_> = values.iter().map(|value| Some(value.data_type())).collect();
        give_types(&mut statement, &types);
    }
    let rewritten = fusewire_udfs::arguments::rewrite(&mut statement, values);
    let planned = scope.plan(statement);
    Box::pin(async move {
        rewritten?;
        let plan = planned.await?;
        match values {
            Some(values) => bind(plan, values),
            None => Ok(plan),
        }
    })
}

/// Whether a plan calls `set_config`.
pub(super) fn assigns(plan: &LogicalPlan) -> Result<bool> {
    let is_call = |part: &Expr| matches!(part, Expr::ScalarFunction(call) if call.name() == SET_CONFIG);
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            found = found || expression.exists(|part| Ok(is_call(part)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

/// Puts the values of `$1`, `$2`, … into a plan.
pub(super) fn bind(plan: LogicalPlan, values: &[ScalarValue]) -> Result<LogicalPlan> {
    let wanted = plan.get_parameter_names()?.len();
    if wanted > values.len() {
        return Err(Error::new(
            Fault::InvalidArgument,
            format!("the statement has {wanted} parameters, but {} values were given", values.len()),
        ));
    }
    if values.is_empty() {
        return Ok(plan);
    }
    let values = values.iter().cloned().map(ScalarAndMetadata::from).collect();
    Ok(plan.with_param_values(ParamValues::List(values))?)
}

/// The types of a plan's parameters in their order: the client's where it declared them, text where nothing tells.
pub(super) fn parameter_types(plan: &LogicalPlan, declared: &[Option<DataType>]) -> Result<Vec<DataType>> {
    let inferred = plan.get_parameter_types()?;
    let count = inferred.keys().filter_map(|name| numbered(name)).max().unwrap_or(0).max(declared.len());
    Ok((1..=count)
        .map(|number| {
            let declared = declared.get(number - 1).cloned().flatten();
            let inferred = inferred.get(&format!("${number}")).cloned().flatten();
            declared.or(inferred).unwrap_or(DataType::Utf8)
        })
        .collect())
}

/// Gives the parameters that nothing in the statement tells the type of the types they will be bound with, so that the plan's
/// columns are those of the rows.
pub(super) fn with_types(plan: LogicalPlan, types: &[DataType]) -> Result<LogicalPlan> {
    let typed = |expression: Expr| match expression {
        Expr::Placeholder(Placeholder { id, field: None }) => {
            let data_type = numbered(&id).and_then(|number| types.get(number - 1));
            let field = data_type.map(|data_type| Arc::new(Field::new(&id, data_type.clone(), true)));
            Ok(Transformed::yes(Expr::Placeholder(Placeholder { id, field })))
        }
        other => Ok(Transformed::no(other)),
    };
    let node = |node: LogicalPlan| node.map_expressions(|expression| expression.transform_up(typed));
    let changed = plan.transform_up_with_subqueries(node)?;
    if !changed.transformed {
        return Ok(changed.data);
    }
    Ok(changed.data.transform_up(|node| node.recompute_schema().map(Transformed::yes)).data()?)
}

/// The columns of a plan's rows with the types that they will have. Before types are settled, a UNION has those of its first
/// input. Where they cannot be settled, running the plan says why.
pub(super) fn schema_of(plan: &LogicalPlan) -> SchemaRef {
    let settled = planning::settled(plan.clone());
    Arc::clone(settled.as_ref().unwrap_or(plan).schema().inner())
}
