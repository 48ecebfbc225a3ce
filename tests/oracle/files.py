"""Whether Fusewire reads random files as independent readers do: every cell by value, under the type that it reports.

    python3 -m venv /tmp/oracle
    /tmp/oracle/bin/pip install 'pyarrow==26.*' 'duckdb==2.0.*' 'fastavro[codecs]==1.13.*' numpy
    /tmp/oracle/bin/python tests/oracle/files.py --binary target/release/fusewire --csv 20000 --json 10000

A set is a random table in one to three files. What the script writes is read back with Python's csv and json modules;
of Parquet is what pyarrow reads, and of Avro what fastavro reads. Fusewire's rows come from COPY (SELECT …) TO an Arrow
file, which keeps types and values whole. Rows compare as multisets, and cells so:

- NULL is NULL, and a text is the text that was written;
- a number is the same number with all its digits, and a code such as 007 is none;
- a date or time is the same instant, or the same time of day;
- a blank or empty text without quotes is NULL in a column of other values, and the blank ones are counted;
- where values of several types became text, texts, numbers and booleans are there as they were written, and lists and
  objects are their JSON, to the letter; the text of a float or of a time says the same value.

count(*) and the count of one column must be those of the rows. Instead of rows, an error may come that names the file
and, of text, the line; of Parquet and Avro it must name a value that stands there and is none of the type. Some sets
are damaged: for these only the error is right, of a text at that line. DuckDB reads the sets too, as text where it can;
where it differs is said and is no failure.

`--only csv:17` tries one set, says where its files are and keeps them. Exits with 1 if there is a difference.
"""

import argparse
import bz2
import collections
import csv
import datetime
import decimal
import gzip
import io
import itertools
import json
import lzma
import math
import multiprocessing
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types

import duckdb
import fastavro
import numpy
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as is_a

# How many sets one process of the engine reads.
AT_ONCE = 100
SECOND, DAY = 10**9, 86_400 * 10**9
UNITS = {"s": SECOND, "ms": 10**6, "us": 10**3, "ns": 1}
NUMBER = re.compile(r"(?![+-]?0\d)[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?)?")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
decimal.getcontext().prec = 2000


class Number(str):
    """A number as it was written."""


class Moment(int):
    """Nanoseconds since 1970, or since midnight, with their text in JSON."""


class Array(list):
    """A list with the text that it has in a JSON file."""


class Object(dict):
    """The same of an object."""


class Set(types.SimpleNamespace):
    """Files with their columns and rows, what the readers are told, and the damaged file with its lines."""

    options, select, duck, damage, way, decimal = {}, "*", None, None, "", "."
    # The rows of each file, where files say the types of columns.
    parts = ()


NAMES = ["a", "A", "id", "Größe", "a b", 'in "q"', "x;y", "p|q", "select", "日本", "it's", "m.n", "c1", "c2", "c3"]
PIECES = ["", "a", "B c", " ", "é", "日本", "😀", '"', '""', ",", ";", "\n", "\r\n", "\r", "'", "NULL", "NA", "x y",
          "1", "0", "|", "\t", "\\", "#", "€", "true", "{", "[1]", ":", "ü", "\u00a0"]  # fmt: skip
NUMBERS = {
    "small": lambda rng: str(rng.randrange(100)),
    "integer": lambda rng: str((rng.getrandbits(64) - 2**63) >> rng.randrange(60)),
    "long": lambda rng: rng.choice(["9007199254740993", str(10**19 + rng.getrandbits(63)), "9223372036854775808", "7"]),
    "longer": lambda rng: str(rng.getrandbits(rng.choice([120, 126, 140]))),
    "fraction": lambda rng: repr(rng.randrange(-(2**23), 2**23) / 8),
    "exact": lambda rng: f"{rng.randrange(-(2**59), 2**59)}.{rng.randrange(1000):03}",
    "money": lambda rng: f"{rng.randrange(10**6)}.{rng.randrange(100):02}",
    "double": lambda rng: repr(rng.uniform(-10, 10) * 10.0 ** rng.randrange(-20, 20)),
    "exponent": lambda rng: rng.choice(["1.5e3", "2e-06", "1E+10", "-7.25E-3", "1e300"]),
}
TEXTS = {
    "date": lambda rng: f"{rng.randint(1, 9999):04}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
    "timestamp": lambda rng: TEXTS["date"](rng) + rng.choice("T ") + time_text(rng, rng.choice([0, 0, 3, 6])),
    "near": lambda rng: "2024-02-29 " + time_text(rng, rng.choice([6, 9])),
    "zoned": lambda rng: TEXTS["date"](rng) + " " + time_text(rng, 0) + rng.choice(["Z", "+02:00", "-0530", "+14"]),
    "time": lambda rng: time_text(rng, rng.choice([0, 3, 6, 9])),
    "code": lambda rng: rng.choice(["12E3", "007", "5001173100E712", "inf", "1.2.3", "2024-01", "+491511234567", "00"]),
    "text": lambda rng: "".join(rng.choices(PIECES, k=rng.randrange(5))),
}
FIELDS = NUMBERS | TEXTS | {
    "boolean": lambda rng: rng.choice(["true", "false", "true", "false", "True", "FALSE"]),
    "signed": lambda rng: rng.choice(["+3", "-0", ".5", "5.", "-.5", "12"]),
    "word": lambda rng: rng.choice(["NaN", "inf", "-Infinity", "0.5", "1"]),
    "blank": lambda rng: rng.choice([" ", "", " 12 ", "3"]),
}  # fmt: skip
PARTS = [("x", "integer"), ("x y", "fraction"), ("é", "text"), ("t", "timestamp"), ("l", "numbers"), ("b", "boolean")]
MEMBERS = {name: lambda rng, make=make: Number(make(rng)) for name, make in NUMBERS.items()} | TEXTS | {
    "boolean": lambda rng: rng.random() < 0.5,
    "quoted": lambda rng: rng.choice(["1", "2.50", "9007199254740993", "", "true", "null"]),
    "odd": lambda rng: Number(rng.choice(["-0", "1.0", "-0.0", "1e400", "0e0", "12E3", "1E-400"])),
    "numbers": lambda rng: Array(MEMBERS[rng.choice(["small", "long", "money"])](rng) for _ in range(rng.randrange(4))),
    "texts": lambda rng: Array(
        rng.choice([TEXTS["text"](rng), TEXTS["date"](rng), None]) for _ in range(rng.randrange(4))
    ),
    "object": lambda rng: Object((name, MEMBERS[of](rng)) for name, of in rng.sample(PARTS, rng.randrange(len(PARTS)))),
    "objects": lambda rng: Array(MEMBERS["object"](rng) for _ in range(rng.randrange(3))),
}  # fmt: skip


def time_text(rng, digits):
    text = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
    return f"{text}.{rng.randrange(10**digits):0{digits}}" if digits else text


def table(rng, kinds, has_late_columns=True):
    """Columns' names, each with the part that has it first, and the rows of each part. Kinds of values change late."""
    size = rng.choices([rng.randrange(60), rng.randrange(600), rng.randrange(9000, 12_000)], [90, 9.5, 0.5])[0]
    ends = sorted(rng.randrange(size + 1) for _ in range(rng.randrange(3))) + [size]
    names, rows = dict.fromkeys(rng.sample(NAMES, rng.randint(1, 6)), 0), [{} for _ in range(size)]
    for place, name in enumerate(names):
        names[name] = rng.randrange(len(ends)) if place and has_late_columns and rng.random() < 0.2 else 0
        begin = ends[names[name] - 1] if names[name] else rng.choice([0, 0, 0, rng.randrange(size + 1)])
        kind, other = (kinds[kind] for kind in rng.choices(sorted(kinds), k=2))
        late, nulls = rng.choice([size, size, rng.randrange(size + 1)]), rng.choice([0, 0.1, 0.4])
        for row, cells in enumerate(rows):
            cells[name] = None if row < begin or rng.random() < nulls else (kind if row < late else other)(rng)
    return names, [rows[begin:end] for begin, end in zip([0, *ends], ends)]


MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
ENCODINGS = ["utf-8", "utf-8-sig", *MARKS, "latin-1", "cp1252"]
COMPRESSIONS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
                ".zst": lambda data: pa.compress(data, "zstd", asbytes=True)}  # fmt: skip


def encoding_of(rng, encodings, table):
    """One of the encodings that have all characters of a table."""
    text = json.dumps(table, ensure_ascii=False)
    return rng.choice([name for name in encodings if text.encode(name, "ignore").decode(name) == text])


def save(rng, path, text, encoding):
    """Writes a text, compressed or not, and returns the file's path."""
    compression = rng.choice(["", "", "", *COMPRESSIONS])
    path = path.with_name(path.name + compression)
    path.write_bytes(COMPRESSIONS[compression](MARKS.get(encoding, b"") + text.encode(encoding)))
    return path


def lines_of(text, begin, end):
    """The lines of a part of a text, as they count for whom line feeds end them, or carriage returns too."""
    counts = [[len(re.findall(ends, text[:place])) for place in (begin, end)] for ends in ("\n", "\r\n|\r|\n")]
    return {line for first, last in counts for line in range(1 + first, 2 + last)}


def csv_set(rng, folder):
    header = rng.random() < 0.95
    names, parts = table(rng, FIELDS, header)
    # Nothing but the header tells the delimiter of files without values.
    is_blank = all(cell is None for part in parts for row in part for cell in row.values())
    told = rng.random() < 0.5 or not header or is_blank
    way = types.SimpleNamespace(
        told=told, delimiter=rng.choice(",;\t|:^" if told else ",\t|"), quote=rng.choice("\"\"\"'" if told else '"'),
        escape=rng.choice(["", "", "\\"] if told else [""]), null=rng.choice(["", "", "NA"] if told else [""]),
        decimal=rng.choice(".," if told else "."), encoding=encoding_of(rng, ENCODINGS, [names, parts]),
        line_end=rng.choice(["\n", "\r\n", "\r"]), quoted=rng.choice([0, 0.2, 1]),
    )  # fmt: skip
    for row in (row for part in parts for row in part if way.decimal == ","):
        row |= {name: cell.replace(".", ",") for name, cell in row.items() if re.fullmatch(r"-?\d+\.\d+", cell or "")}
    found = Set(columns=list(names), files=[], way=vars(way), decimal=way.decimal)
    damaged = rng.randrange(len(parts)) if told and header and rng.random() < 0.1 else None
    for place, part in enumerate(parts):
        own = [name for name, first in names.items() if first <= place]
        if header:
            rng.shuffle(own)
        rows = [own] * header + [[row[name] for name in own] for row in part]
        lines = [[csv_field(rng, cell, way) for cell in row] for row in rows]
        bad = rng.randrange(1, len(lines)) if place == damaged and len(own) > 1 and part else None
        if bad is not None:
            lines[bad] = lines[bad][:-1] if lines[bad][0] and rng.random() < 0.5 else [*lines[bad], "1"]
        lines = [way.delimiter.join(line) + way.line_end for line in lines]
        if len(own) > 1 and rng.random() < 0.1:
            # A blank line is no row.
            blank = rng.randrange(len(lines) + 1)
            lines.insert(blank, way.line_end)
            bad = bad if bad is None or bad < blank else bad + 1
        text = "".join(lines).removesuffix(way.line_end if len(own) > 1 and rng.random() < 0.3 else "")
        found.files.append(save(rng, folder / f"{place}.csv", text, way.encoding))
        if bad is None:
            check_csv(text, way, rows)
        else:
            start = len("".join(lines[:bad]))
            found.damage = found.files[-1], lines_of(text, start, start)
    if not header:
        found.columns = [f"column_{place + 1}" for place in range(len(names))]
    found.rows = [dict(zip(found.columns, row.values())) for part in parts for row in part]
    options = {"delimiter": way.delimiter, "header": str(header).lower(), "quote": way.quote, "escape": way.escape,
               "null_value": way.null, "decimal_separator": way.decimal, "skip_initial_space": "false"}  # fmt: skip
    found.options = {name: value for name, value in options.items() if told and value}
    found.options |= {"encoding": way.encoding} if way.encoding in ("latin-1", "cp1252") else {}
    if way.encoding not in ("cp1252", "utf-16-be"):
        found.duck = (
            f"read_csv({sql_list(found.files)}, all_varchar = true, union_by_name = {header}, header = {header}, "
            f"delim = {sql(way.delimiter)}, quote = {sql(way.quote)}, escape = {sql(way.escape or way.quote)}, "
            f"nullstr = {sql_list(['', way.null])}, allow_quoted_nulls = false, "
            f"encoding = {sql(re.sub('-(sig|le)', '', way.encoding))}"
            f"{'' if header else f', names = {sql_list(found.columns)}'})"
        )
    return found


def csv_field(rng, text, way):
    if text is None:
        return way.null
    must = text in ("", way.null) or text[0] == way.quote or bool({way.delimiter, "\n", "\r"} & set(text))
    must |= bool(way.escape) and (way.escape in text or way.quote in text)
    # Whether blanks after a delimiter belong to a field is told by looking, unless it is said.
    must |= not way.told and text[:1] in " \t"
    if not must and rng.random() >= way.quoted:
        return text
    text = text.replace(way.escape, way.escape * 2) if way.escape else text
    return way.quote + text.replace(way.quote, (way.escape or way.quote) + way.quote) + way.quote


def check_csv(text, way, rows):
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=way.delimiter, quotechar=way.quote,
                       escapechar=way.escape or None, doublequote=not way.escape, strict=True)  # fmt: skip
    rows = [[way.null if cell is None else cell for cell in row] for row in rows]
    found = [line or [""] for line in lines if line or (rows and len(rows[0]) == 1)]
    assert found == rows, f"the script wrote other rows than it meant: {found} for {rows}"


def json_set(rng, folder):
    names, parts = table(rng, MEMBERS)
    form = rng.choice(["newline_delimited", "array", "unstructured"])
    is_array, is_lines, line_end = form == "array", form == "newline_delimited", rng.choice(["\n", "\r\n"])
    begin, end = ("[", "]") if is_array else ("", "")
    between = rng.choice([",", ",\n"] if is_array else [line_end] if is_lines else ["", " ", line_end])
    encoding, damaged = encoding_of(rng, ENCODINGS[:4], [names, parts]), rng.choice([None] * 9 + [0])
    found = Set(files=[], rows=[], way=(form, encoding))
    for place, part in enumerate(parts):
        rows = [{name: cell for name, cell in row.items() if cell is not None or rng.random() < 0.5} for row in part]
        texts = [json_text(rng, row, "" if is_lines else rng.choice(["", "\n  "])) for row in rows]
        bad = rng.randrange(len(texts)) if place == damaged and texts else None
        if bad is not None:
            texts[bad] = texts[bad][:-1] + rng.choice([',"a":tru}', ',"a" 1}', ',"a":01}', ",}"])
        text = begin + between.join(texts) + end + rng.choice(["", line_end])
        found.files.append(save(rng, folder / f"{place}.json", text, encoding))
        if bad is None:
            assert repr(list(json_rows(text))) == repr(rows), f"other rows than the script meant: {text} for {rows}"
        else:
            start = len(begin + "".join(text + between for text in texts[:bad]))
            found.damage = found.files[-1], lines_of(text, start, start + len(texts[bad]))
        found.rows.extend(rows)
    found.columns = [name for name in names if any(name in row for row in found.rows)]
    spelled = spellings(found.rows)
    found.rows = [{spelled.get(name, name): cell for name, cell in row.items()} for row in found.rows]
    found.columns = [name for name in found.columns if spelled.get(name, name) == name]
    if encoding.startswith("utf-8") and found.columns and not spelled:
        columns = ", ".join(f"{sql(name)}: 'VARCHAR'" for name in found.columns)
        found.duck = f"read_json({sql_list(found.files)}, format = '{form}', columns = {{{columns}}})"
    return found


def spellings(rows):
    """The keys that are called otherwise: the same as another but for case, and in no object with one that is."""
    first, apart = {}, set()
    for row in rows:
        for name in row:
            first.setdefault(name.lower(), name)
            apart |= {name.lower()} if any(name != other and name.lower() == other.lower() for other in row) else set()
    names = {name for row in rows for name in row}
    return {name: first[name.lower()] for name in names if name.lower() not in apart and first[name.lower()] != name}


def json_text(rng, cell, line=""):
    """A value in JSON; the members of an object perhaps each on a line."""
    if isinstance(cell, dict):
        gap = rng.choice(["", " "])
        members = (f"{line}{json_text(rng, name)}:{gap}{json_text(rng, cell[name])}" for name in cell)
        text = "{" + f",{gap}".join(members) + line[:1] + "}"
    elif isinstance(cell, list):
        text = "[" + ", ".join(json_text(rng, item) for item in cell) + "]"
    else:
        return cell if isinstance(cell, Number) else json.dumps(cell, ensure_ascii=rng.random() < 0.3)
    if isinstance(cell, (Array, Object)):
        cell.text = text
    return text


def json_rows(text):
    """The objects of a text, in an array or one after the other."""
    decoder, place, blanks = json.JSONDecoder(parse_int=Number, parse_float=Number), 0, re.compile(r"\s*")
    while (place := blanks.match(text, place).end()) < len(text):
        value, place = decoder.raw_decode(text, place)
        yield from value if isinstance(value, list) else [value]


# The types that files of one table may have for a column.
FAMILIES = [
    [pa.int8(), pa.int16(), pa.int32(), pa.int64()], [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.int64()],
    [pa.int32(), pa.int64(), pa.float64()], [pa.float16(), pa.float32(), pa.float64()], [pa.decimal256(50, 5)],
    [pa.decimal128(9, 2), pa.decimal128(18, 4), pa.decimal128(38, 10)], [pa.decimal128(10, 2), pa.float64()],
    [pa.decimal32(9, 2), pa.decimal64(18, 3), pa.int32()], [pa.int64(), pa.decimal128(20, 2)], [pa.bool_()],
    [pa.date32(), pa.timestamp("us"), pa.date64()], [pa.timestamp(unit) for unit in UNITS],
    [pa.timestamp("ms", "UTC"), pa.timestamp("us", "Europe/Berlin"), pa.timestamp("us", "UTC")],
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    [pa.string(), pa.int64(), pa.bool_(), pa.decimal128(9, 2), pa.date32(), pa.timestamp("us"), pa.float64()],
    [pa.binary(), pa.large_binary(), pa.binary(4)], [pa.time32("ms"), pa.time64("us"), pa.time64("ns")],
    [pa.list_(pa.int32()), pa.list_(pa.int64()), pa.large_list(pa.float64()), pa.list_(pa.int32(), 2)],
    [pa.struct({"x": pa.int32(), "y": pa.string()}), pa.struct({"y": pa.string(), "z": pa.date32()})],
    [pa.list_(pa.struct({"x": pa.decimal128(9, 2)})), pa.list_(pa.struct({"x": pa.int32(), "y": pa.timestamp("us")}))],
    [pa.dictionary(pa.int32(), pa.int64()), pa.int32()], [pa.list_(pa.list_(pa.string()))],
    [pa.map_(pa.string(), kind) for kind in (pa.int32(), pa.int64(), pa.float64())],
    [pa.map_(pa.string(), pa.int32()), pa.map_(pa.string(), pa.string())],
    [pa.map_(pa.string(), pa.int32()), pa.struct({"x": pa.int32(), "y": pa.string()}), pa.list_(pa.date32())],
    [pa.list_(pa.string()), pa.string()], [pa.decimal256(50, 5), pa.decimal128(20, 2), pa.int32()],
]  # fmt: skip


def parquet_set(rng, folder):
    names, parts = table(rng, {"any": lambda rng: True})
    families = {name: rng.choice(FAMILIES) for name in names}
    near, is_old, packed = rng.random() < 0.5, rng.random() < 0.2, {}
    found = Set(columns=list(names), files=[], rows=[], way=[], parts=[])
    for place, part in enumerate(parts):
        columns, own = {}, [name for name, first in names.items() if first <= place]
        for name in rng.sample(own, len(own)):
            kind = pa.null() if rng.random() < 0.05 else rng.choice(families[name])
            columns[name] = pa.array([parquet_cell(rng, kind, near) if row[name] else None for row in part], kind)
            packed |= {name: "Utf8" if is_text(kind.value_type) else "Int64"} if is_a.is_dictionary(kind) else {}
        written = pa.table(columns)
        options = {"compression": rng.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
                   "row_group_size": rng.randint(1, len(part) + 1), "data_page_size": rng.choice([64, 2**20]),
                   "data_page_version": rng.choice(["1.0", "2.0"]), "use_dictionary": rng.random() < 0.5,
                   "version": rng.choice(["1.0", "2.4", "2.6"]) if "[ns" not in str(written.schema) else "2.6",
                   "store_schema": rng.random() < 0.8, "write_statistics": rng.random() < 0.8,
                   "use_deprecated_int96_timestamps": near and is_old}  # fmt: skip
        found.files.append(folder / f"{place}.parquet")
        pq.write_table(written, found.files[-1], **options)
        stored = pq.read_table(found.files[-1])
        found.way += [{field.name: str(field.type) for field in stored.schema}, options]
        cells = {name: [cell_of(scalar) for scalar in stored[name]] for name in own}
        found.parts.append([{name: cells[name][row] for name in own} for row in range(len(part))])
        found.rows.extend(found.parts[-1])
    if packed:
        # An Arrow file has one dictionary for each column, which several files or row groups have not.
        named = {name: f"arrow_cast({quoted(name)}, '{kind}') AS {quoted(name)}" for name, kind in packed.items()}
        found.select = ", ".join(named.get(name, quoted(name)) for name in names)
    found.duck = f"read_parquet({sql_list(found.files)}, union_by_name = true)"
    return found


AVRO_CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"]
AVRO_TYPES = {"bool": "boolean", "int32": "int", "int64": "long", "float": "float", "double": "double",
              "string": "string", "binary": "bytes", "null": "null",
              "date32[day]": {"type": "int", "logicalType": "date"},
              "time32[ms]": {"type": "int", "logicalType": "time-millis"},
              "time64[us]": {"type": "long", "logicalType": "time-micros"}}  # fmt: skip


def avro_type(kind, numbers):
    """A type's schema, or None. What must have a name has a number for one."""
    schema, unit = AVRO_TYPES.get(str(kind)), {"ms": "millis", "us": "micros"}.get(getattr(kind, "unit", None))
    if is_list(kind):
        schema = {"type": "array", "items": avro_type(kind.value_type, numbers)}
    elif is_a.is_struct(kind):
        fields = [{"name": field.name, "type": avro_type(field.type, numbers)} for field in kind]
        schema = {"type": "record", "name": f"r{next(numbers)}", "fields": fields}
    elif is_a.is_map(kind):
        schema = {"type": "map", "values": avro_type(kind.item_type, numbers)}
    elif is_a.is_fixed_size_binary(kind):
        schema = {"type": "fixed", "name": f"f{next(numbers)}", "size": kind.byte_width}
    elif is_a.is_decimal128(kind) or is_a.is_decimal256(kind):
        schema = {"type": "bytes", "logicalType": "decimal", "precision": kind.precision, "scale": kind.scale}
    elif is_a.is_timestamp(kind) and unit:
        schema = {"type": "long", "logicalType": f"{'' if kind.tz else 'local-'}timestamp-{unit}"}
    return ["null", schema] if schema and schema != "null" else schema


def avro_set(rng, folder):
    names, parts = table(rng, {"any": lambda rng: True})
    known = [[kind for kind in family if avro_type(kind, itertools.count())] for family in FAMILIES]
    families, near = {name: rng.choice([family for family in known if family]) for name in names}, rng.random() < 0.5
    found, is_damaged = Set(columns=list(names), files=[], rows=[], way=[], parts=[]), rng.random() < 0.1
    for place, part in enumerate(parts):
        own = [name for name, first in names.items() if first <= place]
        kinds = {name: pa.null() if rng.random() < 0.05 else rng.choice(families[name]) for name in own}
        rows = [{name: parquet_cell(rng, kinds[name], near) if row[name] else None for name in own} for row in part]
        file, numbers, schema = io.BytesIO(), itertools.count(), pa.schema(kinds)
        fields = [{"name": name, "type": avro_type(kind, numbers)} for name, kind in kinds.items()]
        way = {"type": "record", "name": "row", "fields": fields}, rng.choice(AVRO_CODECS), rng.choice([50, 16_000])
        fastavro.writer(file, way[0], avro_rows(rows, schema), *way[1:])
        read = [
            {name: list(cell.items()) if is_a.is_map(kinds[name]) and cell else cell for name, cell in row.items()}
            for row in fastavro.reader(io.BytesIO(file.getvalue()))
        ]
        read = pa.Table.from_pylist(read, schema)
        found.parts.append([dict(zip(own, cells)) for cells in zip(*[map(cell_of, column) for column in read.columns])])
        found.rows.extend(found.parts[-1])
        found.way += way
        found.files.append(folder / f"{place}.avro")
        # What is cut off is within the mark behind the last block.
        cut = rng.randint(1, 15) if is_damaged and place + 1 == len(parts) else 0
        found.files[-1].write_bytes(file.getvalue()[: len(file.getvalue()) - cut])
    found.damage = (found.files[-1], None) if is_damaged else None
    return found


def avro_rows(rows, schema):
    """The rows as fastavro takes them."""
    return pa.Table.from_pylist(rows, schema).to_pylist(maps_as_pydicts="strict")


def parquet_cell(rng, kind, near):
    """A value of a type, as pyarrow takes it."""
    if is_a.is_null(kind) or rng.random() < 0.05:
        return None
    if is_a.is_struct(kind):
        return {field.name: parquet_cell(rng, field.type, near) for field in kind}
    if is_list(kind):
        length = kind.list_size if is_a.is_fixed_size_list(kind) else rng.randrange(4)
        return [parquet_cell(rng, kind.value_type, near) for _ in range(length)]
    if is_a.is_map(kind):
        return [(name, parquet_cell(rng, kind.item_type, near)) for name in rng.sample(NAMES, rng.randrange(4))]
    if is_a.is_dictionary(kind):
        return parquet_cell(rng, kind.value_type, near)
    if is_a.is_boolean(kind):
        return rng.random() < 0.5
    if is_a.is_integer(kind):
        low = -(2 ** (kind.bit_width - 1)) if is_a.is_signed_integer(kind) else 0
        high = low + 2**kind.bit_width - 1
        return rng.choice([rng.randint(low, high), low, high, rng.randrange(100), min(2**53 + 1, high)])
    if is_a.is_floating(kind):
        value = rng.uniform(-1, 1) * 10.0 ** rng.randrange(-30, 30)
        value = rng.choice([0.1, -0.0, 5.0, math.nan, math.inf, rng.randrange(10**6) / 100, value])
        return numpy.float16(value % 100) if is_a.is_float16(kind) else value
    if is_a.is_decimal(kind):
        digits = rng.randrange(10 ** rng.randint(1, kind.precision))
        return decimal.Decimal(rng.choice([-1, 1]) * digits).scaleb(-kind.scale)
    if is_text(kind):
        return rng.choice([TEXTS["text"](rng), "007", "2024-02-29", "1.50", "true"])
    if is_a.is_temporal(kind):
        days = rng.randrange(-90_000, 90_000) if near or "[ns" in str(kind) else rng.randrange(-719_162, 2_932_896)
        unit = DAY if is_a.is_date32(kind) else 10**6 if is_a.is_date64(kind) else UNITS[kind.unit]
        return (is_a.is_time(kind) or days) * DAY // unit - (0 if is_a.is_date(kind) else rng.randint(1, DAY // unit))
    return rng.randbytes(kind.byte_width if is_a.is_fixed_size_binary(kind) else rng.randrange(5))


def is_text(kind):
    return is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind)


def is_list(kind):
    return is_a.is_list(kind) or is_a.is_large_list(kind) or is_a.is_fixed_size_list(kind)


def cell_of(scalar):
    """The cell of a value in an Arrow array."""
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if is_a.is_dictionary(kind):
        return cell_of(scalar.value)
    if is_list(kind):
        return [cell_of(item) for item in scalar.values]
    if is_a.is_struct(kind):
        return {field.name: cell_of(scalar[field.name]) for field in kind}
    if is_a.is_map(kind):
        names, values = (scalar.values.field(place) for place in (0, 1))
        return {name.as_py(): cell_of(value) for name, value in zip(names, values)}
    if is_a.is_temporal(kind):
        unit = DAY if is_a.is_date32(kind) else 10**6 if is_a.is_date64(kind) else UNITS[kind.unit]
        cell = Moment(scalar.value * unit)
        cell.text = iso(cell, kind)
        return cell
    value = scalar.as_py()
    if is_a.is_integer(kind) or is_a.is_decimal(kind):
        return Number(f"{value:f}" if is_a.is_decimal(kind) else value)
    return numpy.float32(value) if is_a.is_float16(kind) or is_a.is_float32(kind) else value


def iso(cell, kind):
    """The text of a time in JSON, which is ISO 8601; no list here has one with a zone."""
    day, clock = divmod(cell, DAY)
    seconds, fraction = divmod(clock, SECOND)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    clock += f".{fraction:09}".rstrip("0").rstrip(".")
    if is_a.is_time(kind):
        return clock
    day = (EPOCH + datetime.timedelta(days=day)).date().isoformat()
    return day if is_a.is_date(kind) else f"{day}T{clock}"


def key(cell, kind, texts=()):
    """What a cell says as a value of a type, to be compared; what is none of the type equals nothing that is. A text is
    itself if it is one of those given, else what it says."""
    lost = "no value of the type", repr(cell)
    if isinstance(cell, str) and not is_text(kind):
        cell = type(cell)(cell.strip(" \t\n\r\f")) or None
    if cell is None:
        return None
    if is_list(kind):
        return tuple(key(item, kind.value_type, texts) for item in cell) if isinstance(cell, list) else lost
    if is_a.is_struct(kind):
        fits = isinstance(cell, dict) and not cell.keys() - {field.name for field in kind}
        return tuple(key(cell.get(field.name), field.type, texts) for field in kind) if fits else lost
    if is_a.is_map(kind):
        fits = isinstance(cell, dict)
        return tuple((name, key(cell[name], kind.item_type, texts)) for name in cell) if fits else lost
    if is_text(kind):
        return text if (text := text_of(cell)) in texts else said(cell)
    if is_a.is_boolean(kind):
        value = {"true": True, "false": False}.get(str(cell).lower())
    elif is_a.is_integer(kind) or is_a.is_decimal(kind):
        value = number(cell)
    elif is_a.is_floating(kind):
        value = double(cell)
    elif is_a.is_temporal(kind):
        value = moment(f"1970-01-01 {cell}" if is_a.is_time(kind) and isinstance(cell, str) else cell)
    else:
        value = cell if isinstance(cell, bytes) else None
    return lost if value is None else value


def number(cell):
    """An exact number; a code is none, and of a float it is the one with the fewest digits."""
    text = str(cell) if isinstance(cell, (float, numpy.float32)) else cell
    return decimal.Decimal(text) if isinstance(text, str) and NUMBER.fullmatch(text) else None


def double(cell):
    """A number of double precision, whose digits are those that were written: the fewest that tell it, or as many."""
    if isinstance(cell, (float, numpy.float32)) or re.fullmatch("[+-]?(nan|inf|infinity)", str(cell).lower()):
        return "NaN" if math.isnan(float(cell)) else float(cell)
    exact = number(cell)
    if exact is None or math.isinf(float(exact)):
        return None
    value = float(exact)
    return value if exact in (decimal.Decimal(repr(value)), decimal.Decimal(value).quantize(exact)) else None


def moment(cell):
    """Nanoseconds since 1970."""
    found = MOMENT.fullmatch(cell) if isinstance(cell, str) else None
    if not found:
        return int(cell) if isinstance(cell, Moment) else None
    day, clock, fraction, zone = found.groups()
    since = datetime.datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or 'Z'}") - EPOCH
    return since.days * DAY + since.seconds * SECOND + int((fraction or "").ljust(9, "0"))


def said(cell):
    """What a text says, or what the text of another value would say; never the text itself."""
    if isinstance(cell, bytes):
        return "text", cell.decode(errors="replace")
    if isinstance(cell, str) and cell[:1] in ("[", "{"):
        try:
            cell = json.loads(cell, parse_int=Number, parse_float=Number)
        except ValueError:
            return "text", str(cell)
    if isinstance(cell, dict):
        return tuple((name, said(item)) for name, item in cell.items())
    if isinstance(cell, list):
        return tuple(map(said, cell))
    for read in (moment, number):
        if (value := read(cell)) is not None:
            return read.__name__, value
    return "text", str(cell).lower() if isinstance(cell, bool) else str(cell).replace("nan", "NaN")


def text_of(cell):
    """The text of a value; of a list or an object its JSON, as it was written or as Python has it."""
    if isinstance(cell, (Array, Object, Moment)):
        return cell.text
    if isinstance(cell, dict):
        return "{" + ",".join(f"{json_of(name)}:{json_of(item)}" for name, item in cell.items()) + "}"
    if isinstance(cell, list):
        return "[" + ",".join(map(json_of, cell)) + "]"
    if isinstance(cell, (float, numpy.float32)):
        # Python writes 1e-07 and 1e+16, others 1e-7 and 1e16.
        text = re.sub(r"e(-?)\+?0?", r"e\1", str(cell))
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def json_of(cell):
    """The same within a list or an object."""
    is_text = isinstance(cell, (str, Moment)) and not isinstance(cell, Number)
    return "null" if cell is None else json.dumps(text_of(cell), ensure_ascii=False) if is_text else text_of(cell)


def parts_of(cell):
    """A cell and what is in it."""
    yield cell
    for part in cell if isinstance(cell, list) else cell.values() if isinstance(cell, dict) else ():
        yield from parts_of(part)


def texts_in(cells):
    """The texts that a column of text must have as they are, so not those of floats and times: these have several."""
    free = type(None), float, numpy.float32, Moment, bytes
    return {text_of(part) for cell in cells for part in parts_of(cell) if not isinstance(part, free)}


def compare(one, read, is_lenient=False):
    """The cells that differ as (column, type, written, read), and how many blank ones are NULL. To be lenient is to let
    each text say its value in another way."""
    if sorted(one.columns) != sorted(read.column_names):
        return [("names", "of columns", one.columns, read.column_names)] * max(len(one.rows), 1), 0
    kinds = [read.schema.field(name).type for name in one.columns]
    wanted, found, blanks = [], [], 0
    for name, kind in zip(one.columns, kinds):
        cells = [row.get(name) for row in one.rows]
        if one.decimal == "," and (is_a.is_floating(kind) or is_a.is_decimal(kind)):
            cells = [cell and cell.translate({ord(","): ".", ord("."): ","}) for cell in cells]
        texts = set() if is_lenient else texts_in(cells)
        wanted.append([key(cell, kind, texts) for cell in cells])
        found.append([key(cell_of(scalar), kind, texts) for scalar in read[name]])
        blanks += sum(cell is not None and value is None for cell, value in zip(cells, wanted[-1]))
    wanted, found = collections.Counter(zip(*wanted)), collections.Counter(zip(*found))
    missing, extra = (sorted(rows.elements(), key=repr) for rows in (wanted - found, found - wanted))
    differing = []
    for place in range(max(len(missing), len(extra))):
        pair = [rows[place] if place < len(rows) else ("no such row",) * len(kinds) for rows in (missing, extra)]
        differing += [cell for cell in zip(one.columns, kinds, *pair) if cell[2] != cell[3]]
    return differing, blanks


def shown(differing):
    cells = (f"{name} {kind}: written {wanted!r}, read {found!r}" for name, kind, wanted, found in differing[:2])
    return "; ".join(cells)[:500]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def sql(text):
    return "'" + str(text).replace("'", "''") + "'"


def sql_list(texts):
    return f"[{', '.join(map(sql, texts))}]"


def statements(number, one):
    """What Fusewire runs for a set: its rows go to a file, and its number is printed with two counts."""
    folder = one.files[0].parent
    source = sql(one.files[0] if len(one.files) == 1 else f"{folder}/")
    if one.options:
        options = ", ".join(f"{name} {sql(value)}" for name, value in one.options.items())
        yield f"CREATE EXTERNAL TABLE t{number} STORED AS CSV LOCATION {source} OPTIONS ({options});"
        source = f"t{number}"
    yield f"COPY (SELECT {one.select} FROM {source}) TO '{folder}.arrow' STORED AS ARROW;"
    yield f"SELECT {number} AS set, count(*), count({quoted((one.columns or ['a'])[0])}) FROM {source};"


def ask(binary, sets, settings):
    """What Fusewire says of each set: two counts, or an error. An error ends a process, and another goes on behind."""
    answers, left = {}, list(sets)
    while left:
        script = "\n".join(line for number in left for line in statements(number, sets[number]))
        command = [binary, "--format", "csv", *settings, "-f", "-"]
        process = subprocess.run(command, input=script.encode(), capture_output=True, timeout=600)
        for line in re.findall(r"^\d+,\d+,\d+$", process.stdout.decode(), re.MULTILINE):
            number, *counts = map(int, line.split(","))
            answers[number] = counts
        left = [number for number in left if number not in answers]
        if left:
            message = re.search(r"^error: (.*?)( \[\w{5}\])?$", process.stderr.decode(errors="replace"), re.MULTILINE)
            answers[left[0]] = message[1] if message else f"exit code {process.returncode}: {process.stderr[-300:]}"
            left = left[1:]
    return answers


def is_named(one, message):
    """Whether an error says which file it is about, and which line of a text: the damaged ones, if there are."""
    file = next((file for file in one.files if str(file) in message), None)
    line = re.search(r", line (\d+)[,:]", message)
    if one.damage:
        damaged, lines = one.damage
        return file == damaged and (lines is None or line is not None and int(line[1]) in lines)
    # What is said of whole files or of a header needs no line.
    if "is empty" in message or "holds no row" in message:
        is_blank = all(cell is None for row in one.rows for cell in row.values())
        return is_blank and str(one.files[0].parent) in message
    return file is not None and bool(line or "has the columns" in message)


MISFIT = re.compile(r"file (.+?)(?:, row (\d+))?, column (.+): stored as .+?, and not all its values are "
                    r"(?:of type )?(.+?): (?:in .+, )?'([^']+)' is not(?: of type (.+))?")  # fmt: skip


def is_misfit(one, message):
    """Whether an error names a value that a file has in that column and, where it is told, first in that row, and that
    is none of the type it should have."""
    if not (found := MISFIT.fullmatch(message)):
        return False
    path, row, name, of_column, text, of_value = found.groups()
    parts = {str(file): part for file, part in zip(one.files, one.parts)}
    for number, cells in enumerate(parts.get(path, []), 1):
        misfits = [cell for cell in parts_of(cells.get(name)) if not fits(cell, of_value or of_column)]
        if any(said(cell) == said(text) for cell in misfits):
            return row is None or int(row) == number
        if misfits and row:
            return False
    return False


def fits(cell, name):
    """Whether a value is one of a type of SQL, as far as the types of other files lead to it."""
    if cell is None or isinstance(cell, (list, dict)):
        return True
    if name == "double precision":
        # A whole number may have the digits of a double and not be it.
        is_whole = isinstance(cell, Number) and re.fullmatch(r"-?\d+", cell)
        return double(cell) is not None and (not is_whole or int(float(cell)) == int(cell))
    if name == "timestamp(9)":
        return not isinstance(cell, Moment) or -(2**63) <= cell < 2**63
    if digits := re.fullmatch(r"numeric\((\d+), (\d+)\)", name):
        precision, scale = map(int, digits.groups())
        value = number(cell)
        return value is not None and value == round(value, scale) and abs(value) < 10 ** (precision - scale)
    return True


def judge(one, form, answer):
    """What a set counts as, and what is different in it."""
    if isinstance(answer, str):
        has_misfit = is_misfit(one, answer)
        if not has_misfit and not is_named(one, answer):
            return {}, f"an error without the place: {answer}"
        is_told = form != "csv" or "delimiter" in one.options
        is_damaged = one.damage and not has_misfit
        return {f"errors named: {'damaged' if is_damaged else 'whole' if is_told else 'dialect not told'}": 1}, None
    if one.damage:
        return {}, f"read, though {one.damage[0].name} is damaged in line {sorted(one.damage[1] or [])}"
    with pa.ipc.open_file(f"{one.files[0].parent}.arrow") as file:
        read = file.read_all()
    differing, blanks = compare(one, read)
    cells = len(one.rows) * len(one.columns)
    counts = {"cells": cells, "cells equal": cells - len(differing), "blank texts read as NULL": blanks}
    if not differing and answer != [len(read), len(read) - read[one.columns[0]].null_count]:
        return counts, f"count(*) and count of {one.columns[0]} are {answer}"
    return counts, shown(differing)


def judge_duck(engine, one):
    """The same of DuckDB, where it knows the encoding and compression and can tell the columns apart."""
    is_known = one.duck and not one.damage and not any(file.suffix in (".bz2", ".xz") for file in one.files)
    if not is_known or len({name.lower() for name in one.columns}) < len(one.columns):
        return {}, None
    try:
        read = engine.sql(f"SELECT * FROM {one.duck}").to_arrow_table()
    except duckdb.Error as error:
        return {"DuckDB tried": 1, "DuckDB fails": 1}, str(error).splitlines()[0]
    differing, _ = compare(one, read, not one.duck.startswith("read_csv"))
    return {"DuckDB tried": 1, "DuckDB differs": bool(differing)}, shown(differing)


MAKERS = {"csv": (csv_set, 2000), "json": (json_set, 1000), "parquet": (parquet_set, 500), "avro": (avro_set, 500)}
COUNTS = ["sets", "cells", "cells equal", "blank texts read as NULL", "errors named: damaged", "errors named: whole",
          "errors named: dialect not told", "sets that differ", "DuckDB tried", "DuckDB differs",
          "DuckDB fails"]  # fmt: skip


def run(task):
    """Makes some sets, has them read, and returns their counts and findings."""
    options, form, numbers = task
    folder, sets = pathlib.Path(tempfile.mkdtemp(prefix="fusewire-files-")), {}
    tally, findings = collections.Counter(), []
    for number in numbers:
        (folder / str(number)).mkdir()
        sets[number] = MAKERS[form][0](random.Random(f"{options.seed} {form} {number}"), folder / str(number))
    # How rows are cut into parts and batches must not matter.
    rng = random.Random(f"{options.seed} {form} {numbers[0] // AT_ONCE}")
    settings = [f"--set=batch_size={rng.choice([7, 100, 8192])}", f"--set=target_partitions={rng.choice([0, 1, 4])}"]
    answers, engine = ask(options.binary, sets, settings), duckdb.connect(config={"threads": 1})
    for number, one in sets.items():
        (counts, different), (duck_counts, duck_different) = judge(one, form, answers[number]), judge_duck(engine, one)
        tally.update(counts | duck_counts | {"sets": 1, "sets that differ": bool(different)})
        texts = {"differences": different, "DuckDB differs or fails": duck_different}
        texts |= {kind: answers[number] for kind in counts if kind.startswith("errors")}
        findings += [(kind, f"{form}:{number} {text}") for kind, text in texts.items() if text]
        if options.only:
            print(folder / str(number), one.way, " ".join(settings), *statements(number, one), sep="\n")
            print(f"Fusewire: {answers[number]}; damage: {one.damage}; DuckDB: {one.duck}")
    if not options.only:
        shutil.rmtree(folder)
    return form, tally, findings


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default="target/release/fusewire", help="the engine")
    for form, (_, number) in MAKERS.items():
        parser.add_argument(f"--{form}", type=int, default=number, help=f"how many sets of {form} files ({number})")
    parser.add_argument("--seed", type=int, default=1, help="the seed of all that is random (1)")
    parser.add_argument("--only", help="one set, as csv:17; its files are kept")
    parser.add_argument("--processes", type=int, default=2, help="how many groups of sets are tried at a time (2)")
    return parser.parse_args()


def main():
    options = arguments()
    numbers = {form: range(getattr(options, form)) for form in MAKERS}
    if options.only:
        numbers = {form: [int(number)] for form, number in [options.only.split(":")]}
    groups = [
        (options, form, some[begin : begin + AT_ONCE])
        for form, some in numbers.items()
        for begin in range(0, len(some), AT_ONCE)
    ]
    tallies, findings = {form: collections.Counter() for form in numbers}, collections.defaultdict(list)
    print(f"seed {options.seed}")
    with multiprocessing.Pool(options.processes) as pool:
        for done, (form, tally, found) in enumerate(pool.imap(run, groups), 1):
            tallies[form].update(tally)
            for kind, text in found:
                findings[kind].append(text)
            print(f"{done} of {len(groups)}: {len(findings['differences'])} differences", file=sys.stderr, flush=True)
    print(f"\n| | {' | '.join(tallies)} |\n|---|{'---:|' * len(tallies)}")
    for name in COUNTS:
        print(f"| {name} | {' | '.join(f'{tally[name]:,}' for tally in tallies.values())} |")
    for kind, texts in sorted(findings.items()):
        print(f"\n{kind}: {len(texts):,}", *texts[: None if kind == "differences" else 20], sep="\n  ")
    if findings["differences"]:
        sys.exit(f"differences; each can be tried again with --seed {options.seed} --only SET")


if __name__ == "__main__":
    main()
