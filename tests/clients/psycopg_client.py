"""What psycopg 3 does against a running server: `python psycopg_client.py PORT` runs every function named test_….

Each gets a connection of its own and fails by an exception. The last line says how many passed.
"""

import datetime
import decimal
import sys
import threading
import time
import traceback
import uuid

import psycopg
from psycopg import errors, pq
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.json import Jsonb

# Who is connected, under the names that PostgreSQL has in pg_stat_activity.
SESSIONS = "fusewire.sessions"

ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000000000) AS series(value) WHERE value % 7 = 8"

RATINGS = """
    CREATE TABLE {name} AS
    SELECT 'u' || (value % 20) AS user_id, 'i' || (value * 7 % 11) AS item_id,
           CAST(1 + (value * 13 % 17) % 5 AS DOUBLE) AS rating
    FROM generate_series(1, 300) AS series(value)
"""


def expect(kind, run, *words):
    """The error of a statement that must fail: its kind, its code and words of its message."""
    try:
        run()
    except kind as error:
        for word in words:
            assert word in str(error), f"{word!r} is not in {error}"
        return error
    raise AssertionError(f"expected {kind.__name__}")


def expect_cancelled(cancel, run):
    """A statement that is cancelled; again and again, because a server hears nothing of one that has not begun."""
    ended = threading.Event()

    def repeat():
        while not ended.wait(0.3):
            cancel()

    canceller = threading.Thread(target=repeat)
    canceller.start()
    try:
        expect(errors.QueryCanceled, run, "user request")
    finally:
        ended.set()
        canceller.join()


def test_connects_and_tells_who_it_is(connection):
    info = connection.info
    assert (info.dbname, info.user, info.encoding) == ("fusewire", "ada", "utf-8"), (info.dbname, info.user, info.encoding)
    assert info.server_version >= 100000, info.server_version
    assert info.parameter_status("server_encoding") == "UTF8"
    assert info.parameter_status("integer_datetimes") == "on"
    assert info.parameter_status("standard_conforming_strings") == "on"
    assert connection.execute("SELECT version()").fetchone()[0].startswith("PostgreSQL ")


def test_results_have_python_types_in_text_and_in_binary(connection):
    sql = """
        SELECT true, CAST(-2 AS SMALLINT), CAST(3 AS INT), CAST(4 AS BIGINT), CAST(0.5 AS REAL), CAST(0.25 AS DOUBLE),
               'it''s ' || chr(8364), CAST(NULL AS INT), CAST('-12.50' AS DECIMAL(10, 2)), DATE '2020-02-29',
               TIMESTAMP '2021-03-04 05:06:07.5', make_array(1, NULL, 3), '\\x00ff'::bytea
    """
    expected = (
        True, -2, 3, 4, 0.5, 0.25, "it's \u20ac", None, decimal.Decimal("-12.50"), datetime.date(2020, 2, 29),
        datetime.datetime(2021, 3, 4, 5, 6, 7, 500000), [1, None, 3], b"\x00\xff",
    )
    for binary in (False, True):
        found = connection.execute(sql, binary=binary).fetchone()
        assert found == expected, (binary, found)


def test_parameters_reach_the_statement_in_text_and_in_binary(connection):
    values = (
        7, 70_000, 7_000_000_000, 0.25, "a'b\"c\\ \u20ac", True, None, decimal.Decimal("12.50"),
        datetime.date(1999, 12, 31), datetime.datetime(2001, 2, 3, 4, 5, 6),
    )
    types = ("SMALLINT", "INT", "BIGINT", "DOUBLE", "TEXT", "BOOLEAN", "INT", "DECIMAL(10, 2)", "DATE", "TIMESTAMP")
    for form in ("%t", "%b"):
        sql = "SELECT " + ", ".join(f"CAST({form} AS {name})" for name in types)
        for binary in (False, True):
            found = connection.execute(sql, values, binary=binary).fetchone()
            assert found == values, (form, binary, found)


def test_untyped_parameters_take_their_type_from_the_statement(connection):
    connection.execute(RATINGS.format(name="untyped"))
    sql = "SELECT count(*) FROM untyped WHERE rating >= %s AND user_id = %s"
    expected = connection.execute("SELECT count(*) FROM untyped WHERE rating >= 3 AND user_id = 'u3'").fetchone()
    assert connection.execute(sql, (3, "u3")).fetchone() == expected
    assert connection.execute(sql, (3.0, "u3")).fetchone() == expected
    # A text that the server has to read as a number, as drivers without types send it.
    assert connection.execute(sql, ("3", "u3")).fetchone() == expected


def test_a_union_is_described_as_the_whole(connection):
    for binary in (False, True):
        for branches, expected in [
            ("SELECT 1 UNION ALL SELECT 5000000000", [1, 5000000000]),
            ("SELECT 1 UNION ALL SELECT 2.5", [1, 2.5]),
            ("SELECT NULL UNION ALL SELECT 1", [None, 1]),
            ("SELECT DATE '2024-01-01' UNION ALL SELECT TIMESTAMP '2024-03-03 10:00:00'",
             [datetime.datetime(2024, 1, 1), datetime.datetime(2024, 3, 3, 10)]),
        ]:
            rows = connection.execute(branches + " LIMIT %s", (5,), binary=binary).fetchall()
            # Nothing says in which order the branches come.
            found = sorted((row[0] for row in rows), key=lambda value: (value is not None, value))
            assert found == expected, (branches, binary, rows)


def test_rows_are_streamed_and_fetched_in_pieces(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT value FROM generate_series(1, 50000) AS series(value)")
    assert cursor.rowcount == 50_000 and cursor.statusmessage == "SELECT 50000", cursor.statusmessage
    assert [row[0] for row in cursor.fetchmany(3)] == [1, 2, 3]
    assert len(cursor.fetchall()) == 49_997
    total = 0
    for index, (value,) in enumerate(cursor.stream("SELECT value FROM generate_series(1, 1000000000000) AS series(value)")):
        total += value
        if index == 9_999:
            break
    assert total == 50_005_000, total
    cursor.close()


def test_a_named_cursor_fetches_as_it_goes(connection):
    with connection.cursor(name="series") as cursor:
        cursor.execute("SELECT value, value * %s FROM generate_series(1, 1000000000000) AS series(value)", (2,))
        assert [column.name for column in cursor.description][0] == "value"
        # The rows come in no order.
        rows = [cursor.fetchone(), *cursor.fetchmany(2)]
        assert len({value for value, _ in rows}) == 3 and all(double == value * 2 for value, double in rows)
        cursor.itersize = 1000
        for value, _ in cursor:
            if value >= 2500:
                break
    connection.rollback()
    with connection.cursor(name="onward", scrollable=False) as cursor:
        cursor.execute("SELECT value FROM generate_series(1, 5) AS series(value)")
        assert cursor.fetchone() == (1,)
        expect(errors.ObjectNotInPrerequisiteState, lambda: connection.execute("FETCH PRIOR FROM onward"), "only scan forward")
    connection.rollback()
    with connection.cursor(name="Back and forth", scrollable=True, binary=True) as cursor:
        cursor.execute("SELECT value FROM generate_series(1, 5) AS series(value)")
        assert cursor.fetchall() == [(1,), (2,), (3,), (4,), (5,)]
        cursor.scroll(2, mode="absolute")
        assert cursor.fetchone() == (3,)
        cursor.scroll(-3)
        assert cursor.fetchone() == (1,)
    with connection.cursor(name="held", withhold=True) as cursor:
        cursor.execute("SELECT value FROM generate_series(1, 3) AS series(value)")
        assert cursor.fetchone() == (1,)
        connection.commit()
        assert cursor.fetchall() == [(2,), (3,)]
    connection.execute('PREPARE of_sql (INT) AS SELECT $1 + 1')
    assert connection.execute("EXECUTE of_sql(41)").fetchone() == (42,)


def test_rows_know_their_columns(connection):
    cursor = connection.cursor(row_factory=dict_row)
    assert cursor.execute('SELECT 1 AS one, \'x\' AS "Two Words"').fetchone() == {"one": 1, "Two Words": "x"}
    named = connection.cursor(row_factory=namedtuple_row).execute("SELECT 1 AS one").fetchone()
    assert named.one == 1
    assert [column.name for column in cursor.description] == ["one", "Two Words"]


def test_prepared_statements_are_reused(connection):
    connection.prepare_threshold = 0
    for value in range(5):
        row = connection.execute("SELECT CAST(%s AS INT) + 1", (value,), prepare=True).fetchone()
        assert row == (value + 1,)


def test_many_statements_go_in_one_pipeline(connection):
    connection.execute("CREATE TABLE piped (id INT, name TEXT)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO piped VALUES (%s, %s)", [(1, "a"), (2, "b"), (3, None)])
    connection.commit()
    with connection.pipeline():
        first = connection.execute("SELECT count(*) FROM piped")
        second = connection.execute("SELECT name FROM piped ORDER BY id")
    assert first.fetchone() == (3,)
    assert second.fetchall() == [("a",), ("b",), (None,)]


def test_a_transaction_is_committed_or_rolled_back(connection):
    status = psycopg.pq.TransactionStatus
    assert connection.info.transaction_status == status.IDLE
    connection.execute("SELECT 1")
    assert connection.info.transaction_status == status.INTRANS
    connection.execute("CREATE TABLE undone AS SELECT 1 AS x")
    assert connection.execute("SELECT x FROM undone").fetchone() == (1,)
    connection.rollback()
    expect(errors.UndefinedTable, lambda: connection.execute("SELECT x FROM undone"), "undone")
    assert connection.info.transaction_status == status.INERROR
    expect(errors.InFailedSqlTransaction, lambda: connection.execute("SELECT 1"))
    connection.rollback()
    with connection.transaction():
        connection.execute("CREATE TABLE done AS SELECT 2 AS x")
    assert connection.execute("SELECT x FROM done").fetchone() == (2,)
    connection.commit()
    try:
        with connection.transaction():
            connection.execute("CREATE TABLE undone AS SELECT 1 AS x")
            raise RuntimeError("changed my mind")
    except RuntimeError:
        pass
    expect(errors.UndefinedTable, lambda: connection.execute("SELECT x FROM undone"))


def test_others_see_a_transaction_when_it_is_committed(connection):
    with psycopg.connect(TARGET, autocommit=True) as other:
        connection.execute("CREATE TABLE shared_rows AS SELECT 1 AS x")
        expect(errors.UndefinedTable, lambda: other.execute("SELECT * FROM shared_rows"))
        connection.commit()
        assert other.execute("SELECT * FROM shared_rows").fetchone() == (1,)


def test_errors_have_their_codes(connection):
    connection.autocommit = True
    connection.execute("CREATE TABLE here AS SELECT 1 AS x")
    for kind, sql, word in [
        (errors.SyntaxError, "SELEC 1", "SELEC"),
        (errors.UndefinedTable, "SELECT * FROM nowhere", "nowhere"),
        (errors.UndefinedColumn, "SELECT nothing FROM here", "nothing"),
        (errors.DuplicateTable, "CREATE TABLE here AS SELECT 1 AS x", "here"),
        (errors.DivisionByZero, "SELECT x / (x - 1) FROM here", "zero"),
        (errors.UndefinedObject, "SELECT * FROM evaluate('no_model')", "no_model"),
    ]:
        error = expect(kind, lambda: connection.execute(sql), word)
        assert error.diag.severity == "ERROR" and error.diag.message_primary, sql
    error = expect(errors.UndefinedColumn, lambda: connection.execute("SELECT nothing FROM here"))
    assert error.diag.statement_position == "8", error.diag.statement_position
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_declared_types_are_those_of_the_values(connection):
    # PostgreSQL 15 answers the same; "jsonb" as psycopg declares it, and others by their numbers.
    identity = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    for binary in [False, True]:
        row = connection.execute(
            "SELECT %s ->> 'a', pg_typeof(%s)::text, %s, pg_typeof(coalesce(%s, NULL))::text",
            [Jsonb({"a": 1}), Jsonb([]), identity, identity],
            binary=binary,
        ).fetchone()
        assert row == ("1", "jsonb", identity, "uuid"), row
    server = connection.pgconn
    for number, kind, text, shown in [
        (1043, "character varying", b"a ", b"a "),
        (1042, "character", b"a", b"a"),
        (19, "name", b"a", b"a"),
        (18, '"char"', b"ab", b"a"),
        (114, "json", b'{"b": 1}', b'{"b": 1}'),
        (3802, "jsonb", b'{"b":1,"a":2}', b'{"a": 2, "b": 1}'),
        (2950, "uuid", b"A0EEBC999C0B4EF8BB6D6BB9BD380A11", str(identity).encode()),
        (26, "oid", b"7", b"7"),
        (2951, "uuid[]", b"{A0EEBC999C0B4EF8BB6D6BB9BD380A11}", b"{" + str(identity).encode() + b"}"),
    ]:
        for values in [[text, text], [None, None]]:
            sql = b"SELECT $1, pg_typeof($1), pg_typeof($1) = pg_typeof(CASE WHEN true THEN $2 END)"
            result = server.exec_params(sql, values, [number, number])
            assert result.status == pq.ExecStatus.TUPLES_OK, (kind, result.error_message)
            found = (result.ftype(0), [result.get_value(0, column) for column in range(3)])
            expected = (number, [None if values[0] is None else shown, kind.encode(), b"t"])
            assert found == expected, (found, expected)
        prepared = server.prepare(b"told", b"SELECT $1", [number])
        assert prepared.status == pq.ExecStatus.COMMAND_OK, (kind, prepared.error_message)
        described = server.describe_prepared(b"told")
        assert (described.param_type(0), described.ftype(0)) == (number, number), kind
        given = server.exec_prepared(b"told", [text], result_format=0)
        assert given.get_value(0, 0) == shown, (kind, given.get_value(0, 0))
        connection.execute("DEALLOCATE told")
    # The binary form is that of the declared type.
    packed = server.exec_params(b"SELECT $1", [identity.bytes], [2950], [1], 1)
    assert packed.get_value(0, 0) == identity.bytes, packed.get_value(0, 0)
    packed = server.exec_params(b"SELECT $1", [b'\x01{"b":1,"a":2}'], [3802], [1], 1)
    assert packed.get_value(0, 0) == b'\x01{"a": 2, "b": 1}', packed.get_value(0, 0)


def test_notices_arrive(connection):
    heard = []
    connection.add_notice_handler(lambda notice: heard.append((notice.severity, notice.message_primary)))
    connection.autocommit = True
    connection.execute("CREATE TABLE twice AS SELECT 1 AS x")
    connection.execute("CREATE TABLE IF NOT EXISTS twice AS SELECT 1 AS x")
    assert any(severity == "NOTICE" and "twice" in message for severity, message in heard), heard
    del heard[:]
    connection.execute("COMMIT")
    assert [severity for severity, _ in heard] == ["WARNING"], heard


def test_a_running_statement_is_cancelled(connection):
    for cancel in (connection.cancel, connection.cancel_safe):
        expect_cancelled(cancel, lambda: connection.execute(ENDLESS))
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def seen(connection, pid, column):
    """What a session sees of another one; None where it is not there."""
    row = connection.execute(f"SELECT {column} FROM {SESSIONS} WHERE pid = %s", (pid,)).fetchone()
    return row and row[0]


def wait_for(what, expected):
    started = time.monotonic()
    while (found := what()) != expected:
        assert time.monotonic() - started < 20, f"expected {expected!r}, found {found!r}"


class Running:
    """A statement that runs beside, and must fail in this way."""

    def __init__(self, connection, sql, kind, *words):
        self.failed = None
        self.thread = threading.Thread(target=self.run, args=(connection, sql, kind, words))
        self.thread.start()

    def run(self, connection, sql, kind, words):
        try:
            expect(kind, lambda: connection.execute(sql), *words)
        except BaseException as error:
            self.failed = error

    def join(self):
        self.thread.join(20)
        assert not self.thread.is_alive(), "the statement still runs"
        if self.failed:
            raise self.failed


def test_sessions_are_seen(connection):
    connection.autocommit = True
    assert connection.execute("SELECT pg_backend_pid()").fetchone()[0] == connection.info.backend_pid
    assert seen(connection, connection.info.backend_pid, "state") == "active"
    with psycopg.connect(TARGET, application_name="the other", autocommit=True) as other:
        pid = other.info.backend_pid
        assert pid != connection.info.backend_pid
        assert seen(connection, pid, "state") == "idle" and seen(connection, pid, "xact_start") is None
        assert seen(connection, pid, "application_name") == "the other"
        other.execute("SET application_name = 'renamed'")
        assert seen(connection, pid, "application_name") == "renamed"
        assert seen(connection, pid, "query") == "SET application_name = 'renamed'"
        assert seen(connection, pid, "datname || ' ' || usename") == f"{other.info.dbname} {other.info.user}"
        other.execute("BEGIN")
        began = seen(connection, pid, "xact_start")
        assert seen(connection, pid, "state") == "idle in transaction" and began is not None
        other.execute("SELECT 'a longer statement'")
        assert seen(connection, pid, "xact_start") == began
        assert seen(connection, pid, "query") == "SELECT 'a longer statement'"
        assert seen(connection, pid, "backend_start < xact_start AND xact_start < query_start AND query_start < state_change")
        expect(errors.UndefinedTable, lambda: other.execute("SELECT * FROM nowhere"))
        assert seen(connection, pid, "state") == "idle in transaction (aborted)"
        other.execute("ROLLBACK")
        assert seen(connection, pid, "state") == "idle" and seen(connection, pid, "xact_start") is None
        running = Running(other, ENDLESS, errors.QueryCanceled, "user request")
        wait_for(lambda: (seen(connection, pid, "state"), seen(connection, pid, "query")), ("active", ENDLESS))
        other.cancel_safe()
        running.join()
        assert seen(connection, pid, "state") == "idle"
    wait_for(lambda: seen(connection, pid, "pid"), None)


def test_a_statement_of_another_session_is_cancelled(connection):
    connection.autocommit = True
    with psycopg.connect(TARGET, autocommit=True) as other:
        pid = other.info.backend_pid
        cancel = lambda: connection.execute("SELECT pg_cancel_backend(%s::int)", (pid,)).fetchone()
        assert cancel() == (True,), "there is a session, which has nothing to be cancelled"
        assert other.execute("SELECT 1").fetchone() == (1,)
        for sql in (ENDLESS, f"SELECT 1; {ENDLESS}"):
            running = Running(other, sql, errors.QueryCanceled, "canceling statement due to user request")
            wait_for(lambda: seen(connection, pid, "state = 'active' AND query LIKE '%%value %% 7 = 8'"), True)
            assert cancel() == (True,)
            running.join()
            assert other.execute("SELECT 1").fetchone() == (1,)
        own = "SELECT pg_cancel_backend(pg_backend_pid())"
        connection.execute(f"EXPLAIN {own}")
        expect(errors.QueryCanceled, lambda: connection.execute(own), "user request")


def test_another_session_is_terminated(connection):
    connection.autocommit = True
    words = "terminating connection due to administrator command"
    for sql in (ENDLESS, None):
        other = psycopg.connect(TARGET, autocommit=True)
        pid = other.info.backend_pid
        other.execute("BEGIN")
        if sql:
            running = Running(other, sql, errors.AdminShutdown, words)
            wait_for(lambda: seen(connection, pid, "state"), "active")
        assert connection.execute("SELECT pg_terminate_backend(%s::int)", (pid,)).fetchone() == (True,)
        if sql:
            running.join()
        else:
            wait_for(lambda: seen(connection, pid, "pid"), None)
            expect(errors.AdminShutdown, lambda: other.execute("SELECT 1"), words)
        assert other.closed
        wait_for(lambda: seen(connection, pid, "pid"), None)
    with psycopg.connect(TARGET) as other:
        own = "SELECT pg_terminate_backend(pg_backend_pid())"
        expect(errors.AdminShutdown, lambda: other.execute(own), words)


def test_who_is_not_there_is_not_cancelled(connection):
    heard = []
    connection.add_notice_handler(lambda notice: heard.append((notice.severity, notice.sqlstate, notice.message_primary)))
    for function in ("pg_cancel_backend", "pg_terminate_backend"):
        del heard[:]
        rows = connection.execute(f"SELECT {function}(x) FROM (VALUES (99999998), (NULL), (-1)) AS t (x)").fetchall()
        assert rows == [(False,), (None,), (False,)], rows
        pids = [99999998, -1]
        assert heard == [("WARNING", "01000", f"PID {pid} is not a PostgreSQL backend process") for pid in pids], heard
        assert connection.execute(f"SELECT {function}(-1) FROM generate_series(1, 3) AS s (i)").fetchall() == [(False,)] * 3
        assert len(heard) == 5, heard


def test_a_timeout_ends_a_statement(connection):
    connection.autocommit = True
    connection.execute("SET statement_timeout = 200")
    expect(errors.QueryCanceled, lambda: connection.execute(ENDLESS), "timeout")
    connection.execute("SET statement_timeout = 0")
    with psycopg.connect(TARGET) as other:
        assert other.execute("SHOW statement_timeout").fetchone()[0] in ("0", "0ms")


def test_one_client_settings_are_its_own(connection):
    connection.autocommit = True
    connection.execute("SET datafusion.execution.target_partitions = 3")
    connection.execute("SET application_name = 'mine'")
    with psycopg.connect(TARGET) as other:
        assert other.execute("SHOW datafusion.execution.target_partitions").fetchone()[0] != "3"
        assert other.execute("SHOW application_name").fetchone()[0] != "mine"
    assert connection.execute("SHOW datafusion.execution.target_partitions").fetchone()[0] == "3"
    expect(psycopg.Error, lambda: connection.execute("SET datafusion.runtime.memory_limit = '1G'"), "runtime")


def test_trains_predicts_and_recommends(connection):
    connection.execute(RATINGS.format(name="ratings"))
    train = """
        SELECT * FROM train('taste', (SELECT user_id, item_id, rating FROM ratings),
          target => 'rating', user => 'user_id', item => 'item_id', factors => 2, epochs => 5)
    """
    trained = connection.cursor(row_factory=dict_row).execute(train).fetchall()
    rmse = next(row for row in trained if row["metric"] == "rmse" and row["slice"] == "all")
    assert rmse["model"] == "taste" and rmse["version"] == 1 and rmse["value"] > 0 and rmse["baseline"] > 0, rmse
    connection.commit()
    for binary in (False, True):
        rows = connection.execute(
            "SELECT prediction FROM predict('taste', (SELECT user_id, item_id FROM ratings WHERE user_id = %s))",
            ("u3",), binary=binary,
        ).fetchall()
        assert len(rows) == 15 and all(isinstance(row[0], float) for row in rows), rows
    rows = connection.execute(
        "SELECT * FROM recommend('taste', (SELECT %s AS user_id), k => %s, include_seen => true) ORDER BY rank", ("u3", 4)
    ).fetchall()
    assert [(row[0], row[2]) for row in rows] == [("u3", 1), ("u3", 2), ("u3", 3), ("u3", 4)], rows
    assert rows == sorted(rows, key=lambda row: -row[3]), rows
    metrics = connection.execute("SELECT metric, value FROM evaluate('taste') WHERE slice = 'all'").fetchall()
    assert ("rmse", rmse["value"]) in metrics, metrics
    embedding = connection.execute("SELECT embedding FROM embeddings('taste', 'user_id') LIMIT 1", binary=True).fetchone()[0]
    assert isinstance(embedding, list) and isinstance(embedding[0], float), embedding
    error = expect(errors.UndefinedColumn, lambda: connection.execute("SELECT * FROM predict('taste', (SELECT 'u1' AS user_id))"))
    assert "item_id" in str(error)


def test_a_training_that_is_rolled_back_leaves_no_model(connection):
    connection.execute(RATINGS.format(name="undone_ratings"))
    connection.execute("""
        SELECT * FROM train('undone_model', (SELECT user_id, item_id, rating FROM undone_ratings),
          target => 'rating', user => 'user_id', item => 'item_id', factors => 2, epochs => 2)
    """)
    count = "SELECT count(*) FROM fusewire.models WHERE name = 'undone_model'"
    assert connection.execute(count).fetchone() == (1,)
    connection.rollback()
    assert connection.execute(count).fetchone() == (0,)


def test_a_cancelled_training_leaves_no_model(connection):
    connection.autocommit = True
    connection.execute("""
        CREATE TABLE many AS SELECT value * 31 % 4000 AS user_id, value * 17 % 1499 AS item_id,
          CAST(1 + (value * 13 % 17) % 5 AS DOUBLE) AS rating FROM generate_series(1, 100000) AS series(value)
    """)
    expect_cancelled(connection.cancel_safe, lambda: connection.execute("""
        SELECT * FROM train('endless', (SELECT user_id, item_id, rating FROM many), target => 'rating',
          user => 'user_id', item => 'item_id', factors => 64, epochs => 10000)
    """))
    assert connection.execute("SELECT count(*) FROM fusewire.models WHERE name = 'endless'").fetchone() == (0,)


def test_copies_rows_in_and_out(connection):
    connection.execute("CREATE TABLE copied (a int, b text, d date)")
    rows = [(1, "x\ty\\", datetime.date(2024, 2, 29)), (2, None, None), (3, "", datetime.date(1, 1, 1))]
    types = ["int4", "text", "date"]
    with connection.cursor() as cursor:
        with cursor.copy("COPY copied FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.rowcount == 3, cursor.rowcount
        with cursor.copy("COPY copied (a, b, d) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        for options in ["", "(FORMAT binary)"]:
            with cursor.copy(f"COPY (SELECT DISTINCT a, b, d FROM copied ORDER BY a) TO STDOUT {options}") as copy:
                copy.set_types(types)
                assert list(copy.rows()) == rows, options
        with cursor.copy("COPY (SELECT a, b FROM copied WHERE a < 3 ORDER BY a) TO STDOUT CSV HEADER") as copy:
            assert b"".join(copy) == b"a,b\n" + b"1,x\ty\\\n" * 2 + b"2,\n" * 2


def test_a_copy_that_fails_leaves_no_row(connection):
    connection.execute("CREATE TABLE partly (a int)")
    connection.commit()

    def copied(lines):
        with connection.cursor() as cursor, cursor.copy("COPY partly FROM STDIN") as copy:
            copy.write(lines)

    error = expect(errors.InvalidTextRepresentation, lambda: copied("1\n2\nthree\n"), 'type integer: "three"')
    assert error.diag.context == 'COPY partly, line 3, column a: "three"', error.diag.context
    connection.rollback()
    expect(errors.BadCopyFileFormat, lambda: copied("1\t2\n"), "extra data after last expected column")
    connection.rollback()
    try:
        with connection.cursor() as cursor, cursor.copy("COPY partly FROM STDIN") as copy:
            copy.write("1\n")
            raise KeyError("the client gives up")
    except KeyError:
        connection.rollback()
    assert connection.execute("SELECT count(*) FROM partly").fetchone() == (0,)
    connection.execute("DROP TABLE partly")
    connection.commit()


def test_sessions_hear_what_others_say_when_it_is_committed(connection):
    connection.autocommit = True
    with psycopg.connect(TARGET, autocommit=True) as other:
        other.execute("LISTEN orders")
        heard = []
        hear = lambda count: heard.extend(
            (notice.pid, notice.channel, notice.payload) for notice in other.notifies(timeout=10, stop_after=count)
        )
        connection.execute("BEGIN; NOTIFY orders, 'one'; SAVEPOINT s; NOTIFY orders, 'lost'; ROLLBACK TO s")
        connection.execute("NOTIFY orders, 'two'; NOTIFY orders, 'one'; NOTIFY elsewhere, 'unheard'; COMMIT")
        connection.execute("BEGIN; NOTIFY orders, 'lost'; ROLLBACK")
        failing = "SELECT pg_notify('orders', 'lost'), 1 / (random() * 0)::int"
        expect(errors.DivisionByZero, lambda: connection.execute(failing))
        connection.execute("SELECT pg_notify('orders', 'three')")
        hear(3)
        pid = connection.info.backend_pid
        assert heard == [(pid, "orders", payload) for payload in ("one", "two", "three")], heard
        # Within a transaction nothing is heard, and its own words when it has committed.
        heard.clear()
        other.execute("BEGIN; NOTIFY orders, 'own'")
        connection.execute("NOTIFY orders, 'later'")
        assert other.execute("SELECT 1").fetchone() == (1,)
        other.execute("COMMIT")
        hear(2)
        assert heard == [(pid, "orders", "later"), (other.info.backend_pid, "orders", "own")], heard


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    for name, test in tests:
        try:
            with psycopg.connect(TARGET) as connection:
                test(connection)
                connection.rollback()
            print(f"{name}: passed", flush=True)
        except Exception:
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    TARGET = f"host=127.0.0.1 port={sys.argv[1]} user=ada dbname=fusewire connect_timeout=20"
    main()
