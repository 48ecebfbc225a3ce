//! The value of an argument.

use datafusion::{arrow::array::Array, common::ScalarValue};

use super::{Kind, Relation};

/// What an argument was given as.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A relation.
    Relation(Box<Relation>),
}

impl Value {
    /// The constant as a value of this kind, if it is one. NULL is not.
    pub(super) fn of_constant(constant: &ScalarValue, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Model | Kind::Text | Kind::Column | Kind::Output => text(constant).map(Self::Text),
            Kind::Columns => text(constant).map(Self::Text).or_else(|| texts(constant).map(Self::Texts)),
            Kind::Integer => integer(constant).map(Self::Integer),
            Kind::Double => double(constant).map(Self::Double),
            Kind::Boolean => match constant {
                ScalarValue::Boolean(flag) => flag.map(Self::Boolean),
                _ => None,
            },
            Kind::Relation => None,
        }
    }

    /// The value of a declared default. `null` has none; a test reads every declared default.
    pub(super) fn of_default(default: &str, kind: Kind) -> Option<Self> {
        if default == "null" {
            return None;
        }
        match kind {
            Kind::Integer => default.parse().ok().map(Self::Integer),
            Kind::Double => default.parse().ok().map(Self::Double),
            Kind::Boolean => default.parse().ok().map(Self::Boolean),
            Kind::Model | Kind::Text | Kind::Column | Kind::Output => {
                let text = default.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
                text.map(|text| Self::Text(text.into()))
            }
            Kind::Columns | Kind::Relation => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match self {
            Self::Text(text) => formatter.write_str(&quoted(text)),
            Self::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
                write!(formatter, "ARRAY[{}]", texts.join(", "))
            }
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Double(number) => write!(formatter, "{number}"),
            Self::Boolean(flag) => write!(formatter, "{flag}"),
            Self::Relation(relation) => formatter.write_str(&relation.sql),
        }
    }
}

fn text(constant: &ScalarValue) -> Option<String> {
    constant.try_as_str().flatten().map(str::to_owned)
}

pub(super) fn texts(constant: &ScalarValue) -> Option<Vec<String>> {
    let values = match constant {
        ScalarValue::List(list) if list.len() == 1 && !list.is_null(0) => list.value(0),
        ScalarValue::LargeList(list) if list.len() == 1 && !list.is_null(0) => list.value(0),
        ScalarValue::FixedSizeList(list) if list.len() == 1 && !list.is_null(0) => list.value(0),
        _ => return None,
    };
    (0..values.len()).map(|row| ScalarValue::try_from_array(&values, row).ok().and_then(|value| text(&value))).collect()
}

fn integer(constant: &ScalarValue) -> Option<i64> {
    match constant {
        ScalarValue::Int8(number) => number.map(i64::from),
        ScalarValue::Int16(number) => number.map(i64::from),
        ScalarValue::Int32(number) => number.map(i64::from),
        ScalarValue::Int64(number) => *number,
        ScalarValue::UInt8(number) => number.map(i64::from),
        ScalarValue::UInt16(number) => number.map(i64::from),
        ScalarValue::UInt32(number) => number.map(i64::from),
        ScalarValue::UInt64(number) => number.and_then(|number| i64::try_from(number).ok()),
        _ => None,
    }
}

/// A finite number; text is not read as one, because a quoted number is more often a slip.
fn double(constant: &ScalarValue) -> Option<f64> {
    let number = match constant {
        ScalarValue::Float32(number) => f64::from((*number)?),
        ScalarValue::Float64(number) => (*number)?,
        ScalarValue::Decimal32(..)
        | ScalarValue::Decimal64(..)
        | ScalarValue::Decimal128(..)
        | ScalarValue::Decimal256(..) => {
            match constant.cast_to(&datafusion::arrow::datatypes::DataType::Float64).ok()? {
                ScalarValue::Float64(number) => number?,
                _ => return None,
            }
        }
        other => integer(other)? as f64,
    };
    number.is_finite().then_some(number)
}
