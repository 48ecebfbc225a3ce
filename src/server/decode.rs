//! Parameters of Bind to scalars of the type that the statement was described with.
//!
//! What a value is made of, `pgtype` knows; here each that is none of its type becomes an error that names the parameter.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use pgwire::messages::data::FORMAT_CODE_BINARY;

use super::failure::Failure;
use crate::Fault;
use crate::error::ConnectionFault;
use crate::pgtype::{
    self, ColumnType, InSession, NoNumber, Unreadable, by_oid, read_binary, read_null, read_string, read_text,
    read_typed,
};
use crate::planning;

/// One parameter's place and types, for reading its value and for naming it in errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter<'a> {
    /// Its number, from 1.
    pub(super) number: usize,
    /// The type on the wire: what the client declared, else what it was told.
    pub(super) oid: u32,
    /// The type that the statement takes.
    pub(super) target: &'a DataType,
}

impl Parameter<'_> {
    /// The parameter's value in the given format, of which text is read in a session; none is null.
    pub(super) fn decode(
        self,
        bytes: Option<&[u8]>,
        format: i16,
        session: InSession<'_>,
    ) -> Result<ScalarValue, Failure> {
        let value = match bytes {
            None => return read_null(self.target).map_err(|why| self.refused(why)),
            Some(bytes) if format == FORMAT_CODE_BINARY => match by_oid(self.oid) {
                Some(pg) => read_binary(pg, bytes, self.target),
                None => Err(Unreadable::Unsupported("this")),
            },
            Some(bytes) => read_string(bytes).and_then(|text| match by_oid(self.oid) {
                Some(pg) => read_typed(pg, text, self.target, session),
                None => read_text(text, self.target, session),
            }),
        };
        let value = value.map_err(|why| self.refused(why))?;
        // A numeric keeps the scale that it came with, and an array its dimensions too: to cut it to the column's would change
        // what is compared.
        let keeps_its_own = self.oid == pgtype::NUMERIC.oid || pgtype::element(&value.data_type()).is_some();
        if keeps_its_own || value.data_type() == *self.target {
            return Ok(value);
        }
        value.cast_to(self.target).map_err(|_| self.refused(Unreadable::Text(value.to_string())))
    }

    /// What a person is told of its type.
    fn kind(self) -> String {
        let told = by_oid(self.oid).filter(|pg| ColumnType::plain(pg).has_to_be_told());
        told.unwrap_or(pgtype::of(pgtype::innermost(self.target)).pg).word(None)
    }

    fn refused(self, why: Unreadable) -> Failure {
        let told = |what: String| format!("parameter ${}: {what}", self.number);
        match why {
            Unreadable::Text(text) | Unreadable::Number(text, NoNumber::Syntax) => {
                // A long value would hide the message.
                let shown: String = text.chars().take(80).collect();
                let kind = self.kind();
                Failure::statement(Fault::InvalidText, told(format!("\"{shown}\" is not a value of type {kind}")))
            }
            Unreadable::Array(text) => {
                let shown: String = text.chars().take(80).collect();
                Failure::statement(Fault::InvalidText, told(format!("malformed array literal: \"{shown}\"")))
            }
            Unreadable::LowerBound(_) => {
                let message = told("the places of an array count from 1; leave its bounds out".to_owned());
                Failure::statement(Fault::FeatureNotSupported, message)
            }
            Unreadable::Dimensions { found, wanted } => {
                let message =
                    told(format!("the array has {found} dimensions, and {wanted} are taken; cast the parameter"));
                Failure::statement(Fault::FeatureNotSupported, message)
            }
            Unreadable::Time(text, why) => {
                let failure = planning::unfit(&text, pgtype::innermost(self.target), why);
                Failure::statement(failure.fault(), told(failure.to_string()))
            }
            Unreadable::Number(text, why) => {
                let failure = planning::no_number(&text, pgtype::innermost(self.target), why);
                Failure::statement(failure.fault(), told(failure.to_string()))
            }
            Unreadable::Binary => {
                let message = told(format!("not a binary value of type {}", pgtype::name_of(self.oid)));
                Failure::protocol(ConnectionFault::InvalidBinary, message)
            }
            Unreadable::Encoding(what) => Failure::protocol(ConnectionFault::InvalidEncoding, told(what)),
            Unreadable::OutOfRange(pg) => {
                let is_number = pg.category == pgtype::NUMERIC.category;
                let fault = if is_number { Fault::NumericOutOfRange } else { Fault::DatetimeOutOfRange };
                Failure::statement(fault, told(format!("{} out of range", pg.word(None))))
            }
            Unreadable::Unsupported(what) => {
                let kind = pgtype::name_of(self.oid);
                let message = told(format!("{what} cannot be read as a value of type {kind}; send text"));
                Failure::statement(Fault::FeatureNotSupported, message)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
