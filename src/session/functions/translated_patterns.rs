//! Patterns as the engine's operators match them, where a statement does not write them out: those that it does are
//! translated before it is planned.
//!
//! ```sql
//! SELECT name ~ regular_expression(pattern), name ~ regular_expression(pattern, 'i'), name ~ similar_expression(pattern, '#')
//! ```

use std::sync::Arc;

use arrow::{array::StringArray, datatypes::DataType};
use datafusion::{
    common::{Result, plan_err},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use super::texts::{Texts, result, rows};
use crate::{
    functions::{similar, translated},
    interrupt::step,
    planning::{REGULAR_EXPRESSION, SIMILAR_EXPRESSION},
};

/// Both functions.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [(REGULAR_EXPRESSION, false), (SIMILAR_EXPRESSION, true)].map(|(name, is_similar)| {
        ScalarUDF::from(Translated { name, is_similar, signature: Signature::user_defined(Volatility::Immutable) })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Translated {
    name: &'static str,
    /// Patterns are those of `SIMILAR TO`, with an escape character and not with options.
    is_similar: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Translated {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_text = |data_type: &DataType| match data_type {
            DataType::Dictionary(_, value) => value.is_string(),
            other => other.is_string() || other.is_null(),
        };
        match types {
            // Texts stay as they are, so that an operator that is looked at later finds the type that a pattern is told to be of.
            [_] | [_, _] if types.iter().all(is_text) => {
                let kept = |own: &DataType| if own.is_string() { own.clone() } else { DataType::Utf8 };
                Ok(types.iter().map(kept).collect())
            }
            _ => plan_err!("a pattern is a text"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arguments = call.args.iter().map(Texts::of).collect::<Result<Vec<_>>>()?;
        let (patterns, with) = match arguments.as_slice() {
            [patterns] => (patterns, None),
            [patterns, with] => (patterns, Some(with)),
            _ => return plan_err!("a pattern is a text"),
        };
        let mut last: Option<(&str, Option<&str>, String)> = None;
        let mut translations: Vec<Option<String>> = Vec::new();
        for row in 0..rows(&call.args, call.number_rows) {
            step()?;
            let with = with.map(|with| with.get(row));
            let (Some(pattern), None | Some(Some(_))) = (patterns.get(row), with) else {
                translations.push(None);
                continue;
            };
            let with = with.flatten();
            let text = match last.take() {
                Some((before, same, text)) if before == pattern && same == with => text,
                _ if self.is_similar => similar(pattern, with)?,
                _ => translated(pattern, with.unwrap_or_default())?,
            };
            translations.push(Some(text.clone()));
            last = Some((pattern, with, text));
        }
        result(&call.args, Arc::new(StringArray::from(translations)))
    }
}
