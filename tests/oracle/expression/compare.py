"""What is a difference, and which ones are accepted."""

import collections
import decimal
import math
import re
import struct
import typing

from .server import LOST, Answer

VALUE, TYPE, NAME = "other value", "other type", "other name"
ANSWERS, REFUSED, STATE, BROKEN = "answers where PostgreSQL refuses", "refused", "other SQLSTATE", "connection lost"
VERDICTS = [BROKEN, VALUE, ANSWERS, TYPE, NAME, STATE, REFUSED]
FLOAT4, FLOAT8, NUMERIC = 700, 701, 1700
TRANSCENDENT = re.compile(
    r"\b(exp|ln|log|log10|power|pow|sqrt|cbrt|a?(sin|cos|tan|cot)h?d?|atan2d?|degrees|radians|dexp|dlog\w*|dpow|dsqrt|"
    r"dcbrt)\b"
    r"|\^|\|/",
    re.IGNORECASE,
)
NO_NUMBER = re.compile(r"\b(NaN|Infinity)\b", re.IGNORECASE)
LATE = re.compile(r"\b(26214[3-9]|2621[5-9]\d|262[2-9]\d\d|26[3-9]\d{3}|2[7-9]\d{4}|[3-9]\d{5}|\d{7,})-\d\d")


class Finding(typing.NamedTuple):
    verdict: str
    # "cast", "operator", … and what is called so.
    kind: str
    name: str
    label: str
    sql: str
    theirs: Answer
    ours: Answer

    def group(self):
        """What probably has one cause: one message, for casts and operators whatever the types."""
        sides = (self.theirs, self.ours)
        name = "" if self.kind in ("cast", "operator", "form") and any(side.state for side in sides) else self.name
        told = [f"{side.state} {without_values(side.message)}" if side.state else "" for side in sides]
        return (self.verdict, self.kind, name, *told)


KINDS = re.compile(
    r"\b(timestamp with(out)? time zone|time with(out)? time zone|double precision|character varying|"
    r"(big|small)?int(eger)?|"
    r"boolean|numeric|real|text|character|name|bytea|uuid|date|timestamp(tz)?|time(tz)?|interval|jsonb?|oid|varchar|"
    r"bpchar|unknown|bool|int[248]|float[48])\b(\[\])?(\(\d+(,\d+)?\))?"
)


def without_values(message):
    message = re.sub(r"\"[^\"]*\"|'[^']*'", "…", message)
    message = re.sub(r"(operator (does not exist|is not unique):).*", r"\1", message)
    message = KINDS.sub("T", message)
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "N", message)[:120]


def verdict(sql, theirs, ours):
    """How the answers differ; None when they do not."""
    if ours.state == LOST:
        return BROKEN
    if theirs.state and ours.state:
        return None if theirs.state == ours.state else STATE
    if theirs.state:
        return ANSWERS
    if ours.state:
        return REFUSED
    if len(theirs.rows) != len(ours.rows):
        return VALUE
    for one, other in zip(theirs.rows, ours.rows):
        kinds = zip(one, other, theirs.types, ours.types)
        if len(one) != len(other) or any(not is_same(sql, *cells) for cells in kinds):
            return VALUE
    if theirs.types != ours.types:
        return TYPE
    return None if theirs.names == ours.names else NAME


def is_same(sql, one, other, kind, other_kind):
    if one == other:
        return True
    if one is None or other is None:
        return False
    try:
        if kind == NUMERIC:
            return is_same_numeric(one, other)
        if kind in (FLOAT4, FLOAT8) and TRANSCENDENT.search(sql):
            return ulps(float(one), float(other), kind) <= 1
    except (ValueError, decimal.InvalidOperation):
        return False
    return False


def is_same_numeric(theirs, ours):
    """Numerics of different scale are compared at the shorter one. Ours may be the shorter if 16 significant digits are
    left, theirs if it was cut where PostgreSQL cuts quotients and powers."""
    with decimal.localcontext() as context:
        context.prec = 200
        theirs, ours = decimal.Decimal(theirs), decimal.Decimal(ours)
        if theirs == ours:
            return True
        scales = [-number.as_tuple().exponent for number in (theirs, ours)]
        scale = min(scales)
        digits = (ours if scales[0] < scales[1] else theirs).adjusted() + scale + 1
        is_enough = digits >= 16 or scales[0] < scales[1] and scales[0] >= 16
        # Either side may have cut or rounded.
        return is_enough and abs(theirs - ours) <= decimal.Decimal(1).scaleb(-scale)


def ulps(one, other, kind):
    if math.isnan(one) or math.isnan(other) or math.isinf(one) or math.isinf(other):
        return 0 if repr(one) == repr(other) else math.inf
    code, whole, size = ("<d", "<q", 63) if kind == FLOAT8 else ("<f", "<i", 31)

    def place(number):
        bits = struct.unpack(whole, struct.pack(code, number))[0]
        return bits if bits >= 0 else -(2**size) - bits

    return abs(place(one) - place(other))


# Differences that are there by intent, each with its reason: of which verdict, and when.
ACCEPTED = [
    (
        "numerics that are no number",
        "NaN and the infinities of numeric are not supported and refused with 0A000",
        lambda found: (
            found.ours.state == "0A000"
            and "numeric" in found.ours.message
            and NO_NUMBER.search(found.sql + found.ours.message)
        ),
    ),
    (
        "numerics beyond 76 digits",
        "numeric is a Decimal256 at most, beyond is 22003",
        lambda found: found.verdict in (REFUSED, STATE) and found.ours.state == "22003" and is_long(found),
    ),
    (
        "letters of names",
        "a name has the collation C there, in which letters beyond ASCII are none",
        lambda found: (
            found.verdict == VALUE
            and re.search(r"[^\x00-\x7f]\w*'::name\b", found.sql)
            and re.search(r"\b(initcap|upper|lower|regexp_\w+)\(|~|LIKE", found.sql)
        ),
    ),
    (
        "years beyond 262142",
        "the calendar of the engine ends there, beyond is 22008",
        lambda found: found.verdict in (REFUSED, STATE) and found.ours.state == "22008"
        and (LATE.search(found.sql) or any(LATE.search(cell or "") for row in found.theirs.rows for cell in row)),
    ),
    (
        "intervals beyond 2562047 hours",
        "the hours of an interval are nanoseconds in 64 bits, beyond is 22008",
        lambda found: (
            found.verdict == REFUSED
            and found.ours.state == "22008"
            and found.ours.message == "interval out of range"
            and any(is_long_interval(cell) for row in found.theirs.rows for cell in row)
        ),
    ),
]  # fmt: skip
# The same of nested expressions, which `fuzz.py` finds in their parts.
FIRST_ERROR = "which of several errors is told first"
FOLDED = "a constant that fails is folded there, in a branch that nothing takes"
NOT_NEEDED = "a part that fails is not evaluated there, as another is a constant NULL"


def is_long(found):
    cells = [cell or "" for row in found.theirs.rows for cell in row]
    numbers = re.findall(r"\d[\d.]{37,}|\d[eE]\+?(\d{2,})", found.sql)
    return bool(numbers) or any(len(re.sub(r"\D", "", cell)) > 38 for cell in cells)


def is_long_interval(cell):
    """Whether a value shows more hours than 64 bits have nanoseconds of."""
    hours = re.search(r"(\d+):\d\d:\d\d", cell or "")
    return bool(hours) and int(hours[1]) > 2562047


def accepted(found):
    return next((name for name, _, applies in ACCEPTED if applies(found)), None)


class Findings:
    """All differences, counted by group."""

    def __init__(self, type_names):
        self.type_names, self.compared = type_names, collections.Counter()
        self.groups, self.accepted = {}, collections.Counter()

    def judge(self, subject_kind, name, label, sql, theirs, ours):
        """Compares two answers; the verdict, when it counts as a difference."""
        self.compared[subject_kind] += 1
        kind = verdict(sql, theirs, ours)
        if not kind:
            return None
        found = Finding(kind, subject_kind, name, label, sql, theirs, ours)
        reason = accepted(found)
        if reason:
            self.accept(reason)
            return None
        self.add(found)
        return kind

    def accept(self, reason):
        self.accepted[reason] += 1

    def add(self, found):
        self.groups.setdefault(found.group(), []).append(found)

    def count(self, kind):
        return sum(len(found) for group, found in self.groups.items() if group[0] == kind)

    def failures(self, limits):
        """Why it fails, as one line: the shares that are beyond these, by verdict; without one there may be none."""
        total = max(sum(self.compared.values()), 1)
        shares = {kind: self.count(kind) / total for kind in VERDICTS}
        return ", ".join(
            f"{self.count(kind)} × {kind}, {100 * share:.2f} %, more than {100 * limits.get(kind, 0):.2f} %"
            for kind, share in shares.items()
            if share > limits.get(kind, 0)
        )

    def summary(self):
        total = sum(self.compared.values())
        lines = [f"compared {total}: " + ", ".join(f"{kind} {count}" for kind, count in sorted(self.compared.items()))]
        for kind in VERDICTS:
            groups = sum(group[0] == kind for group in self.groups)
            lines.append(
                f"{kind}: {self.count(kind)} in {groups} groups ({100 * self.count(kind) / max(total, 1):.2f} %)"
            )
        lines += [f"accepted, {name}: {count}" for name, count in self.accepted.items()]
        return "\n".join(lines)

    def markdown(self, examples=3):
        """The groups, by verdict and the most frequent first."""
        lines = ["# Differences from PostgreSQL", "", "```", self.summary(), "```"]
        for kind in VERDICTS:
            groups = sorted((found for group, found in self.groups.items() if group[0] == kind), key=len, reverse=True)
            if groups:
                lines += ["", f"## {kind}: {self.count(kind)}", ""]
            for found in groups:
                first = found[0]
                labels = list(dict.fromkeys(one.label for one in found))
                shown = ", ".join(labels[:24]) + (f" and {len(labels) - 24} more" if len(labels) > 24 else "")
                told = " / ".join(text for text in first.group()[2:] if text)
                lines.append(f"### {len(found)} × {first.kind} {told}: {shown}")
                for one in spread(found, examples):
                    sql = one.sql.replace("\n", "\\n")
                    lines.append(f"- `{sql[:600]}`")
                    lines.append(f"    - theirs: {one.theirs.told(self.type_names)[:300]}")
                    lines.append(f"    - ours: {one.ours.told(self.type_names)[:300]}")
        return "\n".join(lines) + "\n"


def spread(found, count):
    """Examples from different signatures, short ones first."""
    by_label = {}
    for one in sorted(found, key=lambda one: len(one.sql)):
        by_label.setdefault(one.label, one)
    chosen = list(by_label.values())[:count]
    return chosen + [one for one in found if one not in chosen][: count - len(chosen)]
