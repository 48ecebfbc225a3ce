"""The peers that Fusewire is measured against, each run in a process of its own so that its memory can be told.

    python peer.py first-row                        DuckDB answers SELECT 1
    python peer.py version ENGINE                   the version of duckdb or datafusion
    python peer.py queries ENGINE TASK              runs the queries of a JSON file; seconds, types and rows of each
    python peer.py statements THREADS TASK          DuckDB runs the statements of a JSON file; seconds of each, columns of the last
    python peer.py join EVENTS ITEMS ROUNDS         DuckDB scans and joins two Parquet files; seconds of each round
    python peer.py svd TRAIN TEST FACTORS EPOCHS    scikit-surprise's SVD; seconds of load and fit, and its test RMSE
"""

import _thread
import csv
import importlib
import json
import os
import sys
import threading
import time

# DuckDB's words for the types of Arrow that values.py has to tell from others; the rest is compared as text.
DUCKDB_TYPES = {"int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "uint64": "UBIGINT", "double": "DOUBLE"}


def first_row():
    import duckdb

    print(duckdb.connect().execute("SELECT 1").fetchall()[0][0])


def version(engine):
    print(json.dumps(importlib.import_module(engine).__version__))


def statements(threads, task):
    import duckdb

    with open(task) as file:
        texts = json.load(file)

    connection = duckdb.connect(config={"threads": int(threads)})
    seconds, columns = [], []
    for sql in texts:
        began = time.perf_counter()
        cursor = connection.execute(sql)
        columns = [(column[0], str(column[1])) for column in cursor.description or []]
        cursor.fetchall()
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "columns": columns}))


def queries(engine, task):
    with open(task) as file:
        task = json.load(file)
    answer, interrupt, errors = {"duckdb": duckdb_session, "datafusion": datafusion_session}[engine](task)
    found = {}
    for name, sql in task["queries"].items():
        found[name] = {"passes": [], "error": ""}
        for _ in range(task["passes"]):
            watch = threading.Timer(task["limit_s"], interrupt)
            watch.start()
            began = time.perf_counter()
            try:
                types, rows = answer(sql)
            except errors as error:
                found[name]["error"] = (str(error) or "interrupted").splitlines()[0]
                break
            finally:
                watch.cancel()
            seconds = time.perf_counter() - began
            found[name]["passes"].append((seconds, types, [[text(value) for value in row] for row in rows]))
    print(json.dumps(found))


def duckdb_session(task):
    """What answers a text with types and rows, what interrupts it, and what it raises."""
    import duckdb

    limit = {"memory_limit": task["memory"]} if task["memory"] else {}
    connection = duckdb.connect(config={"threads": task["threads"]} | limit)
    for table, file in task["tables"].items():
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{file}'")

    def answer(sql):
        cursor = connection.execute(sql)
        rows = cursor.fetchall()
        return [str(column[1]) for column in cursor.description], rows

    return answer, connection.interrupt, duckdb.Error


def datafusion_session(task):
    """The same of DataFusion as it comes, but for its number of threads; it looks for an interrupt between its waits."""
    os.environ["TOKIO_WORKER_THREADS"] = str(task["threads"])
    import datafusion

    runtime = datafusion.RuntimeEnvBuilder()
    if task["memory"]:
        # It writes 2G where the others write 2GB.
        size = datafusion.SessionContext.parse_capacity_limit("--memory", task["memory"].upper().removesuffix("B"))
        runtime = runtime.with_fair_spill_pool(size)
    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(task["threads"]), runtime)
    for table, file in task["tables"].items():
        context.register_parquet(table, file)

    def answer(sql):
        frame = context.sql(sql)
        batches = frame.collect()
        arrow = [str(field.type) for field in frame.schema()]
        types = [DUCKDB_TYPES.get(name, name.upper()) for name in arrow]
        return types, [row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns))]

    return answer, _thread.interrupt_main, (Exception, KeyboardInterrupt)


def text(value):
    """As Fusewire writes it."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def join(events, items, rounds):
    import duckdb

    connection = duckdb.connect()
    sql = f"""
        SELECT count(e.user_id), max(e.item_id), max(e.hour), max(i.category), max(i.price)
        FROM '{events}' e JOIN '{items}' i USING (item_id)
    """
    seconds = []
    for _ in range(int(rounds)):
        began = time.perf_counter()
        connection.execute(sql).fetchall()
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "version": duckdb.__version__}))


def svd(train, test, factors, epochs):
    import surprise

    began = time.perf_counter()
    # Clipping is left to the target's range, which generated ratings do not have.
    reader = surprise.Reader(line_format="user item rating", sep=",", skip_lines=1, rating_scale=(-100, 100))
    rows = surprise.Dataset.load_from_file(train, reader).build_full_trainset()
    loaded = time.perf_counter()
    # What ratings_svd.py chose for ratings of this kind, but for the number of factors and epochs, which are equal here.
    model = surprise.SVD(n_factors=int(factors), n_epochs=int(epochs), lr_all=0.03, reg_all=0.06, random_state=42)
    model.fit(rows)
    fitted = time.perf_counter()
    with open(test, newline="") as file:
        held_out = [(row["user_id"], row["item_id"], float(row["rating"])) for row in csv.DictReader(file)]
    rmse = surprise.accuracy.rmse(model.test(held_out), verbose=False)
    print(json.dumps({
        "load": loaded - began, "fit": fitted - loaded, "rmse": rmse, "version": surprise.__version__,
    }))


if __name__ == "__main__":
    {"first-row": first_row, "version": version, "queries": queries, "statements": statements, "join": join, "svd": svd}[
        sys.argv[1]
    ](*sys.argv[2:])
