//! The bytes of a file, decompressed, as UTF-8 and without a byte order mark: as a stream, as a sample, or for blocking readers.

use std::io::{self, Read};

use bytes::{Bytes, BytesMut};
use datafusion::{
    common::{DataFusionError, parsers::CompressionTypeVariant},
    datasource::file_format::file_compression_type,
};
use file_compression_type::FileCompressionType;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};

use super::{Error, encoding::Encoding, location, options::invalid};

/// How much of a local file is read at once.
const CHUNK_BYTES: usize = 256 << 10;
/// How much of an object one request asks for.
const PIECE_BYTES: u64 = 4 << 20;
/// How many pieces of an object are asked for before the first is used up.
const PIECES_AHEAD: usize = 2;
/// How compressed files begin, whatever they are called.
const MAGIC: [(&[u8], CompressionTypeVariant); 4] = [
    (&[0x1F, 0x8B, 0x08], CompressionTypeVariant::GZIP),
    (&[0x28, 0xB5, 0x2F, 0xFD], CompressionTypeVariant::ZSTD),
    (b"BZh", CompressionTypeVariant::BZIP2),
    (&[0xFD, b'7', b'z', b'X', b'Z', 0x00], CompressionTypeVariant::XZ),
];
/// The longest of them.
const MAGIC_BYTES: usize = 6;
/// What the option `compression` may be.
const COMPRESSIONS: &str = "auto, none, gzip, zstd, bzip2 or xz";

/// The option `compression`: told by each file's name, or one for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Compression(Option<CompressionTypeVariant>);

/// A file to read and how messages call it.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) store: std::sync::Arc<dyn ObjectStore>,
    pub(super) meta: ObjectMeta,
    pub(super) name: String,
    pub(super) compression: Compression,
    pub(super) encoding: Encoding,
    /// How many lines at the start are passed over.
    pub(super) skipped_lines: u64,
}

/// A file's bytes from an offset on.
pub(super) struct Chunks {
    /// How many bytes of a byte order mark were left out.
    pub(super) skipped: u64,
    pub(super) stream: BoxStream<'static, Result<Bytes, Error>>,
}

impl Compression {
    pub(super) fn parse(value: Option<&str>) -> Result<Self, Error> {
        use CompressionTypeVariant::{BZIP2, GZIP, UNCOMPRESSED, XZ, ZSTD};
        let Some(value) = value else { return Ok(Self(None)) };
        Ok(Self(match value.to_ascii_lowercase().as_str() {
            "auto" => None,
            "none" | "uncompressed" => Some(UNCOMPRESSED),
            "gzip" | "gz" => Some(GZIP),
            "zstd" | "zst" => Some(ZSTD),
            "bzip2" | "bz2" => Some(BZIP2),
            "xz" => Some(XZ),
            _ => {
                return Err(invalid("compression", value, COMPRESSIONS));
            }
        }))
    }

    /// Told by the first bytes of a file, where the option leaves that open; else by its name.
    fn of_content(self, name: &str, first: &[u8]) -> CompressionTypeVariant {
        match (self.0, MAGIC.iter().find(|(magic, _)| first.starts_with(magic))) {
            (None, Some((_, found))) => *found,
            // A file that is called compressed and is not is a text, unless it is broken.
            (None, None) if std::str::from_utf8(first).is_ok() && !first.is_empty() => {
                CompressionTypeVariant::UNCOMPRESSED
            }
            _ => self.of(name),
        }
    }

    pub(super) fn of(self, name: &str) -> CompressionTypeVariant {
        use CompressionTypeVariant::{BZIP2, GZIP, UNCOMPRESSED, XZ, ZSTD};
        self.0.unwrap_or_else(|| match location::ending(name).and_then(|(_, compression)| compression).as_deref() {
            Some("gz") => GZIP,
            Some("zst") => ZSTD,
            Some("bz2") => BZIP2,
            Some("xz") => XZ,
            _ => UNCOMPRESSED,
        })
    }
}

impl Input {
    /// The parts of the file that so many threads may read at once, out of `total` bytes in all files.
    pub(super) fn ranges(&self, total: u64, threads: u64, min_bytes: u64) -> Vec<(u64, u64)> {
        // A part looks through what precedes it, which is cheap on a local disk alone.
        let is_local = !self.name.contains("://");
        let is_plain = self.compression.of(&self.name) == CompressionTypeVariant::UNCOMPRESSED;
        let share = (total / threads.max(1)).max(min_bytes);
        let parts = if is_local && is_plain { self.meta.size.div_ceil(share).max(1) } else { 1 };
        let ends = |part: u64| if part == parts { u64::MAX } else { self.meta.size / parts * part };
        (0..parts).map(|part| (ends(part), ends(part + 1))).collect()
    }

    /// Whether the file is still the one that was listed.
    pub(super) async fn is_unchanged(&self) -> bool {
        let same = |now: ObjectMeta| now.size == self.meta.size && now.last_modified == self.meta.last_modified;
        self.store.head(&self.meta.location).await.is_ok_and(same)
    }

    /// The compression and the encoding of the file, by their names.
    pub(super) async fn forms(&self) -> Result<(&'static str, String), Error> {
        let mut first = bytes::Bytes::new();
        if self.meta.size > 0 {
            let read = self.store.get_range(&self.meta.location, 0..self.meta.size.min(MAGIC_BYTES as u64)).await;
            first = read.map_err(|error| Error::store(&self.name, error))?;
        }
        let compression = self.compression.of_content(&self.name, &first);
        // The mark of an encoding is inside what is compressed.
        let mark = if compression == CompressionTypeVariant::UNCOMPRESSED { first.as_ref() } else { &[] };
        Ok((name_of(compression).unwrap_or("none"), self.encoding.name_of(mark)))
    }

    /// Whether the file's bytes are those of its text, so that it can be read from the middle.
    pub(super) async fn is_plain(&self) -> Result<bool, Error> {
        if self.meta.size == 0 {
            return Ok(true);
        }
        let first = self.store.get_range(&self.meta.location, 0..self.meta.size.min(MAGIC_BYTES as u64)).await;
        let first = first.map_err(|error| Error::store(&self.name, error))?;
        let kind = self.compression.of_content(&self.name, &first);
        Ok(kind == CompressionTypeVariant::UNCOMPRESSED && self.encoding.is_utf8(&first))
    }

    /// The bytes from an offset on; a byte order mark at the start and the lines that are skipped are left out.
    pub(super) async fn chunks(&self, offset: u64) -> Result<Chunks, Error> {
        if self.meta.size <= offset {
            return Ok(Chunks { skipped: 0, stream: futures::stream::empty().boxed() });
        }
        let first = offset..self.meta.size.min(offset + PIECE_BYTES);
        let options = GetOptions { range: Some(GetRange::Bounded(first.clone())), ..GetOptions::default() };
        let found = self.store.get_opts(&self.meta.location, options).await;
        let found = found.map_err(|error| Error::store(&self.name, error))?;
        let e_tag = found.meta.e_tag.clone();
        let compression = self.compression;
        let stream = match found.payload {
            GetResultPayload::File(mut file, _) => {
                let mut magic = [0; MAGIC_BYTES];
                let length = fill(&mut file, &mut magic).map_err(|error| Error::io(&self.name, error))?;
                let kind = compression.of_content(&self.name, magic.get(..length).unwrap_or_default());
                io::Seek::seek(&mut file, io::SeekFrom::Start(offset)).map_err(|error| Error::io(&self.name, error))?;
                let reader = FileCompressionType::from(kind).convert_read(file);
                let reader = reader.map_err(|error| self.broken(&error.find_root().to_string(), error))?;
                self.read_in_chunks(reader)
            }
            GetResultPayload::Stream(stream) => {
                let mut stream = stream.chain(self.pieces(first.end, e_tag)).boxed();
                let mut head = BytesMut::new();
                while head.len() < MAGIC_BYTES {
                    match stream.try_next().await.map_err(|error| Error::store(&self.name, error))? {
                        Some(chunk) => head.extend_from_slice(&chunk),
                        None => break,
                    }
                }
                let kind = match offset {
                    0 => compression.of_content(&self.name, &head),
                    _ => compression.of(&self.name),
                };
                let head = futures::stream::iter((!head.is_empty()).then(|| Ok(head.freeze())));
                let stream = head.chain(stream).map_err(DataFusionError::from).boxed();
                let stream = FileCompressionType::from(kind).convert_stream(stream);
                let stream = stream.map_err(|error| self.broken(&error.find_root().to_string(), error))?;
                let input = self.clone();
                stream.map_err(move |error| input.failed_remotely(error)).boxed()
            }
        };
        if offset > 0 {
            return Ok(Chunks { skipped: 0, stream });
        }
        let (skipped, stream) = self.encoding.decode(stream, self.skipped_lines, &self.name).await?;
        Ok(Chunks { skipped, stream })
    }

    /// The object from an offset on, a piece a request: one that lasts as long as a slow query would time out. The
    /// tag makes sure that all pieces are of the same object.
    fn pieces(&self, from: u64, e_tag: Option<String>) -> BoxStream<'static, object_store::Result<Bytes>> {
        let (store, location, size) = (std::sync::Arc::clone(&self.store), self.meta.location.clone(), self.meta.size);
        let starts = std::iter::successors(Some(from), |start| start.checked_add(PIECE_BYTES));
        let pieces = futures::stream::iter(starts.take_while(move |start| *start < size)).map(move |start| {
            let range = GetRange::Bounded(start..size.min(start + PIECE_BYTES));
            let options = GetOptions { range: Some(range), if_match: e_tag.clone(), ..GetOptions::default() };
            let (store, location) = (std::sync::Arc::clone(&store), location.clone());
            async move { store.get_opts(&location, options).await?.bytes().await }
        });
        pieces.buffered(PIECES_AHEAD).boxed()
    }

    fn failed_remotely(&self, error: DataFusionError) -> Error {
        match (Error::find(&error), error) {
            (Some(found), _) => found,
            (None, DataFusionError::ObjectStore(error)) => Error::store(&self.name, *error),
            (None, error) => self.broken(&error.find_root().to_string(), error),
        }
    }

    fn read_in_chunks(&self, reader: Box<dyn Read + Send>) -> BoxStream<'static, Result<Bytes, Error>> {
        let input = self.clone();
        let chunks = std::iter::from_fn({
            let mut reader = Some(reader);
            move || {
                let mut chunk = BytesMut::zeroed(CHUNK_BYTES);
                match fill(reader.as_mut()?, &mut chunk) {
                    Ok(0) => None,
                    Ok(length) => {
                        chunk.truncate(length);
                        Some(Ok(chunk.freeze()))
                    }
                    Err(error) => {
                        reader = None;
                        Some(Err(input.failed(error)))
                    }
                }
            }
        });
        futures::stream::iter(chunks).boxed()
    }

    fn failed(&self, error: io::Error) -> Error {
        if self.compression.of(&self.name) == CompressionTypeVariant::UNCOMPRESSED {
            Error::io(&self.name, error)
        } else {
            self.broken(&error.to_string(), error)
        }
    }

    fn broken(&self, reason: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
        let format = name_of(self.compression.of(&self.name)).unwrap_or("text");
        Error::Unreadable {
            file: self.name.clone(),
            format: format.to_owned(),
            reason: reason.to_owned(),
            source: std::sync::Arc::new(error),
        }
    }

    /// The first bytes, and whether there are more.
    pub(super) async fn head(&self, limit: usize) -> Result<(Vec<u8>, bool), Error> {
        let mut stream = self.chunks(0).await?.stream;
        let mut head = Vec::new();
        while let Some(chunk) = stream.try_next().await? {
            let room = limit.saturating_sub(head.len());
            head.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                return Ok((head, true));
            }
        }
        Ok((head, false))
    }
}

/// How a file is compressed as a whole, told by its first bytes; none if it is not, or cannot be read.
pub(super) async fn compression_of(store: &std::sync::Arc<dyn ObjectStore>, meta: &ObjectMeta) -> Option<&'static str> {
    let first = store.get_range(&meta.location, 0..meta.size.min(MAGIC_BYTES as u64)).await.ok()?;
    MAGIC.iter().find(|(magic, _)| first.starts_with(magic)).and_then(|(_, found)| name_of(*found))
}

fn name_of(compression: CompressionTypeVariant) -> Option<&'static str> {
    match compression {
        CompressionTypeVariant::GZIP => Some("gzip"),
        CompressionTypeVariant::BZIP2 => Some("bzip2"),
        CompressionTypeVariant::XZ => Some("xz"),
        CompressionTypeVariant::ZSTD => Some("zstd"),
        CompressionTypeVariant::UNCOMPRESSED => None,
    }
}

/// A text without its first lines. A line ends at a line feed, a carriage return or both.
pub(super) fn without_lines(
    stream: BoxStream<'static, Result<Bytes, Error>>,
    lines: u64,
) -> BoxStream<'static, Result<Bytes, Error>> {
    if lines == 0 {
        return stream;
    }
    let (mut left, mut returned) = (lines, false);
    let kept = stream.map_ok(move |mut chunk| {
        while left > 0 || returned {
            match chunk.first() {
                None => break,
                // What follows a carriage return that ended the last line.
                Some(byte) if left == 0 => {
                    if *byte == b'\n' {
                        let _ = chunk.split_to(1);
                    }
                    returned = false;
                    break;
                }
                Some(b'\n') if returned => {
                    let _ = chunk.split_to(1);
                    returned = false;
                }
                Some(_) => {
                    returned = false;
                    let Some(end) = memchr::memchr2(b'\n', b'\r', &chunk) else {
                        chunk.clear();
                        break;
                    };
                    returned = chunk.get(end) == Some(&b'\r');
                    let _ = chunk.split_to(end + 1);
                    left -= 1;
                }
            }
        }
        chunk
    });
    kept.try_filter(|chunk| std::future::ready(!chunk.is_empty())).boxed()
}

/// Reads until the buffer is full or the input ends.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
