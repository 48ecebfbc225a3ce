//! Training: from a table of rows to a model and a report on how good it is.

use crate::{
    control::Control,
    error::Result,
    evaluate::{Asked, sample_users},
    metrics::Metric,
    model::{Model, Role},
    options::{Split, ValidOptions},
    predict::bind,
    prepare::{Keys, Prepared},
    split::{Part, Units, split},
    table::{Table, UNSEEN},
    target::check_variation,
    train::train,
};

/// A trained model and what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// What happened on the way.
    pub report: Report,
}

/// What a training did, and how good its model is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// A row a split, slice and metric: those of the held-out rows first, then those of training, of which there is at
    /// least one. The latter say how well the model fits, not how good it is; the rankings of training pairs leave no
    /// item out and look at a thousand users at most.
    pub metrics: Vec<Metric>,
    /// Sentences that the user should read.
    pub notices: Vec<String>,
    /// Rows of the input.
    pub rows_read: u64,
    /// Rows left out because their target is NULL.
    pub rows_dropped_null_target: u64,
    /// Rows left out because their user or item is NULL.
    pub rows_dropped_null_key: u64,
    /// Rows left out because their weight is zero, or their pair's summed strength is not above zero.
    pub rows_dropped_weight: u64,
    /// Rows (implicit: pairs) trained on before the evaluation.
    pub rows_train: u64,
    /// Rows (implicit: pairs) held out and scored.
    pub rows_test: u64,
    /// Rows (implicit: pairs) held out and not scored.
    pub rows_valid: u64,
}

/// Trains on the rows of `table`, whose every column is a feature unless the options say otherwise.
///
/// The result depends on the values of the rows, the names of the columns and the options; not on the order of either,
/// nor on `threads`. The model holds what the rows trained on hold: categories of held-out rows alone are unseen to it.
///
/// # Errors
/// [`crate::Error::InvalidOption`] for options that do not suit the columns, [`crate::Error::InvalidData`] for rows
/// that cannot be learnt from, [`crate::Error::Cancelled`].
pub fn fit(table: &Table, options: &ValidOptions, threads: usize, control: &dyn Control) -> Result<Fitted> {
    let prepared = Prepared::new(table, options)?;
    control.check()?;
    if let Some(target) = &prepared.target {
        check_variation(target, &(0..prepared.rows as u32).collect::<Vec<_>>(), "kept")?;
    }
    let units = split(&prepared, options)?;
    control.check()?;
    let training = units.of(Part::Train);
    let mut model = train(&prepared, &units, &training, options, threads, control)?;
    let mut report = report(&prepared, &units, options);
    let test = units.of(Part::Test);
    if !test.is_empty() {
        report.metrics = measure(&model, &prepared, &units, Part::Test, threads, control)?;
    }
    report.metrics.extend(measure(&model, &prepared, &units, Part::Train, threads, control)?);
    if options.refit && training.len() < units.len() {
        let all: Vec<u32> = (0..units.len() as u32).collect();
        model = train(&prepared, &units, &all, options, threads, control)?;
    } else {
        count_unseen(&mut model, &prepared, &units, &mut report)?;
    }
    Ok(Fitted { model, report })
}

fn report(prepared: &Prepared, units: &Units, options: &ValidOptions) -> Report {
    let counts = prepared.counts;
    let count = |part: Part| units.parts.iter().filter(|own| **own == part).count() as u64;
    let mut notices = prepared.notices.clone();
    for (rows, why) in [
        (counts.null_target, "a NULL target"),
        (counts.null_key, "a NULL user or item"),
        (
            counts.weight,
            if prepared.target.is_some() { "a weight of zero" } else { "a pair whose strength is not above zero" },
        ),
    ] {
        if rows > 0 {
            notices.push(format!("{rows} of {} rows were left out: they have {why}", counts.read));
        }
    }
    if count(Part::Test) == 0 && options.split != Split::None {
        notices.push(
            "no row was held out, so all metrics are those of training; give more rows or a greater test_size".into(),
        );
    }
    Report {
        metrics: Vec::new(),
        notices,
        rows_read: counts.read,
        rows_dropped_null_target: counts.null_target,
        rows_dropped_null_key: counts.null_key,
        rows_dropped_weight: counts.weight,
        rows_train: count(Part::Train),
        rows_test: count(Part::Test),
        rows_valid: count(Part::Valid),
    }
}

/// The metrics of one part of the rows.
fn measure(
    model: &Model,
    prepared: &Prepared,
    units: &Units,
    part: Part,
    threads: usize,
    control: &dyn Control,
) -> Result<Vec<Metric>> {
    let split = if part == Part::Train { "train" } else { "test" };
    let own = units.of(part);
    let mut metrics = match &prepared.target {
        Some(target) => {
            let rows = units.rows_of(&own);
            let pick = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row as usize]).collect() };
            model.judge(
                split,
                &prepared.batch(&rows),
                &pick(&target.values),
                &pick(&prepared.weight),
                threads,
                control,
            )?
        }
        None => {
            let firsts: Vec<u32> = own.iter().map(|&unit| units.starts[unit as usize]).collect();
            let batch = prepared.batch(&firsts);
            let asked = asked(model, prepared, units, &own, part)?;
            let asked = if part == Part::Train { sample_users(asked) } else { asked };
            model.judge_rankings(split, &batch, &asked, threads, control)?
        }
    };
    if part == Part::Train {
        // Every entity of training is warm: the slices would repeat.
        metrics.retain(|metric| metric.slice == "all");
    }
    Ok(metrics)
}

/// The users of some units, each with its relevant items. Their other pairs are masked unless the units are the
/// training.
fn asked(model: &Model, prepared: &Prepared, units: &Units, own: &[u32], part: Part) -> Result<Vec<Asked>> {
    let (Some(user), Some(item)) = (&prepared.user, &prepared.item) else { return Ok(Vec::new()) };
    let codes = |keys: &Keys, role| {
        model
            .key(role)
            .and_then(|column| column.dictionary())
            .and_then(|own| keys.dictionary.codes_in(own))
            .unwrap_or_default()
    };
    let (user_codes, item_codes) = (codes(user, Role::User), codes(item, Role::Item));
    let user_of = |unit: u32| user.codes[units.starts[unit as usize] as usize];
    let item_of = |unit: u32| item_codes[item.codes[units.starts[unit as usize] as usize] as usize];
    let mut asked = Vec::new();
    let mut row = 0;
    // Units are sorted by user, so each user's are together in both lists.
    let mut next = 0;
    for group in own.chunk_by(|&left, &right| user_of(left) == user_of(right)) {
        let code = user_of(group[0]);
        while user_of(next) < code {
            next += 1;
        }
        let mut masked = Vec::new();
        while (next as usize) < units.len() && user_of(next) == code {
            if part != Part::Train && units.parts[next as usize] != part && item_of(next) != UNSEEN {
                masked.push(item_of(next));
            }
            next += 1;
        }
        let relevant = group.iter().map(|&unit| item_of(unit)).collect();
        asked.push(Asked { row, known: user_codes[code as usize] != UNSEEN, relevant, masked });
        row += group.len();
    }
    Ok(asked)
}

/// Counts, column by column, the held-out rows whose category training had not seen, and says so.
fn count_unseen(model: &mut Model, prepared: &Prepared, units: &Units, report: &mut Report) -> Result<()> {
    let held_out: Vec<u32> =
        (0..units.len() as u32).filter(|&unit| units.parts[unit as usize] != Part::Train).collect();
    let rows = units.rows_of(&held_out);
    let batch = prepared.batch(&rows);
    for column in &mut model.parts.columns {
        let count = match bind(column, &batch)? {
            Some(bound) => (0..batch.rows).filter(|&row| bound.unseen(row) > 0).count(),
            None => 0,
        };
        column.unseen_rows = count as u64;
        if count > 0 {
            report.notices.push(format!(
                "{count} of {} held-out rows have a value of {} that training had not seen; it counts as nothing",
                rows.len(),
                column.name
            ));
        }
    }
    Ok(())
}
