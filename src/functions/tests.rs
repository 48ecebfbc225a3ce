//! Resolution, as PostgreSQL 15 does it, and the lists.

use std::collections::BTreeSet;

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use futures::TryStreamExt;

use super::{Call, Function, Given, Overload, all, resolve, resolve::Unresolved, resolve_operator};
use crate::{
    config::Config,
    engine::{Engine, Origin, Outcome, SessionOptions},
    fault::{Failure, Fault, Result},
    pgtype::{
        ANYARRAY, ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYELEMENT, DATE, FLOAT8, INT2, INT4, INT8, INTERVAL, NUMERIC,
        PgType, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ,
    },
};

fn never(_call: &Call<'_>) -> Result<ArrayRef> {
    Err(Failure::new(Fault::Internal, "it is not called"))
}

const fn takes(arguments: &'static [PgType], returns: PgType) -> Overload {
    Overload::new(arguments, returns, never)
}

const fn named(name: &'static str, overloads: &'static [Overload]) -> Function {
    Function { name, purpose: "", example: "", shows: "", overloads }
}

static AGE: Function = named(
    "age",
    &[
        takes(&[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL),
        takes(&[TIMESTAMP, TIMESTAMP], INTERVAL),
        takes(&[TIMESTAMPTZ], INTERVAL),
        takes(&[TIMESTAMP], INTERVAL),
    ],
);
static ROUND: Function =
    named("round", &[takes(&[FLOAT8], FLOAT8), takes(&[NUMERIC], NUMERIC), takes(&[NUMERIC, INT4], NUMERIC)]);
static LENGTHS: Function = named("lengths", &[takes(&[TEXT], INT4), takes(&[TIME], INT4)]);
static TWINS: Function = named("twins", &[takes(&[INT4, INT8], INT4), takes(&[INT8, INT4], INT4)]);
static SHIFT: Function =
    named(">>", &[takes(&[INT2, INT4], INT2), takes(&[INT4, INT4], INT4), takes(&[INT8, INT4], INT8)]);
static APPEND: Function = named("append", &[takes(&[ANYARRAY, ANYELEMENT], ANYARRAY)]);
static APPEND_ALIKE: Function =
    named("append_alike", &[takes(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], ANYCOMPATIBLEARRAY)]);

fn arguments(
    function: &'static Function,
    given: &[Option<PgType>],
) -> std::result::Result<Vec<&'static str>, Unresolved> {
    let given: Vec<Given> = given.iter().map(|given| given.map_or(Given::Unknown, Given::Type)).collect();
    resolve(function, &given).map(|found| found.arguments.iter().map(|wanted| wanted.name).collect())
}

#[test]
fn the_overload_is_the_one_that_postgresql_finds() {
    assert_eq!(arguments(&AGE, &[Some(TIMESTAMP), None]), Ok(vec!["timestamp", "timestamp"]));
    assert_eq!(arguments(&AGE, &[Some(DATE), Some(DATE)]), Ok(vec!["timestamptz", "timestamptz"]));
    assert_eq!(arguments(&AGE, &[None, None]), Ok(vec!["timestamptz", "timestamptz"]));
    assert_eq!(arguments(&AGE, &[Some(TEXT)]), Err(Unresolved::None));
    assert_eq!(arguments(&ROUND, &[Some(INT4)]), Ok(vec!["float8"]));
    assert_eq!(arguments(&ROUND, &[None]), Ok(vec!["float8"]));
    assert_eq!(arguments(&ROUND, &[Some(INT4), Some(INT4)]), Ok(vec!["numeric", "int4"]));
    assert_eq!(arguments(&LENGTHS, &[None]), Ok(vec!["text"]));
    assert_eq!(arguments(&LENGTHS, &[Some(INT4)]), Err(Unresolved::None));
    assert_eq!(arguments(&TWINS, &[Some(INT4), Some(INT4)]), Err(Unresolved::Several));
    assert_eq!(arguments(&TWINS, &[None, Some(INT8)]), Ok(vec!["int4", "int8"]));
    // What is before an operator is of the type of what is behind it.
    assert_eq!(arguments(&SHIFT, &[None, Some(INT4)]), Ok(vec!["int4", "int4"]));
    assert_eq!(arguments(&SHIFT, &[Some(INT8), None]), Ok(vec!["int8", "int4"]));
    let of_integers = INT4.array_type().copied();
    assert_eq!(arguments(&APPEND, &[of_integers, None]), Ok(vec!["_int4", "int4"]));
    assert_eq!(arguments(&APPEND, &[None, None]), Err(Unresolved::Indeterminate));
    assert_eq!(arguments(&APPEND, &[Some(INT4), Some(INT4)]), Err(Unresolved::None));
    // `SELECT pg_typeof(array_append('{1}', '2'))`
    assert_eq!(arguments(&APPEND_ALIKE, &[None, None]), Ok(vec!["_text", "text"]));
    assert_eq!(arguments(&APPEND_ALIKE, &[None, Some(INT4)]), Ok(vec!["_int4", "int4"]));
}

/// As `SELECT x op y` means them in PostgreSQL 15, by their numbers in `pg_operator`.
#[test]
fn the_operator_is_the_one_that_postgresql_finds() {
    let found = |name: &str, given: &[Option<PgType>]| {
        let given: Vec<Given> = given.iter().map(|given| given.map_or(Given::Unknown, Given::Type)).collect();
        resolve_operator(name, &given).map(|operator| operator.oid)
    };
    let arrays = |element: PgType| element.array_type().copied();
    for (name, left, right, expected) in [
        ("=", Some(INT4), Some(INT8), Ok(15)),
        ("=", Some(TEXT), None, Ok(98)),
        ("=", Some(INT8), Some(NUMERIC), Ok(1752)),
        ("=", Some(TIME), Some(INTERVAL), Ok(1330)),
        ("=", arrays(INT4), None, Ok(1070)),
        ("=", arrays(INT4), arrays(INT8), Err(Unresolved::None)),
        (">", Some(TEXT), Some(INT4), Err(Unresolved::None)),
        ("=", Some(DATE), Some(INT4), Err(Unresolved::None)),
        ("+", None, None, Err(Unresolved::Several)),
        ("+", Some(DATE), None, Err(Unresolved::Several)),
        ("+", Some(TIME), Some(TIME), Err(Unresolved::Several)),
        ("-", Some(DATE), None, Ok(1099)),
        ("||", Some(TEXT), Some(INT4), Ok(2779)),
        ("||", None, Some(INT4), Ok(2779)),
        ("||", Some(INT4), Some(INT4), Err(Unresolved::None)),
        ("||", arrays(INT4), Some(TEXT), Err(Unresolved::None)),
    ] {
        assert_eq!(found(name, &[left, right]), expected, "{left:?} {name} {right:?}");
    }
    assert_eq!(found("-", &[Some(INT4)]), Ok(558));
    assert_eq!(found("-", &[Some(TEXT)]), Err(Unresolved::None));
}

#[test]
fn each_function_is_there_once_and_says_what_it_is_for() {
    let mut names = BTreeSet::new();
    for function in all() {
        assert!(names.insert(function.name), "{} is there twice", function.name);
        assert!(!function.purpose.is_empty() && function.example.contains(function.name), "{}", function.name);
        assert!(!function.overloads.is_empty(), "{}", function.name);
    }
}

/// What a query's one value is shown as.
async fn shown(sql: &str) -> String {
    let engine = Engine::open(Config::default()).await.unwrap();
    let (session, _notices) =
        engine.session(SessionOptions { user: "ada".to_owned(), origin: Origin::Local, address: None }).unwrap();
    let statements = session.parse(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let outcome = session.execute(&statements[0], &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let Outcome::Rows { stream, .. } = outcome else { panic!("{sql} has no rows") };
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let texts = cast(batches[0].column(0), &DataType::Utf8).unwrap();
    texts.as_string::<i32>().value(0).to_owned()
}

#[tokio::test]
async fn examples_yield_what_they_say() {
    for function in all() {
        let Function { example, shows, .. } = function;
        assert_eq!(shown(&format!("SELECT ({example})::text")).await, *shows, "{example}");
    }
}
