//! `AT TIME ZONE`: what the clocks of a zone show at an instant, and the instant at which they show it.
//!
//! ```sql
//! SELECT now() AT TIME ZONE 'Europe/Berlin', timezone('America/Denver', TIMESTAMP '2024-07-01 18:00:00')
//! ```
//!
//! For the engine it is a cast, and so always an instant.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, timezone::Tz},
    compute::cast,
    datatypes::{DataType, Int64Type, TimeUnit},
};
use chrono::{DateTime, Days, FixedOffset, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions, plan_err, utils::take_function_args},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use crate::{Error, Fault, print::a_second, session::settings::titled};

/// The function for a session whose zone is UTC.
pub(super) fn function() -> ScalarUDF {
    in_zone("UTC".into())
}

fn in_zone(session: Arc<str>) -> ScalarUDF {
    ScalarUDF::from(AtTimeZone { session, signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AtTimeZone {
    /// The zone that instants are shown in.
    session: Arc<str>,
    signature: Signature,
}

impl ScalarUDFImpl for AtTimeZone {
    fn name(&self) -> &str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        config.execution.time_zone.as_deref().map(|zone| in_zone(zone.into()))
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [zone, value] = take_function_args(self.name(), arguments)?;
        if !zone.is_string() && !zone.is_null() {
            return plan_err!("AT TIME ZONE takes the name of a zone as a text, not {zone}");
        }
        let value = match value {
            DataType::Timestamp(..) => value.clone(),
            // A text or a date is taken for an instant, as PostgreSQL prefers.
            value if value.is_string() || matches!(value, DataType::Date32 | DataType::Null) => {
                DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.session)))
            }
            other => return plan_err!("AT TIME ZONE is of a timestamp, not of {other}"),
        };
        Ok(vec![DataType::Utf8, value])
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [_, DataType::Timestamp(unit, Some(_))] => Ok(DataType::Timestamp(*unit, None)),
            [_, DataType::Timestamp(unit, None)] => Ok(DataType::Timestamp(*unit, Some(Arc::clone(&self.session)))),
            _ => plan_err!("AT TIME ZONE is of a timestamp"),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [zone, value] = take_function_args(self.name(), &call.args)?;
        let values = match value {
            ColumnarValue::Array(values) => Arc::clone(values),
            ColumnarValue::Scalar(value) => value.to_array()?,
        };
        let DataType::Timestamp(unit, shown) = values.data_type().clone() else {
            return plan_err!("AT TIME ZONE is of a timestamp");
        };
        let turn = if shown.is_some() { shown_at } else { instant_of };
        let numbers = cast(&values, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        let turned: Int64Array = match zone {
            ColumnarValue::Scalar(zone) => match zone.try_as_str().flatten() {
                Some(name) => {
                    let zone = Zone::named(name)?;
                    numbers
                        .iter()
                        .map(|number| number.map(|number| turn(number, unit, &zone)).transpose())
                        .collect::<Result<_>>()?
                }
                None => Int64Array::new_null(numbers.len()),
            },
            ColumnarValue::Array(zones) => {
                let zones = cast(zones, &DataType::Utf8)?;
                let zones = zones.as_string::<i32>();
                // One value and many zones.
                let number = |row: usize| {
                    let row = if numbers.len() == 1 { 0 } else { row };
                    numbers.is_valid(row).then(|| numbers.value(row))
                };
                let each = zones.iter().enumerate().map(|(row, name)| match (name, number(row)) {
                    (Some(name), Some(number)) => turn(number, unit, &Zone::named(name)?).map(Some),
                    _ => Ok(None),
                });
                each.collect::<Result<_>>()?
            }
        };
        let result: ArrayRef = cast(&turned, call.return_type())?;
        match (zone, value) {
            (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)) => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
            }
            _ => Ok(ColumnarValue::Array(result)),
        }
    }
}

/// A zone of a text.
enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

/// The abbreviations that PostgreSQL knows without being told, with hours east of UTC.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("ZULU", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("HST", -10),
    ("WET", 0),
    ("PDT", -7),
    ("WEST", 1),
    ("BST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("IST", 2),
    ("MSK", 3),
    ("JST", 9),
    ("KST", 9),
    ("AEST", 10),
    ("AEDT", 11),
    ("NZST", 12),
    ("NZDT", 13),
];

impl Zone {
    fn named(text: &str) -> Result<Self> {
        let name = text.trim();
        let known = ABBREVIATIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let found = match known {
            Some((_, hours)) => FixedOffset::east_opt(hours * 3600).map(Self::Fixed),
            None => posix(name).map(Self::Fixed).or_else(|| spelled(name).map(Self::Named)),
        };
        found.ok_or_else(|| {
            let hint = "name one such as 'UTC' or 'Europe/Berlin', or hours to the west of UTC such as 'UTC+3'";
            Error::Statement {
                fault: Fault::InvalidArgument,
                message: format!("time zone \"{text}\" not recognized"),
                hint: Some(hint.to_owned()),
            }
            .into()
        })
    }

    fn at_instant(&self, utc: &NaiveDateTime) -> FixedOffset {
        match self {
            Self::Named(zone) => zone.offset_from_utc_datetime(utc).fix(),
            Self::Fixed(offset) => *offset,
        }
    }

    /// The distance from UTC when clocks show this. Where they show it twice, or never, that of the time before clocks
    /// were put forward, or after they were put back.
    fn at_local(&self, local: &NaiveDateTime) -> FixedOffset {
        let zone = match self {
            Self::Fixed(offset) => return *offset,
            Self::Named(zone) => zone,
        };
        match zone.offset_from_local_datetime(local) {
            MappedLocalTime::Single(offset) => offset.fix(),
            MappedLocalTime::Ambiguous(_, after) => after.fix(),
            MappedLocalTime::None => {
                let before = local.checked_sub_days(Days::new(1)).unwrap_or(*local);
                zone.offset_from_utc_datetime(&before).fix()
            }
        }
    }
}

/// A zone's name as the database of zones has it, in any case.
fn spelled(name: &str) -> Option<Tz> {
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    name.parse().or_else(|_| titled(name).parse()).or_else(|_| name.to_ascii_uppercase().parse()).ok()
}

/// `+2`, `-03:30` or `UTC+3`, where hours are counted to the west as in POSIX.
fn posix(name: &str) -> Option<FixedOffset> {
    let sign = name.find(['+', '-'])?;
    let (letters, distance) = name.split_at(sign);
    if !letters.chars().all(|letter| letter.is_ascii_alphabetic()) || (1..3).contains(&letters.len()) {
        return None;
    }
    let is_west = distance.starts_with('+');
    let mut parts = distance[1..].split(':').map(|part| match part.len() {
        1 | 2 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse::<i32>().ok(),
        _ => None,
    });
    let hours = parts.next()??;
    let minutes = parts.next().unwrap_or(Some(0))?;
    let seconds = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || minutes > 59 || seconds > 59 {
        return None;
    }
    let distance = hours * 3600 + minutes * 60 + seconds;
    FixedOffset::east_opt(if is_west { -distance } else { distance })
}

/// What clocks show at an instant.
fn shown_at(instant: i64, unit: TimeUnit, zone: &Zone) -> Result<i64> {
    let offset = zone.at_instant(&date_time(instant, unit)?);
    moved(instant, unit, offset.local_minus_utc())
}

/// The instant at which clocks show this.
fn instant_of(shown: i64, unit: TimeUnit, zone: &Zone) -> Result<i64> {
    let offset = zone.at_local(&date_time(shown, unit)?);
    moved(shown, unit, -offset.local_minus_utc())
}

fn date_time(number: i64, unit: TimeUnit) -> Result<NaiveDateTime> {
    let found = DateTime::from_timestamp(number.div_euclid(a_second(unit)), 0);
    found.map(|instant| instant.naive_utc()).ok_or_else(out_of_range)
}

fn moved(number: i64, unit: TimeUnit, seconds: i32) -> Result<i64> {
    number.checked_add(i64::from(seconds) * a_second(unit)).ok_or_else(out_of_range)
}

fn out_of_range() -> datafusion::common::DataFusionError {
    Error::new(Fault::DatetimeOutOfRange, "timestamp out of range").into()
}
