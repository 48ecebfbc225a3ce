"""Measures a fusewire binary beside its peers, in the same run on the same machine, and prints a table in Markdown.

    python3 -m venv /tmp/benches && /tmp/benches/bin/pip install -r benches/requirements.txt
    cargo build --release
    /tmp/benches/bin/python benches/run.py target/release/fusewire [start] [train] [predict] [--rows N] [--rounds N]

Times are medians; memory is the peak resident set that the system reports of a process. Nothing is kept.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "oracle"))


class Finished:
    """What a process wrote, how long it took to its first byte and in all, and the most memory it held."""

    def __init__(self, command):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FUSEWIRE_")}
        with tempfile.TemporaryFile() as errors:
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
            first = process.stdout.read(1)
            self.first_byte = time.perf_counter() - began
            self.text = (first + process.stdout.read()).decode()
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            process.stdout.close()
            if process.returncode:
                errors.seek(0)
                sys.exit(f"{' '.join(map(str, command))}: {errors.read().decode()}")
        # Kilobytes on Linux, bytes on macOS.
        self.peak_mib = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)

    def timings(self):
        """The seconds that \\timing reported, one a statement."""
        return [float(found) / 1000 for found in re.findall(r"^time: ([0-9.]+) ms$", self.text, re.MULTILINE)]


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
              1 + value * 31 % 5 AS rating FROM generate_series(1, {rows})) TO '{events}' STORED AS PARQUET;
        COPY (SELECT value AS item_id, 'category ' || (value % 40) AS category, value % 97 + 0.5 AS price
              FROM generate_series(0, 4999)) TO '{items}' STORED AS PARQUET;
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


def script(folder, fusewire, sql, *options):
    file = folder / "script.sql"
    file.write_text("\n".join(line.strip() for line in sql.splitlines()))
    return [fusewire, *options, "--format", "csv", "-f", str(file)]


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


def main():
    measures = {"start": start, "train": train, "predict": predict}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fusewire", type=pathlib.Path, help="the binary, built with --release")
    parser.add_argument("measures", nargs="*", help="start, train, predict; all if none is named")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    unknown = set(arguments.measures) - set(measures)
    if unknown:
        parser.error(f"unknown measures: {', '.join(sorted(unknown))}; there are {', '.join(measures)}")
    fusewire = str(arguments.fusewire.resolve())
    version = Finished([fusewire, "--version"]).text.strip()
    print(f"{version} on {machine()}\n")
    table = Table()
    for name in arguments.measures or measures:
        with tempfile.TemporaryDirectory(prefix="fusewire-bench-") as folder:
            measures[name](table, fusewire=fusewire, folder=pathlib.Path(folder), rows=arguments.rows, rounds=arguments.rounds)
    table.print()


if __name__ == "__main__":
    main()
