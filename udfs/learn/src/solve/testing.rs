//! What the tests of the solvers share.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Problem;
use crate::{Control, factors::Side, sparse::Csr};

/// A problem that owns its parts.
#[derive(Clone, Default)]
pub(super) struct Owned {
    pub(super) users: Side,
    pub(super) items: Side,
    pub(super) user: Vec<u32>,
    pub(super) item: Vec<u32>,
    pub(super) context: Csr,
    pub(super) target: Vec<f32>,
    pub(super) weight: Vec<f32>,
}

impl Owned {
    /// The problem that a solver takes.
    pub(super) fn problem(&self) -> Problem<'_> {
        Problem {
            users: &self.users,
            items: &self.items,
            user: &self.user,
            item: &self.item,
            context: &self.context,
            target: &self.target,
            weight: &self.weight,
        }
    }
}

/// A side without features.
pub(super) fn side(entities: usize) -> Side {
    Side { entities, features: Csr::empty(entities, 0) }
}

/// A sparse matrix of the given rows of (column, value).
pub(super) fn csr(columns: usize, rows: &[Vec<(u32, f32)>]) -> Csr {
    let mut matrix = Csr { offsets: vec![0], columns, ..Csr::default() };
    for row in rows {
        matrix.indices.extend(row.iter().map(|entry| entry.0));
        matrix.values.extend(row.iter().map(|entry| entry.1));
        matrix.offsets.push(matrix.indices.len());
    }
    matrix
}

/// Cancels after so many questions.
pub(super) struct Impatient(AtomicUsize);

impl Impatient {
    /// Patient for this many questions.
    pub(super) fn after(questions: usize) -> Self {
        Self(AtomicUsize::new(questions))
    }
}

impl Control for Impatient {
    fn progress(&self, _phase: &str, _done: u64, _total: u64, _loss: Option<f64>) {}

    fn cancelled(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}
