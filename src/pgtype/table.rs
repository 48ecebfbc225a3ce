//! The list of types. To add one is a line.

use super::{Form, Modifier, PgType};

/// Makes a constant of every line, and of all of them and the types of their arrays [`TYPES`].
macro_rules! types {
    (
        with arrays {
            $($constant:ident $name:literal $spelling:literal $words:tt
              $oid:literal $array:literal $length:literal $category:literal $modifier:ident $form:ident;)*
        }
        without {
            $($lone:ident $lone_name:literal $lone_spelling:literal
              $lone_oid:literal $lone_length:literal $lone_category:literal $lone_form:ident;)*
        }
        vectors {
            $($vector:ident $vector_name:literal $vector_oid:literal $vector_array:literal $item:ident;)*
        }
    ) => {
        $(
            #[doc = concat!("`", $spelling, "`")]
            pub const $constant: PgType = PgType {
                name: $name,
                spelling: $spelling,
                words: &$words,
                oid: $oid,
                array: $array,
                element: 0,
                length: $length,
                category: $category,
                modifier: Modifier::$modifier,
                form: Form::$form,
            };
        )*
        $(
            #[doc = concat!("`", $lone_spelling, "`")]
            pub const $lone: PgType = PgType {
                name: $lone_name,
                spelling: $lone_spelling,
                words: &[],
                oid: $lone_oid,
                array: 0,
                element: 0,
                length: $lone_length,
                category: $lone_category,
                modifier: Modifier::None,
                form: Form::$lone_form,
            };
        )*

        $(
            #[doc = concat!("`", $vector_name, "`")]
            pub const $vector: PgType = PgType {
                name: $vector_name,
                spelling: $vector_name,
                words: &[],
                oid: $vector_oid,
                array: $vector_array,
                element: $item.oid,
                length: -1,
                category: 'A',
                modifier: Modifier::None,
                form: Form::Array,
            };
        )*

        /// Every type that is known, and behind them those of their arrays.
        pub static TYPES: &[PgType] = &[
            $($constant,)*
            $($lone,)*
            $($vector,)*
            $(array_of($constant, concat!("_", $name)),)*
            $(array_of($vector, concat!("_", $vector_name)),)*
        ];
    };
}

// As in PostgreSQL 15's `pg_type`, with length and category behind the oids. The other words are those that a type can be
// written with; of them `double` is none of PostgreSQL's, but the planner's.
types! {
    with arrays {
        //          name          spelling                      other words          oid array      modifier form
        BOOL        "bool"        "boolean"                     []                    16 1000  1 'B' None    Boolean;
        BYTEA       "bytea"       "bytea"                       []                    17 1001 -1 'U' None    Bytes;
        CHAR        "char"        "\"char\""                    []                    18 1002  1 'Z' None    Text;
        NAME        "name"        "name"                        []                    19 1003 64 'S' None    Text;
        INT8        "int8"        "bigint"                      []                    20 1016  8 'N' None    Int8;
        INT2        "int2"        "smallint"                    []                    21 1005  2 'N' None    Int2;
        INT4        "int4"        "integer"                     ["int"]               23 1007  4 'N' None    Int4;
        REGPROC     "regproc"     "regproc"                     []                    24 1008  4 'N' None    Oid;
        TEXT        "text"        "text"                        []                    25 1009 -1 'S' None    Text;
        OID         "oid"         "oid"                         []                    26 1028  4 'N' None    Oid;
        XID         "xid"         "xid"                         []                    28 1011  4 'U' None    Oid;
        JSON        "json"        "json"                        []                   114  199 -1 'U' None    Text;
        FLOAT4      "float4"      "real"                        []                   700 1021  4 'N' None    Float4;
        FLOAT8      "float8"      "double precision"            ["double", "float"]  701 1022  8 'N' None    Float8;
        INET        "inet"        "inet"                        []                   869 1041 -1 'I' None    Other;
        ACLITEM     "aclitem"     "aclitem"                     []                  1033 1034 12 'U' None    Other;
        BPCHAR      "bpchar"      "character"                   ["char"]            1042 1014 -1 'S' Length  Text;
        VARCHAR     "varchar"     "character varying"           ["char varying"]    1043 1015 -1 'S' Length  Text;
        DATE        "date"        "date"                        []                  1082 1182  4 'D' None    Date;
        TIME        "time"        "time without time zone"      []                  1083 1183  8 'D' Seconds Time;
        TIMESTAMP   "timestamp"   "timestamp without time zone" []                  1114 1115  8 'D' Seconds Timestamp;
        TIMESTAMPTZ "timestamptz" "timestamp with time zone"    []                  1184 1185  8 'D' Seconds Instant;
        INTERVAL    "interval"    "interval"                    []                  1186 1187 16 'T' Fields  Interval;
        TIMETZ      "timetz"      "time with time zone"         []                  1266 1270 12 'D' Seconds ZonedTime;
        NUMERIC     "numeric"     "numeric"                     ["decimal", "dec"]  1700 1231 -1 'N' Digits  Numeric;
        REGPROCEDURE "regprocedure" "regprocedure"              []                  2202 2207  4 'N' None    Regtype;
        REGCLASS    "regclass"    "regclass"                    []                  2205 2210  4 'N' None    Regtype;
        REGTYPE     "regtype"     "regtype"                     []                  2206 2211  4 'N' None    Regtype;
        RECORD      "record"      "record"                      []                  2249 2287 -1 'P' None    Other;
        UUID        "uuid"        "uuid"                        []                  2950 2951 16 'U' None    Uuid;
        PG_LSN      "pg_lsn"      "pg_lsn"                      []                  3220 3221  8 'U' None    Other;
        JSONB       "jsonb"       "jsonb"                       []                  3802 3807 -1 'U' None    Jsonb;
        REGNAMESPACE "regnamespace" "regnamespace"              []                  4089 4090  4 'N' None    Regtype;
        REGROLE     "regrole"     "regrole"                     []                  4096 4097  4 'N' None    Regtype;
    }
    without {
        PG_NODE_TREE       "pg_node_tree"       "pg_node_tree"        194 -1 'Z' Other;
        UNKNOWN            "unknown"            "unknown"             705 -2 'X' Unknown;
        ANY                "any"                "\"any\""            2276  4 'P' Other;
        ANYARRAY           "anyarray"           "anyarray"           2277 -1 'P' Other;
        VOID               "void"               "void"               2278  4 'P' Other;
        TRIGGER            "trigger"            "trigger"            2279  4 'P' Other;
        ANYELEMENT         "anyelement"         "anyelement"         2283  4 'P' Other;
        ANYNONARRAY        "anynonarray"        "anynonarray"        2776  4 'P' Other;
        PG_NDISTINCT       "pg_ndistinct"       "pg_ndistinct"       3361 -1 'Z' Other;
        PG_DEPENDENCIES    "pg_dependencies"    "pg_dependencies"    3402 -1 'Z' Other;
        PG_MCV_LIST        "pg_mcv_list"        "pg_mcv_list"        5017 -1 'Z' Other;
        ANYCOMPATIBLE      "anycompatible"      "anycompatible"      5077  4 'P' Other;
        ANYCOMPATIBLEARRAY "anycompatiblearray" "anycompatiblearray" 5078 -1 'P' Other;
    }
    // Lists of numbers that are written with blanks between them.
    vectors {
        INT2VECTOR "int2vector" 22 1006 INT2;
        OIDVECTOR  "oidvector"  30 1013 OID;
    }
}

/// `bytea[]`
pub const BYTEA_ARRAY: PgType = array_of(BYTEA, "_bytea");

/// The names of PostgreSQL 15's types, and of words for types, that nothing is declared as or cast to here.
pub const MISSING: &[&str] = &[
    "aclitem",
    "bigserial",
    "bit",
    "box",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "datemultirange",
    "daterange",
    "inet",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "nummultirange",
    "numrange",
    "path",
    "pg_lsn",
    "pg_node_tree",
    "pg_snapshot",
    "point",
    "polygon",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "serial",
    "smallserial",
    "tid",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "varbit",
    "xid",
    "xid8",
    "xml",
];

/// `integer[]`
pub const INT4_ARRAY: PgType = array_of(INT4, "_int4");

/// `text[]`
pub const TEXT_ARRAY: PgType = array_of(TEXT, "_text");

/// `double precision[]`
pub const FLOAT8_ARRAY: PgType = array_of(FLOAT8, "_float8");

/// `interval[]`
pub const INTERVAL_ARRAY: PgType = array_of(INTERVAL, "_interval");

/// `json[]`
pub const JSON_ARRAY: PgType = array_of(JSON, "_json");

/// `jsonb[]`
pub const JSONB_ARRAY: PgType = array_of(JSONB, "_jsonb");

const fn array_of(element: PgType, name: &'static str) -> PgType {
    PgType {
        name,
        words: &[],
        oid: element.array,
        array: 0,
        element: element.oid,
        length: -1,
        category: if element.category == 'P' { 'P' } else { 'A' },
        form: Form::Array,
        ..element
    }
}
