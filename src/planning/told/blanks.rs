//! `bpchar` without a length, whose values keep the blanks at their ends: they count where values are shown, and not where
//! they are compared, sorted, joined or grouped, or become texts.
//!
//! ```sql
//! SELECT octet_length('a  '::bpchar), length('a  '::bpchar), 'a  '::bpchar = 'a'
//! ```
//!
//! Values of a length are kept without their blanks (`padded.rs`), and so are elements of arrays.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, StringViewArray},
    compute::cast,
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        config::ConfigOptions,
        internal_err,
        tree_node::{Transformed, TransformedResult},
    },
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs,
        ScalarUDF, ScalarUDFImpl, Signature, Volatility, WindowFunctionDefinition, expr::ScalarFunction,
    },
    optimizer::AnalyzerRule,
};

use super::{
    super::{
        calls::{self, Back},
        columnar::{as_called, where_keys},
        equal_values::{self, Keyed},
        overloads, steps,
    },
    cast::{only_says, said},
    is_pattern, padded, told_by,
};
use crate::{
    functions,
    pgtype::{BPCHAR, ColumnType, TEXT},
};

/// Whether a value has blanks at its end that do not count.
pub(super) fn keeps_blanks(value: &Expr, schema: &DFSchema) -> bool {
    told_by(value, schema).is_some_and(ColumnType::keeps_blanks)
}

/// A fixed text as one of the type that it has together with others, or as another text.
pub(in crate::planning) fn in_common(mut value: Expr, from: ColumnType, wanted: ColumnType) -> Expr {
    if from.is_padded() && wanted.keeps_blanks() {
        padded::fill(&mut value, from);
        return value;
    }
    match from.keeps_blanks() && wanted.pg.oid != BPCHAR.oid {
        true => as_text(value),
        false => value,
    }
}

/// A value as an element of an array of `bpchar`, which has no blanks.
pub(in crate::planning) fn as_element(value: Expr) -> Expr {
    said(as_text(value), DataType::Utf8View, Some(ColumnType::plain(&BPCHAR)))
}

/// A value as the text that it is cast to, which is without the blanks.
pub(super) fn as_text(value: Expr) -> Expr {
    cut(value, Conversion::Text)
}

/// What a value is compared by.
pub(super) fn key(value: Expr) -> Expr {
    cut(value, Conversion::Key)
}

fn cut(value: Expr, conversion: Conversion) -> Expr {
    match value {
        Expr::Alias(alias) => cut(*alias.expr, conversion),
        Expr::Cast(cast) if only_says(&cast.field) => cut(*cast.expr, conversion),
        Expr::Literal(ScalarValue::Utf8View(Some(text)), _) => {
            Expr::Literal(ScalarValue::Utf8View(Some(without(&text).to_owned())), None)
        }
        Expr::ScalarFunction(call) if is_cut(&call.func) => Expr::ScalarFunction(call),
        other => convert(vec![other], conversion),
    }
}

fn is_cut(function: &ScalarUDF) -> bool {
    let conversion = function.inner().downcast_ref::<Convert>().map(|convert| convert.conversion);
    matches!(conversion, Some(Conversion::Text | Conversion::Key))
}

fn without(text: &str) -> &str {
    text.trim_end_matches(' ')
}

/// Operands that are compared, by their keys.
pub(super) fn compare<'a>(operands: impl IntoIterator<Item = &'a mut Expr>, schema: &DFSchema) {
    for operand in operands.into_iter().filter(|operand| keeps_blanks(operand, schema)) {
        *operand = key(std::mem::take(operand));
    }
}

/// The same as the texts that are made of them.
fn become_texts<'a>(values: impl IntoIterator<Item = &'a mut Expr>, schema: &DFSchema) {
    for value in values.into_iter().filter(|value| keeps_blanks(value, schema)) {
        *value = as_text(std::mem::take(value));
    }
}

/// The same as elements of arrays.
fn become_elements<'a>(values: impl IntoIterator<Item = &'a mut Expr>, schema: &DFSchema) {
    for value in values.into_iter().filter(|value| keeps_blanks(value, schema)) {
        *value = as_element(std::mem::take(value));
    }
}

/// What `nullif` makes of a value: it is the first itself, or NULL.
pub(super) fn null_if(value: &Expr, other: Expr, schema: &DFSchema) -> Result<Expr> {
    let null = ScalarValue::try_from(&value.get_type(schema)?)?;
    Ok(steps::null_if(value, key(value.clone()).eq(key(other)), null))
}

/// `greatest` and `least` of values of this type.
pub(in crate::planning) fn chosen(step: Expr, common: Option<ColumnType>) -> Expr {
    if !common.is_some_and(ColumnType::keeps_blanks) {
        return step;
    }
    match step {
        Expr::ScalarFunction(call) if call.func.name() == "greatest" => convert(call.args, Conversion::Greatest),
        Expr::ScalarFunction(call) if call.func.name() == "least" => convert(call.args, Conversion::Least),
        other => other,
    }
}

/// Aggregates, and functions of windows that are such, that take values as they are. The others take texts.
const KEEPING: &[&str] = &["any_value", "count", "first_value", "last_value", "max", "min", "nth_value"];

/// The aggregate that makes elements of its values.
const ARRAY: &str = "array_agg";

/// A step that takes values as texts, or compares them.
pub(super) fn settle(step: &mut Expr, schema: &DFSchema) {
    match step {
        Expr::AggregateFunction(call) => {
            let keeps = KEEPING.contains(&call.func.name()) && !calls::counts_distinct(call);
            let makes_array = call.func.name() == ARRAY;
            let params = &mut call.params;
            let order = params.order_by.iter_mut().map(|key| &mut key.expr);
            let values = params.args.iter_mut().filter(|_| !keeps).chain(order);
            if makes_array { become_elements(values, schema) } else { become_texts(values, schema) }
        }
        Expr::WindowFunction(window) => {
            let keeps = match &window.fun {
                WindowFunctionDefinition::AggregateUDF(function) => KEEPING.contains(&function.name()),
                WindowFunctionDefinition::WindowUDF(_) => true,
            };
            let makes_array = window.fun.name() == ARRAY;
            let params = &mut window.params;
            let order = params.order_by.iter_mut().map(|key| &mut key.expr);
            compare(params.partition_by.iter_mut().chain(order), schema);
            let values = params.args.iter_mut().filter(|_| !keeps);
            if makes_array { become_elements(values, schema) } else { become_texts(values, schema) }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            become_texts([left.as_mut(), right.as_mut()], schema);
        }
        Expr::BinaryExpr(BinaryExpr { op, right, .. }) if is_pattern(*op) => become_texts([right.as_mut()], schema),
        Expr::Like(like) | Expr::SimilarTo(like) => become_texts([like.pattern.as_mut()], schema),
        _ => {}
    }
}

/// The arguments of a function of texts alone.
pub(super) fn settle_texts(call: &mut ScalarFunction, schema: &DFSchema) {
    become_texts(&mut call.args, schema);
}

/// The arguments of any function, those that it takes for texts, and those that are elements of arrays to it.
pub(super) fn settle_arguments(call: &mut ScalarFunction, schema: &DFSchema) {
    if !call.args.iter().any(|value| keeps_blanks(value, schema)) {
        return;
    }
    let Some(function) = functions::function_of(&call.func) else { return };
    // A call that fits none is refused elsewhere.
    let Ok(resolved) = functions::resolve(function, &overloads::given(&call.args, schema)) else { return };
    let is_array = |value: &Expr| told_by(value, schema).is_some_and(|told| told.item().is_some());
    let has_arrays = call.args.iter().any(is_array);
    for (value, wanted) in call.args.iter_mut().zip(&resolved.arguments) {
        if !keeps_blanks(value, schema) {
            continue;
        }
        if wanted.category == TEXT.category && wanted.oid != BPCHAR.oid {
            *value = as_text(std::mem::take(value));
        } else if has_arrays {
            *value = as_element(std::mem::take(value));
        }
    }
}

/// Rows are sorted and grouped by values without the blanks, and the least and the greatest are found so. It comes when types
/// are settled, before rows are sorted by columns.
#[derive(Debug)]
pub(in crate::planning) struct CompareFixed;

impl AnalyzerRule for CompareFixed {
    fn name(&self) -> &str {
        "compare_fixed"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            // Its rows are told apart as they are.
            LogicalPlan::RecursiveQuery(_) => Ok(Transformed::no(node)),
            node => equal_values::with_calls(node, &Fixed, by_order),
        })
        .data()
    }
}

/// Values by their texts.
struct Fixed;

impl Keyed for Fixed {
    fn is(&self, value: &Expr, schema: &DFSchema) -> Result<bool> {
        Ok(keeps_blanks(value, schema))
    }

    fn are(&self, values: &[(&Expr, &DFSchema)]) -> Result<bool> {
        Ok(values.iter().any(|(value, schema)| keeps_blanks(value, schema)))
    }

    fn key(&self, value: Expr, schema: &DFSchema) -> Result<Expr> {
        Ok(if keeps_blanks(&value, schema) { key(value) } else { value })
    }

    fn ordered(&self, value: Expr) -> Expr {
        value
    }

    fn shown(&self, key: Expr, least: Expr, field: &Field) -> Expr {
        convert(vec![key, least], Conversion::Group { nullable: field.is_nullable() })
    }
}

/// The least or the greatest value, as that of texts in the order of the values.
fn by_order(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let Some(("min" | "max", arguments)) = calls::aggregate(call) else { return Ok(None) };
    let [argument] = arguments.as_mut_slice() else { return Ok(None) };
    if !keeps_blanks(argument, input.schema()) {
        return Ok(None);
    }
    *argument = convert(vec![std::mem::take(argument)], Conversion::Order);
    Ok(Some(Box::new(|text| convert(vec![text], Conversion::Value))))
}

fn convert(arguments: Vec<Expr>, conversion: Conversion) -> Expr {
    let signature = Signature::any(arguments.len(), Volatility::Immutable);
    ScalarUDF::new_from_impl(Convert { conversion, signature }).call(arguments)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Conversion {
    /// Of values to texts without the blanks.
    Text,
    /// The same, of what is compared.
    Key,
    /// Of values to texts in their order, and in that of their blanks among equal ones.
    Order,
    /// Of such texts to the values.
    Value,
    /// Of values to the first of the greatest that are not NULL.
    Greatest,
    /// Of values to the first of the least that are not NULL.
    Least,
    /// Of the key that a group has and the least value of its rows to this; NULL where the key is, as in the rows of a grouping
    /// set without it.
    Group { nullable: bool },
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
            Conversion::Text => "bpchar_text",
            Conversion::Key => "bpchar_key",
            Conversion::Order => "bpchar_order",
            Conversion::Value => "bpchar_of_order",
            Conversion::Greatest => "bpchar_greatest",
            Conversion::Least => "bpchar_least",
            Conversion::Group { .. } => "bpchar_of_group",
        }
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        let names: Vec<String> = operands.iter().map(|operand| operand.schema_name().to_string()).collect();
        let names = names.join(",");
        Ok(match self.conversion {
            // A cast is called as what it casts.
            Conversion::Text => names,
            _ => format!("{}({names})", self.name()),
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = match self.conversion {
            Conversion::Group { nullable } => nullable,
            _ => arguments.arg_fields.iter().any(|field| field.is_nullable()),
        };
        let field = Field::new(self.name(), DataType::Utf8View, nullable);
        Ok(Arc::new(match self.conversion {
            Conversion::Text | Conversion::Key | Conversion::Order => field,
            _ => field.with_metadata(ColumnType::plain(&BPCHAR).metadata()),
        }))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&call.args)?;
        let texts = arrays.iter().map(|array| cast(array, &DataType::Utf8View)).collect::<Result<Vec<_>, _>>()?;
        as_called(&call.args, self.converted(&texts)?)
    }
}

impl Convert {
    fn converted(&self, texts: &[ArrayRef]) -> Result<ArrayRef> {
        Ok(match (self.conversion, texts) {
            (Conversion::Text | Conversion::Key, [values]) => texts_of(values),
            (Conversion::Order, [values]) => each(values, ordered),
            (Conversion::Value, [texts]) => each(texts, of_ordered),
            (Conversion::Greatest, values) => first(values, Ordering::Greater),
            (Conversion::Least, values) => first(values, Ordering::Less),
            (Conversion::Group { .. }, [keys, values]) => where_keys(keys, values)?,
            _ => return internal_err!("{} of {} values", self.name(), texts.len()),
        })
    }
}

/// What ends a text before its blanks, so that it comes before those that go on otherwise. No text has it.
const END: char = '\0';

fn ordered(text: &str) -> Cow<'_, str> {
    let kept = without(text);
    match text.get(kept.len()..) {
        Some(blanks) if !blanks.is_empty() => Cow::Owned(format!("{kept}{END}{blanks}")),
        _ => Cow::Borrowed(text),
    }
}

fn of_ordered(text: &str) -> Cow<'_, str> {
    if text.contains(END) { Cow::Owned(text.replace(END, "")) } else { Cow::Borrowed(text) }
}

fn each(values: &ArrayRef, make: impl Fn(&str) -> Cow<'_, str>) -> ArrayRef {
    let texts = values.as_string_view();
    // Most have no blanks.
    match texts.iter().flatten().any(|text| matches!(make(text), Cow::Owned(_))) {
        true => Arc::new(texts.iter().map(|text| text.map(&make)).collect::<StringViewArray>()),
        false => Arc::clone(values),
    }
}

fn texts_of(values: &ArrayRef) -> ArrayRef {
    let texts = values.as_string_view();
    // Most have no blanks.
    match texts.iter().flatten().any(|text| text.ends_with(' ')) {
        true => Arc::new(texts.iter().map(|text| text.map(without)).collect::<StringViewArray>()),
        false => Arc::clone(values),
    }
}

/// Of each row the first value than which no later one is in this order.
fn first(values: &[ArrayRef], order: Ordering) -> ArrayRef {
    let columns: Vec<&StringViewArray> = values.iter().map(|column| column.as_string_view()).collect();
    let chosen = |row: usize| {
        let known = columns.iter().filter(|column| column.is_valid(row)).map(|column| column.value(row));
        known.reduce(|first, next| if without(next).cmp(without(first)) == order { next } else { first })
    };
    let rows = columns.first().map_or(0, |column| column.len());
    Arc::new((0..rows).map(chosen).collect::<StringViewArray>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT x::bpchar COLLATE "C" FROM … ORDER BY 1` of PostgreSQL 15, which has equal values in any order.
    #[test]
    fn the_order_is_that_without_blanks() {
        let ascending = ["", " ", "a", "a ", "a  ", "a\t", "a b", "a b ", "ab"];
        for pair in ascending.windows(2) {
            assert!(ordered(pair[0]) < ordered(pair[1]), "{pair:?}");
        }
        let array: ArrayRef = Arc::new(StringViewArray::from(ascending.to_vec()));
        let back = each(&each(&array, ordered), of_ordered);
        assert_eq!(back.as_string_view(), array.as_string_view());
    }

    /// `SELECT greatest(a, b, c), least(a, b, c)` of PostgreSQL 15.
    #[test]
    fn the_first_of_equal_values_is_chosen() {
        let rows: [ArrayRef; 3] = [
            Arc::new(StringViewArray::from(vec![Some("a "), None, None])),
            Arc::new(StringViewArray::from(vec![Some("a"), Some("b  "), None])),
            Arc::new(StringViewArray::from(vec![Some("a\t"), Some("b"), None])),
        ];
        let expected = |texts: [Option<&str>; 3]| StringViewArray::from(texts.to_vec());
        let (greatest, least) = (first(&rows, Ordering::Greater), first(&rows, Ordering::Less));
        assert_eq!(*greatest.as_string_view(), expected([Some("a\t"), Some("b  "), None]));
        assert_eq!(*least.as_string_view(), expected([Some("a "), Some("b  "), None]));
    }
}
