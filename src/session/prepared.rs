//! Statements that a session keeps by name: those of PREPARE and those of the protocol, in one namespace.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::memory_pool::MemoryReservation;

use super::{Action, Client, Description, Scope, describe};
use crate::{
    Error, Fault, Result,
    pgtype::{self, ColumnType, Styles},
};

/// Statements that a session keeps.
const MAX_STATEMENTS: usize = 10_000;

/// A statement that waits for the values of its parameters.
#[derive(Debug)]
pub struct PreparedStatement {
    /// What it does; none where the text held no statement.
    action: Option<Arc<dyn Action>>,
    text: Arc<str>,
    /// The whole text it came in, to which positions of errors refer.
    source: Arc<str>,
    /// The types that were declared; none where they were left open.
    declared: Vec<Option<DataType>>,
    parameters: Vec<Parameter>,
    /// The parameters' types, where fields have to say them.
    told: Vec<Option<ColumnType>>,
    columns: Option<SchemaRef>,
    /// The zone and the styles that its texts were read by; none where it is not planned again.
    written_in: Option<(Arc<str>, Styles)>,
    /// The memory of what was read, where its text is long.
    _memory: Option<Arc<MemoryReservation>>,
}

/// A parameter of a prepared statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The identifier of its type: what the client declared, else what it is told.
    pub oid: u32,
    /// The type that the statement takes.
    pub data_type: DataType,
}

impl Parameter {
    /// Its type, where fields have to say it.
    pub(crate) fn told(&self) -> Option<ColumnType> {
        pgtype::told_of(self.oid, &self.data_type)
    }
}

/// The statements of one session, by name; the unnamed one has an empty name.
#[derive(Debug, Default)]
pub(super) struct PreparedStatements {
    kept: HashMap<String, Arc<PreparedStatement>>,
}

impl PreparedStatement {
    /// A statement of `source` with the types of its parameters that a client declared, and what was found of it.
    pub(crate) fn new(
        action: Arc<dyn Action>,
        (text, source): (&str, Arc<str>),
        declared: &[u32],
        description: Description,
    ) -> Self {
        let Description { parameters, told, columns } = description;
        let parameters = parameters.into_iter().enumerate().map(|(index, data_type)| {
            let known = declared.get(index).copied().filter(|oid| pgtype::arrow(*oid, -1).is_some());
            let is_of_values = |oid: &u32| pgtype::told_of(*oid, &data_type).is_some();
            let known = known.or_else(|| told.get(&(index + 1)).copied().filter(is_of_values));
            Parameter { oid: known.unwrap_or_else(|| pgtype::of(&data_type).pg.oid), data_type }
        });
        let parameters: Vec<Parameter> = parameters.collect();
        Self {
            action: Some(action),
            text: Arc::from(text),
            source,
            declared: declared.iter().map(|oid| pgtype::arrow(*oid, -1)).collect(),
            told: parameters.iter().map(Parameter::told).collect(),
            parameters,
            columns,
            written_in: None,
            _memory: None,
        }
    }

    /// The same with declared types of columns.
    pub(crate) fn with_declared(mut self, declared: Vec<Option<DataType>>) -> Self {
        self.declared = declared;
        self
    }

    /// The same, whose texts are read as in a session of this zone and these styles, whatever is set when it runs.
    pub(crate) fn written_in(self, zone: Arc<str>, styles: Styles) -> Self {
        Self { written_in: Some((zone, styles)), ..self }
    }

    /// The same, which holds the memory that its text was read into.
    pub(crate) fn with_memory(self, memory: Option<Arc<MemoryReservation>>) -> Self {
        Self { _memory: memory, ..self }
    }

    /// A text without a statement.
    pub(crate) fn empty() -> Self {
        let text: Arc<str> = Arc::from("");
        Self {
            action: None,
            text: Arc::clone(&text),
            source: text,
            declared: Vec::new(),
            parameters: Vec::new(),
            told: Vec::new(),
            columns: None,
            written_in: None,
            _memory: None,
        }
    }

    /// The scope in which it is planned and run: it has the types of its parameters, and reads its texts as they were read.
    pub(crate) fn within(&self, scope: &Arc<Scope>) -> Arc<Scope> {
        let scope = scope.declaring(&self.told);
        match &self.written_in {
            Some((zone, styles)) => scope.written_in(zone, *styles),
            None => scope,
        }
    }

    /// Its parameters, in the order of their numbers.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The columns of its rows; none for a command.
    pub fn columns(&self) -> Option<&SchemaRef> {
        self.columns.as_ref()
    }

    pub(crate) fn action(&self) -> Option<&Arc<dyn Action>> {
        self.action.as_ref()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Refuses rows with other columns than those that were told, as of a table that was created anew.
    pub(crate) async fn check_columns(&self, client: &Arc<Client>, scope: &Arc<Scope>, columns: &Schema) -> Result<()> {
        let (Some(told), Some(action)) = (&self.columns, &self.action) else { return Ok(()) };
        if are_told_alike(told, columns) {
            return Ok(());
        }
        // What is told before the values are known is not always what comes. Only where it would be told otherwise now,
        // something has changed.
        match describe(action.as_ref(), client, scope, &self.declared).await?.columns {
            Some(now) if are_told_alike(told, &now) => Ok(()),
            _ => Err(Error::new(Fault::FeatureNotSupported, "cached plan must not change result type")),
        }
    }
}

impl PreparedStatements {
    /// Keeps a statement; the unnamed one takes the place of another.
    pub(super) fn keep(&mut self, name: &str, statement: Arc<PreparedStatement>) -> Result<()> {
        if !name.is_empty() && self.kept.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            let hint = Some("DEALLOCATE it first, or choose another name".to_owned());
            return Err(Error::Statement { fault: Fault::DuplicatePrepared, message, hint });
        }
        if !self.kept.contains_key(name) && self.kept.len() >= MAX_STATEMENTS {
            let message = format!("a session holds at most {MAX_STATEMENTS} prepared statements; DEALLOCATE some");
            return Err(Error::new(Fault::LimitExceeded, message));
        }
        self.kept.insert(name.to_owned(), statement);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Result<Arc<PreparedStatement>> {
        self.kept.get(name).cloned().ok_or_else(|| missing(name))
    }

    /// Those that have a name, by it.
    pub(super) fn all(&self) -> Vec<(String, Arc<PreparedStatement>)> {
        let named = self.kept.iter().filter(|(name, _)| !name.is_empty());
        let mut all: Vec<_> = named.map(|(name, statement)| (name.clone(), Arc::clone(statement))).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    /// Forgets a statement; false where there was none.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.kept.remove(name).is_some()
    }

    /// Forgets the statements that have a name.
    pub(super) fn clear(&mut self) {
        self.kept.retain(|name, _| name.is_empty());
    }
}

/// What is told of a statement that is not there.
pub(super) fn missing(name: &str) -> Error {
    let message = match name {
        "" => "unnamed prepared statement does not exist".to_owned(),
        name => format!("prepared statement \"{name}\" does not exist"),
    };
    Error::new(Fault::UndefinedPrepared, message)
}

/// Whether a client is told the same of both.
fn are_told_alike(one: &Schema, other: &Schema) -> bool {
    let told = |field: &Field| {
        let shown = pgtype::of_field(field);
        (shown.pg.oid, shown.modifier)
    };
    one.fields().len() == other.fields().len()
        && one
            .fields()
            .iter()
            .zip(other.fields())
            .all(|(one, other)| one.name() == other.name() && told(one) == told(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_alike_by_name_and_type() {
        let schema = |name: &str, data_type: DataType| Schema::new(vec![Field::new(name, data_type, true)]);
        let told = schema("a", DataType::Utf8);
        assert!(are_told_alike(&told, &schema("a", DataType::Utf8View)));
        assert!(!are_told_alike(&told, &schema("b", DataType::Utf8)));
        assert!(!are_told_alike(&told, &schema("a", DataType::Int32)));
        assert!(!are_told_alike(&told, &Schema::empty()));
        let numeric = |precision, scale| schema("a", DataType::Decimal128(precision, scale));
        assert!(!are_told_alike(&numeric(10, 2), &numeric(10, 3)));
    }

    #[test]
    fn the_unnamed_statement_is_replaced_and_outlives_the_others() {
        let mut statements = PreparedStatements::default();
        for name in ["", "", "a"] {
            statements.keep(name, Arc::new(PreparedStatement::empty())).unwrap_or_else(|error| panic!("{error}"));
        }
        let twice = statements.keep("a", Arc::new(PreparedStatement::empty())).map_err(|error| error.fault());
        assert_eq!(twice, Err(Fault::DuplicatePrepared));
        statements.clear();
        assert!(statements.get("").is_ok());
        assert_eq!(statements.get("a").map_err(|error| error.fault()).err(), Some(Fault::UndefinedPrepared));
    }
}
