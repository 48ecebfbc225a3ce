//! What can be called: every function, with what it takes, what it is for, what it yields, and an example.
//!
//! The functions of tables and those of `functions` say it themselves. Of the query engine's a list of ours says it
//! (`builtins`), and what they are for their own documentation.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    iter,
    sync::Arc,
};

use datafusion::{
    execution::SessionStateDefaults,
    logical_expr::{Documentation, ScalarUDF},
};
use fusewire_udfs::{FUNCTIONS, TableFunction};

use super::{
    Scope,
    builtins::{AGGREGATES, Builtin, IN_FROM, PLANNED, PURPOSES, SCALARS, WINDOWS},
    files,
    functions::{INTERNAL, catalogue_function_of},
};
use crate::functions::{self, Function};

/// One way to call a function.
#[derive(Debug, Clone)]
pub(super) struct Callable {
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) description: String,
    pub(super) returns: String,
    pub(super) example: String,
}

/// All that a statement can call.
pub(super) fn all(scope: &Scope) -> Vec<Callable> {
    let mut all: Vec<Callable> = of_rows().collect();
    let purposes = Purposes::new();
    all.extend(IN_FROM.iter().map(|builtin| purposes.callable(builtin.name, builtin.name, None, IN_FROM)));
    for (name, function) in scalars(scope) {
        match (functions::function_of(&function), catalogue_function_of(&function)) {
            (Some(own), _) => all.extend(overloads(&name, own)),
            (None, Some(own)) => all.extend(own.spellings().map(|arguments| Callable {
                name: name.clone(),
                arguments,
                description: format!("{}.", own.purpose),
                returns: own.returns(),
                example: format!("SELECT {}", own.example),
            })),
            (None, None) => all.push(purposes.callable(&name, function.name(), function.documentation(), SCALARS)),
        }
    }
    all.extend(PLANNED.iter().map(|builtin| purposes.callable(builtin.name, builtin.name, None, PLANNED)));
    let engine = scope.settings.engine();
    let aggregates: BTreeMap<_, _> = engine.aggregate_functions().iter().collect();
    for (name, function) in aggregates {
        all.push(purposes.callable(name, function.name(), function.documentation(), AGGREGATES));
    }
    let windows: BTreeMap<_, _> = engine.window_functions().iter().collect();
    for (name, function) in windows {
        all.push(purposes.callable(name, function.name(), function.documentation(), WINDOWS));
    }
    all
}

/// The names of all that a statement can call, but for operators.
pub(super) fn names(scope: &Scope) -> BTreeSet<String> {
    let engine = scope.settings.engine();
    let scalars = scalars(scope).into_keys().filter(|name| name.starts_with(|first: char| first.is_alphabetic()));
    let planned = PLANNED.iter().map(|builtin| builtin.name.to_owned());
    let own = FUNCTIONS.iter().map(|function| function.name().to_owned());
    let readers = files::readers().map(|(name, _)| name);
    let others = engine.aggregate_functions().keys().chain(engine.window_functions().keys());
    scalars.chain(planned).chain(own).chain(readers).chain(others.cloned()).collect()
}

/// Whether a function stands in FROM, and nowhere else.
pub(super) fn is_of_rows(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| function.name() == name) || files::readers().any(|(reader, _)| reader == name)
}

/// Those that learn and those that read files.
fn of_rows() -> impl Iterator<Item = Callable> {
    let own = FUNCTIONS.iter().map(|function| Callable {
        name: function.name().to_owned(),
        arguments: parameters_of(*function),
        description: function.purpose().to_owned(),
        returns: function.returns().to_owned(),
        example: function.example().to_owned(),
    });
    let readers = files::readers().map(|(name, format)| {
        let ending = format.endings().first().unwrap_or(&"");
        Callable {
            arguments: files::arguments_of(format),
            description: format!(
                "Reads {} files as a table, with the options of CREATE EXTERNAL TABLE.",
                format.name()
            ),
            returns: "the columns in the files".to_owned(),
            example: format!("SELECT * FROM {name}('data/*.{ending}', filename => true)"),
            name,
        }
    });
    own.chain(readers)
}

/// A function's parameters as its call would name them.
fn parameters_of(function: &dyn TableFunction) -> String {
    let shown = function.parameters().into_iter().map(|parameter| match parameter.default {
        None => parameter.name.to_owned(),
        Some(default) => format!("{} => {default}", parameter.name),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The scalar functions that a statement can call, by each of their names.
fn scalars(scope: &Scope) -> BTreeMap<String, Arc<ScalarUDF>> {
    let known = scope.settings.engine().scalar_functions().iter();
    let mut known: BTreeMap<String, Arc<ScalarUDF>> =
        known.map(|(name, function)| (name.clone(), Arc::clone(function))).collect();
    for function in scope.own_functions() {
        let names: Vec<String> = named(function.name(), function.aliases()).collect();
        known.extend(names.into_iter().map(|name| (name, Arc::clone(function))));
    }
    known.retain(|name, _| !INTERNAL.contains(&name.as_str()));
    known
}

fn named<'a>(name: &'a str, aliases: &'a [String]) -> impl Iterator<Item = String> + 'a {
    iter::once(name.to_owned()).chain(aliases.iter().cloned())
}

/// The ways to call one of ours by one of its names.
fn overloads(name: &str, function: &'static Function) -> impl Iterator<Item = Callable> {
    function.overloads.iter().map(move |overload| Callable {
        name: name.to_owned(),
        arguments: overload.spelling(),
        description: format!("{}.", function.purpose),
        returns: overload.returns(),
        example: format!("SELECT {} -- {}", called_by(name, function.name, function.example), function.shows),
    })
}

/// An example that calls a function by another of its names.
fn called_by(name: &str, own: &str, example: &str) -> String {
    if name == own { example.to_owned() } else { example.replace(&format!("{own}("), &format!("{name}(")) }
}

/// What the functions of the query engine are for, as it says.
struct Purposes(HashMap<String, String>);

impl Purposes {
    fn new() -> Self {
        let mut known = HashMap::new();
        let mut keep = |names: &mut dyn Iterator<Item = String>, documentation: Option<&Documentation>| {
            if let Some(documentation) = documentation {
                names.for_each(|name| {
                    known.entry(name).or_insert_with(|| in_a_line(&documentation.description));
                });
            }
        };
        for function in SessionStateDefaults::default_scalar_functions() {
            keep(&mut named(function.name(), function.aliases()), function.documentation());
        }
        for function in SessionStateDefaults::default_aggregate_functions() {
            keep(&mut named(function.name(), function.aliases()), function.documentation());
        }
        for function in SessionStateDefaults::default_window_functions() {
            keep(&mut named(function.name(), function.aliases()), function.documentation());
        }
        Self(known)
    }

    /// A function of the engine's by one of its names, of which a list says the rest.
    fn callable(&self, name: &str, own: &str, said: Option<&Documentation>, list: &[Builtin]) -> Callable {
        let find = |name: &str| list.iter().find(|builtin| builtin.name == name);
        let known = find(name).map(|builtin| (builtin, name)).or_else(|| Some((find(own)?, own)));
        let written = PURPOSES.iter().find(|(known, _)| *known == name).map(|(_, purpose)| (*purpose).to_owned());
        let said = written.or_else(|| said.map(|said| in_a_line(&said.description)));
        let said = said.or_else(|| self.0.get(name).or_else(|| self.0.get(own)).cloned());
        Callable {
            name: name.to_owned(),
            arguments: known.map_or_else(String::new, |(builtin, _)| builtin.arguments.to_owned()),
            description: said.unwrap_or_default(),
            returns: known.map_or_else(String::new, |(builtin, _)| builtin.returns.to_owned()),
            example: known.map_or_else(String::new, |(builtin, written)| {
                format!("SELECT {}", called_by(name, written, builtin.example))
            }),
        }
    }
}

/// The first sentence of a text of several lines, which has marks of its own.
fn in_a_line(text: &str) -> String {
    let paragraph = text.trim().split("\n\n").next().unwrap_or(text);
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "");
    let sentence = line.split_once(". ").map_or(line.as_str(), |(sentence, _)| sentence);
    format!("{}.", sentence.trim_end_matches(['.', ':']))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
