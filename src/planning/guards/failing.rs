//! Which expressions can fail while rows are computed, whatever guards them: the one place that says so.
//!
//! What isn't known here can fail. `+`, `-` and `*` are taken for what cannot while conditions find their places: their
//! numbers are checked when plans become operators, by functions that are not known here. The same is taken for intervals that
//! are added to moments.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::{
    common::{DFSchema, ScalarValue, tree_node::TreeNode},
    logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, Operator},
    physical_expr::{
        PhysicalExpr, ScalarFunctionExpr,
        expressions::{
            BinaryExpr as PhysicalBinary, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr,
            Literal, NegativeExpr, NotExpr, TryCastExpr,
        },
    },
};

use super::super::{
    AS_CAST, ELEMENTS_OF, MAKE_TOLD, NEAREST_FLOAT, PADDED, REGULAR_EXPRESSION, SIMILAR_EXPRESSION, TEXT_OF,
    WRITTEN_AS, read_texts::is_read,
};

/// Whether an expression over rows of this schema can fail on one of them.
///
/// A division fails by zero, a cast on what the type cannot hold, and a function where it is not in [`NEVER_FAIL`].
/// Aggregates and subqueries are values that other operators compute: they fail there or nowhere.
pub(crate) fn can_fail(expr: &Expr, schema: &DFSchema) -> bool {
    expr.exists(|step| Ok(step_can_fail(step, schema))).unwrap_or(true)
}

/// The same of the expression alone, its operands aside.
fn step_can_fail(step: &Expr, schema: &DFSchema) -> bool {
    match step {
        Expr::BinaryExpr(BinaryExpr { op, right, .. }) => operator_can_fail(*op, literal(right)),
        Expr::Cast(cast) => match cast.expr.as_ref() {
            // A text is read when the statement is analysed.
            Expr::Literal(value, _) if value.data_type().is_string() && is_read(cast.field.data_type()) => false,
            Expr::Literal(value, _) => value.cast_to(cast.field.data_type()).is_err(),
            operand => {
                let from = operand.get_type(schema);
                from.map_or(true, |from| cast_can_fail(&from, cast.field.data_type()))
            }
        },
        Expr::SimilarTo(like) => literal(&like.pattern).is_none(),
        Expr::ScalarFunction(call) => {
            let arguments: Vec<_> = call.args.iter().map(literal).collect();
            function_can_fail(call.name(), &arguments)
        }
        Expr::HigherOrderFunction(_) | Expr::Unnest(_) => true,
        _ => false,
    }
}

/// Whether an operator's expression can fail on a batch of this schema.
pub(super) fn computed_can_fail(expression: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let step = if let Some(binary) = expression.downcast_ref::<PhysicalBinary>() {
        operator_can_fail(*binary.op(), computed_literal(binary.right()))
    } else if let Some(cast) = expression.downcast_ref::<CastExpr>() {
        let from = cast.expr().data_type(schema);
        from.map_or(true, |from| cast_can_fail(&from, cast.cast_type()))
    } else if let Some(call) = expression.downcast_ref::<ScalarFunctionExpr>() {
        let arguments: Vec<_> = call.args().iter().map(computed_literal).collect();
        function_can_fail(call.name(), &arguments)
    } else {
        let known = expression.is::<Column>()
            || expression.is::<Literal>()
            || expression.is::<NotExpr>()
            || expression.is::<IsNullExpr>()
            || expression.is::<IsNotNullExpr>()
            || expression.is::<NegativeExpr>()
            || expression.is::<InListExpr>()
            || expression.is::<LikeExpr>()
            || expression.is::<CaseExpr>()
            || expression.is::<TryCastExpr>();
        !known
    };
    step || expression.children().into_iter().any(|operand| computed_can_fail(operand, schema))
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        Expr::Cast(Cast { expr, .. }) => literal(expr),
        // It is a value as long as all that it translates are.
        Expr::ScalarFunction(call) if matches!(call.name(), REGULAR_EXPRESSION | SIMILAR_EXPRESSION) => {
            call.args.iter().map(literal).reduce(|pattern, with| pattern.filter(|_| with.is_some())).flatten()
        }
        _ => None,
    }
}

fn computed_literal(expression: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    expression.downcast_ref::<Literal>().map(Literal::value)
}

/// `right` is the right operand where it is a value that the statement names.
fn operator_can_fail(operator: Operator, right: Option<&ScalarValue>) -> bool {
    use Operator::{Divide, IntegerDivide, Modulo, RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    match operator {
        Divide | IntegerDivide | Modulo => right.is_none_or(fails_as_divisor),
        // A pattern that the statement names fails on all rows or on none.
        RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch => right.is_none(),
        _ => false,
    }
}

/// Zero does, and so does -1 under the least integer.
fn fails_as_divisor(value: &ScalarValue) -> bool {
    if value.is_null() {
        return false;
    }
    [0, -1].into_iter().any(|number: i32| {
        let same = ScalarValue::from(number).cast_to(&value.data_type());
        same.is_ok_and(|same| same == *value)
    })
}

/// Functions that return a value for any arguments of their types, and for how many of the first arguments that holds
/// wherever they come from: later ones must be values that the statement names, which fail on all rows or on none.
const NEVER_FAIL: &[(&str, usize)] = &[
    (AS_CAST, 1),
    ("array_dims", 1),
    ("array_eq", 2),
    ("array_ge", 2),
    ("array_gt", 2),
    ("array_le", 2),
    ("array_length", 2),
    ("array_lower", 2),
    ("array_lt", 2),
    ("array_ndims", 1),
    ("array_ne", 2),
    ("array_subscript", usize::MAX),
    ("array_upper", 2),
    ("arraycontained", 2),
    ("arraycontains", 2),
    ("arrayoverlap", 2),
    ("ascii", 1),
    ("arrow_typeof", 1),
    ("bit_length", 1),
    ("bpchar_greatest", usize::MAX),
    ("bpchar_key", 1),
    ("bpchar_least", usize::MAX),
    ("bpchar_of_group", 2),
    ("bpchar_of_order", 1),
    ("bpchar_order", 1),
    ("bpchar_text", 1),
    ("btrim", 2),
    ("ceil", 1),
    ("cardinality", 1),
    ("char_length", 1),
    ("character_length", 1),
    ("coalesce", usize::MAX),
    ("concat", usize::MAX),
    ("concat_ws", usize::MAX),
    ("contains", 2),
    ("date", 1),
    ("date_mi", 2),
    ("date_mi_interval", 2),
    ("date_part", 2),
    ("date_pl_interval", 2),
    ("date_trunc", 2),
    (ELEMENTS_OF, 1),
    ("ends_with", 2),
    ("extract", 2),
    ("float_of_order", 1),
    ("float_order", 1),
    ("float_place", 1),
    ("floor", 1),
    ("get_field", usize::MAX),
    ("greatest", usize::MAX),
    ("initcap", 1),
    ("interval_greatest", usize::MAX),
    ("interval_least", usize::MAX),
    ("interval_length", 1),
    ("interval_mi", 2),
    ("interval_of_group", 2),
    ("interval_of_order", 1),
    ("interval_order", 1),
    ("interval_pl", 2),
    ("interval_pl_date", 2),
    ("interval_pl_time", 2),
    ("interval_pl_timestamp", 2),
    ("interval_pl_timestamptz", 2),
    ("iszero", 1),
    ("isnan", 1),
    ("json_extreme", usize::MAX),
    ("json_key", 1),
    ("json_of_group", 2),
    ("least", usize::MAX),
    ("left", 2),
    ("length", 1),
    ("levenshtein", 2),
    ("like_escape", 1),
    ("lower", 1),
    ("ltrim", 2),
    (MAKE_TOLD, 1),
    ("md5", 1),
    ("named_struct", usize::MAX),
    ("nanvl", 2),
    (NEAREST_FLOAT, 1),
    ("nested_key", 1),
    ("nested_of_group", 2),
    ("nested_packed", 1),
    ("nullif", 2),
    ("nvl", 2),
    ("nvl2", 3),
    ("octet_length", 1),
    ("regexp_like", 1),
    (REGULAR_EXPRESSION, 0),
    ("one_nan", 1),
    ("one_zero", 1),
    (PADDED, 1),
    ("replace", 3),
    ("reverse", 1),
    ("right", 2),
    ("round", 1),
    ("row", usize::MAX),
    ("rtrim", 2),
    ("sha224", 1),
    ("sha256", 1),
    ("sha384", 1),
    ("sha512", 1),
    ("signum", 1),
    (SIMILAR_EXPRESSION, 0),
    ("split_part", 2),
    ("starts_with", 2),
    ("strpos", 2),
    ("struct", usize::MAX),
    ("substr", 2),
    ("translate", 3),
    ("trunc", 1),
    ("upper", 1),
    (TEXT_OF, 1),
    ("time", 1),
    ("time_mi_interval", 2),
    ("time_mi_time", 2),
    ("time_pl_interval", 2),
    ("timestamp_mi", 2),
    ("timestamp_mi_interval", 2),
    ("timestamp_pl_interval", 2),
    ("timestamptz_mi", 2),
    ("timestamptz_mi_interval", 2),
    ("timestamptz_pl_interval", 2),
    (WRITTEN_AS, 1),
];

/// Functions whose first argument names what they compute, and fails where it names nothing.
const NAMED_FIRST: &[&str] = &["date_part", "date_trunc", "extract"];

/// Each argument where it is a value that the statement names.
fn function_can_fail(name: &str, arguments: &[Option<&ScalarValue>]) -> bool {
    if arguments.is_empty() {
        return false;
    }
    let Some((_, free)) = NEVER_FAIL.iter().find(|(known, _)| *known == name) else { return true };
    let unnamed = |arguments: &[Option<&ScalarValue>]| arguments.iter().any(Option::is_none);
    unnamed(arguments.get(*free..).unwrap_or_default()) || NAMED_FIRST.contains(&name) && unnamed(&arguments[..1])
}

/// Whether a value of one type may have no counterpart in the other.
fn cast_can_fail(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Boolean, Date32, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary, Float16,
        Float32, Float64, LargeBinary, LargeUtf8, Null, Time32, Time64, Timestamp, Utf8, Utf8View,
    };
    let is_text = |data_type: &DataType| matches!(data_type, Utf8 | LargeUtf8 | Utf8View);
    let is_binary = |data_type: &DataType| matches!(data_type, Binary | LargeBinary | BinaryView);
    match (from, to) {
        (from, to) if from == to => false,
        (Null, _) => false,
        (Dictionary(_, from), to) => cast_can_fail(from, to),
        (from, Dictionary(_, to)) => cast_can_fail(from, to),
        (from, to) if is_text(to) => is_binary(from) || from.is_nested(),
        (from, to) if is_binary(to) => !is_binary(from) && !is_text(from),
        (Boolean, to) => !to.is_integer(),
        (from, to) if from.is_integer() && to.is_integer() => !integer_fits(from, to),
        (from, Float32 | Float64) if from.is_integer() => false,
        (Float16, Float32 | Float64) | (Float32, Float64) => false,
        (Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..), Float32 | Float64) => false,
        (
            from,
            Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale),
        ) => !decimal_fits(from, i16::from(*digits), i16::from(*scale)),
        // Days of 32 bits are within the seconds and milliseconds of 64 bits.
        (Date32, Timestamp(unit, None)) => matches!(unit, TimeUnit::Microsecond | TimeUnit::Nanosecond),
        (Timestamp(..), Date32 | Time32(_) | Time64(_)) => false,
        (Timestamp(from, from_zone), Timestamp(to, to_zone)) => from_zone != to_zone || to > from,
        (Time32(from) | Time64(from), Time32(to) | Time64(to)) => to > from,
        _ => true,
    }
}

fn integer_fits(from: &DataType, to: &DataType) -> bool {
    let (from_bytes, to_bytes) = (from.primitive_width(), to.primitive_width());
    match (from.is_unsigned_integer(), to.is_unsigned_integer()) {
        (false, true) => false,
        (true, false) => to_bytes > from_bytes,
        _ => to_bytes >= from_bytes,
    }
}

/// A decimal that loses digits of its fraction is rounded, which may add a digit before it.
fn decimal_fits(from: &DataType, digits: i16, scale: i16) -> bool {
    use DataType::{
        Decimal32, Decimal64, Decimal128, Decimal256, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64,
    };
    let whole = digits - scale;
    match from {
        Int8 | UInt8 => whole >= 3,
        Int16 | UInt16 => whole >= 5,
        Int32 | UInt32 => whole >= 10,
        Int64 => whole >= 19,
        UInt64 => whole >= 20,
        Decimal32(from, from_scale)
        | Decimal64(from, from_scale)
        | Decimal128(from, from_scale)
        | Decimal256(from, from_scale) => {
            let (from, from_scale) = (i16::from(*from), i16::from(*from_scale));
            whole >= from - from_scale + i16::from(scale < from_scale)
        }
        _ => false,
    }
}
