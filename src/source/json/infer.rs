//! A look at JSON files: one object a line or not, and the columns.
//!
//! Every byte of every file is looked at, in parallel, unless the option `sample_bytes` says how much of each file is enough.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use arrow::datatypes::Schema;
use futures::{StreamExt, TryStreamExt};

use super::{
    super::{
        bytes::Input,
        infer::Spellings,
        options::settle_unknown,
        text::{apart, located},
        trace::{Event, Told},
    },
    Error, Inferred, JsonReader, Options, Sample,
    cursor::{Cursor, Halt, Token, text_of},
    keys::{Keys, spelled_once},
    objects::{Found, LeftOut, Objects},
    read::part,
    shape::{Meanings, Shape},
};

/// Whose options a message may name.
const FORMAT: &str = "json";
/// The least part of a file that is worth a task of its own.
const MIN_PART_BYTES: u64 = 4 << 20;
/// How many objects are looked at before others may run.
const OBJECTS_AT_ONCE: usize = 4096;

/// How a look goes over the files.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Whether files are looked at in parts, by several threads.
    in_parts: bool,
    /// What is passed over where it is broken.
    left_out: LeftOut,
    /// Whether each object may be on a line of its own.
    may_be_lines: bool,
    /// Whether it is said that each is.
    says_lines: bool,
    /// Whether a part of each file is a sample of it.
    is_sample: bool,
}

/// What is known of a column, without what lies within it, and the values that changed it.
#[derive(Debug)]
struct Noted {
    name: String,
    outline: Shape,
    events: Vec<Event<Shape>>,
    told: Told,
}

impl Noted {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), outline: Shape::Null, events: Vec::new(), told: Told::default() }
    }
}

/// What the objects of a file's part have in common.
#[derive(Debug)]
struct Learnt {
    shape: Shape,
    /// The names in lower case that stand for several keys of one object.
    together: HashSet<String>,
    /// What was noted of each column.
    notes: Vec<Noted>,
    objects: usize,
    /// How many lines, or members of arrays, were passed over.
    passed: usize,
    /// Whether each object ends on the line on which it starts, and no other starts there.
    one_a_line: bool,
    is_blank: bool,
}

impl Learnt {
    fn names(&self) -> impl Iterator<Item = &str> {
        let columns: &[(String, Shape)] = match &self.shape {
            Shape::Object(columns) => columns,
            _ => &[],
        };
        columns.iter().map(|(name, _)| name.as_str())
    }
}

impl Default for Learnt {
    /// Of no object.
    fn default() -> Self {
        Self {
            shape: Shape::Object(Vec::new()),
            together: HashSet::new(),
            notes: Vec::new(),
            objects: 0,
            passed: 0,
            one_a_line: true,
            is_blank: true,
        }
    }
}

pub(super) async fn infer(sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
    let reader = JsonReader::parse(&options)?;
    let inputs = sample.inputs(reader.compression, reader.encoding, 0);
    let threads = sample.session.config().target_partitions();
    let asked = options.get("newline_delimited").filter(|value| *value != "auto").cloned();
    let may_be_lines = asked.is_none() || reader.newline_delimited;
    let way = Way {
        in_parts: may_be_lines,
        left_out: LeftOut::Nothing,
        may_be_lines,
        says_lines: reader.newline_delimited,
        is_sample: reader.sample_bytes.is_some(),
    };
    let mut learnt = match learn(&reader, &inputs, threads, way).await {
        // A part cuts an object that goes over several lines: the file as a whole tells what is wrong, if anything is.
        Err(_) if may_be_lines && threads > 1 => learn(&reader, &inputs, threads, Way { in_parts: false, ..way }).await,
        learnt => learnt,
    };
    if may_be_lines && reader.on_error.is_lenient() && learnt.is_err() {
        // What is broken is left out with its line, if each object is on one.
        let lines = learn(&reader, &inputs, threads, Way { left_out: LeftOut::Lines, ..way }).await;
        learnt = lines.and_then(|lines| {
            // In a file of objects over several lines hardly a line holds one.
            let has_some = lines.objects > 0 || sample.declared.is_some();
            let has_lines = has_some && lines.one_a_line && (way.says_lines || lines.passed <= lines.objects);
            if has_lines { Ok(lines) } else { learnt }
        });
    }
    if !reader.newline_delimited && reader.on_error.is_lenient() && learnt.is_err() {
        // Or with its place in an array.
        let members =
            learn(&reader, &inputs, threads, Way { in_parts: false, left_out: LeftOut::Members, ..way }).await;
        learnt = members.and_then(|members| {
            let has_some = members.objects > 0 || sample.declared.is_some();
            if has_some { Ok(members) } else { learnt }
        });
    }
    let learnt = learnt?;
    let first = || inputs.first().map(|input| input.name.clone()).unwrap_or_default();
    if learnt.is_blank && sample.declared.is_none() {
        return Err(Error::EmptyFile { file: first() });
    }
    if learnt.objects == 0 && sample.declared.is_none() {
        return Err(Error::NoRows { file: first() });
    }
    settle_unknown(&mut options, sample.declared.is_some());
    // A file without a byte says nothing of those that come later.
    if asked.is_none() && !learnt.is_blank {
        options.insert("newline_delimited".to_owned(), learnt.one_a_line.to_string());
    }
    let told = learnt.notes.into_iter().map(|noted| (noted.name, noted.told)).collect();
    let columns = match learnt.shape {
        Shape::Object(columns) => columns,
        _ => Vec::new(),
    };
    let fields: Vec<_> = columns.iter().map(|(name, shape)| shape.field(name)).collect();
    Ok(Inferred { options, schema: Schema::new(fields), told, doubts: Vec::new() })
}

async fn learn(reader: &JsonReader, inputs: &[Input], threads: usize, way: Way) -> Result<Learnt, Error> {
    let meanings = Arc::new(reader.meanings());
    let total: u64 = inputs.iter().map(|input| input.meta.size).sum();
    let mut parts = Vec::new();
    for input in inputs {
        let ranges = match reader.sample_bytes {
            Some(bytes) => vec![(0, bytes)],
            None if way.in_parts => input.ranges(total, threads as u64, MIN_PART_BYTES),
            None => vec![(0, u64::MAX)],
        };
        parts.extend(ranges.into_iter().map(|range| learn_apart(input.clone(), range, way, Arc::clone(&meanings))));
    }
    let mut all = Learnt::default();
    let learnt: Vec<(Input, Learnt)> = futures::stream::iter(parts).buffered(threads.max(1)).try_collect().await?;
    let spellings = spellings(reader, &learnt);
    let mut places: HashMap<String, usize> = HashMap::new();
    for (input, mut part) in learnt {
        if let Shape::Object(columns) = &mut part.shape {
            columns.iter_mut().for_each(|(name, _)| *name = spellings.of_table(name));
        }
        all.shape.merge(part.shape, 0);
        for Noted { name, outline, events, .. } in part.notes {
            let name = spellings.of_table(&name);
            let place = *places.entry(name.clone()).or_insert(all.notes.len());
            if place == all.notes.len() {
                all.notes.push(Noted::new(&name));
            }
            let Some(known) = all.notes.get_mut(place) else { continue };
            let merge = |known: &mut Shape, seen| known.merge(seen, 0);
            known.told.hear(&mut known.outline, events, &input, merge, Shape::known_type);
            known.outline.merge(outline, 0);
        }
        all.objects += part.objects;
        all.passed += part.passed;
        all.one_a_line &= part.one_a_line;
        all.is_blank &= part.is_blank;
    }
    Ok(all)
}

/// What the columns are called of which parts of files tell.
fn spellings(reader: &JsonReader, learnt: &[(Input, Learnt)]) -> Spellings {
    let learnt: &[(Input, Learnt)] = if reader.match_case { &[] } else { learnt };
    let together: HashSet<&str> =
        learnt.iter().flat_map(|(_, part)| part.together.iter().map(String::as_str)).collect();
    let same_file = learnt.chunk_by(|(left, _), (right, _)| left.name == right.name);
    Spellings::of(same_file.map(|parts| spelled_once(parts.iter().flat_map(|(_, part)| part.names()), &together)))
}

/// Learns from a part of a file on any thread; dropped, it stops.
async fn learn_apart(
    input: Input,
    range: (u64, u64),
    way: Way,
    meanings: Arc<Meanings>,
) -> Result<(Input, Learnt), Error> {
    let read = input.clone();
    let learnt = apart(input.name.clone(), async move { learn_part(&read, range, way, &meanings).await }).await?;
    Ok((input, learnt))
}

/// Notes which columns an object made another type of. There is a note for each field, in their order.
fn note(notes: &mut Vec<Noted>, fields: &[(String, Shape)], objects: &Objects, found: Found) {
    for (name, _) in fields.get(notes.len()..).unwrap_or_default() {
        notes.push(Noted::new(name));
    }
    let mut changed = Vec::new();
    for (noted, (_, shape)) in notes.iter_mut().zip(fields) {
        if noted.outline.is_like(shape) {
            continue;
        }
        let before = noted.outline.known_type();
        noted.outline = shape.outline();
        if before != noted.outline.known_type() {
            changed.push(noted);
        }
    }
    if changed.is_empty() {
        return;
    }
    let offset = objects.buffer().offset(found.start);
    let object = objects.buffer().found().get(found.start..found.end).unwrap_or_default();
    let mut texts = member_texts(object, &changed.iter().map(|noted| noted.name.as_str()).collect());
    for noted in changed {
        let value =
            texts.remove(&noted.name).map(|text| unquoted(text, noted.outline == Shape::Mixed)).unwrap_or_default();
        noted.events.push(Event { known: noted.outline.clone(), offset, value });
    }
}

/// The texts of some of an object's members, as the object has them last.
fn member_texts(object: &[u8], wanted: &HashSet<&str>) -> HashMap<String, String> {
    let mut cursor = Cursor { bytes: object, at: 1, is_last: true };
    let mut places: HashMap<String, Range<usize>> = HashMap::new();
    let mut walk = || -> Result<(), Halt> {
        if cursor.is_empty(b'}', "an object")? {
            return Ok(());
        }
        loop {
            let key = cursor.key()?;
            cursor.peek();
            let start = cursor.at;
            cursor.pass()?;
            if wanted.contains(&*key) {
                places.insert(key.into_owned(), start..cursor.at);
            }
            if !cursor.has_next(b'}', "an object")? {
                return Ok(());
            }
        }
    };
    // What cannot be walked through was not found.
    let _ = walk();
    let text = |place: Range<usize>| String::from_utf8_lossy(object.get(place).unwrap_or_default()).into_owned();
    places.into_iter().map(|(name, place)| (name, text(place))).collect()
}

/// A member's text without its quotes, unless it may be another value, and the column has such, too: beside the number 1 the
/// text "1" is told by them.
fn unquoted(text: String, is_mixed: bool) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inside) if !is_mixed || !is_value(inside) => {
            text_of(inside.as_bytes(), true).map(Cow::into_owned).unwrap_or_default()
        }
        _ => text,
    }
}

/// Whether a text would be another value without its quotes.
fn is_value(inside: &str) -> bool {
    let mut cursor = Cursor { bytes: inside.as_bytes(), at: 0, is_last: true };
    match cursor.value() {
        Ok(Token::Array | Token::Object) => true,
        Ok(_) => cursor.peek().is_none(),
        Err(_) => false,
    }
}

async fn learn_part(input: &Input, range: (u64, u64), way: Way, meanings: &Meanings) -> Result<Learnt, Error> {
    let (mut objects, mut chunks) = part(input, Some(range)).await?;
    objects = objects.leaving_out(way.left_out);
    let mut keys = Keys::default();
    // Whether the line before was passed over, its end included.
    let mut is_passed = false;
    let mut learnt = Learnt::default();
    'parts: loop {
        loop {
            let see = |cursor: &mut Cursor<'_>| match way.left_out {
                LeftOut::Nothing => keys.see(cursor, meanings),
                // Of an object that is broken nothing is learnt.
                LeftOut::Lines | LeftOut::Members => keys.see_whole(cursor, meanings),
            };
            let found = objects.next(see, |halt| *halt == Halt::Incomplete);
            match found {
                Ok(Some(found)) => {
                    let bytes = objects.buffer().found().get(found.start..found.end).unwrap_or_default();
                    let begins = found.begins_line || learnt.objects == 0 || is_passed;
                    let is_on_one = memchr::memchr(b'\n', bytes).is_none();
                    if way.says_lines && !is_on_one && !objects.is_array() {
                        return Err(located(input, objects.over_lines(found.start), FORMAT).await);
                    }
                    learnt.one_a_line &= is_on_one && begins;
                    is_passed = false;
                    learnt.objects += 1;
                    note(&mut learnt.notes, &keys.fields, &objects, found);
                }
                Ok(None) => break,
                // A sample may end within an object.
                Err(Halt::Ended { .. }) if way.is_sample && learnt.objects > 0 => break 'parts,
                Err(halt) if objects.passes(&halt) => {
                    if objects.pass().is_none() {
                        break;
                    }
                    learnt.passed += 1;
                    is_passed = true;
                    if learnt.passed.is_multiple_of(OBJECTS_AT_ONCE) {
                        objects.forget();
                        tokio::task::yield_now().await;
                    }
                }
                Err(halt) => {
                    let begins_so = learnt.objects > 0 || objects.is_on_line(&halt);
                    let on_lines = way.may_be_lines && learnt.one_a_line && begins_so;
                    return Err(located(input, objects.halted(halt, on_lines), FORMAT).await);
                }
            }
            if learnt.objects.is_multiple_of(OBJECTS_AT_ONCE) {
                objects.forget();
                tokio::task::yield_now().await;
            }
        }
        objects.forget();
        let next = if objects.is_done() { None } else { chunks.try_next().await? };
        match next {
            Some(chunk) => {
                if let Err(fault) = objects.push(chunk) {
                    return Err(located(input, fault, FORMAT).await);
                }
            }
            None if objects.is_finished() => break,
            None => objects.finish(),
        }
    }
    learnt.is_blank = objects.is_blank();
    learnt.one_a_line &= !objects.is_array();
    (learnt.shape, learnt.together) = keys.into_parts();
    Ok(learnt)
}
