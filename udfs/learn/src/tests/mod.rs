//! The pipeline as a whole, from rows to answers. Random inputs come from printed seeds.

mod bytes;
mod encode;
mod evaluate;
mod honesty;
mod invalid;
mod metrics;
mod pipeline;
mod rank;
mod split;

use std::{collections::BTreeSet, sync::Arc};

use crate::{Dictionary, Fitted, NULL, Objective, Options, Result, Table, Unattended, Values, fit, random::Random};

/// A category column of texts.
pub(super) fn texts(values: &[Option<&str>]) -> Values {
    let distinct: BTreeSet<&str> = values.iter().flatten().copied().collect();
    let dictionary = Dictionary::Text(distinct.into_iter().map(String::from).collect());
    let code = |value: &Option<&str>| value.and_then(|value| dictionary.code_of_text(value)).unwrap_or(NULL);
    let codes = values.iter().map(code).collect();
    Values::Category { codes, dictionary: Arc::new(dictionary) }
}

/// A category column of texts without NULL.
pub(super) fn words(values: &[&str]) -> Values {
    texts(&values.iter().map(|value| Some(*value)).collect::<Vec<_>>())
}

/// A category column of integers.
pub(super) fn integers(values: &[i64]) -> Values {
    let dictionary = Dictionary::Integer(values.iter().copied().collect::<BTreeSet<_>>().into_iter().collect());
    let codes = values.iter().map(|&value| dictionary.code_of_integer(value).unwrap_or(NULL)).collect();
    Values::Category { codes, dictionary: Arc::new(dictionary) }
}

/// A table of these columns.
pub(super) fn table(columns: Vec<(&str, Values)>) -> Table {
    let rows = columns.first().map_or(0, |(_, values)| values.rows());
    Table { rows, columns: columns.into_iter().map(|(name, values)| (name.to_string(), values)).collect() }
}

/// The options of a model of `u` and `i`, and of `y` unless the objective is implicit.
pub(super) fn options(objective: Objective) -> Options {
    Options {
        target: (objective != Objective::Implicit).then(|| "y".into()),
        user: Some("u".into()),
        item: Some("i".into()),
        hyperparameters: vec![("factors".into(), 4.0), ("epochs".into(), 6.0)],
        ..Options::default()
    }
}

pub(super) fn run(table: &Table, options: Options) -> Result<Fitted> {
    fit(table, &options.validate()?, 1, &Unattended)
}

/// Rows of users and items with every kind of column: an age a user, a brand and tags an item, and unless the objective
/// is implicit a price, a time, a vector and a text a row, with NULLs among all of them.
pub(super) fn shop(objective: Objective, seed: u64, rows: usize) -> Table {
    let mut random = Random::keyed(seed, &[]);
    let users: Vec<i64> = (0..rows).map(|_| random.below(20) as i64 * 7 - 30).collect();
    let items: Vec<String> = (0..rows).map(|_| format!("i{}", random.below(15))).collect();
    let number = |item: &str| item[1..].parse::<u32>().unwrap_or(0);
    let age = users.iter().map(|&user| if user % 3 == 0 { f64::NAN } else { (user * user % 50) as f64 }).collect();
    let brands: Vec<Option<&str>> =
        items.iter().map(|item| [Some("acme"), Some("brio"), None][number(item) as usize % 3]).collect();
    let tags = Dictionary::Text(vec!["a".into(), "b".into(), "c".into()]);
    let (mut offsets, mut codes) = (vec![0], Vec::new());
    for item in &items {
        codes.extend((0..number(item) % 4).map(|tag| (tag * 2 + number(item)) % 3));
        offsets.push(codes.len() as u32);
    }
    let mut columns = vec![
        ("u", integers(&users)),
        ("i", words(&items.iter().map(String::as_str).collect::<Vec<_>>())),
        ("age", Values::Number(age)),
        ("brand", texts(&brands)),
        ("tags", Values::Bag { offsets, codes, dictionary: Arc::new(tags) }),
    ];
    if objective != Objective::Implicit {
        let mut missing = |value: f64| if random.uniform() < 0.1 { f64::NAN } else { value };
        let price: Vec<f64> = (0..rows).map(|row| missing((row * 37 % 101) as f64)).collect();
        let when = (0..rows).map(|row| (row % 9 != 0).then_some(row as i64 * 40_000_000_000)).collect();
        let vectors = (0..rows * 2).map(|at| if at / 2 % 8 == 0 { f32::NAN } else { (at % 5) as f32 }).collect();
        let notes = (0..rows).map(|row| (row % 4 != 0).then(|| format!("Note {} of the day", row % 6))).collect();
        let target: Vec<f64> = (0..rows)
            .map(|row| {
                let affinity = f64::from(number(&items[row])) / 5.0 + (users[row] % 4) as f64 + random.normal() / 4.0;
                match objective {
                    _ if row % 29 == 28 => f64::NAN,
                    Objective::Logistic => f64::from(affinity > 2.0),
                    _ => affinity,
                }
            })
            .collect();
        columns.push(("price", Values::Number(price)));
        columns.push(("when", Values::Timestamp(when)));
        columns.push(("shape", Values::Vector { width: 2, values: vectors }));
        columns.push(("note", Values::Text(notes)));
        columns.push(("y", Values::Number(target)));
    }
    table(columns)
}

/// The objectives, each with options for [`shop`].
pub(super) fn objectives() -> [(Objective, Options); 3] {
    [Objective::Squared, Objective::Logistic, Objective::Implicit].map(|objective| {
        let chosen = (objective == Objective::Logistic).then(|| "logistic".into());
        (objective, Options { objective: chosen, ..options(objective) })
    })
}

/// The table's rows in another order.
pub(super) fn shuffled(table: &Table, seed: u64) -> Table {
    let mut random = Random::keyed(seed, &[1]);
    let mut order: Vec<u32> = (0..table.rows as u32).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, random.below(last as u64 + 1) as usize);
    }
    table.take(&order)
}
