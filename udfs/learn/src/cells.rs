//! Where rows are put by chance, so that what is measured on those held out holds for fresh rows.
//!
//! A cell is all rows that are equal in everything a model predicts from: keys and features, never target or weight. A
//! lot in which the target has a part holds out all rows of one outcome of a cell together, and the model, which was shown only
//! the others, is judged by them. So a cell draws its lot from its features, and there remains the question of whether its
//! rows share it. That depends on what equal rows are:
//!
//! * Observations of a source with few kinds of rows. A fresh row is then most likely of a cell that training knows,
//!   and so must a row held out be. The cell's rows are *divided by occurrence*: each has a place of its own, the places
//!   of a cell lie evenly, so that every part has its share of the cell, and chance alone says which row has which. The labels
//!   of a cell are therefore in proportion but for chance. It would be wrong to deal them out evenly as well: held-out
//!   rows would repeat the noise that training has learnt, and a model of noise would seem good.
//! * Copies of one observation, among rows that are otherwise all different. Dividing them would hand the answers of
//!   held-out rows to training. They *stay together*.
//!
//! Which of the two it is, the whole table tells and not the cell. The share of rows without an equal estimates the
//! chance that a fresh row is of a new cell (Good, Biometrika 1953). Where nine of ten rows or more have no equal, equal rows
//! are exceptions and stay together; whichever way that is decided, no more than a tenth of the rows are judged wrongly. Where
//! equals are more frequent than that, cells are divided, as drawing rows one by one would.
//!
//! One kind of copies looks like few cells: a table given several times over, each of its rows, target and weight
//! included, as often as the others. It is split as it would be if it were given once. That ends where a row occurs so
//! often that each part can have its share of the occurrences, and where there are hardly any different rows: then they are
//! kinds of rows, whose outcome happens to be certain.

use crate::hash;

/// Cells are divided if this share of the rows has an equal.
const EXCEPTIONS: f64 = 0.1;
/// Fewer different rows than this are kinds of rows, however regularly they come.
const LEAST_DIFFERENT: usize = 200;
/// The golden section of the circle of 64-bit places: its multiples lie evenly, however many there are.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A place for each of so many rows, such that the rows whose [`share`] is below a number are that share of them.
///
/// `alike` says whether a row is of the cell of the row before it, `equal` whether it equals that in target and weight as
/// well; equal rows must follow each other. `key` is the lot of the cell that starts with a row. `held_out` is the share
/// that is going to be held out.
pub(crate) fn places(
    rows: usize,
    held_out: f64,
    alike: impl Fn(usize) -> bool,
    equal: impl Fn(usize) -> bool,
    key: impl Fn(usize) -> u64,
) -> Vec<u64> {
    let cells = runs(rows, &alike);
    let times = times_given(&runs(rows, |row| alike(row) && equal(row)), held_out);
    let repeated: usize = cells.iter().map(|cell| cell.len()).filter(|&length| length > times).sum();
    let together = (repeated as f64) < EXCEPTIONS * rows as f64;
    let mut places = Vec::with_capacity(rows);
    for cell in cells {
        let key = key(cell.start);
        if together {
            places.resize(cell.end, key);
            continue;
        }
        for rank in ranks(key, cell.len() / times) {
            places.resize(places.len() + times, key.wrapping_add(GOLDEN.wrapping_mul(rank)));
        }
    }
    places
}

/// A place as a number in [0, 1).
pub(crate) fn share(place: u64) -> f64 {
    (place >> 11) as f64 / (1u64 << 53) as f64
}

/// The longest ranges of rows of which each is like the one before it.
fn runs(rows: usize, alike: impl Fn(usize) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for row in 0..rows {
        match runs.last_mut() {
            Some(run) if alike(row) => run.end = row + 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs
}

/// How often a table is given over: the greatest number that divides the occurrences of every row; once if that is more
/// than copies explain.
fn times_given(equals: &[std::ops::Range<usize>], held_out: f64) -> usize {
    let times = equals.iter().map(|run| run.len()).fold(0, greatest_divisor);
    if times > 0 && times as f64 * held_out < 1.0 && equals.len() >= LEAST_DIFFERENT { times } else { 1 }
}

fn greatest_divisor(mut left: usize, mut right: usize) -> usize {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

/// The numbers below `count` in an order that is the key's.
fn ranks(key: u64, count: usize) -> Vec<u64> {
    let mut drawn: Vec<(u64, u64)> = (0..count as u64).map(|at| (hash::combine(key, at), at)).collect();
    drawn.sort_unstable();
    let mut ranks = vec![0; count];
    for (rank, &(_, at)) in drawn.iter().enumerate() {
        ranks[at as usize] = rank as u64;
    }
    ranks
}
