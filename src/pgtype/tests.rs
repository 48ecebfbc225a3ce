//! The list against what PostgreSQL 15.18 says of its types.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::*;

/// `SELECT typname, format_type(oid, NULL), oid, typarray, typlen, typcategory FROM pg_type`.
const PG_TYPE: &[(&str, &str, u32, u32, i16, char)] = &[
    ("bool", "boolean", 16, 1000, 1, 'B'),
    ("bytea", "bytea", 17, 1001, -1, 'U'),
    ("char", "\"char\"", 18, 1002, 1, 'Z'),
    ("name", "name", 19, 1003, 64, 'S'),
    ("int8", "bigint", 20, 1016, 8, 'N'),
    ("int2", "smallint", 21, 1005, 2, 'N'),
    ("int2vector", "int2vector", 22, 1006, -1, 'A'),
    ("int4", "integer", 23, 1007, 4, 'N'),
    ("regproc", "regproc", 24, 1008, 4, 'N'),
    ("text", "text", 25, 1009, -1, 'S'),
    ("oid", "oid", 26, 1028, 4, 'N'),
    ("xid", "xid", 28, 1011, 4, 'U'),
    ("oidvector", "oidvector", 30, 1013, -1, 'A'),
    ("json", "json", 114, 199, -1, 'U'),
    ("pg_node_tree", "pg_node_tree", 194, 0, -1, 'Z'),
    ("_json", "json[]", 199, 0, -1, 'A'),
    ("float4", "real", 700, 1021, 4, 'N'),
    ("float8", "double precision", 701, 1022, 8, 'N'),
    ("unknown", "unknown", 705, 0, -2, 'X'),
    ("inet", "inet", 869, 1041, -1, 'I'),
    ("_bool", "boolean[]", 1000, 0, -1, 'A'),
    ("_bytea", "bytea[]", 1001, 0, -1, 'A'),
    ("_char", "\"char\"[]", 1002, 0, -1, 'A'),
    ("_name", "name[]", 1003, 0, -1, 'A'),
    ("_int2", "smallint[]", 1005, 0, -1, 'A'),
    ("_int2vector", "int2vector[]", 1006, 0, -1, 'A'),
    ("_int4", "integer[]", 1007, 0, -1, 'A'),
    ("_regproc", "regproc[]", 1008, 0, -1, 'A'),
    ("_text", "text[]", 1009, 0, -1, 'A'),
    ("_xid", "xid[]", 1011, 0, -1, 'A'),
    ("_oidvector", "oidvector[]", 1013, 0, -1, 'A'),
    ("_bpchar", "character[]", 1014, 0, -1, 'A'),
    ("_varchar", "character varying[]", 1015, 0, -1, 'A'),
    ("_int8", "bigint[]", 1016, 0, -1, 'A'),
    ("_float4", "real[]", 1021, 0, -1, 'A'),
    ("_float8", "double precision[]", 1022, 0, -1, 'A'),
    ("_oid", "oid[]", 1028, 0, -1, 'A'),
    ("aclitem", "aclitem", 1033, 1034, 12, 'U'),
    ("_aclitem", "aclitem[]", 1034, 0, -1, 'A'),
    ("_inet", "inet[]", 1041, 0, -1, 'A'),
    ("bpchar", "character", 1042, 1014, -1, 'S'),
    ("varchar", "character varying", 1043, 1015, -1, 'S'),
    ("date", "date", 1082, 1182, 4, 'D'),
    ("time", "time without time zone", 1083, 1183, 8, 'D'),
    ("timestamp", "timestamp without time zone", 1114, 1115, 8, 'D'),
    ("_timestamp", "timestamp without time zone[]", 1115, 0, -1, 'A'),
    ("_date", "date[]", 1182, 0, -1, 'A'),
    ("_time", "time without time zone[]", 1183, 0, -1, 'A'),
    ("timestamptz", "timestamp with time zone", 1184, 1185, 8, 'D'),
    ("_timestamptz", "timestamp with time zone[]", 1185, 0, -1, 'A'),
    ("interval", "interval", 1186, 1187, 16, 'T'),
    ("_interval", "interval[]", 1187, 0, -1, 'A'),
    ("_numeric", "numeric[]", 1231, 0, -1, 'A'),
    ("timetz", "time with time zone", 1266, 1270, 12, 'D'),
    ("_timetz", "time with time zone[]", 1270, 0, -1, 'A'),
    ("numeric", "numeric", 1700, 1231, -1, 'N'),
    ("regprocedure", "regprocedure", 2202, 2207, 4, 'N'),
    ("regclass", "regclass", 2205, 2210, 4, 'N'),
    ("regtype", "regtype", 2206, 2211, 4, 'N'),
    ("_regprocedure", "regprocedure[]", 2207, 0, -1, 'A'),
    ("_regclass", "regclass[]", 2210, 0, -1, 'A'),
    ("_regtype", "regtype[]", 2211, 0, -1, 'A'),
    ("record", "record", 2249, 2287, -1, 'P'),
    ("any", "\"any\"", 2276, 0, 4, 'P'),
    ("anyarray", "anyarray", 2277, 0, -1, 'P'),
    ("void", "void", 2278, 0, 4, 'P'),
    ("trigger", "trigger", 2279, 0, 4, 'P'),
    ("anyelement", "anyelement", 2283, 0, 4, 'P'),
    ("_record", "record[]", 2287, 0, -1, 'P'),
    ("anynonarray", "anynonarray", 2776, 0, 4, 'P'),
    ("uuid", "uuid", 2950, 2951, 16, 'U'),
    ("_uuid", "uuid[]", 2951, 0, -1, 'A'),
    ("pg_lsn", "pg_lsn", 3220, 3221, 8, 'U'),
    ("_pg_lsn", "pg_lsn[]", 3221, 0, -1, 'A'),
    ("pg_ndistinct", "pg_ndistinct", 3361, 0, -1, 'Z'),
    ("pg_dependencies", "pg_dependencies", 3402, 0, -1, 'Z'),
    ("jsonb", "jsonb", 3802, 3807, -1, 'U'),
    ("_jsonb", "jsonb[]", 3807, 0, -1, 'A'),
    ("regnamespace", "regnamespace", 4089, 4090, 4, 'N'),
    ("_regnamespace", "regnamespace[]", 4090, 0, -1, 'A'),
    ("regrole", "regrole", 4096, 4097, 4, 'N'),
    ("_regrole", "regrole[]", 4097, 0, -1, 'A'),
    ("pg_mcv_list", "pg_mcv_list", 5017, 0, -1, 'Z'),
    ("anycompatible", "anycompatible", 5077, 0, 4, 'P'),
    ("anycompatiblearray", "anycompatiblearray", 5078, 0, -1, 'P'),
];

/// `SELECT format_type(oid, modifier)`.
const FORMAT_TYPE: &[(u32, i32, &str)] = &[
    (16, -1, "boolean"),
    (18, -1, "\"char\""),
    (23, 5, "integer"),
    (1002, -1, "\"char\"[]"),
    (1014, -1, "bpchar[]"),
    (1014, 14, "character(10)[]"),
    (1015, 14, "character varying(10)[]"),
    (1042, -1, "bpchar"),
    (1042, 14, "character(10)"),
    (1043, -1, "character varying"),
    (1043, 14, "character varying(10)"),
    (1083, 2, "time(2) without time zone"),
    (1114, 0, "timestamp(0) without time zone"),
    (1115, 3, "timestamp(3) without time zone[]"),
    (1184, 3, "timestamp(3) with time zone"),
    (1185, 2, "timestamp(2) with time zone[]"),
    (1186, -1, "interval"),
    (1231, -1, "numeric[]"),
    (1231, 655_366, "numeric(10,2)[]"),
    (1266, 2, "time(2) with time zone"),
    (1700, -1, "numeric"),
    (1700, 198_658, "numeric(3,-2)"),
    (1700, 655_366, "numeric(10,2)"),
    (1700, 65_537_004, "numeric(1000,1000)"),
    (2287, -1, "record[]"),
];

#[test]
fn the_list_says_what_postgresql_says() {
    let mut own: Vec<_> = TYPES
        .iter()
        .map(|known| (known.name, known.sql(None), known.oid, known.array, known.length, known.category))
        .collect();
    own.sort_by_key(|known| known.2);
    let expected: Vec<_> = PG_TYPE.iter().map(|(name, sql, ..)| (*name, (*sql).to_owned())).collect();
    assert_eq!(own.iter().map(|known| (known.0, known.1.clone())).collect::<Vec<_>>(), expected);
    let numbers = PG_TYPE.iter().map(|(_, _, oid, array, length, category)| (*oid, *array, *length, *category));
    assert!(own.iter().map(|known| (known.2, known.3, known.4, known.5)).eq(numbers), "{own:?}");
    for known in TYPES {
        assert_eq!(by_oid(known.oid), Some(known));
        assert_eq!(by_name(known.name), Some(known));
        assert_eq!(known.array_type().map_or(known.oid, |array| array.element), known.oid, "{}", known.name);
    }
}

#[test]
fn modifiers_are_written_as_postgresql_writes_them() {
    for (oid, modifier, expected) in FORMAT_TYPE {
        assert_eq!(by_oid(*oid).unwrap().sql(Some(*modifier)), *expected, "format_type({oid}, {modifier})");
    }
    assert_eq!(TIMESTAMP.word(Some(3)), "timestamp(3)");
    assert_eq!(name_of(1115), "timestamp[]");
    assert_eq!(name_of(600), "with oid 600");
}

#[test]
fn a_type_has_several_words() {
    for (word, expected) in [
        ("int", &INT4),
        ("integer", &INT4),
        ("int4", &INT4),
        ("char", &BPCHAR),
        ("\"char\"", &CHAR),
        ("decimal", &NUMERIC),
        ("double precision", &FLOAT8),
        ("timestamp", &TIMESTAMP),
        ("timestamp without time zone", &TIMESTAMP),
        ("timestamp with time zone", &TIMESTAMPTZ),
        ("time with time zone", &TIMETZ),
    ] {
        assert_eq!(by_word(word), Some(expected), "{word}");
    }
    assert_eq!(by_word("serial"), None);
}

#[test]
fn lists_are_arrays_of_their_innermost_element() {
    let vector = DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Float32, false)), 8);
    assert_eq!(of(&vector).pg.oid, 1021);
    assert_eq!(of(&list_of(vector)).pg.oid, 1021);
    assert_eq!(sent_as(&list_of(DataType::UInt64)), list_of(DataType::Decimal128(20, 0)));
    assert_eq!(type_name(&list_of(list_of(DataType::Decimal128(10, 2)))), "numeric(10,2)[][]");
}

#[test]
fn numerics_carry_precision_and_scale() {
    assert_eq!(of(&DataType::Decimal128(10, 2)).modifier, 655_366);
    assert_eq!(of(&DataType::Utf8).modifier, -1);
    for decimal in [DataType::Decimal128(3, -2), DataType::Decimal128(38, 38), DataType::Decimal256(76, 20)] {
        let ColumnType { pg, modifier } = of(&decimal);
        assert_eq!(pg.arrow(modifier), Some(decimal));
    }
    assert_eq!(arrow(1700, 65_537_004), None);
}

#[test]
fn what_is_sent_keeps_its_type() {
    for data_type in [
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Date64,
        DataType::Duration(TimeUnit::Second),
        DataType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Berlin".into())),
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8)),
    ] {
        assert_eq!(of(&sent_as(&data_type)), of(&data_type), "{data_type}");
    }
}

#[test]
fn values_of_a_type_are_of_the_arrow_type_that_is_sent() {
    for known in TYPES {
        let Some(data_type) = known.arrow(-1) else { continue };
        assert_eq!(sent_as(&data_type), data_type, "{}", known.name);
    }
}

/// The functions know nothing of the engine, and name types in their errors.
#[test]
fn the_functions_call_types_by_the_same_names() {
    let item = || Arc::new(Field::new_list_field(DataType::Int64, true));
    for data_type in [
        DataType::Null,
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::FixedSizeBinary(3),
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(TimeUnit::Second),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Interval(IntervalUnit::DayTime),
        DataType::Duration(TimeUnit::Second),
        DataType::Decimal32(5, 2),
        DataType::Decimal128(10, -2),
        DataType::Decimal256(76, 10),
        DataType::List(item()),
        DataType::LargeList(item()),
        DataType::FixedSizeList(item(), 2),
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::Struct(vec![Field::new("a", DataType::Int64, true)].into()),
    ] {
        assert_eq!(type_name(&data_type), fusewire_udfs::type_name(&data_type), "{data_type}");
    }
}

/// Of each type what its values become of each of these types in turn: by `pg_cast`, by CAST and by INSERT. `i` is everywhere, `a`
/// where they are stored, `e` by a cast alone.
const CASTS: &[(&str, &str)] = &[
    ("bool", "i--a--ea----aa-----------"),
    ("bytea", "-i-a---a----aa-----------"),
    ("char", "--ia--ei----aa-----------"),
    ("name", "eeeieeeieeeeaaeeeeeeeeeee"),
    ("int8", "---aiaaai-iiaa------i----"),
    ("int2", "---aiiiai-iiaa------i----"),
    ("int4", "e-eaiaiai-iiaa------i----"),
    ("text", "eeaieeeieeeeiieeeeeeeeeee"),
    ("oid", "---aa-aai---aa-----------"),
    ("json", "---a---a-i--aa--------a--"),
    ("float4", "---aaaaa--iiaa------a----"),
    ("float8", "---aaaaa--aiaa------a----"),
    ("bpchar", "eeaieeeieeeeiieeeeeeeeeee"),
    ("varchar", "eeaieeeieeeeiieeeeeeeeeee"),
    ("date", "---a---a----aai-ii-------"),
    ("time", "---a---a----aa-i--ii-----"),
    ("timestamp", "---a---a----aaaaii-------"),
    ("timestamptz", "---a---a----aaaaai-a-----"),
    ("interval", "---a---a----aa-a--i------"),
    ("timetz", "---a---a----aa-a---i-----"),
    ("numeric", "---aaaaa--iiaa------i----"),
    ("uuid", "---a---a----aa-------i---"),
    ("jsonb", "e--aeeea-aeeaa------e-i--"),
    ("_int4", "---a---a----aa---------ia"),
    ("_text", "---a---a----aa---------ei"),
];

#[test]
fn values_become_others_where_postgresql_casts_them() {
    for (from, row) in CASTS {
        let found = CASTS.iter().map(|(to, _)| match cast_between(by_name(from).unwrap(), by_name(to).unwrap()) {
            Some(Context::Implicit) => 'i',
            Some(Context::Assignment) => 'a',
            Some(Context::Explicit) => 'e',
            None => '-',
        });
        assert_eq!(found.collect::<String>(), *row, "{from}");
    }
}

/// As `pg_operator` has them.
#[test]
fn operators_are_known_by_their_names() {
    let one = operators("||/").map(|operator| (operator.arguments, operator.returns, operator.oid));
    assert_eq!(one.collect::<Vec<_>>(), [(&[FLOAT8][..], FLOAT8, 597)]);
    assert_eq!(operators("=").filter(|operator| operator.arguments == [INT4, INT8]).count(), 1);
    assert!(operators("=").all(|operator| operator.arguments.len() == 2 && operator.returns == BOOL));
    assert_eq!(operators("==").count(), 0);
    assert!(OPERATORS.is_sorted_by_key(|operator| operator.name));
    let mut oids: Vec<u32> = OPERATORS.iter().map(|operator| operator.oid).collect();
    oids.sort_unstable();
    oids.dedup();
    assert_eq!(oids.len(), OPERATORS.len());
}
