//! Types that Arrow does not tell apart and fields say: `varchar(3)`, `char(5)`, `name`, `uuid`, `json`, `jsonb`, `oid`, and
//! times with modifiers, as `timestamp(3)`, and arrays of them (`arrays.rs`).
//!
//! A cast to one makes values of it, and a text in quotes beside one is a value of it: `id = 'A0EE…'` compares uuids. Fixed
//! texts of a length are kept without the blanks at their ends, and get them back where PostgreSQL shows them.

mod arrays;
mod blanks;
mod cast;
mod json_keys;
mod json_values;
mod padded;
mod parameters;
mod scalars;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::{
    common::{Column, DFSchema, ExprSchema, Result, ScalarValue},
    logical_expr::{
        BinaryExpr, Cast, Distinct, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, TryCast,
        expr::{InSubquery, Placeholder},
    },
};

use self::cast::told_in;
pub(crate) use self::parameters::{as_parameter, told_parameters, told_values};
pub(super) use self::{
    arrays::{is_written_array, of_all},
    blanks::{CompareFixed, as_element, chosen, in_common},
    cast::{is_stored_as, said, stored_texts, told_as},
    json_keys::{CompareJson, is_json as is_jsonb, key_of as json_key_of, keys as json_keys_of},
};
use super::{
    ELEMENTS_OF, REGULAR_EXPRESSION, SIMILAR_EXPRESSION, WRITTEN_AS, open_operands::is_open, operators, overloads,
    steps,
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{self, BPCHAR, Becoming, CHAR, ColumnType, JSON, JSONB, NAME, OID, UUID, VARCHAR, told},
};

/// A value as one of a column's type, as it is stored there.
pub(crate) fn stored_as(value: Expr, column: &Field, schema: &DFSchema) -> Result<Expr> {
    match told(column) {
        Some(wanted) => {
            let from = told_by(&value, schema);
            told_in(value, from, (wanted, Becoming::Stored), column.data_type(), schema)
        }
        None => Ok(Expr::Cast(Cast::new(Box::new(value), column.data_type().clone()))),
    }
}

/// The rows of a query as files have them, which say of no column what Arrow does not tell; fixed texts have their blanks where
/// they are shown.
pub(crate) fn as_written(plan: LogicalPlan, are_shown: bool) -> Result<LogicalPlan> {
    if !plan.schema().fields().iter().any(|field| told(field).is_some()) {
        return Ok(plan);
    }
    let schema = Arc::clone(plan.schema());
    let column = |(at, column): (usize, Column)| {
        let (qualifier, field) = schema.qualified_field(at);
        let mut value = Expr::Column(column);
        match told(field) {
            None => return value,
            Some(told) if are_shown && told.is_padded() => {
                padded::fill(&mut value, told);
                value = cast::said(value, DataType::Utf8View, None);
            }
            Some(_) => value = cast::said(value, field.data_type().clone(), None),
        }
        value.alias_qualified(qualifier.cloned(), field.name())
    };
    let columns: Vec<Expr> = schema.columns().into_iter().enumerate().map(column).collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// The type that the field of a value says; none if it says nothing.
pub(super) fn told_by(value: &Expr, schema: &DFSchema) -> Option<ColumnType> {
    match value {
        Expr::Column(column) => told(schema.field_from_column(column).ok()?),
        Expr::OuterReferenceColumn(field, _) => told(field),
        Expr::Placeholder(Placeholder { field, .. }) => told(field.as_ref()?),
        Expr::Alias(alias) => told_by(&alias.expr, schema),
        Expr::Cast(cast) => told(&cast.field),
        Expr::Literal(value, Some(metadata)) => {
            told(&Field::new("", value.data_type(), true).with_metadata(metadata.to_hashmap()))
        }
        Expr::ScalarSubquery(subquery) => told(subquery.subquery.schema().fields().first()?),
        // What is called so makes a column, whose field says it.
        Expr::AggregateFunction(_) | Expr::WindowFunction(_) => told(&value.to_field(schema).ok()?.1),
        Expr::Unnest(unnest) => told_by(&unnest.expr, schema)?.item(),
        Expr::ScalarFunction(call) if call.func.name() == WRITTEN_AS => told_by(call.args.first()?, schema),
        Expr::ScalarFunction(call) if call.func.name() == ELEMENTS_OF => told_by(call.args.first()?, schema),
        Expr::ScalarFunction(call)
            if call.args.is_empty() || cast::is_call(&call.func) || padded::is_call(&call.func) =>
        {
            told(&value.to_field(schema).ok()?.1)
        }
        Expr::ScalarFunction(call) if CHOOSING.contains(&call.func.name()) => json_among(call.args.iter(), schema),
        Expr::ScalarFunction(call) => overloads::json_result(call),
        Expr::Case(case) => {
            let values = case.when_then_expr.iter().map(|(_, value)| value).chain(&case.else_expr);
            json_among(values.map(AsRef::as_ref), schema)
        }
        _ => None,
    }
}

/// Functions that yield one of their arguments.
const CHOOSING: &[&str] = &["coalesce", "greatest", "least", "nullif"];

/// The type of JSON that values have which become one: operators look for theirs before types are settled.
fn json_among<'a>(mut values: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Option<ColumnType> {
    let is_json = |told: &ColumnType| [JSON.oid, JSONB.oid].contains(&told.pg.oid);
    values.find_map(|value| told_by(value, schema)).filter(is_json)
}

/// A step of an expression whose operands are of such types, and the type that its values are said to be of when the other
/// types are settled.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Result<(Expr, Option<ColumnType>)> {
    let (mut common, mut replaced) = (None, None);
    match &mut step {
        Expr::Cast(Cast { expr, field }) => {
            let from = told_by(expr, schema);
            return match (told(field), from) {
                (Some(_), _) if cast::only_says(field) => {
                    // Types may be settled more than once.
                    if let Expr::Cast(inner) = expr.as_mut()
                        && cast::only_says(&inner.field)
                    {
                        let value = std::mem::take(inner.expr.as_mut());
                        **expr = value;
                    }
                    Ok((step, None))
                }
                (Some(wanted), from) => {
                    let value = std::mem::take(expr.as_mut());
                    let place = field.data_type();
                    Ok((told_in(value, from, (wanted, Becoming::Cast), place, schema)?, None))
                }
                (None, Some(from)) if !cast::only_says(field) => {
                    let value = std::mem::take(expr.as_mut());
                    Ok((cast::other(value, from, Arc::clone(field), schema)?, None))
                }
                (None, _) => Ok((step, None)),
            };
        }
        Expr::TryCast(TryCast { field, .. }) => {
            if let Some(wanted) = told(field) {
                let message = format!("TRY_CAST to {} is not supported; use CAST", wanted.word());
                return Err(Failure::new(Fault::FeatureNotSupported, message).into());
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, .. }) if is_pattern(*op) => padded::pad(left, schema),
        Expr::Like(like) | Expr::SimilarTo(like) => padded::pad(&mut like.expr, schema),
        Expr::InSubquery(InSubquery { expr, subquery, .. }) => {
            if let Some(column) = subquery.subquery.schema().fields().first() {
                let null = Expr::Literal(ScalarValue::Null, None);
                let mut other = cast::said(null, column.data_type().clone(), told(column));
                become_alike(&mut [expr.as_mut(), &mut other], "=", schema)?;
            }
        }
        Expr::ScalarFunction(call) => {
            let name = call.func.name().to_owned();
            match name.as_str() {
                "nullif" => {
                    // What is open is of the type of the other.
                    let is_first_open = call.args.first().is_some_and(is_open);
                    let is_beside_text = call.args.get(1).is_some_and(|other| is_known_text(other, schema));
                    let mut operands: Vec<&mut Expr> = call.args.iter_mut().collect();
                    become_alike(&mut operands, "=", schema)?;
                    // Of varchars it is a text: there is no operator of theirs, nor one of a bpchar and a text or a name.
                    let own = call.args.get(usize::from(is_first_open)).and_then(|value| told_by(value, schema));
                    let own = own.filter(|told| !(is_first_open && told.is_of_time()));
                    let is_of_texts =
                        |pg: &pgtype::PgType| pg.oid == VARCHAR.oid || pg.oid == BPCHAR.oid && is_beside_text;
                    common = own.filter(|told| !is_of_texts(told.pg));
                    match call.args.as_mut_slice() {
                        [value, other] if common.is_some_and(ColumnType::keeps_blanks) && !value.is_volatile() => {
                            replaced = Some(blanks::null_if(value, std::mem::take(other), schema)?);
                        }
                        operands => blanks::compare(operands, schema),
                    }
                }
                "greatest" | "least" if call.args.iter().all(|value| is_json(value, schema)) => {
                    let message = "could not identify a comparison function for type json; cast it to text";
                    return Err(Failure::new(Fault::UndefinedFunction, message).into());
                }
                name if padded::SHOWING.contains(&name) => {
                    call.args.iter_mut().for_each(|value| padded::pad(value, schema));
                }
                name if json_values::MAKING.contains(&name) => json_values::settle(&mut call.args, schema),
                "compare_any" | "compare_all" => {
                    arrays::compare_with(&mut call.args, schema)?;
                    if let Some(value) = call.args.first_mut().filter(|value| blanks::keeps_blanks(value, schema)) {
                        *value = as_element(std::mem::take(value));
                    }
                }
                REGULAR_EXPRESSION | SIMILAR_EXPRESSION => blanks::settle_texts(call, schema),
                name if OF_TEXTS.contains(&name) => {
                    check_arguments(name, &call.args, schema, &[UUID, JSON, JSONB])?;
                    blanks::settle_texts(call, schema);
                }
                _ => {
                    arrays::settle_arguments(call, schema)?;
                    common = overloads::told_result(call, schema);
                    blanks::settle_arguments(call, schema);
                }
            }
        }
        Expr::AggregateFunction(call) if ["min", "max"].contains(&call.func.name()) => {
            check_arguments(call.func.name(), &call.params.args, schema, &[UUID, JSON, JSONB])?;
            call.params.args.iter().try_for_each(|value| arrays::check_extreme(told_by(value, schema)))?;
        }
        Expr::AggregateFunction(call) if call.params.distinct => {
            let own = call.params.args.first().and_then(|value| told_by(value, schema));
            if own.is_some_and(|own| own.pg.oid == JSON.oid) {
                let message = "could not identify an equality operator for type json; cast it to text or jsonb";
                return Err(Failure::new(Fault::UndefinedFunction, message).into());
            }
        }
        Expr::WindowFunction(window) => {
            if ["min", "max"].contains(&window.fun.name()) {
                window.params.args.iter().try_for_each(|value| arrays::check_extreme(told_by(value, schema)))?;
            }
            let keys = window.params.order_by.iter().map(|key| &key.expr).chain(&window.params.partition_by);
            let is_json = |key: &Expr| told_by(key, schema).is_some_and(|told| told.pg.oid == JSON.oid);
            if keys.into_iter().any(is_json) {
                let message = "could not identify an ordering operator for type json; cast it to text";
                return Err(Failure::new(Fault::UndefinedFunction, message).into());
            }
        }
        other => {
            let operator = match other {
                Expr::BinaryExpr(BinaryExpr { op, .. }) => operators::written(*op).unwrap_or("="),
                Expr::Between(_) => ">=",
                _ => "=",
            };
            if let Some(mut operands) = steps::compared(other) {
                compare(&mut operands, operator, schema)?;
            }
        }
    }
    let mut step = replaced.unwrap_or(step);
    blanks::settle(&mut step, schema);
    Ok((step, common))
}

/// A step with values of this type, when its Arrow type is settled.
pub(super) fn saying(step: Expr, common: Option<ColumnType>, schema: &DFSchema) -> Result<Expr> {
    let Some(common) = common else { return Ok(step) };
    let arrow = match step.get_type(schema)? {
        DataType::Null => common.arrow(),
        arrow => arrow,
    };
    Ok(cast::said(step, arrow, Some(common)))
}

/// Functions of texts, which PostgreSQL does not call with values of other types.
const OF_TEXTS: &[&str] = &[
    "ascii",
    "bit_length",
    "btrim",
    "char_length",
    "character_length",
    "initcap",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "position",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "translate",
    "trim",
    "upper",
];

fn check_arguments(name: &str, arguments: &[Expr], schema: &DFSchema, refused: &[pgtype::PgType]) -> Result<()> {
    let is_refused = |told: &ColumnType| refused.iter().any(|pg| pg.oid == told.pg.oid);
    match arguments.iter().filter_map(|value| told_by(value, schema)).find(is_refused) {
        None => Ok(()),
        Some(_) => {
            let types: Vec<String> = arguments.iter().map(|value| word(value, schema)).collect();
            let message = format!("function {name}({}) does not exist; cast the argument to text", types.join(", "));
            Err(Failure::new(Fault::UndefinedFunction, message).into())
        }
    }
}

/// Operands that are compared, of types that are, and without what does not count of them.
pub(super) fn compare(operands: &mut [&mut Expr], op: &str, schema: &DFSchema) -> Result<()> {
    become_alike(operands, op, schema)?;
    blanks::compare(operands.iter_mut().map(|operand| &mut **operand), schema);
    Ok(())
}

/// Operands that are compared: those that are open are of the type of the others.
fn become_alike(operands: &mut [&mut Expr], op: &str, schema: &DFSchema) -> Result<()> {
    let told: Vec<Option<ColumnType>> = operands.iter().map(|operand| told_by(operand, schema)).collect();
    if let Some(own) = told.iter().flatten().copied().find(|told| told.item().is_some()) {
        return arrays::compare(operands, own, op, schema);
    }
    if told.iter().flatten().any(|told| told.pg.oid == OID.oid) {
        return compare_objects(operands, &told, schema);
    }
    let is = |told: ColumnType, among: &[pgtype::PgType]| among.iter().any(|pg| pg.oid == told.pg.oid);
    let Some(own) = told.iter().flatten().copied().find(|told| is(*told, &[UUID, JSONB, BPCHAR, CHAR])) else {
        return Ok(());
    };
    for at in 0..operands.len() {
        let of_operand = told.get(at).copied().flatten();
        // Beside a varchar it is compared as it is stored, and so is that.
        if is(own, &[BPCHAR])
            && let Some(varchar) = of_operand.filter(|told| is(*told, &[VARCHAR]))
            && let Some(operand) = operands.get_mut(at)
        {
            let value = std::mem::take(&mut **operand);
            **operand = told_as(value, Some(varchar), (ColumnType::plain(&BPCHAR), Becoming::Cast), schema)?;
            continue;
        }
        let Some(operand) = operands.get(at) else { continue };
        let is_null = matches!(&**operand, Expr::Literal(value, _) if value.is_null());
        let is_free =
            !is_null && of_operand.is_none() && (is_open(operand) || matches!(**operand, Expr::Placeholder(_)));
        if is_free && let Some(operand) = operands.get_mut(at) {
            read_as(operand, own, schema)?;
        }
    }
    Ok(())
}

/// Whole numbers beside numbers of objects are such numbers, which have no sign. Those that are written are, as they stand.
fn compare_objects(operands: &mut [&mut Expr], told: &[Option<ColumnType>], schema: &DFSchema) -> Result<()> {
    for (operand, told) in operands.iter_mut().zip(told) {
        let is_written = matches!(**operand, Expr::Literal(..) | Expr::Negative(_) | Expr::Placeholder(_));
        if told.is_none() && !is_written && operand.get_type(schema)?.is_signed_integer() {
            let number = std::mem::take(&mut **operand);
            **operand = told_as(number, None, (ColumnType::plain(&OID), Becoming::Cast), schema)?;
        }
    }
    Ok(())
}

/// An open operand as a value of a type, without a length, that is compared.
fn read_as(operand: &mut Expr, own: ColumnType, schema: &DFSchema) -> Result<()> {
    let value = std::mem::take(operand);
    let read = told_as(value, None, (ColumnType::plain(own.pg), Becoming::Cast), schema)?;
    *operand = match read {
        // As a value it is compared as others are.
        literal @ Expr::Literal(..) if own.pg.oid == BPCHAR.oid => blanks::key(literal),
        Expr::Literal(value, _) => Expr::Literal(value, None),
        other => other,
    };
    Ok(())
}

/// What a person is told of an operand's type.
fn word(operand: &Expr, schema: &DFSchema) -> String {
    match told_by(operand, schema) {
        Some(told) => told.pg.word(None),
        None if is_open(operand) => pgtype::UNKNOWN.word(None),
        None => operand.get_type(schema).map_or_else(|_| pgtype::UNKNOWN.word(None), |own| pgtype::type_name(&own)),
    }
}

/// Whether a value is of a type whose equality with a bpchar is that of texts.
fn is_known_text(value: &Expr, schema: &DFSchema) -> bool {
    let is_free = is_open(value) || matches!(value, Expr::Placeholder(_));
    match told_by(value, schema) {
        Some(told) => told.pg.oid == NAME.oid,
        None => !is_free && value.get_type(schema).is_ok_and(|own| own.is_string()),
    }
}

fn is_json(value: &Expr, schema: &DFSchema) -> bool {
    told_by(value, schema).is_some_and(|told| told.pg.oid == JSON.oid)
}

fn is_pattern(op: Operator) -> bool {
    use Operator::{
        ILikeMatch, LikeMatch, NotILikeMatch, NotLikeMatch, RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch,
    };
    let patterns =
        [ILikeMatch, LikeMatch, NotILikeMatch, NotLikeMatch, RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch];
    patterns.contains(&op)
}

/// Refuses rows that are told apart or put in order by values that PostgreSQL does not compare.
pub(super) fn check_node(node: &LogicalPlan) -> Result<()> {
    let is = |told: Option<ColumnType>, pg: &pgtype::PgType| told.is_some_and(|told| told.pg.oid == pg.oid);
    let has_no_equality = || -> Result<()> {
        let message = "could not identify an equality operator for type json; cast it to text or jsonb";
        Err(Failure::new(Fault::UndefinedFunction, message).into())
    };
    match node {
        LogicalPlan::Distinct(Distinct::All(input))
            if input.schema().fields().iter().any(|field| is(told(field), &JSON)) =>
        {
            return has_no_equality();
        }
        LogicalPlan::Aggregate(aggregate) => {
            let schema = aggregate.input.schema();
            let keys = aggregate.group_expr.iter().flat_map(|key| match key {
                Expr::GroupingSet(sets) => sets.distinct_expr(),
                key => vec![key],
            });
            if keys.into_iter().any(|key| is(told_by(key, schema), &JSON)) {
                return has_no_equality();
            }
        }
        LogicalPlan::Sort(sort) => {
            let schema = sort.input.schema();
            for key in &sort.expr {
                if is(told_by(&key.expr, schema), &JSON) {
                    let message = "could not identify an ordering operator for type json; cast it to text";
                    return Err(Failure::new(Fault::UndefinedFunction, message).into());
                }
            }
        }
        _ => {}
    }
    Ok(())
}
