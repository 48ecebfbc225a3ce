//! What an expression can call: PostgreSQL's functions that DataFusion lacks or has otherwise, and that know no session.
//!
//! A function is a file with what PostgreSQL's catalog says of it, as data, and what it computes; a line in the list of its
//! room makes it known. Which of its [overloads](Overload) a call means is settled as PostgreSQL settles it
//! ([`resolve`](resolve())), over the types of `pgtype` and the casts between them.

mod aggregate;
mod array;
mod bytes;
mod call;
mod format;
mod json;
mod kind;
mod number;
mod resolve;
mod text;
mod time;
pub(crate) mod time_operators;
mod udf;
mod units;

use std::fmt;

use arrow::{array::ArrayRef, datatypes::DataType};
use datafusion::{
    common::{Result as PlanResult, ScalarValue},
    logical_expr::{
        Expr, ScalarUDF, Volatility,
        preimage::PreimageResult,
        simplify::SimplifyContext,
        sort_properties::{ExprProperties, SortProperties},
    },
};

pub(crate) use self::{
    aggregate::{ONE_OF_EQUALS, aggregate_functions, of_distinct, string_agg},
    array::{
        ARRAY_ACCUMULATED, ARRAY_APPEND, ARRAY_CAT, ARRAY_EQ, ARRAY_GE, ARRAY_GT, ARRAY_LE, ARRAY_LT, ARRAY_MATCHING,
        ARRAY_NE, ARRAY_PART, ARRAY_PREPEND, ARRAY_SUBSCRIPT, ARRAYCONTAINED, ARRAYCONTAINS, ARRAYOVERLAP, comparable,
    },
    bytes::{BYTEALIKE, BYTEANLIKE, byteacat, read as read_bytes},
    call::{BYTES_OF_STEP, Call, Room},
    json::no_json,
    kind::PG_TYPEOF,
    number::{calculated, calculated_columns, compared_columns},
    resolve::{
        Given, INDETERMINATE, Resolved, Unresolved, given, resolve, resolve_early, resolve_operator,
        resolve_operator_early,
    },
    text::{quoted, similar, translated, unescaped},
    time::{TimeSeries, casting, instant_in_session, rounding},
    udf::forms,
};
use crate::{
    fault,
    pgtype::{self, PgType},
};

/// The lists of the rooms.
const ROOMS: &[&[&Function]] = &[
    aggregate::ROOM,
    array::ROOM,
    bytes::ROOM,
    format::ROOM,
    json::ROOM,
    kind::ROOM,
    number::ROOM,
    text::ROOM,
    time::ROOM,
    time_operators::ROOM,
];

/// A function: a name, with all that it can be called with.
pub(crate) struct Function {
    /// As `pg_proc` has it.
    pub(crate) name: &'static str,
    /// What it is for, in a line.
    pub(crate) purpose: &'static str,
    /// A call of it, and the text of its value; a test runs it.
    pub(crate) example: &'static str,
    pub(crate) shows: &'static str,
    pub(crate) overloads: &'static [Overload],
}

/// What a function can be called with, and what it makes of that.
pub(crate) struct Overload {
    pub(crate) arguments: &'static [PgType],
    /// The last argument may come several times, and comes once at least.
    pub(crate) variadic: bool,
    pub(crate) returns: Returns,
    /// Of NULL it is NULL, and its [`run`](Self::run) need not look at such rows.
    pub(crate) strict: bool,
    pub(crate) volatility: Volatility,
    /// Computes the values of a batch, of the type that was promised; it refuses what PostgreSQL refuses.
    pub(crate) run: fn(&Call<'_>) -> fault::Result<ArrayRef>,
    /// What the query engine may know of the values without computing them.
    pub(crate) hints: Hints,
}

/// What is known of the values of an overload by its arguments, so that tables are pruned and sorted rows stay so.
#[derive(Clone, Copy)]
pub(crate) struct Hints {
    /// The order of the values, from what is known of the arguments; asked of the first overload that has it.
    pub(crate) order: Option<fn(&[ExprProperties]) -> SortProperties>,
    /// The arguments for which it has a value.
    pub(crate) preimage: Option<Preimage>,
}

/// Of the arguments of a call, and a value that it is compared with.
pub(crate) type Preimage = fn(&[Expr], &Expr, &SimplifyContext) -> PlanResult<PreimageResult>;

/// The type of an overload's values.
pub(crate) enum Returns {
    /// Of `anyelement` and `anyarray` it is what the arguments say.
    Type(PgType),
    /// A numeric whose digits follow from the Arrow types of the arguments.
    Digits(fn(&[DataType]) -> DataType),
    /// One whose digits follow from the values of the arguments, too, as far as the statement says them.
    KnownDigits(fn(&[Known<'_>]) -> DataType),
    /// A numeric whose digits follow from the text that the first argument is; none where no constant is written there.
    DigitsOf(fn(Option<&str>) -> DataType),
}

/// What is known of an argument where the digits of a result are settled.
pub(crate) struct Known<'a> {
    pub(crate) data_type: &'a DataType,
    /// Its value, of that type, if the statement says it. It is not NULL.
    pub(crate) value: Option<ScalarValue>,
}

impl Overload {
    /// How the argument at a place is declared.
    fn argument(&self, at: usize) -> &'static PgType {
        self.arguments.get(at).or(self.arguments.last()).unwrap_or(&pgtype::UNKNOWN)
    }

    /// The types of its arguments, as a call would have them.
    pub(crate) fn spelling(&self) -> String {
        let types = self.arguments.iter().map(|argument| argument.sql(None));
        let (types, more) = (types.collect::<Vec<_>>().join(", "), if self.variadic { ", …" } else { "" });
        format!("{types}{more}")
    }

    /// The type of its values, as SQL writes it.
    pub(crate) fn returns(&self) -> String {
        match self.returns {
            Returns::Type(returns) => returns.sql(None),
            Returns::Digits(_) | Returns::KnownDigits(_) | Returns::DigitsOf(_) => pgtype::NUMERIC.sql(None),
        }
    }

    /// An immutable one that is NULL of NULL.
    pub(crate) const fn new(
        arguments: &'static [PgType],
        returns: PgType,
        run: fn(&Call<'_>) -> fault::Result<ArrayRef>,
    ) -> Self {
        let (returns, volatility) = (Returns::Type(returns), Volatility::Immutable);
        let hints = Hints { order: None, preimage: None };
        Self { arguments, variadic: false, returns, strict: true, volatility, run, hints }
    }

    /// The last argument may come several times.
    pub(crate) const fn variadic(self) -> Self {
        Self { variadic: true, ..self }
    }

    /// It is asked about rows with NULL as well.
    pub(crate) const fn called_on_null(self) -> Self {
        Self { strict: false, ..self }
    }

    /// It depends on settings of the session, as the time zone.
    pub(crate) const fn stable(self) -> Self {
        Self { volatility: Volatility::Stable, ..self }
    }

    /// The digits of its values follow from its arguments.
    pub(crate) const fn with_digits(self, digits: fn(&[DataType]) -> DataType) -> Self {
        Self { returns: Returns::Digits(digits), ..self }
    }

    /// The digits of its values follow from its arguments and from what the statement says they are.
    pub(crate) const fn with_known_digits(self, digits: fn(&[Known<'_>]) -> DataType) -> Self {
        Self { returns: Returns::KnownDigits(digits), ..self }
    }

    /// The digits of its values follow from what the first argument names.
    pub(crate) const fn with_digits_of(self, digits: fn(Option<&str>) -> DataType) -> Self {
        Self { returns: Returns::DigitsOf(digits), ..self }
    }

    /// The order of its values is known.
    pub(crate) const fn with_order(self, order: fn(&[ExprProperties]) -> SortProperties) -> Self {
        Self { hints: Hints { order: Some(order), ..self.hints }, ..self }
    }

    /// It is known for which arguments it has a value.
    pub(crate) const fn with_preimage(self, preimage: Preimage) -> Self {
        Self { hints: Hints { preimage: Some(preimage), ..self.hints }, ..self }
    }
}

impl fmt::Debug for Overload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<&str> = self.arguments.iter().map(|argument| argument.spelling).collect();
        formatter.debug_struct("Overload").field("arguments", &arguments).finish_non_exhaustive()
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    ROOMS.iter().flat_map(|room| room.iter().copied())
}

/// The same, as the query engine calls them.
pub(crate) fn scalar_functions() -> impl Iterator<Item = ScalarUDF> {
    all().map(udf::of)
}

/// The function or the operator of this name, as the query engine calls it.
pub(crate) fn named(name: &str) -> Option<ScalarUDF> {
    all().find(|function| function.name == name).map(udf::of)
}

/// The function for calls with arguments that the statement says to have these values, the others `None`; none if it is
/// told already, or if its type is the same whatever they are.
pub(crate) fn with_known(function: &ScalarUDF, values: impl FnOnce() -> Vec<Option<ScalarValue>>) -> Option<ScalarUDF> {
    udf::with_known(function, values)
}

/// The value of a call with constants; none if it is not known before it runs, or fails.
pub(crate) fn value_of(function: &ScalarUDF, arguments: &[ScalarValue]) -> Option<ScalarValue> {
    udf::value_of(function, arguments)
}

/// A call of one.
pub(crate) fn called(function: &'static Function, arguments: Vec<Expr>) -> Expr {
    udf::of(function).call(arguments)
}

/// The one that a function of the query engine is.
pub(crate) fn function_of(function: &ScalarUDF) -> Option<&'static Function> {
    udf::function_of(function)
}

/// What an argument has to be for an overload that takes values of a type: the form in which its `run` finds them, but for
/// texts, times of another unit or zone, and what counts as an interval: they stay what they are, so that conditions on
/// columns of them are known to be such, and become the form when they are computed. Given numerics keep their digits.
pub(crate) fn form(wanted: &PgType, given: &DataType) -> Option<DataType> {
    if units::may_stay(wanted, given) {
        return Some(given.clone());
    }
    match wanted.form {
        pgtype::Form::Text | pgtype::Form::Uuid | pgtype::Form::Jsonb | pgtype::Form::Regtype => {
            Some(DataType::Utf8View)
        }
        pgtype::Form::Numeric => Some(match given {
            DataType::Decimal128(..) | DataType::Decimal256(..) => given.clone(),
            DataType::Int8 | DataType::Int16 | DataType::Int32 => DataType::Decimal128(10, 0),
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => DataType::Decimal128(20, 0),
            _ => return wanted.arrow(-1),
        }),
        // A row has the columns that it is given with.
        _ if wanted.oid == pgtype::RECORD.oid && matches!(given, DataType::Struct(_)) => Some(given.clone()),
        // An array has the dimensions that it is given with.
        pgtype::Form::Array if pgtype::dimensions_of(given) > 1 => {
            let one = wanted.arrow(-1)?;
            Some(pgtype::nested(pgtype::dimensions_of(given), pgtype::innermost(&one).clone()))
        }
        _ => wanted.arrow(-1),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
