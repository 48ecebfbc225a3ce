//! The metrics of a model on rows with a known outcome.

use crate::{
    control::Control,
    error::{Error, Result},
    metrics::{self, Judged, Metric, RANKING, RANKING_DEPTH},
    model::{Model, Role, Target, TargetKind},
    options::Objective,
    parallel,
    predict::{Scratch, SideBatch, bind},
    rank::{Pool, Top, fill_scores},
    score::Query,
    table::{Dictionary, NULL, Table, UNSEEN, Values},
};

/// The rows predicted in one unit of work.
const ROWS_UNIT: usize = 1 << 17;
/// The users whose rankings are one unit of work.
const USERS_UNIT: usize = 16;
/// The most users whose rankings of training pairs are measured: a figure of fit, not of quality.
const MOST_TRAINING_USERS: usize = 1000;

impl Model {
    /// The metrics on an input: every column of [`Model::columns`] as for [`Model::predict`] and, unless the model is
    /// implicit, the target under its name. The metrics' split is `input`.
    ///
    /// For an implicit model the rows are the relevant pairs: pairs that the model was trained on are left out, and
    /// each user's other seen items are not ranked. Its user column should have a dictionary of its own, because all
    /// users that are [`UNSEEN`] count as one. Rows with a NULL target or a NULL key are left out. `weight` scales the
    /// rows of squared and logistic metrics; it must be above zero.
    ///
    /// # Errors
    /// As [`Model::predict`]; [`Error::InvalidData`] if no row is left, or a target is not one the model knows.
    pub fn evaluate(
        &self,
        input: &Table,
        weight: Option<&[f64]>,
        threads: usize,
        control: &dyn Control,
    ) -> Result<Vec<Metric>> {
        match self.target() {
            Some(target) => {
                let values = input.column(&target.name).ok_or_else(|| {
                    Error::InvalidData(format!(
                        "the input has no column {}, the target to evaluate with; select it",
                        target.name
                    ))
                })?;
                values.check(&target.name, input.rows)?;
                let numbers = read_target(values, target)?;
                let whole = |row: &u32| !numbers[*row as usize].is_nan() && !self.null_key(input, *row);
                let rows: Vec<u32> = (0..input.rows as u32).filter(whole).collect();
                if rows.is_empty() {
                    return Err(Error::InvalidData("the input has no row with a target to evaluate with".into()));
                }
                let batch = input.take(&rows);
                let pick = |values: &[f64]| -> Vec<f64> {
                    rows.iter().map(|&row| values.get(row as usize).copied().unwrap_or(1.0)).collect()
                };
                let weight = weight.map_or_else(|| vec![1.0; rows.len()], pick);
                if weight.iter().any(|weight| !(*weight > 0.0 && weight.is_finite())) {
                    return Err(Error::InvalidData("a weight of the input is not above zero; filter such rows".into()));
                }
                self.judge("input", &batch, &pick(&numbers), &weight, threads, control)
            }
            None => {
                let asked = self.asked(input)?;
                if asked.is_empty() {
                    let problem = "the input has no pair to evaluate with: every one was trained on or has a NULL key";
                    return Err(Error::InvalidData(problem.into()));
                }
                self.judge_rankings("input", input, &asked, threads, control)
            }
        }
    }

    fn null_key(&self, input: &Table, row: u32) -> bool {
        let null = |role| match self.key(role).and_then(|key| input.column(&key.name)) {
            Some(Values::Category { codes, .. }) => codes[row as usize] == NULL,
            _ => false,
        };
        null(Role::User) || null(Role::Item)
    }

    /// The relevant pairs of an input, a group a user.
    fn asked(&self, input: &Table) -> Result<Vec<Asked>> {
        let users = SideBatch::bind(self, input, Role::User)?;
        let items = SideBatch::bind(self, input, Role::Item)?;
        let raw = |role| match self.key(role).and_then(|key| input.column(&key.name)) {
            Some(Values::Category { codes, .. }) => codes.as_slice(),
            _ => &[],
        };
        let (user_codes, item_codes) = (raw(Role::User), raw(Role::Item));
        let mut rows: Vec<usize> =
            (0..input.rows).filter(|&row| user_codes[row] != NULL && item_codes[row] != NULL).collect();
        rows.sort_by_key(|&row| (user_codes[row], item_codes[row]));
        rows.dedup_by_key(|row| (user_codes[*row], item_codes[*row]));
        let mut asked = Vec::new();
        for group in rows.chunk_by(|&left, &right| user_codes[left] == user_codes[right]) {
            let user = users.code(group[0]);
            let mut relevant: Vec<u32> = group.iter().map(|&row| items.code(row)).collect();
            let mut masked = Vec::new();
            if user != UNSEEN {
                let trained = |item: &u32| self.trained_on(user, *item);
                relevant.retain(|item| *item == UNSEEN || !trained(item));
                let (seen, _) = self.parts.seen.row(user as usize);
                masked = seen.iter().copied().filter(|item| !relevant.contains(item)).collect();
            }
            if !relevant.is_empty() {
                asked.push(Asked { row: group[0], known: user != UNSEEN, relevant, masked });
            }
        }
        Ok(asked)
    }

    /// Whether a pair of the model's codes was trained on.
    fn trained_on(&self, user: u32, item: u32) -> bool {
        let (seen, _) = self.parts.seen.row(user as usize);
        let start = self.parts.seen.offsets[user as usize];
        seen.binary_search(&item).is_ok_and(|at| self.parts.seen_trained[start + at])
    }

    /// The metrics of predictions, all slices.
    pub(crate) fn judge(
        &self,
        split: &'static str,
        batch: &Table,
        target: &[f64],
        weight: &[f64],
        threads: usize,
        control: &dyn Control,
    ) -> Result<Vec<Metric>> {
        let predictions = parallel::run_ranges(
            threads,
            batch.rows,
            ROWS_UNIT,
            control,
            || (),
            |(), range| {
                let part = batch.take(&(range.start as u32..range.end as u32).collect::<Vec<_>>());
                Ok(self.predict(&part)?.into_iter().map(|score| self.prediction(score)).collect::<Vec<f64>>())
            },
        )?;
        let predictions = predictions.concat();
        let users = self.known(batch, Role::User)?;
        let items = self.known(batch, Role::Item)?;
        let baseline = self.baseline(batch)?;
        let mut metrics = Vec::new();
        for (slice, rows) in slices(batch.rows, users.as_deref(), items.as_deref()) {
            let pick = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
            let (target, weight) = (pick(target), pick(weight));
            let (own, other) = (pick(&predictions), pick(&baseline));
            let judged = |prediction| Judged { target: &target, prediction, weight: &weight };
            for (metric, of) in self.row_metrics() {
                let (value, baseline) = (of(judged(&own)), of(judged(&other)));
                metrics.push(Metric { split, slice, metric, value, baseline, rows: rows.len() as u64 });
            }
        }
        Ok(metrics)
    }

    fn row_metrics(&self) -> &'static [RowMetric] {
        match self.objective() {
            Objective::Squared => &[("rmse", metrics::rmse), ("mae", metrics::mae), ("r2", metrics::r2)],
            _ => &[
                ("log_loss", metrics::log_loss),
                ("auc", metrics::auc),
                ("average_precision", metrics::average_precision),
                ("accuracy", metrics::accuracy),
                ("f1", metrics::f1),
            ],
        }
    }

    /// Whether each row's user or item is known; `None` if the model has none.
    fn known(&self, batch: &Table, role: Role) -> Result<Option<Vec<bool>>> {
        let Some(key) = self.key(role) else { return Ok(None) };
        let Some(bound) = bind(key, batch)? else { return Ok(None) };
        let length = key.encoding.width();
        Ok(Some(bound.codes.iter().map(|&code| (code as usize) < length).collect()))
    }

    /// What each row would be predicted without learning: its item's mean if there is one, else the mean of all.
    fn baseline(&self, batch: &Table) -> Result<Vec<f64>> {
        let mut baseline = vec![self.parts.base; batch.rows];
        if !self.parts.item_means.is_empty()
            && let Some(key) = self.key(Role::Item)
            && let Some(bound) = bind(key, batch)?
        {
            for (own, &code) in baseline.iter_mut().zip(bound.codes.iter()) {
                *own = self.parts.item_means.get(code as usize).copied().unwrap_or(*own);
            }
        }
        Ok(baseline)
    }

    /// The metrics of rankings, all slices. `batch` tells each asked user's side columns.
    pub(crate) fn judge_rankings(
        &self,
        split: &'static str,
        batch: &Table,
        asked: &[Asked],
        threads: usize,
        control: &dyn Control,
    ) -> Result<Vec<Metric>> {
        let users = SideBatch::bind(self, batch, Role::User)?;
        let pool = Pool::of_model(self);
        let scratch =
            || (Scratch::new(self.factors()), vec![Query::default()], vec![Vec::new()], vec![false; pool.len()]);
        let judged = parallel::run_ranges(threads, asked.len(), USERS_UNIT, control, scratch, |scratch, range| {
            let (side, query, scores, masked) = scratch;
            let mut results = Vec::with_capacity(range.len());
            for own in &asked[range] {
                let (bias, vector) = users.whole(own.row, side);
                query[0].gather(self.parts.factors.mean, bias, vector, None);
                fill_scores(self, &pool, query, scores);
                results.push(own.judge(&scores[0], &pool.popularity, masked));
            }
            Ok(results)
        })?;
        let judged: Vec<_> = judged.into_iter().flatten().collect();
        let mut metrics = Vec::new();
        for (at, slice) in SLICES.into_iter().enumerate() {
            let pairs: usize = asked.iter().map(|own| own.relevant_in(at).count()).sum();
            let of_slice: Vec<&[[f64; 6]; 2]> = judged.iter().filter_map(|user| user[at].as_ref()).collect();
            if of_slice.is_empty() {
                continue;
            }
            for (which, metric) in RANKING.into_iter().enumerate() {
                let mean = |model: usize| {
                    Some(of_slice.iter().map(|user| user[model][which]).sum::<f64>() / of_slice.len() as f64)
                };
                metrics.push(Metric { split, slice, metric, value: mean(0), baseline: mean(1), rows: pairs as u64 });
            }
        }
        Ok(metrics)
    }
}

/// A metric of rows: its name and how it is computed.
type RowMetric = (&'static str, fn(Judged<'_>) -> Option<f64>);

/// The slices of metrics; those without rows are left out.
const SLICES: [&str; 4] = ["all", "warm", "cold_user", "cold_item"];

/// A user whose ranking is judged.
#[derive(Debug)]
pub(crate) struct Asked {
    /// A row of the batch that is this user's.
    pub(crate) row: usize,
    /// Whether the model knows the user.
    pub(crate) known: bool,
    /// The model's codes of the relevant items; [`UNSEEN`] for unknown ones, which are misses.
    pub(crate) relevant: Vec<u32>,
    /// The model's codes of items that are not ranked.
    pub(crate) masked: Vec<u32>,
}

impl Asked {
    /// The relevant items of a slice of [`SLICES`].
    fn relevant_in(&self, slice: usize) -> impl Iterator<Item = u32> {
        let known = self.known;
        self.relevant.iter().copied().filter(move |&item| match slice {
            0 => true,
            1 => known && item != UNSEEN,
            2 => !known,
            _ => item == UNSEEN,
        })
    }

    /// For each slice with a relevant item, the metrics of the model's scores and of the baseline's.
    fn judge(&self, scores: &[f64], popularity: &[f64], masked: &mut [bool]) -> [Option<[[f64; 6]; 2]>; 4] {
        self.masked.iter().for_each(|&item| masked[item as usize] = true);
        let rankings = [scores, popularity].map(|scores| (scores, Top::best(scores, masked, RANKING_DEPTH)));
        let result = std::array::from_fn(|slice| {
            let mut relevant: Vec<u32> = self.relevant_in(slice).collect();
            let total = relevant.len();
            relevant.retain(|&item| item != UNSEEN);
            relevant.sort_unstable();
            let measure = |(scores, best): &(&[f64], Vec<u32>)| {
                let first = first_rank(scores, masked, &relevant);
                metrics::ranking(best, |item| relevant.binary_search(&item).is_ok(), total, first)
            };
            (total > 0).then(|| [measure(&rankings[0]), measure(&rankings[1])])
        });
        self.masked.iter().for_each(|&item| masked[item as usize] = false);
        result
    }
}

/// The rank, from 1, of the best relevant item among those not masked.
fn first_rank(scores: &[f64], masked: &[bool], relevant: &[u32]) -> Option<usize> {
    let open = relevant.iter().map(|&item| item as usize).filter(|&item| !masked[item]);
    // Equal scores rank by code, so the least code wins among equals.
    let best = open.reduce(|best, item| if scores[item] > scores[best] { item } else { best })?;
    let above = |item: usize| scores[item] > scores[best] || (scores[item] == scores[best] && item < best);
    Some(1 + (0..scores.len()).filter(|&item| !masked[item] && above(item)).count())
}

/// The users asked about their own training pairs: a fixed sample of at most [`MOST_TRAINING_USERS`].
pub(crate) fn sample_users<T>(users: Vec<T>) -> Vec<T> {
    let step = users.len().div_ceil(MOST_TRAINING_USERS).max(1);
    users.into_iter().step_by(step).collect()
}

/// The rows of each slice that has any.
fn slices(rows: usize, users: Option<&[bool]>, items: Option<&[bool]>) -> Vec<(&'static str, Vec<usize>)> {
    let known = |side: Option<&[bool]>, row: usize| side.is_none_or(|known| known[row]);
    let pick = |of: &dyn Fn(usize) -> bool| -> Vec<usize> { (0..rows).filter(|&row| of(row)).collect() };
    let mut slices = vec![(SLICES[0], pick(&|_| true))];
    if users.is_some() || items.is_some() {
        slices.push((SLICES[1], pick(&|row| known(users, row) && known(items, row))));
        slices.push((SLICES[2], pick(&|row| !known(users, row))));
        slices.push((SLICES[3], pick(&|row| !known(items, row))));
    }
    slices.retain(|(_, rows)| !rows.is_empty());
    slices
}

/// A target column in the numbers of the model: NaN for NULL.
fn read_target(values: &Values, target: &Target) -> Result<Vec<f64>> {
    let name = &target.name;
    let refuse = |found: String, expected: &str| {
        Err(Error::InvalidData(format!("the target {name} holds {found}; the model knows {expected}")))
    };
    let expected = match &target.kind {
        TargetKind::Number { .. } => "numbers".into(),
        TargetKind::Boolean => "false and true".into(),
        TargetKind::Text([first, second]) => format!("'{first}' and '{second}'"),
        TargetKind::Integer => "0 and 1".into(),
    };
    let class = |label: &str| match &target.kind {
        TargetKind::Text(classes) => classes.iter().position(|class| class == label),
        TargetKind::Boolean => ["false", "true"].iter().position(|class| *class == label),
        _ => ["0", "1"].iter().position(|class| *class == label),
    };
    match (values, &target.kind) {
        (Values::Number(numbers), TargetKind::Number { .. }) => Ok(numbers.clone()),
        (Values::Number(numbers), TargetKind::Integer) => {
            match numbers.iter().find(|number| !number.is_nan() && **number != 0.0 && **number != 1.0) {
                Some(other) => refuse(other.to_string(), &expected),
                None => Ok(numbers.clone()),
            }
        }
        (Values::Category { codes, dictionary }, kind) => {
            let labels: Vec<Option<f64>> = (0..dictionary.len() as u32)
                .map(|code| match (dictionary.as_ref(), kind) {
                    (Dictionary::Integer(values), TargetKind::Number { .. }) => Some(values[code as usize] as f64),
                    (Dictionary::Boolean, TargetKind::Number { .. }) => Some(f64::from(code)),
                    (_, TargetKind::Number { .. }) => None,
                    _ => class(&dictionary.label(code)).map(|class| class as f64),
                })
                .collect();
            let mut numbers = Vec::with_capacity(codes.len());
            for &code in codes {
                match labels.get(code as usize) {
                    Some(Some(number)) => numbers.push(*number),
                    None if code == NULL => numbers.push(f64::NAN),
                    _ => return refuse(format!("'{}'", dictionary.label(code)), &expected),
                }
            }
            Ok(numbers)
        }
        (other, _) => refuse(format!("values of kind {}", other.kind()), &expected),
    }
}
