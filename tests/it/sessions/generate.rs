//! Random sequences of steps for one connection or two: the same for the same numbers, on every machine.

use super::{
    message::{Message, Step, Target},
    statements::{
        CLOSING, CURSORS, DISCARDS, ENDLESS, ERRORS, FEW_VALUES, OPENING, OTHER_SETTINGS, PARAMETERISED, PREPARED,
        QUERIES, SAVEPOINTS, SETTING_FORMS, SETTINGS, TABLES, WRONG_VALUES,
    },
};
use crate::random::Random;

/// How often each kind of statement comes, where a transaction is probably open and where not: transactions, savepoints,
/// settings, tables, queries, errors, prepared statements, cursors, discards.
const WEIGHTS_OPEN: &[usize] = &[22, 18, 14, 14, 12, 8, 8, 10, 1];
const WEIGHTS_IDLE: &[usize] = &[26, 2, 18, 16, 14, 8, 10, 3, 2];

pub(crate) struct Generator {
    random: Random,
    /// The connection that speaks.
    connection: usize,
    /// Whether it has probably begun a transaction, by connection.
    is_open: [bool; 2],
}

impl Generator {
    pub(crate) fn new(random: Random) -> Self {
        Self { random, connection: 1, is_open: [false; 2] }
    }

    pub(crate) fn sequence(mut self) -> Vec<Step> {
        let has_two = self.random.chance(25);
        let mut steps = Vec::new();
        for _ in 0..self.random.between(3, 14) {
            if has_two {
                self.connection = self.random.between(1, 2) as usize;
            }
            self.step(&mut steps);
        }
        steps
    }

    fn step(&mut self, steps: &mut Vec<Step>) {
        match self.random.weighted(&[54, 2, 40, 2, 2]) {
            0 => {
                let count = self.random.pick(&[1, 1, 1, 1, 2, 2, 3, 4]);
                let statements = (0..count).map(|_| self.statement()).collect();
                steps.push(Step::query(self.connection, statements));
            }
            1 => {
                let nothing = self.random.pick(&["", ";", " ;; "]);
                steps.push(Step::query(self.connection, vec![nothing.to_owned()]));
            }
            2 => {
                let messages = self.extended();
                steps.push(Step { connection: self.connection, messages, is_cancelled: false });
            }
            3 => {
                for sql in ["SET statement_timeout = '150ms'", ENDLESS, "RESET statement_timeout"] {
                    steps.push(Step::query(self.connection, vec![sql.to_owned()]));
                }
            }
            _ => steps.push(Step { connection: self.connection, messages: endless(), is_cancelled: true }),
        }
    }

    fn statement(&mut self) -> String {
        let is_open = self.is_open[self.connection - 1];
        let template = match self.random.weighted(if is_open { WEIGHTS_OPEN } else { WEIGHTS_IDLE }) {
            0 => {
                let opens = self.random.chance(if is_open { 15 } else { 85 });
                self.is_open[self.connection - 1] = opens;
                self.random.pick(if opens { OPENING } else { CLOSING }).to_owned()
            }
            1 => self.random.pick(SAVEPOINTS).to_owned(),
            2 => self.setting(),
            3 => self.random.pick(TABLES).to_owned(),
            4 => self.random.pick(QUERIES).to_owned(),
            5 => self.random.pick(ERRORS).to_owned(),
            6 => self.random.pick(PREPARED).to_owned(),
            7 => self.random.pick(CURSORS).to_owned(),
            _ => self.random.pick(DISCARDS).to_owned(),
        };
        self.filled(&template)
    }

    fn setting(&mut self) -> String {
        if self.random.chance(22) {
            return self.random.pick(OTHER_SETTINGS).to_owned();
        }
        let (name, values) = self.random.pick(SETTINGS);
        let form = self.random.pick(SETTING_FORMS);
        form.replace("{name}", name).replace("{value}", self.random.pick(values))
    }

    /// The statement with names in the places of the words in braces.
    fn filled(&mut self, template: &str) -> String {
        let number = self.connection;
        let (mut sql, mut rest) = (String::new(), template);
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').expect("a word in braces ends");
            let name = match word {
                "own" => format!("{}{number}", self.random.pick(&["t", "t", "u"])),
                "into" => format!("{}{number}", self.random.pick(&["t", "t", "s", "s", "u"])),
                "mine" => format!("s{number}"),
                "read" => match self.random.below(5) {
                    0 | 1 => format!("t{number}"),
                    2 => format!("u{number}"),
                    3 => "s1".to_owned(),
                    _ => "s2".to_owned(),
                },
                "savepoint" => self.random.pick(&["a", "a", "b", "A"]).to_owned(),
                "prepared" => self.random.pick(&["p", "p", "q", "P"]).to_owned(),
                "cursor" => self.random.pick(&["c", "c", "d", "w"]).to_owned(),
                other => panic!("nobody knows the word {{{other}}} of {template}"),
            };
            sql.push_str(before);
            sql.push_str(&name);
            rest = after;
        }
        sql.push_str(rest);
        sql
    }

    /// Messages of the extended protocol up to a Sync, some of them in places where they are wrong.
    fn extended(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let statement = self.random.pick(&["", "", "", "p", "q"]);
            let portal = self.random.pick(&["", "", "", "c", "w"]);
            match self.random.weighted(&[62, 10, 8, 6, 6, 4, 4]) {
                0 => self.whole(&mut messages, statement, portal),
                1 => {
                    let values = self.random.pick(FEW_VALUES).to_vec();
                    messages.push(Message::Bind { portal, statement, values });
                    messages.push(self.execute(portal));
                }
                2 => messages.push(self.execute(portal)),
                3 => messages.push(Message::Describe(self.target(statement, portal))),
                4 => messages.push(Message::Close(self.target(statement, portal))),
                5 => messages.push(Message::Query(vec![self.statement()])),
                _ => {}
            }
            if self.random.chance(8) {
                messages.push(Message::Flush);
            }
            if self.random.chance(12) {
                messages.push(Message::Sync);
            }
        }
        messages.push(Message::Sync);
        messages
    }

    fn target(&mut self, statement: &'static str, portal: &'static str) -> Target {
        self.random.pick(&[Target::Statement(statement), Target::Portal(portal)])
    }

    fn execute(&mut self, portal: &'static str) -> Message {
        Message::Execute { portal, limit: self.random.pick(&[0, 0, 0, 1, 2, -1]) }
    }

    /// Parse, Bind and Execute, mostly.
    fn whole(&mut self, messages: &mut Vec<Message>, name: &'static str, portal: &'static str) {
        let (sql, types, values) = match self.random.chance(60) {
            true => (self.statement(), Vec::new(), Vec::new()),
            false => {
                let (template, types, values) = self.random.pick(PARAMETERISED);
                let sql = self.filled(template);
                let values: Vec<Option<&'static str>> = match self.random.chance(12) {
                    true => self.random.pick(WRONG_VALUES).to_vec(),
                    false => values.iter().copied().map(Some).collect(),
                };
                (sql, types.to_vec(), values)
            }
        };
        messages.push(Message::Parse { name, sql, types });
        if self.random.chance(30) {
            messages.push(Message::Describe(Target::Statement(name)));
        }
        if self.random.chance(8) {
            messages.push(Message::Sync);
        }
        if self.random.chance(94) {
            messages.push(Message::Bind { portal, statement: name, values });
        }
        if self.random.chance(40) {
            messages.push(Message::Describe(Target::Portal(portal)));
        }
        if self.random.chance(94) {
            messages.push(self.execute(portal));
        }
        if self.random.chance(15) {
            messages.push(self.execute(portal));
        }
    }
}

/// A statement that the client cancels, and which is then closed so that nobody runs it again.
fn endless() -> Vec<Message> {
    vec![
        Message::Parse { name: "", sql: ENDLESS.to_owned(), types: Vec::new() },
        Message::Bind { portal: "", statement: "", values: Vec::new() },
        Message::Execute { portal: "", limit: 0 },
        Message::Sync,
        Message::Close(Target::Statement("")),
        Message::Sync,
    ]
}
