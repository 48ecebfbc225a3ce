"""The two servers that are asked, and what they answer."""

import typing

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus

# What an answer may depend on is the same on both sides; a statement that hangs is given up.
SETTINGS = [
    "SET TimeZone = 'UTC'", "SET DateStyle = 'ISO, MDY'", "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'", "SET statement_timeout = '10s'",
]  # fmt: skip
LOST = "lost"
GIVEN_UP = {"57014", LOST}


class Answer(typing.NamedTuple):
    """Rows of texts with their columns' types and names, or an error's SQLSTATE and message."""

    rows: tuple = ()
    types: tuple = ()
    names: tuple = ()
    state: typing.Optional[str] = None
    message: str = ""

    def told(self, type_names):
        """In one line, for a person."""
        if self.state:
            return f"{self.state}: {self.message}"
        kinds = ", ".join(type_names.get(kind, str(kind)) for kind in self.types)
        shown = "; ".join(", ".join("NULL" if cell is None else repr(cell) for cell in row) for row in self.rows)
        return f"{shown or 'no rows'} ({kinds})"


class Server:
    """A connection, made again when it is lost."""

    def __init__(self, dsn):
        self.dsn, self.connection = dsn, None

    def connect(self):
        self.connection = psycopg.connect(self.dsn, autocommit=True, connect_timeout=20, client_encoding="utf8")
        for setting in SETTINGS:
            if self.connection.pgconn.exec_(setting.encode()).status != ExecStatus.COMMAND_OK:
                raise SystemExit(f"{self.dsn} refuses {setting}")

    def ask(self, sql, parameters=None, kinds=None):
        """The answer to one statement, in the simple protocol or, with parameters (texts), in the extended one."""
        if not self.connection or self.connection.pgconn.status != ConnStatus.OK:
            self.connect()
        pgconn = self.connection.pgconn
        try:
            if parameters is None:
                result = pgconn.exec_(sql.encode())
            else:
                values = [None if value is None else value.encode() for value in parameters]
                result = pgconn.exec_params(sql.encode(), values, param_types=kinds)
        except psycopg.OperationalError as error:
            return Answer(state=LOST, message=str(error))
        if pgconn.status != ConnStatus.OK:
            return Answer(state=LOST, message=(result.error_message or b"").decode(errors="replace"))
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            columns = range(result.nfields)
            return Answer(
                tuple(
                    tuple(text(result.get_value(row, column)) for column in columns) for row in range(result.ntuples)
                ),
                tuple(result.ftype(column) for column in columns),
                tuple(text(result.fname(column)) for column in columns),
            )
        state = text(result.error_field(DiagnosticField.SQLSTATE)) or LOST
        message = text(result.error_field(DiagnosticField.MESSAGE_PRIMARY)) or text(result.error_message)
        return Answer(state=state, message=message)


def text(data):
    return None if data is None else data.decode(errors="replace")
