//! `string_agg` of bytes, of which the query engine makes texts: they are collected as `array_agg` collects them, and joined.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{Result, ScalarValue, internal_err, not_impl_err},
    functions_aggregate::{array_agg::array_agg_udaf, string_agg::string_agg_udaf},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
    physical_expr::expressions::Literal,
};

use super::udf::inner_types;
use crate::pgtype::list_of;

/// The engine's own, but for bytes.
pub(crate) fn string_agg() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::from(Joined { inner: string_agg_udaf(), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

/// Whether the first of some arguments is bytes.
fn joins_bytes(fields: &[FieldRef]) -> bool {
    fields.first().is_some_and(|field| field.data_type().is_binary())
}

/// What the values are collected in.
fn collected() -> FieldRef {
    Arc::new(Field::new("collected", list_of(DataType::Binary), true))
}

impl AggregateUDFImpl for Joined {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [bytes, _] if bytes.is_binary() => Ok(vec![DataType::Binary; 2]),
            [DataType::Null, delimiter] if delimiter.is_binary() => Ok(vec![DataType::Binary; 2]),
            _ => inner_types(&self.inner, types),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [bytes, _] if bytes.is_binary() => Ok(DataType::Binary),
            _ => self.inner.return_type(types),
        }
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if !joins_bytes(arguments.expr_fields) {
            return self.inner.accumulator(arguments);
        }
        let [_, delimiter] = arguments.exprs else { return internal_err!("string_agg has two arguments") };
        let Some(delimiter) = delimiter.downcast_ref::<Literal>() else {
            return not_impl_err!("a delimiter of bytes that is another for each row is not supported");
        };
        let delimiter = match delimiter.value() {
            ScalarValue::Binary(delimiter) => delimiter.clone().unwrap_or_default(),
            other if other.is_null() => Vec::new(),
            other => return internal_err!("the delimiter of bytes is {}", other.data_type()),
        };
        let is_sorted = arguments.is_distinct && arguments.order_bys.is_empty();
        let values = array_agg_udaf().accumulator(AccumulatorArgs {
            return_field: collected(),
            exprs: &arguments.exprs[..1],
            expr_fields: &arguments.expr_fields[..1],
            ..arguments
        })?;
        Ok(Box::new(Bytes { values, delimiter, is_sorted }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if !joins_bytes(arguments.input_fields) {
            return self.inner.state_fields(arguments);
        }
        array_agg_udaf().state_fields(StateFieldsArgs {
            input_fields: &arguments.input_fields[..1],
            return_field: collected(),
            ..arguments
        })
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        !joins_bytes(arguments.expr_fields) && self.inner.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.inner.create_groups_accumulator(arguments)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// The bytes of a group.
#[derive(Debug)]
struct Bytes {
    values: Box<dyn Accumulator>,
    delimiter: Vec<u8>,
    /// Distinct ones come in their order, if the call says none.
    is_sorted: bool,
}

impl Accumulator for Bytes {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        // The second is the delimiter, and what they are sorted by comes after it.
        let others = values.iter().enumerate().filter(|(at, _)| *at != 1);
        self.values.update_batch(&others.map(|(_, values)| Arc::clone(values)).collect::<Vec<_>>())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let ScalarValue::List(lists) = self.values.evaluate()? else {
            return internal_err!("bytes are collected in a list");
        };
        if lists.is_empty() || lists.is_null(0) {
            return Ok(ScalarValue::Binary(None));
        }
        let values = lists.value(0);
        let Some(values) = values.as_binary_opt::<i32>() else { return internal_err!("bytes are joined of others") };
        let mut known: Vec<&[u8]> = values.iter().flatten().collect();
        if self.is_sorted {
            known.sort_unstable();
        }
        Ok(ScalarValue::Binary((!known.is_empty()).then(|| known.join(self.delimiter.as_slice()))))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.values.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.values.merge_batch(states)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.delimiter.capacity() + self.values.size()
    }
}
