//! The parameters that all blocks share: side features, context features and the intercept.

use std::ops::Range;

use super::{BIAS_PENALTY, GradientOptions, counts};
use crate::{random::Random, solve::Problem, sparse::Csr};

/// Where each kind of feature stands among the shared parameters; the intercept is the last.
pub(super) struct Layout {
    context: usize,
    users: usize,
    items: usize,
    /// Numbers a feature has: its bias and its vector.
    pub(super) stride: usize,
}

impl Layout {
    pub(super) fn new(problem: &Problem, factors: usize) -> Self {
        Self {
            context: problem.context.columns,
            users: problem.users.features.columns,
            items: problem.items.features.columns,
            stride: factors + 1,
        }
    }

    /// The number of features of all kinds.
    pub(super) fn features(&self) -> usize {
        self.context + self.users + self.items
    }

    /// The context's features.
    pub(super) fn context(&self) -> Range<usize> {
        0..self.context
    }

    /// The users' features.
    pub(super) fn users(&self) -> Range<usize> {
        self.context..self.context + self.users
    }

    /// The items' features.
    pub(super) fn items(&self) -> Range<usize> {
        self.context + self.users..self.features()
    }

    /// The intercept, of which only the bias is used.
    pub(super) fn intercept(&self) -> usize {
        self.features()
    }
}

/// A sum of gradients over some rows, for the features that occur in them.
pub(super) struct Gradient {
    stride: usize,
    sums: Vec<f32>,
    /// In how many rows each feature occurred.
    rows: Vec<u32>,
    touched: Vec<u32>,
}

impl Gradient {
    pub(super) fn new(layout: &Layout) -> Self {
        let features = layout.features() + 1;
        Self {
            stride: layout.stride,
            sums: vec![0.0; features * layout.stride],
            rows: vec![0; features],
            touched: Vec::new(),
        }
    }

    /// A feature's sums, to add one more row to.
    pub(super) fn of(&mut self, feature: usize) -> &mut [f32] {
        if self.rows[feature] == 0 {
            self.touched.push(feature as u32);
        }
        self.rows[feature] += 1;
        &mut self.sums[feature * self.stride..(feature + 1) * self.stride]
    }

    /// Adds another gradient and empties it.
    pub(super) fn take(&mut self, other: &mut Self) {
        for feature in other.touched.drain(..) {
            let at = feature as usize;
            if self.rows[at] == 0 {
                self.touched.push(feature);
            }
            self.rows[at] += std::mem::take(&mut other.rows[at]);
            let range = at * self.stride..(at + 1) * self.stride;
            for (to, from) in self.sums[range.clone()].iter_mut().zip(&mut other.sums[range]) {
                *to += std::mem::take(from);
            }
        }
    }
}

/// The shared parameters and their sums of squared gradients.
pub(super) struct Shared {
    stride: usize,
    values: Vec<f32>,
    squares: Vec<f32>,
    /// λ over the number of rows a feature occurs in: the part of its penalty that one row carries.
    penalties: Vec<f32>,
}

impl Shared {
    pub(super) fn new(problem: &Problem, layout: &Layout, intercept: f64, options: &GradientOptions) -> Self {
        let stride = layout.stride;
        let features = layout.features() + 1;
        let mut values = vec![0f32; features * stride];
        let mut random = Random::keyed(options.seed, &[3]);
        let deviation = super::block::deviation(options.factors);
        for feature in layout.context() {
            let vector = &mut values[feature * stride + 1..(feature + 1) * stride];
            vector.iter_mut().for_each(|value| *value = (deviation * random.normal()) as f32);
        }
        values[layout.intercept() * stride] = intercept as f32;
        let mut rows = occurrences(problem.context, &vec![1; problem.rows()]);
        let side = |entities, numbers: &[u32], features| occurrences(features, &counts(entities, numbers));
        rows.extend(side(problem.users.entities, problem.user, &problem.users.features));
        rows.extend(side(problem.items.entities, problem.item, &problem.items.features));
        let penalty = |&rows: &u64| (options.regularization / rows.max(1) as f64) as f32;
        let penalties = rows.iter().map(penalty).chain(std::iter::once(0.0)).collect();
        Self { stride, squares: vec![0.0; values.len()], values, penalties }
    }

    /// A feature's bias and vector.
    pub(super) fn of(&self, feature: usize) -> (f32, &[f32]) {
        let values = &self.values[feature * self.stride..(feature + 1) * self.stride];
        (values[0], &values[1..])
    }

    /// The intercept.
    pub(super) fn intercept(&self) -> f32 {
        self.values[self.values.len() - self.stride]
    }

    /// Moves every touched feature by one adaptive step and empties the gradient.
    pub(super) fn step(&mut self, gradient: &mut Gradient, rate: f32) {
        for feature in gradient.touched.drain(..) {
            let feature = feature as usize;
            let range = feature * self.stride..(feature + 1) * self.stride;
            let penalty = self.penalties[feature] * std::mem::take(&mut gradient.rows[feature]) as f32;
            let sums = &mut gradient.sums[range.clone()];
            let own = self.values[range.clone()].iter_mut().zip(&mut self.squares[range]);
            for (entry, ((value, square), sum)) in own.zip(sums).enumerate() {
                let penalty = if entry == 0 { penalty * BIAS_PENALTY } else { penalty };
                adaptive_step(value, square, std::mem::take(sum) + penalty * *value, rate);
            }
        }
    }

    /// The vectors and the biases of a range of features.
    pub(super) fn parameters(&self, features: Range<usize>) -> (Vec<f32>, Vec<f32>) {
        let vectors = features.clone().flat_map(|feature| self.of(feature).1.to_vec()).collect();
        (vectors, features.map(|feature| self.of(feature).0).collect())
    }
}

/// One step of Adagrad for one number.
pub(super) fn adaptive_step(value: &mut f32, square: &mut f32, gradient: f32, rate: f32) {
    *square += gradient * gradient;
    *value -= rate * gradient / (1.0 + square.sqrt());
}

/// In how many rows each feature occurs, when the entity (or row) `n` stands for `times[n]` rows.
fn occurrences(features: &Csr, times: &[u32]) -> Vec<u64> {
    let mut occurrences = vec![0; features.columns];
    for (n, &times) in times.iter().enumerate().take(features.rows()) {
        features.row(n).0.iter().for_each(|&feature| occurrences[feature as usize] += u64::from(times));
    }
    occurrences
}
