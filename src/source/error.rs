//! What can go wrong between a location and its rows, each case with the values that the message needs.
//!
//! Knows no SQLSTATE: an error says its [`Fault`], the engine does the rest.

mod beneath;
mod hint;

use std::{error::Error as StdError, io::ErrorKind, sync::Arc};

use datafusion::common::DataFusionError;

use crate::fault::{Failure, Fault};
pub(super) use beneath::misfit;
use beneath::of_type;

/// The error that lies beneath; shared, because one failed read can reach several consumers of a query.
pub type Cause = Arc<dyn StdError + Send + Sync>;

/// An error in a location, a file or an object store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing lies at the location.
    #[error("no file matches '{location}': check the path")]
    NoSuchFile {
        /// The location as the user gave it.
        location: String,
    },
    /// A directory without a file of the format.
    #[error("the directory '{location}' holds no {expected} file")]
    EmptyDirectory {
        /// The location as the user gave it.
        location: String,
        /// The formats looked for.
        expected: String,
    },
    /// Neither the statement nor the name tells the format.
    #[error("cannot tell the format of '{location}' from its name, known endings are {known}")]
    UnknownFormat {
        /// The file or location.
        location: String,
        /// The endings that tell a format.
        known: String,
    },
    /// `STORED AS` names a format that is not offered.
    #[error("unknown format {format}, expected one of {known}")]
    NoSuchFormat {
        /// The format asked for.
        format: String,
        /// The formats offered.
        known: String,
    },
    /// `COPY` to a format that is not written.
    #[error("{format} {found}; write {written}")]
    NotWritten {
        /// The format, or the ending of the file's name.
        format: String,
        /// What it is instead.
        found: &'static str,
        /// The formats that are written.
        written: String,
    },
    /// A location holds files of several formats.
    #[error("'{location}' holds both {first} and {second} files")]
    MixedFormats {
        /// The location as the user gave it.
        location: String,
        /// A format found.
        first: String,
        /// Another one.
        second: String,
    },
    /// The location is not a path, a `file://` or an `s3://` URL.
    #[error("'{location}' is not a usable location: {reason}")]
    InvalidLocation {
        /// The location as the user gave it.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option that the format does not have.
    #[error("unknown option {option} for {format}, accepted are {accepted}")]
    UnknownOption {
        /// The format.
        format: String,
        /// The option's name.
        option: String,
        /// The names accepted.
        accepted: String,
    },
    /// An option with a value that it cannot have.
    #[error("option {option} cannot be '{value}', expected {expected}")]
    InvalidOption {
        /// The option's name.
        option: String,
        /// The value given.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A file without a byte (or without a line).
    #[error("file {file} is empty")]
    EmptyFile {
        /// The file.
        file: String,
    },
    /// A file that is read as a text, and is of another format.
    #[error("file {file} is no text, it is {found}")]
    NotText {
        /// The file.
        file: String,
        /// What it is, by its first bytes, and where they say so if that is not at its beginning.
        found: String,
        /// What to do.
        hint: &'static str,
    },
    /// A file that would take more memory than it may.
    #[error("file {file} is too large: {reason}")]
    TooLarge {
        /// The file.
        file: String,
        /// What of it is, and the limit.
        reason: String,
    },
    /// A row with more or fewer fields than the others.
    #[error("file {file}, line {line}: expected {expected} fields, found {found}")]
    RaggedRow {
        /// The file.
        file: String,
        /// The line on which the row starts, from 1.
        line: u64,
        /// How many fields the table has.
        expected: usize,
        /// How many fields the row has.
        found: usize,
        /// The character that it begins with, if that is a sign.
        begin: Option<char>,
    },
    /// A value that is not of its column's type.
    #[error("file {file}, line {line}, column {column}: '{value}' is not of type {expected}")]
    InvalidValue {
        /// The file.
        file: String,
        /// The line on which the row starts, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The value found.
        value: String,
        /// The column's type in SQL's words.
        expected: String,
        /// The format's name.
        format: &'static str,
    },
    /// A value that a file is not given, because reading it would not find it again.
    #[error("column {column}: '{value}' cannot be written to {format}, because it could not be read back")]
    Unwritable {
        /// The column's name.
        column: String,
        /// The value.
        value: String,
        /// The format.
        format: String,
    },
    /// A character that the encoding of a file that is written does not have.
    #[error("the character '{character}' cannot be written in {encoding}")]
    Unencodable {
        /// The character.
        character: char,
        /// The encoding.
        encoding: String,
    },
    /// A value in a file of records that is not of its column's type.
    #[error("file {file}, record {record}, column {column}: '{value}' is not of type {expected}")]
    InvalidRecord {
        /// The file.
        file: String,
        /// The number of its record, from 1.
        record: u64,
        /// The column's name.
        column: String,
        /// The value found.
        value: String,
        /// The column's type in SQL's words.
        expected: String,
    },
    /// A column that the table does not have, because no file had it when the table was made, or no sample.
    #[error(
        "file {file}{place}: column {column} is none of the table's",
        place = line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    UnknownColumn {
        /// The file.
        file: String,
        /// The line on which it shows first, from 1, of a text.
        line: Option<u64>,
        /// The column's name.
        column: String,
    },
    /// A column of the table that its only file does not have, as it had when the table was made.
    #[error("file {file}: it lacks the column {column} of the table, which has no other file")]
    LostColumn {
        /// The file.
        file: String,
        /// The column's name.
        column: String,
    },
    /// Bytes that are not of the format, at a known line.
    #[error("file {file}, line {line}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// JSON that is broken, or of which no row can be made, at a known line.
    #[error(
        "file {file}, line {line}{place}: {reason}",
        place = column.as_ref().map_or_else(String::new, |column| format!(", column {column}"))
    )]
    InvalidJson {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The keys that lead to the place, where they are known.
        column: Option<String>,
        /// What is wrong.
        reason: String,
        /// What to do, or nothing.
        hint: String,
    },
    /// A text in an encoding that is not read.
    #[error("file {file} is written in {encoding}, which is not read")]
    UnreadEncoding {
        /// The file.
        file: String,
        /// The encoding, by its first bytes.
        encoding: &'static str,
    },
    /// A text in another encoding than it should be.
    #[error("file {file}, line {line}: the text is not {encoding}")]
    WrongEncoding {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The encoding asked for.
        encoding: String,
        /// The one that the bytes look like.
        fitting: String,
    },
    /// A file that cannot be read as its format: a truncated Parquet file, a broken compressed stream.
    #[error("file {file} is not a readable {format} file: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The format it should have.
        format: String,
        /// What the reader said.
        reason: String,
        /// The reader's error.
        #[source]
        source: Cause,
    },
    /// A column that a file stores as another type than the table's, with a value that is not of the table's.
    #[error(
        "file {file}, column {column}: stored as {found}, and not all its values are {wanted}{misfit}",
        wanted = of_type(expected)
    )]
    UnfitColumn {
        /// The file, and the row of the first such value where it is known.
        file: String,
        /// The column's name.
        column: String,
        /// The type in this file.
        found: String,
        /// The table's type.
        expected: String,
        /// Which value it is, behind a colon, where that is known.
        misfit: Box<str>,
    },
    /// A file's first line that may be names or values, of files whose columns are found by their places.
    #[error(
        "file {file}, line {line}: whether {found} are names or values cannot be told, as the first file begins with {first}"
    )]
    UnclearHeader {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The fields on it.
        found: String,
        /// What the first file begins with.
        first: String,
    },
    /// A declaration with another number of columns than the files have.
    #[error("{expected} columns are declared, file {file} has others: {found}")]
    ColumnCount {
        /// The file.
        file: String,
        /// The names of its columns.
        found: String,
        /// How many columns are declared.
        expected: usize,
    },
    /// A declared column that no file has.
    #[error("column {column} is declared, and no file has it; the files have {known}")]
    MissingColumn {
        /// The column.
        column: String,
        /// The columns that there are.
        known: String,
        /// The one that may be meant.
        near: Option<String>,
    },
    /// A column whose name is the same as several others but for case.
    #[error("file {file}: which column is {column} cannot be told, because names are the same but for case: {found}")]
    UnclearColumn {
        /// The file.
        file: String,
        /// The column's name in the table.
        column: String,
        /// The names in the file that it may be.
        found: String,
    },
    /// A file that can be read but holds no row to learn the columns from.
    #[error("file {file} holds no row to infer columns from")]
    NoRows {
        /// The file.
        file: String,
    },
    /// A line that is neither names nor a row.
    #[error("file {file}, line {line}: '{title}' stands alone above a line of names, and may be a title")]
    TitleAbove {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// The text.
        title: String,
        /// The option that passes over it.
        way: String,
    },
    /// A file whose header has none of the table's columns.
    #[error(
        "file {file}{place} has the columns {found}, none of them is a column of the table",
        place = line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    NoCommonColumn {
        /// The file.
        file: String,
        /// The line on which they stand, from 1, of a text.
        line: Option<u64>,
        /// The names in its header.
        found: String,
    },
    /// A file whose directories do not name the partitions as the table does.
    #[error("file {file}: expected the partition directories {expected}, found {found}")]
    PartitionsDiffer {
        /// The file.
        file: String,
        /// The keys of the table.
        expected: String,
        /// The keys of the file.
        found: String,
    },
    /// A file with a column of its own that is a key of its directory, and not the same.
    #[error("file {file}: its directory says {column}={directory}, and its own column {column} has {found}")]
    KeyDiffers {
        /// The file.
        file: String,
        /// The key.
        column: String,
        /// The value in the path.
        directory: String,
        /// The value in the file.
        found: String,
    },
    /// A partition directory whose value is not of the column's type.
    #[error("file {file}: partition {column}={value} is not of type {expected}")]
    InvalidPartition {
        /// The file.
        file: String,
        /// The partition column.
        column: String,
        /// The value in the path.
        value: String,
        /// The column's type.
        expected: String,
    },
    /// Two partition directories that are the same value, of a type that was told by others.
    #[error("file {file}: partition {column}={value} is the same {expected} as {column}={other}")]
    SamePartition {
        /// The file.
        file: String,
        /// The partition column.
        column: String,
        /// The value in the path.
        value: String,
        /// The value in another file's path.
        other: Box<str>,
        /// The column's type.
        expected: Box<str>,
    },
    /// A type for a column that the files do not have.
    #[error("a type is given for column {column}, the files have {known}")]
    NoSuchColumn {
        /// The column.
        column: String,
        /// The columns that there are.
        known: String,
    },
    /// A declared column twice.
    #[error("column {column} is declared twice")]
    DuplicateColumn {
        /// The column's name.
        column: String,
    },
    /// A location that SQL from the wire may not open.
    #[error("'{location}' may not be opened over the network: it is under none of the allowed paths")]
    NotAllowed {
        /// The location as the user gave it.
        location: String,
    },
    /// The engine's own files.
    #[error("'{location}' belongs to the data directory and may not be opened as a file")]
    DataDirectory {
        /// The location as the user gave it.
        location: String,
    },
    /// A read of a local file or an object failed.
    #[error("cannot read {file}: {reason}")]
    Io {
        /// The file or object.
        file: String,
        /// What the operating system or the store said.
        reason: String,
        /// Its error.
        #[source]
        source: Cause,
    },
    /// A file or a directory cannot be made.
    #[error("cannot write {file}: {reason}")]
    CannotWrite {
        /// The file or directory.
        file: String,
        /// What the operating system said.
        reason: String,
        /// What kind of error it is.
        kind: ErrorKind,
    },
    /// A symbolic link where a file or a directory is to be made.
    #[error("'{location}' is a symbolic link, and nothing is written through one there")]
    LinkBelow {
        /// The link.
        location: String,
    },
    /// The operating system refuses the file.
    #[error("cannot read {file}: permission denied by the operating system")]
    FileRefused {
        /// The file.
        file: String,
        /// The operating system's error.
        #[source]
        source: Cause,
    },
    /// The S3 server does not accept the key.
    #[error("the S3 server refused the key of {secret} for bucket {bucket}: {reason}")]
    KeyRefused {
        /// `secret name`, or what the key came from.
        secret: String,
        /// The bucket.
        bucket: String,
        /// The server's code and message.
        reason: String,
        /// The store's error.
        #[source]
        source: Cause,
    },
    /// The bucket does not exist.
    #[error("bucket {bucket} does not exist at {endpoint}")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
        /// Where it was looked for.
        endpoint: String,
        /// The store's error.
        #[source]
        source: Cause,
    },
    /// The object store does not answer.
    #[error("cannot reach the S3 server {endpoint} for bucket {bucket}: {reason}")]
    Unreachable {
        /// Where it should be.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// What the connection said.
        reason: String,
        /// The store's error.
        #[source]
        source: Cause,
    },
    /// A secret that lacks something or says something impossible.
    #[error("secret {secret}: {reason}")]
    InvalidSecret {
        /// The secret's name.
        secret: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More files than a table may have.
    #[error("'{location}' has more than {limit} files")]
    TooManyFiles {
        /// The location as the user gave it.
        location: String,
        /// The limit.
        limit: usize,
    },
    /// The engine beneath failed in a way that no file explains.
    #[error("cannot read '{location}': {source}")]
    Engine {
        /// The location.
        location: String,
        /// Its error.
        #[source]
        source: Arc<DataFusionError>,
    },
    /// A source that is no file failed, in words of its own.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoSuchFile { .. } | Self::EmptyDirectory { .. } | Self::NoSuchBucket { .. } => Fault::UndefinedFile,
            Self::UnknownFormat { .. }
            | Self::NoSuchFormat { .. }
            | Self::NotWritten { .. }
            | Self::MixedFormats { .. }
            | Self::InvalidLocation { .. }
            | Self::UnknownOption { .. }
            | Self::InvalidOption { .. }
            | Self::InvalidSecret { .. } => Fault::InvalidArgument,
            Self::EmptyFile { .. }
            | Self::NotText { .. }
            | Self::RaggedRow { .. }
            | Self::InvalidValue { .. }
            | Self::Unwritable { .. }
            | Self::Unencodable { .. }
            | Self::InvalidRecord { .. }
            | Self::UnknownColumn { .. }
            | Self::LostColumn { .. }
            | Self::Malformed { .. }
            | Self::InvalidJson { .. }
            | Self::UnreadEncoding { .. }
            | Self::WrongEncoding { .. }
            | Self::Unreadable { .. }
            | Self::UnfitColumn { .. }
            | Self::UnclearColumn { .. }
            | Self::UnclearHeader { .. }
            | Self::TitleAbove { .. }
            | Self::NoCommonColumn { .. }
            | Self::ColumnCount { .. }
            | Self::NoRows { .. }
            | Self::PartitionsDiffer { .. }
            | Self::KeyDiffers { .. }
            | Self::InvalidPartition { .. }
            | Self::SamePartition { .. } => Fault::InvalidData,
            Self::NoSuchColumn { .. } | Self::MissingColumn { .. } => Fault::UndefinedColumn,
            Self::DuplicateColumn { .. } => Fault::DuplicateColumn,
            Self::CannotWrite { kind, .. } => match kind {
                ErrorKind::PermissionDenied => Fault::PermissionDenied,
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Fault::DiskFull,
                _ => Fault::Io,
            },
            Self::NotAllowed { .. }
            | Self::DataDirectory { .. }
            | Self::LinkBelow { .. }
            | Self::FileRefused { .. }
            | Self::KeyRefused { .. } => Fault::PermissionDenied,
            Self::Io { .. } | Self::Unreachable { .. } => Fault::Io,
            Self::TooManyFiles { .. } | Self::TooLarge { .. } => Fault::LimitExceeded,
            Self::Engine { .. } => Fault::Internal,
            Self::Failed(failure) => failure.fault(),
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
