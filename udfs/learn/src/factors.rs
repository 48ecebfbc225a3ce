//! The parameters that solvers estimate and models score with.
//!
//! One scoring form (Rendle, "Factorization Machines", ICDM 2010, without the pairs inside one side). With p, q and r the
//! sums of `x_f v_f` over the user's, the item's and the context's features, the entity's own offset included:
//! `score = mean + Σ bias_f x_f + p·q + p·r + q·r + ½(‖r‖² − Σ_context x_f² ‖v_f‖²)`.

/// The features of one kind of entity (users or items), as training knows them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Side {
    /// How many distinct entities there are; zero when the model has no such side.
    pub entities: usize,
    /// Their side features: `entities` rows; no columns when there are none.
    pub features: crate::sparse::Csr,
}

/// The parameters of one side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SideFactors {
    /// Each entity's own offset, `entities` x `factors`, row-major. The entity's whole vector is this plus the sum of
    /// its features' vectors.
    pub vectors: Vec<f32>,
    /// Each entity's own bias, `entities` long.
    pub biases: Vec<f32>,
    /// Each feature's vector, `features` x `factors`, row-major.
    pub feature_vectors: Vec<f32>,
    /// Each feature's bias, `features` long.
    pub feature_biases: Vec<f32>,
}

/// All parameters of a factorization machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Factors {
    /// The number of latent factors, the length of every vector; zero for a linear model.
    pub factors: usize,
    /// The global intercept, on the link scale.
    pub mean: f64,
    /// The users' side.
    pub user: SideFactors,
    /// The items' side.
    pub item: SideFactors,
    /// The context features' vectors, `features` x `factors`, row-major.
    pub context_vectors: Vec<f32>,
    /// The context features' biases.
    pub context_biases: Vec<f32>,
}
