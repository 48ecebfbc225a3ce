//! How the values of a column become features: fitted on training rows alone, then applied to any row.

use std::{borrow::Cow, sync::Arc};

use crate::{
    calendar::calendar,
    error::{Error, Result},
    hash,
    table::{Dictionary, NULL, UNSEEN, Values, bag},
};

/// The most knots of a number.
pub const MOST_KNOTS: usize = 16;
/// The features of a free text.
pub const TEXT_BUCKETS: u32 = 1 << 14;

/// How one column becomes features.
#[derive(Debug, Clone, PartialEq)]
pub enum Encoding {
    /// One feature a category, and one for NULL if training had any.
    Category {
        /// The categories of training.
        dictionary: Arc<Dictionary>,
        /// Whether NULL has a feature.
        null: bool,
    },
    /// The standardised number; with three knots or more a hat function around each, so that any piecewise linear
    /// function of the number is a sum of features; and whether the number is missing.
    Number {
        /// What stands in for a missing number.
        mean: f64,
        /// The standard deviation; zero for a constant.
        deviation: f64,
        /// Distinct quantiles of training, ascending, the extremes included; numbers outside are clamped to them.
        knots: Vec<f64>,
        /// Whether a missing number has a feature.
        null: bool,
    },
    /// The month, the weekday, the hour, and a trend. A missing time has no feature but its own.
    Timestamp {
        /// The mean in microseconds since 1970-01-01 UTC.
        mean: f64,
        /// The standard deviation in microseconds; zero for a constant.
        deviation: f64,
        /// The range of training, which the trend is clamped to.
        range: (i64, i64),
        /// Whether hours have features: not if training had only midnights.
        hours: bool,
        /// Whether NULL has a feature.
        null: bool,
    },
    /// One feature a category, each one over the root of the row's number of categories.
    Bag {
        /// The categories of training.
        dictionary: Arc<Dictionary>,
    },
    /// Each number standardised; a missing one is its mean.
    Vector {
        /// A mean a number.
        means: Vec<f32>,
        /// A standard deviation a number; zero for a constant.
        deviations: Vec<f32>,
        /// Whether a missing vector has a feature.
        null: bool,
    },
    /// Hashed words and character trigrams of the lower-case text, of unit length together.
    Text {
        /// How many features there are.
        buckets: u32,
    },
}

impl Encoding {
    /// What the codes of a category or a bag stand for.
    pub fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        match self {
            Self::Category { dictionary, .. } | Self::Bag { dictionary } => Some(dictionary),
            _ => None,
        }
    }

    /// What messages call the columns it takes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Category { .. } => "category",
            Self::Number { .. } => "number",
            Self::Timestamp { .. } => "timestamp",
            Self::Bag { .. } => "bag",
            Self::Vector { .. } => "vector",
            Self::Text { .. } => "text",
        }
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        match self {
            Self::Category { dictionary, null } => dictionary.len() + usize::from(*null),
            Self::Number { knots, null, .. } => 1 + hats(knots) + usize::from(*null),
            Self::Timestamp { hours, null, .. } => 20 + 24 * usize::from(*hours) + usize::from(*null),
            Self::Bag { dictionary } => dictionary.len(),
            Self::Vector { means, null, .. } => means.len() + usize::from(*null),
            Self::Text { buckets } => *buckets as usize,
        }
    }

    /// The encoding of a column, from these rows of it.
    pub(crate) fn fit(values: &Values, rows: &[u32]) -> Self {
        match values {
            Values::Category { codes, dictionary } => {
                let own: Vec<u32> = rows.iter().map(|&row| codes[row as usize]).collect();
                Self::Category { dictionary: used(&own, dictionary), null: own.contains(&NULL) }
            }
            Values::Number(numbers) => fit_number(rows.iter().map(|&row| numbers[row as usize])),
            Values::Timestamp(times) => fit_timestamp(rows.iter().map(|&row| times[row as usize])),
            Values::Bag { offsets, codes, dictionary } => {
                let own: Vec<u32> = rows.iter().flat_map(|&row| bag(offsets, codes, row as usize)).copied().collect();
                Self::Bag { dictionary: used(&own, dictionary) }
            }
            Values::Vector { width, values } => fit_vector(*width, values, rows),
            Values::Text(_) => Self::Text { buckets: TEXT_BUCKETS },
        }
    }

    /// Pairs the encoding with a column's values, whose features start at `first`.
    pub(crate) fn bind<'a>(&'a self, name: &str, values: &'a Values, first: usize) -> Result<Bound<'a>> {
        let refuse = |found: &str, expected: &str| {
            Err(Error::InvalidData(format!("the column {name} holds {found}; the model was trained on {expected}")))
        };
        let translated = match (self, values) {
            (
                Self::Category { dictionary: own, .. } | Self::Bag { dictionary: own },
                Values::Category { codes, dictionary } | Values::Bag { codes, dictionary, .. },
            ) if self.kind() == values.kind() => {
                if Arc::ptr_eq(own, dictionary) {
                    codes.as_slice().into()
                } else {
                    let Some(map) = dictionary.codes_in(own) else {
                        return refuse(
                            &format!("{} categories", dictionary.kind()),
                            &format!("{} categories", own.kind()),
                        );
                    };
                    let code = |&code: &u32| {
                        if code == NULL { NULL } else { map.get(code as usize).copied().unwrap_or(UNSEEN) }
                    };
                    Cow::Owned(codes.iter().map(code).collect())
                }
            }
            (Self::Vector { means, .. }, Values::Vector { width, .. }) if *width != means.len() => {
                return refuse(&format!("vectors of {width} numbers"), &format!("vectors of {}", means.len()));
            }
            _ if self.kind() == values.kind() => Cow::Borrowed(&[][..]),
            _ => return refuse(&format!("values of kind {}", values.kind()), &format!("kind {}", self.kind())),
        };
        Ok(Bound { encoding: self, values, codes: translated, first: first as u32 })
    }
}

/// An encoding and the values it applies to.
#[derive(Debug)]
pub(crate) struct Bound<'a> {
    encoding: &'a Encoding,
    values: &'a Values,
    /// The codes of a category or a bag in the encoding's dictionary.
    pub(crate) codes: Cow<'a, [u32]>,
    first: u32,
}

impl Bound<'_> {
    /// Appends the features of a row to those of one matrix row, indices ascending.
    pub(crate) fn push(&self, row: usize, out: &mut Features) {
        match (self.encoding, self.values) {
            (Encoding::Category { dictionary, null }, _) => {
                let length = dictionary.len() as u32;
                match self.codes[row] {
                    code if code < length => out.add(self.first + code, 1.0),
                    NULL if *null => out.add(self.first + length, 1.0),
                    _ => {}
                }
            }
            (Encoding::Number { mean, deviation, knots, null }, Values::Number(numbers)) => {
                let number = numbers[row];
                push_number(if number.is_nan() { *mean } else { number }, (*mean, *deviation), knots, self.first, out);
                if number.is_nan() && *null {
                    out.add(self.first + 1 + hats(knots) as u32, 1.0);
                }
            }
            (Encoding::Timestamp { mean, deviation, range, hours, null }, Values::Timestamp(times)) => match times[row]
            {
                Some(time) => {
                    let parts = calendar(time);
                    out.add(self.first + parts.month, 1.0);
                    out.add(self.first + 12 + parts.weekday, 1.0);
                    out.add(self.first + 19, standard(time.clamp(range.0, range.1) as f64, *mean, *deviation));
                    if *hours {
                        out.add(self.first + 20 + parts.hour, 1.0);
                    }
                }
                None if *null => out.add(self.first + self.encoding.width() as u32 - 1, 1.0),
                None => {}
            },
            (Encoding::Bag { dictionary }, Values::Bag { offsets, .. }) => {
                self.push_bag(bag(offsets, &self.codes, row), dictionary.len() as u32, out);
            }
            (Encoding::Vector { means, deviations, null }, Values::Vector { width, values }) => {
                let row = &values[row * width..][..*width];
                for (at, &number) in row.iter().enumerate() {
                    if !number.is_nan() {
                        let scaled = standard(f64::from(number), f64::from(means[at]), f64::from(deviations[at]));
                        out.add(self.first + at as u32, scaled);
                    }
                }
                if *null && row.iter().all(|number| number.is_nan()) {
                    out.add(self.first + *width as u32, 1.0);
                }
            }
            (Encoding::Text { buckets }, Values::Text(texts)) => {
                if let Some(text) = &texts[row] {
                    push_text(text, *buckets, self.first, out);
                }
            }
            _ => {}
        }
    }

    fn push_bag(&self, codes: &[u32], length: u32, out: &mut Features) {
        let mut codes: Vec<u32> = codes.iter().copied().filter(|&code| code != NULL).collect();
        codes.sort_unstable();
        // Members that training had not seen stay in the length: each weighs its share of the row.
        let unseen = codes.iter().filter(|&&code| code >= length).count();
        codes.retain(|&code| code < length);
        codes.dedup();
        let share = 1.0 / ((codes.len() + unseen) as f32).sqrt();
        codes.iter().for_each(|&code| out.add(self.first + code, share));
    }

    /// How many categories of a row training had not seen.
    pub(crate) fn unseen(&self, row: usize) -> u32 {
        match (self.encoding, self.values) {
            (Encoding::Category { dictionary, null }, _) => {
                let code = self.codes[row];
                u32::from(if code == NULL { !null } else { code as usize >= dictionary.len() })
            }
            (Encoding::Bag { dictionary }, Values::Bag { offsets, .. }) => {
                let codes = bag(offsets, &self.codes, row);
                codes.iter().filter(|&&code| code != NULL && code as usize >= dictionary.len()).count() as u32
            }
            _ => 0,
        }
    }
}

/// The features of a row being gathered.
#[derive(Debug, Default)]
pub(crate) struct Features {
    pub(crate) indices: Vec<u32>,
    pub(crate) values: Vec<f32>,
}

impl Features {
    /// Appends a feature; zeros are left out.
    pub(crate) fn add(&mut self, index: u32, value: f32) {
        if value != 0.0 {
            self.indices.push(index);
            self.values.push(value);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.indices.clear();
        self.values.clear();
    }
}

/// The dictionary of the codes that occur.
pub(crate) fn used(codes: &[u32], dictionary: &Arc<Dictionary>) -> Arc<Dictionary> {
    let mut occurs = vec![false; dictionary.len()];
    for &code in codes {
        if let Some(flag) = occurs.get_mut(code as usize) {
            *flag = true;
        }
    }
    let kept: Vec<u32> = (0..occurs.len() as u32).filter(|&code| occurs[code as usize]).collect();
    if kept.len() == occurs.len() { dictionary.clone() } else { Arc::new(dictionary.subset(&kept)) }
}

fn hats(knots: &[f64]) -> usize {
    if knots.len() < 3 { 0 } else { knots.len() }
}

/// The distance from the mean in standard deviations; zero for a constant.
fn standard(value: f64, mean: f64, deviation: f64) -> f32 {
    let standard = ((value - mean) / deviation) as f32;
    if standard.is_finite() { standard } else { 0.0 }
}

fn push_number(number: f64, (mean, deviation): (f64, f64), knots: &[f64], first: u32, out: &mut Features) {
    let (Some(&least), Some(&greatest)) = (knots.first(), knots.last()) else { return };
    let number = number.clamp(least, greatest);
    out.add(first, standard(number, mean, deviation));
    if hats(knots) == 0 {
        return;
    }
    let above = knots.partition_point(|&knot| knot <= number).clamp(1, knots.len() - 1);
    let (left, right) = (knots[above - 1], knots[above]);
    // Halves first: the difference of two finite numbers may be infinite.
    let along = ((number / 2.0 - left / 2.0) / (right / 2.0 - left / 2.0)) as f32;
    out.add(first + above as u32, 1.0 - along);
    out.add(first + above as u32 + 1, along);
}

fn push_text(text: &str, buckets: u32, first: u32, out: &mut Features) {
    let text = text.to_lowercase();
    let mut found: Vec<u32> = Vec::new();
    let bucket =
        |kind: u64, part: &str| (hash::combine(kind, hash::bytes(part.as_bytes())) % u64::from(buckets.max(1))) as u32;
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        found.push(bucket(1, word));
        let padded: Vec<char> = std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' ')).collect();
        found.extend(padded.windows(3).map(|gram| bucket(2, &gram.iter().collect::<String>())));
    }
    found.sort_unstable();
    let runs: Vec<(u32, f32)> =
        found.chunk_by(|left, right| left == right).map(|run| (run[0], run.len() as f32)).collect();
    let length = runs.iter().map(|(_, count)| count * count).sum::<f32>().sqrt();
    runs.into_iter().for_each(|(index, count)| out.add(first + index, count / length));
}

fn fit_number(numbers: impl Iterator<Item = f64> + Clone) -> Encoding {
    let mut sorted: Vec<f64> = numbers.clone().filter(|number| !number.is_nan()).collect();
    let null = numbers.clone().any(f64::is_nan);
    sorted.sort_unstable_by(f64::total_cmp);
    let (mean, deviation) = moments(&sorted);
    let knots = if sorted.is_empty() { vec![0.0] } else { knots(&sorted) };
    Encoding::Number { mean, deviation, knots, null }
}

/// The mean and the standard deviation; summed in shares, so that large numbers do not overflow.
fn moments(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    if values.iter().all(|value| *value == values[0]) {
        return (values[0], 0.0);
    }
    let count = values.len() as f64;
    let mean: f64 = values.iter().map(|value| value / count).sum();
    let variance: f64 = values.iter().map(|value| (value - mean) * ((value - mean) / count)).sum();
    let deviation = if variance.is_finite() { variance.sqrt() } else { f64::MAX };
    (mean, deviation)
}

/// Where the number may bend: the extremes, every value that fills a share of one knot by itself, and quantiles of
/// the other values.
fn knots(sorted: &[f64]) -> Vec<f64> {
    let runs: Vec<&[f64]> = sorted.chunk_by(|left, right| left == right).collect();
    if runs.len() <= MOST_KNOTS {
        return runs.iter().map(|run| run[0]).collect();
    }
    let heavy = |run: &&&[f64]| run.len() * MOST_KNOTS >= sorted.len();
    let mut knots: Vec<f64> = runs.iter().filter(heavy).map(|run| run[0]).collect();
    let others: Vec<f64> = runs.iter().filter(|run| !heavy(run)).flat_map(|run| run.iter().copied()).collect();
    let extremes = [sorted[0], sorted[sorted.len() - 1]];
    let room = MOST_KNOTS.saturating_sub(knots.len()).max(2);
    if !others.is_empty() {
        knots.extend((0..room).map(|at| others[at * (others.len() - 1) / (room - 1)]));
    }
    knots.extend(extremes);
    knots.sort_unstable_by(f64::total_cmp);
    knots.dedup();
    while knots.len() > MOST_KNOTS {
        // Only extremes can be one too many; the knot next to the last gives way.
        knots.remove(knots.len() - 2);
    }
    knots
}

fn fit_timestamp(times: impl Iterator<Item = Option<i64>> + Clone) -> Encoding {
    let known: Vec<f64> = {
        let mut known: Vec<i64> = times.clone().flatten().collect();
        known.sort_unstable();
        known.iter().map(|&time| time as f64).collect()
    };
    let (mean, deviation) = moments(&known);
    let least = times.clone().flatten().min().unwrap_or(0);
    let greatest = times.clone().flatten().max().unwrap_or(0);
    let hours = times.clone().flatten().any(|time| time.rem_euclid(86_400_000_000) != 0);
    Encoding::Timestamp {
        mean,
        deviation,
        range: (least, greatest),
        hours,
        null: times.clone().any(|time| time.is_none()),
    }
}

fn fit_vector(width: usize, values: &[f32], rows: &[u32]) -> Encoding {
    let number = |row: u32, at: usize| values[row as usize * width + at];
    let missing = |row: u32| (0..width).all(|at| number(row, at).is_nan());
    let columns = (0..width).map(|at| {
        let known: Vec<f64> =
            rows.iter().map(|&row| f64::from(number(row, at))).filter(|value| !value.is_nan()).collect();
        moments(&known)
    });
    let (means, deviations) = columns.map(|(mean, deviation)| (mean as f32, deviation as f32)).unzip();
    Encoding::Vector { means, deviations, null: rows.iter().any(|&row| missing(row)) }
}
