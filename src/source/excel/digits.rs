//! The numbers of a sheet that double precision does not hold. What reads the cells makes doubles of all numbers, and so the
//! digits are looked for in the file itself, where there are any so long.

use std::{
    borrow::Cow,
    io::{Cursor, Read},
    ops::Range,
};

use bytes::Bytes;
use quick_xml::{
    XmlVersion,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    super::values::{InFloat, Number},
    archive::{Form, xml},
    cell::{Place, cell_of},
};

/// How many digits double precision always holds.
const SAFE_DIGITS: usize = 15;

/// The numbers of a sheet that lose digits in double precision, in the order of their rows and columns.
#[derive(Debug, Default)]
pub(super) struct Digits(Vec<Exact>);

/// A number as the file has it, and the cells that have it.
#[derive(Debug)]
struct Exact {
    rows: Range<u32>,
    columns: Range<u32>,
    text: String,
}

impl Digits {
    /// Those of a sheet of a file. What is broken is told by what reads the cells.
    pub(super) fn of_sheet(bytes: &Bytes, form: Form, sheet: &str) -> Self {
        let found = match form {
            Form::Xlsx => in_xlsx(bytes, sheet),
            Form::Ods => in_ods(bytes, sheet),
        };
        let mut numbers = found.unwrap_or_default();
        numbers.sort_by_key(|number| (number.rows.start, number.columns.start));
        Self(numbers)
    }

    /// The number in a cell, if it is one of them.
    pub(super) fn at(&self, (row, column): Place) -> Option<&str> {
        let precedes =
            |number: &Exact| number.rows.end <= row || (number.rows.start <= row && number.columns.end <= column);
        let next = self.0.get(self.0.partition_point(precedes))?;
        (next.rows.contains(&row) && next.columns.contains(&column)).then_some(next.text.as_str())
    }
}

type Archive = ZipArchive<Cursor<Bytes>>;

fn in_ods(bytes: &Bytes, sheet: &str) -> Option<Vec<Exact>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).ok()?;
    let place = archive.index_for_name("content.xml")?;
    has_long_number(archive.by_index(place).ok()?).then_some(())?;
    Some(in_tables(archive.by_index(place).ok()?, sheet))
}

/// The numbers of the table that is called so in the content of an OpenDocument file.
fn in_tables(content: impl Read, sheet: &str) -> Vec<Exact> {
    let (mut reader, mut buffer, mut numbers) = (xml(content), Vec::new(), Vec::new());
    let (mut is_wanted, mut rows, mut column) = (false, 0..0_u32, 0_u32);
    loop {
        buffer.clear();
        let element = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) | Err(_) => return numbers,
            Ok(Event::Start(element)) => element,
            Ok(_) => continue,
        };
        let count = |name: &str| attribute(&element, name).and_then(|count| count.parse().ok()).unwrap_or(1_u32);
        match element.name().as_ref() {
            "table:table" => {
                is_wanted = attribute(&element, "table:name").as_deref() == Some(sheet);
                rows = 0..0;
            }
            "table:table-row" => {
                rows = rows.end..rows.end.saturating_add(count("table:number-rows-repeated"));
                column = 0;
            }
            "table:table-cell" | "table:covered-table-cell" if is_wanted => {
                let columns = column..column.saturating_add(count("table:number-columns-repeated"));
                column = columns.end;
                if let Some(text) = attribute(&element, "office:value").filter(|text| is_lost(text)) {
                    numbers.push(Exact { rows: rows.clone(), columns, text });
                }
            }
            _ => {}
        }
    }
}

fn in_xlsx(bytes: &Bytes, sheet: &str) -> Option<Vec<Exact>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).ok()?;
    let place = sheet_part(&mut archive, sheet)?;
    has_long_number(archive.by_index(place).ok()?).then_some(())?;
    Some(in_cells(archive.by_index(place).ok()?))
}

/// The numbers of a sheet of Office Open XML.
fn in_cells(part: impl Read) -> Vec<Exact> {
    let (mut reader, mut buffer, mut numbers) = (xml(part), Vec::new(), Vec::new());
    // Where the present cell is, whether its value is a number, and that as far as it was read.
    let (mut row, mut column, mut is_number, mut is_value, mut text) = (0_u32, 0_u32, false, false, String::new());
    let mut cell = (0, 0);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) | Err(_) => return numbers,
            Ok(Event::Start(element)) => match element.local_name().as_ref() {
                "row" => {
                    let number = attribute(&element, "r").and_then(|number| number.parse::<u32>().ok());
                    row = number.map_or(row, |number| number.saturating_sub(1));
                }
                "c" => {
                    cell = attribute(&element, "r").and_then(|name| cell_of(&name)).unwrap_or((row, column));
                    column = cell.1;
                    is_number = attribute(&element, "t").is_none_or(|kind| kind == "n");
                }
                "v" => (is_value, text) = (is_number, String::new()),
                _ => {}
            },
            Ok(Event::Text(found)) if is_value => text.push_str(&found),
            Ok(Event::End(element)) => match element.local_name().as_ref() {
                "v" if is_value => {
                    is_value = false;
                    let text = text.trim();
                    if is_lost(text) {
                        let (rows, columns) = (cell.0..cell.0.saturating_add(1), cell.1..cell.1.saturating_add(1));
                        numbers.push(Exact { rows, columns, text: text.to_owned() });
                    }
                }
                "c" => column = column.saturating_add(1),
                "row" => (row, column) = (row.saturating_add(1), 0),
                _ => {}
            },
            Ok(_) => {}
        }
    }
}

/// Where in the archive the sheet is that the workbook calls so.
fn sheet_part(archive: &mut Archive, sheet: &str) -> Option<usize> {
    let count = archive.len();
    let name = |place: usize| {
        let part = archive.by_index_raw(place).ok()?;
        part.name().ok().map(|name| name.to_ascii_lowercase().replace('\\', "/"))
    };
    let names: Vec<String> = (0..count).map(name).map(Option::unwrap_or_default).collect();
    let place_of = |wanted: &str| names.iter().position(|name| *name == wanted.to_ascii_lowercase());
    let book = names.iter().position(|name| name.ends_with("workbook.xml"))?;
    let path = names.get(book)?;
    let (folder, file) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
    let links = place_of(&format!("{folder}_rels/{file}.rels"))?;
    let id = first(archive, book, "sheet", |element| {
        (attribute(element, "name")? == sheet).then(|| local_attribute(element, "id"))?
    })?;
    let target = first(archive, links, "Relationship", |element| {
        (attribute(element, "Id")? == id).then(|| attribute(element, "Target"))?
    })?;
    match target.strip_prefix('/') {
        Some(absolute) => place_of(absolute),
        None => place_of(&format!("{folder}{target}")),
    }
}

/// What the first element of a name in a part tells that tells something.
fn first<T>(archive: &mut Archive, place: usize, name: &str, tell: impl Fn(&BytesStart<'_>) -> Option<T>) -> Option<T> {
    let (mut reader, mut buffer) = (xml(archive.by_index(place).ok()?), Vec::new());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) | Err(_) => return None,
            Ok(Event::Start(element)) if element.local_name().as_ref() == name => {
                if let Some(told) = tell(&element) {
                    return Some(told);
                }
            }
            Ok(_) => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).ok().flatten()?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
}

/// An attribute whose name has any prefix.
fn local_attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|found| found.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}

/// Whether double precision loses digits of a number.
fn is_lost(text: &str) -> bool {
    Number::read(text).is_some_and(|number| number.in_double(text) == InFloat::Lost)
}

/// Whether a part has more digits in a row, but for a point among them, than double precision always holds. In UTF-16 there
/// are zeros between them.
fn has_long_number(mut part: impl Read) -> bool {
    let (mut buffer, mut digits) = (vec![0; 64 << 10], 0);
    loop {
        let length = match part.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(length) => length,
        };
        for byte in buffer.get(..length).unwrap_or_default() {
            digits = match byte {
                b'0'..=b'9' => digits + 1,
                b'.' | 0 => digits,
                _ => 0,
            };
            if digits > SAFE_DIGITS {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(numbers: Vec<Exact>, places: &[Place]) -> Vec<Option<String>> {
        let digits = Digits(numbers);
        places.iter().map(|place| digits.at(*place).map(str::to_owned)).collect()
    }

    #[test]
    fn cells_of_open_document_are_found_where_they_are() {
        let content = "<d><table:table table:name=\"other\"><table:table-row><table:table-cell office:value=\"98765432109876543211\"/>\
                       </table:table-row></table:table><table:table table:name=\"a&amp;b\">\
                       <table:table-row table:number-rows-repeated=\"2\"><table:table-cell/></table:table-row>\
                       <table:table-row table:number-rows-repeated=\"3\">\
                       <table:table-cell table:number-columns-repeated=\"2\" office:value=\"1.5\"/>\
                       <table:table-cell table:number-columns-repeated=\"2\" office:value=\"12345678901234567890\"/>\
                       <table:table-cell office:value=\"0.30000000000000004\"/>\
                       <table:table-cell office:value=\"9007199254740993\"/></table:table-row></table:table></d>";
        let places = [(0, 0), (2, 1), (2, 2), (4, 3), (4, 4), (4, 5), (5, 2)];
        let (long, odd) = (Some("12345678901234567890".to_owned()), Some("9007199254740993".to_owned()));
        let found = at(in_tables(content.as_bytes(), "a&b"), &places);
        assert_eq!(found, [None, None, long.clone(), long, None, odd, None]);
    }

    #[test]
    fn cells_of_office_open_xml_are_found_where_they_are() {
        let sheet = "<x:worksheet><x:sheetData><x:row r=\"3\"><x:c r=\"B3\"><x:v>9007199254740993</x:v></x:c>\
                     <x:c><x:f>1+1</x:f><x:v>12345678901234567890</x:v></x:c><x:c t=\"s\"><x:v>98765432109876543210</x:v></x:c>\
                     <x:c><x:v>0.1</x:v></x:c></x:row><x:row><x:c><x:v>1.00000000000000000001</x:v></x:c></x:row>\
                     </x:sheetData></x:worksheet>";
        let text = |text: &str| Some(text.to_owned());
        let found = at(in_cells(sheet.as_bytes()), &[(2, 1), (2, 2), (2, 3), (2, 4), (3, 0)]);
        let expected =
            [text("9007199254740993"), text("12345678901234567890"), None, None, text("1.00000000000000000001")];
        assert_eq!(found, expected);
    }

    #[test]
    fn only_long_numbers_make_a_part_worth_a_look() {
        assert!(has_long_number("<v>123456789.0123456</v>".as_bytes()));
        assert!(!has_long_number("<v>123456789.012345</v><v>0123456</v>".as_bytes()));
        let wide: Vec<u8> = "1234567890123456".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(has_long_number(wide.as_slice()));
    }
}
