//! Tiny fits solved by hand, invariants of the objective, and generated taste.

use super::*;
use crate::{Error, control::Unattended, solve::testing::Impatient};

/// Users and items in four groups; users see items of their own group, rarely of another. The last user and item have no pair.
struct Owned {
    users: Side,
    items: Side,
    seen: Csr,
}

impl Owned {
    fn problem(&self) -> ImplicitProblem<'_> {
        ImplicitProblem { users: &self.users, items: &self.items, seen: &self.seen }
    }

    fn fit(&self, options: &ImplicitOptions) -> Factors {
        fit(&self.problem(), options, &Unattended).unwrap()
    }
}

fn taste(users: usize, items: usize, features: bool) -> Owned {
    let mut random = Random::keyed(13, &[]);
    let side = |entities: usize| {
        let mut matrix = Csr { offsets: vec![0], columns: if features { 4 } else { 0 }, ..Csr::default() };
        for entity in 0..entities {
            if features {
                matrix.indices.push((entity % 4) as u32);
                matrix.values.push(1.0);
            }
            matrix.offsets.push(matrix.indices.len());
        }
        Side { entities, features: matrix }
    };
    let mut seen = Csr { offsets: vec![0], columns: items, ..Csr::default() };
    for user in 0..users {
        for item in 0..items - 1 {
            let chance = if user % 4 == item % 4 { 0.5 } else { 0.02 };
            if user + 1 < users && random.uniform() < chance {
                seen.indices.push(item as u32);
                seen.values.push((1.0 + random.uniform()) as f32);
            }
        }
        seen.offsets.push(seen.indices.len());
    }
    Owned { users: side(users), items: side(items), seen }
}

fn small() -> ImplicitOptions {
    ImplicitOptions { factors: 6, epochs: 5, ..ImplicitOptions::default() }
}

#[test]
fn one_pair_is_the_closed_form() {
    // With one user, one item and one factor: p = w q / (α₀ q² + w q² + λ m), and the same with p and q exchanged.
    let side = Side { entities: 1, features: Csr::empty(1, 0) };
    let seen = Csr { offsets: vec![0, 1], indices: vec![0], values: vec![2.0], columns: 1 };
    let options = ImplicitOptions { factors: 1, epochs: 200, regularization: 0.3, ..small() };
    let problem = ImplicitProblem { users: &side, items: &side, seen: &seen };
    let factors = fit(&problem, &options, &Unattended).unwrap();
    let product = f64::from(factors.user.vectors[0] * factors.item.vectors[0]);
    let penalty = options.regularization * (1.0 + options.unobserved_weight);
    // At the optimum p² = q², so p q solves (α₀ + w) p q + λ m = w.
    assert!((product - (2.0 - penalty) / (2.0 + options.unobserved_weight)).abs() < 1e-4, "{product}");
}

#[test]
fn a_row_solves_its_normal_equations_with_few_pairs_and_many() {
    let (width, items) = (20, 60);
    let mut random = Random::keyed(4, &[]);
    let others: Vec<f32> = (0..items * width).map(|_| random.normal() as f32).collect();
    let mean: Vec<f32> = (0..width).map(|_| random.normal() as f32).collect();
    let options = ImplicitOptions { factors: width, ..small() };
    let gram = weighted_gram(&others, &options, &Unattended).unwrap();
    for pairs in [0usize, 1, 3, 30] {
        let numbers: Vec<u32> = (0..pairs).map(|n| (n * 2) as u32).collect();
        let weights: Vec<f32> = (0..pairs).map(|n| 0.5 + n as f32 / 10.0).collect();
        let strength = ridge(pairs, items, &options);
        let mut base = gram.clone();
        (0..width).for_each(|j| base[j * width + j] += strength as f32);
        single::factor(&mut base, width);
        let (mut few, mut many) = (Dense::new(width), Dense::new(width));
        few.solve_small(&base, &others, (&numbers, &weights), strength, &mean);
        many.solve(&gram, &others, (&numbers, &weights), strength, &mean);
        let mut normal: Vec<f64> = gram.iter().map(|&value| f64::from(value)).collect();
        let mut right: Vec<f64> = mean.iter().map(|&value| strength * f64::from(value)).collect();
        (0..width).for_each(|j| normal[j * width + j] += strength);
        for (&item, &weight) in numbers.iter().zip(&weights) {
            let vector: Vec<f64> =
                others[item as usize * width..][..width].iter().map(|&value| f64::from(value)).collect();
            double::add_outer(&mut normal, width, &vector, &[f64::from(weight)]);
            double::add_scaled(&mut right, f64::from(weight), &vector);
        }
        double::factor(&mut normal, width);
        double::solve(&normal, width, &mut right);
        for (j, expected) in right.iter().enumerate() {
            assert!((f64::from(few.right[j]) - expected).abs() < 1e-4, "{pairs} pairs");
            assert!((f64::from(many.right[j]) - expected).abs() < 1e-4, "{pairs} pairs");
        }
    }
}

/// Keeps the losses that a fit reports.
#[derive(Default)]
struct Losses(std::sync::Mutex<Vec<f64>>);

impl Control for Losses {
    fn progress(&self, _phase: &str, _done: u64, _total: u64, loss: Option<f64>) {
        self.0.lock().unwrap().extend(loss);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

#[test]
fn the_objective_never_rises() {
    for features in [false, true] {
        let owned = taste(60, 40, features);
        let losses = Losses::default();
        fit(&owned.problem(), &ImplicitOptions { epochs: 25, ..small() }, &losses).unwrap();
        let losses = losses.0.into_inner().unwrap();
        assert_eq!(losses.len(), 25);
        assert!(losses.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-5)), "{losses:?}");
        assert!(losses[24] < losses[0]);
    }
}

#[test]
fn the_objective_is_the_sum_over_all_pairs() {
    let owned = taste(12, 9, true);
    let losses = Losses::default();
    let options = small();
    let factors = fit(&owned.problem(), &options, &losses).unwrap();
    let reported = losses.0.into_inner().unwrap()[options.epochs - 1];
    let k = options.factors;
    let mean = |side: &SideFactors, n: usize, j: usize| f64::from(side.feature_vectors[n % 4 * k + j]);
    let whole = |side: &SideFactors, n: usize, j: usize| mean(side, n, j) + f64::from(side.vectors[n * k + j]);
    let mut expected = 0.0;
    for user in 0..12 {
        let (items, weights) = owned.seen.row(user);
        for item in 0..9 {
            let score: f64 = (0..k).map(|j| whole(&factors.user, user, j) * whole(&factors.item, item, j)).sum();
            expected += options.unobserved_weight * score * score;
            if let Some(at) = items.iter().position(|&own| own as usize == item) {
                expected += f64::from(weights[at]) * (1.0 - score) * (1.0 - score);
            }
        }
    }
    let by_item = owned.seen.transposed();
    for (side, seen) in [(&factors.user, &owned.seen), (&factors.item, &by_item)] {
        for n in 0..seen.rows() {
            let frequency = seen.row(n).0.len() as f64 + options.unobserved_weight * seen.columns as f64;
            let length: f64 = (0..k).map(|j| f64::from(side.vectors[n * k + j]).powi(2)).sum();
            expected += options.regularization * frequency * length;
        }
        let length: f64 = side.feature_vectors.iter().map(|&value| f64::from(value).powi(2)).sum();
        expected += options.feature_regularization * length;
    }
    assert!((reported / expected - 1.0).abs() < 1e-4, "{reported} {expected}");
}

#[test]
fn items_of_the_own_group_rank_first_and_features_serve_the_cold() {
    let owned = taste(80, 41, true);
    let factors = owned.fit(&ImplicitOptions { epochs: 10, ..small() });
    let k = factors.factors;
    let whole = |side: &SideFactors, n: usize| -> Vec<f32> {
        (0..k).map(|j| side.vectors[n * k + j] + side.feature_vectors[n % 4 * k + j]).collect()
    };
    // User 79 has no pair at all: its score comes from its feature alone.
    for user in [0, 1, 79] {
        let p = whole(&factors.user, user);
        let mut items: Vec<usize> = (0..40).collect();
        let score = |item: usize| single::dot(&p, &whole(&factors.item, item));
        items.sort_by(|&left, &right| score(right).total_cmp(&score(left)));
        let own = items[..8].iter().filter(|&&item| item % 4 == user % 4).count();
        assert!(own >= 7, "user {user}: {items:?}");
    }
    assert_eq!(factors.mean, 0.0);
    assert!(factors.user.biases.iter().chain(&factors.item.feature_biases).all(|&bias| bias == 0.0));
}

#[test]
fn threads_do_not_change_a_bit() {
    for features in [false, true] {
        let owned = taste(300, 200, features);
        let fit = |threads, seed| owned.fit(&ImplicitOptions { threads, seed, factors: 20, ..small() });
        let one = fit(1, 42);
        assert_eq!(one, fit(2, 42));
        assert_eq!(one, fit(7, 42));
        assert_ne!(one, fit(1, 43));
    }
}

#[test]
fn folding_in_repeats_the_fit() {
    let owned = taste(60, 40, false);
    let options = ImplicitOptions { epochs: 300, ..small() };
    let factors = owned.fit(&options);
    let (items, weights) = owned.seen.row(5);
    let seen: Vec<(u32, f32)> = items.iter().copied().zip(weights.iter().copied()).collect();
    let vector = fold_in(&factors.item.vectors, &seen, &[0.0; 6], &options).unwrap();
    let expected = &factors.user.vectors[30..36];
    assert!(vector.iter().zip(expected).all(|(l, r)| (l - r).abs() < 2e-2), "{vector:?} {expected:?}");
    let none = fold_in(&factors.item.vectors, &[], &[0.0; 6], &options).unwrap();
    assert_eq!(none, [0.0; 6]);
    let wrong = fold_in(&factors.item.vectors, &[(40, 1.0)], &[0.0; 6], &options);
    assert!(matches!(wrong, Err(Error::Internal(_))));
}

#[test]
fn a_cancelled_fit_stops() {
    let owned = taste(60, 40, true);
    for questions in [0, 1, 10, 500] {
        for threads in [1, 2] {
            let options = ImplicitOptions { epochs: 100_000, threads, ..small() };
            let found = fit(&owned.problem(), &options, &Impatient::after(questions));
            assert_eq!(found, Err(Error::Cancelled));
        }
    }
}

#[test]
fn the_unobserved_weight_follows_the_density() {
    let owned = taste(6, 5, false);
    let seen = Csr { offsets: vec![0, 1, 1, 1, 1, 1, 1], indices: vec![0], values: vec![1.0], columns: 1000 };
    let sparse = ImplicitProblem { users: &owned.users, items: &owned.items, seen: &seen };
    assert!((ImplicitOptions::suited_to(&sparse).unobserved_weight - 20.0 / 6000.0).abs() < 1e-12);
    let all = Csr {
        offsets: (0..=6).map(|user| user * 5).collect(),
        indices: [0, 1, 2, 3, 4].repeat(6),
        values: vec![1.0; 30],
        columns: 5,
    };
    let dense = ImplicitProblem { users: &owned.users, items: &owned.items, seen: &all };
    assert_eq!(ImplicitOptions::suited_to(&dense).unobserved_weight, 1.0);
}

#[test]
fn bad_options_and_data_are_named() {
    let mut owned = taste(6, 5, false);
    let refused =
        |owned: &Owned, options: &ImplicitOptions| fit(&owned.problem(), options, &Unattended).unwrap_err().to_string();
    let error = refused(&owned, &ImplicitOptions { factors: 0, ..small() });
    assert_eq!(error, "factors: found 0, expected a number from 1 to 1024");
    let error = refused(&owned, &ImplicitOptions { regularization: -1.0, ..small() });
    assert!(error.starts_with("regularization: found -1"));
    owned.seen.values[0] = f32::NAN;
    assert!(refused(&owned, &small()).starts_with("a pair weighs NaN"));
    owned.seen = Csr::empty(6, 5);
    assert!(refused(&owned, &small()).starts_with("there are no pairs"));
}
