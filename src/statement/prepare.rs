//! `PREPARE`, `EXECUTE`, `DEALLOCATE`: statements kept by name in the session, planned anew each time they run.

use std::{ops::ControlFlow, sync::Arc};

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::{
    common::{DFSchema, ScalarValue, tree_node::TreeNode},
    logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder},
    sql::{
        parser::Statement as SqlStatement,
        sqlparser::ast::{
            DataType as AstType, Expr as AstExpr, Ident, ObjectName, ObjectNamePart, Spanned, Statement as Ast, Value,
            visit_expressions,
        },
    },
};
use futures::future::{BoxFuture, ready};

use super::{
    Action, Form, Recognised, names::identifier, parse::convert as convert_statement, placeholders::numbered, rows,
};
use crate::{
    Error, Fault, Result,
    pgtype::{self, ColumnType, InSession, Unreadable, ZONED_TIME, read_null, read_text, type_name},
    planning,
    session::{Analysis, Client, Outcome, Parameter, PreparedStatement, Running, Scope, Sealed, describe, execute},
};

pub(super) const FORM: Form = Form { parse: None, convert };

#[derive(Debug)]
enum Prepared {
    Prepare { name: String, types: Sealed<Vec<AstType>>, action: Arc<dyn Action> },
    Execute { name: String, values: Sealed<Vec<AstExpr>> },
    Deallocate { name: Option<String> },
}

fn convert(statement: &SqlStatement) -> Recognised {
    let SqlStatement::Statement(statement) = statement else { return Ok(None) };
    let action = match statement.as_ref() {
        Ast::Prepare { name, data_types, statement } => Prepared::Prepare {
            name: named(name)?,
            types: Sealed::new(data_types.clone()),
            action: convert_statement(SqlStatement::Statement(preparable(statement)?))?,
        },
        Ast::Execute { using, .. } if !using.is_empty() => {
            return Err(Error::new(
                Fault::Syntax,
                "syntax error: EXECUTE takes its values in parentheses, found USING",
            ));
        }
        Ast::Execute { parameters, has_parentheses: true, .. } if parameters.is_empty() => {
            let message =
                "syntax error: expected a value between the parentheses of EXECUTE; leave them out where there is none";
            return Err(Error::new(Fault::Syntax, message));
        }
        Ast::Execute { parameters, has_parentheses: false, .. } if !parameters.is_empty() => {
            let message = format!("syntax error at or near \"{}\"", parameters[0]);
            return Err(Error::new(Fault::Syntax, message).at(parameters[0].span().start));
        }
        Ast::Execute { name: Some(name), parameters, .. } => {
            Prepared::Execute { name: plain_name(name)?, values: Sealed::new(parameters.clone()) }
        }
        Ast::Deallocate { name, .. } => {
            let all = name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all");
            Prepared::Deallocate { name: (!all).then(|| identifier(name)) }
        }
        _ => return Ok(None),
    };
    Ok(Some(Arc::new(action)))
}

/// The name of a new statement.
fn named(name: &Ident) -> Result<String> {
    if name.value.is_empty() {
        let message = "syntax error: a name between quotes has at least one character";
        return Err(Error::new(Fault::Syntax, message).at(name.span.start));
    }
    Ok(identifier(name))
}

/// A statement that can wait for values: a query, or a change of rows.
fn preparable(statement: &Ast) -> Result<Box<Ast>> {
    match statement {
        Ast::Query(_) | Ast::Insert(_) | Ast::Update { .. } | Ast::Delete(_) | Ast::Merge { .. } => {
            Ok(Box::new(statement.clone()))
        }
        other => {
            let text = other.to_string();
            let word = text.split_whitespace().next().unwrap_or_default().to_owned();
            let message = format!("syntax error: PREPARE takes a query or a change of rows, found {word}");
            Err(Error::new(Fault::Syntax, message))
        }
    }
}

/// The name of a prepared statement, which is in no schema.
fn plain_name(name: &ObjectName) -> Result<String> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Ok(identifier(name)),
        _ => Err(Error::new(Fault::Syntax, format!("syntax error: {name} is no name of a prepared statement"))),
    }
}

#[async_trait]
impl Action for Prepared {
    async fn analyze(&self, client: &Client, _scope: &Arc<Scope>, _types: &[Option<DataType>]) -> Result<Analysis> {
        let Self::Execute { name, .. } = self else { return Ok(Analysis::default()) };
        // One that is not there yet may be when this runs.
        let columns = client.prepared(name).ok().and_then(|prepared| prepared.columns().cloned());
        Ok(Analysis { columns, ..Analysis::default() })
    }

    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        match self {
            Self::Prepare { name, types, action } => {
                let fields = types.iter().map(|ast| scope.type_field(ast)).collect::<Result<Vec<_>>>()?;
                let declared: Vec<u32> = fields.iter().map(|field| pgtype::of_field(field).pg.oid).collect();
                let told: Vec<_> =
                    declared.iter().zip(&fields).map(|(oid, field)| pgtype::told_of(*oid, field.data_type())).collect();
                let types: Vec<_> = fields.iter().map(|field| Some(field.data_type().clone())).collect();
                let described = describe(action.as_ref(), client, &scope.declaring(&told), &types).await?;
                let text = scope.text();
                let prepared =
                    PreparedStatement::new(Arc::clone(action), (text, Arc::clone(text)), &declared, described);
                let InSession { zone, styles } = scope.reads_in();
                let prepared = prepared.with_declared(types).written_in(Arc::from(zone), styles);
                client.keep_statement(name, prepared)?;
                Ok(Outcome::done("PREPARE"))
            }
            Self::Execute { name, values } => {
                let prepared = client.prepared(name)?;
                let parameters = prepared.parameters();
                // As in PostgreSQL, one that takes no values passes over them.
                if !parameters.is_empty() && parameters.len() != values.len() {
                    let message = format!("wrong number of parameters for prepared statement \"{name}\"");
                    let hint = Some(format!("Expected {} parameters but got {}.", parameters.len(), values.len()));
                    return Err(Error::Statement { fault: Fault::Syntax, message, hint });
                }
                let computing: Vec<_> = values
                    .iter()
                    .zip(parameters)
                    .enumerate()
                    .map(|(at, (value, parameter))| given(scope, value, (at + 1, parameter)))
                    .collect();
                let mut values = Vec::with_capacity(computing.len());
                for value in computing {
                    values.push(value.await?);
                }
                let Some(action) = prepared.action() else { return Ok(Outcome::done("EXECUTE")) };
                let _nested = client.nest()?;
                let scope = &prepared.within(scope);
                let outcome = execute(action.as_ref(), client, scope, &values).await?;
                let columns = match &outcome {
                    Outcome::Rows { stream, .. } => Some(stream.schema()),
                    _ => None,
                };
                if let Some(columns) = columns {
                    prepared.check_columns(client, scope, &columns).await?;
                }
                Ok(outcome)
            }
            Self::Deallocate { name } => {
                client.deallocate(name.as_deref())?;
                Ok(Outcome::done(if name.is_some() { "DEALLOCATE" } else { "DEALLOCATE ALL" }))
            }
        }
    }
}

/// What is given for a parameter.
enum Given {
    Value(ScalarValue),
    /// The plan of one row with one column.
    Computed(Box<LogicalPlan>),
}

/// The value of an expression without columns, for the parameter of this number.
fn given<'a>(
    scope: &'a Scope,
    written: &AstExpr,
    (number, parameter): (usize, &'a Parameter),
) -> BoxFuture<'a, Result<ScalarValue>> {
    let (data_type, told) = (&parameter.data_type, parameter.told());
    let plan = match meant(scope, written, (number, data_type, told)) {
        Ok(Given::Value(value)) => return Box::pin(ready(Ok(value))),
        Ok(Given::Computed(plan)) => plan,
        Err(error) => return Box::pin(ready(Err(error))),
    };
    // By the rules of a query, so that clocks, casts and operators mean what they mean there.
    let computing = rows::collect(scope, *plan);
    Box::pin(async move {
        let batches = computing.await?;
        let Some(row) = batches.iter().find(|batch| batch.num_rows() > 0) else {
            return Err(Error::new(Fault::Internal, "the value of a parameter was computed as no row"));
        };
        let value = ScalarValue::try_from_array(row.column(0), 0)?;
        match data_type.is_decimal() {
            true => with_own_digits(value, data_type),
            false if value.data_type() == *data_type || told.is_some() => Ok(value),
            false => Ok(value.cast_to(data_type)?),
        }
    })
}

/// What an expression says that is given for the parameter of this number and type.
fn meant(
    scope: &Scope,
    written: &AstExpr,
    (number, data_type, told): (usize, &DataType, Option<ColumnType>),
) -> Result<Given> {
    // What is written as a text has the type of the parameter, as what the protocol binds.
    if let AstExpr::Value(value) = written
        && told.is_none()
    {
        match &value.value {
            Value::Null => {
                return read_null(data_type).map(Given::Value).map_err(|why| unreadable(why, data_type));
            }
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => {
                return read(text, data_type, scope.reads_in()).map(Given::Value);
            }
            Value::DollarQuotedString(text) => {
                return read(&text.value, data_type, scope.reads_in()).map(Given::Value);
            }
            _ => {}
        }
    }
    check_written(written)?;
    let schema = DFSchema::empty();
    let expression = scope.expression(written.clone())?;
    check_planned(&expression)?;
    if let Some(told) = told {
        return computed(planning::as_parameter(expression, number, told)?);
    }
    let found = expression.get_type(&schema)?;
    if !is_assigned(&found, data_type) {
        let (found, wanted) = (type_name(&found), type_name(data_type));
        let message = format!("parameter ${number} of type {found} cannot be coerced to the expected type {wanted}");
        let hint = Some("You will need to rewrite or cast the expression.".to_owned());
        return Err(Error::Statement { fault: Fault::DatatypeMismatch, message, hint });
    }
    // A numeric keeps the digits that it is written with: to round it to the column's would change what is compared.
    let expression = match data_type.is_decimal() {
        true => expression,
        false => expression.cast_to(data_type, &schema)?,
    };
    computed(expression)
}

/// The plan of one row with this value.
fn computed(value: Expr) -> Result<Given> {
    Ok(Given::Computed(Box::new(LogicalPlanBuilder::empty(true).project([value])?.build()?)))
}

/// The value of a text as one of a parameter's type.
fn read(text: &str, data_type: &DataType, session: InSession<'_>) -> Result<ScalarValue> {
    let read = match read_text(text, data_type, session) {
        // An array has the dimensions that it is written with, as one that the protocol binds.
        Err(Unreadable::Dimensions { found, wanted }) if found > wanted => {
            read_text(text, &pgtype::nested(found, pgtype::innermost(data_type).clone()), session)
        }
        read => read,
    };
    let value = read.map_err(|why| unreadable(why, data_type))?;
    let is_deeper = pgtype::dimensions_of(&value.data_type()) > pgtype::dimensions_of(data_type);
    if value.data_type() == *data_type || data_type.is_decimal() || is_deeper {
        return Ok(value);
    }
    Ok(value.cast_to(data_type)?)
}

fn unreadable(why: Unreadable, data_type: &DataType) -> Error {
    let kind = pgtype::of(data_type).pg.word(None);
    match why {
        Unreadable::Text(text) => {
            let kind = pgtype::of(pgtype::innermost(data_type)).pg.word(None);
            Error::new(Fault::InvalidText, format!("invalid input syntax for type {kind}: \"{text}\""))
        }
        Unreadable::Array(text) => Error::new(Fault::InvalidText, format!("malformed array literal: \"{text}\"")),
        Unreadable::LowerBound(text) => {
            let message = format!("the places of an array count from 1; leave the bounds out of \"{text}\"");
            Error::new(Fault::FeatureNotSupported, message)
        }
        Unreadable::Dimensions { found, wanted } => {
            let message = format!("an array of {found} dimensions is no value of a parameter of {wanted}; cast it");
            Error::new(Fault::FeatureNotSupported, message)
        }
        Unreadable::Time(text, why) => planning::unfit(&text, pgtype::innermost(data_type), why).into(),
        Unreadable::Number(text, why) => planning::no_number(&text, pgtype::innermost(data_type), why).into(),
        Unreadable::OutOfRange(pg) => Error::new(Fault::NumericOutOfRange, format!("{} out of range", pg.word(None))),
        Unreadable::Unsupported(_) | Unreadable::Binary | Unreadable::Encoding(_) => {
            let message = format!("values of type {kind} are not read from text; cast one of another type");
            Error::new(Fault::FeatureNotSupported, message)
        }
    }
}

/// Refuses what is no value by itself.
fn check_written(written: &AstExpr) -> Result<()> {
    let refused = visit_expressions(written, |step| match step {
        AstExpr::Subquery(_) | AstExpr::Exists { .. } | AstExpr::InSubquery { .. } => {
            ControlFlow::Break(Error::new(Fault::FeatureNotSupported, "cannot use subquery in EXECUTE parameter"))
        }
        AstExpr::Value(value) => match &value.value {
            Value::Placeholder(name) if numbered(name).is_some() => {
                ControlFlow::Break(Error::new(Fault::UndefinedParameter, format!("there is no parameter {name}")))
            }
            _ => ControlFlow::Continue(()),
        },
        AstExpr::Identifier(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("default") => {
            ControlFlow::Break(Error::new(Fault::Syntax, "DEFAULT is not allowed in this context"))
        }
        _ => ControlFlow::Continue(()),
    });
    match refused {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Refuses what is computed over rows.
fn check_planned(expression: &Expr) -> Result<()> {
    let has = |wanted: fn(&Expr) -> bool| expression.exists(|step| Ok(wanted(step)));
    if has(|step| matches!(step, Expr::AggregateFunction(_)))? {
        return Err(Error::new(Fault::Grouping, "aggregate functions are not allowed in EXECUTE parameters"));
    }
    if has(|step| matches!(step, Expr::WindowFunction(_)))? {
        return Err(Error::new(Fault::Windowing, "window functions are not allowed in EXECUTE parameters"));
    }
    Ok(())
}

/// Whether PostgreSQL stores a value of one type as one of the other without being told to.
fn is_assigned(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Boolean, Date32, Duration, Interval, LargeBinary, Null, Time64, Timestamp};
    let is_number = |data_type: &DataType| data_type.is_numeric();
    let is_day = |data_type: &DataType| matches!(data_type, Date32 | Timestamp(..));
    let is_bytes = |data_type: &DataType| matches!(data_type, Binary | LargeBinary | BinaryView);
    match (from, to) {
        (Null, _) => true,
        (_, to) if to.is_string() => true,
        (from, _) if from.is_string() => false,
        (Boolean, to) => *to == Boolean,
        (from, Boolean) => *from == Boolean,
        (from, to) if is_number(from) || is_number(to) => is_number(from) && is_number(to),
        (from, to) if is_bytes(from) || is_bytes(to) => is_bytes(from) && is_bytes(to),
        (from, to) if is_day(from) && is_day(to) => true,
        // The difference of two timestamps is a duration until it is shown.
        (Time64(_) | Timestamp(_, Some(_)), zoned) if *zoned == ZONED_TIME => true,
        (zoned, Time64(_)) if *zoned == ZONED_TIME => true,
        (Timestamp(..) | Interval(_) | Duration(_), Time64(_)) | (Time64(_) | Duration(_), Interval(_)) => true,
        (from, to) => std::mem::discriminant(from) == std::mem::discriminant(to),
    }
}

/// A value as a numeric of its own digits, of which a NULL and a whole number have those of this type.
fn with_own_digits(value: ScalarValue, numeric: &DataType) -> Result<ScalarValue> {
    let written = match &value {
        ScalarValue::Float64(Some(number)) => Some(number.to_string()),
        text => text.try_as_str().flatten().map(str::to_owned),
    };
    match written.and_then(|written| planning::own_digits(&written)) {
        Some(own) => Ok(own),
        None if value.data_type().is_decimal() && !value.is_null() => Ok(value),
        None => value.cast_to(numeric).map_err(Error::from),
    }
}
