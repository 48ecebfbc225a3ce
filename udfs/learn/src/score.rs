//! The scoring form of [`crate::factors`], evaluated: whole vectors of entities, and scores of rows.

use crate::{
    factors::{Factors, Side, SideFactors},
    linalg::single::{add_scaled, dot},
};

/// Vectors and biases with the side features' parts added, an entity a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Whole {
    pub(crate) vectors: Vec<f32>,
    pub(crate) biases: Vec<f32>,
}

impl Whole {
    /// Of every entity of a side.
    pub(crate) fn new(side: &Side, own: &SideFactors, factors: usize) -> Self {
        let mut whole = Self { vectors: own.vectors.clone(), biases: own.biases.clone() };
        if side.features.columns == 0 {
            return whole;
        }
        for entity in 0..side.entities {
            let vector = &mut whole.vectors[entity * factors..(entity + 1) * factors];
            let (indices, values) = side.features.row(entity);
            add_features(own, indices, values, vector, &mut whole.biases[entity]);
        }
        whole
    }

    /// The bias and the vector of one entity.
    pub(crate) fn of(&self, entity: u32, factors: usize) -> (f32, &[f32]) {
        (self.biases[entity as usize], &self.vectors[entity as usize * factors..][..factors])
    }
}

/// Adds the parts of side features to an entity's vector and bias, in the order of the features.
pub(crate) fn add_features(side: &SideFactors, indices: &[u32], values: &[f32], vector: &mut [f32], bias: &mut f32) {
    let factors = vector.len();
    for (&index, &value) in indices.iter().zip(values) {
        add_scaled(vector, value, &side.feature_vectors[index as usize * factors..][..factors]);
        *bias += value * side.feature_biases[index as usize];
    }
}

/// The context's part of a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContextPart {
    /// `Σ x_f v_f`.
    pub(crate) vector: Vec<f32>,
    /// Its biases and the pairs inside the context.
    pub(crate) score: f64,
}

impl ContextPart {
    /// Sums the features of one row.
    pub(crate) fn gather(&mut self, factors: &Factors, norms: &[f64], indices: &[u32], values: &[f32]) {
        let width = factors.factors;
        self.vector.clear();
        self.vector.resize(width, 0.0);
        let (mut bias, mut alone) = (0.0, 0.0);
        for (&index, &value) in indices.iter().zip(values) {
            let at = index as usize;
            add_scaled(&mut self.vector, value, &factors.context_vectors[at * width..][..width]);
            bias += f64::from(value) * f64::from(factors.context_biases[at]);
            alone += f64::from(value) * f64::from(value) * norms[at];
        }
        let together: f64 = self.vector.iter().map(|&entry| f64::from(entry) * f64::from(entry)).sum();
        self.score = bias + (together - alone) / 2.0;
    }
}

/// `‖v_f‖²` of every context feature.
pub(crate) fn context_norms(factors: &Factors) -> Vec<f64> {
    if factors.factors == 0 {
        return vec![0.0; factors.context_biases.len()];
    }
    let square = |vector: &[f32]| vector.iter().map(|&entry| f64::from(entry) * f64::from(entry)).sum();
    factors.context_vectors.chunks_exact(factors.factors).map(square).collect()
}

/// What of a score does not depend on the item, and the vector that an item's is multiplied with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// `p + r`.
    pub(crate) vector: Vec<f32>,
    /// `mean + b_user + context + p·r`.
    pub(crate) base: f64,
}

impl Query {
    /// Of a user in a context; no context counts as zeros.
    pub(crate) fn gather(&mut self, mean: f64, bias: f32, user: &[f32], context: Option<&ContextPart>) {
        self.vector.clear();
        self.vector.extend_from_slice(user);
        self.base = mean + f64::from(bias);
        if let Some(context) = context {
            self.base += context.score + f64::from(dot(user, &context.vector));
            add_scaled(&mut self.vector, 1.0, &context.vector);
        }
    }

    /// The score of an item: the one sum that prediction and ranking share.
    pub(crate) fn score(&self, bias: f32, item: &[f32]) -> f64 {
        self.base + (f64::from(dot(&self.vector, item)) + f64::from(bias))
    }
}
