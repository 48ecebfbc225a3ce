"""Whether Fusewire answers expressions as PostgreSQL 15 does: the same text, type and name of the column, or SQLSTATE.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install 'psycopg[binary]==3.3.*'
    /tmp/oracle/bin/python tests/oracle/expressions.py signatures POSTGRESQL FUSEWIRE --report differences.md

POSTGRESQL and FUSEWIRE are connection strings (`host=127.0.0.1 port=5432 user=ada dbname=fusewire`) of two servers;
PostgreSQL's database has the engine's only collation: CREATE DATABASE … TEMPLATE template0 LOCALE 'C.UTF-8'.

`signatures` reads PostgreSQL's catalogue: every pair of types as a cast, every operator's name over all pairs of types,
every signature of the functions that `fusewire.functions` lists, and the forms of the grammar that no catalogue has.
Each is tried at its types' limits (`expression/values.py`), over literals, which are folded, and over columns. What
PostgreSQL does not have must be refused with its SQLSTATE.

`random` makes nested expressions over literals, parameters and columns by a seed, and makes `--collect` of the
differing ones small. What a seed makes depends on the functions that are listed.

Any difference fails, except a limited share by verdict (`LIMITS`), and those in the lists of what is accepted, each with its
reason (`expression/compare.py`, `expression/fuzz.py`), which are counted. Functions whose value is of the moment or of
the server (`expression/catalogue.py`) are compared by type, volatile ones not at all.
"""

import argparse
import pathlib
import sys
import time

from expression.catalogue import (
    FORMS,
    MOMENTARY,
    ORDERED,
    WRITTEN_OTHERWISE,
    Catalogue,
    tells_of_objects,
)
from expression.compare import REFUSED, STATE, TYPE, VALUE, Findings
from expression.fuzz import Fuzz
from expression.server import Server
from expression.signatures import Trial
from expression.values import TYPES

# The shares that may differ, by verdict. The goal is none; this is what is still missing: types of parameters that are
# declared, texts of numerics in columns of several scales, and which of several errors is told.
LIMITS = {VALUE: 0.01, TYPE: 0.005, STATE: 0.03, REFUSED: 0.03}
PARTS = ["casts", "operators", "functions", "forms", "aggregates", "rows"]


def try_signatures(options, theirs, ours):
    catalogue = Catalogue(theirs, options.values, options.seed, options.every)
    findings = Findings(catalogue.type_names)
    trial = Trial(theirs, ours, findings)
    names = listed_functions(ours)
    for part in options.parts:
        began = time.monotonic()
        tried = 0
        for way, subject in subjects(part, catalogue, names):
            if catalogue.draws(subject.kind, subject.label):
                getattr(trial, way)(subject)
                tried += 1
        trial.flush()
        print(f"{part}: {tried} signatures, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return findings


def try_random(options, theirs, ours):
    catalogue = Catalogue(theirs, options.values, options.seed, options.every)
    findings = Findings(catalogue.type_names)
    Fuzz(theirs, ours, catalogue, listed_functions(ours), findings).run(options.seed, options.count, options.collect)
    return findings


def listed_functions(ours):
    names = {row[0] for row in ours.ask("SELECT name FROM fusewire.functions").rows}
    return sorted(name for name in names if not tells_of_objects(name))


def subjects(part, catalogue, names):
    """What a part tries, and how."""
    if part == "casts":
        yield from (("add", subject) for subject in catalogue.casts())
    if part == "operators":
        for exact, label, name, template, kinds in catalogue.operators():
            nulls = catalogue.nulls("operator", name, label, template, kinds)
            is_there = not catalogue.server.ask(f"SELECT {nulls.over_literals(nulls.tuples[0])}").state
            limit = None if exact else 6
            yield "add", catalogue.subject("operator", name, label, template, kinds, limit) if is_there else nulls
    if part == "forms":
        for name, templates in FORMS.items():
            for template, kinds in templates:
                limit = catalogue.limit if len(set(kinds)) < 2 or len(templates) < 200 else 4
                yield "add", catalogue.subject("form", name, template.format(*kinds), template, kinds, limit)
    if part == "functions":
        yield from (("add", subject) for subject in functions(catalogue, names))
    if part == "aggregates":
        order = {"array_agg", "string_agg", "json_agg", "jsonb_agg"}
        for name, kinds in unique(catalogue.functions(names, "a")):
            arguments = ", ".join(f"{{{place}}}" for place in range(len(kinds))) or "*"
            for template in [
                f"{name}({arguments}{' ORDER BY n' if name in order else ''})",
                f"{name}(DISTINCT {arguments})",
            ]:
                if "*" not in arguments or "DISTINCT" not in template:
                    label = template.format(*kinds)
                    yield "aggregate", catalogue.subject("aggregate", name, label, template, kinds)
        for template, kind in ORDERED:
            name, label = template.split("(")[0], template.format(kind)
            yield "aggregate", catalogue.subject("aggregate", name, label, template, [kind])
    if part == "rows":
        for name, kinds in unique(catalogue.functions(names, sets=True)):
            arguments = ", ".join(f"{{{place}}}" for place in range(len(kinds)))
            label = f"{name}({', '.join(kinds)})"
            template = f"{name}({arguments})"
            yield "rows", catalogue.subject("rows", name, label, template, kinds, function=name, extremes=False)


def functions(catalogue, names):
    """Their signatures at the limits, and each name over one argument of every type."""
    tried, single = set(), {}
    for name, kinds in unique(catalogue.functions(names)):
        tried.add((name, *kinds))
        if len(kinds) == 1:
            single.setdefault(name)
        arguments = ", ".join(f"{{{place}}}" for place in range(len(kinds)))
        label, template = f"{name}({', '.join(kinds)})", f"{name}({arguments})"
        if name in WRITTEN_OTHERWISE:
            continue
        if name in MOMENTARY or f"{name}/{len(kinds)}" in MOMENTARY:
            template = f"pg_typeof({template})::text"
        yield catalogue.subject("function", name, label, template, kinds, function=name)
    for name in single:
        for kind in TYPES:
            if (name, kind) not in tried and f"{name}/1" not in MOMENTARY and name not in MOMENTARY:
                yield catalogue.subject(
                    "function", name, f"{name}({kind})", f"{name}({{0}})", [kind], 3, extremes=False
                )


def unique(signatures):
    seen = set()
    for name, kinds in signatures:
        if (name, *kinds) not in seen:
            seen.add((name, *kinds))
            yield name, kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["signatures", "random"])
    parser.add_argument("postgresql")
    parser.add_argument("fusewire")
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--values", type=int, default=24, help="rows of values for a signature")
    parser.add_argument("--every", type=int, default=1, help="try one of so many signatures, drawn by the seed")
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--count", type=int, default=20_000, help="random expressions to compare")
    parser.add_argument("--collect", type=int, default=10, help="so many random differences are made small")
    parser.add_argument("--report", type=pathlib.Path, help="a file for the differences, by group")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    theirs, ours = Server(options.postgresql), Server(options.fusewire)
    findings = (
        try_signatures(options, theirs, ours) if options.what == "signatures" else try_random(options, theirs, ours)
    )
    print(f"seed {options.seed}: {findings.summary()}\n")
    failures = findings.failures(LIMITS)
    if options.report:
        options.report.write_text(findings.markdown())
    elif failures:
        print(findings.markdown(), file=sys.stderr)
    if failures:
        sys.exit(failures)


if __name__ == "__main__":
    main()
