//! Statements: one form a file, each parsed and then run.
//!
//! A form either recognises syntax of its own in the tokens, or takes a statement that DataFusion's parser understood.
//! To add a statement is one file and one line in [`FORMS`].

use std::{fmt::Debug, sync::Arc};

use datafusion::{
    execution::memory_pool::MemoryReservation,
    sql::parser::{DFParser, Statement as SqlStatement},
};

use crate::Result;
pub(crate) use crate::session::Action;

mod parse;

mod limits;
mod literals;
mod locks;
mod places;
mod tokens;

mod clauses;
mod copy_options;
mod copy_words;
mod headings;
mod names;
mod parameters;
mod partition_names;
mod placeholders;
mod refused;
mod series;
mod set_returning;

mod clocks;
mod plan;
mod reuse;
mod rows;
mod training;

mod query;
mod query_arrays;
mod shaped;

mod copy;
mod copy_data;
mod copy_from;
mod copy_where;
mod create_external_table;
mod create_schema;
mod create_secret;
mod create_table;
mod create_table_like;
mod create_view;
mod describe;
mod drop;
mod explain;
mod insert;

mod alter_model;
mod analyze;
mod comment;
mod cursors;
mod notify;
mod prepare;
mod settings;
mod temporary;
mod transaction;
mod vacuum;

pub(crate) use parse::{parse, parse_view};
pub(crate) use shaped::{keep_shape, shaped};

/// Every form of statement, in the order in which they are asked.
pub(crate) const FORMS: &[Form] = &[
    create_external_table::FORM,
    create_secret::FORM,
    describe::FORM,
    alter_model::FORM,
    drop::FORM,
    create_table_like::FORM,
    create_table::FORM,
    create_view::FORM,
    create_schema::FORM,
    insert::FORM,
    copy_data::FORM,
    copy::FORM,
    comment::FORM,
    notify::FORM,
    settings::FORM,
    transaction::FORM,
    prepare::FORM,
    cursors::FORM,
    vacuum::FORM,
    analyze::FORM,
    explain::FORM,
    query::FORM,
];

/// A statement, if it is of the form that was asked.
pub(crate) type Recognised = Result<Option<Arc<dyn Action>>>;

/// How one form of statement is recognised.
pub(crate) struct Form {
    /// Takes syntax of our own, where the form has some, from the parser; `None` when the tokens are not this form's.
    pub(crate) parse: Option<fn(&mut DFParser) -> Recognised>,
    /// Takes a statement of DataFusion's parser; `None` when it is not this form's.
    pub(crate) convert: fn(&SqlStatement) -> Recognised,
}

/// For forms that DataFusion's parser does not know.
pub(crate) fn no_convert(_statement: &SqlStatement) -> Recognised {
    Ok(None)
}

/// One parsed statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The statement's text, as the client wrote it.
    pub text: String,
    /// The whole text it came in, to which positions of errors refer.
    pub(crate) source: Arc<str>,
    pub(crate) action: Arc<dyn Action>,
    /// The memory of the statements of one text, where that is long.
    pub(crate) memory: Option<Arc<MemoryReservation>>,
}
