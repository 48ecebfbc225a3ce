//! The functions as `pg_proc` has them: those of PostgreSQL that there are here with its numbers, those that its types are read
//! and written with, and the engine's own.

use std::collections::BTreeSet;

use super::types::codec;
use crate::{
    pgtype::{self, ANY, RECORD, TYPES, procedures_named},
    session::{
        Scope,
        builtins::{AGGREGATES, WINDOWS},
        callable::{self, Callable},
    },
};

/// Where the numbers of the engine's own functions begin, which PostgreSQL has none of.
pub(in crate::session) const OWN: u32 = 15_000;

/// A function with one list of arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::session) struct Listed {
    pub(in crate::session) oid: u32,
    pub(in crate::session) name: String,
    /// `f` for a function, `a` for an aggregate, `w` for a window function.
    pub(in crate::session) kind: char,
    pub(in crate::session) strict: bool,
    pub(in crate::session) volatility: char,
    pub(in crate::session) of_rows: bool,
    /// The type of the arguments that may come several times; 0 if none does.
    pub(in crate::session) variadic: u32,
    pub(in crate::session) defaults: i16,
    pub(in crate::session) returns: u32,
    pub(in crate::session) arguments: Vec<u32>,
    /// What it is for; none of what only types need.
    pub(in crate::session) description: Option<String>,
}

/// All of them, by name.
pub(in crate::session) fn listed(scope: &Scope) -> Vec<Listed> {
    let mut callable = callable::all(scope);
    callable.retain(|function| function.name.starts_with(|first: char| first.is_alphabetic() || first == '_'));
    callable.sort_by(|one, other| (&one.name, &one.arguments).cmp(&(&other.name, &other.arguments)));
    callable.dedup_by(|one, other| (&one.name, &one.arguments) == (&other.name, &other.arguments));
    let (mut listed, mut own, mut last): (Vec<Listed>, u32, Option<String>) = (Vec::new(), OWN, None);
    for function in callable {
        let known: Vec<_> = procedures_named(&function.name).iter().filter(|known| is_of_known_types(known)).collect();
        if known.is_empty() {
            listed.push(of_engine(own, &function));
            own += 1;
        } else if last.as_ref() != Some(&function.name) {
            listed.extend(known.into_iter().map(|known| of_postgresql(known, Some(function.description.clone()))));
        }
        last = Some(function.name);
    }
    let there: BTreeSet<u32> = listed.iter().map(|function| function.oid).collect();
    let of_types = of_types().into_iter().filter(|function| !there.contains(&function.oid));
    listed.extend(of_types);
    listed.sort_by(|one, other| (&one.name, one.oid).cmp(&(&other.name, other.oid)));
    listed
}

/// Whether there is every type here that it takes and yields.
fn is_of_known_types(function: &pgtype::Procedure) -> bool {
    function.arguments.iter().chain([&function.returns]).all(|oid| pgtype::by_oid(*oid).is_some())
}

/// The functions that values of types are read and written with.
fn of_types() -> Vec<Listed> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for pg in TYPES {
        let codec = codec(pg);
        names.extend([codec.input, codec.output, codec.receive, codec.send, codec.modifier_in, codec.modifier_out]);
        names.insert(codec.subscript.to_owned());
    }
    names.extend(["domain_in", "domain_recv", "heap_tableam_handler"].map(str::to_owned));
    names.iter().flat_map(|name| procedures_named(name)).map(|known| of_postgresql(known, None)).collect()
}

fn of_postgresql(known: &pgtype::Procedure, description: Option<String>) -> Listed {
    Listed {
        oid: known.oid,
        name: known.name.to_owned(),
        kind: known.kind,
        strict: known.strict,
        volatility: known.volatility,
        of_rows: known.of_rows,
        variadic: known.variadic,
        defaults: known.defaults,
        returns: known.returns,
        arguments: known.arguments.clone(),
        description,
    }
}

/// One of the engine's own, which says its types in words.
fn of_engine(oid: u32, function: &Callable) -> Listed {
    let is_in = |list: &[crate::session::builtins::Builtin]| list.iter().any(|known| known.name == function.name);
    let is_variadic = function.arguments.ends_with('…');
    let words = function.arguments.split(", ").filter(|word| !word.is_empty() && *word != "…");
    let arguments: Vec<u32> = words.map(|word| type_of(word).unwrap_or(ANY.oid)).collect();
    let returns = type_of(&function.returns);
    Listed {
        oid,
        name: function.name.clone(),
        kind: if is_in(AGGREGATES) {
            'a'
        } else if is_in(WINDOWS) {
            'w'
        } else {
            'f'
        },
        strict: false,
        volatility: 'v',
        // What is no type tells of columns.
        of_rows: returns.is_none(),
        variadic: if is_variadic { arguments.last().copied().unwrap_or(ANY.oid) } else { 0 },
        defaults: 0,
        returns: returns.unwrap_or(RECORD.oid),
        arguments,
        description: Some(function.description.clone()),
    }
}

/// The type that words name.
fn type_of(words: &str) -> Option<u32> {
    if words == "any" {
        return Some(ANY.oid);
    }
    match words.strip_suffix("[]") {
        Some(element) => pgtype::by_word(element).map(|pg| pg.array).filter(|array| *array != 0),
        None => pgtype::by_word(words).map(|pg| pg.oid),
    }
}
