//! Features of every kind of column, by hand.

use super::*;
use crate::encode::{Encoding, Features};

fn features(encoding: &Encoding, values: &Values, row: usize) -> Vec<(u32, f32)> {
    let mut out = Features::default();
    encoding.bind("x", values, 10).unwrap().push(row, &mut out);
    assert!(out.indices.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(out.indices.iter().all(|&index| (index as usize) < 10 + encoding.width()));
    out.indices.into_iter().zip(out.values).collect()
}

fn all(values: &Values) -> Vec<u32> {
    (0..values.rows() as u32).collect()
}

#[test]
fn categories_are_one_hot_with_null_last() {
    let values = texts(&[Some("b"), None, Some("a"), Some("b")]);
    let encoding = Encoding::fit(&values, &all(&values));
    assert_eq!(encoding.width(), 3);
    assert_eq!(features(&encoding, &values, 0), [(11, 1.0)]);
    assert_eq!(features(&encoding, &values, 1), [(12, 1.0)]);
    // Only the rows of training count: b, and no NULL.
    let fewer = Encoding::fit(&values, &[0, 3]);
    assert_eq!(fewer.width(), 1);
    assert_eq!(features(&fewer, &values, 0), [(10, 1.0)]);
    assert!(features(&fewer, &values, 1).is_empty() && features(&fewer, &values, 2).is_empty());
}

#[test]
fn numbers_are_standardised_with_hats_and_an_indicator() {
    let values = Values::Number(vec![0.0, 1.0, 2.0, 5.0, f64::NAN]);
    let encoding = Encoding::fit(&values, &all(&values));
    // One standardised, four hats at 0, 1, 2, 5, one indicator; mean 2, variance 3.5.
    assert_eq!(encoding.width(), 6);
    assert_eq!(features(&encoding, &values, 0), [(10, (-2.0 / 3.5f64.sqrt()) as f32), (11, 1.0)]);
    assert_eq!(features(&encoding, &values, 3), [(10, (3.0 / 3.5f64.sqrt()) as f32), (14, 1.0)]);
    assert_eq!(features(&encoding, &values, 4), [(13, 1.0), (15, 1.0)]);
    let between = Values::Number(vec![4.25, 1e308, -1e308]);
    assert_eq!(features(&encoding, &between, 0)[1..], [(13, 0.25), (14, 0.75)]);
    assert_eq!(features(&encoding, &between, 1), features(&encoding, &values, 3));
    assert_eq!(features(&encoding, &between, 2), features(&encoding, &values, 0));
}

#[test]
fn knots_are_few_distinct_and_spread() {
    let knots = |numbers: Vec<f64>| {
        let rows: Vec<u32> = (0..numbers.len() as u32).collect();
        match Encoding::fit(&Values::Number(numbers), &rows) {
            Encoding::Number { knots, .. } => knots,
            other => panic!("{other:?}"),
        }
    };
    let spread = knots((0..1000).map(f64::from).collect());
    assert_eq!((spread.len(), spread[0], spread[15]), (16, 0.0, 999.0));
    // Nine tenths are zero; the rest still gets the other knots.
    let zeros = knots((0..1000).map(|row| if row < 900 { 0.0 } else { f64::from(row) }).collect());
    assert!(zeros.len() >= 15, "{zeros:?}");
    assert_eq!(knots(vec![7.0; 50]), [7.0]);
    assert_eq!(knots(vec![f64::NAN; 3]), [0.0]);
    for seed in 0..50 {
        println!("seed {seed}");
        let mut random = Random::keyed(seed, &[]);
        let kinds = 1 + random.below(60);
        let found = knots((0..300).map(|_| (random.below(kinds) * random.below(3)) as f64).collect());
        assert!(found.len() <= 16 && found.windows(2).all(|pair| pair[0] < pair[1]), "{found:?}");
    }
}

#[test]
fn extreme_and_constant_numbers_stay_finite() {
    for numbers in
        [vec![f64::MAX, -f64::MAX, 0.0, 1.0], vec![0.1; 7], vec![f64::MIN_POSITIVE, 0.0, 1e-300], vec![f64::NAN]]
    {
        let values = Values::Number(numbers);
        let encoding = Encoding::fit(&values, &all(&values));
        for row in 0..values.rows() {
            assert!(features(&encoding, &values, row).iter().all(|(_, value)| value.is_finite()));
        }
    }
    let constant = Values::Number(vec![0.1; 7]);
    assert!(features(&Encoding::fit(&constant, &all(&constant)), &constant, 0).is_empty());
}

#[test]
fn timestamps_become_a_calendar_and_a_trend() {
    let hour = 3_600_000_000i64;
    // 1970-01-01 was a Thursday; 31 days and 5 hours later is a Sunday in February.
    let values = Values::Timestamp(vec![Some(0), Some((31 * 24 + 5) * hour), None]);
    let encoding = Encoding::fit(&values, &all(&values));
    assert_eq!(encoding.width(), 12 + 7 + 1 + 24 + 1);
    assert_eq!(features(&encoding, &values, 0), [(10, 1.0), (25, 1.0), (29, -1.0), (30, 1.0)]);
    assert_eq!(features(&encoding, &values, 1), [(11, 1.0), (28, 1.0), (29, 1.0), (35, 1.0)]);
    assert_eq!(features(&encoding, &values, 2), [(54, 1.0)]);
    let later = Values::Timestamp(vec![Some(i64::MAX)]);
    assert!(features(&encoding, &later, 0).contains(&(29, 1.0)));
    let days = Values::Timestamp(vec![Some(0), Some(24 * hour)]);
    assert_eq!(Encoding::fit(&days, &all(&days)).width(), 20);
}

#[test]
fn bags_share_one_length() {
    let dictionary = Arc::new(Dictionary::Text(["a", "b", "c", "d"].map(String::from).to_vec()));
    let values = Values::Bag { offsets: vec![0, 4, 4, 5], codes: vec![3, 0, 1, 2, 1], dictionary };
    let encoding = Encoding::fit(&values, &all(&values));
    assert_eq!(features(&encoding, &values, 0), [(10, 0.5), (11, 0.5), (12, 0.5), (13, 0.5)]);
    assert!(features(&encoding, &values, 1).is_empty());
    // Members that training had not seen keep their share of the length.
    let one = Encoding::fit(&values, &[2]);
    assert_eq!(features(&one, &values, 0), [(10, 0.5)]);
    assert_eq!(one.bind("x", &values, 0).unwrap().unseen(0), 3);
}

#[test]
fn vectors_are_standardised_by_column() {
    let values = Values::Vector { width: 2, values: vec![1.0, 5.0, 3.0, 5.0, f32::NAN, f32::NAN] };
    let encoding = Encoding::fit(&values, &all(&values));
    assert_eq!(features(&encoding, &values, 0), [(10, -1.0)]);
    assert_eq!(features(&encoding, &values, 1), [(10, 1.0)]);
    assert_eq!(features(&encoding, &values, 2), [(12, 1.0)]);
    let other = Values::Vector { width: 3, values: vec![0.0; 3] };
    let error = encoding.bind("x", &other, 0).unwrap_err().to_string();
    assert_eq!(error, "the column x holds vectors of 3 numbers; the model was trained on vectors of 2");
}

#[test]
fn texts_are_words_and_trigrams_of_unit_length() {
    let text = |text: &str| Values::Text(vec![Some(text.into())]);
    let encoding = Encoding::fit(&text("x"), &[0]);
    let one = features(&encoding, &text("Red shoe"), 0);
    let length: f32 = one.iter().map(|(_, value)| value * value).sum();
    assert!((length - 1.0).abs() < 1e-6);
    // Two words, three trigrams of " red " and four of " shoe ".
    assert_eq!(one.len(), 9);
    assert_eq!(features(&encoding, &text("shoe, RED!"), 0), one);
    assert!(features(&encoding, &Values::Text(vec![None]), 0).is_empty());
    let shared = features(&encoding, &text("shoes"), 0);
    assert!(shared.iter().any(|(index, _)| one.iter().any(|(other, _)| other == index)));
}

#[test]
fn other_kinds_and_types_are_refused() {
    let encoding = Encoding::fit(&words(&["a"]), &[0]);
    let message = |values: Values| encoding.bind("x", &values, 0).unwrap_err().to_string();
    assert_eq!(
        message(Values::Number(vec![1.0])),
        "the column x holds values of kind number; the model was trained on kind category"
    );
    assert_eq!(
        message(integers(&[1])),
        "the column x holds integer categories; the model was trained on text categories"
    );
}
