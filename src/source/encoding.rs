//! From the bytes of a file in any encoding to UTF-8.

use bytes::{Bytes, BytesMut};
use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{Error, bytes::without_lines, options::invalid};

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
            "cp1252" | "windows1252" => "windows-1252".to_owned(),
            other => of_postgresql(other),
        };
        let found = |label: &str| encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        match found(&label).or_else(|| found(&label.replace('_', "-"))) {
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

    /// Refuses a file that begins so where that is an encoding that is not read, or what is known to be no text. Bytes that
    /// are said to be a text are one.
    fn check_kind(self, first: &[u8], file: &str) -> Result<(), Error> {
        if self.0 != Some(UTF_8) && is_utf32(first) {
            return Err(Error::UnreadEncoding { file: file.to_owned(), encoding: "UTF-32" });
        }
        match other_than_text(first) {
            Some((found, hint)) if !self.is_said(first) => {
                Err(Error::NotText { file: file.to_owned(), found: found.to_owned(), hint })
            }
            _ => Ok(()),
        }
    }

    /// Whether the option, or a mark at the beginning of a file, says that it is a text.
    fn is_said(self, first: &[u8]) -> bool {
        self.0.is_some() || encoding_rs::Encoding::for_bom(first).is_some()
    }

    /// The bytes as UTF-8 without a byte order mark, which tells the encoding if the option does not, and without some lines,
    /// of which nothing is asked but where they end. Returns how many bytes of a mark were left out of an otherwise unchanged
    /// stream.
    pub(super) async fn decode(
        self,
        mut stream: BoxStream<'static, Result<Bytes, Error>>,
        skipped_lines: u64,
        file: &str,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, Error>>), Error> {
        let mut first = first_of(&mut stream).await?;
        self.check_kind(&first, file)?;
        let is_said = self.is_said(&first);
        let marked = encoding_rs::Encoding::for_bom(&first);
        let encoding = match (self.0, marked) {
            // UTF-16 is named without its order of bytes, and UTF-8 often where there is a mark of UTF-16.
            (Some(asked), Some((found, _))) if asked == UTF_16LE || asked == UTF_16BE || asked == found => found,
            (Some(asked), _) => asked,
            (None, Some((found, _))) => found,
            (None, None) => told(&first).unwrap_or(UTF_8),
        };
        // Most pairs of Latin letters are Chinese characters in UTF-16: nothing else tells that it is none. Its delimiters and
        // ends of lines have zeros.
        let is_utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
        if is_utf16 && marked.is_none() && !first.is_empty() && !first.contains(&0) && is_utf8(&first) {
            return Err(Error::WrongEncoding {
                file: file.to_owned(),
                line: 1,
                encoding: encoding.name().to_owned(),
                fitting: "utf-8".to_owned(),
            });
        }
        let mark = marked.filter(|(found, _)| *found == encoding).map_or(0, |(_, length)| length);
        drop(first.split_to(mark));
        // In all encodings but this one lines end with the same bytes.
        let skips_bytes = skipped_lines > 0 && !is_utf16;
        if skips_bytes {
            stream = without_lines(put_back(first, stream), skipped_lines);
            first = first_of(&mut stream).await?;
        }
        if !is_said && !is_utf16 && is_binary(&first) {
            let (found, hint) = binary(&first, skipped_lines);
            return Err(Error::NotText { file: file.to_owned(), found, hint });
        }
        let stream = put_back(first, stream);
        if encoding == UTF_8 {
            return Ok((mark as u64, stream));
        }
        let decoding = Decoding {
            decoder: encoding.new_decoder_without_bom_handling(),
            encoding,
            file: file.to_owned(),
            line: if skips_bytes { 1 + skipped_lines } else { 1 },
            ended: false,
            // Pairs of bytes are other characters in UTF-16, as was seen.
            seen: (!is_utf16).then(|| Seen::new(encoding)),
        };
        let decoded = futures::stream::try_unfold((stream, decoding), |(mut stream, mut decoding)| async move {
            if decoding.ended {
                return Ok(None);
            }
            let chunk = stream.try_next().await?;
            let text = decoding.step(chunk)?;
            Ok(Some((text, (stream, decoding))))
        });
        Ok((0, if skips_bytes { decoded.boxed() } else { without_lines(decoded.boxed(), skipped_lines) }))
    }
}

/// Takes the first bytes of a stream, which tell what it is.
async fn first_of(stream: &mut BoxStream<'static, Result<Bytes, Error>>) -> Result<BytesMut, Error> {
    let mut first = BytesMut::new();
    while first.len() < ENOUGH_BYTES {
        match stream.try_next().await? {
            Some(chunk) => first.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(first)
}

/// The stream with the bytes that were taken from it.
fn put_back(
    first: BytesMut,
    stream: BoxStream<'static, Result<Bytes, Error>>,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let first = futures::stream::iter((!first.is_empty()).then(|| Ok(first.freeze())));
    first.chain(stream).boxed()
}

/// The label of an encoding that PostgreSQL calls otherwise.
fn of_postgresql(name: &str) -> String {
    match name {
        "latin7" => "iso-8859-13".to_owned(),
        "latin8" => "iso-8859-14".to_owned(),
        "latin9" => "iso-8859-15".to_owned(),
        "latin10" => "iso-8859-16".to_owned(),
        "koi8r" => "koi8-r".to_owned(),
        "koi8u" => "koi8-u".to_owned(),
        "win866" => "ibm866".to_owned(),
        "euc_cn" => "gb2312".to_owned(),
        "uhc" => "euc-kr".to_owned(),
        _ => match name.strip_prefix("win").filter(|page| page.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(page) => format!("windows-{page}"),
            None => name.to_owned(),
        },
    }
}

/// How the characters of a file are written that is made here in another encoding than UTF-8.
#[derive(Debug, Clone)]
pub(super) struct Written {
    encoding: &'static encoding_rs::Encoding,
    /// The name that was given.
    name: String,
    /// Whether it has the first 256 characters alone: what is read as Latin-1 has some more.
    is_latin1: bool,
}

impl Written {
    /// Parses the option; none for UTF-8.
    pub(super) fn parse(value: Option<&str>) -> Result<Option<Self>, Error> {
        let Encoding(encoding) = Encoding::parse(value)?;
        let Some(encoding) = encoding.filter(|encoding| *encoding != UTF_8) else { return Ok(None) };
        let name = value.unwrap_or_default().to_owned();
        let is_latin1 = ["latin1", "latin-1", "iso-8859-1", "iso8859-1", "iso_8859_1"]
            .contains(&name.to_ascii_lowercase().as_str());
        Ok(Some(Self { encoding, name, is_latin1 }))
    }

    /// The bytes of a text, behind a byte order mark where one belongs to the beginning of a file. A character that the
    /// encoding does not have is an error.
    pub(super) fn encode(&self, text: &str, is_first: bool) -> Result<Vec<u8>, Error> {
        if self.encoding == UTF_16LE || self.encoding == UTF_16BE {
            let is_big = self.encoding == UTF_16BE;
            let bytes = |unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let mark = is_first.then_some(0xFEFF);
            return Ok(mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect());
        }
        let (bytes, _, is_lossy) = self.encoding.encode(text);
        let may_lack = is_lossy || self.is_latin1 && !text.is_ascii();
        let lacking = if may_lack { text.chars().find(|character| !self.has(*character)) } else { None };
        match lacking {
            Some(character) => Err(Error::Unencodable { character, encoding: self.name.clone() }),
            None => Ok(bytes.into_owned()),
        }
    }

    fn has(&self, character: char) -> bool {
        let mut buffer = [0; 4];
        let is_lossy = self.encoding.encode(character.encode_utf8(&mut buffer)).2;
        !is_lossy && (!self.is_latin1 || character <= '\u{ff}')
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
    first.contains(&0) || (!is_utf8(first) && kinds >= TELLING_CONTROLS)
}

/// Whether bytes are those of UTF-8, of which the last character may be cut.
fn is_utf8(first: &[u8]) -> bool {
    std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true)
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
fn other_than_text(first: &[u8]) -> Option<(&'static str, &'static str)> {
    let begins = |begin: &[u8]| first.starts_with(begin) && (begin == PDF || first.iter().any(|byte| *byte < b'\t'));
    OTHERS.iter().find(|(begin, ..)| begins(begin)).map(|(_, found, hint)| (*found, *hint))
}

/// What is said of bytes that are no text and nothing that is known, behind some lines, and what to do with them.
fn binary(first: &[u8], skipped_lines: u64) -> (String, &'static str) {
    let Some(zero) = memchr::memchr(0, first) else { return ("binary data".to_owned(), BINARY) };
    let lines = memchr::memchr_iter(b'\n', first.get(..zero).unwrap_or_default()).count() as u64;
    let line = 1 + skipped_lines + lines;
    let found = match skipped_lines {
        0 => format!("binary data: byte {} of it, on line {line}, is zero", zero + 1),
        _ => format!("binary data: a byte on line {line} is zero"),
    };
    (found, WITH_ZEROS)
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
    /// What the bytes would be in UTF-8; none once they can be nothing in it.
    seen: Option<Seen>,
}

/// What tells that bytes of another encoding, in which almost all bytes are letters, are UTF-8: that all of them but those
/// of ASCII are characters of it, as good as never by chance. A few may be, such as an É before a quotation mark.
struct Seen {
    /// Whether the encoding has the letters of Western Europe, of which an Â or Ã is hardly before a sign.
    is_western: bool,
    /// Whether each byte is a character in it.
    is_single: bool,
    /// The start of a character whose end is not there yet.
    cut: Vec<u8>,
    /// Different characters, as far as they are counted.
    characters: Vec<char>,
    /// The line of the first one.
    line: u64,
    is_told: bool,
}

/// How many different characters tell by themselves that bytes are UTF-8.
const TELLING_CHARACTERS: usize = 3;

impl Seen {
    fn new(encoding: &'static encoding_rs::Encoding) -> Self {
        Self {
            is_western: encoding.decode_without_bom_handling(&[0xC3]).0 == "\u{c3}",
            is_single: encoding.is_single_byte(),
            cut: Vec::new(),
            characters: Vec::new(),
            line: 0,
            is_told: false,
        }
    }

    /// Adds the next bytes, of which the first stand on this line; false if they are none of UTF-8.
    fn see(&mut self, bytes: &[u8], line: u64) -> bool {
        if self.cut.is_empty() && bytes.is_ascii() {
            return true;
        }
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let (text, rest) = match std::str::from_utf8(&all) {
            Ok(text) => (text, 0),
            Err(error) if error.error_len().is_none() => {
                let (text, rest) = all.split_at(error.valid_up_to());
                (std::str::from_utf8(text).unwrap_or_default(), rest.len())
            }
            Err(_) => return false,
        };
        for (at, character) in text.char_indices().filter(|(_, character)| !character.is_ascii()) {
            if self.is_told {
                break;
            }
            if self.characters.is_empty() {
                let before = text.as_bytes().get(..at).unwrap_or_default();
                self.line = line + memchr::memchr_iter(b'\n', before).count() as u64;
            }
            if !self.characters.contains(&character) {
                self.characters.push(character);
            }
            let is_long = self.is_single && character.len_utf8() > 2;
            let is_sign = self.is_western && matches!(character, '\u{80}'..='\u{ff}');
            self.is_told |= is_long || is_sign || self.characters.len() >= TELLING_CHARACTERS;
        }
        self.cut = all.split_off(all.len() - rest);
        true
    }

    /// The line of the first character that tells that the bytes are UTF-8, now that all were seen.
    fn told(&self) -> Option<u64> {
        (self.is_told && self.cut.is_empty()).then_some(self.line)
    }
}

impl Decoding {
    fn step(&mut self, chunk: Option<Bytes>) -> Result<Bytes, Error> {
        self.ended = chunk.is_none();
        let bytes = chunk.unwrap_or_default();
        let line = self.line;
        if self.seen.as_mut().is_some_and(|seen| !seen.see(&bytes, line)) {
            self.seen = None;
        }
        if let Some(line) = self.seen.as_ref().filter(|_| self.ended).and_then(Seen::told) {
            return Err(self.wrong(line, "utf-8"));
        }
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
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
                Err(self.wrong(self.line + lines, fitting(&bytes)))
            }
        }
    }

    fn wrong(&self, line: u64, fitting: &str) -> Error {
        Error::WrongEncoding {
            file: self.file.clone(),
            line,
            encoding: self.encoding.name().to_owned(),
            fitting: fitting.to_owned(),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The line that tells that bytes of an encoding are UTF-8, whichever way they come.
    fn told(label: &str, bytes: &[u8]) -> Option<u64> {
        let encoding = Encoding::parse(Some(label)).ok().and_then(|encoding| encoding.0)?;
        let whole = |size: usize| {
            let (mut seen, mut line) = (Seen::new(encoding), 1);
            for part in bytes.chunks(size) {
                if !seen.see(part, line) {
                    return None;
                }
                line += memchr::memchr_iter(b'\n', part).count() as u64;
            }
            seen.told()
        };
        let lines = [1, 2, 3, 1000].map(whole);
        assert!(lines.iter().all(|line| *line == lines[0]), "{label}: {lines:?}");
        lines[0]
    }

    #[test]
    fn utf_8_is_told_from_encodings_that_have_all_bytes() {
        for (label, text) in [
            ("latin1", "id\nM\u{fc}ller"),
            ("iso-8859-15", "a\n\u{20ac}5"),
            ("windows-1252", "x\n\u{41c}\u{43e}\u{441}"),
            ("windows-1251", "x\n\u{65e5}"),
            ("gbk", "x\n\u{fc}\u{f3}\u{142}"),
            ("latin1", "\n\u{feff}id"),
        ] {
            assert_eq!(told(label, text.as_bytes()), Some(2), "{label}: {text}");
        }
        for (label, bytes) in [
            ("latin1", &b"M\xFCller"[..]),
            ("latin1", b"M\xC3\xBCller, M\xFCller"),
            ("windows-1252", b"CAF\xC9\x85 and CAF\xC9\x85"),
            ("latin1", b"plain"),
            ("latin1", b"M\xC3\xBCller \xC3"),
            ("windows-1251", b"\xC2\xBB"),
            ("gbk", b"\xC2\xB7\xC3\xB7"),
        ] {
            assert_eq!(told(label, bytes), None, "{label}: {bytes:?}");
        }
    }

    /// What is read of bytes behind a line.
    async fn behind_a_line(encoding: Encoding, bytes: &'static [u8]) -> Result<Vec<u8>, String> {
        let stream = futures::stream::iter([Ok(Bytes::from_static(bytes))]).boxed();
        let (_, decoded) = encoding.decode(stream, 1, "f").await.map_err(|error| error.to_string())?;
        let chunks: Vec<Bytes> = decoded.try_collect().await.map_err(|error| error.to_string())?;
        Ok(chunks.concat())
    }

    #[tokio::test]
    async fn nothing_is_asked_of_skipped_lines() {
        let (utf8, sjis) = (Encoding::default(), Encoding::parse(Some("shift_jis")).unwrap());
        for (encoding, bytes, found) in [
            (utf8, b"\xE9\x00\x01\x02\x03\x04\na\n".as_slice(), "a\n"),
            (utf8, b"\xEF\xBB\xBF\xFF\r\na\n", "a\n"),
            (sjis, b"\x81\n\x83\x41\n", "ア\n"),
            (utf8, b"\xFF\xFEx\0\n\0a\0", "a"),
        ] {
            assert_eq!(behind_a_line(encoding, bytes).await.unwrap(), found.as_bytes());
        }
        let zero = behind_a_line(utf8, b"x\na\n\0\n").await.unwrap_err();
        assert_eq!(zero, "file f is no text, it is binary data: a byte on line 3 is zero");
        let wrong = behind_a_line(sjis, b"\x81\na\n\x81\n").await.unwrap_err();
        assert!(wrong.starts_with("file f, line "), "{wrong}");
    }

    #[test]
    fn encodings_have_the_names_of_postgresql() {
        for (name, label) in [
            ("UTF8", "utf-8"),
            ("LATIN1", "windows-1252"),
            ("LATIN9", "iso-8859-15"),
            ("WIN1251", "windows-1251"),
            ("ISO_8859_5", "iso-8859-5"),
            ("EUC_JP", "euc-jp"),
            ("SJIS", "shift_jis"),
            ("KOI8R", "koi8-r"),
        ] {
            assert_eq!(Encoding::parse(Some(name)).unwrap().name_of(b""), label, "{name}");
        }
        for wrong in ["win", "latin", "utf-32", ""] {
            assert!(Encoding::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn texts_are_written_in_the_characters_that_there_are() {
        let bytes = |name: &str, text: &str| Written::parse(Some(name)).unwrap().unwrap().encode(text, true);
        assert_eq!(bytes("latin1", "é").unwrap(), [0xE9]);
        assert_eq!(bytes("latin9", "€").unwrap(), [0xA4]);
        assert_eq!(bytes("win1252", "€").unwrap(), [0x80]);
        assert_eq!(bytes("utf-16", "é").unwrap(), [0xFF, 0xFE, 0xE9, 0]);
        assert_eq!(bytes("utf-16be", "é").unwrap(), [0xFE, 0xFF, 0, 0xE9]);
        for (name, text) in [("latin1", "€"), ("win1252", "Ж"), ("latin9", "a語")] {
            assert!(bytes(name, text).is_err(), "{name}");
        }
        assert!(Written::parse(None).unwrap().is_none() && Written::parse(Some("UTF8")).unwrap().is_none());
    }
}
