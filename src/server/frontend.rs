//! A client's messages, checked to the last byte before anything looks at them.
//!
//! The message types are pgwire's. Its decoders are not used for them: they take broken UTF-8 for text and read past the
//! end of a short body.

use bytes::{Buf, Bytes, BytesMut};
use pgwire::messages::data::{FORMAT_CODE_BINARY, FORMAT_CODE_TEXT};
use pgwire::messages::extendedquery::{
    Bind, Close, Describe, Execute, MESSAGE_TYPE_BYTE_BIND, MESSAGE_TYPE_BYTE_CLOSE, MESSAGE_TYPE_BYTE_DESCRIBE,
    MESSAGE_TYPE_BYTE_EXECUTE, MESSAGE_TYPE_BYTE_FLUSH, MESSAGE_TYPE_BYTE_PARSE, MESSAGE_TYPE_BYTE_SYNC, Parse,
    TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::simplequery::{MESSAGE_TYPE_BYTE_QUERY, Query};
use pgwire::messages::terminate::MESSAGE_TYPE_BYTE_TERMINATE;
use pgwire::messages::{copy, startup};

use super::failure::Failure;
use super::wire::Frame;
use crate::Fault;
use crate::error::ConnectionFault;

/// The type byte of a function call, which the protocol keeps for old clients.
const FUNCTION_CALL: u8 = b'F';

/// One message of a client.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Query(Query),
    Parse(Parse),
    Bind(Bind),
    Describe(Describe),
    Execute(Execute),
    Close(Close),
    Flush,
    Sync,
    FunctionCall,
    /// What is left of a copy that was refused; the protocol has it ignored.
    CopyLeftover,
    Terminate,
}

/// Whether a message of this type belongs to the extended protocol, where an error skips to Sync.
pub(super) fn is_extended(kind: u8) -> bool {
    matches!(
        kind,
        MESSAGE_TYPE_BYTE_PARSE
            | MESSAGE_TYPE_BYTE_BIND
            | MESSAGE_TYPE_BYTE_DESCRIBE
            | MESSAGE_TYPE_BYTE_EXECUTE
            | MESSAGE_TYPE_BYTE_CLOSE
            | MESSAGE_TYPE_BYTE_FLUSH
            | MESSAGE_TYPE_BYTE_SYNC
    )
}

/// What the frame says. An unknown type is fatal, because what follows cannot be trusted; a wrong body is not.
pub(super) fn decode(frame: Frame) -> Result<Request, Failure> {
    let mut body = Body { bytes: frame.body.freeze(), kind: frame.kind };
    let request = match frame.kind {
        MESSAGE_TYPE_BYTE_QUERY => Request::Query(Query::new(body.string()?)),
        MESSAGE_TYPE_BYTE_PARSE => Request::Parse(body.parse()?),
        MESSAGE_TYPE_BYTE_BIND => Request::Bind(body.bind()?),
        MESSAGE_TYPE_BYTE_DESCRIBE => Request::Describe(Describe::new(body.target()?, body.name()?)),
        MESSAGE_TYPE_BYTE_EXECUTE => {
            Request::Execute(Execute::new(body.name()?, body.take::<4>().map(i32::from_be_bytes)?))
        }
        MESSAGE_TYPE_BYTE_CLOSE => Request::Close(Close::new(body.target()?, body.name()?)),
        MESSAGE_TYPE_BYTE_FLUSH => Request::Flush,
        MESSAGE_TYPE_BYTE_SYNC => Request::Sync,
        MESSAGE_TYPE_BYTE_TERMINATE => Request::Terminate,
        FUNCTION_CALL => return Ok(Request::FunctionCall),
        copy::MESSAGE_TYPE_BYTE_COPY_DATA | copy::MESSAGE_TYPE_BYTE_COPY_DONE | copy::MESSAGE_TYPE_BYTE_COPY_FAIL => {
            return Ok(Request::CopyLeftover);
        }
        startup::MESSAGE_TYPE_BYTE_PASSWORD_MESSAGE_FAMILY => {
            return Err(Failure::fatal(Fault::ProtocolViolation, "a password was sent, none was asked for"));
        }
        other => {
            let message = format!("invalid message type {other} ({})", other.escape_ascii());
            return Err(Failure::fatal(Fault::ProtocolViolation, message));
        }
    };
    if body.bytes.is_empty() { Ok(request) } else { Err(body.invalid("bytes are left over at its end")) }
}

/// The name and value pairs of a startup packet, in the order of the client.
pub(super) fn startup_pairs(packet: BytesMut) -> Result<Vec<(String, String)>, Failure> {
    let mut body = Body { bytes: packet.freeze(), kind: b'0' };
    let mut pairs = Vec::new();
    loop {
        let name = body.string()?;
        if name.is_empty() {
            break;
        }
        pairs.push((name, body.string()?));
    }
    if body.bytes.is_empty() { Ok(pairs) } else { Err(body.invalid("bytes are left over at its end")) }
}

struct Body {
    bytes: Bytes,
    kind: u8,
}

impl Body {
    fn parse(&mut self) -> Result<Parse, Failure> {
        let (name, query) = (self.name()?, self.string()?);
        let count = self.count()?;
        let oids = (0..count).map(|_| self.take::<4>().map(u32::from_be_bytes)).collect::<Result<_, _>>()?;
        Ok(Parse::new(name, query, oids))
    }

    fn bind(&mut self) -> Result<Bind, Failure> {
        let (portal, statement) = (self.name()?, self.name()?);
        let parameter_formats = self.formats()?;
        let count = self.count()?;
        let parameters = (0..count).map(|_| self.value()).collect::<Result<_, _>>()?;
        Ok(Bind::new(portal, statement, parameter_formats, parameters, self.formats()?))
    }

    fn value(&mut self) -> Result<Option<Bytes>, Failure> {
        let length = self.take::<4>().map(i32::from_be_bytes)?;
        match usize::try_from(length) {
            Ok(length) if length <= self.bytes.len() => Ok(Some(self.bytes.split_to(length))),
            Err(_) if length == -1 => Ok(None),
            _ => Err(self.invalid("a parameter's length does not fit the message")),
        }
    }

    fn formats(&mut self) -> Result<Vec<i16>, Failure> {
        let count = self.count()?;
        (0..count)
            .map(|_| match self.take::<2>().map(i16::from_be_bytes)? {
                code @ (FORMAT_CODE_TEXT | FORMAT_CODE_BINARY) => Ok(code),
                other => Err(self.invalid(&format!("format {other} is neither 0 (text) nor 1 (binary)"))),
            })
            .collect()
    }

    fn target(&mut self) -> Result<u8, Failure> {
        match self.take::<1>()? {
            [kind @ (TARGET_TYPE_BYTE_STATEMENT | TARGET_TYPE_BYTE_PORTAL)] => Ok(kind),
            [other] => Err(self.invalid(&format!("{other} is neither a statement (S) nor a portal (P)"))),
        }
    }

    // An empty name stands for the unnamed statement or portal.
    fn name(&mut self) -> Result<Option<String>, Failure> {
        self.string().map(|name| Some(name).filter(|name| !name.is_empty()))
    }

    fn string(&mut self) -> Result<String, Failure> {
        let Some(length) = self.bytes.iter().position(|byte| *byte == 0) else {
            return Err(self.invalid("a string has no end"));
        };
        let bytes = self.bytes.split_to(length);
        self.bytes.advance(1);
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(Failure::protocol(
                ConnectionFault::InvalidEncoding,
                format!("invalid UTF-8 at byte {} of a string; only UTF-8 is accepted", error.valid_up_to() + 1),
            )),
        }
    }

    fn count(&mut self) -> Result<u16, Failure> {
        self.take::<2>().map(u16::from_be_bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        match self.bytes.first_chunk::<N>() {
            Some(chunk) => {
                let chunk = *chunk;
                self.bytes.advance(N);
                Ok(chunk)
            }
            None => Err(self.invalid("it ends too early")),
        }
    }

    fn invalid(&self, what: &str) -> Failure {
        let message = format!("invalid message of type {}: {what}", self.kind.escape_ascii());
        Failure::statement(Fault::ProtocolViolation, message)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn code(kind: u8, body: &[u8]) -> &'static str {
        match decode(Frame { kind, body: BytesMut::from(body) }) {
            Err(Failure::Statement(report)) => report.code,
            Err(Failure::Fatal(_)) => "fatal",
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whole_messages_are_read() {
        let frame =
            Frame { kind: b'B', body: BytesMut::from(&b"p\0\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\0"[..]) };
        let expected =
            Bind::new(Some("p".to_owned()), None, vec![1], vec![Some(Bytes::from_static(b"x")), None], Vec::new());
        assert_eq!(decode(frame).unwrap(), Request::Bind(expected));
    }

    #[test]
    fn broken_messages_are_refused() {
        for (kind, body) in [
            (b'Q', &b"SELECT 1"[..]),
            (b'Q', b"SELECT 1\0SELECT 2\0"),
            (b'P', b"\0SELECT 1\0\xff\xff"),
            (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"),
            (b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xf0\0\0"),
            (b'B', b"\0\0\0\x01\0\x02\0\0\0\0"),
            (b'D', b"X\0"),
            (b'D', b""),
            (b'E', b"\0\0"),
            (b'S', b"more"),
        ] {
            assert_eq!(code(kind, body), "08P01", "{} {body:?}", kind.escape_ascii());
        }
        assert_eq!(code(b'Q', b"SELECT '\xff'\0"), "22021");
        assert_eq!(code(0, b""), "fatal");
    }
}
