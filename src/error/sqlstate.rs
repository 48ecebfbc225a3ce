//! The table of SQLSTATEs.

use crate::fault::Fault;

/// The SQLSTATE of a fault (PostgreSQL 15, appendix A).
pub fn sqlstate(fault: Fault) -> &'static str {
    match fault {
        Fault::Syntax => "42601",
        Fault::InvalidArgument => "22023",
        Fault::InvalidName => "42602",
        Fault::FixedSetting => "55P02",
        Fault::IndeterminateType => "42P18",
        Fault::InvalidText => "22P02",
        Fault::InvalidBinary => "22P03",
        Fault::InvalidCopy => "22P04",
        Fault::TextTooLong => "22001",
        Fault::InvalidCharacter => "22021",
        Fault::Untranslatable => "22P05",
        Fault::InvalidSubstring => "22011",
        Fault::InvalidSubscript => "2202E",
        Fault::InvalidEscape => "22025",
        Fault::InvalidEscapeUse => "2200C",
        Fault::InvalidDatetime => "22007",
        Fault::IntervalOutOfRange => "22015",
        Fault::ZoneOutOfRange => "22009",
        Fault::UndefinedColumn => "42703",
        Fault::AmbiguousColumn => "42702",
        Fault::DuplicateColumn => "42701",
        Fault::UndefinedTable => "42P01",
        Fault::DuplicateTable => "42P07",
        Fault::UndefinedDatabase => "3D000",
        Fault::UndefinedSchema => "3F000",
        Fault::DuplicateSchema => "42P06",
        Fault::ReservedName => "42939",
        Fault::Dependents => "2BP01",
        Fault::UndefinedObject => "42704",
        Fault::DuplicateObject => "42710",
        Fault::UndefinedFunction => "42883",
        Fault::AmbiguousFunction => "42725",
        Fault::IndeterminateDatatype => "42P18",
        Fault::AmbiguousParameter => "42P08",
        Fault::DatatypeMismatch => "42804",
        Fault::ArraySubscript => "2202E",
        Fault::CannotCoerce => "42846",
        Fault::Grouping => "42803",
        Fault::InvalidObjectDefinition => "42P17",
        Fault::InvalidTableDefinition => "42P16",
        Fault::InvalidRecursion => "42P19",
        Fault::InvalidColumnReference => "42P10",
        Fault::Windowing => "42P20",
        Fault::InvalidFrameDistance => "22013",
        Fault::InvalidLimit => "2201W",
        Fault::InvalidOffset => "2201X",
        Fault::InvalidNthValue => "22016",
        Fault::InvalidNtile => "22014",
        Fault::WrongObjectType => "42809",
        Fault::FeatureNotSupported => "0A000",
        Fault::InvalidData => "22000",
        Fault::NullNotAllowed => "22004",
        Fault::NotNullViolation => "23502",
        Fault::NumericOutOfRange => "22003",
        Fault::DatetimeOutOfRange => "22008",
        Fault::DivisionByZero => "22012",
        Fault::InvalidLogarithm => "2201E",
        Fault::InvalidPower => "2201F",
        Fault::InvalidWidthBucket => "2201G",
        Fault::CardinalityViolation => "21000",
        Fault::InvalidRegularExpression => "2201B",
        Fault::Cancelled => "57014",
        Fault::Conflict => "40001",
        Fault::InFailedTransaction => "25P02",
        Fault::ActiveTransaction => "25001",
        Fault::NoActiveTransaction => "25P01",
        Fault::ReadOnlyTransaction => "25006",
        Fault::UndefinedSavepoint => "3B001",
        Fault::IdleInTransaction => "25P03",
        Fault::IdleSession => "57P05",
        Fault::PermissionDenied => "42501",
        Fault::LimitExceeded => "54000",
        Fault::TooComplex => "54001",
        Fault::TooManyColumns => "54011",
        Fault::OutOfMemory => "53200",
        Fault::DiskFull => "53100",
        Fault::UndefinedFile => "58P01",
        Fault::Io => "58030",
        Fault::ObjectInUse => "55006",
        Fault::Corrupt => "XX001",
        Fault::ProtocolViolation => "08P01",
        Fault::UndefinedParameter => "42P02",
        Fault::UndefinedPrepared => "26000",
        Fault::DuplicatePrepared => "42P05",
        Fault::UndefinedCursor => "34000",
        Fault::DuplicateAlias => "42712",
        Fault::AmbiguousAlias => "42P09",
        Fault::DuplicateCursor => "42P03",
        Fault::InvalidCursorDefinition => "42P11",
        Fault::InvalidCursorState => "24000",
        Fault::WrongState => "55000",
        Fault::Shutdown => "57P01",
        Fault::Internal => "XX000",
    }
}

/// The SQLSTATE of a notice: of what it is about, else that of "warning" or of "successful completion".
pub fn notice_sqlstate(is_warning: bool, about: Option<Fault>) -> &'static str {
    match about {
        Some(fault) => sqlstate(fault),
        None if is_warning => "01000",
        None => "00000",
    }
}

/// What can be wrong with a connection itself, beside the faults of its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionFault {
    /// As many clients are served as the configuration allows.
    TooManyConnections,
    /// No user, or one that may not come in.
    InvalidAuthorization,
    /// Text that is not valid UTF-8.
    InvalidEncoding,
    /// A parameter in binary form that is not of its type.
    InvalidBinary,
}

impl ConnectionFault {
    /// The SQLSTATE of the fault (PostgreSQL 15, appendix A).
    pub fn sqlstate(self) -> &'static str {
        match self {
            Self::TooManyConnections => "53300",
            Self::InvalidAuthorization => "28000",
            Self::InvalidEncoding => "22021",
            Self::InvalidBinary => "22P03",
        }
    }
}
