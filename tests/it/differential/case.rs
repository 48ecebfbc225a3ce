//! One query over one group of tables, asked of both engines.

use std::fmt::Write as _;

use tokio_postgres::Client;

use super::{
    answer::{Answer, Mode, ask, simple},
    compare::difference,
    engine::Running,
    schema::{Engine, Table, View},
    second_opinion::reworded,
    tree::Query,
};
use crate::postgresql::Oracle;

/// Longer answers are not compared.
const MAX_ROWS: usize = 20_000;

/// What came of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    Equal,
    /// Our rows are others, in silence.
    Differs(String),
    /// Our error against the oracle's rows.
    Refused(String),
    /// The oracle's error against our rows.
    OracleRefused(String),
    /// Neither answers; this is why the oracle does not.
    BothRefused(String),
    /// The oracle takes too long, or answers with too many rows.
    Skipped,
    /// The oracle answers as we do when it is asked the same in other words.
    OracleErrs,
    /// An internal error, a panic, or a connection that breaks.
    Broken(String),
}

/// Both engines with the same tables.
pub(crate) struct Bench {
    oracle: Oracle,
    theirs: Client,
    ours: Running,
    pub(crate) engine: Engine,
    pub(crate) tables: Vec<Table>,
    pub(crate) views: Vec<View>,
}

impl Bench {
    /// Starts both engines; they have no tables yet.
    pub(crate) async fn start(oracle: Oracle, engine: Engine) -> Self {
        let theirs = oracle.client().await;
        let ours = Running::start(&engine).await;
        Self { oracle, theirs, ours, engine, tables: Vec::new(), views: Vec::new() }
    }

    /// Leaves the tables behind and starts our engine anew, as this group wants it.
    pub(crate) async fn restart(&mut self, engine: Engine) {
        self.unload().await;
        self.ours = Running::start(&engine).await;
        self.engine = engine;
    }

    async fn unload(&mut self) {
        let views: Vec<String> = self.views.drain(..).map(|view| view.name).collect();
        self.ours.clear(&self.tables, &views).await;
        self.tables.clear();
        let emptied = simple(&self.theirs, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
        assert!(matches!(emptied, Answer::Rows(_)), "PostgreSQL cannot be emptied: {emptied:?}");
    }

    /// Puts these tables in the place of those before.
    pub(crate) async fn load(&mut self, tables: &[Table]) -> Result<(), String> {
        self.unload().await;
        for table in tables {
            for statement in table.create() {
                let made = simple(&self.theirs, &statement).await;
                assert!(matches!(made, Answer::Rows(_)), "PostgreSQL refuses {statement}: {made:?}");
            }
            self.ours.load(table).await?;
            self.tables.push(table.clone());
        }
        Ok(())
    }

    /// Makes a view in both engines, if both can.
    pub(crate) async fn add(&mut self, view: View) -> Verdict {
        let sql = view.create();
        let verdict = match (simple(&self.ours.client, &sql).await, simple(&self.theirs, &sql).await) {
            (Answer::Rows(_), Answer::Rows(_)) => {
                self.views.push(view);
                return Verdict::Equal;
            }
            (ours, Answer::Rows(rows)) => self.verdict(&view.query, ours, rows),
            (Answer::Rows(_), theirs) => Verdict::OracleRefused(class(&theirs)),
            (_, theirs) => Verdict::BothRefused(class(&theirs)),
        };
        let drop = format!("DROP VIEW IF EXISTS {}", view.name);
        let _may_not_be = (simple(&self.ours.client, &drop).await, simple(&self.theirs, &drop).await);
        verdict
    }

    pub(crate) async fn compare(&mut self, query: &Query, mode: Mode) -> Verdict {
        let theirs = ask(&self.theirs, query, mode).await;
        match theirs {
            Answer::TimedOut => return Verdict::Skipped,
            Answer::Lost(message) => panic!("PostgreSQL is gone: {message}\n{}", query.sql()),
            Answer::Rows(rows) if rows.len() > MAX_ROWS => return Verdict::Skipped,
            _ => {}
        }
        let ours = ask(&self.ours.client, query, mode).await;
        let is_lost = matches!(ours, Answer::Lost(_));
        let verdict = match (ours, theirs) {
            (Answer::Failed { code, .. }, theirs @ Answer::Failed { .. }) if code != "XX000" => {
                Verdict::BothRefused(class(&theirs))
            }
            (Answer::TimedOut, theirs @ Answer::Failed { .. }) => Verdict::BothRefused(class(&theirs)),
            (Answer::Rows(_), theirs @ Answer::Failed { .. }) => Verdict::OracleRefused(class(&theirs)),
            (Answer::Rows(rows), Answer::Rows(theirs)) => match difference(query, &rows, &theirs) {
                None => Verdict::Equal,
                Some(_) if self.contradicts_itself(query, mode, &rows).await => Verdict::OracleErrs,
                Some(difference) => Verdict::Differs(difference),
            },
            (ours, Answer::Rows(rows)) => self.verdict(query, ours, rows),
            (ours, _) => self.verdict(query, ours, Vec::new()),
        };
        if is_lost && !self.ours.reconnect().await {
            // The server is gone with all its tables.
            let (engine, tables) = (self.engine.clone(), std::mem::take(&mut self.tables));
            let views = std::mem::take(&mut self.views);
            self.ours = Running::start(&engine).await;
            self.load(&tables).await.unwrap_or_else(|error| panic!("the tables cannot be loaded again: {error}"));
            for view in views {
                let _was_there_before = self.add(view).await;
            }
        }
        verdict
    }

    /// Whether the oracle gives our answer when it is asked the same in other words.
    async fn contradicts_itself(&self, query: &Query, mode: Mode, ours: &super::answer::Rows) -> bool {
        let Some(reworded) = reworded(query) else { return false };
        match ask(&self.theirs, &reworded, mode).await {
            Answer::Rows(theirs) => difference(query, ours, &theirs).is_none(),
            _ => false,
        }
    }

    fn verdict(&self, query: &Query, ours: Answer, theirs: super::answer::Rows) -> Verdict {
        match ours {
            Answer::Rows(rows) => match difference(query, &rows, &theirs) {
                None => Verdict::Equal,
                Some(difference) => Verdict::Differs(difference),
            },
            Answer::Failed { ref code, .. } if code == "XX000" => Verdict::Broken(class(&ours)),
            Answer::Lost(message) => Verdict::Broken(format!("lost: {message}")),
            other => Verdict::Refused(class(&other)),
        }
    }

    /// What a reader needs to see the case again.
    pub(crate) async fn script(&self, query: &Query, mode: Mode) -> String {
        let mut text = String::new();
        writeln!(text, "-- engine: {} over {}", self.engine.arguments().join(" "), storage(&self.engine)).unwrap();
        let sql = query.sql() + &self.views.iter().map(View::create).collect::<String>();
        for table in self.tables.iter().filter(|table| sql.contains(&format!("{} ", table.name))) {
            writeln!(text, "-- {} is stored as {:?}", table.name, table.storage).unwrap();
            for statement in table.create() {
                writeln!(text, "{statement};").unwrap();
            }
        }
        for view in self.views.iter().filter(|view| query.sql().contains(&view.name)) {
            writeln!(text, "{};", view.create()).unwrap();
        }
        match mode {
            Mode::Simple => writeln!(text, "{};", query.sql()).unwrap(),
            _ => {
                let (sql, parameters) = query.with_parameters();
                let given = parameters.iter().map(|literal| match mode {
                    Mode::Declared => format!("{:?} {:?}", literal.declared, literal.as_declared()),
                    _ => format!("{literal:?}"),
                });
                let given = given.collect::<Vec<_>>().join(", ");
                writeln!(text, "-- sent as {mode:?} with {given}\n{sql};").unwrap();
                writeln!(text, "-- without parameters: {};", query.sql()).unwrap();
            }
        }
        for (name, client) in [("PostgreSQL", &self.theirs), ("Fusewire", &self.ours.client)] {
            writeln!(text, "-- {name}: {}", shown(&ask(client, query, mode).await)).unwrap();
        }
        text
    }

    /// Gives the oracle back to whoever needs it.
    pub(crate) fn finish(self) -> Oracle {
        self.oracle
    }
}

fn storage(engine: &Engine) -> &'static str {
    if engine.keeps_data { "a data directory" } else { "memory" }
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Rows(rows) => {
            let shown = rows.iter().take(12).map(|row| {
                let values = row.iter().map(|value| value.clone().unwrap_or_else(|| "NULL".to_owned()));
                format!("({})", values.collect::<Vec<_>>().join(", "))
            });
            format!("{} rows: {}", rows.len(), shown.collect::<Vec<_>>().join(" "))
        }
        Answer::Failed { code, message } => format!("{code}: {message}"),
        Answer::TimedOut => "timed out".to_owned(),
        Answer::Lost(message) => format!("lost: {message}"),
    }
}

/// An error without the names and the numbers of its query, so that its like are counted together.
fn class(answer: &Answer) -> String {
    let text = shown(answer);
    let (code, message) = text.split_once(": ").unwrap_or(("", &text));
    let mut words = String::new();
    let mut quote = None;
    for character in message.chars().take(600) {
        match quote {
            Some(open) if character == open => {
                quote = None;
                words.push('…');
                words.push(character);
            }
            Some(_) => {}
            None => {
                if matches!(character, '"' | '\'' | '`') {
                    quote = Some(character);
                }
                words.push(character);
            }
        }
    }
    // What follows are the names of this query's columns.
    let end = ["columns: ", "column: "].iter().filter_map(|mark| words.find(mark)).min().unwrap_or(words.len());
    let mut normal = String::new();
    for word in words[..end].split_whitespace() {
        let has_digit = word.chars().any(|character| character.is_ascii_digit());
        normal.push_str(if has_digit || word.contains('.') && word.len() > 1 && !word.ends_with('.') {
            "#"
        } else {
            word
        });
        normal.push(' ');
    }
    let normal: String = normal.trim().chars().take(110).collect();
    format!("{code}: {normal}")
}
