"""Whether two engines returned the same rows, in whatever order.

A value is a text, or None for NULL, and a row is a list of them. The types are those of the engine that is compared with.
Whole numbers and decimals must be equal, floats to 1e-9 of their size. An average of decimals is a float in DuckDB and a
decimal of a few places in Fusewire: it is compared to the places that it has, if those are four or more.
"""

import collections
import decimal
import math
import re

RELATIVE = 1e-9
FLOATS = {"DOUBLE", "FLOAT"}
BOOLEANS = {"f": "false", "t": "true"}
NUMBERS = ("DECIMAL", "HUGEINT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER")


def difference(types, expected, found):
    """What is wrong with the rows found, in a few words; none if nothing is."""
    if any(len(row) != len(types) for row in found):
        return f"{len(types)} columns were expected, and {len(found[0])} came"
    floats = [place for place, name in enumerate(types) if name in FLOATS]
    left = collections.defaultdict(list)
    for row in sorted(found, key=lambda row: [size(row[place]) for place in floats]):
        left[key(types, row)].append(row)
    missing = []
    for row in sorted(expected, key=lambda row: [size(row[place]) for place in floats]):
        candidates = left[key(types, row)]
        like = (n for n, other in enumerate(candidates) if all(close(row[place], other[place]) for place in floats))
        match = next(like, None)
        if match is None:
            missing.append(row)
        else:
            candidates.pop(match)
    surplus = [row for rows in left.values() for row in rows]
    if not missing and not surplus:
        return None
    return (
        f"{len(expected)} rows were expected and {len(found)} came; "
        f"missing {len(missing)}{example(missing)}, surplus {len(surplus)}{example(surplus)}"
    )


def key(types, row):
    """What has to be equal in both."""
    return tuple(None if name in FLOATS else exact(name, text) for name, text in zip(types, row))


def exact(name, text):
    if name == "BOOLEAN":
        # DuckDB spells them out, PostgreSQL does not.
        return BOOLEANS.get(text, text)
    if text is None or not name.startswith(NUMBERS):
        return text
    try:
        # Equal numbers hash alike, whatever number of zeros is behind their point.
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        return text


def size(text):
    try:
        value = float(text)
    except (TypeError, ValueError):
        return (1, 0.0)
    return (1, 1.0) if math.isnan(value) else (0, value)


def close(expected, found):
    if expected is None or found is None:
        return expected is found
    try:
        left, right = float(expected), float(found)
    except ValueError:
        return False
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    if left == right:
        return True
    places = re.fullmatch(r"-?[0-9]+\.([0-9]{4,12})", found)
    step = 10.0 ** -len(places.group(1)) if places else 0.0
    return abs(left - right) <= max(RELATIVE * max(abs(left), abs(right)), step)


def example(rows):
    return f" (such as {', '.join('NULL' if text is None else text for text in rows[0])})" if rows else ""
