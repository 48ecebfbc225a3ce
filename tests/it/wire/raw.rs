//! A client of bytes, for what no driver sends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// A message's type and body.
pub(super) type Message = (u8, Vec<u8>);

/// A connection that sends what it is told.
#[derive(Debug)]
pub(super) struct RawClient {
    pub(super) stream: TcpStream,
}

/// The fields of an ErrorResponse.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WireError {
    pub(super) severity: String,
    pub(super) code: String,
    pub(super) message: String,
}

impl RawClient {
    /// Only the socket.
    pub(super) async fn socket(port: u16) -> Self {
        Self { stream: TcpStream::connect(("127.0.0.1", port)).await.unwrap() }
    }

    pub(super) async fn connect(port: u16) -> Self {
        Self::try_connect(port).await.unwrap()
    }

    pub(super) async fn try_connect(port: u16) -> Result<Self, WireError> {
        let mut client = Self::socket(port).await;
        client.startup(0x0003_0000, &[("user", "ada"), ("database", "fusewire")]).await;
        let messages = client.until_ready().await;
        if messages.last().is_some_and(|(kind, _)| *kind == b'Z') { Ok(client) } else { Err(error(&messages)) }
    }

    pub(super) async fn startup(&mut self, version: u32, settings: &[(&str, &str)]) {
        let mut body = version.to_be_bytes().to_vec();
        for (name, value) in settings {
            body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
        }
        body.push(0);
        self.write(&[&(body.len() as u32 + 4).to_be_bytes()[..], &body].concat()).await;
    }

    pub(super) async fn send(&mut self, kind: u8, body: &[u8]) {
        self.write(&[&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()).await;
    }

    pub(super) async fn query(&mut self, sql: &str) {
        self.send(b'Q', &[sql.as_bytes(), b"\0"].concat()).await;
    }

    pub(super) async fn parse(&mut self, name: &str, sql: &str, types: &[u32]) {
        let mut body = [name.as_bytes(), b"\0", sql.as_bytes(), b"\0"].concat();
        body.extend((types.len() as u16).to_be_bytes());
        types.iter().for_each(|oid| body.extend(oid.to_be_bytes()));
        self.send(b'P', &body).await;
    }

    /// Binds text parameters; the results are text.
    pub(super) async fn bind(&mut self, portal: &str, statement: &str, parameters: &[Option<&[u8]>]) {
        let mut body = [portal.as_bytes(), b"\0", statement.as_bytes(), b"\0\0\0"].concat();
        body.extend((parameters.len() as u16).to_be_bytes());
        for parameter in parameters {
            body.extend(parameter.map_or(-1, |bytes| bytes.len() as i32).to_be_bytes());
            body.extend(parameter.unwrap_or_default());
        }
        body.extend([0, 0]);
        self.send(b'B', &body).await;
    }

    pub(super) async fn describe(&mut self, target: u8, name: &str) {
        self.send(b'D', &[&[target], name.as_bytes(), b"\0"].concat()).await;
    }

    pub(super) async fn execute(&mut self, portal: &str, limit: i32) {
        self.send(b'E', &[portal.as_bytes(), b"\0", &limit.to_be_bytes()].concat()).await;
    }

    pub(super) async fn sync(&mut self) {
        self.send(b'S', b"").await;
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        // The server may have closed already; the test then sees it in what it reads.
        drop(self.stream.write_all(bytes).await);
    }

    pub(super) async fn message(&mut self) -> Message {
        self.try_message().await.expect("the server closed the connection")
    }

    /// Everything up to and with ReadyForQuery, or the end.
    pub(super) async fn until_ready(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.try_message().await {
            let last = message.0 == b'Z';
            messages.push(message);
            if last {
                break;
            }
        }
        messages
    }

    /// Everything until the server closes.
    pub(super) async fn until_end(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.try_message().await {
            messages.push(message);
        }
        messages
    }

    async fn try_message(&mut self) -> Option<Message> {
        let read = async {
            let kind = self.stream.read_u8().await.ok()?;
            let length = self.stream.read_u32().await.ok()?;
            let mut body = vec![0; length as usize - 4];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((kind, body))
        };
        tokio::time::timeout(PATIENCE, read).await.expect("the server did not answer")
    }
}

/// The types of messages, one letter each.
pub(super) fn kinds(messages: &[Message]) -> String {
    messages.iter().map(|(kind, _)| char::from(*kind)).collect()
}

/// The text of a message that is one string.
pub(super) fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_end_matches('\0').to_owned()
}

/// The values of a DataRow in text format.
pub(super) fn values(body: &[u8]) -> Vec<Option<String>> {
    let (mut values, mut rest) = (Vec::new(), &body[2..]);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        let (value, after) = after.split_at(length.max(0) as usize);
        values.push((length >= 0).then(|| text(value)));
        rest = after;
    }
    values
}

/// The first error among the messages.
pub(super) fn error(messages: &[Message]) -> WireError {
    let (_, body) = messages.iter().find(|(kind, _)| *kind == b'E').unwrap_or_else(|| panic!("no error: {messages:?}"));
    WireError { severity: field(body, b'S'), code: field(body, b'C'), message: field(body, b'M') }
}

/// A field of an error or a notice.
pub(super) fn field(body: &[u8], code: u8) -> String {
    let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&code));
    found.map(|field| text(&field[1..])).unwrap_or_default()
}
