//! Texts in quotes among the other values in a column of VALUES, which are read when the types of those are known, and values
//! of types that Arrow does not tell apart.
//!
//! The planner casts all values of a column to one type as soon as it has them: a text beside a date it refuses, and of
//! `VALUES ('2.5'::numeric(5, 1)), ('2.47')` it made 2.5 twice. And it refuses values that do not say the same of their types, as
//! `VALUES ('a'::varchar(3)), ('b')` do not. Values that are columns of items before it say what those do, which is not known yet:
//! `LATERAL (VALUES (a), (b))` is a UNION, as which it is planned anyway.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArguments, Ident, Query, SelectItem, SetExpr, SetOperator,
    SetQuantifier, Value, Values, visit_expressions,
};

use super::{
    call, is_text, null,
    open_texts::{become_type, seen_type},
    query_from, told_types,
};
use crate::{Result, pgtype::ColumnType, planning::UNREAD};

/// Leaves texts of a query that is VALUES unread.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    if let SetExpr::Values(values) = query.body.as_mut()
        && mentions_columns(values)
    {
        read_seen(values);
    }
    if let SetExpr::Values(values) = query.body.as_ref()
        && reads_columns(values)
        && let Some(union) = united(values)?
    {
        *query.body = union;
        return Ok(());
    }
    let SetExpr::Values(values) = query.body.as_mut() else { return Ok(()) };
    let width = values.rows.iter().map(|row| row.len()).min().unwrap_or(0);
    for at in 0..width {
        let mut column: Vec<&mut Expr> = values.rows.iter_mut().map(|row| &mut row[at]).collect();
        if column.len() > 1 && column.iter().any(|value| tells(value)) {
            say_the_same(&mut column)?;
        }
        if !column.iter().all(|value| is_open(value)) {
            // What is cast to a text is none of the numbers beside it, for which the planner would read it.
            let is_left: fn(&Expr) -> bool = match column.iter().any(|value| is_no_text(value)) {
                true => |value| is_text(value) || is_cast_to_text(value),
                false => is_text,
            };
            column.iter_mut().filter(|value| is_left(value)).for_each(|value| leave_unread(value));
        }
    }
    Ok(())
}

/// Whether these are to be a UNION. It finds one type for two at a time: of more than two rows none may have a value without a
/// type.
fn reads_columns(values: &Values) -> bool {
    let mut all = values.rows.iter().flat_map(|row| row.iter());
    mentions_columns(values) && (values.rows.len() == 2 || !all.any(is_open))
}

/// Whether there are several rows, and columns are read in them, outside of subqueries.
fn mentions_columns(values: &Values) -> bool {
    let reads = |part: &Expr| match part {
        // The word DEFAULT stands for no column.
        Expr::Identifier(name) => name.quote_style.is_some() || !name.value.eq_ignore_ascii_case("default"),
        Expr::CompoundIdentifier(_) => true,
        _ => false,
    };
    let is_query = |part: &Expr| matches!(part, Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. });
    let mentions = |value: &Expr| has(value, reads) && !has(value, is_query);
    values.rows.len() > 1 && values.rows.iter().flat_map(|row| row.iter()).any(mentions)
}

/// Casts texts to the type that all other values of their column are seen to have.
fn read_seen(values: &mut Values) {
    let width = values.rows.iter().map(|row| row.len()).min().unwrap_or(0);
    for at in 0..width {
        let others = values.rows.iter().map(|row| &row[at]).filter(|value| !is_text(value));
        let mut types = others.map(seen_type);
        let Some(Some(seen)) = types.next() else { continue };
        if types.any(|other| other.as_ref() != Some(&seen)) {
            continue;
        }
        for value in values.rows.iter_mut().map(|row| &mut row[at]).filter(|value| is_text(value)) {
            become_type(value, seen.clone());
        }
    }
}

fn has(value: &Expr, wanted: impl Fn(&Expr) -> bool) -> bool {
    visit_expressions(value, |part| if wanted(part) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        .is_break()
}

/// `SELECT a AS column1 UNION ALL SELECT b AS column1`; none where the rows are not of one length.
fn united(values: &Values) -> Result<Option<SetExpr>> {
    let width = values.rows.first().map_or(0, |row| row.len());
    if values.rows.iter().any(|row| row.len() != width) {
        return Ok(None);
    }
    let one = query_from(Vec::new())?.body;
    let selected = |row: &[Expr]| {
        let mut selected = one.as_ref().clone();
        if let SetExpr::Select(select) = &mut selected {
            let named = row.iter().cloned().zip(1..).map(|(expr, number)| {
                let alias = Ident::with_quote('"', format!("column{number}"));
                SelectItem::ExprWithAlias { expr, alias }
            });
            select.projection = named.collect();
        }
        selected
    };
    let mut sides: Vec<SetExpr> = values.rows.iter().map(|row| selected(row)).collect();
    // By halves: what is nested deep takes long to plan.
    while sides.len() > 1 {
        let mut rest = sides.into_iter();
        sides = Vec::new();
        while let Some(left) = rest.next() {
            sides.push(match rest.next() {
                Some(right) => SetExpr::SetOperation {
                    op: SetOperator::Union,
                    set_quantifier: SetQuantifier::All,
                    left: Box::new(left),
                    right: Box::new(right),
                },
                None => left,
            });
        }
    }
    Ok(sides.pop())
}

fn leave_unread(value: &mut Expr) {
    let text = std::mem::replace(value, null());
    *value = call(UNREAD, vec![text]);
}

/// Whether a value is a number or a truth value that is written.
fn is_no_text(value: &Expr) -> bool {
    matches!(value, Expr::Value(value) if matches!(value.value, Value::Number(..) | Value::Boolean(_)))
}

fn is_cast_to_text(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_cast_to_text(inner),
        Expr::Cast { data_type, .. } => *data_type == DataType::Text,
        _ => false,
    }
}

/// Whether the planner may find that the field of a value says its type.
fn tells(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => tells(inner),
        Expr::Cast { data_type, .. } => told_types::told_by(data_type).is_ok_and(|told| told.is_some()),
        Expr::TypedString(typed) => told_types::told_by(&typed.data_type).is_ok_and(|told| told.is_some()),
        Expr::Subquery(_) => true,
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let is_told = ["pg_sleep", "pg_notify", "current_schemas"].contains(&name.as_str());
            is_told || has_no_arguments(function)
        }
        _ => false,
    }
}

fn has_no_arguments(function: &Function) -> bool {
    match &function.args {
        FunctionArguments::None => true,
        FunctionArguments::List(list) => list.args.is_empty(),
        FunctionArguments::Subquery(_) => false,
    }
}

/// The type that a value is cast to, if Arrow does not tell it.
fn told_by(value: &Expr) -> Option<ColumnType> {
    match value {
        Expr::Nested(inner) => told_by(inner),
        Expr::Cast { data_type, .. } => told_types::told_by(data_type).ok().flatten(),
        Expr::TypedString(typed) => told_types::told_by(&typed.data_type).ok().flatten(),
        _ => None,
    }
}

/// Whether a value is a text in quotes or NULL.
fn is_open(value: &Expr) -> bool {
    let is_open = |value: &Value| matches!(value, Value::SingleQuotedString(_) | Value::Null);
    matches!(value, Expr::Value(value) if is_open(&value.value))
}

/// Values of one type say that they are of it; others say nothing.
fn say_the_same(column: &mut [&mut Expr]) -> Result<()> {
    let told: Vec<Option<ColumnType>> = column.iter().map(|value| told_by(value)).collect();
    let Some(first) = told.iter().flatten().next().copied() else {
        column.iter_mut().for_each(|value| say_nothing(value));
        return Ok(());
    };
    if told.iter().all(|told| *told == Some(first)) {
        return Ok(());
    }
    let is_one = |(value, told): (&&mut Expr, &Option<ColumnType>)| match told {
        Some(told) => told.pg == first.pg,
        None => is_open(value),
    };
    let are_one = column.iter().zip(&told).all(is_one);
    match are_one {
        true => column.iter_mut().for_each(|value| {
            let expr = Box::new(std::mem::replace(&mut **value, null()));
            let (kind, data_type) = (CastKind::DoubleColon, told_types::plain(first.pg));
            **value = Expr::Cast { kind, expr, data_type, array: false, format: None };
        }),
        false => column.iter_mut().for_each(|value| say_nothing(value)),
    }
    Ok(())
}

/// A value that is called for says nothing of its type.
fn say_nothing(value: &mut Expr) {
    if tells(value) {
        let called = std::mem::replace(value, null());
        *value = call("coalesce", vec![called]);
    }
}
