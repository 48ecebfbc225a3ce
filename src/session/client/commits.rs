//! How what a client's statements change reaches the catalog: with the ticket of the statement, which commits or is cancelled.

use super::{Client, lock};
use crate::{
    Result,
    catalog::{Applied, Change, Error as CatalogError, Transaction},
    session::{Isolation, Scope, Ticket, settings::Settings, transaction::Work},
};

/// Changes that were made: in the transaction of their statement, or in one of their own that is still to be published.
/// Dropping it forgets the latter.
#[must_use]
pub(crate) struct Staged {
    applied: Vec<Applied>,
    alone: Option<Transaction>,
}

impl Staged {
    /// What became of the changes.
    pub(crate) fn applied(&self) -> &[Applied] {
        &self.applied
    }

    /// Whether they are still to be published: they are no part of a transaction.
    pub(crate) fn is_alone(&self) -> bool {
        self.alone.is_some()
    }
}

impl Client {
    /// A statement is about to start. From now on a cancel is meant for it, and what went before changes nothing more.
    pub(crate) fn expect(&self) -> Ticket {
        let ticket = Ticket::default();
        let before = std::mem::replace(&mut *lock(&self.ticket), ticket.clone());
        let _committed_or_over = before.cancel();
        self.pass_cancel_on(&ticket);
        ticket
    }

    /// The end of the statements that joined is about to come. Where none have, a cancel is still meant for the last one,
    /// which may have committed.
    pub(crate) fn expect_end(&self) {
        if self.has_joined() {
            self.expect();
        }
    }

    /// The ticket of a statement that starts now: the one that was expected, or a new one.
    pub(crate) fn claim(&self) -> Ticket {
        let transaction = self.transaction().number();
        let expected = lock(&self.ticket).claim(transaction);
        expected.unwrap_or_else(|| {
            let claimed = self.expect().claim(transaction);
            claimed.unwrap_or_default()
        })
    }

    /// Cancels what runs, unless its commit has begun: see [`Ticket::cancel`].
    pub(crate) fn cancel(&self) -> bool {
        lock(&self.ticket).cancel()
    }

    /// Changes the catalog as a statement wants: in the transaction, or at once.
    pub(crate) async fn apply(&self, scope: &Scope, changes: Vec<Change>) -> Result<Vec<Applied>> {
        let staged = self.stage(scope, changes)?;
        self.settle(scope, staged).await
    }

    /// Makes changes in the statement's transaction, or prepares them to be published by [`Client::settle`]. What is refused
    /// leaves no table file.
    pub(crate) fn stage(&self, scope: &Scope, changes: Vec<Change>) -> Result<Staged> {
        let allowed = scope.check_changes(&changes);
        let catalog = self.catalog();
        let mut state = self.transaction();
        let number = state.number();
        let open = match allowed.and_then(|()| scope.ticket().check(number)) {
            Ok(()) => state.changing(catalog),
            Err(error) => Err(error),
        };
        let open = match open {
            Ok(open) => open,
            Err(error) => {
                catalog.discard(&changes);
                return Err(error);
            }
        };
        if let Some(open) = open {
            let applied = changes.into_iter().map(|change| open.apply(change)).collect::<Result<_, _>>()?;
            return Ok(Staged { applied, alone: None });
        }
        drop(state);
        let mut alone = catalog.begin();
        let read_newest = scope.snapshot().shows_as(alone.snapshot());
        if scope.modes().isolation == Isolation::Serializable && !read_newest {
            catalog.discard(&changes);
            return Err(CatalogError::Conflict { object: "the catalog".to_owned() }.into());
        }
        let applied = changes.into_iter().map(|change| alone.apply(change)).collect::<Result<_, _>>()?;
        Ok(Staged { applied, alone: Some(alone) })
    }

    /// Publishes what was prepared, where it is no part of a transaction.
    pub(crate) async fn settle(&self, scope: &Scope, staged: Staged) -> Result<Vec<Applied>> {
        if let Some(mut alone) = staged.alone {
            self.end_temporary(&mut alone)?;
            self.catalog().commit(alone, Box::new(scope.ticket().clone())).await?;
        }
        Ok(staged.applied)
    }

    /// Makes everybody's what a transaction changed that is ending, or undoes it where that fails.
    pub(super) async fn publish(&self, work: Work, ticket: Ticket) -> Result<()> {
        let (number, serializable) = (work.number(), work.modes().isolation == Isolation::Serializable);
        let mut changes = work.changes;
        if serializable {
            changes.set_serializable();
        }
        let outcome = match self.end_temporary(&mut changes) {
            Ok(()) => self.catalog().commit(changes, Box::new(ticket)).await,
            Err(error) => Err(error),
        };
        // Where an error was told meanwhile, the settings are back already.
        let before = self.transaction().published(number);
        match (outcome, before) {
            (Ok(_), Some(_)) => self.change_settings(Settings::commit),
            (Ok(_), None) => Ok(()),
            (Err(error), before) => {
                if let Some(before) = before {
                    self.change_settings(|own| own.restore(before))?;
                }
                Err(error.into())
            }
        }
    }
}
