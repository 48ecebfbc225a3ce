//! The simple protocol: one text, its statements run one after the other until one fails. Together they are one transaction.

use std::sync::Arc;

use pgwire::messages::response::{CommandComplete, EmptyQueryResponse};
use pgwire::messages::simplequery::Query;

use super::connection::Connection;
use super::cursor::{Cursor, Fetched, SendPlan};
use super::failure::{Failure, clean, write};
use crate::engine::Statement;

impl Connection {
    /// Answers a Query but for its ReadyForQuery.
    pub(super) async fn query(&mut self, query: Query) -> Result<(), Failure> {
        self.prepared.forget_unnamed().await;
        let session = Arc::clone(&self.session);
        let statements = self.offload(async move { session.parse(&query.query) }).await?;
        if statements.is_empty() {
            self.finish().await?;
            write(&mut self.wire.outbound, &EmptyQueryResponse::new());
        }
        let count = statements.len();
        for (index, statement) in statements.into_iter().enumerate() {
            if count > 1 {
                self.session.join(true);
            }
            self.run(statement, index + 1 == count).await?;
        }
        Ok(())
    }

    /// Tells how a statement ended.
    pub(super) fn tell_end(&mut self, end: Fetched) {
        self.tell_notices();
        let tag = match end {
            Fetched::Rows(rows) => format!("SELECT {rows}"),
            Fetched::Command(tag) => {
                if matches!(tag.as_str(), "DISCARD ALL" | "DEALLOCATE ALL") {
                    self.prepared.forget_statements();
                }
                tag
            }
            Fetched::Empty | Fetched::Suspended => return write(&mut self.wire.outbound, &EmptyQueryResponse::new()),
        };
        write(&mut self.wire.outbound, &CommandComplete::new(clean(&tag)));
    }

    async fn run(&mut self, statement: Statement, last: bool) -> Result<(), Failure> {
        let plan = SendPlan { announce: true, ..SendPlan::default() };
        let mut cursor = Cursor::start(self, Arc::new(statement), Vec::new(), plan);
        match cursor.fetch(self, u64::MAX).await {
            Ok(end) => {
                // Nothing is said to be done before it is.
                if last {
                    self.finish().await?;
                }
                self.tell_end(end);
                Ok(())
            }
            Err(failure) => {
                cursor.stop().await;
                Err(failure)
            }
        }
    }
}
