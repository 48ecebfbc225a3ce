//! Solvers: from an encoded problem to its factors.
//!
//! [`als`] minimises squared loss, [`implicit`] the squared loss over all pairs of implicit feedback, [`gradient`] logistic
//! loss. All of them give the same bits for the same problem and seed on any number of threads. They know nothing of
//! columns, names or how features came to be.

pub mod als;
pub mod gradient;
pub mod implicit;
mod index;
mod prior;
#[cfg(test)]
mod testing;

use crate::{Error, Result, factors::Side, sparse::Csr};

/// Rows with a target, encoded: what the squared and logistic solvers read.
///
/// Rows are in a canonical order that depends on their values alone, so that solvers may use row numbers as keys.
#[derive(Debug)]
pub struct Problem<'a> {
    /// The users; `entities` is zero when the model has no user.
    pub users: &'a Side,
    /// The items; `entities` is zero when the model has no item.
    pub items: &'a Side,
    /// The user's number of each row; empty without users.
    pub user: &'a [u32],
    /// The item's number of each row; empty without items.
    pub item: &'a [u32],
    /// The context features of each row.
    pub context: &'a Csr,
    /// The target of each row: a number, or 0 and 1.
    pub target: &'a [f32],
    /// The weight of each row's loss; all above zero.
    pub weight: &'a [f32],
}

/// Distinct pairs that were seen, encoded: what the implicit solver reads.
#[derive(Debug)]
pub struct ImplicitProblem<'a> {
    /// The users.
    pub users: &'a Side,
    /// The items.
    pub items: &'a Side,
    /// Seen pairs: users x items; the entry is the pair's weight, above zero.
    pub seen: &'a Csr,
}

/// The most latent factors a solver accepts: rows are solved by dense systems of this size.
pub const MOST_FACTORS: usize = 1024;

impl Problem<'_> {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// That the parts fit together, that there is a row, and that every number is finite.
    fn check(&self) -> Result<()> {
        let rows = self.rows();
        if rows == 0 {
            return Err(Error::InvalidData("there are no rows to learn from; check the input and its filters".into()));
        }
        let fits = self.weight.len() == rows
            && self.context.rows() == rows
            && entities_fit(self.users, self.user, rows)
            && entities_fit(self.items, self.item, rows);
        if !fits {
            return Err(Error::Internal("the parts of a learning problem differ in length".into()));
        }
        if let Some(row) = self.target.iter().position(|target| !target.is_finite()) {
            let found = self.target[row];
            return Err(Error::InvalidData(format!("a target is {found}, expected finite numbers; filter such rows")));
        }
        if let Some(row) = self.weight.iter().position(|weight| !(weight.is_finite() && *weight > 0.0)) {
            let found = self.weight[row];
            return Err(Error::InvalidData(format!("a weight is {found}, expected a finite number above zero")));
        }
        finite("context", &self.context.values)?;
        finite("user", &self.users.features.values)?;
        finite("item", &self.items.features.values)
    }
}

impl ImplicitProblem<'_> {
    /// That the parts fit together, that there is a pair, and that every number is finite.
    fn check(&self) -> Result<()> {
        if self.seen.indices.is_empty() {
            return Err(Error::InvalidData("there are no pairs to learn from; check the input and its filters".into()));
        }
        let fits = |side: &Side, entities| {
            side.entities == entities && (side.features.columns == 0 || side.features.rows() == entities)
        };
        if !fits(self.users, self.seen.rows()) || !fits(self.items, self.seen.columns) {
            return Err(Error::Internal("the parts of an implicit learning problem differ in length".into()));
        }
        if let Some(found) = self.seen.values.iter().find(|weight| !(weight.is_finite() && **weight > 0.0)) {
            return Err(Error::InvalidData(format!("a pair weighs {found}, expected a finite number above zero")));
        }
        finite("user", &self.users.features.values)?;
        finite("item", &self.items.features.values)
    }
}

/// Whether the entity numbers of the rows and the side features fit the side.
fn entities_fit(side: &Side, numbers: &[u32], rows: usize) -> bool {
    let features_fit = side.features.columns == 0 || side.features.rows() == side.entities;
    let numbers_fit = if side.entities == 0 { numbers.is_empty() } else { numbers.len() == rows };
    features_fit && numbers_fit && numbers.iter().all(|&entity| (entity as usize) < side.entities)
}

/// That every feature value is finite.
fn finite(kind: &str, values: &[f32]) -> Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(found) => Err(Error::InvalidData(format!("a {kind} feature is {found}, expected finite numbers"))),
        None => Ok(()),
    }
}

/// That an option lies in its range; the negated comparison also refuses NaN.
fn in_range(name: &str, found: f64, least: f64, most: f64) -> Result<()> {
    if found >= least && found <= most {
        return Ok(());
    }
    let problem = format!("found {found}, expected a number from {least} to {most}");
    Err(Error::InvalidOption { name: name.into(), problem })
}

/// That a learnt parameter is finite; `advice` says what to do when it is not.
fn finite_factors(factors: &crate::factors::Factors, advice: &str) -> Result<()> {
    let side = |side: &crate::factors::SideFactors| {
        [&side.vectors, &side.biases, &side.feature_vectors, &side.feature_biases]
            .iter()
            .all(|values| values.iter().all(|value| value.is_finite()))
    };
    let context = factors.context_vectors.iter().chain(&factors.context_biases).all(|value| value.is_finite());
    if factors.mean.is_finite() && context && side(&factors.user) && side(&factors.item) {
        return Ok(());
    }
    Err(Error::InvalidData(format!("training diverged to values that are not finite; {advice}")))
}
