//! A whole number that is written is an integer if it has room in one, as in PostgreSQL, and a bigint otherwise.
//!
//! The planner makes bigints of all of them. Here those of a plan that was just made are changed, before anybody is told the
//! types of its columns, and all types that follow from theirs are found anew. Values of parameters come later, and keep
//! their types.

use std::{mem, sync::Arc};

use datafusion::{
    common::{
        Column, DFSchema, DFSchemaRef, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Expr, LogicalPlan, Subquery, Union, expr::AggregateFunction, expr_rewriter::coerce_plan_expr_for_schema,
    },
};

use super::{recursion, steps, types};

/// The plan with integers where such are written.
pub(crate) fn with_integers(plan: LogicalPlan) -> Result<LogicalPlan> {
    Numbers::default().node(plan)
}

/// A walk through a plan.
#[derive(Default)]
struct Numbers {
    /// The columns that those of outer queries are of, the outermost first, as they are by now.
    outer: Vec<DFSchemaRef>,
}

impl Numbers {
    #[recursive::recursive]
    fn node(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = match plan {
            // What is on the right may be of columns on the left.
            LogicalPlan::Join(mut join) => {
                join.left = self.input(&join.left)?;
                self.outer.push(Arc::clone(join.left.schema()));
                let right = self.input(&join.right);
                self.outer.pop();
                join.right = right?;
                LogicalPlan::Join(join)
            }
            LogicalPlan::Subquery(subquery) => LogicalPlan::Subquery(self.subquery(subquery)?),
            LogicalPlan::RecursiveQuery(query) => {
                return recursion::with_types(query, |term| self.node(term)).map(LogicalPlan::RecursiveQuery);
            }
            function @ LogicalPlan::Extension(_) => return self.function(function),
            other => other.map_children(|input| self.node(input).map(Transformed::yes)).data()?,
        };
        let plan = match plan {
            // Numbers of rows are bigints.
            LogicalPlan::Limit(_) | LogicalPlan::TableScan(_) => return Ok(plan),
            LogicalPlan::Values(mut values) => {
                let none = Arc::new(DFSchema::empty());
                types::forget_casts(&mut values)?;
                for value in values.values.iter_mut().flatten() {
                    *value = self.expression(mem::take(value), &none)?.data;
                }
                return types::with_columns_of_rows(values).map(LogicalPlan::Values);
            }
            other => other,
        };
        let schema = Arc::new(steps::columns_of(&plan)?);
        let plan = steps::keep_names(plan, |expression| self.expression(expression, &schema))?.data;
        match plan {
            // Until types are settled it has those of its first input.
            LogicalPlan::Union(Union { inputs, schema }) => {
                let is_stale = types::differ(&schema, inputs[0].schema());
                let union = if is_stale { Union::try_new_with_loose_types(inputs)? } else { Union { inputs, schema } };
                Ok(LogicalPlan::Union(union))
            }
            LogicalPlan::Subquery(_) => Ok(plan),
            other => other.recompute_schema(),
        }
    }

    /// A function of a query, whose columns may be among its own.
    fn function(&mut self, function: LogicalPlan) -> Result<LogicalPlan> {
        let before: Vec<DFSchemaRef> = function.inputs().iter().map(|input| Arc::clone(input.schema())).collect();
        let own = Arc::clone(function.schema());
        let function = function.map_children(|input| self.node(input).map(Transformed::yes)).data()?;
        if types::differ(function.schema(), &own) {
            return Ok(function);
        }
        // What its rows are was looked at when it was made.
        let mut before = before.iter();
        let as_before = |input: LogicalPlan| match before.next() {
            Some(before) if types::differ(input.schema(), before) => {
                coerce_plan_expr_for_schema(input, before).map(Transformed::yes)
            }
            _ => Ok(Transformed::no(input)),
        };
        function.map_children(as_before).data()
    }

    fn input(&mut self, plan: &Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
        self.node(plan.as_ref().clone()).map(Arc::new)
    }

    /// A subquery whose outer columns are of the plans around it.
    fn subquery(&mut self, mut subquery: Subquery) -> Result<Subquery> {
        subquery.subquery = self.input(&subquery.subquery)?;
        for column in &mut subquery.outer_ref_columns {
            self.outer_column(column);
        }
        Ok(subquery)
    }

    fn expression(&mut self, expression: Expr, schema: &DFSchemaRef) -> Result<Transformed<Expr>> {
        expression.transform_down(|mut step| {
            match &mut step {
                Expr::Literal(number @ ScalarValue::Int64(Some(_)), _) => {
                    if let ScalarValue::Int64(Some(written)) = number
                        && let Some(integer) = integer_of(*written)
                    {
                        *number = ScalarValue::Int32(Some(integer));
                    }
                }
                // The number that stands for all rows.
                Expr::AggregateFunction(call) if counts_rows(call) => {
                    return Ok(Transformed::new(step, false, TreeNodeRecursion::Jump));
                }
                Expr::WindowFunction(call)
                    if call.fun.name() == "count" && matches!(call.params.args.as_slice(), [Expr::Literal(..)]) =>
                {
                    return Ok(Transformed::new(step, false, TreeNodeRecursion::Jump));
                }
                Expr::OuterReferenceColumn(..) => self.outer_column(&mut step),
                Expr::ScalarSubquery(subquery) => self.within(subquery, schema)?,
                Expr::Exists(exists) => self.within(&mut exists.subquery, schema)?,
                Expr::InSubquery(within) => self.within(&mut within.subquery, schema)?,
                Expr::SetComparison(compared) => self.within(&mut compared.subquery, schema)?,
                _ => return Ok(Transformed::no(step)),
            }
            Ok(Transformed::yes(step))
        })
    }

    /// A subquery in an expression over these columns.
    fn within(&mut self, subquery: &mut Subquery, schema: &DFSchemaRef) -> Result<()> {
        self.outer.push(Arc::clone(schema));
        let done = self.subquery(subquery.clone());
        self.outer.pop();
        *subquery = done?;
        Ok(())
    }

    /// A column of an outer query gets the type that it has there.
    fn outer_column(&self, step: &mut Expr) {
        if let Expr::OuterReferenceColumn(field, column) = step
            && let Some(found) = self.outer.iter().rev().find_map(|schema| found(schema, column))
        {
            let field = mem::replace(field, found);
            debug_assert_eq!(field.name(), &column.name);
        }
    }
}

fn found(schema: &DFSchema, column: &Column) -> Option<arrow::datatypes::FieldRef> {
    schema.qualified_field_from_column(column).ok().map(|(_, field)| Arc::clone(field))
}

fn counts_rows(call: &AggregateFunction) -> bool {
    call.func.name() == "count" && matches!(call.params.args.as_slice(), [Expr::Literal(..)])
}

/// Whether an operand is a number that is written and has room in an integer.
pub(super) fn is_integer(operand: &Expr) -> bool {
    matches!(operand, Expr::Literal(ScalarValue::Int64(Some(written)), _) if integer_of(*written).is_some())
}

/// The integer that a bigint is, if it is one.
fn integer_of(written: i64) -> Option<i32> {
    i32::try_from(written).ok()
}
