"""The peers that Fusewire is measured against, each run in a process of its own so that its memory can be told.

    python peer.py first-row                        DuckDB answers SELECT 1
    python peer.py join EVENTS ITEMS ROUNDS         DuckDB scans and joins two Parquet files; seconds of each round
    python peer.py svd TRAIN TEST FACTORS EPOCHS    scikit-surprise's SVD; seconds of load and fit, and its test RMSE
"""

import csv
import json
import sys
import time


def first_row():
    import duckdb

    print(duckdb.connect().execute("SELECT 1").fetchall()[0][0])


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
    {"first-row": first_row, "join": join, "svd": svd}[sys.argv[1]](*sys.argv[2:])
