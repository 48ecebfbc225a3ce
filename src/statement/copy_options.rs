//! How `COPY … TO 'file'` may spell its options: as PostgreSQL and DuckDB do.
//!
//! `(FORMAT csv, HEADER, FORCE_QUOTE (a), PARTITION_BY (b))`, with or without WITH before it, and `WITH CSV HEADER` of old
//! become the clauses that the parser knows: `STORED AS csv PARTITIONED BY (b) OPTIONS (header 'true', …)`. An option without a
//! value is true. `COPY t (a, b)` is `COPY (SELECT a, b FROM t)`. What each option means, its format says.

use datafusion::sql::sqlparser::{
    keywords::Keyword,
    tokenizer::{Span, Token, TokenWithSpan, Word},
};

use crate::{Error, Fault, Result};

/// The statement in the parser's words. Any other statement stays as it is, and so does what is no option.
pub(super) fn in_known_clauses(mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    let Some(target) = target_of(&tokens) else { return Ok(tokens) };
    let tail = tokens.split_off(target + 1);
    let tail: Vec<_> = tail.into_iter().filter(is_solid).collect();
    let head = tokens.into_iter().filter(is_solid).collect();
    let mut clauses = Clauses { rest: &tail, written: with_query(head), options: Vec::new(), names: Vec::new() };
    clauses.read()?;
    Ok(clauses.finish())
}

fn is_solid(token: &TokenWithSpan) -> bool {
    !matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

fn is_keyword(token: &Token, wanted: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.keyword == wanted)
}

/// The place of the text that says where COPY writes.
fn target_of(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut solid = tokens.iter().enumerate().filter(|(_, token)| is_solid(token));
    let (_, first) = solid.next()?;
    if !is_keyword(&first.token, Keyword::COPY) {
        return None;
    }
    let mut depth = 0_usize;
    while let Some((_, token)) = solid.next() {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            token if depth == 0 && is_keyword(token, Keyword::TO) => {
                let (place, next) = solid.next()?;
                let is_text = matches!(next.token, Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_));
                return is_text.then_some(place);
            }
            _ => {}
        }
    }
    None
}

/// A query in the place of a table with a list of its columns.
fn with_query(head: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_name = |token: &&TokenWithSpan| matches!(token.token, Token::Word(_) | Token::Period);
    let open = 1 + head.iter().skip(1).take_while(is_name).count();
    let is_column = |token: &&TokenWithSpan| matches!(token.token, Token::Word(_) | Token::Comma);
    let close = open + 1 + head.iter().skip(open + 1).take_while(is_column).count();
    let is_at = |place: usize, wanted: Token| head.get(place).is_some_and(|token| token.token == wanted);
    if open == 1 || close == open + 1 || !is_at(open, Token::LParen) || !is_at(close, Token::RParen) {
        return head;
    }
    let (table, columns) = (&head[1..open], &head[open + 1..close]);
    let made = |token: Token| TokenWithSpan::new(token, table[0].span);
    let mut query = vec![head[0].clone(), made(Token::LParen), made(Token::make_keyword("SELECT"))];
    query.extend_from_slice(columns);
    query.push(made(Token::make_keyword("FROM")));
    query.extend_from_slice(table);
    query.extend_from_slice(&head[close..]);
    query
}

/// What an option is given.
enum Value<'a> {
    One(Token),
    /// A list in parentheses.
    Many(Vec<&'a TokenWithSpan>),
    /// `*`
    All,
}

/// What follows the place to write, as far as it is read.
struct Clauses<'a> {
    rest: &'a [TokenWithSpan],
    written: Vec<TokenWithSpan>,
    /// The names and values of the parser's options.
    options: Vec<TokenWithSpan>,
    /// The names of all that was given.
    names: Vec<String>,
}

impl<'a> Clauses<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.rest.first().map(|token| &token.token)
    }

    fn next(&mut self) -> Option<&'a TokenWithSpan> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    /// Takes a word that nothing quotes, in any case.
    fn take_word(&mut self, wanted: &str) -> bool {
        let is_there = self.peek().and_then(plain_word).is_some_and(|word| word == wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    /// The clauses that the parser knows are kept, and so is what nobody knows, which the parser refuses.
    fn read(&mut self) -> Result<()> {
        while let Some(token) = self.next() {
            if token.token == Token::LParen {
                self.read_list()?;
                continue;
            }
            match plain_word(&token.token).unwrap_or_default().as_str() {
                "options" | "with" if self.peek() == Some(&Token::LParen) => {
                    self.next();
                    self.read_list()?;
                }
                "with" | "using" => {}
                "stored" => {
                    self.written.push(token.clone());
                    let rest = self.rest.iter().take(2).cloned();
                    self.written.extend(rest);
                    self.rest = self.rest.get(2..).unwrap_or_default();
                }
                "partitioned" => {
                    self.written.push(token.clone());
                    while let Some(token) = self.next() {
                        self.written.push(token.clone());
                        if token.token == Token::RParen {
                            break;
                        }
                    }
                }
                word => self.read_old(token, word)?,
            }
        }
        Ok(())
    }

    /// An option as PostgreSQL had it before version 9.
    fn read_old(&mut self, token: &TokenWithSpan, word: &str) -> Result<()> {
        match word {
            "csv" | "binary" => self.add("format", Value::One(Token::make_word(word, None)), token.span),
            "header" => self.add(word, Value::One(text("true")), token.span),
            "delimiter" | "delimiters" | "null" | "quote" | "escape" | "encoding" => {
                self.take_word("as");
                let name = if word == "delimiters" { "delimiter" } else { word };
                match self.read_value()? {
                    Some(value) => self.add(name, value, token.span),
                    None => self.expected(&format!("what {} is", word.to_uppercase())),
                }
            }
            "force" if self.take_word("quote") => {
                let mut columns = Vec::new();
                if self.take(&Token::Mul) {
                    return self.add("force_quote", Value::All, token.span);
                }
                while let Some(column) = self.next() {
                    columns.push(column);
                    if !self.take(&Token::Comma) {
                        break;
                    }
                }
                self.add("force_quote", Value::Many(columns), token.span)
            }
            _ => {
                self.written.push(token.clone());
                self.written.extend(self.rest.iter().cloned());
                self.rest = &[];
                Ok(())
            }
        }
    }

    /// `(name value, name, …)`, of which the first parenthesis was taken.
    fn read_list(&mut self) -> Result<()> {
        loop {
            if self.take(&Token::RParen) {
                return Ok(());
            }
            let Some(key) = self.next() else { return self.expected("the name of an option") };
            let mut name = match &key.token {
                Token::Word(Word { value, quote_style: None, .. }) => value.to_lowercase(),
                Token::Word(Word { value, .. })
                | Token::SingleQuotedString(value)
                | Token::DoubleQuotedString(value)
                | Token::EscapedStringLiteral(value) => value.clone(),
                other => {
                    let message = format!("expected the name of an option, found {other}");
                    return Err(Error::syntax(message, None, Some(key.span.start)));
                }
            };
            while self.take(&Token::Period) {
                match self.next().map(|part| &part.token) {
                    Some(Token::Word(part)) => name = format!("{name}.{}", part.value),
                    _ => return self.expected("the rest of an option's name"),
                }
            }
            let value = self.read_value()?.unwrap_or_else(|| Value::One(text("true")));
            self.add(&name, value, key.span)?;
            if !self.take(&Token::Comma) && self.peek() != Some(&Token::RParen) {
                return self.expected("a comma or ) behind an option");
            }
        }
    }

    /// The value of an option; none where there is none.
    fn read_value(&mut self) -> Result<Option<Value<'a>>> {
        if matches!(self.peek(), None | Some(Token::Comma | Token::RParen)) {
            return Ok(None);
        }
        let Some(token) = self.next() else { return Ok(None) };
        let value = match (&token.token, self.peek()) {
            (Token::Mul, _) => Value::All,
            (Token::Minus, Some(Token::Number(number, _))) => {
                let number = text(&format!("-{number}"));
                self.next();
                Value::One(number)
            }
            (Token::DollarQuotedString(quoted), _) => Value::One(text(&quoted.value)),
            (Token::LParen, _) => {
                let mut items = Vec::new();
                while let Some(item) = self.next() {
                    match &item.token {
                        Token::RParen => return Ok(Some(Value::Many(items))),
                        Token::Comma => {}
                        _ => items.push(item),
                    }
                }
                return self.expected("a ) behind the list").map(|()| None);
            }
            (other, _) => Value::One(other.clone()),
        };
        Ok(Some(value))
    }

    /// Notes an option, by the clause that it has here.
    fn add(&mut self, name: &str, value: Value<'_>, span: Span) -> Result<()> {
        let lower = name.to_lowercase();
        if self.names.contains(&lower) {
            let message = format!("the option {name} is given twice; leave one out");
            return Err(Error::new(Fault::Syntax, message).at(span.start));
        }
        let made = |token: Token| TokenWithSpan::new(token, span);
        match lower.as_str() {
            "format" => {
                let Value::One(format) = value else {
                    let message = "the option format is the name of one format, such as csv".to_owned();
                    return Err(Error::new(Fault::InvalidArgument, message).at(span.start));
                };
                let format = Token::make_word(&shown(&format), None);
                let clause = [Token::make_keyword("STORED"), Token::make_keyword("AS"), format];
                self.written.extend(clause.map(made));
            }
            "partition_by" => {
                let clause = [Token::make_keyword("PARTITIONED"), Token::make_keyword("BY"), Token::LParen];
                self.written.extend(clause.map(made));
                for (place, column) in columns_of(&value).iter().enumerate() {
                    if place > 0 {
                        self.written.push(made(Token::Comma));
                    }
                    self.written.push(made(Token::make_word(&column.replace('"', "\"\""), Some('"'))));
                }
                self.written.push(made(Token::RParen));
            }
            _ => {
                let value = match &value {
                    Value::All => text("*"),
                    value if lower == "force_quote" => {
                        text(&serde_json::to_string(&columns_of(value)).unwrap_or_default())
                    }
                    Value::Many(items) => {
                        text(&items.iter().map(|item| shown(&item.token)).collect::<Vec<_>>().join(", "))
                    }
                    Value::One(value) => value.clone(),
                };
                if !self.options.is_empty() {
                    self.options.push(made(Token::Comma));
                }
                self.options.extend([text(name), value].map(made));
            }
        }
        self.names.push(lower);
        Ok(())
    }

    fn expected(&self, what: &str) -> Result<()> {
        let found = self.peek().map_or_else(|| "the end of the statement".to_owned(), ToString::to_string);
        let place = self.rest.first().or(self.written.last()).map(|token| token.span.start);
        Err(Error::syntax(format!("expected {what}, found {found}"), None, place))
    }

    fn finish(mut self) -> Vec<TokenWithSpan> {
        if let Some(first) = self.options.first() {
            let span = first.span;
            let made = |token: Token| TokenWithSpan::new(token, span);
            self.written.extend([Token::make_keyword("OPTIONS"), Token::LParen].map(made));
            self.written.append(&mut self.options);
            self.written.push(made(Token::RParen));
        }
        self.written
    }
}

fn text(value: &str) -> Token {
    Token::SingleQuotedString(value.to_owned())
}

/// A word that nothing quotes, in lower case.
fn plain_word(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word { value, quote_style: None, .. }) => Some(value.to_lowercase()),
        _ => None,
    }
}

/// The text of a word or a text.
fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(value) | Token::EscapedStringLiteral(value) => value.clone(),
        other => other.to_string(),
    }
}

/// The names of columns, of which a text is meant as it is written.
fn columns_of(value: &Value<'_>) -> Vec<String> {
    let name = |token: &Token| plain_word(token).unwrap_or_else(|| shown(token));
    match value {
        Value::One(column) => vec![name(column)],
        Value::Many(columns) => columns.iter().map(|column| name(&column.token)).collect(),
        Value::All => vec!["*".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;
    use crate::session::PostgreSql;

    /// The statement in the parser's words.
    fn read(sql: &str) -> String {
        let tokens = Tokenizer::new(&PostgreSql, sql).tokenize_with_location().expect("it has tokens");
        match in_known_clauses(tokens) {
            Ok(tokens) => tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn options_become_clauses() {
        for (sql, known) in [
            ("COPY t TO 'f' (FORMAT csv, HEADER)", "COPY t TO 'f' STORED AS csv OPTIONS ( 'header' 'true' )"),
            (
                "COPY t TO 'f' WITH (format 'csv', header off, delimiter ';', force_quote (a, \"B\"))",
                "COPY t TO 'f' STORED AS csv OPTIONS ( 'header' off , 'delimiter' ';' , 'force_quote' '[\"a\",\"B\"]' )",
            ),
            (
                "COPY t TO 'f' WITH CSV HEADER DELIMITER AS ';' NULL 'x' FORCE QUOTE *",
                "COPY t TO 'f' STORED AS csv OPTIONS ( 'header' 'true' , 'delimiter' ';' , 'null' 'x' , 'force_quote' '*' )",
            ),
            (
                "COPY t (a, b) TO 'f' (FORMAT parquet, PARTITION_BY (b), COMPRESSION zstd)",
                "COPY ( SELECT a , b FROM t ) TO 'f' STORED AS parquet PARTITIONED BY ( \"b\" ) OPTIONS ( 'compression' zstd )",
            ),
            (
                "COPY (SELECT 1 AS a) TO 'f' STORED AS CSV PARTITIONED BY (a) OPTIONS (header false)",
                "COPY ( SELECT 1 AS a ) TO 'f' STORED AS CSV PARTITIONED BY ( a ) OPTIONS ( 'header' false )",
            ),
            ("COPY t TO 'f' WITH ROWS", "COPY t TO 'f' ROWS"),
            ("SELECT 1 TO 'f' (FORMAT csv)", "SELECT   1   TO   'f'   ( FORMAT   csv )"),
        ] {
            assert_eq!(read(sql), known);
        }
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert!(read("COPY t TO 'f' (HEADER, header)").contains("given twice"));
        assert!(read("COPY t TO 'f' (HEADER true false)").contains("expected a comma or )"));
        assert!(read("COPY t TO 'f' (HEADER true").contains("expected a comma or )"));
        assert!(read("COPY t TO 'f' (1 2)").contains("expected the name of an option, found 1"));
        assert!(read("COPY t TO 'f' WITH CSV QUOTE").contains("expected what QUOTE is"));
    }
}
