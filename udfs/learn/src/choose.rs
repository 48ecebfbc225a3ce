//! What nobody gave, tried out on a part of the training rows: a classifier's regularization; a regression's number of
//! factors, and how far its rows may be believed.
//!
//! No fixed number serves both users with a handful of rows and shared columns with thousands. So a tenth of the training
//! rows is set aside, equal rows as [`crate::cells`] says, and what predicts that tenth best is taken. Nothing here knows
//! columns or test rows.

use crate::{
    cells,
    control::Control,
    error::Result,
    factors::Factors,
    metrics::{Judged, log_loss, rmse},
    model::sigmoid,
    random::Random,
    score::{ContextPart, Query, Whole, context_norms},
    solve::{
        Problem,
        als::{self, AlsOptions},
        gradient::{self, GradientOptions},
    },
    sparse::Csr,
};

/// The regularizations that are tried. All of them, because the loss along the ladder may have more than one valley.
const LADDER: [f64; 9] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
/// The tempers that are tried, one after the other for as long as they help.
const TEMPERS: [f64; 5] = [1.0, 2.0, 4.0, 8.0, 16.0];
/// The most rows that are tried out: what is chosen says how far parameters vary, not how many rows there are.
const MOST_ROWS: usize = 100_000;
/// Fewer rows set aside than this say nothing; the solver's own defaults are taken then.
const LEAST_HELD_OUT: usize = 20;
/// Tells these random numbers from the solvers'.
const PURPOSE: u64 = 0x7472_6961;
/// The share of the rows tried out that is set aside.
const HELD_OUT: f64 = 0.1;

/// The step of the ladder with the least log loss on rows set aside.
pub(crate) fn regularization(problem: &Problem<'_>, options: &GradientOptions, control: &dyn Control) -> Result<f64> {
    let Parts { training, held_out } = Parts::new(problem, options.seed);
    if held_out.target.len() < LEAST_HELD_OUT || !training.has_both_classes() || !held_out.has_both_classes() {
        return Ok(options.regularization);
    }
    let mut best = (f64::INFINITY, options.regularization);
    for regularization in LADDER {
        let tried = GradientOptions { regularization, ..options.clone() };
        let trial = Trial { control, phase: "choosing the regularization" };
        let mut factors = gradient::fit(&training.problem(problem), &tried, &trial)?;
        training.forget_unseen(problem, &mut factors);
        let judged = held_out.predictions(problem, &factors).into_iter().map(sigmoid).collect();
        let loss = held_out.judge(judged, log_loss);
        if loss < best.0 {
            best = (loss, regularization);
        }
    }
    Ok(best.1)
}

/// The number of factors (if `any_factors`) and the temper with the least squared error on rows set aside.
pub(crate) fn regression(
    problem: &Problem<'_>,
    options: &AlsOptions,
    any_factors: bool,
    control: &dyn Control,
) -> Result<AlsOptions> {
    let Parts { training, held_out } = Parts::new(problem, options.seed);
    if held_out.target.len() < LEAST_HELD_OUT {
        return Ok(options.clone());
    }
    let loss = |tried: &AlsOptions| -> Result<f64> {
        let trial = Trial { control, phase: "choosing the number of factors" };
        let mut factors = als::fit(&training.problem(problem), tried, &trial)?;
        training.forget_unseen(problem, &mut factors);
        Ok(held_out.judge(held_out.predictions(problem, &factors), rmse))
    };
    let mut best = (f64::INFINITY, options.clone());
    for temper in TEMPERS {
        let tried = AlsOptions { temper, ..options.clone() };
        let found = loss(&tried)?;
        if found >= best.0 {
            break;
        }
        best = (found, tried);
    }
    if any_factors && options.factors > 1 {
        let fewer = AlsOptions { factors: fewer(options.factors), ..best.1.clone() };
        let found = loss(&fewer)?;
        if found < best.0 {
            best = (found, fewer);
        }
    }
    Ok(best.1)
}

/// How many factors are tried beside the usual number.
pub(crate) fn fewer(factors: usize) -> usize {
    factors.div_ceil(4)
}

/// Passes cancellation on, and progress under a name of its own.
struct Trial<'a> {
    control: &'a dyn Control,
    phase: &'static str,
}

impl Control for Trial<'_> {
    fn progress(&self, _phase: &str, done: u64, total: u64, loss: Option<f64>) {
        self.control.progress(self.phase, done, total, loss);
    }

    fn cancelled(&self) -> bool {
        self.control.cancelled()
    }
}

/// The rows that are tried out.
struct Parts {
    training: Subset,
    held_out: Subset,
}

impl Parts {
    fn new(problem: &Problem<'_>, seed: u64) -> Self {
        let tried = (MOST_ROWS as f64 / problem.target.len() as f64).min(1.0);
        let (mut training, mut held_out) = (Vec::new(), Vec::new());
        for (row, place) in places(problem, seed).into_iter().map(cells::share).enumerate() {
            if place < tried * HELD_OUT {
                held_out.push(row);
            } else if place < tried {
                training.push(row);
            }
        }
        Self { training: Subset::new(problem, &training), held_out: Subset::new(problem, &held_out) }
    }
}

/// The rows' places by chance. Rows are alike if they have the same user and item and the same context.
fn places(problem: &Problem<'_>, seed: u64) -> Vec<u64> {
    let same = |numbers: &[u32], row: usize| numbers.is_empty() || numbers[row - 1] == numbers[row];
    let bits = |numbers: &[f32], row: usize| numbers[row].to_bits();
    cells::places(
        problem.target.len(),
        HELD_OUT,
        |row| {
            same(problem.user, row)
                && same(problem.item, row)
                && problem.context.row(row - 1) == problem.context.row(row)
        },
        |row| [problem.target, problem.weight].iter().all(|own| bits(own, row - 1) == bits(own, row)),
        |row| Random::keyed(seed, &[PURPOSE, row as u64]).bits(),
    )
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

    /// Sets to zero what none of these rows could teach, as it counts for nothing in a prediction: a solver leaves it where
    /// it started.
    fn forget_unseen(&self, whole: &Problem<'_>, factors: &mut Factors) {
        let width = factors.factors;
        let sides = [(&mut factors.user, whole.users, &self.user), (&mut factors.item, whole.items, &self.item)];
        for (own, side, entities) in sides {
            let features = entities.iter().flat_map(|&entity| side.features.row(entity as usize).0);
            forget(features, width, &mut own.feature_vectors, &mut own.feature_biases);
            forget(entities, width, &mut own.vectors, &mut own.biases);
        }
        forget(&self.context.indices, width, &mut factors.context_vectors, &mut factors.context_biases);
    }

    /// The score of every row.
    fn predictions(&self, problem: &Problem<'_>, factors: &Factors) -> Vec<f64> {
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
        (0..self.target.len())
            .map(|row| {
                let (indices, values) = self.context.row(row);
                part.gather(factors, &norms, indices, values);
                let (bias, vector) = of(&users, &self.user, row);
                query.gather(factors.mean, bias, &vector, Some(&part));
                let (bias, vector) = of(&items, &self.item, row);
                query.score(bias, &vector)
            })
            .collect()
    }

    /// The measure of these predictions; infinite if it is not a number.
    fn judge(&self, prediction: Vec<f64>, measure: impl Fn(Judged<'_>) -> Option<f64>) -> f64 {
        let numbers = |values: &[f32]| -> Vec<f64> { values.iter().map(|&value| f64::from(value)).collect() };
        let (target, weight) = (numbers(&self.target), numbers(&self.weight));
        let found = measure(Judged { target: &target, prediction: &prediction, weight: &weight });
        found.filter(|found| found.is_finite()).unwrap_or(f64::INFINITY)
    }
}

/// Sets to zero the vectors and biases that are not among those seen.
fn forget<'a>(seen: impl IntoIterator<Item = &'a u32>, width: usize, vectors: &mut [f32], biases: &mut [f32]) {
    let mut is_seen = vec![false; biases.len()];
    for &at in seen {
        if let Some(flag) = is_seen.get_mut(at as usize) {
            *flag = true;
        }
    }
    for (at, _) in is_seen.iter().enumerate().filter(|(_, seen)| !**seen) {
        biases[at] = 0.0;
        vectors[at * width..][..width].fill(0.0);
    }
}
