//! `pg_encoding_to_char` and `pg_char_to_encoding`: PostgreSQL's encodings by number and name.

use super::{CatalogueFunction, Computed, Value, View};
use crate::pgtype::{INT4, NAME, TEXT};

pub(super) const LIST: &[CatalogueFunction] = &[
    CatalogueFunction {
        name: "pg_char_to_encoding",
        purpose: "The number of the encoding of this name, and -1 if there is none",
        example: "pg_char_to_encoding('UTF8')",
        overloads: &[&[TEXT]],
        returns: INT4,
        run: number,
    },
    CatalogueFunction {
        name: "pg_encoding_to_char",
        purpose: "The name of the encoding of this number",
        example: "pg_encoding_to_char(6)",
        overloads: &[&[INT4]],
        returns: NAME,
        run: name,
    },
];

/// In the order of their numbers.
const ENCODINGS: &[&str] = &[
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];

fn name(_view: &View, values: &[Value]) -> Computed {
    let [Value::Number(number)] = values else { return Ok(None) };
    let name = usize::try_from(*number).ok().and_then(|at| ENCODINGS.get(at)).copied();
    Ok(Some(Value::Text(name.unwrap_or_default().to_owned())))
}

/// Case and marks do not count in a name.
fn number(_view: &View, values: &[Value]) -> Computed {
    let [Value::Text(name)] = values else { return Ok(None) };
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let wanted = match plain(name).as_str() {
        "unicode" => "utf8".to_owned(),
        wanted => wanted.to_owned(),
    };
    let at = ENCODINGS.iter().position(|known| plain(known) == wanted);
    Ok(Some(Value::Number(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))))
}
