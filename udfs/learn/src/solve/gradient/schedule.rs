//! Which rows may be worked on at the same time, and in which order.

use crate::{random::Random, solve::Problem};

/// Blocks of users, of items, and of rows without either: how many tasks may run at once. Part of the result, so it is fixed.
pub(super) const BLOCKS: usize = 8;
/// The fewest and the most rows that a block works on before the shared parameters move.
const ROUND: (usize, usize) = (32, 1024);

/// The rows of every stratum and block.
pub(super) struct Schedule {
    strata: Vec<Vec<Vec<u32>>>,
    /// Rows of each block between two moves of the shared parameters.
    pub(super) round: usize,
    /// About how many vectors a row touches.
    pub(super) work_per_row: usize,
}

impl Schedule {
    /// Deals the rows; `features` is the number of features that blocks share.
    pub(super) fn new(problem: &Problem, features: usize) -> Self {
        let rows = problem.rows();
        let both = problem.users.entities > 0 && problem.items.entities > 0;
        let mut strata = vec![vec![Vec::new(); BLOCKS]; if both { BLOCKS } else { 1 }];
        for row in 0..rows {
            let user = problem.user.get(row).map(|&user| user as usize % BLOCKS);
            let item = problem.item.get(row).map(|&item| item as usize % BLOCKS);
            let (stratum, block) = match (user, item) {
                (Some(user), Some(item)) => ((item + BLOCKS - user) % BLOCKS, user),
                (Some(own), None) | (None, Some(own)) => (0, own),
                (None, None) => (0, row % BLOCKS),
            };
            strata[stratum][block].push(row as u32);
        }
        let round = match features {
            0 => usize::MAX,
            _ => (rows / BLOCKS / 64).clamp(ROUND.0, ROUND.1),
        };
        let nonzeros = problem.context.indices.len() / rows.max(1);
        Self { strata, round, work_per_row: 2 + nonzeros }
    }

    /// How many strata there are.
    pub(super) fn strata(&self) -> usize {
        self.strata.len()
    }

    /// The rows of every block of a stratum, in this epoch's order.
    pub(super) fn shuffled(&self, stratum: usize, seed: u64, epoch: u64) -> Vec<Vec<u32>> {
        let blocks = self.strata[stratum].iter().enumerate();
        blocks
            .map(|(block, rows)| {
                let mut random = Random::keyed(seed, &[4, epoch, stratum as u64, block as u64]);
                let mut rows = rows.clone();
                for last in (1..rows.len()).rev() {
                    rows.swap(last, random.below(last as u64 + 1) as usize);
                }
                rows
            })
            .collect()
    }
}
