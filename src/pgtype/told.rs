//! Types that Arrow does not tell apart: a field says in its metadata which of them its values are of.
//!
//! `varchar(10)`, `uuid` and `jsonb` are texts to Arrow, `oid` is a bigint, and `timestamp(3)` any timestamp. What is said stands under the key of the names of
//! Arrow's extension types, because the query engine knows it: a cast to another type takes it from what it casts, and a
//! function's values have none unless it says so. It is one key, so that what is kept of a table is always written alike. What
//! says no more than Arrow's type is left out, as of a `timestamp` without digits, and a type that the values cannot be of is not believed.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field};
use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;

use super::{
    BPCHAR, ColumnType, Fields, Form, HEADER, INT2, INT2VECTOR, Modifier, PgType, by_name, by_oid, element, innermost,
    list_of, of, type_name,
};

/// What the name begins with, before the type's and its modifier.
const PREFIX: &str = "fusewire.";

/// The type that a column is: what its field says, else what its Arrow type is.
pub fn of_field(field: &Field) -> ColumnType {
    told(field).unwrap_or_else(|| of(field.data_type()))
}

/// What SQL calls the type of a column.
pub fn field_name(field: &Field) -> String {
    told(field).map_or_else(|| type_name(field.data_type()), ColumnType::word)
}

/// The type that a field says its values are of; none if it says nothing.
pub fn told(field: &Field) -> Option<ColumnType> {
    let said = field.metadata().get(EXTENSION_TYPE_NAME_KEY)?.strip_prefix(PREFIX)?;
    let (name, modifier) = match said.split_once(' ') {
        Some((name, modifier)) => (name, modifier.parse().ok()?),
        None => (said, -1),
    };
    let told = ColumnType { pg: by_name(name)?, modifier };
    (can_be(field.data_type(), told.pg) && told.says_more()).then_some(told)
}

/// The type of this number, where fields have to say it of values that Arrow has as `arrow`.
pub(crate) fn told_of(oid: u32, arrow: &DataType) -> Option<ColumnType> {
    let told = ColumnType::plain(by_oid(oid)?);
    (told.has_to_be_told() && can_be(arrow, told.pg)).then_some(told)
}

/// Whether values of an Arrow type can be of a type that it does not tell.
fn can_be(arrow: &DataType, pg: &PgType) -> bool {
    match pg.form {
        Form::Text | Form::Uuid | Form::Jsonb | Form::Regtype => arrow.is_string(),
        // A function without a value has an empty text, and what nothing is computed with is the text that is shown.
        Form::Other => arrow.is_string(),
        Form::Oid => *arrow == DataType::Int64,
        // Digits of a second, and fields, are said of any such value.
        Form::Time | Form::ZonedTime | Form::Timestamp | Form::Instant | Form::Interval => of(arrow).pg.oid == pg.oid,
        Form::Array if pg.oid == INT2VECTOR.oid => of(arrow).pg.oid == INT2.array,
        Form::Array => element(arrow).zip(pg.element_type()).is_some_and(|(_, pg)| can_be(innermost(arrow), pg)),
        _ => false,
    }
}

impl ColumnType {
    /// A type without a modifier.
    pub fn plain(pg: &'static PgType) -> Self {
        Self { pg, modifier: -1 }
    }

    /// A type of texts of so many characters.
    pub fn of_length(pg: &'static PgType, length: i32) -> Self {
        Self { pg, modifier: length.saturating_add(HEADER) }
    }

    /// The most characters of its texts, where it says so.
    pub fn length(self) -> Option<i32> {
        (self.pg.modifier == Modifier::Length && self.modifier >= HEADER).then(|| self.modifier - HEADER)
    }

    /// Whether the Arrow type of its values says of another type that it is theirs, or less than its modifier, and a field has
    /// to say this one.
    pub fn has_to_be_told(self) -> bool {
        let is_other = self.pg.arrow(self.modifier).is_some_and(|arrow| of(&arrow).pg.oid != self.pg.oid);
        is_other || self.is_of_time() && self.modifier != -1
    }

    /// Whether a field that says it says more than the Arrow type of its values.
    pub fn says_more(self) -> bool {
        !self.is_of_time() || self.modifier != -1
    }

    /// Whether it is a type whose values are those of Arrow's and whose modifier rounds or cuts them.
    pub fn is_of_time(self) -> bool {
        matches!(self.pg.form, Form::Time | Form::ZonedTime | Form::Timestamp | Form::Instant | Form::Interval)
    }

    /// The digits of a second that its values have, where its modifier says them.
    pub fn second_digits(self) -> Option<u32> {
        match self.pg.modifier {
            Modifier::Seconds => u32::try_from(self.modifier).ok(),
            Modifier::Fields => Fields::of_modifier(self.modifier).digits,
            _ => None,
        }
    }

    /// The Arrow type of values of a type that a field has to say; of arrays, of those with one dimension.
    pub fn arrow(self) -> DataType {
        match (self.pg.form, self.item()) {
            (Form::Oid, _) => DataType::Int64,
            _ if self.is_of_time() => self.pg.arrow(self.modifier).unwrap_or(DataType::Utf8View),
            (Form::Array, Some(item)) => list_of(item.arrow()),
            _ => DataType::Utf8View,
        }
    }

    /// The type of an array's elements, which has its modifier; none of one that is no array.
    pub fn item(self) -> Option<Self> {
        self.pg.element_type().map(|pg| Self { pg, ..self })
    }

    /// The type of arrays of such values; itself, if there is none.
    pub fn in_arrays(self) -> Self {
        Self { pg: self.pg.array_type().unwrap_or(self.pg), ..self }
    }

    /// The type of what is made of values of this one without a word of its type, where a field has to say it: it has no
    /// modifier, but for the length that texts are filled up to where they are shown.
    pub(crate) fn unmodified(self) -> Option<Self> {
        let is_padded = self.item().unwrap_or(self).is_padded();
        let plain = if is_padded { self } else { Self::plain(self.pg) };
        plain.has_to_be_told().then_some(plain)
    }

    /// What a field of the type says.
    pub fn metadata(self) -> HashMap<String, String> {
        let said = match self.modifier {
            -1 => format!("{PREFIX}{}", self.pg.name),
            modifier => format!("{PREFIX}{} {modifier}", self.pg.name),
        };
        HashMap::from([(EXTENSION_TYPE_NAME_KEY.to_owned(), said)])
    }

    /// Whether its texts may have blanks at their ends, which do not count where they are compared.
    pub fn keeps_blanks(self) -> bool {
        self.pg.oid == BPCHAR.oid && self.length().is_none()
    }

    /// Whether its texts are filled up to their length where they are shown.
    pub fn is_padded(self) -> bool {
        self.pg.oid == BPCHAR.oid && self.length().is_some()
    }
}

/// A field without what it says of its type.
pub(crate) fn untold(field: &Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.remove(EXTENSION_TYPE_NAME_KEY);
    field.clone().with_metadata(metadata)
}

/// What a field says of its type, and nothing else that it says.
pub(crate) fn only_told(field: &Field) -> HashMap<String, String> {
    told(field).map(ColumnType::metadata).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;
    use crate::pgtype::{INT8, JSONB, NAME, OID, TEXT, TIMESTAMP, UNKNOWN, UUID, VARCHAR, VOID, list_of};

    fn field(data_type: DataType, said: ColumnType) -> Field {
        Field::new("c", data_type, true).with_metadata(said.metadata())
    }

    #[test]
    fn a_field_says_what_arrow_does_not_tell() {
        for (data_type, pg) in [
            (DataType::Utf8View, &VARCHAR),
            (DataType::Utf8, &UUID),
            (DataType::LargeUtf8, &JSONB),
            (DataType::Int64, &OID),
            (DataType::Utf8, &VOID),
            (list_of(DataType::Utf8), NAME.array_type().unwrap()),
            (list_of(list_of(DataType::Utf8View)), UUID.array_type().unwrap()),
            (list_of(DataType::Int64), OID.array_type().unwrap()),
        ] {
            let said = ColumnType::plain(pg);
            assert_eq!(told(&field(data_type.clone(), said)), Some(said), "{}", pg.name);
            assert_eq!(of_field(&untold(&field(data_type.clone(), said))), of(&data_type));
        }
        let said = ColumnType::of_length(&VARCHAR, 10);
        assert_eq!((said.modifier, said.length()), (14, Some(10)));
        assert_eq!(told(&field(DataType::Utf8View, said)), Some(said));
        assert_eq!(field_name(&field(DataType::Utf8View, said)), "character varying(10)");
        assert_eq!(field_name(&Field::new("c", DataType::Utf8View, true)), "text");
        let (arrays, list) = (said.in_arrays(), list_of(DataType::Utf8View));
        assert_eq!((arrays.pg.name, arrays.item(), arrays.arrow()), ("_varchar", Some(said), list.clone()));
        assert_eq!(field_name(&field(list, arrays)), "character varying(10)[]");
        let said = ColumnType { pg: &TIMESTAMP, modifier: 3 };
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(told(&field(micros.clone(), said)), Some(said));
        assert_eq!(field_name(&field(micros.clone(), said)), "timestamp(3)");
        assert_eq!(told(&field(micros, ColumnType::plain(&TIMESTAMP))), None);
    }

    #[test]
    fn what_values_cannot_be_is_not_believed() {
        for (data_type, pg) in [(DataType::Int32, &VARCHAR), (DataType::Utf8, &OID), (DataType::Utf8, &INT8)] {
            let field = field(data_type.clone(), ColumnType::plain(pg));
            assert_eq!(told(&field), None);
            assert_eq!(of_field(&field), of(&data_type));
        }
        let other = [(EXTENSION_TYPE_NAME_KEY.to_owned(), "arrow.uuid".to_owned())];
        assert_eq!(told(&Field::new("c", DataType::Utf8, true).with_metadata(other.into())), None);
    }

    #[test]
    fn only_what_arrow_does_not_tell_has_to_be_told() {
        for pg in [&VARCHAR, &BPCHAR, &NAME, &UUID, &JSONB, &OID] {
            assert!(ColumnType::plain(pg).has_to_be_told(), "{}", pg.name);
        }
        for pg in [&TEXT, &INT8, &TIMESTAMP] {
            assert!(!ColumnType::plain(pg).has_to_be_told(), "{}", pg.name);
        }
        let texts = list_of(DataType::Utf8);
        assert_eq!(told_of(UUID.array, &texts), Some(ColumnType::plain(&UUID).in_arrays()));
        for (oid, arrow) in [
            (UUID.oid, &DataType::Int32),
            (UUID.oid, &texts),
            (TEXT.oid, &DataType::Utf8),
            (TEXT.array, &texts),
            (UNKNOWN.oid, &DataType::Utf8),
            (VOID.oid, &DataType::Utf8),
            (0, &DataType::Utf8),
        ] {
            assert_eq!(told_of(oid, arrow), None, "{oid} {arrow}");
        }
    }
}
