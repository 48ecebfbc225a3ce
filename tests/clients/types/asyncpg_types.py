"""asyncpg, which knows binary alone: `python asyncpg_types.py HOST PORT USER DATABASE [TYPE…]`."""

import asyncio
import sys

import asyncpg

from common import RECORDS, NotNative, cases, literal, native, natives, tell, told


class Client:
    name = "asyncpg"

    def __init__(self, connection):
        self.connection = connection

    async def step(self, case, step, run):
        try:
            got = await run()
        except asyncpg.PostgresError as error:
            tell(self.name, case, step, {"error": error.sqlstate}, str(error))
            return False
        except (NotNative, ValueError, OverflowError, asyncpg.InterfaceError,
                asyncpg.InternalClientError) as error:
            tell(self.name, case, step, {"client": type(error).__name__}, str(error))
            return False
        tell(self.name, case, step, got)
        return True

    async def run(self, case):
        await self.connection.execute(f"DROP TABLE IF EXISTS {case.table}")
        table = f"CREATE TABLE {case.table} (id integer, v {case.type})"
        if not await self.step(case.type, "create", lambda: self.connection.execute(table)):
            return
        for at, value in enumerate(case.values):
            await self.step(case.type, f"store {at}", lambda: self.store(at, case, value))
            row = f"INSERT INTO {case.table} VALUES ({100 + at}, {literal(value.text, case.kind)})"
            await self.step(case.type, f"literal {at}", lambda: self.connection.execute(row))
        await self.step(case.type, "columns", lambda: self.columns(f"SELECT * FROM {case.table} LIMIT 0"))
        for at in range(len(case.values)):
            for id in (at, 100 + at):
                await self.step(case.type, f"read {id}", lambda: self.read(f"SELECT v FROM {case.table} WHERE id = {id}"))
        await self.step(case.type, "texts", lambda: self.read(f"SELECT id, v::text FROM {case.table} ORDER BY id"))
        for at, value in enumerate(case.values):
            where = f"SELECT id FROM {case.table} WHERE v = $1 ORDER BY id"
            await self.step(case.type, f"where {at}", lambda: self.read(where, case, value.text))
            await self.step(case.type, f"cast {at}", lambda: self.read(f"SELECT $1::{case.type}", case, value.text))
        if not case.is_array:
            among = f"SELECT id FROM {case.table} WHERE v = ANY($1) ORDER BY id"
            await self.step(case.type, "any", lambda: self.read(among, case, natives(case, given)))
        await self.step(case.type, "cast columns", lambda: self.columns(f"SELECT NULL::{case.type}"))

    async def store(self, at, case, value):
        return await self.connection.execute(f"INSERT INTO {case.table} VALUES ($1, $2)", at, given(case, value.text))

    async def read(self, sql, *of):
        values = [given(*of)] if of else []
        return [told(tuple(row)) for row in await self.connection.fetch(sql, *values)]

    async def columns(self, sql):
        statement = await self.connection.prepare(sql)
        return [(column.name, column.type.oid, column.type.name, column.type.kind)
                for column in statement.get_attributes()]


def given(case, value):
    found = native(value, case.kind, True)
    return in_bytes(found) if case.kind == "byte" else found


def in_bytes(value):
    """What asyncpg takes for a "char"."""
    if isinstance(value, list):
        return [in_bytes(item) for item in value]
    return value and value.encode()


async def main():
    host, port, user, database, *only = sys.argv[1:]
    connection = await asyncpg.connect(host=host, port=int(port), user=user, database=database)
    await connection.execute("SET TIME ZONE 'UTC'")
    client = Client(connection)
    for case in cases(only):
        await client.run(case)
    for record in [] if only else RECORDS:
        await client.step("record", record, lambda: client.read(f"SELECT {record}"))
        await client.step("record", f"columns of {record}", lambda: client.columns(f"SELECT {record}"))
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
