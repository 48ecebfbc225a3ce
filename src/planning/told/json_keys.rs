//! Values of `jsonb` are compared, sorted, joined and grouped in PostgreSQL's order: `1` is `1.0`, and an object is greater than all
//! else. They are kept as they are printed; what is compared is bytes in that order.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult},
        utils::take_function_args,
    },
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
    },
    optimizer::AnalyzerRule,
};

use super::{
    super::{
        calls,
        columnar::{as_called, made_of, where_keys},
        equal_values::{self, Keyed},
        steps,
    },
    told_by,
};
use crate::{
    functions::BYTES_OF_STEP,
    interrupt,
    pgtype::{ColumnType, JSONB, json_key},
};

/// See the module. It comes when types are settled, before rows are sorted by columns.
#[derive(Debug)]
pub(in crate::planning) struct CompareJson;

impl AnalyzerRule for CompareJson {
    fn name(&self) -> &str {
        "compare_json"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = steps::change(plan, concerns, by_keys)?;
        plan.transform_up_with_subqueries(|node| equal_values::in_node(node, &Json)).data()
    }
}

/// Values of `jsonb` by their keys.
struct Json;

impl Keyed for Json {
    fn is(&self, value: &Expr, schema: &DFSchema) -> Result<bool> {
        Ok(is_json(value, schema))
    }

    fn are(&self, values: &[(&Expr, &DFSchema)]) -> Result<bool> {
        // What is compared with one is another, or nothing says what it is.
        Ok(values.iter().any(|(value, schema)| is_json(value, schema)))
    }

    fn key(&self, value: Expr, _schema: &DFSchema) -> Result<Expr> {
        Ok(key_of(value))
    }

    fn ordered(&self, value: Expr) -> Expr {
        value
    }

    fn shown(&self, key: Expr, least: Expr, field: &Field) -> Expr {
        convert(vec![key, least], Conversion::Group { nullable: field.is_nullable() })
    }
}

/// Whether a value is of `jsonb`.
pub(in crate::planning) fn is_json(value: &Expr, schema: &DFSchema) -> bool {
    told_by(value, schema).is_some_and(|told| told.pg.oid == JSONB.oid)
}

/// The key of a value.
pub(in crate::planning) fn key_of(value: Expr) -> Expr {
    convert(vec![value.unalias()], Conversion::Key)
}

/// Whether a step may compare values.
fn concerns(step: &Expr) -> bool {
    match step {
        Expr::ScalarFunction(call) => matches!(call.func.name(), "nullif" | "greatest" | "least"),
        Expr::AggregateFunction(call) => calls::compares(call),
        Expr::WindowFunction(_) => true,
        step => equal_values::compares(step),
    }
}

fn by_keys(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let changed = match &mut step {
        Expr::ScalarFunction(_) => return in_call(step, schema),
        Expr::AggregateFunction(call) => equal_values::in_aggregate(call, schema, &Json)?,
        Expr::WindowFunction(window) => equal_values::in_window(window, schema, &Json)?,
        step => equal_values::in_comparison(step, schema, &Json)?,
    };
    Ok(Transformed::new_transformed(step, changed))
}

/// Calls that compare their operands.
fn in_call(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(call) = &step else { return Ok(Transformed::no(step)) };
    if !call.args.iter().any(|value| is_json(value, schema)) {
        return Ok(Transformed::no(step));
    }
    if let Some(chosen) = equal_values::null_if(call, schema, &Json)? {
        return Ok(Transformed::yes(chosen));
    }
    match (call.func.name(), call.args.as_slice()) {
        (name @ ("greatest" | "least"), [_, _, ..]) => {
            let is_greatest = name == "greatest";
            Ok(Transformed::yes(convert(call.args.clone(), Conversion::Extreme { is_greatest })))
        }
        _ => Ok(Transformed::no(step)),
    }
}

fn convert(arguments: Vec<Expr>, conversion: Conversion) -> Expr {
    let signature = Signature::any(arguments.len(), Volatility::Immutable);
    ScalarUDF::new_from_impl(Convert { conversion, signature }).call(arguments)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Conversion {
    /// Of values to bytes in their order.
    Key,
    /// Of the key that a group has and the least text of its rows to the value; NULL where the key is, as in the rows of a
    /// grouping set without it.
    Group { nullable: bool },
    /// Of several values to the first that is the greatest, or the least.
    Extreme { is_greatest: bool },
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
            Conversion::Key => "json_key",
            Conversion::Group { .. } => "json_of_group",
            Conversion::Extreme { .. } => "json_extreme",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (self.conversion, types) {
            (Conversion::Group { .. }, [_, text]) => Ok(text.clone()),
            (Conversion::Extreme { .. }, _) => Ok(DataType::Utf8View),
            _ => Ok(DataType::Binary),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields = arguments.arg_fields;
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        let of_type = |nullable| -> Result<Field> { Ok(Field::new(self.name(), self.return_type(&types)?, nullable)) };
        Ok(Arc::new(match self.conversion {
            Conversion::Key => of_type(fields.iter().any(|field| field.is_nullable()))?,
            Conversion::Extreme { .. } => of_type(true)?.with_metadata(ColumnType::plain(&JSONB).metadata()),
            Conversion::Group { nullable } => of_type(nullable)?.with_metadata(ColumnType::plain(&JSONB).metadata()),
        }))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = || ColumnarValue::values_to_arrays(&call.args);
        let shown: ArrayRef = match self.conversion {
            Conversion::Key => {
                let [texts] = take_function_args(self.name(), &call.args)?;
                return made_of(texts, |texts| Ok(Arc::new(keys(texts)?)));
            }
            Conversion::Group { .. } => {
                let [keys, texts] = take_function_args(self.name(), arrays()?)?;
                where_keys(&keys, &texts)?
            }
            Conversion::Extreme { is_greatest } => Arc::new(extremes(&arrays()?, is_greatest)?),
        };
        as_called(&call.args, shown)
    }
}

/// The greatest, or the least, of the values in each row that are not NULL; of equal ones the first.
fn extremes(values: &[ArrayRef], is_greatest: bool) -> Result<StringViewArray> {
    let as_texts = |values: &ArrayRef| Ok(cast(values, &DataType::Utf8View)?);
    let texts = values.iter().map(as_texts).collect::<Result<Vec<ArrayRef>>>()?;
    let keys = texts.iter().map(keys).collect::<Result<Vec<BinaryArray>>>()?;
    let in_row = |row: usize| {
        let known = keys.iter().zip(&texts).filter(|(keys, _)| keys.is_valid(row));
        let extreme = known.reduce(|best, other| {
            let (key, best_key) = (other.0.value(row), best.0.value(row));
            let is_better = if is_greatest { key > best_key } else { key < best_key };
            if is_better { other } else { best }
        });
        extreme.map(|(_, texts)| texts.as_string_view().value(row).to_owned())
    };
    let rows = texts.first().map_or(0, |texts| texts.len());
    Ok((0..rows).map(in_row).collect())
}

/// The keys of values in their normal form.
pub(in crate::planning) fn keys(texts: &ArrayRef) -> Result<BinaryArray> {
    let texts = cast(texts, &DataType::Utf8View)?;
    // What is no JSON is none that was made here, and is compared as it is.
    let key = |text: &str| -> Result<Vec<u8>> {
        interrupt::steps(1 + text.len() / BYTES_OF_STEP)?;
        Ok(json_key(text).unwrap_or_else(|_| text.as_bytes().to_vec()))
    };
    texts.as_string_view().iter().map(|text| text.map(key).transpose()).collect()
}
