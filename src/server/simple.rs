//! The simple protocol: one text, its statements run one after the other until one fails. Together they are one transaction.

use std::sync::Arc;

use pgwire::messages::simplequery::Query;

use super::connection::Connection;
use super::cursor::{SendPlan, Sent};
use super::failure::Failure;
use crate::engine::Statement;

impl Connection {
    /// Answers a Query but for its ReadyForQuery.
    pub(super) async fn query(&mut self, query: Query) -> Result<(), Failure> {
        self.session.close_statement("");
        let known = self.session.known(&query.query).or_else(|| self.session.shaped(&query.query));
        let statements = match known {
            Some(statement) => vec![statement],
            None => {
                let session = Arc::clone(&self.session);
                let read = self.offload(async move { session.parse(&query.query).await }).await;
                read.inspect_err(|_| self.session.close_portal(""))?
            }
        };
        // A text without a statement leaves the unnamed portal where it is.
        if !statements.is_empty() {
            self.session.close_portal("");
        }
        if statements.is_empty() {
            self.finish().await?;
            self.tell_end(&Sent::Empty);
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

    async fn run(&mut self, statement: Statement, last: bool) -> Result<(), Failure> {
        let plan = SendPlan { announce: true, ..SendPlan::default() };
        let session = Arc::clone(&self.session);
        let end = self.send(async move { session.execute(&statement, &[]).await }, &plan).await?;
        // Nothing is said to be done before it is.
        if last {
            self.finish().await?;
        }
        self.tell_end(&end);
        Ok(())
    }
}
