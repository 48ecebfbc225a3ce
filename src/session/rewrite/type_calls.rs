//! Types that are called as functions: `date(created)`, `int4('5')`. PostgreSQL has functions of these names for some of
//! its casts and takes the call for a cast where it has none; here each is written as the cast that it is, but for those
//! types that have [functions](crate::functions) of their names, of which only a text in quotes has to be cast.

use std::ops::ControlFlow;

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, VisitorMut},
};

use super::{is_open, told_types, visit};
use crate::{
    Error, Result,
    pgtype::{BPCHAR, INTERVAL, NAME, OID, PgType, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ},
};

/// Those that functions are called as.
static OF_FUNCTIONS: [PgType; 5] = [INTERVAL, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ];

/// Writes casts.
pub(super) fn rewrite(statement: &mut SqlStatement) -> Result<()> {
    visit(statement, &mut TypeCalls)
}

struct TypeCalls;

impl VisitorMut for TypeCalls {
    type Break = Error;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        if let Some(cast) = as_cast(expression) {
            *expression = cast;
        }
        ControlFlow::Continue(())
    }
}

fn as_cast(expression: &Expr) -> Option<Expr> {
    let Expr::Function(Function {
        name,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group,
        ..
    }) = expression
    else {
        return None;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] = list.args.as_slice() else { return None };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() || !within_group.is_empty() {
        return None;
    }
    let data_type = called_type(&told_types::word(name)?, value)?;
    Some(Expr::Cast { kind: CastKind::Cast, expr: Box::new(value.clone()), data_type, array: false, format: None })
}

/// The type that is called so with this value, if the call is a cast.
fn called_type(word: &str, value: &Expr) -> Option<DataType> {
    Some(match word {
        "bool" => DataType::Bool,
        "bpchar" => told_types::plain(&BPCHAR),
        "bytea" => DataType::Bytea,
        "date" => DataType::Date,
        "float4" => DataType::Float4,
        "float8" => DataType::Float8,
        "int2" => DataType::Int2(None),
        "int4" => DataType::Int4(None),
        "int8" => DataType::Int8(None),
        "json" => DataType::JSON,
        "jsonb" => DataType::JSONB,
        "name" => told_types::plain(&NAME),
        "oid" => told_types::plain(&OID),
        "text" => DataType::Text,
        other if is_open(value) => told_types::plain(OF_FUNCTIONS.iter().find(|pg| pg.name == other)?),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{ast::VisitMut, parser::Parser};

    use super::*;
    use crate::session::PostgreSql;

    #[test]
    fn a_type_that_is_called_is_a_cast() {
        for (written, planned) in [
            ("date(created)", "CAST(created AS DATE)"),
            ("pg_catalog.int4('5')", "CAST('5' AS INT4)"),
            ("text(int8(1))", "CAST(CAST(1 AS INT8) AS TEXT)"),
            ("NAME('x')", "CAST('x' AS \"name\")"),
            ("\"time\"('10:00')", "CAST('10:00' AS \"time\")"),
            ("timestamptz(x)", "timestamptz(x)"),
            ("date(a, b)", "date(a, b)"),
            ("date(DISTINCT a)", "date(DISTINCT a)"),
            ("other.date(a)", "other.date(a)"),
        ] {
            let mut expression = Parser::new(&PostgreSql).try_with_sql(written).unwrap().parse_expr().unwrap();
            assert!(expression.visit(&mut TypeCalls).is_continue());
            assert_eq!(expression.to_string(), planned);
        }
    }
}
