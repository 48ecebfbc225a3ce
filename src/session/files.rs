//! Calls such as `read_csv('path', header => true)` in FROM.
//!
//! Files are looked at while names are looked up, which takes its time; calls are planned at once. So a call becomes a
//! name, which is the call's own text, and whoever looks it up reads the text again. The options of the call are those of
//! `CREATE EXTERNAL TABLE`, and both are read here.

use std::collections::BTreeMap;

use arrow::datatypes::{Field, Schema};
use datafusion::sql::sqlparser::{
    ast::{
        Array, BinaryOperator, ColumnDef, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
        TableAlias, TableFactor, UnaryOperator, Value,
    },
    parser::Parser,
    tokenizer::Token,
};

use super::{PostgreSql, Scope};
use crate::{
    Error, Fault, Result,
    source::{self, TableRequest},
};

/// What every reader's name begins with.
const READER: &str = "read_";

/// The functions that read files, one a format: the name, and the format's.
pub(super) fn readers() -> impl Iterator<Item = (String, &'static dyn source::Format)> {
    source::FORMATS.iter().map(|format| (format!("{READER}{}", format.name()), *format))
}

/// Refuses what would be passed over in silence.
fn check_sample(factor: &TableFactor) -> Result<()> {
    match factor {
        TableFactor::Derived { sample: Some(_), .. } => {
            let message = "syntax error at or near \"TABLESAMPLE\": it is of a table, not of a query";
            Err(Error::new(Fault::Syntax, message))
        }
        TableFactor::Table { sample: Some(_), .. } => {
            let message = "TABLESAMPLE is not supported; filter by random(), as in WHERE random() < 0.01";
            Err(Error::new(Fault::FeatureNotSupported, message))
        }
        _ => Ok(()),
    }
}

/// Turns a call into the name that stands for it. Without an alias the function's name qualifies its columns.
pub(super) fn rewrite(factor: &mut TableFactor) -> Result<()> {
    check_sample(factor)?;
    let (name, arguments, with_ordinality) = match factor {
        TableFactor::Table { name, args: Some(arguments), with_ordinality, .. } => {
            (name, &arguments.args, *with_ordinality)
        }
        TableFactor::Function { name, args, with_ordinality, .. } => (name, &*args, *with_ordinality),
        _ => return Ok(()),
    };
    let Some((reader, _)) = reader_of(name) else { return Ok(()) };
    if with_ordinality {
        let message = format!("{reader} has no WITH ORDINALITY; number its rows with row_number() OVER ()");
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    // What is wrong with the arguments is said now, before anything is looked up.
    read_call(&reader, arguments)?;
    let texts: Vec<_> = arguments.iter().map(ToString::to_string).collect();
    let text = format!("{reader}({})", texts.join(", "));
    let own = TableAlias { explicit: true, name: Ident::with_quote('"', reader), columns: Vec::new(), at: None };
    if let TableFactor::Function { alias, .. } = factor {
        *factor = named(alias.take());
    }
    if let TableFactor::Table { name, args, alias, .. } = factor {
        *name = ObjectName::from(Ident::with_quote('"', text));
        *args = None;
        alias.get_or_insert(own);
    }
    Ok(())
}

/// A table without a name yet.
fn named(alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Table {
        name: ObjectName(Vec::new()),
        alias,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// The request of a name that is the text of a call; none if it is none.
pub(crate) fn request(scope: &Scope, name: &str) -> Option<Result<TableRequest>> {
    let begins = name.get(..READER.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(READER));
    if !begins || !name.ends_with(')') {
        return None;
    }
    let parsed = Parser::new(&PostgreSql).try_with_sql(name).and_then(|mut parser| parser.parse_expr());
    let Ok(Expr::Function(function)) = parsed else { return None };
    let (reader, format) = reader_of(&function.name)?;
    let FunctionArguments::List(list) = &function.args else { return None };
    let Call { locations, options } = match read_call(&reader, &list.args) {
        Ok(call) => call,
        Err(error) => return Some(Err(error)),
    };
    let request = TableRequest { locations, format: Some(format.name().to_owned()), ..TableRequest::default() };
    Some(with_options(scope, request, options))
}

fn reader_of(name: &ObjectName) -> Option<(String, &'static dyn source::Format)> {
    let [part] = name.0.as_slice() else { return None };
    let name = part.as_ident()?;
    let name = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
    let format = name.strip_prefix(READER)?;
    // DuckDB's names of readers that look at the files, as ours do.
    let format = format.strip_suffix("_auto").unwrap_or(format);
    let is_meant = |known: &&&dyn source::Format| known.name() == format || known.endings().contains(&format);
    source::FORMATS.iter().find(is_meant).map(|format| (name.clone(), *format))
}

/// A call, taken apart.
struct Call {
    locations: Vec<String>,
    options: Vec<(String, Given)>,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// A text, a number or a truth value.
    One(String),
    /// `ARRAY['a', 'b']` or `['a', 'b']`.
    Many(Vec<String>),
    /// `{name: 'value'}`.
    Named(Vec<(Ident, String)>),
}

impl Given {
    /// The value that a literal's text has; none of any other expression.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parser = Parser::new(&PostgreSql).try_with_sql(text).ok()?;
        let value = parser.parse_expr().ok()?;
        parser.expect_token(&Token::EOF).ok()?;
        literal(&value)
    }
}

fn read_call(reader: &str, arguments: &[FunctionArg]) -> Result<Call> {
    let wrong = |message: String| Error::new(Fault::InvalidArgument, message);
    let usage =
        || wrong(format!("{reader} takes a path in quotes, then options as in {reader}('path', name => value)"));
    let mut call = Call { locations: Vec::new(), options: Vec::new() };
    for (place, argument) in arguments.iter().enumerate() {
        let (name, value) = match argument {
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => (name.value.to_lowercase(), value),
            // As DuckDB writes it.
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp { left, op: BinaryOperator::Eq, right })) => {
                let Expr::Identifier(name) = left.as_ref() else { return Err(usage()) };
                (name.value.to_lowercase(), right.as_ref())
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) if place == 0 => {
                let is_text = !matches!(value, Expr::Value(value) if matches!(value.value, Value::Number(..) | Value::Boolean(_)));
                call.locations = match literal(value) {
                    Some(Given::One(location)) if is_text => vec![location],
                    Some(Given::Many(locations)) if !locations.is_empty() => locations,
                    _ => return Err(usage()),
                };
                continue;
            }
            _ => return Err(usage()),
        };
        if matches!(value, Expr::Value(value) if matches!(value.value, Value::Null)) {
            continue;
        }
        let Some(value) = literal(value) else {
            let message = format!("the option {name} of {reader} is {value}; write a text, a number, true or false");
            return Err(wrong(message));
        };
        if call.options.iter().any(|(other, _)| *other == name) {
            return Err(wrong(format!("the option {name} is given twice; leave one out")));
        }
        call.options.push((name, value));
    }
    if call.locations.is_empty() { Err(usage()) } else { Ok(call) }
}

/// The value of a literal; none of any other expression.
fn literal(value: &Expr) -> Option<Given> {
    let one = |value: &Expr| match literal(value) {
        Some(Given::One(text)) => Some(text),
        _ => None,
    };
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(Given::One(text.clone())),
            Value::DollarQuotedString(text) => Some(Given::One(text.value.clone())),
            Value::Number(..) | Value::Boolean(_) => Some(Given::One(value.value.to_string())),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => one(expr).map(|number| Given::One(format!("-{number}"))),
        Expr::Nested(inner) => literal(inner),
        Expr::Array(Array { elem, .. }) => elem.iter().map(one).collect::<Option<_>>().map(Given::Many),
        Expr::Dictionary(fields) => {
            let named = fields.iter().map(|field| Some((field.key.clone(), one(&field.value)?)));
            named.collect::<Option<_>>().map(Given::Named)
        }
        _ => None,
    }
}

/// A request with these options, of which some are not the format's but the table's.
pub(crate) fn with_options(
    scope: &Scope,
    mut request: TableRequest,
    given: impl IntoIterator<Item = (String, Given)>,
) -> Result<TableRequest> {
    let mut options = BTreeMap::new();
    for (name, value) in given {
        let plain = name.strip_prefix("format.").unwrap_or(&name);
        match (plain, value) {
            ("types" | "dtypes" | "column_types" | "hive_types", value) => {
                request.types.extend(fields(scope, &name, value)?);
            }
            ("columns", _) if request.columns.is_some() => {
                let message = "the option columns is given, and columns are declared; leave one out";
                return Err(Error::new(Fault::InvalidArgument, message));
            }
            ("columns", value) => request.columns = Some(Schema::new(fields(scope, &name, value)?)),
            ("null_value" | "nullstr" | "null" | "na_values", Given::Many(marks)) => {
                let marks: Vec<_> = marks.iter().map(|mark| regex::escape(mark)).collect();
                options.insert("null_regex".to_owned(), marks.join("|"));
            }
            (_, Given::One(text)) => {
                options.insert(name, text);
            }
            (_, Given::Many(_) | Given::Named(_)) => {
                scope.sources().check_option(request.format.as_deref(), plain)?;
                let message = format!("the option {name} takes one value; write a text, a number, true or false");
                return Err(Error::new(Fault::InvalidArgument, message));
            }
        }
    }
    request.options = options;
    Ok(request)
}

/// Columns and their types: `{name: 'type'}`, or the text of a list as in CREATE TABLE.
fn fields(scope: &Scope, option: &str, value: Given) -> Result<Vec<Field>> {
    let list = match value {
        Given::One(list) => list,
        Given::Named(columns) => {
            let columns = columns.into_iter().map(|(name, data_type)| {
                // A name in single quotes is meant as it is written.
                let quote = name.quote_style.map(|_| '"');
                format!("{} {data_type}", Ident { quote_style: quote, ..name })
            });
            columns.collect::<Vec<_>>().join(", ")
        }
        Given::Many(_) => String::new(),
    };
    let invalid = |reason: &str| {
        let message = format!("the option {option} is not a list of columns and types, such as 'id text': {reason}");
        Error::new(Fault::InvalidArgument, message)
    };
    let parsed = Parser::new(&PostgreSql).try_with_sql(&list).and_then(|mut parser| {
        let columns = parser.parse_comma_separated(Parser::parse_column_def)?;
        parser.expect_token(&Token::EOF)?;
        Ok(columns)
    });
    let columns = parsed.map_err(|error| invalid(&error.to_string()))?;
    let field = |column: &ColumnDef| {
        let name = match column.name.quote_style {
            Some(_) => column.name.value.clone(),
            None => column.name.value.to_lowercase(),
        };
        Ok(Field::new(name, scope.data_type(&column.data_type)?, true))
    };
    columns.iter().map(field).collect()
}

/// What a reader is called with, for documentation.
pub(super) fn arguments_of(format: &dyn source::Format) -> String {
    let options = format.options().iter().map(|(name, _)| format!("{name} => …"));
    ["path", "types => …"].map(str::to_owned).into_iter().chain(options).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Result<Call> {
        let parsed = Parser::new(&PostgreSql).try_with_sql(text).and_then(|mut parser| parser.parse_expr());
        match parsed {
            Ok(Expr::Function(function)) => match &function.args {
                FunctionArguments::List(list) => read_call("read_csv", &list.args),
                _ => Err(Error::new(Fault::Internal, "no list")),
            },
            other => Err(Error::new(Fault::Internal, format!("{other:?}"))),
        }
    }

    #[test]
    fn calls_are_read_in_either_spelling() -> Result<()> {
        let one = |text: &str| Given::One(text.to_owned());
        let read = call("read_csv('a.csv', header => true, skip = 2, sample_size => -1, comment := '#')")?;
        assert_eq!(read.locations, ["a.csv"]);
        let wanted = [("header", "true"), ("skip", "2"), ("sample_size", "-1"), ("comment", "#")];
        assert_eq!(read.options, wanted.map(|(name, value)| (name.to_owned(), one(value))));
        let read =
            call("read_csv(ARRAY['a.csv', 'b.csv'], types => {'Id': 'text', amount: 'numeric(10,2)'}, null => NULL)")?;
        assert_eq!(read.locations, ["a.csv", "b.csv"]);
        assert!(matches!(read.options.as_slice(), [(_, Given::Named(types))] if types.len() == 2));
        for wrong in ["read_csv()", "read_csv(1 + 1)", "read_csv('a', 'b')", "read_csv('a', skip => 1 + 1)"] {
            assert!(call(wrong).is_err(), "{wrong}");
        }
        Ok(())
    }
}
