"""Many statements in one connection, by libpq itself: psycopg's thin module over it, so that little of the time is Python's.

    python libpq.py check ADDRESS TABLE ROWS                  SELECT 1 and lookups by key, as pgbench sends them
    python libpq.py parsed ADDRESS SECONDS COUNT EVERY        a pipeline in which each statement is parsed, a Sync EVERY few
    python libpq.py prepared ADDRESS SECONDS COUNT EVERY      a pipeline of one prepared statement
    python libpq.py message ADDRESS SECONDS COUNT             one message of the simple protocol

It goes on until SECONDS have passed, and prints those of each COUNT statements. It ends with an error if a value is wrong.
"""

import json
import select
import sys
import time

from psycopg import pq

PLUS_ONE = b"SELECT $1::int + 1"


def connect(address):
    connection = pq.PGconn.connect(address.encode())
    if connection.status != pq.ConnStatus.OK:
        sys.exit(f"{address}: {connection.get_error_message()}")
    return connection


def value(result):
    """The one value of a result with one row of one column."""
    if result.status != pq.ExecStatus.TUPLES_OK:
        sys.exit(f"{pq.ExecStatus(result.status).name}: {result.get_error_message()}")
    if (result.ntuples, result.nfields) != (1, 1):
        sys.exit(f"{result.ntuples} rows of {result.nfields} columns, where one value is right")
    return result.get_value(0, 0)


def right(answers, expected):
    if len(answers) != len(expected):
        sys.exit(f"{len(answers):,} answers to {len(expected):,} statements")
    for number, (answer, known) in enumerate(zip(answers, expected), 1):
        if answer != known:
            sys.exit(f"the answer to statement {number:,} is {answer}, where {known} is right")


def name(key):
    """What wire.py gives an item."""
    return b"item %d" % (key * 7)


def check(address, table, rows):
    connection, rows = connect(address), int(rows)
    count = connection.exec_(f"SELECT count(*) FROM {table}".encode())
    right([value(count)], [str(rows).encode()])
    lookup = f"SELECT name FROM {table} WHERE id = ".encode()
    for statement, sql in ((b"one", b"SELECT 1"), (b"lookup", lookup + b"$1")):
        prepared = connection.prepare(statement, sql)
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            sys.exit(f"{sql.decode()}: {prepared.get_error_message()}")
    right([value(connection.exec_(b"SELECT 1")), value(connection.exec_prepared(b"one", []))], [b"1", b"1"])
    keys = sorted({1, rows, *range(1, rows, max(rows // 100, 1))})
    known = [name(key) for key in keys]
    right([value(connection.exec_(lookup + b"%d" % key)) for key in keys], known)
    right([value(connection.exec_prepared(b"lookup", [b"%d" % key])) for key in keys], known)


def results(connection):
    """Results as they come, None after each statement's; what is not sent yet is sent meanwhile."""
    while True:
        while connection.is_busy():
            unsent = connection.flush()
            readable, _, _ = select.select([connection.socket], [connection.socket] if unsent else [], [])
            if readable:
                connection.consume_input()
        yield connection.get_result()


def pipeline(connection, send, count, every):
    """The values of `count` statements, all of which are sent before the first is looked at."""
    answers, syncs = [], 0
    for number in range(1, count + 1):
        send(b"%d" % number)
        if number % every == 0 or number == count:
            connection.pipeline_sync()
            syncs += 1
    for result in results(connection):
        if result is None:
            continue
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            answers.append(value(result))
        elif (syncs := syncs - 1) == 0:
            return answers


def parsed(connection, count, every):
    connection.enter_pipeline_mode()
    return lambda: pipeline(connection, lambda number: connection.send_query_params(PLUS_ONE, [number]), count, every)


def prepared(connection, count, every):
    done = connection.prepare(b"plus_one", PLUS_ONE)
    if done.status != pq.ExecStatus.COMMAND_OK:
        sys.exit(f"{PLUS_ONE.decode()}: {done.get_error_message()}")
    connection.enter_pipeline_mode()
    return lambda: pipeline(connection, lambda number: connection.send_query_prepared(b"plus_one", [number]), count, every)


def message(connection, count):
    text = b"; ".join(b"SELECT %d + 1" % number for number in range(1, count + 1))

    def run():
        connection.send_query(text)
        answers = []
        for result in results(connection):
            if result is None:
                return answers
            answers.append(value(result))

    return run


def timed(kind, address, seconds, count, *every):
    connection = connect(address)
    run = kind(connection, int(count), *map(int, every))
    # libpq shall not wait for a server that waits for it.
    connection.nonblocking = 1
    expected, spent = [b"%d" % (number + 1) for number in range(1, int(count) + 1)], []
    while sum(spent) < float(seconds):
        began = time.perf_counter()
        answers = run()
        spent.append(time.perf_counter() - began)
        right(answers, expected)
    print(json.dumps(spent))


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    if kind == "check":
        check(*arguments)
    else:
        timed({"parsed": parsed, "prepared": prepared, "message": message}[kind], *arguments)
