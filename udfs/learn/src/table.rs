//! A table of named columns as plain vectors: what training and scoring read.

use std::{cmp::Ordering, sync::Arc};

use crate::error::{Error, Result};

/// The code of a NULL category in [`Values::Category`] and [`Values::Bag`].
pub const NULL: u32 = u32::MAX;
/// The code of a category that the dictionary does not hold.
pub const UNSEEN: u32 = u32::MAX - 1;

/// Named columns of equal length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The number of rows; every column has as many.
    pub rows: usize,
    /// Names and values, in the order of the relation.
    pub columns: Vec<(String, Values)>,
}

impl Table {
    /// The column of exactly this name.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, values)| values)
    }

    /// These rows, in this order.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        let columns = self.columns.iter().map(|(name, values)| (name.clone(), values.take(rows))).collect();
        Self { rows: rows.len(), columns }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// A category a row: codes into the dictionary, [`NULL`] or [`UNSEEN`].
    Category {
        /// One code a row.
        codes: Vec<u32>,
        /// What the codes stand for. A scorer that finds its own dictionary here (the same allocation) takes the codes
        /// as they are; any other dictionary is translated by value.
        dictionary: Arc<Dictionary>,
    },
    /// A number a row; NaN is a missing value. Infinities are refused by training and scoring.
    Number(Vec<f64>),
    /// Microseconds since 1970-01-01 UTC.
    Timestamp(Vec<Option<i64>>),
    /// A set of categories a row.
    Bag {
        /// `rows + 1` offsets into `codes`.
        offsets: Vec<u32>,
        /// Codes into the dictionary.
        codes: Vec<u32>,
        /// What the codes stand for, as for categories.
        dictionary: Arc<Dictionary>,
    },
    /// A vector of `width` numbers a row, row-major; a missing vector is all NaN.
    Vector {
        /// Numbers a row.
        width: usize,
        /// `rows` x `width`.
        values: Vec<f32>,
    },
    /// Free text, hashed into words and character n-grams.
    Text(Vec<Option<String>>),
}

impl Values {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Category { codes, .. } => codes.len(),
            Self::Number(values) => values.len(),
            Self::Timestamp(values) => values.len(),
            Self::Bag { offsets, .. } => offsets.len().saturating_sub(1),
            Self::Vector { width, values } => values.len().checked_div(*width).unwrap_or(0),
            Self::Text(values) => values.len(),
        }
    }

    /// What messages call this kind of column.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Category { .. } => "category",
            Self::Number(_) => "number",
            Self::Timestamp(_) => "timestamp",
            Self::Bag { .. } => "bag",
            Self::Vector { .. } => "vector",
            Self::Text(_) => "text",
        }
    }

    /// Whether the column is whole: `rows` long, its codes within its dictionary, its numbers finite or missing.
    pub(crate) fn check(&self, name: &str, rows: usize) -> Result<()> {
        let broken = |what: &str| Err(Error::Internal(format!("the column {name} {what}")));
        let infinite = || {
            let problem =
                format!("the column {name} holds an infinity; learning needs finite numbers, so filter or cap it");
            Err(Error::InvalidData(problem))
        };
        match self {
            Self::Bag { offsets, codes, .. }
                if offsets.last().is_some_and(|&last| last as usize != codes.len())
                    || offsets.windows(2).any(|pair| pair[0] > pair[1]) =>
            {
                return broken("has offsets that do not fit its codes");
            }
            Self::Vector { width: 0, .. } => {
                return Err(Error::InvalidData(format!("the column {name} holds vectors of no number; leave it out")));
            }
            Self::Vector { width, values } if values.len() % width != 0 => return broken("has a vector cut short"),
            _ => {}
        }
        if self.rows() != rows {
            return broken(&format!("has {} rows in a table of {rows}", self.rows()));
        }
        match self {
            Self::Category { codes, dictionary } | Self::Bag { codes, dictionary, .. } => {
                let length = dictionary.len();
                if codes.iter().any(|&code| code as usize >= length && code < UNSEEN) {
                    return broken("has a code that its dictionary does not hold");
                }
            }
            Self::Number(values) if values.iter().any(|value| value.is_infinite()) => return infinite(),
            Self::Vector { values, .. } if values.iter().any(|value| value.is_infinite()) => return infinite(),
            _ => {}
        }
        Ok(())
    }

    /// The column with one representation a value: one NaN, no negative zero, bags ascending without repetition or
    /// NULL.
    pub(crate) fn canonical(&self) -> Self {
        match self {
            Self::Number(values) => {
                Self::Number(values.iter().map(|&value| if value.is_nan() { f64::NAN } else { value + 0.0 }).collect())
            }
            Self::Vector { width, values } => {
                let values = values.iter().map(|&value| if value.is_nan() { f32::NAN } else { value + 0.0 }).collect();
                Self::Vector { width: *width, values }
            }
            Self::Bag { offsets, codes, dictionary } => {
                let mut kept = Vec::with_capacity(codes.len());
                let mut ends = vec![0];
                for pair in offsets.windows(2) {
                    let mut row = codes[pair[0] as usize..pair[1] as usize].to_vec();
                    row.sort_unstable();
                    row.dedup();
                    kept.extend(row.into_iter().filter(|&code| code != NULL));
                    ends.push(kept.len() as u32);
                }
                Self::Bag { offsets: ends, codes: kept, dictionary: dictionary.clone() }
            }
            other => other.clone(),
        }
    }

    /// These rows, in this order.
    pub(crate) fn take(&self, rows: &[u32]) -> Self {
        fn pick<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize].clone()).collect()
        }
        match self {
            Self::Category { codes, dictionary } => {
                Self::Category { codes: pick(codes, rows), dictionary: dictionary.clone() }
            }
            Self::Number(values) => Self::Number(pick(values, rows)),
            Self::Timestamp(values) => Self::Timestamp(pick(values, rows)),
            Self::Text(values) => Self::Text(pick(values, rows)),
            Self::Vector { width, values } => {
                let slices = rows.iter().map(|&row| &values[row as usize * width..][..*width]);
                Self::Vector { width: *width, values: slices.flatten().copied().collect() }
            }
            Self::Bag { offsets, codes, dictionary } => {
                let mut kept = Vec::new();
                let mut ends = vec![0];
                for &row in rows {
                    kept.extend_from_slice(bag(offsets, codes, row as usize));
                    ends.push(kept.len() as u32);
                }
                Self::Bag { offsets: ends, codes: kept, dictionary: dictionary.clone() }
            }
        }
    }

    /// The order of two rows of a canonical column by value; missing values have a place of their own.
    pub(crate) fn compare(&self, left: usize, right: usize) -> Ordering {
        match self {
            Self::Category { codes, .. } => codes[left].cmp(&codes[right]),
            Self::Number(values) => values[left].total_cmp(&values[right]),
            Self::Timestamp(values) => values[left].cmp(&values[right]),
            Self::Text(values) => values[left].cmp(&values[right]),
            Self::Bag { offsets, codes, .. } => bag(offsets, codes, left).cmp(bag(offsets, codes, right)),
            Self::Vector { width, values } => {
                let row = |at: usize| &values[at * width..][..*width];
                let pairs = row(left).iter().zip(row(right));
                pairs.fold(Ordering::Equal, |order, (left, right)| order.then_with(|| left.total_cmp(right)))
            }
        }
    }
}

/// The codes of one row of a bag.
pub(crate) fn bag<'a, T>(offsets: &[u32], codes: &'a [T], row: usize) -> &'a [T] {
    &codes[offsets[row] as usize..offsets[row + 1] as usize]
}

/// The distinct values of a category, ascending and unique; the position is the code.
#[derive(Debug, Clone, PartialEq)]
pub enum Dictionary {
    /// Text, in byte order.
    Text(Vec<String>),
    /// Integers.
    Integer(Vec<i64>),
    /// `false` is 0 and `true` is 1.
    Boolean,
}

impl Dictionary {
    /// The number of codes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Boolean => 2,
        }
    }

    /// Whether there is no code.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code of a text, if the dictionary holds text and this one.
    pub fn code_of_text(&self, value: &str) -> Option<u32> {
        let Self::Text(values) = self else { return None };
        values.binary_search_by(|probe| probe.as_str().cmp(value)).ok().map(|code| code as u32)
    }

    /// The code of an integer, if the dictionary holds integers and this one.
    pub fn code_of_integer(&self, value: i64) -> Option<u32> {
        let Self::Integer(values) = self else { return None };
        values.binary_search_by(|probe| -> Ordering { probe.cmp(&value) }).ok().map(|code| code as u32)
    }

    /// What a code stands for, as text for messages; NULL and unseen codes say so.
    pub fn label(&self, code: u32) -> String {
        match self {
            Self::Text(values) => values.get(code as usize).cloned(),
            Self::Integer(values) => values.get(code as usize).map(i64::to_string),
            Self::Boolean => (code < 2).then(|| (code == 1).to_string()),
        }
        .unwrap_or_else(|| if code == NULL { "NULL".into() } else { "a value not seen in training".into() })
    }

    /// What messages call the type of the values.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "integer",
            Self::Boolean => "boolean",
        }
    }

    /// Whether the values ascend without repetition, as every lookup and every result relies on.
    pub(crate) fn is_sorted(&self) -> bool {
        match self {
            Self::Text(values) => values.windows(2).all(|pair| pair[0] < pair[1]),
            Self::Integer(values) => values.windows(2).all(|pair| pair[0] < pair[1]),
            Self::Boolean => true,
        }
    }

    /// A dictionary of these codes alone, which must ascend; booleans stay whole.
    pub(crate) fn subset(&self, codes: &[u32]) -> Self {
        match self {
            Self::Text(values) => {
                Self::Text(codes.iter().filter_map(|&code| values.get(code as usize).cloned()).collect())
            }
            Self::Integer(values) => {
                Self::Integer(codes.iter().filter_map(|&code| values.get(code as usize).copied()).collect())
            }
            Self::Boolean => Self::Boolean,
        }
    }

    /// For every code of this dictionary, the code of the same value in `other`, or [`UNSEEN`]. Both ascend, so that
    /// one pass over each suffices. `None` if the two hold values of different types.
    pub(crate) fn codes_in(&self, other: &Self) -> Option<Vec<u32>> {
        match (self, other) {
            (Self::Text(from), Self::Text(to)) => Some(merged_codes(from, to)),
            (Self::Integer(from), Self::Integer(to)) => Some(merged_codes(from, to)),
            (Self::Boolean, Self::Boolean) => Some(vec![0, 1]),
            _ => None,
        }
    }
}

fn merged_codes<T: Ord>(from: &[T], to: &[T]) -> Vec<u32> {
    let mut next = 0;
    from.iter()
        .map(|value| {
            while next < to.len() && to[next] < *value {
                next += 1;
            }
            if next < to.len() && to[next] == *value { next as u32 } else { UNSEEN }
        })
        .collect()
}
