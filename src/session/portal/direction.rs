//! Where a FETCH or a MOVE goes.

/// Where to read, seen from the row that a portal stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// So many rows on, or back where it is below zero; zero is the row that it stands on.
    By(i64),
    /// All that follow.
    Forward,
    /// All before, the nearest first.
    Backward,
    /// The row of this number, from 1; below zero it counts from the end, and zero is before the first.
    Absolute(i64),
    /// The row so many rows away.
    Relative(i64),
}
