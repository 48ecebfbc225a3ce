//! Files made by hand, with what no writer should write.

use std::io::Read;

use arrow::{
    array::AsArray,
    datatypes::{
        DataType, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, TimeUnit, TimestampNanosecondType,
    },
    util::display::{ArrayFormatter, FormatOptions},
};
use flate2::Crc;

use super::*;

const MARK: &[u8; MARK_BYTES] = b"0123456789abcdef";
/// Records of a number and a text.
const PAIRS: &str =
    r#"{"type":"record","name":"t","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"}]}"#;

fn long(value: i64) -> Vec<u8> {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = Vec::new();
    while bits > 0x7F {
        bytes.push((bits & 0x7F) as u8 | 0x80);
        bits >>= 7;
    }
    bytes.push(bits as u8);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [long(text.len() as i64).as_slice(), text.as_bytes()].concat()
}

fn header(schema: &str, codec: &str) -> Vec<u8> {
    let parts = [text("avro.schema"), text(schema), text("avro.codec"), text(codec)].concat();
    [MAGIC, &long(2), &parts, &long(0), MARK].concat()
}

fn block(records: i64, data: &[u8]) -> Vec<u8> {
    [long(records).as_slice(), &long(data.len() as i64), data, MARK].concat()
}

/// A file with the records of one block.
fn file(schema: &str, records: i64, data: &[u8]) -> Vec<u8> {
    [header(schema, "null"), block(records, data)].concat()
}

/// The schema of records with one column.
fn one(column: &str) -> String {
    format!(r#"{{"type":"record","name":"t","fields":[{{"name":"a","type":{column}}}]}}"#)
}

fn batches(bytes: &[u8], chunk: usize) -> Result<Vec<RecordBatch>, String> {
    let shown = |error: ArrowError| error.to_string().trim_start_matches("Avro error: ").to_owned();
    let (mut decoder, mut found) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(chunk) {
        decoder.push(Bytes::copy_from_slice(piece)).map_err(shown)?;
        while let Some(batch) = decoder.next().map_err(shown)? {
            found.push(batch);
        }
    }
    decoder.finish().map_err(shown)?;
    while let Some(batch) = decoder.next().map_err(shown)? {
        found.push(batch);
    }
    Ok(found)
}

/// The rows as texts.
fn rows(bytes: &[u8], chunk: usize) -> Result<Vec<String>, String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches(bytes, chunk)? {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" "));
        }
    }
    Ok(rows)
}

/// The rows of a file that is read at once.
fn all(bytes: &[u8]) -> Result<Vec<String>, String> {
    rows(bytes, usize::MAX)
}

fn fails(bytes: &[u8], reason: &str) {
    assert_eq!(all(bytes), Err(reason.to_owned()));
}

#[test]
fn a_file_may_be_cut_anywhere() {
    let first = block(2, &[long(1), text("Ann"), long(-2), text("")].concat());
    let second = block(1, &[long(i64::MIN), text("é")].concat());
    let header = header(PAIRS, "null");
    let whole = [header.clone(), first.clone(), second].concat();
    let wanted = ["1 Ann", "-2 ", "-9223372036854775808 é"];
    for chunk in 1..=whole.len() {
        assert_eq!(rows(&whole, chunk).unwrap(), wanted, "{chunk}");
    }
    let begun = header.len() + first.len();
    for end in 0..whole.len() {
        let found = rows(&whole[..end], 7);
        match end {
            end if end < header.len() => assert_eq!(found.unwrap_err(), "it ends within its header", "{end}"),
            end if end == header.len() => assert!(found.unwrap().is_empty()),
            end if end == begun => assert_eq!(found.unwrap(), wanted[..2]),
            end => assert_eq!(found.unwrap_err(), "it ends within its rows", "{end}"),
        }
    }
    assert!(batches(&header, 5).unwrap().is_empty());
    fails(b"Obj\x02", "it does not begin with the mark of a container file");
    fails(&[MAGIC, &long(0), MARK].concat(), "its header has no schema");
}

#[test]
fn the_metadata_may_be_in_parts() {
    let codec = [text("avro.codec"), text("null")].concat();
    let schema = [text("avro.schema"), text(PAIRS)].concat();
    let size = long(schema.len() as i64);
    let header = [MAGIC, &long(1), &codec, &long(-1), &size, &schema, &long(0), MARK].concat();
    let whole = [header, block(1, &[long(7), text("x")].concat())].concat();
    assert_eq!(all(&whole).unwrap(), ["7 x"]);
}

#[test]
fn a_block_holds_what_it_says() {
    let data = [long(1), text("Ann"), long(2), text("Bob")].concat();
    let header = header(PAIRS, "null");
    let with = |block: Vec<u8>| [header.clone(), block].concat();
    assert_eq!(all(&with(block(2, &data))).unwrap(), ["1 Ann", "2 Bob"]);
    assert!(all(&with(block(0, &[]))).unwrap().is_empty());
    fails(&with(block(1, &data)), "a block has bytes behind its records");
    fails(&with(block(0, &data)), "a block has bytes behind its records");
    fails(&with(block(3, &data)), "a block ends within its records");
    fails(&with(block(1 << 20, &data)), "a block ends within its records");
    fails(&with(block(-1, &data)), "-1 is no length");
    fails(&with(block(i64::MAX, &data)), "a block of 10 bytes cannot hold 9223372036854775807 records");
    fails(&with([long(2), long(-10), data.clone()].concat()), "-10 is no length");
    fails(&with([long(2), long(i64::MAX), data.clone()].concat()), "a block is longer than 64 MB");
    fails(
        &with([long(2), long(9), data.clone(), MARK.to_vec()].concat()),
        "a block is not followed by the mark of the file",
    );
    fails(&with([long(2), long(11), data.clone(), MARK.to_vec()].concat()), "it ends within its rows");
    fails(&with([&[0xFF_u8; 10][..], &data].concat()), "a number is longer than 64 bits");
    let mut damaged = with(block(2, &data));
    *damaged.last_mut().unwrap() = 0;
    fails(&damaged, "a block is not followed by the mark of the file");
}

#[test]
fn lengths_are_no_longer_than_what_follows() {
    let cases = [
        (r#""string""#, long(i64::MAX), "a block ends within its records"),
        (r#""string""#, long(-5), "in its record 1, column a, -5 is no length"),
        (r#""bytes""#, long(1 << 40), "a block ends within its records"),
        (r#"{"type":"fixed","name":"f","size":4611686018427387904}"#, vec![0; 9], "a block ends within its records"),
        (r#"{"type":"array","items":"long"}"#, long(1 << 40), "a block ends within its records"),
        (r#"{"type":"array","items":"long"}"#, long(i64::MIN), "a block ends within its records"),
        (r#"{"type":"map","values":"null"}"#, long(1 << 40), "a block ends within its records"),
        (r#""string""#, [long(1), vec![0xFF]].concat(), "in its record 1, column a, a text is not UTF-8"),
        (r#""boolean""#, vec![2], "in its record 1, column a, 2 is no truth value"),
        (r#""int""#, long(1 << 31), "in its record 1, column a, 2147483648 is out of the range of an int"),
        (r#""long""#, vec![0xFF; 11], "in its record 1, column a, a number is longer than 64 bits"),
        (r#"["null","long"]"#, long(2), "in its record 1, column a, 2 is none of 2 types"),
        (r#"["int","null","long"]"#, long(3), "in its record 1, column a, 3 is none of 3 types"),
        (r#"{"type":"enum","name":"e","symbols":["x"]}"#, long(1), "in its record 1, column a, 1 is none of 1 symbols"),
    ];
    for (column, data, reason) in cases {
        fails(&file(&one(column), 1, &data), reason);
    }
}

#[test]
fn what_takes_no_bytes_has_an_end() {
    let endless = [long(1 << 40), long(0)].concat();
    let reason = format!("in its record 1, column a, a record has more than {MAX_FREE} values that take no bytes");
    for items in ["\"null\"", r#"{"type":"record","name":"e","fields":[]}"#, r#"{"type":"fixed","name":"f","size":0}"#]
    {
        let schema = one(&format!(r#"{{"type":"array","items":{items}}}"#));
        fails(&file(&schema, 1, &endless), &reason);
        let few = [long(3), long(0)].concat();
        assert_eq!(batches(&file(&schema, 1, &few), 1).unwrap().len(), 1);
    }
    let schema = one("\"null\"");
    fails(&file(&schema, 1 << 40, &[]), "a block of 0 bytes cannot hold 1099511627776 records");
    let found = batches(&file(&schema, 20_000, &[]), usize::MAX).unwrap();
    assert_eq!(found.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [8192, 8192, 3616]);
}

/// The block as a codec has it.
fn compressed(codec: Codec, data: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    match codec {
        Codec::Null => packed.extend_from_slice(data),
        Codec::Deflate => {
            let mut encoder = flate2::read::DeflateEncoder::new(data, flate2::Compression::fast());
            encoder.read_to_end(&mut packed).unwrap();
        }
        Codec::Snappy => {
            packed = snap::raw::Encoder::new().compress_vec(data).unwrap();
            let mut checksum = Crc::new();
            checksum.update(data);
            packed.extend_from_slice(&checksum.sum().to_be_bytes());
        }
        Codec::Zstandard => packed = zstd::encode_all(data, 1).unwrap(),
        Codec::Bzip2 => {
            let mut encoder = bzip2::read::BzEncoder::new(data, bzip2::Compression::fast());
            encoder.read_to_end(&mut packed).unwrap();
        }
        Codec::Xz => packed = liblzma::encode_all(data, 1).unwrap(),
    }
    packed
}

#[test]
fn every_codec_is_read_and_bounded() {
    let data = [long(1), text(&"x".repeat(300)), long(2), text("Bob")].concat();
    let zeros = vec![0_u8; 3 << 20];
    for name in ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"] {
        let codec = Codec::named(name.as_bytes()).unwrap();
        let packed = compressed(codec, &data);
        let with = |packed: &[u8]| [header(PAIRS, name), block(2, packed)].concat();
        assert_eq!(all(&with(&packed)).unwrap().last().unwrap(), "2 Bob", "{name}");
        if codec == Codec::Null {
            continue;
        }
        // Cut off or damaged, it is an error, in whichever layer.
        for end in [0, 1, packed.len() / 2] {
            all(&with(&packed[..end])).unwrap_err();
        }
        let mut damaged = packed.clone();
        *damaged.iter_mut().next().unwrap() ^= 0x55;
        all(&with(&damaged)).unwrap_err();
        let reason = codec.expand(compressed(codec, &zeros).into(), 2 << 20).unwrap_err();
        assert_eq!(reason, "a block cannot be decompressed: it expands to more than 2 MB", "{name}");
        assert_eq!(codec.expand(compressed(codec, &zeros).into(), 3 << 20).unwrap(), zeros, "{name}");
    }
    let mut packed = compressed(Codec::Snappy, &data);
    *packed.last_mut().unwrap() ^= 1;
    let damaged = [header(PAIRS, "snappy"), block(2, &packed)].concat();
    fails(&damaged, "a block cannot be decompressed: its checksum is another one");
    let none = "its codec lz4 is none of null, deflate, snappy, zstandard, bzip2, xz";
    fails(&header(PAIRS, "lz4"), none);
}

#[test]
fn schemas_that_no_table_can_have() {
    let array = |of: String, _: usize| format!(r#"{{"type":"array","items":{of}}}"#);
    let nested = |depth: usize| (0..depth).fold("\"int\"".to_owned(), array);
    // Each record has the one before it twice.
    let twice = (1..20).fold(r#"{"type":"record","name":"r0","fields":[]}"#.to_owned(), |of, level| {
        let before = level - 1;
        let fields = format!(r#"{{"name":"x","type":{of}}},{{"name":"y","type":"r{before}"}}"#);
        format!(r#"{{"type":"record","name":"r{level}","fields":[{fields}]}}"#)
    });
    let link = r#"{"type":"record","name":"link","namespace":"n","fields":[{"name":"next","type":["null","link"]}]}"#;
    let long_number = r#"{"type":"bytes","logicalType":"decimal","precision":10001,"scale":2}"#;
    let two = r#"{"type":"record","name":"o","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]}"#;
    let cases = [
        ("{".to_owned(), "its schema is no JSON: EOF while parsing an object at line 1 column 1"),
        ("\"long\"".to_owned(), "its values are of type bigint, and only records have columns"),
        ("[\"null\"]".to_owned(), "its values are of several types, and only records have columns"),
        ("7".to_owned(), "its schema has no type"),
        (one(link), "its column a.next holds values of type n.link, which hold it: no column can"),
        (one("\"other\""), "its column a is of type other, which its schema does not define"),
        (one(long_number), "its column a has numbers of 10001 digits, more than 10000"),
        (one(&nested(70)), "its column a is nested deeper than 64 types"),
        (one(&twice), "its schema has more than 65536 types and symbols"),
        (one(two), "its column a has two fields called x"),
        (one(r#"{"type":"array"}"#), "its column a has no items"),
        (one(r#"{"type":"fixed","name":"f"}"#), "its column a has no size"),
        (one(r#"{"type":"enum","name":"f","symbols":[1]}"#), "its column a has no symbols"),
    ];
    for (schema, reason) in cases {
        assert_eq!(schema::columns(schema.as_bytes()).err().unwrap_or_default(), reason);
    }
    let found = schema::columns(one(&nested(500)).as_bytes()).err().unwrap_or_default();
    assert!(found.starts_with("its schema is no JSON: recursion limit exceeded"), "{found}");
    // Names nest without brackets.
    let chain =
        (1..80).fold(r#"{"name":"f0","type":{"type":"record","name":"r0","fields":[]}}"#.to_owned(), |of, level| {
            let before = level - 1;
            let fields = format!(r#"{{"name":"x","type":"r{before}"}}"#);
            format!(r#"{of},{{"name":"f{level}","type":{{"type":"record","name":"r{level}","fields":[{fields}]}}}}"#)
        });
    let chain = format!(r#"{{"type":"record","name":"t","fields":[{chain}]}}"#);
    assert!(schema::columns(chain.as_bytes()).err().unwrap_or_default().ends_with("is nested deeper than 64 types"));
}

#[test]
fn names_are_found_in_their_namespace() {
    let schema = r#"{"type":"record","name":"a.b.t","fields":[
        {"name":"x","type":{"type":"fixed","name":"f","size":1}},
        {"name":"y","type":{"type":"record","name":"c","namespace":"d","fields":[
            {"name":"z","type":{"type":"fixed","name":"f","size":2}}, {"name":"w","type":"f"}, {"name":"v","type":"a.b.f"}]}},
        {"name":"u","type":["null","d.c"]}, {"name":"s","type":"f"},
        {"name":"r","type":{"type":"fixed","name":"g","namespace":"","size":3}}, {"name":"q","type":"g"}]}"#;
    let y: [u8; 5] = [2, 2, 3, 3, 4];
    let data = [&[1_u8][..], &y, &long(1), &y, &[5], &[6, 6, 6], &[7, 7, 7]].concat();
    let wanted = "01 {z: 0202, w: 0303, v: 04} {z: 0202, w: 0303, v: 04} 05 060606 070707";
    assert_eq!(all(&file(schema, 1, &data)).unwrap(), [wanted]);
    let twice = schema.replace("\"g\",\"namespace\":\"\"", "\"f\"");
    fails(&header(&twice, "null"), "its schema defines the type a.b.f twice");
}

#[test]
fn unions_have_the_type_that_holds_all() {
    let double = |value: f64| value.to_le_bytes().to_vec();
    let read = |column: &str, values: &[(i64, Vec<u8>)]| {
        let data: Vec<u8> = values.iter().flat_map(|(branch, value)| [long(*branch), value.clone()].concat()).collect();
        let found = all(&file(&one(column), values.len() as i64, &data))?;
        let (fields, _) = schema::columns(one(column).as_bytes())?;
        Ok::<_, String>((fields.iter().next().unwrap().data_type().clone(), found.join(", ")))
    };
    let found = read(r#"["int","null","long"]"#, &[(0, long(1)), (1, vec![]), (2, long(1 << 40))]);
    assert_eq!(found.unwrap(), (DataType::Int64, "1, NULL, 1099511627776".to_owned()));
    let found = read(r#"["null","long","double"]"#, &[(1, long(7)), (0, vec![]), (2, double(0.5))]);
    assert_eq!(found.unwrap(), (DataType::Float64, "7.0, NULL, 0.5".to_owned()));
    let found = read(r#"["long","double"]"#, &[(0, long((1 << 53) + 1))]);
    let reason = "External error: record 1, column a: '9007199254740993' is not of type double precision";
    assert_eq!(found.unwrap_err(), reason);
    let object = r#"{"type":"record","name":"o","fields":[{"name":"x","type":"int"}]}"#;
    let found = read(&format!(r#"["string",{object}]"#), &[(0, text("x")), (1, long(4))]);
    assert_eq!(found.unwrap(), (DataType::Utf8View, r#"x, {"x":4}"#.to_owned()));
    let values = [(0, text("x")), (1, long(5)), (2, vec![]), (3, vec![1])];
    let found = read(r#"["string","long","null","boolean"]"#, &values);
    assert_eq!(found.unwrap(), (DataType::Utf8View, "x, 5, NULL, true".to_owned()));
    let found = read(r#"["null"]"#, &[(0, vec![]), (0, vec![])]);
    assert_eq!(found.unwrap().0, DataType::Null);
    // What has nothing else in common is text, and what is none is its own JSON.
    let several = r#"[{"type":"map","values":"double"},"string",{"type":"array","items":["null","string"]}]"#;
    let map = [long(2), text("a"), double(1.5), text("b"), double(f64::NAN), long(0)].concat();
    let list = [long(2), long(1), text("x, \"y"), long(0), long(0)].concat();
    let found = read(several, &[(0, map), (1, text("{")), (2, list)]);
    assert_eq!(found.unwrap(), (DataType::Utf8View, r#"{"a":1.5,"b":NaN}, {, ["x, \"y",null]"#.to_owned()));
    let found = read(r#"["int"]"#, &[(0, long(3))]);
    assert_eq!(found.unwrap(), (DataType::Int32, "3".to_owned()));
    // A record without a value has none in its union either.
    let inner = r#"{"type":"record","name":"o","fields":[{"name":"u","type":["null","int","long"]}]}"#;
    let found = read(&format!(r#"["null",{inner}]"#), &[(0, vec![]), (1, [long(1), long(4)].concat())]);
    assert_eq!(found.unwrap().1, "NULL, {u: 4}");
}

/// A union's value that the column cannot have is told with the number of its record, wherever in it the union is.
#[test]
fn a_value_that_is_none_of_its_columns_type_has_a_record() {
    let records = |column: &str, record: &[u8], wrong: &[u8], before: usize| {
        let data = [record.repeat(before).as_slice(), wrong, record].concat();
        all(&file(&one(column), before as i64 + 2, &data)).unwrap_err()
    };
    let told = |record: usize| {
        format!("External error: record {record}, column a: '9007199254740993' is not of type double precision")
    };
    let number = r#"["null","long","double"]"#;
    let (fine, large) = ([long(1), long(7)].concat(), [long(1), long((1 << 53) + 1)].concat());
    assert_eq!(records(number, &fine, &large, 3), told(4));
    // Those that were handed out before count, too.
    assert_eq!(records(number, &fine, &large, BATCH_ROWS + 9), told(BATCH_ROWS + 10));
    let list = |items: &[&[u8]]| [long(items.len() as i64).as_slice(), &items.concat(), &long(0)].concat();
    let (short, wrong) = (list(&[&fine, &fine]), list(&[&fine, &long(0), &large]));
    assert_eq!(records(&format!(r#"{{"type":"array","items":{number}}}"#), &short, &wrong, 2), told(3));
    let object = format!(r#"["null",{{"type":"record","name":"o","fields":[{{"name":"x","type":{number}}}]}}]"#);
    assert_eq!(records(&object, &long(0), &[long(1), large.clone()].concat(), 5), told(6));
    // Of a type that has all values none is lost on the way.
    let data = [fine, large].concat();
    let mut decoder = Decoder::default();
    decoder.push(Bytes::from(file(&one(number), 2, &data))).unwrap();
    decoder.want(&[Some(DataType::Utf8View)]);
    decoder.finish().unwrap();
    let batch = decoder.next().unwrap().unwrap();
    let found: Vec<_> = batch.column(0).as_string_view().iter().flatten().collect();
    assert_eq!(found, ["7", "9007199254740993"]);
}

/// Symptom: an integer that double precision does not hold could not be read as text where it stood in a list or a record. Cause:
/// the values of a union in it were doubles before the table's type was asked for.
#[test]
fn unions_have_the_type_that_a_table_wants_wherever_they_stand() {
    let union = r#"["long","double"]"#;
    let read = |column: &str, value: &[u8], wanted: &DataType| {
        let mut decoder = Decoder::default();
        decoder.push(Bytes::from(file(&one(column), 1, value))).unwrap();
        decoder.want(&[Some(wanted.clone())]);
        decoder.finish().unwrap();
        let batch = decoder.next().unwrap().unwrap();
        let values = crate::source::lossless::whole(batch.column(0), wanted).unwrap();
        ArrayFormatter::try_new(&values, &FormatOptions::default()).unwrap().value(0).to_string()
    };
    let value = [long(0), long((1 << 53) + 1)].concat();
    let exact = DataType::Decimal128(38, 19);
    assert_eq!(read(union, &value, &exact), "9007199254740993.0000000000000000000");
    let (list, items) = (format!(r#"{{"type":"array","items":{union}}}"#), [long(1), value.clone(), long(0)].concat());
    assert_eq!(read(&list, &items, &DataType::new_list(DataType::Utf8View, true)), "[9007199254740993]");
    assert_eq!(read(&list, &items, &DataType::Utf8View), r#"["9007199254740993"]"#);
    let map = format!(r#"["null",{{"type":"map","values":{union}}}]"#);
    let pairs = [long(1), long(1), text("k"), value.clone(), long(0)].concat();
    assert_eq!(
        read(&map, &pairs, &crate::source::infer::map_of(DataType::Utf8, exact.clone())),
        "{k: 9007199254740993.0000000000000000000}"
    );
    let fields = format!(r#"[{{"name":"n","type":"int"}},{{"name":"X","type":{union}}}]"#);
    let record = format!(r#"{{"type":"record","name":"o","fields":{fields}}}"#);
    let values = [long(7), value].concat();
    let object = DataType::Struct(vec![Field::new("x", exact, true)].into());
    assert_eq!(read(&record, &values, &object), "{x: 9007199254740993.0000000000000000000}");
    assert_eq!(read(&record, &values, &DataType::Utf8View), r#"{"n":7,"X":"9007199254740993"}"#);
}

/// Columns that nobody wants are passed over, whatever their type, and rows are counted without any.
#[test]
fn what_nobody_wants_is_passed_over() {
    let column = |(place, (kind, _)): (usize, &(&str, Vec<u8>))| format!(r#"{{"name":"c{place}","type":{kind}}}"#);
    let kinds: [(&str, Vec<u8>); 18] = [
        (r#""long""#, long(7)),
        (r#""null""#, vec![]),
        (r#""boolean""#, vec![1]),
        (r#""int""#, long(-1)),
        (r#""float""#, vec![0; 4]),
        (r#""double""#, vec![0; 8]),
        (r#""bytes""#, text("x")),
        // It is no text.
        (r#""string""#, [long(1), vec![0xFF]].concat()),
        (r#"{"type":"enum","name":"e","symbols":["x"]}"#, long(0)),
        (r#"{"type":"fixed","name":"f","size":3}"#, vec![1; 3]),
        (r#"{"type":"fixed","name":"u","size":16,"logicalType":"uuid"}"#, vec![2; 16]),
        (r#"{"type":"fixed","name":"d","size":12,"logicalType":"duration"}"#, vec![0xFF; 12]),
        (r#"{"type":"bytes","logicalType":"decimal","precision":2}"#, text("long")),
        (r#"{"type":"bytes","logicalType":"decimal","precision":50}"#, text("x")),
        (r#"{"type":"array","items":["null","long"]}"#, [long(2), long(0), long(1), long(5), long(0)].concat()),
        (r#"{"type":"map","values":["int","string"]}"#, [long(1), text("k"), long(1), text("v"), long(0)].concat()),
        (r#"{"type":"record","name":"r","fields":[{"name":"x","type":"int"},{"name":"y","type":"e"}]}"#, vec![2, 0]),
        (r#""string""#, text("last")),
    ];
    let fields: Vec<_> = kinds.iter().enumerate().map(column).collect();
    let schema = format!(r#"{{"type":"record","name":"t","fields":[{}]}}"#, fields.join(","));
    let record = kinds.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>().concat();
    let bytes = file(&schema, 3, &record.repeat(3));
    let read = |wanted: &[usize]| {
        let mut decoder = Decoder::default();
        decoder.push(Bytes::from(bytes.clone())).unwrap();
        let schema = decoder.schema().unwrap();
        let types = schema.fields().iter().enumerate();
        let types = types.map(|(place, field)| wanted.contains(&place).then(|| field.data_type().clone()));
        decoder.want(&types.collect::<Vec<_>>());
        decoder.finish().unwrap();
        decoder.next()
    };
    let batch = read(&[0, 17]).unwrap().unwrap();
    assert_eq!((batch.num_rows(), batch.num_columns()), (3, 18));
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[7_i64; 3]);
    assert_eq!(batch.column(17).as_string_view().value(2), "last");
    assert_eq!(batch.column(5).data_type(), &DataType::Null);
    assert_eq!(read(&[]).unwrap().unwrap().num_rows(), 3);
    assert!(read(&[7]).unwrap_err().to_string().contains("in its record 1, column c7, a text is not UTF-8"));
    let cut = file(&schema, 4, &record.repeat(3));
    let mut decoder = Decoder::default();
    decoder.push(Bytes::from(cut)).unwrap();
    decoder.want(&[]);
    assert!(decoder.next().unwrap_err().to_string().contains("a block ends within its records"));
}

/// Numbers have a type of numbers as long as there is one with room for their digits.
#[test]
fn numbers_may_have_many_digits() {
    let column = |precision: u32, scale: u32| {
        one(&format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{precision},"scale":{scale}}}"#))
    };
    let read = |precision: u32, scale: u32, bytes: &[u8]| {
        all(&file(&column(precision, scale), 1, &[long(bytes.len() as i64).as_slice(), bytes].concat()))
    };
    let found = batches(&file(&column(39, 2), 0, &[]), 9).unwrap();
    assert!(found.is_empty());
    let types = |precision| {
        let (fields, _) = schema::columns(column(precision, 2).as_bytes()).unwrap();
        fields.iter().next().unwrap().data_type().clone()
    };
    assert_eq!(types(38), DataType::Decimal128(38, 2));
    assert_eq!(types(39), DataType::Decimal256(39, 2));
    assert_eq!(types(76), DataType::Decimal256(76, 2));
    assert_eq!(types(77), DataType::Utf8View);
    // 2 to the power of 136, and what follows the largest number of 76 digits.
    let large = [&[1_u8][..], &[0; 17]].concat();
    assert_eq!(read(50, 5, &large).unwrap(), ["871122859317602466466238995025326621.32736"]);
    assert_eq!(read(100, 5, &large).unwrap(), ["871122859317602466466238995025326621.32736"]);
    assert_eq!(read(76, 0, &[0xFF; 40]).unwrap(), ["-1"]);
    assert_eq!(
        read(39, 2, &[0x7F; 17]).unwrap_err(),
        "in its record 1, column a, a number is none of type numeric(39, 2)"
    );
    assert_eq!(read(39, 2, &[]).unwrap_err(), "in its record 1, column a, a number is none of type numeric(39, 2)");
    assert_eq!(
        read(77, 0, &[0x7F; 33]).unwrap_err(),
        "in its record 1, column a, a number has more than 77 digits, or none"
    );
}

#[test]
fn numbers_have_no_more_digits_than_their_type() {
    let column = r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#;
    let read = |bytes: &[u8]| all(&file(&one(column), 1, &[long(bytes.len() as i64).as_slice(), bytes].concat()));
    assert_eq!(read(&[0x01, 0x2C]).unwrap(), ["3.00"]);
    assert_eq!(read(&[0xFF]).unwrap(), ["-0.01"]);
    assert_eq!(read(&[0xFF; 40]).unwrap(), ["-0.01"]);
    assert_eq!(read(&[&[0_u8; 40][..], &[0x27, 0x0F]].concat()).unwrap(), ["99.99"]);
    for bytes in [&[0x27_u8, 0x10][..], &[], &[0, 0xFF, 0xFF], &[0x7F; 16], &[0x80; 17]] {
        assert_eq!(
            read(bytes).unwrap_err(),
            "in its record 1, column a, a number is none of type numeric(4, 2)",
            "{bytes:?}"
        );
    }
    // What is no decimal number by the standard has its bytes.
    let column = r#"{"type":"fixed","name":"f","size":2,"logicalType":"decimal","precision":2,"scale":3}"#;
    assert_eq!(all(&file(&one(column), 1, &[1, 2])).unwrap(), ["0102"]);
}

#[test]
fn meanings_that_few_writers_know() {
    let schema = r#"{"type":"record","name":"t","fields":[
        {"name":"d","type":{"type":"fixed","name":"d","size":12,"logicalType":"duration"}},
        {"name":"u","type":{"type":"fixed","name":"u","size":16,"logicalType":"uuid"}},
        {"name":"n","type":{"type":"long","logicalType":"timestamp-nanos"}},
        {"name":"l","type":{"type":"long","logicalType":"local-timestamp-nanos"}},
        {"name":"x","type":{"type":"string","logicalType":"unheard-of"}}]}"#;
    let uuid: Vec<u8> = (0..16).collect();
    let duration: Vec<u8> = [1_u32, 2, 3].iter().flat_map(|part| part.to_le_bytes()).collect();
    let record = [duration, uuid, long(5), long(-5), text("x")].concat();
    let found = batches(&file(schema, 1, &record), 9).unwrap();
    let column = |name: &str| Arc::clone(found.first().unwrap().column_by_name(name).unwrap());
    let interval = column("d").as_primitive::<IntervalMonthDayNanoType>().value(0);
    assert_eq!(interval, IntervalMonthDayNano::new(1, 2, 3_000_000));
    assert_eq!(column("u").as_string_view().value(0), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    let (zoned, local) = (column("n"), column("l"));
    assert_eq!(zoned.data_type(), &DataType::Timestamp(TimeUnit::Nanosecond, Some("+00:00".into())));
    assert_eq!(local.data_type(), &DataType::Timestamp(TimeUnit::Nanosecond, None));
    assert_eq!(zoned.as_primitive::<TimestampNanosecondType>().value(0), 5);
    assert_eq!(local.as_primitive::<TimestampNanosecondType>().value(0), -5);
    let long_ago = [vec![0xFF; 12], vec![0; 16]].concat();
    let reason = "in its record 1, column d, 4294967295 months and 4294967295 days are out of the range of an interval";
    fails(&file(schema, 1, &long_ago), reason);
}

#[test]
fn lists_and_maps_come_in_parts() {
    let list = [long(2), long(1), long(2), long(-1), long(1), long(3), long(0)].concat();
    let found = all(&file(&one(r#"{"type":"array","items":"long"}"#), 2, &[list, long(0)].concat()));
    assert_eq!(found.unwrap(), ["[1, 2, 3]", "[]"]);
    let map = [long(1), text("x"), long(1), long(-1), long(3), text("y"), long(2), long(0)].concat();
    let found = all(&file(&one(r#"{"type":"map","values":"int"}"#), 1, &map));
    assert_eq!(found.unwrap(), ["{x: 1, y: 2}"]);
}

#[test]
fn long_records_are_handed_out_in_time() {
    let long_text = "x".repeat(1 << 20);
    let record = [long(1), text(&long_text)].concat();
    let found = batches(&file(PAIRS, 10, &record.repeat(10)), 1 << 16).unwrap();
    assert!(found.len() > 1 && found.iter().map(RecordBatch::num_rows).sum::<usize>() == 10);
}
