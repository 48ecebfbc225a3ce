"""What the Python clients share: the values of values.tsv as Python has them, how results are told, and the steps.

Every step is one line of JSON on standard output: the client, the type, the step and what came of it. Whoever compares two
servers compares these lines.
"""

import dataclasses
import datetime
import decimal
import json
import pathlib
import re
import uuid

FOLDER = pathlib.Path(__file__).parent
UTC = datetime.timezone.utc

# Rows as values, which are only read.
RECORDS = [
    "ROW(1, 'a', NULL::int)",
    "ROW(true, 2::smallint, 3::bigint, 1.5::numeric, 0.5::real, 0.25::double precision)",
    "ROW('x'::text, 'y'::varchar, '\\x00ff'::bytea, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid)",
    "ROW(DATE '2020-02-29', TIME '12:34:56', TIMESTAMP '2020-02-29 12:34:56.5', INTERVAL '1 day 2 hours')",
    "ROW(ARRAY[1, NULL, 3], ROW(1, 'b'), '{\"a\": 1}'::jsonb)",
]


class NotNative(Exception):
    """The client has no value for it."""


@dataclasses.dataclass
class Value:
    """A value as PostgreSQL writes it, and whether its type refuses it; of an array, its elements instead."""

    text: object
    is_refused: bool = False


@dataclasses.dataclass
class Case:
    type: str
    kind: str
    values: list
    # Of its own, so that no statement that was prepared for one type is asked for another.
    table: str

    @property
    def is_array(self):
        return self.type.endswith("[]")


def unescaped(text):
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def cases(only):
    """The types of the list and those of their arrays; of these names, if there are any."""
    found = []
    for line in (FOLDER / "values.tsv").read_text(encoding="utf-8").split("\n"):
        if not line or line.startswith("#"):
            continue
        name, kind, *texts = line.split("\t")
        values = [Value(unescaped(text.removeprefix("!")), text.startswith("!")) for text in texts]
        good = [value.text for value in values if not value.is_refused]
        row = [Value(good), Value([]), Value([None, good[0]])]
        box = [Value([[good[0], None], [good[-1], good[0]]])]
        for behind, values in [("", values), ("[]", row), ("[][]", box)]:
            found.append(Case(name + behind, kind, [*values, Value(None)], f"of_type_{len(found)}"))
    return [case for case in found if not only or case.type in only]


def literal(value, kind):
    """A value as SQL writes it, without its type."""
    if value is None:
        return "NULL"
    return "'" + plain(value, kind).replace("'", "''") + "'"


def plain(value, kind):
    if isinstance(value, list):
        return "{" + ",".join(element(item, kind) for item in value) + "}"
    return f"\\x{value}" if kind == "bytes" else value


def element(value, kind):
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return plain(value, kind)
    return '"' + plain(value, kind).replace("\\", "\\\\").replace('"', '\\"') + '"'


INTERVAL = re.compile(r"^(?:(-?\d+) mons ?)?(?:(-?\d+) days ?)?(?:(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?$")


def interval(text):
    """Months, days and microseconds."""
    months, days, sign, hours, minutes, seconds, rest = INTERVAL.match(text).groups()
    micros = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * 1_000_000
    micros += int((rest or "").ljust(6, "0"))
    return int(months or 0), int(days or 0), -micros if sign else micros


def native(value, kind, endless):
    """A value as Python has it. `endless` is whether the client sends the first and the last times for infinite ones."""
    if value is None:
        return None
    if isinstance(value, list):
        return [native_element(item, kind, endless) for item in value]
    try:
        return scalar(value, kind, endless)
    except (ValueError, OverflowError) as error:
        raise NotNative(value) from error


def natives(case, made):
    """The texts of a case's values that the client has, by its way to make them."""
    found = []
    for value in case.values:
        try:
            if value.text is not None and not value.is_refused:
                made(case, value.text)
                found.append(value.text)
        except NotNative:
            pass
    return found


def native_element(value, kind, endless):
    """An element as Python has it; NULL for one that it has not."""
    try:
        return native(value, kind, endless)
    except NotNative:
        return None


def scalar(text, kind, endless):
    match kind:
        case "bool":
            return text == "t"
        case "int" | "long":
            return int(text)
        case "decimal":
            return decimal.Decimal(text)
        case "float":
            return float(text)
        case "text" | "byte" | "json":
            return text
        case "bytes":
            return bytes.fromhex(text)
        case "uuid":
            return uuid.UUID(text)
        case "interval":
            months, days, micros = interval(text)
            if months:
                raise NotNative(text)
            return datetime.timedelta(days=days, microseconds=micros)
    if text.endswith("infinity"):
        if not endless or kind not in ("date", "timestamp", "timestamptz"):
            raise NotNative(text)
        kinds = datetime.date if kind == "date" else datetime.datetime
        found = kinds.min if text.startswith("-") else kinds.max
        return found.replace(tzinfo=UTC) if kind == "timestamptz" else found
    match kind:
        case "date":
            return datetime.date.fromisoformat(text)
        case "time" | "timetz":
            return datetime.time.fromisoformat(padded(text))
        case _:
            return datetime.datetime.fromisoformat(padded(text))


def padded(text):
    """A time with six digits behind the point, and minutes of its zone, as every Python reads it."""
    text = re.sub(r"\.(\d+)", lambda found: "." + found[1].ljust(6, "0"), text)
    return re.sub(r"([+-]\d\d)$", r"\1:00", text) if ":" in text else text


def told(value):
    """A value that a client returned, with its type, as JSON has it."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [told(item) for item in value]}
    if isinstance(value, (bytes, memoryview)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, dict):
        return {"dict": json.dumps(value)}
    if isinstance(value, (datetime.date, datetime.time, datetime.datetime, datetime.timedelta)):
        return {type(value).__name__: repr(value)}
    if hasattr(value, "items"):
        return {type(value).__name__: [told(item) for item in value.values()]}
    return {type(value).__name__: str(value)}


def tell(client, case, step, got, says=None):
    """Prints what came of a step; what an error says beside its code is not compared."""
    line = {"client": client, "type": case, "step": step, "got": got}
    if says is not None:
        line["says"] = says
    print(json.dumps(line, ensure_ascii=False), flush=True)
