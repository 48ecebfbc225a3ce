//! A block of entities, and the steps over a block's rows.

use super::{
    BIAS_PENALTY, GradientOptions,
    schedule::BLOCKS,
    shared::{Gradient, Layout, Shared, adaptive_step},
};
use crate::{Control, Result, linalg::single, random::Random, solve::Problem, sparse::Csr};

/// Rows between two looks at the control.
const ROWS_BETWEEN_CHECKS: usize = 4096;

/// The standard deviation of a vector's entries at the start: vectors of length about a fifth.
pub(super) fn deviation(factors: usize) -> f64 {
    0.2 / (factors.max(1) as f64).sqrt()
}

/// The own biases and vectors of the entities whose number has the block's remainder by [`BLOCKS`].
pub(super) struct Block {
    stride: usize,
    values: Vec<f32>,
    squares: Vec<f32>,
    /// λ over the entity's number of rows.
    penalties: Vec<f32>,
}

impl Block {
    /// A block of the entities whose numbers of rows are `counts`.
    pub(super) fn new(
        number: usize,
        counts: &[u32],
        purpose: u64,
        options: &GradientOptions,
        control: &dyn Control,
    ) -> Result<Self> {
        let stride = options.factors + 1;
        let deviation = deviation(options.factors);
        let (mut values, mut penalties) = (Vec::new(), Vec::new());
        for entity in (number..counts.len()).step_by(BLOCKS) {
            control.check()?;
            let mut random = Random::keyed(options.seed, &[purpose, entity as u64]);
            values.push(0.0);
            // An entity without rows is never moved; its own offset must be zero.
            let deviation = if counts[entity] == 0 { 0.0 } else { deviation };
            values.extend((1..stride).map(|_| (deviation * random.normal()) as f32));
            penalties.push((options.regularization / f64::from(counts[entity].max(1))) as f32);
        }
        Ok(Self { stride, squares: vec![0.0; values.len()], values, penalties })
    }

    /// An entity's own bias and vector.
    fn of(&self, entity: u32) -> (f32, &[f32]) {
        let at = entity as usize / BLOCKS * self.stride;
        (self.values[at], &self.values[at + 1..at + self.stride])
    }

    /// One adaptive step for an entity whose loss has the gradient `gradient * (1, direction)`.
    fn step(&mut self, entity: u32, gradient: f32, direction: &[f32], rate: f32) {
        let entity = entity as usize / BLOCKS;
        let penalty = self.penalties[entity];
        let range = entity * self.stride..(entity + 1) * self.stride;
        let values = &mut self.values[range.clone()];
        let squares = &mut self.squares[range];
        let (bias, vector) = values.split_at_mut(1);
        let (bias_square, vector_squares) = squares.split_at_mut(1);
        let bias_slope = gradient + penalty * BIAS_PENALTY * bias[0];
        adaptive_step(&mut bias[0], &mut bias_square[0], bias_slope, rate);
        for ((value, square), along) in vector.iter_mut().zip(vector_squares).zip(direction) {
            adaptive_step(value, square, gradient * along + penalty * *value, rate);
        }
    }
}

/// The own vectors and biases of all entities, in the order of their numbers.
pub(super) fn gather(entities: usize, blocks: &[Block], factors: usize) -> (Vec<f32>, Vec<f32>) {
    let mut vectors = Vec::with_capacity(entities * factors);
    let mut biases = Vec::with_capacity(entities);
    for entity in 0..entities {
        let (bias, vector) = blocks[entity % BLOCKS].of(entity as u32);
        vectors.extend_from_slice(vector);
        biases.push(bias);
    }
    (vectors, biases)
}

/// Sums over one row's parts.
pub(super) struct Scratch {
    user: Vec<f32>,
    item: Vec<f32>,
    context: Vec<f32>,
    direction: Vec<f32>,
}

impl Scratch {
    pub(super) fn new(factors: usize) -> Self {
        let zeros = || vec![0.0; factors];
        Self { user: zeros(), item: zeros(), context: zeros(), direction: zeros() }
    }
}

/// What the steps of a round read.
pub(super) struct Step<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) layout: &'a Layout,
    pub(super) shared: &'a Shared,
    pub(super) rate: f32,
}

impl Step<'_> {
    /// One step for each row: moves the row's user and item, and adds the shared parameters' gradient. Returns the sum of the
    /// rows' weighted losses, each before its step.
    pub(super) fn run(
        &self,
        scratch: &mut Scratch,
        users: &mut Block,
        items: &mut Block,
        rows: &[u32],
        gradient: &mut Gradient,
        control: &dyn Control,
    ) -> Result<f64> {
        let mut loss = 0.0;
        for part in rows.chunks(ROWS_BETWEEN_CHECKS) {
            control.check()?;
            for &row in part {
                loss += self.row(row as usize, scratch, users, items, gradient);
            }
        }
        Ok(loss)
    }

    fn row(
        &self,
        row: usize,
        scratch: &mut Scratch,
        users: &mut Block,
        items: &mut Block,
        gradient: &mut Gradient,
    ) -> f64 {
        let problem = self.problem;
        let user = problem.user.get(row).copied();
        let item = problem.item.get(row).copied();
        let score = self.score(row, scratch, (users, user), (items, item));
        let positive = problem.target[row] > 0.5;
        let weight = problem.weight[row];
        let probability = 1.0 / (1.0 + (-score).exp());
        let slope = weight * (probability - if positive { 1.0 } else { 0.0 });
        let Scratch { user: p, item: q, context: r, direction } = scratch;

        direction.iter_mut().zip(&*q).zip(&*r).for_each(|((to, q), r)| *to = q + r);
        if let Some(user) = user {
            users.step(user, slope, direction, self.rate);
            self.add_side(&problem.users.features, user, self.layout.users().start, slope, direction, gradient);
        }
        direction.iter_mut().zip(&*p).zip(&*r).for_each(|((to, p), r)| *to = p + r);
        if let Some(item) = item {
            items.step(item, slope, direction, self.rate);
            self.add_side(&problem.items.features, item, self.layout.items().start, slope, direction, gradient);
        }
        direction.iter_mut().zip(&*q).for_each(|(to, q)| *to += q);
        let (columns, values) = problem.context.row(row);
        for (&column, &x) in columns.iter().zip(values) {
            let (_, vector) = self.shared.of(column as usize);
            let sums = gradient.of(column as usize);
            sums[0] += slope * x;
            for ((sum, all), own) in sums[1..].iter_mut().zip(&*direction).zip(vector) {
                *sum += slope * x * (all - x * own);
            }
        }
        gradient.of(self.layout.intercept())[0] += slope;
        f64::from(weight * softplus(if positive { -score } else { score }))
    }

    /// The row's score; leaves p, q and r in the scratch space.
    fn score(
        &self,
        row: usize,
        scratch: &mut Scratch,
        user: (&Block, Option<u32>),
        item: (&Block, Option<u32>),
    ) -> f32 {
        let Scratch { user: p, item: q, context: r, .. } = scratch;
        let mut score = self.shared.intercept();
        score += self.side(&self.problem.users.features, user, self.layout.users().start, p);
        score += self.side(&self.problem.items.features, item, self.layout.items().start, q);
        r.fill(0.0);
        let mut squares = 0.0;
        let (columns, values) = self.problem.context.row(row);
        for (&column, &x) in columns.iter().zip(values) {
            let (bias, vector) = self.shared.of(column as usize);
            score += x * bias;
            single::add_scaled(r, x, vector);
            squares += x * x * single::dot(vector, vector);
        }
        score + single::dot(p, q) + single::dot(p, r) + single::dot(q, r) + 0.5 * (single::dot(r, r) - squares)
    }

    /// Writes an entity's whole vector and returns its whole bias; zeros when the row has none.
    fn side(&self, features: &Csr, entity: (&Block, Option<u32>), start: usize, to: &mut [f32]) -> f32 {
        let (block, Some(entity)) = entity else {
            to.fill(0.0);
            return 0.0;
        };
        let (mut whole, vector) = block.of(entity);
        to.copy_from_slice(vector);
        if features.columns > 0 {
            let (columns, values) = features.row(entity as usize);
            for (&column, &x) in columns.iter().zip(values) {
                let (bias, vector) = self.shared.of(start + column as usize);
                whole += x * bias;
                single::add_scaled(to, x, vector);
            }
        }
        whole
    }

    /// Adds the gradient of an entity's features.
    fn add_side(
        &self,
        features: &Csr,
        entity: u32,
        start: usize,
        slope: f32,
        direction: &[f32],
        gradient: &mut Gradient,
    ) {
        if features.columns == 0 {
            return;
        }
        let (columns, values) = features.row(entity as usize);
        for (&column, &x) in columns.iter().zip(values) {
            let sums = gradient.of(start + column as usize);
            sums[0] += slope * x;
            single::add_scaled(&mut sums[1..], slope * x, direction);
        }
    }
}

/// `log(1 + exp(x))` without overflow.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
