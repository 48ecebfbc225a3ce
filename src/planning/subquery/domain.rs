//! The values of the outer query that a subquery depends on, as columns of the subquery.
//!
//! In general they are computed: the distinct combinations that the outer query has (the domain D of Neumann and Kemper,
//! "Unnesting Arbitrary Queries", BTW 2015). Where the subquery says that each is equal to something of its own, that is
//! taken instead: it costs nothing, and the combinations that the outer query does not have find no partner.
//!
//! Values that are equal and not the same, as `1 day` and `24:00:00` or 0 and -0, are two values of the domain, because the
//! subquery may tell them apart: numbers stand for them there, of which the values are made again where they are asked for.

use arrow::datatypes::DataType;
use datafusion::{
    common::{Column, JoinType, Result},
    logical_expr::{
        BinaryExpr, Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Operator, utils::split_conjunction,
    },
};

use super::{
    Unnester,
    outer::{Outer, expression_refers, references_of, refers},
};
use crate::planning::{
    floats::{self, is_float},
    interval_lengths::{self, is_interval},
};

/// What a dependent plan is computed for.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    /// The columns of the outer query that it depends on.
    pub(super) outer: Outer,
    /// The names, each given once, of the columns that stand for them.
    pub(super) names: Vec<String>,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The distinct values of the outer columns, a column each in their order, and what stands for them there.
    Distinct(Box<LogicalPlan>, Vec<Standing>),
    /// What the subquery equates with expressions of the outer query: pairs of the outer expression and the subquery's.
    Equal(Vec<(Expr, Expr)>),
}

/// What stands for the values of an outer column.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// They themselves: those that are equal are the same.
    Value,
    /// Numbers, one for each of the floats of this type.
    Float(DataType),
    /// Numbers, one for each interval.
    Interval,
}

impl Standing {
    fn of(data_type: &DataType) -> Self {
        if is_float(data_type) {
            Self::Float(data_type.clone())
        } else if is_interval(data_type) {
            Self::Interval
        } else {
            Self::Value
        }
    }

    fn of_value(&self, value: Expr) -> Expr {
        match self {
            Self::Value => value,
            Self::Float(_) => floats::number_of(value),
            Self::Interval => interval_lengths::number_of(value),
        }
    }

    fn value(&self, standing: Expr) -> Expr {
        match self {
            Self::Value => standing,
            Self::Float(float) => floats::of_number(standing, float.clone()),
            Self::Interval => interval_lengths::of_number(standing),
        }
    }
}

impl Domain {
    /// The name of the column of a dependent plan that stands for an outer one, and what makes the value of it. None of a
    /// domain of equal values, which has no need.
    pub(super) fn value_of(&self, column: &Column) -> Option<(&str, impl Fn(Expr) -> Expr)> {
        let Origin::Distinct(_, standing) = &self.origin else { return None };
        let at = self.outer.iter().position(|outer| outer == column)?;
        let (name, standing) = (self.names.get(at)?, standing.get(at)?);
        Some((name.as_str(), move |column| standing.value(column)))
    }

    /// What each of the names is equal to in the outer query.
    pub(super) fn outer_values(&self) -> Vec<Expr> {
        match &self.origin {
            Origin::Distinct(_, standing) => {
                let columns = self.outer.iter().cloned().map(Expr::Column);
                columns.zip(standing).map(|(column, standing)| standing.of_value(column)).collect()
            }
            Origin::Equal(pairs) => {
                let own = |expression: &Expr| super::outer::from_outside(expression.clone(), &self.outer);
                pairs.iter().filter_map(|(outer, _)| own(outer).ok()).collect()
            }
        }
    }

    /// Whether two NULLs are the same value of the domain. What a subquery equates is never NULL.
    pub(super) fn null_is_a_value(&self) -> bool {
        matches!(self.origin, Origin::Distinct(..))
    }
}

impl Unnester {
    /// The cheapest domain for what `plan` refers to of `around`.
    pub(super) fn domain(&mut self, plan: &LogicalPlan, outer: Outer, around: &LogicalPlan) -> Result<Domain> {
        match equated(plan, &outer)? {
            Some(pairs) => Ok(Domain { names: self.names("__key", pairs.len()), outer, origin: Origin::Equal(pairs) }),
            None => self.distinct_domain(outer, around),
        }
    }

    /// The domain of the distinct values of these columns of `around`.
    pub(super) fn distinct_domain(&mut self, outer: Outer, around: &LogicalPlan) -> Result<Domain> {
        let names = self.names("__outer", outer.len());
        let standing = outer.iter().map(|column| {
            let (_, field) = around.schema().qualified_field_from_column(column)?;
            Ok(Standing::of(field.data_type()))
        });
        let standing = standing.collect::<Result<Vec<_>>>()?;
        let columns = outer.iter().zip(&standing).zip(&names);
        let columns =
            columns.map(|((column, standing), name)| standing.of_value(Expr::Column(column.clone())).alias(name));
        let distinct = LogicalPlanBuilder::from(around.clone()).project(columns)?.distinct()?.build()?;
        Ok(Domain { outer, names, origin: Origin::Distinct(Box::new(distinct), standing) })
    }

    fn names(&mut self, prefix: &str, count: usize) -> Vec<String> {
        (0..count).map(|_| self.name(prefix)).collect()
    }
}

/// The pairs, if one filter of the plan equates everything that the plan refers to with something of its own, and what
/// stands above that filter treats the rows of each value by themselves once it is grouped or partitioned by it.
fn equated(plan: &LogicalPlan, outer: &Outer) -> Result<Option<Vec<(Expr, Expr)>>> {
    let input = match plan {
        LogicalPlan::Filter(Filter { input, predicate, .. }) if !refers(input, outer)? => {
            return equations(predicate, outer);
        }
        LogicalPlan::Filter(Filter { input, .. })
        | LogicalPlan::Projection(datafusion::logical_expr::Projection { input, .. })
        | LogicalPlan::SubqueryAlias(datafusion::logical_expr::SubqueryAlias { input, .. })
        | LogicalPlan::Window(datafusion::logical_expr::Window { input, .. })
        | LogicalPlan::Sort(datafusion::logical_expr::Sort { input, .. })
        | LogicalPlan::Limit(datafusion::logical_expr::Limit { input, .. })
        | LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => input,
        LogicalPlan::Aggregate(aggregate)
            if !aggregate.group_expr.is_empty() && !super::push::has_grouping_sets(aggregate) =>
        {
            &aggregate.input
        }
        LogicalPlan::Join(Join { left, right, join_type, .. }) => match (refers(left, outer)?, refers(right, outer)?) {
            (true, false) if keeps_left(*join_type) => left,
            (false, true) if *join_type == JoinType::Inner => right,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    for expression in plan.expressions() {
        if expression_refers(&expression, outer)? {
            return Ok(None);
        }
    }
    equated(input, outer)
}

/// Joins that pair the rows of their left side each by itself.
fn keeps_left(join_type: JoinType) -> bool {
    matches!(join_type, JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}

fn equations(predicate: &Expr, outer: &Outer) -> Result<Option<Vec<(Expr, Expr)>>> {
    let mut pairs = Vec::new();
    for condition in split_conjunction(predicate) {
        if !expression_refers(condition, outer)? {
            continue;
        }
        match equation(condition, outer)? {
            Some(pair) => pairs.push(pair),
            None => return Ok(None),
        }
    }
    Ok((!pairs.is_empty()).then_some(pairs))
}

/// The sides of `outer expression = own expression`.
pub(super) fn equation(condition: &Expr, outer: &Outer) -> Result<Option<(Expr, Expr)>> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return Ok(None) };
    if condition.is_volatile() {
        return Ok(None);
    }
    let is_outer = |side: &Expr| -> Result<bool> {
        let found = references_of(side)?;
        Ok(!found.is_empty() && found.is_subset(outer) && side.column_refs().is_empty())
    };
    let is_own =
        |side: &Expr| -> Result<bool> { Ok(!expression_refers(side, outer)? && !side.column_refs().is_empty()) };
    if is_outer(left)? && is_own(right)? {
        return Ok(Some(((**left).clone(), (**right).clone())));
    }
    if is_outer(right)? && is_own(left)? {
        return Ok(Some(((**right).clone(), (**left).clone())));
    }
    Ok(None)
}
