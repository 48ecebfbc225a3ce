//! Side features as the prior mean of an entity's vector: the regression of vectors on features.
//!
//! An entity's vector is Gaussian around `Aᵀx`, `x` its features (Agarwal and Chen, "Regression-based latent factor models",
//! KDD 2009, section 2; Simm et al., "Macau", 2015). Given the vectors, `A` is a ridge regression.

use crate::{
    Control, Result,
    linalg::{Effort, conjugate_gradients},
    parallel,
    sparse::Csr,
};

/// Entities or features a work unit.
const UNIT: usize = 256;

/// The features of one side, both ways round.
pub(super) struct Regression<'a> {
    features: &'a Csr,
    transposed: Csr,
    threads: usize,
}

impl<'a> Regression<'a> {
    /// Over the features of one side.
    pub(super) fn new(features: &'a Csr, threads: usize) -> Self {
        Self { features, transposed: features.transposed(), threads }
    }

    /// Whether there is no feature, so that every prior mean is zero.
    pub(super) fn is_empty(&self) -> bool {
        self.features.columns == 0
    }

    /// The number of features.
    pub(super) fn columns(&self) -> usize {
        self.features.columns
    }

    /// Each feature's `Σ_n weight_n x_nf²`.
    pub(super) fn diagonal(&self, weights: &[f64]) -> Vec<f64> {
        (0..self.transposed.rows())
            .map(|feature| {
                let (entities, values) = self.transposed.row(feature);
                entities.iter().zip(values).map(|(&n, &x)| weights[n as usize] * f64::from(x * x)).sum()
            })
            .collect()
    }

    /// `X A`: the prior means, entities x `width`, or nothing when there is no feature or no width.
    pub(super) fn means(&self, coefficients: &[f32], width: usize, control: &dyn Control) -> Result<Vec<f32>> {
        if self.is_empty() || width == 0 {
            return Ok(Vec::new());
        }
        let coefficients: Vec<f64> = coefficients.iter().map(|&value| f64::from(value)).collect();
        let means = multiply(self.features, &coefficients, width, |_| 1.0, self.threads, control)?;
        Ok(means.into_iter().map(|value| value as f32).collect())
    }

    /// Moves `coefficients` (features x `width`) to the solution of `(XᵀDX + ridge_j) A_j = XᵀD rows_j` for every column
    /// `j`; `D` is the diagonal of `weights`. It starts from the coefficients passed in, and cannot be worse than them.
    pub(super) fn fit(
        &self,
        rows: &[f32],
        weights: &[f64],
        ridges: &[f64],
        coefficients: &mut [f32],
        effort: Effort,
        control: &dyn Control,
    ) -> Result<()> {
        let width = ridges.len();
        if self.is_empty() || width == 0 {
            return Ok(());
        }
        let rows: Vec<f64> = rows.iter().map(|&value| f64::from(value)).collect();
        let weigh = |n: usize| weights[n];
        let right = multiply(&self.transposed, &scaled(&rows, weights, width), width, |_| 1.0, self.threads, control)?;
        let diagonal: Vec<f64> =
            self.diagonal(weights).iter().flat_map(|own| ridges.iter().map(move |ridge| own + ridge)).collect();
        let apply = |direction: &[f64]| {
            let images = multiply(self.features, direction, width, weigh, self.threads, control)?;
            let mut product = multiply(&self.transposed, &images, width, |_| 1.0, self.threads, control)?;
            for (out, own) in product.chunks_exact_mut(width).zip(direction.chunks_exact(width)) {
                (0..width).for_each(|j| out[j] += ridges[j] * own[j]);
            }
            Ok(product)
        };
        let mut solution: Vec<f64> = coefficients.iter().map(|&value| f64::from(value)).collect();
        conjugate_gradients(apply, &diagonal, &right, &mut solution, effort, control)?;
        coefficients.iter_mut().zip(&solution).for_each(|(to, &from)| *to = from as f32);
        Ok(())
    }
}

/// The rows of a matrix of `width` columns, each times its weight.
fn scaled(rows: &[f64], weights: &[f64], width: usize) -> Vec<f64> {
    rows.chunks_exact(width).zip(weights).flat_map(|(row, weight)| row.iter().map(move |x| weight * x)).collect()
}

/// `diag(weigh) matrix dense`, where `dense` has `width` columns.
pub(super) fn multiply(
    matrix: &Csr,
    dense: &[f64],
    width: usize,
    weigh: impl Fn(usize) -> f64 + Sync,
    threads: usize,
    control: &dyn Control,
) -> Result<Vec<f64>> {
    let parts = parallel::run_ranges(
        if matrix.values.len() * width < 100_000 { 1 } else { threads },
        matrix.rows(),
        UNIT,
        control,
        || (),
        |(), range| {
            let mut part = vec![0.0; range.len() * width];
            for (out, row) in part.chunks_exact_mut(width).zip(range) {
                let (columns, values) = matrix.row(row);
                for (&column, &value) in columns.iter().zip(values) {
                    let from = &dense[column as usize * width..(column as usize + 1) * width];
                    crate::linalg::double::add_scaled(out, weigh(row) * f64::from(value), from);
                }
            }
            Ok(part)
        },
    )?;
    Ok(parts.concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{control::Unattended, linalg::double, random::Random};

    #[test]
    fn the_regression_equals_its_normal_equations() {
        let (entities, columns, width) = (40, 6, 3);
        let mut random = Random::keyed(3, &[]);
        let mut features = Csr { offsets: vec![0], columns, ..Csr::default() };
        for _ in 0..entities {
            for column in 0..columns {
                if random.uniform() < 0.5 {
                    features.indices.push(column as u32);
                    features.values.push(random.normal() as f32);
                }
            }
            features.offsets.push(features.indices.len());
        }
        let rows: Vec<f32> = (0..entities * width).map(|_| random.normal() as f32).collect();
        let weights: Vec<f64> = (0..entities).map(|_| 0.5 + random.uniform()).collect();
        let ridges = [0.1, 1.0, 10.0];
        let mut found = vec![0f32; columns * width];
        let effort = Effort { iterations: 100, tolerance: 1e-12 };
        Regression::new(&features, 2).fit(&rows, &weights, &ridges, &mut found, effort, &Unattended).unwrap();

        let mut dense = vec![0f64; entities * columns];
        for entity in 0..entities {
            let (indices, values) = features.row(entity);
            indices.iter().zip(values).for_each(|(&f, &x)| dense[entity * columns + f as usize] = f64::from(x));
        }
        for (j, ridge) in ridges.into_iter().enumerate() {
            let mut normal = vec![0.0; columns * columns];
            (0..columns).for_each(|f| normal[f * columns + f] = ridge);
            double::add_outer(&mut normal, columns, &dense, &weights);
            let mut expected = vec![0.0; columns];
            for entity in 0..entities {
                let scale = weights[entity] * f64::from(rows[entity * width + j]);
                double::add_scaled(&mut expected, scale, &dense[entity * columns..(entity + 1) * columns]);
            }
            double::factor(&mut normal, columns);
            double::solve(&normal, columns, &mut expected);
            for f in 0..columns {
                assert!((f64::from(found[f * width + j]) - expected[f]).abs() < 1e-5);
            }
        }
    }
}
