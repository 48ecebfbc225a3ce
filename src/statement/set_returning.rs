//! Functions that return a set of rows, where PostgreSQL has them: `generate_series`, `generate_subscripts` and `unnest` in
//! FROM, with columns of the items before them and `WITH ORDINALITY`, and in the SELECT list.
//!
//! The planner knows `unnest` of an array in a SELECT list. The other forms are written as that before they are planned.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    JoinOperator, ObjectName, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, Visit, VisitMut, Visitor, VisitorMut, visit_expressions,
};
use fusewire_udfs::{FUNCTIONS, TableFunction};

use super::query_arrays;
use crate::{
    error::MARK,
    planning::ELEMENTS_OF,
    session::{call, joins_by_name},
};

/// Functions of rows whose namesakes in expressions return a list.
const SERIES: &[&str] = &[
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_object_keys",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_object_keys",
    "pg_listening_channels",
    "pg_partition_ancestors",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
];

/// Those whose column is not called as they are.
const VALUES: &[&str] =
    &["json_array_elements", "json_array_elements_text", "jsonb_array_elements", "jsonb_array_elements_text"];

/// Functions of a window whose result is a number of rows, with the type that PostgreSQL gives it.
const RANKS: &[(&str, DataType)] = &[
    ("row_number", DataType::BigInt(None)),
    ("rank", DataType::BigInt(None)),
    ("dense_rank", DataType::BigInt(None)),
    ("ntile", DataType::Integer(None)),
];

/// Writes the forms of the module as the planner knows them.
pub(super) fn as_lists(statement: &mut impl VisitMut) {
    let _ = statement.visit(&mut Sets);
}

struct Sets;

impl VisitorMut for Sets {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        each_select(&mut query.body, &mut |select| {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } = item {
                    let name = series_name(expression);
                    unnest_series(expression);
                    if let (Some(name), SelectItem::UnnamedExpr(expression)) = (name, &*item) {
                        *item =
                            SelectItem::ExprWithAlias { expr: expression.clone(), alias: Ident::with_quote('"', name) };
                    }
                }
            }
        });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let order = ordered_by(query);
        each_select(&mut query.body, &mut |select| {
            without_lateral(&mut select.from);
            if let Some(apart) = lists_apart(select, order.as_deref()) {
                *select = apart;
            }
        });
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let Some(lateral) = from_function(factor).or_else(|| with_query(factor)) {
            *factor = lateral;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        // The engine's numbers of rows have no sign, so that they could not be compared with those that have.
        if let Expr::Function(function) = expression
            && function.over.is_some()
            && let Some((_, data_type)) = RANKS.iter().find(|(rank, _)| is_named(&function.name, rank))
        {
            *expression = cast(expression.clone(), data_type.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expression
            && is_named(name, "unnest")
            && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(array))] = list.args.as_mut_slice()
        {
            *array = flat(array.clone());
        }
        // The planner forgets the queries around the elements of a literal.
        if let Expr::Array(array) = expression
            && array.elem.iter().any(has_names)
            && !array.elem.iter().any(|element| matches!(element, Expr::Array(_)))
        {
            *expression = call("make_array", std::mem::take(&mut array.elem));
            return ControlFlow::Continue(());
        }
        if let Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } = expression {
            become_value(right);
        }
        if let Expr::Function(function) = expression
            && let FunctionArguments::Subquery(query) = &function.args
            && is_named(&function.name, "array")
            && let Some(aggregate) = query_arrays::aggregated(query)
        {
            *expression = Expr::Subquery(Box::new(aggregate));
        }
        ControlFlow::Continue(())
    }
}

/// `ANY (ARRAY(query))` compares the elements of one array: the query that it is written as would have rows that are compared.
fn become_value(array: &mut Expr) {
    if let Expr::Nested(inner) = array {
        return become_value(inner);
    }
    let is_of_query = match &*array {
        Expr::Function(function) => {
            matches!(function.args, FunctionArguments::Subquery(_)) && is_named(&function.name, "array")
        }
        _ => false,
    };
    if is_of_query {
        *array = call("coalesce", vec![array.clone()]);
    }
}

/// What a query is ordered by, if that is names and positions of its columns alone.
fn ordered_by(query: &Query) -> Option<Vec<Ident>> {
    let Some(order) = &query.order_by else { return Some(Vec::new()) };
    let OrderByKind::Expressions(order) = &order.kind else { return None };
    let mut names = Vec::new();
    for ordered in order {
        match &ordered.expr {
            Expr::Identifier(name) => names.push(name.clone()),
            Expr::Value(_) => {}
            _ => return None,
        }
    }
    Some(names)
}

/// A SELECT that unnests lists, and whose columns have names of columns that it reads, with the lists computed in a query of
/// their own: the planner computes both in one, and cannot tell the names apart.
fn lists_apart(select: &Select, order: Option<&[Ident]>) -> Option<Select> {
    let is_list = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => unnested_list(expr).is_some(),
        _ => false,
    };
    if !select.projection.iter().any(is_list) {
        return None;
    }
    // Each item is compared with each: only where there is a list.
    let renames = select.projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            unnested_list(expr).is_none()
                && *expr != Expr::Identifier(alias.clone())
                && select.projection.iter().any(|item| reads(item, &super::names::identifier(alias)))
        }
        SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => false,
        SelectItem::UnnamedExpr(expr) => {
            unnested_list(expr).is_none() && super::headings::heading(expr).is_some_and(|name| reads(item, &name))
        }
        _ => false,
    });
    // What a column of USING stands for has no name of its own.
    if !renames && !joins_by_name(&select.from) {
        return None;
    }
    let mut inner = select.clone();
    let mut outer = Vec::with_capacity(select.projection.len());
    for (at, item) in select.projection.iter().enumerate() {
        let column = Ident::with_quote('"', format!("{at}{MARK}"));
        let (expr, name) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, super::headings::heading(expr)),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(super::names::identifier(alias))),
            _ => return None,
        };
        let (computed, shown) = match unnested_list(expr) {
            Some(list) => (list.clone(), unnested(Expr::Identifier(column.clone()))),
            None if has_unnest(expr) => return None,
            None => (expr.clone(), Expr::Identifier(column.clone())),
        };
        inner.projection[at] = SelectItem::ExprWithAlias { expr: computed, alias: column };
        let alias = Ident::with_quote('"', name.unwrap_or_else(|| super::headings::NAMELESS.to_owned()));
        outer.push(SelectItem::ExprWithAlias { expr: shown, alias });
    }
    let is_shown = |name: &Ident| {
        let name = super::names::identifier(name);
        outer.iter().any(|item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value == name))
    };
    let groups_by_names = match &select.group_by {
        GroupByExpr::Expressions(groups, _) => groups.iter().any(|group| matches!(group, Expr::Identifier(_))),
        GroupByExpr::All(_) => true,
    };
    if !order?.iter().all(is_shown) || select.distinct.is_some() || groups_by_names {
        return None;
    }
    let mut lists = self::select(Vec::new())?;
    lists.body = Box::new(SetExpr::Select(Box::new(inner)));
    let SetExpr::Select(whole) = *selected_from(outer, lists, named("lists"))?.body else { return None };
    Some(*whole)
}

/// The list of `unnest(list)`.
fn unnested_list(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) if is_named(name, "unnest") => {
            match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(list))] => Some(list),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether an expression unnests a list by itself, not in a query within it.
fn has_unnest(expression: &Expr) -> bool {
    #[derive(Default)]
    struct Lists {
        depth: usize,
    }
    impl Visitor for Lists {
        type Break = ();

        fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
            match unnested_list(part) {
                Some(_) if self.depth == 0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expression.visit(&mut Lists::default()).is_break()
}

/// Whether a column of this name is read.
fn reads(item: &SelectItem, name: &str) -> bool {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return false;
    };
    visit_expressions(expression, |part| match part {
        Expr::Identifier(own) if super::names::identifier(own) == name => ControlFlow::Break(()),
        Expr::CompoundIdentifier(parts) if parts.last().map(super::names::identifier).as_deref() == Some(name) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// LATERAL has nothing to refer to on the right side of joins that keep all rows of that side.
fn without_lateral(from: &mut [TableWithJoins]) {
    for item in from {
        if let TableFactor::NestedJoin { table_with_joins, .. } = &mut item.relation {
            without_lateral(std::slice::from_mut(table_with_joins));
        }
        for join in &mut item.joins {
            if let TableFactor::NestedJoin { table_with_joins, .. } = &mut join.relation {
                without_lateral(std::slice::from_mut(table_with_joins));
            }
            let keeps_right = matches!(
                join.join_operator,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_)
            );
            match &mut join.relation {
                TableFactor::Derived { lateral, .. } | TableFactor::Function { lateral, .. } if keeps_right => {
                    *lateral = false;
                }
                _ => {}
            }
        }
    }
}

fn each_select(body: &mut SetExpr, work: &mut impl FnMut(&mut Select)) {
    match body {
        SetExpr::Select(select) => work(select),
        SetExpr::SetOperation { left, right, .. } => {
            each_select(left, work);
            each_select(right, work);
        }
        // A query of its own is visited by itself.
        _ => {}
    }
}

fn is_named(name: &ObjectName, wanted: &str) -> bool {
    matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| ident.value.eq_ignore_ascii_case(wanted)))
}

fn is_series(name: &ObjectName) -> bool {
    series_of(name).is_some()
}

fn series_of(name: &ObjectName) -> Option<&'static str> {
    SERIES.iter().copied().find(|series| is_named(name, series))
}

/// The series that a column is called by.
fn series_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Function(function) => series_of(&function.name).map(str::to_owned),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => series_name(inner),
        Expr::CompoundFieldAccess { root, .. } => series_name(root),
        _ => None,
    }
}

/// A series in a SELECT list is a row a value.
fn unnest_series(expression: &mut Expr) {
    match expression {
        Expr::Function(function) if is_series(&function.name) => *expression = unnested(expression.clone()),
        Expr::BinaryOp { left, right, .. } => {
            unnest_series(left);
            unnest_series(right);
        }
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } | Expr::Cast { expr: inner, .. } => {
            unnest_series(inner)
        }
        Expr::CompoundFieldAccess { root, .. } => unnest_series(root),
        _ => {}
    }
}

/// The elements of an array in one dimension, if it may have several.
fn flat(array: Expr) -> Expr {
    let has_one = match &array {
        Expr::Array(array) => array.elem.iter().all(|element| matches!(element, Expr::Value(_))),
        Expr::Function(function) => is_series(&function.name) || is_named(&function.name, ELEMENTS_OF),
        _ => false,
    };
    if has_one { array } else { call(ELEMENTS_OF, vec![array]) }
}

/// `unnest(array)`.
fn unnested(array: Expr) -> Expr {
    call("unnest", vec![array])
}

/// A function in FROM as a LATERAL subquery, where the planner would not have it: with columns of other items, with
/// ordinality, or with PostgreSQL's name of its column.
fn from_function(factor: &TableFactor) -> Option<TableFactor> {
    let (name, arrays, with_ordinality, alias) = match factor {
        TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => {
            ("unnest", array_exprs.clone(), *with_ordinality, alias.clone())
        }
        TableFactor::Table { name, args: Some(arguments), with_ordinality, alias, .. } if is_series(name) => {
            (series_of(name)?, vec![series(name, &arguments.args)?], *with_ordinality, alias.clone())
        }
        TableFactor::Function { name, args, with_ordinality, alias, .. } if is_series(name) => {
            (series_of(name)?, vec![series(name, args)?], *with_ordinality, alias.clone())
        }
        TableFactor::Function { name, args, with_ordinality, alias, .. } if is_named(name, "unnest") => {
            ("unnest", plain(args)?, *with_ordinality, alias.clone())
        }
        // With its schema in front it is not the parser's word.
        TableFactor::Table { name, args: Some(arguments), with_ordinality, alias, .. } if is_named(name, "unnest") => {
            ("unnest", plain(&arguments.args)?, *with_ordinality, alias.clone())
        }
        _ => return None,
    };
    if !with_ordinality && !arrays.iter().any(has_names) && name == "generate_series" {
        return streamed(factor, name);
    }
    let is_value = alias.is_none() && VALUES.contains(&name);
    let alias = alias.unwrap_or_else(|| named(name));
    let mut columns = alias.columns.clone();
    if columns.is_empty() && arrays.len() == 1 {
        columns.push(definition(if is_value { Ident::new("value") } else { alias.name.clone() }));
    }
    for same in 0..arrays.len().saturating_sub(columns.len()) {
        // Columns of one name, which the planner has to tell apart.
        columns.push(definition(Ident::with_quote('"', format!("{name}{}", String::from(MARK).repeat(same)))));
    }
    if with_ordinality && columns.len() == arrays.len() {
        columns.push(definition(Ident::new("ordinality")));
    }
    let mut lists: Vec<Expr> = arrays.into_iter().map(flat).collect();
    if with_ordinality {
        let lengths = lists.iter().map(|array| call("cardinality", vec![array.clone()])).collect();
        let longest = bigint(call("coalesce", vec![call("greatest", lengths), number("0")]));
        lists.push(call("generate_series", vec![bigint(number("1")), longest]));
    }
    let alias = TableAlias { columns, ..alias };
    // The lists are columns before they are unnested: the planner takes nothing else from around.
    let names: Vec<Ident> = (0..lists.len()).map(|at| Ident::new(format!("c{at}"))).collect();
    let item = |(expr, name): (Expr, &Ident)| SelectItem::ExprWithAlias { expr, alias: name.clone() };
    let arrays = select(lists.into_iter().zip(&names).map(item).collect())?;
    let unnested = names.iter().map(|name| unnested(Expr::Identifier(name.clone()))).zip(&names).map(item);
    let subquery = Box::new(selected_from(unnested.collect(), arrays, named("lists"))?);
    Some(TableFactor::Derived { lateral: true, subquery, alias: Some(alias), sample: None })
}

/// A function of ours in FROM with a query among its arguments: as in PostgreSQL it may have columns of the items before it
/// without the word LATERAL.
fn with_query(factor: &TableFactor) -> Option<TableFactor> {
    let TableFactor::Table { name, args: Some(arguments), with_ordinality, alias, .. } = factor else { return None };
    // `train` stands alone: it has no items before it.
    let takes_queries = |function: &dyn TableFunction| function.name() != "train" && is_named(name, function.name());
    if !FUNCTIONS.iter().any(|function| takes_queries(*function)) {
        return None;
    }
    let is_query = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(value)
        | FunctionArg::Named { arg: value, .. }
        | FunctionArg::ExprNamed { arg: value, .. } => matches!(value, FunctionArgExpr::Expr(Expr::Subquery(_))),
    };
    arguments.args.iter().any(is_query).then(|| TableFactor::Function {
        lateral: true,
        name: name.clone(),
        args: arguments.args.clone(),
        with_ordinality: *with_ordinality,
        alias: alias.clone(),
    })
}

/// A series that depends on nothing is made row by row; its column has the name that the item has.
fn streamed(factor: &TableFactor, name: &str) -> Option<TableFactor> {
    let mut factor = factor.clone();
    let alias = match &mut factor {
        TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. } => alias,
        _ => return None,
    };
    let alias = alias.get_or_insert_with(|| named(name));
    if alias.columns.is_empty() {
        alias.columns.push(definition(alias.name.clone()));
    }
    Some(factor)
}

fn series(name: &ObjectName, arguments: &[FunctionArg]) -> Option<Expr> {
    let name = name.0.last()?.as_ident()?.value.to_lowercase();
    Some(call(&name, plain(arguments)?))
}

fn plain(arguments: &[FunctionArg]) -> Option<Vec<Expr>> {
    let expression = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
        _ => None,
    };
    arguments.iter().map(expression).collect()
}

/// Whether an expression depends on a column, a parameter or a subquery.
fn has_names(expression: &Expr) -> bool {
    let found = visit_expressions(expression, |expression| match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) | Expr::Exists { .. } => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

pub(super) fn named(name: &str) -> TableAlias {
    TableAlias { explicit: true, name: Ident::new(name), columns: Vec::new(), at: None }
}

pub(super) fn definition(name: Ident) -> TableAliasColumnDef {
    TableAliasColumnDef { name, data_type: None }
}

pub(super) fn number(digits: &str) -> Expr {
    Expr::Value(datafusion::sql::sqlparser::ast::Value::Number(digits.to_owned(), false).into())
}

/// `SELECT` of these items, from nothing.
fn select(projection: Vec<SelectItem>) -> Option<Query> {
    use datafusion::sql::sqlparser::parser::Parser;
    let parsed = Parser::parse_sql(&crate::session::PostgreSql, "SELECT 1").ok()?;
    let Statement::Query(mut query) = parsed.into_iter().next()? else { return None };
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    select.projection = projection;
    Some(*query)
}

/// `SELECT` of these items from a subquery.
pub(super) fn selected_from(projection: Vec<SelectItem>, from: Query, alias: TableAlias) -> Option<Query> {
    let mut outer = select(projection)?;
    let SetExpr::Select(select) = outer.body.as_mut() else { return None };
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(from), alias: Some(alias), sample: None };
    select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    Some(outer)
}

fn bigint(expr: Expr) -> Expr {
    cast(expr, DataType::BigInt(None))
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}
