//! `coalesce`, `greatest`, `least`, `nullif` and `make_array`, which take arguments of types that do not go together: whether they
//! do is known when types are settled.
//!
//! The engine's refuse a date beside a text where they are planned, and cannot tell one in quotes, which may be a date, from
//! others. All else is theirs.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{Result, plan_err},
    functions::core::{coalesce, greatest, least, nullif},
    functions_nested::make_array::make_array_udf,
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        simplify::{ExprSimplifyResult, SimplifyContext},
        type_coercion::binary::comparison_coercion,
    },
};

use crate::pgtype::{self, ColumnType, JSON, JSONB, told};

/// The functions, in the place of the engine's.
pub(crate) fn choosing() -> Vec<ScalarUDF> {
    [coalesce(), greatest(), least(), nullif(), make_array_udf()].into_iter().map(of).collect()
}

/// `make_array`, which is what an array that is written calls.
pub(super) fn array() -> ScalarUDF {
    of(make_array_udf())
}

fn of(inner: Arc<ScalarUDF>) -> ScalarUDF {
    let signature = Signature::user_defined(inner.signature().volatility);
    ScalarUDF::from(Choosing { inner, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Choosing {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl Choosing {
    /// The types that the engine makes of these.
    fn coerced(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [one, other] if self.name() == "nullif" => {
                let common = comparison_coercion(one, other);
                Ok(common.map_or_else(|| types.to_vec(), |common| vec![common; 2]))
            }
            _ => self.inner.coerce_types(types),
        }
    }
}

/// Whether values are objects that the engine alone knows.
fn is_engine_object(data_type: &DataType) -> bool {
    match pgtype::innermost(data_type) {
        DataType::Struct(fields) => !pgtype::is_record(fields),
        DataType::Map(..) | DataType::Union(..) => true,
        _ => false,
    }
}

impl ScalarUDFImpl for Choosing {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let is_json = |own: &ColumnType| [JSON.oid, JSONB.oid].contains(&own.pg.oid);
        let json = arguments.arg_fields.iter().find_map(|field| told(field).filter(is_json));
        let field = self.inner.return_field_from_args(arguments)?;
        // Operators of JSON are planned before types are settled, and ask what a subquery's column is.
        Ok(match json.filter(|_| ["coalesce", "nullif"].contains(&self.name())) {
            Some(json) => Arc::new(field.as_ref().clone().with_metadata(json.metadata())),
            None => field,
        })
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if self.name() == "nullif" && types.len() != 2 {
            return plan_err!("nullif takes two arguments");
        }
        if types.iter().any(is_engine_object) {
            return self.coerced(types);
        }
        let others: Vec<DataType> = types.iter().filter(|own| !own.is_string() && !own.is_null()).cloned().collect();
        // A text beside other values may be one in quotes.
        if types.iter().any(DataType::is_string)
            && let Some(first) = others.first()
        {
            let common = match others.as_slice() {
                [alone] => alone.clone(),
                several => {
                    let coerced = self.coerced(several).ok().and_then(|types| types.first().cloned());
                    coerced.unwrap_or_else(|| first.clone())
                }
            };
            // The engine knows no cast to it; the plan gets one of ours.
            return Ok(if common == pgtype::ZONED_TIME { types.to_vec() } else { vec![common; types.len()] });
        }
        match self.coerced(types) {
            Err(_) if types.len() > 1 => Ok(types.to_vec()),
            coerced => coerced,
        }
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.simplify(arguments, context)
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(arguments)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.inner().invoke_with_args(call)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn texts_may_be_what_stands_beside_them() {
        use DataType::{Boolean, Date32, Int32, Int64, Null, Utf8};
        let early = |name: &str, types: &[DataType]| {
            let function = choosing().into_iter().find(|function| function.name() == name).unwrap();
            function.coerce_types(types).unwrap()
        };
        for name in ["coalesce", "greatest", "least", "nullif", "make_array"] {
            assert_eq!(early(name, &[Date32, Utf8]), [Date32, Date32], "{name}");
            assert_eq!(early(name, &[Int32, Int64]), [Int64, Int64], "{name}");
            // It is refused when types are settled.
            assert_eq!(early(name, &[Boolean, Date32]), [Boolean, Date32], "{name}");
        }
        assert_eq!(early("coalesce", &[Null, Utf8, Date32]), [Date32, Date32, Date32]);
    }
}
