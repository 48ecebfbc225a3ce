//! What a statement may have meant by a function that does not exist.

use crate::fault::nearest_few;

/// How other systems call what is called otherwise here: their names, and what to write.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["ifnull", "isnull", "nvl", "zeroifnull", "nz"], "coalesce(value, other)"),
    (&["nullifzero"], "nullif(value, 0)"),
    (&["iif", "if", "decode_if", "nvl2"], "CASE WHEN condition THEN value ELSE other END"),
    (&["div0", "safe_divide", "divide_safe"], "a / nullif(b, 0)"),
    (
        &["len", "str_len", "strlen", "char_len", "lengthc", "datalength", "lengthb"],
        "length(text), or octet_length(text)",
    ),
    (&["charindex", "indexof", "index_of", "locate", "patindex", "instrb", "find", "char_index"], "strpos(text, part)"),
    (&["mid", "substrb"], "substr(text, from, count)"),
    (&["ucase", "toupper"], "upper(text)"),
    (&["lcase", "tolower"], "lower(text)"),
    (&["proper", "titlecase"], "initcap(text)"),
    (&["replicate"], "repeat(text, count)"),
    (&["space"], "repeat(' ', count)"),
    (&["stuff"], "overlay(text PLACING part FROM start FOR count)"),
    (&["char"], "chr(code)"),
    (&["unicode", "ord"], "ascii(text)"),
    (&["split", "str_split", "strtok_to_array", "split_string"], "string_to_array(text, delimiter)"),
    (&["strtok", "split_to_part"], "split_part(text, delimiter, number)"),
    (&["regexp_extract", "regexp_substr", "regexp_extract_all"], "regexp_match(text, pattern)"),
    (&["regexp_matches"], "regexp_match(text, pattern), which has the first match"),
    (&["regexp", "rlike", "regexp_contains", "regexp_full_match"], "text ~ pattern"),
    (&["concatenate", "strcat"], "concat(a, b), or a || b"),
    (&["group_concat", "listagg", "string_concat", "wm_concat"], "string_agg(text, delimiter ORDER BY key)"),
    (&["collect_list", "collect", "list", "grouparray"], "array_agg(value)"),
    (&["collect_set"], "array_agg(DISTINCT value)"),
    (
        &["getdate", "sysdate", "sysdatetime", "getutcdate", "systimestamp", "current_datetime", "utc_timestamp"],
        "now()",
    ),
    (&["curdate"], "current_date"),
    (&["curtime"], "current_time"),
    (
        &["datediff", "date_diff", "timestampdiff", "timestamp_diff", "months_between", "datesub"],
        "the difference, as in date '2024-03-01' - date '2024-02-01'",
    ),
    (
        &["dateadd", "date_add", "adddate", "add_months", "timestampadd", "timestamp_add", "date_plus"],
        "a sum, as in day + interval '1 month'",
    ),
    (&["date_sub", "subdate", "timestamp_sub"], "a difference, as in day - interval '1 month'"),
    (&["year", "datename"], "extract(year FROM value)"),
    (&["quarter"], "extract(quarter FROM value)"),
    (&["month"], "extract(month FROM value)"),
    (&["week", "weekofyear"], "extract(week FROM value)"),
    (&["day", "dayofmonth"], "extract(day FROM value)"),
    (&["hour"], "extract(hour FROM value)"),
    (&["minute"], "extract(minute FROM value)"),
    (&["second"], "extract(second FROM value)"),
    (&["dayofweek", "weekday", "day_of_week"], "extract(dow FROM value)"),
    (&["dayofyear"], "extract(doy FROM value)"),
    (&["last_day", "eomonth"], "date_trunc('month', day) + interval '1 month' - interval '1 day'"),
    (&["timestamp_trunc", "datetime_trunc", "tostartofmonth"], "date_trunc('month', value)"),
    (
        &["strftime", "format_date", "format_timestamp", "format_datetime", "time_format"],
        "to_char(value, 'YYYY-MM-DD')",
    ),
    (&["strptime", "parse_date", "str_to_date", "date_parse"], "to_date(text, 'YYYY-MM-DD')"),
    (&["parse_timestamp", "parse_datetime"], "to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS')"),
    (&["unix_timestamp", "epoch", "to_epoch", "unixepoch", "to_unixtime"], "extract(epoch FROM value)"),
    (&["fromunixtimestamp", "timestamp_seconds", "epoch_ms"], "to_timestamp(seconds)"),
    (&["datefromparts", "date_from_parts"], "make_date(year, month, day)"),
    (&["convert_timezone", "convert_tz"], "value AT TIME ZONE zone"),
    (&["to_varchar", "to_string", "str", "tostring", "tochar"], "to_char(value, template), or value::text"),
    (&["to_decimal", "to_numeric", "tonumber"], "to_number(text, template), or text::numeric"),
    (&["to_int", "toint", "to_integer", "int", "cint", "parse_int"], "a cast, as in text::int"),
    (&["convert", "try_convert", "safe_cast"], "CAST(value AS type), or TRY_CAST"),
    (&["truncate"], "trunc(number, places)"),
    (&["rnd", "rand_uniform", "uniform"], "random()"),
    (&["logn", "loge"], "ln(number)"),
    (&["square", "sqr"], "power(number, 2)"),
    (&["bitand", "bitor", "bitxor"], "a & b, a | b or a # b"),
    (&["newid", "uuid_string", "generate_uuid", "gen_uuid", "uuidv4"], "uuid()"),
    (&["approx_count_distinct", "hll", "approx_distinct_count", "uniq", "ndv"], "approx_distinct(value)"),
    (&["count_distinct", "countd"], "count(DISTINCT value)"),
    (&["count_if", "countif"], "count(*) FILTER (WHERE condition)"),
    (&["sum_if", "sumif"], "sum(value) FILTER (WHERE condition)"),
    (&["percentile", "quantile", "percentile_approx"], "percentile_cont(0.5) WITHIN GROUP (ORDER BY value)"),
    (
        &["approx_quantile", "approx_quantiles", "approx_percentile"],
        "approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY value)",
    ),
    (&["stdev", "std"], "stddev(value)"),
    (&["stdevp"], "stddev_pop(value)"),
    (&["variance_samp", "varp"], "var_samp(value), or var_pop(value)"),
    (&["logical_and", "booland_agg"], "bool_and(condition)"),
    (&["logical_or", "boolor_agg"], "bool_or(condition)"),
    (&["anyvalue", "any"], "any_value(value)"),
    (&["first"], "first_value(value ORDER BY key)"),
    (&["last"], "last_value(value ORDER BY key)"),
    (&["arg_max", "argmax", "max_by"], "first_value(value ORDER BY key DESC)"),
    (&["arg_min", "argmin", "min_by"], "first_value(value ORDER BY key)"),
    (&["ratio_to_report"], "value / sum(value) OVER ()"),
    (&["array_size", "size", "len_array"], "cardinality(array)"),
    (&["explode", "flatten_rows"], "unnest(array)"),
    (&["array_includes", "list_includes"], "array_has(array, value), or value = ANY (array)"),
    (&["sequence", "generate_array", "generate_date_array"], "generate_series(first, last)"),
    (&["typeof", "sql_typeof", "type_of"], "pg_typeof(value)"),
    (&["sha", "sha1", "sha2", "hash"], "sha256(bytes), or digest(text, 'sha256')"),
    (&["parse_json", "try_parse_json"], "a cast, as in text::jsonb"),
    (&["database", "db_name", "schema"], "current_database(), or current_schema()"),
    (&["system_user", "suser_sname"], "current_user"),
];

/// What a statement may have meant: what the name means elsewhere, and the functions whose names are near.
pub(crate) fn function_hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let written = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let known: Vec<&str> = known.collect();
    let elsewhere = ELSEWHERE.iter().find(|(names, _)| names.contains(&written.as_str())).map(|(_, meant)| *meant);
    let near: Vec<String> = match (known.contains(&written.as_str()), elsewhere) {
        // It is in another schema.
        (true, _) => vec![written],
        // What is only spelled alike is something else than what was meant.
        (false, Some(_)) => Vec::new(),
        (false, None) => nearest_few(&written, known.into_iter()).into_iter().map(str::to_owned).collect(),
    };
    let near = match near.as_slice() {
        [] => None,
        [one] => Some(format!("the function {one}")),
        [first @ .., last] => Some(format!("the functions {} or {last}", first.join(", "))),
    };
    match (elsewhere, near) {
        (Some(meant), None) => format!("perhaps you meant {meant}"),
        (Some(meant), Some(near)) => format!("perhaps you meant {meant}; or {near}"),
        (None, Some(near)) => format!("perhaps you meant {near}"),
        (None, None) => "SELECT name, description FROM fusewire.functions lists the functions".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn meant(name: &str) -> String {
        let known = ["ceil", "coalesce", "date_part", "div", "length", "lower", "sin", "sinh", "upper"];
        function_hint(name, known.into_iter())
    }

    #[test]
    fn names_are_near_in_meaning_and_in_spelling() {
        assert_eq!(meant("lenght"), "perhaps you meant the function length");
        assert_eq!(meant("public.lower"), "perhaps you meant the function lower");
        assert_eq!(meant("NVL"), "perhaps you meant coalesce(value, other)");
        assert_eq!(meant("sinc"), "perhaps you meant the functions sin or sinh");
        assert_eq!(meant("dateadd"), "perhaps you meant a sum, as in day + interval '1 month'");
        assert_eq!(meant("nothing"), "SELECT name, description FROM fusewire.functions lists the functions");
        assert_eq!(meant("div2"), "perhaps you meant the function div");
        assert_eq!(meant("if"), "perhaps you meant CASE WHEN condition THEN value ELSE other END");
        assert_eq!(meant("len"), "perhaps you meant length(text), or octet_length(text)");
        assert_eq!(meant("mod"), "SELECT name, description FROM fusewire.functions lists the functions");
    }

    #[test]
    fn a_name_of_another_system_is_there_once() {
        let mut names = BTreeSet::new();
        for name in ELSEWHERE.iter().flat_map(|(names, _)| names.iter()) {
            assert!(names.insert(*name), "{name} is there twice");
            assert_eq!(*name, name.to_lowercase(), "{name} is looked for in lower case");
        }
    }
}
