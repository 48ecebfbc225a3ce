"""What PostgreSQL's catalogue says that there is: casts, operators and functions of the types in `values.py`."""

import random

from .cases import Subject, extremes_of, tuples_of
from .values import ARRAYS, ELEMENTS, FIELDS, TYPES, WRITTEN, ZONES

# Types with a modifier, which casts mind, and arrays of other elements.
TARGETS = [
    "numeric(5,2)", "numeric(3,0)", "numeric(38,10)", "numeric(4,-2)", "varchar(2)", "char(3)", "char", "timestamp(0)",
    "timestamptz(3)", "time(0)", "timetz(2)", "interval(2)", "interval hour to minute", "interval month",
    "interval day",
]  # fmt: skip
ARRAY_TARGETS = ["int2[]", "int8[]", "numeric[]", "float8[]", "varchar[]", "date[]", "bool[]"]
# Functions whose value differs between two servers or moments; their types are compared.
MOMENTARY = {
    "now", "current_database", "current_schema", "current_schemas", "current_user", "session_user", "user", "version",
    "current_setting", "pg_backend_pid", "transaction_timestamp", "statement_timestamp", "pg_client_encoding", "age/1",
    "current_catalog", "current_role", "inet_server_addr", "inet_server_port", "inet_client_addr", "inet_client_port",
}  # fmt: skip
# Functions that tell of the objects of a server, of which the two have different ones: the cases of `tests/slt/catalog`
# compare them. Not compared yet, too: lists of JSON in FROM, whose column has the alias for a name, and `like_escape` of bytes.
OF_OBJECTS = ("pg_", "has_", "to_reg")
NO_OBJECTS = {"pg_typeof", "pg_client_encoding", "pg_backend_pid"}
NOT_COMPARED = {
    "col_description", "obj_description", "shobj_description", "getdatabaseencoding", "like_escape",
    "json_array_elements", "json_array_elements_text", "json_object_keys",
    "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_object_keys",
}  # fmt: skip
# Functions that the grammar calls in a way of its own, which is among the forms below.
WRITTEN_OTHERWISE = {"extract", "position", "normalize", "is_normalized"}
# Forms that the grammar has and no catalogue lists: by name, templates with their types.
FORMS = {
    "IS NULL": [("{0} IS NULL", [kind]) for kind in TYPES] + [("{0} IS NOT NULL", [kind]) for kind in TYPES],
    "IS DISTINCT FROM": [("{0} IS DISTINCT FROM {1}", [kind, kind]) for kind in TYPES]
    + [("{0} IS NOT DISTINCT FROM {1}", pair) for pair in [["int4", "numeric"], ["float4", "float8"], ["date",
    "timestamp"]]],
    "IS TRUE": [(f"{{0}} IS {word}", ["bool"]) for word in ["TRUE", "NOT TRUE", "FALSE", "UNKNOWN", "NOT UNKNOWN"]]
    + [("{0} IS TRUE", [kind]) for kind in ["int4", "text"]],
    "AND OR NOT": [("{0} AND {1}", ["bool", "bool"]), ("{0} OR {1}", ["bool", "bool"]), ("NOT {0}", ["bool"])]
    + [("NOT {0}", [kind]) for kind in TYPES[1:]] + [("{0} AND {1}", ["bool", "int4"])],
    "COALESCE": [("COALESCE({0}, {1})", [one, other]) for one in TYPES for other in TYPES],
    "NULLIF": [("NULLIF({0}, {1})", [one, other]) for one in TYPES for other in TYPES],
    "GREATEST": [("GREATEST({0}, {1})", [one, other]) for one in TYPES for other in TYPES],
    "LEAST": [("LEAST({0}, {1})", [kind, kind]) for kind in TYPES],
    "CASE": [("CASE WHEN {0} THEN {1} ELSE {2} END", ["bool", one, other]) for one in TYPES for other in TYPES]
    + [("CASE {0} WHEN {1} THEN 'same' ELSE 'other' END", [kind, kind]) for kind in TYPES]
    + [("CASE WHEN {0} THEN {1} END", [kind, "int4"]) for kind in ["int4", "text"]],
    "BETWEEN": [("{0} BETWEEN {1} AND {2}", [kind] * 3) for kind in TYPES]
    + [("{0} NOT BETWEEN SYMMETRIC {1} AND {2}", [kind] * 3) for kind in ["int4", "numeric", "float8", "date", "text"]],
    "IN": [("{0} IN ({1}, {2})", [kind] * 3) for kind in TYPES]
    + [("{0} NOT IN ({1}, {2})", kinds) for kinds in [["int4", "numeric", "int8"], ["float8", "int4", "numeric"]]],
    "LIKE": [
        (f"{{0}} {word} {{1}}", [kind, "text"])
        for word in ["LIKE", "NOT LIKE", "ILIKE", "SIMILAR TO"] for kind in ["text", "varchar", "bpchar", "name",
        "int4"]
    ] + [("{0} LIKE {1} ESCAPE {2}", ["text"] * 3), ("{0} LIKE {1}", ["bytea", "bytea"])],
    "EXTRACT": [
        (f"EXTRACT({field or 'nothing'} FROM {{0}})", [kind])
        for field in FIELDS for kind in ["date", "time", "timetz", "timestamp", "timestamptz", "interval"]
    ],
    "AT TIME ZONE": [
        (f"{{0}} AT TIME ZONE '{zone}'", [kind]) for zone in ZONES for kind in ["timestamp", "timestamptz", "timetz",
        "date"]
    ],
    "SUBSTRING": [
        ("SUBSTRING({0} FROM {1} FOR {2})", ["text", "int4", "int4"]), ("SUBSTRING({0} FROM {1})", ["text", "int4"]),
        ("SUBSTRING({0} FROM {1})", ["text", "text"]), ("SUBSTRING({0} FROM {1} FOR {2})", ["bytea", "int4", "int4"]),
        ("SUBSTRING({0} SIMILAR {1} ESCAPE '#')", ["text", "text"]), ("SUBSTRING({0} FOR {1})", ["text", "int4"]),
    ],
    "TRIM": [
        (f"TRIM({word} {{0}} FROM {{1}})", [kind, kind])
        for word in ["BOTH", "LEADING", "TRAILING"] for kind in ["text", "bytea"]
    ] + [("TRIM({0})", [kind]) for kind in ["text", "varchar", "bpchar", "int4"]],
    "POSITION": [("POSITION({0} IN {1})", [kind, kind]) for kind in ["text", "bytea", "int4"]],
    "NORMALIZE": [
        (template.format(form=form), ["text"])
        for template in ["NORMALIZE({{0}}, {form})", "{{0}} IS {form} NORMALIZED"]
        for form in ["NFC", "NFD", "NFKC", "NFKD"]
    ],
    "OVERLAY": [
        ("OVERLAY({0} PLACING {1} FROM {2})", ["text", "text", "int4"]),
        ("OVERLAY({0} PLACING {1} FROM {2} FOR {3})", ["text", "text", "int4", "int4"]),
    ],
    "ARRAY": [("ARRAY[{0}, {1}]", [one, other]) for one in TYPES for other in TYPES if one <= other]
    + [("({0})[{1}]", [kind, "int4"]) for kind in ["int4[]", "text[]"]]
    + [("({0})[{1}:{2}]", [kind, "int4", "int4"]) for kind in ["int4[]", "text[]"]]
    + [("({0})[{1}]", ["int4", "int4"])],
    "ANY ALL": [
        (f"{{0}} {sign} {word}({{1}})", [one, other])
        for sign in ["=", "<>", "<", ">="] for word in ["ANY", "ALL"]
        for one, other in [("int4", "int4[]"), ("text", "text[]"), ("int8", "int4[]"), ("text", "int4[]"), ("int4",
        "int4")]
    ],
    "ROW": [(f"ROW({{0}}, {{1}}) {sign} ROW({{2}}, {{3}})", ["int4", "text"] * 2) for sign in ["=", "<>", "<", ">="]]
    + [("ROW({0}, {1})", [kind, "text"]) for kind in TYPES] + [("ROW({0}, {1}) IS NULL", ["int4", "text"])],
    "OVERLAPS": [("({0}, {1}) OVERLAPS ({2}, {3})", [kind] * 4) for kind in ["date", "time", "timestamp",
        "timestamptz"]],
    "typed texts": [(f"{kind} '{value}'", []) for kind in ["date", "timestamp", "timestamptz",
        "time"] for value in WRITTEN],
}  # fmt: skip


# Aggregates over values in an order, which are called in a way of their own.
ORDERED = [
    *(
        (f"percentile_cont({share}) WITHIN GROUP (ORDER BY {{0}})", kind)
        for share in ["0.5", "0", "0.3"]
        for kind in ["float8", "int4", "interval"]
    ),
    *(("percentile_disc(0.5) WITHIN GROUP (ORDER BY {0})", kind) for kind in ["int4", "text", "numeric", "date"]),
    *(("mode() WITHIN GROUP (ORDER BY {0})", kind) for kind in ["int4", "text"]),
    ("percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY {0})", "float8"),
    ("percentile_cont(1.5) WITHIN GROUP (ORDER BY {0})", "float8"),
    *(
        (f"{name}(1) WITHIN GROUP (ORDER BY {{0}})", "int4")
        for name in ["rank", "dense_rank", "percent_rank", "cume_dist"]
    ),
]


class Catalogue:
    def __init__(self, server, limit, seed, every=1):
        self.server, self.limit, self.seed, self.every = server, limit, seed, every
        self.oids = {}
        for kind in TYPES:
            self.oids[int(server.ask(f"SELECT '{kind}'::regtype::oid").rows[0][0])] = kind
        self.type_names = {
            int(oid): name for oid, name in server.ask("SELECT oid, format_type(oid, NULL) FROM pg_type").rows
        }

    def draws(self, kind, label):
        """Whether a signature is among those to try: one of so many."""
        return random.Random(f"{self.seed} {kind} {label}").random() * self.every < 1

    def subject(self, kind, name, label, template, arguments, limit=None, function=None, extremes=True):
        arguments = tuple(arguments)
        tuples = tuples_of(arguments, limit or self.limit, f"{self.seed} {label}", function)
        if extremes:
            tuples += extremes_of(arguments)
        return Subject(kind, name, label, template, arguments, tuple(dict.fromkeys(tuples)))

    def nulls(self, kind, name, label, template, arguments):
        """Only whether there is such a thing."""
        return Subject(kind, name, label, template, tuple(arguments), ((None,) * len(arguments),))

    def listed_casts(self):
        """pg_cast's pairs, and those that go through the text form: of everything from texts and to texts."""
        rows = self.server.ask("SELECT castsource::int, casttarget::int FROM pg_cast").rows
        listed = {(self.oids.get(int(one)), self.oids.get(int(other))) for one, other in rows}
        texts = {"text", "varchar", "bpchar", "name", '"char"'}
        for one in TYPES:
            for other in TYPES:
                if one in texts - {'"char"'} or other in texts - {'"char"', "name"} or one == other:
                    listed.add((one, other))
        return listed

    def casts(self):
        listed = self.listed_casts()
        for source in TYPES:
            for target in [*TYPES, *TARGETS, *(ARRAY_TARGETS if "[]" in source else [])]:
                template = f"CAST({{0}} AS {target})"
                label = f"{source} -> {target}"
                known = target not in TYPES or (source, target) in listed
                limit = 100 if source in ("text", "varchar") or known else self.limit
                yield self.subject("cast", f"-> {target}", label, template, [source], limit)

    def operators(self):
        """Every operator's name over every pair of types: its own signatures, those that implicit casts reach, and
        those that there are not."""
        rows = self.server.ask(
            "SELECT oprname, oprkind, oprleft::int, oprright::int FROM pg_operator "
            "WHERE oprnamespace = 11 ORDER BY 1, 2, 3, 4"
        ).rows
        poly = {2277, 2283, 5077, 5078, 3500, 2776, 5079}
        listed, names = set(), {}
        for name, kind, left, right in rows:
            left, right = int(left), int(right)
            if all(oid == 0 or oid in self.oids or oid in poly for oid in (left, right)):
                names.setdefault((name, kind))
                listed.add((name, self.oids.get(left), self.oids.get(right)))
        for name, kind in names:
            for right in TYPES:
                for left in TYPES if kind == "b" else [None]:
                    label, template = f"{left} {name} {right}", f"{{0}} {name} {{1}}"
                    if left is None:
                        label, template = f"{name} {right}", f"{name} {{0}}"
                    if self.draws("operator", label):
                        kinds = [left, right] if left else [right]
                        yield (name, left, right) in listed, label, name, template, kinds

    def functions(self, names, kinds="f", sets=False):
        """The signatures of these functions: polymorphic ones with a few types, with and without what is optional."""
        listed = ",".join("'" + name.replace("'", "''") + "'" for name in names)
        rows = self.server.ask(
            "SELECT proname, proargtypes::text, provariadic::int, pronargdefaults, provolatile FROM pg_proc "
            f"WHERE pronamespace = 11 AND prokind = '{kinds}' AND proretset = {sets} AND proname IN ({listed}) "
            "AND NOT EXISTS (SELECT FROM pg_aggregate WHERE aggfnoid = pg_proc.oid AND aggkind <> 'n') "
            "ORDER BY 1, 2"
        ).rows
        for name, oids, variadic, defaults, volatile in rows:
            if volatile == "v":
                continue
            oids = [int(oid) for oid in oids.split()]
            for count in range(len(oids) - int(defaults), len(oids) + 1):
                for arguments in self.concrete(oids[:count]):
                    yield name, arguments
                    if int(variadic) and count == len(oids):
                        kind = arguments[-1].removesuffix("[]")
                        yield name, [*arguments[:-1], kind]
                        yield name, [*arguments[:-1], kind, kind]

    def concrete(self, oids):
        """Types for the polymorphic ones; nothing when an argument's type is none of ours."""
        if not any(oid in POLYMORPHIC for oid in oids):
            kinds = [self.oids.get(oid) for oid in oids]
            return [kinds] if all(kinds) else []
        found = []
        for element in ELEMENTS:
            kinds = [
                element
                if POLYMORPHIC.get(oid) == "element"
                else ARRAYS[element]
                if oid in POLYMORPHIC
                else self.oids.get(oid)
                for oid in oids
            ]
            if all(kinds):
                found.append(kinds)
        return found


# anyarray, anyelement, anycompatible, anycompatiblearray, anynonarray, any, anycompatiblenonarray
POLYMORPHIC = {
    2277: "array", 2283: "element", 5077: "element", 5078: "array", 2776: "element", 2276: "element", 5079: "element",
}  # fmt: skip


def tells_of_objects(name):
    """Whether the function is left out, as its value is of the server's objects."""
    return name in NOT_COMPARED or (name.startswith(OF_OBJECTS) and name not in NO_OBJECTS)
