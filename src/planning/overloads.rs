//! Calls of [functions](crate::functions) mean the overload that PostgreSQL finds for them: a text in quotes is read as what
//! that takes, and a call that fits none, or several, is refused.
//!
//! ```sql
//! SELECT age('2024-03-01', timestamp '2023-01-15')
//! ```
//!
//! The query engine asks for the type of a call before it can be told which of its texts are written in quotes, and takes any
//! text for one then. Here they are told apart, when types are settled.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, DataFusionError, Result, ScalarValue, metadata::FieldMetadata},
    logical_expr::{Expr, ExprSchemable, cast, expr::ScalarFunction},
};

use super::{
    arrays, integers,
    open_operands::{Operand, is_open},
    told::{is_written_array, told_by},
};
use crate::{
    fault::{Failure, Fault},
    functions::{self, Given, PG_TYPEOF, Returns},
    pgtype::{self, ColumnType, JSON, JSONB, PgType, REGTYPE, ZONED_TIME},
};

/// What is known of the arguments of a call, and for which of them nothing is.
pub(super) fn given(arguments: &[Expr], schema: &DFSchema) -> Vec<Given> {
    given_of(arguments, &known(arguments, schema), schema)
}

/// The same of arguments of which these types are known. What Arrow does not tell, the fields say.
fn given_of(arguments: &[Expr], known: &[Option<DataType>], schema: &DFSchema) -> Vec<Given> {
    let told: Vec<Option<ColumnType>> = arguments.iter().map(|argument| told_by(argument, schema)).collect();
    // Beside an array of elements that a field says, a text in quotes is another one.
    let is_beside_told = told.iter().flatten().any(|told| told.item().is_some());
    let of = |((argument, known), told): ((&Expr, &Option<DataType>), Option<ColumnType>)| match told {
        Some(told) => Given::Type(*told.pg),
        None if is_beside_told && is_written_array(argument) => Given::Unknown,
        None => known.as_ref().map_or(Given::Unknown, functions::given),
    };
    arguments.iter().zip(known).zip(told).map(of).collect()
}

/// The types of arguments, as far as they have one.
fn known(arguments: &[Expr], schema: &DFSchema) -> Vec<Option<DataType>> {
    let known = |argument: &Expr| match Operand::of(argument, schema) {
        // What is a bigint for the planner yet.
        Operand::Of(DataType::Int64) if integers::is_integer(argument) => Some(DataType::Int32),
        Operand::Of(data_type) => Some(data_type),
        Operand::Open | Operand::Unclear => None,
    };
    arguments.iter().map(known).collect()
}

/// The types that a function takes of arguments such as these; none of those that may be anything, and none at all of a
/// function of the query engine's.
pub(super) fn taken(call: &ScalarFunction, schema: &DFSchema) -> Option<Result<Vec<Option<DataType>>>> {
    let function = functions::function_of(&call.func)?;
    let known = known(&call.args, schema);
    let given = given_of(&call.args, &known, schema);
    Some(match functions::resolve(function, &given) {
        Ok(resolved) => {
            let forms = functions::forms(&resolved, &known).into_iter().zip(&resolved.arguments);
            Ok(forms.map(|(form, wanted)| form.or_else(|| wanted.arrow(-1))).collect())
        }
        Err(unresolved) => Err(unresolved.failure(function, &given).into()),
    })
}

/// A step of an expression whose texts in quotes are what the function that it calls takes.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Result<Expr> {
    if let Expr::ScalarFunction(call) = &mut step
        && let Some(taken) = taken(call, schema)
    {
        if let Some(name) = type_asked(call, schema) {
            taken?;
            let told = ColumnType::plain(&REGTYPE).metadata();
            return Ok(Expr::Literal(ScalarValue::Utf8View(Some(name)), Some(FieldMetadata::from(told))));
        }
        for (argument, wanted) in call.args.iter_mut().zip(taken?) {
            let is_written = matches!(argument, Expr::Literal(ScalarValue::Utf8(Some(_)), _));
            let is_plain_time = |wanted: &DataType| {
                *wanted == ZONED_TIME && matches!(argument.get_type(schema), Ok(DataType::Time64(_) | DataType::Null))
            };
            let is_cast = |wanted: &DataType| is_written && !wanted.is_string() || is_plain_time(wanted);
            if let Some(wanted) = wanted.filter(is_cast) {
                let wanted = arrays::as_written(argument, wanted);
                *argument = cast(std::mem::take(argument), wanted);
            }
        }
    }
    Ok(step)
}

/// Functions that yield elements of an array, or an array of such.
const PARTS: &[&str] =
    &["array_part", "array_remove", "array_subscript", "mode_of", "one_of_equals", "percentile_disc_of", "trim_array"];

/// The type of what a function of any values or arrays makes of these arguments, where Arrow does not tell it.
pub(super) fn told_result(call: &ScalarFunction, schema: &DFSchema) -> Option<ColumnType> {
    let function = functions::function_of(&call.func)?;
    let is_of_any = |returns: &Returns| matches!(returns, Returns::Type(returns) if returns.is_polymorphic());
    if !function.overloads.iter().any(|overload| is_of_any(&overload.returns)) {
        return None;
    }
    let first = call.args.iter().find_map(|argument| told_by(argument, schema))?;
    let resolved = functions::resolve(function, &given(&call.args, schema)).ok()?;
    let returns = pgtype::by_oid(resolved.returns.oid).filter(|_| is_of_any(&resolved.overload.returns))?;
    // A part of an array has the length of its elements, too.
    let is_part = PARTS.contains(&function.name);
    let mut parts = [Some(first), first.item()].into_iter().flatten().filter(|_| is_part);
    let part = parts.find(|part| part.pg == returns);
    // What is made of fixed texts of one length is filled up to it where it is shown.
    let of_any = call.args.iter().zip(resolved.overload.arguments).filter(|(_, declared)| declared.is_polymorphic());
    let mut items = of_any.map(|(value, _)| told_by(value, schema).map(|told| told.item().unwrap_or(told)));
    let fixed = items.next().flatten().filter(|first| first.is_padded() && items.all(|item| item == Some(*first)));
    let made = || fixed.map_or_else(|| ColumnType::plain(returns), |fixed| ColumnType { pg: returns, ..fixed });
    let told = part.unwrap_or_else(made);
    told.has_to_be_told().then_some(told)
}

/// The types that a function takes of arguments such as these where Arrow does not tell them; none of the others.
pub(super) fn told_arguments(call: &ScalarFunction, schema: &DFSchema) -> Vec<Option<ColumnType>> {
    let Some(function) = functions::function_of(&call.func) else { return Vec::new() };
    let Ok(resolved) = functions::resolve(function, &given(&call.args, schema)) else { return Vec::new() };
    let told = |wanted: &PgType| {
        let plain = ColumnType::plain(pgtype::by_oid(wanted.oid)?);
        plain.has_to_be_told().then_some(plain)
    };
    resolved.arguments.iter().map(told).collect()
}

/// The type of JSON, or of arrays of it, that a function has for all arguments.
pub(super) fn json_result(call: &ScalarFunction) -> Option<ColumnType> {
    let overloads = functions::function_of(&call.func)?.overloads;
    let yields = |json: &PgType| {
        let is_json = |returns: &Returns| matches!(returns, Returns::Type(returns) if returns.oid == json.oid);
        overloads.iter().all(|overload| is_json(&overload.returns))
    };
    let json: [&'static PgType; 2] = [&JSON, &JSONB];
    let arrays = json.into_iter().filter_map(PgType::array_type);
    json.into_iter().chain(arrays).find(|json| yields(json)).map(ColumnType::plain)
}

/// What `pg_typeof` says of its argument, which nobody can tell from the values.
fn type_asked(call: &ScalarFunction, schema: &DFSchema) -> Option<String> {
    let [value] = call.args.as_slice() else { return None };
    if functions::function_of(&call.func)?.name != PG_TYPEOF.name {
        return None;
    }
    type_of(value, schema)
}

/// There is no function of this name for arguments of such types.
pub(super) fn missing(name: &str, arguments: &[Expr], schema: &DFSchema) -> DataFusionError {
    let unknown = || pgtype::UNKNOWN.sql(None);
    let types = arguments.iter().map(|argument| type_of(argument, schema).unwrap_or_else(unknown));
    let message = format!("function {name}({}) does not exist", types.collect::<Vec<_>>().join(", "));
    Failure::new(Fault::UndefinedFunction, message).into()
}

/// The type of a value, as SQL writes it; none where it cannot be told. A text in quotes, or NULL, is of no type yet.
pub(super) fn type_of(value: &Expr, schema: &DFSchema) -> Option<String> {
    if is_open(value) {
        return Some(pgtype::UNKNOWN.sql(None));
    }
    let is_row = matches!(value.get_type(schema).ok()?, DataType::Struct(_));
    match given(std::slice::from_ref(value), schema).first()? {
        Given::Type(_) if is_row => Some(pgtype::RECORD.sql(None)),
        Given::Type(known) => Some(known.sql(None)),
        // What a column or a CASE has of NULLs alone is a text.
        Given::Unknown => Some(pgtype::TEXT.sql(None)),
    }
}
