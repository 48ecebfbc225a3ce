//! A look at JSON files: one object a line or not, and the columns.

use std::sync::Arc;

use arrow::datatypes::Schema;

use super::{
    super::{bytes::Input, infer::sampled},
    Error, Inferred, JsonReader, Options, Sample,
    array::ArrayItems,
    is_array,
    shape::Shape,
};

/// How much of the first file is looked at.
const FIRST_FILE_BYTES: usize = 4 << 20;
/// How much of each other file is looked at.
const OTHER_FILE_BYTES: usize = 1 << 20;
/// How much is looked at when the first object is longer than that.
const MAX_SAMPLE_BYTES: usize = 64 << 20;

/// What a file's first bytes tell.
struct Head {
    shape: Shape,
    objects: usize,
    /// Whether each object ends on the line on which it starts, and no other starts there.
    one_a_line: bool,
}

pub(super) async fn infer(sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
    let reader = JsonReader::parse(&options)?;
    let mut common = Shape::Object(Vec::new());
    let (mut objects, mut one_a_line, mut all_empty) = (0, true, true);
    for file in sampled(sample.files) {
        let input = Input {
            store: Arc::clone(sample.store),
            meta: file.meta.clone(),
            name: file.name.clone(),
            compression: reader.compression,
        };
        let limit = if objects == 0 { FIRST_FILE_BYTES } else { OTHER_FILE_BYTES };
        let Some(head) = look(&input, limit).await? else { continue };
        all_empty = false;
        objects += head.objects;
        one_a_line &= head.one_a_line;
        common.merge(head.shape, "").map_err(|clash| Error::TypesDiffer {
            file: file.name.clone(),
            column: clash.path,
            found: clash.here.to_owned(),
            expected: clash.before.to_owned(),
        })?;
    }
    let first = || sample.files.first().map(|file| file.name.clone()).unwrap_or_default();
    if all_empty {
        return Err(Error::EmptyFile { file: first() });
    }
    if objects == 0 && sample.declared.is_none() {
        return Err(Error::NoRows { file: first() });
    }
    let Shape::Object(columns) = common else { return Err(Error::NoRows { file: first() }) };
    if options.get("newline_delimited").is_none_or(|value| value == "auto") {
        options.insert("newline_delimited".to_owned(), one_a_line.to_string());
    }
    let fields: Vec<_> = columns.iter().map(|(name, shape)| shape.field(name)).collect();
    Ok(Inferred { options, schema: Schema::new(fields) })
}

/// Looks at a file's first bytes, at more of them while not one object is complete; none for an empty file.
async fn look(input: &Input, mut limit: usize) -> Result<Option<Head>, Error> {
    loop {
        let (bytes, more) = input.head(limit).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) && !more {
            return Ok(None);
        }
        let head = parse(&input.name, bytes, more)?;
        if head.objects > 0 || !more || limit >= MAX_SAMPLE_BYTES {
            return Ok(Some(head));
        }
        limit *= 4;
    }
}

fn parse(file: &str, mut bytes: Vec<u8>, more: bool) -> Result<Head, Error> {
    let malformed = |line: u64, reason: String| Error::Malformed { file: file.to_owned(), line, reason };
    let array = is_array(&bytes);
    if array {
        // Broken JSON inside an item upsets the array's brackets, and the parser of the items names the better place.
        let mut items = ArrayItems::default();
        if let Err(fault) = items.blank(&mut bytes) {
            parse_objects(file, bytes.get(..fault.offset).unwrap_or_default(), true)?;
            return Err(malformed(fault.line, fault.reason));
        }
        if let (false, Err(fault)) = (more, items.finish()) {
            parse_objects(file, &bytes, true)?;
            return Err(malformed(fault.line, fault.reason));
        }
    }
    let mut head = parse_objects(file, &bytes, more)?;
    head.one_a_line &= !array;
    Ok(head)
}

fn parse_objects(file: &str, bytes: &[u8], more: bool) -> Result<Head, Error> {
    let mut head = Head { shape: Shape::Null, objects: 0, one_a_line: true };
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Shape>();
    let (mut line, mut end) = (1, 0);
    while let Some(value) = values.next() {
        let (from, to) = (end, values.byte_offset());
        let lines = bytes.get(from..to).unwrap_or_default();
        let blank = lines.iter().take_while(|byte| byte.is_ascii_whitespace());
        let before = blank.filter(|byte| **byte == b'\n').count();
        let inside = lines.iter().filter(|byte| **byte == b'\n').count() - before;
        head.one_a_line &= inside == 0 && (head.objects == 0 || before > 0);
        line += before + inside;
        end = to;
        let malformed =
            |line: usize, reason: String| Error::Malformed { file: file.to_owned(), line: line as u64, reason };
        match value {
            Ok(shape @ Shape::Object(_)) => {
                head.shape.merge(shape, "").map_err(|clash| Error::TypesDiffer {
                    file: file.to_owned(),
                    column: clash.path,
                    found: clash.here.to_owned(),
                    expected: clash.before.to_owned(),
                })?;
                head.objects += 1;
            }
            Ok(other) => return Err(malformed(line, format!("expected an object, found {}", other.word()))),
            Err(error) if error.is_eof() && more => break,
            Err(error) => return Err(malformed(error.line(), super::locate::reason(&error))),
        }
    }
    Ok(head)
}
