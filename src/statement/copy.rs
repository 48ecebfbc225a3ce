//! `COPY … TO 'file'`: the rows of a table or query as files.

use std::{path::Path, sync::Arc};

use arrow::{
    array::AsArray,
    datatypes::{DataType, UInt64Type},
};
use async_trait::async_trait;
use datafusion::{
    common::DFSchema,
    logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast},
    sql::{
        parser::{CopyToSource, CopyToStatement, Statement as SqlStatement},
        sqlparser::ast::Value,
    },
};

use super::{
    Action, Form, Recognised, headings::name_columns, names::written_identifier, partition_names, plan::plan,
    rows::collect, training::refuse_train,
};
use crate::{
    Error, Fault, Result, planning,
    session::{Outcome, Running, Sealed},
    source::{self, Stores, Target, Writing},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
struct Copy {
    target: String,
    statement: Sealed<SqlStatement>,
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::CopyTo(copy) = statement else { return Ok(None) };
    if let CopyToSource::Query(query) = &copy.source {
        refuse_train(query)?;
    }
    if source::is_remote(&copy.target) {
        return Err(Error::new(
            Fault::FeatureNotSupported,
            format!("COPY writes local files only, and '{}' is a URL; choose a path", copy.target),
        ));
    }
    let mut statement = statement.clone();
    if let SqlStatement::CopyTo(copy) = &mut statement {
        copy.partitioned_by.iter_mut().for_each(|column| *column = written_identifier(column));
        if let Some(column) = copy.partitioned_by.iter().find(|column| column.contains(['=', '/'])) {
            let message = format!("\"{column}\" cannot name partitions: their directories are called name=value");
            return Err(Error::new(Fault::InvalidArgument, message));
        }
    }
    if let SqlStatement::CopyTo(CopyToStatement { source: CopyToSource::Query(query), .. }) = &mut statement {
        name_columns(query);
    }
    Ok(Some(Arc::new(Copy { target: copy.target.clone(), statement: Sealed::new(statement) })))
}

#[async_trait]
impl Action for Copy {
    async fn run(&self, Running { scope, values, .. }: Running<'_>) -> Result<Outcome> {
        let target = Target::parse(&self.target, scope.access())?;
        keep_out(&self.target, &target, scope.shared().catalog.directory().root())?;
        let mut statement = SqlStatement::clone(&self.statement);
        settle(&mut statement, &target);
        settle_format(&mut statement)?;
        settle_compression(&mut statement)?;
        let is_text = is_text(&statement);
        let plan = name_missing_partitions(plan(scope, statement, values).await?)?;
        let plan = without_told(plan, is_text)?;
        check_quoted(&plan)?;
        let (plan, writing) = aim(plan, &target, scope.stores())?;
        let written = collect(scope, plan).await;
        let rows = written.map_err(|error| writing.failure().map_or(error, Error::from))?;
        // The files get their names: as with a commit, the statement is cancelled before it or not at all.
        scope.ticket().irrevocably(|| writing.finish().map_err(Error::from))?;
        let count = rows.iter().flat_map(|batch| batch.columns().first()).flat_map(|column| {
            column.as_primitive_opt::<UInt64Type>().map(|counts| counts.values().iter().sum::<u64>())
        });
        Ok(Outcome::done(format!("COPY {}", count.sum::<u64>())))
    }
}

/// Whether the files are texts alone, in which fixed texts have their blanks.
fn is_text(statement: &SqlStatement) -> bool {
    let SqlStatement::CopyTo(copy) = statement else { return false };
    copy.stored_as.as_deref().is_some_and(|format| ["csv", "tsv"].contains(&format))
}

/// Other readers know none of the types that fields say here.
fn without_told(plan: LogicalPlan, is_text: bool) -> Result<LogicalPlan> {
    let LogicalPlan::Copy(mut copy) = plan else { return Ok(plan) };
    copy.input = Arc::new(planning::as_written(LogicalPlan::clone(&copy.input), is_text)?);
    Ok(LogicalPlan::Copy(copy))
}

/// Lets partitions be named by texts, so that NULL is one of them: the engine would name it as it names 0 or the empty text.
fn name_missing_partitions(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Copy(mut copy) = plan else { return Ok(plan) };
    if copy.partition_by.is_empty() {
        return Ok(LogicalPlan::Copy(copy));
    }
    check_partitions(&copy.partition_by, copy.input.schema())?;
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

/// Refuses quotes around the values of a column that there is not.
fn check_quoted(plan: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Copy(copy) = plan else { return Ok(()) };
    let Some(given) = copy.options.get("format.force_quote") else { return Ok(()) };
    let names: Vec<String> = serde_json::from_str(given).unwrap_or_default();
    let columns: Vec<&str> = copy.input.schema().fields().iter().map(|field| field.name().as_str()).collect();
    match names.iter().find(|name| name.as_str() != "*" && !columns.contains(&name.as_str())) {
        Some(name) => {
            let message =
                format!("column \"{name}\" of force_quote is none of those that are written: {}", columns.join(", "));
            Err(Error::new(Fault::UndefinedColumn, message))
        }
        None => Ok(()),
    }
}

/// Refuses partitions that nobody would read back: a column that names them twice, and one that is a column of the files but
/// for case, which readers take for the same.
fn check_partitions(keys: &[String], schema: &DFSchema) -> Result<()> {
    for (place, key) in keys.iter().enumerate() {
        if keys.iter().take(place).any(|other| other == key) {
            let message = format!("column \"{key}\" names partitions twice; leave one out");
            return Err(Error::new(Fault::DuplicateColumn, message));
        }
        let mut of_files = schema.fields().iter().map(|field| field.name()).filter(|name| !keys.contains(name));
        if let Some(column) = of_files.find(|name| source::is_alike(name, key)) {
            let message = format!(
                "whoever reads the files takes their column \"{column}\" for \"{key}\", which names partitions; give one of them \
                 another name, or let both name partitions"
            );
            return Err(Error::new(Fault::DuplicateColumn, message));
        }
    }
    Ok(())
}

/// Lets the name tell the format, which that of a compression may follow.
fn settle(statement: &mut SqlStatement, target: &Target) {
    let SqlStatement::CopyTo(copy) = statement else { return };
    target.path().clone_into(&mut copy.target);
    if let Some((ending, Some(_))) = source::ending(&copy.target) {
        copy.stored_as.get_or_insert(ending);
    }
}

/// Names the format as the engine knows it: `rows.ndjson` is JSON, as it is where it is read.
fn settle_format(statement: &mut SqlStatement) -> Result<()> {
    let SqlStatement::CopyTo(copy) = statement else { return Ok(()) };
    let ending = || source::ending(&copy.target).map(|(ending, _)| ending);
    if let Some(format) = copy.stored_as.clone().or_else(ending).filter(|format| !format.is_empty()) {
        copy.stored_as = Some(source::written_format(&format)?.to_owned());
    }
    Ok(())
}

/// Compresses a file such as `rows.csv.gz` as its name says, unless its format compresses what is in it.
fn settle_compression(statement: &mut SqlStatement) -> Result<()> {
    let SqlStatement::CopyTo(copy) = statement else { return Ok(()) };
    let Some((_, Some(compression))) = source::ending(&copy.target) else { return Ok(()) };
    let is_given = |name: &str| copy.options.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    if is_given("compression") || is_given("format.compression") {
        return Ok(());
    }
    let format = copy.stored_as.as_deref().unwrap_or_default();
    if let Some(parts) = source::compressed(format) {
        let message = format!(
            "'{}' cannot be compressed as a whole, because {format} compresses its {parts} itself; leave .{compression} out of \
             its name",
            copy.target
        );
        return Err(Error::new(Fault::InvalidArgument, message));
    }
    copy.options.push(("compression".to_owned(), Value::SingleQuotedString(compression)));
    Ok(())
}

/// Refuses to write into the data directory, whose unknown files are removed at the next start.
fn keep_out(shown: &str, target: &Target, data_dir: &Path) -> Result<()> {
    if !target.is_within(data_dir) {
        return Ok(());
    }
    let message =
        format!("'{shown}' is in the data directory, which is for tables and models alone; choose another place");
    Err(Error::new(Fault::PermissionDenied, message))
}

/// Opens the place that was checked and lets the plan write there. The engine would read the path anew, and might take it for
/// a URL or a pattern.
fn aim(plan: LogicalPlan, target: &Target, stores: &Stores) -> Result<(LogicalPlan, Writing)> {
    let LogicalPlan::Copy(mut copy) = plan else {
        return Err(Error::new(Fault::Internal, "COPY was planned as another statement"));
    };
    let writing = target.open(stores, !copy.partition_by.is_empty())?;
    copy.output_url = writing.url();
    copy.options.insert("single_file_output".to_owned(), writing.is_single_file().to_string());
    Ok((LogicalPlan::Copy(copy), writing))
}
