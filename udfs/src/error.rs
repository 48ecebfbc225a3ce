//! What can go wrong in the functions, by the fault it points at.
//!
//! The engine turns a [`Fault`] into an SQLSTATE; nothing here knows one. An [`Error`] travels through the query engine
//! as [`DataFusionError::External`], from which the engine takes it back whole.

use datafusion::common::DataFusionError;

use crate::fault::Fault;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a function, with the values that its message names.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument's name that the function does not have.
    #[error("{function} has no argument {argument}{}; it accepts {accepted}", did_you_mean(.suggestion))]
    UnknownArgument {
        /// The function as SQL spells it.
        function: &'static str,
        /// The name that was given.
        argument: String,
        /// The accepted name that it resembles.
        suggestion: Option<String>,
        /// Every accepted name.
        accepted: String,
    },
    /// A required argument that was not given.
    #[error("{function} needs the argument {argument}: {purpose}; it accepts {accepted}")]
    MissingArgument {
        /// The function as SQL spells it.
        function: &'static str,
        /// The name of the argument.
        argument: &'static str,
        /// What it is for.
        purpose: &'static str,
        /// Every accepted name.
        accepted: String,
    },
    /// An argument with a wrong type or value, or in a wrong place.
    #[error("the argument {argument} of {function} {problem}")]
    InvalidArgument {
        /// The function as SQL spells it.
        function: &'static str,
        /// The name of the argument.
        argument: String,
        /// What was found, what was expected and what to do; continues the sentence.
        problem: String,
    },
    /// A list of arguments that is wrong as a whole.
    #[error("{function} {problem}")]
    InvalidCall {
        /// The function as SQL spells it.
        function: &'static str,
        /// What was found and what was expected; continues the sentence.
        problem: String,
    },
    /// A column that an input does not have.
    #[error("{function}: the input has no column {column}{}; it has {columns}", named_by(.argument))]
    UndefinedColumn {
        /// The function as SQL spells it.
        function: &'static str,
        /// The argument that names the column, if one does.
        argument: Option<String>,
        /// The name that was asked for.
        column: String,
        /// The columns that there are.
        columns: String,
    },
    /// A column name that fits several columns when case is ignored.
    #[error("{function}: the column {column}{} could be any of {columns}; write its exact name", named_by(.argument))]
    AmbiguousColumn {
        /// The function as SQL spells it.
        function: &'static str,
        /// The argument that names the column, if one does.
        argument: Option<String>,
        /// The name that was asked for.
        column: String,
        /// The columns that fit.
        columns: String,
    },
    /// Two columns of one name.
    #[error("{function}: {problem}")]
    DuplicateColumn {
        /// The function as SQL spells it.
        function: &'static str,
        /// Which column, where, and what to do.
        problem: String,
    },
    /// A column whose type the function cannot use.
    #[error("{function}: the column {column} is of type {found}; {expected}")]
    ColumnType {
        /// The function as SQL spells it.
        function: &'static str,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What was expected and what to do.
        expected: String,
    },
    /// A value that cannot be read as the type it must have.
    #[error("the column {column} holds '{value}', which is not {expected}; correct the value or leave the row out")]
    InvalidValue {
        /// The column.
        column: String,
        /// The value.
        value: String,
        /// What it should be, with its article.
        expected: String,
    },
    /// Rows that cannot be used.
    #[error("{0}")]
    InvalidData(String),
    /// A model or version that does not exist.
    #[error("{0}")]
    UndefinedModel(String),
    /// A model's name that cannot be read.
    #[error("'{name}' is not a model's name: {problem}; expected a name such as 'taste', 'taste@3' or 'sales.taste'")]
    InvalidModelName {
        /// The text that was given.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Something that is valid and refused or not offered.
    #[error("{0}")]
    NotSupported(String),
    /// A limit of the configuration was passed.
    #[error("{what} is {found}, more than the limit of {limit}; {advice}")]
    LimitExceeded {
        /// What was counted.
        what: String,
        /// How much there was.
        found: u64,
        /// How much is allowed.
        limit: u64,
        /// What to do.
        advice: &'static str,
    },
    /// A model file that fails its checksum or cannot be read as a model.
    #[error("the model file {location} is damaged: {problem}; train the model again or restore the file")]
    Corrupt {
        /// Where the file is.
        location: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A model file that is gone.
    #[error("the model file {location} does not exist; train the model again or restore the file")]
    UndefinedFile {
        /// Where the file should be.
        location: String,
        /// What the store said.
        source: object_store::Error,
    },
    /// A model file that cannot be read or written.
    #[error("cannot {action} the model file {location}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where the file is.
        location: String,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An error of the learning code; its text says all.
    #[error(transparent)]
    Learn(#[from] fusewire_learn::Error),
    /// An error of the catalog that implements [`crate::models::Models`].
    #[error("{source}")]
    Catalog {
        /// Whose fault it is.
        fault: Fault,
        /// The catalog's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Our own bug.
    #[error("internal error in the functions: {0}")]
    Internal(String),
}

impl Error {
    /// The error of ours that an error of the query engine carries.
    pub fn of(error: &DataFusionError) -> Option<&Self> {
        match error.find_root() {
            DataFusionError::External(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownArgument { .. }
            | Self::MissingArgument { .. }
            | Self::InvalidArgument { .. }
            | Self::InvalidCall { .. }
            | Self::InvalidModelName { .. } => Fault::InvalidArgument,
            Self::UndefinedColumn { .. } => Fault::UndefinedColumn,
            Self::AmbiguousColumn { .. } => Fault::AmbiguousColumn,
            Self::DuplicateColumn { .. } => Fault::DuplicateColumn,
            Self::ColumnType { .. } => Fault::DatatypeMismatch,
            Self::InvalidValue { .. } => Fault::InvalidText,
            Self::InvalidData(_) => Fault::InvalidData,
            Self::UndefinedModel(_) => Fault::UndefinedObject,
            Self::NotSupported(_) => Fault::FeatureNotSupported,
            Self::LimitExceeded { .. } => Fault::LimitExceeded,
            Self::Corrupt { .. } => Fault::Corrupt,
            Self::UndefinedFile { .. } => Fault::UndefinedFile,
            Self::Io { source, .. } => io_fault(source.as_ref()),
            Self::Learn(error) => learn_fault(error),
            Self::Catalog { fault, .. } => *fault,
            Self::Internal(_) => Fault::Internal,
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

fn learn_fault(error: &fusewire_learn::Error) -> Fault {
    use fusewire_learn::Error as Learn;
    match error {
        Learn::Cancelled => Fault::Cancelled,
        Learn::InvalidOption { .. } => Fault::InvalidArgument,
        Learn::InvalidData(_) => Fault::InvalidData,
        Learn::LimitExceeded(_) => Fault::LimitExceeded,
        Learn::Corrupt(_) => Fault::Corrupt,
        Learn::Internal(_) => Fault::Internal,
    }
}

/// A full disk is told apart because its remedy is another one.
fn io_fault(mut error: &(dyn std::error::Error + 'static)) -> Fault {
    loop {
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && error.kind() == std::io::ErrorKind::StorageFull
        {
            return Fault::DiskFull;
        }
        match error.source() {
            Some(source) => error = source,
            None => return Fault::Io,
        }
    }
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

fn named_by(argument: &Option<String>) -> String {
    argument.as_ref().map(|name| format!(" (named by {name})")).unwrap_or_default()
}
