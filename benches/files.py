"""Opening and reading CSV, JSON and Parquet files, beside DuckDB that looks at all their bytes too."""

import json
import statistics
import sys

from process import Finished, script

THREADS = 2
PARQUET_FILES = 1000
# Of each format: what DuckDB calls its reader, and how it is told to look at everything.
FORMATS = {"csv": ("read_csv", "sample_size = -1"), "json": ("read_json", "sample_size = -1")}
QUERIES = {
    "count of a filtered number": "SELECT count(*) FROM {} WHERE amount > 5000",
    "count of a filtered text": "SELECT count(*) FROM {} WHERE colour = 'red'",
    "aggregates of all columns": """SELECT sum(amount), max(day), max("at"), count(note), min(colour), sum(customer_id),
        count(flag), max(id) FROM {}""",
}


def columns(rows):
    """Integers, fractions, dates, times, texts and booleans that look different from row to row."""
    return f"""
        SELECT i AS id, (hash(i) % 100000)::BIGINT AS customer_id, round((hash(i * 7) % 1000000) / 100.0, 2) AS amount,
          DATE '2020-01-01' + (hash(i * 3) % 1500)::INT AS day,
          TIMESTAMP '2020-01-01' + INTERVAL (hash(i * 5) % 100000000) SECOND AS at,
          ['red', 'green', 'blue', 'a longer colour'][1 + (hash(i * 11) % 4)::INT] AS colour,
          'note number ' || (hash(i * 13) % 1000)::VARCHAR AS note, hash(i) % 2 = 0 AS flag
        FROM range({rows}) AS series(i)"""


def duckdb(peer, folder, statements):
    """The seconds of each statement, and the columns of the last."""
    task = folder / "statements.json"
    task.write_text(json.dumps(statements))
    answer = json.loads(peer("statements", THREADS, task).text)
    return answer["seconds"], answer["columns"]


def files(table, peer, fusewire, folder, rows, rounds, **_):
    made = [f"COPY ({columns(rows)}) TO '{folder}/rows.{ending}' ({options})"
            for ending, options in (("csv", "HEADER"), ("json", "FORMAT JSON"))]
    (folder / "parts").mkdir()
    made += [f"COPY (SELECT * FROM ({columns(100)}) WHERE id >= {part % 50}) TO '{folder}/parts/{part}.parquet'"
             for part in range(PARQUET_FILES)]
    duckdb(peer, folder, made)
    for ending, (reader, whole) in FORMATS.items():
        place = f"{folder}/rows.{ending}"
        _, found = duckdb(peer, folder, [f"SELECT * FROM {reader}('{place}', {whole}) LIMIT 0"])
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in found)
        header = ", header = true" if ending == "csv" else ""
        told = f"{reader}('{place}', columns = {{{types}}}{header})"
        theirs = [f"CREATE OR REPLACE VIEW seen AS SELECT * FROM {reader}('{place}', {whole})"]
        theirs += [query.format(told) for query in QUERIES.values()]
        compare(table, peer, fusewire, folder, rounds, place, f"{ending}, {rows:,} rows", theirs)
    place = f"{folder}/parts/"
    theirs = [f"CREATE OR REPLACE VIEW seen AS SELECT * FROM read_parquet('{place}*.parquet', union_by_name = true)"]
    theirs += [query.format("seen") for query in QUERIES.values()]
    compare(table, peer, fusewire, folder, rounds, place, f"{PARQUET_FILES:,} Parquet files", theirs)


def compare(table, peer, fusewire, folder, rounds, place, name, theirs):
    ours = f"CREATE OR REPLACE EXTERNAL TABLE seen LOCATION '{place}';\n"
    ours += "".join(" ".join(query.format("seen").split()) + ";\n" for query in QUERIES.values())
    options = ["--set", f"threads={THREADS}", "--set", f"target_partitions={THREADS}"]
    run = Finished(script(folder, fusewire, "\\timing on\n" + ours * rounds, *options))
    seconds, _ = duckdb(peer, folder, theirs * rounds)
    steps = ["creating a table over all bytes", *QUERIES]
    if len(run.timings()) != len(seconds):
        sys.exit(f"{name}: {len(run.timings())} of {len(seconds)} statements ran\n{run.text}\n{run.errors}")
    created = run.timings()[:: len(steps)]
    if rounds > 1:
        # What was found is kept: later rounds do not look again.
        table.add(f"{name}: creating it again, unchanged", "fusewire", statistics.median(created[1:]) * 1000, "ms", 0)
    for step, measure in enumerate(steps):
        own = statistics.median(run.timings()[step :: len(steps)]) if step else created[0]
        other = statistics.median(seconds[step :: len(steps)])
        table.add(f"{name}: {measure}", "fusewire", own * 1000, "ms", run.peak_mib, own / other)
        table.add(f"{name}: {measure}", "DuckDB", other * 1000, "ms", 0)
