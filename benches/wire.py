"""Statements a second through pgbench and libpq, in each Fusewire that is named and in PostgreSQL, in turns.

All servers are up during the whole run, and one of them at a time has clients. pgbench ends with an error if a statement
fails, but does not look at values: those of its statements are looked at before and after it ran. In a pipeline or a
message of many statements every value is.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import statistics
import sys

import servers
from process import Finished

LIBPQ = str(pathlib.Path(__file__).resolve().with_name("libpq.py"))
STATEMENTS = 5_000
EVERY = 100
FIGURES = re.compile(
    r"number of failed transactions: (\d+) .*^latency average = ([0-9.]+) ms$.*^tps = ([0-9.]+) ", re.MULTILINE | re.DOTALL
)
# PostgreSQL's second table, which has no index, as Fusewire's first.
UNINDEXED = "unindexed"


@dataclasses.dataclass
class Peer:
    """One of those that are measured: a server, and the table in which it looks up."""

    name: str
    address: str
    table: str = "items"


@dataclasses.dataclass
class Cell:
    """What is known of one peer and one measure after some rounds."""

    speeds: list = dataclasses.field(default_factory=list)
    latencies: list = dataclasses.field(default_factory=list)
    error: str = ""

    @property
    def right(self):
        return bool(self.speeds) and not self.error

    def speed(self):
        return statistics.median(self.speeds)

    def figures(self):
        if not self.right:
            return ["failed", ""]
        latency = statistics.median(self.latencies)
        return [f"{self.speed():,.0f}", f"{latency:,.{0 if latency >= 100 else 3}f}"]


@dataclasses.dataclass
class Measure:
    """What is done by how many clients; `run` takes a peer and answers statements a second and milliseconds."""

    kind: str
    name: str
    clients: int
    run: object


def wire(fusewires, folder, options, rows, rounds, **_):
    """`SELECT 1`, a lookup by key, and thousands of statements at once."""
    # A bench that is told to end takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    programs = servers.programs()
    measures = list_measures(programs, folder, options, rows)
    if options.only:
        measures = [measure for measure in measures if measure.kind in options.only]
    if not measures:
        sys.exit(f"nothing of wire is named {', '.join(options.only)}")
    with contextlib.ExitStack() as stack:
        postgresql = stack.enter_context(servers.postgresql(programs))
        started = [stack.enter_context(servers.fusewire(engine, folder)) for engine in fusewires]
        # The last is measured only where a table is read.
        peers = [Peer(postgresql.name, postgresql.address), *(Peer(server.name, server.address) for server in started)]
        peers.append(Peer(f"{postgresql.name}, no index", postgresql.address, UNINDEXED))
        fill(programs, peers, rows)
        found = checked(peers, rows, options)
        if not found:
            cells = compare(measures, peers, rounds)
            print_cells(f"Statements over the wire, {rows:,} rows in the table", peers, cells)
            found = [
                f"wire, {title(measure)}, {name}: {cell.error}"
                for measure, line in cells
                for name, cell in line.items()
                if not cell.right
            ]
            found += checked(peers, rows, options)
    return found


def list_measures(programs, folder, options, rows):
    found = []
    scripts = {
        "select": ("SELECT 1", "SELECT 1;\n"),
        "lookup": ("lookup by key", "\\set id random(1, {rows})\nSELECT name FROM {table} WHERE id = :id;\n"),
    }
    for kind, (name, script) in scripts.items():
        for protocol in ("simple", "prepared"):
            for clients in options.clients:
                run = pgbench(programs, folder, options, script, rows, protocol, clients)
                found.append(Measure(kind, f"{name}, {protocol}", clients, run))
    for protocol in ("parsed", "prepared"):
        for every, syncs in ((EVERY, f"{STATEMENTS // EVERY} syncs"), (STATEMENTS, "one sync")):
            name = f"{STATEMENTS:,} pipelined, {'each parsed' if protocol == 'parsed' else protocol}, {syncs}"
            found.append(Measure("pipeline", name, 1, libpq(options, protocol, every)))
    found.append(Measure("message", f"{STATEMENTS:,} in one simple message", 1, libpq(options, "message")))
    return found


def pgbench(programs, folder, options, script, rows, protocol, clients):
    def run(peer):
        file = folder / "script.sql"
        file.write_text(script.format(rows=rows, table=peer.table))
        threads = min(clients, len(os.sched_getaffinity(0)))
        command = [programs / "pgbench", "-n", "-f", file, "-M", protocol, "-c", clients, "-j", threads]
        command += ["-T", options.seconds, peer.address]
        done = Finished([*map(str, command)], options.seconds + options.limit_s, may_fail=True)
        figures = FIGURES.search(done.text)
        if done.failed or not figures or figures.group(1) != "0":
            raise Failure(done.errors or done.text)
        return float(figures.group(3)), float(figures.group(2))

    return run


def libpq(options, kind, *every):
    def run(peer):
        command = [sys.executable, LIBPQ, kind, peer.address, options.seconds, STATEMENTS, *every]
        done = Finished([*map(str, command)], options.seconds + options.limit_s, may_fail=True)
        if done.failed:
            raise Failure(done.errors)
        seconds = json.loads(done.text)
        return STATEMENTS * len(seconds) / sum(seconds), statistics.fmean(seconds) * 1000

    return run


class Failure(Exception):
    """Why a peer has no figure, in one line."""

    def __init__(self, text):
        super().__init__(" / ".join(text.split("\n")) or "no figures")


def fill(programs, peers, rows):
    """The same rows everywhere; PostgreSQL has a primary key, and has looked at its rows."""
    for peer in peers:
        # The digits of a name are not those of its key, so that the wrong column would not do.
        sql = [f"CREATE TABLE {peer.table} AS SELECT CAST(value AS INT) AS id, 'item ' || value * 7 AS name "
               f"FROM generate_series(1, {rows}) AS series(value)"]
        if peer is peers[0]:
            sql.append(f"ALTER TABLE {peer.table} ADD PRIMARY KEY (id)")
        if peer.address == peers[0].address:
            sql.append(f"VACUUM ANALYZE {peer.table}")
        for statement in sql:
            Finished([str(programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", peer.address, "-c", statement])


def checked(peers, rows, options):
    """What is wrong with the values of pgbench's statements."""
    found = []
    for peer in peers:
        command = [sys.executable, LIBPQ, "check", peer.address, peer.table, str(rows)]
        done = Finished(command, options.limit_s, may_fail=True)
        if done.failed:
            found.append(f"wire, {peer.name}: {done.errors}")
    return found


def compare(measures, peers, rounds):
    """Each measure with a cell for every peer that takes part in it."""
    found = []
    for measure in measures:
        line = {peer.name: Cell() for peer in peers if peer.table != UNINDEXED or measure.kind == "lookup"}
        for number in range(rounds):
            for peer in peers:
                cell = line.get(peer.name)
                if cell is None or cell.error:
                    continue
                try:
                    speed, latency = measure.run(peer)
                except Failure as failure:
                    cell.error = str(failure)
                    print(f"FAILED {peer.name}, {title(measure)}: {failure}", flush=True)
                    continue
                cell.speeds.append(speed)
                cell.latencies.append(latency)
                print(f"{title(measure)}, round {number + 1}: {peer.name} {speed:,.0f}/s", flush=True)
        found.append((measure, line))
    return found


def title(measure):
    return f"{measure.name}, {measure.clients} client{'' if measure.clients == 1 else 's'}"


def print_cells(heading, peers, cells):
    """A row a measure, with the ratio of each Fusewire's statements a second to PostgreSQL's; lookups have a second row."""
    reference, *others = [peer.name for peer in peers if peer.table != UNINDEXED]
    print(f"\n{heading}\n\n| measure | clients | {reference}, /s | ms | "
          + " | ".join(f"{name}, /s | ms | ratio" for name in others) + " |")
    print("|---|" + "---:|" * (3 + 3 * len(others)))
    for measure, line in cells:
        theirs = {measure.name: line[reference]}
        unindexed = [peer.name for peer in peers if peer.table == UNINDEXED and peer.name in line]
        theirs |= {f"{measure.name}, no index": line[name] for name in unindexed}
        for name, other in theirs.items():
            row = [name, str(measure.clients), *other.figures()]
            for own in (line[name] for name in others):
                row += [*own.figures(), f"{own.speed() / other.speed():.3f}" if own.right and other.right else ""]
            print(f"| {' | '.join(row)} |", flush=True)
