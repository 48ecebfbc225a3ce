//! What a client sends: the messages of the protocol, and steps of them, each of which is answered before the next is sent.

use std::fmt::{self, Display, Formatter};

/// What Describe and Close name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Statement(&'static str),
    Portal(&'static str),
}

/// A message from the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// The statements of one simple query.
    Query(Vec<String>),
    Parse {
        name: &'static str,
        sql: String,
        types: Vec<u32>,
    },
    /// Values in text; None is NULL.
    Bind {
        portal: &'static str,
        statement: &'static str,
        values: Vec<Option<&'static str>>,
    },
    Describe(Target),
    Execute {
        portal: &'static str,
        limit: i32,
    },
    Close(Target),
    Flush,
    Sync,
}

/// Messages of one connection that are sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) connection: usize,
    pub(crate) messages: Vec<Message>,
    /// Whether the client asks to cancel what runs, until it is answered.
    pub(crate) is_cancelled: bool,
}

impl Step {
    pub(crate) fn query(connection: usize, statements: Vec<String>) -> Self {
        Self { connection, messages: vec![Message::Query(statements)], is_cancelled: false }
    }
}

impl Target {
    fn bytes(self) -> Vec<u8> {
        let (kind, name) = match self {
            Self::Statement(name) => (b'S', name),
            Self::Portal(name) => (b'P', name),
        };
        [&[kind], name.as_bytes(), b"\0"].concat()
    }
}

impl Message {
    /// The message as it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Query(statements) => frame(b'Q', &[statements.join("; ").as_bytes(), b"\0"].concat()),
            Self::Parse { name, sql, types } => {
                let mut body = [name.as_bytes(), b"\0", sql.as_bytes(), b"\0"].concat();
                body.extend((types.len() as u16).to_be_bytes());
                types.iter().for_each(|oid| body.extend(oid.to_be_bytes()));
                frame(b'P', &body)
            }
            Self::Bind { portal, statement, values } => {
                let mut body = [portal.as_bytes(), b"\0", statement.as_bytes(), b"\0\0\0"].concat();
                body.extend((values.len() as u16).to_be_bytes());
                for value in values {
                    body.extend(value.map_or(-1, |text| text.len() as i32).to_be_bytes());
                    body.extend(value.unwrap_or_default().as_bytes());
                }
                body.extend([0, 0]);
                frame(b'B', &body)
            }
            Self::Describe(target) => frame(b'D', &target.bytes()),
            Self::Execute { portal, limit } => {
                frame(b'E', &[portal.as_bytes(), b"\0", &limit.to_be_bytes()[..]].concat())
            }
            Self::Close(target) => frame(b'C', &target.bytes()),
            Self::Flush => frame(b'H', b""),
            Self::Sync => frame(b'S', b""),
        }
    }
}

/// A message's type, its length and its body.
pub(crate) fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement(name) => write!(f, "statement \"{name}\""),
            Self::Portal(name) => write!(f, "portal \"{name}\""),
        }
    }
}

impl Display for Message {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(statements) => write!(f, "Query {}", statements.join("; ")),
            Self::Parse { name, sql, types } if types.is_empty() => write!(f, "Parse \"{name}\" {sql}"),
            Self::Parse { name, sql, types } => write!(f, "Parse \"{name}\" {types:?} {sql}"),
            Self::Bind { portal, statement, values } => {
                let shown: Vec<&str> = values.iter().map(|value| value.unwrap_or("NULL")).collect();
                write!(f, "Bind portal \"{portal}\" statement \"{statement}\" ({})", shown.join(", "))
            }
            Self::Describe(target) => write!(f, "Describe {target}"),
            Self::Execute { portal, limit } => write!(f, "Execute \"{portal}\" {limit}"),
            Self::Close(target) => write!(f, "Close {target}"),
            Self::Flush => f.write_str("Flush"),
            Self::Sync => f.write_str("Sync"),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let messages: Vec<String> = self.messages.iter().map(Message::to_string).collect();
        let end = if self.is_cancelled { " | (cancelled)" } else { "" };
        write!(f, "{}: {}{end}", self.connection, messages.join(" | "))
    }
}
