//! `generate_series` and `range`: in FROM over timestamps of microseconds too, where the engine's count nanoseconds, and
//! from a date to a timestamp, which the end of `generate_series(d, d + INTERVAL '1 day', INTERVAL '1 hour')` is.

use std::sync::Arc;

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::{
    catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider},
    common::{
        Result, ScalarValue,
        types::{NativeType, logical_date},
    },
    execution::FunctionRegistry,
    logical_expr::{
        Coercion, ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
        TypeSignatureClass,
    },
    prelude::SessionContext,
};

/// Puts these in the places of the engine's own.
pub(super) fn register(context: &SessionContext) {
    for name in ["generate_series", "range"] {
        if let Ok(inner) = context.table_function(name) {
            context.register_udtf(name, Arc::new(Series { inner: Arc::clone(inner.function()) }));
        }
        if let Ok(inner) = context.udf(name) {
            context.register_udf(ScalarUDF::from(List::new(inner)));
        }
    }
}

#[derive(Debug)]
struct Series {
    inner: Arc<dyn TableFunctionImpl>,
}

impl TableFunctionImpl for Series {
    fn call_with_args(&self, arguments: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let mut expressions = arguments.exprs().to_vec();
        let zone = expressions.iter().find_map(|expression| match literal_type(expression) {
            Some(DataType::Timestamp(_, zone)) => Some(zone),
            _ => None,
        });
        for expression in &mut expressions {
            let Expr::Literal(value, _) = expression else { continue };
            if value.is_null() {
                // The engine takes the one without a type alone.
                *value = ScalarValue::Null;
                continue;
            }
            match (value.data_type(), &zone) {
                (DataType::Int8 | DataType::Int16 | DataType::Int32, _) => *value = value.cast_to(&DataType::Int64)?,
                (DataType::Timestamp(_, zone), _) => become_nanoseconds(value, zone)?,
                (DataType::Date32, Some(zone)) => become_nanoseconds(value, zone.clone())?,
                _ => {}
            }
        }
        self.inner.call_with_args(TableFunctionArgs::new(&expressions, arguments.session()))
    }
}

fn literal_type(expression: &Expr) -> Option<DataType> {
    match expression {
        Expr::Literal(value, _) => Some(value.data_type()),
        _ => None,
    }
}

fn become_nanoseconds(value: &mut ScalarValue, zone: Option<Arc<str>>) -> Result<()> {
    *value = value.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, zone))?;
    Ok(())
}

/// The function that makes a list of a series, which the engine's does of two dates or of two timestamps.
#[derive(Debug, PartialEq, Eq, Hash)]
struct List {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl List {
    fn new(inner: Arc<ScalarUDF>) -> Self {
        let time = || {
            let dates = vec![TypeSignatureClass::Native(logical_date())];
            let timestamp = NativeType::Timestamp(TimeUnit::Nanosecond, None);
            Coercion::new_implicit(TypeSignatureClass::Timestamp, dates, timestamp)
        };
        let step = Coercion::new_implicit(
            TypeSignatureClass::Interval,
            Vec::new(),
            NativeType::Interval(IntervalUnit::MonthDayNano),
        );
        let mut signature = inner.signature().clone();
        if let TypeSignature::OneOf(variants) = &mut signature.type_signature {
            variants.push(TypeSignature::Coercible(vec![time(), time(), step]));
        }
        Self { inner, signature }
    }
}

impl ScalarUDFImpl for List {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(call)
    }
}
