//! What the blocks of a file are compressed with.

use std::io::{self, Read};

use bytes::Bytes;
use bzip2::read::BzDecoder;
use flate2::{Crc, read::DeflateDecoder};
use liblzma::{read::XzDecoder, stream::Stream};

use super::super::text::shortened;

/// How much memory the window of an xz stream may take; the strongest preset has one of 64 MB.
const XZ_MEMORY_BYTES: u64 = 512 << 20;

/// A compression, by its name in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

impl Codec {
    const NAMED: [(&'static str, Self); 6] = [
        ("null", Self::Null),
        ("deflate", Self::Deflate),
        ("snappy", Self::Snappy),
        ("zstandard", Self::Zstandard),
        ("bzip2", Self::Bzip2),
        ("xz", Self::Xz),
    ];

    /// The codec of a name; else what is wrong with the name.
    pub(super) fn named(name: &[u8]) -> Result<Self, String> {
        let found = Self::NAMED.into_iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, codec)| codec).ok_or_else(|| {
            let known = Self::NAMED.map(|(known, _)| known).join(", ");
            format!("its codec {} is none of {known}", shortened(&String::from_utf8_lossy(name)))
        })
    }

    /// A block as it was before it was compressed, which may be so long; else what is wrong with it.
    pub(super) fn expand(self, block: Bytes, max_bytes: usize) -> Result<Bytes, String> {
        let bytes = &block[..];
        let expanded = match self {
            Self::Null => return Ok(block),
            Self::Deflate => read(DeflateDecoder::new(bytes), max_bytes),
            Self::Snappy => snappy(bytes, max_bytes),
            Self::Zstandard => zstd::Decoder::new(bytes).and_then(|reader| read(reader, max_bytes)),
            Self::Bzip2 => read(BzDecoder::new(bytes), max_bytes),
            Self::Xz => Stream::new_stream_decoder(XZ_MEMORY_BYTES, 0)
                .map_err(io::Error::from)
                .and_then(|stream| read(XzDecoder::new_stream(bytes, stream), max_bytes)),
        };
        expanded.map(Bytes::from).map_err(|error| format!("a block cannot be decompressed: {error}"))
    }
}

fn read(reader: impl Read, max_bytes: usize) -> io::Result<Vec<u8>> {
    let mut expanded = Vec::new();
    reader.take(max_bytes as u64 + 1).read_to_end(&mut expanded)?;
    if expanded.len() > max_bytes { Err(too_long(max_bytes)) } else { Ok(expanded) }
}

/// Snappy's bytes are followed by the checksum of what they expand to.
fn snappy(bytes: &[u8], max_bytes: usize) -> io::Result<Vec<u8>> {
    let Some((bytes, checksum)) = bytes.split_last_chunk::<4>() else {
        return Err(io::Error::other("it is shorter than its checksum"));
    };
    if snap::raw::decompress_len(bytes)? > max_bytes {
        return Err(too_long(max_bytes));
    }
    let expanded = snap::raw::Decoder::new().decompress_vec(bytes)?;
    let mut found = Crc::new();
    found.update(&expanded);
    if found.sum() != u32::from_be_bytes(*checksum) {
        return Err(io::Error::other("its checksum is another one"));
    }
    Ok(expanded)
}

fn too_long(max_bytes: usize) -> io::Error {
    io::Error::other(format!("it expands to more than {} MB", max_bytes >> 20))
}
