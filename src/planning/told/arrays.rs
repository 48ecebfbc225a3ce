//! Arrays of types that fields say, `uuid[]` and `varchar(3)[]`: what is compared with one, or with its elements, is one too.
//!
//! ```sql
//! SELECT * FROM t WHERE id = ANY('{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}') AND ids @> ARRAY[id]
//! ```

use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{Cast, Expr, expr::ScalarFunction},
};

use super::{
    super::{arrays::operator_of, open_operands::is_open, operators::is_null},
    read_as, told_as, told_by, word,
};
use crate::{
    fault::{Failure, Fault},
    functions,
    pgtype::{BPCHAR, Becoming, CHAR, ColumnType, JSON, JSONB, NAME, PgType, UUID, VARCHAR, element},
};

/// Types that texts of no type, or of another one, are not compared with.
const ALONE: &[PgType] = &[UUID, JSON, JSONB];

/// Functions that compare elements of arrays, besides the operators.
const COMPARING: &[&str] = &["array_position", "array_positions", "array_remove", "array_replace"];

/// Functions that put elements of arrays in their order.
const SORTING: &[&str] = &["mode_of", "percentile_disc_of"];

fn is_among(known: ColumnType, among: &[PgType]) -> bool {
    among.iter().any(|pg| pg.oid == known.pg.oid)
}

/// The operands of `compare_any(value, array, '=')`: one that is open is of the type of the other.
pub(super) fn compare_with(operands: &mut [Expr], schema: &DFSchema) -> Result<()> {
    let [value, array, op, ..] = operands else { return Ok(()) };
    let op = match op {
        Expr::Literal(name, _) => name.try_as_str().flatten().unwrap_or("=").to_owned(),
        _ => "=".to_owned(),
    };
    let of_value = told_by(value, schema);
    let of_items = told_by(array, schema).and_then(ColumnType::item);
    let is_known = |told: &ColumnType| is_among(*told, &[UUID, JSON, JSONB, BPCHAR, CHAR, NAME]);
    let Some(own) = of_value.or(of_items).filter(is_known) else { return Ok(()) };
    if is_null(array) {
        return Ok(());
    }
    check_operator(own, &op)?;
    if is_among(own, &[BPCHAR])
        && let Some(varchars) = of_items.filter(|items| is_among(*items, &[VARCHAR]))
    {
        // There is no operator of theirs: the elements are compared as the value is.
        let fixed = (ColumnType::plain(&BPCHAR).in_arrays(), Becoming::Cast);
        *array = told_as(std::mem::take(array), Some(varchars.in_arrays()), fixed, schema)?;
    } else if of_items.is_none() && is_free(array, true) {
        become_array(array, own, schema)?;
    } else if of_value.is_none() && is_free(value, false) {
        read_as(value, own, schema)?;
    } else if of_value.map(|told| told.pg) != of_items.map(|told| told.pg)
        && [of_value, of_items].into_iter().flatten().any(|told| is_among(told, ALONE))
    {
        let items = match of_items {
            Some(items) => items.pg.word(None),
            None => word(array, schema).trim_end_matches("[]").to_owned(),
        };
        return Err(no_operator(&word(value, schema), &op, &items));
    }
    Ok(())
}

/// The operands of a comparison of which one is an array of elements that a field says.
pub(super) fn compare(operands: &mut [&mut Expr], own: ColumnType, op: &str, schema: &DFSchema) -> Result<()> {
    let Some(item) = own.item() else { return Ok(()) };
    check_items(item)?;
    let names: Vec<String> = operands.iter().map(|operand| word(operand, schema)).collect();
    for operand in operands.iter_mut().map(|operand| &mut **operand) {
        match told_by(operand, schema) {
            Some(told) if told.pg == own.pg => {}
            None if is_free(operand, true) => become_array(operand, item, schema)?,
            _ if is_null(operand) || !is_among(item, ALONE) => {}
            _ => {
                let (left, right) = (names.first(), names.get(1));
                let (left, right) =
                    left.zip(right).map(|(left, right)| (left.as_str(), right.as_str())).unwrap_or_default();
                return Err(no_operator(left, op, right));
            }
        }
    }
    Ok(())
}

/// The type that all values have, with its modifier, of which so much is known. Arrays of fixed texts have it beside those without
/// a text, which would lack blanks otherwise.
pub(in crate::planning) fn of_all(values: &[&Expr], known: &[Option<ColumnType>]) -> Option<ColumnType> {
    let first = known.iter().flatten().copied().next()?;
    let is_filled = first.item().is_some_and(ColumnType::is_padded);
    let is_one = |(value, known): (&&Expr, &Option<ColumnType>)| match known {
        Some(known) => *known == first,
        None => is_filled && is_empty(value),
    };
    values.iter().zip(known).all(is_one).then_some(first)
}

/// Whether a value is written as an array without elements, or as NULL.
fn is_empty(value: &Expr) -> bool {
    match value {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => text.trim_ascii() == "{}",
        Expr::ScalarFunction(call) => call.name() == "make_array" && call.args.is_empty(),
        other => is_null(other),
    }
}

/// The arguments of a function of any arrays: one that is written beside an array is one of the same type.
pub(super) fn settle_arguments(call: &mut ScalarFunction, schema: &DFSchema) -> Result<()> {
    if functions::function_of(&call.func).is_none() {
        return Ok(());
    }
    let item = call.args.iter().find_map(|argument| told_by(argument, schema)?.item());
    let Some(item) = item else { return Ok(()) };
    if SORTING.contains(&call.func.name()) && is_among(item, &[JSON]) {
        let message = "could not identify an ordering operator for type json; cast it to text";
        return Err(Failure::new(Fault::UndefinedFunction, message).into());
    }
    if operator_of(call).is_some() || COMPARING.contains(&call.func.name()) {
        check_items(item)?;
    }
    for argument in &mut call.args {
        if told_by(argument, schema).is_none() && is_written_array(argument) {
            become_array(argument, item, schema)?;
        }
    }
    Ok(())
}

/// Refuses an operator between values that PostgreSQL does not have.
fn check_operator(own: ColumnType, op: &str) -> Result<()> {
    if is_among(own, &[JSON]) {
        let word = own.pg.word(None);
        return Err(no_operator(&word, op, &word));
    }
    check_items(own)
}

/// The same between arrays of such values.
fn check_items(item: ColumnType) -> Result<()> {
    if is_among(item, &[JSON]) {
        let message = "could not identify an equality operator for type json; cast it to text or jsonb";
        return Err(Failure::new(Fault::UndefinedFunction, message).into());
    }
    Ok(())
}

/// Refuses the least or the greatest of arrays of JSON: those of `json` have no order, and the engine has another one of `jsonb`.
pub(super) fn check_extreme(own: Option<ColumnType>) -> Result<()> {
    let Some(item) = own.and_then(ColumnType::item).filter(|item| is_among(*item, &[JSON, JSONB])) else {
        return Ok(());
    };
    let (fault, message) = match is_among(item, &[JSON]) {
        true => (Fault::UndefinedFunction, "could not identify a comparison function for type json; cast it to text"),
        false => (Fault::FeatureNotSupported, "min and max of jsonb[] are not supported; sort by it and take one row"),
    };
    Err(Failure::new(fault, message).into())
}

fn no_operator(left: &str, op: &str, right: &str) -> datafusion::common::DataFusionError {
    let message = format!("operator does not exist: {left} {op} {right}; cast both to text");
    Failure::new(Fault::UndefinedFunction, message).into()
}

/// Whether nothing but what stands beside it says what an operand is; of an array, that may have been cast to one already.
fn is_free(operand: &Expr, is_array: bool) -> bool {
    if is_null(operand) {
        return false;
    }
    is_open(operand) || matches!(operand, Expr::Placeholder(_)) || (is_array && is_written_array(operand))
}

/// Whether an operand is a text in quotes that was found to be an array, or a parameter.
pub(in crate::planning) fn is_written_array(operand: &Expr) -> bool {
    let is_text = |value: &Expr| matches!(value, Expr::Literal(ScalarValue::Utf8(Some(_)) | ScalarValue::List(_), _));
    match operand {
        Expr::Cast(Cast { expr, field }) => is_text(expr) && element(field.data_type()).is_some(),
        Expr::Literal(ScalarValue::List(_), _) | Expr::Placeholder(_) => true,
        _ => false,
    }
}

/// An open operand as an array of elements of a type, without a length, that are compared.
fn become_array(operand: &mut Expr, item: ColumnType, schema: &DFSchema) -> Result<()> {
    let value = std::mem::take(operand);
    let array = ColumnType::plain(item.pg).in_arrays();
    *operand = told_as(value, None, (array, Becoming::Cast), schema)?;
    Ok(())
}
