//! Fits with known answers, invariants, and generated clicks.

use super::*;
use crate::{
    control::Unattended,
    factors::Side,
    random::Random,
    solve::testing::{Impatient, Owned, csr},
    sparse::Csr,
};

/// A fit that must succeed.
fn fitted(owned: &Owned, options: &GradientOptions) -> Factors {
    fit(&owned.problem(), options, &Unattended).unwrap()
}

/// Clicks whose logit is a bias each plus the product of two true factors; side features and a context on request.
fn clicks(users: usize, items: usize, rows: usize, features: bool) -> (Owned, Vec<f64>) {
    let mut random = Random::keyed(21, &[]);
    let mut vectors = |count: usize| -> Vec<[f64; 3]> {
        (0..count).map(|_| [0.7 * random.normal(), 0.9 * random.normal(), 0.9 * random.normal()]).collect()
    };
    let (p, q) = (vectors(users), vectors(items));
    let side = |entities: usize| {
        let rows: Vec<_> = (0..entities).map(|n| vec![((n % 3) as u32, 1.0)]).collect();
        let features = if features { csr(3, &rows) } else { Csr::empty(entities, 0) };
        Side { entities, features }
    };
    let mut owned = Owned { users: side(users), items: side(items), ..Owned::default() };
    let (mut context, mut logits) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let (u, i) = (random.below(users as u64) as usize, random.below(items as u64) as usize);
        let hour = random.below(4) as u32;
        let shift = if features { f64::from(hour) - 1.5 } else { 0.0 };
        let logit = p[u][0] + q[i][0] + p[u][1] * q[i][1] + p[u][2] * q[i][2] + shift - 0.5;
        owned.user.push(u as u32);
        owned.item.push(i as u32);
        owned.target.push(if random.uniform() < 1.0 / (1.0 + (-logit).exp()) { 1.0 } else { 0.0 });
        owned.weight.push(1.0);
        context.push(if features { vec![(hour, 1.0)] } else { Vec::new() });
        logits.push(logit);
    }
    owned.context = csr(if features { 4 } else { 0 }, &context);
    (owned, logits)
}

/// The area under the ROC curve, ties aside.
fn auc(scores: &[f64], target: &[f32]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[left].total_cmp(&scores[right]));
    let positive = target.iter().filter(|&&y| y == 1.0).count() as f64;
    let ranks: f64 = order.iter().enumerate().map(|(rank, &row)| f64::from(target[row]) * (rank + 1) as f64).sum();
    (ranks - positive * (positive + 1.0) / 2.0) / (positive * (target.len() as f64 - positive))
}

fn pair_score(factors: &Factors, user: u32, item: u32) -> f64 {
    let k = factors.factors;
    let (user, item) = (user as usize, item as usize);
    let pairs: f32 = (0..k).map(|j| factors.user.vectors[user * k + j] * factors.item.vectors[item * k + j]).sum();
    factors.mean + f64::from(factors.user.biases[user] + factors.item.biases[item] + pairs)
}

#[test]
fn an_intercept_alone_is_the_base_rate() {
    let target: Vec<f32> = (0..1000).map(|row| if row % 4 == 0 { 1.0 } else { 0.0 }).collect();
    let owned = Owned { context: Csr::empty(1000, 0), weight: vec![1.0; 1000], target, ..Owned::default() };
    let factors = fitted(&owned, &GradientOptions::default());
    assert!((factors.mean - (0.25f64 / 0.75).ln()).abs() < 0.05, "{}", factors.mean);
}

#[test]
fn a_linear_model_reaches_its_stationary_point() {
    // At the minimum the penalty's slope equals the loss's: λ/10 b_f = Σ x_f (y − p).
    let mut random = Random::keyed(2, &[]);
    let (mut rows, mut target) = (Vec::new(), Vec::new());
    for _ in 0..3000 {
        let x: [f64; 2] = [random.normal(), random.normal()];
        rows.push(vec![(0, x[0] as f32), (1, x[1] as f32)]);
        let logit = 1.5 * x[0] - 0.7 * x[1] + 0.3;
        target.push(if random.uniform() < 1.0 / (1.0 + (-logit).exp()) { 1.0 } else { 0.0 });
    }
    let owned = Owned { context: csr(2, &rows), weight: vec![1.0; 3000], target, ..Owned::default() };
    let options = GradientOptions { factors: 0, epochs: 100, regularization: 100.0, ..GradientOptions::default() };
    let factors = fitted(&owned, &options);
    let mut slopes = [0.0; 3];
    for (row, entries) in rows.iter().enumerate() {
        let b = &factors.context_biases;
        let score = factors.mean + f64::from(b[0] * entries[0].1 + b[1] * entries[1].1);
        let gap = f64::from(owned.target[row]) - 1.0 / (1.0 + (-score).exp());
        slopes[0] += gap;
        slopes[1] += gap * f64::from(entries[0].1);
        slopes[2] += gap * f64::from(entries[1].1);
    }
    assert!(slopes[0].abs() < 10.0, "{slopes:?}");
    for f in 0..2 {
        let expected = 10.0 * f64::from(factors.context_biases[f]);
        assert!((slopes[f + 1] - expected).abs() < 10.0, "{slopes:?} {factors:?}");
    }
}

#[test]
fn clicks_are_ranked_almost_as_by_the_truth() {
    let (all, logits) = clicks(400, 200, 40_000, false);
    let split = 36_000;
    let train = Owned {
        users: all.users.clone(),
        items: all.items.clone(),
        user: all.user[..split].to_vec(),
        item: all.item[..split].to_vec(),
        context: Csr::empty(split, 0),
        target: all.target[..split].to_vec(),
        weight: all.weight[..split].to_vec(),
    };
    let best = auc(&logits[split..], &all.target[split..]);
    let test_auc = |factors: usize| {
        let found = fitted(&train, &GradientOptions { factors, ..GradientOptions::default() });
        let scores: Vec<f64> = (split..40_000).map(|row| pair_score(&found, all.user[row], all.item[row])).collect();
        auc(&scores, &all.target[split..])
    };
    let (linear, machine) = (test_auc(0), test_auc(8));
    assert!(machine > linear + 0.02, "factors must help: {machine} over {linear}");
    assert!(machine > best - 0.04, "{machine} of {best}");
}

#[test]
fn threads_do_not_change_a_bit() {
    for features in [false, true] {
        let (owned, _) = clicks(300, 150, 30_000, features);
        let fit = |threads, seed| {
            fitted(&owned, &GradientOptions { factors: 16, epochs: 3, threads, seed, ..Default::default() })
        };
        let one = fit(1, 42);
        assert_eq!(one, fit(2, 42));
        assert_eq!(one, fit(7, 42));
        assert_ne!(one, fit(1, 43));
    }
}

#[test]
fn context_alone_learns_an_interaction() {
    let mut random = Random::keyed(9, &[]);
    let (mut rows, mut target) = (Vec::new(), Vec::new());
    for _ in 0..8000 {
        let (a, b) = (random.below(6) as u32, random.below(6) as u32);
        rows.push(vec![(a, 1.0), (6 + b, 1.0)]);
        target.push(if (a + b) % 2 == 0 { 1.0 } else { 0.0 });
    }
    let owned = Owned { context: csr(12, &rows), weight: vec![1.0; 8000], target, ..Owned::default() };
    let one = fitted(&owned, &GradientOptions::default());
    let k = one.factors;
    let right = rows.iter().zip(&owned.target).filter(|(row, y)| {
        let (a, b) = (row[0].0 as usize, row[1].0 as usize);
        let pairs: f32 = (0..k).map(|j| one.context_vectors[a * k + j] * one.context_vectors[b * k + j]).sum();
        (one.mean + f64::from(one.context_biases[a] + one.context_biases[b] + pairs) > 0.0) == (**y == 1.0)
    });
    assert_eq!(right.count(), 8000);
    assert_eq!(one, fitted(&owned, &GradientOptions { threads: 3, ..GradientOptions::default() }));
}

#[test]
fn one_side_alone_and_entities_without_rows() {
    let (mut owned, _) = clicks(20, 10, 2000, true);
    owned.items = Side::default();
    owned.item = Vec::new();
    owned.user.iter_mut().for_each(|user| *user = (*user).min(18));
    let factors = fitted(&owned, &GradientOptions::default());
    assert_eq!(factors.user.biases[19], 0.0);
    assert!(factors.user.vectors[19 * factors.factors..].iter().all(|&value| value == 0.0));
    assert!(factors.item.vectors.is_empty());
    assert!(factors.user.biases[..19].iter().all(|&value| value != 0.0));
}

#[test]
fn one_class_stays_finite() {
    let (mut owned, _) = clicks(20, 10, 500, true);
    for class in [0.0, 1.0] {
        owned.target.fill(class);
        let factors = fitted(&owned, &GradientOptions { regularization: 0.0, ..GradientOptions::default() });
        assert!(factors.mean.is_finite() && factors.mean.abs() > 4.0);
    }
}

#[test]
fn a_rate_that_diverges_is_an_error() {
    let rows: Vec<_> = (0..500).map(|n| vec![(0u32, 1e18f32 * (n % 7) as f32), (1, 1e18)]).collect();
    let target = (0..500).map(|n| (n % 2) as f32).collect();
    let owned = Owned { context: csr(2, &rows), weight: vec![1.0; 500], target, ..Owned::default() };
    let found = fit(&owned.problem(), &GradientOptions { learning_rate: 100.0, ..Default::default() }, &Unattended);
    let error = found.unwrap_err().to_string();
    assert!(error.ends_with("lower learning_rate"), "{error}");
}

#[test]
fn a_cancelled_fit_stops() {
    let (owned, _) = clicks(20, 10, 500, true);
    for questions in [0, 1, 10, 300] {
        let options = GradientOptions { epochs: 100_000, ..GradientOptions::default() };
        let found = fit(&owned.problem(), &options, &Impatient::after(questions));
        assert_eq!(found, Err(Error::Cancelled));
    }
}

#[test]
fn bad_targets_and_options_are_named() {
    let (mut owned, _) = clicks(5, 5, 20, false);
    let options = GradientOptions { learning_rate: 0.0, ..GradientOptions::default() };
    let error = fit(&owned.problem(), &options, &Unattended).unwrap_err();
    assert!(error.to_string().starts_with("learning_rate: found 0"), "{error}");
    owned.target[3] = 2.0;
    let error = fit(&owned.problem(), &GradientOptions::default(), &Unattended).unwrap_err();
    assert_eq!(error.to_string(), "a target of the logistic objective is 2, expected 0 or 1");
}
