//! Which rows are trained on and which are held out.
//!
//! The unit that is held out is a row, or for the implicit objective a pair of user and item with all its rows. Every
//! rule depends on values alone, never on the order of rows. What becomes of rows that are equal, [`crate::cells`] says.

use std::collections::BTreeMap;

use crate::{
    cells::{self, share},
    error::{Error, Result},
    hash,
    options::{Objective, Split, ValidOptions},
    prepare::Prepared,
    table::{Dictionary, NULL, Values},
};

/// What a unit is for. Where a pair's rows disagree, the first of these wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Train,
    Valid,
    Test,
}

/// The units: unit `u` has the rows `starts[u]..starts[u + 1]`.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) starts: Vec<u32>,
    pub(crate) parts: Vec<Part>,
}

impl Units {
    /// The number of units.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The rows of one unit.
    pub(crate) fn rows(&self, unit: usize) -> std::ops::Range<usize> {
        self.starts[unit] as usize..self.starts[unit + 1] as usize
    }

    /// The units of one part, ascending.
    pub(crate) fn of(&self, part: Part) -> Vec<u32> {
        (0..self.len() as u32).filter(|&unit| self.parts[unit as usize] == part).collect()
    }

    /// The rows of these units, in order.
    pub(crate) fn rows_of(&self, units: &[u32]) -> Vec<u32> {
        units.iter().flat_map(|&unit| self.starts[unit as usize]..self.starts[unit as usize + 1]).collect()
    }
}

/// Cuts the rows into units and gives each its part.
pub(crate) fn split(prepared: &Prepared, options: &ValidOptions) -> Result<Units> {
    let starts = starts(prepared);
    let mut units = Units { parts: vec![Part::Train; starts.len() - 1], starts };
    match &options.split {
        Split::None => {}
        Split::Random => random(prepared, options, &mut units),
        Split::Time => cutoff(prepared, options, &mut units)?,
        Split::Last => last(prepared, &mut units),
        Split::Group(name) => by_row(&mut units, &groups(prepared, options, name)?),
        Split::Column(name) => by_row(&mut units, &given(prepared, name)?),
    }
    if !units.parts.contains(&Part::Train) {
        return Err(Error::InvalidData("the split leaves no row to train on; give some rows to training".into()));
    }
    Ok(units)
}

/// Rows are units by themselves; implicit rows of one user and item are one unit.
fn starts(prepared: &Prepared) -> Vec<u32> {
    let rows = prepared.rows as u32;
    let (Objective::Implicit, Some(user), Some(item)) = (prepared.objective, &prepared.user, &prepared.item) else {
        return (0..=rows).collect();
    };
    let pair = |row: u32| (user.codes[row as usize], item.codes[row as usize]);
    let mut starts: Vec<u32> = (0..rows).filter(|&row| row == 0 || pair(row) != pair(row - 1)).collect();
    starts.push(rows);
    starts
}

/// A pair's part is the first that any of its rows has.
fn by_row(units: &mut Units, parts: &[Part]) {
    for unit in 0..units.len() {
        units.parts[unit] = parts[units.rows(unit)].iter().copied().min().unwrap_or(Part::Train);
    }
}

/// By chance that only the seed and what is predicted from decide; a user with several units keeps at least one of them
/// for training.
///
/// A user's only row may be held out, as a fresh row's user may be new; else the metrics would be about users with several
/// rows alone, and a table with one row a user would hold out none. An only pair stays: nothing can be ranked for a
/// user without one.
fn random(prepared: &Prepared, options: &ValidOptions, units: &mut Units) {
    let pairs = prepared.objective == Objective::Implicit;
    let places = if pairs { pair_places(prepared, options, units) } else { row_places(prepared, options) };
    for (part, &place) in units.parts.iter_mut().zip(&places) {
        if share(place) < options.test_size {
            *part = Part::Test;
        }
    }
    for range in user_ranges(prepared, units) {
        let several = places[range.clone()].iter().any(|&place| place != places[range.start]);
        if pairs || several {
            keep_one(&mut units.parts, range, |unit| places[unit]);
        }
    }
}

/// If all units of a range are held out, gives those with the greatest key back to training.
fn keep_one(parts: &mut [Part], range: std::ops::Range<usize>, key: impl Fn(usize) -> u64) {
    if parts[range.clone()].contains(&Part::Train) {
        return;
    }
    let greatest = range.clone().map(&key).max();
    for unit in range {
        if Some(key(unit)) == greatest {
            parts[unit] = Part::Train;
        }
    }
}

/// A pair's place is the hash of seed, user and item.
fn pair_places(prepared: &Prepared, options: &ValidOptions, units: &Units) -> Vec<u64> {
    let hashes = key_hashes(prepared, options.seed);
    (0..units.len()).map(|unit| hashes[units.starts[unit] as usize]).collect()
}

/// A row's place is the hash of seed, keys, time and features, or beside it if its cell is divided.
fn row_places(prepared: &Prepared, options: &ValidOptions) -> Vec<u64> {
    let mut hashes = key_hashes(prepared, options.seed);
    if !prepared.time.is_empty() {
        fold(&mut hashes, &hash::rows(&Values::Timestamp(prepared.time.clone())));
    }
    for (_, values) in &prepared.features {
        fold(&mut hashes, &hash::rows(values));
    }
    cells::places(
        prepared.rows,
        options.test_size,
        |row| prepared.alike(row - 1, row),
        |row| prepared.same_outcome(row - 1, row),
        |row| hashes[row],
    )
}

/// The hash of the seed and each row's keys.
fn key_hashes(prepared: &Prepared, seed: u64) -> Vec<u64> {
    let mut hashes = vec![hash::combine(seed, 0x5370_6C69_7400_0001); prepared.rows];
    for keys in [&prepared.user, &prepared.item].into_iter().flatten() {
        fold(&mut hashes, &hash::categories(&keys.codes, &keys.dictionary));
    }
    hashes
}

fn fold(hashes: &mut [u64], parts: &[u64]) {
    for (state, &part) in hashes.iter_mut().zip(parts) {
        *state = hash::combine(*state, part);
    }
}

/// The units of each user; none without a user.
fn user_ranges(prepared: &Prepared, units: &Units) -> Vec<std::ops::Range<usize>> {
    let Some(user) = &prepared.user else { return Vec::new() };
    let of = |unit: usize| user.codes[units.starts[unit] as usize];
    let mut ranges = Vec::new();
    let mut start = 0;
    for unit in 1..=units.len() {
        if unit == units.len() || of(unit) != of(start) {
            ranges.push(start..unit);
            start = unit;
        }
    }
    ranges
}

/// When each unit happened first; a pair that comes again later was known already.
fn unit_times(prepared: &Prepared, units: &Units) -> Vec<Option<i64>> {
    (0..units.len()).map(|unit| prepared.time[units.rows(unit)].iter().flatten().copied().min()).collect()
}

/// One cutoff: of all distinct times the one after which the number of units comes closest to the share asked for.
/// Units without a time are trained on.
fn cutoff(prepared: &Prepared, options: &ValidOptions, units: &mut Units) -> Result<()> {
    let times = unit_times(prepared, units);
    let mut sorted: Vec<i64> = times.iter().flatten().copied().collect();
    sorted.sort_unstable();
    let wanted = options.test_size * times.len() as f64;
    // A cutoff at position p holds out everything from p on; it must lie between two different times.
    let distance = |position: usize| ((sorted.len() - position) as f64 - wanted).abs();
    let best = (1..sorted.len())
        .filter(|&position| sorted[position] != sorted[position - 1])
        .min_by(|&left, &right| distance(left).total_cmp(&distance(right)));
    let Some(position) = best else {
        let problem =
            "the time column has fewer than two different values, so no cutoff divides the rows; use split => 'random'";
        return Err(Error::InvalidData(problem.into()));
    };
    let first_held_out = sorted[position];
    for (part, time) in units.parts.iter_mut().zip(times) {
        if time.is_some_and(|time| time >= first_held_out) {
            *part = Part::Test;
        }
    }
    Ok(())
}

/// Each user's newest unit, with the rows equal to it; of several as new the last in canonical order. A user keeps at
/// least one.
fn last(prepared: &Prepared, units: &mut Units) {
    let times = unit_times(prepared, units);
    for range in user_ranges(prepared, units) {
        let Some(newest) = range.clone().max_by_key(|&unit| (times[unit], unit)) else { continue };
        let first = |unit: usize| units.starts[unit] as usize;
        let held_out: Vec<usize> = match prepared.objective {
            Objective::Implicit => vec![newest],
            _ => range.clone().filter(|&unit| prepared.same(first(unit), first(newest))).collect(),
        };
        if held_out.len() < range.len() {
            for unit in held_out {
                units.parts[unit] = Part::Test;
            }
        }
    }
}

/// Whole groups by hash of seed and value. If the hashes hold out no group, or all, the group with the least hash is
/// held out, or the one with the greatest kept.
fn groups(prepared: &Prepared, options: &ValidOptions, name: &str) -> Result<Vec<Part>> {
    let hashes = match [&prepared.user, &prepared.item].into_iter().flatten().find(|keys| keys.name == name) {
        Some(keys) => hash::categories(&keys.codes, &keys.dictionary),
        None => match prepared.features.iter().find(|(feature, _)| feature == name) {
            Some((_, values)) => hash::rows(values),
            None => {
                let problem =
                    format!("split: the column {name} of group:{name} is the time, weight or strength; name another");
                return Err(Error::InvalidData(problem));
            }
        },
    };
    let seeded: Vec<u64> = hashes.iter().map(|&value| hash::combine(options.seed, value)).collect();
    let mut held_out: BTreeMap<u64, bool> =
        seeded.iter().map(|&group| (group, share(group) < options.test_size)).collect();
    if held_out.len() < 2 {
        let problem =
            format!("the column {name} of split => 'group:{name}' has one value only, so no group can be held out");
        return Err(Error::InvalidData(problem));
    }
    if held_out.values().all(|&out| !out) {
        held_out.first_entry().map(|mut least| least.insert(true));
    } else if held_out.values().all(|&out| out) {
        held_out.last_entry().map(|mut greatest| greatest.insert(false));
    }
    Ok(seeded.iter().map(|group| if held_out[group] { Part::Test } else { Part::Train }).collect())
}

/// As the column says: train, valid (or validation) and test in any case, or a boolean that is true for test.
fn given(prepared: &Prepared, name: &str) -> Result<Vec<Part>> {
    let expected = "expected 'train', 'test' or 'valid' in every row, or a boolean that is true for test";
    let refuse = |found: &str| Error::InvalidData(format!("the split column {name} holds {found}; {expected}"));
    let Some(Values::Category { codes, dictionary }) = &prepared.given_split else {
        let kind = prepared.given_split.as_ref().map_or("nothing", Values::kind);
        return Err(refuse(&format!("values of kind {kind}")));
    };
    let part = |code: u32| {
        if code == NULL {
            return Err(refuse("NULL"));
        }
        let text = dictionary.label(code);
        match (dictionary.as_ref(), text.to_ascii_lowercase().as_str()) {
            (Dictionary::Boolean, "false") | (Dictionary::Text(_), "train") => Ok(Part::Train),
            (Dictionary::Boolean, "true") | (Dictionary::Text(_), "test") => Ok(Part::Test),
            (Dictionary::Text(_), "valid" | "validation") => Ok(Part::Valid),
            _ => Err(refuse(&format!("'{text}'"))),
        }
    };
    codes.iter().map(|&code| part(code)).collect()
}
