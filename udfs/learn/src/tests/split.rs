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

/// Rows of so many cells, the copies of a cell as many as chance brings, with a target of two values.
fn of_cells(cells: u64, rows: usize, seed: u64) -> Table {
    let mut random = Random::keyed(seed, &[]);
    let own: Vec<f64> = (0..rows).map(|_| random.below(cells) as f64).collect();
    let target = (0..rows).map(|_| f64::from(random.uniform() < 0.3)).collect();
    table(vec![("x", Values::Number(own)), ("y", Values::Number(target))])
}

/// The split of a table of [`of_cells`]: each row's cell, target and part.
fn dealt(rows: &Table, share: f64, seed: u64) -> Vec<(u64, f64, Part)> {
    let own =
        Options { test_size: Some(share), seed: Some(seed), user: None, item: None, ..options(Objective::Squared) };
    let (prepared, units) = parts(rows, own).unwrap();
    let Values::Number(cells) = &prepared.features[0].1 else { panic!("not a number") };
    let target = &prepared.target.as_ref().unwrap().values;
    (0..prepared.rows).map(|row| (cells[row] as u64, target[row], units.parts[row])).collect()
}

#[test]
fn random_holds_out_the_share_whatever_the_number_of_cells() {
    for cells in [4, 10, 100, 1000, 10_000, 1_000_000] {
        for share in [0.1, 0.5] {
            let found = dealt(&of_cells(cells, 4000, cells), share, 7);
            // Lots drawn one by one deviate more than places that lie evenly; both are within five deviations.
            let held_out = found.iter().filter(|row| row.2 == Part::Test).count() as f64;
            assert!(
                (held_out - 4000.0 * share).abs() < 5.0 * (4000.0 * share * (1.0 - share)).sqrt(),
                "{cells} {held_out}"
            );
        }
    }
}

#[test]
fn random_divides_each_of_few_cells_with_its_labels_in_proportion() {
    for seed in 0..20 {
        println!("seed {seed}");
        let found = dealt(&of_cells(4, 4000, seed), 0.1, seed);
        for cell in 0..4 {
            let count = |held_out: bool, label: Option<f64>| {
                let of = |row: &&(u64, f64, Part)| {
                    row.0 == cell && (row.2 == Part::Test) == held_out && label.is_none_or(|label| row.1 == label)
                };
                found.iter().filter(of).count() as f64
            };
            let (held_out, all) = (count(true, None), count(true, None) + count(false, None));
            assert!((held_out - 0.1 * all).abs() < 4.0, "{held_out} of {all}");
            let ones = (count(true, Some(1.0)) + count(false, Some(1.0))) / all;
            let deviation = (ones * (1.0 - ones) / held_out).sqrt();
            assert!((count(true, Some(1.0)) / held_out - ones).abs() < 4.5 * deviation);
        }
    }
}

// A row that is held out tells nothing of what its copies in training say: over many draws the held-out label and the
// mean of the others are as they would be for a row drawn alone.
#[test]
fn random_deals_labels_by_chance() {
    let (mut draws, mut held_out_ones) = ([0.0; 2], [0.0; 2]);
    for seed in 0..4000 {
        let mut labels = [0.0; 12];
        labels[..4].fill(1.0);
        let rows = table(vec![
            ("x", Values::Number((0..24).map(|row| f64::from(row / 12)).collect())),
            ("y", Values::Number([labels, labels.map(|label| 1.0 - label)].concat())),
        ]);
        for (cell, label, part) in dealt(&rows, 0.1, seed) {
            if part == Part::Test {
                draws[cell as usize] += 1.0;
                held_out_ones[cell as usize] += label;
            }
        }
    }
    for (cell, expected) in [1.0 / 3.0, 2.0 / 3.0].into_iter().enumerate() {
        let found: f64 = held_out_ones[cell] / draws[cell];
        let deviation: f64 = (2.0 / 9.0 / draws[cell]).sqrt();
        assert!((found - expected).abs() < 4.5 * deviation, "{found} instead of {expected}");
        assert!((draws[cell] - 4800.0).abs() < 4.5 * 4800.0f64.sqrt(), "{}", draws[cell]);
    }
}

#[test]
fn random_keeps_the_few_equal_rows_of_many_different_ones_together() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut rows = of_cells(1_000_000_000, 1000, seed);
        // Forty rows come a second time, half of them with another target.
        if let [(_, Values::Number(x)), (_, Values::Number(y))] = &mut rows.columns[..] {
            x.extend_from_within(..40);
            y.extend_from_within(..40);
            y[1000..1020].iter_mut().for_each(|target| *target = 1.0 - *target);
        }
        rows.rows = 1040;
        let found = dealt(&rows, 0.5, seed);
        let pairs: Vec<_> = found.windows(2).filter(|pair| pair[0].0 == pair[1].0).collect();
        assert_eq!(pairs.len(), 40);
        assert!(pairs.iter().all(|pair| pair[0].2 == pair[1].2));
        assert!(pairs.iter().any(|pair| pair[0].2 == Part::Train) && pairs.iter().any(|pair| pair[0].2 == Part::Test));
    }
}

#[test]
fn a_table_given_several_times_is_split_as_if_given_once() {
    for cells in [300, 1_000_000] {
        for seed in 0..5 {
            println!("{cells} cells, seed {seed}");
            let once = of_cells(cells, 600, seed);
            let parts_of = |times: usize| {
                let again = once.take(&(0..600).flat_map(|row| vec![row; times]).collect::<Vec<_>>());
                let found = dealt(&again, 0.1, seed);
                assert!(found.chunks(times).all(|copies| copies.iter().all(|copy| *copy == copies[0])));
                found.into_iter().step_by(times).collect::<Vec<_>>()
            };
            let expected = parts_of(1);
            assert!(expected.iter().any(|row| row.2 == Part::Test));
            assert_eq!(parts_of(2), expected);
            assert_eq!(parts_of(7), expected);
        }
    }
}

#[test]
fn few_kinds_of_rows_with_a_certain_outcome_are_divided() {
    for times in [6, 9, 10, 50] {
        let kinds = table(vec![
            ("x", Values::Number((0..40).map(f64::from).collect())),
            ("y", Values::Number((0..40).map(|row| f64::from(row % 3)).collect())),
        ]);
        let rows = kinds.take(&(0..40).flat_map(|row| vec![row; times]).collect::<Vec<_>>());
        let found = dealt(&rows, 0.1, 3);
        assert!(found.chunks(times).all(|copies| copies.iter().any(|copy| copy.2 == Part::Train)));
        assert!(found.iter().any(|row| row.2 == Part::Test));
    }
}

#[test]
fn random_keeps_a_unit_of_every_user_with_several() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut random = Random::keyed(seed, &[]);
        let users: Vec<i64> = (0..300).map(|_| random.below(150) as i64).collect();
        let items: Vec<i64> = (0..300).collect();
        let target: Vec<f64> = (0..300).map(|_| random.below(2) as f64).collect();
        let rows = table(vec![("u", integers(&users)), ("i", integers(&items)), ("y", Values::Number(target))]);
        let own = Options { test_size: Some(0.5), seed: Some(seed), ..options(Objective::Squared) };
        let (prepared, units) = parts(&rows, own).unwrap();
        let user = prepared.user.as_ref().unwrap();
        let (mut only, mut held_out) = (0.0, 0.0);
        for code in 0..user.dictionary.len() as u32 {
            let own: Vec<usize> = (0..prepared.rows).filter(|&row| user.codes[row] == code).collect();
            match own[..] {
                [row] => {
                    only += 1.0;
                    held_out += f64::from(units.parts[row] == Part::Test);
                }
                _ => assert!(own.iter().any(|&row| units.parts[row] == Part::Train)),
            }
        }
        let deviation: f64 = 0.5 * f64::sqrt(only);
        assert!((held_out - 0.5 * only).abs() < 4.5 * deviation, "{held_out} of {only}");
    }
}

#[test]
fn one_row_a_user_is_held_out_like_any_but_an_only_pair_is_not() {
    let users: Vec<i64> = (0..1000).collect();
    let items: Vec<i64> = (0..1000).map(|row| row % 40).collect();
    let target = (0..1000).map(|row| f64::from(row % 7)).collect();
    let mut rows = table(vec![("u", integers(&users)), ("i", integers(&items)), ("y", Values::Number(target))]);
    let held_out = |rows: &Table, options: Options| parts(rows, options).unwrap().1.of(Part::Test).len();
    for item in [None, Some("i".into())] {
        let count = held_out(&rows, Options { item, ..options(Objective::Squared) });
        assert!((60..140).contains(&count), "{count}");
    }
    rows.columns.pop();
    assert_eq!(held_out(&rows, options(Objective::Implicit)), 0);
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
