//! `name OPERATOR(pg_catalog.~) '^a'`: an operator with the schema that it is of, which is that of all operators here.

use std::ops::ControlFlow;

use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::ast::{BinaryOperator, Expr, VisitorMut},
};

use super::visit;
use crate::{Error, Fault, Result, session::CATALOG_SCHEMA};

/// Writes the operators themselves.
pub(super) fn rewrite(statement: &mut SqlStatement) -> Result<()> {
    visit(statement, &mut Named)
}

struct Named;

impl VisitorMut for Named {
    type Break = Error;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        let Expr::BinaryOp { op, .. } = expression else { return ControlFlow::Continue(()) };
        let BinaryOperator::PGCustomBinaryOperator(parts) = &*op else { return ControlFlow::Continue(()) };
        match named(parts) {
            Ok(known) => {
                *op = known;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The operator behind its schema, if one is written.
fn named(parts: &[String]) -> Result<BinaryOperator> {
    let known = match parts {
        [name] => operator(name),
        [schema, name] if schema.eq_ignore_ascii_case(CATALOG_SCHEMA) => operator(name),
        _ => None,
    };
    known.ok_or_else(|| {
        let message = format!("operator does not exist: {}", parts.join("."));
        Error::new(Fault::UndefinedFunction, message)
    })
}

fn operator(name: &str) -> Option<BinaryOperator> {
    use BinaryOperator as Operator;
    Some(match name {
        "+" => Operator::Plus,
        "-" => Operator::Minus,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "^" => Operator::PGExp,
        "||" => Operator::StringConcat,
        "=" => Operator::Eq,
        "<>" | "!=" => Operator::NotEq,
        "<" => Operator::Lt,
        "<=" => Operator::LtEq,
        ">" => Operator::Gt,
        ">=" => Operator::GtEq,
        "&" => Operator::BitwiseAnd,
        "|" => Operator::BitwiseOr,
        "#" => Operator::PGBitwiseXor,
        "<<" => Operator::PGBitwiseShiftLeft,
        ">>" => Operator::PGBitwiseShiftRight,
        "&&" => Operator::PGOverlap,
        "@>" => Operator::AtArrow,
        "<@" => Operator::ArrowAt,
        "~" => Operator::PGRegexMatch,
        "~*" => Operator::PGRegexIMatch,
        "!~" => Operator::PGRegexNotMatch,
        "!~*" => Operator::PGRegexNotIMatch,
        "~~" => Operator::PGLikeMatch,
        "~~*" => Operator::PGILikeMatch,
        "!~~" => Operator::PGNotLikeMatch,
        "!~~*" => Operator::PGNotILikeMatch,
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
    fn an_operator_is_the_same_behind_its_schema() {
        for (written, planned) in [
            ("a OPERATOR(pg_catalog.~) 'b' AND c", "a ~ 'b' AND c"),
            ("a OPERATOR(PG_CATALOG.+) 1", "a + 1"),
            ("a OPERATOR(pg_catalog.<>) b", "a <> b"),
        ] {
            let mut expression = Parser::new(&PostgreSql).try_with_sql(written).unwrap().parse_expr().unwrap();
            assert!(expression.visit(&mut Named).is_continue());
            assert_eq!(expression.to_string(), planned);
        }
        let other = ["other".to_owned(), "+".to_owned()];
        assert!(named(&other).unwrap_err().to_string().contains("operator does not exist: other.+"));
    }
}
