//! Dates, times and bytes inside JSON: as texts, each of which a value has.
//!
//! Arrow's own writer of JSON writes `ERROR: …` where its calendar has no such date, or its clock no such time.

use arrow::{
    array::Array,
    datatypes::FieldRef,
    error::ArrowError,
    json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder},
};
use bytes::BytesMut;

use super::{Form, Writer, time_or_bytes};

/// As JSON has them, instants in their column's zone.
const FORM: Form = Form { zone: None, in_micros: false, is_json: true };

/// What encodes dates, times and bytes; other types are encoded as they are by default.
#[derive(Debug)]
pub(crate) struct Json;

impl EncoderFactory for Json {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let writer = time_or_bytes(array, FORM).map_err(|error| ArrowError::from_external_error(Box::new(error)))?;
        Ok(writer.map(|write| {
            let encoder = Quoted { write, text: BytesMut::new() };
            NullableEncoder::new(Box::new(encoder), array.nulls().cloned())
        }))
    }
}

struct Quoted<'a> {
    write: Writer<'a>,
    text: BytesMut,
}

impl Encoder for Quoted<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        self.text.clear();
        // The writers of these types do not fail.
        let _never_fails = (self.write)(&mut self.text, row);
        out.push(b'"');
        for byte in &self.text {
            if *byte == b'\\' {
                out.push(b'\\');
            }
            out.push(*byte);
        }
        out.push(b'"');
    }
}
