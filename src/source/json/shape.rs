//! What JSON values have in common: a lattice of types, filled while the values are walked through, in the keys' order.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Fields};

use super::{
    super::{csv::NullMark, forms::Forms, guess::Guess},
    cursor::{Cursor, Halt, Token, text_of},
    node::MAX_DEPTH,
};

/// How many different keys the objects of a column may have before they are taken for a dictionary, and kept as JSON.
const MAX_NESTED_KEYS: usize = 500;

/// How many different keys the objects of a file may have.
const MAX_KEYS: usize = 10_000;

/// What texts mean, as options say.
#[derive(Debug, Clone)]
pub(super) struct Meanings {
    /// How dates and times are written.
    pub(super) forms: Forms,
    /// Which texts mean NULL.
    pub(super) null: NullMark,
}

/// Whether a text between quotes means NULL.
pub(super) fn means_null(null: &NullMark, inside: &[u8], is_escaped: bool) -> bool {
    null.is_given() && text_of(inside, is_escaped).is_some_and(|text| null.is(&text))
}

/// The common type of some values.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Shape {
    /// Nothing but nulls.
    #[default]
    Null,
    Boolean,
    Number(Guess),
    /// Text, perhaps dates or times.
    Text(Guess),
    List(Box<Shape>),
    Object(Vec<(String, Shape)>),
    /// Values that have no type in common but text: what is no text is its own JSON.
    Mixed,
}

impl Shape {
    /// Adds the value at the cursor.
    pub(super) fn see(&mut self, cursor: &mut Cursor<'_>, depth: usize, meanings: &Meanings) -> Result<(), Halt> {
        let token = cursor.value()?;
        if let Token::Text { inside, is_escaped } = &token {
            cursor.check_text(inside, *is_escaped)?;
            if means_null(&meanings.null, cursor.bytes.get(inside.clone()).unwrap_or_default(), *is_escaped) {
                return Ok(());
            }
        }
        match (&mut *self, &token) {
            (_, Token::Null) => return Ok(()),
            (Self::Object(fields), Token::Object) if depth <= MAX_DEPTH => {
                see_members(fields, None, cursor, depth, meanings, |_| {})?;
                if depth > 0 && fields.len() > MAX_NESTED_KEYS {
                    *self = Self::Mixed;
                }
                return Ok(());
            }
            (Self::List(item), Token::Array) if depth <= MAX_DEPTH => {
                return see_items(item, cursor, depth, meanings);
            }
            // Nothing is learnt of a text among texts.
            (Self::Text(guess), Token::Text { .. }) if guess.is_settled() => return Ok(()),
            _ => {}
        }
        let own = match &token {
            Token::Null => Self::Null,
            Token::Boolean(_) => Self::Boolean,
            Token::Number(place) => {
                let mut guess = Guess::default();
                let text = cursor.bytes.get(place.clone()).unwrap_or_default();
                guess.see_number(std::str::from_utf8(text).unwrap_or_default());
                Self::Number(guess)
            }
            Token::Text { inside, is_escaped } => {
                let mut guess = Guess::default();
                let inside = cursor.bytes.get(inside.clone()).unwrap_or_default();
                see_text(&mut guess, inside, *is_escaped, &meanings.forms);
                Self::Text(guess)
            }
            // What it holds does not matter where it is JSON anyway, if it is.
            Token::Array | Token::Object if !matches!(self, Self::Null) || depth > MAX_DEPTH => {
                cursor.check(&token)?;
                Self::Mixed
            }
            Token::Array => {
                let mut item = Self::Null;
                see_items(&mut item, cursor, depth, meanings)?;
                Self::List(Box::new(item))
            }
            Token::Object => {
                let mut fields = Vec::new();
                see_members(&mut fields, None, cursor, depth, meanings, |_| {})?;
                if depth > 0 && fields.len() > MAX_NESTED_KEYS { Self::Mixed } else { Self::Object(fields) }
            }
        };
        self.merge(own, depth);
        Ok(())
    }

    /// Adds what was seen elsewhere.
    pub(super) fn merge(&mut self, other: Self, depth: usize) {
        match (&mut *self, other) {
            (_, Self::Null) => {}
            (Self::Null, other) => *self = other,
            (Self::Object(fields), Self::Object(others)) => {
                let mut places = None;
                for (at, (name, shape)) in others.into_iter().enumerate() {
                    let place = match fields.get(at) {
                        Some((known, _)) if *known == name => at,
                        _ => {
                            let places = places.get_or_insert_with(|| places_of(fields));
                            *places.entry(name.clone()).or_insert(fields.len())
                        }
                    };
                    match fields.get_mut(place) {
                        Some((_, known)) => known.merge(shape, depth + 1),
                        None => fields.push((name, shape)),
                    }
                }
                if depth > 0 && fields.len() > MAX_NESTED_KEYS {
                    *self = Self::Mixed;
                }
            }
            (Self::List(item), Self::List(other)) => item.merge(*other, depth + 1),
            (Self::Text(guess), Self::Text(other)) | (Self::Number(guess), Self::Number(other)) => guess.merge(other),
            (Self::Boolean, Self::Boolean) => {}
            _ => *self = Self::Mixed,
        }
    }

    /// The column type; text where nothing but nulls was seen, and for objects without a member.
    pub(super) fn data_type(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Number(guess) | Self::Text(guess) => guess.data_type(),
            Self::List(item) => DataType::new_list(item.data_type(), true),
            Self::Object(fields) if !fields.is_empty() => {
                DataType::Struct(fields.iter().map(|(name, shape)| shape.field(name)).collect())
            }
            Self::Null | Self::Mixed | Self::Object(_) => DataType::Utf8,
        }
    }

    /// What is known of the type, without what lies within but for its being mixed; none of nulls alone.
    pub(super) fn known_type(&self) -> Option<DataType> {
        match self {
            Self::Null => None,
            Self::List(_) if self.has_mixed() => Some(DataType::new_list(DataType::Utf8View, true)),
            Self::List(_) => Some(DataType::Null),
            Self::Object(_) if self.has_mixed() => {
                Some(DataType::Struct(vec![Field::new("", DataType::Utf8View, true)].into()))
            }
            Self::Object(_) => Some(DataType::Struct(Fields::empty())),
            // Text, and yet another thing than texts.
            Self::Mixed => Some(DataType::Utf8View),
            shape => Some(shape.data_type()),
        }
    }

    /// Whether values within have no type in common but text.
    fn has_mixed(&self) -> bool {
        let is_mixed = |shape: &Self| matches!(shape, Self::Mixed) || shape.has_mixed();
        match self {
            Self::List(item) => is_mixed(item),
            Self::Object(fields) => fields.iter().any(|(_, shape)| is_mixed(shape)),
            _ => false,
        }
    }

    /// The shape without what lies within, but for its being mixed.
    pub(super) fn outline(&self) -> Self {
        match self {
            Self::List(_) => Self::List(Box::new(if self.has_mixed() { Self::Mixed } else { Self::Null })),
            Self::Object(_) if self.has_mixed() => Self::Object(vec![(String::new(), Self::Mixed)]),
            Self::Object(_) => Self::Object(Vec::new()),
            shape => shape.clone(),
        }
    }

    /// Whether this is the outline of a shape.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            // What is mixed stays so.
            (Self::List(_), Self::List(_)) | (Self::Object(_), Self::Object(_)) => {
                self.has_mixed() || !other.has_mixed()
            }
            (Self::Text(guess), Self::Text(other)) | (Self::Number(guess), Self::Number(other)) => guess == other,
            (left, right) => std::mem::discriminant(left) == std::mem::discriminant(right),
        }
    }

    /// A column of this type.
    pub(super) fn field(&self, name: &str) -> Field {
        Field::new(name, self.data_type(), true)
    }
}

fn see_text(guess: &mut Guess, inside: &[u8], is_escaped: bool, forms: &Forms) {
    match text_of(inside, is_escaped) {
        Some(text) => guess.see_quoted(&text, forms),
        // The reader says what is wrong with it.
        None => guess.see_text(),
    }
}

fn see_items(item: &mut Shape, cursor: &mut Cursor<'_>, depth: usize, meanings: &Meanings) -> Result<(), Halt> {
    if cursor.is_empty(b']', "an array")? {
        return Ok(());
    }
    loop {
        item.see(cursor, depth + 1, meanings)?;
        if !cursor.has_next(b']', "an array")? {
            return Ok(());
        }
    }
}

/// Where fields stand, by their names.
fn places_of(fields: &[(String, Shape)]) -> HashMap<String, usize> {
    fields.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect()
}

/// The members of the object that has begun; `saw` is told the place of each among the fields. The places of these are kept
/// where there may be many.
pub(super) fn see_members(
    fields: &mut Vec<(String, Shape)>,
    mut places: Option<&mut HashMap<String, usize>>,
    cursor: &mut Cursor<'_>,
    depth: usize,
    meanings: &Meanings,
    mut saw: impl FnMut(usize),
) -> Result<(), Halt> {
    if cursor.is_empty(b'}', "an object")? {
        return Ok(());
    }
    let mut next = 0;
    loop {
        let key = cursor.key()?;
        let place = match fields.get(next) {
            Some((name, _)) if *name == key => Some(next),
            _ => match &places {
                Some(places) => places.get(&*key).copied(),
                None => fields.iter().position(|(name, _)| *name == key),
            },
        };
        let place = match place {
            Some(place) => place,
            // A dictionary, whose keys nobody wants as columns.
            None if depth > 0 && fields.len() > MAX_NESTED_KEYS => fields.len(),
            None if fields.len() >= MAX_KEYS => {
                return cursor.refused(format!("the objects have more than {MAX_KEYS} different keys"));
            }
            None => {
                let key = key.into_owned();
                if let Some(places) = places.as_deref_mut() {
                    places.insert(key.clone(), fields.len());
                }
                fields.push((key, Shape::Null));
                fields.len() - 1
            }
        };
        next = place + 1;
        saw(place);
        match fields.get_mut(place) {
            Some((_, shape)) => shape.see(cursor, depth + 1, meanings)?,
            None => {
                let token = cursor.value()?;
                cursor.check(&token)?;
            }
        }
        if !cursor.has_next(b'}', "an object")? {
            return Ok(());
        }
    }
}
