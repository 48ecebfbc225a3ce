//! The SELECTs around a place in a statement, as a walk through it enters and leaves them.

use datafusion::sql::sqlparser::ast::{OrderBy, TableFactor};

/// What a name is looked for in, from the innermost SELECT outward.
pub(super) struct Scopes<S> {
    /// None is an item of FROM that does not see the SELECT that it stands in.
    frames: Vec<Option<S>>,
    /// ORDER BY is taken out of its query while the query is walked through.
    orders: Vec<Option<OrderBy>>,
}

impl<S> Default for Scopes<S> {
    fn default() -> Self {
        Self { frames: Vec::new(), orders: Vec::new() }
    }
}

impl<S> Scopes<S> {
    pub(super) fn enter(&mut self, scope: S) {
        self.frames.push(Some(scope));
    }

    pub(super) fn leave(&mut self) {
        self.frames.pop();
    }

    pub(super) fn enter_item(&mut self, item: &TableFactor) {
        if hides(item) {
            self.frames.push(None);
        }
    }

    pub(super) fn leave_item(&mut self, item: &TableFactor) {
        if hides(item) {
            self.frames.pop();
        }
    }

    /// Keeps the ORDER BY of a query until it is left.
    pub(super) fn keep_order(&mut self, order_by: Option<OrderBy>) {
        self.orders.push(order_by);
    }

    pub(super) fn kept_order(&mut self) -> Option<OrderBy> {
        self.orders.pop().flatten()
    }

    /// The scopes that can be seen, the innermost first.
    pub(super) fn visible(&self) -> impl Iterator<Item = &S> {
        let mut hidden = 0;
        self.frames.iter().rev().filter_map(move |frame| match frame {
            None => {
                hidden += 1;
                None
            }
            Some(_) if hidden > 0 => {
                hidden -= 1;
                None
            }
            Some(scope) => Some(scope),
        })
    }
}

fn hides(item: &TableFactor) -> bool {
    matches!(item, TableFactor::Derived { lateral: false, .. })
}
