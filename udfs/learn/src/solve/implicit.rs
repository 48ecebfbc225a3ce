//! Implicit feedback by alternating least squares over all pairs.
//!
//! Minimises
//! `Σ_seen w (1 − p·q)² + α₀ Σ_all (p·q)² + λ [Σ m_u^ν ‖p_u − Aᵀx_u‖² + Σ m_i^ν ‖q_i − Bᵀz_i‖²] + λ_s (‖A‖² + ‖B‖²)`
//! with `m_u = n_u + α₀ |items|`, `m_i = n_i + α₀ |users|` and `n` the number of seen pairs (Hu, Koren and Volinsky, ICDM
//! 2008; the weights of the unobserved pairs and the regularization by frequency as in Rendle et al., "Revisiting the
//! performance of iALS", RecSys 2022, sections 2 and 3; side features as priors: Agarwal and Chen, KDD 2009).
//!
//! Given the items, a user's row solves `(α₀ QᵀQ + Σ w q qᵀ + λ m_u^ν I) p_u = Σ w q + λ m_u^ν Aᵀx_u` exactly, and the
//! features `(XᵀDX + (λ_s/λ) I) A = XᵀDP` with `D = diag(m_u^ν)`, by conjugate gradients; the same for items. Each step
//! minimises the objective over some unknowns, so it never rises. The part `α₀ QᵀQ` is computed once for all users, and
//! it is factored once for all users with the same few pairs, whose systems then are as small as their number of pairs.

use super::{ImplicitProblem, prior::Regression};
use crate::{
    Control, Result,
    factors::{Factors, Side, SideFactors},
    linalg::{Effort, double, single},
    parallel,
    random::Random,
    sparse::Csr,
};

/// How [`fit`] works.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `factors` | 64 | length of every vector | 1 to [`super::MOST_FACTORS`] |
/// | `epochs` | 16 | passes over users and items | 1 to 100,000 |
/// | `regularization` | 0.01 | λ, how strongly rows are held to what their features say | above 0 |
/// | `frequency_exponent` | 1 | ν, how much more strongly the frequent ones are held | 0 to 2 |
/// | `unobserved_weight` | 0.05 | α₀, what a pair that was not seen weighs; see [`ImplicitOptions::suited_to`] | above 0 |
/// | `feature_regularization` | 1 | λ_s, how strongly feature vectors are held to zero | above 0 |
/// | `seed` | 42 | where the vectors start | any |
/// | `threads` | 1 | never changes the result | any |
#[derive(Debug, Clone, PartialEq)]
pub struct ImplicitOptions {
    /// The length of every vector.
    pub factors: usize,
    /// Passes over users and items.
    pub epochs: usize,
    /// λ.
    pub regularization: f64,
    /// ν.
    pub frequency_exponent: f64,
    /// α₀.
    pub unobserved_weight: f64,
    /// λ_s.
    pub feature_regularization: f64,
    /// Where the vectors start.
    pub seed: u64,
    /// How many threads work; the result does not depend on it.
    pub threads: usize,
}

impl Default for ImplicitOptions {
    fn default() -> Self {
        Self {
            factors: 64,
            epochs: 16,
            regularization: 0.01,
            frequency_exponent: 1.0,
            unobserved_weight: 0.05,
            feature_regularization: 1.0,
            seed: 42,
            threads: 1,
        }
    }
}

/// The weight of all unobserved pairs together, in units of the number of seen pairs, that [`ImplicitOptions::suited_to`] sets.
const UNOBSERVED_PER_SEEN: f64 = 20.0;

impl ImplicitOptions {
    /// The defaults, with an `unobserved_weight` that suits how dense the pairs are: all unobserved pairs together weigh 20 times as
    /// much as there are seen pairs, but one of them never more than 1. A fixed weight would drown sparse pairs: where
    /// `m = n + α₀ |others|` is nearly all α₀, the regularization holds every row at zero.
    pub fn suited_to(problem: &ImplicitProblem) -> Self {
        let cells = problem.seen.rows() as f64 * problem.seen.columns as f64;
        let density = problem.seen.indices.len() as f64 / cells.max(1.0);
        Self { unobserved_weight: (UNOBSERVED_PER_SEEN * density).clamp(1e-6, 1.0), ..Self::default() }
    }

    fn check(&self) -> Result<()> {
        super::in_range("factors", self.factors as f64, 1.0, super::MOST_FACTORS as f64)?;
        super::in_range("epochs", self.epochs as f64, 1.0, 100_000.0)?;
        super::in_range("regularization", self.regularization, 1e-9, 1e9)?;
        super::in_range("frequency_exponent", self.frequency_exponent, 0.0, 2.0)?;
        super::in_range("unobserved_weight", self.unobserved_weight, 1e-9, 1e6)?;
        super::in_range("feature_regularization", self.feature_regularization, 1e-9, 1e9)
    }
}

/// Estimates the vectors of users, items and their features; the mean and the biases are zero.
///
/// # Errors
/// [`crate::Error::InvalidOption`] for an option out of range, [`crate::Error::InvalidData`] without pairs or for numbers that
/// are not finite, [`crate::Error::Cancelled`].
pub fn fit(problem: &ImplicitProblem, options: &ImplicitOptions, control: &dyn Control) -> Result<Factors> {
    options.check()?;
    problem.check()?;
    let seen_by_item = problem.seen.transposed();
    let mut users = Half::new(problem.users, problem.seen, options);
    let mut items = Half::new(problem.items, &seen_by_item, options);
    items.scatter(options, control)?;
    items.gram = weighted_gram(&items.rows, options, control)?;
    for epoch in 1..=options.epochs {
        if epoch > 1 {
            users.solve_features(options, control)?;
        }
        users.solve_rows(&items, options, control)?;
        if epoch > 1 {
            items.solve_features(options, control)?;
        }
        items.solve_rows(&users, options, control)?;
        let loss = objective(&users, &items, options, control)?;
        control.progress("epoch", epoch as u64, options.epochs as u64, Some(loss));
    }
    let factors =
        Factors { factors: options.factors, user: users.factors(), item: items.factors(), ..Factors::default() };
    super::finite_factors(&factors, "raise regularization or lower the weights of the pairs")?;
    Ok(factors)
}

/// A new user's whole vector from seen items: `seen` holds pairs of an item's number and its weight, `item_vectors` the items'
/// whole vectors, row-major, and `prior_mean` what the user's side features give (zeros without any).
///
/// For more than one user make a [`FoldIn`].
///
/// # Errors
/// [`crate::Error::Internal`] when lengths differ or an item's number is out of range.
pub fn fold_in(
    item_vectors: &[f32],
    seen: &[(u32, f32)],
    prior_mean: &[f32],
    options: &ImplicitOptions,
) -> Result<Vec<f32>> {
    FoldIn::new(item_vectors, options, &crate::control::Unattended)?.solve(seen, prior_mean)
}

/// Solves new users' rows against fixed items; see [`fold_in`].
pub struct FoldIn<'a> {
    item_vectors: &'a [f32],
    gram: Vec<f32>,
    options: &'a ImplicitOptions,
}

impl<'a> FoldIn<'a> {
    /// Computes what all users share.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn new(item_vectors: &'a [f32], options: &'a ImplicitOptions, control: &dyn Control) -> Result<Self> {
        let gram = weighted_gram(item_vectors, options, control)?;
        Ok(Self { item_vectors, gram, options })
    }

    /// One user's whole vector.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when lengths differ or an item's number is out of range.
    pub fn solve(&self, seen: &[(u32, f32)], prior_mean: &[f32]) -> Result<Vec<f32>> {
        let width = self.options.factors;
        let items = self.item_vectors.len() / width.max(1);
        if prior_mean.len() != width || seen.iter().any(|&(item, _)| item as usize >= items) {
            return Err(crate::Error::Internal("the parts of a user to fold in do not fit the model".into()));
        }
        let (numbers, weights): (Vec<u32>, Vec<f32>) = seen.iter().copied().unzip();
        let ridge = ridge(seen.len(), items, self.options);
        let mut system = Dense::new(width);
        system.solve(&self.gram, self.item_vectors, (&numbers, &weights), ridge, prior_mean);
        Ok(system.right)
    }
}

/// Entities a work unit.
const UNIT: usize = 64;
/// Vectors a work unit of a Gram matrix: few enough that single precision holds their sum.
const GRAM_UNIT: usize = 512;
/// The regression on features starts from the last one, so a few iterations an epoch are enough.
const EFFORT: Effort = Effort { iterations: 20, tolerance: 1e-7 };

/// `λ m^ν` of an entity with so many seen pairs, on the side opposite to so many others.
fn ridge(pairs: usize, others: usize, options: &ImplicitOptions) -> f64 {
    let frequency = pairs as f64 + options.unobserved_weight * others as f64;
    options.regularization * frequency.powf(options.frequency_exponent)
}

/// `α₀ VᵀV` (upper triangle) of row-major vectors.
fn weighted_gram(vectors: &[f32], options: &ImplicitOptions, control: &dyn Control) -> Result<Vec<f32>> {
    let width = options.factors;
    let ones = [1f32; GRAM_UNIT];
    let parts = parallel::run_ranges(
        options.threads,
        vectors.len() / width,
        GRAM_UNIT,
        control,
        || (),
        |(), range| {
            let mut part = vec![0f32; width * width];
            let weights = &ones[..range.len()];
            single::add_outer(&mut part, width, &vectors[range.start * width..range.end * width], weights);
            Ok(part)
        },
    )?;
    let mut sum = vec![0f64; width * width];
    for part in parts {
        sum.iter_mut().zip(&part).for_each(|(to, &from)| *to += f64::from(from));
    }
    Ok(sum.into_iter().map(|value| (options.unobserved_weight * value) as f32).collect())
}

/// One side: its entities' whole vectors, the pairs they have, and their features.
struct Half<'a> {
    seen: &'a Csr,
    rows: Vec<f32>,
    regression: Regression<'a>,
    feature_vectors: Vec<f32>,
    /// The prior means, entities x factors; empty without features.
    means: Vec<f32>,
    /// `m^ν` of every entity.
    frequencies: Vec<f64>,
    /// `α₀ VᵀV` of the rows, once they are solved.
    gram: Vec<f32>,
}

impl<'a> Half<'a> {
    fn new(side: &'a Side, seen: &'a Csr, options: &ImplicitOptions) -> Self {
        let width = options.factors;
        let frequencies = (0..seen.rows())
            .map(|entity| ridge(seen.row(entity).0.len(), seen.columns, options) / options.regularization)
            .collect();
        Self {
            seen,
            rows: vec![0.0; seen.rows() * width],
            regression: Regression::new(&side.features, options.threads),
            feature_vectors: vec![0.0; side.features.columns * width],
            means: Vec::new(),
            frequencies,
            gram: Vec::new(),
        }
    }

    /// Starts from random vectors, small enough that first scores are far below one, whatever the number of factors.
    fn scatter(&mut self, options: &ImplicitOptions, control: &dyn Control) -> Result<()> {
        let deviation = 0.1 / (options.factors as f64).sqrt();
        for (entity, vector) in self.rows.chunks_exact_mut(options.factors).enumerate() {
            control.check()?;
            let mut random = Random::keyed(options.seed, &[entity as u64]);
            vector.iter_mut().for_each(|value| *value = (deviation * random.normal()) as f32);
        }
        Ok(())
    }

    /// Regresses the vectors on the features, and renews the prior means.
    fn solve_features(&mut self, options: &ImplicitOptions, control: &dyn Control) -> Result<()> {
        let ridges = vec![options.feature_regularization / options.regularization; options.factors];
        let vectors = &mut self.feature_vectors;
        self.regression.fit(&self.rows, &self.frequencies, &ridges, vectors, EFFORT, control)?;
        self.means = self.regression.means(&self.feature_vectors, options.factors, control)?;
        Ok(())
    }

    /// Solves every entity's vector given the other side's.
    fn solve_rows(&mut self, other: &Half, options: &ImplicitOptions, control: &dyn Control) -> Result<()> {
        let width = options.factors;
        let (others, gram) = (&other.rows, &other.gram);
        let factored = factor_bases(self.seen, gram, options, control)?;
        let zeros = vec![0f32; width];
        let solve = |system: &mut Dense, range: std::ops::Range<usize>| {
            let mut solved = Vec::with_capacity(range.len() * width);
            for entity in range {
                control.check()?;
                let mean = self.means.get(entity * width..(entity + 1) * width).unwrap_or(&zeros);
                let pairs = self.seen.row(entity);
                let ridge = options.regularization * self.frequencies[entity];
                match factored.get(pairs.0.len()) {
                    Some(Some(base)) => system.solve_small(base, others, pairs, ridge, mean),
                    _ => system.solve(gram, others, pairs, ridge, mean),
                }
                solved.extend_from_slice(&system.right);
            }
            Ok(solved)
        };
        let entities = self.seen.rows();
        let parts = parallel::run_ranges(options.threads, entities, UNIT, control, || Dense::new(width), solve)?;
        self.rows = parts.concat();
        self.gram = weighted_gram(&self.rows, options, control)?;
        Ok(())
    }

    /// The scoring form: what each entity has beyond its features.
    fn factors(self) -> SideFactors {
        let mut vectors = self.rows;
        vectors.iter_mut().zip(&self.means).for_each(|(value, mean)| *value -= mean);
        SideFactors {
            vectors,
            biases: vec![0.0; self.seen.rows()],
            feature_biases: vec![0.0; self.regression.columns()],
            feature_vectors: self.feature_vectors,
        }
    }
}

/// For each small number of pairs that occurs more than once, the factored matrix of an entity with that many, before its own
/// pairs are added.
fn factor_bases(
    seen: &Csr,
    gram: &[f32],
    options: &ImplicitOptions,
    control: &dyn Control,
) -> Result<Vec<Option<Vec<f32>>>> {
    let width = options.factors;
    // Beyond about a fifth of the factors the entity's own dense system is no more work.
    let mut occurrences = vec![0usize; width / 5 + 1];
    for entity in 0..seen.rows() {
        if let Some(count) = occurrences.get_mut(seen.row(entity).0.len()) {
            *count += 1;
        }
    }
    let inputs = occurrences.into_iter().enumerate().collect();
    parallel::run(
        options.threads,
        inputs,
        control,
        || (),
        |(), (pairs, occurrences): (usize, usize)| {
            Ok((occurrences > 1).then(|| {
                let ridge = ridge(pairs, seen.columns, options) as f32;
                let mut matrix = gram.to_vec();
                (0..width).for_each(|j| matrix[j * width + j] += ridge);
                single::factor(&mut matrix, width);
                matrix
            }))
        },
    )
}

/// One row's system and its scratch space; the solution ends up in `right`.
struct Dense {
    width: usize,
    matrix: Vec<f32>,
    right: Vec<f32>,
    gathered: Vec<f32>,
    small: Vec<f64>,
}

impl Dense {
    fn new(width: usize) -> Self {
        Self {
            width,
            matrix: vec![0.0; width * width],
            right: vec![0.0; width],
            gathered: Vec::new(),
            small: Vec::new(),
        }
    }

    /// By the normal equations of the row.
    fn solve(&mut self, gram: &[f32], others: &[f32], pairs: (&[u32], &[f32]), ridge: f64, mean: &[f32]) {
        let width = self.width;
        self.matrix.copy_from_slice(gram);
        (0..width).for_each(|j| self.matrix[j * width + j] += ridge as f32);
        self.set_right(ridge, mean);
        for (items, weights) in pairs.0.chunks(GRAM_UNIT).zip(pairs.1.chunks(GRAM_UNIT)) {
            self.gather(others, items);
            single::add_outer(&mut self.matrix, width, &self.gathered, weights);
            for (vector, &weight) in self.gathered.chunks_exact(width).zip(weights) {
                single::add_scaled(&mut self.right, weight, vector);
            }
        }
        single::factor(&mut self.matrix, width);
        single::solve(&self.matrix, width, &mut self.right);
    }

    /// By the identity of Woodbury, for few pairs: `base` is `U`, with `UᵀU` the matrix before the pairs are added. With `z =
    /// U⁻ᵀq` the solution is `U⁻¹ (y − Z (W⁻¹ + ZᵀZ)⁻¹ Zᵀy)`, `y = U⁻ᵀ right`.
    fn solve_small(&mut self, base: &[f32], others: &[f32], pairs: (&[u32], &[f32]), ridge: f64, mean: &[f32]) {
        let (width, count) = (self.width, pairs.0.len());
        self.set_right(ridge, mean);
        if mean.iter().any(|&value| value != 0.0) {
            single::solve_transposed(base, width, &mut self.right);
        }
        self.gather(others, pairs.0);
        for (vector, &weight) in self.gathered.chunks_exact_mut(width).zip(pairs.1) {
            single::solve_transposed(base, width, vector);
            single::add_scaled(&mut self.right, weight, vector);
        }
        self.small.clear();
        self.small.resize(count * (count + 1), 0.0);
        let (matrix, inner) = self.small.split_at_mut(count * count);
        for (row, z) in self.gathered.chunks_exact(width).enumerate() {
            inner[row] = f64::from(single::dot(z, &self.right));
            for (column, other) in self.gathered.chunks_exact(width).enumerate().skip(row) {
                matrix[row * count + column] = f64::from(single::dot(z, other));
            }
            matrix[row * count + row] += 1.0 / f64::from(pairs.1[row]);
        }
        double::factor(matrix, count);
        double::solve(matrix, count, inner);
        for (z, &amount) in self.gathered.chunks_exact(width).zip(inner.iter()) {
            single::add_scaled(&mut self.right, -amount as f32, z);
        }
        single::solve_upper(base, width, &mut self.right);
    }

    fn set_right(&mut self, ridge: f64, mean: &[f32]) {
        self.right.iter_mut().zip(mean).for_each(|(to, mean)| *to = ridge as f32 * mean);
    }

    fn gather(&mut self, others: &[f32], items: &[u32]) {
        self.gathered.clear();
        for &item in items {
            let start = item as usize * self.width;
            self.gathered.extend_from_slice(&others[start..start + self.width]);
        }
    }
}

/// The objective as the module's documentation gives it.
fn objective(users: &Half, items: &Half, options: &ImplicitOptions, control: &dyn Control) -> Result<f64> {
    let width = options.factors;
    let entities = users.seen.rows();
    let parts = parallel::run_ranges(
        options.threads,
        entities,
        UNIT,
        control,
        || (),
        |(), range| {
            let mut sum = 0.0;
            for user in range {
                let vector = &users.rows[user * width..(user + 1) * width];
                let (seen, weights) = users.seen.row(user);
                for (&item, &weight) in seen.iter().zip(weights) {
                    let start = item as usize * width;
                    let gap = f64::from(1.0 - single::dot(vector, &items.rows[start..start + width]));
                    sum += f64::from(weight) * gap * gap;
                }
            }
            Ok(sum)
        },
    )?;
    let mut all = 0.0;
    for row in 0..width {
        for column in row..width {
            let times = if row == column { 1.0 } else { 2.0 };
            let at = row * width + column;
            all += times * f64::from(users.gram[at]) * f64::from(items.gram[at]) / options.unobserved_weight;
        }
    }
    Ok(parts.iter().sum::<f64>() + all + users.penalty(options) + items.penalty(options))
}

impl Half<'_> {
    /// This side's part of the objective's regularization.
    fn penalty(&self, options: &ImplicitOptions) -> f64 {
        let width = options.factors;
        let mut sum = 0.0;
        for (entity, frequency) in self.frequencies.iter().enumerate() {
            let range = entity * width..(entity + 1) * width;
            let gap = |(at, value): (usize, &f32)| {
                f64::from(value - self.means.get(range.start + at).unwrap_or(&0.0)).powi(2)
            };
            sum += frequency * self.rows[range.clone()].iter().enumerate().map(gap).sum::<f64>();
        }
        let features: f64 = self.feature_vectors.iter().map(|&value| f64::from(value).powi(2)).sum();
        options.regularization * sum + options.feature_regularization * features
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
