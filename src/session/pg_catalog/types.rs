//! What `pg_type` says of a type beside `pgtype`: how PostgreSQL keeps its values, and which functions read and write them.

use crate::pgtype::{BPCHAR, Modifier, NAME, PgType, TEXT, VARCHAR};

/// How PostgreSQL keeps the values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptAs {
    pub(super) by_value: bool,
    pub(super) align: char,
    pub(super) storage: char,
}

/// The functions of a type by name; `-` where it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Codec {
    pub(super) input: String,
    pub(super) output: String,
    pub(super) receive: String,
    pub(super) send: String,
    pub(super) modifier_in: String,
    pub(super) modifier_out: String,
    pub(super) subscript: &'static str,
}

/// The collation of a database.
pub(super) const DEFAULT_COLLATION: u32 = 100;

/// The collation that compares bytes.
pub(in crate::session) const C_COLLATION: u32 = 950;

/// Types whose functions have a line between the type's name and what they do.
const WITH_LINE: &[&str] = &[
    "any",
    "anyarray",
    "anycompatible",
    "anycompatiblearray",
    "anyelement",
    "anynonarray",
    "date",
    "inet",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "pg_dependencies",
    "pg_lsn",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
    "record",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "trigger",
    "uuid",
    "void",
];

/// Types that the protocol does not carry in binary.
const IN_TEXT_ALONE: &[&str] = &["aclitem", "any", "anycompatible", "anyelement", "anynonarray", "trigger"];

/// Types of eight bytes in a row, or of rows, which stand at multiples of eight.
const OF_EIGHT: &[&str] = &[
    "anyarray",
    "anycompatiblearray",
    "float8",
    "int8",
    "interval",
    "pg_lsn",
    "record",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
];

/// How PostgreSQL keeps the values of a type.
pub(super) fn kept_as(pg: &PgType) -> KeptAs {
    let by_value = matches!(pg.length, 1 | 2 | 4 | 8);
    let is_array = pg.element != 0 && !pg.is_vector();
    let element = pg.element_type().unwrap_or(pg);
    let align = match pg.name {
        _ if is_array && OF_EIGHT.contains(&element.name) => 'd',
        _ if is_array => 'i',
        name if OF_EIGHT.contains(&name) => 'd',
        "bool" | "char" | "name" | "unknown" | "uuid" => 'c',
        "int2" => 's',
        _ => 'i',
    };
    let storage = match (pg.name, pg.length) {
        ("numeric" | "inet", _) => 'm',
        ("int2vector" | "oidvector", _) => 'p',
        (_, -1) => 'x',
        _ => 'p',
    };
    KeptAs { by_value, align, storage }
}

/// The collation of a type's values; 0 where they have none. In tables of the system texts are compared by their bytes.
pub(super) fn collation(pg: &PgType, of_system: bool) -> u32 {
    let element = pg.element_type().unwrap_or(pg);
    match element.oid {
        oid if oid == NAME.oid => C_COLLATION,
        oid if [TEXT.oid, VARCHAR.oid, BPCHAR.oid].contains(&oid)
            || element.name.starts_with("pg_") && is_text(element) =>
        {
            if of_system {
                C_COLLATION
            } else {
                DEFAULT_COLLATION
            }
        }
        _ => 0,
    }
}

/// Types of the system that are kept as texts.
fn is_text(pg: &PgType) -> bool {
    pg.category == 'Z'
}

/// The functions of a type.
pub(super) fn codec(pg: &PgType) -> Codec {
    let none = || "-".to_owned();
    let is_array = pg.element != 0 && !pg.is_vector();
    let own = if is_array { "array" } else { pg.name };
    let line = if is_array || WITH_LINE.contains(&own) { "_" } else { "" };
    let is_text_alone = !is_array && IN_TEXT_ALONE.contains(&own);
    let of_modifier = |way: &str| match pg.modifier {
        Modifier::None => none(),
        _ => format!("{}typmod{way}", pg.element_type().unwrap_or(pg).name),
    };
    Codec {
        input: format!("{own}{line}in"),
        output: format!("{own}{line}out"),
        receive: if is_text_alone { none() } else { format!("{own}{line}recv") },
        send: if is_text_alone { none() } else { format!("{own}{line}send") },
        modifier_in: of_modifier("in"),
        modifier_out: of_modifier("out"),
        subscript: match pg.name {
            "name" => "raw_array_subscript_handler",
            "jsonb" => "jsonb_subscript_handler",
            _ if pg.element != 0 => "array_subscript_handler",
            _ => "-",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgtype::{TYPES, procedures_named};

    /// A type with how its values are kept, its collation and its functions.
    type Told = (&'static str, bool, char, char, u32, &'static str);

    /// As `pg_type` of PostgreSQL 15.18 has them, with the names of the functions one behind the other.
    const PG_TYPE: &[Told] = &[
        ("bool", true, 'c', 'p', 0, "boolin boolout boolrecv boolsend - - -"),
        ("bytea", false, 'i', 'x', 0, "byteain byteaout bytearecv byteasend - - -"),
        ("char", true, 'c', 'p', 0, "charin charout charrecv charsend - - -"),
        ("name", false, 'c', 'p', 950, "namein nameout namerecv namesend - - raw_array_subscript_handler"),
        ("int8", true, 'd', 'p', 0, "int8in int8out int8recv int8send - - -"),
        ("int2", true, 's', 'p', 0, "int2in int2out int2recv int2send - - -"),
        (
            "int2vector",
            false,
            'i',
            'p',
            0,
            "int2vectorin int2vectorout int2vectorrecv int2vectorsend - - array_subscript_handler",
        ),
        ("int4", true, 'i', 'p', 0, "int4in int4out int4recv int4send - - -"),
        ("regproc", true, 'i', 'p', 0, "regprocin regprocout regprocrecv regprocsend - - -"),
        ("text", false, 'i', 'x', 100, "textin textout textrecv textsend - - -"),
        ("oid", true, 'i', 'p', 0, "oidin oidout oidrecv oidsend - - -"),
        ("xid", true, 'i', 'p', 0, "xidin xidout xidrecv xidsend - - -"),
        (
            "oidvector",
            false,
            'i',
            'p',
            0,
            "oidvectorin oidvectorout oidvectorrecv oidvectorsend - - array_subscript_handler",
        ),
        ("json", false, 'i', 'x', 0, "json_in json_out json_recv json_send - - -"),
        (
            "pg_node_tree",
            false,
            'i',
            'x',
            100,
            "pg_node_tree_in pg_node_tree_out pg_node_tree_recv pg_node_tree_send - - -",
        ),
        ("_json", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("float4", true, 'i', 'p', 0, "float4in float4out float4recv float4send - - -"),
        ("float8", true, 'd', 'p', 0, "float8in float8out float8recv float8send - - -"),
        ("unknown", false, 'c', 'p', 0, "unknownin unknownout unknownrecv unknownsend - - -"),
        ("inet", false, 'i', 'm', 0, "inet_in inet_out inet_recv inet_send - - -"),
        ("_bool", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_bytea", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_char", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_name", false, 'i', 'x', 950, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_int2", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_int2vector", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_int4", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_regproc", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_text", false, 'i', 'x', 100, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_xid", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_oidvector", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        (
            "_bpchar",
            false,
            'i',
            'x',
            100,
            "array_in array_out array_recv array_send bpchartypmodin bpchartypmodout array_subscript_handler",
        ),
        (
            "_varchar",
            false,
            'i',
            'x',
            100,
            "array_in array_out array_recv array_send varchartypmodin varchartypmodout array_subscript_handler",
        ),
        ("_int8", false, 'd', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_float4", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_float8", false, 'd', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_oid", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("aclitem", false, 'i', 'p', 0, "aclitemin aclitemout - - - - -"),
        ("_aclitem", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("_inet", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("bpchar", false, 'i', 'x', 100, "bpcharin bpcharout bpcharrecv bpcharsend bpchartypmodin bpchartypmodout -"),
        (
            "varchar",
            false,
            'i',
            'x',
            100,
            "varcharin varcharout varcharrecv varcharsend varchartypmodin varchartypmodout -",
        ),
        ("date", true, 'i', 'p', 0, "date_in date_out date_recv date_send - - -"),
        ("time", true, 'd', 'p', 0, "time_in time_out time_recv time_send timetypmodin timetypmodout -"),
        (
            "timestamp",
            true,
            'd',
            'p',
            0,
            "timestamp_in timestamp_out timestamp_recv timestamp_send timestamptypmodin timestamptypmodout -",
        ),
        (
            "_timestamp",
            false,
            'd',
            'x',
            0,
            "array_in array_out array_recv array_send timestamptypmodin timestamptypmodout array_subscript_handler",
        ),
        ("_date", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        (
            "_time",
            false,
            'd',
            'x',
            0,
            "array_in array_out array_recv array_send timetypmodin timetypmodout array_subscript_handler",
        ),
        (
            "timestamptz",
            true,
            'd',
            'p',
            0,
            "timestamptz_in timestamptz_out timestamptz_recv timestamptz_send timestamptztypmodin timestamptztypmodout -",
        ),
        (
            "_timestamptz",
            false,
            'd',
            'x',
            0,
            "array_in array_out array_recv array_send timestamptztypmodin timestamptztypmodout array_subscript_handler",
        ),
        (
            "interval",
            false,
            'd',
            'p',
            0,
            "interval_in interval_out interval_recv interval_send intervaltypmodin intervaltypmodout -",
        ),
        (
            "_interval",
            false,
            'd',
            'x',
            0,
            "array_in array_out array_recv array_send intervaltypmodin intervaltypmodout array_subscript_handler",
        ),
        (
            "_numeric",
            false,
            'i',
            'x',
            0,
            "array_in array_out array_recv array_send numerictypmodin numerictypmodout array_subscript_handler",
        ),
        ("timetz", false, 'd', 'p', 0, "timetz_in timetz_out timetz_recv timetz_send timetztypmodin timetztypmodout -"),
        (
            "_timetz",
            false,
            'd',
            'x',
            0,
            "array_in array_out array_recv array_send timetztypmodin timetztypmodout array_subscript_handler",
        ),
        (
            "numeric",
            false,
            'i',
            'm',
            0,
            "numeric_in numeric_out numeric_recv numeric_send numerictypmodin numerictypmodout -",
        ),
        ("regtype", true, 'i', 'p', 0, "regtypein regtypeout regtyperecv regtypesend - - -"),
        ("_regtype", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("record", false, 'd', 'x', 0, "record_in record_out record_recv record_send - - -"),
        ("any", true, 'i', 'p', 0, "any_in any_out - - - - -"),
        ("anyarray", false, 'd', 'x', 0, "anyarray_in anyarray_out anyarray_recv anyarray_send - - -"),
        ("void", true, 'i', 'p', 0, "void_in void_out void_recv void_send - - -"),
        ("trigger", true, 'i', 'p', 0, "trigger_in trigger_out - - - - -"),
        ("anyelement", true, 'i', 'p', 0, "anyelement_in anyelement_out - - - - -"),
        ("_record", false, 'd', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("anynonarray", true, 'i', 'p', 0, "anynonarray_in anynonarray_out - - - - -"),
        ("uuid", false, 'c', 'p', 0, "uuid_in uuid_out uuid_recv uuid_send - - -"),
        ("_uuid", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("pg_lsn", true, 'd', 'p', 0, "pg_lsn_in pg_lsn_out pg_lsn_recv pg_lsn_send - - -"),
        ("_pg_lsn", false, 'd', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        (
            "pg_ndistinct",
            false,
            'i',
            'x',
            100,
            "pg_ndistinct_in pg_ndistinct_out pg_ndistinct_recv pg_ndistinct_send - - -",
        ),
        (
            "pg_dependencies",
            false,
            'i',
            'x',
            100,
            "pg_dependencies_in pg_dependencies_out pg_dependencies_recv pg_dependencies_send - - -",
        ),
        ("jsonb", false, 'i', 'x', 0, "jsonb_in jsonb_out jsonb_recv jsonb_send - - jsonb_subscript_handler"),
        ("_jsonb", false, 'i', 'x', 0, "array_in array_out array_recv array_send - - array_subscript_handler"),
        ("pg_mcv_list", false, 'i', 'x', 100, "pg_mcv_list_in pg_mcv_list_out pg_mcv_list_recv pg_mcv_list_send - - -"),
        ("anycompatible", true, 'i', 'p', 0, "anycompatible_in anycompatible_out - - - - -"),
        (
            "anycompatiblearray",
            false,
            'd',
            'x',
            0,
            "anycompatiblearray_in anycompatiblearray_out anycompatiblearray_recv anycompatiblearray_send - - -",
        ),
    ];

    #[test]
    fn types_are_kept_and_read_as_postgresql_does() {
        for pg in TYPES {
            let (kept, codec) = (kept_as(pg), codec(pg));
            let Codec { input, output, receive, send, modifier_in, modifier_out, subscript } = &codec;
            let functions = [input, output, receive, send, modifier_in, modifier_out].map(String::as_str).join(" ");
            let functions = format!("{functions} {subscript}");
            let told = (kept.by_value, kept.align, kept.storage, collation(pg, false), functions);
            // Those that are told of elsewhere are not in the list.
            if let Some(wanted) = PG_TYPE.iter().find(|wanted| wanted.0 == pg.name) {
                let wanted = (wanted.1, wanted.2, wanted.3, wanted.4, wanted.5.to_owned());
                assert_eq!(told, wanted, "{}", pg.name);
                for name in told.4.split(' ').filter(|name| *name != "-") {
                    assert_eq!(procedures_named(name).len(), 1, "{name} of {}", pg.name);
                }
            }
        }
        assert!(PG_TYPE.iter().all(|wanted| TYPES.iter().any(|pg| pg.name == wanted.0)));
    }
}
