//! One ridge regression of a bias and a vector: rows in, solution and variances out.

use crate::linalg::double;

/// Rows gathered before they are added to the normal equations together.
const BATCH: usize = 64;

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
        }
    }

    /// Forgets all rows.
    pub(super) fn reset(&mut self) {
        self.normal.fill(0.0);
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
        double::add_scaled(&mut self.normal, 1.0, &other.normal);
        double::add_scaled(&mut self.right, 1.0, &other.right);
        double::add_scaled(&mut self.spread, 1.0, &other.spread);
    }

    /// The solution with these ridges towards these means (empty: zero), and the diagonal of the normal equations.
    pub(super) fn solve(&mut self, ridges: &[f64], means: &[f32]) -> (&[f64], &[f64]) {
        self.flush();
        for (j, ridge) in ridges.iter().enumerate() {
            self.spread[j] += ridge + self.normal[j * self.size + j];
            self.normal[j * self.size + j] = self.spread[j];
            self.right[j] += ridge * means.get(j).map_or(0.0, |&mean| f64::from(mean));
        }
        double::factor(&mut self.normal, self.size);
        double::solve(&self.normal, self.size, &mut self.right);
        (&self.right, &self.spread)
    }

    fn flush(&mut self) {
        double::add_outer(&mut self.normal, self.size, &self.designs, &self.weights);
        self.weights.clear();
    }
}
