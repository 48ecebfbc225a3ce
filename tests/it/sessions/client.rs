//! A client of bytes that tells what comes back, line by line, as far as two engines can be compared.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::message::{Message, Step, Target, frame};

/// An engine that has not answered after this never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a statement may run before the client asks (again) to cancel it.
const CANCEL_AFTER: Duration = Duration::from_millis(100);

/// How long a server may take to close a connection.
const PATIENCE_AT_CLOSE: Duration = Duration::from_secs(5);

const VERSION: u32 = 0x0003_0000;
const CANCEL_REQUEST: u32 = 80_877_102;

/// Where a server listens.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    Port(u16),
    Socket(PathBuf),
}

/// A message that came, as it is compared; and the words of an error or notice, which are only told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) words: Option<String>,
}

impl Line {
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), words: None }
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.text.split(' ').next() == Some(kind)
    }
}

trait Socket: Read + Write {
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

impl Socket for UnixStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }
}

/// One connection.
pub(crate) struct Client {
    address: Address,
    socket: Box<dyn Socket>,
    received: Vec<u8>,
    /// What a request to cancel must name.
    key: Vec<u8>,
}

impl Client {
    /// Connects; an error says what was refused.
    pub(crate) fn connect(address: &Address) -> Result<Self, String> {
        Self::start(address).map_err(|error| format!("{address:?}: {error}"))
    }

    fn start(address: &Address) -> io::Result<Self> {
        let mut client =
            Self { address: address.clone(), socket: open(address)?, received: Vec::new(), key: Vec::new() };
        client.socket.set_patience(PATIENCE)?;
        let (user, database) = match address {
            Address::Port(_) => ("ada", "fusewire"),
            Address::Socket(_) => ("postgres", "postgres"),
        };
        let mut body = VERSION.to_be_bytes().to_vec();
        // The time limit of the server is no matter of these tests.
        for text in ["user", user, "database", database, "application_name", "start", "statement_timeout", "0"] {
            body.extend([text.as_bytes(), b"\0"].concat());
        }
        body.push(0);
        client.socket.write_all(&[&(body.len() as u32 + 4).to_be_bytes()[..], &body].concat())?;
        loop {
            let (kind, body) = client.message()?;
            match kind {
                b'K' => client.key = body,
                b'E' => return Err(io::Error::other(line(kind, &body).words.unwrap_or_default())),
                b'Z' => return Ok(client),
                _ => {}
            }
        }
    }

    /// Sends a step and reads to its end. A connection that breaks, or from which nothing comes, ends in a line that says so.
    pub(crate) fn ask(&mut self, step: &Step) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Err(error) = self.exchange(step, &mut lines) {
            let told = if is_late(&error) { "nothing comes" } else { "the connection is closed" };
            lines.push(Line { text: format!("Lost {told}"), words: Some(error.to_string()) });
        }
        in_order(lines)
    }

    fn exchange(&mut self, step: &Step, lines: &mut Vec<Line>) -> io::Result<()> {
        let fence = fence(step);
        let bytes: Vec<u8> = step.messages.iter().chain(&fence).flat_map(Message::bytes).collect();
        self.socket.write_all(&bytes)?;
        let started = Instant::now();
        self.socket.set_patience(if step.is_cancelled { CANCEL_AFTER } else { PATIENCE })?;
        while !ends(lines, fence.len()) {
            match self.message() {
                Ok((kind, body)) => lines.push(line(kind, &body)),
                Err(error) if step.is_cancelled && is_late(&error) && started.elapsed() < PATIENCE => self.cancel()?,
                Err(error) => return Err(error),
            }
        }
        lines.truncate(lines.len() - fence.len());
        Ok(())
    }

    /// Asks to cancel what runs, and waits until the server has heard it.
    fn cancel(&self) -> io::Result<()> {
        let mut socket = open(&self.address)?;
        socket.set_patience(PATIENCE_AT_CLOSE)?;
        let length = self.key.len() as u32 + 8;
        socket.write_all(&[&length.to_be_bytes()[..], &CANCEL_REQUEST.to_be_bytes(), &self.key].concat())?;
        // It closes without a word.
        let _closed = socket.read(&mut [0; 1]);
        Ok(())
    }

    /// Says goodbye and waits until the server has closed, so that nothing of the session is left.
    pub(crate) fn close(mut self) {
        let _may_be_closed = self.socket.write_all(&frame(b'X', b""));
        let _may_be_closed = self.socket.set_patience(PATIENCE_AT_CLOSE);
        while self.socket.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
    }

    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        loop {
            if let Some(length) = self.received.get(1..5) {
                let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
                if self.received.len() > length {
                    let rest = self.received.split_off(length + 1);
                    let message = std::mem::replace(&mut self.received, rest);
                    return Ok((message[0], message[5..].to_vec()));
                }
            }
            let mut chunk = [0; 8192];
            match self.socket.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.received.extend(&chunk[..count]),
            }
        }
    }
}

fn open(address: &Address) -> io::Result<Box<dyn Socket>> {
    let socket: Box<dyn Socket> = match address {
        Address::Port(port) => Box::new(TcpStream::connect(("127.0.0.1", *port))?),
        Address::Socket(path) => Box::new(UnixStream::connect(path)?),
    };
    Ok(socket)
}

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// What is sent behind a step, so that its end is known: an error throws away all messages up to the next Sync, so
/// nobody can count what a step's own messages are answered by. Closing what is not there changes nothing, and the step
/// itself does not close as often.
fn fence(step: &Step) -> Vec<Message> {
    let closes = step.messages.iter().filter(|message| matches!(message, Message::Close(_))).count() + 1;
    let mut fence = vec![Message::Close(Target::Statement("fence")); closes];
    fence.push(Message::Sync);
    fence
}

/// Whether a fence of so many messages is answered.
fn ends(lines: &[Line], fence: usize) -> bool {
    let Some(at) = lines.len().checked_sub(fence) else { return false };
    let (last, closes) = lines[at..].split_last().expect("a fence ends with a Sync");
    last.is("ReadyForQuery") && closes.iter().all(|line| line.is("CloseComplete"))
}

/// Settings are reported before the next ReadyForQuery at the latest, in no order: they stand right before it, by name.
fn in_order(lines: Vec<Line>) -> Vec<Line> {
    let (mut ordered, mut settings) = (Vec::new(), Vec::new());
    for line in lines {
        if line.is("ParameterStatus") {
            settings.push(line);
            continue;
        }
        if line.is("ReadyForQuery") {
            settings.sort_by(|left, right| left.text.cmp(&right.text));
            ordered.append(&mut settings);
        }
        ordered.push(line);
    }
    ordered.append(&mut settings);
    ordered
}

/// A message as it is compared: no types, no sizes, and of an error only its severity and code.
fn line(kind: u8, body: &[u8]) -> Line {
    let count = || body.first_chunk::<2>().map_or(0, |count| u16::from_be_bytes(*count));
    Line::of(match kind {
        b'1' => "ParseComplete".to_owned(),
        b'2' => "BindComplete".to_owned(),
        b'3' => "CloseComplete".to_owned(),
        b'I' => "EmptyQueryResponse".to_owned(),
        b'n' => "NoData".to_owned(),
        b's' => "PortalSuspended".to_owned(),
        b't' => format!("ParameterDescription {}", count()),
        b'C' => format!("CommandComplete {}", texts(body).concat()),
        b'S' => format!("ParameterStatus {}", texts(body).join("=")),
        b'Z' => format!("ReadyForQuery {}", String::from_utf8_lossy(body)),
        b'T' => format!("RowDescription {}", names(body).join(", ")),
        b'D' => format!("DataRow {}", values(body).join(", ")),
        b'E' | b'N' => {
            let name = if kind == b'E' { "ErrorResponse" } else { "NoticeResponse" };
            let fields = texts(body);
            let field = |code: char| fields.iter().find_map(|field| field.strip_prefix(code)).unwrap_or_default();
            let text = format!("{name} {} {}", field('V'), field('C'));
            return Line { text, words: Some(field('M').to_owned()) };
        }
        other => format!("a message of type {:?}", char::from(other)),
    })
}

/// Texts that end with zero bytes; empty ones are left out, as the end of an error's fields is one.
fn texts(body: &[u8]) -> Vec<String> {
    let texts = body.split(|byte| *byte == 0).filter(|text| !text.is_empty());
    texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// The names of a RowDescription: behind each stand 18 bytes about its type.
fn names(body: &[u8]) -> Vec<String> {
    let (mut names, mut rest) = (Vec::new(), body.get(2..).unwrap_or_default());
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        names.push(String::from_utf8_lossy(&rest[..end]).into_owned());
        rest = rest.get(end + 19..).unwrap_or_default();
    }
    names
}

/// The values of a DataRow in text.
fn values(body: &[u8]) -> Vec<String> {
    let (mut values, mut rest) = (Vec::new(), body.get(2..).unwrap_or_default());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        let (value, after) = after.split_at(length.max(0) as usize);
        values.push(if length < 0 { "NULL".to_owned() } else { String::from_utf8_lossy(value).into_owned() });
        rest = after;
    }
    values
}

#[test]
fn what_comes_is_told_in_lines() {
    let told = |kind, body: &[u8]| line(kind, body).text;
    assert_eq!(told(b'C', b"INSERT 0 1\0"), "CommandComplete INSERT 0 1");
    assert_eq!(told(b'S', b"TimeZone\0UTC\0"), "ParameterStatus TimeZone=UTC");
    assert_eq!(told(b'D', b"\0\x02\0\0\0\x01x\xff\xff\xff\xff"), "DataRow x, NULL");
    let two = [b"\0\x02a\0".as_slice(), &[7; 18], b"b\0", &[0; 18]].concat();
    assert_eq!(told(b'T', &two), "RowDescription a, b");
    let error = line(b'E', b"SERROR\0VERROR\0C22012\0Mdivision by zero\0\0");
    assert_eq!((error.text.as_str(), error.words.as_deref()), ("ErrorResponse ERROR 22012", Some("division by zero")));
    let lines = ["NoData", "ParameterStatus b=1", "ParameterStatus a=1", "NoData", "ReadyForQuery I", "NoData"];
    let ordered: Vec<String> = in_order(lines.map(Line::of).to_vec()).into_iter().map(|line| line.text).collect();
    let expected = ["NoData", "NoData", "ParameterStatus a=1", "ParameterStatus b=1", "ReadyForQuery I", "NoData"];
    assert_eq!(ordered, expected);
}
