//! `COPY` in PostgreSQL's own formats, which are text, CSV and binary: what its options mean, and rows as bytes and back.
//!
//! It knows columns and bytes, and neither statements nor connections: those who have the bytes come and go, above. The formats
//! of files that are ours are in `source`.

mod csv;
mod fields;
mod input;
mod lines;
mod options;
mod output;
mod packed;
mod reader;
mod values;

pub use self::{
    input::{CopyFeed, CopyIn},
    output::CopyOut,
};
pub(crate) use self::{
    input::{Given, channel},
    options::{Choice, Direction, Options},
    reader::Reader,
};

/// What the binary format begins with, before its flags and the length of what else its header has.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
