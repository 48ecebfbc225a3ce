//! `FOR UPDATE` and what is like it. Nothing is locked: the rows that a statement reads are those of its snapshot, which nobody
//! changes. PostgreSQL has more of these clauses than the parser, and takes them before LIMIT too.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{
        Distinct, GroupByExpr, LockClause, ObjectName, Query, SetExpr, Spanned, TableAlias, TableFactor,
        TableWithJoins, Visit, Visitor,
    },
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan, Whitespace},
};

use super::{clauses::solid_after, names::identifier};
use crate::{Error, Fault, Result, session::keyword};

/// The tokens with these clauses as the parser has them, behind LIMIT and OFFSET, and without `FOR READ ONLY`.
pub(super) fn behind_limits(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut at = 0;
    while at < tokens.len() {
        at = match clauses(&mut tokens, at) {
            Some(end) => {
                let limits = limits(&tokens, end);
                tokens[at..limits].rotate_left(end - at);
                limits
            }
            None => at + 1,
        };
    }
    tokens
}

/// Where the clauses end that begin at a place; none where none does.
fn clauses(tokens: &mut [TokenWithSpan], at: usize) -> Option<usize> {
    let mut end = clause(tokens, at)?;
    while let Some(next) = solid_after(tokens, end - 1).and_then(|next| clause(tokens, next)) {
        end = next;
    }
    Some(end)
}

/// Where the one clause ends that begins at a place.
fn clause(tokens: &mut [TokenWithSpan], at: usize) -> Option<usize> {
    use Keyword::{FOR, KEY, LOCKED, NO, NOWAIT, OF, ONLY, READ, SHARE, SKIP, UPDATE};
    if keyword(&tokens[at].token) != FOR {
        return None;
    }
    let word = |place: Option<usize>| place.map_or(Keyword::NoKeyword, |place| keyword(&tokens[place].token));
    let first = solid_after(tokens, at)?;
    let second = solid_after(tokens, first);
    let third = second.and_then(|second| solid_after(tokens, second));
    let (needless, last) = match (word(Some(first)), word(second), word(third)) {
        (UPDATE | SHARE, ..) => (Vec::new(), first),
        (KEY, SHARE, _) => (vec![first], second?),
        (READ, ONLY, _) => (vec![at, first, second?], second?),
        (NO, KEY, UPDATE) => (vec![first, second?], third?),
        _ => return None,
    };
    for place in needless {
        tokens[place].token = Token::Whitespace(Whitespace::Space);
    }
    let tokens = &*tokens;
    let follows =
        |last: usize, wanted: Keyword| solid_after(tokens, last).filter(|next| keyword(&tokens[*next].token) == wanted);
    let mut last = last;
    if let Some(of) = follows(last, OF) {
        last = of;
        // Names follow one another with a point or a comma between them.
        while let Some(name) = solid_after(tokens, last).filter(|name| matches!(tokens[*name].token, Token::Word(_))) {
            last = name;
            let Some(between) = solid_after(tokens, name) else { break };
            if !matches!(tokens[between].token, Token::Comma | Token::Period) {
                break;
            }
            last = between;
        }
    }
    if let Some(nowait) = follows(last, NOWAIT) {
        last = nowait;
    } else if let Some(locked) = follows(last, SKIP).and_then(|skip| follows(skip, LOCKED)) {
        last = locked;
    }
    Some(last + 1)
}

/// Where LIMIT and OFFSET end that come next.
fn limits(tokens: &[TokenWithSpan], from: usize) -> usize {
    let first = solid_after(tokens, from.saturating_sub(1));
    let first = first
        .filter(|first| matches!(keyword(&tokens[*first].token), Keyword::LIMIT | Keyword::OFFSET | Keyword::FETCH));
    let Some(first) = first else { return from };
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(first) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return at,
            Token::RParen => depth -= 1,
            Token::EOF | Token::SemiColon => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// Refuses these clauses where PostgreSQL does, as no row of a table stands behind a row there.
pub(super) fn check_locks(statement: &impl Visit) -> Result<()> {
    struct Locks;
    impl Visitor for Locks {
        type Break = Error;

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
            match query.locks.iter().try_for_each(|lock| check(lock, &query.body)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            }
        }
    }
    match statement.visit(&mut Locks) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

fn check(lock: &LockClause, body: &SetExpr) -> Result<()> {
    let word = format!("FOR {}", lock.lock_type);
    let select = match body {
        SetExpr::Select(select) => Some(select),
        _ => None,
    };
    let is_grouped = |keys: &GroupByExpr| !matches!(keys, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let beside = match (body, select) {
        (SetExpr::SetOperation { .. }, _) => Some("UNION/INTERSECT/EXCEPT"),
        (_, Some(select)) if !matches!(select.distinct, None | Some(Distinct::All)) => Some("DISTINCT clause"),
        (_, Some(select)) if is_grouped(&select.group_by) => Some("GROUP BY clause"),
        (_, Some(select)) if select.having.is_some() => Some("HAVING clause"),
        _ => None,
    };
    if let Some(beside) = beside {
        let message = format!("{word} is not allowed with {beside}");
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    let (Some(of), Some(select)) = (&lock.of, select) else { return Ok(()) };
    let Some(name) = last_part(of) else { return Ok(()) };
    match select.from.iter().any(|item| has(item, &name)) {
        true => Ok(()),
        false => {
            let message = format!("relation \"{name}\" in {word} clause not found in FROM clause");
            Err(Error::new(Fault::UndefinedTable, message).at(of.span().start))
        }
    }
}

/// Whether an item of FROM, or one that it joins, has this name.
fn has(item: &TableWithJoins, name: &str) -> bool {
    let joined = item.joins.iter().map(|join| &join.relation);
    std::iter::once(&item.relation).chain(joined).any(|factor| is(factor, name))
}

fn is(factor: &TableFactor, name: &str) -> bool {
    let called = |alias: &Option<TableAlias>| alias.as_ref().map(|alias| identifier(&alias.name));
    match factor {
        TableFactor::Table { name: table, alias, .. } => {
            called(alias).or_else(|| last_part(table)).is_some_and(|own| own == name)
        }
        TableFactor::NestedJoin { table_with_joins, alias: None } => has(table_with_joins, name),
        TableFactor::Derived { alias, .. } | TableFactor::NestedJoin { alias, .. } => {
            called(alias).is_some_and(|own| own == name)
        }
        // A call has a name that the planner gives it.
        _ => true,
    }
}

fn last_part(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(|part| part.as_ident()).map(identifier)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::session::PostgreSql;

    #[test]
    fn locks_stand_behind_limits() {
        for (written, expected) in [
            ("SELECT a FROM t FOR UPDATE LIMIT 1", "SELECT a FROM t LIMIT 1FOR UPDATE"),
            ("SELECT a FROM t FOR NO KEY UPDATE", "SELECT a FROM t FOR UPDATE"),
            ("SELECT a FROM t FOR KEY SHARE OF t, s.u NOWAIT", "SELECT a FROM t FOR SHARE OF t, s.u NOWAIT"),
            ("SELECT a FROM t FOR READ ONLY", "SELECT a FROM t"),
            (
                "(SELECT a FROM t FOR UPDATE FOR SHARE SKIP LOCKED OFFSET (1) LIMIT 2) x",
                "(SELECT a FROM t OFFSET (1) LIMIT 2FOR UPDATE FOR SHARE SKIP LOCKED) x",
            ),
            ("DECLARE c CURSOR FOR SELECT 1", "DECLARE c CURSOR FOR SELECT 1"),
            ("SELECT substring(a FOR 2)", "SELECT substring(a FOR 2)"),
        ] {
            let tokens = behind_limits(Tokenizer::new(&PostgreSql, written).tokenize_with_location().unwrap());
            let texts: Vec<String> = tokens.iter().map(|token| token.token.to_string()).collect();
            let found = texts.concat().split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(found, expected);
        }
    }
}
