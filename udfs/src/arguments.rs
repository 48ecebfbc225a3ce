//! The arguments of a table function: read from SQL, checked against the function's declared parameters.
//!
//! Relations become plans here, everything else becomes a constant, so that functions see values and never syntax.

mod read;
mod rewrite;
mod value;

use datafusion::{
    arrow::datatypes::Schema,
    logical_expr::{Expr, LogicalPlan},
};

use crate::error::{Error, Result};

pub(crate) use read::read;
pub use rewrite::rewrite;
pub use value::Value;

/// One declared parameter of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name that SQL uses.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Its default as an SQL literal, `null` if leaving it out means something of its own; `None` if it is required.
    pub default: Option<&'static str>,
    /// What it is for: a phrase that names the accepted values.
    pub doc: &'static str,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A model's name, as text.
    Model,
    /// A parenthesised query, or the name of a table or view.
    Relation,
    /// Text.
    Text,
    /// The name of a column, as text.
    Column,
    /// Names of columns: an array of text, or the text of one name.
    Columns,
    /// The name that a column of the result gets, as text. Its value must be known when the result is described.
    Output,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// `true` or `false`.
    Boolean,
}

impl Kind {
    /// What messages and documentation call it, with its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "a model's name in quotes",
            Self::Relation => "a query in parentheses or the name of a table or view",
            Self::Text => "a text in quotes",
            Self::Column => "a column's name in quotes",
            Self::Columns => "column names as in ARRAY['a', 'b']",
            Self::Output => "a name for a column in quotes",
            Self::Integer => "a whole number",
            Self::Double => "a number",
            Self::Boolean => "true or false",
        }
    }
}

/// A relation that a function reads.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its plan; the columns have names of their own.
    pub plan: LogicalPlan,
    /// The SQL that it was written as.
    pub sql: String,
}

/// The arguments of one call, every one of the kind its parameter declares.
#[derive(Debug, Clone)]
pub struct Arguments {
    function: &'static str,
    parameters: Vec<Parameter>,
    /// Parallel to `parameters`; `None` where nothing or NULL was given.
    values: Vec<Option<Value>>,
    /// The call as it was written.
    sql: String,
    /// Placeholders of parameters that have no value yet, with their types.
    unbound: Vec<Expr>,
}

impl Arguments {
    /// The function that is called.
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The call as it was written.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Placeholders `$n` among the arguments that have no value yet: their parameters read as their defaults, so that
    /// such a call can be described but not run.
    pub fn unbound(&self) -> &[Expr] {
        &self.unbound
    }

    /// Whether the call gives this argument a value.
    pub fn is_given(&self, name: &str) -> bool {
        self.parameters.iter().zip(&self.values).any(|(known, value)| known.name == name && value.is_some())
    }

    /// The given arguments but relations, as SQL text by name.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = self.parameters.iter().zip(&self.values);
        given.filter_map(|(known, value)| match value {
            None | Some(Value::Relation(_)) => None,
            Some(value) => Some((known.name, value.to_string())),
        })
    }

    /// A text, a model's name or a column's name.
    pub fn text(&self, name: &'static str) -> Result<Option<String>> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(name, &other)),
        }
    }

    /// The text of a required parameter.
    pub fn required_text(&self, name: &'static str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A list of texts, empty by default.
    pub fn texts(&self, name: &'static str) -> Result<Vec<String>> {
        match self.value(name)? {
            None => Ok(Vec::new()),
            Some(Value::Text(text)) => Ok(vec![text]),
            Some(Value::Texts(texts)) => Ok(texts),
            Some(other) => Err(self.mistyped(name, &other)),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &'static str) -> Result<Option<i64>> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::Integer(number)) => Ok(Some(number)),
            Some(other) => Err(self.mistyped(name, &other)),
        }
    }

    /// A number.
    pub fn double(&self, name: &'static str) -> Result<Option<f64>> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::Double(number)) => Ok(Some(number)),
            Some(Value::Integer(number)) => Ok(Some(number as f64)),
            Some(other) => Err(self.mistyped(name, &other)),
        }
    }

    /// `true` or `false`; parameters without a default read as `false`.
    pub fn boolean(&self, name: &'static str) -> Result<bool> {
        match self.value(name)? {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => Err(self.mistyped(name, &other)),
        }
    }

    /// A relation.
    pub fn relation(&self, name: &'static str) -> Result<Option<Relation>> {
        match self.value(name)? {
            None => Ok(None),
            Some(Value::Relation(relation)) => Ok(Some(*relation)),
            Some(other) => Err(self.mistyped(name, &other)),
        }
    }

    /// The relation of a required parameter.
    pub fn required_relation(&self, name: &'static str) -> Result<Relation> {
        self.relation(name)?.ok_or_else(|| self.missing(name))
    }

    /// The column of `schema` that an argument names: exactly, else ignoring case if only one fits.
    pub fn column(&self, name: &'static str, schema: &Schema) -> Result<Option<String>> {
        self.text(name)?.map(|column| find_column(self.function, Some(name), &column, schema)).transpose()
    }

    /// The columns of `schema` that an argument names.
    pub fn columns(&self, name: &'static str, schema: &Schema) -> Result<Vec<String>> {
        self.texts(name)?.iter().map(|column| find_column(self.function, Some(name), column, schema)).collect()
    }

    /// An error about the value of an argument: `problem` continues "the argument … of … ".
    pub fn invalid(&self, name: &str, problem: impl Into<String>) -> Error {
        Error::InvalidArgument { function: self.function, argument: name.into(), problem: problem.into() }
    }

    /// The given value, else the declared default.
    fn value(&self, name: &'static str) -> Result<Option<Value>> {
        let position = self.parameters.iter().position(|known| known.name == name);
        let (parameter, given) = position
            .and_then(|position| Some((self.parameters.get(position)?, self.values.get(position)?)))
            .ok_or_else(|| Error::Internal(format!("{} declares no parameter {name}", self.function)))?;
        match given {
            Some(value) => Ok(Some(value.clone())),
            None => Ok(parameter.default.and_then(|default| Value::of_default(default, parameter.kind))),
        }
    }

    fn missing(&self, name: &'static str) -> Error {
        read::missing(self.function, &self.parameters, name)
    }

    fn mistyped(&self, name: &str, found: &Value) -> Error {
        Error::Internal(format!(
            "{} reads its argument {name} as another kind than it declares: {found}",
            self.function
        ))
    }
}

/// The column of `schema` that is meant by `column`: the exact name, else the only one that fits ignoring case.
///
/// # Errors
/// [`Error::UndefinedColumn`] listing the columns, [`Error::AmbiguousColumn`] listing those that fit.
pub fn find_column(function: &'static str, argument: Option<&str>, column: &str, schema: &Schema) -> Result<String> {
    if schema.fields().iter().any(|field| field.name() == column) {
        return Ok(column.into());
    }
    let folded = column.to_lowercase();
    let fitting: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| name.to_lowercase() == folded)
        .collect();
    let argument = argument.map(str::to_owned);
    match fitting[..] {
        [name] => Ok(name.into()),
        [] => Err(Error::UndefinedColumn { function, argument, column: column.into(), columns: column_names(schema) }),
        _ => Err(Error::AmbiguousColumn { function, argument, column: column.into(), columns: fitting.join(", ") }),
    }
}

/// The names of a schema's columns, for messages.
pub fn column_names(schema: &Schema) -> String {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if names.is_empty() { "no columns".into() } else { names.join(", ") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
