//! Every split, by hand.

use super::*;
use crate::{
    Split,
    prepare::Prepared,
    split::{Part, Units, split},
};

fn parts(rows: &Table, options: Options) -> Result<(Prepared, Units)> {
    let options = options.validate()?;
    let prepared = Prepared::new(rows, &options)?;
    let units = split(&prepared, &options)?;
    Ok((prepared, units))
}

/// The units of one part as user and item.
fn pairs(prepared: &Prepared, units: &Units, part: Part) -> Vec<(String, String)> {
    let label = |keys: &Option<crate::prepare::Keys>, row: u32| {
        let keys = keys.as_ref().unwrap();
        keys.dictionary.label(keys.codes[row as usize])
    };
    let rows = units.rows_of(&units.of(part));
    rows.into_iter().map(|row| (label(&prepared.user, row), label(&prepared.item, row))).collect()
}

fn pair(user: &str, item: &str) -> (String, String) {
    (user.into(), item.into())
}

/// Six events of three users; the times are out of order.
fn events() -> Table {
    table(vec![
        ("u", words(&["a", "a", "a", "b", "b", "c"])),
        ("i", words(&["1", "2", "3", "1", "2", "3"])),
        ("t", Values::Timestamp(vec![Some(30), Some(10), Some(20), Some(60), Some(50), Some(40)])),
        ("y", Values::Number(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
    ])
}

fn with(split: &str) -> Options {
    Options { split: Some(split.into()), time: Some("t".into()), ..options(Objective::Squared) }
}

#[test]
fn time_has_one_cutoff() {
    let own = Options { test_size: Some(0.34), ..with("time") };
    let (prepared, units) = parts(&events(), own).unwrap();
    assert_eq!(pairs(&prepared, &units, Part::Test), [pair("b", "1"), pair("b", "2")]);
    let defaulted = Options { split: None, ..with("") };
    assert_eq!(*defaulted.validate().unwrap().split(), Split::Time);
}

#[test]
fn equal_times_are_never_divided() {
    let mut rows = events();
    rows.columns[2].1 = Values::Timestamp(vec![Some(1), Some(1), Some(1), Some(2), Some(2), Some(2)]);
    let (prepared, units) = parts(&rows, with("time")).unwrap();
    assert_eq!(pairs(&prepared, &units, Part::Test).len(), 3);
    rows.columns[2].1 = Values::Timestamp(vec![Some(1); 6]);
    let error = parts(&rows, with("time")).unwrap_err().to_string();
    assert!(error.contains("fewer than two different values"), "{error}");
}

#[test]
fn last_holds_out_each_users_newest() {
    let (prepared, units) = parts(&events(), with("last")).unwrap();
    assert_eq!(pairs(&prepared, &units, Part::Test), [pair("a", "1"), pair("b", "1")]);
}

#[test]
fn random_keeps_equal_rows_together_and_a_unit_of_every_user() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut random = Random::keyed(seed, &[]);
        let users: Vec<i64> = (0..300).map(|_| random.below(60) as i64).collect();
        let items: Vec<i64> = (0..300).map(|_| random.below(4) as i64).collect();
        let target: Vec<f64> = (0..300).map(|_| random.below(2) as f64).collect();
        let rows = table(vec![("u", integers(&users)), ("i", integers(&items)), ("y", Values::Number(target))]);
        let own = Options { test_size: Some(0.5), seed: Some(seed), ..options(Objective::Squared) };
        let (prepared, units) = parts(&rows, own).unwrap();
        let user = prepared.user.as_ref().unwrap();
        for code in 0..user.dictionary.len() as u32 {
            let own = (0..prepared.rows).filter(|&row| user.codes[row] == code);
            assert!(own.clone().any(|row| units.parts[row] == Part::Train));
        }
        for row in 1..prepared.rows {
            assert!(!prepared.same(row - 1, row) || units.parts[row - 1] == units.parts[row]);
        }
        let held_out = units.of(Part::Test).len();
        assert!((90..200).contains(&held_out), "{held_out}");
    }
}

#[test]
fn random_does_not_depend_on_other_rows() {
    let rows = shop(Objective::Squared, 6, 200);
    let first = rows.take(&(0..150).collect::<Vec<_>>());
    let own = Options { user: None, item: None, ..options(Objective::Squared) };
    let held_out = |rows: &Table| {
        let (prepared, units) = parts(rows, own.clone()).unwrap();
        let target = prepared.target.as_ref().unwrap();
        units.of(Part::Test).iter().map(|&row| target.values[row as usize].to_bits()).collect::<BTreeSet<_>>()
    };
    assert!(held_out(&first).is_subset(&held_out(&rows)));
}

#[test]
fn groups_stay_whole() {
    for seed in 0..10 {
        println!("seed {seed}");
        let rows = shop(Objective::Squared, seed, 200);
        let own = Options { split: Some("group:brand".into()), seed: Some(seed), ..options(Objective::Squared) };
        let (prepared, units) = parts(&rows, own).unwrap();
        let brand = &prepared.features.iter().find(|(name, _)| name == "brand").unwrap().1;
        let Values::Category { codes, .. } = brand else { panic!("not a category") };
        let sides = |part: Part| units.of(part).iter().map(|&row| codes[row as usize]).collect::<BTreeSet<_>>();
        assert!(sides(Part::Train).is_disjoint(&sides(Part::Test)));
        assert!(!sides(Part::Test).is_empty());
    }
    let users = Options { split: Some("group:u".into()), ..options(Objective::Squared) };
    let (prepared, units) = parts(&shop(Objective::Squared, 1, 100), users).unwrap();
    let of = |part| pairs(&prepared, &units, part).into_iter().map(|pair| pair.0).collect::<BTreeSet<_>>();
    assert!(of(Part::Train).is_disjoint(&of(Part::Test)));
}

#[test]
fn a_column_says_it() {
    let mut rows = events();
    rows.columns.push(("part".into(), words(&["train", "TEST", "validation", "train", "valid", "test"])));
    let (prepared, units) = parts(&rows, with("column:part")).unwrap();
    assert_eq!(pairs(&prepared, &units, Part::Test), [pair("a", "2"), pair("c", "3")]);
    assert_eq!(pairs(&prepared, &units, Part::Valid), [pair("a", "3"), pair("b", "2")]);
    let boolean = Values::Category { codes: vec![0, 1, 0, 0, 0, 0], dictionary: Arc::new(Dictionary::Boolean) };
    rows.columns[4].1 = boolean;
    let (prepared, units) = parts(&rows, with("column:part")).unwrap();
    assert_eq!(pairs(&prepared, &units, Part::Test), [pair("a", "2")]);
}

#[test]
fn other_values_of_the_column_are_refused() {
    let mut rows = events();
    rows.columns.push(("part".into(), words(&["train", "dev", "train", "train", "train", "train"])));
    let error = parts(&rows, with("column:part")).unwrap_err().to_string();
    let expected = "the split column part holds 'dev'; expected 'train', 'test' or 'valid' in every row, or a boolean \
                    that is true for test";
    assert_eq!(error, expected);
    rows.columns[4].1 = texts(&[Some("train"), None, None, None, None, None]);
    assert!(parts(&rows, with("column:part")).unwrap_err().to_string().contains("holds NULL"));
    rows.columns[4].1 = words(&["test"; 6]);
    assert!(parts(&rows, with("column:part")).unwrap_err().to_string().contains("no row to train on"));
}

#[test]
fn implicit_pairs_are_held_out_whole() {
    let rows = table(vec![
        ("u", words(&["a", "a", "a", "a", "b"])),
        ("i", words(&["1", "1", "2", "3", "1"])),
        ("n", Values::Number(vec![1.0, 2.0, 1.0, -1.0, 4.0])),
        ("t", Values::Timestamp(vec![Some(1), Some(100), Some(50), Some(2), Some(3)])),
    ]);
    let own = Options {
        strength: Some("n".into()),
        time: Some("t".into()),
        split: Some("last".into()),
        ..options(Objective::Implicit)
    };
    let (prepared, units) = parts(&rows, own).unwrap();
    // The pair of a and 3 sums to less than zero; a first saw 1 before 2.
    assert_eq!(prepared.counts.weight, 1);
    assert_eq!(units.len(), 3);
    assert_eq!(pairs(&prepared, &units, Part::Test), [pair("a", "2")]);
    assert_eq!(units.rows(0), 0..2);
}
