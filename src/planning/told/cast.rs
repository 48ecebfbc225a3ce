//! Values that become values of a type that their fields have to say, and those that become others.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Int64Array, StringViewArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef, Int64Type},
};
use datafusion::{
    common::{DFSchema, Result, ScalarValue, metadata::FieldMetadata, utils::take_function_args},
    functions::string::ascii,
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility, lit,
    },
};

use super::{
    super::{
        BECOME_TOLD, MAKE_TOLD, arrays,
        casts::no_cast,
        columnar::{called_as_operand, made_of, within},
        open_operands::is_open,
        read_texts::is_read,
    },
    blanks, padded,
};
use crate::{
    fault::{self, Failure, Fault},
    functions::{called, no_json, rounding},
    pgtype::{
        self, BPCHAR, Becoming, CHAR, ColumnType, Context, Form, JSON, JSONB, NAME, PgType, TEXT, Untold, VARCHAR,
        as_told, cast_between, dimensions_of, nested,
    },
};

/// The name of a field that only says which type values are of: they are values of it already.
const SAYS: &str = "told";

/// A value as one of a type that its field has to say. `from` is what the value is told to be.
pub(in crate::planning) fn told_as(
    value: Expr,
    from: Option<ColumnType>,
    (wanted, becoming): (ColumnType, Becoming),
    schema: &DFSchema,
) -> Result<Expr> {
    if wanted.item().is_some() {
        let written = arrays::as_written(&value, nested(1, DataType::Utf8View));
        let own = if is_open(&value) { written } else { value.get_type(schema)? };
        let dimensions = dimensions_of(&own).max(1);
        return array_told_as(value, from, (wanted, becoming), dimensions, schema);
    }
    if let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &value
        && !wanted.is_of_time()
    {
        return literal(text, wanted, becoming);
    }
    let own = value.get_type(schema)?;
    let given = from.map_or_else(|| pgtype::of(&own).pg, |from| from.pg);
    let is_free = is_open(&value) || own.is_null();
    if !is_free && cast_between(given, wanted.pg).is_none() && wanted.pg.category != TEXT.category {
        return Err(no_cast(&named(from, &own), &wanted.pg.word(None)));
    }
    if wanted.is_of_time() {
        return Ok(if from == Some(wanted) { value } else { rounded(value, wanted) });
    }
    if let Some(from) = from {
        let is_fixed = from.pg == &VARCHAR && wanted.keeps_blanks();
        let keeps = from.pg == wanted.pg && wanted.modifier == -1 || from.pg == &JSONB && wanted.pg == &JSON;
        if from == wanted {
            return Ok(value);
        }
        if from.is_padded() && wanted.keeps_blanks() {
            return Ok(blanks::in_common(value, from, wanted));
        }
        if keeps || is_fixed {
            return Ok(said(value, own, Some(wanted)));
        }
    }
    let form = match wanted.pg.form {
        Form::Oid if own.is_integer() => DataType::Int64,
        _ => DataType::Utf8View,
    };
    let value = match from {
        Some(from) if from.pg == &BPCHAR => of_fixed(value, from, wanted),
        _ => value,
    };
    let becomes = Becomes { wanted, dimensions: 0, becoming, was: Was::of(&own, wanted) };
    Ok(becomes.of(value, &own, form))
}

/// A fixed text as another type reads it: other texts without the blanks at its end, and whatever else as it is shown.
fn of_fixed(mut value: Expr, from: ColumnType, wanted: ColumnType) -> Expr {
    if [VARCHAR.oid, NAME.oid, BPCHAR.oid].contains(&wanted.pg.oid) {
        return blanks::in_common(value, from, wanted);
    }
    padded::fill(&mut value, from);
    value
}

/// The same in a place of this Arrow type, which says how many dimensions an array has.
pub(super) fn told_in(
    value: Expr,
    from: Option<ColumnType>,
    (wanted, becoming): (ColumnType, Becoming),
    place: &DataType,
    schema: &DFSchema,
) -> Result<Expr> {
    match wanted.item() {
        Some(_) => array_told_as(value, from, (wanted, becoming), dimensions_of(place), schema),
        None => told_as(value, from, (wanted, becoming), schema),
    }
}

/// A text, or an array of any elements, as an array of so many dimensions whose field has to say its type.
fn array_told_as(
    value: Expr,
    from: Option<ColumnType>,
    (wanted, becoming): (ColumnType, Becoming),
    dimensions: usize,
    schema: &DFSchema,
) -> Result<Expr> {
    let Some(item) = wanted.item() else { return Ok(value) };
    let own = value.get_type(schema)?;
    let given = from.map_or_else(|| pgtype::of(&own).pg, |from| from.pg);
    if !is_open(&value) && !own.is_null() && cast_between(given, wanted.pg).is_none() {
        return Err(no_cast(&named(from, &own), &wanted.word()));
    }
    if let Some(from) = from.filter(|_| dimensions_of(&own) == dimensions) {
        if from == wanted {
            return Ok(value);
        }
        if from.pg == wanted.pg && wanted.modifier == -1 {
            return Ok(said(value, own, Some(wanted)));
        }
    }
    // A text in quotes may have numbers below zero.
    let form = if item.pg.form == Form::Oid && !is_open(&value) { DataType::Int64 } else { DataType::Utf8View };
    let becomes = Becomes { wanted: item, dimensions, becoming, was: Was::of(pgtype::innermost(&own), item) };
    Ok(becomes.of(value, &own, nested(dimensions, form)))
}

/// Texts as values of a type that a field has to say, as they are stored.
pub(in crate::planning) fn stored_texts(texts: &ArrayRef, wanted: ColumnType) -> Result<ArrayRef> {
    Becomes { wanted, dimensions: 0, becoming: Becoming::Stored, was: Was::Other }.all(texts)
}

/// What values were of which others are made that their form does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Was {
    /// Numbers of four bytes or fewer: those below zero are large numbers of objects.
    Short,
    /// Numbers of characters.
    Code,
    /// Truth values, which are letters and no words as names.
    Truth,
    Other,
}

impl Was {
    fn of(own: &DataType, wanted: ColumnType) -> Self {
        match own {
            DataType::Boolean if wanted.pg.oid == NAME.oid => Self::Truth,
            number if number.is_integer() && wanted.pg.oid == CHAR.oid => Self::Code,
            DataType::Int16 | DataType::Int32 => Self::Short,
            _ => Self::Other,
        }
    }
}

/// A value as one of a type of times, rounded to the digits that its modifier says, or cut to its fields.
fn rounded(value: Expr, wanted: ColumnType) -> Expr {
    let arrow = wanted.arrow();
    let cast = Expr::Cast(Cast::new(Box::new(value), arrow.clone()));
    let value = match rounding(wanted.pg) {
        Some(function) => called(function, vec![cast, lit(wanted.modifier)]),
        None => cast,
    };
    said(value, arrow, Some(wanted))
}

/// A text in quotes as one of a type.
fn literal(text: &str, wanted: ColumnType, becoming: Becoming) -> Result<Expr> {
    let becomes = Becomes { wanted, dimensions: 0, becoming, was: Was::Other };
    let value = match wanted.pg.form {
        Form::Oid => ScalarValue::Int64(Some(oid(text)?)),
        _ => ScalarValue::Utf8View(Some(becomes.text(text)?.into_owned())),
    };
    Ok(Expr::Literal(value, Some(FieldMetadata::from(wanted.metadata()))))
}

/// A value of a type that its field says as one of another type, which Arrow tells.
pub(super) fn other(mut value: Expr, from: ColumnType, field: FieldRef, schema: &DFSchema) -> Result<Expr> {
    let wanted = field.data_type();
    if from.item().is_some() {
        if cast_between(from.pg, pgtype::of(wanted).pg).is_none() {
            return Err(no_cast(&from.word(), &pgtype::type_name(wanted)));
        }
        // The text of an array shows its elements; elsewhere they become values by themselves.
        if wanted.is_string() {
            padded::pad(&mut value, schema);
        }
        return Ok(Expr::Cast(Cast::new_from_field(Box::new(value), field)));
    }
    if from.pg == &BPCHAR {
        // What is read is read with its blanks, and where it is needed: a text that says nothing would be read at once.
        if wanted.is_binary() || is_read(wanted) {
            padded::fill(&mut value, from);
        } else {
            value = blanks::in_common(value, from, ColumnType::plain(&TEXT));
        }
    }
    let is_text = wanted.is_string() || from.pg.category == TEXT.category;
    let is_number = from.pg.form == Form::Oid && wanted.is_integer();
    let value = match from.pg.form {
        _ if is_text || is_number || from.is_of_time() => value,
        Form::Jsonb if *wanted == DataType::Boolean || wanted.is_numeric() => super::scalars::scalar(value, wanted),
        _ if from.pg.oid == CHAR.oid && *wanted == DataType::Int32 => ascii().call(vec![value]),
        _ => return Err(no_cast(&from.word(), &pgtype::type_name(wanted))),
    };
    Ok(Expr::Cast(Cast::new_from_field(Box::new(value), field)))
}

/// A value of this Arrow type whose field says that it is of a type, or of none.
pub(in crate::planning) fn said(value: Expr, arrow: DataType, told: Option<ColumnType>) -> Expr {
    let field = Field::new(SAYS, arrow, true).with_metadata(told.map(ColumnType::metadata).unwrap_or_default());
    Expr::Cast(Cast::new_from_field(Box::new(value), Arc::new(field)))
}

/// Whether a cast only says of its values which type they are of.
pub(super) fn only_says(field: &Field) -> bool {
    field.name() == SAYS
}

/// Whether a call is one of those that values of such types are made with.
pub(super) fn is_call(function: &ScalarUDF) -> bool {
    function.inner().downcast_ref::<BecomeTold>().is_some()
}

/// The type of a value of this Arrow type, as it is written.
fn named(from: Option<ColumnType>, own: &DataType) -> String {
    from.map_or_else(|| pgtype::type_name(own), ColumnType::word)
}

/// What values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Becomes {
    /// The type; of arrays, that of their elements.
    wanted: ColumnType,
    /// How many arrays the values are in.
    dimensions: usize,
    becoming: Becoming,
    was: Was,
}

impl Becomes {
    /// A value of this Arrow type as one of the type, which is made of values in this form.
    fn of(self, value: Expr, own: &DataType, form: DataType) -> Expr {
        let value = if *own == form { value } else { Expr::Cast(Cast::new(Box::new(value), form)) };
        let function = BecomeTold { becomes: self, signature: Signature::any(1, Volatility::Immutable) };
        ScalarUDF::new_from_impl(function).call(vec![value])
    }

    /// The type that the field of the values says.
    fn told(self) -> ColumnType {
        if self.dimensions == 0 { self.wanted } else { self.wanted.in_arrays() }
    }

    fn arrow(self) -> DataType {
        nested(self.dimensions, self.wanted.arrow())
    }

    /// Whether there are texts that are no values of the type.
    fn can_fail(self) -> bool {
        let is_cut = self.becoming == Becoming::Cast || self.wanted.length().is_none();
        self.wanted.pg.category != TEXT.category || !is_cut
    }

    fn text(self, text: &str) -> fault::Result<Cow<'_, str>> {
        match self.was {
            Was::Code => character(text).map(Cow::Owned),
            Was::Truth => Ok(Cow::Owned(text.chars().take(1).collect())),
            Was::Short | Was::Other => {
                let is_element = self.dimensions > 0 && self.wanted.keeps_blanks();
                let text = if is_element { text.trim_end_matches(' ') } else { text };
                as_told(text, self.wanted, self.becoming).map_err(|unfit| self.refused(text, unfit))
            }
        }
    }

    fn refused(self, text: &str, unfit: Untold) -> Failure {
        let kind = self.wanted.word();
        let (fault, message) = match unfit {
            Untold::Syntax => (Fault::InvalidText, format!("invalid input syntax for type {kind}: \"{text}\"")),
            Untold::NoType => (Fault::UndefinedObject, format!("type \"{text}\" does not exist")),
            Untold::TooLong => (Fault::TextTooLong, format!("value too long for type {kind}")),
            Untold::Json(unfit) => return no_json(unfit),
            Untold::SeveralBytes => {
                let message = format!("\"{text}\" begins with a character of several bytes, and {kind} holds one");
                (Fault::FeatureNotSupported, message)
            }
        };
        Failure::new(fault, message)
    }

    fn all(self, values: &ArrayRef) -> Result<ArrayRef> {
        if self.wanted.pg.form == Form::Oid {
            return self.oids(values);
        }
        let texts = cast(values, &DataType::Utf8View)?;
        let each = texts.as_string_view().iter().map(|text| text.map(|text| self.text(text)).transpose());
        Ok(Arc::new(each.collect::<fault::Result<StringViewArray>>()?))
    }

    fn oids(self, values: &ArrayRef) -> Result<ArrayRef> {
        if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
            let each = numbers.iter().map(|number| number.map(|number| self.of_number(number)).transpose());
            return Ok(Arc::new(each.collect::<fault::Result<Int64Array>>()?));
        }
        let texts = cast(values, &DataType::Utf8View)?;
        let each = texts.as_string_view().iter().map(|text| text.map(oid).transpose());
        Ok(Arc::new(each.collect::<fault::Result<Int64Array>>()?))
    }

    fn of_number(self, number: i64) -> fault::Result<i64> {
        let number = if self.was == Was::Short && number < 0 { number + BEYOND_OIDS } else { number };
        match (0..BEYOND_OIDS).contains(&number) {
            true => Ok(number),
            false => Err(Failure::new(Fault::NumericOutOfRange, "OID out of range")),
        }
    }
}

/// The first number that is none of an object.
const BEYOND_OIDS: i64 = 1 << 32;

/// The number of an object that a text is.
fn oid(text: &str) -> fault::Result<i64> {
    let trimmed = text.trim_ascii();
    let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Failure::new(Fault::InvalidText, format!("invalid input syntax for type oid: \"{text}\"")));
    }
    let least = i64::from(i32::MIN);
    match trimmed.parse::<i64>() {
        Ok(number) if (0..BEYOND_OIDS).contains(&number) => Ok(number),
        Ok(number) if (least..0).contains(&number) => Ok(number + BEYOND_OIDS),
        _ => Err(Failure::new(Fault::NumericOutOfRange, format!("value \"{text}\" is out of range for type oid"))),
    }
}

/// The character of a number that is written.
fn character(number: &str) -> fault::Result<String> {
    match number.parse::<i8>().map(u8::try_from) {
        Ok(Ok(0)) => Ok(String::new()),
        Ok(Ok(code)) => Ok(char::from(code).to_string()),
        Ok(Err(_)) => {
            let message = format!("{number} is the byte of no character; numbers of \"char\" are from 0 to 127 here");
            Err(Failure::new(Fault::FeatureNotSupported, message))
        }
        Err(_) => Err(Failure::new(Fault::NumericOutOfRange, "\"char\" out of range")),
    }
}

/// `make_told(value)`, which never fails, and `become_told(value)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct BecomeTold {
    becomes: Becomes,
    signature: Signature,
}

impl ScalarUDFImpl for BecomeTold {
    fn name(&self) -> &str {
        if self.becomes.can_fail() { BECOME_TOLD } else { MAKE_TOLD }
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.becomes.arrow())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        let field = Field::new(self.name(), self.becomes.arrow(), nullable);
        Ok(Arc::new(field.with_metadata(self.becomes.told().metadata())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = take_function_args(self.name(), &call.args)?;
        made_of(value, |values| within(values, &|values| self.becomes.all(values)))
    }
}

/// Whether PostgreSQL casts values of one type to another where they are stored.
pub(in crate::planning) fn is_stored_as(from: &PgType, to: &PgType) -> bool {
    cast_between(from, to).is_some_and(|context| context <= Context::Assignment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgtype::{OID, UUID};

    /// `SELECT 'text'::oid`, `SELECT number::int4::oid` and `::int8::oid` of PostgreSQL 15.
    #[test]
    fn numbers_of_objects_have_no_sign() {
        for (text, expected) in [("5", 5), (" 5 ", 5), ("-1", 4_294_967_295), ("4294967295", 4_294_967_295)] {
            assert_eq!(oid(text).ok(), Some(expected), "{text}");
        }
        for text in ["", "abc", "1.5", "99999999999", "- 1"] {
            assert!(oid(text).is_err(), "{text}");
        }
        let wanted = ColumnType::plain(&OID);
        let becomes = |was| Becomes { wanted, dimensions: 0, becoming: Becoming::Cast, was };
        assert_eq!(becomes(Was::Short).of_number(-1).ok(), Some(4_294_967_295));
        assert!(becomes(Was::Other).of_number(-1).is_err() && becomes(Was::Other).of_number(4_294_967_296).is_err());
    }

    /// `SELECT number::"char"` of PostgreSQL 15.
    #[test]
    fn numbers_are_those_of_characters() {
        for (number, expected) in [("65", "A"), ("127", "\u{7f}"), ("2", "\u{2}"), ("0", "")] {
            assert_eq!(character(number).ok().as_deref(), Some(expected), "{number}");
        }
        assert!(character("128").is_err() && character("-1").is_err());
    }

    #[test]
    fn cutting_never_fails() {
        let can_fail = |wanted, becoming| Becomes { wanted, dimensions: 0, becoming, was: Was::Other }.can_fail();
        assert!(!can_fail(ColumnType::of_length(&VARCHAR, 3), Becoming::Cast));
        assert!(can_fail(ColumnType::of_length(&VARCHAR, 3), Becoming::Stored));
        assert!(!can_fail(ColumnType::plain(&BPCHAR), Becoming::Stored));
        assert!(can_fail(ColumnType::plain(&UUID), Becoming::Cast));
    }
}
