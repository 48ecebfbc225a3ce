//! `regexp_match` has NULL for a group that took no part, as in PostgreSQL.
//!
//! ```sql
//! SELECT regexp_match('12 EUR', '(\d+) (EUR)?(USD)?')
//! ```
//!
//! DataFusion's leaves it out, so that the groups after it have other places.

use std::sync::Arc;

use arrow::{
    array::ListArray,
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::DataType,
};
use datafusion::{
    common::{Result, ScalarValue, plan_err},
    functions::regex::regexp_match,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

use super::{
    regular_expression::{Known, check_size},
    texts::{Texts, array, result, rows},
};
use crate::{Error, Fault};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(RegexpMatch { inner: regexp_match() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexpMatch {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for RegexpMatch {
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
        let DataType::List(field) = call.return_type() else { return Ok(ColumnarValue::Scalar(ScalarValue::Null)) };
        let arguments = call.args.iter().map(Texts::of).collect::<Result<Vec<_>>>()?;
        let (texts, patterns, flags) = match arguments.as_slice() {
            [texts, patterns] => (texts, patterns, None),
            [texts, patterns, flags] => (texts, patterns, Some(flags)),
            _ => return plan_err!("regexp_match takes a text, a regular expression and options"),
        };
        let mut known = Known::default();
        let (mut groups, mut lengths, mut are_found) = (Vec::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        for row in 0..rows(&call.args, call.number_rows) {
            let before = groups.len();
            let flags = flags.map_or(Some(""), |flags| flags.get(row));
            let is_found = match (texts.get(row), patterns.get(row), flags) {
                (Some(text), Some(pattern), Some(flags)) => push_groups(text, pattern, flags, &mut known, &mut groups)?,
                _ => false,
            };
            bytes += groups[before..].iter().flatten().map(|group| group.len()).sum::<usize>();
            check_size(bytes)?;
            lengths.push(groups.len() - before);
            are_found.push(is_found);
        }
        let groups = array(groups, field.data_type());
        let (offsets, nulls) = (OffsetBuffer::from_lengths(lengths), NullBuffer::from(are_found));
        let lists = ListArray::try_new(Arc::clone(field), offsets, groups, Some(nulls))?;
        result(&call.args, Arc::new(lists))
    }
}

/// Adds the groups of the first match, or all of it if there are none; whether there is a match.
fn push_groups<'a>(
    text: &'a str,
    pattern: &str,
    flags: &str,
    known: &mut Known,
    groups: &mut Vec<Option<&'a str>>,
) -> Result<bool> {
    let compiled = known.get(pattern, flags)?;
    if compiled.is_global {
        let message = "regexp_match() does not support the \"global\" option";
        return Err(Error::new(Fault::InvalidArgument, message).into());
    }
    let regex = &compiled.regex;
    if regex.captures_len() == 1 {
        let found = regex.find(text);
        groups.extend(found.map(|found| Some(found.as_str())));
        return Ok(found.is_some());
    }
    let Some(found) = regex.captures(text) else { return Ok(false) };
    groups.extend(found.iter().skip(1).map(|group| group.map(|group| group.as_str())));
    Ok(true)
}
