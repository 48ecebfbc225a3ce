//! Values inside JSON that Arrow's own writer of JSON has no text for.
//!
//! It writes `ERROR: …` where its calendar has no such date, or its clock no such time, null for NaN and the infinities, and
//! refuses maps whose keys are no texts.

use std::{
    fmt::Debug,
    io::Write,
    sync::{Arc, LazyLock},
};

use arrow::{
    array::{Array, ArrayRef, AsArray, MapArray, StringArray, StringBuilder},
    datatypes::{DataType, Field, FieldRef, Float16Type, Float32Type, Float64Type},
    error::ArrowError,
    json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, WriterBuilder, make_encoder},
};
use bytes::BytesMut;

use super::{Form, Writer, texts, time_or_bytes};
use crate::{
    fault::Failure,
    pgtype::{DateOrder, DateStyle, FloatDigits, IntervalStyle, Styles},
};

/// How values become JSON: nulls are written, and all that [`Json`] has texts for.
pub(super) static JSON_OPTIONS: LazyLock<EncoderOptions> =
    LazyLock::new(|| EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(Json)));

/// As JSON has them, instants in their column's zone.
const FORM: Form = Form { zone: None, in_micros: false, is_json: true, styles: STYLES };
const STYLES: Styles = Styles {
    dates: DateStyle::Iso,
    order: DateOrder::Month,
    intervals: IntervalStyle::Postgres,
    floats: FloatDigits::Shortest,
};

/// The values of a column as JSON, each a text; null where they are.
pub(crate) fn json_texts(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    let field: FieldRef = Arc::new(Field::new("", array.data_type().clone(), true));
    let mut encoder = make_encoder(&field, array.as_ref(), &JSON_OPTIONS)?;
    let (mut texts, mut json) = (StringBuilder::with_capacity(array.len(), array.len() * 16), Vec::new());
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        json.clear();
        encoder.encode(row, &mut json);
        texts.append_value(String::from_utf8_lossy(&json));
    }
    Ok(texts.finish())
}

/// What makes writers of rows as objects that hold their nulls too, and all that [`Json`] has texts for.
pub(crate) fn json_writers() -> WriterBuilder {
    WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(Json))
}

/// What encodes dates, times and bytes as texts, floats that JSON has no numbers for by their names (`NaN`, `Infinity`,
/// `-Infinity`), and maps of any keys as objects; other types are encoded as they are by default.
#[derive(Debug)]
struct Json;

impl EncoderFactory for Json {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let found = match array.data_type() {
            DataType::Float16 => {
                let values = array.as_primitive::<Float16Type>();
                encoder(move |out, row| write_float(out, values.value(row).to_f32()))
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>();
                encoder(move |out, row| write_float(out, values.value(row)))
            }
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>();
                encoder(move |out, row| write_float(out, values.value(row)))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                if map.keys().data_type().is_string() {
                    return Ok(None);
                }
                object(field, map, options)?
            }
            _ => match time_or_bytes(array, FORM).map_err(external)? {
                Some(write) => quoted(write),
                None => return Ok(None),
            },
        };
        Ok(Some(NullableEncoder::new(found, array.nulls().cloned())))
    }
}

/// An encoder that is a function of the row.
struct By<F>(F);

impl<F: FnMut(&mut Vec<u8>, usize)> Encoder for By<F> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        (self.0)(out, row);
    }
}

fn encoder<'a>(write: impl FnMut(&mut Vec<u8>, usize) + 'a) -> Box<dyn Encoder + 'a> {
    Box::new(By(write))
}

fn external(error: Failure) -> ArrowError {
    ArrowError::from_external_error(Box::new(error))
}

fn write_float<T: Copy + Debug + Into<f64>>(out: &mut Vec<u8>, float: T) {
    let value: f64 = float.into();
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else {
        // Memory takes all that is written to it.
        let _never_fails = write!(out, "{float:?}");
    }
}

/// Texts that hold nothing to escape but backslashes.
fn quoted<'a>(mut write: Writer<'a>) -> Box<dyn Encoder + 'a> {
    let mut text = BytesMut::new();
    encoder(move |out, row| {
        text.clear();
        // The writers of these types do not fail.
        let _never_fails = write(&mut text, row);
        out.push(b'"');
        for byte in &text {
            if *byte == b'\\' {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    })
}

/// Maps whose keys are no texts, as objects whose names are the keys' texts.
fn object<'a>(
    field: &'a FieldRef,
    map: &'a MapArray,
    options: &'a EncoderOptions,
) -> Result<Box<dyn Encoder + 'a>, ArrowError> {
    let keys = texts(map.keys(), FORM).map_err(external)?;
    if keys.null_count() > 0 {
        return Err(ArrowError::InvalidArgumentError("a map has a key that is null".to_owned()));
    }
    let mut values = make_encoder(field, map.values().as_ref(), options)?;
    let offsets = map.value_offsets();
    Ok(encoder(move |out, row| {
        out.push(b'{');
        for (position, index) in (offsets[row]..offsets[row + 1]).enumerate() {
            if position > 0 {
                out.push(b',');
            }
            let index = index as usize;
            // Memory takes all that is written to it.
            let _never_fails = serde_json::to_writer(&mut *out, keys.value(index));
            out.push(b':');
            if values.is_null(index) {
                out.extend_from_slice(b"null");
            } else {
                values.encode(index, out);
            }
        }
        out.push(b'}');
    }))
}
