//! Bad options and bad rows, each with its message.

use super::*;

fn refused(rows: &Table, options: Options, expected: &str) {
    match run(rows, options) {
        Ok(_) => panic!("accepted; expected: {expected}"),
        Err(error) => assert!(error.to_string().contains(expected), "{error}\nexpected: {expected}"),
    }
}

#[test]
fn options_out_of_range_or_in_conflict() {
    let rows = shop(Objective::Squared, 1, 50);
    let own = || options(Objective::Squared);
    let with = |name: &str, value: f64| Options { hyperparameters: vec![(name.into(), value)], ..own() };
    let text = |text: &str| Some(text.to_string());
    for (given, expected) in [
        (Options { objective: text("bpr"), ..own() }, "objective: bpr is not available yet; use implicit"),
        (Options { objective: text("poisson"), ..own() }, "found 'poisson', expected squared, logistic or implicit"),
        (Options { objective: text("implicit"), ..own() }, "implicit takes no target, found y"),
        (Options { target: None, objective: text("squared"), ..own() }, "target: squared needs a target"),
        (Options { target: None, item: None, ..own() }, "which needs user and item, and item is missing"),
        (Options { target: None, weight: text("price"), ..own() }, "weight: implicit has no row weights"),
        (Options { strength: text("price"), ..own() }, "strength: strength belongs to the implicit objective"),
        (Options { item: text("u"), ..own() }, "item: the column u is already the user"),
        (Options { user_columns: vec!["u".into()], ..own() }, "the column u is the user"),
        (
            Options { user_columns: vec!["age".into()], item_columns: vec!["age".into()], ..own() },
            "item_columns: the column age is also in user_columns",
        ),
        (Options { user: None, user_columns: vec!["age".into()], ..own() }, "side columns need both user and item"),
        (
            Options { user_columns: vec!["nope".into()], ..own() },
            "user_columns: the input has no column nope; it has u, i",
        ),
        (Options { target: text("z"), ..own() }, "target: the input has no column z; it has u, i, age"),
        (Options { user: text("price"), ..own() }, "user: the column price is a number; expected text or integers"),
        (Options { time: text("brand"), ..own() }, "time: the column brand is a category"),
        (
            Options { split: text("kfold"), ..own() },
            "split: found 'kfold', expected random, time, last, group:<column>",
        ),
        (Options { split: text("time"), ..own() }, "split: 'time' needs to know when rows happened"),
        (Options { split: text("column:y"), ..own() }, "split: the column y is the target"),
        (Options { split: text("group:nope"), ..own() }, "split: the input has no column nope"),
        (Options { split: text("column:price"), ..own() }, "the split column price holds values of kind number"),
        (Options { test_size: Some(1.0), ..own() }, "test_size: found 1, expected a share above 0 and below 1"),
        (Options { test_size: Some(f64::NAN), ..own() }, "test_size: found NaN"),
        (with("factors", 1.5), "factors: found 1.5, expected a whole number"),
        (with("epochs", 0.0), "epochs: found 0, expected a whole number from 1"),
        (with("regularization", f64::NAN), "regularization: found NaN"),
        (with("momentum", 1.0), "momentum: there is no such hyperparameter; expected one of factors, epochs"),
        (with("negatives", 4.0), "negatives: negative sampling is not available yet"),
        (with("alpha", 4.0), "alpha: the objective is squared, and only implicit has it"),
    ] {
        refused(&rows, given, expected);
    }
    let implicit = options(Objective::Implicit);
    let factors = Options { hyperparameters: vec![("factors".into(), 0.0)], ..implicit.clone() };
    refused(&shop(Objective::Implicit, 1, 50), factors, "factors: found 0, but implicit has no biases");
    let alpha = Options { hyperparameters: vec![("alpha".into(), 2.0)], ..implicit };
    refused(&shop(Objective::Implicit, 1, 50), alpha, "alpha: it scales strengths, and there are none");
}

#[test]
fn rows_that_cannot_be_learnt_from() {
    let keys = || vec![("u", words(&["a", "b", "a", "b"])), ("i", words(&["1", "1", "2", "2"]))];
    let with = |target: Values| table(keys().into_iter().chain([("y", target)]).collect());
    let numbers = |values: [f64; 4]| Values::Number(values.to_vec());
    let own = || options(Objective::Squared);
    refused(&with(numbers([f64::NAN; 4])), own(), "every value of the target y is NULL");
    refused(&with(numbers([2.0; 4])), own(), "the target y is 2 in every kept row; there is no variation");
    refused(&with(numbers([1.0, f64::INFINITY, 2.0, 3.0])), own(), "the column y holds an infinity");
    refused(&with(words(&["a", "b", "c", "a"])), own(), "the target y is text of 3 different values");
    refused(&with(words(&["a"; 4])), own(), "the target y has only the class 'a'");
    let squared = Options { objective: Some("squared".into()), ..own() };
    refused(&with(words(&["a", "b", "a", "a"])), squared, "the target y is text, but squared predicts numbers");
    let logistic = Options { objective: Some("logistic".into()), ..own() };
    refused(
        &with(numbers([0.0, 1.0, 2.0, 0.0])),
        logistic.clone(),
        "logistic needs a target of two classes, found 2 in y",
    );
    refused(&with(numbers([1.0; 4])), logistic.clone(), "the target y has only the class 1 in the kept rows");
    let when = Values::Timestamp(vec![Some(1), Some(2), Some(3), None]);
    refused(&with(when), own(), "target: the column y is a timestamp");

    let mut parted = with(numbers([0.0, 0.0, 1.0, 0.0]));
    parted.columns.push(("part".into(), words(&["train", "train", "test", "test"])));
    let split = Options { split: Some("column:part".into()), ..logistic };
    refused(&parted, split, "the target y has only the class 0 in the training rows");

    refused(&table(vec![("u", words(&[])), ("i", words(&[]))]), options(Objective::Implicit), "the input has no rows");
    let alone = Options { user: None, item: None, ..own() };
    refused(&table(vec![("y", numbers([1.0, 2.0, 3.0, 4.0]))]), alone, "the input has no feature");
    let nobody = table(vec![("u", texts(&[None, None])), ("i", words(&["1", "2"]))]);
    refused(&nobody, options(Objective::Implicit), "no row is left of 2: 0 have a NULL target, 2 a NULL user or item");
}

#[test]
fn weights_and_strengths() {
    let mut rows = table(vec![
        ("u", words(&["a", "b", "a", "b"])),
        ("i", words(&["1", "1", "2", "2"])),
        ("w", Values::Number(vec![1.0, 0.0, -1.0, 2.0])),
        ("y", Values::Number(vec![1.0, 2.0, 3.0, 5.0])),
    ]);
    let weighted = Options { weight: Some("w".into()), split: Some("none".into()), ..options(Objective::Squared) };
    refused(&rows, weighted.clone(), "the weight w is -1 in some row; weights are not negative");
    rows.columns[2].1 = Values::Number(vec![1.0, f64::NAN, 1.0, 2.0]);
    refused(&rows, weighted.clone(), "the weight w is NULL in some rows");
    rows.columns[2].1 = Values::Number(vec![1.0, 0.0, 1.0, 2.0]);
    let report = run(&rows, weighted).unwrap().report;
    assert_eq!((report.rows_dropped_weight, report.rows_train), (1, 3));

    rows.columns.pop();
    rows.columns[2].1 = Values::Number(vec![0.0, -3.0, f64::NAN, 0.0]);
    let strong = Options { strength: Some("w".into()), ..options(Objective::Implicit) };
    refused(&rows, strong, "no pair of user and item has a strength that sums to more than zero");
}

#[test]
fn implicit_names_the_columns_that_it_cannot_use() {
    let mut rows = shop(Objective::Implicit, 3, 100);
    rows.columns.push(("hour".into(), Values::Number((0..100).map(|row| f64::from(row % 24)).collect())));
    let expected = "hour varies for one user and for one item, and the implicit objective learns only from columns of \
                    the user's or the item's side";
    refused(&rows, options(Objective::Implicit), expected);
    let listed = Options { user_columns: vec!["hour".into()], ..options(Objective::Implicit) };
    assert!(run(&rows, listed).is_ok());
}

#[test]
fn broken_tables_are_our_own_bug() {
    let mut rows = shop(Objective::Implicit, 3, 100);
    if let Values::Category { codes, .. } = &mut rows.columns[0].1 {
        codes[0] = 500;
    }
    refused(&rows, options(Objective::Implicit), "internal error in the learning code: the column u has a code");
}

#[test]
fn the_documented_defaults_are_the_solvers() {
    use crate::solve::{als::AlsOptions, gradient::GradientOptions, implicit::ImplicitOptions};
    let (als, implicit, gradient) = (AlsOptions::default(), ImplicitOptions::default(), GradientOptions::default());
    let three =
        |squared: &str, implicit: f64, logistic: f64| format!("{squared} (implicit: {implicit}, logistic: {logistic})");
    assert_eq!(als.regularization, None);
    let fewer = crate::choose::fewer(als.factors);
    let squared_factors = format!("{}, or {fewer} where they predict rows set aside better", als.factors);
    let expected = [
        ("factors", three(&squared_factors, implicit.factors as f64, gradient.factors as f64)),
        ("epochs", three(&als.epochs.to_string(), implicit.epochs as f64, gradient.epochs as f64)),
        ("learning_rate", gradient.learning_rate.to_string()),
        (
            "regularization",
            format!(
                "learnt from the rows (logistic: what predicts rows set aside best; implicit: {})",
                implicit.regularization
            ),
        ),
        ("alpha", crate::train::ALPHA.to_string()),
        ("unobserved_weight", "20 times the share of all pairs that were seen, at most 1".into()),
        ("frequency_exponent", implicit.frequency_exponent.to_string()),
        ("feature_regularization", implicit.feature_regularization.to_string()),
    ];
    let found: Vec<_> = crate::HYPERPARAMETERS.iter().map(|known| (known.name, known.default.to_string())).collect();
    assert_eq!(found, expected);
}
