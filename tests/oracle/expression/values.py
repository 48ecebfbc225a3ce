"""The types, and the values at each one's limits: as its input takes them, NULL as None.

What the engine leaves out by its documents (numerics that are no number, years beyond 262142) stands apart, so that it
is tried, and alone.
"""

import re

# By the name that SQL and pg_type share, except where pg_type's name is in brackets.
TYPES = [
    "bool", "int2", "int4", "int8", "numeric", "float4", "float8", "text", "varchar", "bpchar", "name", '"char"',
    "bytea", "uuid", "date", "time", "timetz", "timestamp", "timestamptz", "interval", "json", "jsonb", "oid", "int4[]",
    "text[]",
]  # fmt: skip
NINES = "9" * 38
WORDS = [
    "abc", "", " ", "a", "ABC", "äöü€😀", "1", "-1.5", " 12 ", "true", "NaN", "infinity", "2024-02-29",
    "2024-02-29 12:34:56.789", "12:34:56", "1 day", "{1,2}", '{"a": 1}', "a\nb", "O'Brien",
    "100%_\\", "9223372036854775808",
    "1e400", "00000000-0000-0000-0000-000000000001", "a" * 70,
]  # fmt: skip
DAYS = [
    "2024-02-29", "1970-01-01", "2000-12-31", "1900-02-28", "0001-01-01", "0001-12-31 BC", "0044-03-15 BC",
    "4713-01-01 BC",
    "4714-11-24 BC", "9999-12-31", "10000-01-01", "262142-12-31", "infinity", "-infinity",
]  # fmt: skip
CLOCKS = {
    "2024-02-29": " 12:34:56.789012", "1970-01-01": "", "2000-12-31": " 23:59:59.999999", "0001-12-31 BC": " 23:59:59",
    "9999-12-31": " 23:59:59.999999", "262142-12-31": " 23:59:59.999999",
}  # fmt: skip
JSONS = [
    "null", "true", "0", "-1.50", '"a"', '""', "[]", "{}", "[1, 2.0, null]", '{"a": {"b": [1, "x"]}, "c": null}',
    '{"b":1,"a":2,"b":3}', ' [ 1 , "\\u00e4" ] ', "1e3", "12345678901234567890.5",
]  # fmt: skip


def moments(zone):
    for day in DAYS:
        if day.endswith(" BC"):
            yield day[:-3] + CLOCKS.get(day, "") + zone + " BC"
        elif "infinity" in day:
            yield day
        else:
            yield day + CLOCKS.get(day, "") + zone


LIMITS = {
    "bool": ["t", "f"],
    "int2": ["1", "0", "-1", "2", "7", "32767", "-32768"],
    "int4": ["1", "0", "-1", "2", "3", "31", "100", "2147483647", "-2147483648"],
    "int8": ["1", "0", "-1", "2", "64", "2147483648", "9007199254740993", "9223372036854775807",
        "-9223372036854775808"],
    "numeric": [
        "1", "0", "-1", "0.5", "1.5", "2.50", "-0.5", "1.005", "100", "32768", "2147483647.5",
        "9223372036854775807.4", NINES,
        f"-{NINES}", "0." + "0" * 37 + "1", "12345678901234567890.123456789012345678", "1e-10", "1e30",
    ],
    "float4": [
        "1", "0", "-0", "-1", "0.5", "1.5", "2.5", "0.1", "1e10", "3.4028235e38", "-3.4028235e38", "1e-45",
        "1.1754944e-38",
        "16777216", "NaN", "Infinity", "-Infinity",
    ],
    "float8": [
        "1", "0", "-0", "-1", "0.5", "1.5", "2.5", "0.1", "1e15", "1e16", "123456.789", "1.7976931348623157e308",
        "-1.7976931348623157e308", "5e-324", "2.2250738585072014e-308", "9007199254740992", "9223372036854775808",
        "NaN",
        "Infinity", "-Infinity",
    ],
    "text": WORDS,
    "varchar": WORDS,
    "bpchar": ["abc", "", " ", "a ", "a", "AB  ", "äöü€😀 ", "1", "true", "2024-02-29"],
    "name": ["abc", "", "a", "ABC", "äöü", "1", "true", "a" * 70],
    '"char"': ["a", "", "b", "1", "ab", " "],
    "bytea": ["\\x616263", "\\x", "\\x00", "\\xff00ff", "abc", "\\\\", "\\x31"],
    "uuid": [
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}",
    ],
    "date": DAYS,
    "time": ["12:34:56.789", "00:00:00", "24:00:00", "23:59:59.999999", "01:00"],
    "timetz": ["12:34:56.789+05:30", "00:00:00+00", "24:00:00-12", "23:59:59.999999-15:59", "00:00:00+15:59:59"],
    "timestamp": list(moments("")),
    "timestamptz": [*moments("+00"), "2024-06-30 23:59:60-08", "2024-03-31 02:30:00 Europe/Berlin"],
    "interval": [
        "1 day", "0", "24 hours", "1 mon", "30 days", "-1 mon +1 day -00:00:01", "1 year 2 mons 3 days 04:05:06.789012",
        "0.000001 sec", "100 years", "-100 years", "2000000 hours", "178000000 years", "2147483647 days",
        "-2147483648 days",
    ],
    "json": JSONS,
    "jsonb": JSONS,
    "oid": ["1", "0", "23", "4294967295"],
    "int4[]": ["{1,2,3}", "{}", "{NULL}", "{1,NULL,-2147483648}", "{2147483647}", "{{1,2},{3,4}}", "{3,1,2,1}"],
    "text[]": ["{a,b}", "{}", "{NULL}", '{"NULL",NULL,""}', '{"a b","c,d","e\\"f"}', "{{a,b},{c,d}}", "{1,2}"],
}  # fmt: skip
LEFT_OUT = {
    "numeric": ["NaN", "Infinity", "-Infinity", "1e100"],
    "date": ["262143-01-01", "5874897-12-31"],
    "timestamp": ["262143-01-01 00:00:00", "294276-12-31 23:59:59.999999"],
    "timestamptz": ["262143-01-01 00:00:00+00", "294276-12-31 23:59:59.999999+00"],
    "interval": ["2562047788:00:54.775807"],
    "int4[]": ["[0:2]={1,2,3}"],
}  # fmt: skip
# What stands for a polymorphic type in a signature.
ELEMENTS, ARRAYS = ["int4", "text"], {"int4": "int4[]", "text": "text[]"}

# Texts and numbers that mean something to a function, by its argument, counted from 0.
FIELDS = [
    "year", "month", "day", "hour", "minute", "second", "milliseconds", "microseconds", "century", "decade",
    "millennium",
    "quarter", "week", "isoyear", "dow", "isodow", "doy", "epoch", "julian", "timezone", "timezone_hour",
    "timezone_minute",
    "YEARS", "nothing", "",
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "+05:30", "Asia/Kolkata", "PST", "nowhere", ""]
DATES = [
    "YYYY-MM-DD", "YYYY-MM-DD HH24:MI:SS.US", "Dy, DD Mon YYYY", "FMDay FMMonth", "DDD IW ID IYYY J Q", "Y,YYY BC AD",
    "HH12:MI AM", "TZ OF", "SSSSS CC WW W", '"year" YYYY', "RM rm", "DDth", "YY", "",
]  # fmt: skip
NUMBERS = [
    "999",
    "FM9990.00",
    "S9999.9",
    "9,999,999.99",
    "L99.9",
    "RN",
    "9.99EEEE",
    "PR999",
    "MI999",
    "V99",
    "000",
    "999th",
    "",
]
WRITTEN = [
    "2024-02-29",
    "29 Feb 2024",
    "2024-13-01",
    "2024-02-30",
    "",
    "2024-02-29 13:14:15.5",
    "abc",
    "12:30 PM",
    "366 2024",
]
AMOUNTS = ["123", "-1,234.50", "12.5", "", "abc", "$ 5", "XII", " 7 "]
PATTERNS = ["b", "^a", "(a)(b)?", "[", "\\d+", "", ".", "a|c", "x*", "(?i)ABC"]
FLAGS = ["", "g", "i", "gi", "x", "n", "zz"]
MEANT = {
    ("date_part", 0): FIELDS, ("date_trunc", 0): FIELDS, ("date_trunc", 2): ZONES, ("timezone", 0): ZONES,
    ("to_char", 1): DATES + NUMBERS, ("to_date", 0): WRITTEN, ("to_date", 1): DATES, ("to_timestamp", 0): WRITTEN,
    ("to_timestamp", 1): DATES, ("to_number", 0): AMOUNTS, ("to_number", 1): NUMBERS,
    ("encode", 1): ["hex", "base64", "escape", "none", "HEX"], ("decode", 1): ["hex", "base64", "escape", "none"],
    ("decode", 0): ["6162", "YWJj", "a\\000", "", "6", "=", "zz"],
    ("regexp_count", 1): PATTERNS, ("regexp_instr", 1): PATTERNS, ("regexp_like", 1): PATTERNS, ("regexp_match",
    1): PATTERNS,
    ("regexp_matches", 1): PATTERNS, ("regexp_replace", 1): PATTERNS, ("regexp_split_to_array", 1): PATTERNS,
    ("regexp_split_to_table", 1): PATTERNS, ("regexp_substr", 1): PATTERNS, ("regexp_like", 2): FLAGS,
    ("regexp_match", 2): FLAGS, ("regexp_matches", 2): FLAGS, ("regexp_split_to_array", 2): FLAGS,
    ("regexp_split_to_table", 2): FLAGS, ("regexp_replace", 2): ["x", "<\\1>", "\\&",
    "\\", ""], ("regexp_replace", 3): FLAGS,
    ("format", 0): ["%s", "%I %L", "%1$s %1$s", "%%", "%10s|", "%-10s|", "%x", "%", "abc", ""],
    ("convert_from", 1): ["UTF8", "LATIN1", "none", "SQL_ASCII"], ("convert_to", 1): ["UTF8", "LATIN1", "none",
        "SQL_ASCII"],
    ("convert", 1): ["UTF8", "LATIN1", "none"], ("convert", 2): ["UTF8", "LATIN1", "none"],
    ("unistr", 0): ["d\\0061t\\+000061",
        "\\", "\\00", "\\\\", "a"],
    ("make_date", 0): ["2024", "0", "-44", "9999", "2147483647"], ("make_date", 1): ["2", "12", "13", "0"],
    ("make_date", 2): ["29", "1", "30", "0"], ("repeat", 1): ["0", "-1", "3", "2147483647"],
    ("lpad", 1): ["0", "-1", "3", "10", "2147483647"], ("rpad", 1): ["0", "-1", "3", "10", "2147483647"],
    ("generate_series", 0): ["1", "-2", "0"], ("generate_series", 1): ["5", "-1", "3"], ("generate_series", 2): ["1",
        "2", "-1", "0"],
    ("factorial", 0): ["0", "1", "5", "20", "30", "-1"], ("array_fill", 1): ["{2}", "{2,2}", "{0}", "{}", "{-1}",
        "{NULL}"],
    ("array_fill", 2): ["{1}", "{0}", "{1,1}", "{}"], ("to_regtype", 0): ["int4", "integer", "nothing", "text[]", ""],
    ("power", 1): ["2", "0", "-1", "0.5", "10"], ("set_bit", 2): ["0", "1", "2"], ("translate", 1): ["ab", "", "aa"],
    ("width_bucket", 3): ["5", "0", "-1", "1000000"],
}  # fmt: skip
# The same for a type that cannot take those texts.
MEANT_OF = {
    ("generate_series", 0, "timestamp"): ["2024-02-28", "2024-01-31 12:00"], ("generate_series", 1,
        "timestamp"): ["2024-03-02"],
    ("generate_series", 0, "timestamptz"): ["2024-02-28+00"], ("generate_series", 1, "timestamptz"): ["2024-03-02+00"],
    ("generate_series", 2, "interval"): ["1 day", "12 hours", "-1 day", "0", "1 mon"],
}  # fmt: skip
# Which of those texts are values of a type.
FITS = {
    "text": ".*",
    "name": ".*",
    "int4": r"-?\d+",
    "int8": r"-?\d+",
    "numeric": r"-?[\d.]+",
    "float8": r"-?[\d.]+",
    "int4[]": r"\{.*\}",
}


def values_of(kind, function=None, place=0):
    """The values to try, the commonest first, NULL last."""
    meant = MEANT_OF.get((function, place, kind))
    if not meant:
        fits = FITS.get(kind)
        meant = [value for value in MEANT.get((function, place), ()) if fits and re.fullmatch(fits, value, re.DOTALL)]
    return [*(meant or LIMITS[kind]), None]


def literal(value, kind):
    if value is None:
        return f"NULL::{kind}"
    return "'" + value.replace("'", "''") + f"'::{kind}"
