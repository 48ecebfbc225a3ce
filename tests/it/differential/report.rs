//! What was counted, and the cases worth reading.

use std::{collections::BTreeMap, fmt::Write as _};

use super::case::Verdict;

#[derive(Default)]
pub(crate) struct Report {
    equal: usize,
    pub(crate) differ: usize,
    broken: usize,
    skipped: usize,
    oracle_errs: usize,
    refused: BTreeMap<String, usize>,
    oracle_refused: BTreeMap<String, usize>,
    both_refused: BTreeMap<String, usize>,
    /// Cases in words, each small.
    pub(crate) cases: Vec<String>,
}

impl Report {
    pub(crate) fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Equal => self.equal += 1,
            Verdict::Differs(_) => self.differ += 1,
            Verdict::Refused(class) => *self.refused.entry(class.clone()).or_default() += 1,
            Verdict::OracleRefused(class) => *self.oracle_refused.entry(class.clone()).or_default() += 1,
            Verdict::BothRefused(class) => *self.both_refused.entry(class.clone()).or_default() += 1,
            Verdict::Skipped => self.skipped += 1,
            Verdict::OracleErrs => self.oracle_errs += 1,
            Verdict::Broken(class) => {
                self.broken += 1;
                *self.refused.entry(class.clone()).or_default() += 1;
            }
        }
    }

    pub(crate) fn compared(&self) -> usize {
        self.equal + self.differ + self.refused()
    }

    fn refused(&self) -> usize {
        self.refused.values().sum()
    }

    /// The line of totals and the classes, the most frequent first.
    pub(crate) fn summary(&self, seed: u64) -> String {
        let compared = self.compared();
        let share = |count: usize| 100.0 * count as f64 / compared.max(1) as f64;
        let mut text = format!(
            "seed {seed}: compared {compared}, equal {}, differ {}, refused {} ({:.2} %, internal or lost {}), \
             oracle refused {}, both refused {}, skipped {}, oracle contradicts itself {}\n",
            self.equal,
            self.differ,
            self.refused(),
            share(self.refused()),
            self.broken,
            self.oracle_refused.values().sum::<usize>(),
            self.both_refused.values().sum::<usize>(),
            self.skipped,
            self.oracle_errs,
        );
        let kinds = [
            ("refused", &self.refused),
            ("oracle refused, we answered", &self.oracle_refused),
            ("both refused", &self.both_refused),
        ];
        for (name, classes) in kinds {
            let mut classes: Vec<_> = classes.iter().collect();
            classes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (class, count) in classes {
                writeln!(text, "  {name} {count} ({:.2} %) {class}", share(*count)).unwrap();
            }
        }
        text
    }

    /// What must not be, in words; empty when all is as it should.
    pub(crate) fn failures(&self, max_refused: f64, known: &[(&str, &str)]) -> Vec<String> {
        let mut failures = Vec::new();
        if self.differ > 0 {
            failures.push(format!("{} answers are other than PostgreSQL's, in silence", self.differ));
        }
        if self.broken > 0 {
            failures.push(format!("{} queries end in an internal error or a lost connection", self.broken));
        }
        if self.refused() as f64 > max_refused * self.compared() as f64 {
            failures.push(format!("{} of {} queries are refused", self.refused(), self.compared()));
        }
        for (class, count) in &self.oracle_refused {
            if !known.iter().any(|(start, _)| class.starts_with(start)) {
                failures.push(format!("PostgreSQL refuses what we answer, {count} times: {class}"));
            }
        }
        if self.compared() == 0 {
            failures.push("nothing was compared".to_owned());
        }
        failures
    }
}
