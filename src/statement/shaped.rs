//! Queries whose texts differ in values alone, as those of programs do that write a key into each of their statements.
//!
//! Of the first one parameters take the places of the values that its WHERE compares columns with. Where that looks up rows by
//! a key (see `session/storage/lookup.rs`), the next one is not parsed: its values are those of the parameters. Whatever else it
//! is, it is parsed and runs as it is written; so it does when a lookup reads as before.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::{
            ast::{BinaryOperator, Expr, SetExpr, Statement as Ast, Value},
            tokenizer::Location,
        },
    },
};

use super::{Action, Statement, parse, reuse};
use crate::{
    Error, Fault, Result,
    session::{Blanked, Known, Outcome, Reading, Running, Scope, Shape, Shared, analyze, execute},
};

/// A query of which another was read that differs in values alone.
#[derive(Debug)]
struct Shaped {
    shape: Arc<Shape>,
    /// The values of the parameters that the other has in their places.
    values: Vec<ScalarValue>,
    source: Arc<str>,
}

/// Keeps what the next text is that differs from this statement's in values alone. It is the only one of its text.
pub(crate) fn keep_shape(shared: &Shared, statement: &Statement) {
    let shape = || {
        let blanked = Blanked::of(&statement.source)?;
        let (action, places) = statement.action.parametrised()?;
        Some((Shape::new(&blanked, action, &places)?, blanked))
    };
    if let Some((shape, blanked)) = shape() {
        shared.plans.keep_shape(&blanked.text, shape);
    }
}

/// The statement of a text that differs from one that was read in values alone.
pub(crate) fn shaped(shared: &Shared, sql: &str) -> Option<Statement> {
    let blanked = Blanked::of(sql)?;
    let shape = shared.plans.shape(&blanked.text)?;
    let values = shape.values(&blanked)?;
    let source: Arc<str> = Arc::from(sql);
    let text = sql.trim_matches(|letter: char| letter.is_whitespace() || letter == ';').to_owned();
    let action = Arc::new(Shaped { shape, values, source: Arc::clone(&source) });
    Some(Statement { text, source, action, memory: None })
}

#[async_trait]
impl Action for Shaped {
    async fn run(&self, running: Running<'_>) -> Result<Outcome> {
        let Running { client, scope, .. } = running;
        if self.shape.is_tried() {
            let types: Vec<_> = self.values.iter().map(|value| Some(value.data_type())).collect();
            // What is wrong with it is told of the text as it is written.
            let known = analyze(self.shape.action().as_ref(), client, scope, &types).await;
            let kept = known.ok().and_then(|known| known.kept);
            if let Some(kept) = &kept
                && let Some(outcome) = reuse::looked_up(scope, kept, &self.values).await
            {
                self.shape.worked();
                return Ok(outcome);
            }
            if kept.is_none_or(|kept| kept.point().is_none()) {
                self.shape.failed();
            }
        }
        let action = self.read(scope)?;
        execute(action.as_ref(), client, scope, &[]).await
    }

    fn answer(&self, scope: &Scope, _values: &[ScalarValue]) -> Option<Outcome> {
        self.shape.action().answer(scope, &self.values)
    }
}

impl Shaped {
    /// What the text says as it is written, which is kept.
    fn read(&self, scope: &Scope) -> Result<Arc<dyn Action>> {
        let mut statements = parse(&self.source, Reading::new(scope.shared()))?;
        let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
            return Err(Error::new(Fault::Internal, "a text of one statement was read as another number of them"));
        };
        let Statement { text, source, action, .. } = statement;
        scope.shared().plans.keep_statement(Known {
            action: Arc::clone(&action),
            text: Arc::from(text.as_str()),
            source,
        });
        Ok(action)
    }
}

/// The query with parameters in the places of the values that its WHERE compares columns with, and where those stand; none
/// where it has none.
pub(super) fn with_parameters(statement: &SqlStatement) -> Option<(SqlStatement, Vec<Location>)> {
    let mut statement = statement.clone();
    let SqlStatement::Statement(inner) = &mut statement else { return None };
    let Ast::Query(query) = inner.as_mut() else { return None };
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    let mut places = Vec::new();
    give_parameters(select.selection.as_mut()?, &mut places);
    (!places.is_empty()).then_some((statement, places))
}

fn give_parameters(condition: &mut Expr, places: &mut Vec<Location>) {
    let Expr::BinaryOp { left, op, right } = condition else { return };
    match (&*op, left.as_mut(), right.as_mut()) {
        (BinaryOperator::And, left, right) => {
            give_parameters(left, places);
            give_parameters(right, places);
        }
        (BinaryOperator::Eq, column, Expr::Value(value)) | (BinaryOperator::Eq, Expr::Value(value), column)
            if is_column(column) =>
        {
            if matches!(value.value, Value::Number(_, false) | Value::SingleQuotedString(_)) {
                places.push(value.span.start);
                value.value = Value::Placeholder(format!("${}", places.len()));
            }
        }
        _ => {}
    }
}

fn is_column(expression: &Expr) -> bool {
    matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;
    use crate::session::PostgreSql;

    /// A query with parameters, and where their values stood.
    fn parametrised(sql: &str) -> Option<(String, Vec<u64>)> {
        let parsed = Parser::parse_sql(&PostgreSql, sql).unwrap().pop().unwrap();
        let (statement, places) = with_parameters(&SqlStatement::Statement(Box::new(parsed)))?;
        Some((statement.to_string(), places.into_iter().map(|place| place.column).collect()))
    }

    #[test]
    fn values_beside_columns_become_parameters() {
        for (sql, expected, places) in [
            ("SELECT a FROM t WHERE id = 5", "SELECT a FROM t WHERE id = $1", vec![28]),
            (
                "SELECT 1 FROM t WHERE 5 = t.id AND b > 3 AND c = 'x' LIMIT 2",
                "SELECT 1 FROM t WHERE $1 = t.id AND b > 3 AND c = $2 LIMIT 2",
                vec![23, 50],
            ),
        ] {
            assert_eq!(parametrised(sql), Some((expected.to_owned(), places)), "{sql}");
        }
        for sql in [
            "SELECT 5",
            "SELECT a FROM t WHERE id = -5",
            "SELECT a FROM t WHERE id = 5 OR b = 6",
            "SELECT a FROM t WHERE id + 1 = 5",
            "SELECT a FROM t WHERE id = DATE '2024-01-01'",
            "SELECT a FROM t WHERE id = 5 UNION SELECT 1",
            "SELECT a FROM t GROUP BY a HAVING a = 5",
        ] {
            assert_eq!(parametrised(sql), None, "{sql}");
        }
    }
}
