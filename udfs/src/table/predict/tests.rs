//! `predict` through SQL: what it answers, what it refuses, and how it streams.

use std::sync::Arc;

use arrow::{
    array::AsArray,
    datatypes::{DataType, Float64Type},
};
use datafusion::{
    common::ScalarValue,
    datasource::MemTable,
    logical_expr::{SortExpr, col},
};
use fusewire_learn::{Dictionary, Table, UNSEEN, Values};

use crate::{
    models::Models,
    shop::{Session, assert_above},
};

const RATING: &str = "'taste', (SELECT user_id, item_id, category, rating FROM ratings), target => 'rating', user => 'user_id', item => 'item_id'";

async fn session() -> Session {
    let session = Session::new().await;
    session.train(RATING).await;
    session
}

/// The names and types of a statement's columns.
async fn columns(session: &Session, sql: &str) -> Vec<(String, DataType)> {
    let plan = session.plan(sql).await;
    plan.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

#[tokio::test]
async fn predictions_have_the_type_of_the_target() {
    let session = Session::new().await;
    for (target, class) in [
        ("liked", DataType::Boolean),
        ("answer", DataType::Utf8),
        ("bought", DataType::Int32),
        ("rating", DataType::Float64),
    ] {
        session.train(&format!("'m', (SELECT user_id, price, {target} FROM ratings), target => '{target}'")).await;
        let sql = "SELECT prediction.* FROM predict('m', ratings) AS prediction";
        let mut found = columns(&session, sql).await.split_off(9);
        assert_eq!(found.remove(0), ("prediction".into(), class), "{target}");
        let probability = ("probability".into(), DataType::Float64);
        assert_eq!(found, if target == "rating" { vec![] } else { vec![probability] }, "{target}");
        assert_eq!(session.rows("SELECT count(prediction) FROM predict('m', ratings)").await, ["200"]);
    }
}

#[tokio::test]
async fn a_probability_is_that_of_true_or_of_the_predicted_class() {
    let session = Session::new().await;
    session.train("'b', (SELECT user_id, price, liked FROM ratings), target => 'liked'").await;
    session.train("'t', (SELECT user_id, rating, answer FROM ratings), target => 'answer'").await;
    let wrong = "SELECT count(*) FROM predict('b', ratings, threshold => 0.3) WHERE prediction <> (probability >= 0.3)";
    assert_eq!(session.rows(wrong).await, ["0"]);
    let wrong = "SELECT count(*) FROM predict('t', ratings) WHERE probability < 0.5 OR prediction NOT IN ('yes', 'no')";
    assert_eq!(session.rows(wrong).await, ["0"]);
    let both = "SELECT count(DISTINCT prediction) FROM predict('t', ratings)";
    assert_eq!(session.rows(both).await, ["2"]);
    let always = "SELECT DISTINCT prediction FROM predict('t', ratings, threshold => 0)";
    assert_eq!(session.rows(always).await, ["yes"]);
}

#[tokio::test]
async fn sql_predicts_what_rust_predicts() {
    let session = session().await;
    let version = session.models().resolve("taste").unwrap();
    let loaded = session.functions.registry.load(&version.reference()).await.unwrap();
    let rows =
        session.run("SELECT user_id, item_id, category, prediction FROM predict('taste', ratings) LIMIT 50").await;
    for batch in rows {
        let text = |column: usize| -> Values {
            let array = batch
                .column(column)
                .as_string_view_opt()
                .map(|view| view.iter().map(|text| text.unwrap().to_owned()).collect::<Vec<_>>());
            let texts = array.unwrap_or_else(|| {
                batch.column(column).as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
            });
            let mut sorted = texts.clone();
            sorted.sort();
            sorted.dedup();
            let codes = texts.iter().map(|text| sorted.binary_search(text).unwrap() as u32).collect();
            Values::Category { codes, dictionary: Arc::new(Dictionary::Text(sorted)) }
        };
        let items = batch.column(1).as_primitive::<arrow::datatypes::Int32Type>();
        let items = Values::Category {
            codes: items.values().iter().map(|&item| item as u32).collect(),
            dictionary: Arc::new(Dictionary::Integer((0..13).collect())),
        };
        let columns = vec![("user_id".into(), text(0)), ("item_id".into(), items), ("category".into(), text(2))];
        let scores = loaded.model.predict(&Table { rows: batch.num_rows(), columns }).unwrap();
        let expected: Vec<f64> = scores.into_iter().map(|score| loaded.model.prediction(score)).collect();
        assert_eq!(batch.column(3).as_primitive::<Float64Type>().values(), expected.as_slice());
    }
}

#[tokio::test]
async fn batches_in_any_cut_get_the_same_predictions() {
    let session = session().await;
    let sum = "SELECT sum(CAST(round(prediction * 1e6) AS BIGINT)) FROM predict('taste', (SELECT * FROM ratings))";
    let whole = session.rows(sum).await;
    session.run("SET datafusion.execution.batch_size = 7").await;
    assert_eq!(session.rows(sum).await, whole);
}

#[tokio::test]
async fn filters_projections_and_limits_reach_the_input() {
    let session = session().await;
    let (logical, physical) = session
        .explain("SELECT user_id, prediction FROM predict('taste', ratings) WHERE price > 3 AND prediction > 2")
        .await;
    assert_above(&logical, "prediction", "Predict:");
    assert_above(&logical, "Predict:", "price > ");
    assert!(!logical.contains("bought"), "unused columns are not read:\n{logical}");
    assert_above(&physical, "FilterExec: prediction", "PredictExec: model=public.taste@1, output=[prediction]");
    assert_above(&physical, "PredictExec", "FilterExec: price");

    let (logical, physical) = session.explain("SELECT * FROM predict('taste', ratings) LIMIT 3").await;
    let scan = logical.lines().find(|line| line.contains("TableScan: ratings")).unwrap();
    assert!(scan.contains("fetch=3"), "{logical}");
    assert_above(&physical, "PredictExec", "fetch=3");

    let (_, physical) = session.explain("SELECT upper(user_id) FROM predict('taste', ratings)").await;
    assert!(!physical.contains("PredictExec"), "predictions that nobody reads are not made:\n{physical}");
}

#[tokio::test]
async fn the_order_of_the_input_is_kept() {
    let session = session().await;
    let rows = session.run("SELECT * FROM ratings ORDER BY position").await;
    let order: Vec<SortExpr> = vec![col("position").sort(true, false)];
    let sorted = MemTable::try_new(rows[0].schema(), vec![rows]).unwrap().with_sort_order(vec![order]);
    session.context.register_table("sorted", Arc::new(sorted)).unwrap();
    let sql = "SELECT position, prediction FROM predict('taste', sorted) ORDER BY position NULLS LAST";
    let (_, physical) = session.explain(sql).await;
    assert!(!physical.contains("SortExec"), "{physical}");
    assert_above(&physical, "PredictExec", "DataSourceExec");
    let positions = session.rows(&format!("SELECT position FROM ({sql})")).await;
    assert_eq!(positions, (1..=200).map(|position| position.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn row_counts_come_from_statistics() {
    let session = session().await;
    let (_, physical) = session.explain("SELECT count(*) FROM predict('taste', ratings)").await;
    assert!(!physical.contains("PredictExec"), "{physical}");
}

#[tokio::test]
async fn what_cannot_be_bound_is_refused_by_name() {
    let session = session().await;
    let missing = session.refusal("SELECT * FROM predict('taste', (SELECT user_id, item_id FROM ratings))").await;
    assert_eq!(
        missing,
        "UndefinedColumn: predict: the input has no column category, which the model public.taste@1 was trained on; \
         it has user_id, item_id"
    );
    let sql = "SELECT * FROM predict('taste', (SELECT user_id, price AS item_id, category FROM ratings))";
    let refusal = session.refusal(sql).await;
    assert!(
        refusal.starts_with("DatatypeMismatch: predict: the column item_id is of type double precision"),
        "{refusal}"
    );
    let sql = "SELECT * FROM predict('taste', (SELECT *, 1 AS prediction FROM ratings))";
    let refusal = session.refusal(sql).await;
    assert_eq!(
        refusal,
        "DuplicateColumn: predict: the input already has a column prediction; choose another name with output => '…', \
         or leave the column out"
    );
    let refusal = session.refusal("SELECT * FROM predict('taste', ratings, threshold => 0.4)").await;
    assert_eq!(
        refusal,
        "InvalidArgument: the argument threshold of predict needs a classifier, but the model taste predicts numbers; \
         leave it out"
    );
    let refusal = session.refusal("SELECT * FROM predict('nothing', ratings)").await;
    assert!(refusal.starts_with("UndefinedObject: "), "{refusal}");
    session.train("'b', (SELECT user_id, liked FROM ratings), target => 'liked'").await;
    let refusal = session.refusal("SELECT * FROM predict('b', ratings, threshold => 1.5)").await;
    assert_eq!(
        refusal,
        "InvalidArgument: the argument threshold of predict is 1.5; expected a probability from 0 to 1"
    );
}

#[tokio::test]
async fn the_output_can_be_named() {
    let session = Session::new().await;
    session.train("'b', (SELECT user_id, liked FROM ratings), target => 'liked'").await;
    let sql = "SELECT churn, churn_probability FROM predict('b', (SELECT user_id, 0 AS prediction FROM ratings), output => 'churn')";
    assert_eq!(columns(&session, sql).await.len(), 2);
    let sql = "SELECT * FROM predict('b', (SELECT user_id, 0 AS churn_probability FROM ratings), output => 'churn')";
    assert!(session.refusal(sql).await.starts_with("DuplicateColumn"));
}

#[tokio::test]
async fn texts_of_numbers_are_numbers() {
    let session = session().await;
    let same = "SELECT count(*) FROM
        predict('taste', (SELECT user_id, CAST(item_id AS VARCHAR) AS item_id, category, position FROM ratings)) AS a
        JOIN predict('taste', ratings) AS b ON a.position = b.position AND a.prediction = b.prediction";
    assert_eq!(session.rows(same).await, ["200"]);
    let sql = "SELECT * FROM predict('taste', (SELECT user_id, 'seven' AS item_id, category FROM ratings))";
    let refusal = session.refusal(sql).await;
    assert_eq!(
        refusal,
        "InvalidText: the column item_id holds 'seven', which is not a whole number of 64 bits; correct the value or \
         leave the row out"
    );
}

#[tokio::test]
async fn views_subqueries_and_lateral_calls_are_planned() {
    let session = session().await;
    session.run("CREATE VIEW scored AS SELECT user_id, prediction FROM predict('taste', ratings)").await;
    assert_eq!(session.rows("SELECT count(*) FROM scored WHERE prediction IS NOT NULL").await, ["200"]);
    let sql = "SELECT count(*) FROM (SELECT 1 AS one) AS o, LATERAL predict('taste', ratings) AS p";
    assert_eq!(session.rows(sql).await, ["200"]);
    let sql =
        "WITH p AS (SELECT * FROM predict('taste', ratings)) SELECT count(*) FROM p AS a JOIN p AS b USING (position)";
    assert_eq!(session.rows(sql).await, ["200"]);
    let sql = "SELECT predict.position FROM predict('taste', (SELECT r.* FROM ratings AS r JOIN ratings AS s USING (position)))
        WHERE predict.position < 3 ORDER BY 1";
    assert_eq!(session.rows(sql).await, ["1", "2"]);
}

#[tokio::test]
async fn unseen_and_null_categories_score_by_the_rest() {
    let session = session().await;
    let sql = "SELECT count(DISTINCT prediction), count(*) FROM predict('taste',
        (SELECT 'nobody' AS user_id, 3 AS item_id, 'pop' AS category UNION ALL SELECT 'no one', 3, 'pop'))";
    assert_eq!(session.rows(sql).await, ["1|2"]);
    let sql =
        "SELECT prediction IS NULL FROM predict('taste', (SELECT NULL AS user_id, NULL AS item_id, NULL AS category))";
    assert_eq!(session.rows(sql).await, ["false"]);
    let version = session.models().resolve("taste").unwrap();
    let loaded = session.functions.registry.load(&version.reference()).await.unwrap();
    assert!(
        loaded.model.column("user_id").unwrap().dictionary().unwrap().code_of_text("nobody").unwrap_or(UNSEEN)
            == UNSEEN
    );
}

#[tokio::test]
async fn infinite_numbers_are_refused() {
    let session = Session::new().await;
    session.train("'m', (SELECT user_id, price, rating FROM ratings), target => 'rating'").await;
    let sql = "SELECT * FROM predict('m', (SELECT user_id, CAST('inf' AS DOUBLE) AS price FROM ratings))";
    let refusal = session.refusal(sql).await;
    assert!(refusal.starts_with("InvalidData: ") && refusal.contains("price"), "{refusal}");
    let sql =
        "SELECT count(prediction) FROM predict('m', (SELECT user_id, CAST('nan' AS DOUBLE) AS price FROM ratings))";
    assert_eq!(session.rows(sql).await, ["200"]);
}

#[tokio::test]
async fn a_parameter_without_a_type_takes_the_trained_one() {
    let session = session().await;
    let sql = "SELECT prediction FROM predict('taste', (SELECT $1 AS user_id, $2 AS item_id, 'pop' AS category))";
    let plan = session.plan(sql).await;
    let types = plan.get_parameter_types().unwrap();
    assert_eq!(types["$1"], Some(DataType::Utf8));
    assert_eq!(types["$2"], Some(DataType::Int32));
    let values = vec![ScalarValue::from("u3"), ScalarValue::Int32(Some(3))];
    let plan = plan.with_param_values(values).unwrap();
    let bound = session.context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap();
    let written = session.run(&sql.replace("$1", "'u3'").replace("$2", "3")).await;
    assert_eq!(bound[0].column(0), written[0].column(0));
}

#[tokio::test]
async fn no_rows_give_no_rows() {
    let session = session().await;
    assert_eq!(session.rows("SELECT count(*) FROM predict('taste', (SELECT * FROM ratings WHERE false))").await, ["0"]);
    let empty = session.run("SELECT * FROM predict('taste', (SELECT * FROM ratings WHERE position < 0))").await;
    assert_eq!(empty.iter().map(|batch| batch.num_rows()).sum::<usize>(), 0);
}
