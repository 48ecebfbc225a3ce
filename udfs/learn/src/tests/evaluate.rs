//! Metrics of whole models: baselines, slices, masks, and inputs of their own.

use super::*;
use crate::{Metric, Model};

fn value(metrics: &[Metric], slice: &str, name: &str) -> (f64, f64, u64) {
    let own = metrics.iter().find(|own| own.slice == slice && own.metric == name && own.split != "train").unwrap();
    (own.value.unwrap(), own.baseline.unwrap(), own.rows)
}

fn close(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-12, "{left} is not {right}");
}

#[test]
fn an_input_of_the_held_out_rows_repeats_the_metrics_of_training() {
    for (objective, options) in objectives() {
        let mut rows = shop(objective, 12, 300);
        let part: Vec<&str> = (0..300).map(|row| if row % 5 == 0 { "test" } else { "train" }).collect();
        rows.columns.push(("part".into(), words(&part)));
        let fitted = run(&rows, Options { split: Some("column:part".into()), ..options }).unwrap();
        let held_out: Vec<u32> = (0..300).filter(|row| row % 5 == 0).collect();
        let input = rows.take(&held_out);
        let again = fitted.model.evaluate(&shuffled(&input, 3), None, 2, &Unattended).unwrap();
        let before: Vec<_> = fitted.report.metrics.iter().filter(|own| own.split == "test").collect();
        assert_eq!(before.len(), again.len());
        for (before, again) in before.into_iter().zip(&again) {
            assert_eq!((before.slice, before.metric, before.rows), (again.slice, again.metric, again.rows));
            assert!((before.value.unwrap_or(0.0) - again.value.unwrap_or(0.0)).abs() < 1e-9, "{before:?} {again:?}");
            assert!((before.baseline.unwrap_or(0.0) - again.baseline.unwrap_or(0.0)).abs() < 1e-9);
            assert_eq!(again.split, "input");
        }
    }
}

#[test]
fn the_baseline_of_a_regression_is_the_items_mean() {
    let rows = table(vec![
        ("u", words(&["a", "b", "a", "b", "a", "c"])),
        ("i", words(&["1", "1", "2", "2", "1", "3"])),
        ("part", words(&["train", "train", "train", "train", "test", "test"])),
        ("w", Values::Number(vec![1.0, 3.0, 1.0, 1.0, 1.0, 1.0])),
        ("y", Values::Number(vec![1.0, 5.0, 2.0, 4.0, 7.0, 8.0])),
    ]);
    let own = Options { split: Some("column:part".into()), weight: Some("w".into()), ..options(Objective::Squared) };
    let metrics = run(&rows, own).unwrap().report.metrics;
    // The weighted mean of item 1 is 4, that of all rows 22 / 6.
    close(value(&metrics, "warm", "mae").1, 3.0);
    close(value(&metrics, "cold_item", "mae").1, 8.0 - 22.0 / 6.0);
    close(value(&metrics, "all", "mae").1, (3.0 + 8.0 - 22.0 / 6.0) / 2.0);
}

#[test]
fn the_baseline_of_a_classifier_is_the_base_rate() {
    let (_, options) = objectives().into_iter().find(|(objective, _)| *objective == Objective::Logistic).unwrap();
    let metrics = run(&shop(Objective::Logistic, 5, 300), options).unwrap().report.metrics;
    close(value(&metrics, "all", "auc").1, 0.5);
    let own = metrics.iter().find(|own| own.metric == "log_loss" && own.split == "test").unwrap();
    assert!(own.value < own.baseline, "{own:?}");
}

/// Two users and four items; b alone knows 4, and c comes with the test.
fn pairs() -> Table {
    table(vec![
        ("u", words(&["a", "a", "a", "a", "b", "b", "b", "c", "c"])),
        ("i", words(&["1", "2", "3", "9", "1", "3", "4", "1", "4"])),
        ("part", words(&["train", "valid", "test", "test", "train", "train", "train", "test", "test"])),
    ])
}

#[test]
fn rankings_leave_out_what_the_user_trained_on_and_count_unknown_items_as_misses() {
    let own = Options { split: Some("column:part".into()), ..options(Objective::Implicit) };
    let fitted = run(&pairs(), own).unwrap();
    assert_eq!((fitted.report.rows_train, fitted.report.rows_valid, fitted.report.rows_test), (4, 1, 4));
    let metrics = &fitted.report.metrics;
    // Training knows 1, 3 and 4. To a, 3 and 4 are ranked, and 9 is not known: one hit of two. To c all three are.
    close(value(metrics, "all", "recall@10").0, 0.75);
    close(value(metrics, "warm", "recall@10").0, 1.0);
    close(value(metrics, "cold_item", "recall@10").0, 0.0);
    // Nothing is known of c, so popularity ranks: 1 (two pairs), then 3 and 4 by key.
    let (own, baseline, rows) = value(metrics, "cold_user", "mrr");
    assert_eq!((own, baseline, rows), (1.0, 1.0, 2));
    close(value(metrics, "cold_user", "ndcg@10").0, (1.0 + 0.5) / (1.0 + 1.0 / 3f64.log2()));
    let rows = |slice| value(metrics, slice, "mrr").2;
    assert_eq!((rows("all"), rows("warm"), rows("cold_item")), (4, 1, 1));
}

#[test]
fn pairs_of_training_are_no_evidence() {
    let own = Options { split: Some("column:part".into()), ..options(Objective::Implicit) };
    let model: Model = run(&pairs(), own).unwrap().model;
    let trained = table(vec![("u", words(&["b"])), ("i", words(&["4"]))]);
    let error = model.evaluate(&trained, None, 1, &Unattended).unwrap_err().to_string();
    assert_eq!(error, "the input has no pair to evaluate with: every one was trained on or has a NULL key");
}

#[test]
fn a_target_of_other_values_is_refused() {
    let mut rows = shop(Objective::Logistic, 5, 100);
    let (_, options) = objectives().into_iter().find(|(objective, _)| *objective == Objective::Logistic).unwrap();
    let model = run(&rows, options).unwrap().model;
    let last = rows.columns.len() - 1;
    rows.columns[last].1 = words(&["maybe"; 100]);
    let error = model.evaluate(&rows, None, 1, &Unattended).unwrap_err().to_string();
    assert_eq!(error, "the target y holds 'maybe'; the model knows 0 and 1");
    rows.columns.pop();
    let error = model.evaluate(&rows, None, 1, &Unattended).unwrap_err().to_string();
    assert_eq!(error, "the input has no column y, the target to evaluate with; select it");
}
