//! What can end a statement or a connection, and how the client is told.
//!
//! It knows the fields of ErrorResponse and NoticeResponse; SQLSTATEs stay with `error`.

use std::io;

use bytes::BytesMut;
use pgwire::messages::Message;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

use crate::error::{ConnectionFault, Report, notice_sqlstate};
use crate::{Error, Fault};

/// Why a statement or the connection cannot go on.
#[derive(Debug)]
pub(super) enum Failure {
    /// The statement failed; the client is told and the connection goes on.
    Statement(Report),
    /// The client is told and the connection is closed.
    Fatal(Report),
    /// Nobody is left to be told.
    Gone,
}

/// How grave a message is, in the words of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Fatal,
    Error,
    Warning,
    Notice,
    Info,
}

impl Failure {
    /// A statement's failure by a fault of the engine's list.
    pub(super) fn statement(fault: Fault, message: impl Into<String>) -> Self {
        Self::Statement(Error::new(fault, message).report())
    }

    /// A connection's end by a fault of the engine's list.
    pub(super) fn fatal(fault: Fault, message: impl Into<String>) -> Self {
        Self::Fatal(Error::new(fault, message).report())
    }

    /// A statement's failure that only the protocol can have.
    pub(super) fn protocol(fault: ConnectionFault, message: impl Into<String>) -> Self {
        Self::Statement(protocol_report(fault, message))
    }

    /// A connection's end that only the protocol can have.
    pub(super) fn fatal_protocol(fault: ConnectionFault, message: impl Into<String>) -> Self {
        Self::Fatal(protocol_report(fault, message))
    }

    /// The same failure, but with it the connection ends.
    pub(super) fn into_fatal(self) -> Self {
        match self {
            Self::Statement(report) => Self::Fatal(report),
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Statement(error.report())
    }
}

impl From<io::Error> for Failure {
    // A socket fails because the other side went away; there is no one to report the details to.
    fn from(_error: io::Error) -> Self {
        Self::Gone
    }
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Notice => "NOTICE",
            Self::Info => "INFO",
        }
    }
}

/// Appends an ErrorResponse.
pub(super) fn write_error(out: &mut BytesMut, severity: Severity, report: &Report) {
    let mut fields = fields(severity, report.code, &report.message);
    fields.extend(report.detail.as_ref().map(|text| (b'D', clean(text))));
    fields.extend(report.hint.as_ref().map(|text| (b'H', clean(text))));
    fields.extend(report.context.as_ref().map(|text| (b'W', clean(text))));
    fields.extend(report.position.map(|position| (b'P', position.to_string())));
    write(out, &ErrorResponse::new(fields));
}

/// Appends a NoticeResponse, with the code of what it is about.
pub(super) fn write_notice(out: &mut BytesMut, severity: Severity, about: Option<Fault>, message: &str) {
    let code = notice_sqlstate(severity == Severity::Warning, about);
    write(out, &NoticeResponse::new(fields(severity, code, message)));
}

/// Appends a message of the backend. A message over its own limit (a tag of thirty thousand bytes) is left out, because
/// a broken frame would be worse; callers bound what they send.
pub(super) fn write(out: &mut BytesMut, message: &impl Message) {
    let start = out.len();
    if message.encode(out).is_err() {
        out.truncate(start);
    }
}

/// The text without NUL, which would end a string of the protocol early.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "")
}

fn fields(severity: Severity, code: &str, message: &str) -> Vec<(u8, String)> {
    let word = severity.word().to_owned();
    vec![(b'S', word.clone()), (b'V', word), (b'C', code.to_owned()), (b'M', clean(message))]
}

fn protocol_report(fault: ConnectionFault, message: impl Into<String>) -> Report {
    let message = message.into();
    Report { code: fault.sqlstate(), message, detail: None, hint: None, position: None, context: None }
}
