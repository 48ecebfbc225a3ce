//! Names in the conditions of joins.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, VisitorMut};

use super::merge::{Namespace, folded};

/// Writes names in a condition with their tables: a join that follows may bring columns of the same names.
pub(super) struct Condition<'a> {
    namespace: &'a Namespace,
    /// Queries and names with subscripts, which have names of their own, around the place.
    within: usize,
}

impl<'a> Condition<'a> {
    pub(super) fn of(namespace: &'a Namespace) -> Self {
        Self { namespace, within: 0 }
    }
}

impl VisitorMut for Condition<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.within += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.within -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            Expr::CompoundFieldAccess { .. } => self.within += 1,
            Expr::Identifier(name) if self.within == 0 => {
                let name = folded(name);
                let mut found = self.namespace.find(&name);
                if let (Some(column), None) = (found.next(), found.next()) {
                    *expression = column.value.clone();
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundFieldAccess { .. } = expression {
            self.within -= 1;
        }
        ControlFlow::Continue(())
    }
}
