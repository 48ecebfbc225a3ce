//! `a OPERATOR(other.+) b`: an operator that there is not. One of PostgreSQL's that is written by its name is read as the operator
//! itself (`dialect/operators`).

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use crate::{Error, Fault, Result};

/// Refuses such an operator.
pub(super) fn check(expression: &mut Expr) -> Result<()> {
    let Expr::BinaryOp { op: BinaryOperator::PGCustomBinaryOperator(parts), .. } = expression else { return Ok(()) };
    let message = format!("operator does not exist: {}", parts.join("."));
    Err(Error::new(Fault::UndefinedFunction, message))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;
    use crate::session::PostgreSql;

    #[test]
    fn operators_of_other_schemas_are_refused() {
        let parsed = |text: &str| Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
        assert!(check(&mut parsed("a OPERATOR(pg_catalog.+) b")).is_ok());
        let error = check(&mut parsed("a OPERATOR(other.+) b")).unwrap_err();
        assert!(error.to_string().contains("operator does not exist: other.+"));
    }
}
