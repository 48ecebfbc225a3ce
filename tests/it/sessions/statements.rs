//! The statements that sessions are made of. What stands more than once comes more often.
//!
//! Words in braces are replaced by a name at random, as `generate.rs` knows it: `{own}` is a table that the connection makes
//! and drops, `{mine}` one that is there, `{into}` either, and `{read}` any of these or the other connection's that is there.
//! No connection changes what another does, so that none waits for a lock.

/// What may begin a transaction.
pub(crate) const OPENING: &[&str] = &[
    "BEGIN",
    "BEGIN",
    "BEGIN",
    "BEGIN",
    "START TRANSACTION",
    "BEGIN READ ONLY",
    "BEGIN TRANSACTION READ WRITE",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    "SET TRANSACTION READ ONLY",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
];

/// What may end one, or what belongs to its beginning.
pub(crate) const CLOSING: &[&str] = &[
    "COMMIT",
    "COMMIT",
    "COMMIT",
    "ROLLBACK",
    "ROLLBACK",
    "ROLLBACK",
    "END",
    "ABORT",
    "COMMIT AND CHAIN",
    "ROLLBACK AND CHAIN",
    "COMMIT AND NO CHAIN",
    "SET TRANSACTION READ ONLY",
    "SET TRANSACTION READ WRITE",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
];

/// Savepoints of few names.
pub(crate) const SAVEPOINTS: &[&str] = &[
    "SAVEPOINT {savepoint}",
    "SAVEPOINT {savepoint}",
    "SAVEPOINT {savepoint}",
    "ROLLBACK TO {savepoint}",
    "ROLLBACK TO SAVEPOINT {savepoint}",
    "RELEASE {savepoint}",
    "RELEASE SAVEPOINT {savepoint}",
];

/// Settings that both engines know (and one that neither does), with values, some of them wrong.
pub(crate) const SETTINGS: &[(&str, &[&str])] = &[
    ("TimeZone", &["'UTC'", "'Asia/Tokyo'", "'Europe/Berlin'", "'nowhere'", "DEFAULT"]),
    ("TimeZone", &["'UTC'", "'Asia/Tokyo'"]),
    ("application_name", &["'one'", "'two'", "DEFAULT"]),
    ("application_name", &["'one'"]),
    ("statement_timeout", &["'10s'", "20000", "'1min'", "'x'", "DEFAULT"]),
    ("extra_float_digits", &["0", "3", "DEFAULT"]),
    ("default_transaction_read_only", &["on", "off", "DEFAULT", "maybe"]),
    ("default_transaction_isolation", &["'serializable'", "'repeatable read'"]),
    ("lock_timeout", &["'1s'", "0"]),
    ("DateStyle", &["'ISO, MDY'"]),
    ("unheard_of", &["1"]),
];

/// What is done with a setting.
pub(crate) const SETTING_FORMS: &[&str] = &[
    "SET {name} = {value}",
    "SET {name} = {value}",
    "SET {name} TO {value}",
    "SET LOCAL {name} = {value}",
    "SET LOCAL {name} = {value}",
    "SHOW {name}",
    "SHOW {name}",
    "SHOW {name}",
    "RESET {name}",
];

/// Statements about settings that have a form of their own.
pub(crate) const OTHER_SETTINGS: &[&str] = &[
    "RESET ALL",
    "SHOW transaction_isolation",
    "SHOW transaction_read_only",
    "SHOW transaction isolation level",
    "SET TIME ZONE 'UTC'",
    "SET LOCAL TIME ZONE 'Asia/Tokyo'",
    "SHOW TIME ZONE",
];

/// What changes tables.
pub(crate) const TABLES: &[&str] = &[
    "CREATE TABLE {own} (a INT)",
    "CREATE TABLE {own} (a INT)",
    "CREATE TABLE {own} (a INT)",
    "CREATE TABLE IF NOT EXISTS {own} (a INT)",
    "CREATE TABLE {own} (a INT, b TEXT)",
    "CREATE TABLE {own} AS SELECT 7 AS a",
    "INSERT INTO {into} VALUES (1)",
    "INSERT INTO {into} VALUES (2), (3)",
    "INSERT INTO {into} SELECT a + 10 FROM {mine}",
    "DROP TABLE {own}",
    "DROP TABLE IF EXISTS {own}",
];

/// Queries; the order of their rows is fixed.
pub(crate) const QUERIES: &[&str] = &[
    "SELECT 1 AS one",
    "SELECT 'x' AS t, NULL AS n",
    "VALUES (1), (2)",
    "SELECT a FROM {read} ORDER BY a",
    "SELECT a FROM {read} ORDER BY a",
    "SELECT count(*) AS n FROM {read}",
    "SELECT count(*) AS n FROM {read}",
    "SELECT a FROM {read} WHERE a > 100",
    "SELECT sum(a) AS total FROM {read}",
    "SELECT x FROM generate_series(1, 4) AS s(x) ORDER BY x",
];

/// What fails, in each phase of a statement.
pub(crate) const ERRORS: &[&str] = &[
    "SELECT 1 / 0",
    "SELECT a / 0 FROM s1",
    "SELECT 6 / (a - 3) FROM s1 ORDER BY a",
    "SELECT * FROM missing",
    "SELEC 1",
    "SELECT nope FROM s1",
    "SELECT nope(1)",
    "CREATE TABLE {mine} (a INT)",
    "SELECT 'x'::int",
    "DROP TABLE missing",
    "INSERT INTO missing VALUES (1)",
    "INSERT INTO {mine} VALUES ('x')",
    "EXECUTE missing",
];

/// Prepared statements of SQL, which share their names with those of the protocol.
pub(crate) const PREPARED: &[&str] = &[
    "PREPARE {prepared} AS SELECT 5 AS five",
    "PREPARE {prepared} AS SELECT a FROM s1 ORDER BY a",
    "PREPARE {prepared} (int) AS SELECT $1 + 1 AS r",
    "PREPARE {prepared} AS INSERT INTO {mine} VALUES ($1)",
    "EXECUTE {prepared}",
    "EXECUTE {prepared}",
    "EXECUTE {prepared}",
    "EXECUTE {prepared} (41)",
    "EXECUTE {prepared} (41)",
    "DEALLOCATE {prepared}",
    "DEALLOCATE PREPARE {prepared}",
    "DEALLOCATE ALL",
];

/// Cursors, which share their names with the portals of the protocol.
pub(crate) const CURSORS: &[&str] = &[
    "DECLARE {cursor} CURSOR FOR SELECT x FROM generate_series(1, 5) AS s(x)",
    "DECLARE {cursor} CURSOR FOR SELECT a FROM {read} ORDER BY a",
    "DECLARE {cursor} CURSOR WITH HOLD FOR SELECT a FROM s1 ORDER BY a",
    "DECLARE {cursor} SCROLL CURSOR FOR VALUES (1), (2), (3)",
    "DECLARE {cursor} NO SCROLL CURSOR FOR VALUES (1), (2), (3)",
    "FETCH {cursor}",
    "FETCH 2 FROM {cursor}",
    "FETCH ALL FROM {cursor}",
    "FETCH NEXT FROM {cursor}",
    "FETCH FORWARD 2 FROM {cursor}",
    "FETCH PRIOR FROM {cursor}",
    "FETCH FIRST FROM {cursor}",
    "FETCH LAST FROM {cursor}",
    "FETCH ABSOLUTE 2 FROM {cursor}",
    "FETCH 0 FROM {cursor}",
    "MOVE 2 IN {cursor}",
    "MOVE ALL FROM {cursor}",
    "CLOSE {cursor}",
    "CLOSE ALL",
];

/// What cleans up.
pub(crate) const DISCARDS: &[&str] = &["DISCARD ALL", "DISCARD PLANS", "DISCARD TEMP"];

/// Statements for Parse, the types that the client declares (23 is int4), and the values to bind.
pub(crate) const PARAMETERISED: &[(&str, &[u32], &[&str])] = &[
    ("SELECT $1::int + 1 AS r", &[], &["41"]),
    ("SELECT $1 AS t", &[], &["x"]),
    ("SELECT a FROM s1 WHERE a > $1 ORDER BY a", &[], &["1"]),
    ("SELECT x FROM generate_series(1, $1) AS s(x) ORDER BY x", &[23], &["5"]),
    ("INSERT INTO {mine} VALUES ($1)", &[], &["9"]),
    ("SELECT 10 / $1 AS q", &[23], &["5"]),
    ("SELECT 10 / $1 AS q", &[23], &["0"]),
    ("SELECT x FROM generate_series(1, 4) AS s(x) ORDER BY x", &[], &[]),
    ("SELECT x FROM generate_series(1, 4) AS s(x) ORDER BY x", &[], &[]),
    ("", &[], &[]),
    ("SELECT 1; SELECT 2", &[], &[]),
];

/// Values for a statement that may be there and may take one.
pub(crate) const FEW_VALUES: &[&[Option<&str>]] = &[&[], &[], &[Some("1")]];

/// Values of which none suit most statements; None is NULL.
pub(crate) const WRONG_VALUES: &[&[Option<&str>]] =
    &[&[], &[Some("abc")], &[None], &[Some("1.5")], &[Some("1"), Some("2")]];

/// A statement that would run for hours.
pub(crate) const ENDLESS: &str = "SELECT count(*) AS n FROM generate_series(1, 1000000000000) AS s(x) WHERE x % 7 = 8";
