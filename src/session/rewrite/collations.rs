//! `name COLLATE "C"`: texts are in the order of their characters' numbers here, which is what PostgreSQL's `C` and the
//! database's own collation are, so that a value is the same with the name of one of these and without.

use datafusion::sql::sqlparser::ast::{Expr, ObjectName};

use super::{null, told_types};
use crate::{Error, Fault, Result};

/// The names of the order that there is.
const COLLATIONS: &[&str] = &["default", "C", "POSIX", "C.UTF-8", "C.utf8", "ucs_basic"];

/// Leaves out the name of the order that there is, and refuses others.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::Collate { expr, collation } = expression else { return Ok(()) };
    let known = told_types::word(collation).is_some_and(|word| COLLATIONS.contains(&word.as_str()));
    if !known {
        return Err(unknown(collation));
    }
    let value = std::mem::replace(expr.as_mut(), null());
    *expression = value;
    Ok(())
}

fn unknown(collation: &ObjectName) -> Error {
    let parts = collation.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.clone());
    let name = parts.collect::<Vec<_>>().join(".");
    Error::new(Fault::UndefinedObject, format!("collation \"{name}\" for encoding \"UTF8\" does not exist"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;
    use crate::session::PostgreSql;

    fn rewritten(text: &str) -> Result<String> {
        let mut expression = Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap();
        rewrite(&mut expression).map(|()| expression.to_string())
    }

    #[test]
    fn the_order_that_there_is_need_not_be_named() {
        for text in ["a COLLATE \"C\"", "a COLLATE pg_catalog.\"default\"", "a COLLATE \"POSIX\"", "a"] {
            assert_eq!(rewritten(text).unwrap(), "a", "{text}");
        }
        for text in ["a COLLATE c", "a COLLATE \"nope\"", "a COLLATE other.\"C\""] {
            assert!(rewritten(text).is_err(), "{text}");
        }
    }
}
