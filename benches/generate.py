"""Data for the measures of queries, written once as Parquet: the same for the same size, on every machine."""

import pathlib
import shutil
import subprocess
import sys

SEED = 42
TPCH_TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")


def kept(folder, name, write):
    """The directory of the data, which is written if it is not there; one that is half written is never taken for data."""
    target, unfinished = folder / name, folder / f"{name}.unfinished"
    if not target.is_dir():
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        print(f"writing {target}", flush=True)
        write(unfinished)
        unfinished.rename(target)
    return target


def tpch(folder, scale):
    """The eight tables of TPC-H, a file each; tpchgen-cli writes what the TPC's own dbgen would."""
    program = shutil.which("tpchgen-cli", path=str(pathlib.Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
    if program is None:
        sys.exit("tpchgen-cli is missing: pip install -r benches/requirements.txt")

    def write(path):
        subprocess.run([program, "parquet", "-q", "-s", f"{scale:g}", "-o", str(path)], check=True)

    path = kept(folder, f"tpch-{scale:g}", write)
    return {table: path / f"{table}.parquet" for table in TPCH_TABLES}


def star(folder, rows):
    """A fact and two dimensions that share the names of their columns: id, name, value, day, and in two of them place.

    One row in a hundred of the fact has no item, and one has an item that is not listed; so it is with places. An item has
    another as its parent, and a place where it is made. The fact is ordered by id and day, the dimensions by id alone.
    """
    items, places = max(rows // 100, 100), max(rows // 1000, 100)

    def write(path):
        import numpy

        random = numpy.random.default_rng(SEED)
        fact = {
            "id": numpy.arange(rows),
            "kind": random.integers(0, 20, rows),
            "value": random.integers(0, 1000, rows),
            "day": numpy.arange(rows) * 365 // rows,
            "item": references(random, rows, items),
            "place": references(random, rows, places),
        }
        columns = "id, 'kind ' || kind AS name, value, day"
        keys = "nullif(item, -1) AS item, nullif(place, -1) AS place"
        write_parquet(path / "sales.parquet", f"{columns}, {keys}", fact, 500_000)
        for name, count in (("items", items), ("places", places)):
            dimension = {
                "id": numpy.arange(count),
                "kind": random.integers(0, 20, count),
                "value": random.integers(0, 1000, count),
                "day": random.integers(0, 365, count),
                "parent": random.integers(0, count, count),
                "place": random.integers(0, places, count),
            }
            more = ", parent, place" if name == "items" else ""
            write_parquet(path / f"{name}.parquet", columns + more, dimension, max(count // 10, 2048))

    path = kept(folder, f"star-{rows}", write)
    return {table: path / f"{table}.parquet" for table in ("sales", "items", "places")}


def references(random, rows, count):
    """Numbers of a dimension's rows; in a hundredth -1, which is written as NULL, and in another one behind the last."""
    hundredth = random.integers(-1, 101, rows)
    within = random.integers(0, max(count // 100, 1), rows)
    return (hundredth * count // 100 + within) * (hundredth >= 0) - (hundredth < 0)


def subquery(folder, rows):
    """Visits with a tenth as many distinct pairs of key and day, and half as many prices, with none for some keys."""
    keys = max(rows // 10, 10)

    def write(path):
        import numpy

        random = numpy.random.default_rng(SEED)
        day_of_key = random.integers(0, 365, keys)
        # Every key is there at least once.
        key = random.permutation(numpy.concatenate([numpy.arange(keys), random.integers(0, keys, rows - keys)]))
        visits = {"id": numpy.arange(rows), "key": key, "day": day_of_key[key], "value": random.integers(0, 10_000, rows)}
        prices = {
            "id": numpy.arange(rows // 2),
            # Keys that end in 7 have no price, and some prices are of no visit's key.
            "key": (priced := random.integers(0, keys * 11 // 10, rows // 2)) + (priced % 10 == 7),
            "day": random.integers(0, 365, rows // 2),
            "value": random.integers(0, 10_000, rows // 2),
        }
        write_parquet(path / "visits.parquet", "id, key, day, value", visits, 100_000)
        write_parquet(path / "prices.parquet", "id, key, day, value", prices, 100_000)

    path = kept(folder, f"subquery-{rows}", write)
    return {table: path / f"{table}.parquet" for table in ("visits", "prices")}


def write_parquet(file, columns, arrays, group_rows):
    import duckdb

    connection = duckdb.connect()
    connection.register("arrays", arrays)
    connection.execute(f"COPY (SELECT {columns} FROM arrays) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE {group_rows})")
