"""An expression to try over values, and its statements over literals and over columns."""

import random
import typing

from .values import LEFT_OUT, literal, values_of


class Subject(typing.NamedTuple):
    """An expression with a place (`{0}`, `{1}`, …) for each value."""

    # "cast", "operator", "function", "form", "aggregate", "rows"; what it is called; and its signature, for the report.
    kind: str
    name: str
    label: str
    template: str
    arguments: tuple
    tuples: tuple

    def over_literals(self, values):
        return self.template.format(*map(literal, values, self.arguments))

    def over_columns(self):
        return self.template.format(*(f"c{place}" for place in range(len(self.arguments))))


def literal_statement(expressions):
    return "SELECT " + ", ".join(expressions)


def column_statement(subject, expression, tuples, order=" ORDER BY n"):
    """The expression over rows of these values, in their order."""
    names = ", ".join(f"c{place}" for place in range(len(subject.arguments)))
    rows = ", ".join(
        f"({number}, {', '.join(map(literal, values, subject.arguments))})" for number, values in enumerate(tuples)
    )
    return f"SELECT {expression} FROM (VALUES {rows}) AS v(n, {names}){order}"


def aggregate_statement(subject, tuples):
    if not tuples:
        return column_statement(subject, subject.over_columns(), [(None,) * len(subject.arguments)], " WHERE n > 0")
    return column_statement(subject, subject.over_columns(), tuples, "")


def tuples_of(arguments, limit, seed, function=None):
    """So many rows of values: each value of each argument at least once if that is possible, and the values that the
    engine leaves out, one at a time."""
    pools = [values_of(kind, function, place) for place, kind in enumerate(arguments)]
    if not pools:
        return [()]
    total = 1
    for pool in pools:
        total *= len(pool)
    chooser = random.Random(seed)
    if total <= limit:
        found = [()]
        for pool in pools:
            found = [(*values, value) for values in found for value in pool]
    else:
        longest = max(map(len, pools))
        found, seen = [], set()
        shuffled = [chooser.sample(pool[:-1], len(pool) - 1) + [None] for pool in pools]
        for number in range(max(longest, limit)):
            if number < longest:
                values = tuple(pool[number % len(pool)] for pool in shuffled)
            else:
                values = tuple(chooser.choice(pool) for pool in pools)
            if values not in seen:
                seen.add(values)
                found.append(values)
        found = found[: max(limit, 1)]
        # One NULL among values, for each argument.
        for place in range(len(pools)):
            found.append(tuple(None if place == other else pool[0] for other, pool in enumerate(pools)))
    return list(dict.fromkeys(found))


def extremes_of(arguments):
    """Rows with one of the values that the engine leaves out."""
    for place, kind in enumerate(arguments):
        for value in LEFT_OUT.get(kind, ()):
            yield tuple(value if place == other else values_of(k)[0] for other, k in enumerate(arguments))
