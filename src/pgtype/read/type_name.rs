//! Names of types, as SQL writes them: `int4`, `timestamp(3) with time zone`, `pg_catalog."char"`, `numeric(10,2)[]`.

use crate::pgtype::{BPCHAR, FLOAT4, FLOAT8, INTERVAL, Modifier, PgType, VARCHAR, by_name, by_word, digits::RANGES};

/// A text that is no name of a type.
#[derive(Debug, PartialEq)]
pub(crate) struct NoName;

/// The type of a name; none if there is none of this name.
pub(crate) fn read(text: &str) -> Result<Option<&'static PgType>, NoName> {
    let tokens = tokens(text).ok_or(NoName)?;
    let (named, rest) = first_of(&tokens).ok_or(NoName)?;
    Ok(match dimensions(rest).ok_or(NoName)? {
        0 => named,
        _ => named.and_then(PgType::array_type),
    })
}

#[derive(Debug, PartialEq)]
enum Token {
    /// In lower case.
    Word(String),
    /// What stood in quotes.
    Quoted(String),
    Number(u32),
    Mark(char),
}

impl Token {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            Self::Number(_) | Self::Mark(_) => None,
        }
    }

    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_in_word = |next: char| next.is_alphanumeric() || next == '_' || next == '$';
        let length = if first == '"' {
            rest[1..].find('"')? + 2
        } else {
            rest.find(|next| !is_in_word(next)).unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(length.max(first.len_utf8()));
        tokens.push(match first {
            '"' => Token::Quoted(token.trim_matches('"').to_owned()),
            '0'..='9' => Token::Number(token.parse().ok()?),
            first if is_in_word(first) => Token::Word(token.to_lowercase()),
            '.' | ',' | '(' | ')' | '[' | ']' => Token::Mark(first),
            _ => return None,
        });
        rest = after.trim_start();
    }
    Some(tokens)
}

/// A type, if there is one of this name, and what follows the name.
type Named<'a> = (Option<&'static PgType>, &'a [Token]);

/// The type that tokens begin with.
fn first_of(tokens: &[Token]) -> Option<Named<'_>> {
    match tokens {
        [schema, Token::Mark('.'), name, rest @ ..] => {
            let (schema, name) = (schema.name()?, name.name()?);
            Some((by_name(name).filter(|_| schema == "pg_catalog"), modifier(rest)?.1))
        }
        [Token::Quoted(name), rest @ ..] => Some((by_name(name), modifier(rest)?.1)),
        tokens => in_words(tokens),
    }
}

fn in_words(tokens: &[Token]) -> Option<Named<'_>> {
    let (mut words, rest) = words(tokens);
    let (numbers, rest) = modifier(rest)?;
    // `time (3) with time zone`
    let (more, rest) = self::words(rest);
    words.extend(more);
    let mut is_array = false;
    if let [_, .., last] = words.as_slice()
        && *last == "array"
    {
        is_array = true;
        words.pop();
    }
    let name = words.join(" ");
    let known = match (name.as_str(), words.as_slice()) {
        ("float", _) => match numbers.as_deref() {
            None | Some([25..=53]) => Some(&FLOAT8),
            Some([1..=24]) => Some(&FLOAT4),
            Some(_) => return None,
        },
        // The planner's own word.
        ("double", _) => None,
        ("any" | "", _) => return None,
        (name, ["interval", fields @ ..])
            if RANGES.iter().any(|(_, _, words)| *words == fields.join(" ")) || name == "interval" =>
        {
            Some(&INTERVAL)
        }
        (name, words) => {
            let national = NATIONAL.iter().find(|(known, _)| *known == name).map(|(_, known)| known);
            let known = national.or_else(|| by_word(name));
            if known.is_none() && words.len() > 1 {
                return None;
            }
            known
        }
    };
    let takes_none =
        known.is_some_and(|known| known.modifier == Modifier::None && name != "float" && words[0] != "interval");
    if takes_none && numbers.is_some() {
        return None;
    }
    Some(if is_array && rest.is_empty() { (known.and_then(PgType::array_type), rest) } else { (known, rest) })
}

/// Texts in the characters of the nation, which are those of all.
static NATIONAL: &[(&str, PgType)] = &[
    ("national character varying", VARCHAR),
    ("national char varying", VARCHAR),
    ("nchar varying", VARCHAR),
    ("national character", BPCHAR),
    ("national char", BPCHAR),
    ("nchar", BPCHAR),
];

fn words(tokens: &[Token]) -> (Vec<&str>, &[Token]) {
    let words: Vec<&str> = tokens.iter().map_while(Token::word).collect();
    let rest = tokens.get(words.len()..).unwrap_or_default();
    (words, rest)
}

/// The numbers in the parentheses that the tokens begin with, if they do, and what follows them.
fn modifier(tokens: &[Token]) -> Option<(Option<Vec<u32>>, &[Token])> {
    let [Token::Mark('('), rest @ ..] = tokens else { return Some((None, tokens)) };
    let mut numbers = Vec::new();
    let mut rest = rest;
    while let [Token::Number(number), Token::Mark(','), after @ ..] = rest {
        numbers.push(*number);
        rest = after;
    }
    let [Token::Number(number), Token::Mark(')'), after @ ..] = rest else { return None };
    numbers.push(*number);
    Some((Some(numbers), after))
}

/// How many dimensions `[][3]` has, or `array[3]`.
fn dimensions(tokens: &[Token]) -> Option<usize> {
    let mut count = 0;
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (Token::Word(word), after) if word == "array" => after,
            (Token::Mark('['), [Token::Mark(']'), after @ ..] | [Token::Number(_), Token::Mark(']'), after @ ..]) => {
                after
            }
            _ => return None,
        };
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15's `to_regtype` has them.
    #[test]
    fn names_are_read_as_sql_writes_them() {
        for (name, expected) in [
            ("int4", "integer"),
            ("  INT  ", "integer"),
            ("int[]", "integer[]"),
            ("int4 [ 3 ]", "integer[]"),
            ("int[][]", "integer[]"),
            ("int array", "integer[]"),
            ("INTEGER ARRAY[4]", "integer[]"),
            ("_int4", "integer[]"),
            ("numeric(10,2)", "numeric"),
            ("numeric(10,2)[]", "numeric[]"),
            ("timestamp(3) with time zone", "timestamp with time zone"),
            ("timestamp(3)", "timestamp without time zone"),
            ("time(2) with time zone", "time with time zone"),
            ("character varying(10)[]", "character varying[]"),
            ("char varying", "character varying"),
            ("national character varying(3)", "character varying"),
            ("nchar", "character"),
            ("char", "character"),
            ("\"char\"", "\"char\""),
            ("\"char\"[]", "\"char\"[]"),
            ("pg_catalog.char", "\"char\""),
            ("\"int4\"", "integer"),
            ("pg_catalog.int4", "integer"),
            ("double precision", "double precision"),
            ("float", "double precision"),
            ("float(24)", "real"),
            ("float(25)", "double precision"),
            ("interval day to second", "interval"),
            ("interval second(3)", "interval"),
            ("interval(3)", "interval"),
            ("record", "record"),
        ] {
            let found = read(name).unwrap_or_default().map(|known| known.sql(None));
            assert_eq!(found.as_deref(), Some(expected), "{name}");
        }
        for name in [
            "nosuch",
            "nosuch[]",
            "\"INT4\"",
            "pg_catalog.integer",
            "public.int4",
            "double",
            "_int4[]",
            "void[]",
            "serial",
        ] {
            assert_eq!(read(name), Ok(None), "{name}");
        }
        for name in [
            "",
            "int4(",
            "int4 x",
            "float(60)",
            "float(0)",
            "\"int4",
            "int4[",
            "a.b.c.d",
            "1",
            "numeric()",
            "numeric(a)",
            "int4(3)",
            "int,int",
            "[]",
            "integer[]x",
            "timestamp with",
            "-int",
            "interval century",
            "any",
            "setof int",
        ] {
            assert_eq!(read(name), Err(NoName), "{name}");
        }
    }
}
