//! How good predictions and rankings are. Pure functions of numbers; none returns NaN.
//!
//! Where a figure is undefined (the AUC of one class, the R² of a constant) it is `None`.

/// One figure about a model, beside what a model without learning would reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// `train` or `test`; for an input given to [`crate::Model::evaluate`], `input`.
    pub split: &'static str,
    /// `all`, `warm` (user and item known), `cold_user` (unknown user) or `cold_item` (unknown item).
    pub slice: &'static str,
    /// The name, for example `rmse` or `recall@20`.
    pub metric: &'static str,
    /// The figure; `None` where it is undefined.
    pub value: Option<f64>,
    /// The same figure of the baseline.
    pub baseline: Option<f64>,
    /// How many rows (implicit: pairs) it is about.
    pub rows: u64,
}

/// Rows to be judged: targets, predictions and weights of equal length.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// What happened; 0 or 1 for classes.
    pub target: &'a [f64],
    /// What was predicted; for classes the probability of 1.
    pub prediction: &'a [f64],
    /// How much each row counts, above zero.
    pub weight: &'a [f64],
}

impl Judged<'_> {
    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        self.target
            .iter()
            .zip(self.prediction)
            .zip(self.weight)
            .map(|((&target, &prediction), &weight)| (target, prediction, weight))
    }

    fn mean(&self, of: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let weight: f64 = self.weight.iter().sum();
        let sum: f64 = self.rows().map(|(target, prediction, weight)| weight * of(target, prediction)).sum();
        finite(sum / weight)
    }

    /// The rows by prediction, the greatest first: for each distinct prediction the weight of class 1 and of class 0.
    fn thresholds(&self) -> Vec<(f64, f64)> {
        let mut rows: Vec<_> = self.rows().collect();
        // Sorted by everything, so that sums do not depend on the order of rows.
        rows.sort_unstable_by(|left, right| {
            right.1.total_cmp(&left.1).then(left.0.total_cmp(&right.0)).then(left.2.total_cmp(&right.2))
        });
        rows.chunk_by(|left, right| left.1 == right.1)
            .map(|tied| {
                let sum = |class: bool| tied.iter().filter(|row| (row.0 > 0.5) == class).map(|row| row.2).sum();
                (sum(true), sum(false))
            })
            .collect()
    }
}

/// A number that may leave: finite, and zero without a sign, which the empty sum has.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

/// The root of the mean squared error, in the target's unit.
pub fn rmse(judged: Judged<'_>) -> Option<f64> {
    judged.mean(|target, prediction| (target - prediction).powi(2)).map(f64::sqrt)
}

/// The mean absolute error, in the target's unit.
pub fn mae(judged: Judged<'_>) -> Option<f64> {
    judged.mean(|target, prediction| (target - prediction).abs())
}

/// The share of the target's variance that is explained: at most 1, negative if worse than the mean of these rows.
pub fn r2(judged: Judged<'_>) -> Option<f64> {
    let mean = judged.mean(|target, _| target)?;
    let variance = judged.mean(|target, _| (target - mean).powi(2)).filter(|variance| *variance > 0.0)?;
    finite(1.0 - judged.mean(|target, prediction| (target - prediction).powi(2))? / variance)
}

/// The mean negative log likelihood in nats; probabilities are kept 1e-15 away from 0 and 1.
pub fn log_loss(judged: Judged<'_>) -> Option<f64> {
    judged.mean(|target, probability| {
        let probability = probability.clamp(1e-15, 1.0 - 1e-15);
        -(if target > 0.5 { probability.ln() } else { (1.0 - probability).ln() })
    })
}

/// The share of rows whose more probable class happened; a probability of one half counts as class 1.
pub fn accuracy(judged: Judged<'_>) -> Option<f64> {
    judged.mean(|target, probability| f64::from((target > 0.5) == (probability >= 0.5)))
}

/// The harmonic mean of precision and recall of class 1 at one half; 0 if nothing is found, `None` without class 1.
pub fn f1(judged: Judged<'_>) -> Option<f64> {
    let sum = |of: &dyn Fn(bool, bool) -> bool| -> f64 {
        judged.rows().filter(|row| of(row.0 > 0.5, row.1 >= 0.5)).map(|row| row.2).sum()
    };
    let hits = sum(&|target, predicted| target && predicted);
    let misses = sum(&|target, predicted| target && !predicted);
    let alarms = sum(&|target, predicted| !target && predicted);
    if hits + misses > 0.0 { finite(2.0 * hits / (2.0 * hits + misses + alarms)) } else { None }
}

/// The probability that a row of class 1 is ranked above one of class 0; equal predictions count half.
pub fn auc(judged: Judged<'_>) -> Option<f64> {
    let thresholds = judged.thresholds();
    let positives: f64 = thresholds.iter().map(|tied| tied.0).sum();
    let negatives: f64 = thresholds.iter().map(|tied| tied.1).sum();
    let (mut above, mut area) = (0.0, 0.0);
    for (positive, negative) in thresholds {
        area += negative * (above + positive / 2.0);
        above += positive;
    }
    finite(area / positives / negatives)
}

/// The mean precision over the positives, by steps: `Σ (recall_n − recall_{n−1}) precision_n` over distinct
/// predictions.
pub fn average_precision(judged: Judged<'_>) -> Option<f64> {
    let thresholds = judged.thresholds();
    let positives: f64 = thresholds.iter().map(|tied| tied.0).sum();
    let (mut hits, mut taken, mut sum) = (0.0, 0.0, 0.0);
    for (positive, negative) in thresholds {
        hits += positive;
        taken += positive + negative;
        sum += positive * (hits / taken);
    }
    finite(sum / positives)
}

/// The ranking metrics that are reported, in order.
pub const RANKING: [&str; 6] = ["recall@10", "recall@20", "ndcg@10", "ndcg@20", "hit_rate@10", "mrr"];
/// How many of the best items the ranking metrics look at, the reciprocal rank aside.
pub const RANKING_DEPTH: usize = 20;

/// The metrics of one user, in the order of [`RANKING`].
///
/// `best` are the user's best items in order, at least [`RANKING_DEPTH`] if there are so many; `relevant` says which
/// items are; `total` is how many relevant items there are, unknown ones included; `first` is the rank of the best
/// relevant item among all, from 1, if any was ranked. The recall at k is hits over all relevant ones; the gain of a
/// hit at rank i is 1 / log₂(1 + i), and the ideal ranks all relevant items first (Järvelin and Kekäläinen, TOIS 2002).
pub fn ranking(best: &[u32], relevant: impl Fn(u32) -> bool, total: usize, first: Option<usize>) -> [f64; 6] {
    let gain = |position: usize| 1.0 / (position as f64 + 2.0).log2();
    let hits: Vec<usize> = (0..best.len().min(RANKING_DEPTH)).filter(|&position| relevant(best[position])).collect();
    let within = |k: usize| hits.iter().filter(move |&&position| position < k);
    let recall = |k| within(k).count() as f64 / total.max(1) as f64;
    let ndcg = |k: usize| {
        let ideal: f64 = (0..total.clamp(1, k)).map(gain).sum();
        within(k).fold(0.0, |sum, &position| sum + gain(position)) / ideal
    };
    let hit = f64::from(within(10).next().is_some());
    [recall(10), recall(20), ndcg(10), ndcg(20), hit, first.map_or(0.0, |rank| 1.0 / rank as f64)]
}
