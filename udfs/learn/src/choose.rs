//! The regularization of a classifier when nobody gives one: tried out on a part of the training rows.
//!
//! No fixed number serves both users with a handful of rows and shared columns with thousands, whose vectors overfit
//! without a strong pull. So a tenth of the training rows is set aside, and the regularization climbs a ladder from its
//! middle as long as the log loss of that tenth falls. Nothing here knows columns or test rows.

use crate::{
    control::Control,
    error::Result,
    factors::Factors,
    metrics::{Judged, log_loss},
    model::sigmoid,
    random::Random,
    score::{ContextPart, Query, Whole, context_norms},
    solve::{
        Problem,
        gradient::{GradientOptions, fit},
    },
    sparse::Csr,
};

/// What is tried; the search starts in the middle.
const LADDER: [f64; 9] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
/// The most rows that are tried out: the best regularization says how far parameters vary, not how many rows there are.
const MOST_ROWS: usize = 200_000;
/// Fewer rows set aside than this say nothing; the solver's own default is taken then.
const LEAST_HELD_OUT: usize = 20;
/// Tells these random numbers from the solvers'.
const PURPOSE: u64 = 0x7472_6961;
/// The share of the rows tried out that is set aside.
const HELD_OUT: f64 = 0.1;

/// The step of the ladder with the least log loss on rows set aside.
pub(crate) fn regularization(problem: &Problem<'_>, options: &GradientOptions, control: &dyn Control) -> Result<f64> {
    let rows = problem.target.len();
    let share = (MOST_ROWS as f64 / rows as f64).min(1.0);
    let (mut training, mut held_out) = (Vec::new(), Vec::new());
    for row in 0..rows {
        let mut random = Random::keyed(options.seed, &[PURPOSE, row as u64]);
        if random.uniform() < share {
            if random.uniform() < HELD_OUT { held_out.push(row) } else { training.push(row) }
        }
    }
    let (training, held_out) = (Subset::new(problem, &training), Subset::new(problem, &held_out));
    if held_out.target.len() < LEAST_HELD_OUT || !training.has_both_classes() || !held_out.has_both_classes() {
        return Ok(options.regularization);
    }
    let mut losses = [None; LADDER.len()];
    let trial = Trial { control };
    let mut loss = |step: usize| -> Result<f64> {
        if let Some(known) = losses[step] {
            return Ok(known);
        }
        let tried = GradientOptions { regularization: LADDER[step], ..options.clone() };
        let factors = fit(&training.problem(problem), &tried, &trial)?;
        let found = held_out.loss(problem, &factors);
        losses[step] = Some(found);
        Ok(found)
    };
    let mut best = LADDER.len() / 2;
    let up = loss(best + 1)? < loss(best)?;
    while let Some(next) = if up { Some(best + 1).filter(|&next| next < LADDER.len()) } else { best.checked_sub(1) } {
        if loss(next)? >= loss(best)? {
            break;
        }
        best = next;
    }
    Ok(LADDER[best])
}

/// Passes cancellation on, and progress under a name of its own.
struct Trial<'a> {
    control: &'a dyn Control,
}

impl Control for Trial<'_> {
    fn progress(&self, _phase: &str, done: u64, total: u64, loss: Option<f64>) {
        self.control.progress("choosing the regularization", done, total, loss);
    }

    fn cancelled(&self) -> bool {
        self.control.cancelled()
    }
}

/// Some rows of a problem; the sides stay whole.
struct Subset {
    user: Vec<u32>,
    item: Vec<u32>,
    context: Csr,
    target: Vec<f32>,
    weight: Vec<f32>,
}

impl Subset {
    fn new(problem: &Problem<'_>, rows: &[usize]) -> Self {
        let entities = |numbers: &[u32]| rows.iter().filter_map(|&row| numbers.get(row).copied()).collect();
        let numbers = |numbers: &[f32]| rows.iter().map(|&row| numbers[row]).collect();
        let mut context = Csr { offsets: vec![0], columns: problem.context.columns, ..Csr::default() };
        for &row in rows {
            let (indices, values) = problem.context.row(row);
            context.indices.extend_from_slice(indices);
            context.values.extend_from_slice(values);
            context.offsets.push(context.indices.len());
        }
        Self {
            user: entities(problem.user),
            item: entities(problem.item),
            context,
            target: numbers(problem.target),
            weight: numbers(problem.weight),
        }
    }

    fn problem<'a>(&'a self, whole: &Problem<'a>) -> Problem<'a> {
        Problem {
            users: whole.users,
            items: whole.items,
            user: &self.user,
            item: &self.item,
            context: &self.context,
            target: &self.target,
            weight: &self.weight,
        }
    }

    fn has_both_classes(&self) -> bool {
        self.target.contains(&0.0) && self.target.contains(&1.0)
    }

    /// The log loss; infinite if it is not a number.
    fn loss(&self, problem: &Problem<'_>, factors: &Factors) -> f64 {
        let width = factors.factors;
        let norms = context_norms(factors);
        let users = Whole::new(problem.users, &factors.user, width);
        let items = Whole::new(problem.items, &factors.item, width);
        let zeros = vec![0.0; width];
        let (mut query, mut part) = (Query::default(), ContextPart::default());
        let of = |whole: &Whole, numbers: &[u32], row: usize| -> (f32, Vec<f32>) {
            let found = numbers.get(row).map(|&entity| whole.of(entity, width));
            found.map_or_else(|| (0.0, zeros.clone()), |(bias, vector)| (bias, vector.to_vec()))
        };
        let prediction: Vec<f64> = (0..self.target.len())
            .map(|row| {
                let (indices, values) = self.context.row(row);
                part.gather(factors, &norms, indices, values);
                let (bias, vector) = of(&users, &self.user, row);
                query.gather(factors.mean, bias, &vector, Some(&part));
                let (bias, vector) = of(&items, &self.item, row);
                sigmoid(query.score(bias, &vector))
            })
            .collect();
        let numbers = |values: &[f32]| -> Vec<f64> { values.iter().map(|&value| f64::from(value)).collect() };
        let (target, weight) = (numbers(&self.target), numbers(&self.weight));
        log_loss(Judged { target: &target, prediction: &prediction, weight: &weight }).unwrap_or(f64::INFINITY)
    }
}
