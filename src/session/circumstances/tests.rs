//! Circumstances go to another machine and come back to life: functions yield there what they yield in the session.

use arrow::{array::RecordBatch, datatypes::Field};
use datafusion::{
    common::ScalarValue,
    logical_expr::{ColumnarValue, ScalarFunctionArgs},
};
use futures::TryStreamExt;

use super::*;
use crate::{
    Config, Engine, Error, Fault, Session,
    engine::{Origin, Outcome, SessionOptions},
    server::text_rows,
};

/// What becomes of the session before anything is asked.
const BEFORE: &[&str] = &[
    "CREATE SCHEMA sales",
    "CREATE SECRET far (TYPE s3, KEY_ID 'AKIAFAR', SECRET 'hush-hush', SCOPE 's3://far/')",
    "SET TimeZone = 'Asia/Tokyo'",
    "SET search_path = nowhere, sales, public, sales",
    "SET app.tenant = 'acme'",
    "SET app.gone = 'unset later'",
    "RESET app.gone",
    "SET datafusion.execution.batch_size = 1234",
    "SET datafusion.optimizer.enable_dynamic_filter_pushdown = false",
    "SET datafusion.optimizer.enable_join_dynamic_filter_pushdown = true",
    "SET statement_timeout = '1h'",
    "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
    "SET LOCAL app.local = 'here'",
];

/// A call, the name of its function and its arguments.
fn calls() -> Vec<(String, &'static str, Vec<ScalarValue>)> {
    let bare = [
        ("now()", "now"),
        ("current_timestamp", "current_timestamp"),
        ("transaction_timestamp()", "transaction_timestamp"),
        ("current_date", "current_date"),
        ("current_time", "current_time"),
        ("localtime", "localtime"),
        ("localtimestamp", "localtimestamp"),
        ("current_schema()", "current_schema"),
        ("current_database()", "current_database"),
        ("current_catalog", "current_catalog"),
        ("current_user", "current_user"),
        ("current_role", "current_role"),
        ("session_user", "session_user"),
        ("pg_backend_pid()", "pg_backend_pid"),
        ("version()", "version"),
        ("pg_client_encoding()", "pg_client_encoding"),
    ];
    let bare = bare.into_iter().map(|(call, name)| (call.to_owned(), name, Vec::new()));
    let schemas =
        [true, false].map(|all| (format!("current_schemas({all})"), "current_schemas", vec![ScalarValue::from(all)]));
    let names = ["app.tenant", "app.gone", "app.local", "TimeZone", "transaction_isolation", "transaction_read_only"];
    let settings =
        names.map(|name| (format!("current_setting('{name}')"), "current_setting", vec![ScalarValue::from(name)]));
    let missing = (
        "current_setting('app.never', true)".to_owned(),
        "current_setting",
        vec![ScalarValue::from("app.never"), ScalarValue::from(true)],
    );
    bare.chain(schemas).chain(settings).chain([missing]).collect()
}

async fn session(user: &str) -> Session {
    let engine = Engine::open(Config::default()).await.unwrap();
    engine.session(SessionOptions { user: user.to_owned(), origin: Origin::Local, address: None }).unwrap().0
}

async fn rows(session: &Session, sql: &str) -> Vec<RecordBatch> {
    let statement = session.parse(sql).await.unwrap().pop().unwrap();
    let outcome = session.execute(&statement, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let Outcome::Rows { stream, .. } = outcome else { return Vec::new() };
    stream.try_collect().await.unwrap()
}

/// A session that is in the middle of something.
async fn busy() -> Session {
    let session = session("ada").await;
    for sql in BEFORE {
        rows(&session, sql).await;
    }
    session
}

/// What a session yields for a call.
async fn here(session: &Session, call: &str) -> String {
    let batches = rows(session, &format!("SELECT {call}")).await;
    let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
    ScalarValue::try_from_array(batch.column(0), 0).unwrap().to_string()
}

/// What a function of these yields.
fn there(functions: &[ScalarUDF], name: &str, arguments: &[ScalarValue]) -> String {
    let is_called = |function: &&ScalarUDF| function.name() == name || function.aliases().iter().any(|own| own == name);
    let function = functions.iter().find(is_called).unwrap();
    let types: Vec<_> = arguments.iter().map(ScalarValue::data_type).collect();
    let call = ScalarFunctionArgs {
        args: arguments.iter().cloned().map(ColumnarValue::Scalar).collect(),
        arg_fields: types.iter().map(|data_type| Arc::new(Field::new("argument", data_type.clone(), true))).collect(),
        number_rows: 1,
        return_field: Arc::new(Field::new(name, function.return_type(&types).unwrap(), true)),
        config_options: Arc::default(),
    };
    let value = function.invoke_with_args(call).unwrap().into_array(1).unwrap();
    ScalarValue::try_from_array(&value, 0).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_yield_the_same_elsewhere() {
    let ada = busy().await;
    let (sent, other) = (ada.circumstances().unwrap().encode().unwrap(), session("bob").await);
    let arrived = Circumstances::decode(&sent).unwrap();
    let functions = arrived.functions();
    for (call, name, arguments) in calls() {
        assert_eq!(there(&functions, name, &arguments), here(&ada, &call).await, "{call}");
    }
    // PostgreSQL 15 says so of a session like this.
    let shown = |name: &str| there(&functions, "current_setting", &[name.into()]);
    assert_eq!(["app.tenant", "app.gone", "app.local", "timezone"].map(shown), ["acme", "", "here", "Asia/Tokyo"]);
    assert_eq!(["transaction_isolation", "transaction_read_only"].map(shown), ["serializable", "on"]);
    assert_eq!(there(&functions, "current_schema", &[]), "sales");
    assert_ne!(here(&other, "current_user").await, there(&functions, "current_user", &[]));
    assert!(arrived.began < arrived.started, "the transaction is older than the statement that was sent");
    let mut compared = 0;
    for batch in rows(&ada, "SHOW ALL").await {
        for row in text_rows(&batch).unwrap() {
            let [Some(name), Some(value), _] = row.as_slice() else { panic!("{row:?}") };
            assert_eq!(&shown(name), value, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 100, "SHOW ALL had {compared} settings");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_time_and_secrets_arrive() {
    let ada = busy().await;
    let sent = ada.circumstances().unwrap();
    let arrived = Circumstances::decode(&sent.encode().unwrap()).unwrap();
    let mut options = ConfigOptions::default();
    options.execution.target_partitions = 3;
    arrived.choose(&mut options).unwrap();
    assert_eq!(
        (options.execution.batch_size.get(), options.execution.time_zone.as_deref()),
        (1234, Some("Asia/Tokyo"))
    );
    // The first sets the others too: it counts in which order they were set.
    assert!(!options.optimizer.enable_topk_dynamic_filter_pushdown);
    assert!(options.optimizer.enable_join_dynamic_filter_pushdown);
    assert_eq!(options.execution.target_partitions, 3, "what was not set is the machine's own");
    let left = arrived.time_left().unwrap();
    assert!(left > Duration::from_secs(3_000) && left <= Duration::from_secs(3_600), "{left:?}");
    assert_eq!(*arrived.secrets, *sent.secrets);
    assert_eq!(arrived.secrets.len(), 1);
    let stores = format!("{:?}", arrived.stores(Arc::new(RuntimeEnv::default())));
    assert!(stores.contains("far"), "{stores}");
    // What arrived can be sent on.
    let again = Circumstances::decode(&arrived.encode().unwrap()).unwrap();
    assert_eq!(again.settings.all(), sent.settings.all());
    assert_eq!((again.schemas, again.path, again.began), (arrived.schemas, arrived.path, arrived.began));
    let unlimited = session("bob").await;
    rows(&unlimited, "SET statement_timeout = 0").await;
    let sent = unlimited.circumstances().unwrap().encode().unwrap();
    assert_eq!(Circumstances::decode(&sent).unwrap().time_left(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_newer_is_refused() {
    let sent = busy().await.circumstances().unwrap().encode().unwrap();
    let refused = |bytes: &[u8]| -> Error { Circumstances::decode(bytes).err().unwrap() };
    let lengths = [0, 1, 22, 23, 24, 25, 60, 90, 91, 200, sent.len() - 1];
    for length in lengths {
        assert_eq!(refused(&sent[..length]).fault(), Fault::Corrupt, "the first {length} bytes");
    }
    for place in (0..sent.len()).step_by(sent.len() / 100) {
        let mut damaged = sent.clone();
        damaged[place] ^= 1;
        assert_eq!(refused(&damaged).fault(), Fault::Corrupt, "byte {place}");
    }
    let end = sent.iter().position(|byte| *byte == b'\n').unwrap();
    let (line, body) = (String::from_utf8(sent[..end].to_vec()).unwrap(), &sent[end..]);
    let newer = [line.replacen(" 1 ", " 2 ", 1).as_bytes(), body].concat();
    let error = refused(&newer);
    assert_eq!(error.fault(), Fault::FeatureNotSupported);
    assert!(error.to_string().contains("have format 2; this version reads 1"), "{error}");
    // Whole, and of another shape: what is in it is not told.
    let body = r#"{"pid":"hush-hush"}"#;
    let error = refused(format!("{} 1 {}\n{body}", written::MAGIC, written::sum_of(body.as_bytes())).as_bytes());
    assert_eq!(error.fault(), Fault::Corrupt);
    assert!(!error.to_string().contains("hush") && error.to_string().contains("byte "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_set_and_no_secret_is_shown() {
    let sent = busy().await.circumstances().unwrap();
    let bytes = sent.encode().unwrap();
    // They hold it, and therefore go nowhere but to a worker.
    assert!(String::from_utf8_lossy(&bytes).contains("hush-hush"));
    let arrived = Circumstances::decode(&bytes).unwrap();
    for circumstances in [&*sent, &arrived] {
        for shown in [format!("{circumstances:?}"), format!("{circumstances:#?}"), circumstances.to_string()] {
            assert!(shown.contains("ada"), "{shown}");
            assert!(["hush", "AKIA", "acme"].iter().all(|hidden| !shown.contains(hidden)), "{shown}");
        }
    }
}
