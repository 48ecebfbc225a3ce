//! Tiny fits solved by hand, invariants of the objective, and generated ratings.

use super::*;
use crate::{
    Error,
    control::Unattended,
    factors::Side,
    solve::testing::{Impatient, Owned, csr, side},
    sparse::Csr,
};

/// A fit that must succeed.
fn fitted(owned: &Owned, options: &AlsOptions) -> Factors {
    fit(&owned.problem(), options, &Unattended).unwrap()
}

/// Ratings with biases, two true factors, features on both sides that explain part of the vectors, and a context feature.
fn generated(users: usize, items: usize, rows: usize) -> Owned {
    let mut random = Random::keyed(5, &[users as u64]);
    let mut side_of = |entities: usize| {
        let features: Vec<_> =
            (0..entities).map(|n| vec![((n % 4) as u32, 1.0), (4, random.normal() as f32)]).collect();
        let effects: Vec<f64> = (0..10).map(|_| random.normal()).collect();
        let vectors: Vec<[f64; 2]> =
            (0..entities).map(|n| std::array::from_fn(|j| effects[n % 4 * 2 + j] + 0.3 * random.normal())).collect();
        let biases: Vec<f64> = (0..entities).map(|_| 0.5 * random.normal()).collect();
        (Side { entities, features: csr(5, &features) }, vectors, biases)
    };
    let (user_side, p, user_bias) = side_of(users);
    let (item_side, q, item_bias) = side_of(items);
    let mut owned = Owned { users: user_side, items: item_side, ..Owned::default() };
    let mut context = Vec::new();
    for _ in 0..rows {
        let (u, i) = (random.below(users as u64) as usize, random.below(items as u64) as usize);
        let c = random.below(3) as usize;
        owned.user.push(u as u32);
        owned.item.push(i as u32);
        context.push(vec![(c as u32, 1.0), (3, random.uniform() as f32)]);
        let signal = p[u][0] * q[i][0] + p[u][1] * q[i][1] + user_bias[u] + item_bias[i] + c as f64;
        owned.target.push((3.5 + signal + 0.3 * random.normal()) as f32);
        owned.weight.push(1.0);
    }
    owned.context = csr(4, &context);
    owned
}

/// What a solver's objective with a given regularization is, as the module's documentation gives it.
fn objective(solver: &Solver, regularization: f64) -> f64 {
    let squared = |values: &[f32]| values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
    let residuals = solver.residuals(&Unattended).unwrap();
    let loss: f64 =
        residuals.iter().zip(solver.problem.weight).map(|(&e, &w)| f64::from(w) * f64::from(e).powi(2)).sum();
    let mut bias = squared(&solver.context.group.biases);
    let mut vector = squared(&solver.context.group.vectors);
    for rows in [&solver.users, &solver.items] {
        let (vectors, biases) = rows.offsets(&Unattended).unwrap();
        bias += squared(&biases) + squared(&rows.feature_biases);
        vector += squared(&vectors) + squared(&rows.feature_vectors);
    }
    loss + regularization * bias + regularization / solver.scale * vector
}

fn score(factors: &Factors, user: usize, item: usize) -> f64 {
    let k = factors.factors;
    let pairs: f64 = (0..k)
        .map(|j| f64::from(factors.user.vectors[user * k + j]) * f64::from(factors.item.vectors[item * k + j]))
        .sum();
    factors.mean + f64::from(factors.user.biases[user]) + f64::from(factors.item.biases[item]) + pairs
}

#[test]
fn a_ridge_on_one_feature_is_the_closed_form() {
    // y = μ + b x with x centred: μ is the mean, b = Σ x y / (Σ x² + λ).
    let x = [-2.0f32, -1.0, 0.0, 1.0, 2.0];
    let rows: Vec<_> = x.iter().map(|&x| vec![(0, x)]).collect();
    let owned = Owned {
        context: csr(1, &rows),
        target: vec![1.0, 2.0, 2.5, 4.0, 5.5],
        weight: vec![1.0; 5],
        ..Owned::default()
    };
    let options = AlsOptions { factors: 0, epochs: 5, regularization: Some(2.0), ..AlsOptions::default() };
    let factors = fitted(&owned, &options);
    assert!((factors.mean - 3.0).abs() < 1e-6, "{factors:?}");
    assert!((factors.context_biases[0] - 11.0 / 12.0).abs() < 1e-6, "{factors:?}");
}

#[test]
fn shrunken_means_of_users_are_the_closed_form() {
    // Two users around zero: b_u = Σ y / (n + λ), and the intercept stays zero by symmetry.
    let owned = Owned {
        users: side(3),
        user: vec![0, 0, 1, 1],
        context: Csr::empty(4, 0),
        target: vec![1.0, 3.0, -1.0, -3.0],
        weight: vec![1.0; 4],
        ..Owned::default()
    };
    let options = AlsOptions { factors: 0, epochs: 3, regularization: Some(2.0), ..AlsOptions::default() };
    let factors = fitted(&owned, &options);
    assert!(factors.mean.abs() < 1e-6);
    assert_eq!(factors.user.biases.iter().map(|b| (b * 1e5).round()).collect::<Vec<_>>(), [1e5, -1e5, 0.0]);
}

#[test]
fn the_objective_never_rises() {
    let owned = generated(60, 40, 1500);
    let problem = owned.problem();
    let regularization = 2.0;
    let options = AlsOptions { factors: 3, epochs: 1, regularization: Some(regularization), ..AlsOptions::default() };
    let mut solver = Solver::new(&problem, &options, &Unattended).unwrap();
    let mut before = f64::INFINITY;
    for epoch in 1..=20 {
        solver.epoch(epoch, &Unattended).unwrap();
        let now = objective(&solver, regularization);
        assert!(now <= before * (1.0 + 1e-5), "epoch {epoch}: {before} -> {now}");
        before = now;
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let owned = generated(300, 150, 12_000);
    for regularization in [None, Some(1.0)] {
        let fit = |threads| fitted(&owned, &AlsOptions { epochs: 6, threads, regularization, ..AlsOptions::default() });
        let one = fit(1);
        assert_eq!(one, fit(2));
        assert_eq!(one, fit(7));
        assert_ne!(one, fitted(&owned, &AlsOptions { epochs: 6, regularization, seed: 1, ..AlsOptions::default() }));
    }
}

#[test]
fn a_row_of_weight_two_is_the_row_twice() {
    let mut twice = generated(20, 15, 300);
    let mut weighted = twice.clone();
    for row in 0..50 {
        weighted.weight[row] = 2.0;
        twice.user.push(twice.user[row]);
        twice.item.push(twice.item[row]);
        twice.target.push(twice.target[row]);
        twice.weight.push(1.0);
        let (columns, values) = twice.context.row(row);
        let (columns, values) = (columns.to_vec(), values.to_vec());
        twice.context.indices.extend(columns);
        twice.context.values.extend(values);
        twice.context.offsets.push(twice.context.indices.len());
    }
    for regularization in [None, Some(1.0)] {
        let options = AlsOptions { factors: 2, epochs: 8, regularization, ..AlsOptions::default() };
        let (left, right) = (fitted(&weighted, &options), fitted(&twice, &options));
        let gap = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(l, r)| (l - r).abs()).fold(0.0, f32::max);
        assert!(gap(&left.user.vectors, &right.user.vectors) < 1e-3);
        assert!(gap(&left.context_biases, &right.context_biases) < 1e-3);
    }
}

/// Splits off every tenth row.
fn held_out(owned: &Owned) -> (Owned, Vec<(usize, usize, f64)>) {
    let mut train = Owned { users: owned.users.clone(), items: owned.items.clone(), ..Owned::default() };
    let mut test = Vec::new();
    for row in 0..owned.target.len() {
        if row % 10 == 0 {
            test.push((owned.user[row] as usize, owned.item[row] as usize, f64::from(owned.target[row])));
        } else {
            train.user.push(owned.user[row]);
            train.item.push(owned.item[row]);
            train.target.push(owned.target[row]);
            train.weight.push(1.0);
        }
    }
    train.context = Csr::empty(train.target.len(), 0);
    (train, test)
}

/// Ratings of rank `rank` and noise of deviation 0.5.
fn ratings(users: usize, items: usize, rows: usize, rank: usize) -> Owned {
    let mut random = Random::keyed(11, &[rank as u64]);
    let deviation = if rank == 0 { 0.0 } else { (0.36 / rank as f64).powf(0.25) };
    let mut draw = |count: usize, deviation: f64| (0..count).map(|_| deviation * random.normal()).collect::<Vec<f64>>();
    let (p, q) = (draw(users * rank, deviation), draw(items * rank, deviation));
    let (user_bias, item_bias) = (draw(users, 0.4), draw(items, 0.5));
    let mut owned = Owned { users: side(users), items: side(items), context: Csr::empty(rows, 0), ..Owned::default() };
    for _ in 0..rows {
        let (u, i) = (random.below(users as u64) as usize, random.below(items as u64) as usize);
        let pairs: f64 = (0..rank).map(|j| p[u * rank + j] * q[i * rank + j]).sum();
        owned.user.push(u as u32);
        owned.item.push(i as u32);
        owned.target.push((3.5 + user_bias[u] + item_bias[i] + pairs + 0.5 * random.normal()) as f32);
        owned.weight.push(1.0);
    }
    owned
}

#[test]
fn learnt_priors_come_close_to_the_noise() {
    for (rank, factors, most) in [(0, 16, 0.525), (4, 16, 0.565)] {
        let (train, test) = held_out(&ratings(400, 200, 20_000, rank));
        let found = fitted(&train, &AlsOptions { factors, threads: 2, ..AlsOptions::default() });
        let squares: f64 = test.iter().map(|&(u, i, y)| (y - score(&found, u, i)).powi(2)).sum();
        let error = (squares / test.len() as f64).sqrt();
        assert!(error < most, "rank {rank} with {factors} factors: RMSE {error}");
    }
}

#[test]
fn context_alone_learns_an_interaction() {
    // y depends on the product of two categories only, which no linear model can express.
    let mut random = Random::keyed(9, &[]);
    let effect: Vec<f64> = (0..64).map(|n| if (n / 8 + n % 8) % 2 == 0 { 1.0 } else { -1.0 }).collect();
    let (mut rows, mut target) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let (a, b) = (random.below(8) as usize, random.below(8) as usize);
        rows.push(vec![(a as u32, 1.0), (8 + b as u32, 1.0)]);
        target.push((effect[a * 8 + b] + 0.1 * random.normal()) as f32);
    }
    let owned = Owned { context: csr(16, &rows), weight: vec![1.0; 4000], target, ..Owned::default() };
    for regularization in [None, Some(0.1)] {
        let factors = fitted(&owned, &AlsOptions { factors: 4, regularization, ..AlsOptions::default() });
        let vector = |f: usize| &factors.context_vectors[f * 4..(f + 1) * 4];
        for (pair, &effect) in effect.iter().enumerate() {
            let (a, b) = (pair / 8, 8 + pair % 8);
            let dot: f32 = vector(a).iter().zip(vector(b)).map(|(l, r)| l * r).sum();
            let found = factors.mean + f64::from(factors.context_biases[a] + factors.context_biases[b] + dot);
            assert!((found - effect).abs() < 0.1, "{regularization:?} {pair}: {found} for {effect}");
        }
    }
}

#[test]
fn features_predict_an_entity_without_rows() {
    let mut owned = generated(200, 60, 8000);
    // The last user keeps its features and loses its rows.
    for user in &mut owned.user {
        *user = (*user).min(198);
    }
    let factors = fitted(&owned, &AlsOptions { factors: 4, ..AlsOptions::default() });
    assert!(factors.user.vectors[199 * 4..].iter().all(|&value| value == 0.0));
    assert_eq!(factors.user.biases[199], 0.0);
    assert!(factors.user.feature_vectors.iter().any(|value| value.abs() > 0.1));
}

#[test]
fn equal_targets_are_predicted_exactly() {
    let mut owned = generated(10, 10, 80);
    owned.target.fill(4.0);
    for regularization in [None, Some(1.0)] {
        let factors = fitted(&owned, &AlsOptions { regularization, ..AlsOptions::default() });
        assert!((score(&factors, 3, 4) - 4.0).abs() < 1e-2, "{}", score(&factors, 3, 4));
    }
}

#[test]
fn a_handful_of_rows_stays_finite() {
    let mut random = Random::keyed(1, &[]);
    for rows in 1..6 {
        let mut owned = Owned { users: side(2), items: side(2), context: Csr::empty(rows, 0), ..Owned::default() };
        for row in 0..rows {
            owned.user.push((row % 2) as u32);
            owned.item.push((row / 2 % 2) as u32);
            owned.target.push((1e4 * random.normal()) as f32);
            owned.weight.push(1e-3);
        }
        for factors in [0, 16] {
            let found = fitted(&owned, &AlsOptions { factors, ..AlsOptions::default() });
            assert!(score(&found, 0, 0).abs() < 1e6, "{rows} rows: {found:?}");
        }
    }
}

#[test]
fn large_targets_keep_their_unit() {
    let small = ratings(50, 40, 1500, 2);
    let mut large = small.clone();
    large.target.iter_mut().for_each(|target| *target *= 1e6);
    let (small, large) = (fitted(&small, &AlsOptions::default()), fitted(&large, &AlsOptions::default()));
    for entity in 0..40 {
        let ratio = score(&large, entity, entity) / score(&small, entity, entity);
        assert!((ratio / 1e6 - 1.0).abs() < 1e-2, "{ratio}");
    }
}

#[test]
fn folding_in_repeats_the_fit() {
    let owned = ratings(80, 40, 3000, 2);
    let options = AlsOptions { factors: 3, epochs: 60, regularization: Some(3.0), ..AlsOptions::default() };
    let (factors, prior) = fit_with_prior(&owned.problem(), &options, &Unattended).unwrap();
    assert!((prior.bias - 3.0).abs() < 1e-9 && prior.vector.iter().all(|ridge| (ridge - 3.0).abs() < 1e-9));
    let (mut residuals, mut vectors) = (Vec::new(), Vec::new());
    for row in (0..owned.target.len()).filter(|&row| owned.user[row] == 7) {
        let item = owned.item[row] as usize;
        residuals.push((f64::from(owned.target[row] - factors.item.biases[item]) - factors.mean) as f32);
        vectors.extend_from_slice(&factors.item.vectors[item * 3..(item + 1) * 3]);
    }
    let weights = vec![1.0; residuals.len()];
    let (bias, vector) = fold_in(&residuals, &weights, &vectors, (0.0, &[0.0; 3]), &prior).unwrap();
    // The last step of the fit was the items', so that the user's row is one half epoch older.
    assert!((bias - factors.user.biases[7]).abs() < 1e-2);
    assert!(vector.iter().zip(&factors.user.vectors[21..24]).all(|(l, r)| (l - r).abs() < 1e-2));
    let (bias, vector) = fold_in(&[], &[], &[], (0.5, &[1.0, 2.0, 3.0]), &prior).unwrap();
    assert!((bias - 0.5).abs() < 1e-6 && (vector[2] - 3.0).abs() < 1e-6);
    assert!(matches!(fold_in(&[1.0], &[1.0], &[1.0], (0.0, &[0.0; 3]), &prior), Err(Error::Internal(_))));
}

#[test]
fn a_cancelled_fit_stops() {
    let owned = generated(60, 40, 1500);
    for questions in [0, 1, 10, 100] {
        for threads in [1, 2] {
            let options = AlsOptions { epochs: 100_000, threads, ..AlsOptions::default() };
            let found = fit(&owned.problem(), &options, &Impatient::after(questions));
            assert_eq!(found, Err(Error::Cancelled));
        }
    }
}

#[test]
fn bad_options_and_data_are_named() {
    let owned = generated(5, 5, 20);
    let refused = |owned: &Owned, options: &AlsOptions| fit(&owned.problem(), options, &Unattended).unwrap_err();
    let defaults = AlsOptions::default();
    let error = refused(&owned, &AlsOptions { factors: 5000, ..defaults.clone() });
    assert_eq!(error.to_string(), "factors: found 5000, expected a number from 0 to 1024");
    let error = refused(&owned, &AlsOptions { regularization: Some(f64::NAN), ..defaults.clone() });
    assert!(error.to_string().starts_with("regularization: found NaN"));
    assert!(matches!(refused(&owned, &AlsOptions { epochs: 0, ..defaults.clone() }), Error::InvalidOption { .. }));
    let mut infinite = owned.clone();
    infinite.target[3] = f32::INFINITY;
    assert!(refused(&infinite, &defaults).to_string().starts_with("a target is inf"));
    let mut weightless = owned.clone();
    weightless.weight[3] = 0.0;
    assert!(refused(&weightless, &defaults).to_string().starts_with("a weight is 0"));
    let mut uneven = owned;
    uneven.item.pop();
    assert!(matches!(refused(&uneven, &defaults), Error::Internal(_)));
    let none = Owned { context: Csr::empty(0, 0), ..Owned::default() };
    assert!(refused(&none, &defaults).to_string().starts_with("there are no rows"));
}
