//! What JSON values have in common: a lattice of types, filled while the values are parsed and kept in the keys' order.

use std::fmt;

use arrow::datatypes::{DataType, Field};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::super::guess::Guess;

/// The common type of some values.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Shape {
    /// Nothing but nulls.
    #[default]
    Null,
    Boolean,
    Integer,
    Float,
    /// Text, perhaps dates or times.
    Text(Guess),
    List(Box<Shape>),
    Object(Vec<(String, Shape)>),
}

/// A key whose values have no common type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) path: String,
    pub(super) before: &'static str,
    pub(super) here: &'static str,
}

impl Shape {
    /// Adds a value's type. Scalars of different types are text together; a scalar and an object clash.
    pub(super) fn merge(&mut self, other: Self, path: &str) -> Result<(), Clash> {
        match (&mut *self, other) {
            (_, Self::Null) => {}
            (Self::Null, other) => *self = other,
            (Self::Object(fields), Self::Object(others)) => {
                for (name, shape) in others {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => known.merge(shape, &path)?,
                        None => fields.push((name, shape)),
                    }
                }
            }
            (Self::List(item), Self::List(other)) => item.merge(*other, path)?,
            (Self::Text(guess), Self::Text(other)) => guess.merge(other),
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => *self = Self::Float,
            (mine, other) if mine.word() == other.word() => {}
            (mine, other) if mine.is_scalar() && other.is_scalar() => {
                let mut guess = Guess::default();
                guess.see_quoted("text");
                *self = Self::Text(guess);
            }
            (mine, other) => {
                return Err(Clash { path: path.to_owned(), before: mine.word(), here: other.word() });
            }
        }
        Ok(())
    }

    /// The column type; text where nothing but nulls was seen.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text(guess) => guess.data_type(),
            Self::List(item) => DataType::new_list(item.data_type(), true),
            Self::Object(fields) => DataType::Struct(fields.iter().map(|(name, shape)| shape.field(name)).collect()),
        }
    }

    /// A column of this type.
    pub(super) fn field(&self, name: &str) -> Field {
        Field::new(name, self.data_type(), true)
    }

    /// The type in JSON's words.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer | Self::Float => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    fn is_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Boolean)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Integer)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(if i64::try_from(value).is_ok() { Shape::Integer } else { Shape::Float })
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        let mut guess = Guess::default();
        guess.see_quoted(value);
        Ok(Shape::Text(guess))
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Shape, A::Error> {
        let mut common = Shape::Null;
        while let Some(item) = items.next_element::<Shape>()? {
            let clash = |clash: Clash| {
                serde::de::Error::custom(format!("an array holds both {} and {}", clash.before, clash.here))
            };
            common.merge(item, "").map_err(clash)?;
        }
        Ok(Shape::List(Box::new(common)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut fields: Vec<(String, Shape)> = Vec::new();
        while let Some((name, shape)) = entries.next_entry::<String, Shape>()? {
            // Of a key given twice the last value counts, as in most parsers.
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = shape,
                None => fields.push((name, shape)),
            }
        }
        Ok(Shape::Object(fields))
    }
}
