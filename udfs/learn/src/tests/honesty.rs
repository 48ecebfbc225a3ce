//! What is said of held-out rows agrees with what fresh rows of the same source show.
//!
//! A source is a few or many cells, each as likely as another or some far likelier, with an outcome of its own and noise. The
//! seeds are fixed and printed.

use super::*;

/// How many fresh rows the truth is taken from.
const FRESH: usize = 20_000;
/// The share of rows that is held out here.
const SHARE: f64 = 0.2;

/// What rows are drawn from.
struct Source {
    objective: Objective,
    /// How many kinds of rows there are.
    cells: usize,
    /// One category with a value a cell, or two whose pairs are the cells.
    columns: usize,
    /// How much of the outcome the cell decides; none at zero.
    signal: f64,
    /// Whether some cells are far likelier than others.
    skewed: bool,
    effects: Vec<f64>,
}

impl Source {
    fn new(objective: Objective, cells: usize, columns: usize, signal: f64, skewed: bool, seed: u64) -> Self {
        let mut random = Random::keyed(seed, &[1]);
        let effects = (0..cells + 100).map(|_| random.normal() * signal).collect();
        Self { objective, cells, columns, signal, skewed, effects }
    }

    fn side(&self) -> usize {
        (self.cells as f64).sqrt().ceil() as usize
    }

    /// So many rows.
    fn rows(&self, rows: usize, random: &mut Random) -> Table {
        let (mut columns, mut target) = (vec![Vec::new(); self.columns], Vec::new());
        for _ in 0..rows {
            let chance = random.uniform();
            let chance = if self.skewed { chance * chance } else { chance };
            let cell = (chance * self.cells as f64) as usize;
            let effect = match &mut columns[..] {
                [whole] => {
                    whole.push(cell as i64);
                    self.effects[cell]
                }
                [first, second, ..] => {
                    let (a, b) = (cell / self.side(), cell % self.side());
                    first.push(a as i64);
                    second.push(b as i64);
                    self.effects[a] + self.effects[b + 100]
                }
                [] => 0.0,
            };
            target.push(match self.objective {
                Objective::Logistic => f64::from(random.uniform() < 1.0 / (1.0 + (-effect).exp())),
                // In whole numbers, which rows of a cell have in common.
                _ => (effect + random.normal()).round(),
            });
        }
        let names = ["a", "b"];
        let columns = columns.iter().zip(names).map(|(values, name)| (name, integers(values)));
        table(columns.chain([("y", Values::Number(target))]).collect())
    }

    fn options(&self, seed: u64) -> Options {
        Options {
            target: Some("y".into()),
            integer_target: true,
            test_size: Some(SHARE),
            seed: Some(seed),
            // Few, because the tables are many and what is tested does not depend on it.
            hyperparameters: vec![("factors".into(), 4.0), ("epochs".into(), 8.0)],
            ..Options::default()
        }
    }
}

/// A figure of held-out rows less that of fresh ones, in standard errors.
fn deviations(source: &Source, rows: usize, seed: u64) -> Vec<(&'static str, f64)> {
    let mut random = Random::keyed(seed, &[2]);
    let fitted = run(&source.rows(rows, &mut random), source.options(seed)).unwrap();
    let fresh = source.rows(FRESH, &mut random);
    let truth = fitted.model.evaluate(&fresh, None, 1, &Unattended).unwrap();
    let Some((_, Values::Number(target))) = fresh.columns.last() else { panic!("no target") };
    let scores = fitted.model.predict(&fresh).unwrap();
    let losses: Vec<f64> = scores
        .iter()
        .zip(target)
        .map(|(&score, target)| match (source.objective, fitted.model.prediction(score)) {
            (Objective::Logistic, chance) => -(if *target > 0.5 { chance } else { 1.0 - chance }).ln(),
            (_, number) => (number - target).powi(2),
        })
        .collect();
    let mean = losses.iter().sum::<f64>() / FRESH as f64;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / FRESH as f64;
    let of = |metrics: &[crate::Metric], split: &str, name: &str| {
        let found = metrics.iter().find(|own| own.split == split && own.slice == "all" && own.metric == name);
        found.and_then(|own| own.value.map(|value| (value, own.rows as f64))).unwrap()
    };
    let positives = target.iter().filter(|target| **target > 0.5).count() as f64 / FRESH as f64;
    let names: &[&'static str] =
        if source.objective == Objective::Logistic { &["log_loss", "auc"] } else { &["rmse", "r2"] };
    let mut found = Vec::new();
    for &name in names {
        let (said, held_out) = of(&fitted.report.metrics, "test", name);
        let (is, _) = of(&truth, "input", name);
        // The variance of one row's part in each figure; the sum of both samples' is that of the difference. R² of few rows
        // is less besides, because their own mean fits them better than any other.
        let centring = if name == "r2" { (1.0 - is) / held_out } else { 0.0 };
        let row = match name {
            "log_loss" => variance,
            "rmse" => variance / (4.0 * mean),
            "auc" => auc_variance(is, positives),
            _ => {
                let spread = target.iter().map(|y| y * y).sum::<f64>() / FRESH as f64
                    - (target.iter().sum::<f64>() / FRESH as f64).powi(2);
                r2_variance(&losses, target, mean, spread)
            }
        };
        let error = (row / held_out + row / FRESH as f64 + 2.0 * centring * centring).sqrt();
        println!(
            "{name} of {rows} rows, {} cells in {} columns, signal {}, skewed {}, seed {seed}: {said:.4} held out, {is:.4} \
             fresh, standard error {error:.4}",
            source.cells, source.columns, source.signal, source.skewed
        );
        found.push((name, (said + centring - is) / error));
    }
    found
}

/// A row's part in the variance of the AUC, after Hanley and McNeil, Radiology 1982.
fn auc_variance(auc: f64, positives: f64) -> f64 {
    let (first, second) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
    (first - auc * auc) / positives + (second - auc * auc) / (1.0 - positives)
}

/// A row's part in the variance of R², a ratio of two means.
fn r2_variance(losses: &[f64], target: &[f64], mean: f64, spread: f64) -> f64 {
    let centre = target.iter().sum::<f64>() / target.len() as f64;
    let part = |(loss, y): (&f64, &f64)| (loss - mean / spread * (y - centre).powi(2)) / spread;
    losses.iter().zip(target).map(part).map(|part| part * part).sum::<f64>() / target.len() as f64
}

// Symptom: on tables of few distinct rows the metrics of held-out rows had nothing to do with the truth. Cause: rows were
// held out by a hash that the target was part of, so that all copies of one label of a cell were held out together.
fn agrees(objective: Objective) {
    let mut all: Vec<(&'static str, f64)> = Vec::new();
    let mut seed = 0;
    for cells in [4, 10, 100, 1000, 10_000] {
        for rows in [500, 2500, 10_000] {
            for (columns, signal, skewed) in [(1, 1.0, false), (1, 0.0, true), (2, 1.0, true), (2, 0.0, false)] {
                seed += 1;
                let source = Source::new(objective, cells, columns, signal, skewed, seed);
                let found = deviations(&source, rows, seed);
                all.extend(found);
            }
        }
    }
    let mut names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let own: Vec<f64> = all.iter().filter(|found| found.0 == name).map(|found| found.1).collect();
        let count = own.len() as f64;
        let mean = own.iter().sum::<f64>() / count;
        let spread = (own.iter().map(|own| own * own).sum::<f64>() / count).sqrt();
        let worst = own.iter().fold(0.0f64, |worst, own| worst.max(own.abs()));
        println!("{name}: {count} tables, mean {mean:.3}, root of the mean square {spread:.3}, worst {worst:.3}");
        // Sixty standard normal numbers: a mean beyond four of its own deviations, a number beyond four and a half.
        assert!(mean.abs() < 4.0 / count.sqrt(), "{name}: {mean}");
        assert!(worst < 4.5, "{name}: {worst}");
    }
}

#[test]
fn a_classifiers_held_out_metrics_agree_with_those_of_fresh_rows() {
    agrees(Objective::Logistic);
}

#[test]
fn a_regressions_held_out_metrics_agree_with_those_of_fresh_rows() {
    agrees(Objective::Squared);
}

// Symptom: a category of a thousand values was fitted far too closely. Cause: the rows on which the regularization is chosen
// were set aside by whole cells, of which training had seen nothing, whatever the regularization.
#[test]
fn what_is_chosen_on_rows_set_aside_suits_fresh_rows() {
    for (cells, rows) in [(1000, 10_000), (300, 10_000), (2000, 5000)] {
        let source = Source::new(Objective::Logistic, cells, 1, 1.0, false, 5);
        let mut random = Random::keyed(5, &[2]);
        let (table, fresh) = (source.rows(rows, &mut random), source.rows(FRESH, &mut random));
        let loss = |regularization: Option<f64>| {
            let hyperparameters =
                regularization.map(|value| ("regularization".to_string(), value)).into_iter().collect();
            let own = Options { hyperparameters, ..source.options(5) };
            let model = run(&table, own).unwrap().model;
            let metrics = model.evaluate(&fresh, None, 1, &Unattended).unwrap();
            metrics.iter().find(|metric| metric.metric == "log_loss").and_then(|metric| metric.value).unwrap()
        };
        let tried = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0].map(|value| loss(Some(value)));
        let best = tried.into_iter().fold(f64::INFINITY, f64::min);
        let chosen = loss(None);
        println!("{cells} cells, {rows} rows: {chosen:.4} chosen, {best:.4} best of {tried:.4?}");
        assert!(chosen < best + 0.01, "{chosen} instead of {best}");
    }
}
