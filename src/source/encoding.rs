//! From the bytes of a file in any encoding to UTF-8.

use bytes::{Bytes, BytesMut};
use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{Error, options::invalid};

/// The option `encoding`, as help shows it.
pub(super) const OPTION: (&str, &str) =
    ("encoding", "how characters are written: utf-8, the default, utf-16, latin1, windows-1252 and others");

/// How the characters of files are written; by default UTF-8, or UTF-16 where a file begins with its mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Encoding(Option<&'static encoding_rs::Encoding>);

impl Encoding {
    /// Of files that are no text.
    pub(super) fn bytes() -> Self {
        Self(Some(UTF_8))
    }

    /// Parses the option.
    pub(super) fn parse(value: Option<&str>) -> Result<Self, Error> {
        let Some(value) = value.filter(|value| !value.eq_ignore_ascii_case("auto")) else { return Ok(Self(None)) };
        let label = match value.to_ascii_lowercase().as_str() {
            "utf8" => "utf-8".to_owned(),
            "utf16" | "utf-16" => "utf-16le".to_owned(),
            "latin-1" | "iso8859-1" => "latin1".to_owned(),
            "cp1252" | "windows1252" | "win1252" => "windows-1252".to_owned(),
            other => other.to_owned(),
        };
        match encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) => Ok(Self(Some(encoding))),
            None => {
                let expected = "utf-8, utf-16, latin1, windows-1252 or another name of the WHATWG's list";
                Err(invalid("encoding", value, expected))
            }
        }
    }

    /// Whether a file that begins so is UTF-8 already.
    pub(super) fn is_utf8(self, first: &[u8]) -> bool {
        self.0.or_else(|| told(first)).is_none_or(|encoding| encoding == UTF_8)
    }

    /// The encoding of a file that begins so.
    pub(super) fn name_of(self, first: &[u8]) -> String {
        self.0.or_else(|| told(first)).unwrap_or(UTF_8).name().to_lowercase()
    }

    /// Refuses a file that begins so where it is no text in an encoding that is read. Bytes that are said to be a text are one.
    fn check(self, first: &[u8], file: &str) -> Result<(), Error> {
        if self.0 != Some(UTF_8) && is_utf32(first) {
            return Err(Error::UnreadEncoding { file: file.to_owned(), encoding: "UTF-32" });
        }
        let is_told = self.0.is_some() || encoding_rs::Encoding::for_bom(first).is_some();
        match other_than_text(first) {
            Some((found, hint)) if !is_told => Err(Error::NotText { file: file.to_owned(), found, hint }),
            _ => Ok(()),
        }
    }

    /// The bytes as UTF-8 without a byte order mark, which tells the encoding if the option does not. Returns how many
    /// bytes of a mark were left out of an otherwise unchanged stream.
    pub(super) async fn decode(
        self,
        mut stream: BoxStream<'static, Result<Bytes, Error>>,
        file: &str,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, Error>>), Error> {
        let mut first = BytesMut::new();
        while first.len() < ENOUGH_BYTES {
            match stream.try_next().await? {
                Some(chunk) => first.extend_from_slice(&chunk),
                None => break,
            }
        }
        self.check(&first, file)?;
        let marked = encoding_rs::Encoding::for_bom(&first);
        let encoding = match (self.0, marked) {
            // UTF-16 is named without its order of bytes, and UTF-8 often where there is a mark of UTF-16.
            (Some(asked), Some((found, _))) if asked == UTF_16LE || asked == UTF_16BE || asked == found => found,
            (Some(asked), _) => asked,
            (None, Some((found, _))) => found,
            (None, None) => told(&first).unwrap_or(UTF_8),
        };
        // Most pairs of Latin letters are Chinese characters in UTF-16: nothing else tells that it is none.
        let is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
        if is_utf16
            && marked.is_none()
            && !first.is_empty()
            && first.iter().take(ENOUGH_BYTES).all(|byte| (1..128).contains(byte))
        {
            return Err(Error::WrongEncoding {
                file: file.to_owned(),
                line: 1,
                encoding: encoding.name().to_owned(),
                fitting: "utf-8".to_owned(),
            });
        }
        let mark = marked.filter(|(found, _)| *found == encoding).map_or(0, |(_, length)| length);
        drop(first.split_to(mark));
        let first = futures::stream::iter((!first.is_empty()).then(|| Ok(first.freeze())));
        let stream = first.chain(stream).boxed();
        if encoding == UTF_8 {
            return Ok((mark as u64, stream));
        }
        let decoding = Decoding {
            decoder: encoding.new_decoder_without_bom_handling(),
            encoding,
            file: file.to_owned(),
            line: 1,
            ended: false,
        };
        let decoded = futures::stream::try_unfold((stream, decoding), |(mut stream, mut decoding)| async move {
            if decoding.ended {
                return Ok(None);
            }
            let chunk = stream.try_next().await?;
            let text = decoding.step(chunk)?;
            Ok(Some((text, (stream, decoding))))
        });
        Ok((0, decoded.boxed()))
    }
}

/// Whether a text begins so in UTF-32, which is not read: with its mark, or with zeros around its first two letters. In
/// UTF-16 its mark would be that one's and a zero.
fn is_utf32(first: &[u8]) -> bool {
    matches!(
        first,
        [0xFF, 0xFE, 0, 0, ..]
            | [0, 0, 0xFE, 0xFF, ..]
            | [b'\t'..=b'~', 0, 0, 0, b'\t'..=b'~', 0, 0, 0, ..]
            | [0, 0, 0, b'\t'..=b'~', 0, 0, 0, b'\t'..=b'~', ..]
    )
}

/// Whether bytes that say nothing of their encoding are those of no text: they have zeros, or bytes that are none of UTF-8
/// and more kinds of control characters than a text has.
fn is_binary(first: &[u8]) -> bool {
    let first = first.get(..ENOUGH_BYTES).unwrap_or(first);
    let is_control = |byte: &u8| matches!(byte, 0x01..=0x08 | 0x0E..=0x1A | 0x1C..=0x1F);
    let kinds = (0..0x20).filter(|kind| is_control(kind) && first.contains(kind)).count();
    let is_utf8 = std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true);
    first.contains(&0) || (!is_utf8 && kinds >= TELLING_CONTROLS)
}

/// The encoding of a text that begins so, where that tells it: by a mark, or by zeros in each second place.
fn told(first: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match first {
        [1..=255, 0, 1..=255, 0, 1..=255, 0, ..] => Some(UTF_16LE),
        [0, 1..=255, 0, 1..=255, 0, 1..=255, ..] => Some(UTF_16BE),
        _ => encoding_rs::Encoding::for_bom(first).map(|(found, _)| found),
    }
}

/// What a file is that begins so and is no text, and what to do with it.
fn other_than_text(first: &[u8]) -> Option<(String, &'static str)> {
    let begins = |begin: &[u8]| first.starts_with(begin) && (begin == PDF || first.iter().any(|byte| *byte < b'\t'));
    let known = OTHERS.iter().find(|(begin, ..)| begins(begin)).map(|(_, found, hint)| ((*found).to_owned(), *hint));
    known.or_else(|| (told(first).is_none() && is_binary(first)).then(|| binary(first)))
}

/// What is said of bytes that are no text and nothing that is known, and what to do with them.
fn binary(first: &[u8]) -> (String, &'static str) {
    let Some(zero) = memchr::memchr(0, first) else { return ("binary data".to_owned(), BINARY) };
    let line = 1 + memchr::memchr_iter(b'\n', first.get(..zero).unwrap_or_default()).count();
    (format!("binary data: byte {} of it, on line {line}, is zero", zero + 1), WITH_ZEROS)
}

/// How much of a file tells what it is, and that it is no UTF-16.
const ENOUGH_BYTES: usize = 256;
/// How many kinds of control characters tell that bytes are no text. Delimiters and ends of files are two or three.
const TELLING_CONTROLS: usize = 4;

/// What to do with bytes that are no text and nothing that is known.
const BINARY: &str = "if it is a text, say how it is written, as in OPTIONS (encoding 'latin1'); else convert it to a format \
                      that is read, such as CSV, JSON or Parquet";
/// What to do with such bytes if there are zeros among them.
const WITH_ZEROS: &str = "if it is a text of UTF-8 to which zero bytes belong, say OPTIONS (encoding 'utf-8'), or how else it \
                          is written, as in (encoding 'utf-16'); else convert it to a format that is read, such as CSV, JSON \
                          or Parquet";

const PDF: &[u8] = b"%PDF-";
/// How files begin that are no text, what they are and what to do. All but the last have a byte that is in no text.
const OTHERS: &[(&[u8], &str, &str)] = &[
    (b"PAR1", "a Parquet file", "say STORED AS PARQUET or read_parquet('…')"),
    (b"ARROW1", "an Arrow file", "say STORED AS ARROW or read_arrow('…')"),
    (b"Obj\x01", "an Avro file", "say STORED AS AVRO or read_avro('…')"),
    (
        b"PK\x03\x04",
        "a spreadsheet or another zip archive",
        "read_excel('…') reads spreadsheets; unpack another archive",
    ),
    (b"\xD0\xCF\x11\xE0", "a spreadsheet or document of Office 97", "save it as xlsx or CSV"),
    (b"ORC", "an ORC file", "write it to a Parquet file first"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", "unpack it first"),
    (b"Rar!\x1A\x07", "a RAR archive", "unpack it first"),
    (b"\x89HDF\r\n", "an HDF5 file", "write its tables to CSV or Parquet files first"),
    (b"\x89PNG\r\n", "an image", "no image is read"),
    (b"SQLite format 3\0", "an SQLite database", "write its tables to CSV or Parquet files first"),
    (PDF, "a PDF document", "write its tables to a CSV file first"),
];

struct Decoding {
    decoder: Decoder,
    encoding: &'static encoding_rs::Encoding,
    file: String,
    line: u64,
    ended: bool,
}

impl Decoding {
    fn step(&mut self, chunk: Option<Bytes>) -> Result<Bytes, Error> {
        self.ended = chunk.is_none();
        let bytes = chunk.unwrap_or_default();
        let room = self.decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
        let mut text = vec![0; room];
        let (result, _, written) = self.decoder.decode_to_utf8_without_replacement(&bytes, &mut text, self.ended);
        text.truncate(written);
        let lines = memchr::memchr_iter(b'\n', &text).count() as u64;
        match result {
            DecoderResult::InputEmpty => {
                self.line += lines;
                Ok(Bytes::from(text))
            }
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => Err(Error::WrongEncoding {
                file: self.file.clone(),
                line: self.line + lines,
                encoding: self.encoding.name().to_owned(),
                fitting: fitting(&bytes).to_owned(),
            }),
        }
    }
}

/// The encoding that some bytes of a text are likely in.
pub(super) fn fitting(bytes: &[u8]) -> &'static str {
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let half = bytes.len() / 4;
    if bytes.len() >= 4 && (zeros(0) > half) != (zeros(1) > half) {
        return "utf-16";
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => "utf-8",
        Err(error) if error.error_len().is_none() => "utf-8",
        Err(_) => "windows-1252",
    }
}
