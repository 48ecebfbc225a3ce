//! Clauses that PostgreSQL takes in more ways than the parser: `FETCH FIRST 2 ROWS ONLY OFFSET 1`, `GROUP BY ALL a`, which is
//! `GROUP BY a`, `TABLE t`, which is `SELECT * FROM t`, a SELECT of nothing, which has one row without columns,
//! `EXCLUDE NO OTHERS` in the frame of a window, which says nothing, and `CREATE UNLOGGED TABLE`, which makes a table that may
//! lose its rows in a crash and need not.

use datafusion::sql::sqlparser::{
    keywords::Keyword,
    tokenizer::{Token, TokenWithSpan, Whitespace, Word},
};

use crate::{Error, Fault, Result, session::keyword};

/// The tokens with each OFFSET before its FETCH, without what says nothing, with a SELECT for each TABLE, and with a FROM of one
/// row for each SELECT of nothing. Rows that a frame excludes are refused.
pub(super) fn as_parsed(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = with_rows(with_selects(tokens));
    without_exclusions(&mut tokens)?;
    let mut at = 0;
    while at < tokens.len() {
        match keyword(&tokens[at].token) {
            Keyword::FETCH => {
                if let Some((offset, end)) = offset_after(&tokens, at) {
                    tokens[at..end].rotate_left(offset - at);
                    at = end;
                    continue;
                }
            }
            Keyword::GROUP => {
                if let Some(all) = needless_all(&tokens, at) {
                    tokens[all].token = Token::Whitespace(Whitespace::Space);
                }
            }
            Keyword::CREATE => {
                if let Some(unlogged) = needless_unlogged(&tokens, at) {
                    tokens[unlogged].token = Token::Whitespace(Whitespace::Space);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Ok(tokens)
}

/// The UNLOGGED between CREATE and TABLE.
fn needless_unlogged(tokens: &[TokenWithSpan], create: usize) -> Option<usize> {
    let unlogged = solid_after(tokens, create)?;
    let table = solid_after(tokens, unlogged)?;
    let are = keyword(&tokens[unlogged].token) == Keyword::UNLOGGED && keyword(&tokens[table].token) == Keyword::TABLE;
    are.then_some(unlogged)
}

/// `SELECT` of nothing as `SELECT FROM (VALUES (1)) AS "nothing"`.
fn with_rows(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    use Keyword::{EXCEPT, FETCH, GROUP, HAVING, INTERSECT, LIMIT, OFFSET, ORDER, UNION, WHERE};
    let is_empty = |at: usize| match solid_after(&tokens, at).map(|next| &tokens[next].token) {
        None | Some(Token::EOF | Token::SemiColon | Token::RParen) => true,
        Some(next) => {
            matches!(
                keyword(next),
                EXCEPT | FETCH | GROUP | HAVING | INTERSECT | LIMIT | OFFSET | ORDER | UNION | WHERE
            )
        }
    };
    let selects: Vec<usize> =
        (0..tokens.len()).filter(|at| keyword(&tokens[*at].token) == Keyword::SELECT && is_empty(*at)).collect();
    if selects.is_empty() {
        return tokens;
    }
    let mut written = Vec::with_capacity(tokens.len() + 9 * selects.len());
    for (at, token) in tokens.into_iter().enumerate() {
        let span = token.span;
        written.push(token);
        if selects.contains(&at) {
            let rows = [
                Token::make_keyword("FROM"),
                Token::LParen,
                Token::make_keyword("VALUES"),
                Token::LParen,
                Token::Number("1".to_owned(), false),
                Token::RParen,
                Token::RParen,
                Token::make_keyword("AS"),
                Token::make_word("nothing", Some('"')),
            ];
            written.extend(rows.map(|added| TokenWithSpan::new(added, span)));
        }
    }
    written
}

/// Blanks `EXCLUDE NO OTHERS` behind the bounds of a frame, and refuses other rows to be excluded.
fn without_exclusions(tokens: &mut [TokenWithSpan]) -> Result<()> {
    let mut before = Keyword::NoKeyword;
    for at in 0..tokens.len() {
        let token = &tokens[at];
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        let is_behind_bound = matches!(before, Keyword::ROW | Keyword::PRECEDING | Keyword::FOLLOWING);
        before = keyword(&token.token);
        if before != Keyword::EXCLUDE || !is_behind_bound {
            continue;
        }
        let place = token.span.start;
        let Some(what) = solid_after(tokens, at) else { continue };
        let Some(whom) = solid_after(tokens, what) else { continue };
        match keyword(&tokens[what].token) {
            Keyword::NO => {
                for blank in [at, what, whom] {
                    tokens[blank].token = Token::Whitespace(Whitespace::Space);
                }
            }
            Keyword::CURRENT | Keyword::GROUP | Keyword::TIES => {
                let message = "EXCLUDE in the frame of a window is not supported, but for EXCLUDE NO OTHERS";
                return Err(Error::new(Fault::FeatureNotSupported, message).at(place));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `TABLE t` where a query may stand as `SELECT * FROM t`.
fn with_selects(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| keyword(&token.token) == Keyword::TABLE) {
        return tokens;
    }
    let solid: Vec<usize> = (0..tokens.len()).filter(|at| !matches!(tokens[*at].token, Token::Whitespace(_))).collect();
    let word = |place: usize| solid.get(place).map_or(Keyword::NoKeyword, |at| keyword(&tokens[*at].token));
    let first = word(0);
    let is_query = |place: usize| {
        let named = solid.get(place + 1).is_some_and(|at| matches!(tokens[*at].token, Token::Word(_)));
        let before = place.checked_sub(1).map(|before| &tokens[solid[before]].token);
        named
            && match before {
                None | Some(Token::LParen) => true,
                Some(before) => match keyword(before) {
                    Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::EXPLAIN => true,
                    Keyword::ALL => {
                        place > 1 && matches!(word(place - 2), Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT)
                    }
                    Keyword::AS => matches!(first, Keyword::CREATE | Keyword::PREPARE),
                    Keyword::FOR => first == Keyword::DECLARE,
                    _ => false,
                },
            }
    };
    let queries: Vec<usize> = (0..solid.len())
        .filter(|place| word(*place) == Keyword::TABLE && is_query(*place))
        .map(|place| solid[place])
        .collect();
    let mut written = Vec::with_capacity(tokens.len() + 2 * queries.len());
    for (at, token) in tokens.into_iter().enumerate() {
        if !queries.contains(&at) {
            written.push(token);
            continue;
        }
        let select = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
        written.extend(select.map(|added| TokenWithSpan::new(added, token.span)));
    }
    written
}

/// Where the OFFSET begins that follows a FETCH, and where it ends.
fn offset_after(tokens: &[TokenWithSpan], fetch: usize) -> Option<(usize, usize)> {
    let first = solid_after(tokens, fetch)?;
    if !matches!(keyword(&tokens[first].token), Keyword::FIRST | Keyword::NEXT) {
        return None;
    }
    let only = ends(tokens, first, |word| matches!(word, Keyword::ONLY | Keyword::TIES));
    let offset = solid_after(tokens, only)?;
    if keyword(&tokens[offset].token) != Keyword::OFFSET {
        return None;
    }
    Some((offset, ends(tokens, offset, |word| word == Keyword::FOR)))
}

/// The next such word that no parenthesis encloses; or where the query ends, or another FETCH comes.
fn ends(tokens: &[TokenWithSpan], from: usize, is_end: impl Fn(Keyword) -> bool) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from + 1) {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return at,
            Token::RParen => depth -= 1,
            Token::EOF | Token::SemiColon => return at,
            word if keyword(word) == Keyword::FETCH || depth == 0 && is_end(keyword(word)) => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// The ALL of `GROUP BY ALL a`, which stands before an element. Alone it is the columns that are no aggregates.
fn needless_all(tokens: &[TokenWithSpan], group: usize) -> Option<usize> {
    let by = solid_after(tokens, group).filter(|by| keyword(&tokens[*by].token) == Keyword::BY)?;
    let all = solid_after(tokens, by).filter(|all| keyword(&tokens[*all].token) == Keyword::ALL)?;
    let next = solid_after(tokens, all)?;
    use Keyword::{
        EXCEPT, FETCH, FOR, HAVING, INTERSECT, LIMIT, OFFSET, ON, ORDER, QUALIFY, RETURNING, UNION, WINDOW, WITH,
    };
    let is_element = match &tokens[next].token {
        Token::Word(Word { quote_style: None, keyword, .. }) => !matches!(
            keyword,
            EXCEPT
                | FETCH
                | FOR
                | HAVING
                | INTERSECT
                | LIMIT
                | OFFSET
                | ON
                | ORDER
                | QUALIFY
                | RETURNING
                | UNION
                | WINDOW
                | WITH
        ),
        Token::Word(_) | Token::LParen | Token::Number(..) => true,
        _ => false,
    };
    is_element.then_some(all)
}

/// The next token that is no white space.
pub(super) fn solid_after(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let is_solid = |at: &usize| !matches!(tokens[*at].token, Token::Whitespace(_));
    (at + 1..tokens.len()).find(is_solid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::session::PostgreSql;

    fn parsed(sql: &str) -> String {
        let tokens = as_parsed(Tokenizer::new(&PostgreSql, sql).tokenize_with_location().unwrap()).unwrap();
        let texts: Vec<String> = tokens.iter().map(|token| token.token.to_string()).collect();
        texts.concat().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_offset_comes_before_its_fetch() {
        for (written, expected) in [
            ("SELECT 1 FETCH FIRST 2 ROWS ONLY OFFSET 1", "SELECT 1 OFFSET 1FETCH FIRST 2 ROWS ONLY"),
            (
                "(SELECT 1 FETCH NEXT (1 + 1) ROW ONLY OFFSET (2)) x",
                "(SELECT 1 OFFSET (2)FETCH NEXT (1 + 1) ROW ONLY ) x",
            ),
            ("SELECT 1 OFFSET 1 FETCH FIRST ROW ONLY", "SELECT 1 OFFSET 1 FETCH FIRST ROW ONLY"),
            ("FETCH NEXT FROM c", "FETCH NEXT FROM c"),
            ("SELECT \"fetch\" first, 1 only", "SELECT \"fetch\" first, 1 only"),
        ] {
            assert_eq!(parsed(written), expected);
        }
    }

    #[test]
    fn a_table_is_a_query_where_one_may_stand() {
        for (written, expected) in [
            ("TABLE t ORDER BY a", "SELECT*FROM t ORDER BY a"),
            ("TABLE a UNION ALL TABLE \"b\"", "SELECT*FROM a UNION ALL SELECT*FROM \"b\""),
            ("SELECT * FROM (TABLE t) AS q", "SELECT * FROM (SELECT*FROM t) AS q"),
            ("CREATE TABLE b AS TABLE a", "CREATE TABLE b AS SELECT*FROM a"),
            ("DECLARE c CURSOR FOR TABLE a", "DECLARE c CURSOR FOR SELECT*FROM a"),
            ("PREPARE p AS TABLE a", "PREPARE p AS SELECT*FROM a"),
            ("SELECT 1 AS table", "SELECT 1 AS table"),
            ("SELECT 1 AS table FROM t", "SELECT 1 AS table FROM t"),
            ("COMMENT ON TABLE t IS 'x'", "COMMENT ON TABLE t IS 'x'"),
            ("DROP TABLE t", "DROP TABLE t"),
        ] {
            assert_eq!(parsed(written), expected);
        }
    }

    #[test]
    fn a_select_of_nothing_has_one_row() {
        let rows = "FROM(VALUES(1))AS\"nothing\"";
        for (written, expected) in [
            ("SELECT", format!("SELECT{rows}")),
            ("SELECT WHERE false", format!("SELECT{rows} WHERE false")),
            ("SELECT EXISTS (SELECT)", format!("SELECT EXISTS (SELECT{rows})")),
            ("SELECT FROM t", "SELECT FROM t".to_owned()),
            ("SELECT \"select\"", "SELECT \"select\"".to_owned()),
        ] {
            assert_eq!(parsed(written), expected);
        }
    }

    #[test]
    fn a_frame_excludes_no_others() {
        let frame =
            |exclusion: &str| format!("SELECT sum(x) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW{exclusion})");
        assert_eq!(parsed(&frame(" EXCLUDE NO OTHERS")).replace(" )", ")"), frame(""));
        let tokens = Tokenizer::new(&PostgreSql, &frame(" EXCLUDE TIES")).tokenize_with_location().unwrap();
        assert!(as_parsed(tokens).is_err());
        assert_eq!(parsed("SELECT * EXCLUDE (a) FROM t"), "SELECT * EXCLUDE (a) FROM t");
    }

    #[test]
    fn all_before_an_element_says_nothing() {
        for (written, expected) in [
            ("SELECT a FROM t GROUP BY ALL a", "SELECT a FROM t GROUP BY a"),
            ("SELECT a FROM t GROUP BY ALL", "SELECT a FROM t GROUP BY ALL"),
            ("SELECT a FROM t GROUP BY ALL ORDER BY a", "SELECT a FROM t GROUP BY ALL ORDER BY a"),
            ("(SELECT a FROM t GROUP BY ALL) x", "(SELECT a FROM t GROUP BY ALL) x"),
        ] {
            assert_eq!(parsed(written), expected);
        }
    }
}
