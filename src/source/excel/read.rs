//! From the rows of a sheet to batches.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, new_null_array},
    datatypes::{Field, SchemaRef},
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use super::{
    super::{
        binary::{found_columns, typed},
        bytes::Compression,
        columns::{Misfit, batch_of, column, lenient_column, missing, nullable, required, with_schema, without_rows},
        forms::{Forms, Guessed},
        infer::type_name,
        rejects::{OnError, Reject, Spot},
        text::{Fault, Parse, Prepared, Task, TextReader, shortened},
    },
    Error, ExcelReader,
    cell::{Cell, Value},
};

#[async_trait]
impl TextReader for ExcelReader {
    fn name(&self) -> &'static str {
        "excel"
    }

    fn compression(&self) -> Compression {
        Compression::default()
    }

    fn on_error(&self) -> OnError {
        self.on_error
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        // Which rows there are must not depend on which columns are wanted: all are looked at if wrong rows are left out.
        let looks_at_all = self.on_error.is_lenient();
        let columns = if looks_at_all { (0..task.schema.fields().len()).collect() } else { task.columns.clone() };
        let file = task.input.name.clone();
        let mut sheet: Arc<str> = Arc::default();
        let (mut rows, mut of_table) = (Vec::new(), Vec::new());
        if let Some(found) = self.sheet(&task.input).await? {
            if !found.rows.is_empty() {
                of_table = found_columns(&task.schema, task.width, &found.names, self.refused, &file)?;
            }
            (sheet, rows) = (found.sheet.into(), found.rows);
        }
        let place = |column: &usize| of_table.get(*column).copied().flatten();
        let parser = ExcelParser {
            file,
            sheet,
            rows,
            places: columns.iter().map(place).collect(),
            columns_schema: task.project(&columns)?,
            schema: task.project(&task.columns)?,
            wanted: looks_at_all.then(|| task.columns.clone()),
            batch_size: task.batch_size.max(1),
            next: 0,
            on_error: self.on_error,
            guessed: self.guessed.clone(),
            rejects: Vec::new(),
        };
        Ok(Prepared { chunks: futures::stream::empty().boxed(), parser: Box::new(parser) })
    }
}

/// A row of a sheet, and its number from 1.
type Row = (u32, Vec<Value>);

/// Reads the columns that are wanted of a sheet.
struct ExcelParser {
    file: String,
    sheet: Arc<str>,
    rows: Vec<Row>,
    /// Where each of the columns that are looked at stands in the sheet; none: nowhere.
    places: Vec<Option<usize>>,
    /// The columns that are looked at.
    columns_schema: SchemaRef,
    /// Those of them that are handed out.
    schema: SchemaRef,
    /// Which of the columns are wanted, where others are looked at, too.
    wanted: Option<Vec<usize>>,
    batch_size: usize,
    next: usize,
    on_error: OnError,
    guessed: Guessed,
    rejects: Vec<Reject>,
}

impl Parse for ExcelParser {
    /// The sheet was read before: a workbook cannot be read from the front.
    fn push(&mut self, _: Bytes) -> Result<(), Fault> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn is_done(&self) -> bool {
        false
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        let end = self.rows.len().min(self.next + self.batch_size);
        let rows = self.rows.get(self.next..end).unwrap_or_default();
        if rows.is_empty() {
            return Ok(None);
        }
        let (batch, rejects) = self.batch(rows)?;
        self.rejects.extend(rejects);
        self.next = end;
        Ok(Some(batch))
    }

    fn sheet(&self) -> Option<&str> {
        Some(&self.sheet)
    }

    fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }
}

impl ExcelParser {
    /// The batch of some rows, and what was left out of it.
    fn batch(&self, rows: &[Row]) -> Result<(RecordBatch, Vec<Reject>), Fault> {
        let (mut columns, mut rejects, mut left_out) = (Vec::with_capacity(self.places.len()), Vec::new(), Vec::new());
        for (place, field) in self.places.iter().zip(self.columns_schema.fields()) {
            let (array, misfits) = self.column(rows, *place, field)?;
            for (row, value) in &misfits {
                rejects.push(self.reject(rows, *row, field, value, type_name(field.data_type())));
            }
            for Misfit(row) in missing(&array, field) {
                if !self.on_error.is_lenient() {
                    return Err(self.misfit(rows, row, field, ""));
                }
                if !misfits.iter().any(|(other, _)| *other == row) {
                    rejects.push(self.reject(rows, row, field, "", required(field)));
                }
                left_out.push(row);
            }
            if self.on_error == OnError::Skip {
                left_out.extend(misfits.iter().map(|(row, _)| *row));
            }
            columns.push(array);
        }
        let mut batch = batch_of(&nullable(&self.columns_schema), columns, rows.len())?;
        if let Some(wanted) = &self.wanted {
            batch = without_rows(&batch, &left_out)?.project(wanted)?;
        }
        Ok((with_schema(&batch, &self.schema)?, rejects))
    }

    /// A column of some rows, and where a cell has no value of its type, if that is no error.
    fn column(
        &self,
        rows: &[Row],
        place: Option<usize>,
        field: &Field,
    ) -> Result<(ArrayRef, Vec<(usize, String)>), Fault> {
        let (data_type, forms) = (field.data_type(), Forms::default());
        let Some(place) = place else { return Ok((new_null_array(data_type, rows.len()), Vec::new())) };
        let is_value = |cell: &Cell| data_type.is_string() || !cell.text.trim().is_empty();
        let cells = rows.iter().map(|(_, cells)| cells.get(place).and_then(Cell::of).filter(is_value));
        let mut cells: Vec<Option<Cell>> = cells.collect();
        let mut doubtful = Vec::new();
        for (row, cell) in cells.iter_mut().enumerate().filter(|_| self.guessed.has(field.name())) {
            if let Some(found) = cell.take_if(|cell| !cell.keeps(data_type)) {
                doubtful.push((row, found.text));
            }
        }
        if let Some((row, value)) = doubtful.first().filter(|_| !self.on_error.is_lenient()) {
            return Err(self.misfit(rows, *row, field, value));
        }
        let texts = || cells.iter().map(|cell| cell.as_ref().map(|cell| Cow::Borrowed(cell.text.as_str())));
        let found = match column(data_type, rows.len(), &forms, texts()) {
            Err(_) if self.on_error.is_lenient() => {
                lenient_column(texts, |rows, texts| column(data_type, rows, &forms, texts))
            }
            found => found.map(|array| (array, Vec::new())),
        };
        let (array, mut misfits) = found.map_err(|Misfit(row)| {
            let cell = cells.get(row).and_then(Option::as_ref);
            self.misfit(rows, row, field, cell.map_or("", |cell| cell.text.as_str()))
        })?;
        misfits.extend(doubtful);
        misfits.sort_by_key(|(row, _)| *row);
        Ok((array, misfits))
    }

    fn reject(&self, rows: &[Row], row: usize, field: &Field, value: &str, expected: String) -> Reject {
        let spot = Spot::Row(Arc::clone(&self.sheet), number(rows, row));
        Reject { spot, column: Some(field.name().clone()), value: value.to_owned(), expected }
    }

    fn misfit(&self, rows: &[Row], row: usize, field: &Field, value: &str) -> Fault {
        typed(Error::InvalidValue {
            file: self.file.clone(),
            line: number(rows, row),
            column: field.name().clone(),
            value: shortened(value),
            expected: if field.is_nullable() { type_name(field.data_type()) } else { required(field) },
            format: "excel",
        })
    }
}

/// The number of a row, of some, in its sheet.
fn number(rows: &[Row], row: usize) -> u64 {
    rows.get(row).map_or(1, |(number, _)| u64::from(*number))
}
