//! What a column's type can be to a model.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use serde::{Deserialize, Serialize};

/// How a column reaches the learning code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ColumnKind {
    /// A category a row.
    Category(CategoryType),
    /// A number a row.
    Number,
    /// A point in time a row.
    Timestamp,
    /// A set of categories a row.
    Bag(CategoryType),
    /// Equally many numbers a row.
    Vector,
    /// Free text.
    Text,
}

/// The values of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CategoryType {
    /// Text.
    Text,
    /// Whole numbers of 64 bits with a sign.
    Integer,
    /// `false` and `true`.
    Boolean,
}

impl ColumnKind {
    /// What a type is taken for unless an argument says otherwise; `None` if learning cannot use it.
    pub fn natural(data_type: &DataType) -> Option<Self> {
        match plain_type(data_type) {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Category(CategoryType::Text)),
            DataType::Boolean => Some(Self::Category(CategoryType::Boolean)),
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Some(Self::Timestamp),
            DataType::Null => Some(Self::Number),
            numeric if numeric.is_numeric() => Some(Self::Number),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                match plain_type(item.data_type()) {
                    DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Bag(CategoryType::Text)),
                    numeric if numeric.is_numeric() => Some(Self::Vector),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What a type is as a category: text, integers, booleans, and lists of the first two as bags.
    pub fn category(data_type: &DataType) -> Option<Self> {
        match plain_type(data_type) {
            integer if integer.is_integer() => Some(Self::Category(CategoryType::Integer)),
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
                if plain_type(item.data_type()).is_integer() =>
            {
                Some(Self::Bag(CategoryType::Integer))
            }
            other => match Self::natural(other)? {
                kind @ (Self::Category(_) | Self::Bag(_)) => Some(kind),
                _ => None,
            },
        }
    }
}

/// The type under dictionary and run-end encodings.
pub(super) fn plain_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        other => other,
    }
}

/// The type that a model remembers of a column: without encodings and variants that say nothing about the values.
pub fn trained_type(data_type: &DataType) -> DataType {
    match plain_type(data_type) {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::new(Field::new_list_field(trained_type(item.data_type()), true)))
        }
        other => other.clone(),
    }
}

/// What SQL calls a type. The engine, which nothing here knows, has the list of PostgreSQL's types and a test that holds
/// these names to it.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => "smallint".to_owned(),
        DataType::UInt16 | DataType::Int32 => "integer".to_owned(),
        DataType::UInt32 | DataType::Int64 => "bigint".to_owned(),
        DataType::UInt64 => "bigint unsigned".to_owned(),
        DataType::Float16 | DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytea".to_owned()
        }
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_owned(),
        DataType::Timestamp(_, zone) => {
            if zone.is_some() { "timestamp with time zone" } else { "timestamp" }.to_owned()
        }
        DataType::Interval(_) | DataType::Duration(_) => "interval".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("numeric({precision},{scale})"),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::FixedSizeList(item, _) => {
            format!("{}[]", type_name(item.data_type()))
        }
        DataType::Dictionary(_, values) => type_name(values),
        other => other.to_string(),
    }
}
