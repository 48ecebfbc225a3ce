//! Names in statements: identifiers fold to lower case unless quoted, and may be qualified.

use std::ops::ControlFlow;

use arrow::datatypes::Schema;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArguments, Ident, ObjectName, Select, SelectItem, TableFactor,
    TypedString, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::{
    Error, Fault, Result,
    catalog::Existing,
    error::MARK,
    functions::read_bytes,
    session::{CATALOG_SCHEMA, DATABASE, Name, of_catalog},
};

/// An identifier as it is stored.
pub(crate) fn identifier(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// An identifier that the parser hands on as a text, with its quotes, as it is stored.
pub(super) fn written_identifier(text: &str) -> String {
    match text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The name of an object: `name`, `schema.name` or `fusewire.schema.name`.
pub(crate) fn object_name(name: &ObjectName) -> Result<Name> {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(identifier).collect();
    if parts.iter().any(String::is_empty) {
        return Err(Error::new(
            Fault::Syntax,
            format!("a part of the name {name} is empty; write at least one letter"),
        ));
    }
    match parts.as_slice() {
        [name] => Ok(Name { schema: None, name: name.clone() }),
        [schema, name] => Ok(Name { schema: Some(schema.clone()), name: name.clone() }),
        [database, schema, name] if database == DATABASE => {
            Ok(Name { schema: Some(schema.clone()), name: name.clone() })
        }
        [database, _, _] => Err(Error::new(
            Fault::FeatureNotSupported,
            format!("the name {name} is in the database \"{database}\"; the only database is \"{DATABASE}\""),
        )),
        _ => Err(Error::new(Fault::Syntax, format!("the name {name} has too many parts"))),
    }
}

/// What `CREATE` does where the name is taken.
pub(super) fn existing(or_replace: bool, if_not_exists: bool) -> Result<Existing> {
    match (or_replace, if_not_exists) {
        (true, true) => {
            Err(Error::new(Fault::Syntax, "OR REPLACE and IF NOT EXISTS exclude each other; leave one out"))
        }
        (true, false) => Ok(Existing::Replace),
        (false, true) => Ok(Existing::Keep),
        (false, false) => Ok(Existing::Refuse),
    }
}

/// Refuses two columns of one name: a table or view with such columns could not be read by name.
pub(super) fn check_distinct(schema: &Schema) -> Result<()> {
    let mut names: Vec<String> = schema.fields().iter().map(|field| field.name().replace(MARK, "")).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Error::new(
            Fault::DuplicateColumn,
            format!("column \"{}\" is specified more than once; name the columns apart with AS", pair[0]),
        )),
    }
}

/// Refuses an alias that is written as a text: two texts in one line are neither a column with its alias nor one text.
pub(super) fn check_aliases(statement: &impl Visit) -> Result<()> {
    struct Aliases;
    impl Visitor for Aliases {
        type Break = Ident;

        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Ident> {
            let alias = |item: &SelectItem| match item {
                SelectItem::ExprWithAlias { alias, .. } if alias.quote_style == Some('\'') => Some(alias.clone()),
                _ => None,
            };
            select.projection.iter().find_map(alias).map_or(ControlFlow::Continue(()), ControlFlow::Break)
        }
    }
    match statement.visit(&mut Aliases) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(alias) => {
            let message = format!(
                "the text '{}' stands where an alias or an operator may; an alias is written \"{}\"",
                alias.value, alias.value
            );
            Err(Error::new(Fault::Syntax, message).at(alias.span.start))
        }
    }
}

/// Words that stand for a call of the function of that name.
const CALLS: [&str; 2] = ["current_role", "current_schema"];

/// Writes as the planner reads it what PostgreSQL reads differently: `pg_catalog.version()` as `version()`, `current_schema`
/// as the call that it is, the type `pg_catalog.int4` as `int4`, and the text `'\xff'::bytea` as the bytes that it stands for.
pub(super) fn as_planned(statement: &mut impl VisitMut) {
    let _ = statement.visit(&mut AsPlanned);
}

struct AsPlanned;

impl VisitorMut for AsPlanned {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Function { name, .. } | TableFactor::Table { name, args: Some(_), .. } => {
                without_catalog(name)
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        write_as_planned(expression);
        ControlFlow::Continue(())
    }
}

/// Leaves out of the name of a function the schema that need not be named.
fn without_catalog(name: &mut ObjectName) {
    let parts = &mut name.0;
    let schema = parts.first().and_then(|part| part.as_ident());
    if parts.len() == 2 && schema.is_some_and(|schema| schema.value.eq_ignore_ascii_case(CATALOG_SCHEMA)) {
        parts.remove(0);
    }
}

fn write_as_planned(expression: &mut Expr) {
    if let Expr::Cast { data_type, .. } = expression
        && let Some(known) = of_catalog(data_type)
    {
        *data_type = known;
    }
    match expression {
        Expr::Function(function) => without_catalog(&mut function.name),
        Expr::Identifier(word)
            if word.quote_style.is_none() && CALLS.iter().any(|call| word.value.eq_ignore_ascii_case(call)) =>
        {
            *expression = Expr::Function(Function {
                name: ObjectName::from(word.clone()),
                uses_odbc_syntax: false,
                parameters: FunctionArguments::None,
                args: FunctionArguments::None,
                filter: None,
                null_treatment: None,
                over: None,
                within_group: Vec::new(),
            });
        }
        Expr::Cast { expr, data_type: DataType::Bytea, .. } => {
            if let Expr::Value(value) = expr.as_mut() {
                read_bytes_of(value);
            }
        }
        Expr::TypedString(TypedString { data_type: DataType::Bytea, value, .. }) => {
            // The parser takes it for a cast of the text alone.
            let mut value = value.clone();
            read_bytes_of(&mut value);
            let (kind, data_type) = (CastKind::Cast, DataType::Bytea);
            let expr = Box::new(Expr::Value(value));
            *expression = Expr::Cast { kind, expr, data_type, array: false, format: None };
        }
        _ => {}
    }
}

/// Writes the bytes that a text is; one that is none stays, and is told of where it is cast.
fn read_bytes_of(value: &mut ValueWithSpan) {
    let text = match &value.value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => text,
        Value::DollarQuotedString(text) => &text.value,
        _ => return,
    };
    if let Ok(bytes) = read_bytes(text) {
        value.value = Value::HexStringLiteral(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_identifiers_fold_unless_quoted() {
        for (text, name) in [("Kk", "kk"), ("\"Kk\"", "Kk"), ("\"a \"\"b\"\"\"", "a \"b\""), ("\"\"", ""), ("\"", "\"")]
        {
            assert_eq!(written_identifier(text), name);
        }
    }
}
