//! PostgreSQL 15's functions with their numbers, as `pg_proc` has them: those that there are here too, and those that its types
//! and operators are made of, which columns of type `regproc` name.
//!
//! `procedures.txt` has a line for each, in the order of the numbers: number, name, kind, whether it is NULL of NULL, volatility,
//! whether it yields rows, the type of the arguments that may come several times, how many have defaults, the type of its values,
//! and those of its arguments, `-` without any.

use std::{collections::HashMap, sync::LazyLock};

/// A function.
#[derive(Debug)]
pub(crate) struct Procedure {
    pub(crate) oid: u32,
    pub(crate) name: &'static str,
    /// `f` for a function, `a` for an aggregate, `w` for a window function.
    pub(crate) kind: char,
    /// Whether it is NULL of NULL.
    pub(crate) strict: bool,
    /// `i` for immutable, `s` for stable, `v` for volatile.
    pub(crate) volatility: char,
    pub(crate) of_rows: bool,
    /// The type of the arguments that may come several times; 0 if none does.
    pub(crate) variadic: u32,
    /// How many of its arguments have defaults.
    pub(crate) defaults: i16,
    pub(crate) returns: u32,
    pub(crate) arguments: Vec<u32>,
}

/// All of them, by their numbers.
pub(crate) fn procedures() -> &'static [Procedure] {
    static ALL: LazyLock<Vec<Procedure>> =
        LazyLock::new(|| include_str!("procedures.txt").lines().filter_map(read).collect());
    &ALL
}

/// The one of a number.
pub(crate) fn procedure(oid: u32) -> Option<&'static Procedure> {
    let all = procedures();
    all.get(all.binary_search_by_key(&oid, |known| known.oid).ok()?)
}

/// Those of a name.
pub(crate) fn procedures_named(name: &str) -> &'static [&'static Procedure] {
    static BY_NAME: LazyLock<HashMap<&str, Vec<&'static Procedure>>> = LazyLock::new(|| {
        let mut by_name: HashMap<&str, Vec<&'static Procedure>> = HashMap::new();
        for known in procedures() {
            by_name.entry(known.name).or_default().push(known);
        }
        by_name
    });
    BY_NAME.get(name).map_or(&[], Vec::as_slice)
}

fn read(line: &'static str) -> Option<Procedure> {
    let mut words = line.split(' ');
    let mut word = || words.next();
    let letter = |word: &str| word.chars().next();
    Some(Procedure {
        oid: word()?.parse().ok()?,
        name: word()?,
        kind: letter(word()?)?,
        strict: word()? == "t",
        volatility: letter(word()?)?,
        of_rows: word()? == "t",
        variadic: word()?.parse().ok()?,
        defaults: word()?.parse().ok()?,
        returns: word()?.parse().ok()?,
        arguments: match word()? {
            "-" => Vec::new(),
            types => types.split(',').map(|oid| oid.parse().ok()).collect::<Option<_>>()?,
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_function() {
        assert_eq!(procedures().len(), include_str!("procedures.txt").lines().count());
        assert!(procedures().is_sorted_by_key(|known| known.oid));
        let boolin = procedure(1242).unwrap();
        assert_eq!((boolin.name, boolin.kind, boolin.strict, boolin.volatility), ("boolin", 'f', true, 'i'));
        assert_eq!((boolin.returns, boolin.arguments.as_slice(), boolin.of_rows), (16, [2275].as_slice(), false));
        let concat_ws = procedures_named("concat_ws");
        let found: Vec<_> = concat_ws.iter().map(|known| (known.variadic, known.volatility, known.strict)).collect();
        assert_eq!(found, [(2276, 's', false)]);
        assert!(procedure(1).is_none() && procedures_named("nothing").is_empty());
    }
}
