//! The extended protocol: its messages to what a session does with prepared statements and portals, and back.
//!
//! The session keeps both; nothing is kept here.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::ScalarValue;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, TARGET_TYPE_BYTE_STATEMENT,
};

use super::connection::Connection;
use super::cursor::SendPlan;
use super::decode::Parameter;
use super::encode::Layout;
use super::failure::{Failure, write};
use crate::Fault;
use crate::engine::{Parameter as Wanted, PreparedStatement};
use crate::pgtype::InSession;

impl Connection {
    pub(super) async fn parse(&mut self, message: Parse) -> Result<(), Failure> {
        let (session, name) = (Arc::clone(&self.session), message.name.unwrap_or_default());
        let (query, types) = (message.query, message.type_oids);
        self.offload(async move { session.prepare(&name, &query, &types).await }).await?;
        write(&mut self.wire.outbound, &ParseComplete::new());
        Ok(())
    }

    pub(super) fn bind(&mut self, message: Bind) -> Result<(), Failure> {
        let name = message.statement_name.clone().unwrap_or_default();
        let statement = self.session.statement(&name)?;
        check_parameters(&name, &statement, &message)?;
        let portal = message.portal_name.clone().unwrap_or_default();
        self.session.check_bind(&portal, &statement)?;
        let (zone, styles) = self.session.reads_in();
        let values = parameters(&statement, &message, InSession { zone: &zone, styles })?;
        let formats = message.result_column_format_codes;
        if let Some(columns) = statement.columns() {
            // Formats that are too many or too few are an error now.
            Layout::new(columns, &formats)?;
        }
        self.session.bind(&portal, statement, values, formats)?;
        write(&mut self.wire.outbound, &BindComplete::new());
        Ok(())
    }

    pub(super) fn describe(&mut self, message: Describe) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        let layout = if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
            let statement = self.session.describe_statement(&name)?;
            let types = statement.parameters().iter().map(|parameter| parameter.oid).collect();
            write(&mut self.wire.outbound, &ParameterDescription::new(types));
            statement.columns().map(|columns| Layout::new(columns, &[])).transpose()?
        } else {
            let portal = self.session.describe_portal(&name)?;
            portal.columns().map(|columns| Layout::new(columns, portal.formats())).transpose()?
        };
        match layout {
            Some(layout) => write(&mut self.wire.outbound, &layout.row_description()),
            None => write(&mut self.wire.outbound, &NoData::new()),
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, message: Execute) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        // Zero asks for all rows; a negative number, which PostgreSQL reads in the same way, too.
        let limit = u64::try_from(message.max_rows).unwrap_or(0);
        let portal = self.session.describe_portal(&name)?;
        let plan = SendPlan {
            formats: portal.formats().to_vec(),
            described: portal.columns().cloned(),
            announce: false,
            limit,
        };
        // Whoever has the portal in hand keeps it open.
        drop(portal);
        let session = Arc::clone(&self.session);
        let end = self.send(async move { session.execute_portal(&name, limit).await }, &plan).await?;
        self.tell_end(&end);
        Ok(())
    }

    /// Ends the transaction of the statements since the last Sync.
    pub(super) async fn sync(&mut self) -> Result<(), Failure> {
        match self.finish().await {
            // Nothing is skipped after it: it is told here.
            Err(Failure::Statement(report)) => self.tell_error(&report),
            other => other?,
        }
        self.ready().await
    }

    pub(super) fn close(&mut self, message: Close) {
        let name = message.name.unwrap_or_default();
        if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
            self.session.close_statement(&name);
        } else {
            self.session.close_portal(&name);
        }
        write(&mut self.wire.outbound, &CloseComplete::new());
    }
}

/// Refuses a Bind that does not give as many values as the statement has parameters.
fn check_parameters(name: &str, statement: &PreparedStatement, message: &Bind) -> Result<(), Failure> {
    let (given, formats) = (message.parameters.len(), &message.parameter_format_codes);
    if formats.len() > 1 && formats.len() != given {
        let message = format!("bind message has {} parameter formats but {given} parameters", formats.len());
        return Err(Failure::statement(Fault::ProtocolViolation, message));
    }
    let wanted = statement.parameters().len();
    if wanted != given {
        let message =
            format!("bind message supplies {given} parameters, but prepared statement \"{name}\" requires {wanted}");
        return Err(Failure::statement(Fault::ProtocolViolation, message));
    }
    Ok(())
}

/// The values that Bind gives to the parameters of a statement, which are as many, in a session.
fn parameters(
    statement: &PreparedStatement,
    message: &Bind,
    session: InSession<'_>,
) -> Result<Vec<ScalarValue>, Failure> {
    let formats = &message.parameter_format_codes;
    let decode = |(index, (bytes, wanted)): (usize, (&Option<Bytes>, &Wanted))| {
        let format = formats.get(if formats.len() == 1 { 0 } else { index }).copied().unwrap_or_default();
        let parameter = Parameter { number: index + 1, oid: wanted.oid, target: &wanted.data_type };
        parameter.decode(bytes.as_deref(), format, session)
    };
    message.parameters.iter().zip(statement.parameters()).enumerate().map(decode).collect()
}
