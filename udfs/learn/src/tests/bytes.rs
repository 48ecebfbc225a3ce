//! Models as bytes: round trips, truncation, flipped and hostile bytes.

use super::*;
use crate::{Error, Model, hash};

fn models() -> Vec<Model> {
    let model = |(objective, options): (Objective, Options)| {
        let mut rows = shop(objective, 21, 40);
        if objective == Objective::Implicit {
            // A user whose every pair is held out.
            let part: Vec<&str> = (0..40).map(|row| if row < 12 { "test" } else { "train" }).collect();
            rows.columns.push(("part".into(), words(&part)));
            return run(&rows, Options { split: Some("column:part".into()), ..options }).unwrap().model;
        }
        for (name, values) in &mut rows.columns {
            // Thousands of text features would make every byte's turn too long.
            if name == "note" {
                *values = words(&["x"; 40]);
            }
        }
        run(&rows, options).unwrap().model
    };
    objectives().into_iter().map(model).collect()
}

/// The same bytes with a checksum that fits, as somebody who means harm would make them.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let checksum = hash::bytes(&bytes[..end]);
    bytes[end..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn what_is_written_is_read() {
    for model in models() {
        let bytes = model.to_bytes();
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read, model);
        assert_eq!(read.to_bytes(), bytes);
    }
    assert!(models().iter().any(|model| model.held_out_users().is_some()));
}

#[test]
fn every_truncation_is_refused() {
    for model in models() {
        let bytes = model.to_bytes();
        for length in 0..bytes.len() {
            assert!(matches!(Model::from_bytes(&bytes[..length]), Err(Error::Corrupt(_))), "{length}");
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut random = Random::keyed(99, &[]);
    for model in models() {
        let bytes = model.to_bytes();
        for _ in 0..2000 {
            let mut altered = bytes.clone();
            altered[random.below(bytes.len() as u64) as usize] ^= 1 << random.below(8);
            assert!(matches!(Model::from_bytes(&altered), Err(Error::Corrupt(_))));
        }
    }
}

#[test]
fn hostile_bytes_give_an_error_or_a_model_that_scores() {
    for (which, model) in models().into_iter().enumerate() {
        let bytes = model.to_bytes();
        let batch = if which == 2 { shop(Objective::Implicit, 22, 20) } else { shop(Objective::Squared, 22, 20) };
        let (mut refused, mut random) = (0, Random::keyed(7, &[which as u64]));
        for round in 0..4000 {
            let mut altered = bytes.clone();
            let at = 12 + random.below((bytes.len() - 20) as u64) as usize;
            let byte = [0, 1, 0x7F, 0x80, 0xFF, random.bits() as u8][random.below(6) as usize];
            altered[at] = byte;
            if round % 3 == 0 {
                // Lengths are where the harm is done: huge ones too.
                let end = (at + 8).min(bytes.len() - 8);
                altered[at..end].fill(byte);
            }
            match Model::from_bytes(&resealed(altered)) {
                Err(Error::Corrupt(_)) => refused += 1,
                Err(other) => panic!("{other}"),
                Ok(read) => {
                    // Numbers may differ; what must not happen is a panic or a NaN.
                    if let Ok(scores) = read.predict(&batch) {
                        assert!(scores.iter().all(|score| score.is_finite()));
                    }
                    let request = crate::Request { k: 3, threads: 1, ..Default::default() };
                    let _ = read.recommend(&batch, &request, &Unattended);
                    let _ = read.to_bytes();
                }
            }
        }
        assert!(refused > 500, "{refused}");
    }
}

#[test]
fn messages_say_what_is_wrong() {
    let bytes = models().remove(0).to_bytes();
    let message = |bytes: &[u8]| Model::from_bytes(bytes).unwrap_err().to_string();
    assert_eq!(message(b"PAR1 is another format"), "the bytes are not a model: they do not start as one");
    let mut later = bytes.clone();
    later[8] = 9;
    assert_eq!(message(&later), "the model has format version 9, and this program reads 1; train it again");
    assert!(message(&bytes[..bytes.len() - 1]).contains("checksum does not match"));
}
