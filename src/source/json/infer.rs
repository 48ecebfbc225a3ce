//! A look at JSON files: one object a line or not, and the columns.
//!
//! Every byte of every file is looked at, in parallel, unless the option `sample_bytes` says how much of each file is enough.

use arrow::datatypes::Schema;
use futures::{StreamExt, TryStreamExt};

use super::{
    super::{
        bytes::Input,
        text::{apart, located},
    },
    Error, Inferred, JsonReader, Options, Sample,
    cursor::Halt,
    read::part,
    shape::{Shape, see_members},
};

/// The least part of a file that is worth a task of its own.
const MIN_PART_BYTES: u64 = 4 << 20;
/// How many objects are looked at before others may run.
const OBJECTS_AT_ONCE: usize = 4096;

/// What the objects of a file's part have in common.
#[derive(Debug)]
struct Learnt {
    shape: Shape,
    objects: usize,
    /// Whether each object ends on the line on which it starts, and no other starts there.
    one_a_line: bool,
    is_blank: bool,
}

pub(super) async fn infer(sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
    let reader = JsonReader::parse(&options)?;
    let inputs = sample.inputs(reader.compression, reader.encoding);
    let threads = sample.session.config().target_partitions();
    let asked = options.get("newline_delimited").filter(|value| *value != "auto").cloned();
    let learnt = match learn(&reader, &inputs, threads, asked.as_deref() != Some("false")).await {
        // A part cuts an object that goes over several lines: the file as a whole tells what is wrong, if anything is.
        Err(_) if asked.is_none() && threads > 1 => learn(&reader, &inputs, threads, false).await?,
        learnt => learnt?,
    };
    let first = || inputs.first().map(|input| input.name.clone()).unwrap_or_default();
    if learnt.is_blank {
        return Err(Error::EmptyFile { file: first() });
    }
    if learnt.objects == 0 && sample.declared.is_none() {
        return Err(Error::NoRows { file: first() });
    }
    let unknown = if sample.declared.is_some() { "ignore" } else { "error" };
    options.entry("unknown_columns".to_owned()).or_insert_with(|| unknown.to_owned());
    if asked.is_none() {
        options.insert("newline_delimited".to_owned(), learnt.one_a_line.to_string());
    }
    let columns = match learnt.shape {
        Shape::Object(columns) => columns,
        _ => Vec::new(),
    };
    let fields: Vec<_> = columns.iter().map(|(name, shape)| shape.field(name)).collect();
    Ok(Inferred { options, schema: Schema::new(fields) })
}

async fn learn(reader: &JsonReader, inputs: &[Input], threads: usize, in_parts: bool) -> Result<Learnt, Error> {
    let total: u64 = inputs.iter().map(|input| input.meta.size).sum();
    let mut parts = Vec::new();
    for input in inputs {
        let ranges = match reader.sample_bytes {
            Some(bytes) => vec![(0, bytes)],
            None if in_parts => input.ranges(total, threads as u64, MIN_PART_BYTES),
            None => vec![(0, u64::MAX)],
        };
        let is_sample = reader.sample_bytes.is_some();
        parts.extend(ranges.into_iter().map(|range| learn_apart(input.clone(), range, is_sample)));
    }
    let mut all = Learnt { shape: Shape::Object(Vec::new()), objects: 0, one_a_line: true, is_blank: true };
    let mut learnt = futures::stream::iter(parts).buffered(threads.max(1));
    while let Some(part) = learnt.try_next().await? {
        all.shape.merge(part.shape, 0);
        all.objects += part.objects;
        all.one_a_line &= part.one_a_line;
        all.is_blank &= part.is_blank;
    }
    Ok(all)
}

/// Learns from a part of a file on any thread; dropped, it stops.
async fn learn_apart(input: Input, range: (u64, u64), is_sample: bool) -> Result<Learnt, Error> {
    apart(input.name.clone(), async move { learn_part(&input, range, is_sample).await }).await
}

async fn learn_part(input: &Input, range: (u64, u64), is_sample: bool) -> Result<Learnt, Error> {
    let (mut objects, mut chunks) = part(input, Some(range)).await?;
    let mut fields = Vec::new();
    let mut learnt = Learnt { shape: Shape::Null, objects: 0, one_a_line: true, is_blank: true };
    'parts: loop {
        loop {
            let found = objects.next(|cursor| see_members(&mut fields, cursor, 0), |halt| *halt == Halt::Incomplete);
            match found {
                Ok(Some(found)) => {
                    let bytes = objects.buffer().found().get(found.start..found.end).unwrap_or_default();
                    let is_first = learnt.objects == 0;
                    learnt.one_a_line &= memchr::memchr(b'\n', bytes).is_none() && (is_first || found.begins_line);
                    learnt.objects += 1;
                }
                Ok(None) => break,
                // A sample may end within an object.
                Err(Halt::Ended { .. }) if is_sample && learnt.objects > 0 => break 'parts,
                Err(halt) => return Err(located(input, objects.halted(halt)).await),
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
                    return Err(located(input, fault).await);
                }
            }
            None if objects.is_finished() => break,
            None => objects.finish(),
        }
    }
    learnt.is_blank = objects.is_blank();
    learnt.one_a_line &= !objects.is_array();
    learnt.shape = Shape::Object(fields);
    Ok(learnt)
}
