//! `chr` of what is no character of a text is refused, as in PostgreSQL.
//!
//! ```sql
//! SELECT chr(65), chr(8364)
//! ```
//!
//! DataFusion's makes a text of a zero byte, which no client can be sent.

use std::sync::Arc;

use arrow::{
    array::AsArray,
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::Result,
    functions::string::chr,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

use super::texts::rows;
use crate::{Error, Fault};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Chr { inner: chr() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Chr {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Chr {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = rows(&call.args, call.number_rows);
        for argument in &call.args {
            let numbers = cast(&argument.to_array(rows)?, &DataType::Int64)?;
            if let Some(error) = numbers.as_primitive::<Int64Type>().iter().flatten().find_map(wrong) {
                return Err(error.into());
            }
        }
        self.inner.invoke_with_args(call)
    }
}

fn wrong(number: i64) -> Option<Error> {
    let (fault, message) = match u32::try_from(number) {
        _ if number < 0 => (Fault::InvalidArgument, "character number must be positive".to_owned()),
        Ok(0) => (Fault::LimitExceeded, "null character not permitted".to_owned()),
        Ok(code) if code <= u32::from(char::MAX) => match char::from_u32(code) {
            Some(_) => return None,
            None => (Fault::LimitExceeded, format!("requested character not valid for encoding: {number}")),
        },
        _ => (Fault::LimitExceeded, format!("requested character too large for encoding: {number}")),
    };
    Some(Error::new(fault, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 says them.
    #[test]
    fn numbers_of_no_character_are_wrong() {
        for (number, said) in [
            (-1, Some("character number must be positive")),
            (0, Some("null character not permitted")),
            (1, None),
            (0xd800, Some("requested character not valid for encoding: 55296")),
            (0x0010_ffff, None),
            (0x0011_0000, Some("requested character too large for encoding: 1114112")),
            (i64::MAX, Some("requested character too large for encoding: 9223372036854775807")),
        ] {
            assert_eq!(wrong(number).map(|error| error.to_string()).as_deref(), said, "{number}");
        }
    }
}
