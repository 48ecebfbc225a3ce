//! Turns calls such as `train(…)` and `predict(…)` in FROM into plan nodes.
//!
//! Knows the list of functions and nothing about any one of them.

use std::sync::Arc;

use datafusion::{
    common::Result,
    logical_expr::{
        LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNode,
        planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning},
    },
    physical_plan::ExecutionPlan,
    sql::sqlparser::ast::{FunctionArg, Ident, ObjectName, TableAlias, TableAliasColumnDef, TableFactor},
};

use crate::{
    arguments::{self, Arguments, Parameter},
    error::Error,
    models::Models,
    plan, table,
};

/// Every table function, in the order in which the documentation shows them.
pub const FUNCTIONS: &[&dyn TableFunction] = &[
    &table::train::Train,
    &table::evaluate::Evaluate,
    &table::predict::Predict,
    &table::recommend::Recommend,
    &table::embeddings::Embeddings,
];

/// A function that stands where a table may.
pub trait TableFunction: Send + Sync {
    /// The name that SQL uses.
    fn name(&self) -> &'static str;

    /// One sentence on what it does.
    fn purpose(&self) -> &'static str;

    /// A statement that shows it.
    fn example(&self) -> &'static str;

    /// Its result: the columns, or in words what they are.
    fn returns(&self) -> &'static str;

    /// Its parameters; arguments without a name go by this order.
    fn parameters(&self) -> Vec<Parameter>;

    /// Plans a call. Whatever the types tell is checked here; nothing is run or read.
    fn plan(&self, arguments: &Arguments, models: &dyn Models) -> Result<LogicalPlan>;

    /// Whether a logical node is one of this function's that answers each row of its first input by itself, whatever other
    /// rows there are; where that input has a single column, and the answers have it as their first.
    fn answers_each_row(&self, _node: &dyn UserDefinedLogicalNode) -> bool {
        false
    }

    /// The operator of a logical node of this function, `None` for another's. [`plan::physical`] does it.
    fn physical(
        &self,
        node: &dyn UserDefinedLogicalNode,
        inputs: &[Arc<dyn ExecutionPlan>],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>>;
}

/// Plans the calls of [`FUNCTIONS`] over the models that are found here.
#[derive(Debug)]
pub struct FunctionPlanner {
    models: Arc<dyn Models>,
}

impl FunctionPlanner {
    /// A planner over these models.
    pub fn new(models: Arc<dyn Models>) -> Self {
        Self { models }
    }

    fn plan_call(&self, call: Call, sql: String, context: &mut dyn RelationPlannerContext) -> Result<PlannedRelation> {
        let Call { function, arguments, with_ordinality, alias } = call;
        let name = function.name();
        if with_ordinality {
            let problem = format!("{name} has no WITH ORDINALITY; number its rows with row_number() OVER (…)");
            return Err(Error::NotSupported(problem).into());
        }
        let arguments = arguments::read(name, function.parameters(), sql, arguments, context)?;
        let planned = function.plan(&arguments, self.models.as_ref())?;
        let planned = plan::unbound(planned, arguments.unbound());
        // Without an alias the function's name qualifies its columns, as in PostgreSQL.
        match alias {
            Some(alias) => {
                let alias = whole(alias, &planned);
                Ok(PlannedRelation::new(planned, Some(alias)))
            }
            None => Ok(PlannedRelation::new(LogicalPlanBuilder::from(planned).alias(name)?.build()?, None)),
        }
    }
}

impl RelationPlanner for FunctionPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match Call::of(relation) {
            Ok((call, sql)) => Ok(RelationPlanning::Planned(Box::new(self.plan_call(call, sql, context)?))),
            Err(relation) => Ok(RelationPlanning::Original(relation)),
        }
    }
}

/// As in PostgreSQL an alias may rename the first columns only; the query engine wants all or none.
fn whole(mut alias: TableAlias, plan: &LogicalPlan) -> TableAlias {
    if !alias.columns.is_empty() {
        let rest = plan.schema().fields().iter().skip(alias.columns.len());
        let rest =
            rest.map(|field| TableAliasColumnDef { name: Ident::with_quote('"', field.name()), data_type: None });
        alias.columns.extend(rest);
    }
    alias
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static dyn TableFunction> {
    FUNCTIONS.iter().copied().find(|function| function.name() == name)
}

/// A call of one of [`FUNCTIONS`]: plain calls and LATERAL ones arrive in different shapes.
struct Call {
    function: &'static dyn TableFunction,
    arguments: Vec<FunctionArg>,
    with_ordinality: bool,
    alias: Option<TableAlias>,
}

impl Call {
    /// The call that a table factor is, with its text; else the factor as it was.
    fn of(relation: TableFactor) -> Result<(Self, String), Box<TableFactor>> {
        match relation {
            TableFactor::Table { ref name, args: Some(_), .. } | TableFactor::Function { ref name, .. } => {
                let Some(function) = function_named(name) else { return Err(Box::new(relation)) };
                let (name, arguments, with_ordinality, alias) = match relation {
                    TableFactor::Table { name, args: Some(arguments), with_ordinality, alias, .. } => {
                        (name, arguments.args, with_ordinality, alias)
                    }
                    TableFactor::Function { name, args, with_ordinality, alias, .. } => {
                        (name, args, with_ordinality, alias)
                    }
                    other => return Err(Box::new(other)),
                };
                let texts: Vec<_> = arguments.iter().map(ToString::to_string).collect();
                let sql = format!("{name}({})", texts.join(", "));
                Ok((Self { function, arguments, with_ordinality, alias }, sql))
            }
            other => Err(Box::new(other)),
        }
    }
}

/// The function that a name in FROM means.
pub(crate) fn function_named(name: &ObjectName) -> Option<&'static dyn TableFunction> {
    let [part] = name.0.as_slice() else { return None };
    let name = part.as_ident()?;
    if name.quote_style.is_some() { find(&name.value) } else { find(&name.value.to_lowercase()) }
}
