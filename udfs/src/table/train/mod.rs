//! `train`: learns a model from rows and keeps it.
//!
//! ```sql
//! SELECT * FROM train('taste', (SELECT user_id, item_id, category, rating FROM ratings JOIN items USING (item_id)),
//!   target => 'rating', user => 'user_id', item => 'item_id');
//! ```
//!
//! Planning checks all that types tell and trains nothing. A statement runs its `train` once, before the rest: whoever
//! executes statements finds the node with [`find`], runs its plan alone, publishes the version that it finds in its row
//! ([`trained`]), and puts its metrics ([`rows`]) in its place with [`substitute`]. Which statements may hold one is decided there too, not here.

mod exec;
mod node;
mod request;
mod signature;
mod version;

use std::sync::Arc;

use datafusion::{
    common::Result,
    logical_expr::{LogicalPlan, UserDefinedLogicalNode},
    physical_plan::ExecutionPlan,
};
use fusewire_learn::HYPERPARAMETERS;

use crate::{
    arguments::{Arguments, Kind, Parameter},
    models::Models,
    plan,
    planner::TableFunction,
    table::metrics,
};

pub use exec::TrainExec;
pub use node::{TrainNode, find, substitute};
pub use request::Request;
pub use version::{rows, trained};

/// The function `train`.
#[derive(Debug)]
pub struct Train;

impl TableFunction for Train {
    fn name(&self) -> &'static str {
        "train"
    }

    fn purpose(&self) -> &'static str {
        "learns a model from rows, evaluates it on rows held out, and keeps it as a new version of its name"
    }

    fn example(&self) -> &'static str {
        "SELECT * FROM train('taste', (SELECT user_id, item_id, rating FROM ratings), target => 'rating', \
         user => 'user_id', item => 'item_id')"
    }

    fn returns(&self) -> &'static str {
        metrics::RETURNS
    }

    fn parameters(&self) -> Vec<Parameter> {
        let hyperparameters =
            HYPERPARAMETERS.iter().map(|known| parameter(known.name, Kind::Double, "null", known.purpose));
        PARAMETERS.iter().copied().chain(hyperparameters).collect()
    }

    fn plan(&self, arguments: &Arguments, models: &dyn Models) -> Result<LogicalPlan> {
        let input = arguments.required_relation("input")?;
        let request = Request::read(arguments, &input.plan, models)?;
        Ok(TrainNode::new(input.plan, request)?.into_plan())
    }

    fn physical(
        &self,
        node: &dyn UserDefinedLogicalNode,
        inputs: &[Arc<dyn ExecutionPlan>],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        plan::physical::<TrainNode>(node, inputs)
    }
}

const fn parameter(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Parameter {
    Parameter { name, kind, default: Some(default), doc }
}

const PARAMETERS: &[Parameter] = &[
    Parameter { name: "model", kind: Kind::Model, default: None, doc: "the name to keep the model under" },
    Parameter { name: "input", kind: Kind::Relation, default: None, doc: "the rows to learn from" },
    parameter("kind", Kind::Text, "'embedding'", "the kind of model; there is 'embedding'"),
    parameter("target", Kind::Column, "null", "the column to predict; without it the model ranks items for users"),
    parameter("user", Kind::Column, "null", "the column that says who"),
    parameter("item", Kind::Column, "null", "the column that says what"),
    parameter("time", Kind::Column, "null", "the column that says when; it orders rows and is no feature"),
    parameter("objective", Kind::Text, "null", "'squared', 'logistic' or 'implicit'; by default as the target asks"),
    parameter(
        "user_columns",
        Kind::Columns,
        "null",
        "columns that describe the user; by default those with one value a user, where several rows of users show it",
    ),
    parameter("item_columns", Kind::Columns, "null", "columns that describe the item; by default likewise"),
    parameter("categories", Kind::Columns, "null", "integer columns whose values are categories rather than numbers"),
    parameter("text", Kind::Columns, "null", "text columns to read word by word"),
    parameter("weight", Kind::Column, "null", "the column that scales a row's loss"),
    parameter("strength", Kind::Column, "null", "the column summed up a pair (implicit only)"),
    parameter(
        "split",
        Kind::Text,
        "null",
        "'random', 'time', 'last', 'group:column', 'column:name' or 'none'; by default 'time' if time is given, else \
         'random': by hash of all but target and weight; few equal rows stay together, many are divided, and a user \
         with several keeps one for training",
    ),
    parameter("test_size", Kind::Double, "0.1", "the share of rows to hold out"),
    parameter("seed", Kind::Integer, "42", "the seed of everything random"),
    parameter("refit", Kind::Boolean, "false", "whether to train again on all rows after the evaluation"),
    parameter("promote", Kind::Boolean, "true", "whether the new version becomes the live one"),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
