//! From a text to its statements.
//!
//! The text is cut into tokens once; each statement's tokens go to our own forms first, which look at keywords, and then
//! to DataFusion's parser. Positions stay those of the whole text, so that errors can point into it.

use std::sync::Arc;

use datafusion::sql::{
    parser::{CopyToSource, CopyToStatement, DFParser, DFParserBuilder, Statement as SqlStatement},
    sqlparser::{
        ast::{Visit, VisitMut},
        keywords::Keyword,
        tokenizer::{Location, Token, TokenWithSpan, Word},
    },
};

use super::{
    Action, FORMS, Statement,
    clauses::as_parsed,
    copy_options::in_known_clauses,
    create_view::as_view,
    limits::{check_lists, check_tokens, with_limit},
    literals::as_plain,
    locks::{behind_limits, check_locks},
    names::{as_planned, check_aliases},
    parameters::check_numbers,
    places::Places,
    refused::check_written,
    set_returning::as_lists,
    tokens::{tokens_again, tokens_of},
};
use crate::{
    Error, Fault, Result,
    config::THREAD_STACK_BYTES,
    interrupt::{check_wanted, step},
    session::{PostgreSql, Reading, within_attempts},
};

/// The format that `CREATE EXTERNAL TABLE` has when `STORED AS` is left out: the location's name tells.
pub(crate) const FORMAT_FROM_NAME: &str = "AUTO";

/// Below so much room on the stack, parsing gets a stack of its own: an embedding program's threads may have little.
const ROOM_BYTES: usize = THREAD_STACK_BYTES / 2;

/// Splits a text into statements; comments and empty statements vanish.
pub(crate) fn parse(source: &Arc<str>, reading: Reading) -> Result<Vec<Statement>> {
    // What was stopped says so, whatever the parser makes of that.
    let parsed = stacker::maybe_grow(ROOM_BYTES, THREAD_STACK_BYTES, || parse_here(source, reading));
    parsed.map_err(|error| check_wanted().err().map_or(error, Error::from).located(source))
}

fn parse_here(source: &Arc<str>, mut reading: Reading) -> Result<Vec<Statement>> {
    let tokens = tokens_of(source, &mut reading)?;
    let (places, max_depth) = (Places::new(source), reading.max_depth());
    let mut statements = Vec::new();
    for tokens in cut(tokens) {
        step()?;
        let mut solid = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
        let Some(first) = solid.next() else { continue };
        let (start, end) = (first.span.start, solid.next_back().unwrap_or(first).span.end);
        let action = parse_one(tokens, &places, end, max_depth).map_err(|error| with_limit(error, max_depth))?;
        let text = places.between(start, end).trim().to_owned();
        statements.push(Statement { text, source: Arc::clone(source), action, memory: None });
    }
    let memory = reading.held();
    statements.iter_mut().for_each(|statement| statement.memory.clone_from(&memory));
    Ok(statements)
}

/// The tokens of each statement, which are moved and not copied.
fn cut(mut tokens: Vec<TokenWithSpan>) -> impl Iterator<Item = Vec<TokenWithSpan>> {
    while tokens.last().is_some_and(|last| matches!(last.token, Token::SemiColon | Token::Whitespace(_))) {
        tokens.pop();
    }
    let mut rest = tokens.into_iter();
    std::iter::from_fn(move || {
        // The last statement, or the only one, stays where it is.
        if !rest.as_slice().iter().any(|token| token.token == Token::SemiColon) {
            let last: Vec<_> = std::mem::take(&mut rest).collect();
            return (!last.is_empty()).then_some(last);
        }
        Some(rest.by_ref().take_while(|token| token.token != Token::SemiColon).collect())
    })
}

/// Reads the query of a view, whose columns have these names from the first on. It has no places: none is one in the text of
/// the client that reads the view.
pub(crate) fn parse_view(sql: &str, columns: &[String], max_depth: usize) -> Result<SqlStatement> {
    stacker::maybe_grow(ROOM_BYTES, THREAD_STACK_BYTES, || {
        let tokens = tokens_again(sql).map_err(Error::without_place)?;
        let places = Places::new(sql);
        let end = tokens.last().map_or_else(Location::empty, |last| last.span.end);
        let tokens = prepared(tokens, &places, end, max_depth).map_err(Error::without_place)?;
        let tokens: Vec<_> = tokens.into_iter().map(|token| TokenWithSpan::wrap(token.token)).collect();
        let mut parsed = within_attempts(tokens.len(), || parse_whole(tokens, max_depth))?;
        rewrite(&mut parsed)?;
        as_view(parsed, columns)
    })
}

/// The statement that the query engine's parser makes of all tokens.
fn parse_whole(tokens: Vec<TokenWithSpan>, max_depth: usize) -> Result<SqlStatement> {
    let mut parser = parser_of(tokens, max_depth)?;
    let parsed = parser.parse_statement()?;
    finish(&mut parser)?;
    Ok(parsed)
}

/// The tokens of a statement as the parser takes them.
fn prepared(
    tokens: Vec<TokenWithSpan>,
    places: &Places<'_>,
    end: Location,
    max_depth: usize,
) -> Result<Vec<TokenWithSpan>> {
    check_tokens(&tokens, max_depth)?;
    check_numbers(&tokens)?;
    let tokens = as_plain(tokens)?;
    let tokens = as_parsed(behind_limits(with_selects(with_option_texts(with_stored_as(tokens, end), places))))?;
    in_known_clauses(tokens)
}

fn parse_one(
    tokens: Vec<TokenWithSpan>,
    places: &Places<'_>,
    end: Location,
    max_depth: usize,
) -> Result<Arc<dyn Action>> {
    let tokens = prepared(tokens, places, end, max_depth)?;
    within_attempts(tokens.len(), || parse_tokens(tokens, max_depth))
}

fn parse_tokens(tokens: Vec<TokenWithSpan>, max_depth: usize) -> Result<Arc<dyn Action>> {
    let mut parser = parser_of(tokens, max_depth)?;
    for parse in FORMS.iter().filter_map(|form| form.parse) {
        if let Some(action) = parse(&mut parser)? {
            finish(&mut parser)?;
            return Ok(action);
        }
        rewind(&mut parser);
    }
    let mut parsed = parser.parse_statement()?;
    finish(&mut parser)?;
    // Its tokens are not needed any more, and those of a long one take as much as its tree.
    drop(parser);
    rewrite(&mut parsed)?;
    convert(parsed)
}

/// Writes as the planner reads it what PostgreSQL reads differently.
pub(super) fn rewrite(parsed: &mut SqlStatement) -> Result<()> {
    match parsed {
        SqlStatement::Statement(statement) => rewrite_part(statement.as_mut())?,
        SqlStatement::Explain(explain) => rewrite(&mut explain.statement)?,
        SqlStatement::CopyTo(CopyToStatement { source: CopyToSource::Query(query), .. }) => {
            rewrite_part(query.as_mut())?;
        }
        _ => {}
    }
    Ok(())
}

fn rewrite_part(part: &mut (impl Visit + VisitMut)) -> Result<()> {
    check_lists(part)?;
    check_aliases(part)?;
    check_locks(part)?;
    check_written(part)?;
    as_planned(part);
    as_lists(part);
    Ok(())
}

/// Turns a statement of DataFusion's parser into the form that takes it; what no form takes is refused by name.
pub(super) fn convert(parsed: SqlStatement) -> Result<Arc<dyn Action>> {
    for form in FORMS {
        if let Some(action) = (form.convert)(&parsed)? {
            return Ok(action);
        }
    }
    let text = parsed.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    Err(Error::new(Fault::FeatureNotSupported, format!("{} is not supported", words.join(" "))))
}

fn parser_of(tokens: Vec<TokenWithSpan>, max_depth: usize) -> Result<DFParser<'static>> {
    Ok(DFParserBuilder::new(tokens).with_dialect(&PostgreSql).with_recursion_limit(max_depth).build()?)
}

/// Goes back to the first token, for the next form.
fn rewind(parser: &mut DFParser) {
    let parser = &mut parser.parser;
    let is_space = |at: &usize| matches!(parser.token_at(*at).token, Token::Whitespace(_));
    let first = (0..).find(|at| !is_space(at)).unwrap_or_default();
    while !std::ptr::eq(parser.peek_token_ref(), parser.token_at(first)) {
        parser.prev_token();
    }
}

fn finish(parser: &mut DFParser) -> Result<()> {
    let token = parser.parser.peek_token();
    if token.token == Token::EOF {
        return Ok(());
    }
    let message = format!("expected the end of the statement, found {}", token.token);
    Err(Error::syntax(message, None, Some(token.span.start)))
}

/// The parser takes `(VALUES …)` for a call where an expression may stand: it becomes `(SELECT * FROM (VALUES …) AS "values")`.
fn with_selects(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let wrapped = value_lists(&tokens);
    if wrapped.is_empty() {
        return tokens;
    }
    let mut wrapped = wrapped.into_iter().peekable();
    let mut written = Vec::with_capacity(tokens.len() + 8);
    // For each open parenthesis, whether it was opened here.
    let mut open = Vec::new();
    for (at, token) in tokens.into_iter().enumerate() {
        let add = |written: &mut Vec<TokenWithSpan>, added: Token| {
            written.push(TokenWithSpan::new(added, token.span));
        };
        match &token.token {
            Token::LParen => {
                let is_wrapped = wrapped.next_if_eq(&at).is_some();
                open.push(is_wrapped);
                if is_wrapped {
                    for added in [Token::LParen, Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")]
                    {
                        add(&mut written, added);
                    }
                }
            }
            Token::RParen => {
                let is_wrapped = open.pop() == Some(true);
                let added = [Token::RParen, Token::make_keyword("AS"), Token::make_word("values", Some('"'))];
                added.into_iter().filter(|_| is_wrapped).for_each(|added| add(&mut written, added));
            }
            _ => {}
        }
        written.push(token);
    }
    written
}

/// The places of the parentheses before those VALUES that stand where an expression may.
fn value_lists(tokens: &[TokenWithSpan]) -> Vec<usize> {
    let is_values = |token: &Token| matches!(token, Token::Word(word) if word.keyword == Keyword::VALUES);
    let solid = tokens.iter().enumerate().filter(|(_, token)| !matches!(token.token, Token::Whitespace(_)));
    let mut solid = solid.map(|(at, token)| (at, &token.token));
    let mut found = Vec::new();
    let (mut before, mut open) = (&Token::EOF, None);
    while let Some((at, token)) = solid.next() {
        if let (Some((at, true)), true) = (open, is_values(token))
            && solid.clone().next().is_some_and(|(_, next)| *next == Token::LParen)
        {
            found.push(at);
        }
        open = (*token == Token::LParen).then(|| (at, before_expression(before)));
        before = token;
    }
    found
}

/// Whether an expression, and not a table, may come after this token.
fn before_expression(before: &Token) -> bool {
    use Keyword::{
        ALL, AND, ANY, BETWEEN, BY, CASE, DISTINCT, ELSE, EXISTS, HAVING, IN, NOT, OR, SELECT, SOME, THEN, WHEN, WHERE,
    };
    match before {
        Token::Word(word) => matches!(
            word.keyword,
            ALL | AND
                | ANY
                | BETWEEN
                | BY
                | CASE
                | DISTINCT
                | ELSE
                | EXISTS
                | HAVING
                | IN
                | NOT
                | OR
                | SELECT
                | SOME
                | THEN
                | WHEN
                | WHERE
        ),
        Token::EOF | Token::SemiColon => false,
        _ => true,
    }
}

/// DataFusion's parser wants `STORED AS` in every `CREATE EXTERNAL TABLE`; ours may leave it out.
fn with_stored_as(mut tokens: Vec<TokenWithSpan>, end: Location) -> Vec<TokenWithSpan> {
    let has_format = || {
        let mut pairs = keywords(&tokens).zip(keywords(&tokens).skip(1));
        pairs.any(|pair| pair == (Keyword::STORED, Keyword::AS))
    };
    if creates_external_table(&tokens) && !has_format() {
        let words = ["STORED", "AS", FORMAT_FROM_NAME];
        let at = tokens.iter().rposition(|token| token.token != Token::EOF).map_or(0, |last| last + 1);
        let added = words.map(|word| TokenWithSpan::at(Token::make_keyword(word), end, end));
        tokens.splice(at..at, added);
    }
    tokens
}

/// The keywords of a statement, in the places of its tokens without blanks.
fn keywords(tokens: &[TokenWithSpan]) -> impl Iterator<Item = Keyword> {
    let solid = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    solid.map(|token| if let Token::Word(word) = &token.token { word.keyword } else { Keyword::NoKeyword })
}

fn creates_external_table(tokens: &[TokenWithSpan]) -> bool {
    let first: Vec<_> = keywords(tokens).take(4).collect();
    matches!(
        first.as_slice(),
        [Keyword::CREATE, Keyword::EXTERNAL, ..]
            | [Keyword::CREATE, Keyword::OR, Keyword::REPLACE, Keyword::EXTERNAL, ..]
    )
}

/// DataFusion's parser takes a word, a text or a number as an option's value. A call that reads files takes lists and names
/// with values, too: of an external table they come as their text between double quotes, as nothing else does.
fn with_option_texts(tokens: Vec<TokenWithSpan>, places: &Places<'_>) -> Vec<TokenWithSpan> {
    if !creates_external_table(&tokens) {
        return tokens;
    }
    let tokens: Vec<_> = tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let at = |place: usize| tokens.get(place).map(|token| &token.token);
    let is_word =
        |place: usize, wanted: Keyword| matches!(at(place), Some(Token::Word(word)) if word.keyword == wanted);
    let mut written = Vec::with_capacity(tokens.len());
    let (mut place, mut inside) = (0_usize, false);
    while let Some(token) = tokens.get(place) {
        inside = match token.token {
            Token::LParen => inside || place.checked_sub(1).is_some_and(|before| is_word(before, Keyword::OPTIONS)),
            Token::RParen => false,
            _ => inside,
        };
        let is_list = matches!(token.token, Token::LBrace | Token::LBracket)
            || is_word(place, Keyword::ARRAY) && at(place + 1) == Some(&Token::LBracket);
        let (length, value) = match (&token.token, at(place + 1)) {
            _ if !inside => (1, None),
            (Token::Minus, Some(Token::Number(number, _))) => {
                (2, Some(Token::SingleQuotedString(format!("-{number}"))))
            }
            (Token::DollarQuotedString(text), _) => (1, Some(Token::SingleQuotedString(text.value.clone()))),
            _ if is_list => {
                let length = bracketed(tokens.get(place..).unwrap_or_default());
                let last = tokens.get(place + length - 1).unwrap_or(token);
                let text = places.between(token.span.start, last.span.end);
                (length, Some(Token::DoubleQuotedString(text.to_owned())))
            }
            _ => (1, None),
        };
        written.push(match value {
            Some(value) => TokenWithSpan::new(value, token.span),
            None => token.clone(),
        });
        place += length;
    }
    written
}

/// How many tokens there are up to the bracket that closes the first one.
fn bracketed(tokens: &[TokenWithSpan]) -> usize {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LBrace | Token::LBracket => depth += 1,
            Token::RBrace | Token::RBracket => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return place + 1;
        }
    }
    tokens.len().max(1)
}

/// What is wrong where a form's own syntax has something else next.
pub(super) fn expected(parser: &DFParser, what: &str) -> Error {
    let found = parser.parser.peek_token();
    Error::syntax(format!("expected {what}, found {}", found.token), None, Some(found.span.start))
}

/// All of `words` in a row, in any case; consumed then, otherwise nothing is.
pub(super) fn take_words(parser: &mut DFParser, words: &[&str]) -> bool {
    let all = words.iter().enumerate().all(|(index, text)| match parser.parser.peek_nth_token(index).token {
        Token::Word(Word { value, quote_style: None, .. }) => value.eq_ignore_ascii_case(text),
        _ => false,
    });
    if all {
        for _ in words {
            parser.parser.next_token();
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    fn tokens(sql: &str) -> Vec<TokenWithSpan> {
        Tokenizer::new(&PostgreSql, sql).tokenize_with_location().unwrap()
    }

    fn written(tokens: &[TokenWithSpan]) -> String {
        tokens.iter().map(|token| token.token.to_string()).collect()
    }

    #[test]
    fn statements_are_cut_at_semicolons() {
        let cases: [(&str, &[&str]); 4] = [
            ("SELECT 1; SELECT ';' ;", &["SELECT 1", " SELECT ';'"]),
            (";;SELECT 1;;  SELECT 2 -- ;\n;", &["", "", "SELECT 1", "", "  SELECT 2"]),
            ("; -- nothing\n", &[]),
            ("", &[]),
        ];
        for (sql, statements) in cases {
            let cut: Vec<String> = cut(tokens(sql)).map(|tokens| written(&tokens)).collect();
            assert_eq!(cut, statements, "{sql}");
        }
    }

    #[test]
    fn each_form_starts_at_the_first_token() {
        for sql in [
            " SELECT 1",
            " DESCRIBE t",
            "DESC t",
            "COPY t TO 'f'",
            "CREATE TABLE t (a int)",
            "DROP TABLE t",
            "COMMENT ON TABLE t IS 'x'",
            "ALTER TABLE t ADD a int",
            "SHOW TABLES",
        ] {
            let mut parser = parser_of(tokens(sql), 50).unwrap();
            let first = parser.parser.peek_token();
            for parse in FORMS.iter().filter_map(|form| form.parse) {
                assert!(parse(&mut parser).unwrap().is_none(), "{sql}");
                rewind(&mut parser);
                assert_eq!(parser.parser.peek_token(), first, "{sql}");
            }
        }
    }

    #[test]
    fn values_where_an_expression_stands_are_a_query() {
        for (sql, expected) in [
            ("SELECT a IN (VALUES (1), (2))", "SELECT a IN (SELECT*FROM(VALUES (1), (2))AS\"values\")"),
            ("SELECT (VALUES (1)), b", "SELECT (SELECT*FROM(VALUES (1))AS\"values\"), b"),
            ("SELECT * FROM (VALUES (1)) v", "SELECT * FROM (VALUES (1)) v"),
            (
                "INSERT INTO t VALUES (1), ((VALUES (2)))",
                "INSERT INTO t VALUES (1), ((SELECT*FROM(VALUES (2))AS\"values\"))",
            ),
            ("(VALUES (1))", "(VALUES (1))"),
        ] {
            assert_eq!(written(&with_selects(tokens(sql))), expected);
        }
    }
}
