//! The rows of a declared relation while they are made: column by column, and only those that a query reads. What is said of no
//! column is NULL, or nothing where it is never NULL: 0, false, the empty text.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use arrow::{
    array::{
        Array, ArrayRef, BooleanArray, Int64Array, Int64Builder, ListBuilder, RecordBatch, RecordBatchOptions,
        StringArray, StringBuilder, TimestampMicrosecondArray, new_null_array,
    },
    compute::cast,
    datatypes::{DataType, Field, Schema},
};
use datafusion::common::{DataFusionError, ScalarValue};

use super::declared::Declared;

pub(in crate::session) type Result<T, E = DataFusionError> = std::result::Result<T, E>;

/// The columns of a relation that a query reads.
pub(in crate::session) struct Wanted {
    declared: &'static Declared,
    /// Their places, in the order in which the query has them.
    places: Vec<usize>,
}

/// The same with rows, and what is known of their columns.
pub(in crate::session) struct Filling<'r, T> {
    wanted: Wanted,
    rows: &'r [T],
    columns: Vec<Option<ArrayRef>>,
}

impl Wanted {
    pub(super) fn new(declared: &'static Declared, places: Vec<usize>) -> Self {
        Self { declared, places }
    }

    /// The name of the relation, where several are made alike.
    pub(in crate::session) fn relation(&self) -> &'static str {
        self.declared.name
    }

    /// What the rows are made of.
    pub(in crate::session) fn of<T>(self, rows: &[T]) -> Filling<'_, T> {
        let columns = self.places.iter().map(|_| None).collect();
        Filling { wanted: self, rows, columns }
    }

    /// No row.
    pub(super) fn nothing(self) -> Result<RecordBatch> {
        self.of::<()>(&[]).finish()
    }
}

impl<'r, T> Filling<'r, T> {
    /// A column of texts, whatever their type is.
    pub(in crate::session) fn text<V: AsRef<str>>(self, name: &str, value: impl Fn(&'r T) -> Option<V>) -> Self {
        self.column(name, |rows| Arc::new(rows.iter().map(value).collect::<StringArray>()))
    }

    /// A column of numbers, whatever their type is.
    pub(in crate::session) fn number<V: Into<i64>>(self, name: &str, value: impl Fn(&'r T) -> Option<V>) -> Self {
        let number = |row: &'r T| value(row).map(|value| -> i64 { value.into() });
        self.column(name, |rows| Arc::new(rows.iter().map(number).collect::<Int64Array>()))
    }

    pub(in crate::session) fn flag(self, name: &str, value: impl Fn(&'r T) -> bool) -> Self {
        self.column(name, |rows| Arc::new(rows.iter().map(|row| Some(value(row))).collect::<BooleanArray>()))
    }

    /// A column of points in time.
    pub(in crate::session) fn instant(self, name: &str, value: impl Fn(&'r T) -> Option<SystemTime>) -> Self {
        let micros = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok();
        let instant = |row: &'r T| value(row).and_then(micros);
        self.column(name, |rows| {
            Arc::new(rows.iter().map(instant).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        })
    }

    /// A column of lists of texts.
    pub(in crate::session) fn texts(self, name: &str, value: impl Fn(&'r T) -> Option<Vec<String>>) -> Self {
        self.column(name, |rows| {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for row in rows {
                lists.append_option(value(row).map(|texts| texts.into_iter().map(Some)));
            }
            Arc::new(lists.finish())
        })
    }

    /// A column of lists of numbers.
    pub(in crate::session) fn numbers(self, name: &str, value: impl Fn(&'r T) -> Option<Vec<i64>>) -> Self {
        self.column(name, |rows| {
            let mut lists = ListBuilder::new(Int64Builder::new());
            for row in rows {
                lists.append_option(value(row).map(|numbers| numbers.into_iter().map(Some)));
            }
            Arc::new(lists.finish())
        })
    }

    /// The rows, with all the columns that the query reads.
    pub(in crate::session) fn finish(self) -> Result<RecordBatch> {
        let Self { wanted: Wanted { declared, places }, rows, columns } = self;
        let (mut fields, mut arrays) = (Vec::with_capacity(places.len()), Vec::with_capacity(places.len()));
        for (place, made) in places.into_iter().zip(columns) {
            let column = &declared.columns[place];
            let field = column.field();
            arrays.push(match made {
                Some(made) if made.data_type() == field.data_type() => made,
                Some(made) => cast(&made, field.data_type())?,
                None => unsaid(&field, column.not_null, rows.len())?,
            });
            fields.push(field);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
    }

    /// A column that is made if the query reads it.
    fn column(mut self, name: &str, make: impl FnOnce(&'r [T]) -> ArrayRef) -> Self {
        let declared = &self.wanted.declared.columns;
        debug_assert!(declared.iter().any(|column| column.name == name), "there is no column {name}");
        if let Some(at) = self.wanted.places.iter().position(|place| declared[*place].name == name) {
            self.columns[at] = Some(make(self.rows));
        }
        self
    }
}

/// A column of which nothing is said.
fn unsaid(field: &Field, not_null: bool, rows: usize) -> Result<ArrayRef> {
    if !not_null {
        return Ok(new_null_array(field.data_type(), rows));
    }
    let nothing = match field.data_type() {
        DataType::Utf8 => ScalarValue::Utf8(Some(String::new())),
        DataType::Binary => ScalarValue::Binary(Some(Vec::new())),
        DataType::List(item) => ScalarValue::List(ScalarValue::new_list_nullable(&[], item.data_type())),
        DataType::Timestamp(..) => return Ok(new_null_array(field.data_type(), rows)),
        number => ScalarValue::new_zero(number)?,
    };
    nothing.to_array_of_size(rows)
}
