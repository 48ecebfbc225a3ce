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


def h2o(folder, rows):
    """Rows to group, with 100 groups of the few and a hundredth of the rows as groups of the many, and four tables to join.

    As in the db-benchmark's G1_1e7_1e2_0_0 and J1_1e7_NA_0_0, nothing is sorted and nothing NULL. One of the tables has as
    many rows as x, the others a thousandth and a millionth; of their keys and of x's a tenth is not in the other.
    """
    few, many = 100, max(rows // 100, 10)
    small, medium = max(rows // 1_000_000, 10), max(rows // 1000, 10)

    def write(path):
        import numpy

        random = numpy.random.default_rng(SEED)

        def fractions(count):
            return numpy.round(random.random(count) * 100, 6)

        counts = (few, few, many, few, few, many)
        grouped = {f"n{place}": random.integers(1, count + 1, rows) for place, count in enumerate(counts, 1)}
        grouped |= {"v1": random.integers(1, 6, rows), "v2": random.integers(1, 16, rows), "v3": fractions(rows)}
        columns = """format('id{:03d}', n1) AS id1, format('id{:03d}', n2) AS id2, format('id{:010d}', n3) AS id3,
            n4::INTEGER AS id4, n5::INTEGER AS id5, n6::INTEGER AS id6, v1::INTEGER AS v1, v2::INTEGER AS v2, v3"""
        write_parquet(path / "g.parquet", columns, grouped, 500_000)
        (x1, r1), (x2, r2), (x3, r3) = (halves(random, count) for count in (small, medium, rows))
        x = {"n1": spread(random, x1, rows), "n2": spread(random, x2, rows), "n3": random.permutation(x3), "v1": fractions(rows)}
        write_parquet(path / "x.parquet", joined(3, "v1"), x, 500_000)
        write_parquet(path / "small.parquet", joined(1, "v2"), {"n1": r1, "v2": fractions(small)}, 500_000)
        rest = {"n1": spread(random, r1, medium), "n2": r2, "v2": fractions(medium)}
        write_parquet(path / "medium.parquet", joined(2, "v2"), rest, 500_000)
        rest = {"n1": spread(random, r1, rows), "n2": spread(random, r2, rows), "n3": r3, "v2": fractions(rows)}
        write_parquet(path / "big.parquet", joined(3, "v2"), rest, 500_000)

    path = kept(folder, f"h2o-{rows}", write)
    return {table: path / f"{table}.parquet" for table in ("g", "x", "small", "medium", "big")}


def halves(random, count):
    """The keys of both sides of a join, in no order and so many of each; about nine tenths of them are the same."""
    keys = 1 + random.permutation(count + count // 10)
    return random.permutation(keys[:count]), random.permutation(keys[count // 10 :])


def spread(random, keys, rows):
    """A key for each row, in no order; every one of the keys is there at least once."""
    import numpy

    return random.permutation(numpy.concatenate([keys, random.choice(keys, rows - len(keys))]))


def joined(keys, value):
    """Keys as numbers and again as texts."""
    places = range(1, keys + 1)
    texts = [f"'id' || n{place} AS id{place + 3}" for place in places]
    return ", ".join([*(f"n{place}::INTEGER AS id{place}" for place in places), *texts, value])


def sums(folder, rows):
    """Numbers of three types with keys of 10 and of 100,000 groups; sums of them all fit into each type's own sum."""

    def write(path):
        import numpy

        random = numpy.random.default_rng(SEED)
        numbers = {
            "few": random.integers(0, 10, rows),
            "many": random.integers(0, 100_000, rows),
            "whole": random.integers(-(10**9), 10**11, rows),
            "cents": random.integers(-(10**7), 10**9, rows),
            "fraction": random.normal(100, 30, rows),
        }
        columns = "few, many, whole, (cents / 100)::DECIMAL(15, 2) AS money, fraction"
        write_parquet(path / "numbers.parquet", columns, numbers, 500_000)

    return {"numbers": kept(folder, f"sums-{rows}", write) / "numbers.parquet"}


def write_parquet(file, columns, arrays, group_rows):
    import duckdb

    connection = duckdb.connect()
    connection.register("arrays", arrays)
    connection.execute(f"COPY (SELECT {columns} FROM arrays) TO '{file}' (FORMAT parquet, ROW_GROUP_SIZE {group_rows})")
