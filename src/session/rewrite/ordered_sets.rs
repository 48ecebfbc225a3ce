//! Aggregates of ordered sets, `percentile_disc(0.5) WITHIN GROUP (ORDER BY x)`, and of hypothetical ones,
//! `rank(3) WITHIN GROUP (ORDER BY x)`, of which the planner knows few and those otherwise.
//!
//! Of the first kind the values are collected in an array, and a function makes of that what is asked:
//! `percentile_disc_of(0.5, array_agg(x), false)`. What is in the parentheses is computed once a group so. Of the second kind the
//! rows are counted that come before the hypothetical one: `count(*) FILTER (WHERE x < 3) + 1`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, DuplicateTreatment, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, OrderByExpr, Value, helpers::attached_token::AttachedToken, visit_expressions,
};

use super::{all, any, call, nested, number, operation};
use crate::{Error, Fault, Result};

/// Aggregates of the values of a group in an order, and what makes them of an array.
const ORDERED: &[(&str, &str, usize)] = &[
    ("mode", "mode_of", 0),
    ("percentile_cont", "percentile_cont_of", 1),
    ("percentile_disc", "percentile_disc_of", 1),
];

/// Aggregates that tell of a row that is not there what windows tell of rows.
const HYPOTHETICAL: &[&str] = &["cume_dist", "dense_rank", "percent_rank", "rank"];

/// See the module; anything else stays as it is.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::Function(function) = expression else { return Ok(()) };
    let name = match function.name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.to_lowercase()).unwrap_or_default(),
        _ => return Ok(()),
    };
    let ordered = ORDERED.iter().find(|(known, ..)| *known == name);
    let is_hypothetical = HYPOTHETICAL.contains(&name.as_str());
    if ordered.is_none() && !is_hypothetical {
        return Ok(());
    }
    let direct = arguments(function);
    if function.within_group.is_empty() {
        // A window function has no arguments.
        if is_hypothetical && direct.as_ref().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let message = format!("WITHIN GROUP is required for ordered-set aggregate {name}");
        return Err(Error::new(Fault::WrongObjectType, message));
    }
    check(function, &name)?;
    let count = direct.as_ref().map_or(0, Vec::len);
    let keys = std::mem::take(&mut function.within_group);
    *expression = match (ordered, direct) {
        (Some((_, made_by, wanted)), Some(direct)) if count == *wanted => match keys.as_slice() {
            [key] => of_array(made_by, direct, function, key),
            _ => return Err(does_not_exist(&name, count, keys.len())),
        },
        (None, Some(direct)) if count == keys.len() => hypothetical(&name, &Hypothetical::new(direct, keys, function)),
        _ => return Err(does_not_exist(&name, count, keys.len())),
    };
    Ok(())
}

fn does_not_exist(name: &str, direct: usize, keys: usize) -> Error {
    let message =
        format!("function {name} of {direct} arguments WITHIN GROUP (ORDER BY {keys} of them) does not exist");
    Error::new(Fault::UndefinedFunction, message)
}

/// The arguments, if they are all values.
fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return Some(Vec::new()) };
    let value = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
        _ => None,
    };
    list.args.iter().map(value).collect()
}

/// Refuses what PostgreSQL refuses beside WITHIN GROUP.
fn check(function: &Function, name: &str) -> Result<()> {
    if function.over.is_some() {
        let message = format!("OVER is not supported for ordered-set aggregate {name}");
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
        return Err(Error::new(Fault::Syntax, "cannot use DISTINCT with WITHIN GROUP"));
    }
    if !list.clauses.is_empty() {
        return Err(Error::new(Fault::Syntax, "cannot use multiple ORDER BY clauses with WITHIN GROUP"));
    }
    Ok(())
}

/// What a function makes of the values that are collected.
fn of_array(made_by: &str, mut direct: Vec<Expr>, function: &Function, key: &OrderByExpr) -> Expr {
    // Of a fraction without a type PostgreSQL makes a double.
    for fraction in &mut direct {
        if matches!(fraction, Expr::Value(value) if matches!(value.value, Value::Null | Value::SingleQuotedString(_))) {
            *fraction = double(fraction.clone());
        }
    }
    let mut collected = call("array_agg", vec![key.expr.clone()]);
    if let Expr::Function(aggregate) = &mut collected {
        aggregate.filter = function.filter.clone();
    }
    let is_descending = key.options.asc == Some(false);
    let rest = [collected, Expr::Value(Value::Boolean(is_descending).into())];
    call(made_by, direct.into_iter().chain(rest).collect())
}

fn double(value: Expr) -> Expr {
    let data_type = DataType::Double(ExactNumberInfo::None);
    Expr::Cast { kind: CastKind::DoubleColon, expr: Box::new(value), data_type, array: false, format: None }
}

/// A row among others.
struct Hypothetical {
    direct: Vec<Expr>,
    keys: Vec<OrderByExpr>,
    filter: Option<Expr>,
}

impl Hypothetical {
    fn new(direct: Vec<Expr>, keys: Vec<OrderByExpr>, function: &Function) -> Self {
        let direct = direct.into_iter().map(nested).collect();
        let keys = keys.into_iter().map(|key| OrderByExpr { expr: nested(key.expr), ..key }).collect();
        Self { direct, keys, filter: function.filter.as_deref().cloned().map(nested) }
    }

    /// Whether a row comes before the one that is not there.
    fn is_before(&self) -> Expr {
        let mut before: Option<Expr> = None;
        for (value, key) in self.direct.iter().zip(&self.keys).rev() {
            let is_descending = key.options.asc == Some(false);
            let row = &key.expr;
            let op = if is_descending { BinaryOperator::Gt } else { BinaryOperator::Lt };
            let (first, last) = match key.options.nulls_first.unwrap_or(is_descending) {
                true => (row, value),
                false => (value, row),
            };
            let by_nulls = all([Expr::IsNull(Box::new(first.clone())), Expr::IsNotNull(Box::new(last.clone()))]);
            let own = [operation(row.clone(), op, value.clone()), by_nulls];
            let by_next = before
                .take()
                .map(|next| all([Expr::IsNotDistinctFrom(Box::new(row.clone()), Box::new(value.clone())), next]));
            before = Some(any(own.into_iter().chain(by_next)));
        }
        before.unwrap_or_else(|| any([]))
    }

    /// Whether a row is as the one that is not there.
    fn is_equal(&self) -> Expr {
        let pairs = self.direct.iter().zip(&self.keys);
        all(pairs.map(|(value, key)| Expr::IsNotDistinctFrom(Box::new(key.expr.clone()), Box::new(value.clone()))))
    }

    /// A count of the rows that fulfil all these, besides what the call says.
    fn counted(&self, value: FunctionArgExpr, is_distinct: bool, conditions: Vec<Expr>) -> Expr {
        let conditions: Vec<Expr> = self.filter.iter().cloned().chain(conditions).collect();
        let mut count = call("count", Vec::new());
        if let Expr::Function(function) = &mut count {
            if !conditions.is_empty() {
                function.filter = Some(Box::new(all(conditions)));
            }
            if let FunctionArguments::List(list) = &mut function.args {
                list.args.push(FunctionArg::Unnamed(value));
                list.duplicate_treatment = is_distinct.then_some(DuplicateTreatment::Distinct);
            }
        }
        count
    }

    fn rows(&self, conditions: Vec<Expr>) -> Expr {
        self.counted(FunctionArgExpr::Wildcard, false, conditions)
    }

    /// How many different rows come before it.
    fn different(&self) -> Expr {
        let before = || vec![self.is_before()];
        match self.keys.as_slice() {
            [key] => {
                let value = FunctionArgExpr::Expr(key.expr.clone());
                let nulls = self.rows(vec![self.is_before(), Expr::IsNull(Box::new(key.expr.clone()))]);
                let has_nulls = operation(nulls, BinaryOperator::Gt, number("0"));
                let one = choice(has_nulls, number("1"), number("0"));
                operation(self.counted(value, true, before()), BinaryOperator::Plus, one)
            }
            keys => {
                let row = call("row", keys.iter().map(|key| key.expr.clone()).collect());
                self.counted(FunctionArgExpr::Expr(row), true, before())
            }
        }
    }

    /// One; what is in the parentheses is named beside it, so that columns are refused by which rows are not grouped.
    fn itself(&self) -> Expr {
        let has_columns = self.direct.iter().any(|value| {
            let found = visit_expressions(value, |part| match part {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            });
            found.is_break()
        });
        if !has_columns {
            return number("1");
        }
        let named = self.direct.iter().map(|value| Expr::IsNull(Box::new(value.clone())));
        choice(any(named), number("1"), number("1"))
    }
}

/// One value if a condition is true, and another if not.
fn choice(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result: then }],
        else_result: Some(Box::new(otherwise)),
    }))
}

fn quotient(part: Expr, whole: Expr) -> Expr {
    operation(double(nested(part)), BinaryOperator::Divide, double(nested(whole)))
}

fn hypothetical(name: &str, row: &Hypothetical) -> Expr {
    let plus = |count: Expr| operation(count, BinaryOperator::Plus, row.itself());
    let before = || row.rows(vec![row.is_before()]);
    let result = match name {
        "rank" => plus(before()),
        "dense_rank" => plus(row.different()),
        "percent_rank" => {
            let is_alone = operation(row.rows(Vec::new()), BinaryOperator::Eq, number("0"));
            // So that it is named as well.
            let part = operation(plus(before()), BinaryOperator::Minus, number("1"));
            choice(is_alone, double(number("0")), quotient(part, row.rows(Vec::new())))
        }
        _ => {
            let up_to = row.rows(vec![any([row.is_before(), row.is_equal()])]);
            quotient(plus(up_to), operation(row.rows(Vec::new()), BinaryOperator::Plus, number("1")))
        }
    };
    nested(result)
}
