//! Windows with a name: `OVER w` and `OVER (w ORDER BY x)` with `WINDOW w AS (PARTITION BY y)`.
//!
//! The planner reads `OVER w` in the SELECT list, and in silence forgets the `w` in parentheses. Here each window is written
//! out where it is used. A distance of a frame that is written as a cast of a number is the number.

use std::{collections::HashMap, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{
    DataType, ExactNumberInfo, Expr, NamedWindowExpr, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr,
    UnaryOperator, Value, VisitMut, VisitorMut, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use super::merge::folded;
use crate::{Error, Fault, Result};

/// Writes out the windows of a query's SELECT, in its list and in ORDER BY.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_ref() else { return Ok(()) };
    if select.named_window.is_empty() {
        return Ok(());
    }
    let mut windows = Windows { named: named(select)?, depth: 0 };
    if let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by {
        order.iter_mut().try_for_each(|ordered| windows.write_out(&mut ordered.expr))?;
    }
    Ok(())
}

/// Writes out the windows of a SELECT in its list.
pub(super) fn rewrite_list(select: &mut Select) -> Result<()> {
    if select.named_window.is_empty() {
        return Ok(());
    }
    let mut windows = Windows { named: named(select)?, depth: 0 };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } = item {
            windows.write_out(expression)?;
        }
    }
    select.qualify.iter_mut().try_for_each(|condition| windows.write_out(condition))?;
    select.named_window.clear();
    Ok(())
}

fn named(select: &Select) -> Result<HashMap<String, WindowSpec>> {
    let mut found = HashMap::new();
    for definition in &select.named_window {
        let spec = match &definition.1 {
            NamedWindowExpr::WindowSpec(spec) => whole(spec, &found)?,
            NamedWindowExpr::NamedWindow(name) => known(&folded(name), &found)?.clone(),
        };
        let name = folded(&definition.0);
        if found.insert(name.clone(), spec).is_some() {
            return Err(Error::new(Fault::Syntax, format!("window \"{name}\" is already defined")));
        }
    }
    Ok(found)
}

fn known<'a>(name: &str, named: &'a HashMap<String, WindowSpec>) -> Result<&'a WindowSpec> {
    named.get(name).ok_or_else(|| Error::new(Fault::Syntax, format!("window \"{name}\" does not exist")))
}

/// A window that may begin with the name of another: it adds an order and a frame to that one.
fn whole(spec: &WindowSpec, named: &HashMap<String, WindowSpec>) -> Result<WindowSpec> {
    let Some(name) = spec.window_name.as_ref().map(folded) else { return Ok(spec.clone()) };
    let base = known(&name, named)?;
    let refused = |what: &str| Err(Error::new(Fault::Syntax, format!("cannot {what} window \"{name}\"")));
    if !spec.partition_by.is_empty() {
        return refused("override PARTITION BY clause of");
    }
    if !spec.order_by.is_empty() && !base.order_by.is_empty() {
        return refused("override ORDER BY clause of");
    }
    if base.window_frame.is_some() {
        return refused("use, because it has a frame clause,");
    }
    let order_by = if spec.order_by.is_empty() { base.order_by.clone() } else { spec.order_by.clone() };
    let partition_by = base.partition_by.clone();
    Ok(WindowSpec { window_name: None, partition_by, order_by, window_frame: spec.window_frame.clone() })
}

/// Writes the distances of a call's frame, which are constants, as the planner knows them.
pub(super) fn distances(expression: &mut Expr) -> Result<()> {
    let Expr::Function(function) = expression else { return Ok(()) };
    let Some(WindowType::WindowSpec(WindowSpec { window_frame: Some(frame), .. })) = &mut function.over else {
        return Ok(());
    };
    let units = frame.units;
    let bounds = [("starting", Some(&mut frame.start_bound)), ("ending", frame.end_bound.as_mut())];
    for (which, bound) in bounds {
        let Some(WindowFrameBound::Preceding(Some(distance)) | WindowFrameBound::Following(Some(distance))) = bound
        else {
            continue;
        };
        if is_negative(distance) {
            let message = match units {
                WindowFrameUnits::Range => "invalid preceding or following size in window function".to_owned(),
                _ => format!("frame {which} offset must not be negative"),
            };
            return Err(Error::new(Fault::InvalidFrameDistance, message));
        }
        if let Some(number) = number(distance) {
            **distance = Expr::Value(Value::Number(number.to_owned(), false).into());
        }
    }
    Ok(())
}

/// Whether a number below zero is written, perhaps as a text.
fn is_negative(distance: &Expr) -> bool {
    match distance {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            number(expr).and_then(|number| number.parse().ok()).is_some_and(|number: f64| number > 0.0)
        }
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_negative(inner),
        // A text as a distance is read as an interval.
        Expr::Interval(interval) => is_negative(&interval.value),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.trim().parse().is_ok_and(|number: f64| number < 0.0),
            _ => false,
        },
        _ => false,
    }
}

/// The number that is written, perhaps in parentheses or cast to a type that holds it as it is.
fn number(distance: &Expr) -> Option<&str> {
    match distance {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number),
            _ => None,
        },
        Expr::Nested(inner) => number(inner),
        Expr::Cast { expr, data_type, format: None, .. } => number(expr).filter(|number| holds(data_type, number)),
        _ => None,
    }
}

fn holds(data_type: &DataType, number: &str) -> bool {
    use DataType::{
        BigInt, Dec, Decimal, Double, DoublePrecision, Float8, Int, Int2, Int4, Int8, Integer, Numeric, SmallInt,
    };
    match data_type {
        SmallInt(None) | Int2(None) => number.parse::<i16>().is_ok(),
        Int(None) | Integer(None) | Int4(None) => number.parse::<i32>().is_ok(),
        BigInt(None) | Int8(None) => number.parse::<i64>().is_ok(),
        Numeric(ExactNumberInfo::None) | Decimal(ExactNumberInfo::None) | Dec(ExactNumberInfo::None) => true,
        Double(ExactNumberInfo::None) | DoublePrecision | Float8 => true,
        _ => false,
    }
}

struct Windows {
    named: HashMap<String, WindowSpec>,
    /// Subqueries that the walk is in: they have windows of their own.
    depth: usize,
}

impl Windows {
    fn write_out(&mut self, expression: &mut Expr) -> Result<()> {
        match expression.visit(self) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn written_out(&self, over: &WindowType) -> Result<Option<WindowSpec>> {
        Ok(match over {
            WindowType::NamedWindow(name) => Some(known(&folded(name), &self.named)?.clone()),
            WindowType::WindowSpec(spec) if spec.window_name.is_some() => Some(whole(spec, &self.named)?),
            WindowType::WindowSpec(_) => None,
        })
    }
}

impl VisitorMut for Windows {
    type Break = Error;

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        if self.depth == 0
            && let Expr::Function(function) = expression
            && let Some(over) = &function.over
        {
            match self.written_out(over) {
                Ok(Some(spec)) => function.over = Some(WindowType::WindowSpec(spec)),
                Ok(None) => {}
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }
}
