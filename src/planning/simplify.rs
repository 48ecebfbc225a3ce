//! Simplifies expressions without forgetting that a condition may be unknown.
//!
//! The query engine's own rule merges `x IN (…) AND x IN (…)` and the like into one list, or into `false`. That is wrong
//! where `x`, or an element, is NULL, and where elements are columns, which may be equal though they are written otherwise.
//! `s ~ '.*'` of NULL becomes `false`, `a # a` becomes 0 and `a & -a` too. Here the rule runs over expressions in which what
//! it would take for the same, or for a constant, is told apart. For aggregates and windows, whose columns are named by their
//! expressions, a projection computes these first; and a constant that fails behind a guard is not evaluated early.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{
        Column, DFSchema, Result, ScalarValue, TableReference, internal_err,
        metadata::FieldMetadata,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Aggregate, Between, BinaryExpr, Cast, ColumnarValue, Expr, Filter, Like, LogicalPlan, Operator, Projection,
        ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, Window,
        expr::{Alias, InList, ScalarFunction},
        lit,
    },
    optimizer::{ApplyOrder, Optimizer, OptimizerConfig, OptimizerRule, simplify_expressions::SimplifyExpressions},
};

use super::{
    arithmetic::{checked_constant, is_calculation},
    around::Rule,
    days, steps,
};

/// The key in the metadata of the aliases that tell expressions apart.
const APART: &str = "fusewire.apart";

/// The engine's optimizer rules, with this one in the place of its own of that name.
pub(crate) fn rules() -> Vec<Rule> {
    let ours = |rule: Rule| -> Rule { if rule.name() == SIMPLIFY { Arc::new(Simplify::default()) } else { rule } };
    Optimizer::new().rules.into_iter().map(ours).collect()
}

/// What the engine calls its own rule.
const SIMPLIFY: &str = "simplify_expressions";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Simplify {
    inner: SimplifyExpressions,
}

impl OptimizerRule for Simplify {
    fn name(&self) -> &str {
        SIMPLIFY
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // There an expression's text with all its marks would be the name of a column.
        let computed = match &plan {
            LogicalPlan::Aggregate(aggregate) => computed_below(aggregate)?,
            LogicalPlan::Window(window) => window_computed_below(window)?,
            _ => return self.apart(plan, config),
        };
        match computed {
            Some(computed) => Ok(Transformed::yes(computed)),
            None => {
                let schema = schema_of_calculations(&plan)?;
                let checked = |step: Expr| checked_constant(step, &schema);
                let checked = plan.map_expressions(|expression| expression.transform_up(checked))?;
                self.inner.rewrite(checked.data, config)
            }
        }
    }
}

impl Simplify {
    /// The engine's rule over expressions in which what it would take for the same, or for a constant, is told apart.
    fn apart(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let number = AtomicU64::new(1);
        let filters = matches!(plan, LogicalPlan::Filter(_));
        let schema = schema_of_calculations(&plan)?;
        let marked = plan.map_expressions(|expression| {
            let guarded = expression.exists(|part| Ok(guards(part)))?;
            let place = Place { filters, guarded };
            expression.transform_up(|node| tell_apart(node, &number, place, &schema))
        })?;
        let simplified = self.inner.rewrite(marked.data, config)?;
        if !marked.transformed {
            return Ok(simplified);
        }
        let unmarked = simplified.data.map_expressions(|expression| expression.transform_up(as_it_was))?.data;
        let of_days = match unmarked {
            LogicalPlan::Filter(filter) => with_days(filter)?,
            other => Transformed::no(other),
        };
        let changed = simplified.transformed || of_days.transformed;
        Ok(Transformed::new_transformed(of_days.data, changed))
    }
}

/// A filter whose dates are compared with days, where they may be.
fn with_days(mut filter: Filter) -> Result<Transformed<LogicalPlan>> {
    let schema = Arc::clone(filter.input.schema());
    let compared = filter.predicate.transform_up(|step| days::compared(step, &schema))?;
    filter.predicate = compared.data;
    Ok(Transformed::new_transformed(LogicalPlan::Filter(filter), compared.transformed))
}

/// The columns that a node's calculations may be of; none where it has no calculation.
fn schema_of_calculations(node: &LogicalPlan) -> Result<DFSchema> {
    if steps::any(node, is_calculation)? { steps::columns_of(node) } else { Ok(DFSchema::empty()) }
}

/// An aggregate over columns in the place of expressions that the rule may take for others: a projection computes them.
///
/// So are operands that sums share but for a constant. The rule makes `sum(x) + 1 * count(x)` of `sum(x + 1)`, which is another
/// number where x is a float, and finds two of one name where the statement has that `count(x)` too.
fn computed_below(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let mut below = Below::new(&aggregate.input);
    below.sums = aggregate.aggr_expr.iter().filter(|call| is_sum_with_constant(call)).count() > 1;
    let mut groups = Vec::with_capacity(aggregate.group_expr.len());
    for (at, group) in aggregate.group_expr.iter().enumerate() {
        groups.push(match group {
            Expr::GroupingSet(_) => group.clone(),
            _ => below.computed(group.clone())?.map_or_else(|| group.clone(), |own| named(own, &aggregate.schema, at)),
        });
    }
    let before = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
    for (at, call) in aggregate.aggr_expr.iter().enumerate() {
        calls.push(below.within(call.clone(), &aggregate.schema, before + at)?);
    }
    let Some(input) = below.projection(&aggregate.input)? else { return Ok(None) };
    Ok(Some(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, calls)?)))
}

fn is_sum_with_constant(call: &Expr) -> bool {
    match call {
        Expr::Alias(alias) => is_sum_with_constant(&alias.expr),
        Expr::AggregateFunction(call) => call.func.name() == "sum" && call.params.args.iter().any(is_with_constant),
        _ => false,
    }
}

fn is_with_constant(operand: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, right, .. }) = operand else { return false };
    is_constant(left) != is_constant(right)
}

/// The same for a window.
fn window_computed_below(window: &Window) -> Result<Option<LogicalPlan>> {
    let mut below = Below::new(&window.input);
    let before = window.schema.fields().len() - window.window_expr.len();
    let mut calls = Vec::with_capacity(window.window_expr.len());
    for (at, call) in window.window_expr.iter().enumerate() {
        calls.push(below.within(call.clone(), &window.schema, before + at)?);
    }
    let Some(input) = below.projection(&window.input)? else { return Ok(None) };
    let shown = window.schema.columns().into_iter().map(Expr::Column).collect();
    let computed = LogicalPlan::Window(Window::try_new(calls, Arc::new(input))?);
    Ok(Some(LogicalPlan::Projection(Projection::try_new(shown, Arc::new(computed))?)))
}

/// Expressions that are computed below a node.
struct Below {
    /// The names of the columns that are there.
    taken: HashSet<String>,
    named: usize,
    expressions: Vec<Expr>,
    /// Whether operands of sums are computed that are something and a constant.
    sums: bool,
}

impl Below {
    fn new(input: &LogicalPlan) -> Self {
        let taken = input.schema().fields().iter().map(|field| field.name().clone()).collect();
        Self { taken, named: 0, expressions: Vec::new(), sums: false }
    }

    /// The column in the place of an expression, if that has to be computed below.
    fn computed(&mut self, expression: Expr) -> Result<Option<Expr>> {
        let is_operand = self.sums && is_with_constant(&expression);
        if !is_operand && !may_be_confused(&expression)? {
            return Ok(None);
        }
        let name = loop {
            let name = format!("__computed_{}", self.named);
            self.named += 1;
            if !self.taken.contains(&name) {
                break name;
            }
        };
        self.expressions.push(expression.alias(&name));
        Ok(Some(Expr::Column(Column::new_unqualified(name))))
    }

    /// A call with columns in the places of its operands that have to be computed below, under its own name.
    fn within(&mut self, call: Expr, schema: &DFSchema, at: usize) -> Result<Expr> {
        let before = self.expressions.len();
        let changed = call.transform_down(|part| match part {
            Expr::AggregateFunction(mut call) => {
                let params = &mut call.params;
                let sorts = params.order_by.iter_mut().map(|sort| &mut sort.expr);
                self.replace(params.args.iter_mut().chain(sorts).chain(params.filter.as_deref_mut()))?;
                Ok(Transformed::new(Expr::AggregateFunction(call), true, TreeNodeRecursion::Jump))
            }
            Expr::WindowFunction(mut call) => {
                let params = &mut call.params;
                let sorts = params.order_by.iter_mut().map(|sort| &mut sort.expr);
                let operands = params.args.iter_mut().chain(sorts).chain(&mut params.partition_by);
                self.replace(operands.chain(params.filter.as_deref_mut()))?;
                Ok(Transformed::new(Expr::WindowFunction(call), true, TreeNodeRecursion::Jump))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(if self.expressions.len() > before { named(changed.data.unalias(), schema, at) } else { changed.data })
    }

    fn replace<'a>(&mut self, operands: impl Iterator<Item = &'a mut Expr>) -> Result<()> {
        for operand in operands {
            if let Some(column) = self.computed(operand.clone())? {
                *operand = column;
            }
        }
        Ok(())
    }

    /// The input with what is computed; none if nothing is.
    fn projection(self, input: &Arc<LogicalPlan>) -> Result<Option<LogicalPlan>> {
        if self.expressions.is_empty() {
            return Ok(None);
        }
        let columns = input.schema().columns().into_iter().map(Expr::Column).chain(self.expressions);
        Ok(Some(LogicalPlan::Projection(Projection::try_new(columns.collect(), Arc::clone(input))?)))
    }
}

/// An expression under the name of a node's column.
fn named(expression: Expr, schema: &DFSchema, at: usize) -> Expr {
    let (qualifier, field) = schema.qualified_field(at);
    expression.alias_qualified(qualifier.cloned(), field.name())
}

/// Whether the rule could take parts of an expression for the same, or for a constant.
fn may_be_confused(expression: &Expr) -> Result<bool> {
    let guarded = expression.exists(|part| Ok(guards(part)))?;
    let (mut compared, mut confused) = (0, false);
    expression.apply(|part| {
        match part {
            Expr::InList(_) | Expr::Between(_) | Expr::Like(_) => compared += 1,
            Expr::BinaryExpr(BinaryExpr { op, right, .. }) => match op {
                Operator::BitwiseAnd | Operator::BitwiseOr | Operator::BitwiseXor => confused = true,
                Operator::RegexMatch | Operator::RegexIMatch => confused |= matches_all(right),
                op if op.supports_propagation() => compared += 1,
                _ => {}
            },
            Expr::Cast(cast) => confused |= guarded && may_fail(cast),
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(confused || compared > 1)
}

/// What an expression stands in.
#[derive(Clone, Copy)]
struct Place {
    filters: bool,
    /// Some of it may never be evaluated.
    guarded: bool,
}

/// Whether an expression evaluates some of its operands only where others let it.
fn guards(expression: &Expr) -> bool {
    match expression {
        Expr::Case(_) | Expr::BinaryExpr(BinaryExpr { op: Operator::And | Operator::Or, .. }) => true,
        Expr::ScalarFunction(call) => call.func.name() == "coalesce",
        _ => false,
    }
}

/// Whether what is cast is, or may turn out to be, a constant that is no value of the type.
fn may_fail(cast: &Cast) -> bool {
    match cast.expr.as_ref() {
        Expr::Literal(value, _) => value.cast_to(cast.field.data_type()).is_err(),
        other => is_constant(other),
    }
}

fn tell_apart(expression: Expr, number: &AtomicU64, place: Place, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let next = || number.fetch_add(1, Ordering::Relaxed);
    let checked = checked_constant(expression, schema)?;
    if checked.transformed {
        return Ok(checked);
    }
    Ok(match checked.data {
        Expr::InList(InList { expr, list, negated }) => {
            let expr = Box::new(under_its_name(*expr, next()));
            Transformed::yes(Expr::InList(InList { expr, list, negated }))
        }
        // One operand may fail whatever the other is: `x * 0` is not 0 where there is no x, and constants fail beside NULL.
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if makes_needless(&left, op, &right, place) => {
            let (left, right) = (Box::new(kept(*left, next())), Box::new(kept(*right, next())));
            Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::BitwiseAnd | Operator::BitwiseOr | Operator::BitwiseXor => {
                let left = Box::new(marked(*left, next()));
                let right = Box::new(marked(*right, next()));
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            Operator::RegexMatch | Operator::RegexIMatch if matches_all(&right) => {
                Transformed::yes(left.is_not_null().or(lit(ScalarValue::Boolean(None))))
            }
            Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                // In a filter the constant stands right: what compares bounds afterwards takes `5 < x` for `x >= 5`.
                // Elsewhere an expression's text may be a column's name.
                let (left, op, right) = match op.swap() {
                    Some(swapped) if place.filters && is_constant(&left) && !is_constant(&right) => {
                        (right, swapped, left)
                    }
                    _ => (left, op, right),
                };
                if is_constant(&left) == is_constant(&right) {
                    return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })));
                }
                let (left, right) = (Box::new(column_marked(*left)), Box::new(column_marked(*right)));
                Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right }))
            }
            op => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
        },
        // The rule evaluates what is constant, and what fails then fails the statement, though it may be behind a guard.
        Expr::Cast(cast) if place.guarded && may_fail(&cast) => Transformed::yes(unfolded(cast, next())),
        Expr::Like(like) => {
            let expr = Box::new(column_marked(*like.expr));
            Transformed::yes(Expr::Like(Like { expr, ..like }))
        }
        Expr::Between(between) => {
            let expr = Box::new(column_marked(*between.expr));
            Transformed::yes(Expr::Between(Between { expr, ..between }))
        }
        other => Transformed::no(other),
    })
}

/// Whether the rule, for what one operand is or may turn out to be, could leave the other uncomputed that can fail.
fn makes_needless(left: &Expr, op: Operator, right: &Expr, place: Place) -> bool {
    let is_literal = |operand: &Expr| matches!(operand, Expr::Literal(..));
    let is_there = |operand: &Expr| is_literal(operand) || matches!(operand, Expr::Column(_));
    let absorbs = matches!(op, Operator::Multiply | Operator::Modulo | Operator::BitwiseAnd | Operator::BitwiseOr);
    let of_constants = !place.guarded && op.returns_null_on_null() && is_constant(left) && is_constant(right);
    let beside_one = absorbs && (is_literal(left) && !is_there(right) || is_literal(right) && !is_there(left));
    beside_one || of_constants && !(is_literal(left) && is_literal(right))
}

/// A column compared with a constant: the rule makes lists of several such comparisons, and merges the lists. All get one
/// mark, so that equal comparisons stay equal.
fn column_marked(expression: Expr) -> Expr {
    match expression {
        Expr::Column(_) => marked(expression, 0),
        Expr::Cast(mut cast) => {
            cast.expr = Box::new(column_marked(*cast.expr));
            Expr::Cast(cast)
        }
        Expr::TryCast(mut cast) => {
            cast.expr = Box::new(column_marked(*cast.expr));
            Expr::TryCast(cast)
        }
        other => other,
    }
}

/// The expression with a mark, unless it is a constant, which is the same wherever it stands.
fn marked(expression: Expr, number: u64) -> Expr {
    if matches!(expression, Expr::Literal(..)) { expression } else { under_its_name(expression, number) }
}

/// The expression under an alias of its own name: nothing that is shown, or that a plan is built from, changes.
fn under_its_name(expression: Expr, number: u64) -> Expr {
    let name = expression.qualified_name();
    under_name(expression, name, number)
}

/// The same of an expression in the place of one of this name.
fn under_name(expression: Expr, (relation, name): (Option<TableReference>, String), number: u64) -> Expr {
    let metadata = FieldMetadata::new(BTreeMap::from([(APART.to_owned(), number.to_string())]));
    Expr::Alias(Alias::new(expression, relation, name).with_metadata(Some(metadata)))
}

/// The cast as a call that is not evaluated, under the cast's name.
fn unfolded(cast: Cast, number: u64) -> Expr {
    let field = Arc::clone(&cast.field);
    let name = Expr::Cast(cast.clone()).qualified_name();
    let function = ScalarUDF::from(Unfolded { field, signature: Signature::any(1, Volatility::Volatile) });
    under_name(function.call(vec![*cast.expr]), name, number)
}

/// An expression, which may be simplified, as a value that is not known while the rule runs.
fn kept(expression: Expr, number: u64) -> Expr {
    static KEPT: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(Kept { signature: Signature::any(1, Volatility::Volatile) })));
    let name = expression.qualified_name();
    let call = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&KEPT), vec![expression]));
    under_name(call, name, number)
}

/// What keeps a value from being known.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kept {
    signature: Signature,
}

impl ScalarUDFImpl for Kept {
    fn name(&self) -> &str {
        "kept"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().map_or_else(|| internal_err!("a value without a type"), |own| Ok(own.clone()))
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("a value that is not to be known yet")
    }
}

/// A cast, while the rule runs.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Unfolded {
    field: FieldRef,
    signature: Signature,
}

impl ScalarUDFImpl for Unfolded {
    fn name(&self) -> &str {
        "unfolded"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.field.data_type().clone())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("a cast that is not to be evaluated yet")
    }
}

fn as_it_was(expression: Expr) -> Result<Transformed<Expr>> {
    Ok(match expression {
        Expr::ScalarFunction(mut call) if call.func.inner().is::<Kept>() => match call.args.pop() {
            Some(inner) => Transformed::yes(inner),
            None => return internal_err!("nothing was kept"),
        },
        Expr::ScalarFunction(mut call) if call.func.inner().is::<Unfolded>() => {
            let field = call.func.inner().downcast_ref::<Unfolded>().map(|unfolded| Arc::clone(&unfolded.field));
            match (field, call.args.pop()) {
                (Some(field), Some(inner)) => {
                    Transformed::yes(Expr::Cast(Cast::new_from_field(Box::new(inner), field)))
                }
                _ => return internal_err!("a cast of nothing"),
            }
        }
        Expr::Alias(Alias { expr, metadata: Some(metadata), .. }) if metadata.inner().contains_key(APART) => {
            Transformed::yes(*expr)
        }
        other => Transformed::no(other),
    })
}

fn is_constant(expression: &Expr) -> bool {
    expression.column_refs().is_empty()
}

/// Whether a pattern is one that every text fits.
fn matches_all(pattern: &Expr) -> bool {
    match pattern {
        Expr::Literal(value, _) => matches!(value.try_as_str().flatten(), Some(".*" | "(?s).*")),
        Expr::Cast(cast) => matches_all(&cast.expr),
        _ => false,
    }
}
