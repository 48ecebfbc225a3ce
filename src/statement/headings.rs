//! What the columns of a query are called: as in PostgreSQL.
//!
//! The planner calls a column without a name by the text of its expression (`sum(t.x)`, `Int64(1)`) and refuses two of one
//! text. So columns are named before they are planned: everywhere by the name that PostgreSQL would give, so that an outer
//! query or a view's reader can refer to it. In the SELECT whose rows a client gets, names may also be missing or
//! stand twice: there they get a mark that no SQL writes, and lose it when the rows leave.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType, Distinct, Expr, Function, Ident, ObjectName, OrderBy, OrderByKind, Query,
    Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use crate::{error::MARK, pgtype};

/// The name of what has none.
pub(super) const NAMELESS: &str = "?column?";

/// Names what has one name of its own, in all SELECTs of a query. In the queries within it, columns that share a name or
/// have none get marks: nothing can refer to them, and `*` shows them.
pub(super) fn name_columns(query: &mut Query) {
    struct Naming {
        depth: usize,
        /// Within the arguments of a function, which takes its columns by their names.
        calls: usize,
    }
    impl VisitorMut for Naming {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            each_select(&mut query.body, &mut name_items);
            if self.depth > 0 && self.calls == 0 {
                each_select(&mut query.body, &mut mark_all);
            }
            name_operands(&mut query.body);
            order_by_rows(query);
            order_by_names(query);
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            self.calls += usize::from(is_call(factor));
            ControlFlow::Continue(())
        }

        fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            self.calls -= usize::from(is_call(factor));
            ControlFlow::Continue(())
        }
    }
    fn is_call(factor: &TableFactor) -> bool {
        matches!(factor, TableFactor::Table { args: Some(_), .. } | TableFactor::Function { .. })
    }
    let _ = query.visit(&mut Naming { depth: 0, calls: 0 });
}

/// As [`name_columns`]; and the columns of the outermost SELECTs that share a name or have none are told apart by marks,
/// which [`unmarked`] takes away.
pub(super) fn mark_columns(query: &mut Query) {
    name_columns(query);
    each_select(&mut query.body, &mut mark_items);
    name_operands(&mut query.body);
    order_by_names(query);
}

/// As [`name_columns`]; and the outermost columns have names too, as those of a view must. Those that share one get marks.
pub(super) fn name_all(query: &mut Query) {
    name_columns(query);
    each_select(&mut query.body, &mut |select| mark_each(select, true));
    name_operands(&mut query.body);
    order_by_names(query);
}

/// The schema that clients see.
pub(super) fn unmarked(schema: &Schema) -> SchemaRef {
    let named = |field: &FieldRef| Field::clone(field).with_name(field.name().replace(MARK, ""));
    let fields: Vec<Field> = schema.fields().iter().map(named).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn each_select(body: &mut SetExpr, work: &mut impl FnMut(&mut Select)) {
    match body {
        SetExpr::Select(select) => work(select),
        SetExpr::Query(query) => each_select(&mut query.body, work),
        SetExpr::SetOperation { left, right, .. } => {
            each_select(left, work);
            each_select(right, work);
        }
        _ => {}
    }
}

/// Gives the operands of UNION, INTERSECT and EXCEPT the names of the first, which are those of the whole: the planner does so
/// for some of the columns, and finds two of one name. An operand that orders itself does it by its own names, and keeps
/// them.
fn name_operands(body: &mut SetExpr) {
    if !matches!(body, SetExpr::SetOperation { .. }) {
        return;
    }
    let mut names: Option<Vec<Option<String>>> = None;
    each_operand(body, &mut |select| {
        let is_first = names.is_none();
        let names = names.get_or_insert_with(|| select.projection.iter().map(name_of).collect::<Vec<_>>());
        if names.len() != select.projection.len() || has_wildcard(select) {
            return;
        }
        for (at, item) in select.projection.iter_mut().enumerate() {
            if let (Some(expression), Some(name)) = (expression_of(item), &names[at]) {
                // Two of one name are not told apart by their tables any more.
                let before = names[..at].iter().flatten().filter(|other| *other == name).count();
                if is_first && before == 0 {
                    continue;
                }
                *item = named(expression, marked(name.clone(), before));
            }
        }
    });
}

/// The SELECTs of a set operation whose columns are told by position alone.
fn each_operand(body: &mut SetExpr, work: &mut impl FnMut(&mut Select)) {
    match body {
        SetExpr::Select(select) if !matches!(select.distinct, Some(Distinct::On(_))) => work(select),
        SetExpr::Query(query) if query.order_by.is_none() => each_operand(&mut query.body, work),
        SetExpr::SetOperation { left, right, .. } => {
            each_operand(left, work);
            each_operand(right, work);
        }
        _ => {}
    }
}

/// The expression of one column; none where it may be many.
fn expression_of(item: &SelectItem) -> Option<Expr> {
    match item {
        SelectItem::ExprWithAlias { expr, .. } => Some(expr.clone()),
        _ => unnamed(item).cloned(),
    }
}

/// Names expressions where no other column of the SELECT has that name. What `*` holds is not known here: those that have a
/// name of its columns get marks where it is.
fn name_items(select: &mut Select) {
    let names: Vec<Option<String>> = select.projection.iter().map(name_of).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    names.iter().flatten().for_each(|name| *times.entry(name).or_default() += 1);
    let own = (!select.from.is_empty()).then(|| relations(&select.from));
    for (item, name) in select.projection.iter_mut().zip(&names) {
        if let (Some(expression), Some(name)) = (unnamed(item), name)
            && (!is_column(expression) || is_from_around(expression, own.as_deref()))
            && times[name.as_str()] == 1
        {
            *item = named(expression.clone(), name.clone());
        }
    }
}

/// Tells apart the columns of a query within another that share a name, and those without one. One alone has the name that it
/// is shown by, unless a column that `*` holds may have it.
fn mark_all(select: &mut Select) {
    let alone = !has_wildcard(select);
    mark_each(select, alone);
}

/// The same; `alone` where a column without a name gets one.
fn mark_each(select: &mut Select, alone: bool) {
    let names: Vec<Option<String>> = select.projection.iter().map(name_of).collect();
    let has_none = |(item, name): (&SelectItem, &Option<String>)| name.is_none() && !is_wildcard(item);
    let without = select.projection.iter().zip(&names).filter(|pair| has_none(*pair)).count();
    let is_taken = names.iter().flatten().any(|name| name == NAMELESS);
    let first = usize::from(!alone || without > 1 || is_taken);
    let mut nameless = 0;
    for at in 0..names.len() {
        let same = names.iter().filter(|name| **name == names[at]).count();
        let before = names[..at].iter().filter(|name| **name == names[at]).count();
        let (name, times) = match &names[at] {
            Some(_) if same == 1 => continue,
            Some(name) => (name.clone(), before + 1),
            None if is_wildcard(&select.projection[at]) => continue,
            None => {
                nameless += first;
                (NAMELESS.to_owned(), nameless)
            }
        };
        let item = &mut select.projection[at];
        if let Some(expression) = expression_of(item) {
            *item = named(expression, marked(name, times));
        }
    }
}

fn is_wildcard(item: &SelectItem) -> bool {
    matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
}

fn mark_items(select: &mut Select) {
    let wildcards = has_wildcard(select);
    let mut times: HashMap<String, usize> = HashMap::new();
    for item in &mut select.projection {
        let name = name_of(item).map(|name| name.replace(MARK, ""));
        let before = times.entry(name.clone().unwrap_or_default()).or_default();
        *before += 1;
        if let (SelectItem::ExprWithAlias { alias, .. }, Some(name), 2..) = (&mut *item, &name, *before) {
            *alias = Ident::with_quote('"', marked(name.clone(), *before));
        }
        let Some(expression) = unnamed(item) else { continue };
        // Columns of one name from different tables are told apart by their tables.
        if is_column(expression) && *before == 1 && !wildcards {
            continue;
        }
        let name = name.unwrap_or_else(|| NAMELESS.to_owned());
        *item = named(expression.clone(), marked(name, *before));
    }
}

fn marked(mut name: String, times: usize) -> String {
    name.extend(std::iter::repeat_n(MARK, times));
    name
}

/// What picks the first rows of DISTINCT ON is computed of the rows, not of the columns that are shown. Once: what is written
/// for a column may have the name of another.
fn order_by_rows(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by else { return };
    let Some(Distinct::On(_)) = select.distinct else { return };
    for ordered in order.iter_mut() {
        if let Some(meant) = shown_as(&ordered.expr, &select.projection) {
            // A constant orders nothing; written there it would be a position.
            ordered.expr = if matches!(meant, Expr::Value(_)) { Expr::Value(Value::Null.into()) } else { meant };
        }
    }
    order.retain(|ordered| !matches!(&ordered.expr, Expr::Value(value) if value.value == Value::Null));
    if order.is_empty() {
        query.order_by = None;
    }
}

/// After DISTINCT the planner finds what is ordered by among the columns by name alone.
fn order_by_names(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by else { return };
    if !matches!(select.distinct, Some(Distinct::Distinct)) {
        return;
    }
    for ordered in order {
        // A number is a position, though a column may be the same number.
        if matches!(ordered.expr, Expr::Value(_)) {
            continue;
        }
        let same = select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if *expr == ordered.expr => Some(alias),
            _ => None,
        });
        if let Some(alias) = same {
            ordered.expr = Expr::Identifier(alias.clone());
        }
    }
}

/// The expression of the column that an ORDER BY names by its position or its name.
fn shown_as(ordered: &Expr, projection: &[SelectItem]) -> Option<Expr> {
    let expression = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
            Some(expression.clone())
        }
        _ => None,
    };
    match ordered {
        Expr::Value(value) => {
            let Value::Number(number, _) = &value.value else { return None };
            let at = number.parse::<usize>().ok()?.checked_sub(1)?;
            if projection.iter().take(at + 1).any(is_wildcard) {
                return None;
            }
            expression(projection.get(at)?)
        }
        Expr::Identifier(name) => {
            let name = super::names::identifier(name);
            projection.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } if super::names::identifier(alias) == name => {
                    Some(expr.clone())
                }
                _ => None,
            })
        }
        _ => None,
    }
}

fn has_wildcard(select: &Select) -> bool {
    select.projection.iter().any(is_wildcard)
}

/// The expression of a column without a name; none where it may be many columns.
fn unnamed(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expression) => Some(expression),
        _ => None,
    }
}

fn named(expr: Expr, name: String) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) }
}

/// The name that a column has or would have.
fn name_of(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(super::names::identifier(alias)),
        SelectItem::UnnamedExpr(expression) => heading(expression),
        _ => None,
    }
}

fn is_column(expression: &Expr) -> bool {
    matches!(expression, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// The names by which the items of a FROM are called.
fn relations(from: &[TableWithJoins]) -> Vec<String> {
    fn collect(item: &TableWithJoins, names: &mut Vec<String>) {
        for factor in std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation)) {
            let name = match factor {
                TableFactor::NestedJoin { table_with_joins, alias: None } => {
                    collect(table_with_joins, names);
                    None
                }
                TableFactor::Table { alias: Some(alias), .. }
                | TableFactor::Derived { alias: Some(alias), .. }
                | TableFactor::Function { alias: Some(alias), .. }
                | TableFactor::UNNEST { alias: Some(alias), .. }
                | TableFactor::NestedJoin { alias: Some(alias), .. } => Some(&alias.name),
                TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                    name.0.last().and_then(|part| part.as_ident())
                }
                _ => None,
            };
            names.extend(name.map(super::names::identifier));
        }
    }
    let mut names = Vec::new();
    from.iter().for_each(|item| collect(item, &mut names));
    names
}

/// Whether a column can only be one of a query around this one, whose FROM, if it has one, has items of these names. The
/// planner would name it by the text of that.
fn is_from_around(column: &Expr, own: Option<&[String]>) -> bool {
    match (column, own) {
        (Expr::CompoundIdentifier(parts), Some(own)) => match parts.as_slice() {
            [.., relation, _] => !own.contains(&super::names::identifier(relation)),
            _ => false,
        },
        (_, own) => own.is_none(),
    }
}

/// The name that an expression has by itself (PostgreSQL's rules for a SELECT list).
pub(super) fn heading(expression: &Expr) -> Option<String> {
    Some(name_and_strength(expression)?.0)
}

/// The name, and whether it is more than that of a type or of CASE, which gives way to one around it.
fn name_and_strength(expression: &Expr) -> Option<(String, bool)> {
    let strong = |expression: &Expr| name_and_strength(expression).filter(|(_, strong)| *strong);
    let weak = |name: String| Some((name, false));
    let name = match expression {
        Expr::Identifier(ident) => super::names::identifier(ident),
        Expr::CompoundIdentifier(parts) => super::names::identifier(parts.last()?),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => return name_and_strength(inner),
        Expr::CompoundFieldAccess { root, access_chain } => {
            // `(t).x` is called by the field.
            let field = access_chain.iter().rev().find_map(|access| match access {
                AccessExpr::Dot(Expr::Identifier(field)) => Some(field),
                _ => None,
            });
            match field {
                Some(field) => super::names::identifier(field),
                None => return name_and_strength(root),
            }
        }
        Expr::Function(Function { name, .. }) => match last(name).to_lowercase().as_str() {
            "make_array" => "array".to_owned(),
            name => name.to_owned(),
        },
        Expr::Cast { expr, data_type, .. } => return strong(expr).or_else(|| weak(type_heading(data_type))),
        Expr::TypedString(typed) => return weak(type_heading(&typed.data_type)),
        Expr::Case { else_result, .. } => {
            return else_result.as_deref().and_then(strong).or_else(|| weak("case".to_owned()));
        }
        Expr::Subquery(query) => return Some((first_heading(&query.body)?, true)),
        Expr::Exists { negated: false, .. } => "exists".to_owned(),
        Expr::Array(_) => "array".to_owned(),
        Expr::Tuple(_) => "row".to_owned(),
        Expr::Interval(_) => return weak("interval".to_owned()),
        Expr::BinaryOp { op: BinaryOperator::Overlaps, .. } => "overlaps".to_owned(),
        Expr::AtTimeZone { .. } => "timezone".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Ceil { .. } => "ceil".to_owned(),
        Expr::Floor { .. } => "floor".to_owned(),
        Expr::Position { .. } => "position".to_owned(),
        Expr::Substring { .. } => "substring".to_owned(),
        Expr::Trim { .. } => "btrim".to_owned(),
        Expr::Overlay { .. } => "overlay".to_owned(),
        Expr::IsNormalized { negated: false, .. } => "is_normalized".to_owned(),
        _ => return None,
    };
    Some((name, true))
}

/// PostgreSQL's own name of a type, by which a constant of it is called.
fn type_heading(data_type: &DataType) -> String {
    let written = data_type.to_string().to_lowercase();
    // `timestamp(3) with time zone[]` without what is said of it.
    let plain = written.split('[').next().unwrap_or_default();
    let plain = match plain.split_once('(') {
        Some((before, rest)) => format!("{before}{}", rest.split_once(')').map_or("", |(_, after)| after)),
        None => plain.to_owned(),
    };
    // `interval day to hour` is one as well.
    let plain = if plain.starts_with("interval ") { "interval" } else { plain.trim_end() };
    pgtype::by_word(plain).map_or(plain, |known| known.name).to_owned()
}

/// The name of a query's first column, without the marks that it may have got there.
fn first_heading(body: &SetExpr) -> Option<String> {
    match body {
        SetExpr::Select(select) => {
            Some(name_of(select.projection.first()?)?.replace(MARK, "")).filter(|name| name != NAMELESS)
        }
        SetExpr::Query(query) => first_heading(&query.body),
        SetExpr::SetOperation { left, .. } => first_heading(left),
        SetExpr::Values(_) => Some("column1".to_owned()),
        _ => None,
    }
}

fn last(name: &ObjectName) -> &str {
    name.0.last().and_then(|part| part.as_ident()).map_or("", |ident| ident.value.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::{ast::Statement, parser::Parser};

    use super::*;
    use crate::session::PostgreSql;

    /// The names of the columns as clients see them; `None` where the planner names them.
    fn names(sql: &str) -> Vec<Option<String>> {
        let mut parsed = Parser::parse_sql(&PostgreSql, sql).unwrap();
        let Statement::Query(query) = &mut parsed[0] else { panic!("not a query: {sql}") };
        mark_columns(query);
        let SetExpr::Select(select) = query.body.as_ref() else { panic!("not a SELECT: {sql}") };
        let name = |item: &SelectItem| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.replace(MARK, "")),
            _ => None,
        };
        select.projection.iter().map(name).collect()
    }

    // As PostgreSQL 15 names them.
    #[test]
    fn expressions_are_called_as_in_postgresql() {
        for (expression, name) in [
            ("1", "?column?"),
            ("'x'", "?column?"),
            ("a + 1", "?column?"),
            ("-a", "?column?"),
            ("a IS NULL", "?column?"),
            ("true", "?column?"),
            ("count(*)", "count"),
            ("pg_catalog.Version()", "version"),
            ("sum(a) OVER (PARTITION BY b)", "sum"),
            ("a::text", "a"),
            ("CAST(lower(a) AS text)", "lower"),
            ("(a)", "a"),
            ("CASE WHEN a THEN 1 END", "case"),
            ("CASE WHEN a THEN 1 ELSE b END", "b"),
            ("CASE WHEN a THEN 1 ELSE 2::int END", "case"),
            ("(CASE WHEN a THEN 1 END)::bigint", "int8"),
            ("1::int::bigint", "int8"),
            ("(SELECT max(x) AS most FROM t)", "most"),
            ("(SELECT max(x) FROM t)", "max"),
            ("EXISTS (SELECT 1)", "exists"),
            ("ARRAY[1, 2]", "array"),
            ("DATE '2024-01-01'", "date"),
            ("CAST(1 AS bigint)", "int8"),
            ("'1'::double precision", "float8"),
            ("1::numeric(10, 2)", "numeric"),
            ("'a'::varchar(3)", "varchar"),
            ("'2024-01-01'::timestamp with time zone", "timestamptz"),
            ("'{}'::timestamp(3) with time zone[]", "timestamptz"),
            ("'2024-01-01'::timestamp(3) without time zone", "timestamp"),
            ("'01:00'::time(0) with time zone", "timetz"),
            ("'1'::decimal(4, 1)", "numeric"),
            ("'a'::char(2)", "bpchar"),
            ("'a'::\"char\"", "char"),
            ("TIMESTAMP '2024-01-01'", "timestamp"),
            ("'{1}'::int[]", "int4"),
            ("extract(year FROM d)", "extract"),
            ("substring(a FROM 2)", "substring"),
            ("trim(a)", "btrim"),
        ] {
            assert_eq!(names(&format!("SELECT {expression}")), [Some(name.to_owned())], "{expression}");
        }
    }

    #[test]
    fn what_is_within_has_names_that_can_be_referred_to() {
        let mut parsed = Parser::parse_sql(
            &PostgreSql,
            "WITH c AS (SELECT count(*), 1 FROM t) SELECT count FROM c, (SELECT max(a), max(b), *, min(a) FROM u) AS v",
        )
        .unwrap();
        let Statement::Query(query) = &mut parsed[0] else { panic!("not a query") };
        mark_columns(query);
        assert_eq!(
            query.to_string(),
            "WITH c AS (SELECT count(*) AS \"count\", 1 AS \"?column?\" FROM t) \
             SELECT count FROM c, (SELECT max(a) AS \"max\u{2063}\", max(b) AS \"max\u{2063}\u{2063}\", *, min(a) AS \"min\" FROM u) \
             AS v"
        );
    }

    #[test]
    fn names_that_are_there_are_kept() {
        assert_eq!(names("SELECT a, t.b, c AS d FROM t"), [None, None, Some("d".into())]);
        assert_eq!(names("SELECT * FROM t"), [None]);
        assert_eq!(names("SELECT *, a FROM t"), [None, Some("a".into())]);
        assert_eq!(names("SELECT a, a FROM t"), [None, Some("a".into())]);
        assert_eq!(names("SELECT unnest(a) FROM t"), [Some("unnest".into())]);
    }
}
