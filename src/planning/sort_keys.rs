//! What rows are sorted by, as columns.
//!
//! The query engine looks at an expression that rows are sorted by to find out whether they are sorted by it already, and gives
//! up over some: `ORDER BY coalesce(x, 0) > 4` over rows in several partitions is refused, because the order is not recognised
//! where the partitions are merged. A column is recognised, and its values are computed once. A float's is its place in
//! PostgreSQL's order. An aggregate that names a key twice has it once, where it decides something: the engine counts the keys
//! without the second, and takes its values for those of the next.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, DFSchema, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult},
    },
    logical_expr::{
        Expr, ExprSchemable, LogicalPlan, Projection, Sort, SortExpr, Window, WindowFrameBound, WindowFrameUnits,
    },
    optimizer::AnalyzerRule,
};

use super::{
    floats::{is_float, one_zero, place_of},
    steps,
};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct SortByColumns;

impl AnalyzerRule for SortByColumns {
    fn name(&self) -> &str {
        "sort_by_columns"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = steps::change(plan, has_key_twice, |step, _| Ok(with_keys_once(step)))?;
        let mut names = Names(0);
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Sort(sort) => sort_by_columns(sort, &mut names),
            LogicalPlan::Window(window) => window_over_columns(window, &mut names),
            other => Ok(Transformed::no(other)),
        })
        .data()
    }
}

fn has_key_twice(step: &Expr) -> bool {
    let Expr::AggregateFunction(call) = step else { return false };
    let keys = &call.params.order_by;
    keys.iter().enumerate().any(|(at, key)| keys[..at].iter().any(|before| before.expr == key.expr))
}

fn with_keys_once(step: Expr) -> Transformed<Expr> {
    let Expr::AggregateFunction(mut call) = step else { return Transformed::no(step) };
    let mut kept: Vec<SortExpr> = Vec::with_capacity(call.params.order_by.len());
    for key in std::mem::take(&mut call.params.order_by) {
        if kept.iter().all(|before| before.expr != key.expr) {
            kept.push(key);
        }
    }
    call.params.order_by = kept;
    Transformed::yes(Expr::AggregateFunction(call))
}

/// Names that nothing in a statement has.
struct Names(usize);

impl Names {
    /// The column that takes a key's place, and the key under its name.
    fn column(&mut self, key: Expr) -> (Expr, Expr) {
        self.0 += 1;
        let name = format!("__sort_{}", self.0);
        (Expr::Column(Column::new_unqualified(&name)), key.alias(name))
    }
}

fn is_computed(key: &Expr) -> bool {
    !matches!(key, Expr::Column(_) | Expr::Literal(..) | Expr::OuterReferenceColumn(..))
}

struct Key<'a> {
    key: &'a mut Expr,
    /// The bounds of one of the window's frames are reckoned from the key.
    is_reckoned: bool,
}

impl<'a> Key<'a> {
    fn new(key: &'a mut Expr) -> Self {
        Self { key, is_reckoned: false }
    }
}

/// The computed ones of these keys, in whose places are columns from then on.
fn replaced<'a>(keys: impl Iterator<Item = Key<'a>>, schema: &DFSchema, names: &mut Names) -> Result<Vec<Expr>> {
    let mut all: Vec<Expr> = Vec::new();
    let mut known: Vec<(Expr, Expr)> = Vec::new();
    for Key { key, is_reckoned } in keys {
        let is_float = is_float(&key.get_type(schema)?);
        if !is_float && !is_computed(key) {
            continue;
        }
        let wanted = std::mem::take(key);
        let wanted = match is_float {
            true if is_reckoned => one_zero(wanted.unalias()),
            true => place_of(wanted.unalias()),
            false => wanted.unalias(),
        };
        // The calls of a window have the same keys, and keep having them.
        *key = match known.iter().find(|(computed, _)| *computed == wanted) {
            Some((_, column)) => column.clone(),
            None => {
                let (column, computed) = names.column(wanted.clone());
                all.push(computed);
                known.push((wanted, column.clone()));
                column
            }
        };
    }
    Ok(all)
}

fn with_columns(input: Arc<LogicalPlan>, computed: Vec<Expr>) -> Result<Arc<LogicalPlan>> {
    let own = input.schema().columns().into_iter().map(Expr::Column);
    let shown = own.chain(computed).collect();
    Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(shown, input)?)))
}

fn sort_by_columns(mut sort: Sort, names: &mut Names) -> Result<Transformed<LogicalPlan>> {
    let own = sort.input.schema().columns().into_iter().map(Expr::Column).collect();
    let computed = replaced(sort.expr.iter_mut().map(|key| Key::new(&mut key.expr)), sort.input.schema(), names)?;
    if computed.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Sort(sort)));
    }
    sort.input = with_columns(sort.input, computed)?;
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(own, Arc::new(LogicalPlan::Sort(sort)))?)))
}

/// A window is partitioned and ordered by columns, too. Its own columns keep their names, which those above know.
fn window_over_columns(window: Window, names: &mut Names) -> Result<Transformed<LogicalPlan>> {
    let mut calls = window.window_expr.clone();
    let is_reckoned = calls.iter().any(reckons);
    let keys = calls.iter_mut().flat_map(|call| keys(call, is_reckoned));
    let computed = replaced(keys, window.input.schema(), names)?;
    if computed.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Window(window)));
    }
    let before = window.schema.fields().len() - calls.len();
    let named = calls.into_iter().enumerate().map(|(at, call)| {
        let (qualifier, field) = window.schema.qualified_field(before + at);
        call.unalias().alias_qualified(qualifier.cloned(), field.name())
    });
    let shown = window.schema.columns().into_iter().map(Expr::Column).collect();
    let computed = Window::try_new(named.collect(), with_columns(window.input, computed)?)?;
    let projection = Projection::try_new(shown, Arc::new(LogicalPlan::Window(computed)))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}

/// Whether the bounds of a call's frame are reckoned from its key.
fn reckons(call: &Expr) -> bool {
    match call {
        Expr::Alias(alias) => reckons(&alias.expr),
        Expr::WindowFunction(function) => {
            let frame = &function.params.window_frame;
            frame.units == WindowFrameUnits::Range
                && [&frame.start_bound, &frame.end_bound].into_iter().any(has_distance)
        }
        _ => false,
    }
}

/// What a window is partitioned and ordered by, which is the same for all its calls.
fn keys(call: &mut Expr, is_reckoned: bool) -> Vec<Key<'_>> {
    match call {
        Expr::Alias(alias) => keys(&mut alias.expr, is_reckoned),
        Expr::WindowFunction(function) => {
            let params = &mut function.params;
            let order = params.order_by.iter_mut().map(|key| Key { key: &mut key.expr, is_reckoned });
            params.partition_by.iter_mut().map(Key::new).chain(order).collect()
        }
        _ => Vec::new(),
    }
}

fn has_distance(bound: &WindowFrameBound) -> bool {
    match bound {
        WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => !distance.is_null(),
        WindowFrameBound::CurrentRow => false,
    }
}
