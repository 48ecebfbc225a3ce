//! What the rows of a lookup are asked: whether a column equals one of a few values, which finds rows, and whatever else can be
//! evaluated on any row.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, Scalar},
    compute::{kernels::cmp, or, prep_null_mask_filter},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
};
use datafusion::{
    common::{DFSchema, ScalarValue},
    logical_expr::{
        BinaryExpr, Expr, Operator,
        expr::{InList, Placeholder},
    },
    physical_expr::PhysicalExpr,
};

use crate::{
    planning::{evaluable, parameter_number},
    session::storage::index::is_indexed,
};

/// A column is compared with so many values at most.
const MAX_VALUES: usize = 32;

/// What holds for a row. Columns are given by their places among those that are read.
#[derive(Debug)]
pub(super) enum Condition {
    /// A column equals one of these values.
    Equals(usize, Vec<Value>),
    /// A column is compared with a parameter.
    Compared(usize, Operator, Value),
    /// Something else, over these columns, which have this schema there.
    Holds { condition: Arc<dyn PhysicalExpr>, columns: Vec<usize>, schema: SchemaRef },
}

/// What a column is compared with; it is of the column's type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Known(ScalarValue),
    /// The value of this parameter, from 0, as one of the type.
    Given(usize, DataType),
}

/// The values that a condition compares with, one after the other.
pub(super) type Values = Vec<Scalar<ArrayRef>>;

impl Condition {
    /// What is asked by an expression over the columns of this schema, of which `places` says what they are among those that
    /// are read; nothing where it cannot be asked of any row.
    pub(super) fn of(expression: &Expr, schema: &DFSchema, places: &[Option<usize>]) -> Option<Self> {
        if let Some((place, values)) = equals(expression, schema, places)
            && values.len() <= MAX_VALUES
        {
            return Some(Self::Equals(place, values));
        }
        if let Some((place, operator, value)) = compared(expression, schema, places) {
            return Some(Self::Compared(place, operator, value));
        }
        let columns = places.iter().copied().collect::<Option<_>>()?;
        let condition = evaluable(expression, schema)?;
        Some(Self::Holds { condition, columns, schema: Arc::clone(schema.inner()) })
    }

    /// What it compares with, for these values of the parameters.
    pub(super) fn values(&self, given: &[ScalarValue]) -> Option<Values> {
        match self {
            Self::Equals(_, values) => values.iter().map(|value| value.scalar(given)).collect(),
            Self::Compared(_, _, value) => Some(vec![value.scalar(given)?]),
            Self::Holds { .. } => Some(Vec::new()),
        }
    }

    /// For which of the rows it holds, given all columns that are read.
    pub(super) fn holds(&self, rows: &[ArrayRef], values: &[Scalar<ArrayRef>]) -> Result<BooleanArray, ArrowError> {
        let missing = || ArrowError::ComputeError("what a lookup compares is missing".to_owned());
        let column = |place: &usize| rows.get(*place).ok_or_else(missing);
        match self {
            Self::Equals(place, _) => {
                let column = column(place)?;
                let mut holds = BooleanArray::from(vec![false; column.len()]);
                for value in values {
                    holds = or(&holds, &known(cmp::eq(column, value)?))?;
                }
                Ok(holds)
            }
            Self::Compared(place, operator, _) => {
                let (column, value) = (column(place)?, values.first().ok_or_else(missing)?);
                Ok(known(match operator {
                    Operator::NotEq => cmp::neq(column, value)?,
                    Operator::Lt => cmp::lt(column, value)?,
                    Operator::LtEq => cmp::lt_eq(column, value)?,
                    Operator::Gt => cmp::gt(column, value)?,
                    Operator::GtEq => cmp::gt_eq(column, value)?,
                    _ => return Err(missing()),
                }))
            }
            Self::Holds { condition, columns, schema } => {
                let count = rows.first().map_or(0, |column| column.len());
                let columns = columns.iter().map(|place| column(place).cloned()).collect::<Result<Vec<_>, _>>()?;
                let holds = condition.evaluate(&RecordBatch::try_new(Arc::clone(schema), columns)?)?;
                let holds = holds.into_array(count)?;
                Ok(known(holds.as_boolean_opt().ok_or_else(missing)?.clone()))
            }
        }
    }
}

/// What is compared with NULL does not hold.
fn known(holds: BooleanArray) -> BooleanArray {
    if holds.null_count() == 0 { holds } else { prep_null_mask_filter(&holds) }
}

impl Value {
    fn scalar(&self, given: &[ScalarValue]) -> Option<Scalar<ArrayRef>> {
        match self {
            Self::Known(value) => value.to_scalar().ok(),
            Self::Given(number, data_type) => match given.get(*number)? {
                value if value.data_type() == *data_type => value.to_scalar().ok(),
                value => value.cast_to(data_type).ok()?.to_scalar().ok(),
            },
        }
    }
}

/// The column of which an expression says that it equals one of some values.
fn equals(expression: &Expr, schema: &DFSchema, places: &[Option<usize>]) -> Option<(usize, Vec<Value>)> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let (column, value) = if is_column(left) { (left, right) } else { (right, left) };
            one_of(column, std::slice::from_ref(value.as_ref()), schema, places)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let (place, mut values) = equals(left, schema, places)?;
            let (other, more) = equals(right, schema, places)?;
            values.extend(more);
            (place == other).then_some((place, values))
        }
        Expr::InList(InList { expr, list, negated: false }) => one_of(expr, list, schema, places),
        _ => None,
    }
}

/// The column, of a type that is indexed, and the values that it may have of a list.
fn one_of(column: &Expr, list: &[Expr], schema: &DFSchema, places: &[Option<usize>]) -> Option<(usize, Vec<Value>)> {
    // The engine compares as numbers of more bits where the value is one.
    let (column, wide) = match column {
        Expr::Cast(cast) => (cast.expr.as_ref(), Some(cast.field.data_type())),
        other => (other, None),
    };
    let (place, data_type) = place_of(column, schema, places)?;
    let mut values = Vec::with_capacity(list.len());
    for item in list {
        match wide {
            None => values.push(value_of(item, data_type)?),
            Some(wide) => values.extend(narrowed(item, wide, data_type)?),
        }
    }
    Some((place, values))
}

/// The column that an expression compares with a parameter, and how.
fn compared(expression: &Expr, schema: &DFSchema, places: &[Option<usize>]) -> Option<(usize, Operator, Value)> {
    use Operator::{Gt, GtEq, Lt, LtEq, NotEq};
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expression else { return None };
    let (column, operator, value) = if is_column(left) { (left, *op, right) } else { (right, op.swap()?, left) };
    if !matches!(operator, NotEq | Lt | LtEq | Gt | GtEq) || !matches!(value.as_ref(), Expr::Placeholder(_)) {
        return None;
    }
    let (place, data_type) = place_of(column, schema, places)?;
    Some((place, operator, value_of(value, data_type)?))
}

fn is_column(expression: &Expr) -> bool {
    match expression {
        Expr::Column(_) => true,
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::Column(_)),
        _ => false,
    }
}

/// The place of a column and its type, where that is indexed: of others not all that is the same is equal, or the other way
/// round.
fn place_of<'a>(column: &Expr, schema: &'a DFSchema, places: &[Option<usize>]) -> Option<(usize, &'a DataType)> {
    let Expr::Column(column) = column else { return None };
    let index = schema.maybe_index_of_column(column)?;
    let data_type = schema.as_arrow().fields().get(index)?.data_type();
    is_indexed(data_type).then_some(((*places.get(index)?)?, data_type))
}

/// What a column of this type is compared with, where that is a value of it or becomes one as it is given.
fn value_of(expression: &Expr, data_type: &DataType) -> Option<Value> {
    match expression {
        Expr::Literal(value, _) if value.data_type() == *data_type => Some(Value::Known(value.clone())),
        Expr::Placeholder(Placeholder { id, field: Some(field) }) if field.data_type() == data_type => {
            Some(Value::Given(parameter_number(id)?.checked_sub(1)?, data_type.clone()))
        }
        _ => None,
    }
}

/// A whole number as one of fewer bits; none within where it is not one of them, so that no column of those equals it.
fn narrowed(expression: &Expr, wide: &DataType, narrow: &DataType) -> Option<Option<Value>> {
    use DataType::{Int16, Int32, Int64};
    let Expr::Literal(value, _) = expression else { return None };
    if value.data_type() != *wide || !matches!((narrow, wide), (Int16, Int32 | Int64) | (Int32, Int64)) {
        return None;
    }
    let number = match value {
        ScalarValue::Int16(number) => number.map(i64::from),
        ScalarValue::Int32(number) => number.map(i64::from),
        ScalarValue::Int64(number) => *number,
        _ => return None,
    };
    let narrowed = match narrow {
        Int16 => number.and_then(|number| i16::try_from(number).ok()).map(ScalarValue::from),
        _ => number.and_then(|number| i32::try_from(number).ok()).map(ScalarValue::from),
    };
    Some(narrowed.map(Value::Known))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{Int32Array, StringViewArray},
        datatypes::{Field, Schema},
    };
    use datafusion::logical_expr::{cast, col, lit, placeholder};

    use super::*;

    fn schema() -> DFSchema {
        let fields = [("id", DataType::Int32), ("word", DataType::Utf8View), ("half", DataType::Float64)]
            .map(|(name, data_type)| Field::new(name, data_type, true));
        DFSchema::try_from(Schema::new(fields.to_vec())).unwrap()
    }

    fn of(expression: &Expr) -> Option<Condition> {
        Condition::of(expression, &schema(), &[Some(0), Some(1), Some(2)])
    }

    fn parameter(data_type: DataType) -> Expr {
        Expr::Placeholder(Placeholder::new_with_field("$1".to_owned(), Some(Arc::new(Field::new("", data_type, true)))))
    }

    /// The rows of three for which a condition holds that finds them, or that only says so of them.
    fn holds(expression: &Expr, finds: bool, given: &[ScalarValue]) -> Vec<bool> {
        let condition = of(expression).unwrap_or_else(|| panic!("{expression} can be asked"));
        assert_eq!(matches!(condition, Condition::Equals(..)), finds, "{expression}");
        let rows: [ArrayRef; 3] = [
            Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])),
            Arc::new(StringViewArray::from(vec![Some("a"), Some("b"), None])),
            Arc::new(arrow::array::Float64Array::from(vec![Some(0.5), None, Some(f64::NAN)])),
        ];
        let values = condition.values(given).unwrap();
        let holds = condition.holds(&rows, &values).unwrap();
        assert_eq!(holds.null_count(), 0);
        holds.iter().flatten().collect()
    }

    #[test]
    fn rows_are_found_by_what_a_column_equals() {
        let word = |text: &str| lit(ScalarValue::Utf8View(Some(text.to_owned())));
        let wide = cast(col("id"), DataType::Int64);
        for (expression, expected) in [
            (col("id").eq(lit(3_i32)), [false, false, true]),
            (lit(1_i32).eq(col("id")), [true, false, false]),
            (col("id").eq(lit(ScalarValue::Int32(None))), [false; 3]),
            (col("word").eq(word("b")), [false, true, false]),
            (col("id").eq(lit(1_i32)).or(col("id").eq(lit(3_i32))), [true, false, true]),
            (
                col("id").in_list(vec![lit(7_i32), lit(ScalarValue::Int32(None)), lit(1_i32)], false),
                [true, false, false],
            ),
            (wide.clone().in_list(vec![lit(3_i64), lit(3_000_000_000_i64)], false), [false, false, true]),
            (wide.eq(lit(-3_000_000_000_i64)), [false; 3]),
        ] {
            assert_eq!(holds(&expression, true, &[]), expected, "{expression}");
        }
        for (given, expected) in [(Some(3), [false, false, true]), (None, [false; 3])] {
            let equals = col("id").eq(parameter(DataType::Int32));
            assert_eq!(holds(&equals, true, &[ScalarValue::Int32(given)]), expected);
        }
        // A number of fewer bits becomes one of the column's.
        assert_eq!(
            holds(&parameter(DataType::Int32).eq(col("id")), true, &[ScalarValue::Int16(Some(1))]),
            [true, false, false]
        );
    }

    #[test]
    fn other_conditions_say_it_of_the_rows() {
        let less = parameter(DataType::Int32).gt(col("id"));
        assert_eq!(holds(&less, false, &[ScalarValue::Int32(Some(3))]), [true, false, false]);
        for (expression, expected) in [
            (col("id").gt(lit(1_i32)), [false, false, true]),
            (col("id").is_null(), [false, true, false]),
            (col("word").is_not_null().and(col("id").is_not_null()), [true, false, false]),
            (col("id").eq(lit(1_i32)).or(col("word").is_null()), [true, false, true]),
            (col("half").eq(lit(0.5_f64)), [true, false, false]),
            (col("id").in_list(vec![lit(1_i32)], true), [false, false, true]),
            (col("id").in_list((2..100).map(lit).collect(), false), [false, false, true]),
        ] {
            assert_eq!(holds(&expression, false, &[]), expected, "{expression}");
        }
    }

    #[test]
    fn what_may_fail_or_has_no_type_is_not_asked() {
        let word = col("word").eq(lit(ScalarValue::Utf8View(Some("b".to_owned()))));
        assert!(Condition::of(&word, &schema(), &[Some(0), None, Some(2)]).is_none(), "it is no column that is read");
        for expression in [
            (col("id") / lit(0_i32)).eq(lit(1_i32)),
            cast(col("word"), DataType::Int32).eq(lit(1_i32)),
            col("id").eq(placeholder("$1")),
            (col("id") + parameter(DataType::Int32)).eq(lit(1_i32)),
            cast(col("id"), DataType::Int16).eq(lit(1_i16)),
        ] {
            assert!(of(&expression).is_none(), "{expression}");
        }
    }
}
