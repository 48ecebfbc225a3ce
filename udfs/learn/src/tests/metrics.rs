//! Metrics against worked examples and scikit-learn 1.9.

use crate::metrics::{self, Judged, ranking};

const WEIGHT: [f64; 8] = [1.0, 2.0, 1.0, 0.5, 1.0, 3.0, 1.0, 1.0];

fn judged<'a>(target: &'a [f64], prediction: &'a [f64], weight: &'a [f64]) -> Judged<'a> {
    Judged { target, prediction, weight }
}

fn close(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?} is not {expected}");
}

#[test]
fn classification_equals_scikit_learn() {
    let target = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    // Ties between and within classes.
    let prediction = [0.9, 0.8, 0.8, 0.4, 0.4, 0.3, 0.6, 0.1];
    let plain = judged(&target, &prediction, &[1.0; 8]);
    close(metrics::log_loss(plain), 0.542239927301104);
    close(metrics::auc(plain), 0.8125);
    close(metrics::average_precision(plain), 0.7708333333333333);
    close(metrics::accuracy(plain), 0.75);
    close(metrics::f1(plain), 0.75);
    let weighted = judged(&target, &prediction, &WEIGHT);
    close(metrics::log_loss(weighted), 0.5907201764555543);
    close(metrics::auc(weighted), 0.826530612244898);
    close(metrics::average_precision(weighted), 0.676923076923077);
    close(metrics::accuracy(weighted), 0.7619047619047619);
    close(metrics::f1(weighted), 0.7058823529411765);
}

#[test]
fn regression_equals_scikit_learn() {
    let target = [3.0, -0.5, 2.0, 7.0, 4.0, 1.0, 0.0, 2.5];
    let prediction = [2.5, 0.0, 2.0, 8.0, 4.5, 1.0, 0.25, 2.0];
    let plain = judged(&target, &prediction, &[1.0; 8]);
    close(metrics::rmse(plain), 0.5077524002897476);
    close(metrics::mae(plain), 0.40625);
    close(metrics::r2(plain), 0.9489164086687306);
    let weighted = judged(&target, &prediction, &WEIGHT);
    close(metrics::rmse(weighted), 0.4154744849194083);
    close(metrics::mae(weighted), 0.30952380952380953);
    close(metrics::r2(weighted), 0.9492669110296568);
}

#[test]
fn what_is_undefined_is_none() {
    let one_class = judged(&[1.0, 1.0], &[0.2, 0.7], &[1.0, 1.0]);
    assert_eq!(metrics::auc(one_class), None);
    assert_eq!(metrics::average_precision(one_class), Some(1.0));
    let other_class = judged(&[0.0, 0.0], &[0.2, 0.7], &[1.0, 1.0]);
    assert_eq!((metrics::average_precision(other_class), metrics::f1(other_class)), (None, None));
    assert_eq!(metrics::r2(judged(&[2.0, 2.0], &[1.0, 2.0], &[1.0, 1.0])), None);
    assert_eq!(metrics::rmse(judged(&[], &[], &[])), None);
    assert!(metrics::log_loss(judged(&[1.0], &[0.0], &[1.0])).is_some_and(f64::is_finite));
}

#[test]
fn rankings_equal_scikit_learn_and_hand_counts() {
    // Items in order; 1 and 0 are hits at ranks 2 and 4, and 9 comes at rank 12.
    let best = [4, 1, 7, 0, 2, 3, 5, 6, 8, 10, 11, 9];
    let found = ranking(&best, |item| [0, 1, 9].contains(&item), 3, Some(2));
    let expected = [2.0 / 3.0, 1.0, 0.49818925746641274, 0.6250062742988063, 1.0, 0.5];
    found.iter().zip(expected).for_each(|(&found, expected)| close(Some(found), expected));
    assert_eq!(ranking(&best, |_| false, 2, None), [0.0; 6]);
    // Ten relevant items, all first: recall at ten is one of two halves when twenty are relevant.
    let all: Vec<u32> = (0..20).collect();
    assert_eq!(ranking(&all, |_| true, 20, Some(1)), [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]);
}
