//! From the schema in a file's header to the columns that its records fill.
//!
//! Defaults, aliases and orders do not matter here: they are for who reads a file by another schema than its own.

use std::collections::{BTreeMap, HashSet};

use arrow::datatypes::{DataType, Fields, TimeUnit};
use serde_json::{Map, Value};

use super::{
    super::infer::{type_name, utc},
    column::Column,
};

/// How many types and symbols a schema may have. A type that has a name counts wherever it is named.
const MAX_TYPES: usize = 1 << 16;
/// How deep types may be nested.
const MAX_DEPTH: usize = 64;
/// The most digits of a number that is stored exactly, of one that is stored as a wide number, and of one that is a text.
const MAX_DIGITS: u64 = 38;
const MAX_WIDE_DIGITS: u64 = 76;
const MAX_TEXT_DIGITS: u64 = 10_000;

/// The columns of a file whose header has this schema; else what is wrong with it.
pub(super) fn columns(schema: &[u8]) -> Result<(Fields, Vec<Column>), String> {
    let schema: Value = serde_json::from_slice(schema).map_err(|error| format!("its schema is no JSON: {error}"))?;
    let mut types = Types { known: BTreeMap::new(), open: Vec::new(), path: Vec::new(), depth: 0, left: MAX_TYPES };
    match types.column(&schema, "")?.into_record() {
        Ok(record) => Ok(record),
        Err(_) if schema.is_array() => Err("its values are of several types, and only records have columns".to_owned()),
        Err(found) => Err(format!("its values are of type {}, and only records have columns", type_name(&found))),
    }
}

/// The types of a schema, while it is read.
struct Types<'a> {
    /// What the full names stand for, and the namespace around it.
    known: BTreeMap<String, (&'a Value, String)>,
    /// The names of the records around this type.
    open: Vec<String>,
    /// The names of the column and the fields around this type.
    path: Vec<&'a str>,
    depth: usize,
    /// How many more types there may be.
    left: usize,
}

impl<'a> Types<'a> {
    fn column(&mut self, schema: &'a Value, space: &str) -> Result<Column, String> {
        self.count(1)?;
        // A name is as deep as what it stands for.
        let deeper = usize::from(!schema.is_string());
        self.depth += deeper;
        if self.depth > MAX_DEPTH {
            return Err(format!("{} is nested deeper than {MAX_DEPTH} types", self.place()));
        }
        let column = match schema {
            Value::String(name) => self.named(name, None, space)?,
            Value::Array(branches) => self.union(branches, space)?,
            Value::Object(parts) => match parts.get("type") {
                Some(Value::String(kind)) => self.complex(kind, schema, parts, space)?,
                Some(inner @ (Value::Object(_) | Value::Array(_))) => self.column(inner, space)?,
                _ => return Err(self.lacks("type")),
            },
            _ => return Err(self.lacks("type")),
        };
        self.depth -= deeper;
        Ok(column)
    }

    /// A type that has parts.
    fn complex(
        &mut self,
        kind: &str,
        schema: &'a Value,
        parts: &'a Map<String, Value>,
        space: &str,
    ) -> Result<Column, String> {
        match kind {
            "record" | "error" => self.record(schema, parts, space),
            "array" => {
                let items = parts.get("items").ok_or_else(|| self.lacks("items"))?;
                Ok(Column::list(self.column(items, space)?))
            }
            "map" => {
                let values = parts.get("values").ok_or_else(|| self.lacks("values"))?;
                Ok(Column::map(self.column(values, space)?))
            }
            "enum" => {
                self.define(schema, parts, space)?;
                let symbols = parts.get("symbols").and_then(Value::as_array).ok_or_else(|| self.lacks("symbols"))?;
                self.count(symbols.len())?;
                let symbols: Option<Vec<_>> = symbols.iter().map(|name| name.as_str().map(str::to_owned)).collect();
                symbols.map(Column::symbols).ok_or_else(|| self.lacks("symbols"))
            }
            "fixed" => {
                self.define(schema, parts, space)?;
                let size = parts.get("size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
                match (logical(parts), size.ok_or_else(|| self.lacks("size"))?) {
                    (Some("decimal"), size) => self.decimal(parts, Some(size)),
                    (Some("duration"), 12) => Ok(Column::duration()),
                    (Some("uuid"), 16) => Ok(Column::uuid()),
                    (_, size) => Ok(Column::bytes(Some(size))),
                }
            }
            name => self.named(name, Some(parts), space),
        }
    }

    /// A primitive type, with what its values mean, or one that was defined before. A meaning that is not known does not
    /// count, nor one that the type cannot have.
    fn named(&mut self, name: &str, parts: Option<&'a Map<String, Value>>, space: &str) -> Result<Column, String> {
        Ok(match (name, parts.and_then(logical)) {
            ("null", _) => Column::null(),
            ("boolean", _) => Column::boolean(),
            ("int", Some("date")) => Column::int(DataType::Date32),
            ("int", Some("time-millis")) => Column::int(DataType::Time32(TimeUnit::Millisecond)),
            ("int", _) => Column::int(DataType::Int32),
            ("long", meaning) => Column::long(meaning.and_then(moment).unwrap_or(DataType::Int64)),
            ("float", _) => Column::float(),
            ("double", _) => Column::double(),
            ("bytes", Some("decimal")) => match parts {
                Some(parts) => self.decimal(parts, None)?,
                None => Column::bytes(None),
            },
            ("bytes", _) => Column::bytes(None),
            ("string", _) => Column::text(),
            (name, _) => self.defined(name, space)?,
        })
    }

    /// A type by its name: one of the namespace around, or one without.
    fn defined(&mut self, name: &str, space: &str) -> Result<Column, String> {
        let names = [full_name(name, space), full_name(name, "")];
        let known = names.iter().find_map(|name| Some((name, self.known.get(name)?)));
        let Some((name, (schema, around))) = known.map(|(name, (schema, around))| (name, (*schema, around.clone())))
        else {
            return Err(format!("{} is of type {name}, which its schema does not define", self.place()));
        };
        if self.open.contains(name) {
            return Err(format!("{} holds values of type {name}, which hold it: no column can", self.place()));
        }
        self.column(schema, &around)
    }

    fn record(&mut self, schema: &'a Value, parts: &'a Map<String, Value>, space: &str) -> Result<Column, String> {
        let name = self.define(schema, parts, space)?;
        let inner = name.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
        self.open.push(name);
        let fields = parts.get("fields").and_then(Value::as_array).ok_or_else(|| self.lacks("fields"))?;
        let (mut seen, mut columns) = (HashSet::new(), Vec::new());
        for field in fields {
            let name = field.get("name").and_then(Value::as_str).ok_or_else(|| self.lacks("name of a field"))?;
            if !seen.insert(name) {
                return Err(format!("{} has two fields called {name}", self.place()));
            }
            self.path.push(name);
            let schema = field.get("type").ok_or_else(|| self.lacks("type"))?;
            columns.push((name, self.column(schema, &inner)?));
            self.path.pop();
        }
        self.open.pop();
        Ok(Column::record(columns))
    }

    fn union(&mut self, branches: &'a [Value], space: &str) -> Result<Column, String> {
        match branches {
            [null, value] if is_null(null) => Ok(Column::optional(0, self.column(value, space)?)),
            [value, null] if is_null(null) => Ok(Column::optional(1, self.column(value, space)?)),
            _ => {
                let columns = branches.iter().map(|branch| self.column(branch, space));
                let columns = columns.collect::<Result<Vec<_>, _>>()?;
                Column::union(columns).map_err(|types| {
                    format!("{} has values of the types {types}, and no type holds them all", self.place())
                })
            }
        }
    }

    /// Numbers with digits behind the point, of any number of bytes or of this.
    fn decimal(&self, parts: &Map<String, Value>, size: Option<usize>) -> Result<Column, String> {
        let precision = parts.get("precision").and_then(Value::as_u64);
        let scale = parts.get("scale").map_or(Some(0), Value::as_u64);
        match (precision, scale) {
            (Some(precision @ 1..=MAX_DIGITS), Some(scale)) if scale <= precision => {
                Ok(Column::decimal(size, precision as u8, scale as i8))
            }
            (Some(precision @ 1..=MAX_WIDE_DIGITS), Some(scale)) if scale <= precision => {
                Ok(Column::wide(size, precision as u8, scale as i8))
            }
            (Some(precision @ 1..=MAX_TEXT_DIGITS), Some(scale)) if scale <= precision => {
                Ok(Column::digits(size, precision as usize, scale as usize))
            }
            (Some(precision), Some(scale)) if precision > MAX_TEXT_DIGITS && scale <= precision => {
                Err(format!("{} has numbers of {precision} digits, more than {MAX_TEXT_DIGITS}", self.place()))
            }
            _ => Ok(Column::bytes(size)),
        }
    }

    /// Notes what the name of a type stands for, and returns the name.
    fn define(&mut self, schema: &'a Value, parts: &'a Map<String, Value>, space: &str) -> Result<String, String> {
        let name = parts.get("name").and_then(Value::as_str).ok_or_else(|| self.lacks("name"))?;
        let own = parts.get("namespace").and_then(Value::as_str).unwrap_or(space);
        let name = full_name(name, own);
        // It is found again wherever it is named.
        if self.known.get(&name).is_some_and(|(known, _)| !std::ptr::eq(*known, schema)) {
            return Err(format!("its schema defines the type {name} twice"));
        }
        self.known.insert(name.clone(), (schema, space.to_owned()));
        Ok(name)
    }

    fn count(&mut self, types: usize) -> Result<(), String> {
        let left = self.left.checked_sub(types);
        self.left = left.ok_or_else(|| format!("its schema has more than {MAX_TYPES} types and symbols"))?;
        Ok(())
    }

    /// The type that is read, as a message calls it.
    fn place(&self) -> String {
        if self.path.is_empty() { "its schema".to_owned() } else { format!("its column {}", self.path.join(".")) }
    }

    fn lacks(&self, part: &str) -> String {
        format!("{} has no {part}", self.place())
    }
}

fn full_name(name: &str, space: &str) -> String {
    match name.strip_prefix('.') {
        Some(name) => name.to_owned(),
        None if space.is_empty() || name.contains('.') => name.to_owned(),
        None => format!("{space}.{name}"),
    }
}

/// What the values of a type mean.
fn logical(parts: &Map<String, Value>) -> Option<&str> {
    parts.get("logicalType").and_then(Value::as_str)
}

/// The time that a long means.
fn moment(meaning: &str) -> Option<DataType> {
    Some(match meaning {
        "time-micros" => DataType::Time64(TimeUnit::Microsecond),
        "timestamp-millis" => DataType::Timestamp(TimeUnit::Millisecond, utc()),
        "timestamp-micros" => DataType::Timestamp(TimeUnit::Microsecond, utc()),
        "timestamp-nanos" => DataType::Timestamp(TimeUnit::Nanosecond, utc()),
        "local-timestamp-millis" => DataType::Timestamp(TimeUnit::Millisecond, None),
        "local-timestamp-micros" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "local-timestamp-nanos" => DataType::Timestamp(TimeUnit::Nanosecond, None),
        _ => return None,
    })
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").unwrap_or(schema).as_str() == Some("null")
}
