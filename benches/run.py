"""Measures a fusewire binary beside its peers, in the same run on the same machine, and prints tables in Markdown.

    python3 -m venv /tmp/benches && /tmp/benches/bin/pip install -r benches/requirements.txt
    cargo build --release
    /tmp/benches/bin/python benches/run.py target/release/fusewire [start] [train] [predict] [files] [tpch] [star]
    /tmp/benches/bin/python benches/run.py target/release/fusewire subquery h2o hits sums --threads 2
    /tmp/benches/bin/python benches/run.py before=old/fusewire after=target/release/fusewire tpch --data /tmp/benchdata
    /tmp/benches/bin/python benches/run.py before=old/fusewire after=target/release/fusewire wire --clients 1,8,64 --seconds 5
    /tmp/benches/bin/python benches/run.py before=old/fusewire after=target/release/fusewire commits --rows 10000

Times are medians; memory is the peak resident set that the system reports of a process. Nothing is kept but the data
under --data. It ends with an error if a query fails or its rows are not its peer's.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import statistics
import sys
import tempfile

import commits
import files
import queries
import servers
import wire
from process import Finished, script

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "oracle"))


class Table:
    """Rows of figures; the first of a measure is Fusewire's, and the others are its peers'."""

    def __init__(self):
        self.rows = []

    def add(self, measure, who, figure, unit, peak_mib, ratio=None):
        text = "" if ratio is None else f"{ratio:.2f}"
        self.rows.append((measure, who, f"{figure:,.{digits(figure)}f} {unit}".strip(), text, f"{peak_mib:,.0f}"))
        print(" | ".join(self.rows[-1]), flush=True)

    def print(self):
        print("\n| measure | who | figure | ratio to the peer | peak MiB |\n|---|---|---:|---:|---:|")
        for row in self.rows:
            print(f"| {' | '.join(row)} |")


def digits(figure):
    return 0 if figure >= 1000 else 1 if figure >= 10 else 4 if figure < 2 else 2


def peer(*arguments):
    return Finished([sys.executable, str(HERE / "peer.py"), *map(str, arguments)])


def start(table, fusewire, rounds, **_):
    """From the start of the process to its first row."""
    peers = [("fusewire -c 'SELECT 1'", [fusewire, "--format", "csv", "-c", "SELECT 1"])]
    if shutil.which("duckdb"):
        peers.append(("duckdb -c", ["duckdb", "-csv", "-c", "SELECT 1"]))
    peers.append(("DuckDB in Python", [sys.executable, str(HERE / "peer.py"), "first-row"]))
    if shutil.which("sqlite3"):
        peers.append(("sqlite3", ["sqlite3", ":memory:", "SELECT 1"]))
    runs = {who: [] for who, _ in peers}
    # In turns, so that what else the machine does falls on all alike; the first round only warms the caches.
    for number in range(rounds * 4 + 1):
        for who, command in peers:
            run = Finished(command)
            if number:
                runs[who].append(run)
    ours = None
    for who, found in runs.items():
        milliseconds = statistics.median(run.first_byte for run in found) * 1000
        ours = ours or milliseconds
        ratio = None if who == peers[0][0] else ours / milliseconds
        table.add("start to first row (goal 50 ms)", who, milliseconds, "ms", max(run.peak_mib for run in found), ratio)


def train(table, fusewire, folder, rows, rounds, **_):
    """The same ratings, number of factors and passes for both; each solver as it is."""
    import ratings_svd

    for factors, epochs, size in ((16, 40, None), (100, 20, rows // 5)):
        data = folder / f"ratings-{size}"
        if size is None:
            ratings_svd.generate(data)
        else:
            generate_ratings(data, size)
        count = sum(1 for _ in open(data / "train.csv")) - 1
        sql = f"""
            CREATE EXTERNAL TABLE train_rows STORED AS CSV LOCATION '{data}/train.csv';
            CREATE EXTERNAL TABLE test_rows STORED AS CSV LOCATION '{data}/test.csv';
            \\timing on
            SELECT version FROM train('taste', (SELECT user_id, item_id, rating, 'train' AS part FROM train_rows
              UNION ALL SELECT user_id, item_id, rating, 'test' FROM test_rows), target => 'rating',
              user => 'user_id', item => 'item_id', split => 'column:part', factors => {factors}, epochs => {epochs});
            \\timing off
            SELECT sqrt(avg((prediction - rating) * (prediction - rating))) AS rmse
            FROM predict('taste', (SELECT user_id, item_id, rating FROM test_rows));
        """
        ours = [Finished(script(folder, fusewire, sql)) for _ in range(rounds)]
        theirs = [peer("svd", data / "train.csv", data / "test.csv", factors, epochs) for _ in range(rounds)]
        answers = [json.loads(run.text) for run in theirs]
        our_seconds = statistics.median(run.timings()[0] for run in ours)
        # Fusewire's statement reads the files, trains and evaluates; the peer's figure is reading and fitting.
        their_seconds = statistics.median(answer["load"] + answer["fit"] for answer in answers)
        our_rmse = float(ours[0].text.split()[-1])
        their_rmse = answers[0]["rmse"]
        surprise = f"scikit-surprise {answers[0]['version']} SVD"
        name = f"training, {count:,} ratings, {factors} factors, {epochs} passes"
        our_peak, their_peak = max(run.peak_mib for run in ours), max(run.peak_mib for run in theirs)
        speed, their_speed = count * epochs / our_seconds, count * epochs / their_seconds
        table.add(f"{name}: ratings x passes a second", "fusewire train", speed, "/s", our_peak, speed / their_speed)
        table.add(f"{name}: ratings x passes a second", surprise, their_speed, "/s", their_peak)
        table.add(f"{name}: held-out RMSE", "fusewire train", our_rmse, "", our_peak, our_rmse / their_rmse)
        table.add(f"{name}: held-out RMSE", surprise, their_rmse, "", their_peak)


def generate_ratings(folder, count):
    """Like those of ratings_svd.py, and many: 20,000 users, 5,000 items, 8 factors, noise 0.5; a tenth is held out."""
    import numpy

    users, items, rank = 20_000, 5_000, 8
    random = numpy.random.default_rng(42)
    left, right = random.normal(0, 0.46, (users, rank)), random.normal(0, 0.46, (items, rank))
    user_bias, item_bias = random.normal(0, 0.4, users), random.normal(0, 0.5, items)
    user, item = random.integers(0, users, count), random.integers(0, items, count)
    rating = 3.5 + user_bias[user] + item_bias[item] + (left[user] * right[item]).sum(axis=1) + random.normal(0, 0.5, count)
    held_out = random.random(count) < 0.1
    folder.mkdir(parents=True)
    for name, part in (("train", ~held_out), ("test", held_out)):
        with open(folder / f"{name}.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["user_id", "item_id", "rating"])
            writer.writerows((u, i, f"{r:.4f}") for u, i, r in zip(user[part], item[part], rating[part]))


def predict(table, fusewire, folder, rows, rounds, **_):
    """Scoring a join of two Parquet files, beside the same scan and join without it, and beside DuckDB's."""
    events, items = folder / "events.parquet", folder / "items.parquet"
    data = f"""
        COPY (SELECT 'user ' || (value * 7919 % 50000) AS user_id, value * 104729 % 5000 AS item_id, value % 24 AS hour,
              1 + value * 31 % 5 AS rating FROM generate_series(1, {rows}) AS series(value)) TO '{events}' STORED AS PARQUET;
        COPY (SELECT value AS item_id, 'category ' || (value % 40) AS category, value % 97 + 0.5 AS price
              FROM generate_series(0, 4999) AS series(value)) TO '{items}' STORED AS PARQUET;
    """
    opened = f"""
        CREATE EXTERNAL TABLE events STORED AS PARQUET LOCATION '{events}';
        CREATE EXTERNAL TABLE items STORED AS PARQUET LOCATION '{items}';
    """
    joined = "SELECT e.user_id, e.item_id, e.hour, i.category, i.price FROM events e JOIN items i USING (item_id)"
    columns = "count(user_id), max(item_id), max(hour), max(category), max(price)"
    model = f"""
        SELECT version FROM train('taste', (SELECT e.user_id, e.item_id, e.hour, i.category, i.price, e.rating
          FROM (SELECT * FROM events LIMIT 200000) e JOIN items i USING (item_id)), target => 'rating',
          user => 'user_id', item => 'item_id', categories => 'hour', factors => 16, epochs => 5);
    """
    kept = folder / "kept"
    Finished(script(folder, fusewire, data, "--data-dir", str(kept)))
    Finished(script(folder, fusewire, opened + model, "--data-dir", str(kept)))
    scored = f"SELECT {columns}, sum(prediction) FROM predict('taste', ({joined}));\n"
    plain = f"SELECT {columns} FROM ({joined}) AS rows;\n"
    found = {}
    for who, sql in (("with predict", scored), ("the same scan and join", plain)):
        run = Finished(script(folder, fusewire, "\\timing on\n" + sql * (rounds + 1), "--data-dir", str(kept)))
        # The first round reads the model and warms the caches.
        found[who] = (rows / statistics.median(run.timings()[1:]), run.peak_mib)
    duckdb = peer("join", events, items, rounds + 1)
    answer = json.loads(duckdb.text)
    found[f"DuckDB {answer['version']}, the same scan and join"] = (
        rows / statistics.median(answer["seconds"][1:]), duckdb.peak_mib,
    )
    ours = found["with predict"][0]
    for who, (speed, peak_mib) in found.items():
        ratio = None if who == "with predict" else ours / speed
        table.add(f"predict over a join, {rows:,} rows", who, speed, "rows/s", peak_mib, ratio)


def open_files(table, **given):
    """Files of a gigabyte in each format, and a thousand small ones."""
    files.files(table, peer, **given)


def machine():
    model = platform.processor() or platform.machine()
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE).group(1)
    except (OSError, AttributeError):
        # Not Linux, or a processor without a name: the architecture has to do.
        pass
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {gib:.0f} GiB, {platform.system()} {platform.release()}"


# What is measured, and its usual number of rows.
MEASURES = {
    "start": (start, None),
    "train": (train, 5_000_000),
    "predict": (predict, 5_000_000),
    "files": (open_files, 12_000_000),
    "tpch": (queries.tpch, None),
    "star": (queries.star, 10_000_000),
    "subquery": (queries.subquery, 1_000_000),
    "h2o": (queries.h2o, 10_000_000),
    "hits": (queries.hits, 5_000_000),
    "sums": (queries.sums, 10_000_000),
    "wire": (wire.wire, 100_000),
    "commits": (commits.commits, 10_000),
}
# Those that compare several binaries and their rows, and print a table of their own.
COMPARED = ("tpch", "star", "subquery", "h2o", "hits", "sums", "wire", "commits")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arguments", nargs="+", metavar="[NAME=]FUSEWIRE ... [MEASURE ...]",
                        help=f"a binary built with --release, more of them as NAME='BINARY OPTIONS', and measures: "
                             f"{', '.join(MEASURES)}; all if none is named. {', '.join(COMPARED)} compare all binaries, "
                             f"the others measure the first")
    parser.add_argument("--rows", type=int, help="instead of the usual number of each measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of TPC-H")
    parser.add_argument("--threads", default="2,1", help="numbers of threads for which queries are compared (2,1)")
    parser.add_argument("--memory", help="the limit of each engine, for example 2GB; without it its own default")
    parser.add_argument("--limit-s", type=int, default=120,
                        help="seconds that a query may take, and that a figure of wire may take beyond its own (120)")
    parser.add_argument("--data", type=pathlib.Path, help="a directory where the data of queries is kept and found again")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[],
                        help="names of queries, for example 01,17 or join_5; of wire select, lookup, pipeline, message")
    parser.add_argument("--clients", default="1,8,64", help="numbers of clients of wire and commits at once (1,8,64)")
    parser.add_argument("--seconds", type=int, default=5, help="for each figure of wire and commits in each round (5)")
    options = parser.parse_args()
    first, *others = options.arguments
    binaries = [first, *(other for other in others if "=" in other)]
    measures = [other for other in others if "=" not in other] or list(MEASURES)
    if unknown := set(measures) - set(MEASURES):
        parser.error(f"unknown measures: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    options.threads = [int(number) for number in options.threads.split(",")]
    options.clients = [int(number) for number in options.clients.split(",")]
    if "wire" in measures or "commits" in measures:
        # Said now, not after hours of other measures, if it is missing.
        servers.programs()
    fusewires = [named(binary) for binary in binaries]
    if len({fusewire.name for fusewire in fusewires}) < len(fusewires):
        parser.error("each binary needs a name of its own")
    print(f"on {machine()}")
    for fusewire in fusewires:
        version = Finished([fusewire.command[0], "--version"]).text.strip()
        print(f"{fusewire.name}: {version}, {shlex.join(fusewire.command)}")
    table, problems = Table(), []
    for name in measures:
        measure, rows = MEASURES[name]
        with tempfile.TemporaryDirectory(prefix="fusewire-bench-") as folder:
            folder = pathlib.Path(folder)
            given = {"folder": folder, "rows": options.rows or rows, "rounds": options.rounds}
            if name in COMPARED:
                data = options.data.resolve() if options.data else folder
                problems += measure(fusewires=fusewires, data=data, options=options, **given)
            else:
                measure(table, fusewire=fusewires[0].command[0], **given)
    if table.rows:
        table.print()
    if problems:
        sys.exit("\nNOT RIGHT:\n" + "\n".join(problems))


def named(text):
    """A binary from NAME='BINARY OPTIONS'; without a name it is called fusewire."""
    name, given, command = text.partition("=")
    command = shlex.split(command) if given else [text]
    return queries.Fusewire(name if given else "fusewire", [str(pathlib.Path(command[0]).resolve()), *command[1:]])


if __name__ == "__main__":
    main()
