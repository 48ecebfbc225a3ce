//! The cells of a workbook. Those between two far ones take no room while they are read.

use std::{collections::BTreeMap, io::Cursor};

use bytes::Bytes;
use calamine::{Data, Ods, OdsError, Range, Reader, SheetType, SheetVisible, Xlsx, XlsxError, open_workbook_from_rs};

use super::{
    Error,
    archive::{self, Form},
    cell::{Place, Value, address},
    digits::Digits,
    too_large, unreadable,
};

/// The most cells of a sheet, empty ones before others of their row included.
pub(super) const MAX_CELLS: usize = 20_000_000;
/// The most bytes of a sheet's texts.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 30;
/// How many rows and columns a sheet has.
pub(super) const MAX_ROWS: u32 = 1 << 20;
pub(super) const MAX_COLUMNS: u32 = 1 << 14;

/// A workbook within the limits of what can be held.
pub(super) enum Book {
    Xlsx(Box<Xlsx<Cursor<Bytes>>>),
    Ods(Box<Ods<Cursor<Bytes>>>),
}

/// The rows of a sheet with a value, and their numbers from 1. A row goes as far as its last cell.
pub(super) struct Cells {
    pub(super) rows: Vec<(u32, Vec<Value>)>,
    /// How far the longest goes.
    pub(super) width: usize,
}

impl Book {
    pub(super) fn open(file: &str, bytes: Bytes) -> Result<Self, Error> {
        let form = archive::form_of(file, &bytes)?;
        let bytes = Cursor::new(bytes);
        Ok(match form {
            Form::Xlsx => {
                let book: Result<Xlsx<_>, XlsxError> = open_workbook_from_rs(bytes);
                Self::Xlsx(Box::new(book.map_err(|error| broken(file, error))?))
            }
            Form::Ods => {
                let book: Result<Ods<_>, OdsError> = open_workbook_from_rs(bytes);
                Self::Ods(Box::new(book.map_err(|error| broken(file, error))?))
            }
        })
    }

    pub(super) fn form(&self) -> Form {
        match self {
            Self::Xlsx(_) => Form::Xlsx,
            Self::Ods(_) => Form::Ods,
        }
    }

    pub(super) fn sheet_names(&self) -> Vec<String> {
        match self {
            Self::Xlsx(book) => book.sheet_names(),
            Self::Ods(book) => book.sheet_names(),
        }
    }

    /// The first sheet of cells that a spreadsheet program shows; where it shows none, the first sheet.
    pub(super) fn shown_sheet(&self) -> Option<String> {
        let sheets = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Ods(book) => book.sheets_metadata(),
        };
        let mut shown = sheets.iter().filter(|sheet| sheet.visible == SheetVisible::Visible);
        let found = shown.find(|sheet| sheet.typ == SheetType::WorkSheet).or_else(|| sheets.first());
        found.map(|sheet| sheet.name.clone())
    }

    /// The cells of a sheet, of those from a first to a last one where these are given. The digits are those of its numbers
    /// that are no doubles.
    pub(super) fn cells(
        &mut self,
        file: &str,
        sheet: &str,
        range: Option<(Place, Place)>,
        digits: &Digits,
    ) -> Result<Cells, Error> {
        let mut found = Found { file, sheet, range, digits, rows: BTreeMap::new(), count: 0, text_bytes: 0 };
        match self {
            Self::Xlsx(book) => {
                let mut reader = book.worksheet_cells_reader(sheet).map_err(|error| broken(file, error))?;
                loop {
                    let cell = reader.next_cell_with_formula_metadata().map_err(|error| broken(file, error))?;
                    let Some(cell) = cell else { break };
                    let value = Data::from(cell.value);
                    if value == Data::Empty && cell.formula.is_some() && found.is_wanted(cell.pos) {
                        return Err(found.not_computed(cell.pos));
                    }
                    found.keep(cell.pos, value)?;
                }
            }
            Self::Ods(book) => {
                let formulas: Range<String> = book.worksheet_formula(sheet).map_err(|error| broken(file, error))?;
                let cells: Range<Data> = book.worksheet_range(sheet).map_err(|error| broken(file, error))?;
                let is_empty = |place: Place| cells.get_value(place).is_none_or(|value| *value == Data::Empty);
                let (row, column) = formulas.start().unwrap_or_default();
                for (down, right, _) in formulas.used_cells() {
                    let place = (row + down as u32, column + right as u32);
                    if found.is_wanted(place) && is_empty(place) {
                        return Err(found.not_computed(place));
                    }
                }
                drop(formulas);
                let (row, column) = cells.start().unwrap_or_default();
                for (down, right, value) in cells.used_cells() {
                    found.keep((row + down as u32, column + right as u32), value.clone())?;
                }
            }
        }
        found.finish()
    }
}

/// The error of a file that what reads the cells gave up on.
fn broken(file: &str, error: impl Into<calamine::Error>) -> Error {
    unreadable(file, error.into())
}

/// What was found in a sheet so far.
struct Found<'a> {
    file: &'a str,
    sheet: &'a str,
    range: Option<(Place, Place)>,
    digits: &'a Digits,
    rows: BTreeMap<u32, Vec<(u32, Value)>>,
    count: usize,
    text_bytes: usize,
}

impl Found<'_> {
    fn is_wanted(&self, (row, column): Place) -> bool {
        self.range.is_none_or(|(first, last)| (first.0..=last.0).contains(&row) && (first.1..=last.1).contains(&column))
    }

    fn keep(&mut self, place: Place, value: Data) -> Result<(), Error> {
        if value == Data::Empty || !self.is_wanted(place) {
            return Ok(());
        }
        if place.0 >= MAX_ROWS || place.1 >= MAX_COLUMNS {
            let last = address((MAX_ROWS - 1, MAX_COLUMNS - 1));
            return Err(self.malformed(place, &format!("lies behind {last}, the last one")));
        }
        let value = match (value, self.digits.at(place)) {
            (Data::Float(_) | Data::Int(_), Some(digits)) => Value::Digits(digits.to_owned()),
            (value, _) => Value::Read(value),
        };
        self.count += 1;
        // A text is written once, and may be that of a million cells.
        self.text_bytes += match &value {
            Value::Read(Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text))
            | Value::Digits(text) => text.len(),
            Value::Read(_) => 0,
        };
        if self.count > MAX_CELLS {
            return Err(self.too_many());
        }
        if self.text_bytes > MAX_TEXT_BYTES {
            let reason = format!("the texts of its sheet {} are longer than {} GB", self.sheet, MAX_TEXT_BYTES >> 30);
            return Err(too_large(self.file, reason));
        }
        self.rows.entry(place.0).or_default().push((place.1, value));
        Ok(())
    }

    fn finish(mut self) -> Result<Cells, Error> {
        let first = self.rows.values().flatten().map(|(column, _)| *column).min().unwrap_or(0);
        let (mut rows, mut width, mut count) = (Vec::with_capacity(self.rows.len()), 0, 0);
        for (row, cells) in std::mem::take(&mut self.rows) {
            let length = cells.iter().map(|(column, _)| (column - first) as usize + 1).max().unwrap_or(0);
            width = width.max(length);
            count += length;
            if count > MAX_CELLS {
                return Err(self.too_many());
            }
            let mut values = vec![Value::EMPTY; length];
            for (column, value) in cells {
                let Some(place) = values.get_mut((column - first) as usize) else { continue };
                if *place != Value::EMPTY {
                    return Err(self.malformed((row, column), "is there twice"));
                }
                *place = value;
            }
            rows.push((row + 1, values));
        }
        Ok(Cells { rows, width })
    }

    fn too_many(&self) -> Error {
        let reason = format!(
            "its sheet {} has more than {MAX_CELLS} cells, those between others included; read fewer with the option range",
            self.sheet
        );
        too_large(self.file, reason)
    }

    /// A formula without a value: programs that write spreadsheets without computing them leave such behind.
    fn not_computed(&self, (row, column): Place) -> Error {
        let reason = format!(
            "the formula in cell {} of the sheet {} has no value yet: open the file in a spreadsheet program and save it, or \
             leave the cell out with the option range",
            address((row, column)),
            self.sheet
        );
        Error::Malformed { file: self.file.to_owned(), line: u64::from(row) + 1, reason }
    }

    fn malformed(&self, place: Place, what: &str) -> Error {
        let reason = format!("the cell {} of the sheet {} {what}", address(place), self.sheet);
        Error::Malformed { file: self.file.to_owned(), line: u64::from(place.0) + 1, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(digits: &Digits, count: usize, text_bytes: usize) -> Found<'_> {
        Found { file: "f", sheet: "s", range: None, digits, rows: BTreeMap::new(), count, text_bytes }
    }

    fn found(cells: &[(Place, &str)]) -> Result<Cells, String> {
        let digits = Digits::default();
        let mut found = full(&digits, 0, 0);
        for (place, text) in cells {
            found.keep(*place, Data::String((*text).to_owned())).map_err(|error| error.to_string())?;
        }
        found.finish().map_err(|error| error.to_string())
    }

    #[test]
    fn far_cells_take_no_room() {
        let far = found(&[((0, 0), "a"), ((1_048_575, 16_383), "b")]).map(|cells| (cells.rows.len(), cells.width));
        assert_eq!(far, Ok((2, 16_384)));
    }

    #[test]
    fn no_cell_is_dropped() {
        let told = |cells: &[(Place, &str)]| found(cells).err();
        assert_eq!(
            told(&[((1, 1), "a"), ((1, 1), "b")]).as_deref(),
            Some("file f, line 2: the cell B2 of the sheet s is there twice")
        );
        assert_eq!(
            told(&[((1_048_576, 0), "a")]).as_deref(),
            Some("file f, line 1048577: the cell A1048577 of the sheet s lies behind XFD1048576, the last one")
        );
    }

    #[test]
    fn what_cannot_be_held_is_refused() {
        let keep = |count, text_bytes| {
            let digits = Digits::default();
            let mut found = full(&digits, count, text_bytes);
            found.keep((0, 0), Data::String("ab".to_owned())).map_err(|error| error.fault())
        };
        assert_eq!(keep(0, 0), Ok(()));
        assert_eq!(keep(MAX_CELLS, 0), Err(crate::Fault::LimitExceeded));
        assert_eq!(keep(0, MAX_TEXT_BYTES - 1), Err(crate::Fault::LimitExceeded));
    }
}
