//! `CREATE EXTERNAL TABLE`: rows of somebody else, in files or in another source, read where they are.

use std::{collections::BTreeMap, sync::Arc};

use arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use async_trait::async_trait;
use datafusion::sql::{
    parser::{CreateExternalTable as Ast, Statement as SqlStatement},
    sqlparser::ast::Value,
};

use super::{
    Action, Form, Recognised,
    create_table::{constrained, declared},
    names::{check_distinct, existing, object_name, written_identifier},
    parse::FORMAT_FROM_NAME,
};
use crate::{
    Error, Fault, Result,
    catalog::{Definition, Existing},
    pgtype::{self, TEXT, told, untold},
    session::{Given, Name, Outcome, Running, Scope, Sealed, with_options},
    source::TableRequest,
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct CreateExternalTable {
    name: Name,
    existing: Existing,
    table: Sealed<Ast>,
    options: BTreeMap<String, Given>,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::CreateExternalTable(table) = statement else { return Ok(None) };
    let refused = |what: &str| Err(Error::new(Fault::FeatureNotSupported, format!("{what}; leave it out")));
    if table.unbounded {
        return refused("an UNBOUNDED table is not supported");
    }
    if table.temporary {
        return refused("a TEMPORARY external table is not supported");
    }
    if !table.order_exprs.is_empty() {
        return refused("WITH ORDER is not supported, because the files could break the promise");
    }
    if !table.constraints.is_empty() || table.columns.iter().any(constrained) {
        return refused("a constraint on an external table is not supported");
    }
    let mut options = BTreeMap::new();
    for (key, value) in &table.options {
        if options.insert(key.to_lowercase(), given(key, value)?).is_some() {
            return Err(Error::new(Fault::Syntax, format!("the option {key} is given twice; leave one out")));
        }
    }
    let existing = existing(table.or_replace, table.if_not_exists)?;
    let (name, table) = (object_name(&table.name)?, Sealed::new(table.clone()));
    Ok(Some(Arc::new(CreateExternalTable { name, existing, table, options })))
}

/// An option's value as a call that reads files has it: what stands in brackets comes between double quotes.
fn given(key: &str, value: &Value) -> Result<Given> {
    let Value::DoubleQuotedString(text) = value else { return Ok(Given::One(option_text(value))) };
    Given::read(text).ok_or_else(|| {
        let message =
            format!("the option {key} is {text}; write a text, a number, a list ['…'] or names {{name: '…'}}");
        Error::new(Fault::InvalidArgument, message)
    })
}

/// Declared columns as files have them: texts of any length, and none that are kept in another form than they are written in.
/// Instants are of the session's zone.
fn as_in_files(declared: &Schema, scope: &Scope) -> Result<Schema> {
    let zone: Arc<str> = scope.zone().into();
    let column = |field: &FieldRef| match told(field) {
        // Files have times of other units.
        Some(told) if matches!(field.data_type(), DataType::Timestamp(..)) => {
            let unit = match told.second_digits() {
                Some(0) => TimeUnit::Second,
                Some(1..=3) => TimeUnit::Millisecond,
                _ => TimeUnit::Microsecond,
            };
            let zone = (told.pg.form == pgtype::Form::Instant).then(|| Arc::clone(&zone));
            Ok(untold(field).with_data_type(DataType::Timestamp(unit, zone)))
        }
        Some(told) if told.item().unwrap_or(told).pg.category != TEXT.category => {
            let (name, of) = (field.name(), told.word());
            let message =
                format!("column \"{name}\" of files cannot be of type {of}; declare it as text and cast it in a view");
            Err(Error::new(Fault::FeatureNotSupported, message))
        }
        _ => Ok(untold(field)),
    };
    Ok(Schema::new(declared.fields().iter().map(column).collect::<Result<Vec<_>>>()?))
}

/// The text of an option's value, without its quotes.
pub(super) fn option_text(value: &Value) -> String {
    match value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) | Value::EscapedStringLiteral(text) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

#[async_trait]
impl Action for CreateExternalTable {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        scope.check_writes("CREATE EXTERNAL TABLE")?;
        let name = scope.new_name(&self.name)?;
        if scope.exists(&name, self.existing)? {
            return Ok(Outcome::done("CREATE TABLE"));
        }
        let columns = match self.table.columns.is_empty() {
            true => None,
            false => Some(as_in_files(declared(scope, &self.table.columns)?.as_ref(), scope)?),
        };
        let request = TableRequest {
            locations: self.table.locations.clone(),
            format: (self.table.file_type != FORMAT_FROM_NAME).then(|| self.table.file_type.clone()),
            columns,
            partition_columns: self.table.table_partition_cols.iter().map(|name| written_identifier(name)).collect(),
            ..TableRequest::default()
        };
        let options = self.options.iter().map(|(name, value)| (name.clone(), value.clone()));
        let request = with_options(scope, request, options)?;
        let (engine, stores, access) = (scope.engine(), scope.stores(), scope.access());
        let mut found = scope.sources().resolve(engine, request, stores, access).await?;
        check_distinct(&found.table_schema())?;
        // As it is read back: a path that is not there yet may say NULL.
        let kept = |column: &Field| Field::new(column.name(), column.data_type().clone(), true);
        found.partition_columns = found.partition_columns.iter().map(kept).collect();
        let definition = Definition::ExternalTable(found);
        client.create(scope, &name, client.header()?, definition, self.existing).await?;
        Ok(Outcome::done("CREATE TABLE"))
    }
}
