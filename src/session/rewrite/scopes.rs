//! The SELECTs around a place in a statement, as a walk through it enters and leaves them.

use datafusion::sql::sqlparser::ast::{OrderBy, TableFactor};

/// What a name is looked for in, from the innermost SELECT outward.
pub(super) struct Scopes<S> {
    frames: Vec<Frame<S>>,
    /// ORDER BY is taken out of its query while the query is walked through.
    orders: Vec<Option<OrderBy>>,
}

enum Frame<S> {
    Select(S),
    /// An item of FROM that does not see the SELECT that it stands in.
    Hidden,
    /// An item of FROM that sees this of the SELECT that it stands in: the items before it.
    Before(S),
}

impl<S> Default for Scopes<S> {
    fn default() -> Self {
        Self { frames: Vec::new(), orders: Vec::new() }
    }
}

impl<S> Scopes<S> {
    pub(super) fn enter(&mut self, scope: S) {
        self.frames.push(Frame::Select(scope));
    }

    pub(super) fn leave(&mut self) {
        self.frames.pop();
    }

    pub(super) fn enter_item(&mut self, item: &TableFactor) {
        if hides(item) {
            self.frames.push(Frame::Hidden);
        }
    }

    pub(super) fn leave_item(&mut self, item: &TableFactor) {
        if hides(item) {
            self.frames.pop();
        }
    }

    /// Enters an item of FROM that sees those before it; [`Self::leave`] leaves it.
    pub(super) fn enter_behind(&mut self, before: S) {
        self.frames.push(Frame::Before(before));
    }

    /// Keeps the ORDER BY of a query until it is left.
    pub(super) fn keep_order(&mut self, order_by: Option<OrderBy>) {
        self.orders.push(order_by);
    }

    pub(super) fn kept_order(&mut self) -> Option<OrderBy> {
        self.orders.pop().flatten()
    }

    /// The scopes that can be seen, the innermost first, and whether each is of the items before one of FROM.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&S, bool)> {
        let mut hidden = 0;
        self.frames.iter().rev().filter_map(move |frame| match frame {
            Frame::Hidden => {
                hidden += 1;
                None
            }
            Frame::Before(scope) => {
                let is_seen = hidden == 0;
                hidden += 1;
                is_seen.then_some((scope, true))
            }
            Frame::Select(_) if hidden > 0 => {
                hidden -= 1;
                None
            }
            Frame::Select(scope) => Some((scope, false)),
        })
    }
}

fn hides(item: &TableFactor) -> bool {
    matches!(item, TableFactor::Derived { lateral: false, .. })
}
