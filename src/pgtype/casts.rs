//! Which types become which others, and where.

use super::{
    ANY, ANYARRAY, ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, ANYELEMENT, ANYNONARRAY, BOOL, BPCHAR, CHAR, DATE, FLOAT4,
    FLOAT8, INT2, INT4, INT8, INTERVAL, JSON, JSONB, NAME, NUMERIC, OID, PgType, REGPROC, REGTYPE, TEXT, TIME,
    TIMESTAMP, TIMESTAMPTZ, TIMETZ, UNKNOWN, VARCHAR,
};

/// Where values of a type become those of another without being told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// Anywhere.
    Implicit,
    /// Where they are stored.
    Assignment,
    /// Nowhere: only CAST makes them so.
    Explicit,
}

/// From, to, and where, as in PostgreSQL 15's `pg_cast`.
const CASTS: &[(PgType, PgType, Context)] = {
    use Context::{Assignment as A, Explicit as E, Implicit as I};
    &[
        (INT2, INT4, I),
        (INT2, INT8, I),
        (INT2, NUMERIC, I),
        (INT2, FLOAT4, I),
        (INT2, FLOAT8, I),
        (INT2, OID, I),
        (INT2, REGPROC, I),
        (INT2, REGTYPE, I),
        (INT4, INT2, A),
        (INT4, INT8, I),
        (INT4, NUMERIC, I),
        (INT4, FLOAT4, I),
        (INT4, FLOAT8, I),
        (INT4, OID, I),
        (INT4, REGPROC, I),
        (INT4, REGTYPE, I),
        (INT4, BOOL, E),
        (INT4, CHAR, E),
        (INT8, INT2, A),
        (INT8, INT4, A),
        (INT8, NUMERIC, I),
        (INT8, FLOAT4, I),
        (INT8, FLOAT8, I),
        (INT8, OID, I),
        (INT8, REGPROC, I),
        (INT8, REGTYPE, I),
        (NUMERIC, INT2, A),
        (NUMERIC, INT4, A),
        (NUMERIC, INT8, A),
        (NUMERIC, FLOAT4, I),
        (NUMERIC, FLOAT8, I),
        (FLOAT4, INT2, A),
        (FLOAT4, INT4, A),
        (FLOAT4, INT8, A),
        (FLOAT4, NUMERIC, A),
        (FLOAT4, FLOAT8, I),
        (FLOAT8, INT2, A),
        (FLOAT8, INT4, A),
        (FLOAT8, INT8, A),
        (FLOAT8, NUMERIC, A),
        (FLOAT8, FLOAT4, A),
        (OID, INT4, A),
        (OID, REGPROC, I),
        (OID, REGTYPE, I),
        (REGPROC, OID, I),
        (REGPROC, INT4, A),
        (REGPROC, INT8, A),
        (OID, INT8, A),
        (BOOL, INT4, E),
        (BOOL, TEXT, A),
        (BOOL, VARCHAR, A),
        (BOOL, BPCHAR, A),
        (TEXT, VARCHAR, I),
        (TEXT, BPCHAR, I),
        (TEXT, NAME, I),
        (TEXT, CHAR, A),
        (VARCHAR, TEXT, I),
        (VARCHAR, BPCHAR, I),
        (VARCHAR, NAME, I),
        (VARCHAR, CHAR, A),
        (BPCHAR, TEXT, I),
        (BPCHAR, VARCHAR, I),
        (BPCHAR, NAME, I),
        (BPCHAR, CHAR, A),
        (NAME, TEXT, I),
        (NAME, VARCHAR, A),
        (NAME, BPCHAR, A),
        (CHAR, TEXT, I),
        (CHAR, VARCHAR, A),
        (CHAR, BPCHAR, A),
        (CHAR, INT4, E),
        (DATE, TIMESTAMP, I),
        (DATE, TIMESTAMPTZ, I),
        (TIMESTAMP, DATE, A),
        (TIMESTAMP, TIME, A),
        (TIMESTAMP, TIMESTAMPTZ, I),
        (TIMESTAMPTZ, DATE, A),
        (TIMESTAMPTZ, TIME, A),
        (TIMESTAMPTZ, TIMESTAMP, A),
        (TIMESTAMPTZ, TIMETZ, A),
        (TIME, INTERVAL, I),
        (TIME, TIMETZ, I),
        (TIMETZ, TIME, A),
        (INTERVAL, TIME, A),
        (JSON, JSONB, A),
        (JSONB, JSON, A),
        (JSONB, BOOL, E),
        (JSONB, NUMERIC, E),
        (JSONB, INT2, E),
        (JSONB, INT4, E),
        (JSONB, INT8, E),
        (JSONB, FLOAT4, E),
        (JSONB, FLOAT8, E),
    ]
};

/// All that are listed: from, to, and where.
pub(crate) fn casts() -> &'static [(PgType, PgType, Context)] {
    CASTS
}

/// Where values of one type become those of another; none: nowhere, not even by CAST. Every type is cast to a text where it is
/// stored, and read from one by CAST, and arrays become what their elements become.
pub fn cast_between(from: &PgType, to: &PgType) -> Option<Context> {
    if let (Some(from), Some(to)) = (from.element_type(), to.element_type()) {
        return if from.oid == to.oid { Some(Context::Implicit) } else { cast_between(from, to) };
    }
    if from.oid == to.oid {
        return Some(Context::Implicit);
    }
    let listed = CASTS.iter().find(|(known, other, _)| known.oid == from.oid && other.oid == to.oid);
    if let Some((_, _, context)) = listed {
        return Some(*context);
    }
    let is_text = |pg: &PgType| pg.category == TEXT.category;
    let is_value = |pg: &PgType| pg.category != 'P';
    if from.oid == UNKNOWN.oid {
        return Some(Context::Implicit);
    }
    if is_text(to) {
        return Some(Context::Assignment);
    }
    (is_text(from) && is_value(to)).then_some(Context::Explicit)
}

impl PgType {
    /// Whether values of its category become it where one can choose.
    pub fn is_preferred(&self) -> bool {
        [BOOL.oid, OID.oid, TEXT.oid, FLOAT8.oid, TIMESTAMPTZ.oid, INTERVAL.oid].contains(&self.oid)
    }

    /// Whether it stands for any type that is given.
    pub fn is_polymorphic(&self) -> bool {
        let of_one = [ANYELEMENT.oid, ANYCOMPATIBLE.oid, ANYNONARRAY.oid];
        self.is_any() || self.is_any_array() || of_one.contains(&self.oid)
    }

    /// Whether it stands for any type, whatever the others are.
    pub fn is_any(&self) -> bool {
        self.oid == ANY.oid
    }

    /// Whether it stands for any type but those of arrays.
    pub fn is_any_but_arrays(&self) -> bool {
        self.oid == ANYNONARRAY.oid
    }

    /// Whether it stands for the type of any array.
    pub fn is_any_array(&self) -> bool {
        [ANYARRAY.oid, ANYCOMPATIBLEARRAY.oid].contains(&self.oid)
    }
}
