"""Random expressions: typed trees of what PostgreSQL's catalogue has, over literals, parameters and columns."""

import collections
import re
import typing

from .catalogue import FORMS, MOMENTARY, TARGETS, WRITTEN_OTHERWISE
from .values import MEANT, TYPES, literal, values_of

PLACE = re.compile(r"\{(\d)\}")
WHOLE = ["int2", "int4", "int8"]
NUMBERS = [*WHOLE, "numeric", "float4", "float8"]
TEXTS = ["text", "varchar", "bpchar", "name"]
# These make texts as long as an argument says.
LENGTHS = {"repeat", "lpad", "rpad", "factorial", "array_fill"}
TABLE = "limits"
ROWS = 8


class Parameter(typing.NamedTuple):
    value: typing.Optional[str]
    kind: str
    # Whether the client says its type.
    is_declared: bool


class Node:
    """A part of an expression: texts, parameters and parts of it."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind, parts):
        self.kind, self.parts = kind, parts

    def children(self):
        return [part for part in self.parts if isinstance(part, Node)]

    def below(self):
        """This one and all in it."""
        yield self
        for child in self.children():
            yield from child.below()

    def write(self, parameters):
        written = []
        for part in self.parts:
            if isinstance(part, Node):
                written.append(part.write(parameters))
            elif isinstance(part, Parameter):
                parameters.append(part)
                written.append(f"${len(parameters)}")
            else:
                written.append(part)
        return "".join(written)

    def has_columns(self):
        return any(isinstance(part, str) and re.search(r"\bc_\w", part) for node in self.below() for part in node.parts)


class Statement(typing.NamedTuple):
    root: Node
    # Around the expression: before and after it.
    shape: tuple
    is_prepared: bool

    def write(self):
        parameters = []
        sql = self.shape[0] + self.root.write(parameters) + self.shape[1]
        return sql, (parameters if self.is_prepared else None)


def column_name(kind):
    return "c_" + re.sub(r"\W", "", kind.replace("[]", "s"))


def table_statements(values):
    """The table of columns, by type: common values in its first rows, limits in the others, and NULLs."""
    yield f"CREATE TABLE {TABLE} (id int4, {', '.join(f'{column_name(kind)} {kind}' for kind in values)})"
    for number in range(1, ROWS + 1):
        cells = [
            literal(None if number == ROWS else column[(number * number - 1) % len(column)], kind)
            for kind, column in values.items()
        ]
        yield f"INSERT INTO {TABLE} VALUES ({number}, {', '.join(cells)})"


class Grammar:
    """What makes each type: templates with their arguments' types, by class."""

    def __init__(self, catalogue, names):
        self.made = {kind: collections.defaultdict(list) for kind in TYPES}
        self.oids = {kind: oid for oid, kind in catalogue.oids.items()}
        ask = catalogue.server.ask
        for source, target in sorted(catalogue.listed_casts(), key=str):
            if source and target:
                self.add("cast", target, f"CAST({{0}} AS {target})", [source])
                self.add("cast", target, f"({{0}})::{target}", [source])
        for target in TARGETS:
            kind = ask(f"SELECT NULL::{target}").types[0]
            if kind in catalogue.oids:
                for source in ["text", catalogue.oids[kind]]:
                    self.add("cast", catalogue.oids[kind], f"CAST({{0}} AS {target})", [source])
        for exact, _, _, template, kinds in catalogue.operators():
            if exact:
                self.find(ask, catalogue, "operator", f"({template})", kinds)
        for name, kinds in catalogue.functions(names):
            if name not in MOMENTARY | WRITTEN_OTHERWISE and f"{name}/{len(kinds)}" not in MOMENTARY and kinds:
                arguments = ", ".join(f"{{{place}}}" for place in range(len(kinds)))
                self.find(ask, catalogue, "function", f"{name}({arguments})", kinds, name)
        for name, templates in FORMS.items():
            if name not in ("typed texts", "ARRAY", "COALESCE", "NULLIF", "GREATEST", "CASE", "LEAST"):
                for template, kinds in templates:
                    self.find(ask, catalogue, "form", f"({template})", kinds)
        for kind in TYPES:
            self.add("choice", kind, "COALESCE({0}, {1})", [kind] * 2)
            self.add("choice", kind, "CASE WHEN {0} THEN {1} ELSE {2} END", ["bool", kind, kind])
            self.add("choice", kind, "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} END", ["bool", kind, "bool", kind])
            if kind != "json":
                self.add("choice", kind, "NULLIF({0}, {1})", [kind] * 2)
                self.add("choice", kind, "GREATEST({0}, {1}, {2})", [kind] * 3)
                self.add("choice", kind, "LEAST({0}, {1})", [kind] * 2)
                self.add("choice", "bool", "CASE {0} WHEN {1} THEN {2} ELSE {3} END", [kind, kind, "bool", "bool"])
        for group in [NUMBERS, TEXTS[:3], ["date", "timestamp", "timestamptz"]]:
            for one in group:
                for other in group:
                    wider = group[max(group.index(one), group.index(other))] if group[0] != "text" else one
                    self.add("mixed", wider, "COALESCE({0}, {1})", [one, other])
                    self.add("mixed", wider, "CASE WHEN {0} THEN {1} ELSE {2} END", ["bool", one, other])
                    self.add("mixed", wider, "GREATEST({0}, {1})", [one, other])
                    for sign in ["=", "<", ">=", "<>"]:
                        self.add("mixed", "bool", f"({{0}} {sign} {{1}})", [one, other])
                    self.add("mixed", "bool", "({0} IN ({1}, {2}))", [one, other, one])
                    self.add("mixed", "bool", "({0} IS DISTINCT FROM {1})", [one, other])
                    self.add("mixed", "bool", "({0} BETWEEN {1} AND {2})", [one, other, one])
                    if group is NUMBERS:
                        for sign in "+-*/":
                            self.add("mixed", wider, f"({{0}} {sign} {{1}})", [one, other])

    def find(self, ask, catalogue, kind, template, arguments, function=None):
        """Adds what PostgreSQL answers, under the type that it answers with."""
        answer = ask("SELECT " + template.format(*(literal(None, argument) for argument in arguments)))
        if not answer.state and answer.types[0] in catalogue.oids:
            self.add(kind, catalogue.oids[answer.types[0]], template, arguments, function)

    def add(self, kind, target, template, arguments, function=None):
        self.made[target][kind].append((template, tuple(arguments), function))


CLASSES = {"operator": 32, "function": 25, "cast": 14, "form": 9, "choice": 8, "mixed": 12}
# Which types expressions are asked for.
WANTED = {
    "bool": 10,
    "int4": 10,
    "int8": 8,
    "numeric": 12,
    "float8": 9,
    "text": 12,
    "timestamp": 7,
    "interval": 7,
    "date": 6,
}


class Generator:
    def __init__(self, grammar, chooser, stored):
        self.grammar, self.chooser, self.stored = grammar, chooser, stored

    def statement(self):
        chooser = self.chooser
        kind = chooser.choices(TYPES, [WANTED.get(kind, 3) for kind in TYPES])[0]
        self.has_columns, self.has_parameters = chooser.random() < 0.5, chooser.random() < 0.3
        root = self.node(kind, chooser.choices([1, 2, 3, 4], [15, 40, 30, 15])[0])
        shape = ("SELECT ", "")
        if root.has_columns():
            where = "" if chooser.random() < 0.2 else f" WHERE id = {chooser.randint(1, ROWS)}"
            shape = ("SELECT ", f" FROM {TABLE}{where} ORDER BY id")
            if kind == "bool" and chooser.random() < 0.4:
                shape = (f"SELECT id FROM {TABLE} WHERE ", " ORDER BY id")
        return Statement(root, shape, self.has_parameters)

    def node(self, kind, depth):
        chooser = self.chooser
        if depth == 0 or (depth < 3 and chooser.random() < 0.15):
            return self.leaf(kind)
        made = self.grammar.made[kind]
        classes = [name for name in CLASSES if made.get(name)]
        if not classes:
            return self.leaf(kind)
        template, arguments, function = chooser.choice(
            made[chooser.choices(classes, [CLASSES[name] for name in classes])[0]]
        )
        parts, end = [], 0
        for place in PLACE.finditer(template):
            argument = int(place[1])
            parts.append(template[end : place.start()])
            parts.append(self.argument(arguments[argument], depth - 1, function, argument))
            end = place.end()
        return Node(kind, [*parts, template[end:]])

    def argument(self, kind, depth, function, place):
        chooser = self.chooser
        if (function, place) in MEANT and (function in LENGTHS or chooser.random() < 0.7):
            value = chooser.choice(values_of(kind, function, place))
            return Node(kind, [literal(value, kind)])
        if function in LENGTHS and kind in WHOLE:
            return Node(kind, [chooser.choice(["0", "3", "5"])])
        if chooser.random() < 0.06 and kind in NUMBERS[1:]:
            kind = chooser.choice(NUMBERS[: NUMBERS.index(kind)])
        elif chooser.random() < 0.04 and kind == "text":
            kind = chooser.choice(TEXTS)
        return self.node(kind, depth)

    def leaf(self, kind):
        chooser = self.chooser
        if self.has_columns and kind in self.stored and chooser.random() < 0.6:
            return Node(kind, [column_name(kind)])
        # The first values are the mildest.
        values = values_of(kind)
        value = chooser.choice(values[: max(3, len(values) // 3)]) if chooser.random() < 0.6 else chooser.choice(values)
        if self.has_parameters and chooser.random() < 0.5:
            how = chooser.random()
            if how < 0.5:
                return Node(kind, [Parameter(value, kind, True)])
            return Node(
                kind, [Parameter(value, kind, False), f"::{kind}"] if how < 0.9 else [Parameter(value, kind, False)]
            )
        if value is not None and chooser.random() < 0.4:
            bare = self.bare(kind, value)
            if bare:
                return Node(kind, [bare])
        return Node(kind, ["NULL" if value is None and chooser.random() < 0.3 else literal(value, kind)])

    def bare(self, kind, value):
        """The value as people write it, of the type that it then has."""
        if kind in ("int4", "numeric") and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return f"({value})" if value[0] == "-" else value
        if kind in ("text", "varchar", "date", "timestamp", "interval"):
            return "'" + value.replace("'", "''") + "'"
        return {"t": "true", "f": "false"}.get(value) if kind == "bool" else None
