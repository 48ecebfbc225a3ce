"""Resident memory of servers after the 22 queries of TPC-H, and of DuckDB in a process of its own, in MiB.

    python benches/resident.py DATA NAME=BINARY …

DATA is a directory of TPC-H's Parquet files (`run.py … tpch --data` makes one: DATA/tpch-1). Each server runs all queries
in one session, twice, and is asked for its memory when it has been idle for two seconds.
"""

import pathlib
import socket
import subprocess
import sys
import time

import duckdb
import psycopg

QUERIES = sorted((pathlib.Path(__file__).resolve().parent / "tpch").glob("*.sql"))
PASSES = 2
IDLE_S = 2


def text_of(query):
    """A query as it is asked of TPC-H at scale 1."""
    return query.read_text().replace("{fraction}", "0.0001")


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no resident memory")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def of_server(binary, data):
    port = free_port()
    server = subprocess.Popen(
        [binary, "serve", "--port", str(port), "--allow-path", str(data)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        connection = connected(f"host=127.0.0.1 port={port} dbname=fusewire user=bench")
        for file in sorted(data.glob("*.parquet")):
            connection.execute(f"CREATE EXTERNAL TABLE {file.stem} STORED AS PARQUET LOCATION '{file}'")
        before = resident_mib(server.pid)
        for _ in range(PASSES):
            for query in QUERIES:
                connection.execute(text_of(query)).fetchall()
        time.sleep(IDLE_S)
        return before, resident_mib(server.pid)
    finally:
        server.terminate()
        server.wait()


def connected(address):
    for _ in range(100):
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise TimeoutError(f"no server at {address}")


def of_duckdb(data):
    code = f"""
import duckdb, pathlib, sys, time
connection = duckdb.connect()
connection.execute("SET threads = 2")
for file in sorted(pathlib.Path({str(data)!r}).glob("*.parquet")):
    connection.execute(f"CREATE VIEW {{file.stem}} AS FROM '{{file}}'")
for _ in range({PASSES}):
    for query in {[text_of(query) for query in QUERIES]!r}:
        connection.execute(query).fetchall()
time.sleep({IDLE_S})
for line in open("/proc/self/status"):
    if line.startswith("VmRSS:"):
        print(int(line.split()[1]) / 1024)
"""
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main():
    data = pathlib.Path(sys.argv[1]).resolve()
    for argument in sys.argv[2:]:
        name, binary = argument.split("=", 1)
        before, after = of_server(binary, data)
        print(f"{name}: {before:.0f} MiB before, {after:.0f} after", flush=True)
    print(f"DuckDB {duckdb.__version__}: {of_duckdb(data):.0f} MiB after", flush=True)


if __name__ == "__main__":
    main()
