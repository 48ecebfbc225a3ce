//! `recommend` through SQL: what it answers and what it refuses.

use std::collections::HashMap;

use crate::shop::{Session, assert_above};

const TASTE: &str = "'taste', (SELECT user_id, item_id, category, rating FROM ratings), target => 'rating', user => 'user_id', item => 'item_id'";
const CLICKS: &str =
    "'clicks', (SELECT user_id, item_id, category FROM ratings WHERE liked), user => 'user_id', item => 'item_id'";

async fn session() -> Session {
    let session = Session::new().await;
    session.train(TASTE).await;
    session.train(CLICKS).await;
    session
}

fn sql(arguments: &str) -> String {
    format!("SELECT * FROM recommend({arguments})")
}

#[tokio::test]
async fn every_user_is_answered_once_in_the_order_of_the_input() {
    let session = session().await;
    let plan = session.plan(&sql("'taste', (SELECT 'u3' AS user_id), k => 2")).await;
    let columns: Vec<_> =
        plan.schema().fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    assert_eq!(columns, ["user_id Utf8", "item_id Int32", "rank Int64", "score Float64"]);
    let users = "(SELECT * FROM (VALUES ('u9'), ('u3'), ('u9'), (NULL), (NULL)) AS u(user_id))";
    let call = format!("'taste', {users}, k => 2, include_seen => true");
    let rows = session.rows(&sql(&call).replacen('*', "user_id, rank", 1)).await;
    assert_eq!(rows, ["u9|1", "u9|2", "u3|1", "u3|2", "|1", "|2"]);
}

#[tokio::test]
async fn scores_are_predictions_and_descend() {
    let session = session().await;
    let wrong = "SELECT count(*) FROM recommend('taste', (SELECT DISTINCT user_id FROM ratings), k => 13, include_seen => true) AS r
        JOIN predict('taste', (SELECT DISTINCT u.user_id, i.item_id, i.category FROM ratings AS u, ratings AS i)) AS p
        USING (user_id, item_id)";
    assert_eq!(session.rows(wrong).await, ["260"]);
    let wrong = format!("{wrong} WHERE abs(greatest(least(score, 5), 1) - prediction) > 1e-6");
    assert_eq!(session.rows(&wrong).await, ["0"]);
    let wrong = "SELECT count(*) FROM (SELECT score, lag(score) OVER (PARTITION BY user_id ORDER BY rank) AS before
        FROM recommend('taste', ratings, k => 13, include_seen => true)) WHERE score > before";
    assert_eq!(session.rows(wrong).await, ["0"]);
}

#[tokio::test]
async fn seen_items_come_only_when_asked_for() {
    let session = session().await;
    let seen = "SELECT count(*) FROM recommend('taste', ratings, k => 13) AS r JOIN ratings USING (user_id, item_id)";
    assert_eq!(session.rows(seen).await, ["0"]);
    let all = "SELECT count(*) FROM recommend('taste', ratings, k => 100, include_seen => true)";
    assert_eq!(session.rows(all).await, ["260"]);
}

#[tokio::test]
async fn exclusions_hold_for_their_user_or_for_everybody() {
    let session = session().await;
    let users = "(SELECT 'u3' AS user_id UNION ALL SELECT 'u4')";
    let base = format!("'taste', {users}, k => 13, include_seen => true");
    let count = |call: &str| sql(call).replacen('*', "user_id, count(*)", 1) + " GROUP BY user_id ORDER BY user_id";
    let pairs =
        format!("{base}, exclude => (SELECT 'u3' AS user_id, item_id FROM (VALUES (1), (2), (99)) AS i(item_id))");
    assert_eq!(session.rows(&count(&pairs)).await, ["u3|11", "u4|13"]);
    let everybody = format!("{base}, exclude => (SELECT item_id FROM (VALUES (1), (2), (2), (NULL)) AS i(item_id))");
    assert_eq!(session.rows(&count(&everybody)).await, ["u3|11", "u4|11"]);
    let excluded = sql(&everybody).replacen('*', "count(*)", 1) + " WHERE item_id IN (1, 2)";
    assert_eq!(session.rows(&excluded).await, ["0"]);
}

#[tokio::test]
async fn candidates_may_be_new_and_boosted() {
    let session = session().await;
    let base = "'taste', (SELECT 'u3' AS user_id), include_seen => true";
    let items = "(VALUES (1, 'rock'), (700, 'pop'), (701, 'rock'), (1, 'rock'), (NULL, 'pop')) AS i(item_id, category)";
    let call = format!("{base}, candidates => (SELECT * FROM {items})");
    let chosen = sql(&call).replacen('*', "item_id", 1) + " ORDER BY item_id";
    assert_eq!(session.rows(&chosen).await, ["1", "700", "701"]);
    let boosted =
        format!("{base}, candidates => (SELECT *, CASE WHEN item_id = 701 THEN 100 ELSE 0 END AS boost FROM {items})");
    let first = sql(&boosted).replacen('*', "item_id, score > 50", 1) + " WHERE rank = 1";
    assert_eq!(session.rows(&first).await, ["701|true"]);
    let known = format!("{base}, candidates => (SELECT 1 AS item_id)");
    let same = format!(
        "SELECT abs(a.score - b.score) < 1e-9 FROM recommend({known}) AS a, recommend({base}, k => 13) AS b WHERE b.item_id = 1"
    );
    assert_eq!(session.rows(&same).await, ["true"]);
    let text = format!("{base}, candidates => (SELECT 1 AS item_id, 'much' AS boost)");
    assert!(session.refusal(&sql(&text)).await.starts_with("DatatypeMismatch: recommend: the column boost"));
    let none = format!("{base}, candidates => (SELECT 1 AS item_id WHERE false)");
    assert!(session.rows(&sql(&none)).await.is_empty());
}

#[tokio::test]
async fn history_changes_the_answer_and_hides_its_items() {
    let session = session().await;
    for model in ["clicks", "taste"] {
        let target = if model == "taste" { ", 5 AS rating" } else { "" };
        let base = format!("'{model}', (SELECT 'newcomer' AS user_id), k => 13");
        let cold = session.rows(&sql(&base)).await;
        let events = format!(
            "{base}, history => (SELECT 'newcomer' AS user_id, item_id{target} FROM (VALUES (1), (3)) AS i(item_id))"
        );
        let warm = session.rows(&sql(&events)).await;
        assert_ne!(cold, warm, "{model}");
        assert!(!warm.iter().any(|row| row.starts_with("newcomer|1|") || row.starts_with("newcomer|3|")), "{warm:?}");
        let others = format!("{base}, history => (SELECT 'another' AS user_id, 1 AS item_id{target})");
        assert_eq!(session.rows(&sql(&others)).await, cold, "{model}: another user's events change nothing");
    }
    let missing = "'taste', (SELECT 'u1' AS user_id), history => (SELECT 'u1' AS user_id, 1 AS item_id)";
    assert!(
        session.refusal(&sql(missing)).await.starts_with("UndefinedColumn: recommend: the input has no column rating")
    );
}

#[tokio::test]
async fn strengths_of_the_history_count() {
    let session = session().await;
    let call = |strength: &str| {
        sql(&format!(
            "'clicks', (SELECT 'newcomer' AS user_id), k => 13, include_seen => true,
             history => (SELECT 'newcomer' AS user_id, 1 AS item_id, {strength} AS strength)"
        ))
    };
    let cold = session.rows(&sql("'clicks', (SELECT 'newcomer' AS user_id), k => 13, include_seen => true")).await;
    assert_ne!(session.rows(&call("1")).await, session.rows(&call("1000")).await);
    assert_eq!(session.rows(&call("CAST(NULL AS DOUBLE)")).await, cold);
}

#[tokio::test]
async fn at_most_so_many_of_a_category() {
    let session = session().await;
    let call = "'taste', ratings, k => 6, include_seen => true, max_per => 'category:2'";
    let most = format!(
        "SELECT max(n), count(*) FROM (SELECT user_id, category, count(*) AS n FROM recommend({call})
         JOIN (SELECT DISTINCT item_id, category FROM ratings) USING (item_id) GROUP BY user_id, category)"
    );
    assert_eq!(session.rows(&most).await, ["2|40"]);
    for (text, problem) in [
        ("category", "is 'category', expected a column and a number as in 'category:2'"),
        ("category:0", "allows '0' items of one category, expected a whole number from 1"),
        ("colour:2", "groups by colour, expected a category of the item's side: category"),
    ] {
        let refusal = session.refusal(&sql(&format!("'taste', ratings, max_per => '{text}'"))).await;
        assert_eq!(refusal, format!("InvalidArgument: the argument max_per of recommend {problem}"));
    }
}

#[tokio::test]
async fn the_number_of_items_is_checked() {
    let session = session().await;
    for k in ["0", "-3"] {
        let refusal = session.refusal(&sql(&format!("'taste', ratings, k => {k}"))).await;
        assert_eq!(
            refusal,
            format!("InvalidArgument: the argument k of recommend is {k}, expected a whole number from 1")
        );
    }
    let rows =
        session.rows(&sql("'taste', (SELECT 'u3' AS user_id), k => 9223372036854775807, include_seen => true")).await;
    assert_eq!(rows.len(), 13);
    assert!(session.rows(&sql("'taste', (SELECT user_id FROM ratings WHERE false)")).await.is_empty());
}

#[tokio::test]
async fn filters_on_user_and_rank_reach_the_operator() {
    let session = session().await;
    let (logical, _) = session.explain(&(sql("'taste', ratings") + " WHERE user_id = 'u3'")).await;
    assert_above(&logical, "Recommend:", "user_id = ");
    let extra = "'taste', ratings, include_seen => true, exclude => (SELECT 1 AS item_id)";
    let query = sql(extra) + " WHERE user_id = 'u3' AND rank <= 2 AND item_id <> 4";
    let (_, physical) = session.explain(&query).await;
    assert_above(&physical, "item_id", "RecommendExec: model=public.taste@1, k=2, include_seen=true, inputs=[exclude]");
    assert_above(&physical, "RecommendExec", "FilterExec: user_id");
    let unfiltered: HashMap<String, Vec<String>> =
        session.rows(&sql(extra)).await.into_iter().fold(HashMap::new(), |mut users, row| {
            users.entry(row.split('|').next().unwrap().to_owned()).or_default().push(row);
            users
        });
    let expected: Vec<_> = unfiltered["u3"].iter().take(2).filter(|row| !row.starts_with("u3|4|")).cloned().collect();
    assert_eq!(session.rows(&query).await, expected);
    assert_eq!(session.rows(&(sql(extra) + " WHERE user_id = 'u3' AND rank = 3")).await, unfiltered["u3"][2..3]);
    assert!(session.rows(&(sql(extra) + " WHERE rank < 1")).await.is_empty());
    let (_, physical) = session.explain(&(sql("'taste', ratings") + " WHERE 3 > rank")).await;
    assert!(physical.contains("k=2") && !physical.contains("FilterExec"), "{physical}");
    let (_, physical) = session.explain(&(sql("'taste', ratings") + " WHERE item_id = 4")).await;
    assert_above(&physical, "FilterExec: item_id", "RecommendExec");
}

#[tokio::test]
async fn the_answer_does_not_depend_on_how_users_are_cut() {
    let session = session().await;
    let sum = "SELECT count(*), sum(CAST(round(score * 1e6) AS BIGINT)), sum(item_id * rank) FROM recommend('taste', ratings)";
    let whole = session.rows(sum).await;
    session.run("SET datafusion.execution.batch_size = 3").await;
    assert_eq!(session.rows(sum).await, whole);
}

#[tokio::test]
async fn models_without_user_and_item_are_refused() {
    let session = session().await;
    session.train("'plain', (SELECT price, rating FROM ratings), target => 'rating'").await;
    let refusal = session.refusal(&sql("'plain', ratings")).await;
    assert_eq!(
        refusal,
        "FeatureNotSupported: recommend needs a model with a user and an item, which plain was not trained with; train \
         with user => and item =>"
    );
    let refusal = session.refusal(&sql("'taste', (SELECT price FROM ratings)")).await;
    assert!(refusal.starts_with("UndefinedColumn: recommend: the input has no column user_id, which"), "{refusal}");
}

#[tokio::test]
async fn context_columns_come_with_the_users() {
    let session = session().await;
    session
        .train(
            "'where', (SELECT user_id, item_id, price, rating FROM ratings), target => 'rating', user => 'user_id', item => 'item_id'",
        )
        .await;
    let refusal = session.refusal(&sql("'where', (SELECT 'u3' AS user_id)")).await;
    assert!(refusal.starts_with("UndefinedColumn: recommend: the input has no column price, which"), "{refusal}");
    let rows = session.rows(&sql("'where', (SELECT 'u3' AS user_id, 4 AS price), k => 3, include_seen => true")).await;
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn a_parameter_without_a_type_takes_the_users() {
    let session = session().await;
    let plan = session.plan(&sql("'taste', (SELECT $1 AS user_id)")).await;
    assert_eq!(plan.get_parameter_types().unwrap()["$1"], Some(arrow::datatypes::DataType::Utf8));
}
