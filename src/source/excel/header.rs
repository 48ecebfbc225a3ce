//! Whether a sheet's first row names its columns, or is a title above the row that does.

use calamine::Data;

use super::{
    super::text::shortened,
    cell::{Cell, Value},
};

/// A row of a sheet, and its number from 1.
type Row = (u32, Vec<Value>);

/// How many rows may stand above the names.
const MAX_TITLE_ROWS: usize = 20;

/// Whether a sheet's first row has the names of its columns: texts, years over columns of others, and dates and times over
/// columns without any.
pub(super) fn names_columns(first: &[Value], rest: &[Row]) -> bool {
    let is_year = |cell: &Value| match cell.data() {
        Some(Data::Int(year)) => (1900..=2100).contains(year),
        Some(Data::Float(year)) => year.fract() == 0.0 && (1900.0..=2100.0).contains(year),
        _ => false,
    };
    let is_time =
        |cell: &Value| matches!(cell.data(), Some(Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_)));
    let below = |place: usize| {
        let cells = rest.iter().filter_map(move |(_, cells)| cells.get(place));
        cells.filter(|cell| **cell != Value::EMPTY)
    };
    let is_name = |(place, cell): (usize, &Value)| match cell {
        Value::Read(Data::String(_) | Data::Empty) => true,
        time if is_time(time) => below(place).next().is_some() && !below(place).any(is_time),
        year => is_year(year) && below(place).any(|cell| !is_year(cell)),
    };
    // Numbers alone may be years or not; dates over others are nothing else than names.
    let is_told = |cell: &Value| is_text(cell) || is_time(cell);
    first.iter().enumerate().all(is_name) && first.iter().any(is_told)
}

/// What stands above the names of a sheet's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    pub(super) text: String,
    /// The number of the row of names, from 1.
    pub(super) names: u32,
}

impl Title {
    /// Of rows that begin with a single cell, above one of names: names are over values, or a single row's title is over one
    /// of texts in each of three columns at least, as texts over texts may be names or not.
    pub(super) fn of(rows: &[Row], width: usize) -> Option<Self> {
        let count = |cells: &[Value]| cells.iter().filter(|cell| is_filled(cell)).count();
        let above = rows.iter().take(MAX_TITLE_ROWS).take_while(|(_, cells)| count(cells) < 2).count();
        let (titles, rest) = rows.split_at_checked(above)?;
        let ((number, names), rest) = rest.split_first()?;
        let is_over_values = |(place, name): (usize, &Value)| {
            let cells = || rest.iter().filter_map(move |(_, cells)| cells.get(place));
            let below = || cells().filter(|cell| is_filled(cell));
            is_filled(name) && below().next().is_some() && !below().any(is_text)
        };
        let is_full = above == 1 && width > 2 && count(names) == width;
        let is_told = || is_full || names.iter().enumerate().any(is_over_values);
        let is_row = count(names) > 1 && names_columns(names, rest) && is_told();
        let first = titles.iter().flat_map(|(_, cells)| cells).filter(|cell| is_filled(cell)).find_map(Cell::of)?;
        is_row.then(|| Self { text: shortened(first.text.trim()), names: *number })
    }
}

fn is_text(cell: &Value) -> bool {
    matches!(cell, Value::Read(Data::String(_)))
}

/// Whether a cell has more than blanks.
fn is_filled(cell: &Value) -> bool {
    match cell {
        Value::Read(Data::Empty) => false,
        Value::Read(Data::String(text)) => !text.trim().is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The title above rows whose cells are written between commas: numbers, texts or nothing.
    fn title(rows: &[&str]) -> Option<(String, u32)> {
        let cell = |text: &str| match text.parse() {
            Ok(number) => Value::Read(Data::Float(number)),
            Err(_) if text.is_empty() => Value::EMPTY,
            Err(_) => Value::Read(Data::String(text.to_owned())),
        };
        let rows: Vec<Row> = (1..).zip(rows.iter().map(|row| row.split(',').map(cell).collect())).collect();
        let width = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        Title::of(&rows, width).map(|title| (title.text, title.names))
    }

    #[test]
    fn what_stands_alone_above_names_is_a_title() {
        let sales = |names: u32| Some(("Sales".to_owned(), names));
        assert_eq!(title(&["Sales", "id,name", "1,a", "2,b"]), sales(2));
        assert_eq!(title(&["Sales", "by region", "region,2023,2024", "EMEA,10,20"]), sales(3));
        assert_eq!(title(&["Sales", "name,city,note", "a,b,c"]), sales(2));
        assert_eq!(title(&["Sales", "name,,v", "a,b,3"]), sales(2));
        assert_eq!(title(&["2024", "id,name", "1,a"]), Some(("2024".to_owned(), 2)));
    }

    #[test]
    fn what_may_be_a_name_is_no_title() {
        for rows in [
            &["id,name", "1,a"][..],
            &["name", "a,b", "c,d"],
            &["name", "a,3", "b,4"],
            &["name", "a", "b"],
            &["name", "a,b,", "c,d,e"],
            &["name"],
            &["name", "a", "b,c,d", "e,f,g"],
            &[],
        ] {
            assert_eq!(title(rows), None, "{rows:?}");
        }
    }
}
