//! `SELECT oid, oprname FROM pg_operator`: the operators over the types that there are.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::{CATALOG_OID, SYSTEM_ROLE},
    relation::Contents,
};
use crate::pgtype::{OPERATORS, Operator, PgType, operators};

/// Comparisons with those of exchanged operands, and those that are true where they are false.
const COMPARISONS: &[(&str, &str, &str)] =
    &[("=", "=", "<>"), ("<>", "<>", "="), ("<", ">", ">="), ("<=", ">=", ">"), (">", "<", "<="), (">=", "<=", "<")];

/// Operators whose operands can be exchanged.
const COMMUTING: &[&str] = &["+", "*", "&", "|", "#", "&&"];

pub(super) fn rows(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(OPERATORS)
        .number("oid", |row| Some(row.oid))
        .text("oprname", |row| Some(row.name))
        .number("oprnamespace", |_| Some(CATALOG_OID))
        .number("oprowner", |_| Some(SYSTEM_ROLE))
        .text("oprkind", |row| Some(if row.arguments.len() == 1 { "l" } else { "b" }))
        .flag("oprcanmerge", |row| row.name == "=")
        .flag("oprcanhash", |row| row.name == "=")
        .number("oprleft", |row| Some(operands(row).0.map_or(0, |left| left.oid)))
        .number("oprright", |row| operands(row).1.map(|right| right.oid))
        .number("oprresult", |row| Some(row.returns.oid))
        .number("oprcom", |row| Some(commutator(row)))
        .number("oprnegate", |row| Some(negator(row)))
        .finish()
}

fn operands(operator: &Operator) -> (Option<&PgType>, Option<&PgType>) {
    match operator.arguments {
        [left, right] => (Some(left), Some(right)),
        [operand] => (None, Some(operand)),
        _ => (None, None),
    }
}

/// The number of the operator of this name between these; 0 if there is none.
fn between(name: &str, left: &PgType, right: &PgType) -> u32 {
    let is_it = |operator: &&Operator| match operator.arguments {
        [own, other] => own.oid == left.oid && other.oid == right.oid,
        _ => false,
    };
    operators(name).find(is_it).map_or(0, |operator| operator.oid)
}

fn commutator(operator: &Operator) -> u32 {
    let known = COMPARISONS.iter().find(|(name, ..)| *name == operator.name);
    match (known, operator.arguments) {
        (Some((_, exchanged, _)), [left, right]) => between(exchanged, right, left),
        (None, [left, right]) if COMMUTING.contains(&operator.name) => between(operator.name, right, left),
        _ => 0,
    }
}

fn negator(operator: &Operator) -> u32 {
    let known = COMPARISONS.iter().find(|(name, ..)| *name == operator.name);
    match (known, operator.arguments) {
        (Some((_, _, negated)), [left, right]) => between(negated, left, right),
        _ => 0,
    }
}
