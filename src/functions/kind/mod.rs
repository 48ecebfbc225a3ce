//! Types: which one a value is of, and how SQL writes and reads their names.

mod format_type;
mod pg_typeof;
mod to_regtype;

pub(crate) use self::pg_typeof::PG_TYPEOF;
use super::Function;

pub(super) const ROOM: &[&Function] = &[&format_type::FORMAT_TYPE, &PG_TYPEOF, &to_regtype::TO_REGTYPE];
