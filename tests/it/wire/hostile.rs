//! What a broken or malicious client sends. The server answers or closes, and serves the next client.

use fusewire::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::raw::{RawClient, error, kinds};
use super::{PATIENCE, Server};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

async fn assert_alive(server: &Server) {
    let mut raw = server.raw().await;
    raw.query("SELECT 1").await;
    assert_eq!(kinds(&raw.until_ready().await), "TDCZ");
}

async fn end_of(client: &mut RawClient) -> Vec<u8> {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE, client.stream.read_to_end(&mut rest)).await;
    // A reset is an end, too.
    drop(end.expect("the server kept the connection open"));
    rest
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_a_startup_packet() {
    let server = Server::start().await;
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        &[0xff; 64],
        &[0, 0, 0, 0],
        &[0, 0, 0, 8, 0, 1, 0, 0],
        &[0, 0, 0, 9, 0, 3, 0, 0, b'u'],
        &[0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0x16, 3, 1, 2, 0, 1, 0, 1],
    ] {
        let mut raw = RawClient::socket(server.port).await;
        raw.write(bytes).await;
        end_of(&mut raw).await;
    }
    // One that stops in the middle and leaves.
    let mut raw = RawClient::socket(server.port).await;
    raw.write(&[0, 0, 1]).await;
    drop(raw);
    assert_alive(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_is_refused_and_what_follows_the_request_too() {
    let server = Server::start().await;
    let mut raw = RawClient::socket(server.port).await;
    raw.write(&SSL_REQUEST).await;
    assert_eq!(raw.stream.read_u8().await.unwrap(), b'N');
    raw.startup(0x0003_0000, &[("user", "ada")]).await;
    assert_eq!(raw.until_ready().await.last().unwrap().0, b'Z');

    let mut raw = RawClient::socket(server.port).await;
    raw.write(&[&SSL_REQUEST[..], b"\0\0\0\x12\0\x03\0\0user\0ada\0\0"].concat()).await;
    let error = error(&raw.until_end().await);
    assert_eq!((error.severity.as_str(), error.code.as_str()), ("FATAL", "08P01"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_versions_are_negotiated() {
    let server = Server::start().await;
    for (version, options, agreed) in [
        (0x0003_0002, &[][..], None),
        (0x0003_270f, &[][..], Some(2u8)),
        (0x0003_0000, &[("_pq_.shiny", "1")][..], Some(0)),
    ] {
        let mut raw = RawClient::socket(server.port).await;
        raw.startup(version, &[&[("user", "ada")][..], options].concat()).await;
        let messages = raw.until_ready().await;
        let negotiated = messages.iter().find(|(kind, _)| *kind == b'v');
        assert_eq!(negotiated.map(|(_, body)| body[3]), agreed, "{version:x}");
        let (_, key) = messages.iter().find(|(kind, _)| *kind == b'K').unwrap();
        assert_eq!(key.len(), if agreed == Some(0) { 8 } else { 36 });
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_databases_and_encodings_are_refused() {
    let server = Server::start().await;
    for (setting, code) in
        [(("database", "shop"), "3D000"), (("client_encoding", "LATIN1"), "22023"), (("user", ""), "28000")]
    {
        let mut raw = RawClient::socket(server.port).await;
        raw.startup(0x0003_0000, &[("user", "ada"), setting]).await;
        let error = error(&raw.until_end().await);
        assert_eq!((error.severity.as_str(), error.code.as_str()), ("FATAL", code));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_frames_end_the_connection() {
    let server = Server::with(Config { max_message_bytes: 1000, ..Config::default() }).await;
    let query = [&b"Q"[..], &1006u32.to_be_bytes(), &[b' '; 1001], b"\0"].concat();
    for (bytes, code) in [
        (&b"Q\xff\xff\xff\xff"[..], "54000"),
        (&b"Q\0\0\0\x03"[..], "08P01"),
        (&b"!\0\0\0\x04"[..], "08P01"),
        (&b"p\0\0\0\x05\0"[..], "08P01"),
        (&query[..], "54000"),
    ] {
        let mut raw = server.raw().await;
        raw.write(bytes).await;
        let error = error(&raw.until_end().await);
        assert_eq!((error.severity.as_str(), error.code.as_str()), ("FATAL", code), "{bytes:?}");
    }
    assert_alive(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_bodies_are_errors_and_the_connection_goes_on() {
    let server = Server::start().await;
    let mut raw = server.raw().await;
    for (kind, body, code) in [
        (b'Q', &b"SELECT '\xff'\0"[..], "22021"),
        (b'Q', b"SELECT 1", "08P01"),
        (b'Q', b"SELECT 1\0SELECT 2\0", "08P01"),
        (b'F', b"\0\0\0\x01", "0A000"),
    ] {
        raw.send(kind, body).await;
        let messages = raw.until_ready().await;
        assert_eq!(kinds(&messages), "EZ");
        assert_eq!(error(&messages).code, code);
    }
    for (kind, body) in [(b'B', &b"\0\0\0\x01\xff\xff"[..]), (b'P', b""), (b'E', b"\0"), (b'D', b"?\0"), (b'C', b"S")] {
        raw.send(kind, body).await;
        raw.sync().await;
        let messages = raw.until_ready().await;
        assert_eq!(kinds(&messages), "EZ");
        assert_eq!(error(&messages).code, "08P01");
    }
    // Rows of a copy that was refused are thrown away.
    raw.send(b'd', b"1\n").await;
    raw.send(b'c', b"").await;
    raw.query("SELECT 1").await;
    assert_eq!(kinds(&raw.until_ready().await), "TDCZ");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_send_much_before_it_reads() {
    let server = Server::start().await;
    let raw = server.raw().await;
    let (mut reader, mut writer) = raw.stream.into_split();
    let sql = format!("SELECT '{}'", "x".repeat(10_000));
    let query = [&b"Q"[..], &(sql.len() as u32 + 5).to_be_bytes(), sql.as_bytes(), b"\0"].concat();
    let count = 300;
    let sending = tokio::spawn(async move {
        for _ in 0..count {
            writer.write_all(&query).await.unwrap();
        }
        writer.write_all(b"X\0\0\0\x04").await.unwrap();
        writer
    });
    let mut answers = Vec::new();
    tokio::time::timeout(PATIENCE, reader.read_to_end(&mut answers)).await.unwrap().unwrap();
    drop(sending.await.unwrap());
    assert!(answers.len() > count * 10_000);
    assert_alive(&server).await;
    server.stop().await;
}
