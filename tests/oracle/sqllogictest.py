"""How many of the queries in SQLite's sqllogictest files Fusewire answers over the wire as PostgreSQL 15 does.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install 'psycopg[binary]==3.3.*'
    /tmp/oracle/bin/python tests/oracle/sqllogictest.py FOLDER --fusewire target/release/fusewire --least 99

FOLDER holds the .test files (https://www.sqlite.org/sqllogictest), in any folders below it; they are no part of this
project. The files are read as SQLite would (`skipif`, `onlyif`), and a sample of their queries is drawn by a seed, in
equal shares by file, so that small files are tried whole. Each file runs in an empty server, with those of its
statements that a drawn query depends on.

The files hold what SQLite answers. PostgreSQL, started privately for the run, decides two things: a query that it
refuses is not shared by the two and counts for nothing, and where it answers, its rows are what is expected. How many
agree with the file is said beside it. `--no-postgres` compares with the files alone.

Rows compare as multisets, and in order where the query has ORDER BY; numbers by value to 1e-12, whatever
their types (to 1e-6 in a column that is a single-precision float in PostgreSQL). Statements are treated so:

- indexes, which are about speed alone, are ignored: CREATE INDEX, DROP INDEX, REINDEX;
- INSERTs of rows into the same columns, one after the other, are sent as one;
- PRIMARY KEY and UNIQUE are left out of a CREATE TABLE that Fusewire refuses with them;
- what PostgreSQL refuses is not sent to Fusewire;
- where Fusewire refuses to change rows, the table is copied from PostgreSQL before the next drawn query, which is so
  judged by itself; the refusal is listed among the statements.

Exits with 1 below --least.
"""

import argparse
import collections
import contextlib
import decimal
import hashlib
import json
import math
import multiprocessing
import os
import pathlib
import pwd
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus

INTEGERS, SINGLE, FLOATS, NUMERIC, BOOLEAN = {20, 21, 23, 26}, 700, {700, 701}, 1700, 16
TYPE_NAMES = {
    16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 25: "text", 700: "real", 701: "double precision",
    705: "unknown", 1042: "character", 1043: "varchar", 1700: "numeric",
}  # fmt: skip

INDEX = re.compile(r"\s*(CREATE\s+(UNIQUE\s+)?INDEX|DROP\s+INDEX|REINDEX)\b", re.IGNORECASE)
ROWS = re.compile(r"(INSERT INTO\s+\w+\s*(?:\([^()]*\))?\s*VALUES)\s*(\(.*\))\s*", re.IGNORECASE | re.DOTALL)
CHANGE = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(\w+)", re.IGNORECASE)
CREATE_TABLE = re.compile(r"\s*CREATE\s+TABLE\s+(\w+)", re.IGNORECASE)
CREATED = re.compile(r"\s*CREATE\s+(TABLE|VIEW)\s+(\w+)", re.IGNORECASE)
VIEW = re.compile(r"\s*CREATE\s+VIEW\b", re.IGNORECASE)
TARGET = re.compile(
    r"\s*(CREATE\s+(?:TABLE|VIEW)|DROP\s+(?:TABLE|VIEW)(?:\s+IF\s+EXISTS)?|INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(\w+)"
    r"[^;]*;?\s*",
    re.IGNORECASE,
)
KEY = re.compile(r",\s*(PRIMARY\s+KEY|UNIQUE)\s*\([^()]*\)|\s+(PRIMARY\s+KEY|UNIQUE)\b", re.IGNORECASE)


class Record(typing.NamedTuple):
    """A statement or query of a file."""

    line: int
    sql: str
    # What a statement must do: "ok" or "error". None for a query.
    outcome: typing.Optional[str]
    types: str = ""
    sort: str = ""
    expected: tuple = ()


def records(path):
    """The records of a file that are meant for SQLite, in order."""
    text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
    number = 1
    for block in text.split("\n\n"):
        begins, number = number, number + block.count("\n") + 2
        lines = block.split("\n")
        first, wanted = 0, True
        while first < len(lines) and (not lines[first].strip() or lines[first][0] == "#" or condition(lines[first])):
            word = condition(lines[first])
            if word:
                wanted = wanted and (word[0] == "onlyif") == (word[1] == "sqlite")
            first += 1
        if first == len(lines) or not wanted:
            continue
        head = lines[first].split()
        if head[0] == "halt":
            return
        rest = lines[first + 1 :]
        while rest and not rest[-1].strip():
            rest.pop()
        if head[0] == "statement":
            yield Record(begins + first, "\n".join(rest), head[1])
        elif head[0] == "query":
            end = rest.index("----") if "----" in rest else len(rest)
            sort = head[2] if len(head) > 2 else "nosort"
            yield Record(begins + first, "\n".join(rest[:end]), None, head[1], sort, tuple(rest[end + 1 :]))


def condition(line):
    return line.split()[:2] if line.startswith(("skipif ", "onlyif ")) else None


def merged(found):
    """The records, with INSERTs into the same columns that follow one another as one statement."""
    pending, head, rows = None, None, []

    def flush():
        return pending._replace(sql=f"{head} {', '.join(rows)}")

    for record in found:
        insert = ROWS.fullmatch(record.sql) if record.outcome == "ok" else None
        if pending and (not insert or insert[1] != head or len(rows) == 1000):
            yield flush()
            pending = None
        if not insert:
            yield record
        elif pending:
            rows.append(insert[2])
        else:
            pending, head, rows = record, insert[1], [insert[2]]
    if pending:
        yield flush()


def draw(folder, only, number, seed, processes):
    """For each file, which of its queries are drawn, counted from 0: equal shares, as far as a file has as many."""
    paths = sorted(path for path in folder.rglob("*.test") if path.relative_to(folder).as_posix().startswith(only))
    if not paths:
        sys.exit(f"there is no .test file under {folder / only}")
    with multiprocessing.Pool(processes) as pool:
        counts = dict(zip(paths, pool.map(count_queries, paths, chunksize=4)))
    drawn, left, files_left = {}, number, len(paths)
    for path in sorted(paths, key=lambda path: (counts[path], path)):
        share = min(counts[path], left // files_left)
        left, files_left = left - share, files_left - 1
        name = path.relative_to(folder).as_posix()
        drawn[name] = sorted(random.Random(f"{seed} {name}").sample(range(counts[path]), share))
    return {name: chosen for name, chosen in sorted(drawn.items()) if chosen}, sum(counts.values())


def count_queries(path):
    return sum(record.outcome is None for record in records(path))


def needed(found, chosen):
    """The chosen queries, and of the statements before them those that such a query depends on; in order."""
    chosen, query, before = set(chosen), 0, []
    last = max(chosen)
    for record in found:
        if record.outcome or query in chosen:
            before.append(record)
        query += not record.outcome
        if query > last:
            break
    # Backwards: the names whose rows matter to what comes later.
    live, kept = set(), []
    for record in reversed(before):
        target = TARGET.fullmatch(record.sql) if record.outcome == "ok" else None
        verb, name = (target[1].split()[0].upper(), target[2].lower()) if target else (None, None)
        if INDEX.match(record.sql) or verb == "DROP":
            live.discard(name)
        elif target and name not in live:
            continue
        else:
            live.update(re.findall(r"\w+", record.sql.lower()))
            if verb == "CREATE":
                live.discard(name)
        kept.append((record, verb, name))
    # Forwards: what was not created need not be dropped.
    exists = set()
    for record, verb, name in reversed(kept):
        if verb == "CREATE":
            exists.add(name)
        elif verb == "DROP":
            if name not in exists:
                continue
            exists.discard(name)
        yield record


class Answer(typing.NamedTuple):
    """What a server said: rows of Python values with their types, or an error's code and message."""

    rows: list = []
    types: tuple = ()
    error: typing.Optional[tuple] = None


class Connection:
    """One connection, with plain statements: the simple protocol, and text as the server wrote it."""

    def __init__(self, dsn, timeout_seconds):
        self.psycopg = psycopg.connect(dsn, autocommit=True)
        self.wire = self.psycopg.pgconn
        self.run(f"SET statement_timeout = '{timeout_seconds}s'")

    def run(self, sql):
        result = self.wire.exec_(sql.encode())
        if self.wire.status == ConnStatus.BAD:
            return Answer(error=("08006", "the connection is lost"))
        if result.status in (ExecStatus.FATAL_ERROR, ExecStatus.NONFATAL_ERROR):
            code, message = (
                (result.error_field(field) or b"").decode(errors="replace")
                for field in (DiagnosticField.SQLSTATE, DiagnosticField.MESSAGE_PRIMARY)
            )
            return Answer(error=(code, message))
        types = tuple(result.ftype(column) for column in range(result.nfields))
        rows = [
            tuple(value(result.get_value(row, column), kind) for column, kind in enumerate(types))
            for row in range(result.ntuples)
        ]
        return Answer(rows, types)

    def close(self):
        self.psycopg.close()


def value(raw, kind):
    if raw is None:
        return None
    text = raw.decode(errors="replace")
    if kind in INTEGERS:
        return int(text)
    if kind in FLOATS:
        return float(text)
    if kind == NUMERIC:
        return decimal.Decimal(text)
    return text == "t" if kind == BOOLEAN else text


class Fusewire:
    """Fusewire for one file: a server of its own in memory, or one that runs already and is left as it was found."""

    def __init__(self, options):
        self.options, self.process, self.connection = options, None, None
        # What was done, to be done again after a crash.
        self.history = []
        self.start()

    def start(self):
        if self.options.dsn:
            self.connection = Connection(self.options.dsn, self.options.timeout)
            return
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("FUSEWIRE_", "AWS_", "PG"))
        }
        self.process = subprocess.Popen(
            [self.options.fusewire, "serve", "--port", "0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        said = self.process.stdout.readline().decode()
        port = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", said)
        if not port:
            sys.exit(f"{self.options.fusewire} serve said {said!r}, not where it listens")
        self.connection = Connection(f"host=127.0.0.1 port={port[1]} user=ada dbname=fusewire", self.options.timeout)

    def run(self, sql):
        # The server's own limit should end a statement long before; one that never comes back must not hold up others.
        watchdog = threading.Timer(self.options.timeout * 2, self.kill)
        watchdog.start()
        answer = self.connection.run(sql)
        watchdog.cancel()
        if answer.error and answer.error[0] == "08006":
            self.stop()
            self.start()
            for done in self.history:
                self.connection.run(done)
        return answer

    def change(self, sql):
        answer = self.run(sql)
        if not answer.error:
            self.history.append(sql)
        return answer

    def kill(self):
        if self.process:
            self.process.kill()

    def stop(self):
        if not self.process:
            for kind, name in reversed([CREATED.match(sql).groups() for sql in self.history if CREATED.match(sql)]):
                self.connection.run(f"DROP {kind} IF EXISTS {name}")
        self.connection.close()
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


@contextlib.contextmanager
def postgres(programs):
    """A PostgreSQL of its own that listens on a socket in its folder; gives the folder, and is gone afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sqllogictest-"))
    as_owner = []
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root.
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]

    def program(name, *arguments):
        command = [*as_owner, str(programs / name), "-D", str(folder / "data"), *arguments]
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stderr.decode()}")

    try:
        program("initdb", "-U", "ada", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c synchronous_commit=off"
        program("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield folder
        finally:
            program("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Tally:
    """What was counted; of each class an example as well, the one with the shortest query."""

    def __init__(self):
        self.counts = collections.Counter()
        self.classes = collections.defaultdict(collections.Counter)
        self.examples = {}
        self.folders = collections.defaultdict(collections.Counter)
        self.failures = []

    def add(self, table, name, where, sql, detail=""):
        self.classes[table][name] += 1
        example = (len(sql), where, sql, detail)
        key = (table, name)
        self.examples[key] = min(self.examples.get(key, example), example)

    def merge(self, other):
        self.counts += other.counts
        for table, classes in other.classes.items():
            self.classes[table] += classes
        for key, example in other.examples.items():
            self.examples[key] = min(self.examples.get(key, example), example)
        for folder, counts in other.folders.items():
            self.folders[folder] += counts
        self.failures += other.failures


REFUSED, DIFFERENT, NOT_SHARED = "refused", "different", "not shared"
LENIENT, STATEMENTS, UNSHARED_STATEMENTS = "lenient", "statements", "unshared statements"
OTHER_TYPES, OTHER_FILE = "other types", "other than the file"


class FileRun:
    """One file against both servers."""

    def __init__(self, name, ours, theirs):
        self.name, self.ours, self.theirs = name, ours, theirs
        self.tally = Tally()
        # How Fusewire took each CREATE TABLE, and the tables whose rows it does not have as it should.
        self.tables, self.stale, self.views = {}, set(), False

    def run(self, needed):
        for record in merged(needed):
            if record.outcome:
                self.statement(record)
            else:
                self.query(record)
        return self.tally

    def statement(self, record):
        sql, where = record.sql, f"{self.name}:{record.line}"
        if INDEX.match(sql):
            self.tally.counts["statements ignored"] += 1
            return
        self.tally.counts["statements"] += 1
        change, create = CHANGE.match(sql), CREATE_TABLE.match(sql)
        self.views = self.views or bool(VIEW.match(sql))
        expected = self.theirs.run(sql) if self.theirs else None
        if expected and expected.error and record.outcome == "ok":
            self.tally.add(UNSHARED_STATEMENTS, error_class(expected.error), where, sql)
            return
        if record.outcome == "error" and not (expected and not expected.error):
            # Fusewire is asked as well, and must refuse it.
            if not self.ours.change(sql).error:
                self.tally.add(LENIENT, "a statement that the file expects to fail", where, sql)
            return
        if change and change[1].lower() in self.stale:
            return
        self.refresh(sql)
        answer = self.ours.change(sql)
        if answer.error and create and KEY.search(sql):
            self.tally.counts["tables created without their keys"] += 1
            sql = KEY.sub("", sql)
            answer = self.ours.change(sql)
        if answer.error:
            self.tally.add(STATEMENTS, error_class(answer.error), where, sql)
            if change and self.theirs:
                self.stale.add(change[1].lower())
        elif create:
            self.tables[create[1].lower()] = sql

    def refresh(self, sql):
        """Gives Fusewire the rows that PostgreSQL has of a statement's tables, where it refused to change its own."""
        # A view that the statement names may read any table.
        wanted = set(self.stale) if self.views else self.stale & set(re.findall(r"\w+", sql.lower()))
        for table in sorted(wanted & self.tables.keys()):
            rows = self.theirs.run(f"SELECT * FROM {table}").rows
            commands = [f"DROP TABLE {table}", self.tables[table]]
            for begin in range(0, len(rows), 1000):
                values = ", ".join(f"({', '.join(map(literal, row))})" for row in rows[begin : begin + 1000])
                commands.append(f"INSERT INTO {table} VALUES {values}")
            for command in commands:
                answer = self.ours.change(command)
                if answer.error:
                    self.tally.add(STATEMENTS, f"copying a table: {error_class(answer.error)}", self.name, command)
            self.tally.counts["tables copied"] += 1
        self.stale -= wanted

    def query(self, record):
        sql, where = record.sql, f"{self.name}:{record.line}"
        self.refresh(sql)
        counts = self.tally.folders["/".join(self.name.split("/")[:-1][:2]) or self.name]
        ours = self.ours.run(sql)
        theirs = self.theirs.run(sql) if self.theirs else None
        agrees_with_file = not ours.error and agrees(record, ours)
        for count in (self.tally.counts, counts):
            count["tried"] += 1
            count["as the file"] += agrees_with_file
        if theirs and theirs.error:
            if theirs.error[0][:2] == "22":
                self.tally.counts["failing in PostgreSQL"] += 1
                if not ours.error:
                    self.tally.add(LENIENT, f"PostgreSQL fails: {error_class(theirs.error)}", where, sql)
            else:
                self.tally.add(NOT_SHARED, error_class(theirs.error), where, sql)
            return
        for count in (self.tally.counts, counts):
            count["shared"] += 1
        if theirs and not agrees(record, theirs):
            types = ", ".join(map(type_name, theirs.types))
            detail = f"the file: {' '.join(record.expected)[:100]}; PostgreSQL: {theirs.rows[:3]}"
            self.tally.add(OTHER_FILE, f"{record.types} {record.sort} -> {types}", where, sql, detail)
        if ours.error:
            table, name, detail = REFUSED, error_class(ours.error), ours.error[1]
        elif theirs:
            table, (name, detail) = DIFFERENT, difference(sql, theirs, ours)
        else:
            name = None if agrees_with_file else "not what the file says"
            detail = f"expected {' '.join(record.expected)[:200]}, found {ours.rows[:5]}"
            table = DIFFERENT
        if name:
            self.tally.add(table, name, where, sql, detail)
            self.tally.failures.append({"where": where, "class": f"{table}: {name}", "sql": sql, "detail": detail})
            return
        for count in (self.tally.counts, counts):
            count["passing"] += 1
        if theirs:
            for column, (expected, found) in enumerate(zip(theirs.types, ours.types)):
                if expected != found and any(row[column] is not None for row in theirs.rows):
                    self.tally.add(OTHER_TYPES, f"{type_name(expected)} -> {type_name(found)}", where, sql)


def literal(value):
    return "NULL" if value is None else f"""'{value.replace("'", "''")}'""" if isinstance(value, str) else str(value)


def type_name(kind):
    return TYPE_NAMES.get(kind, f"type {kind}")


def error_class(error):
    """An error without what differs from statement to statement."""
    code, message = error
    message = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "'…'", message.split("\n")[0])
    message = re.sub(r"[\w.]*\d[\w.]*", "…", message)
    return f"{code} {message[:160]}"


def agrees(record, answer):
    """Whether an answer, written as SQLite's test program would, is what the file holds."""
    rows = [
        [written(value, record.types[column : column + 1]) for column, value in enumerate(row)] for row in answer.rows
    ]
    if record.sort == "rowsort":
        rows.sort()
    values = [value for row in rows for value in row]
    if record.sort == "valuesort":
        values.sort()
    summary = re.fullmatch(r"(\d+) values hashing to ([0-9a-f]{32})", record.expected[0]) if record.expected else None
    if not summary:
        return values == list(record.expected)
    digest = hashlib.md5("".join(f"{value}\n" for value in values).encode()).hexdigest()
    return len(values) == int(summary[1]) and digest == summary[2]


def written(value, kind):
    if value is None:
        return "NULL"
    if kind == "I" and isinstance(value, str):
        # As SQLite turns text to an integer.
        return (re.match(r"\s*([+-]?\d+)", value) or ["", "0"])[1]
    if kind == "I":
        return str(int(value)) if not isinstance(value, float) or math.isfinite(value) else str(value)
    if kind == "R" and not isinstance(value, str):
        return f"{value:.3f}"
    if isinstance(value, bool):
        return str(int(value))
    return re.sub(r"[^ -~]", "@", str(value)) or "(empty)"


def difference(sql, theirs, ours):
    """The kind of difference between two answers and where it shows, or None twice."""
    if len(theirs.types) != len(ours.types):
        return "another number of columns", f"{len(theirs.types)} and {len(ours.types)}"
    tolerances = [1e-6 if kind == SINGLE else 1e-12 for kind in theirs.types]
    expected, found = sorted(theirs.rows, key=sort_key), sorted(ours.rows, key=sort_key)
    if len(expected) != len(found):
        kind = "rows are missing" if len(expected) > len(found) else "rows too many"
        return kind, f"{len(expected)} rows {expected[:3]}, found {len(found)}: {found[:3]}"
    for one, other in zip(expected, found):
        for column, pair in enumerate(zip(one, other)):
            if not same(*pair, tolerances[column]):
                what = "NULL" if pair[1] is None else "a value for NULL" if pair[0] is None else "another value"
                kinds = f"{type_name(theirs.types[column])} -> {type_name(ours.types[column])}"
                return f"{what}, {kinds}", f"expected {one}, found {other}"
    if re.search(r"\bORDER\s+BY\b", sql, re.IGNORECASE):
        for one, other in zip(theirs.rows, ours.rows):
            if not all(map(same, one, other, tolerances)):
                return "another order", f"expected {one}, found {other}"
    return None, None


def same(one, other, tolerance):
    if isinstance(one, str) or isinstance(other, str) or isinstance(one, bool) is not isinstance(other, bool):
        return type(one) is type(other) and one == other
    if one is None or other is None or one == other:
        return one is other or one == other
    one, other = float(one), float(other)
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=0) or (math.isnan(one) and math.isnan(other))


def sort_key(row):
    """Numbers are rounded, so that those which count as the same sort alike."""
    return [
        (0, 0.0, "") if cell is None else (2, 0.0, cell) if isinstance(cell, str) else (1, float(f"{cell:.6g}"), "")
        for cell in row
    ]


def run_file(task):
    name, chosen, options, socket = task
    path = options.folder / name
    ours, theirs = Fusewire(options), None
    if socket:
        schema = "f" + hashlib.md5(name.encode()).hexdigest()
        theirs = Connection(f"host={socket} user=ada dbname=postgres", options.timeout)
        theirs.run(f"CREATE SCHEMA {schema}")
        theirs.run(f"SET search_path TO {schema}")
    try:
        return name, FileRun(name, ours, theirs).run(needed(records(path), chosen))
    finally:
        ours.stop()
        if theirs:
            theirs.run(f"DROP SCHEMA {schema} CASCADE")
            theirs.close()


def share(part, whole):
    return f"{part:,} of {whole:,} ({100 * part / whole:.3f} %)" if whole else "0 of 0"


def report(tally, with_postgres):
    counts = tally.counts
    print(f"\nstatements: {counts['statements']:,}, and {counts['statements ignored']:,} about indexes ignored;")
    print(f"  {counts['tables created without their keys']:,} tables created without their keys,", end=" ")
    print(f"{counts['tables copied']:,} times a table copied after a refused change")
    print(f"queries tried: {counts['tried']:,}")
    print(f"answered as the file says: {share(counts['as the file'], counts['tried'])}")
    if with_postgres:
        print(f"syntax not shared with PostgreSQL: {sum(tally.classes[NOT_SHARED].values()):,}")
        print(f"PostgreSQL answers with an error of the data: {counts['failing in PostgreSQL']:,}")
        print(f"PostgreSQL answers otherwise than the file: {sum(tally.classes[OTHER_FILE].values()):,}")
    print(f"passing{' of those shared' if with_postgres else ''}: {share(counts['passing'], counts['shared'])}")
    print("\n| folder | tried | as the file | shared | passing | % |\n|---|---:|---:|---:|---:|---:|")
    for folder, found in sorted(tally.folders.items()):
        percent = f"{100 * found['passing'] / found['shared']:.2f}" if found["shared"] else ""
        figures = " | ".join(f"{found[name]:,}" for name in ("tried", "as the file", "shared", "passing"))
        print(f"| {folder} | {figures} | {percent} |")
    for table, title in (
        (DIFFERENT, "Answered otherwise"),
        (REFUSED, "Refused"),
        (LENIENT, "Answered, though an error is expected"),
        (STATEMENTS, "Statements that Fusewire refuses"),
        (OTHER_TYPES, "Passing, with columns of another type"),
        (NOT_SHARED, "Not shared: what PostgreSQL says"),
        (OTHER_FILE, "PostgreSQL answers otherwise than the file"),
        (UNSHARED_STATEMENTS, "Statements that PostgreSQL refuses"),
    ):
        if tally.classes[table]:
            print(f"\n{title}: {sum(tally.classes[table].values()):,}")
        for name, count in tally.classes[table].most_common():
            _, where, sql, detail = tally.examples[table, name]
            print(f"  {count:>7,}  {name}\n           {where}: {' '.join(sql.split())[:600]}")
            if detail:
                print(f"           {' '.join(str(detail).split())[:400]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the .test files lie")
    parser.add_argument("--fusewire", default="target/release/fusewire", help="the binary, started for each file")
    parser.add_argument("--dsn", help="a Fusewire that runs already and is empty, instead of --fusewire")
    parser.add_argument("--queries", type=int, default=100_000, help="how many queries are drawn (100000)")
    parser.add_argument("--seed", type=int, default=1, help="the seed that they are drawn by (1)")
    parser.add_argument("--only", default="", help="only files whose path begins so")
    parser.add_argument("--processes", type=int, default=2, help="how many files run at a time (2)")
    parser.add_argument("--timeout", type=int, default=60, help="seconds that a statement may take (60)")
    parser.add_argument("--postgres", type=pathlib.Path, default=pathlib.Path("/usr/lib/postgresql/15/bin"),
                        help="the folder of initdb and pg_ctl")  # fmt: skip
    parser.add_argument("--no-postgres", action="store_true", help="compare with the files alone")
    parser.add_argument("--failures", type=pathlib.Path, help="a file for all failing queries, a line of JSON each")
    parser.add_argument("--least", type=float, default=0, help="the percentage that must pass")
    options = parser.parse_args()
    if options.dsn:
        # Files would meet each other's tables.
        options.processes = 1
    if not options.no_postgres and not (options.postgres / "pg_ctl").is_file():
        parser.error(f"{options.postgres} has no pg_ctl: install PostgreSQL 15, or say --postgres or --no-postgres")
    return options


def main():
    options, began = arguments(), time.monotonic()
    # A run that is ended takes its servers with it; the processes of the pools inherit this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    drawn, available = draw(options.folder, options.only, options.queries, options.seed, options.processes)
    digest = hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:16]
    number = sum(map(len, drawn.values()))
    print(f"{number:,} of {available:,} queries drawn from {len(drawn):,} files, seed {options.seed}, sample {digest}")
    tally = Tally()
    with contextlib.ExitStack() as stack:
        socket = None if options.no_postgres else stack.enter_context(postgres(options.postgres))
        tasks = [(name, chosen, options, socket) for name, chosen in drawn.items()]
        with multiprocessing.Pool(options.processes) as pool:
            for done, (name, found) in enumerate(pool.imap_unordered(run_file, tasks), 1):
                tally.merge(found)
                seconds, counts = time.monotonic() - began, found.counts
                passing = share(counts["passing"], counts["shared"])
                print(f"[{seconds:5.0f} s] {done}/{len(tasks)} {name}: {passing}", file=sys.stderr, flush=True)
    report(tally, not options.no_postgres)
    if options.failures:
        with open(options.failures, "w") as file:
            for failure in sorted(tally.failures, key=lambda failure: failure["where"]):
                file.write(json.dumps(failure) + "\n")
    percent = 100 * tally.counts["passing"] / max(tally.counts["shared"], 1)
    if percent < options.least:
        sys.exit(f"{percent:.3f} % pass, at least {options.least} % are required")


if __name__ == "__main__":
    main()
