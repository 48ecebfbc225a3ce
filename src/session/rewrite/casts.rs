//! Casts that the planner does not tell apart.
//!
//! It calls a column by its expression, and leaves casts out: `max(a::int)`, `max(a::text)` and `max(a)` are all `max(t.a)`, and
//! two of one name are refused. Where a SELECT has one value with several types in its calls and groups, each cast becomes
//! [`WrittenAs`], whose text says which it is; it is gone when plans are optimized.

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
        Expr, Function, GroupByExpr, OrderBy, OrderByKind, Query, Select, SetExpr, Value, VisitMut, VisitorMut,
    },
};

use super::call;
use crate::planning::WRITTEN_AS;

/// Tells the casts of a query's SELECT apart, in its list and in ORDER BY.
pub(super) fn rewrite(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let order = match &mut query.order_by {
        Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) => order.as_mut_slice(),
        _ => &mut [],
    };
    rewrite_all(select, order.iter_mut().map(|ordered| &mut ordered.expr).collect());
}

/// The same for a SELECT that orders nothing.
pub(super) fn rewrite_select(select: &mut Select) {
    rewrite_all(select, Vec::new());
}

fn rewrite_all(select: &mut Select, mut order: Vec<&mut Expr>) {
    let mut seen = Seen::default();
    let _ = select.visit(&mut seen);
    if let GroupByExpr::Expressions(groups, _) = &mut select.group_by {
        seen.calls += 1;
        groups.iter_mut().for_each(|group| _ = group.visit(&mut seen));
        seen.calls -= 1;
    }
    order.iter_mut().for_each(|ordered| _ = ordered.visit(&mut seen));
    let mut several = HashSet::new();
    for (value, mut types) in seen.casts {
        if seen.others.contains(&value) {
            types.insert(value.clone());
        }
        if types.len() > 1 {
            several.insert(value);
        }
    }
    if several.is_empty() {
        return;
    }
    let mut apart = Apart { several, depth: 0, skipped: 0 };
    let _ = select.visit(&mut apart);
    order.iter_mut().for_each(|ordered| _ = ordered.visit(&mut apart));
}

/// The value that is cast, none of whose parts is; none for what is no cast.
fn value_of(expression: &Expr) -> Option<Expr> {
    match expression {
        Expr::Cast { expr, .. } => Some(without_casts(expr)),
        Expr::TypedString(typed) => Some(Expr::Value(typed.value.clone())),
        _ => None,
    }
}

fn without_casts(expression: &Expr) -> Expr {
    struct Without;
    impl VisitorMut for Without {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            loop {
                let inner = match expression {
                    Expr::Nested(inner) => inner.as_ref().clone(),
                    ref other => match value_of(other) {
                        Some(value) => value,
                        None => return ControlFlow::Continue(()),
                    },
                };
                *expression = inner;
            }
        }
    }
    let mut expression = expression.clone();
    let _ = expression.visit(&mut Without);
    expression
}

fn is_written_as(expression: &Expr) -> bool {
    match expression {
        Expr::Function(Function { name, .. }) => name.to_string() == WRITTEN_AS,
        _ => false,
    }
}

/// What is cast in calls and groups, to what, and what stands there without a cast.
#[derive(Default)]
struct Seen {
    casts: HashMap<Expr, HashSet<Expr>>,
    others: HashSet<Expr>,
    /// Calls and groups around the place.
    calls: usize,
    /// Queries, casts and [`WrittenAs`] around it, whose parts do not count.
    skipped: usize,
}

impl VisitorMut for Seen {
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
        let value = value_of(expression);
        if self.calls > 0 && self.skipped == 0 && !is_written_as(expression) {
            match &value {
                Some(value) => _ = self.casts.entry(value.clone()).or_default().insert(expression.clone()),
                None => _ = self.others.insert(without_casts(expression)),
            }
        }
        self.skipped += usize::from(value.is_some() || is_written_as(expression));
        self.calls += usize::from(matches!(expression, Expr::Function(_)));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        self.skipped -= usize::from(value_of(expression).is_some() || is_written_as(expression));
        self.calls -= usize::from(matches!(expression, Expr::Function(_)));
        ControlFlow::Continue(())
    }
}

/// Writes the casts of these values otherwise.
struct Apart {
    several: HashSet<Expr>,
    depth: usize,
    /// Calls of [`WrittenAs`] around the place.
    skipped: usize,
}

impl VisitorMut for Apart {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let is_apart = self.depth == 0
            && self.skipped == 0
            && value_of(expression).is_some_and(|value| self.several.contains(&value));
        if is_apart {
            let text = Expr::Value(Value::SingleQuotedString(expression.to_string()).into());
            *expression = call(WRITTEN_AS, vec![expression.clone(), text]);
        }
        self.skipped += usize::from(is_written_as(expression));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        self.skipped -= usize::from(is_written_as(expression));
        ControlFlow::Continue(())
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
