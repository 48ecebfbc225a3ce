//! The logical node of `recommend`: what the optimizer may do with it.

use std::{
    cmp::Ordering,
    collections::HashSet,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use datafusion::{
    common::{DFSchema, DFSchemaRef},
    error::{DataFusionError, Result},
    logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore},
    physical_plan::ExecutionPlan,
};

use super::{Extra, Ranking, RecommendExec};
use crate::plan::Node;

/// The users, the relations beside them, and what is asked. Every input holds the columns that are read and no other,
/// in their trained types.
#[derive(Debug, Clone)]
pub struct RecommendNode {
    ranking: Ranking,
    /// The users, then one relation for each of `extras`.
    inputs: Vec<LogicalPlan>,
    extras: Vec<Extra>,
    schema: DFSchemaRef,
}

impl RecommendNode {
    /// The node over these inputs.
    ///
    /// # Errors
    /// Two output columns of one name.
    pub fn try_new(ranking: Ranking, users: LogicalPlan, extras: Vec<(Extra, LogicalPlan)>) -> Result<Self> {
        let schema = DFSchema::try_from(ranking.output_schema())?.into();
        let (extras, relations): (Vec<_>, Vec<_>) = extras.into_iter().unzip();
        let inputs = [users].into_iter().chain(relations).collect();
        Ok(Self { ranking, inputs, extras, schema })
    }

    /// Whether nothing but their keys is read of the users, so that a user's rows are all the same.
    pub(super) fn has_users_alone(&self) -> bool {
        self.inputs.first().is_some_and(|users| users.schema().fields().len() == 1)
    }

    /// What is asked.
    pub fn ranking(&self) -> &Ranking {
        &self.ranking
    }
}

impl UserDefinedLogicalNodeCore for RecommendNode {
    fn name(&self) -> &str {
        "Recommend"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// A filter on the user reaches the users. The optimizer would put it into every input, so that with relations
    /// beside the users the operator does this instead.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let user = self.ranking.user();
        let kept = |name: &&String| !self.extras.is_empty() || **name != user.name;
        self.schema.fields().iter().map(|field| field.name()).filter(kept).cloned().collect()
    }

    fn fmt_for_explain(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recommend: {}", self.ranking)
    }

    fn with_exprs_and_inputs(&self, _expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        if inputs.len() != self.inputs.len() {
            return Err(DataFusionError::Internal("recommend keeps its number of inputs".into()));
        }
        Ok(Self { inputs, ..self.clone() })
    }
}

impl Node for RecommendNode {
    fn physical(&self, inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(RecommendExec::try_new(self.ranking.clone(), self.extras.clone(), inputs.to_vec())?))
    }
}

impl PartialEq for RecommendNode {
    fn eq(&self, other: &Self) -> bool {
        self.ranking == other.ranking && self.extras == other.extras && self.inputs == other.inputs
    }
}

impl Eq for RecommendNode {}

impl Hash for RecommendNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ranking.hash(state);
        self.extras.hash(state);
        self.inputs.hash(state);
    }
}

impl PartialOrd for RecommendNode {
    /// Nodes are equal or not comparable: nothing sorts plans by what they recommend.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}
