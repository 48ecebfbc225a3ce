//! The steps for the context: its linear part and the intercept at once, then each feature's bias and vector in turn.

use super::{
    entity::{Partner, zeros},
    group::Group,
    system::System,
};
use crate::{
    Control, Result,
    linalg::{Effort, conjugate_gradients},
    parallel,
    solve::prior::multiply,
    sparse::Csr,
};

/// Rows a work unit.
const UNIT: usize = 4096;
/// The linear part starts from the last one, so a bounded number of iterations an epoch is enough.
const EFFORT: Effort = Effort { iterations: 30, tolerance: 1e-7 };

/// What the context contributes to each row, kept because every other step reads it.
#[derive(Default)]
pub(super) struct Cache {
    width: usize,
    /// The biases and the pairs within the context; empty when there is no context.
    linear: Vec<f32>,
    /// r: the sum of `x v`, rows x width.
    sum: Vec<f32>,
    /// The sum of the variances of `x v`; empty when no variances are kept.
    spread: Vec<f32>,
    /// The sum of variance times mean of `x v`; empty when no variances are kept.
    moment: Vec<f32>,
}

/// One row of a [`Cache`]; zeros for what is not kept.
pub(super) struct CacheRow<'a> {
    pub(super) linear: f32,
    pub(super) sum: &'a [f32],
    pub(super) spread: &'a [f32],
    pub(super) moment: &'a [f32],
}

impl Cache {
    /// Whether there is no context.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.linear.is_empty()
    }

    /// One row.
    #[inline]
    pub(super) fn of(&self, row: usize) -> CacheRow<'_> {
        let range = row * self.width..(row + 1) * self.width;
        let part = |values| slice(values, &range).unwrap_or(zeros(self.width));
        CacheRow {
            linear: self.linear.get(row).copied().unwrap_or(0.0),
            sum: part(&self.sum),
            spread: part(&self.spread),
            moment: part(&self.moment),
        }
    }
}

/// The values in a range, or nothing when they are not kept.
fn slice<'a>(values: &'a [f32], range: &std::ops::Range<usize>) -> Option<&'a [f32]> {
    values.get(range.clone())
}

/// The context's features and what they contribute to each row.
pub(super) struct Context<'a> {
    features: &'a Csr,
    transposed: Csr,
    pub(super) group: Group,
    pub(super) cache: Cache,
    adaptive: bool,
}

/// What the linear step reads of every row.
pub(super) struct Linear<'a> {
    pub(super) weight: &'a [f32],
    pub(super) threads: usize,
}

/// What the step for one feature reads of everything else.
pub(super) struct Others<'a> {
    pub(super) user: Partner<'a>,
    pub(super) item: Partner<'a>,
    pub(super) weight: &'a [f32],
    /// σ² where variances are kept.
    pub(super) noise: Option<f64>,
    pub(super) threads: usize,
}

impl<'a> Context<'a> {
    pub(super) fn new(features: &'a Csr, group: Group, adaptive: bool) -> Self {
        Self { features, transposed: features.transposed(), group, cache: Cache::default(), adaptive }
    }

    /// Computes the cache anew from the features' biases and vectors.
    pub(super) fn refresh(&mut self, width: usize, threads: usize, control: &dyn Control) -> Result<()> {
        self.cache = Cache { width, ..Cache::default() };
        if self.features.columns == 0 {
            return Ok(());
        }
        let parts = parallel::run_ranges(
            threads,
            self.features.rows(),
            UNIT,
            control,
            || (),
            |(), range| {
                let mut part = Cache { width, ..Cache::default() };
                range.for_each(|row| self.append(row, &mut part));
                Ok(part)
            },
        )?;
        for part in parts {
            self.cache.linear.extend(part.linear);
            self.cache.sum.extend(part.sum);
            self.cache.spread.extend(part.spread);
            self.cache.moment.extend(part.moment);
        }
        Ok(())
    }

    /// Appends one row to a cache.
    fn append(&self, row: usize, cache: &mut Cache) {
        let width = cache.width;
        let (columns, values) = self.features.row(row);
        let at = cache.sum.len();
        cache.sum.resize(at + width, 0.0);
        if self.adaptive {
            cache.spread.resize(at + width, 0.0);
            cache.moment.resize(at + width, 0.0);
        }
        let (mut linear, mut squares) = (0.0, 0.0);
        for (&column, &x) in columns.iter().zip(values) {
            let column = column as usize;
            let vector = &self.group.vectors[column * width..(column + 1) * width];
            linear += f64::from(x * self.group.biases[column]);
            for (j, &value) in vector.iter().enumerate() {
                let own = x * value;
                cache.sum[at + j] += own;
                squares += f64::from(own * own);
                if self.adaptive {
                    let variance = x * x * self.group.variances[column * width + j];
                    cache.spread[at + j] += variance;
                    cache.moment[at + j] += variance * own;
                }
            }
        }
        let length: f64 = cache.sum[at..].iter().map(|&sum| f64::from(sum) * f64::from(sum)).sum();
        cache.linear.push((linear + 0.5 * (length - squares)) as f32);
    }

    /// Solves the intercept and all biases at once, given everything else; returns the intercept's change and takes the
    /// changes out of the residuals.
    pub(super) fn solve_linear(&mut self, rows: &Linear, residual: &mut [f32], control: &dyn Control) -> Result<f64> {
        let columns = self.features.columns;
        let ridge = self.group.ridges[0];
        let weight: Vec<f64> = rows.weight.iter().map(|&w| f64::from(w)).collect();
        let product = |matrix: &Csr, dense: &[f64], weigh: &(dyn Fn(usize) -> f64 + Sync)| {
            multiply(matrix, dense, 1, weigh, rows.threads, control)
        };
        // The intercept is the last unknown; it has no ridge.
        let gradient = |weighted: &[f64]| -> Result<Vec<f64>> {
            let mut out = product(&self.transposed, weighted, &|_| 1.0)?;
            out.push(weighted.iter().sum());
            Ok(out)
        };
        let apply = |x: &[f64]| -> Result<Vec<f64>> {
            let mut image = product(self.features, &x[..columns], &|_| 1.0)?;
            image.iter_mut().zip(&weight).for_each(|(value, w)| *value = w * (*value + x[columns]));
            let mut out = gradient(&image)?;
            (0..columns).for_each(|feature| out[feature] += ridge * x[feature]);
            Ok(out)
        };
        let weighted: Vec<f64> = residual.iter().zip(&weight).map(|(&e, w)| w * f64::from(e)).collect();
        let mut right = gradient(&weighted)?;
        let mut diagonal = vec![0.0; columns + 1];
        for feature in 0..columns {
            right[feature] -= ridge * f64::from(self.group.biases[feature]);
            let (members, values) = self.transposed.row(feature);
            let curvature: f64 = members.iter().zip(values).map(|(&n, &x)| weight[n as usize] * f64::from(x * x)).sum();
            diagonal[feature] = ridge + curvature;
        }
        diagonal[columns] = weight.iter().sum();
        let mut change = vec![0.0; columns + 1];
        conjugate_gradients(apply, &diagonal, &right, &mut change, EFFORT, control)?;
        let image = product(self.features, &change[..columns], &|_| 1.0)?;
        residual.iter_mut().zip(&image).for_each(|(e, i)| *e -= (i + change[columns]) as f32);
        self.group.biases.iter_mut().zip(&change).for_each(|(bias, &change)| *bias += change as f32);
        Ok(change[columns])
    }

    /// Solves each feature's bias and vector in turn, keeping the residuals and the cache's sums up to date.
    pub(super) fn solve_features(
        &mut self,
        others: &Others,
        residual: &mut [f32],
        control: &dyn Control,
    ) -> Result<()> {
        let width = self.cache.width;
        for feature in 0..self.features.columns {
            let rows = self.transposed.row(feature).0.len();
            let threads = if rows * width * width > 1_000_000 { others.threads } else { 1 };
            let parts = parallel::run_ranges(
                threads,
                rows,
                UNIT,
                control,
                || (),
                |(), range| {
                    let mut system = System::new(width);
                    range.for_each(|at| self.add_row(&mut system, feature, at, others, residual));
                    Ok(system)
                },
            )?;
            let mut system = System::new(width);
            parts.into_iter().for_each(|part| system.merge(part));
            let (solution, diagonal) = system.solve(&self.group.ridges, &[]);
            let mut solved: Vec<f32> = solution.iter().map(|&value| value as f32).collect();
            solved.extend(diagonal.iter().map(|own| others.noise.map_or(0.0, |noise| (noise / own) as f32)));
            self.replace(feature, &solved, others, residual);
        }
        Ok(())
    }

    /// Adds one of a feature's rows to its system: the design is x times (1, the sum of all other parts).
    fn add_row(&self, system: &mut System, feature: usize, at: usize, others: &Others, residual: &[f32]) {
        let width = self.cache.width;
        let (rows, values) = self.transposed.row(feature);
        let (row, x) = (rows[at] as usize, f64::from(values[at]));
        let (user, item, context) = (others.user.of(row), others.item.of(row), self.cache.of(row));
        let vector = &self.group.vectors[feature * width..(feature + 1) * width];
        let mut own = f64::from(self.group.biases[feature]);
        let design = system.design();
        for j in 0..width {
            let v = f64::from(vector[j]);
            design[j] = f64::from(user.vector[j] + item.vector[j] + context.sum[j]) - x * v;
            own += v * design[j];
        }
        // The design's common factor x goes into the weight, and the target is divided by it.
        let weight = f64::from(others.weight[row]) * x * x;
        if x == 0.0 {
            return;
        }
        let target = f64::from(residual[row]) / x + own;
        if others.noise.is_some() {
            let variances = &self.group.variances[feature * width..(feature + 1) * width];
            for j in 0..width {
                let v = f64::from(vector[j]);
                let variance = x * x * f64::from(variances[j]);
                let sum = f64::from(user.vector[j] + item.vector[j] + context.sum[j]) - x * v;
                let spread = f64::from(user.variance[j] + item.variance[j] + context.spread[j]) - variance;
                let moment = f64::from(
                    user.variance[j] * user.vector[j] + item.variance[j] * item.vector[j] + context.moment[j],
                ) - variance * x * v;
                system.spread[j + 1] += weight * spread.max(0.0);
                system.right[j + 1] -= weight / x * (spread.max(0.0) * sum - moment);
            }
        }
        system.push(weight, target);
    }

    /// Takes over a solved feature.
    fn replace(&mut self, feature: usize, solved: &[f32], others: &Others, residual: &mut [f32]) {
        let width = self.cache.width;
        let range = feature * width..(feature + 1) * width;
        let old_bias = self.group.biases[feature];
        let old = self.group.vectors[range.clone()].to_vec();
        let old_variances = self.group.variances[range.clone()].to_vec();
        self.group.set(feature, solved);
        let (rows, values) = self.transposed.row(feature);
        let (new, new_variances) = (&self.group.vectors[range.clone()], &self.group.variances[range]);
        for (&row, &x) in rows.iter().zip(values) {
            let row = row as usize;
            let (user, item) = (others.user.of(row), others.item.of(row));
            let mut change = solved[0] - old_bias;
            for j in 0..width {
                let sum = &mut self.cache.sum[row * width + j];
                let rest = user.vector[j] + item.vector[j] + *sum - x * old[j];
                change += (new[j] - old[j]) * rest;
                *sum += x * (new[j] - old[j]);
                if self.adaptive {
                    self.cache.spread[row * width + j] += x * x * (new_variances[j] - old_variances[j]);
                    self.cache.moment[row * width + j] +=
                        x * x * x * (new_variances[j] * new[j] - old_variances[j] * old[j]);
                }
            }
            residual[row] -= x * change;
        }
    }

    /// The most likely prior variances.
    pub(super) fn learn_prior(&mut self, noise: f64) {
        let transposed = &self.transposed;
        self.group.learn_prior(noise, |feature| !transposed.row(feature).0.is_empty(), &[], &[]);
    }
}
