//! `COPY … TO 'file'`: the rows of a table or query as files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::{
    array::AsArray,
    datatypes::{DataType, UInt64Type},
};
use async_trait::async_trait;
use datafusion::{
    common::ScalarValue,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast},
    sql::{
        parser::{CopyToSource, CopyToStatement, DFParser, Statement as SqlStatement},
        sqlparser::{ast::Value, keywords::Keyword, tokenizer::Token},
    },
};

use super::{
    Action, Form, Recognised,
    headings::name_columns,
    partition_names,
    query::{collect, plan, refuse_train},
};
use crate::{
    Error, Fault, Result,
    session::{Client, Outcome, Sealed},
    source,
};

pub(super) const FORM: Form = Form { parse, convert };

#[derive(Debug)]
struct Copy {
    target: String,
    statement: Sealed<SqlStatement>,
}

/// Takes nothing, but says what `COPY` over a connection is not.
fn parse(parser: &mut DFParser) -> Recognised {
    let keyword = |at: usize| match parser.parser.peek_nth_token(at).token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    };
    if keyword(0) != Some(Keyword::COPY) {
        return Ok(None);
    }
    let tokens = (1..).take_while(|&at| parser.parser.peek_nth_token(at).token != Token::EOF);
    let (mut depth, mut outside) = (0i32, Vec::new());
    for at in tokens {
        match parser.parser.peek_nth_token(at).token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ if depth == 0 => outside.extend(keyword(at)),
            _ => {}
        }
    }
    let instead = match outside.as_slice() {
        words if words.contains(&Keyword::FROM) => {
            "COPY … FROM is not supported; use CREATE EXTERNAL TABLE over the file, or INSERT INTO … SELECT * FROM 'path'"
        }
        words if words.contains(&Keyword::STDOUT) => {
            "COPY … TO STDOUT is not supported; run the query by itself, or name a file"
        }
        _ => return Ok(None),
    };
    Err(Error::new(Fault::FeatureNotSupported, instead))
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::CopyTo(copy) = statement else { return Ok(None) };
    if let CopyToSource::Query(query) = &copy.source {
        refuse_train(query)?;
    }
    if copy.target.contains("://") {
        return Err(Error::new(
            Fault::FeatureNotSupported,
            format!("COPY writes local files only, and '{}' is a URL; choose a path", copy.target),
        ));
    }
    let mut statement = statement.clone();
    if let SqlStatement::CopyTo(CopyToStatement { source: CopyToSource::Query(query), .. }) = &mut statement {
        name_columns(query);
    }
    Ok(Some(Arc::new(Copy { target: copy.target.clone(), statement: Sealed::new(statement) })))
}

#[async_trait]
impl Action for Copy {
    async fn execute(&self, client: &Arc<Client>, parameters: &[ScalarValue]) -> Result<Outcome> {
        client.access().check(&self.target)?;
        keep_out(&self.target, client.catalog().directory().root())?;
        let mut statement = SqlStatement::clone(&self.statement);
        settle_compression(&mut statement);
        let unfinished = unfinished_file(&mut statement);
        let plan = name_missing_partitions(plan(client, statement, Some(parameters)).await?)?;
        let rows = collect(client, plan).await?;
        unfinished.map(Unfinished::finish).transpose()?;
        let count = rows.iter().flat_map(|batch| batch.columns().first()).flat_map(|column| {
            column.as_primitive_opt::<UInt64Type>().map(|counts| counts.values().iter().sum::<u64>())
        });
        Ok(Outcome::done(format!("COPY {}", count.sum::<u64>())))
    }
}

/// Lets partitions be named by texts, so that NULL is one of them: the engine would name it as it names 0 or the empty text.
fn name_missing_partitions(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Copy(mut copy) = plan else { return Ok(plan) };
    if copy.partition_by.is_empty() {
        return Ok(LogicalPlan::Copy(copy));
    }
    let columns = copy.input.schema().columns().into_iter().map(|column| {
        let name = column.name.clone();
        if !copy.partition_by.contains(&name) {
            return Expr::Column(column);
        }
        let text = cast(Expr::Column(column), DataType::Utf8);
        partition_names::of_texts(text).alias(name)
    });
    let columns: Vec<Expr> = columns.collect();
    let input = LogicalPlanBuilder::from(LogicalPlan::clone(&copy.input)).project(columns)?.build()?;
    copy.input = Arc::new(input);
    Ok(LogicalPlan::Copy(copy))
}

/// A file such as `rows.csv.gz` is compressed as its name says.
fn settle_compression(statement: &mut SqlStatement) {
    let SqlStatement::CopyTo(copy) = statement else { return };
    let Some((ending, Some(compression))) = source::ending(&copy.target) else { return };
    copy.stored_as.get_or_insert(ending);
    let is_given = |name: &str| copy.options.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    if !is_given("compression") && !is_given("format.compression") {
        copy.options.push(("compression".to_owned(), Value::SingleQuotedString(compression)));
    }
}

/// Refuses to write into the data directory, whose unknown files are removed at the next start.
fn keep_out(target: &str, data_dir: &Path) -> Result<()> {
    let folder = std::path::absolute(target).ok().and_then(|target| {
        let existing = target.ancestors().find(|folder| folder.is_dir())?;
        existing.canonicalize().ok()
    });
    if folder.is_some_and(|folder| folder.starts_with(data_dir)) {
        let message =
            format!("'{target}' is in the data directory, which is for tables and models alone; choose another place");
        return Err(Error::new(Fault::PermissionDenied, message));
    }
    Ok(())
}

/// A file beside the one that is wanted, which it replaces when it is whole. Dropped before, it is removed.
struct Unfinished {
    path: PathBuf,
    target: PathBuf,
    is_finished: bool,
}

/// Lets a `COPY` to a single file write another one first, of the same ending, which tells the format.
fn unfinished_file(statement: &mut SqlStatement) -> Option<Unfinished> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let SqlStatement::CopyTo(copy) = statement else { return None };
    let target = PathBuf::from(&copy.target);
    let is_directory = copy.target.ends_with('/') || target.is_dir() || !copy.partitioned_by.is_empty();
    // Without an ending it is a directory too; what is no regular file, such as a pipe, is written to as it is.
    if is_directory || target.extension().is_none() || target.metadata().is_ok_and(|found| !found.is_file()) {
        return None;
    }
    let name = target.file_name()?.to_str()?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = target.with_file_name(format!(".{}-{number}-{name}", std::process::id()));
    copy.target = path.to_str()?.to_owned();
    Some(Unfinished { path, target, is_finished: false })
}

impl Unfinished {
    fn finish(mut self) -> Result<()> {
        self.is_finished = true;
        match fs::rename(&self.path, &self.target) {
            Ok(()) => Ok(()),
            // No row and no header: nothing was written.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => {
                let message = format!("cannot replace the file {}: {error}", self.target.display());
                Err(Error::new(Fault::Io, message))
            }
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            let _not_there = fs::remove_file(&self.path);
        }
    }
}
