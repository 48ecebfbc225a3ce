//! How deep a statement may nest, how many operators may follow one another, and how long its lists may be.
//!
//! A statement's tree is walked by recursion, and the planner compares the entries of some lists with one another. Its
//! length is limited by that of a message, and its values by memory; what is limited here would take more than its length.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{Expr, Function, GroupByExpr, ObjectNamePart, OrderByKind, Query, Select, Visit, Visitor},
    keywords::Keyword,
    tokenizer::{Location, Token, TokenWithSpan, Word},
};

use crate::{Error, Fault, Result};

/// Operators in one chain, as in `a + 1 + 1 + …`: each makes the tree deeper that planning walks by recursion.
const MAX_OPERATORS: usize = 3_000;

/// The same for UNION, JOIN, and the items of FROM and WITH, which take more room.
const MAX_RELATIONS: usize = 1_000;

/// Entries of a list of SELECT, GROUP BY or ORDER BY: as many as PostgreSQL takes.
const MAX_ENTRIES: usize = 1_664;

/// Rows within rows, ordered aggregates within one another, and WITH within WITH: each doubles what the planner does.
const MAX_DOUBLING: usize = 16;

/// What stands open around a token.
#[derive(PartialEq, Eq)]
enum Open {
    Parenthesis,
    Case,
}

/// The statement is nested deeper than it may be.
pub(super) fn too_deep(max_depth: usize) -> Error {
    Error::Statement {
        fault: Fault::TooComplex,
        message: "the statement is nested too deeply".to_owned(),
        hint: Some(format!("expressions and queries may nest {max_depth} deep; raise max_parse_depth")),
    }
}

/// The parser's own error, with the limit that it was told.
pub(super) fn with_limit(error: Error, max_depth: usize) -> Error {
    match error {
        Error::Statement { fault: Fault::TooComplex, hint: None, .. } => too_deep(max_depth),
        other => other,
    }
}

/// Checks what can be seen before a statement is parsed. The parser has a limit of its own on nesting, but looks ahead at
/// all parentheses from each of them; what follows one another nests in its result too.
pub(super) fn check_tokens(tokens: &[TokenWithSpan], max_depth: usize) -> Result<()> {
    let mut open: Vec<(Open, usize)> = Vec::new();
    let (mut operators, mut relations) = (0, 0);
    for token in tokens {
        match &token.token {
            Token::LParen => open.push((Open::Parenthesis, std::mem::take(&mut operators))),
            Token::RParen => {
                // Of a CASE without its END, the parser tells.
                while let Some((kind, before)) = open.pop() {
                    operators = before;
                    if kind == Open::Parenthesis {
                        break;
                    }
                }
            }
            Token::Comma => operators = 0,
            Token::Word(Word { keyword, .. }) => match keyword {
                Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::JOIN => relations += 1,
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS | Keyword::OPERATOR => operators += 1,
                Keyword::CASE => open.push((Open::Case, std::mem::take(&mut operators))),
                Keyword::WHEN | Keyword::THEN | Keyword::ELSE if is_case(&open) => operators = 0,
                Keyword::END if is_case(&open) => operators = open.pop().map_or(operators, |(_, before)| before),
                _ => {}
            },
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Whitespace(_) | Token::Period => {}
            _ => operators += 1,
        }
        let place = token.span.start;
        if open.len() > max_depth {
            return Err(too_deep(max_depth).at(place));
        }
        if relations > MAX_RELATIONS {
            let instead = "read the files as one table with a glob, or store parts in tables of their own";
            return Err(follow_one_another("UNIONs or JOINs", MAX_RELATIONS, instead, place));
        }
        if operators > MAX_OPERATORS {
            let instead = "write a list of values as IN (…), or put them into a table and join it";
            return Err(follow_one_another("operators", MAX_OPERATORS, instead, place));
        }
    }
    Ok(())
}

fn is_case(open: &[(Open, usize)]) -> bool {
    open.last().is_some_and(|(kind, _)| *kind == Open::Case)
}

fn follow_one_another(what: &str, most: usize, instead: &str, place: Location) -> Error {
    Error::new(Fault::TooComplex, format!("more than {most} {what} follow one another; {instead}")).at(place)
}

/// Checks the lists of what was parsed.
pub(super) fn check_lists(parsed: &impl Visit) -> Result<()> {
    match parsed.visit(&mut Lists::default()) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

#[derive(Default)]
struct Lists {
    /// What stands around that doubles what the planner does.
    doubling: usize,
}

impl Lists {
    fn enter(&mut self, what: &str) -> ControlFlow<Error> {
        self.doubling += 1;
        if self.doubling <= MAX_DOUBLING {
            return ControlFlow::Continue(());
        }
        let message = format!("more than {MAX_DOUBLING} {what} stand within one another");
        let hint = Some("write them one after the other, or store parts in tables of their own".to_owned());
        ControlFlow::Break(Error::Statement { fault: Fault::TooComplex, message, hint })
    }

    fn leave(&mut self) -> ControlFlow<Error> {
        self.doubling -= 1;
        ControlFlow::Continue(())
    }
}

/// What an expression is called that doubles what the planner does for what stands in it.
fn doubling(expression: &Expr) -> Option<&'static str> {
    match expression {
        Expr::Tuple(_) => Some("rows"),
        Expr::Function(Function { within_group, .. }) if !within_group.is_empty() => Some("ordered aggregates"),
        Expr::Function(Function { name, .. }) => match name.0.as_slice() {
            [ObjectNamePart::Identifier(name)] if name.value.eq_ignore_ascii_case("row") => Some("rows"),
            _ => None,
        },
        _ => None,
    }
}

impl Visitor for Lists {
    type Break = Error;

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Error> {
        doubling(expression).map_or(ControlFlow::Continue(()), |what| self.enter(what))
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Error> {
        doubling(expression).map_or(ControlFlow::Continue(()), |_| self.leave())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if query.with.is_some() { self.leave() } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if query.with.is_some() {
            self.enter("WITH")?;
        }
        let ordered = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(keys)) => keys.len(),
            _ => 0,
        };
        let named = query.with.as_ref().map_or(0, |with| with.cte_tables.len());
        refused(ordered, ("WITH", named), Location::empty()).map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        let grouped = match &select.group_by {
            GroupByExpr::Expressions(keys, _) => keys.len(),
            GroupByExpr::All(_) => 0,
        };
        let (entries, place) = (select.projection.len().max(grouped), select.select_token.0.span.start);
        refused(entries, ("FROM", select.from.len()), place).map_or(ControlFlow::Continue(()), ControlFlow::Break)
    }
}

/// What is wrong with a list of so many entries, and with a clause of so many relations.
fn refused(entries: usize, (clause, relations): (&str, usize), place: Location) -> Option<Error> {
    let (fault, message, hint) = if entries > MAX_ENTRIES {
        let message = format!("target lists can have at most {MAX_ENTRIES} entries");
        (Fault::TooManyColumns, message, "put columns of one type into an array, or into rows of their own")
    } else if relations > MAX_RELATIONS {
        let message = format!("{clause} has more than {MAX_RELATIONS} items");
        (Fault::TooComplex, message, "store parts in tables of their own")
    } else {
        return None;
    };
    Some(Error::Statement { fault, message, hint: Some(hint.to_owned()) }.at(place))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{parser::Parser, tokenizer::Tokenizer};

    use super::*;
    use crate::session::PostgreSql;

    fn tokens_fault(sql: &str) -> Option<Fault> {
        let tokens = Tokenizer::new(&PostgreSql, sql).tokenize_with_location().unwrap();
        check_tokens(&tokens, 50).err().map(|error| error.fault())
    }

    fn list_fault(sql: &str) -> Option<Fault> {
        let parsed = Parser::new(&PostgreSql).try_with_sql(sql).unwrap().parse_statement().unwrap();
        check_lists(&parsed).err().map(|error| error.fault())
    }

    #[test]
    fn chains_are_as_long_as_they_may_be() {
        let chain = |operator: &str, terms: usize| format!("SELECT {}", vec!["a"; terms].join(operator));
        for operator in [" + ", " OR ", " OPERATOR(pg_catalog.+) ", " || "] {
            assert_eq!(tokens_fault(&chain(operator, 3_000)), None, "{operator}");
            assert_eq!(tokens_fault(&chain(operator, 3_002)), Some(Fault::TooComplex), "{operator}");
        }
        assert_eq!(tokens_fault(&vec!["SELECT 1"; 1_002].join(" UNION ")), Some(Fault::TooComplex));
    }

    #[test]
    fn what_stands_beside_another_is_no_chain() {
        for part in ["f(a + b)", "(a OR b)", "a + b", "CASE WHEN a = b THEN c END"] {
            assert_eq!(tokens_fault(&format!("SELECT {}", vec![part; 4_000].join(", "))), None, "{part}");
        }
        let conditions = "WHEN a = b AND c THEN d + 1 ".repeat(4_000);
        assert_eq!(tokens_fault(&format!("SELECT 1 + CASE {conditions} ELSE 2 END + 1")), None);
        let cases = vec!["CASE WHEN a THEN b END"; 3_002].join(" + ");
        assert_eq!(tokens_fault(&format!("SELECT {cases}")), Some(Fault::TooComplex));
    }

    #[test]
    fn nesting_is_limited_before_it_is_parsed() {
        let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(tokens_fault(&nested(50)), None);
        assert_eq!(tokens_fault(&nested(51)), Some(Fault::TooComplex));
        assert_eq!(tokens_fault(&format!("SELECT {}", "CASE WHEN ".repeat(51))), Some(Fault::TooComplex));
        assert_eq!(tokens_fault(&format!("SELECT {}", "(CASE WHEN a) ".repeat(51))), None);
    }

    #[test]
    fn what_doubles_does_not_nest_deeply() {
        let nested = |(before, after): (&str, &str), depth: usize| {
            list_fault(&format!("SELECT {}1{}", before.repeat(depth), after.repeat(depth)))
        };
        for around in [("(1, ", ")"), ("ROW(", ")"), ("percentile_cont(0.5) WITHIN GROUP (ORDER BY ", ")")] {
            assert_eq!(nested(around, MAX_DOUBLING), None, "{around:?}");
            assert_eq!(nested(around, MAX_DOUBLING + 1), Some(Fault::TooComplex), "{around:?}");
        }
        let with = |depth: usize| format!("{}SELECT 1{}", "WITH a AS (".repeat(depth), ") SELECT 1".repeat(depth));
        assert_eq!(list_fault(&with(MAX_DOUBLING)), None);
        assert_eq!(list_fault(&with(MAX_DOUBLING + 1)), Some(Fault::TooComplex));
        assert_eq!(list_fault(&format!("SELECT {}", vec!["(1, (2, 3))"; 100].join(", "))), None);
    }

    #[test]
    fn lists_are_as_long_as_postgresql_takes_them() {
        let list = |entry: &str, entries: usize| vec![entry; entries].join(", ");
        for (before, after) in [("SELECT ", ""), ("SELECT a FROM t GROUP BY ", ""), ("SELECT (SELECT a ORDER BY ", ")")]
        {
            let sql = |entries: usize| format!("{before}{}{after}", list("a", entries));
            assert_eq!(list_fault(&sql(1_664)), None, "{before}");
            assert_eq!(list_fault(&sql(1_665)), Some(Fault::TooManyColumns), "{before}");
        }
        assert_eq!(list_fault(&format!("SELECT 1 FROM {}", list("t", 1_001))), Some(Fault::TooComplex));
        assert_eq!(list_fault(&format!("WITH {} SELECT 1", list("w AS (SELECT 1)", 1_001))), Some(Fault::TooComplex));
        assert_eq!(list_fault(&format!("VALUES ({})", list("1", 5_000))), None);
    }
}
