//! `AND` and `OR` whose operands can fail, as CASE: row by row, from the left.
//!
//! DataFusion computes the right operand for all rows of a batch, unless the left one leaves few. CASE computes each branch
//! for the rows that reach it.

use std::sync::Arc;

use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{
        BinaryExpr, Case, Expr, ExprSchemable, LogicalPlan, Operator,
        expr_rewriter::NamePreserver,
        lit,
        utils::{conjunction, disjunction, merge_schema, split_conjunction_owned},
    },
};

use super::{failing::can_fail, filters::joined};

/// The plan with every such operator computed as if row by row. What simplifies expressions would undo it, so it comes last.
pub(super) fn row_by_row(plan: LogicalPlan) -> Result<LogicalPlan> {
    let changed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(mut filter) => {
            let schema = Arc::clone(filter.input.schema());
            let rows = Rows { schema: &schema };
            let changed = rows.ordered(&filter.predicate);
            if changed {
                filter.predicate = rows.condition(filter.predicate)?;
            }
            Ok(Transformed::new_transformed(LogicalPlan::Filter(filter), changed))
        }
        LogicalPlan::Join(mut join) => {
            let schema = joined(&join);
            let rows = Rows { schema: &schema };
            let filter = join.filter.take().map(|filter| match rows.ordered(&filter) {
                true => rows.condition(filter).map(Transformed::yes),
                false => Ok(Transformed::no(filter)),
            });
            let filter = filter.transpose()?;
            let keys = values(LogicalPlan::Join(join), &schema)?;
            let changed = filter.as_ref().is_some_and(|filter| filter.transformed) || keys.transformed;
            let mut plan = keys.data;
            if let LogicalPlan::Join(join) = &mut plan {
                join.filter = filter.map(|filter| filter.data);
            }
            Ok(Transformed::new_transformed(plan, changed))
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Values(_) => {
            let schema = merge_schema(&node.inputs());
            values(node, &schema)
        }
        other => Ok(Transformed::no(other)),
    })?;
    if !changed.transformed {
        return Ok(changed.data);
    }
    // CASE may be NULL by its form where AND was not.
    changed.data.transform_up_with_subqueries(|node| node.recompute_schema().map(Transformed::yes)).data()
}

/// The node with each of its expressions computed row by row.
fn values(node: LogicalPlan, schema: &DFSchema) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    let rows = Rows { schema };
    node.map_expressions(|expr| {
        if !rows.unguarded(&expr) {
            return Ok(Transformed::no(expr));
        }
        let name = names.save(&expr);
        Ok(Transformed::yes(name.restore(rows.value(expr)?)))
    })
}

/// Rewrites expressions over rows of a schema.
struct Rows<'a> {
    schema: &'a DFSchema,
}

impl Rows<'_> {
    /// Whether somewhere in the expression an operand that can fail stands behind another that may decide without it.
    fn unguarded(&self, expr: &Expr) -> bool {
        let decides = |step: &Expr| match step {
            Expr::BinaryExpr(BinaryExpr { op: Operator::And | Operator::Or, right, .. }) => {
                Ok(can_fail(right, self.schema))
            }
            _ => Ok(false),
        };
        expr.exists(decides).unwrap_or(false)
    }

    /// Whether the order of a condition's parts matters.
    fn ordered(&self, condition: &Expr) -> bool {
        matches!(condition, Expr::BinaryExpr(BinaryExpr { op: Operator::And, .. })) && can_fail(condition, self.schema)
            || self.unguarded(condition)
    }

    /// A filter's condition: what cannot fail is asked first, whatever its place, as it may only spare the rest.
    fn condition(&self, expr: Expr) -> Result<Expr> {
        let (failing, mut ordered): (Vec<_>, Vec<_>) =
            split_conjunction_owned(expr).into_iter().partition(|condition| can_fail(condition, self.schema));
        ordered.extend(failing);
        self.all_of(ordered)
    }

    /// The same value, NULL included.
    fn value(&self, expr: Expr) -> Result<Expr> {
        if !self.unguarded(&expr) {
            return Ok(expr);
        }
        match expr {
            Expr::BinaryExpr(BinaryExpr { op: Operator::And | Operator::Or, .. }) if !expr.is_volatile() => {
                if !expr.nullable(self.schema)? {
                    return self.truth(expr);
                }
                let (truth, falsity) = (self.truth(expr.clone())?, self.falsity(expr)?);
                Ok(case(vec![(truth, lit(true)), (falsity, lit(false))], lit(ScalarValue::Boolean(None))))
            }
            // What does something, and must do it once, is asked where the operand before it leaves the answer open.
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right })
                if !left.is_volatile() =>
            {
                let operand = left.as_ref().clone();
                let decided = if op == Operator::And { self.falsity(operand)? } else { self.truth(operand)? };
                let (left, right) = (Box::new(self.value(*left)?), Box::new(self.value(*right)?));
                let open = Expr::BinaryExpr(BinaryExpr { left, op, right });
                Ok(case(vec![(decided, lit(op == Operator::Or))], open))
            }
            Expr::IsTrue(inner) => Ok(Expr::IsTrue(Box::new(self.truth(*inner)?))),
            Expr::IsNotTrue(inner) => Ok(Expr::IsNotTrue(Box::new(self.truth(*inner)?))),
            Expr::IsFalse(inner) => Ok(Expr::IsTrue(Box::new(self.falsity(*inner)?))),
            Expr::IsNotFalse(inner) => Ok(Expr::IsNotTrue(Box::new(self.falsity(*inner)?))),
            Expr::Case(case) => self.case(case, Self::value),
            Expr::AggregateFunction(mut call) => {
                call.params.filter = self.filter(call.params.filter)?;
                self.operands(Expr::AggregateFunction(call))
            }
            Expr::WindowFunction(mut call) => {
                call.params.filter = self.filter(call.params.filter)?;
                self.operands(Expr::WindowFunction(call))
            }
            other => self.operands(other),
        }
    }

    fn filter(&self, filter: Option<Box<Expr>>) -> Result<Option<Box<Expr>>> {
        filter.map(|filter| self.truth(*filter).map(Box::new)).transpose()
    }

    fn operands(&self, expr: Expr) -> Result<Expr> {
        expr.map_children(|operand| self.value(operand).map(Transformed::yes)).data()
    }

    /// True where the condition is; NULL and false are one, as in WHERE.
    fn truth(&self, expr: Expr) -> Result<Expr> {
        if !self.unguarded(&expr) {
            return Ok(expr);
        }
        match expr {
            Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => {
                let operands = operands(expr, op);
                if op == Operator::And { self.all_of(operands) } else { self.any_of(operands) }
            }
            Expr::Not(inner) => self.falsity(*inner),
            Expr::Case(case) => self.case(case, Self::truth),
            other => self.value(other),
        }
    }

    /// True where the condition is false; nothing is said of NULL.
    fn falsity(&self, expr: Expr) -> Result<Expr> {
        if !self.unguarded(&expr) {
            return Ok(Expr::Not(Box::new(expr)));
        }
        let negated = |operands: Vec<Expr>| -> Vec<Expr> {
            operands.into_iter().map(|operand| Expr::Not(Box::new(operand))).collect()
        };
        match expr {
            Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => {
                let operands = negated(operands(expr, op));
                if op == Operator::And { self.any_of(operands) } else { self.all_of(operands) }
            }
            Expr::Not(inner) => self.truth(*inner),
            other => Ok(Expr::Not(Box::new(self.value(other)?))),
        }
    }

    fn case(&self, mut case: Case, branch: fn(&Self, Expr) -> Result<Expr>) -> Result<Expr> {
        let when = if case.expr.is_some() { Self::value } else { Self::truth };
        case.expr = case.expr.map(|expr| self.value(*expr).map(Box::new)).transpose()?;
        let branches = case.when_then_expr.into_iter();
        case.when_then_expr = branches
            .map(|(condition, then)| Ok((Box::new(when(self, *condition)?), Box::new(branch(self, *then)?))))
            .collect::<Result<_>>()?;
        case.else_expr = case.else_expr.map(|expr| branch(self, *expr).map(Box::new)).transpose()?;
        Ok(Expr::Case(case))
    }

    /// Each is asked where all before it hold.
    fn all_of(&self, operands: Vec<Expr>) -> Result<Expr> {
        let mut runs = self.runs(operands)?.into_iter().rev().filter_map(conjunction);
        let last = runs.next().unwrap_or_else(|| lit(true));
        Ok(runs.fold(last, |rest, holds| case(vec![(holds, rest)], lit(false))))
    }

    /// Each is asked where none before it holds.
    fn any_of(&self, operands: Vec<Expr>) -> Result<Expr> {
        let mut runs: Vec<Expr> = self.runs(operands)?.into_iter().filter_map(disjunction).collect();
        let last = runs.pop().unwrap_or_else(|| lit(false));
        let branches: Vec<_> = runs.into_iter().map(|holds| (holds, lit(true))).collect();
        Ok(if branches.is_empty() { last } else { case(branches, last) })
    }

    /// The truth of operands one after another: each that can fail begins a run, those that cannot follow in it.
    fn runs(&self, operands: Vec<Expr>) -> Result<Vec<Vec<Expr>>> {
        let mut runs: Vec<Vec<Expr>> = Vec::new();
        for operand in operands {
            let begins = can_fail(&operand, self.schema);
            let operand = self.truth(operand)?;
            match runs.last_mut() {
                Some(run) if !begins => run.push(operand),
                _ => runs.push(vec![operand]),
            }
        }
        Ok(runs)
    }
}

/// The operands of nested `AND`s or `OR`s in the order in which they are written.
fn operands(expr: Expr, operator: Operator) -> Vec<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op == operator => {
            let mut found = operands(*left, operator);
            found.extend(operands(*right, operator));
            found
        }
        other => vec![other],
    }
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    let boxed = branches.into_iter().map(|(when, then)| (Box::new(when), Box::new(then)));
    Expr::Case(Case::new(None, boxed.collect(), Some(Box::new(otherwise))))
}
