//! `COPY … TO STDOUT` and `FROM STDIN` from the client's side, message by message. The answers are PostgreSQL 15's.

use super::raw::{self, Message, RawClient};
use super::{PATIENCE, Server};

/// What messages say, in short; of an error its code, its text and where it was.
fn told(messages: &[Message]) -> Vec<String> {
    let short = |(kind, body): &Message| match *kind {
        b'C' | b'Z' => raw::text(body),
        b'D' => raw::values(body).into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect(),
        b'E' => {
            format!("{} {} | {}", raw::field(body, b'C'), raw::field(body, b'M'), raw::field(body, b'W'))
        }
        b'd' => format!("d {}", body.escape_ascii()),
        b'G' | b'H' => format!("{} {body:?}", char::from(*kind)),
        other => char::from(other).to_string(),
    };
    messages.iter().map(short).collect()
}

/// Runs a text, and gives these pieces where it asks for some.
async fn copy(client: &mut RawClient, sql: &str, pieces: &[&[u8]]) -> Vec<String> {
    client.query(sql).await;
    let mut messages = vec![client.message().await];
    if messages[0].0 == b'G' {
        for piece in pieces {
            client.send(b'd', piece).await;
        }
        client.send(b'c', b"").await;
    }
    messages.extend(client.until_ready().await);
    told(&messages)
}

/// Runs a text and is told what it says.
async fn run(client: &mut RawClient, sql: &str) -> Vec<String> {
    client.query(sql).await;
    told(&client.until_ready().await)
}

/// The rows that were copied out, as they came.
fn copied(messages: &[Message]) -> Vec<&[u8]> {
    messages.iter().filter(|(kind, _)| *kind == b'd').map(|(_, body)| body.as_slice()).collect()
}

const ROWS: &str = "SELECT * FROM (VALUES (1, E'a\\tb\\\\c\\nd'), (NULL, ''), (2, '\\.'), (3, 'x,\"y\"')) AS t(a, b)";

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_out_a_message_a_row() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    for (options, expected) in [
        (
            "",
            &[
                "H [0, 0, 2, 0, 0, 0, 0]",
                "d 1\\ta\\\\tb\\\\\\\\c\\\\nd\\n",
                "d \\\\N\\t\\n",
                "d 2\\t\\\\\\\\.\\n",
                "d 3\\tx,\\\"y\\\"\\n",
                "c",
                "COPY 4",
                "I",
            ][..],
        ),
        (
            "CSV HEADER FORCE QUOTE a",
            &[
                "H [0, 0, 2, 0, 0, 0, 0]",
                "d a,b\\n",
                "d \\\"1\\\",\\\"a\\tb\\\\c\\nd\\\"\\n",
                "d ,\\\"\\\"\\n",
                "d \\\"2\\\",\\\\.\\n",
                "d \\\"3\\\",\\\"x,\\\"\\\"y\\\"\\\"\\\"\\n",
                "c",
                "COPY 4",
                "I",
            ],
        ),
        (
            "(FORMAT binary)",
            &[
                "H [1, 0, 2, 0, 1, 0, 1]",
                "d PGCOPY\\n\\xff\\r\\n\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x04\\x00\\x00\
                 \\x00\\x01\\x00\\x00\\x00\\x07a\\tb\\\\c\\nd",
                "d \\x00\\x02\\xff\\xff\\xff\\xff\\x00\\x00\\x00\\x00",
                "d \\x00\\x02\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x02\\\\.",
                "d \\x00\\x02\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x05x,\\\"y\\\"",
                "d \\xff\\xff",
                "c",
                "COPY 4",
                "I",
            ],
        ),
    ] {
        assert_eq!(run(&mut client, &format!("COPY ({ROWS}) TO STDOUT {options}")).await, expected, "{options}");
    }
    let values = "SELECT true, 1.50::numeric(5,2), '2020-01-02'::date, array[1,null,3], '\\x01'::bytea, 1e20::float8";
    let text = run(&mut client, &format!("COPY ({values}) TO STDOUT")).await;
    assert_eq!(text[1], "d t\\t1.50\\t2020-01-02\\t{1,NULL,3}\\t\\\\\\\\x01\\t1e+20\\n");
    let none = run(&mut client, "COPY (SELECT 1 AS a WHERE false) TO STDOUT BINARY").await;
    let head = "d PGCOPY\\n\\xff\\r\\n\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xff\\xff";
    assert_eq!(none, ["H [1, 0, 1, 0, 1]", head, "c", "COPY 0", "I"]);
    // An error among the rows ends them.
    let failed = run(&mut client, "COPY (SELECT 1 / (x - 1) FROM generate_series(1, 2) AS s(x)) TO STDOUT").await;
    assert_eq!(failed.last().map(String::as_str), Some("I"));
    assert!(failed.iter().any(|message| message.starts_with("22012 division by zero")), "{failed:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_in_or_nothing_is() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    run(&mut client, "CREATE TABLE t (a int, b text)").await;
    /// A statement, what is sent behind it, and what is answered.
    type Case<'a> = (&'a str, &'a [&'a [u8]], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        ("COPY t FROM STDIN", &[b"1\tx\n2", b"\ty\n\\N\t", b"\\N\n"], &["G [0, 0, 2, 0, 0, 0, 0]", "COPY 3", "I"]),
        ("COPY t FROM STDIN", &[b"3\tz\n\\.\nrest"], &["G [0, 0, 2, 0, 0, 0, 0]", "COPY 1", "I"]),
        ("COPY t (b) FROM STDIN CSV", &[b"\"q\"\"\nq\"\n"], &["G [0, 0, 1, 0, 0]", "COPY 1", "I"]),
        (
            "COPY t FROM STDIN (FORMAT binary)",
            &[
                b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
                b"\0\x02\0\0\0\x04\0\0\0\x07\0\0\0\x02hi",
                b"\0\x02\xff\xff\xff\xff\0\0\0\0\xff\xff",
            ],
            &["G [1, 0, 2, 0, 1, 0, 1]", "COPY 2", "I"],
        ),
        ("COPY t FROM STDIN", &[], &["G [0, 0, 2, 0, 0, 0, 0]", "COPY 0", "I"]),
        (
            "COPY t FROM STDIN",
            &[b"8\tlost\n", b"abc\ty\n"],
            &[
                "G [0, 0, 2, 0, 0, 0, 0]",
                "22P02 invalid input syntax for type integer: \"abc\" | COPY t, line 2, column a: \"abc\"",
                "I",
            ],
        ),
        (
            "COPY t FROM STDIN",
            &[b"8\tlost\n9\n"],
            &["G [0, 0, 2, 0, 0, 0, 0]", "22P04 missing data for column \"b\" | COPY t, line 2: \"9\"", "I"],
        ),
        (
            "COPY t FROM STDIN (FORMAT csv, HEADER match)",
            &[b"a,c\n8,lost\n"],
            &[
                "G [0, 0, 2, 0, 0, 0, 0]",
                "22P04 column name mismatch in header line field 2: got \"c\", expected \"b\" | COPY t, line 1: \"a,c\"",
                "I",
            ],
        ),
    ];
    for (sql, pieces, expected) in cases {
        assert_eq!(copy(&mut client, sql, pieces).await, *expected, "{sql} {pieces:?}");
    }
    let rows = run(&mut client, "SELECT b, a FROM t ORDER BY a, b").await;
    let expected = ["x1", "y2", "z3", "hi7", "NULL", "q\"\nqNULL", "NULLNULL", "SELECT 7", "I"];
    assert_eq!(rows[1..], expected.map(String::from));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_give_up_or_go() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    run(&mut client, "CREATE TABLE t (a int)").await;
    client.query("COPY t FROM STDIN").await;
    assert_eq!(client.message().await.0, b'G');
    client.send(b'd', b"1\n2\n").await;
    client.send(b'f', b"no more\0").await;
    let failed = told(&client.until_ready().await);
    assert_eq!(failed, ["57014 COPY from stdin failed: no more | COPY t, line 3", "I"]);
    // What is no part of a copy ends it; what was sent for it is passed over.
    client.query("COPY t FROM STDIN").await;
    assert_eq!(client.message().await.0, b'G');
    client.query("SELECT 1").await;
    let failed = told(&client.until_ready().await);
    assert!(failed[0].starts_with("08P01 unexpected message type 0x51 during COPY from stdin"), "{failed:?}");
    client.send(b'd', b"3\n").await;
    client.send(b'c', b"").await;
    assert_eq!(run(&mut client, "SELECT count(*) FROM t").await[1..], ["0", "SELECT 1", "I"].map(str::to_owned));
    // One that goes leaves nothing.
    client.query("COPY t FROM STDIN").await;
    assert_eq!(client.message().await.0, b'G');
    client.send(b'd', b"1\n").await;
    drop(client);
    let mut other = server.raw().await;
    assert_eq!(run(&mut other, "SELECT count(*) FROM t").await[1..], ["0", "SELECT 1", "I"].map(str::to_owned));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_a_part_of_its_transaction() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    run(&mut client, "CREATE TABLE t (a int)").await;
    run(&mut client, "BEGIN").await;
    assert_eq!(copy(&mut client, "COPY t FROM STDIN", &[b"1\n"]).await, ["G [0, 0, 1, 0, 0]", "COPY 1", "T"]);
    assert_eq!(run(&mut client, "SELECT count(*) FROM t").await[1..], ["1", "SELECT 1", "T"].map(str::to_owned));
    run(&mut client, "ROLLBACK").await;
    // Of several statements in one text, all or none.
    let failed = copy(&mut client, "COPY t FROM STDIN; SELECT 1 / 0", &[b"1\n"]).await;
    assert_eq!(failed[..2], ["G [0, 0, 1, 0, 0]", "COPY 1"].map(str::to_owned));
    let both = copy(&mut client, "COPY t FROM STDIN; COPY t TO STDOUT", &[b"5\n"]).await;
    let expected = ["G [0, 0, 1, 0, 0]", "COPY 1", "H [0, 0, 1, 0, 0]", "d 5\\n", "c", "COPY 1", "I"];
    assert_eq!(both, expected);
    run(&mut client, "BEGIN READ ONLY").await;
    let refused = copy(&mut client, "COPY t FROM STDIN", &[]).await;
    assert_eq!(refused, ["25006 cannot execute COPY FROM in a read-only transaction | ", "E"]);
    server.stop().await;
}

/// Begins a copy as libpq does: Sync comes before the rows, and means nothing then.
async fn begin(client: &mut RawClient, sql: &str) {
    client.parse("", sql, &[]).await;
    client.bind("", "", &[]).await;
    client.describe(b'P', "").await;
    client.execute("", 0).await;
    client.sync().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extended_protocol_copies_too() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    run(&mut client, "CREATE TABLE t (a int)").await;
    begin(&mut client, "COPY t FROM STDIN").await;
    client.send(b'd', b"1\n2\n").await;
    client.send(b'c', b"").await;
    client.sync().await;
    let messages = told(&client.until_ready().await);
    assert_eq!(messages, ["1", "2", "n", "G [0, 0, 1, 0, 0]", "COPY 2", "I"]);
    begin(&mut client, "COPY t TO STDOUT").await;
    let messages = told(&client.until_ready().await);
    assert_eq!(messages, ["1", "2", "n", "H [0, 0, 1, 0, 0]", "d 1\\n", "d 2\\n", "c", "COPY 2", "I"]);
    // After an error, everything up to the next Sync is passed over.
    begin(&mut client, "COPY t FROM STDIN").await;
    client.send(b'd', b"x\n").await;
    client.send(b'c', b"").await;
    client.parse("", "SELECT 1", &[]).await;
    client.sync().await;
    let messages = told(&client.until_ready().await);
    let failed = "22P02 invalid input syntax for type integer: \"x\" | COPY t, line 1, column a: \"x\"";
    assert_eq!(messages, ["1", "2", "n", "G [0, 0, 1, 0, 0]", failed, "I"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_go_through_every_format() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    let columns = "(n numeric(6,2), d date, t time, ts timestamp(3), tz timestamptz, iv interval, u uuid, j jsonb, \
                   ok boolean, l int[], v varchar(3), c char(4), b bytea, f float8, s smallint)";
    run(&mut client, &format!("CREATE TABLE typed {columns}")).await;
    let line = b"1.504\t2024-02-29\t12:30\t2024-02-29 10:00:00.1234\t2024-02-29 10:00+02\t1 mon 2 days 03:04:05\t\
                 A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\t{\"b\": 1, \"a\": [true]}\tyes\t{1,NULL,3}\tabc  \tab\t\\\\x0001\t0.1\t7\n";
    let nulls = ["\\N"; 15].join("\t") + "\n";
    let told = copy(&mut client, "COPY typed FROM STDIN", &[line, nulls.as_bytes()]).await;
    assert_eq!(told.last().map(String::as_str), Some("I"), "{told:?}");
    let shown = "d 1.50\\t2024-02-29\\t12:30:00\\t2024-02-29 10:00:00.123\\t2024-02-29 08:00:00+00\\t1 mon 2 days 03:04:05\\t\
                 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\\t{\\\"a\\\": [true], \\\"b\\\": 1}\\tt\\t{1,NULL,3}\\tabc\\tab  \\t\
                 \\\\\\\\x0001\\t0.1\\t7\\n";
    assert_eq!(run(&mut client, "COPY (SELECT * FROM typed WHERE ok) TO STDOUT").await[1], shown);
    for format in ["text", "csv", "binary"] {
        run(&mut client, &format!("CREATE TABLE again_{format} {columns}")).await;
        client.query(&format!("COPY typed TO STDOUT (FORMAT {format})")).await;
        let out = client.until_ready().await;
        let rows = copied(&out);
        let told = copy(&mut client, &format!("COPY again_{format} FROM STDIN (FORMAT {format})"), &rows).await;
        assert_eq!(told[1..], ["COPY 2", "I"].map(String::from), "{format}");
        let again = run(&mut client, &format!("COPY (SELECT * FROM again_{format} WHERE ok) TO STDOUT")).await;
        assert_eq!(again[1], shown, "{format}");
        let nulls = run(&mut client, &format!("SELECT count(*) - count(n) - count(j) FROM again_{format}")).await;
        assert_eq!(nulls[1], "0", "{format}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_through_both_ways() {
    let server = Server::start().await;
    let mut client = server.raw().await;
    run(&mut client, "CREATE TABLE t (a bigint, b text)").await;
    client.query("COPY (SELECT x, 'row ' || x FROM generate_series(1, 50000) AS s(x) ORDER BY x) TO STDOUT").await;
    let out = client.until_ready().await;
    let rows = copied(&out);
    assert_eq!((rows.len(), rows[0]), (50_000, &b"1\trow 1\n"[..]));
    let bytes = rows.concat();
    let pieces: Vec<&[u8]> = bytes.chunks(10_007).collect();
    assert_eq!(copy(&mut client, "COPY t FROM STDIN", &pieces).await[1..], ["COPY 50000", "I"].map(str::to_owned));
    let sums = run(&mut client, "SELECT count(*), sum(a), count(DISTINCT b) FROM t").await;
    assert_eq!(sums[1], "50000125002500050000");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_cancelled() {
    let server = Server::start().await;
    let client = server.client().await;
    client.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    let token = client.cancel_token();
    let sink = client.copy_in::<_, bytes::Bytes>("COPY t FROM STDIN").await.unwrap();
    token.cancel_query(tokio_postgres::NoTls).await.unwrap();
    let mut sink = Box::pin(sink);
    let ended = tokio::time::timeout(PATIENCE, sink.as_mut().finish()).await.unwrap();
    let code = ended.unwrap_err().code().map(|code| code.code().to_owned());
    assert_eq!(code.as_deref(), Some("57014"));
    server.stop().await;
}
