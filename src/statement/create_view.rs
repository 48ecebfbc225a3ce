//! `CREATE VIEW`: the text of the query is kept as it is written, with where its names are looked for, and planned anew each
//! time the view is read.

use std::{collections::BTreeMap, sync::Arc};

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::sql::{
    parser::Statement as SqlStatement,
    sqlparser::{
        ast::{
            CreateView as Ast, Ident, Query, SetExpr, Statement as AstStatement, TableAlias, TableAliasColumnDef,
            TableFactor, TableWithJoins,
        },
        keywords::Keyword,
        tokenizer::{Token, Tokenizer},
    },
};

use super::{
    Action, Form, Recognised,
    headings::name_all,
    names::{check_distinct, existing, identifier, object_name},
    parameters::mentioned,
    places::Places,
    plan::{Typed, schema_of, typed},
    training::refuse_train,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing, ObjectKey, View, is_temporary},
    pgtype,
    session::{Name, Notice, Outcome, PostgreSql, Running, Scope, Sealed, query_from},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct CreateView {
    name: Name,
    /// Whether it says that it is; one that reads something temporary is, too.
    temporary: bool,
    columns: Vec<String>,
    query: Sealed<Query>,
    existing: Existing,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let AstStatement::CreateView(view) = statement.as_ref() else { return Ok(None) };
    let Ast { name, columns, query, or_replace, if_not_exists, materialized, temporary, .. } = view.clone();
    if materialized {
        let message = "a materialized view is not supported; use CREATE TABLE … AS, which stores the rows";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    refuse_train(&query)?;
    if matches!(query.body.as_ref(), SetExpr::Select(select) if select.into.is_some()) {
        return Err(Error::new(Fault::FeatureNotSupported, "views must not contain SELECT INTO"));
    }
    let columns = columns.iter().map(|column| identifier(&column.name)).collect();
    let existing = existing(or_replace, if_not_exists)?;
    let (name, query) = (object_name(&name)?, Sealed::new(*query));
    Ok(Some(Arc::new(CreateView { name, temporary, columns, query, existing })))
}

#[async_trait]
impl Action for CreateView {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE VIEW")?;
        let mut name = match self.temporary {
            true => scope.new_temporary_name(&self.name)?,
            false => scope.new_name(&self.name)?,
        };
        let scope = &match self.existing {
            Existing::Replace => scope.of_definition(&name),
            Existing::Keep | Existing::Refuse => Arc::clone(scope),
        };
        let mut view = self.written(scope.text(), scope.path(), scope.reading_settings()?)?;
        let query = Sealed::new(scope.parse_view(&view)?);
        if let Some(number) = mentioned(&query).first() {
            let message = format!("there is no parameter ${number}");
            let hint = Some("a view takes no parameters; write the values out".to_owned());
            return Err(Error::Statement { fault: Fault::UndefinedParameter, message, hint });
        }
        view.schema = match columns_of(scope, &query).await {
            Ok(schema) => schema.as_ref().clone(),
            Err(error) => return Err(self.placed(scope, error).await),
        };
        view.tables = scope.looked_up();
        if !scope.is_temporary(&name) && scope.reads_temporary() {
            scope.notify(Notice::remark(format!("view \"{}\" will be a temporary view", self.name.name)));
            name = scope.new_temporary_name(&self.name)?;
        }
        if let Some(path) = view.search_path.as_mut().filter(|_| !scope.is_temporary(&name)) {
            path.retain(|schema| !is_temporary(schema));
        }
        check_distinct(&view.schema)?;
        if self.existing == Existing::Replace
            && let Some(replaced) = scope.find(ObjectKey::Relation(name.clone()))
            && let Definition::View(replaced) = &replaced.definition
        {
            check_replaced(&replaced.schema, &view.schema)?;
        }
        client.create(scope, &name, client.header()?, Definition::View(view), self.existing).await?;
        Ok(Outcome::done("CREATE VIEW"))
    }
}

impl CreateView {
    /// The error of the view's query with its place in the statement: that of the query as it came in the statement, where it
    /// fails too.
    async fn placed(&self, scope: &Arc<Scope>, error: Error) -> Error {
        let mut query = Box::new(Query::clone(&self.query));
        if name(&mut query, &self.columns).is_err() {
            return error;
        }
        let query = Sealed::new(SqlStatement::Statement(Box::new(AstStatement::Query(query))));
        columns_of(scope, &query).await.err().unwrap_or(error)
    }

    /// The view without its columns, with its query as the statement's text has it.
    fn written(&self, statement: &str, path: &[String], settings: BTreeMap<String, String>) -> Result<View> {
        let (columns, schema) = (self.columns.clone(), Schema::empty());
        if let Some(sql) = query_of(statement) {
            return Ok(View {
                sql: sql.to_owned(),
                search_path: Some(path.to_vec()),
                tables: BTreeMap::new(),
                settings,
                columns,
                schema,
            });
        }
        // The statement has another text, as that of EXECUTE.
        let mut query = Box::new(Query::clone(&self.query));
        name(&mut query, &columns)?;
        let sql = query.to_string();
        Ok(View { sql, search_path: None, tables: BTreeMap::new(), settings, columns, schema })
    }
}

/// The columns of a view's query.
async fn columns_of(scope: &Arc<Scope>, query: &Sealed<SqlStatement>) -> Result<SchemaRef> {
    let Typed { plan, .. } = typed(scope, query, &[], Vec::new()).await?;
    scope.check_types(&plan, &[])?;
    Ok(schema_of(&plan))
}

/// What replaces a view has its columns, of their names and types, and may have more behind them: whoever reads the view
/// finds what there was.
fn check_replaced(old: &Schema, new: &Schema) -> Result<()> {
    let refused = |message: String| {
        let hint = Some("a view with other columns is made by DROP VIEW and CREATE VIEW".to_owned());
        Err(Error::Statement { fault: Fault::InvalidTableDefinition, message, hint })
    };
    if new.fields().len() < old.fields().len() {
        return refused("cannot drop columns from view".to_owned());
    }
    for (old, new) in old.fields().iter().zip(new.fields()) {
        let (name, new_name) = (old.name(), new.name());
        if name != new_name {
            return refused(format!("cannot change name of view column \"{name}\" to \"{new_name}\""));
        }
        let (before, after) = (pgtype::of_field(old), pgtype::of_field(new));
        // The digits of a numeric that is computed are the query engine's, and not what a declaration says.
        let has_own_modifier = !matches!(before.pg.form, pgtype::Form::Numeric | pgtype::Form::Array);
        if before.pg.oid != after.pg.oid || has_own_modifier && before.modifier != after.modifier {
            let [before, after] = [before, after].map(|own| own.pg.sql(Some(own.modifier)));
            return refused(format!("cannot change data type of view column \"{name}\" from {before} to {after}"));
        }
    }
    Ok(())
}

/// The query in the text of a `CREATE VIEW`: what follows the first AS outside of parentheses.
fn query_of(statement: &str) -> Option<&str> {
    let tokens = Tokenizer::new(&PostgreSql, statement).tokenize_with_location().ok()?;
    let is_word = |token: &Token, wanted: Keyword| matches!(token, Token::Word(word) if word.keyword == wanted);
    let view = tokens.iter().position(|token| is_word(&token.token, Keyword::VIEW))?;
    let mut depth = 0_usize;
    let begins = tokens.iter().skip(view).find(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is_word(&token.token, Keyword::AS)
    })?;
    let text = statement.get(Places::new(statement).byte(begins.span.end)..)?;
    Some(text.trim())
}

/// The query of a view as it is planned: its columns have names, the first of them these.
pub(super) fn as_view(parsed: SqlStatement, columns: &[String]) -> Result<SqlStatement> {
    let not_a_query = || Error::new(Fault::Corrupt, "the text of the view is no query; create it anew");
    let SqlStatement::Statement(statement) = parsed else { return Err(not_a_query()) };
    let AstStatement::Query(mut query) = *statement else { return Err(not_a_query()) };
    name(&mut query, columns)?;
    let mut statement = SqlStatement::Statement(Box::new(AstStatement::Query(query)));
    fusewire_udfs::arguments::rewrite(&mut statement, None)?;
    Ok(statement)
}

fn name(query: &mut Box<Query>, columns: &[String]) -> Result<()> {
    if !columns.is_empty() {
        *query = renamed(query.clone(), columns)?;
    }
    name_all(query);
    Ok(())
}

/// The query whose columns get the names of the view's.
fn renamed(query: Box<Query>, columns: &[String]) -> Result<Box<Query>> {
    let named = |name: &String| TableAliasColumnDef { name: Ident::with_quote('"', name), data_type: None };
    let columns = columns.iter().map(named).collect();
    let alias = TableAlias { explicit: true, name: Ident::new("view_columns"), columns, at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None };
    query_from(vec![TableWithJoins { relation, joins: Vec::new() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_view_is_kept_as_it_is_written() {
        for (statement, query) in [
            ("CREATE VIEW v AS SELECT 1 AS a", Some("SELECT 1 AS a")),
            (
                "create or replace view \"as\".\"View as\" (\"as\", b)\n AS\n  -- why\n  SELECT 'as', 2 ",
                Some("-- why\n  SELECT 'as', 2"),
            ),
            ("CREATE VIEW v AS (TABLE t)", Some("(TABLE t)")),
            ("EXECUTE make", None),
        ] {
            assert_eq!(query_of(statement), query, "{statement}");
        }
    }
}
