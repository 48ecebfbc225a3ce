//! The types of `$1`, `$2`, …: what the client declared, else what stands beside them.
//!
//! The planner infers the type of a parameter that is compared or computed with. Two things it does not see, and PostgreSQL
//! does: `$1::bigint` is a bigint, and a parameter that is a column of its own has the type that it will be bound with.

use std::{collections::BTreeMap, ops::ControlFlow};

use arrow::datatypes::DataType;
use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::{
        ast::{
            CastKind, Expr, LimitClause, Query, Select, SelectItem, SetExpr, Value, Visit, VisitMut, Visitor,
            VisitorMut,
        },
        tokenizer::{Token, TokenWithSpan},
    },
};

use crate::{
    Error, Fault, Result,
    session::{Scope, written},
};

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

/// The declared types, and where the client left one open the type of the cast or the clause that the parameter stands in.
pub(super) fn with_hints(
    scope: &Scope,
    statement: &SqlStatement,
    declared: &[Option<DataType>],
) -> Vec<Option<DataType>> {
    let SqlStatement::Statement(statement) = statement else { return declared.to_vec() };
    let mut hints = Hints { scope, found: BTreeMap::new(), count: 0 };
    let _ = statement.visit(&mut hints);
    let count = hints.count.max(declared.len());
    (1..=count)
        .map(|number| declared.get(number - 1).cloned().flatten().or_else(|| hints.found.remove(&number)))
        .collect()
}

/// Writes the known types into the statement where the planner would not find them: `SELECT $1` becomes
/// `SELECT CAST($1 AS integer)`.
pub(super) fn give_types(statement: &mut SqlStatement, types: &[Option<DataType>]) {
    if types.iter().all(Option::is_none) {
        return;
    }
    if let SqlStatement::Statement(statement) = statement {
        let _ = statement.visit(&mut Giving { types });
    }
}

struct Hints<'a> {
    scope: &'a Scope,
    found: BTreeMap<usize, DataType>,
    /// The greatest number of a parameter; one that the plan has no use for is a parameter too.
    count: usize,
}

impl Visitor for Hints<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        self.count = self.count.max(number(expression).unwrap_or(0));
        if let Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, .. } = expression
            && let Some(number) = number(expr)
            && let Ok(data_type) = self.scope.data_type(data_type)
        {
            self.found.entry(number).or_insert(data_type);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            for expression in limit.iter().chain(offset.iter().map(|offset| &offset.value)) {
                if let Some(number) = number(expression) {
                    self.found.entry(number).or_insert(DataType::Int64);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

struct Giving<'a> {
    types: &'a [Option<DataType>],
}

impl VisitorMut for Giving<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.give(&mut query.body);
        ControlFlow::Continue(())
    }
}

impl Giving<'_> {
    fn give(&self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => self.give_items(select),
            SetExpr::Query(query) => self.give(&mut query.body),
            SetExpr::SetOperation { left, right, .. } => {
                self.give(left);
                self.give(right);
            }
            SetExpr::Values(values) => {
                values.rows.iter_mut().flat_map(|row| row.iter_mut()).for_each(|value| self.give_one(value));
            }
            _ => {}
        }
    }

    fn give_items(&self, select: &mut Select) {
        for item in &mut select.projection {
            let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item
            else {
                continue;
            };
            self.give_one(expression);
        }
    }

    fn give_one(&self, expression: &mut Expr) {
        let known = number(expression).and_then(|number| self.types.get(number - 1)?.as_ref());
        // A column that is a timestamp is given as it comes.
        let known = known.filter(|known| !matches!(known, DataType::Timestamp(..)));
        if let Some(data_type) = known.and_then(written) {
            let expr = Box::new(expression.clone());
            *expression = Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None };
        }
    }
}

/// The number of a parameter, from 1.
fn number(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    numbered(name)
}

/// The number in the name `$n`, from 1.
pub(super) fn numbered(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::session::PostgreSql;

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
