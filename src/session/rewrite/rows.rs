//! Rows, `(a, b)` or `ROW(a, b)`: their comparisons are those of their columns.
//!
//! `(a, b) = (c, d)` is `a = c AND b = d`, so that `(1, NULL) = (2, 2)` is false and `(1, NULL) = (1, 2)` is unknown.
//! Compared with a subquery a row becomes a call of [`ROW_OF`], and so do the columns of the subquery:
//! `(a, b) IN (SELECT …)` is `row_of(a, b) IN (SELECT row_of("1", "2") FROM (SELECT …) AS "rows" ("1", "2"))`. Whoever plans
//! the subquery takes the calls apart where it can.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, StructArray},
    datatypes::{DataType, Field, Fields},
};
use datafusion::{
    common::exec_err,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
    sql::sqlparser::ast::{
        AccessExpr, BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
        FunctionArgumentClause, FunctionArguments, Ident, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query,
        SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, UnaryOperator, WindowType,
    },
};

use super::{all, any, call, operation};
use crate::{Error, Fault, Result, planning::ROW_OF};

/// Rewrites a comparison of rows; anything else stays as it is.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let rewritten = match expression {
        Expr::BinaryOp { left, op, right } if is_comparison(op) => match (row(left), row(right)) {
            (Some(left), Some(right)) => Some(compared(&left, op, &right)?),
            (Some(columns), None) if as_query(right).is_some() => {
                let width = columns.len();
                **left = call(ROW_OF, columns);
                if let Some(query) = as_query(right) {
                    wrap(query, width)?;
                }
                None
            }
            _ => None,
        },
        Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } => match (row(left), row(right)) {
            (Some(left), Some(right)) if left.len() == 2 && right.len() == 2 => {
                Some(call("overlaps", left.into_iter().chain(right).collect()))
            }
            (Some(one), Some(_)) => {
                let side = if one.len() == 2 { "right" } else { "left" };
                let message =
                    format!("wrong number of parameters on {side} side of OVERLAPS expression: write both ends");
                return Err(Error::new(Fault::Syntax, message));
            }
            _ => None,
        },
        Expr::IsNull(inner) => {
            row(inner).map(|columns| all(columns.into_iter().map(|column| Expr::IsNull(Box::new(column)))))
        }
        Expr::IsNotNull(inner) => {
            row(inner).map(|columns| all(columns.into_iter().map(|column| Expr::IsNotNull(Box::new(column)))))
        }
        Expr::IsDistinctFrom(left, right) => distinct(left, right)?,
        Expr::IsNotDistinctFrom(left, right) => distinct(left, right)?.map(not),
        Expr::InList { expr, list, negated } => match row(expr) {
            Some(columns) => {
                let equal = list.iter().map(|element| match row(element) {
                    Some(element) => compared(&columns, &BinaryOperator::Eq, &element),
                    None => Err(Error::new(
                        Fault::Syntax,
                        format!("the row {expr} is compared with {element}, not with a row"),
                    )),
                });
                let found = any(equal.collect::<Result<Vec<_>>>()?);
                Some(if *negated { not(found) } else { found })
            }
            None => None,
        },
        Expr::Between { expr, negated, low, high } => match (row(expr), row(low), row(high)) {
            (Some(columns), Some(low), Some(high)) => {
                let above = compared(&columns, &BinaryOperator::GtEq, &low)?;
                let below = compared(&columns, &BinaryOperator::LtEq, &high)?;
                let within = all([above, below]);
                Some(if *negated { not(within) } else { within })
            }
            _ => None,
        },
        Expr::InSubquery { expr, subquery, .. } => {
            beside(expr, subquery)?;
            None
        }
        Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
            if let Some(query) = as_query(right) {
                beside(left, query)?;
            }
            None
        }
        // `(t).x` is a column of the item of FROM, or a field of the column, as `(t.c).x` is.
        Expr::CompoundFieldAccess { root, access_chain } => field_of(root, access_chain),
        // The planner makes a row of names and constants alone.
        Expr::Tuple(columns) if columns.iter().any(is_computed) => Some(call("row", std::mem::take(columns))),
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expression = rewritten;
    }
    Ok(())
}

/// The name of a field of what has a name.
fn field_of(root: &Expr, accesses: &[AccessExpr]) -> Option<Expr> {
    let Expr::Nested(name) = root else { return None };
    let mut parts = match name.as_ref() {
        Expr::Identifier(name) => vec![name.clone()],
        Expr::CompoundIdentifier(parts) => parts.clone(),
        _ => return None,
    };
    for access in accesses {
        let AccessExpr::Dot(Expr::Identifier(field)) = access else { return None };
        parts.push(field.clone());
    }
    Some(Expr::CompoundIdentifier(parts))
}

fn is_computed(column: &Expr) -> bool {
    !matches!(column, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_))
}

/// `ORDER BY (a, b)` orders by a and then by b; within rows NULL is always greater than a value.
pub(super) fn order_by(query: &mut Query) -> Result<()> {
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by else { return Ok(()) };
    if order.iter().all(|ordered| row(&ordered.expr).is_none()) {
        return Ok(());
    }
    *order = each_key(std::mem::take(order));
    Ok(())
}

/// The same in a window, whose partitions are those of the columns of rows, and among the arguments of an aggregate.
pub(super) fn in_call(expression: &mut Expr) -> Result<()> {
    let Expr::Function(function) = expression else { return Ok(()) };
    if let Some(WindowType::WindowSpec(window)) = &mut function.over {
        let partitions = std::mem::take(&mut window.partition_by).into_iter();
        window.partition_by = partitions.flat_map(|key| row(&key).unwrap_or_else(|| vec![key])).collect();
        window.order_by = each_key(std::mem::take(&mut window.order_by));
    }
    // With DISTINCT it is in the order of what is collected.
    if let FunctionArguments::List(list) = &mut function.args
        && list.duplicate_treatment != Some(DuplicateTreatment::Distinct)
    {
        for clause in &mut list.clauses {
            if let FunctionArgumentClause::OrderBy(order) = clause {
                *order = each_key(std::mem::take(order));
            }
        }
    }
    Ok(())
}

/// Keys of an order with the columns of rows in their places.
fn each_key(order: Vec<OrderByExpr>) -> Vec<OrderByExpr> {
    let each = order.into_iter().flat_map(|ordered| match row(&ordered.expr) {
        None => vec![ordered],
        Some(columns) => {
            let nulls_first = Some(ordered.options.asc == Some(false));
            let options = OrderByOptions { nulls_first, ..ordered.options };
            let one = |expr| OrderByExpr { expr, options, with_fill: None };
            columns.into_iter().map(one).collect()
        }
    });
    each.collect()
}

/// The columns of a row that is written out.
pub(super) fn row(expression: &Expr) -> Option<Vec<Expr>> {
    match expression {
        Expr::Tuple(columns) => Some(columns.clone()),
        Expr::Nested(inner) => row(inner),
        Expr::Function(Function { name, args: FunctionArguments::List(list), filter: None, over: None, .. }) => {
            let is_row = |part: &Ident| part.quote_style.is_none() && part.value.eq_ignore_ascii_case("row");
            if name.0.len() != 1 || !name.0.first()?.as_ident().is_some_and(is_row) {
                return None;
            }
            let column = |argument: &FunctionArg| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(column)) => Some(column.clone()),
                _ => None,
            };
            list.args.iter().map(column).collect()
        }
        _ => None,
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The first columns that differ decide, and where they are NULL nothing is known.
fn compared(left: &[Expr], op: &BinaryOperator, right: &[Expr]) -> Result<Expr> {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    check(left, right)?;
    let pairs = left.iter().zip(right);
    let each = |op: &BinaryOperator| {
        let op = op.clone();
        pairs.clone().map(move |(left, right)| operation(left.clone(), op.clone(), right.clone()))
    };
    Ok(match op {
        Eq => all(each(&Eq)),
        NotEq => any(each(&NotEq)),
        _ => {
            let strictly = match op {
                Lt | LtEq => Lt,
                _ => Gt,
            };
            let at_last = match op {
                LtEq | GtEq => op.clone(),
                _ => strictly.clone(),
            };
            let mut pairs = pairs.rev();
            let Some((left, right)) = pairs.next() else { return Err(empty()) };
            let last = operation(left.clone(), at_last, right.clone());
            let whole = pairs.fold(last, |rest, (left, right)| {
                let before = operation(left.clone(), strictly.clone(), right.clone());
                let equal = operation(left.clone(), Eq, right.clone());
                any([before, all([equal, rest])])
            });
            Expr::Nested(Box::new(whole))
        }
    })
}

fn distinct(left: &Expr, right: &Expr) -> Result<Option<Expr>> {
    let (Some(left), Some(right)) = (row(left), row(right)) else { return Ok(None) };
    check(&left, &right)?;
    let pairs = left.into_iter().zip(right);
    Ok(Some(any(pairs.map(|(left, right)| Expr::IsDistinctFrom(Box::new(left), Box::new(right))))))
}

fn check(left: &[Expr], right: &[Expr]) -> Result<()> {
    if left.is_empty() {
        return Err(empty());
    }
    if left.len() != right.len() {
        let message = format!("a row of {} columns is compared with one of {}", left.len(), right.len());
        return Err(Error::new(Fault::Syntax, message));
    }
    if left.iter().chain(right).any(|column| row(column).is_some()) {
        let message = "a row within a row cannot be compared; write its columns into the outer row";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    Ok(())
}

fn empty() -> Error {
    Error::new(Fault::FeatureNotSupported, "rows without columns cannot be compared")
}

fn not(condition: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(condition) }))
}

fn as_query(expression: &mut Expr) -> Option<&mut Query> {
    match expression {
        Expr::Subquery(query) => Some(query),
        Expr::Nested(inner) => as_query(inner),
        _ => None,
    }
}

/// Makes both sides of a comparison with a subquery one column.
fn beside(left: &mut Expr, query: &mut Query) -> Result<()> {
    let Some(columns) = row(left) else { return Ok(()) };
    let width = columns.len();
    *left = call(ROW_OF, columns);
    wrap(query, width)
}

/// `SELECT row_of("1", "2") FROM (query) AS "rows" ("1", "2")`.
fn wrap(query: &mut Query, width: usize) -> Result<()> {
    let names: Vec<Ident> = (1..=width).map(|number| Ident::with_quote('"', number.to_string())).collect();
    let columns = names.iter().cloned().map(Expr::Identifier).collect();
    let alias = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', "rows"),
        columns: names.into_iter().map(|name| TableAliasColumnDef { name, data_type: None }).collect(),
        at: None,
    };
    let relation =
        TableFactor::Derived { lateral: false, subquery: Box::new(query.clone()), alias: Some(alias), sample: None };
    *query = *super::query_from(vec![TableWithJoins { relation, joins: Vec::new() }])?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = vec![SelectItem::UnnamedExpr(call(ROW_OF, columns))];
    }
    Ok(())
}

/// The function behind [`ROW_OF`].
pub(crate) fn row_of() -> ScalarUDF {
    ScalarUDF::from(RowOf { signature: Signature::variadic_any(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowOf {
    signature: Signature,
}

impl ScalarUDFImpl for RowOf {
    fn name(&self) -> &str {
        ROW_OF
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> datafusion::common::Result<DataType> {
        let field =
            |(number, data_type): (usize, &DataType)| Field::new((number + 1).to_string(), data_type.clone(), true);
        Ok(DataType::Struct(types.iter().enumerate().map(field).map(Arc::new).collect::<Fields>()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> datafusion::common::Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns: Vec<ArrayRef> = arguments
            .args
            .into_iter()
            .map(|argument| argument.into_array(rows))
            .collect::<datafusion::common::Result<_>>()?;
        let DataType::Struct(fields) = arguments.return_field.data_type() else {
            return exec_err!("a row of columns has the type {}", arguments.return_field.data_type());
        };
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{ast::VisitMut, parser::Parser};

    use crate::session::PostgreSql;

    fn rewritten(text: &str) -> String {
        let mut expression = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
        let flow = expression.visit(&mut super::super::Walk(super::super::REWRITES));
        assert!(flow.is_continue(), "{text}");
        expression.to_string()
    }

    #[test]
    fn comparisons_are_those_of_the_columns() {
        for (written, planned) in [
            ("(a, b) = (c, d)", "(a = c AND b = d)"),
            ("ROW(a, b) <> (c, d)", "(a <> c OR b <> d)"),
            ("(a, b) < (c, d)", "((a < c OR (a = c AND b < d)))"),
            ("(a, b) >= (c, d)", "((a > c OR (a = c AND b >= d)))"),
            ("ROW(a, b) IS NULL", "(a IS NULL AND b IS NULL)"),
            ("(a, b) IS NOT NULL", "(a IS NOT NULL AND b IS NOT NULL)"),
            ("(a, b) IS DISTINCT FROM (c, d)", "(a IS DISTINCT FROM c OR b IS DISTINCT FROM d)"),
            ("(a, b) IN ((1, 2), (3, NULL))", "((a = 1 AND b = 2) OR (a = 3 AND b = NULL))"),
            ("(a, b) NOT IN ((1, 2))", "(NOT ((a = 1 AND b = 2)))"),
            ("(a + 1, b) = (c, -d)", "(a + 1 = c AND b = -d)"),
            ("f(DISTINCT (a + 1, b))", "f(DISTINCT row(a + 1, b))"),
            ("f((a, 1))", "f((a, 1))"),
            ("(t).x + 1", "t.x + 1"),
        ] {
            assert_eq!(rewritten(written), planned);
        }
    }

    #[test]
    fn beside_a_subquery_a_row_is_one_column() {
        let query = "(SELECT row_of(\"1\", \"2\") FROM (SELECT x, y FROM t) AS \"rows\" (\"1\", \"2\"))";
        assert_eq!(rewritten("(a, b) IN (SELECT x, y FROM t)"), format!("row_of(a, b) IN {query}"));
        assert_eq!(rewritten("(a, b) = (SELECT x, y FROM t)"), format!("row_of(a, b) = {query}"));
        assert_eq!(rewritten("(a, b) < ALL (SELECT x, y FROM t)"), format!("row_of(a, b) < ALL{query}"));
    }

    #[test]
    fn rows_of_unequal_width_are_refused() {
        for text in ["(a, b) = (1, 2, 3)", "(a, b) IN (1, 2)", "(a, (b, c)) = (1, (2, 3))"] {
            let mut expression = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
            assert!(expression.visit(&mut super::super::Walk(super::super::REWRITES)).is_break(), "{text}");
        }
    }
}
