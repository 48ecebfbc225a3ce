//! `x > ANY (array)` and `x > ALL (array)`: as comparisons with each element, of which some may be NULL.
//!
//! An array that is written out, or in quotes, becomes a list or a chain of comparisons; any other is compared by
//! [`CompareArray`]. And elements and parts of arrays, which have places from 1 on.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Datum, ListArray, Scalar, UInt64Array, new_null_array,
    },
    compute::{and_kleene, cast, kernels::cmp, or_kleene, take},
    datatypes::{DataType, Field, Float32Type, Float64Type},
};
use datafusion::{
    common::{ScalarValue, exec_err, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr as Planned, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        simplify::{ExprSimplifyResult, SimplifyContext},
    },
    sql::sqlparser::ast::{
        AccessExpr, BinaryOperator, DataType as Type, Expr, Function, FunctionArgumentClause, FunctionArguments,
        Select, Subscript, UnaryOperator, Value, visit_expressions, visit_expressions_mut,
    },
};

use super::{all, any, array_literals, call, cast_to, is_open, null, number, operation, quoted};
use crate::{Error, Fault, Result, fault::Failure, interrupt::steps, pgtype::type_name, planning::compared_as};

type PlanResult<T> = datafusion::common::Result<T>;

/// Longer arrays than this are compared as a value.
const MAX_WRITTEN_OUT: usize = 100;

/// Rewrites a comparison with the elements of an array; anything else stays as it is.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let (left, op, right, is_any) = match expression {
        Expr::AnyOp { left, compare_op, right, .. } => (left, compare_op, right, true),
        Expr::AllOp { left, compare_op, right } => (left, compare_op, right, false),
        Expr::Like { any: true, .. } | Expr::ILike { any: true, .. } => return like_any(expression),
        Expr::CompoundFieldAccess { .. } => {
            before_the_first(expression);
            with_bounds(expression);
            return Ok(());
        }
        _ => return Ok(()),
    };
    if is_subquery(right) {
        // The planner knows one pair of parentheses around it.
        while let Expr::Nested(inner) = right.as_mut() {
            let inner = std::mem::replace(inner.as_mut(), null());
            **right = inner;
        }
        return Ok(());
    }
    let mut written = elements(right)?;
    if let Some(elements) = &mut written
        && text_of(right).is_none()
        && Comparison::of(op).is_some()
    {
        say_texts(elements);
    }
    let rewritten = match written {
        Some(elements) if elements.is_empty() && text_of(right).is_some() => {
            Expr::Value(Value::Boolean(!is_any).into())
        }
        Some(elements) if !elements.is_empty() && elements.len() <= MAX_WRITTEN_OUT => {
            let plain = elements.iter().all(is_plain);
            match (&op, is_any) {
                (BinaryOperator::Eq, true) | (BinaryOperator::NotEq, false) if plain => {
                    Expr::InList { expr: left.clone(), list: elements, negated: !is_any }
                }
                _ => {
                    let each = elements.iter().map(|element| operation(*left.clone(), op.clone(), element.clone()));
                    if is_any { any(each) } else { all(each) }
                }
            }
        }
        _ => {
            let function = if is_any { ANY } else { ALL };
            let Some(op) = Comparison::of(op) else {
                let message = format!("{op} is not supported with an array that is not written out as ARRAY[…]");
                return Err(Error::new(Fault::FeatureNotSupported, message));
            };
            let name = quoted(op.name());
            call(function, vec![*left.clone(), *right.clone(), name])
        }
    };
    *expression = rewritten;
    Ok(())
}

/// An array of nothing but texts in quotes and NULLs is one of texts, whatever it is compared with.
fn say_texts(elements: &mut [Expr]) {
    if elements.iter().all(is_open) {
        for element in elements {
            *element = cast_to(std::mem::replace(element, null()), Type::Text);
        }
    }
}

/// Whether an element may stand in a list. A real is compared with an array of numerics as a double, and with a list of them as
/// with reals.
fn is_plain(element: &Expr) -> bool {
    match element {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.bytes().all(|byte| byte.is_ascii_digit()),
            _ => true,
        },
        Expr::Identifier(_) => true,
        Expr::Cast { expr, data_type: Type::Text, .. } => is_open(expr),
        _ => false,
    }
}

/// Elements of collected arrays: the planner makes `nth_value` of `(array_agg(x ORDER BY y))[1]`, which has its rows sorted, and
/// cannot sort them in several ways at once. An array that is collected sorts itself.
pub(super) fn subscripts(select: &mut Select) -> Result<()> {
    let mut orders: Vec<Vec<FunctionArgumentClause>> = Vec::new();
    let _ = visit_expressions(select, |expression| {
        if let Some((clauses, _)) = element_of_collected(expression)
            && !orders.contains(&clauses.to_vec())
        {
            orders.push(clauses.to_vec());
        }
        ControlFlow::<()>::Continue(())
    });
    if orders.len() < 2 {
        return Ok(());
    }
    let _ = visit_expressions_mut(select, |expression| {
        let element = element_of_collected(expression).map(|(_, index)| index.clone());
        if let (Some(index), Expr::CompoundFieldAccess { root, .. }) = (element, &*expression) {
            *expression = call("array_element", vec![*root.clone(), index]);
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(())
}

/// What `array_agg(…)[index]` collects by, and the index.
fn element_of_collected(expression: &Expr) -> Option<(&[FunctionArgumentClause], &Expr)> {
    let Expr::CompoundFieldAccess { root, access_chain } = expression else { return None };
    let [AccessExpr::Subscript(Subscript::Index { index })] = access_chain.as_slice() else { return None };
    let mut array = root.as_ref();
    while let Expr::Nested(inner) = array {
        array = inner;
    }
    match array {
        Expr::Function(Function { name, args: FunctionArguments::List(list), over: None, .. })
            if name.to_string().eq_ignore_ascii_case("array_agg") =>
        {
            Some((&list.clauses, index))
        }
        _ => None,
    }
}

/// No element of what is collected has a place before the first; the planner counts from the end.
fn before_the_first(expression: &mut Expr) {
    if element_of_collected(expression).is_none() {
        return;
    }
    let Expr::CompoundFieldAccess { root, access_chain } = expression else { return };
    if let [AccessExpr::Subscript(Subscript::Index { index: Expr::UnaryOp { op: UnaryOperator::Minus, expr } })] =
        access_chain.as_slice()
        && matches!(expr.as_ref(), Expr::Value(_))
    {
        let none = number("0");
        *expression = call("array_element", vec![*root.clone(), none]);
    }
}

/// A part of an array goes from its first place to its last where it is not said otherwise.
fn with_bounds(expression: &mut Expr) {
    let Expr::CompoundFieldAccess { access_chain, .. } = expression else { return };
    for access in access_chain {
        if let AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, .. }) = access {
            lower_bound.get_or_insert_with(|| number("1"));
            upper_bound.get_or_insert_with(|| number(i32::MAX.to_string()));
        }
    }
}

fn like_any(expression: &mut Expr) -> Result<()> {
    let (Expr::Like { pattern, .. } | Expr::ILike { pattern, .. }) = expression else { return Ok(()) };
    let Some(patterns) = elements(pattern)? else {
        let message = "LIKE ANY is supported with patterns that are written out as ARRAY[…] or '{…}' only";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    };
    let each = patterns.into_iter().map(|one| {
        let mut like = expression.clone();
        if let Expr::Like { any, pattern, .. } | Expr::ILike { any, pattern, .. } = &mut like {
            *any = false;
            **pattern = one;
        }
        like
    });
    *expression = any(each.collect::<Vec<_>>());
    Ok(())
}

fn is_subquery(expression: &Expr) -> bool {
    match expression {
        Expr::Subquery(_) => true,
        Expr::Nested(inner) => is_subquery(inner),
        _ => false,
    }
}

/// The elements of an array that is written out or in quotes.
fn elements(expression: &Expr) -> Result<Option<Vec<Expr>>> {
    if let Some(text) = text_of(expression) {
        let written = |element: Option<String>| element.map_or(Value::Null, Value::SingleQuotedString);
        let elements = array_literals::read(text)?.elements.into_iter();
        return Ok(Some(elements.map(|element| Expr::Value(written(element).into())).collect()));
    }
    Ok(match expression {
        Expr::Array(array) if array.elem.iter().all(|element| !matches!(element, Expr::Array(_))) => {
            Some(array.elem.clone())
        }
        Expr::Nested(inner) => elements(inner)?,
        _ => None,
    })
}

/// The text of an operand that is one in quotes.
fn text_of(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => array_literals::text_of(&value.value),
        Expr::Nested(inner) => text_of(inner),
        _ => None,
    }
}

/// The elements of an array that is written out.
pub(super) fn elements_mut(expression: &mut Expr) -> Option<&mut [Expr]> {
    match expression {
        Expr::Array(array) => Some(&mut array.elem),
        Expr::Nested(inner) => elements_mut(inner),
        _ => None,
    }
}

const ANY: &str = "compare_any";
const ALL: &str = "compare_all";

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const EACH: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];

    fn of(op: &BinaryOperator) -> Option<Self> {
        let name = op.to_string();
        Self::EACH.into_iter().find(|comparison| comparison.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn named(name: &ScalarValue) -> Option<Self> {
        let name = name.try_as_str().flatten()?;
        Self::EACH.into_iter().find(|comparison| comparison.name() == name)
    }

    /// Compares values in which zeros are one.
    fn compare(self, left: &dyn Datum, right: &dyn Datum) -> PlanResult<BooleanArray> {
        Ok(match self {
            Self::Equal => cmp::eq(left, right),
            Self::NotEqual => cmp::neq(left, right),
            Self::Less => cmp::lt(left, right),
            Self::LessOrEqual => cmp::lt_eq(left, right),
            Self::Greater => cmp::gt(left, right),
            Self::GreaterOrEqual => cmp::gt_eq(left, right),
        }?)
    }
}

/// `compare_any(x, array, '>')` and `compare_all(x, array, '>')`: what the operators with ANY and ALL become.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct CompareArray {
    is_any: bool,
    signature: Signature,
}

impl CompareArray {
    /// Both functions.
    pub(crate) fn both() -> [ScalarUDF; 2] {
        [true, false]
            .map(|is_any| ScalarUDF::from(Self { is_any, signature: Signature::user_defined(Volatility::Immutable) }))
    }
}

impl ScalarUDFImpl for CompareArray {
    fn name(&self) -> &str {
        if self.is_any { ANY } else { ALL }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        let [left, right, _] = take_function_args(self.name(), types)?;
        match element(right) {
            None if right.is_null() => Ok(DataType::Boolean),
            None => {
                let message = format!("op ANY/ALL (array) requires array on right side, not {}", type_name(right));
                Err(Failure::new(Fault::WrongObjectType, message).into())
            }
            Some(element) if left == element || left.is_null() => Ok(DataType::Boolean),
            Some(element) => {
                let (left, element) = (type_name(left), type_name(element));
                let message = format!("operator does not exist: {left} is not compared with {element}");
                Err(Failure::new(Fault::UndefinedFunction, message).into())
            }
        }
    }

    fn coerce_types(&self, types: &[DataType]) -> PlanResult<Vec<DataType>> {
        let [left, right, name] = take_function_args(self.name(), types)?;
        let common = match (left, element(right)) {
            // NULL, or a parameter whose type is not known yet; what is no array is refused with the type of the result.
            (_, None) => None,
            (DataType::Null, Some(other)) => Some(other.clone()),
            (other, Some(DataType::Null)) => Some(other.clone()),
            (left, Some(element)) => compared_as(left, element),
        };
        let Some(common) = common else { return Ok(types.to_vec()) };
        let list = DataType::List(Arc::new(Field::new_list_field(common.clone(), true)));
        Ok(vec![common, list, name.clone()])
    }

    fn simplify(&self, arguments: Vec<Planned>, context: &SimplifyContext) -> PlanResult<ExprSimplifyResult> {
        Ok(match self.as_set(&arguments, context)? {
            Some(lookup) => ExprSimplifyResult::Simplified(lookup),
            None => ExprSimplifyResult::Original(arguments),
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let rows = arguments.number_rows;
        let [left, right, op] = take_function_args(self.name(), arguments.args)?;
        let ColumnarValue::Scalar(op) = op else { return exec_err!("the operator is not a constant") };
        let Some(op) = Comparison::named(&op) else { return exec_err!("the operator is not known") };
        let left = left.into_array(rows)?;
        if let ColumnarValue::Scalar(ScalarValue::List(list)) = &right
            && list.is_valid(0)
        {
            return Ok(ColumnarValue::Array(Arc::new(self.fold_one(&left, &list.value(0), op)?)));
        }
        let right = right.into_array(rows)?;
        if right.data_type().is_null() {
            return Ok(ColumnarValue::Array(new_null_array(&DataType::Boolean, rows)));
        }
        Ok(ColumnarValue::Array(Arc::new(self.fold(&left, right.as_list(), op)?)))
    }
}

/// Whether values of a type are equal where their bytes are.
fn is_exact(data_type: &DataType) -> bool {
    let is_time = matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
    data_type.is_integer() || data_type.is_string() || is_time
}

/// Floats in which -0 is 0, which the kernels tell apart.
fn one_zero(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| value + 0.0))
        }
        DataType::Float32 => {
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(|value| value + 0.0))
        }
        _ => Arc::clone(values),
    }
}

fn element(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

impl CompareArray {
    /// The same as a lookup among the elements of a constant; none where it has to be gone through.
    fn as_set(&self, arguments: &[Planned], context: &SimplifyContext) -> PlanResult<Option<Planned>> {
        let [left, Planned::Literal(ScalarValue::List(list), _), Planned::Literal(op, _)] = arguments else {
            return Ok(None);
        };
        let is_set = matches!(
            (Comparison::named(op), self.is_any),
            (Some(Comparison::Equal), true) | (Some(Comparison::NotEqual), false)
        );
        if !is_set || list.is_null(0) {
            return Ok(None);
        }
        let elements = list.value(0);
        let data_type = elements.data_type();
        if elements.is_empty() || !is_exact(data_type) || context.get_data_type(left)? != *data_type {
            return Ok(None);
        }
        let each = (0..elements.len()).map(|at| ScalarValue::try_from_array(&elements, at));
        let each = each.map(|value| value.map(|value| Planned::Literal(value, None)));
        Ok(Some(left.clone().in_list(each.collect::<PlanResult<Vec<_>>>()?, !self.is_any)))
    }

    /// Compares all values with one array, which is never repeated: it may be long, and the values many.
    fn fold_one(&self, left: &ArrayRef, elements: &ArrayRef, op: Comparison) -> PlanResult<BooleanArray> {
        let mut folded = BooleanArray::from(vec![!self.is_any; left.len()]);
        if elements.is_empty() {
            return Ok(folded);
        }
        if left.data_type().is_null() {
            return Ok(BooleanArray::new_null(left.len()));
        }
        let cast_to_left = || cast(elements, left.data_type());
        let elements = if elements.data_type() == left.data_type() { Arc::clone(elements) } else { cast_to_left()? };
        let (left, elements) = (one_zero(left), one_zero(&elements));
        for at in 0..elements.len() {
            steps(left.len())?;
            let compared = op.compare(&left, &Scalar::new(elements.slice(at, 1)))?;
            folded = if self.is_any { or_kleene(&folded, &compared)? } else { and_kleene(&folded, &compared)? };
        }
        Ok(folded)
    }

    fn fold(&self, left: &ArrayRef, lists: &ListArray, op: Comparison) -> PlanResult<BooleanArray> {
        let offsets = lists.value_offsets();
        let (first, last) = match offsets {
            [first, .., last] => (*first as usize, *last as usize),
            _ => (0, 0),
        };
        let values = lists.values().slice(first, last - first);
        let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
        let repeated = lengths.clone().enumerate().flat_map(|(row, length)| std::iter::repeat_n(row as u64, length));
        let left = take(left, &UInt64Array::from_iter_values(repeated), None)?;
        let values = if values.data_type() == left.data_type() { values } else { cast(&values, left.data_type())? };
        let compared = match left.data_type() {
            DataType::Null => BooleanArray::new_null(values.len()),
            _ => op.compare(&one_zero(&left), &one_zero(&values))?,
        };
        let mut folded = BooleanBuilder::with_capacity(lists.len());
        let mut at = 0;
        for (row, length) in lengths.enumerate() {
            steps(length)?;
            let elements = at..at + length;
            at += length;
            if lists.is_null(row) {
                folded.append_null();
                continue;
            }
            // One that decides is enough; where none does, one that is unknown leaves all unknown.
            let mut unknown = false;
            let decided = elements.into_iter().any(|element| {
                unknown |= compared.is_null(element);
                compared.is_valid(element) && compared.value(element) == self.is_any
            });
            match (decided, unknown) {
                (true, _) => folded.append_value(self.is_any),
                (false, true) => folded.append_null(),
                (false, false) => folded.append_value(!self.is_any),
            }
        }
        Ok(folded.finish())
    }
}
