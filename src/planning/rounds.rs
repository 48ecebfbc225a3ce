//! `round`, whose type does not depend on when it is asked for.
//!
//! The engine gives `round(n, 1)` of a numeric(10,2) one digit behind the point where it sees the 1, and two where it sees an
//! expression. It sees one between the places where types are made the same, which cast the 1, and the one where constants
//! are evaluated: what a comparison, a join, a CASE or a set operation was planned for is not what it gets. Here a call is read
//! once, as it is written, and keeps what was read.
//!
//! Halves go away from zero, as PostgreSQL's numerics do: what is a double here is often a numeric there.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions, tree_node::Transformed},
    functions::math,
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        sort_properties::{ExprProperties, SortProperties},
    },
    optimizer::AnalyzerRule,
};

use super::steps;

/// The function, for statements to call. It takes the type for the one that the call has as it stands.
pub(crate) fn round() -> ScalarUDF {
    ScalarUDF::from(Round { inner: math::round(), places: Places::Unread })
}

/// Reads the calls of a plan; see the module. It comes before types are made the same.
#[derive(Debug)]
pub(super) struct ReadPlaces;

impl AnalyzerRule for ReadPlaces {
    fn name(&self) -> &str {
        "read_places"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| unread(step).is_some(), |step, _| Ok(read(step)))
    }
}

fn unread(step: &Expr) -> Option<&Round> {
    let Expr::ScalarFunction(call) = step else { return None };
    call.func.inner().downcast_ref::<Round>().filter(|round| round.places == Places::Unread)
}

fn read(mut step: Expr) -> Transformed<Expr> {
    let Some(inner) = unread(&step).map(|round| Arc::clone(&round.inner)) else { return Transformed::no(step) };
    if let Expr::ScalarFunction(call) = &mut step {
        let places = match call.args.get(1) {
            None => Places::Named(0),
            Some(Expr::Literal(places, _)) => named(places),
            Some(_) => Places::Computed,
        };
        call.func = Arc::new(ScalarUDF::from(Round { inner, places }));
    }
    Transformed::yes(step)
}

/// NULL places are taken for none: the result is NULL, whatever its type.
fn named(places: &ScalarValue) -> Places {
    match places.cast_to(&DataType::Int32) {
        Ok(ScalarValue::Int32(places)) => Places::Named(places.unwrap_or(0)),
        _ => Places::Computed,
    }
}

/// How many digits behind the point a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Places {
    Unread,
    Named(i32),
    /// They may differ from row to row.
    Computed,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    inner: Arc<ScalarUDF>,
    places: Places,
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn is_strict(&self) -> bool {
        self.inner.is_strict()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let named = match self.places {
            Places::Named(places) => Some(ScalarValue::Int32(Some(places))),
            Places::Unread | Places::Computed => None,
        };
        let read = [None, named.as_ref()];
        let is_read = self.places != Places::Unread && arguments.scalar_arguments.len() == read.len();
        let scalar_arguments = if is_read { read.as_slice() } else { arguments.scalar_arguments };
        self.inner.return_field_from_args(ReturnFieldArgs { arg_fields: arguments.arg_fields, scalar_arguments })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(call)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    /// The type of a call that was read with these places, once these are seen.
    fn read_type(places: Expr, seen: Option<&ScalarValue>) -> DataType {
        let call = round().call(vec![col("n"), places]);
        let Expr::ScalarFunction(call) = read(call).data else { panic!("it is no call") };
        let fields: [FieldRef; 2] = [
            Arc::new(Field::new("n", DataType::Decimal128(10, 2), true)),
            Arc::new(Field::new("places", DataType::Int32, true)),
        ];
        let arguments = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &[None, seen] };
        call.func.return_field_from_args(arguments).unwrap().data_type().clone()
    }

    #[test]
    fn the_type_is_that_of_the_call_as_it_is_written() {
        let one = ScalarValue::Int32(Some(1));
        for seen in [None, Some(&one)] {
            assert_eq!(read_type(lit(1_i64), seen), DataType::Decimal128(10, 1));
            assert_eq!(read_type(lit(-1_i64), seen), DataType::Decimal128(10, 0));
            assert_eq!(read_type(lit(5_i64), seen), DataType::Decimal128(10, 2));
            assert_eq!(read_type(cast(lit(1_i64), DataType::Int32), seen), DataType::Decimal128(11, 2));
            assert_eq!(read_type(col("k"), seen), DataType::Decimal128(11, 2));
        }
    }
}
