//! The transitions, one rule of PostgreSQL a test.
#![allow(clippy::unwrap_used)]

use datafusion::prelude::SessionContext;

use super::*;
use crate::{catalog::Change, session::settings::Settings};

struct Session {
    catalog: Catalog,
    settings: Settings,
    state: State,
}

impl Session {
    fn new() -> Self {
        let catalog = Catalog::open(None).unwrap();
        let settings = Settings::new("ada", SessionContext::new().state(), (0, 100));
        Self { catalog, settings, state: State::default() }
    }

    fn work(&self) -> Work {
        Work::new(self.catalog.begin(), self.settings.values(), Modes::DEFAULT)
    }

    fn join(&mut self, block: bool) {
        let work = self.work();
        self.state.join(block, || work);
    }

    fn begin(&mut self, modes: &[Mode]) -> Result<()> {
        let work = self.work();
        self.state.begin(modes, || work)
    }

    fn read(&mut self) -> Result<Option<Arc<Snapshot>>> {
        self.state.start(false, true, &self.catalog)
    }

    /// Creates a schema in the transaction.
    fn create(&mut self, name: &str) {
        self.read().unwrap();
        let changes = self.state.changing(&self.catalog).unwrap().unwrap();
        let header = changes.header("ada").unwrap();
        changes.apply(Change::CreateSchema { name: name.to_owned(), header, if_not_exists: false }).unwrap();
    }

    /// Creates one as another session does.
    fn create_elsewhere(&self, name: &str) {
        let mut changes = self.catalog.begin();
        let header = changes.header("bob").unwrap();
        changes.apply(Change::CreateSchema { name: name.to_owned(), header, if_not_exists: false }).unwrap();
        self.catalog.publish(changes).unwrap();
    }

    fn sees(&self, name: &str) -> bool {
        self.state.work().unwrap().changes.snapshot().has_schema(name)
    }

    fn rename(&mut self, application: &str) -> Values {
        self.settings.set("application_name", Some(application), false).unwrap();
        self.settings.values()
    }

    fn savepoint(&mut self, name: &str) {
        let settings = self.settings.values();
        self.state.savepoint(name, settings).unwrap();
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    let report = result.unwrap_err().report();
    format!("{}: {}", report.code, report.message)
}

#[test]
fn without_a_transaction_nothing_is_kept() {
    let mut session = Session::new();
    assert!(session.read().unwrap().is_none());
    assert!(session.state.changing(&session.catalog).unwrap().is_none());
    assert!(session.state.fail().is_none());
    assert!(session.state.end_implicit().is_none());
    let ended = session.state.commit(false).unwrap();
    assert!(ended.outside && ended.published && ended.work.is_none());
    let ended = session.state.rollback(false).unwrap();
    assert!(ended.outside && !ended.published && ended.work.is_none());
}

#[test]
fn only_a_block_has_savepoints_and_chains() {
    let mut session = Session::new();
    for block in [None, Some(false), Some(true)] {
        if let Some(block) = block {
            session.join(block);
        }
        for (refusal, statement) in [
            (refused(session.state.savepoint("a", Values::default())), "SAVEPOINT"),
            (refused(session.state.release("a")), "RELEASE SAVEPOINT"),
            (refused(session.state.rollback_to("a")), "ROLLBACK TO SAVEPOINT"),
            (refused(session.state.commit(true)), "COMMIT AND CHAIN"),
            (refused(session.state.rollback(true)), "ROLLBACK AND CHAIN"),
        ] {
            assert_eq!(refusal, format!("25P01: {statement} can only be used in transaction blocks"));
        }
        session.state.end_implicit();
    }
}

#[test]
fn what_joins_ends_together() {
    let mut session = Session::new();
    session.join(true);
    session.create("one");
    session.join(true);
    session.create("two");
    assert_eq!(session.state.status(), TransactionStatus::Idle);
    let work = session.state.end_implicit().unwrap();
    session.catalog.publish(work.changes).unwrap();
    let newest = session.catalog.snapshot();
    assert!(newest.has_schema("one") && newest.has_schema("two"));
    session.join(true);
    session.create("three");
    assert!(session.state.fail().is_some());
    assert!(matches!(session.state, State::Idle));
    assert!(session.state.end_implicit().is_none());
}

#[test]
fn begin_makes_a_block_of_what_has_joined() {
    let mut session = Session::new();
    session.join(true);
    session.create("one");
    session.begin(&[]).unwrap();
    assert!(session.state.end_implicit().is_none());
    assert!(session.sees("one"));
    assert_eq!(session.state.status(), TransactionStatus::Open);
    // Modes that come too late leave it as it was.
    session.state = State::Idle;
    session.join(true);
    session.read().unwrap();
    let late = session.begin(&[Mode::Isolation(Isolation::Serializable)]);
    assert_eq!(refused(late), "25001: SET TRANSACTION ISOLATION LEVEL must be called before any query");
    assert_eq!(session.state.status(), TransactionStatus::Idle);
}

#[test]
fn commit_ends_what_has_joined_before_it() {
    let mut session = Session::new();
    session.join(true);
    session.create("one");
    let ended = session.state.commit(false).unwrap();
    assert!(ended.outside && ended.published && ended.work.unwrap().changes.has_changes());
    session.join(true);
    session.create("two");
    let ended = session.state.rollback(false).unwrap();
    assert!(ended.outside && !ended.published && ended.work.unwrap().changes.has_changes());
}

#[test]
fn a_failed_block_hears_only_its_end() {
    let mut session = Session::new();
    session.begin(&[]).unwrap();
    session.create("one");
    assert!(session.state.fail().is_some());
    assert_eq!(session.state.status(), TransactionStatus::Failed);
    let aborted = "25P02: current transaction is aborted, commands ignored until end of transaction block";
    assert_eq!(refused(session.read()), aborted);
    assert_eq!(refused(session.state.changing(&session.catalog)), aborted);
    session.state.start(true, false, &session.catalog).unwrap();
    assert_eq!(refused(session.state.rollback_to("a")), "3B001: savepoint \"a\" does not exist");
    assert!(session.state.fail().is_none());
    let ended = session.state.commit(false).unwrap();
    assert!(!ended.published && !ended.outside && ended.work.is_some());
}

#[test]
fn savepoints_of_one_name_hide_one_another() {
    let mut session = Session::new();
    session.begin(&[]).unwrap();
    session.savepoint("a");
    session.create("one");
    session.savepoint("a");
    session.create("two");
    session.state.rollback_to("a").unwrap();
    assert!(session.sees("one") && !session.sees("two"));
    session.create("three");
    session.state.release("a").unwrap();
    assert!(session.sees("three"));
    session.state.fail();
    session.state.rollback_to("a").unwrap();
    assert_eq!(session.state.status(), TransactionStatus::Open);
    assert!(!session.sees("one") && !session.sees("three"));
    session.state.release("a").unwrap();
    assert_eq!(refused(session.state.release("a")), "3B001: savepoint \"a\" does not exist");
}

#[test]
fn going_back_forgets_the_savepoints_after_it() {
    let mut session = Session::new();
    session.begin(&[]).unwrap();
    session.savepoint("a");
    session.savepoint("b");
    session.state.rollback_to("a").unwrap();
    assert_eq!(refused(session.state.rollback_to("b")), "3B001: savepoint \"b\" does not exist");
    session.state.rollback_to("a").unwrap();
}

#[test]
fn settings_go_back_to_where_the_error_leads() {
    let mut session = Session::new();
    let first = session.rename("first");
    session.begin(&[]).unwrap();
    let second = session.rename("second");
    session.savepoint("a");
    session.rename("third");
    assert_eq!(session.state.rollback_to("a").unwrap(), second);
    assert_eq!(session.state.fail(), Some(second));
    assert_eq!(session.state.rollback(false).unwrap().work.unwrap().before, first);
    let third = session.settings.values();
    session.join(false);
    session.rename("fourth");
    assert_eq!(session.state.fail(), Some(third));
}

#[test]
fn the_first_query_decides_what_is_read() {
    let mut session = Session::new();
    session.begin(&[]).unwrap();
    session.savepoint("a");
    session.create_elsewhere("early");
    session.state.start(false, false, &session.catalog).unwrap();
    session.read().unwrap();
    session.create_elsewhere("late");
    session.read().unwrap();
    assert!(session.sees("early") && !session.sees("late"));
    session.create("own");
    session.state.rollback_to("a").unwrap();
    assert!(session.sees("early") && !session.sees("late") && !session.sees("own"));
}

#[test]
fn below_repeatable_read_each_statement_sees_what_was_committed_before_it() {
    for level in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
        let mut session = Session::new();
        session.begin(&[Mode::Isolation(level)]).unwrap();
        session.create("own");
        session.savepoint("a");
        session.create_elsewhere("early");
        session.state.start(false, false, &session.catalog).unwrap();
        assert!(session.sees("own") && !session.sees("early"));
        session.read().unwrap();
        assert!(session.sees("own") && session.sees("early"));
        session.create("undone");
        session.create_elsewhere("late");
        session.state.rollback_to("a").unwrap();
        assert!(session.sees("own") && session.sees("early") && !session.sees("undone") && !session.sees("late"));
        session.read().unwrap();
        assert!(session.sees("own") && session.sees("late"));
        let work = session.state.commit(false).unwrap().work.unwrap();
        session.catalog.publish(work.changes).unwrap();
        assert!(["own", "early", "late"].iter().all(|name| session.catalog.snapshot().has_schema(name)));
    }
}

#[test]
fn where_others_changed_the_same_a_transaction_goes_on_with_what_it_saw() {
    let mut session = Session::new();
    session.begin(&[Mode::Isolation(Isolation::ReadCommitted)]).unwrap();
    session.create("own");
    session.create_elsewhere("own");
    session.create_elsewhere("late");
    session.read().unwrap();
    assert!(session.sees("own") && !session.sees("late"));
    let work = session.state.commit(false).unwrap().work.unwrap();
    assert!(session.catalog.publish(work.changes).is_err());
}

#[test]
fn a_statement_by_itself_changes_the_newest_state() {
    let mut session = Session::new();
    session.join(false);
    session.read().unwrap();
    session.create_elsewhere("other");
    session.create("own");
    assert!(session.sees("other") && session.sees("own"));
    session.join(false);
    session.create_elsewhere("late");
    session.create("more");
    assert!(!session.sees("late"));
}

#[test]
fn modes_are_set_before_the_first_query_and_outside_of_savepoints() {
    let serializable = [Mode::Isolation(Isolation::Serializable)];
    let mut session = Session::new();
    session.begin(&[Mode::ReadOnly(true)]).unwrap();
    session.state.set_modes(&[Mode::ReadOnly(false), Mode::Deferrable(true), Mode::ReadOnly(true)]).unwrap();
    session.savepoint("a");
    for (mode, message) in [
        (serializable[0], "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction"),
        (Mode::ReadOnly(false), "cannot set transaction read-write mode inside a read-only transaction"),
        (Mode::Deferrable(false), "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction"),
    ] {
        assert_eq!(refused(session.state.set_modes(&[mode])), format!("25001: {message}"));
    }
    session.state.release("a").unwrap();
    session.read().unwrap();
    for (mode, message) in [
        (serializable[0], "SET TRANSACTION ISOLATION LEVEL must be called before any query"),
        (Mode::ReadOnly(false), "transaction read-write mode must be set before any query"),
        (Mode::Deferrable(false), "SET TRANSACTION [NOT] DEFERRABLE must be called before any query"),
    ] {
        assert_eq!(refused(session.state.set_modes(&[mode])), format!("25001: {message}"));
    }
    // What it is already may be said at any time.
    session.state.set_modes(&[Mode::Isolation(Isolation::RepeatableRead), Mode::ReadOnly(true)]).unwrap();
}

#[test]
fn a_savepoint_that_only_reads_binds_nobody_after_it() {
    let mut session = Session::new();
    session.begin(&[]).unwrap();
    for released in [true, false] {
        session.savepoint("a");
        session.state.set_modes(&[Mode::ReadOnly(true)]).unwrap();
        assert!(session.state.work().unwrap().modes().read_only);
        if released {
            session.state.release("a").unwrap();
        } else {
            session.state.rollback_to("a").unwrap();
        }
        assert!(!session.state.work().unwrap().modes().read_only);
    }
}

#[test]
fn some_statements_stand_alone() {
    let mut session = Session::new();
    session.state.stand_alone("DISCARD ALL").unwrap();
    session.join(false);
    session.state.stand_alone("DISCARD ALL").unwrap();
    assert!(matches!(session.state, State::Idle));
    session.join(false);
    session.join(false);
    let refusal = refused(session.state.stand_alone("DISCARD ALL"));
    assert_eq!(refusal, "25001: DISCARD ALL cannot be executed within a pipeline; send it after a Sync");
    session.join(true);
    let inside = "25001: DISCARD ALL cannot run inside a transaction block; send COMMIT or ROLLBACK first";
    assert_eq!(refused(session.state.stand_alone("DISCARD ALL")), inside);
    session.begin(&[]).unwrap();
    assert_eq!(refused(session.state.stand_alone("DISCARD ALL")), inside);
}

/// While its changes go to the disk a transaction is over for statements, and its settings can still be put back.
#[test]
fn what_is_being_published_can_be_put_back_until_it_is() {
    for told in [false, true] {
        let mut session = Session::new();
        session.begin(&[]).unwrap();
        session.create("one");
        let number = session.state.number();
        assert!(number.is_some());
        let ended = session.state.commit(false).unwrap();
        let work = ended.work.unwrap();
        assert_eq!(Some(work.number()), number);
        assert_eq!((session.state.status(), session.state.number()), (TransactionStatus::Idle, None));
        assert!(session.read().unwrap().is_none() && !session.state.in_block());
        assert!(session.state.changing(&session.catalog).unwrap().is_none());
        // An error that is told puts the settings back at once, and the outcome does not do it again.
        assert!(session.state.fail().is_some());
        assert!(session.state.published(work.number()).is_none());
        session.join(told);
        let work = session.state.end_implicit().unwrap();
        if told {
            // Something else has begun before the outcome was known.
            session.join(true);
        }
        assert_eq!(session.state.published(work.number()).is_none(), told);
        assert_eq!(session.state.is_implicit(), told);
    }
}
