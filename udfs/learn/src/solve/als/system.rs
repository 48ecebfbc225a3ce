//! One ridge regression of a bias and a vector: rows in, solution and variances out.
//!
//! With many rows it solves the normal equations, with few the dual problem, whose unknowns are the rows (Saunders,
//! Gammerman and Vovk, "Ridge regression learning algorithm in dual variables", ICML 1998): the same solution, in time that
//! grows with the factors instead of their square.

use crate::linalg::double;

/// Rows gathered before they are added to the normal equations together.
const BATCH: usize = 64;
/// Up to this many rows for each unknown the dual problem is less work.
const FEW: f64 = 0.7;

/// The normal equations of one bias (first) and one vector.
pub(super) struct System {
    size: usize,
    normal: Vec<f64>,
    /// The right side.
    pub(super) right: Vec<f64>,
    /// What uncertain designs add to the diagonal of the normal equations, the bias's entry included.
    pub(super) spread: Vec<f64>,
    designs: Vec<f64>,
    weights: Vec<f64>,
    is_flushed: bool,
    dual: Dual,
}

/// Scratch space of the dual problem.
#[derive(Default)]
struct Dual {
    scaled: Vec<f64>,
    matrix: Vec<f64>,
    unknowns: Vec<f64>,
}

impl System {
    /// For vectors of length `width`.
    pub(super) fn new(width: usize) -> Self {
        let size = width + 1;
        Self {
            size,
            normal: vec![0.0; size * size],
            right: vec![0.0; size],
            spread: vec![0.0; size],
            designs: vec![0.0; BATCH * size],
            weights: Vec::with_capacity(BATCH),
            is_flushed: false,
            dual: Dual::default(),
        }
    }

    /// Forgets all rows.
    pub(super) fn reset(&mut self) {
        if self.is_flushed {
            self.normal.fill(0.0);
            self.is_flushed = false;
        }
        self.right.fill(0.0);
        self.spread.fill(0.0);
        self.weights.clear();
    }

    /// Where to write what the next row multiplies the vector with; [`System::push`] then adds that row.
    #[inline]
    pub(super) fn design(&mut self) -> &mut [f64] {
        let at = self.weights.len() * self.size;
        self.designs[at] = 1.0;
        &mut self.designs[at + 1..at + self.size]
    }

    /// Adds the row whose design was just written.
    #[inline]
    pub(super) fn push(&mut self, weight: f64, target: f64) {
        let at = self.weights.len() * self.size;
        double::add_scaled(&mut self.right, weight * target, &self.designs[at..at + self.size]);
        self.weights.push(weight);
        if self.weights.len() == BATCH {
            self.flush();
        }
    }

    /// Adds all rows of another system.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.is_flushed |= other.is_flushed;
        double::add_scaled(&mut self.normal, 1.0, &other.normal);
        double::add_scaled(&mut self.right, 1.0, &other.right);
        double::add_scaled(&mut self.spread, 1.0, &other.spread);
    }

    /// The solution with these ridges towards these means (empty: zero), and the diagonal of the normal equations.
    pub(super) fn solve(&mut self, ridges: &[f64], means: &[f32]) -> (&[f64], &[f64]) {
        for (j, ridge) in ridges.iter().enumerate() {
            self.spread[j] += ridge;
            self.right[j] += ridge * means.get(j).map_or(0.0, |&mean| f64::from(mean));
        }
        let is_positive = self.spread.iter().all(|&own| own > 0.0);
        if !self.is_flushed && is_positive && (self.weights.len() as f64) < FEW * self.size as f64 {
            self.solve_dual();
        } else {
            self.solve_normal();
        }
        (&self.right, &self.spread)
    }

    fn solve_normal(&mut self) {
        self.flush();
        for j in 0..self.size {
            self.spread[j] += self.normal[j * self.size + j];
            self.normal[j * self.size + j] = self.spread[j];
        }
        double::factor(&mut self.normal, self.size);
        double::solve(&self.normal, self.size, &mut self.right);
    }

    /// With the rows X, their weights W and the diagonal D, `(D + XᵀWX) θ = b` has the solution
    /// `θ = D⁻¹ (b − Xᵀ s)` with `(W⁻¹ + X D⁻¹ Xᵀ) s = X D⁻¹ b`; rows of no weight are left out.
    fn solve_dual(&mut self) {
        let Self { size, right, spread, designs, weights, dual, .. } = self;
        let Dual { scaled, matrix, unknowns } = dual;
        let used = || designs.chunks_exact(*size).zip(weights.iter()).filter(|(_, weight)| **weight > 0.0);
        let rows = used().count();
        scaled.clear();
        used().for_each(|(x, _)| scaled.extend(x.iter().zip(spread.iter()).map(|(x, own)| x / own)));
        matrix.clear();
        matrix.resize(rows * rows, 0.0);
        unknowns.clear();
        for (row, (x, weight)) in used().enumerate() {
            for (column, other) in scaled.chunks_exact(*size).enumerate().skip(row) {
                matrix[row * rows + column] = double::dot(x, other);
            }
            matrix[row * rows + row] += 1.0 / weight;
            unknowns.push(double::dot(&scaled[row * *size..(row + 1) * *size], right));
        }
        double::factor(matrix, rows);
        double::solve(matrix, rows, unknowns);
        right.iter_mut().zip(spread.iter()).for_each(|(value, own)| *value /= own);
        for (x, &amount) in scaled.chunks_exact(*size).zip(unknowns.iter()) {
            double::add_scaled(right, -amount, x);
        }
        for (x, &weight) in used() {
            spread.iter_mut().zip(x).for_each(|(own, x)| *own += weight * x * x);
        }
    }

    fn flush(&mut self) {
        if self.weights.is_empty() {
            return;
        }
        self.is_flushed = true;
        double::add_outer(&mut self.normal, self.size, &self.designs, &self.weights);
        self.weights.clear();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn few_rows_and_many_give_the_same_solution() {
        let (width, rows) = (30, 12);
        let mut random = Random::keyed(5, &[]);
        let ridges: Vec<f64> = (0..=width).map(|_| 0.1 + random.uniform()).collect();
        let means: Vec<f32> = (0..=width).map(|_| random.normal() as f32).collect();
        let (mut dual, mut normal) = (System::new(width), System::new(width));
        for row in 0..rows {
            let design: Vec<f64> = (0..width).map(|_| random.normal()).collect();
            let (weight, target) = (if row == 3 { 0.0 } else { random.uniform() }, random.normal());
            for system in [&mut dual, &mut normal] {
                system.design().copy_from_slice(&design);
                system.push(weight, target);
                system.spread[1 + row] += weight * 0.2;
            }
        }
        normal.flush();
        let (found, diagonal) = dual.solve(&ridges, &means);
        let (expected, expected_diagonal) = normal.solve(&ridges, &means);
        for (found, expected) in found.iter().zip(expected).chain(diagonal.iter().zip(expected_diagonal)) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
}
