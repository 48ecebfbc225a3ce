//! Casts and subqueries that the planner does not tell apart.
//!
//! It calls a column by its expression, and leaves casts out: `max(a::int)`, `max(a::text)` and `max(a)` are all `max(t.a)`, and
//! `sum((SELECT 1))` is called like `sum((SELECT 2))`; two of one name are refused. Where calls or groups of a SELECT would get
//! one name, and are not the same, the casts and the subqueries in them become [`WrittenAs`], whose text is the type or the
//! subquery; it is gone when plans are optimized.

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{Result as PlanResult, exec_err, plan_err, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr as Planned, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        Volatility,
        simplify::{ExprSimplifyResult, SimplifyContext},
    },
    sql::sqlparser::ast::{
        DataType as Type, ExactNumberInfo, Expr, Function, GroupByExpr, Ident, ObjectName, OrderBy, OrderByKind, Query,
        Select, SelectItem, SetExpr, Value, VisitMut, VisitorMut, visit_expressions,
    },
};

use super::{call, merge::folded, quoted};
use crate::{Result, pgtype, planning::WRITTEN_AS};

/// Tells the casts of a query's SELECT apart, in its list and in ORDER BY.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Ok(()) };
    let order = match &mut query.order_by {
        Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => order.as_mut_slice(),
        _ => &mut [],
    };
    rewrite_all(select, order.iter_mut().map(|ordered| &mut ordered.expr).collect());
    Ok(())
}

/// The same for a SELECT whose query orders nothing by it.
pub(super) fn rewrite_select(select: &mut Select) -> Result<()> {
    rewrite_all(select, Vec::new());
    Ok(())
}

fn rewrite_all(select: &mut Select, order: Vec<&mut Expr>) {
    let mut calls = Vec::new();
    if let GroupByExpr::Expressions(groups, _) = &select.group_by {
        for group in groups {
            calls.extend(shown_as(group, &select.projection).cloned());
            calls.push(group.clone());
        }
    }
    let mut all = expressions(select);
    all.extend(order);
    each_part(&mut all, |part| {
        if matches!(part, Expr::Function(_)) {
            calls.push(part.clone());
        }
    });
    let several = several(calls);
    if !several.is_empty() {
        each_part(&mut all, |part| write_apart(part, &several));
    }
}

/// Works on the parts of expressions from the outside in, but for those of queries and of [`WrittenAs`].
fn each_part(expressions: &mut [&mut Expr], work: impl FnMut(&mut Expr)) {
    struct Parts<F> {
        work: F,
        /// Queries and [`WrittenAs`] around the place.
        skipped: usize,
    }
    impl<F: FnMut(&mut Expr)> VisitorMut for Parts<F> {
        type Break = ();

        fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
            self.skipped += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
            self.skipped -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            if self.skipped == 0 && !is_written_as(expression) {
                (self.work)(expression);
            }
            self.skipped += usize::from(is_written_as(expression));
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            self.skipped -= usize::from(is_written_as(expression));
            ControlFlow::Continue(())
        }
    }
    let mut parts = Parts { work, skipped: 0 };
    expressions.iter_mut().for_each(|expression| _ = expression.visit(&mut parts));
}

/// What a SELECT computes of the rows of FROM.
fn expressions(select: &mut Select) -> Vec<&mut Expr> {
    let shown = select.projection.iter_mut().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    });
    let groups: &mut [Expr] = match &mut select.group_by {
        GroupByExpr::Expressions(groups, _) => groups,
        GroupByExpr::All(_) => &mut [],
    };
    shown.chain(groups).chain(&mut select.having).chain(&mut select.qualify).collect()
}

/// The expression of the column that a group names by its position or its name.
fn shown_as<'a>(group: &Expr, projection: &'a [SelectItem]) -> Option<&'a Expr> {
    let item = match group {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => projection.get(number.parse::<usize>().ok()?.checked_sub(1)?)?,
            _ => return None,
        },
        Expr::Identifier(name) => {
            let name = folded(name);
            projection
                .iter()
                .find(|item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if folded(alias) == name))?
        }
        _ => return None,
    };
    match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => Some(expression),
        _ => None,
    }
}

fn is_subquery(expression: &Expr) -> bool {
    match expression {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => true,
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => matches!(right.as_ref(), Expr::Subquery(_)),
        _ => false,
    }
}

/// The value that is cast; none for what is no cast.
fn value_of(expression: &Expr) -> Option<Expr> {
    match expression {
        Expr::Cast { expr, .. } => Some(expr.as_ref().clone()),
        Expr::TypedString(typed) => Some(Expr::Value(typed.value.clone())),
        _ => None,
    }
}

/// The expression as the planner calls it, as far as it is known here: without casts, tables and parentheses, and with all
/// subqueries alike.
fn called(expression: &Expr) -> Expr {
    alike(expression, |part| match is_subquery(&part) {
        true => Some(Expr::Identifier(Ident::new("subquery"))),
        false => value_of(&part),
    })
}

/// The expression as it is meant: however a type or a name is written.
fn meant(expression: &Expr) -> Expr {
    alike(expression, |part| match (type_of(&part), value_of(&part)) {
        (Some(name), Some(value)) => Some(call(WRITTEN_AS, vec![value, quoted(name)])),
        _ => None,
    })
}

fn alike(expression: &Expr, of_part: impl FnMut(Expr) -> Option<Expr>) -> Expr {
    struct Alike<F>(F);
    impl<F: FnMut(Expr) -> Option<Expr>> VisitorMut for Alike<F> {
        type Break = ();

        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            let same = match &mut *expression {
                Expr::Nested(inner) => Some(inner.as_ref().clone()),
                Expr::CompoundIdentifier(parts) => parts.last().map(column),
                Expr::Identifier(name) => Some(column(name)),
                Expr::Cast { .. } | Expr::TypedString(_) => (self.0)(expression.clone()),
                other if is_subquery(other) => (self.0)(other.clone()),
                Expr::Function(Function { name, .. }) => {
                    *name = ObjectName::from(Ident::new(name.to_string().to_lowercase()));
                    None
                }
                _ => None,
            };
            if let Some(same) = same {
                *expression = same;
            }
            ControlFlow::Continue(())
        }
    }
    let mut expression = expression.clone();
    let _ = expression.visit(&mut Alike(of_part));
    expression
}

fn column(name: &Ident) -> Expr {
    Expr::Identifier(Ident::with_quote('"', folded(name)))
}

/// One name for each type.
fn type_of(cast: &Expr) -> Option<String> {
    let data_type = match cast {
        Expr::Cast { data_type, .. } => data_type,
        Expr::TypedString(typed) => &typed.data_type,
        _ => return None,
    };
    let written = data_type.to_string().to_lowercase();
    let known = match data_type {
        Type::String(_) => Some(&pgtype::TEXT),
        Type::Float(ExactNumberInfo::None) => Some(&pgtype::FLOAT8),
        // One with a modifier is none of the list's, and a type of its own.
        _ => pgtype::by_word(&written),
    };
    Some(known.map_or(written, |known| known.name.to_owned()))
}

fn is_written_as(expression: &Expr) -> bool {
    matches!(expression, Expr::Function(Function { name, .. }) if name.to_string() == WRITTEN_AS)
}

/// The values that are cast, and the subqueries, in those of a SELECT's calls and groups that have one name and are not the
/// same.
fn several(calls: Vec<Expr>) -> HashSet<Expr> {
    let mut by_name: HashMap<Expr, (Vec<Expr>, HashSet<Expr>)> = HashMap::new();
    for call in calls {
        let (calls, meanings) = by_name.entry(called(&call)).or_default();
        meanings.insert(meant(&call));
        calls.push(call);
    }
    let mut values = HashSet::new();
    for (calls, meanings) in by_name.into_values() {
        if meanings.len() > 1 {
            calls.iter().for_each(|call| add_values(call, &mut values));
        }
    }
    values
}

fn add_values(call: &Expr, values: &mut HashSet<Expr>) {
    let _ = visit_expressions(call, |part| {
        values.extend(value_of(part).map(|value| called(&value)));
        if is_subquery(part) {
            values.insert(part.clone());
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Writes a cast of one of these values, and one of these subqueries, otherwise.
fn write_apart(part: &mut Expr, several: &HashSet<Expr>) {
    let written = match value_of(part) {
        Some(value) if several.contains(&called(&value)) => type_of(part),
        None if is_subquery(part) && several.contains(part) => Some(part.to_string()),
        _ => None,
    };
    if let Some(written) = written {
        *part = call(WRITTEN_AS, vec![part.clone(), quoted(written)]);
    }
}

/// `written_as(x, 'text')` is x.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct WrittenAs {
    signature: Signature,
}

impl WrittenAs {
    pub(crate) fn function() -> ScalarUDF {
        ScalarUDF::from(Self { signature: Signature::any(2, Volatility::Immutable) })
    }
}

impl ScalarUDFImpl for WrittenAs {
    fn name(&self) -> &str {
        WRITTEN_AS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> PlanResult<DataType> {
        let [value, _] = take_function_args(self.name(), types)?;
        Ok(value.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> PlanResult<FieldRef> {
        match arguments.arg_fields {
            [value, _] => Ok(value.clone()),
            other => plan_err!("{} takes a value and its text, not {} arguments", self.name(), other.len()),
        }
    }

    fn simplify(&self, arguments: Vec<Planned>, _context: &SimplifyContext) -> PlanResult<ExprSimplifyResult> {
        match <[Planned; 2]>::try_from(arguments) {
            Ok([value, _]) => Ok(ExprSimplifyResult::Simplified(value)),
            Err(arguments) => Ok(ExprSimplifyResult::Original(arguments)),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        match arguments.args.into_iter().next() {
            Some(value) => Ok(value),
            None => exec_err!("{} of nothing", self.name()),
        }
    }
}
