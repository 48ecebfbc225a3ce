//! Which type values of several types have together.

use super::{Context, PgType, cast_between};

/// Why they have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// These two are of different categories.
    Categories(&'static PgType, &'static PgType),
    /// Values of the first do not become those of the second by themselves, which is what others are.
    Becoming(&'static PgType, &'static PgType),
}

/// The type that values of these types have together, in the order in which PostgreSQL looks at them; none of one that is not
/// known yet, and none at all where none is known: such values are texts (chapter 10.5 of its manual, "UNION, CASE, and Related
/// Constructs").
pub fn common_type(types: &[Option<&'static PgType>]) -> Result<Option<&'static PgType>, Unmatched> {
    let mut known = types.iter().copied().flatten();
    let Some(mut common) = known.next() else { return Ok(None) };
    for next in known {
        if next.oid == common.oid {
            continue;
        }
        if next.category != common.category {
            return Err(Unmatched::Categories(common, next));
        }
        if !common.is_preferred() && becomes(common, next) && !becomes(next, common) {
            common = next;
        }
    }
    match types.iter().copied().flatten().find(|own| !becomes(own, common)) {
        Some(own) => Err(Unmatched::Becoming(own, common)),
        None => Ok(Some(common)),
    }
}

fn becomes(from: &PgType, to: &PgType) -> bool {
    cast_between(from, to) == Some(Context::Implicit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgtype::{
        BOOL, BPCHAR, DATE, FLOAT4, FLOAT8, INT2, INT4, INT4_ARRAY, INT8, INTERVAL, JSON, NAME, NUMERIC, OID, TEXT,
        TEXT_ARRAY, TIME, TIMESTAMP, TIMESTAMPTZ, UUID, VARCHAR,
    };

    /// `SELECT pg_typeof(coalesce(NULL::one, NULL::other))` of PostgreSQL 15, and what it says where it refuses.
    #[test]
    fn two_types_have_the_type_that_postgresql_finds() {
        let cases: &[(&'static PgType, &'static PgType, &'static PgType)] = &[
            (&INT4, &INT4, &INT4),
            (&INT2, &INT4, &INT4),
            (&INT8, &INT4, &INT8),
            (&INT4, &NUMERIC, &NUMERIC),
            (&NUMERIC, &FLOAT4, &FLOAT4),
            (&FLOAT4, &INT8, &FLOAT4),
            (&FLOAT4, &FLOAT8, &FLOAT8),
            (&INT4, &OID, &OID),
            (&DATE, &TIMESTAMP, &TIMESTAMP),
            (&TIMESTAMPTZ, &DATE, &TIMESTAMPTZ),
            (&TIMESTAMP, &TIMESTAMPTZ, &TIMESTAMPTZ),
            (&VARCHAR, &TEXT, &VARCHAR),
            (&TEXT, &VARCHAR, &TEXT),
            (&BPCHAR, &TEXT, &BPCHAR),
            (&NAME, &TEXT, &NAME),
            (&VARCHAR, &NAME, &NAME),
        ];
        for &(one, other, expected) in cases {
            let found = common_type(&[Some(one), None, Some(other)]);
            assert_eq!(found, Ok(Some(expected)), "{} {}", one.name, other.name);
        }
        assert_eq!(common_type(&[None, None]), Ok(None));
        assert_eq!(common_type(&[Some(&INT4), Some(&TEXT)]), Err(Unmatched::Categories(&INT4, &TEXT)));
        assert_eq!(common_type(&[Some(&BOOL), Some(&INT4)]), Err(Unmatched::Categories(&BOOL, &INT4)));
        assert_eq!(common_type(&[Some(&TIME), Some(&INTERVAL)]), Err(Unmatched::Categories(&TIME, &INTERVAL)));
        assert_eq!(common_type(&[Some(&UUID), Some(&JSON)]), Err(Unmatched::Becoming(&JSON, &UUID)));
        assert_eq!(common_type(&[Some(&FLOAT8), Some(&OID)]), Err(Unmatched::Becoming(&OID, &FLOAT8)));
        assert_eq!(
            common_type(&[Some(&INT4_ARRAY), Some(&TEXT_ARRAY)]),
            Err(Unmatched::Becoming(&TEXT_ARRAY, &INT4_ARRAY))
        );
    }
}
