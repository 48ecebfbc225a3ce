//! Types: which one a value is of, and how SQL writes and reads their names; and values of any, as whether they are NULL.

mod format_type;
mod nulls;
mod pg_typeof;
mod to_regtype;

pub(crate) use self::pg_typeof::PG_TYPEOF;
use super::Function;

pub(super) const ROOM: &[&Function] = &[
    &format_type::FORMAT_TYPE,
    &nulls::NUM_NONNULLS,
    &nulls::NUM_NONNULLS_OF,
    &nulls::NUM_NULLS,
    &nulls::NUM_NULLS_OF,
    &PG_TYPEOF,
    &to_regtype::TO_REGTYPE,
];
