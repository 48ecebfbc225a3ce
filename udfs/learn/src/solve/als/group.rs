//! Biases and vectors of one kind (users, items or context features), with their variances and the strength of their prior.

use crate::{Control, Result, random::Random};

/// How many imagined members, each as uncertain as at the start, stand behind a learnt prior variance; keeps the variance of a small
/// kind away from zero.
const IMAGINED: f64 = 1.0;
/// The prior variance of a bias at the start, in units of the target's variance.
pub(super) const BIAS_VARIANCE: f64 = 0.1;
/// The least prior variance, so that a ridge stays finite.
pub(super) const LEAST_VARIANCE: f64 = 1e-8;

/// Members of one kind.
pub(super) struct Group {
    /// Each member's vector, row-major.
    pub(super) vectors: Vec<f32>,
    /// Each member's bias.
    pub(super) biases: Vec<f32>,
    /// The variance of each entry of [`Group::vectors`]; zero when the regularization is given.
    pub(super) variances: Vec<f32>,
    /// The variance of each bias.
    pub(super) bias_variances: Vec<f32>,
    /// The ridge on the bias, then on each entry of the vector: noise over prior variance.
    pub(super) ridges: Vec<f64>,
    /// The prior variance of the bias, then of each entry.
    pub(super) prior_variances: Vec<f64>,
    start_variance: f64,
}

impl Group {
    /// Members with zero biases and random vectors of this variance; `ridges` are that of a bias and of a vector's entry.
    pub(super) fn new(
        members: usize,
        width: usize,
        variance: f64,
        ridges: (f64, f64),
        mut random: Random,
        control: &dyn Control,
    ) -> Result<Self> {
        let deviation = variance.sqrt();
        let mut vectors = Vec::with_capacity(members * width);
        for _ in 0..members {
            control.check()?;
            vectors.extend((0..width).map(|_| (deviation * random.normal()) as f32));
        }
        let with = |first: f64, rest: f64| std::iter::once(first).chain(std::iter::repeat_n(rest, width)).collect();
        Ok(Self {
            vectors,
            biases: vec![0.0; members],
            variances: vec![0.0; members * width],
            bias_variances: vec![0.0; members],
            ridges: with(ridges.0, ridges.1),
            prior_variances: with(BIAS_VARIANCE, variance.max(LEAST_VARIANCE)),
            start_variance: variance,
        })
    }

    /// The length of a vector.
    pub(super) fn width(&self) -> usize {
        self.ridges.len() - 1
    }

    /// Takes over solved members: for each its bias, vector, bias's variance and vector's variance, one after the other.
    pub(super) fn replace(&mut self, solved: Vec<Vec<f32>>) {
        let width = self.width();
        let members = solved.iter().flat_map(|unit| unit.chunks_exact(2 * (width + 1)));
        for (member, values) in members.enumerate() {
            self.set(member, values);
        }
    }

    /// Takes over one solved member; see [`Group::replace`].
    pub(super) fn set(&mut self, member: usize, values: &[f32]) {
        let width = self.width();
        let (means, variances) = values.split_at(width + 1);
        self.biases[member] = means[0];
        self.vectors[member * width..(member + 1) * width].copy_from_slice(&means[1..]);
        self.bias_variances[member] = variances[0];
        self.variances[member * width..(member + 1) * width].copy_from_slice(&variances[1..]);
    }

    /// Sets the prior variances to their most likely values, given each learnt member's distance from its prior mean, and the
    /// ridges with them.
    pub(super) fn learn_prior(
        &mut self,
        noise: f64,
        learnt: impl Fn(usize) -> bool,
        means: &[f32],
        bias_means: &[f32],
    ) {
        let width = self.width();
        let mut sums: Vec<f64> = std::iter::once(BIAS_VARIANCE)
            .chain(std::iter::repeat_n(self.start_variance, width))
            .map(|start| IMAGINED * start)
            .collect();
        let mut count = IMAGINED;
        for member in (0..self.biases.len()).filter(|&member| learnt(member)) {
            count += 1.0;
            let gap = f64::from(self.biases[member] - bias_means.get(member).unwrap_or(&0.0));
            sums[0] += gap * gap + f64::from(self.bias_variances[member]);
            for j in 0..width {
                let at = member * width + j;
                let gap = f64::from(self.vectors[at] - means.get(at).unwrap_or(&0.0));
                sums[j + 1] += gap * gap + f64::from(self.variances[at]);
            }
        }
        self.prior_variances = sums.iter().map(|sum| (sum / count).max(LEAST_VARIANCE)).collect();
        self.ridges = self.prior_variances.iter().map(|variance| noise / variance).collect();
    }
}
