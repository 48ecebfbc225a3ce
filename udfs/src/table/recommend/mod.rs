//! `recommend`: the best items for every user.
//!
//! ```sql
//! SELECT * FROM recommend('taste', (SELECT user_id FROM customers), k => 5,
//!   exclude => (SELECT user_id, item_id FROM orders), max_per => 'category:2')
//! ```
//!
//! Every user of the input is answered once, in the order of the input, best item first. The answer is exact.

mod call;
mod exec;
mod keys;
mod node;
mod pushdown;
mod question;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::fmt;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::models::ModelRef;

pub use call::Recommend;
pub use exec::RecommendExec;
pub use node::RecommendNode;

/// The column of `candidates` that is added to the score.
const BOOST: &str = "boost";

/// What `recommend` computes, as plain data that travels in plans.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ranking {
    model: ModelRef,
    user: Key,
    item: Key,
    k: usize,
    include_seen: bool,
    max_per: Option<(String, usize)>,
    /// Whether `candidates` have a boost.
    boosted: bool,
    /// The column of `history` that says how much an event counts, if it has one.
    history_weight: Option<String>,
}

/// The user's or the item's column, as the model was trained on it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
}

/// A relation beside the users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    /// Items not to answer.
    Exclude,
    /// The only items to answer.
    Candidates,
    /// What users did after training.
    History,
}

impl Extra {
    /// The argument that gives it.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::Candidates => "candidates",
            Self::History => "history",
        }
    }
}

impl Ranking {
    /// The version that answers.
    pub fn model(&self) -> &ModelRef {
        &self.model
    }

    /// The user's column.
    pub fn user(&self) -> &Key {
        &self.user
    }

    /// The item's column.
    pub fn item(&self) -> &Key {
        &self.item
    }

    /// The most items a user gets.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The same with at most so many items a user.
    #[must_use]
    pub fn at_most(&self, k: usize) -> Self {
        Self { k: self.k.min(k), ..self.clone() }
    }

    fn include_seen(&self) -> bool {
        self.include_seen
    }

    fn max_per(&self) -> Option<(&str, usize)> {
        self.max_per.as_ref().map(|(column, most)| (column.as_str(), *most))
    }

    fn is_boosted(&self) -> bool {
        self.boosted
    }

    fn history_weight(&self) -> Option<&str> {
        self.history_weight.as_deref()
    }

    /// The user, the item, `rank` and `score`.
    pub fn output_schema(&self) -> SchemaRef {
        Schema::new(vec![
            Field::new(&self.user.name, self.user.data_type.clone(), true),
            Field::new(&self.item.name, self.item.data_type.clone(), false),
            Field::new("rank", DataType::Int64, false),
            Field::new("score", DataType::Float64, false),
        ])
        .into()
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "model={}, k={}", self.model, self.k)?;
        if self.include_seen {
            write!(formatter, ", include_seen=true")?;
        }
        match &self.max_per {
            Some((column, most)) => write!(formatter, ", max_per={column}:{most}"),
            None => Ok(()),
        }
    }
}
