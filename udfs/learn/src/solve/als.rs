//! Squared loss by alternating least squares, with the strength of the priors learnt from the training rows.
//!
//! # Model
//! A factorization machine without the pairs inside one side (see [`crate::factors`]): `ŷ = μ + Σ b x + p·q + p·r + q·r +
//! ½(‖r‖² − Σ_context x² ‖v‖²)`. Given everything else, `ŷ` is linear in one entity's bias and vector, or in one context
//! feature's, so each is a ridge regression of `factors + 1` unknowns towards its prior mean, solved exactly (Rendle et al.,
//! "Fast context-aware recommendations with factorization machines", SIGIR 2011; Zhou et al., AAIM 2008). The prior
//! mean of an entity is what its side features say, `Aᵀx`, and `A` is the ridge regression of vectors on features, by
//! conjugate gradients. The intercept and the linear part of the context are solved together, also by conjugate gradients.
//!
//! # Objective with a given `regularization` λ
//! `Σ w (y − ŷ)² + λ [Σ_entities ‖θ − Aᵀx‖² + ‖A‖² + Σ_context ‖θ‖²]`, θ a bias and vector together. Every step minimises
//! it over some of the unknowns, so it never rises.
//!
//! # Objective without one
//! Variational Bayes with a Gaussian of diagonal covariance for every bias and vector (Lim and Teh, "Variational Bayesian
//! approach to movie rating prediction", KDD Cup 2007; the diagonal family: Raiko, Ilin and Karhunen, ECML 2007). A step
//! solves `(Σ w (d dᵀ + diag S) / σ² + Λ) θ = Σ w (t d − c) / σ² + Λ Aᵀx`, with `d` the mean of the other vectors' sum, `S` its
//! variance and `c` its covariance with the rest of the prediction; the variance of θ is one over that matrix's diagonal.
//! After each epoch the noise σ² and each factor's prior variance are set to their most likely values
//! (automatic relevance determination): a factor that explains nothing is switched off, so that `factors` is a ceiling.

mod context;
mod entity;
mod group;
mod system;

use context::{Context, Linear};
use entity::{Partner, SideRows};
use group::Group;
use system::System;

use super::{Problem, index::Index};
use crate::{
    Control, Result,
    factors::{Factors, SideFactors},
    parallel,
    random::Random,
};

/// How [`fit`] works.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `factors` | 16 | length of every vector; without `regularization` a ceiling | 0 to [`super::MOST_FACTORS`] |
/// | `epochs` | 40 | passes over all unknowns | 1 to 100,000 |
/// | `regularization` | none | λ, in units of the squared target; none learns it from the training rows | above 0 |
/// | `temper` | 1 | how many times larger than estimated the noise is taken for | from 1 |
/// | `seed` | 42 | where the vectors start | any |
/// | `threads` | 1 | never changes the result | any |
#[derive(Debug, Clone, PartialEq)]
pub struct AlsOptions {
    /// The length of every vector.
    pub factors: usize,
    /// Passes over all unknowns.
    pub epochs: usize,
    /// λ; `None` learns the strength of every prior from the training rows.
    pub regularization: Option<f64>,
    /// How many times larger than estimated the noise is taken for when the regularization is learnt: rows that repeat one
    /// another say less than as many different ones (Grünwald, "The safe Bayesian", ALT 2012).
    pub temper: f64,
    /// Where the vectors start.
    pub seed: u64,
    /// How many threads work; the result does not depend on it.
    pub threads: usize,
}

impl Default for AlsOptions {
    fn default() -> Self {
        Self { factors: 16, epochs: 40, regularization: None, temper: 1.0, seed: 42, threads: 1 }
    }
}

impl AlsOptions {
    fn check(&self) -> Result<()> {
        super::in_range("factors", self.factors as f64, 0.0, super::MOST_FACTORS as f64)?;
        super::in_range("epochs", self.epochs as f64, 1.0, 100_000.0)?;
        super::in_range("temper", self.temper, 1.0, 1e6)?;
        match self.regularization {
            Some(regularization) => super::in_range("regularization", regularization, 1e-12, 1e12),
            None => Ok(()),
        }
    }
}

/// How strongly a new user's bias and vector are held to their prior mean, in units of the squared target.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The ridge on the bias.
    pub bias: f64,
    /// The ridge on each entry of the vector.
    pub vector: Vec<f64>,
}

impl Prior {
    /// The same ridge on everything, as [`AlsOptions::regularization`] gives it.
    pub fn uniform(regularization: f64, factors: usize) -> Self {
        Self { bias: regularization, vector: vec![regularization; factors] }
    }
}

/// Estimates all parameters from the rows.
///
/// # Errors
/// [`crate::Error::InvalidOption`] for an option out of range, [`crate::Error::InvalidData`] without rows or for numbers that
/// are not finite, [`crate::Error::Cancelled`].
pub fn fit(problem: &Problem, options: &AlsOptions, control: &dyn Control) -> Result<Factors> {
    fit_with_prior(problem, options, control).map(|(factors, _)| factors)
}

/// As [`fit`], together with the strength of the users' prior, which [`fold_in`] needs.
///
/// # Errors
/// As [`fit`].
pub fn fit_with_prior(problem: &Problem, options: &AlsOptions, control: &dyn Control) -> Result<(Factors, Prior)> {
    options.check()?;
    problem.check()?;
    let mut solver = Solver::new(problem, options, control)?;
    for epoch in 1..=options.epochs {
        solver.epoch(epoch, control)?;
        let learn = epoch > WARM_UP_EPOCHS.min(options.epochs / 2);
        let loss = solver.measure(learn, control)?;
        control.progress("epoch", epoch as u64, options.epochs as u64, Some(loss));
    }
    let (factors, prior) = solver.finish(control)?;
    super::finite_factors(&factors, "scale the target or the features to a smaller range")?;
    Ok((factors, prior))
}

/// A new user's bias and vector from rated items, everything else held: one ridge regression.
///
/// `residuals` are the targets minus everything in the score that does not hold the user's bias or vector (the mean, the item's bias,
/// the context's part); `vectors` holds, one after the other, what the user's vector is multiplied with in each row (the
/// item's whole vector plus the context's). `prior_mean` is the bias and the vector that the user's side features give.
///
/// # Errors
/// [`crate::Error::Internal`] when lengths differ.
pub fn fold_in(
    residuals: &[f32],
    weights: &[f32],
    vectors: &[f32],
    prior_mean: (f32, &[f32]),
    prior: &Prior,
) -> Result<(f32, Vec<f32>)> {
    let width = prior.vector.len();
    let rows = residuals.len();
    if weights.len() != rows || vectors.len() != rows * width || prior_mean.1.len() != width {
        return Err(crate::Error::Internal("the parts of a user to fold in differ in length".into()));
    }
    let mut system = System::new(width);
    for row in 0..rows {
        let design = system.design();
        design.iter_mut().zip(&vectors[row * width..(row + 1) * width]).for_each(|(to, &from)| *to = f64::from(from));
        system.push(f64::from(weights[row]), f64::from(residuals[row]));
    }
    let ridges: Vec<f64> = std::iter::once(prior.bias).chain(prior.vector.iter().copied()).collect();
    let means: Vec<f32> = std::iter::once(prior_mean.0).chain(prior_mean.1.iter().copied()).collect();
    let (solution, _) = system.solve(&ridges, &means);
    Ok((solution[0] as f32, solution[1..].iter().map(|&value| value as f32).collect()))
}

/// Rows a work unit when every row is visited.
const ROWS_UNIT: usize = 4096;
/// What part of the target's variance all pairs of parts together start out explaining.
const START_SIGNAL: f64 = 0.3;
/// σ² at the start, as a part of the target's variance. Far too little on purpose: the first epochs then fit closely, and learning
/// the noise afterwards switches off what was noise. Starting with too much noise would switch off every factor at once.
const START_NOISE: f64 = 0.05;
/// Epochs before the noise and the priors are learnt; never more than half of them.
const WARM_UP_EPOCHS: usize = 5;

/// The unknowns between two steps. Targets are divided by their standard deviation, so that the constants of [`Group`] fit
/// any unit; [`Solver::finish`] multiplies back.
struct Solver<'a> {
    problem: &'a Problem<'a>,
    threads: usize,
    width: usize,
    adaptive: bool,
    /// What one in the scaled target is in the target's own unit.
    scale: f64,
    target: Vec<f32>,
    total_weight: f64,
    mean: f64,
    /// σ², used when the regularization is not given.
    noise: f64,
    temper: f64,
    users: SideRows<'a>,
    items: SideRows<'a>,
    context: Context<'a>,
}

impl<'a> Solver<'a> {
    fn new(problem: &'a Problem<'a>, options: &AlsOptions, control: &dyn Control) -> Result<Self> {
        let (centre, deviation, total_weight) = moments(problem.target, problem.weight);
        let scale = if deviation > 0.0 { deviation } else { 1.0 };
        let target = problem.target.iter().map(|&y| (f64::from(y) / scale) as f32).collect();
        let width = options.factors;
        let adaptive = options.regularization.is_none();
        let parts = usize::from(problem.users.entities > 0)
            + usize::from(problem.items.entities > 0)
            + problem.context.indices.len().div_ceil(problem.rows());
        // Targets that are all equal leave nothing to explain.
        let signal = if deviation > 0.0 { START_SIGNAL } else { 0.0 };
        let variance = (signal / (width.max(1) * (parts * parts.saturating_sub(1) / 2).max(1)) as f64).sqrt();
        let group = |purpose: u64, entities: usize| {
            let random = Random::keyed(options.seed, &[purpose]);
            let ridges = match options.regularization {
                Some(ridge) => (ridge, ridge / scale),
                None => {
                    let noise = START_NOISE * options.temper;
                    (noise / group::BIAS_VARIANCE, noise / variance.max(group::LEAST_VARIANCE))
                }
            };
            Group::new(entities, width, variance, ridges, random, control)
        };
        let users = SideRows::new(
            problem.users,
            Index::new(problem.users.entities, problem.user),
            group(1, problem.users.entities)?,
            options.threads,
        );
        let items = SideRows::new(
            problem.items,
            Index::new(problem.items.entities, problem.item),
            group(2, problem.items.entities)?,
            options.threads,
        );
        let context = Context::new(problem.context, group(3, problem.context.columns)?, adaptive);
        Ok(Self {
            problem,
            threads: options.threads,
            width,
            adaptive,
            scale,
            target,
            total_weight,
            mean: centre / scale,
            noise: START_NOISE * options.temper,
            temper: options.temper,
            users,
            items,
            context,
        })
    }

    /// Every step once.
    fn epoch(&mut self, epoch: usize, control: &dyn Control) -> Result<()> {
        if epoch == 1 {
            self.context.refresh(self.width, self.threads, control)?;
        }
        self.solve_context(control)?;
        if epoch > 1 {
            self.users.solve_features(self.adaptive, control)?;
        }
        let partner = Partner { group: &self.items.group, of_row: self.problem.item };
        let rows = self.rows();
        let solved = self.users.solve(&partner, &rows, control)?;
        self.users.group.replace(solved);
        if epoch > 1 {
            self.items.solve_features(self.adaptive, control)?;
        }
        let partner = Partner { group: &self.users.group, of_row: self.problem.user };
        let rows = self.rows();
        let solved = self.items.solve(&partner, &rows, control)?;
        self.items.group.replace(solved);
        Ok(())
    }

    /// What the steps for entities read of every row.
    fn rows(&self) -> entity::Rows<'_> {
        entity::Rows {
            target: &self.target,
            weight: self.problem.weight,
            mean: self.mean,
            noise: if self.adaptive { Some(self.noise) } else { None },
            context: &self.context.cache,
        }
    }

    /// The intercept and the context features: first the linear part at once, then each feature's bias and vector.
    fn solve_context(&mut self, control: &dyn Control) -> Result<()> {
        let mut residual = self.residuals(control)?;
        let linear = Linear { weight: self.problem.weight, threads: self.threads };
        self.mean += self.context.solve_linear(&linear, &mut residual, control)?;
        if self.width > 0 && self.problem.context.columns > 0 {
            let others = context::Others {
                user: Partner { group: &self.users.group, of_row: self.problem.user },
                item: Partner { group: &self.items.group, of_row: self.problem.item },
                weight: self.problem.weight,
                noise: if self.adaptive { Some(self.noise) } else { None },
                threads: self.threads,
            };
            self.context.solve_features(&others, &mut residual, control)?;
        }
        self.context.refresh(self.width, self.threads, control)
    }

    /// `y − ŷ` of every row, in scaled units.
    fn residuals(&self, control: &dyn Control) -> Result<Vec<f32>> {
        let parts = parallel::run_ranges(
            self.threads,
            self.target.len(),
            ROWS_UNIT,
            control,
            || (),
            |(), range| {
                Ok(range.map(|row| (f64::from(self.target[row]) - self.predict(row)) as f32).collect::<Vec<f32>>())
            },
        )?;
        Ok(parts.concat())
    }

    /// `ŷ` of a row, in scaled units.
    fn predict(&self, row: usize) -> f64 {
        let user = Partner { group: &self.users.group, of_row: self.problem.user }.of(row);
        let item = Partner { group: &self.items.group, of_row: self.problem.item }.of(row);
        let context = self.context.cache.of(row);
        let mut pairs = 0.0;
        for j in 0..self.width {
            let (p, q, r) = (f64::from(user.vector[j]), f64::from(item.vector[j]), f64::from(context.sum[j]));
            pairs += p * q + (p + q) * r;
        }
        self.mean + f64::from(user.bias) + f64::from(item.bias) + f64::from(context.linear) + pairs
    }

    /// The mean squared error in the target's unit. Without a given regularization, and if `learn`, it also sets the noise and
    /// the priors to their most likely values.
    fn measure(&mut self, learn: bool, control: &dyn Control) -> Result<f64> {
        let learn = learn && self.adaptive;
        let parts = parallel::run_ranges(
            self.threads,
            self.target.len(),
            ROWS_UNIT,
            control,
            || (),
            |(), range| {
                let (mut squares, mut variances) = (0.0, 0.0);
                for row in range {
                    let weight = f64::from(self.problem.weight[row]);
                    let error = f64::from(self.target[row]) - self.predict(row);
                    squares += weight * error * error;
                    if learn {
                        variances += weight * self.variance(row);
                    }
                }
                Ok((squares, variances))
            },
        )?;
        let squares: f64 = parts.iter().map(|part| part.0).sum();
        let variances: f64 = parts.iter().map(|part| part.1).sum();
        if learn {
            self.noise = (self.temper * (squares + variances) / self.total_weight).max(1e-9);
            self.users.learn_prior(self.noise);
            self.items.learn_prior(self.noise);
            self.context.learn_prior(self.noise);
        }
        Ok(squares / self.total_weight * self.scale * self.scale)
    }

    /// How uncertain the prediction of a row is: its parts are independent, so for every factor the variance is
    /// `Σ_a s_a (M − m_a)² + Σ_{a<b} s_a s_b` over the parts' means m and variances s, M the sum of the means.
    fn variance(&self, row: usize) -> f64 {
        let user = Partner { group: &self.users.group, of_row: self.problem.user }.of(row);
        let item = Partner { group: &self.items.group, of_row: self.problem.item }.of(row);
        let context = self.context.cache.of(row);
        let (columns, values) = self.problem.context.row(row);
        let own = &self.context.group;
        let mut total = f64::from(user.bias_variance) + f64::from(item.bias_variance);
        for (&column, &x) in columns.iter().zip(values) {
            total += f64::from(x * x * own.bias_variances[column as usize]);
        }
        for j in 0..self.width {
            let sum = user.vector[j] + item.vector[j] + context.sum[j];
            let (mut first, mut spread, mut squared) = (0.0, 0.0, 0.0);
            let mut part = |mean: f32, variance: f32| {
                first += variance * (sum - mean) * (sum - mean);
                spread += variance;
                squared += variance * variance;
            };
            part(user.vector[j], user.variance[j]);
            part(item.vector[j], item.variance[j]);
            for (&column, &x) in columns.iter().zip(values) {
                let at = column as usize * self.width + j;
                part(x * own.vectors[at], x * x * own.variances[at]);
            }
            total += f64::from(first) + 0.5 * f64::from((spread * spread - squared).max(0.0));
        }
        total
    }

    /// The parameters in the target's own unit.
    fn finish(self, control: &dyn Control) -> Result<(Factors, Prior)> {
        let root = self.scale.sqrt() as f32;
        let scale = self.scale as f32;
        let prior = Prior {
            bias: self.users.group.ridges[0],
            vector: self.users.group.ridges[1..].iter().map(|ridge| ridge * self.scale).collect(),
        };
        let side = |rows: &SideRows| -> Result<SideFactors> {
            let (vectors, biases) = rows.offsets(control)?;
            Ok(SideFactors {
                vectors: times(&vectors, root),
                biases: times(&biases, scale),
                feature_vectors: times(&rows.feature_vectors, root),
                feature_biases: times(&rows.feature_biases, scale),
            })
        };
        let factors = Factors {
            factors: self.width,
            mean: self.mean * self.scale,
            user: side(&self.users)?,
            item: side(&self.items)?,
            context_vectors: times(&self.context.group.vectors, root),
            context_biases: times(&self.context.group.biases, scale),
        };
        Ok((factors, prior))
    }
}

/// Every value times `scale`.
fn times(values: &[f32], scale: f32) -> Vec<f32> {
    values.iter().map(|value| value * scale).collect()
}

/// The weighted mean and standard deviation of the targets, and the sum of the weights. A deviation that is only rounding is
/// zero.
fn moments(target: &[f32], weight: &[f32]) -> (f64, f64, f64) {
    let total: f64 = weight.iter().map(|&w| f64::from(w)).sum();
    let rows = || target.iter().zip(weight).map(|(&y, &w)| (f64::from(y), f64::from(w)));
    let mean = rows().map(|(y, w)| w * y).sum::<f64>() / total;
    let variance = rows().map(|(y, w)| w * (y - mean) * (y - mean)).sum::<f64>() / total;
    let deviation = variance.sqrt();
    (mean, if deviation > 1e-12 * mean.abs() { deviation } else { 0.0 }, total)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
