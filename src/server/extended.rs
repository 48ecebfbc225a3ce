//! The extended protocol: prepared statements, portals, and rows in portions.
//!
//! A portal that is suspended keeps its statement running up to the batches ahead; it ends with the transaction.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use pgwire::messages::data::{NoData, ParameterDescription};
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, PortalSuspended,
    TARGET_TYPE_BYTE_STATEMENT,
};

use super::connection::Connection;
use super::cursor::{Cursor, Fetched, SendPlan};
use super::decode::Parameter;
use super::encode::Layout;
use super::failure::{Failure, write};
use crate::Fault;
use crate::engine::Statement;
use crate::error::ConnectionFault;
use crate::pgtype;

/// Prepared statements of one connection.
const MAX_STATEMENTS: usize = 10_000;

/// Portals of one connection; each may keep a statement running.
const MAX_PORTALS: usize = 1_000;

/// The statements and portals of a connection, by name; the unnamed ones have an empty name.
#[derive(Default)]
pub(super) struct Prepared {
    statements: HashMap<String, Arc<PreparedStatement>>,
    portals: HashMap<String, Portal>,
}

struct PreparedStatement {
    /// None where the text held no statement.
    statement: Option<Arc<Statement>>,
    /// The types that the client declared; 0 where it left them open.
    declared: Vec<u32>,
    described: OnceLock<Described>,
}

#[derive(Clone)]
struct Described {
    /// The types on the wire and in the statement.
    parameters: Vec<(u32, DataType)>,
    columns: Option<SchemaRef>,
}

struct Portal {
    source: Arc<PreparedStatement>,
    formats: Vec<i16>,
    state: PortalState,
}

enum PortalState {
    Bound(Vec<ScalarValue>),
    Running(Box<Cursor>),
    /// It has run to its end; whether it returned rows.
    Ended(bool),
}

impl Connection {
    pub(super) async fn parse(&mut self, message: Parse) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        if name.is_empty() {
            self.prepared.statements.remove(&name);
        } else if self.prepared.statements.contains_key(&name) {
            let message = format!("prepared statement \"{name}\" exists already; close it or choose another name");
            return Err(Failure::statement(Fault::DuplicatePrepared, message));
        }
        if self.prepared.statements.len() >= MAX_STATEMENTS {
            let message = format!("{MAX_STATEMENTS} prepared statements are open; close those no longer needed");
            return Err(Failure::statement(Fault::LimitExceeded, message));
        }
        let (session, query) = (Arc::clone(&self.session), message.query);
        let mut statements = self.offload(async move { session.parse(&query) }).await?;
        if statements.len() > 1 {
            let message = format!("a prepared statement holds one statement, {} were given", statements.len());
            return Err(Failure::statement(Fault::Syntax, message));
        }
        let statement = statements.pop().map(Arc::new);
        let prepared = PreparedStatement { statement, declared: message.type_oids, described: OnceLock::new() };
        self.prepared.statements.insert(name, Arc::new(prepared));
        write(&mut self.wire.outbound, &ParseComplete::new());
        Ok(())
    }

    pub(super) async fn bind(&mut self, message: Bind) -> Result<(), Failure> {
        let source = self.prepared.statement(&message.statement_name.clone().unwrap_or_default())?;
        let name = message.portal_name.clone().unwrap_or_default();
        if name.is_empty() {
            self.prepared.close_portal(&name).await;
        } else if self.prepared.portals.contains_key(&name) {
            let message = format!("portal \"{name}\" exists already; close it or choose another name");
            return Err(Failure::protocol(ConnectionFault::DuplicatePortal, message));
        }
        if self.prepared.portals.len() >= MAX_PORTALS {
            let message = format!("{MAX_PORTALS} portals are open; close those no longer needed");
            return Err(Failure::statement(Fault::LimitExceeded, message));
        }
        let parameters = self.parameters(&source, &message).await?;
        let state = PortalState::Bound(parameters);
        self.prepared.portals.insert(name, Portal { source, formats: message.result_column_format_codes, state });
        write(&mut self.wire.outbound, &BindComplete::new());
        Ok(())
    }

    pub(super) async fn describe(&mut self, message: Describe) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        let is_statement = message.target_type == TARGET_TYPE_BYTE_STATEMENT;
        let (source, formats) = if is_statement {
            (self.prepared.statement(&name)?, Vec::new())
        } else {
            let portal = self.prepared.portals.get(&name).ok_or_else(|| no_portal(&name))?;
            (Arc::clone(&portal.source), portal.formats.clone())
        };
        let described = self.described(&source).await?;
        if is_statement {
            let types = described.parameters.iter().map(|(oid, _)| *oid).collect();
            write(&mut self.wire.outbound, &ParameterDescription::new(types));
        }
        match &described.columns {
            Some(columns) => {
                let layout = Layout::new(columns, &formats)?;
                write(&mut self.wire.outbound, &layout.row_description());
            }
            None => write(&mut self.wire.outbound, &NoData::new()),
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, message: Execute) -> Result<(), Failure> {
        let name = message.name.unwrap_or_default();
        let mut portal = self.prepared.portals.remove(&name).ok_or_else(|| no_portal(&name))?;
        // Zero asks for all rows; a negative number, which PostgreSQL reads in the same way, too.
        let limit = u64::try_from(message.max_rows).ok().filter(|rows| *rows > 0).unwrap_or(u64::MAX);
        let result = self.run_portal(&name, &mut portal, limit).await;
        if result.is_ok() {
            self.prepared.portals.insert(name, portal);
        } else {
            portal.stop().await;
        }
        result
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

    pub(super) async fn close(&mut self, message: Close) {
        let name = message.name.unwrap_or_default();
        if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
            self.prepared.close_statement(&name).await;
        } else {
            self.prepared.close_portal(&name).await;
        }
        write(&mut self.wire.outbound, &CloseComplete::new());
    }

    async fn run_portal(&mut self, name: &str, portal: &mut Portal, limit: u64) -> Result<(), Failure> {
        let mut cursor = match std::mem::replace(&mut portal.state, PortalState::Ended(true)) {
            PortalState::Running(cursor) => {
                // A cancel is meant for it again, whatever ran since.
                self.session.expect_statement();
                cursor
            }
            PortalState::Bound(parameters) => {
                let Some(statement) = &portal.source.statement else {
                    self.tell_end(Fetched::Empty);
                    return Ok(());
                };
                let described = portal.source.described.get().and_then(|described| described.columns.clone());
                let plan = SendPlan { formats: portal.formats.clone(), described, announce: false };
                self.session.join(false);
                Box::new(Cursor::start(self, Arc::clone(statement), parameters, plan))
            }
            PortalState::Ended(true) => {
                self.tell_end(Fetched::Rows(0));
                return Ok(());
            }
            PortalState::Ended(false) => {
                portal.state = PortalState::Ended(false);
                let message = format!("portal \"{name}\" has run already; bind it again");
                return Err(Failure::protocol(ConnectionFault::WrongState, message));
            }
        };
        match cursor.fetch(self, limit).await {
            Ok(Fetched::Suspended) => {
                portal.state = PortalState::Running(cursor);
                self.tell_notices();
                write(&mut self.wire.outbound, &PortalSuspended::new());
                Ok(())
            }
            Ok(end) => {
                portal.state = PortalState::Ended(matches!(end, Fetched::Rows(_)));
                self.tell_end(end);
                Ok(())
            }
            Err(failure) => {
                cursor.stop().await;
                Err(failure)
            }
        }
    }

    async fn parameters(&mut self, source: &PreparedStatement, message: &Bind) -> Result<Vec<ScalarValue>, Failure> {
        let (given, formats) = (message.parameters.len(), &message.parameter_format_codes);
        if formats.len() > 1 && formats.len() != given {
            let message = format!("bind gives {} parameter formats for {given} parameters", formats.len());
            return Err(Failure::statement(Fault::ProtocolViolation, message));
        }
        // Without parameters there is nothing to plan for yet.
        if given == 0 && source.declared.is_empty() && source.described.get().is_none() {
            return Ok(Vec::new());
        }
        let described = self.described(source).await?;
        if described.parameters.len() != given {
            let message = format!("bind gives {given} parameters, the statement takes {}", described.parameters.len());
            return Err(Failure::statement(Fault::ProtocolViolation, message));
        }
        let values = message.parameters.iter().zip(&described.parameters).enumerate();
        let decode = |(index, (bytes, (oid, target))): (usize, (&Option<bytes::Bytes>, &(u32, DataType)))| {
            let format = formats.get(if formats.len() == 1 { 0 } else { index }).copied().unwrap_or_default();
            Parameter { number: index + 1, oid: *oid, target }.decode(bytes.as_deref(), format)
        };
        values.map(decode).collect()
    }

    // Planned once a statement, when somebody first needs to know.
    async fn described(&mut self, source: &PreparedStatement) -> Result<Described, Failure> {
        if let Some(described) = source.described.get() {
            return Ok(described.clone());
        }
        let described = match &source.statement {
            None => Described { parameters: Vec::new(), columns: None },
            Some(statement) => {
                let (session, statement) = (Arc::clone(&self.session), Arc::clone(statement));
                let types: Vec<_> = source.declared.iter().map(|oid| pgtype::arrow(*oid, -1)).collect();
                let found = self.offload(async move { session.describe(&statement, &types).await }).await?;
                let parameters = found.parameters.into_iter().enumerate().map(|(index, target)| {
                    let declared = source.declared.get(index).copied().filter(|oid| pgtype::arrow(*oid, -1).is_some());
                    (declared.unwrap_or_else(|| pgtype::of(&target).pg.oid), target)
                });
                Described { parameters: parameters.collect(), columns: found.columns }
            }
        };
        Ok(source.described.get_or_init(|| described).clone())
    }
}

impl Prepared {
    /// Drops the unnamed statement and portal, as a simple query does.
    pub(super) async fn forget_unnamed(&mut self) {
        self.close_portal("").await;
        self.statements.remove("");
    }

    /// Drops all statements; portals made of them stay.
    pub(super) fn forget_statements(&mut self) {
        self.statements.clear();
    }

    /// Ends all portals.
    pub(super) async fn close_portals(&mut self) {
        for (_, portal) in self.portals.drain() {
            portal.stop().await;
        }
    }

    fn statement(&self, name: &str) -> Result<Arc<PreparedStatement>, Failure> {
        self.statements.get(name).map(Arc::clone).ok_or_else(|| {
            let message = if name.is_empty() {
                "there is no unnamed prepared statement".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            Failure::statement(Fault::UndefinedPrepared, message)
        })
    }

    async fn close_portal(&mut self, name: &str) {
        if let Some(portal) = self.portals.remove(name) {
            portal.stop().await;
        }
    }

    async fn close_statement(&mut self, name: &str) {
        let Some(source) = self.statements.remove(name) else { return };
        for (_, portal) in self.portals.extract_if(|_, portal| Arc::ptr_eq(&portal.source, &source)) {
            portal.stop().await;
        }
    }
}

impl Portal {
    async fn stop(self) {
        if let PortalState::Running(cursor) = self.state {
            cursor.stop().await;
        }
    }
}

fn no_portal(name: &str) -> Failure {
    Failure::statement(Fault::UndefinedCursor, format!("portal \"{name}\" does not exist"))
}
