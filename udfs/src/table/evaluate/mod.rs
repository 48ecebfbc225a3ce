//! `evaluate`: how good a model is, by its training or by other rows.
//!
//! ```sql
//! SELECT * FROM evaluate('taste');
//! SELECT * FROM evaluate('taste', (SELECT user_id, item_id, rating FROM ratings_of_june));
//! ```
//!
//! Without an input the metrics kept from training are returned, which needs no model file. With one, its rows are scored
//! and compared with their outcome: the target, or for a ranking model the pairs themselves.

mod exec;
mod node;

use std::sync::Arc;

use datafusion::{
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode},
    physical_plan::ExecutionPlan,
};

use crate::{
    arguments::{Arguments, Kind, Parameter},
    models::Models,
    plan,
    planner::TableFunction,
    table::metrics,
};

pub use exec::EvaluateExec;
pub use node::{EvaluateNode, Request};

/// The function `evaluate`.
#[derive(Debug)]
pub struct Evaluate;

impl TableFunction for Evaluate {
    fn name(&self) -> &'static str {
        "evaluate"
    }

    fn purpose(&self) -> &'static str {
        "returns the metrics of a model: those of its training, or those on an input with a known outcome"
    }

    fn example(&self) -> &'static str {
        "SELECT * FROM evaluate('taste')"
    }

    fn returns(&self) -> &'static str {
        metrics::RETURNS
    }

    fn parameters(&self) -> Vec<Parameter> {
        PARAMETERS.to_vec()
    }

    fn plan(&self, arguments: &Arguments, models: &dyn Models) -> Result<LogicalPlan> {
        let model = models.resolve(&arguments.required_text("model")?)?;
        match arguments.relation("input")? {
            Some(input) => EvaluateNode::plan(input.plan, &model),
            None => {
                let rows = metrics::batch(&model.name, model.version, &model.metrics)?;
                metrics::scan("evaluate", vec![rows])
            }
        }
    }

    fn physical(
        &self,
        node: &dyn UserDefinedLogicalNode,
        inputs: &[Arc<dyn ExecutionPlan>],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        plan::physical::<EvaluateNode>(node, inputs)
    }
}

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "model", kind: Kind::Model, default: None, doc: "the model, as 'name' or 'name@version'" },
    Parameter {
        name: "input",
        kind: Kind::Relation,
        default: Some("null"),
        doc: "rows with a known outcome; by default the metrics kept from training are returned",
    },
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
