//! `evaluate` through SQL.

use crate::{Progress, testing::World};

async fn world() -> World {
    let world = World::new();
    world
        .run(
            "CREATE TABLE ratings AS SELECT 'u' || (value % 17) AS user_id, value % 11 AS item_id, value % 5 AS price,
               CASE WHEN value % 17 % 2 = value % 11 % 2 THEN 5.0 ELSE 1.0 END AS rating,
               value % 17 % 2 = value % 11 % 2 AS liked FROM generate_series(1, 400);
             SELECT * FROM train('taste', (SELECT user_id, item_id, price, rating FROM ratings), target => 'rating',
               user => 'user_id', item => 'item_id', factors => 4, epochs => 5);
             SELECT * FROM train('likes', (SELECT user_id, item_id, price, liked FROM ratings), target => 'liked',
               user => 'user_id', item => 'item_id', factors => 4, epochs => 5);
             SELECT * FROM train('rank', (SELECT user_id, item_id FROM ratings WHERE liked),
               user => 'user_id', item => 'item_id', factors => 4, epochs => 5)",
        )
        .await
        .unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_of_training_are_kept() {
    let world = world().await;
    let trained = world
        .text(
            "SELECT * FROM train('taste', (SELECT user_id, item_id, price, rating FROM ratings), target => 'rating',
               user => 'user_id', item => 'item_id', factors => 4, epochs => 5)",
        )
        .await;
    assert_eq!(world.text("SELECT * FROM evaluate('taste')").await, trained);
    assert_eq!(world.text("SELECT evaluate.* FROM evaluate(model => 'taste@2', input => NULL)").await, trained);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_is_scored() {
    let world = world().await;
    for (model, columns, metric) in [
        ("taste", "user_id, item_id, price, rating", "rmse"),
        ("likes", "user_id, item_id, price, liked, rating AS other", "auc"),
    ] {
        let sql = format!("SELECT * FROM evaluate('{model}', (SELECT {columns} FROM ratings)) WHERE slice = 'all'");
        let rows = world.text(&sql).await;
        let all = rows.lines().find(|line| line.contains(&format!("| {metric} "))).unwrap();
        assert!(all.contains("| 1       | input |") && all.ends_with("| 400  |"), "{rows}");
        let reversed = sql.replace("FROM ratings", "FROM ratings ORDER BY price, item_id DESC LIMIT 400");
        assert_eq!(world.text(&reversed).await.lines().count(), rows.lines().count());
    }
    let text =
        world.text("SELECT * FROM evaluate('rank', (SELECT user_id, 1 + item_id % 2 AS item_id FROM ratings))").await;
    assert!(text.contains("recall@10"), "{text}");
    let told = world.told.lock().unwrap();
    assert!(told.iter().all(|told| !matches!(told, Progress::Notice(notice) if notice.contains("evaluate"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_cast_without_loss() {
    let world = world().await;
    let plain = "SELECT metric, value FROM evaluate('taste', (SELECT user_id, item_id, price, rating FROM ratings))";
    let cast = plain
        .replace("item_id", "CAST(item_id AS text) AS item_id")
        .replace("price", "CAST(price AS text) AS \"PRICE\"")
        .replace("rating FROM", "CAST(rating AS real) AS rating FROM");
    assert_eq!(world.text(&cast).await, world.text(plain).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let world = world().await;
    for (arguments, expected) in [
        ("'nothing'", "UndefinedObject: the model nothing does not exist; train it first"),
        ("'taste@9'", "UndefinedObject: the model taste has no version 9; it has 1"),
        (
            "'taste', (SELECT user_id, item_id, rating FROM ratings)",
            "UndefinedColumn: evaluate: the input has no column price, which the model public.taste@1 was trained on; it has \
             user_id, item_id, rating",
        ),
        (
            "'taste', (SELECT user_id, item_id, price FROM ratings)",
            "UndefinedColumn: evaluate: the input has no column rating, the target of the model public.taste@1; it has \
             user_id, item_id, price",
        ),
        (
            "'taste', (SELECT user_id, item_id, price, liked AS rating FROM ratings)",
            "DatatypeMismatch: evaluate: the column rating is of type boolean; the target of the model public.taste@1 is \
             double precision, so cast it",
        ),
        (
            "'taste', (SELECT user_id, liked AS item_id, price, rating FROM ratings)",
            "DatatypeMismatch: evaluate: the column item_id is of type boolean; the model public.taste@1 was trained on \
             bigint; cast it with CAST(item_id AS …)",
        ),
        (
            "'taste', (SELECT user_id, 'x' AS item_id, price, rating FROM ratings)",
            "InvalidText: the column item_id holds 'x', which is not a whole number of 64 bits; correct the value or leave the \
             row out",
        ),
    ] {
        let (message, fault) = world.error(&format!("SELECT * FROM evaluate({arguments})")).await;
        assert_eq!(format!("{fault:?}: {message}"), expected);
    }
}
