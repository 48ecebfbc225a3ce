"""psycopg 3 in text and in binary: `python psycopg_types.py CONNINFO [TYPE…]`."""

import sys

import psycopg
from psycopg.types.json import Json, Jsonb

from common import RECORDS, NotNative, cases, literal, native, natives, tell, told


class Client:
    def __init__(self, connection, is_binary):
        self.connection, self.is_binary = connection, is_binary
        self.name = "psycopg binary" if is_binary else "psycopg text"
        # Where a value stands in a statement, with its format.
        self.place = "%b" if is_binary else "%t"

    def step(self, case, step, run):
        """Runs a step and tells what came of it; whether it succeeded."""
        try:
            got = run()
        except psycopg.Error as error:
            code = error.diag.sqlstate or type(error).__name__
            tell(self.name, case, step, {"error": code}, str(error))
            return False
        except (NotNative, ValueError, OverflowError) as error:
            tell(self.name, case, step, {"client": type(error).__name__}, str(error))
            return False
        tell(self.name, case, step, got)
        return True

    def rows(self, sql, values=()):
        cursor = self.connection.execute(sql.replace("$", self.place), values or None, binary=self.is_binary)
        return cursor.fetchall() if cursor.description else cursor.statusmessage

    def value(self, case, value):
        """A value as this client gives it."""
        found = native(value, case.kind, False)
        if case.kind != "json" or value is None:
            return found
        return wrapped(found, Jsonb if "jsonb" in case.type else Json)

    def run(self, case):
        self.connection.execute(f"DROP TABLE IF EXISTS {case.table}")
        if not self.step(case.type, "create", lambda: self.rows(f"CREATE TABLE {case.table} (id integer, v {case.type})")):
            return
        for at, value in enumerate(case.values):
            self.step(case.type, f"store {at}", lambda: self.store(at, case, value))
            text = literal(value.text, case.kind).replace("%", "%%")
            self.step(case.type, f"literal {at}", lambda: self.rows(f"INSERT INTO {case.table} VALUES ({100 + at}, {text})"))
        self.step(case.type, "columns", lambda: self.columns(f"SELECT * FROM {case.table} LIMIT 0"))
        for at in range(len(case.values)):
            for id in (at, 100 + at):
                self.step(case.type, f"read {id}", lambda: self.read(f"SELECT v FROM {case.table} WHERE id = {id}"))
        self.step(case.type, "texts", lambda: self.read(f"SELECT id, v::text FROM {case.table} ORDER BY id"))
        for at, value in enumerate(case.values):
            where = f"SELECT id FROM {case.table} WHERE v = $ ORDER BY id"
            self.step(case.type, f"where {at}", lambda: self.read(where, [self.value(case, value.text)]))
            cast = f"SELECT $::{case.type}"
            self.step(case.type, f"cast {at}", lambda: self.read(cast, [self.value(case, value.text)]))
        if not case.is_array:
            among = f"SELECT id FROM {case.table} WHERE v = ANY($) ORDER BY id"
            have = [self.value(case, text) for text in natives(case, self.value)]
            self.step(case.type, "any", lambda: self.read(among, [have]))
        self.step(case.type, "cast columns", lambda: self.columns(f"SELECT NULL::{case.type}"))

    def store(self, at, case, value):
        return self.rows(f"INSERT INTO {case.table} VALUES ($, $)", [at, self.value(case, value.text)])

    def read(self, sql, values=()):
        return [told(row) for row in self.rows(sql, values)]

    def columns(self, sql):
        cursor = self.connection.execute(sql, binary=self.is_binary)
        columns = [(column.name, column.type_code, column.internal_size, column.precision, column.scale)
                   for column in cursor.description]
        return [[*column, cursor.pgresult.fmod(at)] for at, column in enumerate(columns)]


def wrapped(value, wrapper):
    if isinstance(value, list):
        return [wrapped(item, wrapper) for item in value]
    return None if value is None else wrapper(value, dumps=str)


def main():
    target, *only = sys.argv[1:]
    for is_binary in (False, True):
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute("SET TIME ZONE 'UTC'")
            client = Client(connection, is_binary)
            for case in cases(only):
                client.run(case)
            for record in [] if only else RECORDS:
                client.step("record", record, lambda: client.read(f"SELECT {record}"))
                client.step("record", f"columns of {record}", lambda: client.columns(f"SELECT {record}"))


if __name__ == "__main__":
    main()
