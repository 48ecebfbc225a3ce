//! The parameters `$1`, `$2`, … of statements, by their numbers.

use std::{collections::BTreeSet, ops::ControlFlow};

use datafusion::sql::{
    parser::{CopyToSource, CopyToStatement, Statement as SqlStatement},
    sqlparser::{
        ast::{Expr, visit_expressions},
        tokenizer::{Token, TokenWithSpan},
    },
};

use super::placeholders::{number, numbered};
use crate::{Error, Fault, Result};

/// The most parameters of a statement: the protocol counts them in two bytes.
const MAX_PARAMETERS: usize = 65_535;

/// Refuses a parameter with a number that none can have. A statement has all parameters up to the greatest number in it, so
/// that one number would take the memory of thousands of millions.
pub(super) fn check_numbers(tokens: &[TokenWithSpan]) -> Result<()> {
    for token in tokens {
        let Token::Placeholder(name) = &token.token else { continue };
        let Some(digits) = name.strip_prefix('$') else { continue };
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if is_number && numbered(name).is_none_or(|number| number > MAX_PARAMETERS) {
            let error = Error::Statement {
                fault: Fault::UndefinedParameter,
                message: format!("there is no parameter {name}"),
                hint: Some(format!("a statement has parameters from $1 to ${MAX_PARAMETERS}")),
            };
            return Err(error.at(token.span.start));
        }
    }
    Ok(())
}

/// The numbers of the parameters in a statement; one that its plan has no use for is a parameter too.
pub(super) fn mentioned(statement: &SqlStatement) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut note = |expression: &Expr| {
        found.extend(number(expression));
        ControlFlow::<()>::Continue(())
    };
    // It never breaks off.
    let _ = match statement {
        SqlStatement::Statement(statement) => visit_expressions(statement.as_ref(), &mut note),
        SqlStatement::Explain(explain) => return mentioned(&explain.statement),
        SqlStatement::CopyTo(CopyToStatement { source: CopyToSource::Query(query), .. }) => {
            visit_expressions(query.as_ref(), &mut note)
        }
        _ => return BTreeSet::new(),
    };
    found
}

#[cfg(test)]
mod tests {
    use datafusion::sql::{parser::DFParserBuilder, sqlparser::tokenizer::Tokenizer};

    use super::*;
    use crate::session::PostgreSql;

    #[test]
    fn a_statement_has_the_parameters_that_are_written_in_it() {
        let found = |sql: &str| {
            let parsed = DFParserBuilder::new(sql)
                .with_dialect(&PostgreSql)
                .build()
                .and_then(|mut parser| parser.parse_statement());
            parsed.map(|statement| mentioned(&statement).into_iter().collect::<Vec<_>>()).unwrap_or_default()
        };
        assert_eq!(found("SELECT $3, '$1' FROM t WHERE a = $1 LIMIT $12"), [1, 3, 12]);
        assert_eq!(found("WITH w AS (SELECT $2) SELECT (SELECT $4)"), [2, 4]);
        assert_eq!(found("EXPLAIN SELECT $1"), [1]);
        assert_eq!(found("INSERT INTO t VALUES ($1, $2), (1, $2 + $5)"), [1, 2, 5]);
        assert_eq!(found("SELECT 1"), [0; 0]);
    }

    #[test]
    fn parameters_have_numbers_that_the_protocol_can_count() {
        let check = |sql: &str| {
            let tokens = Tokenizer::new(&PostgreSql, sql).tokenize_with_location().unwrap_or_default();
            assert!(tokens.len() > 1, "{sql}");
            check_numbers(&tokens).map_err(|error| (error.fault(), error.to_string()))
        };
        for sql in ["SELECT $1", "SELECT $65535", "SELECT $0007 + $2", "SELECT '$70000', $$ $0 $$", "SELECT 1 -- $0"] {
            assert_eq!(check(sql), Ok(()), "{sql}");
        }
        for name in ["$0", "$000", "$65536", "$4000000000", "$99999999999999999999999999"] {
            let expected = (Fault::UndefinedParameter, format!("there is no parameter {name}"));
            assert_eq!(check(&format!("PREPARE p AS SELECT 1, {name}::int")), Err(expected), "{name}");
        }
    }
}
