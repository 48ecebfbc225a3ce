//! From logical nodes to operators, and the wiring of both into a session.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{DFSchemaRef, Result, tree_node::TreeNodeRecursion},
    execution::{SessionStateBuilder, context::QueryPlanner},
    logical_expr::{
        Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
        physical_planning_context::PhysicalPlanningContext,
    },
    physical_plan::ExecutionPlan,
    physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner},
};

use crate::{context::FunctionContext, error::Error, planner::FUNCTIONS};

/// A logical node of ours, which knows its own operator.
pub trait Node: UserDefinedLogicalNodeCore {
    /// The operator over these inputs, which stand in the order of the logical ones.
    fn physical(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>>;
}

/// The operator of `node` if it is an `N`.
pub fn physical<N: Node>(
    node: &dyn UserDefinedLogicalNode,
    inputs: &[Arc<dyn ExecutionPlan>],
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    node.as_any().downcast_ref::<N>().map(|node| node.physical(inputs)).transpose()
}

/// The only input of an operator.
///
/// # Errors
/// [`Error::Internal`] if there is none or another one.
pub fn only_input<T: Clone>(operator: &str, inputs: &[T]) -> Result<T> {
    match inputs {
        [input] => Ok(input.clone()),
        other => Err(Error::Internal(format!("{operator} has {} inputs, expected one", other.len())).into()),
    }
}

/// Whether a node answers each row of its first input, of one column, by itself, with that column before the answer.
pub fn answers_each_row(node: &dyn UserDefinedLogicalNode) -> bool {
    FUNCTIONS.iter().any(|function| function.answers_each_row(node))
}

/// Lets a session run the operators of [`FUNCTIONS`]. Its statements plan their calls with a [`FunctionPlanner`].
pub fn register(mut builder: SessionStateBuilder, context: Arc<FunctionContext>) -> SessionStateBuilder {
    builder.config().get_or_insert_default().set_extension(context);
    builder.with_query_planner(Arc::new(FunctionQueryPlanner::default()))
}

/// The default query planner, with operators for our nodes.
#[derive(Default)]
pub struct FunctionQueryPlanner {
    further: Vec<Arc<dyn ExtensionPlanner + Send + Sync>>,
}

impl FunctionQueryPlanner {
    /// A planner that knows the nodes of others too.
    pub fn beside(further: Vec<Arc<dyn ExtensionPlanner + Send + Sync>>) -> Self {
        Self { further }
    }
}

impl fmt::Debug for FunctionQueryPlanner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FunctionQueryPlanner").field("further", &self.further.len()).finish()
    }
}

#[async_trait]
impl QueryPlanner for FunctionQueryPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let mut planners = self.further.clone();
        planners.push(Arc::new(NodePlanner));
        DefaultPhysicalPlanner::with_extension_planners(planners).create_physical_plan(plan, session).await
    }
}

/// Asks every function for the operator of a node.
#[derive(Debug)]
pub struct NodePlanner;

#[async_trait]
impl ExtensionPlanner for NodePlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        for function in FUNCTIONS {
            if let Some(operator) = function.physical(node, inputs)? {
                return Ok(Some(operator));
            }
        }
        physical::<UnboundNode>(node, inputs)
    }
}

/// A call some of whose arguments are parameters without a value: it can be described, and refuses to run.
///
/// It shows the parameters to the engine with their types. Values given to the finished plan would come too late, as the
/// call was planned with defaults; they belong into the statement before it is planned.
pub(crate) fn unbound(plan: LogicalPlan, parameters: &[Expr]) -> LogicalPlan {
    if parameters.is_empty() {
        return plan;
    }
    LogicalPlan::Extension(Extension { node: Arc::new(UnboundNode { input: plan, parameters: parameters.to_vec() }) })
}

/// Whether a plan has a call whose arguments wait for values.
///
/// # Errors
/// None of its own.
pub fn is_unbound(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        let waits = |node: &Extension| node.node.as_any().is::<UnboundNode>();
        found = found || matches!(node, LogicalPlan::Extension(extension) if waits(extension));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Hash)]
struct UnboundNode {
    input: LogicalPlan,
    parameters: Vec<Expr>,
}

impl UserDefinedLogicalNodeCore for UnboundNode {
    fn name(&self) -> &str {
        "Unbound"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        self.parameters.clone()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<_> = self.parameters.iter().map(ToString::to_string).collect();
        write!(formatter, "Unbound: parameters=[{}]", parameters.join(", "))
    }

    fn with_exprs_and_inputs(&self, parameters: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: only_input("Unbound", &inputs)?, parameters })
    }
}

impl Node for UnboundNode {
    fn physical(&self, _inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
        let problem = "the arguments of a function are parameters without values; give the values before the statement is planned";
        Err(Error::NotSupported(problem.into()).into())
    }
}
