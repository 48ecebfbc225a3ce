"""What a commit costs: whether it costs more the more came before it, and how many a second clients make at once.

Each Fusewire that is named and PostgreSQL insert single rows, a statement and a transaction each, one server after the
other. Both wait for the disk: PostgreSQL with its default settings, `fsync` among them.
"""

import contextlib
import signal
import sys
import time

import servers
import wire

INSERT = "INSERT INTO {table} VALUES (:client_id, 1);\n"


def commits(fusewires, folder, options, rows, rounds, **_):
    """As many single-row INSERTs twice by one client, and commits a second of many."""
    # A bench that is told to end takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    programs, found = servers.programs(), []
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(servers.postgresql(programs))]
        started += [stack.enter_context(servers.fusewire(engine, folder)) for engine in fusewires]
        halves, peers = {}, []
        for server in started:
            halves[server.name] = twice(server, rows)
            first, second, told = halves[server.name]
            print(f"{server.name}: {rows:,} inserts in {first:.1f} s, and {rows:,} more in {second:.1f} s", flush=True)
            if told != 2 * rows:
                found.append(f"commits, {server.name}: {told:,} rows are there after {2 * rows:,} inserts")
            peers.append(wire.Peer(server.name, server.address, "rows_of_clients"))
        measures = [
            wire.Measure("commits", "single-row INSERT", clients,
                         wire.pgbench(programs, folder, options, INSERT, rows, "simple", clients))
            for clients in options.clients
        ]
        cells = wire.compare(measures, peers, rounds)
    print(f"\n{rows:,} single-row INSERTs by one client, and as many more\n")
    print("| who | first half, s | second half, s | second to first (goal 1.2) |\n|---|---:|---:|---:|")
    for name, (first, second, _) in halves.items():
        print(f"| {name} | {first:.1f} | {second:.1f} | {second / first:.2f} |", flush=True)
    wire.print_cells("Commits of single-row INSERTs into one table", peers, cells)
    failed = [(measure, name, cell) for measure, line in cells for name, cell in line.items() if not cell.right]
    return found + [f"commits, {wire.title(measure)}, {name}: {cell.error}" for measure, name, cell in failed]


def twice(server, rows):
    """The seconds of the first and of the second half, and how many rows are there then."""
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as connection:
        run(connection, "CREATE TABLE rows_of_one (id int, half int)")
        run(connection, "CREATE TABLE rows_of_clients (client int, one int)")
        seconds = []
        for half in (1, 2):
            began = time.perf_counter()
            for number in range(rows):
                run(connection, f"INSERT INTO rows_of_one VALUES ({number}, {half})")
            seconds.append(time.perf_counter() - began)
        told = run(connection, "SELECT count(*) FROM rows_of_one").get_value(0, 0)
    return *seconds, int(told)


def run(connection, sql):
    """One simple message, as pgbench sends it."""
    import psycopg

    result = connection.pgconn.exec_(sql.encode())
    if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK):
        sys.exit(f"{sql}: {result.error_message.decode(errors='replace')}")
    return result
