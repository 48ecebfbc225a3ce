//! The kinds of fault that every error says of itself. Knows nothing: what carries them is above.

/// Whose fault an error is and what kind, so that a client can act on it without reading the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The text is not SQL.
    Syntax,
    /// An argument, option or setting has a wrong name or value.
    InvalidArgument,
    /// A name that is none.
    InvalidName,
    /// A setting that is not changed while the server runs, or not at all.
    FixedSetting,
    /// A parameter of which nothing tells the type.
    IndeterminateType,
    /// A parameter's text is not of the type it should have.
    InvalidText,
    /// Bytes that are no value in the binary form of the type that they should have.
    InvalidBinary,
    /// Data that are not in the format of `COPY` that they should have.
    InvalidCopy,
    /// A text that is longer than what it is stored in.
    TextTooLong,
    /// Bytes that are no text in their encoding, or a text that none could be.
    InvalidCharacter,
    /// A character that another encoding has not, or no text.
    Untranslatable,
    /// The end of a part of a text before its start.
    InvalidSubstring,
    /// The number of a part that a value has not.
    InvalidSubscript,
    /// An escape sequence that is none.
    InvalidEscape,
    /// An escape character where it means nothing.
    InvalidEscapeUse,
    /// A text that is no date, time or interval.
    InvalidDatetime,
    /// An interval one of whose parts is beyond what it may be.
    IntervalOutOfRange,
    /// A zone that is further from UTC than one may be.
    ZoneOutOfRange,
    /// A column that the input does not have.
    UndefinedColumn,
    /// A column name that fits more than one column.
    AmbiguousColumn,
    /// The same output or table column twice.
    DuplicateColumn,
    /// A table or view that does not exist.
    UndefinedTable,
    /// A table or view that exists already.
    DuplicateTable,
    /// A database that does not exist.
    UndefinedDatabase,
    /// A schema that does not exist.
    UndefinedSchema,
    /// A schema that exists already.
    DuplicateSchema,
    /// A name that belongs to the engine.
    ReservedName,
    /// An object that others need.
    Dependents,
    /// A model, secret, setting or other object that does not exist.
    UndefinedObject,
    /// An object that exists already.
    DuplicateObject,
    /// A function that does not exist, or not with these arguments.
    UndefinedFunction,
    /// A function or an operator of which several fit.
    AmbiguousFunction,
    /// A parameter that nothing tells the type of.
    IndeterminateDatatype,
    /// A parameter of which two places say that it is of different types.
    AmbiguousParameter,
    /// A type that the operation cannot take.
    DatatypeMismatch,
    /// Lengths of arrays that do not fit, or a number of elements that an array does not have.
    ArraySubscript,
    /// A type that has no cast to another.
    CannotCoerce,
    /// A column beside aggregates, or an aggregate where none may be.
    Grouping,
    /// A view that reads itself.
    InvalidObjectDefinition,
    /// A view that is replaced by one without its columns.
    InvalidTableDefinition,
    /// A recursive query whose term may not be as it is.
    InvalidRecursion,
    /// A key of ORDER BY, GROUP BY or DISTINCT ON that is no column of the result.
    InvalidColumnReference,
    /// A window whose frame can hold no row.
    Windowing,
    /// A distance of a frame that is below zero.
    InvalidFrameDistance,
    /// A number of rows to return that is below zero.
    InvalidLimit,
    /// A number of rows to skip that is below zero.
    InvalidOffset,
    /// The number of a row in a frame that is below one.
    InvalidNthValue,
    /// A number of buckets that is below one.
    InvalidNtile,
    /// An object of another kind than the statement needs.
    WrongObjectType,
    /// Valid SQL that is refused here or not offered.
    FeatureNotSupported,
    /// The rows or the files cannot be used: malformed, one class, infinite.
    InvalidData,
    /// A number beyond its type.
    NumericOutOfRange,
    /// A date or a time beyond those that its type has.
    DatetimeOutOfRange,
    /// NULL where an argument must have a value.
    NullNotAllowed,
    /// NULL in a column that may hold none.
    NotNullViolation,
    /// A division by zero.
    DivisionByZero,
    /// A logarithm of a number that has none.
    InvalidLogarithm,
    /// A power or a root of a number that has none.
    InvalidPower,
    /// Buckets that there are none of, or whose bounds are no range.
    InvalidWidthBucket,
    /// More rows than the one that a subquery may have.
    CardinalityViolation,
    /// A regular expression that is none.
    InvalidRegularExpression,
    /// The statement was cancelled.
    Cancelled,
    /// Another transaction changed the same object first; trying again may work.
    Conflict,
    /// A statement in a transaction that has failed.
    InFailedTransaction,
    /// BEGIN inside a transaction.
    ActiveTransaction,
    /// COMMIT or ROLLBACK outside a transaction.
    NoActiveTransaction,
    /// A change in a transaction that may only read.
    ReadOnlyTransaction,
    /// A savepoint that does not exist.
    UndefinedSavepoint,
    /// A transaction that its client has left open for too long.
    IdleInTransaction,
    /// A session that its client has left alone for too long.
    IdleSession,
    /// The client may not do this.
    PermissionDenied,
    /// A limit of the configuration was passed.
    LimitExceeded,
    /// A statement nests deeper, or has more operators in a row, than can be planned.
    TooComplex,
    /// A list of columns is longer than it may be.
    TooManyColumns,
    /// Memory ran out within the limit.
    OutOfMemory,
    /// The disk is full.
    DiskFull,
    /// A file, directory or bucket that does not exist.
    UndefinedFile,
    /// A file or network operation failed.
    Io,
    /// Another process or session holds the object.
    ObjectInUse,
    /// Stored bytes that fail their checksum.
    Corrupt,
    /// The client broke the protocol.
    ProtocolViolation,
    /// The number of a parameter that there cannot be.
    UndefinedParameter,
    /// The name of a prepared statement that does not exist.
    UndefinedPrepared,
    /// The name of a prepared statement that exists already.
    DuplicatePrepared,
    /// The name of a portal that does not exist.
    UndefinedCursor,
    /// One name of several tables in a FROM.
    DuplicateAlias,
    /// The name of a table that stands for several in a FROM.
    AmbiguousAlias,
    /// The name of a portal that exists already.
    DuplicateCursor,
    /// A cursor that is declared to be two things at once.
    InvalidCursorDefinition,
    /// A portal that is running, where it may not be.
    InvalidCursorState,
    /// An object that is not in the state that the statement needs.
    WrongState,
    /// The server is going down.
    Shutdown,
    /// Our own bug.
    Internal,
}
