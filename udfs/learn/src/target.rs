//! What the target's values ask for: an objective, and numbers for the solver.

use crate::{
    error::{Error, Result},
    model::TargetKind,
    options::{Objective, ValidOptions, invalid},
    table::{Dictionary, Values},
};

/// The target as numbers; for classes 0 and 1. A missing one is NaN.
#[derive(Debug)]
pub(crate) struct ReadTarget {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
    pub(crate) kind: TargetKind,
    pub(crate) objective: Objective,
    pub(crate) notice: Option<String>,
}

/// Reads the target and chooses the objective if the options leave it open.
pub(crate) fn read(values: &Values, name: &str, options: &ValidOptions) -> Result<ReadTarget> {
    let wanted = options.objective;
    let (numbers, kind) = match values {
        Values::Number(numbers) => number_target(numbers, name, options)?,
        Values::Category { codes, dictionary } => match dictionary.as_ref() {
            Dictionary::Integer(integers) => {
                let numbers: Vec<_> = codes
                    .iter()
                    .map(|&code| integers.get(code as usize).map_or(f64::NAN, |&value| value as f64))
                    .collect();
                number_target(&numbers, name, options)?
            }
            dictionary => class_target(codes, dictionary, name, wanted)?,
        },
        other => {
            let problem =
                format!("the column {name} is a {}; expected numbers, a boolean or a text of two values", other.kind());
            return Err(invalid("target", problem));
        }
    };
    let objective = match (wanted, &kind) {
        (Some(objective), _) => objective,
        (None, TargetKind::Number { .. }) => Objective::Squared,
        (None, _) => Objective::Logistic,
    };
    let kind = if objective == Objective::Squared { number_kind() } else { kind };
    let notice = (wanted.is_none() && kind == TargetKind::Integer).then(|| {
        format!(
            "the target {name} holds only 0 and 1, so it is taken for two classes; objective => \
             'squared' would predict a number"
        )
    });
    Ok(ReadTarget { name: name.into(), values: numbers, kind, objective, notice })
}

/// Refuses targets without variation, which leave nothing to learn.
pub(crate) fn check_variation(target: &ReadTarget, rows: &[u32], which: &str) -> Result<()> {
    let Some(&first) = rows.first() else {
        return Err(Error::InvalidData(format!("no {which} row is left to train on")));
    };
    let first = target.values[first as usize];
    if rows.iter().any(|&row| target.values[row as usize] != first) {
        return Ok(());
    }
    let name = &target.name;
    Err(Error::InvalidData(match &target.kind {
        TargetKind::Number { .. } => {
            format!("the target {name} is {first} in every {which} row; there is no variation to learn")
        }
        kind => {
            let class = match kind {
                TargetKind::Text(classes) => format!("'{}'", classes[usize::from(first == 1.0)]),
                TargetKind::Boolean => (first == 1.0).to_string(),
                _ => first.to_string(),
            };
            format!(
                "the target {name} has only the class {class} in the {which} rows; a classifier needs rows of two \
                 classes"
            )
        }
    }))
}

fn number_kind() -> TargetKind {
    TargetKind::Number { minimum: f64::NEG_INFINITY, maximum: f64::INFINITY }
}

fn number_target(numbers: &[f64], name: &str, options: &ValidOptions) -> Result<(Vec<f64>, TargetKind)> {
    let numbers: Vec<_> = numbers.iter().map(|&number| if number.is_nan() { f64::NAN } else { number + 0.0 }).collect();
    let other = numbers.iter().find(|&&number| !number.is_nan() && number != 0.0 && number != 1.0);
    let kind = match (options.objective, other) {
        (Some(Objective::Logistic), None) => TargetKind::Integer,
        (Some(Objective::Logistic), Some(other)) => {
            let problem = format!(
                "logistic needs a target of two classes, found {other} in {name}; expected only 0 and 1, or use \
                                   squared"
            );
            return Err(invalid("objective", problem));
        }
        (None, None) if options.integer_target => TargetKind::Integer,
        _ => number_kind(),
    };
    Ok((numbers, kind))
}

fn class_target(
    codes: &[u32],
    dictionary: &Dictionary,
    name: &str,
    wanted: Option<Objective>,
) -> Result<(Vec<f64>, TargetKind)> {
    if matches!(dictionary, Dictionary::Boolean) {
        let numbers = codes.iter().map(|&code| if code < 2 { f64::from(code) } else { f64::NAN }).collect();
        return Ok((numbers, TargetKind::Boolean));
    }
    if wanted == Some(Objective::Squared) {
        return Err(Error::InvalidData(format!(
            "the target {name} is text, but squared predicts numbers; cast it to a number, or leave objective out"
        )));
    }
    let mut used = vec![false; dictionary.len()];
    for &code in codes {
        if let Some(flag) = used.get_mut(code as usize) {
            *flag = true;
        }
    }
    let classes: Vec<u32> = (0..used.len() as u32).filter(|&code| used[code as usize]).collect();
    match classes[..] {
        [] => Ok((vec![f64::NAN; codes.len()], TargetKind::Text([String::new(), String::new()]))),
        [only] => Err(Error::InvalidData(format!(
            "the target {name} has only the class '{}'; a classifier needs rows of two classes",
            dictionary.label(only)
        ))),
        [first, second] => {
            let number = |code: u32| match code {
                code if code == first => 0.0,
                code if code == second => 1.0,
                _ => f64::NAN,
            };
            let kind = TargetKind::Text([dictionary.label(first), dictionary.label(second)]);
            Ok((codes.iter().map(|&code| number(code)).collect(), kind))
        }
        [..] => Err(Error::InvalidData(format!(
            "the target {name} is text of {} different values; expected two for a classifier, or cast it to a number",
            classes.len()
        ))),
    }
}
