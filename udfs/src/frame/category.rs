//! Categories: dictionaries of new columns, and the codes of values in dictionaries that exist.

use std::{hash::Hash, sync::Arc};

use arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::common::HashMap;
use fusewire_learn::{Dictionary, NULL, UNSEEN, Values};

use super::{
    kind::CategoryType,
    read::{booleans, each_text, integers, text_array},
};
use crate::error::Result;

/// The chunks of a column as one category with a sorted dictionary of its own.
///
/// # Errors
/// [`crate::Error::InvalidValue`] for an integer beyond 64 bits with a sign.
pub fn category(name: &str, chunks: &[ArrayRef], of: CategoryType) -> Result<Values> {
    let (codes, dictionary) = match of {
        CategoryType::Text => {
            let chunks = chunks.iter().map(|chunk| text_array(name, chunk)).collect::<Result<Vec<_>>>()?;
            let mut coder = Coder::default();
            chunks.iter().for_each(|chunk| each_text(chunk, |value| coder.push(value)));
            let (codes, values) = coder.finish();
            (codes, Dictionary::Text(values.into_iter().map(str::to_owned).collect()))
        }
        CategoryType::Integer => {
            let mut coder = Coder::default();
            for chunk in chunks {
                integers(name, chunk)?.into_iter().for_each(|value| coder.push(value));
            }
            let (codes, values) = coder.finish();
            (codes, Dictionary::Integer(values))
        }
        CategoryType::Boolean => {
            let mut codes = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
            for chunk in chunks {
                codes.extend(boolean_codes(&booleans(name, chunk)?));
            }
            (codes, Dictionary::Boolean)
        }
    };
    Ok(Values::Category { codes, dictionary: Arc::new(dictionary) })
}

/// Numbers values as they come, and renumbers them by order at the end.
struct Coder<T> {
    known: HashMap<T, u32>,
    values: Vec<T>,
    codes: Vec<u32>,
}

impl<T> Default for Coder<T> {
    fn default() -> Self {
        Self { known: HashMap::default(), values: Vec::new(), codes: Vec::new() }
    }
}

impl<T: Copy + Ord + Hash> Coder<T> {
    fn push(&mut self, value: Option<T>) {
        let Some(value) = value else { return self.codes.push(NULL) };
        let next = self.values.len() as u32;
        let code = *self.known.entry(value).or_insert(next);
        if code == next {
            self.values.push(value);
        }
        self.codes.push(code);
    }

    fn finish(self) -> (Vec<u32>, Vec<T>) {
        let mut sorted: Vec<(T, u32)> = self.values.into_iter().zip(0..).collect();
        sorted.sort_unstable();
        let mut renumbered = vec![0; sorted.len()];
        for (code, (_, arrival)) in (0..).zip(&sorted) {
            if let Some(slot) = renumbered.get_mut(*arrival as usize) {
                *slot = code;
            }
        }
        let codes = self.codes.into_iter().map(|code| renumbered.get(code as usize).copied().unwrap_or(NULL)).collect();
        (codes, sorted.into_iter().map(|(value, _)| value).collect())
    }
}

/// The codes of a dictionary by value.
#[derive(Debug)]
pub struct Lookup {
    dictionary: Arc<Dictionary>,
    codes: Codes,
}

#[derive(Debug)]
enum Codes {
    Text(HashMap<String, u32>),
    Integer(HashMap<i64, u32>),
    /// Integers that leave few gaps: the code of `first`, `first + 1`, ….
    Dense {
        first: i64,
        codes: Vec<u32>,
    },
    Boolean,
}

impl Lookup {
    /// The lookup of a dictionary.
    pub fn new(dictionary: Arc<Dictionary>) -> Self {
        let codes = match dictionary.as_ref() {
            Dictionary::Text(values) => Codes::Text(values.iter().cloned().zip(0..).collect()),
            Dictionary::Integer(values) => {
                dense(values).unwrap_or_else(|| Codes::Integer(values.iter().copied().zip(0..).collect()))
            }
            Dictionary::Boolean => Codes::Boolean,
        };
        Self { dictionary, codes }
    }

    /// The dictionary whose codes these are.
    pub fn dictionary(&self) -> &Arc<Dictionary> {
        &self.dictionary
    }

    /// The code of each row of `array`, the column `name`: [`NULL`] and [`UNSEEN`] where there is none.
    ///
    /// # Errors
    /// [`crate::Error::InvalidValue`] for a text that is no number, where the dictionary holds numbers.
    pub fn codes(&self, name: &str, array: &ArrayRef) -> Result<Vec<u32>> {
        let found = |code: Option<u32>| code.unwrap_or(UNSEEN);
        match &self.codes {
            Codes::Text(known) => {
                let array = text_array(name, array)?;
                let mut codes = Vec::with_capacity(array.len());
                each_text(&array, |value| codes.push(value.map_or(NULL, |value| found(known.get(value).copied()))));
                Ok(codes)
            }
            Codes::Integer(known) => {
                let values = integers(name, array)?.into_iter();
                Ok(values.map(|value| value.map_or(NULL, |value| found(known.get(&value).copied()))).collect())
            }
            Codes::Dense { first, codes } => {
                let code = |value: i64| {
                    let position = value.checked_sub(*first).and_then(|position| usize::try_from(position).ok());
                    found(position.and_then(|position| codes.get(position).copied()))
                };
                Ok(integers(name, array)?.into_iter().map(|value| value.map_or(NULL, code)).collect())
            }
            Codes::Boolean => Ok(boolean_codes(&booleans(name, array)?)),
        }
    }
}

/// Ids often count up from one: an array is then smaller and faster than a hash table.
fn dense(values: &[i64]) -> Option<Codes> {
    let (&first, &last) = (values.first()?, values.last()?);
    let width = usize::try_from(last.checked_sub(first)?).ok()?.checked_add(1)?;
    if width / 4 > values.len() {
        return None;
    }
    let mut codes = vec![UNSEEN; width];
    for (&value, code) in values.iter().zip(0..) {
        *codes.get_mut((value - first) as usize)? = code;
    }
    Some(Codes::Dense { first, codes })
}

fn boolean_codes(values: &BooleanArray) -> Vec<u32> {
    values.iter().map(|value| value.map_or(NULL, u32::from)).collect()
}
