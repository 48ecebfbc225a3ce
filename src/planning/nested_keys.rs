//! Arrays and rows of values that are equal though they differ, as `{1 day}` and `{24:00:00}` are, `{0}` and `{-0}`, and `{1}` and
//! `{1.0}` of `jsonb[]`: they are compared, sorted, joined and grouped by arrays and rows of the keys of what they hold. A recursive
//! UNION tells them apart all the same.
//!
//! A group shows the one of its values whose bytes, as the engine packs rows to compare them, come first.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, ListArray, StructArray, new_null_array},
    datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields},
    row::{RowConverter, SortField},
};
use datafusion::{
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        internal_err,
        tree_node::{Transformed, TransformedResult},
        utils::take_function_args,
    },
    logical_expr::{
        ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility, expr::ScalarFunction,
    },
    optimizer::AnalyzerRule,
};

use super::{
    arrays::operator_of,
    calls,
    columnar::{as_called, made_of, where_keys},
    equal_values::{self, Keyed},
    floats::is_float,
    interval_lengths::{is_interval, lengths},
    steps,
    told::{is_jsonb, json_key_of, json_keys_of, told_by},
};
use crate::{
    functions::{comparable, function_of},
    pgtype::{self, ColumnType, JSONB, innermost},
};

/// See the module. It comes when types are settled, before rows are sorted by columns.
#[derive(Debug)]
pub(super) struct CompareNested;

impl AnalyzerRule for CompareNested {
    fn name(&self) -> &str {
        "compare_nested"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = steps::change(plan, concerns, by_keys)?;
        let by_nodes = |node| match node {
            LogicalPlan::RecursiveQuery(_) => Ok(Transformed::no(node)),
            node => equal_values::in_node(node, &Nested),
        };
        plan.transform_up_with_subqueries(by_nodes).data()
    }
}

/// Arrays and rows by those of keys.
struct Nested;

impl Keyed for Nested {
    fn is(&self, value: &Expr, schema: &DFSchema) -> Result<bool> {
        Ok(is_json_array(value, schema) || holds_equals(&value.get_type(schema)?))
    }

    fn are(&self, values: &[(&Expr, &DFSchema)]) -> Result<bool> {
        let mut are = false;
        for (value, schema) in values {
            let data_type = value.get_type(*schema)?;
            if !is_nested(&data_type) && !data_type.is_null() {
                return Ok(false);
            }
            are |= self.is(value, schema)?;
        }
        Ok(are)
    }

    fn key(&self, value: Expr, schema: &DFSchema) -> Result<Expr> {
        Ok(if value.get_type(schema)?.is_null() { value } else { convert(vec![value.unalias()], Conversion::Key) })
    }

    fn ordered(&self, value: Expr) -> Expr {
        convert(vec![value], Conversion::Packed)
    }

    fn shown(&self, key: Expr, least: Expr, field: &Field) -> Expr {
        convert(vec![key, least], Conversion::Group(Arc::new(field.clone())))
    }
}

fn is_nested(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_) | DataType::Struct(_))
}

/// Whether values of a type are arrays or rows with intervals or floats in them, however deep.
fn holds_equals(data_type: &DataType) -> bool {
    let has = |data_type: &DataType| is_interval(data_type) || is_float(data_type) || holds_equals(data_type);
    match data_type {
        DataType::List(item) => has(item.data_type()),
        DataType::Struct(columns) => columns.iter().any(|column| has(column.data_type())),
        _ => false,
    }
}

fn is_json_array(value: &Expr, schema: &DFSchema) -> bool {
    told_by(value, schema).and_then(ColumnType::item).is_some_and(|item| item.pg.oid == JSONB.oid)
}

/// Whether a step may compare values.
fn concerns(step: &Expr) -> bool {
    match step {
        Expr::ScalarFunction(call) => call.func.name() == "nullif" || compares_elements(call) || sorts_elements(call),
        Expr::AggregateFunction(call) => calls::compares(call),
        Expr::WindowFunction(_) => true,
        step => equal_values::compares(step),
    }
}

/// Whether a call compares the elements of arrays. Of intervals it knows which are equal.
fn compares_elements(call: &ScalarFunction) -> bool {
    operator_of(call).is_some() || COMPARING.contains(&call.func.name())
}

/// Functions that compare the elements of their first argument with the second, or the other way round, and yield none of them.
const COMPARING: &[&str] = &["array_position", "array_positions", "compare_any", "compare_all"];

/// Whether a call puts the elements of an array in their order.
fn sorts_elements(call: &ScalarFunction) -> bool {
    function_of(&call.func).is_some_and(|called| SORTING.contains(&called.name))
}

/// Functions that take the keys of elements behind their other arguments.
const SORTING: &[&str] = &["mode_of", "one_of_equals", "percentile_disc_of"];

fn by_keys(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let changed = match &mut step {
        Expr::ScalarFunction(call) => {
            if let Some(chosen) = equal_values::null_if(call, schema, &Nested)? {
                return Ok(Transformed::yes(chosen));
            }
            match sorts_elements(call) {
                true => with_keys(call, schema),
                false => compares_elements(call) && in_call(call, schema),
            }
        }
        Expr::AggregateFunction(call) => equal_values::in_aggregate(call, schema, &Nested)?,
        Expr::WindowFunction(window) => equal_values::in_window(window, schema, &Nested)?,
        step => equal_values::in_comparison(step, schema, &Nested)?,
    };
    Ok(Transformed::new_transformed(step, changed))
}

/// Makes keys of `jsonb` among the operands of a call that compares elements; whether there are any.
fn in_call(call: &mut ScalarFunction, schema: &DFSchema) -> bool {
    let changed = call.args.iter().any(|value| is_jsonb(value, schema) || is_json_array(value, schema));
    // The third is the name of an operator.
    for value in call.args.iter_mut().take(if changed { 2 } else { 0 }) {
        let Ok(data_type) = value.get_type(schema) else { continue };
        if data_type.is_null() {
            continue;
        }
        let operand = std::mem::take(value);
        *value = if is_nested(&data_type) { convert(vec![operand], Conversion::Key) } else { json_key_of(operand) };
    }
    changed
}

/// Gives the keys of the elements to a call that sorts those of an array of `jsonb`; whether it is one, and has none yet.
fn with_keys(call: &mut ScalarFunction, schema: &DFSchema) -> bool {
    let is_key = |value: &Expr| matches!(value, Expr::ScalarFunction(call) if call.func.inner().is::<Convert>());
    let array = call.args.iter().find(|value| is_json_array(value, schema)).cloned();
    let Some(array) = array.filter(|_| !call.args.iter().any(is_key)) else { return false };
    call.args.push(convert(vec![array], Conversion::Key));
    true
}

fn convert(arguments: Vec<Expr>, conversion: Conversion) -> Expr {
    let signature = Signature::any(arguments.len(), Volatility::Immutable);
    ScalarUDF::new_from_impl(Convert { conversion, signature }).call(arguments)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Conversion {
    /// Of arrays and rows to those of keys.
    Key,
    /// Of arrays and rows to bytes, of which they can be made again.
    Packed,
    /// Of the key that a group has and the least bytes of its rows to the value; NULL where the key is, as in the rows of a
    /// grouping set without it.
    Group(FieldRef),
}

/// A conversion of values that never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    conversion: Conversion,
    signature: Signature,
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &str {
        match self.conversion {
            Conversion::Key => "nested_key",
            Conversion::Packed => "nested_packed",
            Conversion::Group(_) => "nested_of_group",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (&self.conversion, types) {
            (Conversion::Key, [own]) => Ok(key_type(own, is_text_array(own))),
            (Conversion::Group(field), _) => Ok(field.data_type().clone()),
            _ => Ok(DataType::Binary),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        if let Conversion::Group(field) = &self.conversion {
            return Ok(Arc::new(field.as_ref().clone().with_name(self.name())));
        }
        let fields = arguments.arg_fields;
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = self.conversion == Conversion::Key && fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &self.conversion {
            Conversion::Key => {
                let [values] = take_function_args(self.name(), &call.args)?;
                made_of(values, |values| keys(values, is_text_array(values.data_type())))
            }
            Conversion::Packed => {
                let [values] = take_function_args(self.name(), &call.args)?;
                made_of(values, |values| Ok(Arc::new(packed(values)?)))
            }
            Conversion::Group(field) => {
                let arrays = ColumnarValue::values_to_arrays(&call.args)?;
                let [keys, least] = take_function_args(self.name(), arrays)?;
                let values = unpacked(least.as_binary(), field.data_type())?;
                as_called(&call.args, where_keys(&keys, &values)?)
            }
        }
    }
}

/// Whether values are arrays of texts. Of these there are keys where the texts are those of `jsonb`.
fn is_text_array(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_)) && innermost(data_type).is_string()
}

/// The type of the keys of values.
fn key_type(data_type: &DataType, is_json: bool) -> DataType {
    match data_type {
        DataType::List(item) => pgtype::list_of(key_type(item.data_type(), is_json)),
        DataType::Struct(columns) => {
            let column = |own: &FieldRef| own.as_ref().clone().with_data_type(key_type(own.data_type(), is_json));
            DataType::Struct(columns.iter().map(column).collect::<Fields>())
        }
        text if is_json && text.is_string() => DataType::Binary,
        interval if is_interval(interval) => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
        other => other.clone(),
    }
}

/// The keys of values; those that have none stand for themselves.
fn keys(values: &ArrayRef, is_json: bool) -> Result<ArrayRef> {
    Ok(match (values.data_type(), key_type(values.data_type(), is_json)) {
        (DataType::List(_), DataType::List(item)) => {
            let lists = values.as_list::<i32>();
            let items = keys(lists.values(), is_json)?;
            Arc::new(ListArray::try_new(item, lists.offsets().clone(), items, lists.nulls().cloned())?)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let rows = values.as_struct();
            let columns = rows.columns().iter().map(|column| keys(column, is_json));
            let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
            Arc::new(StructArray::try_new(fields, columns, rows.nulls().cloned())?)
        }
        (text, DataType::Binary) if is_json && text.is_string() => Arc::new(json_keys_of(values)?),
        (interval, _) if is_interval(interval) => match lengths(values) {
            Some(lengths) => Arc::new(lengths),
            None => return internal_err!("the lengths of {}", values.data_type()),
        },
        (float, _) if is_float(float) => comparable(values),
        _ => Arc::clone(values),
    })
}

fn packed(values: &ArrayRef) -> Result<BinaryArray> {
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
    Ok(converter.convert_columns(&[Arc::clone(values)])?.try_into_binary()?)
}

/// The values that were packed into these bytes; NULL where there are none.
fn unpacked(bytes: &BinaryArray, data_type: &DataType) -> Result<ArrayRef> {
    let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
    let null = converter.convert_columns(&[new_null_array(data_type, 1)])?;
    let parser = converter.parser();
    let rows = bytes.iter().map(|bytes| bytes.map_or_else(|| null.row(0), |bytes| parser.parse(bytes)));
    match converter.convert_rows(rows)?.pop() {
        Some(values) => Ok(values),
        None => internal_err!("nothing was unpacked as {data_type}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{Int32Array, IntervalMonthDayNanoArray, StringArray},
        buffer::OffsetBuffer,
        datatypes::IntervalMonthDayNano,
    };

    use super::*;

    const DAY: IntervalMonthDayNano = IntervalMonthDayNano::new(0, 1, 0);
    const HOURS: IntervalMonthDayNano = IntervalMonthDayNano::new(0, 0, 86_400_000_000_000);

    fn lists(items: ArrayRef, lengths: &[usize]) -> ArrayRef {
        let item = Arc::new(Field::new_list_field(items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
        Arc::new(ListArray::try_new(item, offsets, items, None).unwrap())
    }

    #[test]
    fn equal_arrays_and_rows_have_one_key() {
        let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![Some(DAY), Some(HOURS), None]));
        let arrays = lists(Arc::clone(&intervals), &[1, 1, 1]);
        let of_arrays = keys(&arrays, false).unwrap();
        assert_eq!(of_arrays.slice(0, 1).as_ref(), of_arrays.slice(1, 1).as_ref());
        assert_ne!(of_arrays.slice(0, 1).as_ref(), of_arrays.slice(2, 1).as_ref());

        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![7, 7, 7]));
        let fields = [("f1", &intervals), ("f2", &numbers)];
        let fields: Fields =
            fields.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
        let rows: ArrayRef = Arc::new(StructArray::try_new(fields, vec![intervals, numbers], None).unwrap());
        let of_rows = keys(&rows, false).unwrap();
        assert_eq!(of_rows.slice(0, 1).as_ref(), of_rows.slice(1, 1).as_ref());
        assert_eq!(of_rows.data_type(), &key_type(rows.data_type(), false));

        let texts = lists(Arc::new(StringArray::from(vec!["1", "1.0", "2"])), &[1, 1, 1]);
        let of_texts = keys(&texts, true).unwrap();
        assert_eq!(of_texts.slice(0, 1).as_ref(), of_texts.slice(1, 1).as_ref());
        assert_ne!(of_texts.slice(0, 1).as_ref(), of_texts.slice(2, 1).as_ref());
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![Some(DAY), Some(HOURS), None]));
        let arrays = lists(intervals, &[2, 0, 1]);
        let found = unpacked(&packed(&arrays).unwrap(), arrays.data_type()).unwrap();
        assert_eq!(found.as_ref(), arrays.as_ref());
        let none = unpacked(&BinaryArray::from(vec![None::<&[u8]>, None]), arrays.data_type()).unwrap();
        assert_eq!((none.len(), none.null_count()), (2, 2));
    }
}
