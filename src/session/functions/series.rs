//! `generate_series` and `range` in FROM, over timestamps of microseconds too: the engine's count nanoseconds.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::{
    catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider},
    common::Result,
    logical_expr::Expr,
    prelude::SessionContext,
};

/// Puts these in the places of the engine's own.
pub(super) fn register(context: &SessionContext) {
    for name in ["generate_series", "range"] {
        if let Ok(inner) = context.table_function(name) {
            context.register_udtf(name, Arc::new(Series { inner: Arc::clone(inner.function()) }));
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
        for expression in &mut expressions {
            if let Expr::Literal(value, _) = expression
                && let DataType::Timestamp(_, zone) = value.data_type()
            {
                *value = value.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, zone))?;
            }
        }
        self.inner.call_with_args(TableFunctionArgs::new(&expressions, arguments.session()))
    }
}
