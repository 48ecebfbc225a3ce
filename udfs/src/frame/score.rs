//! A model's columns in an input, and its batches as tables that the model scores.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Schema},
};
use fusewire_learn::{Table, Values, encode::Encoding};
use serde::{Deserialize, Serialize};

use super::{
    kind::{ColumnKind, plain_type, type_name},
    read::{lists, numbers, timestamps},
    training::{bags, texts, vectors},
};
use crate::{
    arguments::find_column,
    error::{Error, Result},
    models::{ColumnRole, ColumnSignature, ModelRef, Signature},
    registry::Loaded,
};

/// A column of a model and the input's column that stands for it. By names, because the optimizer drops and reorders the
/// input's columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BoundColumn {
    /// The name that the model knows.
    pub column: String,
    /// The name in the input.
    pub input: String,
}

/// Finds the model's columns of these roles in an input, by name and in the signature's order. The model's columns of
/// `required` roles must be there; those of `optional` roles may be.
///
/// # Errors
/// [`Error::UndefinedColumn`] naming the model and the column, [`Error::AmbiguousColumn`], and [`Error::ColumnType`] for
/// a type that does not cast losslessly to the trained one.
pub fn bind(
    function: &'static str,
    model: &ModelRef,
    signature: &Signature,
    input: &Schema,
    required: &[ColumnRole],
    optional: &[ColumnRole],
) -> Result<Vec<BoundColumn>> {
    let mut bound = Vec::new();
    for column in &signature.columns {
        if !required.contains(&column.role) && !optional.contains(&column.role) {
            continue;
        }
        let found = match find_column(function, None, &column.name, input) {
            Err(Error::UndefinedColumn { .. }) if !required.contains(&column.role) => continue,
            Err(Error::UndefinedColumn { columns, .. }) => {
                let column = format!("{}, which the model {model} was trained on", column.name);
                return Err(Error::UndefinedColumn { function, argument: None, column, columns });
            }
            other => other?,
        };
        let data_type = input.field_with_name(&found).map_err(|error| Error::Internal(error.to_string()))?.data_type();
        if !casts(data_type, column) {
            let expected = format!(
                "the model {model} was trained on {}; cast it with CAST({found} AS …)",
                type_name(&column.data_type)
            );
            return Err(Error::ColumnType { function, column: found, found: type_name(data_type), expected });
        }
        bound.push(BoundColumn { column: column.name.clone(), input: found });
    }
    Ok(bound)
}

/// Whether values of a type can stand for those of a trained column without loss. A text that turns out not to be a
/// number is an error of its row.
fn casts(from: &DataType, column: &ColumnSignature) -> bool {
    let from = plain_type(from);
    let text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let natural = ColumnKind::natural(from);
    let trained = &column.data_type;
    *from == DataType::Null
        || match column.encoding.as_str() {
            "category" if *trained == DataType::Boolean => *from == DataType::Boolean,
            "category" | "text" => text(from) || from.is_integer(),
            "number" => text(from) || from.is_numeric(),
            "timestamp" => text(from) || natural == Some(ColumnKind::Timestamp),
            "bag" => match (from, trained) {
                (
                    DataType::List(from) | DataType::LargeList(from) | DataType::FixedSizeList(from, _),
                    DataType::List(_),
                ) => text(plain_type(from.data_type())) || from.data_type().is_integer(),
                _ => false,
            },
            "vector" => natural == Some(ColumnKind::Vector),
            _ => false,
        }
}

/// Turns batches of an input into tables coded by a model's dictionaries. Cheap to build and to share.
#[derive(Debug, Clone)]
pub struct Scorer {
    loaded: Arc<Loaded>,
    /// The model's column and the position in the batch.
    columns: Vec<(String, usize)>,
}

impl Scorer {
    /// A scorer of batches with this schema.
    ///
    /// # Errors
    /// [`Error::Internal`] if a bound column is not in the schema.
    pub fn new(loaded: Arc<Loaded>, input: &Schema, bound: &[BoundColumn]) -> Result<Self> {
        let position = |bound: &BoundColumn| match input.index_of(&bound.input) {
            Ok(position) => Ok((bound.column.clone(), position)),
            Err(error) => Err(Error::Internal(error.to_string())),
        };
        let columns = bound.iter().map(position).collect::<Result<_>>()?;
        Ok(Self { loaded, columns })
    }

    /// The model.
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.loaded
    }

    /// The bound columns of a batch, as the model reads them.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] and [`Error::InvalidData`] naming the column.
    pub fn table(&self, batch: &RecordBatch) -> Result<Table> {
        let columns =
            self.columns.iter().map(|(name, position)| Ok((name.clone(), self.values(name, *position, batch)?)));
        Ok(Table { rows: batch.num_rows(), columns: columns.collect::<Result<_>>()? })
    }

    /// The bound columns of all batches as one table.
    ///
    /// # Errors
    /// As [`Scorer::table`].
    pub fn joined_table(&self, batches: &[RecordBatch]) -> Result<Table> {
        let mut batches = batches.iter();
        let Some(first) = batches.next() else {
            return Ok(Table::default());
        };
        let mut all = self.table(first)?;
        for batch in batches {
            let next = self.table(batch)?;
            all.rows += next.rows;
            for ((name, values), (_, more)) in all.columns.iter_mut().zip(next.columns) {
                append(name, values, more)?;
            }
        }
        Ok(all)
    }

    fn values(&self, name: &str, position: usize, batch: &RecordBatch) -> Result<Values> {
        let unknown = || Error::Internal(format!("the column {name} is not the model's"));
        let column = self.loaded.model.column(name).ok_or_else(unknown)?;
        let array = batch.columns().get(position).ok_or_else(unknown)?;
        match &column.encoding {
            Encoding::Category { .. } => {
                let lookup = self.loaded.lookup(name).ok_or_else(unknown)?;
                Ok(Values::Category { codes: lookup.codes(name, array)?, dictionary: lookup.dictionary().clone() })
            }
            Encoding::Number { .. } => numbers(name, array).map(Values::Number),
            Encoding::Timestamp { .. } => timestamps(name, array).map(Values::Timestamp),
            Encoding::Bag { .. } => {
                let lookup = self.loaded.lookup(name).ok_or_else(unknown)?;
                let read = lists(name, array)?;
                let codes = lookup.codes(name, &read.elements)?;
                let (offsets, codes) = bags(name, &[read], &codes)?;
                Ok(Values::Bag { offsets, codes, dictionary: lookup.dictionary().clone() })
            }
            Encoding::Vector { means, .. } => vectors(name, std::slice::from_ref(array), Some(means.len())),
            Encoding::Text { .. } => texts(name, array).map(Values::Text),
        }
    }
}

/// Appends the rows of a column that the same encoding made, and so of the same shape.
fn append(name: &str, values: &mut Values, more: Values) -> Result<()> {
    match (values, more) {
        (Values::Category { codes, .. }, Values::Category { codes: more, .. }) => codes.extend(more),
        (Values::Number(values), Values::Number(more)) => values.extend(more),
        (Values::Timestamp(values), Values::Timestamp(more)) => values.extend(more),
        (Values::Text(values), Values::Text(more)) => values.extend(more),
        (Values::Vector { values, .. }, Values::Vector { values: more, .. }) => values.extend(more),
        (Values::Bag { offsets, codes, .. }, Values::Bag { offsets: ends, codes: more, .. }) => {
            let base = codes.len();
            codes.extend(more);
            if u32::try_from(codes.len()).is_err() {
                let problem = format!("the column {name} holds more than 4294967295 list elements; give fewer rows");
                return Err(Error::InvalidData(problem));
            }
            offsets.extend(ends.into_iter().skip(1).map(|end| end + base as u32));
        }
        (values, more) => {
            return Err(Error::Internal(format!("the column {name} is a {} and a {}", values.kind(), more.kind())));
        }
    }
    Ok(())
}
