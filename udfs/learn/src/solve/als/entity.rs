//! The steps for one side's entities: each one's bias and vector, and the regression on side features.

use super::{context::Cache, group::Group, system::System};
use crate::{
    Control, Result,
    factors::Side,
    linalg::Effort,
    parallel,
    solve::{index::Index, prior::Regression},
};

/// Entities a work unit.
const UNIT: usize = 64;
/// Rows between two looks at the control.
const ROWS_BETWEEN_CHECKS: usize = 4096;
/// The regression on features starts from the last one, so a few iterations an epoch are enough.
const EFFORT: Effort = Effort { iterations: 20, tolerance: 1e-7 };
/// Stands in for the vector of a part that a row lacks.
static ZEROS: [f32; crate::solve::MOST_FACTORS] = [0.0; crate::solve::MOST_FACTORS];

/// A kind of member, and which of them each row has.
#[derive(Clone, Copy)]
pub(super) struct Partner<'a> {
    pub(super) group: &'a Group,
    /// Empty when rows have none.
    pub(super) of_row: &'a [u32],
}

/// One member's values as a row sees them; zeros when the row has no such part.
pub(super) struct Member<'a> {
    pub(super) vector: &'a [f32],
    pub(super) variance: &'a [f32],
    pub(super) bias: f32,
    pub(super) bias_variance: f32,
}

impl<'a> Partner<'a> {
    /// The member that a row has.
    #[inline]
    pub(super) fn of(&self, row: usize) -> Member<'a> {
        let width = self.group.width();
        match self.of_row.get(row) {
            Some(&member) => {
                let member = member as usize;
                let range = member * width..(member + 1) * width;
                Member {
                    vector: &self.group.vectors[range.clone()],
                    variance: &self.group.variances[range],
                    bias: self.group.biases[member],
                    bias_variance: self.group.bias_variances[member],
                }
            }
            None => Member { vector: &ZEROS[..width], variance: &ZEROS[..width], bias: 0.0, bias_variance: 0.0 },
        }
    }
}

/// What the steps read of every row.
pub(super) struct Rows<'a> {
    pub(super) target: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) mean: f64,
    /// σ² where variances are kept.
    pub(super) noise: Option<f64>,
    pub(super) context: &'a Cache,
}

/// One side's entities, their rows and their features.
pub(super) struct SideRows<'a> {
    pub(super) group: Group,
    index: Index,
    regression: Regression<'a>,
    pub(super) feature_vectors: Vec<f32>,
    pub(super) feature_biases: Vec<f32>,
    /// Prior variances of a feature's bias and of each entry of its vector.
    feature_variances: Vec<f64>,
    means: Vec<f32>,
    bias_means: Vec<f32>,
    /// One for an entity that has rows, else zero: the others say nothing about the features.
    seen: Vec<f64>,
    threads: usize,
}

impl<'a> SideRows<'a> {
    pub(super) fn new(side: &'a Side, index: Index, group: Group, threads: usize) -> Self {
        let seen = (0..index.entities()).map(|entity| f64::from(u8::from(!index.rows(entity).is_empty()))).collect();
        Self {
            feature_vectors: vec![0.0; side.features.columns * group.width()],
            feature_biases: vec![0.0; side.features.columns],
            feature_variances: group.prior_variances.clone(),
            means: Vec::new(),
            bias_means: Vec::new(),
            regression: Regression::new(&side.features, threads),
            seen,
            index,
            group,
            threads,
        }
    }

    /// Solves every entity's bias and vector; the result is for [`Group::replace`].
    pub(super) fn solve(&self, partner: &Partner, rows: &Rows, control: &dyn Control) -> Result<Vec<Vec<f32>>> {
        let width = self.group.width();
        let scratch = || (System::new(width), vec![0f32; width + 1]);
        parallel::run_ranges(self.threads, self.index.entities(), UNIT, control, scratch, |(system, means), range| {
            let mut solved = Vec::with_capacity(range.len() * 2 * (width + 1));
            for entity in range {
                if !self.means.is_empty() {
                    means[1..].copy_from_slice(&self.means[entity * width..(entity + 1) * width]);
                }
                means[0] = self.bias_means.get(entity).copied().unwrap_or(0.0);
                system.reset();
                for part in self.index.rows(entity).chunks(ROWS_BETWEEN_CHECKS) {
                    control.check()?;
                    part.iter().for_each(|&row| add_row(system, row as usize, partner, rows));
                }
                let (solution, diagonal) = system.solve(&self.group.ridges, means);
                solved.extend(solution.iter().map(|&value| value as f32));
                solved.extend(diagonal.iter().map(|own| rows.noise.map_or(0.0, |noise| (noise / own) as f32)));
            }
            Ok(solved)
        })
    }

    /// Regresses the entities' biases and vectors on their features, and renews the prior means.
    pub(super) fn solve_features(&mut self, adaptive: bool, control: &dyn Control) -> Result<()> {
        if self.regression.is_empty() {
            return Ok(());
        }
        let width = self.group.width();
        let ridges: Vec<f64> = match adaptive {
            true => self.group.prior_variances.iter().zip(&self.feature_variances).map(|(own, f)| own / f).collect(),
            false => vec![1.0; width + 1],
        };
        let (vectors, biases) = (&mut self.feature_vectors, &mut self.feature_biases);
        self.regression.fit(&self.group.vectors, &self.seen, &ridges[1..], vectors, EFFORT, control)?;
        self.regression.fit(&self.group.biases, &self.seen, &ridges[..1], biases, EFFORT, control)?;
        self.means = self.regression.means(&self.feature_vectors, width, control)?;
        self.bias_means = self.regression.means(&self.feature_biases, 1, control)?;
        if adaptive {
            self.learn_feature_prior(&ridges);
        }
        Ok(())
    }

    /// The most likely prior variances of the features' own biases and vectors.
    fn learn_feature_prior(&mut self, ridges: &[f64]) {
        let width = self.group.width();
        let diagonal = self.regression.diagonal(&self.seen);
        let count = diagonal.len() as f64;
        for (j, ridge) in ridges.iter().enumerate() {
            let own = self.group.prior_variances[j];
            let mut sum = own;
            for (feature, curvature) in diagonal.iter().enumerate() {
                let value = match j {
                    0 => self.feature_biases[feature],
                    _ => self.feature_vectors[feature * width + j - 1],
                };
                sum += f64::from(value * value) + own / (curvature + ridge);
            }
            self.feature_variances[j] = (sum / (count + 1.0)).max(1e-8);
        }
    }

    /// The most likely prior variances of the entities around their prior means.
    pub(super) fn learn_prior(&mut self, noise: f64) {
        self.group.learn_prior(noise, |entity| self.seen[entity] > 0.0, &self.means, &self.bias_means);
    }

    /// Each entity's own vector and bias: what is left after its features. Exactly zero for an entity without rows.
    pub(super) fn offsets(&self, control: &dyn Control) -> Result<(Vec<f32>, Vec<f32>)> {
        control.check()?;
        let width = self.group.width();
        let minus = |values: &[f32], means: &[f32], width: usize| -> Vec<f32> {
            let offset = |(at, value): (usize, &f32)| match self.seen[at / width] > 0.0 {
                true => value - means.get(at).unwrap_or(&0.0),
                false => 0.0,
            };
            values.iter().enumerate().map(offset).collect()
        };
        Ok((minus(&self.group.vectors, &self.means, width), minus(&self.group.biases, &self.bias_means, 1)))
    }
}

/// Adds a row to the system of the entity that it belongs to.
///
/// The design is the partner's vector q plus the context's r. What remains of the prediction holds q and r too (q·r and the pairs
/// within r), hence the covariance `S (q + r) − T` with S the sum of variances and T that of variances times means.
fn add_row(system: &mut System, row: usize, partner: &Partner, rows: &Rows) {
    let other = partner.of(row);
    let context = rows.context.of(row);
    let weight = f64::from(rows.weight[row]);
    let width = other.vector.len();
    let mut shared = 0.0;
    let design = system.design();
    for (to, (&q, &r)) in design.iter_mut().zip(other.vector.iter().zip(context.sum)) {
        let (q, r) = (f64::from(q), f64::from(r));
        *to = q + r;
        shared += q * r;
    }
    let rest = rows.mean + f64::from(other.bias) + f64::from(context.linear) + shared;
    system.push(weight, f64::from(rows.target[row]) - rest);
    if rows.noise.is_none() {
        return;
    }
    if rows.context.is_empty() {
        // Only q is uncertain, and nothing else in the prediction holds q: there is no covariance.
        for (to, &own) in system.spread[1..].iter_mut().zip(other.variance) {
            *to += weight * f64::from(own);
        }
        return;
    }
    for j in 0..width {
        let (q, r) = (f64::from(other.vector[j]), f64::from(context.sum[j]));
        let own = f64::from(other.variance[j]);
        let spread = own + f64::from(context.spread[j]);
        let moment = own * q + f64::from(context.moment[j]);
        system.spread[j + 1] += weight * spread;
        system.right[j + 1] -= weight * (spread * (q + r) - moment);
    }
}

/// The zero vector of a length.
pub(super) fn zeros(width: usize) -> &'static [f32] {
    &ZEROS[..width]
}
