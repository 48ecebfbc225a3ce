//! The archive that a spreadsheet is: which form it has, and that nothing in it expands to more than can be held.
//!
//! A few kilobytes can expand to gigabytes, and a few letters can say that there are a billion texts, or that a cell is
//! there so many times. What reads the cells believes all of it, and so it is looked at before.

use std::io::{BufReader, Cursor, Read};

use bytes::Bytes;
use calamine::Error as Unreadable;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    Error,
    book::{MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_TEXT_BYTES},
    too_large, unreadable,
};

/// How the cells are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Office Open XML.
    Xlsx,
    /// OpenDocument.
    Ods,
}

/// What a file of either form begins with.
const ARCHIVE: &[u8] = b"PK";
/// The longest part, expanded.
const MAX_PART_BYTES: u64 = 1 << 30;
/// How long a part may be whatever it is in the archive; a longer one must not be more than so many times as long as there.
/// Sheets are some twenty times as long, and hardly two hundred times if all cells are the same.
const FREE_PART_BYTES: u64 = 64 << 20;
const MAX_EXPANSION: u64 = 200;
/// The longest of the parts that have no cells. Their elements take much more memory than their letters.
const MAX_SMALL_PART_BYTES: u64 = 32 << 20;
const SMALL_PARTS: [&str; 4] = ["styles.xml", "workbook.xml", "theme1.xml", "manifest.xml"];
/// How much of a workbook's texts is looked at for their number.
const HEAD_BYTES: u64 = 64 << 10;

/// The form of a file that can be read within the limits.
pub(super) fn form_of(file: &str, bytes: &Bytes) -> Result<Form, Error> {
    if !bytes.starts_with(ARCHIVE) {
        let reason = "it is no spreadsheet in the form of Office Open XML or OpenDocument";
        return Err(unreadable(file, Unreadable::Msg(reason)));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|error| unreadable(file, error))?;
    let mut texts = Vec::new();
    for place in 0..archive.len() {
        // A part that is not where the archive says is told by what needs it.
        let Ok(part) = archive.by_index_raw(place) else { continue };
        let name = part.name().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        check_size(&name, part.compressed_size(), part.size()).map_err(|reason| too_large(file, reason))?;
        if name.ends_with("workbook.bin") {
            let reason = "it is in Excel's binary form (xlsb), which is not read; save it as xlsx";
            return Err(unreadable(file, Unreadable::Msg(reason)));
        }
        if name.ends_with("sharedstrings.xml") {
            texts.push(place);
        }
    }
    if let Some(place) = archive.index_for_name("mimetype").and_then(|_| archive.index_for_name("content.xml")) {
        let content = archive.by_index(place).map_err(|error| unreadable(file, error))?;
        check_repeats(content).map_err(|reason| too_large(file, reason))?;
        return Ok(Form::Ods);
    }
    for place in texts {
        let part = archive.by_index(place).map_err(|error| unreadable(file, error))?;
        check_texts(part).map_err(|reason| too_large(file, reason))?;
    }
    Ok(Form::Xlsx)
}

/// Refuses a part that is too long. None expands to more than the archive says: what reads it sees to that.
fn check_size(name: &str, packed: u64, expanded: u64) -> Result<(), String> {
    let most =
        if SMALL_PARTS.iter().any(|small| name.ends_with(small)) { MAX_SMALL_PART_BYTES } else { MAX_PART_BYTES };
    if expanded > most {
        return Err(format!("its part {name} expands to {expanded} bytes, the most is {most}"));
    }
    if expanded > FREE_PART_BYTES && expanded / MAX_EXPANSION > packed {
        return Err(format!(
            "its part {name} expands from {packed} bytes to {expanded}, more than {MAX_EXPANSION} times"
        ));
    }
    Ok(())
}

/// Refuses texts of which there are said to be more than a sheet can have: there would be room made for all.
fn check_texts(part: impl Read) -> Result<(), String> {
    let (mut reader, mut buffer) = (xml(part.take(HEAD_BYTES)), Vec::new());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) if element.local_name().as_ref() == "sst" => {
                return match greatest(&element, "uniqueCount") {
                    Some(count) if count > MAX_CELLS as u64 => {
                        Err(format!("it is said to have {count} texts, the most is {MAX_CELLS}"))
                    }
                    _ => Ok(()),
                };
            }
            Ok(Event::Eof) | Err(_) => return Err(format!("its texts do not begin within {HEAD_BYTES} bytes")),
            Ok(_) => {}
        }
    }
}

/// Refuses tables whose cells, each as often as it is said to be there, are more than can be held.
fn check_repeats(content: impl Read) -> Result<(), String> {
    let (mut reader, mut buffer, mut repeats) = (xml(content), Vec::new(), Repeats::default());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            // What is broken is told by what reads the cells.
            Ok(Event::Eof) | Err(_) => return Ok(()),
            Ok(Event::Start(element)) => repeats.begin(&element),
            Ok(Event::Text(text)) => repeats.text(text.len() as u64),
            Ok(Event::GeneralRef(_)) => repeats.text(1),
            Ok(Event::End(element)) => repeats.end(element.name().as_ref()),
            Ok(_) => {}
        }
        if repeats.cells() > MAX_CELLS as u64 {
            return Err(format!("it has more than {MAX_CELLS} cells, repeated ones and those between others included"));
        }
        if repeats.bytes > MAX_TEXT_BYTES as u64 {
            return Err(format!("its texts, as often as they are repeated, are longer than {MAX_TEXT_BYTES} bytes"));
        }
    }
}

/// A reader that takes the same for an element as what reads the cells.
pub(super) fn xml<R: Read>(part: R) -> Reader<BufReader<R>> {
    let mut reader = Reader::from_reader(BufReader::new(part));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.check_comments = false;
    config.expand_empty_elements = true;
    reader
}

/// The greatest number behind a name in an element, where there is one. One that is written with entities is any number.
fn greatest(element: &BytesStart<'_>, name: &str) -> Option<u64> {
    let (text, is_between) = (&**element, |letter: char| letter.is_ascii_whitespace() || "=\"'+".contains(letter));
    let numbers = text.match_indices(name).filter_map(|(at, _)| {
        let rest = text.get(at + name.len()..)?.trim_start_matches(is_between);
        let (digits, behind) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len()));
        match (digits, behind.starts_with('&')) {
            (_, true) => Some(u64::MAX),
            ("", false) => None,
            (digits, false) => Some(digits.parse().unwrap_or(u64::MAX)),
        }
    });
    numbers.max()
}

/// How many cells the tables read so far take, when each is there as often as it is said to be. A row goes as far as its
/// last cell with a value, and a table's rows are made as long as the longest.
#[derive(Debug, Default)]
struct Repeats {
    /// The cells of the tables that have ended, and of the rows of the present one as they are written.
    ended: u64,
    /// The bytes of all texts.
    bytes: u64,
    /// How often the present row and cell are there, and whether the cell has a value.
    rows: u64,
    columns: u64,
    has_value: bool,
    /// How long the cell's text is, and those of its row are, and how far the row goes; empty cells count before others.
    cell_bytes: u64,
    row_bytes: u64,
    length: u64,
    empty: u64,
    /// The rows of the table, those before the first with a value and up to the last, and the longest.
    seen: u64,
    first: Option<u64>,
    last: u64,
    width: u64,
}

impl Repeats {
    fn cells(&self) -> u64 {
        let rows = self.last - self.first.unwrap_or(self.last);
        self.ended.saturating_add(rows.saturating_mul(self.width))
    }

    fn begin(&mut self, element: &BytesStart<'_>) {
        match element.name().as_ref() {
            "table:table-row" => {
                self.rows = greatest(element, "number-rows-repeated").unwrap_or(1).min(u64::from(MAX_ROWS));
                (self.length, self.empty, self.row_bytes) = (0, 0, 0);
            }
            "table:table-cell" | "table:covered-table-cell" => {
                self.columns = greatest(element, "number-columns-repeated").unwrap_or(1).min(u64::from(MAX_COLUMNS));
                let has = |name: &str| element.contains(name);
                self.has_value = has("office:") || has("calcext:") || has("table:formula");
                let is_number = has("office:value=") && !has("table:formula");
                self.cell_bytes = if is_number { 0 } else { element.len() as u64 };
            }
            "text:s" => self.text(greatest(element, "text:c").unwrap_or(1)),
            _ => {}
        }
    }

    fn text(&mut self, length: u64) {
        self.cell_bytes = self.cell_bytes.saturating_add(length);
    }

    fn end(&mut self, name: &str) {
        match name {
            "table:table-cell" | "table:covered-table-cell" if self.has_value => {
                self.length = (self.length + self.empty + self.columns).min(u64::from(MAX_COLUMNS));
                self.row_bytes = self.row_bytes.saturating_add(self.cell_bytes.saturating_mul(self.columns));
                self.empty = 0;
            }
            "table:table-cell" | "table:covered-table-cell" => {
                self.empty = (self.empty + self.columns).min(u64::from(MAX_COLUMNS));
            }
            "table:table-row" => {
                if self.length > 0 {
                    self.first.get_or_insert(self.seen);
                    self.last = (self.seen + self.rows).min(u64::from(MAX_ROWS));
                    self.width = self.width.max(self.length);
                    self.ended = self.ended.saturating_add(self.length);
                    self.bytes = self.bytes.saturating_add(self.row_bytes.saturating_mul(self.rows));
                }
                self.seen = (self.seen + self.rows).min(u64::from(MAX_ROWS));
            }
            "table:table" => {
                self.ended = self.cells();
                (self.seen, self.first, self.last, self.width) = (0, None, 0, 0);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at a table of a row of the cells that are written, which is there so many times.
    fn repeated(rows: u64, cells: &str) -> Result<(), String> {
        let text = format!(
            "<t><table:table><table:table-row table:number-rows-repeated=\"{rows}\">{cells}</table:table-row>\
             </table:table></t>"
        );
        check_repeats(text.as_bytes())
    }

    #[test]
    fn parts_that_expand_to_too_much_are_refused() {
        let (mega, giga) = (1 << 20, 1 << 30);
        assert_eq!(check_size("xl/worksheets/sheet1.xml", 60 * mega, giga), Ok(()));
        assert_eq!(check_size("xl/worksheets/sheet1.xml", 100, 64 * mega), Ok(()));
        for (name, packed, expanded) in [
            ("xl/worksheets/sheet1.xml", giga, giga + 1),
            ("xl/worksheets/sheet1.xml", 1000, 65 * mega),
            ("xl/styles.xml", mega, 33 * mega),
        ] {
            assert!(check_size(name, packed, expanded).is_err(), "{name}");
        }
    }

    #[test]
    fn more_texts_than_a_sheet_can_have_are_refused() {
        let texts = |head: &str| check_texts(head.as_bytes());
        assert_eq!(
            texts("<?xml version=\"1.0\"?><!-- <sst> --><sst count=\"9\" uniqueCount=\"3\"><si/></sst>"),
            Ok(())
        );
        assert_eq!(texts("<x:sst><x:si/></x:sst>"), Ok(()));
        assert!(texts("<sst uniqueCount=\"99999999999\"/>").is_err());
        assert!(texts("<sst uniqueCount = '99999999999999999999999'/>").is_err());
        assert!(texts("<sst uniqueCount='&#57;9'/>").is_err());
        assert!(texts(&format!("<!--{}--><sst uniqueCount='1'/>", " ".repeat(HEAD_BYTES as usize))).is_err());
    }

    #[test]
    fn repeated_cells_are_counted() {
        let value = "<table:table-cell office:value-type=\"float\" office:value=\"1\"/>";
        let empty = "<table:table-cell table:number-columns-repeated=\"16384\"/>";
        let text = "<table:table-cell office:value-type=\"string\"><text:p>a<text:s text:c=\"9999999\"/></text:p>\
                    </table:table-cell>";
        assert_eq!(repeated(1_048_576, empty), Ok(()));
        assert_eq!(repeated(1_048_576, &format!("{value}{empty}")), Ok(()));
        assert_eq!(repeated(1, text), Ok(()));
        assert!(repeated(1_048_576, &format!("{empty}{value}")).is_err());
        assert!(repeated(1_048_576, &value.repeat(20)).is_err());
        assert!(repeated(1000, text).is_err());
    }

    #[test]
    fn cells_far_apart_are_as_many_as_are_between() {
        let far = "<table:table><table:table-row><table:table-cell office:value=\"1\"/></table:table-row>\
                   <table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell/></table:table-row>\
                   <table:table-row><table:table-cell table:number-columns-repeated=\"16000\"/>\
                   <table:table-cell office:value=\"1\"/></table:table-row></table:table>";
        assert!(check_repeats(far.as_bytes()).is_err());
    }
}
