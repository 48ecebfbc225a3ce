//! `nextval`, `currval`, `setval` and `lastval`: there are no sequences, and what asks for one is told so as PostgreSQL does.
//!
//! ```sql
//! SELECT nextval('numbers')
//! ```

use arrow::{array::Array, datatypes::DataType};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility},
};

use crate::{Error, Fault};

/// The functions of sequences, which never yield a value.
pub(super) fn functions() -> impl Iterator<Item = ScalarUDF> {
    ["currval", "lastval", "nextval", "setval"]
        .into_iter()
        .map(|name| ScalarUDF::from(OfSequence { name, signature: signature(name) }))
}

fn signature(name: &str) -> Signature {
    match name {
        "lastval" => Signature::nullary(Volatility::Volatile),
        "setval" => Signature::one_of(vec![TypeSignature::Any(2), TypeSignature::Any(3)], Volatility::Volatile),
        _ => Signature::any(1, Volatility::Volatile),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfSequence {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for OfSequence {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(sequence) = call.args.first() else {
            return Err(Error::new(Fault::WrongState, "lastval is not yet defined in this session").into());
        };
        // Of NULL there is NULL.
        let names = sequence.to_array(call.number_rows)?;
        match (0..names.len()).find(|row| names.is_valid(*row)) {
            None => Ok(ColumnarValue::Scalar(ScalarValue::Int64(None))),
            Some(row) => {
                let name = ScalarValue::try_from_array(&names, row)?;
                let message = format!("relation \"{name}\" does not exist: there are no sequences here");
                Err(Error::new(Fault::UndefinedTable, message).into())
            }
        }
    }
}
