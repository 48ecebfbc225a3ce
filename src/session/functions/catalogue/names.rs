//! Objects by name: what `regclass` and its like read and show, and `to_regclass`, which is NULL where they fail.
//!
//! ```sql
//! SELECT 'public.orders'::regclass::oid, to_regnamespace('sales'), pg_get_userbyid(10)
//! ```
//!
//! A cast to one of these types is a number, as PostgreSQL keeps it, and becomes a name where it is shown (`rewrite/registered`).

use super::{CatalogueFunction, Value, View, view::types_of};
use crate::{
    Error, Fault, Result,
    functions::quoted,
    pgtype::{
        BOOL, NAME, OID, Procedure, REGCLASS, REGNAMESPACE, REGPROC, REGPROCEDURE, REGROLE, TEXT, procedure,
        procedures_named, read_type_name, regtype_oid,
    },
    session::{CATALOG_SCHEMA, pg_catalog::objects::Relation, search_path::in_quotes},
};

/// What reads a name, or has a number already: of a name, its number.
macro_rules! read {
    ($name:literal $returns:ident $read:expr) => {
        CatalogueFunction {
            name: $name,
            purpose: "The number of the object of this name",
            example: $name,
            overloads: &[&[TEXT], &[OID]],
            returns: $returns,
            run: |view, values| {
                let read: fn(&View, &str) -> Result<Option<u32>> = $read;
                match values {
                    [Value::Text(text)] => Ok(read(view, text)?.map(Value::Oid)),
                    [number] => Ok(Some(number.clone())),
                    _ => Ok(None),
                }
            },
        }
    };
}

/// What shows the name of a number; one of nothing is shown by its digits.
macro_rules! shown {
    ($name:literal $returns:ident $shown:expr) => {
        CatalogueFunction {
            name: $name,
            purpose: "The name of the object of this number",
            example: $name,
            overloads: &[&[OID]],
            returns: $returns,
            run: |view, values| {
                let shown: fn(&View, u32) -> Option<String> = $shown;
                let [Value::Oid(oid)] = values else { return Ok(None) };
                let name = if *oid == 0 { Some("-".to_owned()) } else { shown(view, *oid) };
                Ok(Some(Value::Text(name.unwrap_or_else(|| oid.to_string()))))
            },
        }
    };
}

/// What looks for a name.
macro_rules! lookup {
    ($name:literal $purpose:literal $example:literal $returns:ident $find:expr) => {
        CatalogueFunction {
            name: $name,
            purpose: $purpose,
            example: $example,
            overloads: &[&[TEXT]],
            returns: $returns,
            run: |view, values| {
                let find: fn(&View, &str) -> Result<Option<u32>> = $find;
                let [Value::Text(text)] = values else { return Ok(None) };
                Ok(find(view, text)?.map(Value::Oid))
            },
        }
    };
}

pub(super) const LIST: &[CatalogueFunction] = &[
    read!("number_of_regclass" OID |view, text| relation(view, text).map(Some)),
    read!("number_of_regnamespace" OID |view, text| number_or(text, |text| view.schema(&one(text)?))),
    read!("number_of_regproc" REGPROC |_, text| number_or(text, of_name)),
    read!("number_of_regprocedure" OID |_, text| number_or(text, of_signature)),
    read!("number_of_regrole" OID |view, text| number_or(text, |text| role(view, text))),
    read!("number_of_regtype" OID |_, text| Ok(regtype_oid(text))),
    shown!("name_of_regclass" REGCLASS |view, oid| Some(view.written(&view.objects.relation_of(oid)?))),
    shown!("name_of_regnamespace" REGNAMESPACE |view, oid| view.objects.schema_name(oid).map(quoted)),
    shown!("name_of_regproc" TEXT |_, oid| procedure(oid).map(alone)),
    shown!("name_of_regprocedure" REGPROCEDURE |_, oid| procedure(oid).map(with_types)),
    shown!("name_of_regrole" REGROLE |view, oid| view.role_name(oid).map(quoted)),
    CatalogueFunction {
        name: "equal_types",
        purpose: "Whether two types are the same, each by its number or its name",
        example: "equal_types('integer', 23)",
        overloads: &[&[TEXT, TEXT], &[TEXT, OID], &[OID, TEXT], &[OID, OID]],
        returns: BOOL,
        run: |_, values| match values {
            [one, other] => Ok(Some(Value::Bool(type_number(one) == type_number(other)))),
            _ => Ok(None),
        },
    },
    CatalogueFunction {
        name: "pg_get_userbyid",
        purpose: "The name of the role of this number",
        example: "pg_get_userbyid(10)",
        overloads: &[&[OID]],
        returns: NAME,
        run: |view, values| {
            let [Value::Oid(oid)] = values else { return Ok(None) };
            let name = view.role_name(*oid).map_or_else(|| format!("unknown (OID={oid})"), str::to_owned);
            Ok(Some(Value::Text(name)))
        },
    },
    lookup!("to_regclass" "The number of the table that the text names, and NULL if there is none"
        "to_regclass('pg_class')" OID |view, text| relation_of(view, &parts(text)?)),
    lookup!("to_regnamespace" "The number of the schema that the text names, and NULL if there is none"
        "to_regnamespace('public')" OID |view, text| Ok(view.objects.schema_oid(&one(text)?))),
    lookup!("to_regproc" "The number of the function that the text names, and NULL if there is none"
        "to_regproc('now')" REGPROC |_, text| Ok(of_name(text).ok())),
    lookup!("to_regprocedure" "The number of the function that the text names with its types, and NULL if there is none"
        "to_regprocedure('abs(integer)')" OID |_, text| Ok(of_signature(text).ok())),
    lookup!("to_regrole" "The number of the role that the text names, and NULL if there is none"
        "to_regrole('fusewire')" OID |view, text| Ok(view.role_named(&one(text)?))),
];

/// The number of the relation that a text names, or that it is.
pub(super) fn relation(view: &View, text: &str) -> Result<u32> {
    if let Some(number) = number(text) {
        return Ok(number);
    }
    let parts = parts(text)?;
    if let Some(oid) = relation_of(view, &parts)? {
        return Ok(oid);
    }
    if let [.., schema, _] = parts.as_slice() {
        view.schema(schema)?;
    }
    let message = format!("relation \"{}\" does not exist", parts.join("."));
    Err(Error::new(Fault::UndefinedTable, message))
}

/// The relation that a value names; none if there is none of this number.
pub(super) fn named_by<'a>(view: &'a View, object: &Value) -> Result<Option<Relation<'a>>> {
    let oid = match object {
        Value::Oid(oid) => *oid,
        Value::Text(name) => relation(view, name)?,
        Value::Number(_) | Value::Bool(_) => return Ok(None),
    };
    Ok(view.objects.relation_of(oid))
}

/// What is told of a column that a relation does not have.
pub(super) fn no_column(relation: &Relation<'_>, column: &str) -> Error {
    let message = format!("column \"{column}\" of relation \"{}\" does not exist", relation.name);
    Error::new(Fault::UndefinedColumn, message)
}

/// The number of the relation that is called so.
fn relation_of(view: &View, parts: &[String]) -> Result<Option<u32>> {
    let found = match parts {
        [name] => view.relation_on_path(name),
        [schema, name] => view.objects.relation(schema, name),
        [database, schema, name] if database == view.database() => view.objects.relation(schema, name),
        [_, _, _] => {
            let message = format!("cross-database references are not implemented: \"{}\"", parts.join("."));
            return Err(Error::new(Fault::FeatureNotSupported, message));
        }
        _ => {
            let message = format!("improper relation name (too many dotted names): {}", parts.join("."));
            return Err(Error::new(Fault::Syntax, message));
        }
    };
    Ok(found.map(|relation| relation.oid))
}

fn role(view: &View, text: &str) -> Result<u32> {
    let name = one(text)?;
    let missing = || Error::new(Fault::UndefinedObject, format!("role \"{name}\" does not exist"));
    view.role_named(&name).ok_or_else(missing)
}

/// The number of the one function of a name.
fn of_name(text: &str) -> Result<u32> {
    match called(&parts(text)?) {
        [known] => Ok(known.oid),
        [] => Err(Error::new(Fault::UndefinedFunction, format!("function \"{text}\" does not exist"))),
        _ => Err(Error::new(Fault::AmbiguousFunction, format!("more than one function named \"{text}\""))),
    }
}

/// The number of the function of a name with types.
pub(super) fn of_signature(text: &str) -> Result<u32> {
    let Some((name, types)) = text.trim().strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return Err(Error::new(Fault::InvalidText, "expected a left parenthesis"));
    };
    let found = called(&parts(name)?);
    let types: Vec<&str> = types.split(',').filter(|types| !types.trim().is_empty()).collect();
    let types: Vec<Option<u32>> = types.into_iter().map(|name| Some(read_type_name(name.trim()).ok()??.oid)).collect();
    let has_them = |known: &&&Procedure| known.arguments.iter().map(|oid| Some(*oid)).eq(types.iter().copied());
    let missing = || Error::new(Fault::UndefinedFunction, format!("function \"{text}\" does not exist"));
    found.iter().find(has_them).map(|known| known.oid).ok_or_else(missing)
}

/// The functions that are called so.
fn called(parts: &[String]) -> &'static [&'static Procedure] {
    match parts {
        [name] => procedures_named(name),
        [schema, name] if schema == CATALOG_SCHEMA => procedures_named(name),
        _ => &[],
    }
}

/// The name of a function, which says alone which one it is, or where it is.
fn alone(known: &'static Procedure) -> String {
    match procedures_named(known.name).len() {
        1 => quoted(known.name),
        _ => format!("{CATALOG_SCHEMA}.{}", quoted(known.name)),
    }
}

pub(super) fn with_types(known: &'static Procedure) -> String {
    format!("{}({})", quoted(known.name), types_of(&known.arguments).join(","))
}

/// The number of a type that a text or a number says.
fn type_number(value: &Value) -> Option<u32> {
    match value {
        Value::Text(text) => regtype_oid(text),
        Value::Oid(oid) => Some(*oid),
        _ => None,
    }
}

/// The number that a text is, else what is read of it.
fn number_or(text: &str, read: impl Fn(&str) -> Result<u32>) -> Result<Option<u32>> {
    match number(text) {
        Some(number) => Ok(Some(number)),
        None => read(text).map(Some),
    }
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    match text {
        "-" => Some(0),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}

/// The name of what is in no schema.
fn one(text: &str) -> Result<String> {
    let parts = parts(text)?;
    match <[String; 1]>::try_from(parts) {
        Ok([name]) => Ok(name),
        Err(_) => Err(invalid()),
    }
}

fn invalid() -> Error {
    Error::new(Fault::InvalidName, "invalid name syntax")
}

/// The names between the dots of a text, folded where they are not between quotes.
pub(super) fn parts(text: &str) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => in_quotes(quoted).ok_or_else(invalid)?,
            None => {
                let ends = |letter: char| letter == '.' || letter.is_whitespace();
                let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                (word.to_lowercase(), after)
            }
        };
        if part.is_empty() {
            return Err(invalid());
        }
        parts.push(part);
        let after = after.trim_start();
        match after.strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if after.is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 reads and shows them.
    #[test]
    fn names_are_read_as_they_are_written() {
        assert_eq!(parts(" Public . \"A \"\"b\"\"\" ").unwrap(), ["public", "A \"b\""]);
        for wrong in ["", "\"x", "a.", ".a", "a b"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
        assert_eq!((number("-"), number(" 1259 "), number("x1")), (Some(0), Some(1259), None));
    }

    #[test]
    fn functions_are_found_by_their_types() {
        assert_eq!((of_name("now").unwrap(), of_signature("abs(int4)").unwrap()), (1299, 1397));
        assert!(of_name("abs").is_err() && of_signature("abs(text)").is_err() && of_signature("abs").is_err());
        let abs = procedure(1397).unwrap();
        assert_eq!((alone(abs), with_types(abs)), ("pg_catalog.abs".to_owned(), "abs(integer)".to_owned()));
    }
}
