//! Logistic loss by stochastic gradient descent with adaptive steps, the same bits on any number of threads.
//!
//! Minimises `Σ w log(1 + exp(−(2y − 1) ŷ)) + λ/2 (Σ ‖v‖² + Σ b²/10)` over the vectors v and biases b of users, items and features, with ŷ the
//! scoring form of [`crate::factors`] and y 0 or 1. The intercept starts at the base rate's logit and has no penalty. A row
//! carries its share of each penalty: λ over the number of rows that its parameter occurs in.
//!
//! Steps are those of Adagrad (Duchi, Hazan and Singer, JMLR 2011), `rate · g / (1 + √Σ g²)` in the damped form of McMahan et
//! al., KDD 2013, section 3.1, with a rate that falls to zero with the epochs.
//!
//! # Order of updates
//! Users and items are cut into a fixed number of blocks. A stratum is a set of blocks of users x items that share neither
//! (Gemulla et al., "Large-scale matrix factorization with distributed stochastic gradient descent", KDD 2011), so its blocks may run at
//! the same time, each changing its own users and items row by row. What all blocks share (the intercept, side features, the
//! context) is held still during a round of a bounded number of rows of each block, and then moved once by the sum of
//! the blocks' gradients, in the order of the blocks. A problem without users and items is the case of one stratum whose rows are
//! dealt to the blocks: fixed mini-batches cut into fixed units.

mod block;
mod schedule;
mod shared;

use block::Block;
use schedule::{BLOCKS, Schedule};
use shared::{Gradient, Layout, Shared};

use super::Problem;
use crate::{
    Control, Error, Result,
    factors::{Factors, SideFactors},
    parallel,
};

/// How [`fit`] works.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `factors` | 8 | length of every vector | 0 to [`super::MOST_FACTORS`] |
/// | `epochs` | 30 | passes over the rows | 1 to 100,000 |
/// | `learning_rate` | 0.2 | the first step's size | above 0, to 100 |
/// | `regularization` | 5 | λ, how strongly vectors are held to zero; biases are by a tenth of it | from 0 |
/// | `seed` | 42 | where the vectors start and the order of rows | any |
/// | `threads` | 1 | never changes the result | any |
#[derive(Debug, Clone, PartialEq)]
pub struct GradientOptions {
    /// The length of every vector.
    pub factors: usize,
    /// Passes over the rows.
    pub epochs: usize,
    /// The first step's size.
    pub learning_rate: f64,
    /// λ.
    pub regularization: f64,
    /// Where the vectors start and the order of rows.
    pub seed: u64,
    /// How many threads work; the result does not depend on it.
    pub threads: usize,
}

impl Default for GradientOptions {
    fn default() -> Self {
        Self { factors: 8, epochs: 30, learning_rate: 0.2, regularization: 5.0, seed: 42, threads: 1 }
    }
}

impl GradientOptions {
    fn check(&self) -> Result<()> {
        super::in_range("factors", self.factors as f64, 0.0, super::MOST_FACTORS as f64)?;
        super::in_range("epochs", self.epochs as f64, 1.0, 100_000.0)?;
        super::in_range("learning_rate", self.learning_rate, 1e-9, 100.0)?;
        super::in_range("regularization", self.regularization, 0.0, 1e9)
    }
}

/// Estimates all parameters from rows whose targets are 0 or 1.
///
/// # Errors
/// [`Error::InvalidOption`] for an option out of range, [`Error::InvalidData`] without rows, for targets other than 0 and 1, for
/// numbers that are not finite and when training diverges, [`Error::Cancelled`].
pub fn fit(problem: &Problem, options: &GradientOptions, control: &dyn Control) -> Result<Factors> {
    options.check()?;
    problem.check()?;
    if let Some(found) = problem.target.iter().find(|&&target| target != 0.0 && target != 1.0) {
        return Err(Error::InvalidData(format!("a target of the logistic objective is {found}, expected 0 or 1")));
    }
    let mut solver = Solver::new(problem, options, control)?;
    for epoch in 0..options.epochs {
        let loss = solver.epoch(epoch, control)?;
        control.progress("epoch", epoch as u64 + 1, options.epochs as u64, Some(loss));
    }
    let factors = solver.finish();
    super::finite_factors(&factors, "lower learning_rate")?;
    Ok(factors)
}

/// What part of the vectors' penalty a bias has: a bias is better known than a vector of the same rows.
const BIAS_PENALTY: f32 = 0.1;

/// The state between two epochs.
struct Solver<'a> {
    problem: &'a Problem<'a>,
    options: &'a GradientOptions,
    layout: Layout,
    schedule: Schedule,
    users: Vec<Block>,
    items: Vec<Block>,
    shared: Shared,
    /// One a block, and the sum of them.
    gradients: Vec<Gradient>,
    total: Gradient,
    total_weight: f64,
}

/// What one block does in one round.
struct Task<'a> {
    user: &'a mut Block,
    item: &'a mut Block,
    rows: &'a [u32],
    gradient: &'a mut Gradient,
}

impl<'a> Solver<'a> {
    fn new(problem: &'a Problem<'a>, options: &'a GradientOptions, control: &dyn Control) -> Result<Self> {
        let layout = Layout::new(problem, options.factors);
        let blocks = |entities, numbers: &[u32], purpose: u64| -> Result<Vec<Block>> {
            let counts = counts(entities, numbers);
            (0..BLOCKS).map(|number| Block::new(number, &counts, purpose, options, control)).collect()
        };
        let weights = || problem.weight.iter().map(|&weight| f64::from(weight));
        let total_weight: f64 = weights().sum();
        let positive: f64 = weights().zip(problem.target).map(|(weight, &y)| weight * f64::from(y)).sum();
        Ok(Self {
            problem,
            options,
            schedule: Schedule::new(problem, layout.features()),
            users: blocks(problem.users.entities, problem.user, 1)?,
            items: blocks(problem.items.entities, problem.item, 2)?,
            shared: Shared::new(problem, &layout, base_logit(positive, total_weight), options),
            gradients: (0..BLOCKS).map(|_| Gradient::new(&layout)).collect(),
            total: Gradient::new(&layout),
            layout,
            total_weight,
        })
    }

    /// One pass over the rows; returns the mean loss, each row's taken before its own step.
    fn epoch(&mut self, epoch: usize, control: &dyn Control) -> Result<f64> {
        let rate = self.options.learning_rate * (1.0 - epoch as f64 / self.options.epochs as f64);
        let mut loss = 0.0;
        for stratum in 0..self.schedule.strata() {
            let rows = self.schedule.shuffled(stratum, self.options.seed, epoch as u64);
            let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
            for start in (0..longest).step_by(self.schedule.round) {
                loss += self.round(stratum, &rows, start, rate, control)?;
            }
        }
        Ok(loss / self.total_weight)
    }

    /// One round: the rows from `start` on of every block of a stratum, then the shared parameters.
    fn round(
        &mut self,
        stratum: usize,
        rows: &[Vec<u32>],
        start: usize,
        rate: f64,
        control: &dyn Control,
    ) -> Result<f64> {
        let mut items: Vec<&mut Block> = self.items.iter_mut().collect();
        items.rotate_left(stratum);
        let tasks: Vec<Task> = self
            .users
            .iter_mut()
            .zip(items)
            .zip(&mut self.gradients)
            .zip(rows)
            .map(|(((user, item), gradient), rows)| {
                let end = rows.len().min(start.saturating_add(self.schedule.round));
                Task { user, item, rows: &rows[start.min(end)..end], gradient }
            })
            .collect();
        let step = block::Step { problem: self.problem, layout: &self.layout, shared: &self.shared, rate: rate as f32 };
        // Starting threads costs more than a small round.
        let work = tasks.iter().map(|task| task.rows.len()).sum::<usize>() * self.schedule.work_per_row;
        let threads = if work * (self.options.factors + 1) < 400_000 { 1 } else { self.options.threads };
        let scratch = || block::Scratch::new(self.options.factors);
        let losses = parallel::run(threads, tasks, control, scratch, |scratch, task: Task| {
            step.run(scratch, task.user, task.item, task.rows, task.gradient, control)
        })?;
        for gradient in &mut self.gradients {
            self.total.take(gradient);
        }
        self.shared.step(&mut self.total, rate as f32);
        Ok(losses.iter().sum())
    }

    fn finish(self) -> Factors {
        let features = |range: std::ops::Range<usize>| self.shared.parameters(range);
        let side = |entities, blocks: &[Block], range| {
            let (vectors, biases) = block::gather(entities, blocks, self.options.factors);
            let (feature_vectors, feature_biases) = features(range);
            SideFactors { vectors, biases, feature_vectors, feature_biases }
        };
        let (context_vectors, context_biases) = features(self.layout.context());
        Factors {
            factors: self.options.factors,
            mean: f64::from(self.shared.intercept()),
            user: side(self.problem.users.entities, &self.users, self.layout.users()),
            item: side(self.problem.items.entities, &self.items, self.layout.items()),
            context_vectors,
            context_biases,
        }
    }
}

/// How many rows each entity has.
fn counts(entities: usize, numbers: &[u32]) -> Vec<u32> {
    let mut counts = vec![0; entities];
    numbers.iter().for_each(|&entity| counts[entity as usize] += 1);
    counts
}

/// The logit of the base rate, with half a row of each class added so that one class alone stays finite.
fn base_logit(positive: f64, total: f64) -> f64 {
    ((positive + 0.5) / (total - positive + 0.5)).ln()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
