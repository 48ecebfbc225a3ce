//! Hashes of values that are the same on every machine and in every version.

use crate::{
    random::mix,
    table::{Dictionary, NULL, Values, bag},
};

/// The hash of nothing: what NULL becomes.
const MISSING: u64 = 0x243F_6A88_85A3_08D3;

/// The hash of bytes: FNV-1a, whose result [`mix`] spreads over all bits.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    let hash = bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    mix(hash)
}

/// The hash of a sequence of hashes.
pub(crate) fn combine(state: u64, part: u64) -> u64 {
    mix(state.rotate_left(5) ^ mix(part))
}

/// A hash for every row of a column, of its value and not of its code.
pub(crate) fn rows(values: &Values) -> Vec<u64> {
    let number = |value: f64| if value.is_nan() { MISSING } else { mix((value + 0.0).to_bits()) };
    match values {
        Values::Category { codes, dictionary } => categories(codes, dictionary),
        Values::Number(numbers) => numbers.iter().map(|&value| number(value)).collect(),
        Values::Timestamp(times) => times.iter().map(|time| time.map_or(MISSING, |time| mix(time as u64))).collect(),
        Values::Text(texts) => {
            texts.iter().map(|text| text.as_ref().map_or(MISSING, |text| bytes(text.as_bytes()))).collect()
        }
        Values::Bag { offsets, codes, dictionary } => {
            let hashes = categories(codes, dictionary);
            let row = |row| bag(offsets, &hashes, row).iter().fold(MISSING, |state, &part| combine(state, part));
            (0..offsets.len().saturating_sub(1)).map(row).collect()
        }
        Values::Vector { width, values } => values
            .chunks_exact(*width)
            .map(|row| row.iter().fold(MISSING, |state, &value| combine(state, number(f64::from(value)))))
            .collect(),
    }
}

/// A hash for every code.
pub(crate) fn categories(codes: &[u32], dictionary: &Dictionary) -> Vec<u64> {
    let hashes: Vec<u64> = match dictionary {
        Dictionary::Text(values) => values.iter().map(|value| bytes(value.as_bytes())).collect(),
        Dictionary::Integer(values) => values.iter().map(|&value| mix(value as u64)).collect(),
        Dictionary::Boolean => vec![mix(0), mix(1)],
    };
    let hash = |code: u32| if code == NULL { MISSING } else { hashes.get(code as usize).copied().unwrap_or(MISSING) };
    codes.iter().map(|&code| hash(code)).collect()
}
