//! Tables over S3: what is read, and what each way to fail says.

use datafusion::{arrow::util::pretty::pretty_format_batches, prelude::SessionContext};
use fusewire::source::{Access, Error, Files, SecretDefinition, SecretType, Source, Stores, TableRequest, diagnose};

use crate::s3_server::{Key, OWNER, S3Server};

/// One session over the secrets given as name, key and scope.
struct Reader {
    context: SessionContext,
    secrets: Vec<(String, SecretDefinition)>,
}

fn secret(server: &S3Server, name: &str, key: (&str, &str), scope: &str) -> (String, SecretDefinition) {
    let endpoint = server.endpoint();
    secret_at(&endpoint, name, key, scope)
}

fn secret_at(endpoint: &str, name: &str, key: (&str, &str), scope: &str) -> (String, SecretDefinition) {
    let options = [("key_id", key.0), ("secret", key.1), ("endpoint", endpoint), ("scope", scope)];
    let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kind = SecretType::named("s3").unwrap();
    (name.to_owned(), SecretDefinition::read(name, kind, &options).unwrap())
}

impl Reader {
    fn new(secrets: Vec<(String, SecretDefinition)>) -> Self {
        Self { context: SessionContext::new(), secrets }
    }

    async fn read(&self, location: &str, sql: &str) -> Result<String, String> {
        let stores = Stores::new(self.context.runtime_env(), self.secrets.clone());
        let shown = |error: &Error| format!("{:?}: {error}", error.fault());
        let request = TableRequest { locations: vec![location.to_owned()], ..TableRequest::default() };
        let definition = Files.resolve(&self.context.state(), request, &stores, &Access::Local).await;
        let definition = definition.map_err(|error| shown(&error))?;
        let table = Files.open(&definition, &stores, &Access::Local).map_err(|error| shown(&error))?;
        self.context.deregister_table("t").unwrap();
        self.context.register_table("t", table).unwrap();
        let frame = self.context.sql(sql).await.map_err(|error| error.to_string())?;
        let plan = frame.create_physical_plan().await.map_err(|error| error.to_string())?;
        match datafusion::physical_plan::collect(plan.clone(), self.context.task_ctx()).await {
            Ok(batches) => Ok(pretty_format_batches(&batches).unwrap().to_string()),
            Err(error) => {
                let found = diagnose(&plan, &self.context.runtime_env(), &error).await;
                Err(found.map_or(error.to_string(), |found| shown(&found)))
            }
        }
    }
}

const OWNER_KEY: (&str, &str) = (OWNER.id, OWNER.secret);

#[tokio::test]
async fn objects_globs_and_partitions_are_read() {
    let server = S3Server::start(&[]).await;
    server.put("shop/customers.csv", "id,name\n1,ann\n2,bob\n");
    server.put("shop/items.json", "[{\"id\":1},\n{\"id\":2}]");
    server.put("shop/orders/2023.csv", "id\n1\n");
    server.put("shop/orders/2024.csv", "id\n2\n3\n");
    server.put("shop/orders/old/2020.csv", "id\n100\n");
    server.put("shop/clicks/day=2024-01-01/a.ndjson", "{\"n\":1}\n");
    server.put("shop/clicks/day=2024-01-02/a.ndjson", "{\"n\":2}\n{\"n\":3}\n");
    let reader = Reader::new(vec![secret(&server, "shop", OWNER_KEY, "s3://")]);
    let sum = "SELECT count(*) AS n, sum(id) AS s FROM t";
    for (location, sql, expected) in [
        ("s3://shop/customers.csv", sum, "| 2 | 3 |"),
        ("s3://shop/items.json", sum, "| 2 | 3 |"),
        ("s3://shop/orders/*.csv", sum, "| 3 | 6 |"),
        ("s3://shop/orders/202?.csv", sum, "| 3 | 6 |"),
        ("s3://shop/orders/", sum, "| 4 | 106 |"),
        ("s3://shop/orders", sum, "| 4 | 106 |"),
        ("s3://shop/**/2*.csv", sum, "| 4 | 106 |"),
        ("s3://shop/clicks", "SELECT sum(n) AS s FROM t WHERE day > DATE '2024-01-01'", "| 5 |"),
        ("s3://shop/clicks/day=*/*.ndjson", "SELECT count(DISTINCT day) AS s FROM t", "| 2 |"),
    ] {
        let rows = reader.read(location, sql).await.unwrap();
        assert!(rows.contains(expected), "{location}: {rows}");
    }
    // More than one request's worth.
    let ids: String = (0..1_300_000).map(|id| format!("{:07}\n", id % 1000)).collect();
    server.put("shop/big.csv", format!("id\n{ids}"));
    let rows = reader.read("s3://shop/big.csv", "SELECT count(*) AS n, max(length(id)) AS l FROM t").await.unwrap();
    assert!(rows.contains("| 1300000 | 7 |"), "{rows}");
    server.put("shop/bad.csv", "a,b\n1,2\n3\n");
    assert_eq!(
        reader.read("s3://shop/bad.csv", sum).await.unwrap_err(),
        "InvalidData: file s3://shop/bad.csv, line 3: expected 2 fields, found 1"
    );
}

#[tokio::test]
async fn parquet_is_read_and_a_truncated_file_named() {
    let server = S3Server::start(&[]).await;
    let reader = Reader::new(vec![secret(&server, "shop", OWNER_KEY, "s3://shop")]);
    let frame = reader.context.sql("SELECT value AS id FROM generate_series(1, 1000)").await.unwrap();
    std::fs::create_dir_all(server.path().join("shop")).unwrap();
    let path = server.path().join("shop/a.parquet");
    let options = datafusion::dataframe::DataFrameWriteOptions::new().with_single_file_output(true);
    frame.write_parquet(path.to_str().unwrap(), options, None).await.unwrap();
    let rows = reader.read("s3://shop/a.parquet", "SELECT sum(id) AS s FROM t WHERE id > 990").await.unwrap();
    assert!(rows.contains("| 9955 |"), "{rows}");
    let whole = std::fs::read(&path).unwrap();
    server.put("shop/b.parquet", &whole[..whole.len() - 50]);
    let error = reader.read("s3://shop/b.parquet", "SELECT * FROM t").await.unwrap_err();
    let expected = "InvalidData: file s3://shop/b.parquet is not a readable Parquet file: ";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_wrong_key_says_so() {
    let server = S3Server::start(&[]).await;
    server.put("shop/a.csv", "id\n1\n");
    for (key, location) in [
        (("nobody", "x"), "s3://shop/a.csv"),
        ((OWNER.id, "wrong"), "s3://shop/a.csv"),
        (("nobody", "x"), "s3://shop/*.csv"),
        ((OWNER.id, "wrong"), "s3://shop/*.csv"),
    ] {
        let reader = Reader::new(vec![secret(&server, "shop_key", key, "s3://")]);
        let error = reader.read(location, "SELECT * FROM t").await.unwrap_err();
        let expected = "PermissionDenied: the S3 server refused the key of secret shop_key for bucket shop: ";
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains("wrong"), "{error}");
    }
}

#[tokio::test]
async fn a_missing_bucket_or_object_says_so() {
    let server = S3Server::start(&[]).await;
    server.put("shop/a.csv", "id\n1\n");
    let reader = Reader::new(vec![secret(&server, "shop", OWNER_KEY, "s3://")]);
    let missing = format!("UndefinedFile: bucket shoop does not exist at {}", server.endpoint());
    for location in ["s3://shoop/a.csv", "s3://shoop/*.csv", "s3://shoop/"] {
        assert_eq!(reader.read(location, "SELECT * FROM t").await.unwrap_err(), missing);
    }
    for location in ["s3://shop/b.csv", "s3://shop/none/*.csv", "s3://shop/none/"] {
        let expected = format!("UndefinedFile: no file matches '{location}': check the path");
        assert_eq!(reader.read(location, "SELECT * FROM t").await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_fails_within_seconds() {
    // A port that was free a moment ago and that nothing listens on.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let reader = Reader::new(vec![secret_at(&endpoint, "shop", OWNER_KEY, "s3://")]);
    let started = std::time::Instant::now();
    let error = reader.read("s3://shop/a.csv", "SELECT * FROM t").await.unwrap_err();
    let expected = format!("Io: cannot reach the S3 server {endpoint} for bucket shop: ");
    assert!(error.starts_with(&expected), "{error}");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[tokio::test]
async fn two_secrets_of_one_bucket_never_mix() {
    let first = Key { id: "first", secret: "first-secret", prefix: "a/" };
    let second = Key { id: "second", secret: "second-secret", prefix: "a/b/" };
    let server = S3Server::start(&[first, second]).await;
    server.put("shop/a/x.csv", "id\n1\n");
    server.put("shop/a/b/y.csv", "id\n2\n");
    let wide = secret(&server, "wide", (first.id, first.secret), "s3://shop/a/");
    let narrow = secret(&server, "narrow", (second.id, second.secret), "s3://shop/a/b/");
    let reader = Reader::new(vec![narrow.clone(), wide.clone()]);
    let sql = "SELECT sum(id) AS s FROM t";
    // In turn, so that each secret's store is there already when the other one is used.
    for _ in 0..2 {
        assert!(reader.read("s3://shop/a/x.csv", sql).await.unwrap().contains("| 1 |"));
        assert!(reader.read("s3://shop/a/b/y.csv", sql).await.unwrap().contains("| 2 |"));
    }
    // A session that has the narrow secret alone cannot use the other's store, though the runtime holds it.
    let poor = Reader { context: reader.context.clone(), secrets: vec![(narrow.0, widened(narrow.1))] };
    let error = poor.read("s3://shop/a/x.csv", sql).await.unwrap_err();
    assert!(error.starts_with("PermissionDenied: the S3 server refused the key of secret narrow"), "{error}");
    let plan = reader.read("s3://shop/a/x.csv", "EXPLAIN VERBOSE SELECT * FROM t").await.unwrap();
    assert!(!plan.contains("first"), "{plan}");
}

fn widened(mut secret: SecretDefinition) -> SecretDefinition {
    "s3://".clone_into(&mut secret.scope);
    secret
}
