//! One statement on one connection: rows as text whatever the protocol, or how it failed.

use std::{error::Error as StdError, time::Duration};

use bytes::BytesMut;
use tokio_postgres::{
    Client, SimpleQueryMessage, Statement,
    types::{Format, FromSql, IsNull, ToSql, Type},
};

use super::tree::{Declared, Kind, Literal, Query};

/// A statement that neither answers nor fails is given up after this; both engines have a shorter limit of their own.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Rows = Vec<Vec<Option<String>>>;

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Rows(Rows),
    Failed {
        code: String,
        message: String,
    },
    TimedOut,
    /// The connection broke, or nothing came.
    Lost(String),
}

/// How a query is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Simple,
    /// Parsed, bound with parameters and executed, values in binary.
    Extended,
    /// The same with parameters of types that the client declares.
    Declared,
    /// `PREPARE` and `EXECUTE`.
    Execute,
}

pub(crate) async fn ask(client: &Client, query: &Query, mode: Mode) -> Answer {
    let asked = async {
        match mode {
            Mode::Simple => simple(client, &query.sql()).await,
            Mode::Extended => {
                let (sql, parameters) = query.with_parameters();
                extended(client, &sql, &parameters, &[]).await
            }
            Mode::Declared => {
                let (sql, parameters) = query.with_parameters();
                let parameters: Vec<Literal> = parameters.iter().map(Literal::as_declared).collect();
                let types: Vec<Type> = parameters.iter().map(declared_type).collect();
                extended(client, &sql, &parameters, &types).await
            }
            Mode::Execute => {
                let (sql, parameters) = query.with_parameters();
                let prepared = match simple(client, &format!("PREPARE asked AS {sql}")).await {
                    Answer::Rows(_) => {
                        let values: Vec<String> = parameters.iter().map(Literal::sql).collect();
                        let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
                        simple(client, &format!("EXECUTE asked{values}")).await
                    }
                    failed => failed,
                };
                // A statement that could not be prepared can't be forgotten either.
                let _forgotten = simple(client, "DEALLOCATE asked").await;
                prepared
            }
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => Answer::Lost(format!("no answer after {} s", PATIENCE.as_secs())),
    }
}

pub(crate) async fn simple(client: &Client, sql: &str) -> Answer {
    let messages = match client.simple_query(sql).await {
        Ok(messages) => messages,
        Err(error) => return failure(&error),
    };
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()),
        _ => None,
    });
    Answer::Rows(rows.collect())
}

fn declared_type(literal: &Literal) -> Type {
    match literal.declared {
        Declared::As("int2") => Type::INT2,
        Declared::As("int4") => Type::INT4,
        Declared::As("int8") => Type::INT8,
        Declared::As("float8") | Declared::HalfMore("float8") => Type::FLOAT8,
        Declared::As("numeric") | Declared::HalfMore("numeric") => Type::NUMERIC,
        Declared::As("text") => Type::TEXT,
        Declared::As("varchar") => Type::VARCHAR,
        Declared::As("bool") => Type::BOOL,
        Declared::As("date") => Type::DATE,
        Declared::As("timestamp") => Type::TIMESTAMP,
        Declared::Inferred => Type::UNKNOWN,
        other => panic!("{other:?} is no type that parameters have"),
    }
}

async fn extended(client: &Client, sql: &str, parameters: &[Literal], types: &[Type]) -> Answer {
    let prepared: Statement = match client.prepare_typed(sql, types).await {
        Ok(prepared) => prepared,
        Err(error) => return failure(&error),
    };
    let given: Vec<Given<'_>> = parameters.iter().map(Given).collect();
    let given: Vec<&(dyn ToSql + Sync)> = given.iter().map(|given| given as &(dyn ToSql + Sync)).collect();
    match client.query(&prepared, &given).await {
        Err(error) => failure(&error),
        Ok(rows) => {
            let rows = rows.iter().map(|row| {
                (0..row.len()).map(|column| row.get::<_, Option<Shown>>(column).map(|shown| shown.0)).collect()
            });
            Answer::Rows(rows.collect())
        }
    }
}

fn failure(error: &tokio_postgres::Error) -> Answer {
    match error.as_db_error() {
        Some(error) if error.code().code() == "57014" => Answer::TimedOut,
        Some(error) => Answer::Failed { code: error.code().code().to_owned(), message: error.message().to_owned() },
        None if error.is_closed() => Answer::Lost(error.to_string()),
        // What the driver can't send or read: a parameter of a type that is not expected.
        None => {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            let lost = cause.contains("reset") || cause.contains("closed") || cause.contains("eof");
            match lost {
                true => Answer::Lost(format!("{error}: {cause}")),
                false => Answer::Failed { code: "driver".to_owned(), message: format!("{error}: {cause}") },
            }
        }
    }
}

/// A parameter, sent as whatever type the server wants.
#[derive(Debug)]
struct Given<'a>(&'a Literal);

impl std::fmt::Debug for Literal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.sql())
    }
}

impl ToSql for Given<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(value) = &self.0.value else { return Ok(IsNull::Yes) };
        match *kind {
            Type::INT2 => value.parse::<i16>()?.to_sql(kind, out),
            Type::INT4 => value.parse::<i32>()?.to_sql(kind, out),
            Type::INT8 => value.parse::<i64>()?.to_sql(kind, out),
            Type::FLOAT4 => value.parse::<f32>()?.to_sql(kind, out),
            Type::FLOAT8 => value.parse::<f64>()?.to_sql(kind, out),
            Type::BOOL => (value == "true").to_sql(kind, out),
            // Everything else goes as text.
            _ => {
                out.extend_from_slice(value.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, kind: &Type) -> Format {
        match *kind {
            Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT4 | Type::FLOAT8 | Type::BOOL => Format::Binary,
            _ => Format::Text,
        }
    }

    tokio_postgres::types::to_sql_checked!();
}

/// A binary value as the text that the simple protocol would send.
struct Shown(String);

impl<'a> FromSql<'a> for Shown {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        let shown = match *kind {
            Type::BOOL => if bool::from_sql(kind, raw)? { "t" } else { "f" }.to_owned(),
            Type::INT2 => i16::from_sql(kind, raw)?.to_string(),
            Type::INT4 => i32::from_sql(kind, raw)?.to_string(),
            Type::INT8 => i64::from_sql(kind, raw)?.to_string(),
            Type::FLOAT4 => f32::from_sql(kind, raw)?.to_string(),
            Type::FLOAT8 => f64::from_sql(kind, raw)?.to_string(),
            Type::NUMERIC => numeric(raw)?,
            Type::DATE => date(i64::from(i32::from_be_bytes(raw.try_into()?))),
            Type::TIMESTAMP => {
                let microseconds = i64::from_be_bytes(raw.try_into()?);
                let (day, rest) = (microseconds.div_euclid(86_400_000_000), microseconds.rem_euclid(86_400_000_000));
                let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
                let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
                let fraction = fraction.trim_end_matches('0');
                format!("{} {hour:02}:{minute:02}:{second:02}{fraction}", date(day))
            }
            _ => String::from_utf8(raw.to_vec())?,
        };
        Ok(Self(shown))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// PostgreSQL's decimal digits in groups of four.
fn numeric(raw: &[u8]) -> Result<String, Box<dyn StdError + Sync + Send>> {
    let word = |at: usize| raw.get(2 * at..2 * at + 2).map(|two| u16::from_be_bytes([two[0], two[1]])).ok_or("short");
    let (groups, weight, sign, scale) = (word(0)?, word(1)? as i16, word(2)?, word(3)?);
    match sign {
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        _ => {}
    }
    let group = |position: i16| match weight - position {
        at if at >= 0 && (at as u16) < groups => word(4 + at as usize),
        _ => Ok(0),
    };
    let mut text = String::new();
    for position in (0..=weight.max(0)).rev() {
        text.push_str(&format!("{:04}", group(position)?));
    }
    let whole = text.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let mut fraction = String::new();
    for position in 1..=(scale.div_ceil(4) as i16) {
        fraction.push_str(&format!("{:04}", group(-position)?));
    }
    fraction.truncate(usize::from(scale));
    let minus = if sign == 0x4000 { "-" } else { "" };
    Ok(if fraction.is_empty() { format!("{minus}{whole}") } else { format!("{minus}{whole}.{fraction}") })
}

/// The date so many days after the first of January 2000 (Hinnant's civil calendar).
fn date(days: i64) -> String {
    let shifted = days + 10_957 + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The kinds whose texts are numbers.
pub(crate) fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Float | Kind::Numeric)
}
