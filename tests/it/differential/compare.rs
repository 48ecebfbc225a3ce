//! Whether two answers are the same: rows as multisets, numbers as numbers, and an order only where the query fixes it.

use std::cmp::Ordering;

use super::{
    answer::{Rows, is_number},
    tree::{Kind, Query},
};

/// What is other than in the oracle's answer; None when nothing is.
pub(crate) fn difference(query: &Query, ours: &Rows, theirs: &Rows) -> Option<String> {
    let kinds = query.kinds();
    if ours.len() != theirs.len() {
        return Some(format!("{} rows instead of {}", ours.len(), theirs.len()));
    }
    if let (Some(own), Some(other)) = (ours.first(), theirs.first())
        && own.len() != other.len()
    {
        return Some(format!("{} columns instead of {}", own.len(), other.len()));
    }
    let kind = |column: usize| kinds.get(column).copied().unwrap_or(Kind::Text);
    let same = |own: &[Option<String>], other: &[Option<String>]| {
        own.iter().zip(other).enumerate().all(|(column, (own, other))| is_same(kind(column), own, other))
    };
    for (number, (own, other)) in ours.iter().zip(theirs).enumerate() {
        let fixed = query.order.iter().find(|(column, _)| !is_same(kind(*column), &own[*column], &other[*column]));
        if let Some((column, _)) = fixed {
            return Some(format!("row {} is out of order by column {}", number + 1, column + 1));
        }
    }
    let sorted = |rows: &Rows| {
        let mut sorted: Vec<&Vec<Option<String>>> = rows.iter().collect();
        sorted.sort_by(|left, right| in_order(&kinds, left, right));
        sorted.into_iter().cloned().collect::<Vec<_>>()
    };
    let (own_sorted, mut left) = (sorted(ours), sorted(theirs));
    if own_sorted.iter().zip(&left).all(|(own, other)| same(own, other)) {
        return None;
    }
    // Numbers that are nearly the same may be sorted the other way round.
    for own in &own_sorted {
        match left.iter().position(|other| same(own, other)) {
            Some(found) => drop(left.swap_remove(found)),
            None => return Some("other values".to_owned()),
        }
    }
    None
}

fn in_order(kinds: &[Kind], left: &[Option<String>], right: &[Option<String>]) -> Ordering {
    for (column, (left, right)) in left.iter().zip(right).enumerate() {
        let kind = kinds.get(column).copied().unwrap_or(Kind::Text);
        let order = match (left, right) {
            (Some(left), Some(right)) if is_number(kind) => number(left).total_cmp(&number(right)),
            _ => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

fn is_same(kind: Kind, own: &Option<String>, other: &Option<String>) -> bool {
    let (Some(own), Some(other)) = (own, other) else { return own == other };
    if own == other {
        return true;
    }
    if !is_number(kind) {
        return false;
    }
    if let (Ok(own), Ok(other)) = (own.parse::<i128>(), other.parse::<i128>()) {
        return own == other;
    }
    let (Ok(own), Ok(other)) = (own.parse::<f64>(), other.parse::<f64>()) else { return false };
    // An average of whole numbers is a decimal there and a double here.
    let is_near = || (own - other).abs() <= 1e-12 * own.abs().max(other.abs()).max(1.0);
    own == other || own.is_nan() && other.is_nan() || own.is_finite() && other.is_finite() && is_near()
}
