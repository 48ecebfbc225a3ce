//! From raw columns to rows in canonical order: checked, without NULL targets and keys, sorted by their values.
//!
//! Sorting by value is what makes a model independent of the order in which rows arrive. Nothing here knows solvers.

use std::{cmp::Ordering, sync::Arc};

use crate::{
    error::{Error, Result},
    options::{Objective, Split, ValidOptions, invalid},
    table::{Dictionary, NULL, Table, Values},
    target::{self, ReadTarget},
};

/// The user's or the item's column.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) name: String,
    pub(crate) codes: Vec<u32>,
    pub(crate) dictionary: Arc<Dictionary>,
}

/// Rows in canonical order: by user, item, time, the other columns by name, target and weight.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) rows: usize,
    pub(crate) user: Option<Keys>,
    pub(crate) item: Option<Keys>,
    /// When each row happened, as a number that only orders; empty without a time column.
    pub(crate) time: Vec<Option<i64>>,
    /// Every column that is neither key, time, target, weight nor a given split, by name.
    pub(crate) features: Vec<(String, Values)>,
    /// The column of a given split.
    pub(crate) given_split: Option<Values>,
    /// What is predicted; none for implicit.
    pub(crate) target: Option<ReadTarget>,
    /// A weight a row, above zero; implicit: a strength a row, of any sign.
    pub(crate) weight: Vec<f64>,
    pub(crate) objective: Objective,
    pub(crate) counts: Counts,
    pub(crate) notices: Vec<String>,
}

/// What became of the rows read.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) null_target: u64,
    pub(crate) null_key: u64,
    pub(crate) weight: u64,
}

impl Prepared {
    pub(crate) fn new(table: &Table, options: &ValidOptions) -> Result<Self> {
        check_table(table)?;
        if table.rows == 0 {
            return Err(Error::InvalidData("the input has no rows; training needs some".into()));
        }
        let mut notices = Vec::new();
        let target = options
            .target
            .as_ref()
            .map(|name| target::read(find(table, "target", name)?, name, options))
            .transpose()?;
        let objective = target.as_ref().map_or(Objective::Implicit, |target| target.objective);
        options.check_hyperparameters(objective)?;
        notices.extend(target.iter().filter_map(|target| target.notice.clone()));
        let user = options.user.as_ref().map(|name| keys(table, "user", name)).transpose()?;
        let item = options.item.as_ref().map(|name| keys(table, "item", name)).transpose()?;
        let time =
            options.time.as_ref().map(|name| times(find(table, "time", name)?, name)).transpose()?.unwrap_or_default();
        let weight = weights(table, options)?;
        let given = match &options.split {
            Split::Column(name) => Some(find(table, "split", name)?.clone()),
            Split::Group(name) => find(table, "split", name).map(|_| None)?,
            _ => None,
        };
        let mut all = Self {
            rows: table.rows,
            user,
            item,
            time,
            features: features(table, options)?,
            given_split: given,
            target,
            weight,
            objective,
            counts: Counts { read: table.rows as u64, ..Counts::default() },
            notices,
        };
        if all.features.is_empty() && all.user.is_none() && all.item.is_none() {
            return Err(Error::InvalidData(
                "the input has no feature: every column is the target, time, weight or split; \
                                           select at least one more column"
                    .into(),
            ));
        }
        let mut order = all.kept_rows()?;
        all.sort(&mut order);
        let sorted = all.taken(&order);
        if options.strength.is_some() { sorted.without_weak_pairs() } else { Ok(sorted) }
    }

    /// Counts and leaves out the pairs whose strengths do not sum to more than zero.
    fn without_weak_pairs(mut self) -> Result<Self> {
        let (Some(user), Some(item)) = (&self.user, &self.item) else { return Ok(self) };
        let pair = |row: usize| (user.codes[row], item.codes[row]);
        let mut kept: Vec<u32> = Vec::with_capacity(self.rows);
        let mut start = 0;
        for row in 1..=self.rows {
            if row == self.rows || pair(row) != pair(start) {
                if self.weight[start..row].iter().sum::<f64>() > 0.0 {
                    kept.extend(start as u32..row as u32);
                }
                start = row;
            }
        }
        if kept.is_empty() {
            let problem =
                "no pair of user and item has a strength that sums to more than zero; nothing is left to learn from";
            return Err(Error::InvalidData(problem.into()));
        }
        self.counts.weight = (self.rows - kept.len()) as u64;
        Ok(if kept.len() == self.rows { self } else { self.taken(&kept) })
    }

    /// Counts and leaves out rows without a key, a target or a weight.
    fn kept_rows(&mut self) -> Result<Vec<u32>> {
        let rows = u32::try_from(self.rows).ok().filter(|&rows| rows < u32::MAX - 1).ok_or_else(|| {
            Error::LimitExceeded(format!(
                "the input has {} rows; at most {} can be learnt from",
                self.rows,
                u32::MAX - 2
            ))
        })?;
        let mut kept = Vec::with_capacity(self.rows);
        for row in 0..rows {
            let at = row as usize;
            let null_key = [&self.user, &self.item].into_iter().flatten().any(|keys| keys.codes[at] == NULL);
            if self.target.as_ref().is_some_and(|target| target.values[at].is_nan()) {
                self.counts.null_target += 1;
            } else if null_key {
                self.counts.null_key += 1;
            } else if self.target.is_some() && self.weight[at] == 0.0 {
                self.counts.weight += 1;
            } else {
                kept.push(row);
            }
        }
        if !kept.is_empty() {
            return Ok(kept);
        }
        let target = self.target.as_ref().map_or("", |target| target.name.as_str());
        Err(Error::InvalidData(if self.counts.null_target == self.counts.read {
            format!("every value of the target {target} is NULL; training needs rows with a target")
        } else {
            format!(
                "no row is left of {}: {} have a NULL target, {} a NULL user or item, {} a weight of zero",
                self.counts.read, self.counts.null_target, self.counts.null_key, self.counts.weight
            )
        }))
    }

    fn sort(&self, order: &mut [u32]) {
        let key = |keys: &Option<Keys>, row: u32| keys.as_ref().map_or(0, |keys| keys.codes[row as usize]);
        order.sort_unstable_by(|&left, &right| {
            let keys = |row| (key(&self.user, row), key(&self.item, row));
            keys(left).cmp(&keys(right)).then_with(|| self.compare(left as usize, right as usize))
        });
    }

    /// The order of two rows by everything but their keys.
    fn compare(&self, left: usize, right: usize) -> Ordering {
        self.compare_features(left, right).then_with(|| self.compare_outcomes(left, right))
    }

    fn compare_features(&self, left: usize, right: usize) -> Ordering {
        let time = if self.time.is_empty() { Ordering::Equal } else { self.time[left].cmp(&self.time[right]) };
        let columns = self.features.iter().map(|(_, values)| values).chain(&self.given_split);
        columns.fold(time, |order, values| order.then_with(|| values.compare(left, right)))
    }

    fn compare_outcomes(&self, left: usize, right: usize) -> Ordering {
        let target = self.target.as_ref().map(|target| target.values[left].total_cmp(&target.values[right]));
        target.unwrap_or(Ordering::Equal).then_with(|| self.weight[left].total_cmp(&self.weight[right]))
    }

    /// Whether two rows hold the same values in all columns but target and weight.
    pub(crate) fn alike(&self, left: usize, right: usize) -> bool {
        let keys = [&self.user, &self.item].into_iter().flatten().all(|keys| keys.codes[left] == keys.codes[right]);
        keys && self.compare_features(left, right) == Ordering::Equal
    }

    /// Whether two rows hold the same target and weight.
    pub(crate) fn same_outcome(&self, left: usize, right: usize) -> bool {
        self.compare_outcomes(left, right) == Ordering::Equal
    }

    /// Whether two rows hold the same values throughout.
    pub(crate) fn same(&self, left: usize, right: usize) -> bool {
        self.alike(left, right) && self.same_outcome(left, right)
    }

    fn taken(self, order: &[u32]) -> Self {
        let pick = |codes: &[u32]| order.iter().map(|&row| codes[row as usize]).collect();
        let keys = |keys: Option<Keys>| keys.map(|keys| Keys { codes: pick(&keys.codes), ..keys });
        let numbers = |values: &[f64]| -> Vec<f64> { order.iter().map(|&row| values[row as usize]).collect() };
        let time =
            if self.time.is_empty() { Vec::new() } else { order.iter().map(|&row| self.time[row as usize]).collect() };
        Self {
            rows: order.len(),
            user: keys(self.user),
            item: keys(self.item),
            time,
            features: self.features.into_iter().map(|(name, values)| (name, values.take(order))).collect(),
            given_split: self.given_split.map(|values| values.take(order)),
            target: self.target.map(|target| ReadTarget { values: numbers(&target.values), ..target }),
            weight: numbers(&self.weight),
            ..self
        }
    }

    /// These rows as a batch that models score.
    pub(crate) fn batch(&self, rows: &[u32]) -> Table {
        let keys = [&self.user, &self.item].into_iter().flatten().map(|keys| {
            let codes = rows.iter().map(|&row| keys.codes[row as usize]).collect();
            (keys.name.clone(), Values::Category { codes, dictionary: keys.dictionary.clone() })
        });
        let features = self.features.iter().map(|(name, values)| (name.clone(), values.take(rows)));
        Table { rows: rows.len(), columns: keys.chain(features).collect() }
    }
}

/// Refuses columns that are broken or hold an infinity.
pub(crate) fn check_table(table: &Table) -> Result<()> {
    for (position, (name, values)) in table.columns.iter().enumerate() {
        if table.columns[..position].iter().any(|(other, _)| other == name) {
            return Err(Error::InvalidData(format!(
                "the input has two columns named {name}; give one of them another name"
            )));
        }
        values.check(name, table.rows)?;
        if let Values::Category { dictionary, .. } | Values::Bag { dictionary, .. } = values
            && !dictionary.is_sorted()
        {
            return Err(Error::Internal(format!("the dictionary of the column {name} does not ascend")));
        }
    }
    Ok(())
}

fn find<'a>(table: &'a Table, role: &str, name: &str) -> Result<&'a Values> {
    table.column(name).ok_or_else(|| {
        let names: Vec<_> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        invalid(role, format!("the input has no column {name}; it has {}", names.join(", ")))
    })
}

fn keys(table: &Table, role: &str, name: &str) -> Result<Keys> {
    match find(table, role, name)? {
        Values::Category { dictionary, .. } if matches!(dictionary.as_ref(), Dictionary::Boolean) => {
            Err(invalid(role, format!("the column {name} is boolean; expected text or integers")))
        }
        Values::Category { codes, dictionary } => {
            Ok(Keys { name: name.into(), codes: codes.clone(), dictionary: dictionary.clone() })
        }
        other => Err(invalid(role, format!("the column {name} is a {}; expected text or integers", other.kind()))),
    }
}

/// Times as integers in the same order; a number's bits are turned so that they sort as the number does.
fn times(values: &Values, name: &str) -> Result<Vec<Option<i64>>> {
    match values {
        Values::Timestamp(times) => Ok(times.clone()),
        Values::Number(numbers) => Ok(numbers.iter().map(|&number| sortable(number)).collect()),
        Values::Category { codes, dictionary } => match dictionary.as_ref() {
            Dictionary::Integer(integers) => {
                Ok(codes.iter().map(|&code| integers.get(code as usize).copied()).collect())
            }
            _ => Err(not_time(values, name)),
        },
        _ => Err(not_time(values, name)),
    }
}

fn sortable(number: f64) -> Option<i64> {
    if number.is_nan() {
        return None;
    }
    let bits = (number + 0.0).to_bits() as i64;
    Some(bits ^ (((bits >> 63) as u64) >> 1) as i64)
}

fn not_time(values: &Values, name: &str) -> Error {
    invalid("time", format!("the column {name} is a {}; expected a timestamp, a date or a number", values.kind()))
}

/// A number a row: the weight, the strength, or one.
fn weights(table: &Table, options: &ValidOptions) -> Result<Vec<f64>> {
    let (role, name) = match (&options.weight, &options.strength) {
        (Some(name), _) => ("weight", name),
        (None, Some(name)) => ("strength", name),
        (None, None) => return Ok(vec![1.0; table.rows]),
    };
    let values = find(table, role, name)?;
    let Values::Number(numbers) = values else {
        return Err(invalid(role, format!("the column {name} is a {}; expected a number", values.kind())));
    };
    if role == "strength" {
        return Ok(numbers.iter().map(|&number| if number.is_nan() { 0.0 } else { number + 0.0 }).collect());
    }
    match numbers.iter().find(|number| number.is_nan() || **number < 0.0) {
        Some(number) if number.is_nan() => {
            Err(Error::InvalidData(format!("the weight {name} is NULL in some rows; give every row a weight")))
        }
        Some(number) => {
            Err(Error::InvalidData(format!("the weight {name} is {number} in some row; weights are not negative")))
        }
        None => Ok(numbers.iter().map(|&number| number + 0.0).collect()),
    }
}

/// The columns without another part to play, by name, in canonical form.
fn features(table: &Table, options: &ValidOptions) -> Result<Vec<(String, Values)>> {
    let mut taken: Vec<&str> =
        [&options.target, &options.user, &options.item, &options.time, &options.weight, &options.strength]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
    if let Split::Column(name) = &options.split {
        taken.push(name);
    }
    for (list, names) in [("user_columns", &options.user_columns), ("item_columns", &options.item_columns)] {
        for name in names {
            find(table, list, name)?;
            if taken.contains(&name.as_str()) {
                return Err(invalid(list, format!("the column {name} tells the split, so it is not a side column")));
            }
        }
    }
    let mut features: Vec<_> = table
        .columns
        .iter()
        .filter(|(name, _)| !taken.contains(&name.as_str()))
        .map(|(name, values)| (name.clone(), values.canonical()))
        .collect();
    features.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(features)
}
