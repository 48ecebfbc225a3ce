"""Queries over Parquet, in each Fusewire that is named and in its peers, in turns; their times, memory and rows compared.

Each engine runs in a process of its own a round, and there every query twice: the first time opens files and warms caches,
the second is measured, with the writing of its rows. Rows are compared with the first peer's both times, in every round. A query
that fails once is not run again by that engine. Times of rows that are wrong are shown, but are in no sum and no mean.
"""

import dataclasses
import json
import math
import pathlib
import re
import statistics
import sys

import generate
import generate_hits
import values
from process import Finished, script

HERE = pathlib.Path(__file__).resolve().parent
PEER = [sys.executable, str(HERE / "peer.py")]
PASSES = 2
TIME = re.compile(r"^time: ([0-9.]+) ms\n", re.MULTILINE)
FIELD = re.compile(r'(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))')


@dataclasses.dataclass
class Answer:
    """What an engine made of a query in one process: seconds, types and rows of each pass, or why it failed."""

    passes: list
    peak_mib: float
    error: str = ""


@dataclasses.dataclass
class Cell:
    """What is known of one engine and one query after some rounds."""

    seconds: list = dataclasses.field(default_factory=list)
    peak_mib: float = 0.0
    error: str = ""
    wrong: str = ""

    @property
    def right(self):
        return bool(self.seconds) and not self.error and not self.wrong

    def median(self):
        return statistics.median(self.seconds)

    def milliseconds(self):
        if self.error:
            return "failed"
        return f"{self.median() * 1000:,.1f}" + (" **wrong**" if self.wrong else "")


class Fusewire:
    """A binary with its arguments, under the name that it has in the tables."""

    def __init__(self, name, command):
        self.name, self.command = name, command

    def answer(self, folder, tables, queries, threads, options):
        """The answers to the queries; after one that fails, a new process goes on with the next."""
        answers, pending = {}, list(queries.items())
        while pending:
            opened = "".join(
                f"CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{file}';\n" for table, file in tables.items()
            )
            texts = "\n".join((sql + "\n") * PASSES for _, sql in pending)
            timeout = f"statement_timeout_ms={options.limit_s * 1000}"
            arguments = [*self.command[1:], "--set", f"threads={threads}", "--set", timeout]
            if options.memory:
                arguments += ["--set", f"memory_limit_bytes={options.memory}"]
            command = script(folder, self.command[0], f"{opened}\\timing on\n{texts}", *arguments)
            run = Finished(command, patience(options, pending), may_fail=True)
            before, began, output = run.text.partition("timing is on\n")
            if not began:
                sys.exit(f"{self.name}: {' '.join(command)}: {run.errors or before}")
            # The pattern has one group, so that the list is rows, milliseconds, rows, milliseconds, and what is left.
            pieces = TIME.split(output)
            passes = [(float(time) / 1000, None, parse(rows)) for rows, time in zip(pieces[0::2], pieces[1::2])]
            done = len(passes) // PASSES
            for number, (name, _) in enumerate(pending[:done]):
                answers[name] = Answer(passes[number * PASSES : (number + 1) * PASSES], run.peak_mib)
            if done < len(pending):
                lines = [line for line in run.errors.splitlines() if line.startswith("error:")] or run.errors.splitlines()
                answers[pending[done][0]] = Answer([], run.peak_mib, lines[-1] if lines else "ended early")
            pending = pending[done + 1 :]
        return answers


class Peer:
    """An engine in the Python that runs this, by the name of its module."""

    def __init__(self, title, module):
        self.module = module
        self.name = f"{title} {json.loads(Finished([*PEER, 'version', module]).text)}"

    def answer(self, folder, tables, queries, threads, options):
        task = {
            "tables": {table: str(file) for table, file in tables.items()},
            "queries": queries,
            "passes": PASSES,
            "limit_s": options.limit_s,
            "threads": threads,
            "memory": options.memory,
        }
        file = folder / "task.json"
        file.write_text(json.dumps(task))
        command = [*PEER, "queries", self.module, str(file)]
        run = Finished(command, patience(options, queries), may_fail=True)
        if run.failed:
            return {name: Answer([], run.peak_mib, run.errors.splitlines()[-1]) for name in queries}
        return {
            name: Answer([tuple(one) for one in found["passes"]], run.peak_mib, found["error"])
            for name, found in json.loads(run.text).items()
        }


def duckdb():
    return Peer("DuckDB", "duckdb")


def patience(options, queries):
    """Seconds after which a process is killed that did not keep the limit of each statement itself."""
    return options.limit_s * (len(queries) * PASSES + 1)


def parse(text):
    """The rows of a CSV with a header; the csv module could not tell NULL, nothing, from the empty text, in quotes."""
    return [[fields(found) for found in FIELD.finditer(line)] for line in text.split("\n")[1:-1]]


def fields(found):
    quoted, plain = found.groups()
    return quoted.replace('""', '"') if quoted is not None else plain or None


def compare(engines, tables, queries, threads, folder, options, alone=False):
    """A cell for each engine's name and query; alone: each query has a process to itself, for its memory's sake."""
    cells = {engine.name: {name: Cell() for name in queries} for engine in engines}
    expected = {}
    for number in range(options.rounds):
        for engine in engines:
            mine = cells[engine.name]
            left = {name: sql for name, sql in queries.items() if not mine[name].error}
            for group in [{name: sql} for name, sql in left.items()] if alone else [left]:
                for name, answer in engine.answer(folder, tables, group, threads, options).items():
                    note(engine, name, answer, mine[name], expected)
            spent = sum(cell.seconds[-1] for cell in mine.values() if cell.seconds)
            print(f"{on(threads)}, round {number + 1}: {engine.name} {spent:.2f} s", flush=True)
    return cells


def note(engine, name, answer, cell, expected):
    """Adds an answer to what is known, and says aloud what is wrong with it."""
    cell.peak_mib = max(cell.peak_mib, answer.peak_mib)
    if answer.error:
        cell.error = answer.error
        print(f"FAILED {engine.name}, {name}: {answer.error}", flush=True)
        return
    cell.seconds.append(answer.passes[-1][0])
    # A subquery and the join for it, which is named after it, have the same rows.
    question = name.partition(".")[0]
    for _, types, rows in answer.passes:
        if types is not None:
            expected.setdefault(question, (types, rows))
        known = expected.get(question)
        wrong = values.difference(*known, rows) if known else "the peer has no rows to compare with"
        if wrong and not cell.wrong:
            cell.wrong = wrong
            print(f"WRONG {engine.name}, {name}: {wrong}", flush=True)


def problems(cells):
    return [
        f"{engine}, {name}: {'failed, ' + cell.error if cell.error else 'wrong, ' + cell.wrong}"
        for engine, found in cells.items()
        for name, cell in found.items()
        if not cell.right
    ]


def print_comparison(title, engines, cells):
    """A row a query, with the ratio of each Fusewire's time to the peer's."""
    peer, others = engines[0].name, [engine.name for engine in engines[1:]]
    print(f"\n{title}\n\n| query | {peer}, ms | " + " | ".join(f"{name}, ms | ratio" for name in others) + " |")
    print("|---|" + "---:|" * (1 + 2 * len(others)))
    for query, reference in cells[peer].items():
        row = [query, reference.milliseconds()]
        for name in others:
            cell = cells[name][query]
            row += [cell.milliseconds(), ratio(cell, reference)]
        print(f"| {' | '.join(row)} |")
    shared = [query for query in cells[peer] if all(cells[engine.name][query].right for engine in engines)]
    total = {engine.name: sum(cells[engine.name][query].median() for query in shared) for engine in engines}
    row = [f"total of the {len(shared)} that all answer rightly", f"{total[peer] * 1000:,.1f}"]
    for name in others:
        row += [f"{total[name] * 1000:,.1f}", f"{total[name] / total[peer]:.2f}" if shared else ""]
    print(f"| {' | '.join(row)} |")
    row = ["geometric mean of each one's right answers", ""]
    for name in others:
        pairs = [(cells[name][query], cells[peer][query]) for query in cells[peer]]
        logs = [math.log(cell.median() / reference.median()) for cell, reference in pairs if cell.right and reference.right]
        row += [f"{len(logs)} of {len(pairs)}", f"{math.exp(statistics.fmean(logs)):.2f}" if logs else ""]
    print(f"| {' | '.join(row)} |")
    peaks = {name: max(cell.peak_mib for cell in found.values()) for name, found in cells.items()}
    row = ["peak MiB", f"{peaks[peer]:,.0f}"] + [text for name in others for text in (f"{peaks[name]:,.0f}", "")]
    print(f"| {' | '.join(row)} |", flush=True)


def on(threads):
    return f"{threads} thread{'' if threads == 1 else 's'}"


def ratio(cell, reference):
    return f"{cell.median() / reference.median():.2f}" if cell.right and reference.right else ""


def read_queries(name, options, **substitutes):
    found = {}
    for file in sorted((HERE / name).glob("*.sql")):
        query = file.name.removesuffix(".sql")
        if not options.only or query.partition(".")[0] in options.only:
            sql = file.read_text()
            for key, value in substitutes.items():
                sql = sql.replace("{" + key + "}", value)
            found[query] = sql
    if not found:
        sys.exit(f"no query of {name} is named {', '.join(options.only)}")
    return found


def tpch(fusewires, folder, data, options, **_):
    """The 22 queries of TPC-H with the parameters of its validation."""
    tables = generate.tpch(data, options.scale)
    queries = read_queries("tpch", options, fraction=f"{0.0001 / options.scale:.12f}")
    return compared(f"TPC-H, scale {options.scale:g}", [duckdb(), *fusewires], tables, queries, folder, options)


def star(fusewires, folder, data, options, rows, **_):
    """Joins of a fact and two dimensions whose columns have the same names."""
    tables = generate.star(data, rows)
    engines = [duckdb(), *fusewires]
    return compared(f"Star join, {rows:,} rows", engines, tables, read_queries("star", options), folder, options)


def h2o(fusewires, folder, data, options, rows, **_):
    """The questions of the db-benchmark: ten that group and five that join."""
    tables, queries = generate.h2o(data, rows), read_queries("h2o", options)
    return compared(f"h2o, {rows:,} rows", [duckdb(), *fusewires], tables, queries, folder, options)


def hits(fusewires, folder, data, options, rows, **_):
    """What is asked of the log of a web site: counts, distinct counts, first rows and texts of one wide table."""
    tables, queries = generate_hits.hits(data, rows), read_queries("hits", options, hundredth=str(rows // 100))
    return compared(f"Hits, {rows:,} rows", [duckdb(), *fusewires], tables, queries, folder, options)


def sums(fusewires, folder, data, options, rows, **_):
    """Sums whose type cannot hold every one of them, beside the DataFusion that adds without a look at that."""
    tables, queries = generate.sums(data, rows), read_queries("sums", options)
    engines = [Peer("DataFusion", "datafusion"), duckdb(), *fusewires]
    return compared(f"Sums of {rows:,} rows", engines, tables, queries, folder, options)


def compared(title, engines, tables, queries, folder, options):
    """A table for each number of threads; the first engine is the one that the others are compared with."""
    found = []
    for threads in options.threads:
        cells = compare(engines, tables, queries, threads, folder, options)
        print_comparison(f"{title}, {on(threads)}", engines, cells)
        found += [f"{title}, {on(threads)}, {problem}" for problem in problems(cells)]
    return found


def subquery(fusewires, folder, data, options, rows, **_):
    """Correlated subqueries, each beside the join that one would write by hand for it."""
    tables, queries = generate.subquery(data, rows), read_queries("subquery", options)
    engines, found = [duckdb(), *fusewires], []
    for threads in options.threads:
        cells = compare(engines, tables, queries, threads, folder, options, alone=True)
        title = f"Subqueries over {rows:,} rows, {on(threads)}"
        print(f"\n{title}\n\n| subquery | who | ms | join by hand, ms | times (goal 3) | peak MiB | join's |")
        print("|---|---|---:|---:|---:|---:|---:|")
        for name in [name for name in queries if f"{name}.join" in queries]:
            for engine in engines:
                cell, join = cells[engine.name][name], cells[engine.name][f"{name}.join"]
                row = [name, engine.name, cell.milliseconds(), join.milliseconds(), ratio(cell, join)]
                print(f"| {' | '.join(row)} | {cell.peak_mib:,.0f} | {join.peak_mib:,.0f} |", flush=True)
        found += [f"{title}, {problem}" for problem in problems(cells)]
    return found
