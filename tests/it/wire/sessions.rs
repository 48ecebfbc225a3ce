//! The number and the key that a connection is told, and what others see of it.

use tokio::time::timeout;
use tokio_postgres::Client;

use super::raw::{self, RawClient};
use super::{ENDLESS, PATIENCE, Server};

/// A connection with the number and the key that it is told.
async fn connect(port: u16, version: u32) -> (RawClient, i32, Vec<u8>) {
    let mut client = RawClient::socket(port).await;
    client.startup(version, &[("user", "ada"), ("database", "fusewire")]).await;
    let messages = client.until_ready().await;
    let (_, body) = messages.iter().find(|(kind, _)| *kind == b'K').unwrap();
    let (pid, key) = body.split_first_chunk::<4>().unwrap();
    (client, i32::from_be_bytes(*pid), key.to_vec())
}

/// Asks to cancel, and waits until the server has heard it.
async fn cancel(port: u16, pid: i32, key: &[u8]) {
    let mut client = RawClient::socket(port).await;
    let body = [&80_877_102_u32.to_be_bytes()[..], &pid.to_be_bytes(), key].concat();
    client.write(&[&(body.len() as u32 + 4).to_be_bytes()[..], &body].concat()).await;
    assert!(client.until_end().await.is_empty());
}

/// What a client sees of the session of this number.
async fn seen(client: &Client, pid: i32, column: &str) -> String {
    let sql = format!("SELECT ({column})::text FROM fusewire.sessions WHERE pid = {pid}");
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

async fn until_active(client: &Client, pid: i32) {
    let active = async { while seen(client, pid, "state").await != "active" {} };
    timeout(PATIENCE, active).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_cancels_what_its_own_session_works_on() {
    let server = Server::start().await;
    let other = server.client().await;
    for (version, bytes) in [(0x0003_0000, 4), (0x0003_0002, 32)] {
        let (mut client, pid, key) = connect(server.port, version).await;
        assert_eq!(key.len(), bytes);
        client.query("SELECT pg_backend_pid()").await;
        let answer = client.until_ready().await;
        let (_, row) = answer.iter().find(|(kind, _)| *kind == b'D').unwrap();
        assert_eq!(raw::values(row), [Some(pid.to_string())]);
        let mut wrong = key.clone();
        wrong[0] ^= 1;
        client.query(ENDLESS).await;
        until_active(&other, pid).await;
        for (pid, key) in
            [(pid, &wrong[..]), (pid, &key[1..]), (pid, &key[..0]), (pid + 1_000, &key[..]), (-pid, &key[..])]
        {
            cancel(server.port, pid, key).await;
        }
        assert_eq!(seen(&other, pid, "state").await, "active");
        cancel(server.port, pid, &key).await;
        assert_eq!(raw::error(&client.until_ready().await).code, "57014");
        assert_eq!(seen(&other, pid, "state").await, "idle");
        // One that comes when nothing runs is not meant for the next statement.
        cancel(server.port, pid, &key).await;
        client.query("SELECT 1").await;
        assert_eq!(raw::kinds(&client.until_ready().await), "TDCZ");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_see_where_a_session_comes_from_and_no_secret_of_it() {
    let server = Server::start().await;
    let other = server.client().await;
    let (mut client, pid, _key) = connect(server.port, 0x0003_0000).await;
    let address = client.stream.local_addr().unwrap();
    let place = seen(&other, pid, "client_addr || ' ' || client_port || ' ' || origin").await;
    assert_eq!(place, format!("{} {} wire", address.ip(), address.port()));
    let secret = "CREATE OR REPLACE SECRET shop (TYPE s3, KEY_ID 'known', SECRET 'hush', SCOPE 's3://shop/')";
    client.query(secret).await;
    assert_eq!(raw::kinds(&client.until_ready().await), "CZ");
    assert_eq!(seen(&other, pid, "query").await, "CREATE SECRET …");
    client.query("SELECT 1").await;
    client.until_ready().await;
    assert_eq!(seen(&other, pid, "query").await, "SELECT 1");
    client.parse("", secret, &[]).await;
    client.sync().await;
    client.until_ready().await;
    assert_eq!(seen(&other, pid, "query").await, "CREATE SECRET …");
    client.query(&format!("SELECT '{}'", "€".repeat(1_000))).await;
    client.until_ready().await;
    // As much as PostgreSQL shows: whole characters of 1,023 bytes.
    assert_eq!(seen(&other, pid, "octet_length(query)").await, "1022");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_works_until_it_is_ready_for_the_next_query() {
    let server = Server::start().await;
    let other = server.client().await;
    let (mut client, pid, _key) = connect(server.port, 0x0003_0000).await;
    client.parse("", "SELECT value FROM generate_series(1, 5) AS series(value)", &[]).await;
    client.bind("", "", &[]).await;
    client.execute("", 2).await;
    client.send(b'H', b"").await;
    let mut kinds = String::new();
    while !kinds.ends_with('s') {
        kinds.push(char::from(client.message().await.0));
    }
    assert_eq!(kinds, "12DDs");
    assert_eq!(seen(&other, pid, "state").await, "active");
    client.sync().await;
    client.until_ready().await;
    assert_eq!(seen(&other, pid, "state").await, "idle");
    server.stop().await;
}
