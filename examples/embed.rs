//! Fusewire within a program of your own: open an engine in memory, train on rows, and read the predictions.
//!
//! Run it with `cargo run --example embed`.

use fusewire::{
    Config, Engine, Error, Session,
    engine::{Origin, Outcome, SessionOptions},
};
use futures::TryStreamExt;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let engine = Engine::open(Config::default()).await?;
    let options = SessionOptions { user: "me".into(), origin: Origin::Local, address: None };
    let (session, _notices) = engine.session(options)?;
    let statements = "
        CREATE TABLE tastes AS
        SELECT 'u' || u AS user_id, 'i' || i AS item_id, CASE WHEN (u + i) % 2 = 0 THEN 5.0 ELSE 1.0 END AS stars
        FROM generate_series(1, 20) AS users(u), generate_series(1, 10) AS items(i);
        SELECT * FROM train('taste', tastes, target => 'stars', user => 'user_id', item => 'item_id', factors => 2);
        SELECT user_id, item_id, round(prediction::numeric, 1) AS stars
        FROM predict('taste', (SELECT 'u7' AS user_id, item_id FROM tastes WHERE user_id = 'u7')) ORDER BY item_id";
    run(&session, statements).await
}

/// Runs statements and prints what they return.
async fn run(session: &Session, sql: &str) -> Result<(), Error> {
    for statement in session.parse(sql).await? {
        match session.execute(&statement, &[]).await? {
            Outcome::Rows { stream, .. } => {
                let batches: Vec<_> = stream.try_collect().await?;
                println!("{}", arrow::util::pretty::pretty_format_batches(&batches).map_err(datafusion_error)?);
            }
            Outcome::Done { tag } => println!("{tag}"),
            // `COPY … TO STDOUT` and `FROM STDIN` are for clients of the network.
            Outcome::CopyOut { .. } | Outcome::CopyIn(_) | Outcome::Empty => {}
        }
    }
    Ok(())
}

fn datafusion_error(error: arrow::error::ArrowError) -> Error {
    datafusion::common::DataFusionError::from(error).into()
}
