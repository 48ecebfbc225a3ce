//! `train` through SQL: what it makes, that it repeats, and what it refuses.

use std::sync::Arc;

use arrow::{
    array::{BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array},
    compute::take_record_batch,
    datatypes::{DataType, Field, Schema},
};
use datafusion::{
    common::{DataFusionError, Result, ScalarValue},
    logical_expr::LogicalPlan,
};
use fusewire_learn::random::Random;
use futures::StreamExt;

use crate::{Error, Fault, Limits, Progress, models::ColumnRole, table::train, testing::World};

/// Users like items whose number has their own remainder by three.
fn ratings(rows: usize) -> RecordBatch {
    let mut random = Random::keyed(7, &[]);
    let pairs: Vec<(u64, u64)> = (0..rows).map(|_| (random.below(40), random.below(30))).collect();
    let like = |(user, item): &(u64, u64)| user % 3 == item % 3;
    let schema = Schema::new(vec![
        Field::new("user_id", DataType::Utf8, true),
        Field::new("item_id", DataType::Int64, true),
        Field::new("Category", DataType::Utf8, true),
        Field::new("price", DataType::Float64, true),
        Field::new("rating", DataType::Float64, true),
        Field::new("liked", DataType::Boolean, true),
    ]);
    let price = |item: u64| if item == 4 { None } else { Some(item as f64 / 2.0) };
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(StringArray::from_iter_values(pairs.iter().map(|pair| format!("u{}", pair.0)))),
            Arc::new(Int64Array::from_iter_values(pairs.iter().map(|pair| pair.1 as i64))),
            Arc::new(StringArray::from_iter_values(pairs.iter().map(|pair| ["a", "b", "c"][pair.1 as usize % 3]))),
            Arc::new(Float64Array::from_iter(pairs.iter().map(|pair| price(pair.1)))),
            Arc::new(Float64Array::from_iter_values(pairs.iter().map(|pair| if like(pair) { 5.0 } else { 2.0 }))),
            Arc::new(BooleanArray::from_iter(pairs.iter().map(|pair| Some(like(pair))))),
        ],
    )
    .unwrap()
}

fn shuffled(rows: &RecordBatch, seed: u64) -> RecordBatch {
    let mut order: Vec<u64> = (0..rows.num_rows() as u64).collect();
    let mut random = Random::keyed(seed, &[1]);
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at as u64 + 1) as usize);
    }
    take_record_batch(rows, &UInt64Array::from(order)).unwrap()
}

fn world(rows: &RecordBatch) -> World {
    let world = World::new();
    world.table("ratings", rows, 1, 1000);
    world
}

const SQUARED: &str = "SELECT * FROM train('taste', (SELECT user_id, item_id, \"Category\", price, rating FROM ratings), \
                       target => 'rating', user => 'user_id', item => 'item_id', factors => 4, epochs => 3)";
const LOGISTIC: &str = "SELECT * FROM train('taste', (SELECT user_id, item_id, \"Category\", price, liked FROM ratings), \
                        target => 'liked', user => 'user_id', item => 'item_id', factors => 4, epochs => 3)";
const IMPLICIT: &str = "SELECT * FROM train('taste', (SELECT user_id, item_id, \"Category\", price FROM ratings WHERE liked), \
                        user => 'user_id', item => 'item_id', factors => 4, epochs => 3)";

#[tokio::test(flavor = "multi_thread")]
async fn a_training_keeps_a_version_and_returns_its_metrics() {
    let world = world(&ratings(600));
    let text = world.text(&format!("SELECT model, version, split, slice, metric FROM ({SQUARED})")).await;
    assert!(text.contains("| taste | 1       | test  | all   | rmse   |"), "{text}");
    let version = world.newest();
    assert_eq!((version.schema.as_str(), version.name.as_str(), version.version), ("public", "taste", 1));
    assert_eq!(version.seed, 42);
    assert_eq!(version.sources, ["ratings"]);
    assert_eq!(version.options.get("target").map(String::as_str), Some("'rating'"));
    assert_eq!(version.options.get("factors").map(String::as_str), Some("4"));
    assert!(version.sql.starts_with("train('taste', (SELECT user_id, item_id"), "{}", version.sql);
    let signature = &version.signature;
    assert_eq!(signature.objective, "squared");
    assert_eq!(signature.user().map(|user| user.data_type.clone()), Some(DataType::Utf8));
    assert_eq!(signature.item().map(|item| item.data_type.clone()), Some(DataType::Int64));
    let category = signature.column("Category").unwrap();
    assert_eq!((category.role, category.levels), (ColumnRole::ItemFeature, Some(3)));
    let price = signature.column("price").unwrap();
    assert!(price.nulls && price.encoding == "number", "{price:?}");
    let steps = world.told.lock().unwrap();
    assert!(
        steps.iter().any(|told| matches!(told, Progress::Step { phase, .. } if phase.starts_with("train taste: ")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn training_again_makes_the_next_version_and_promotes_unless_told_not_to() {
    let world = world(&ratings(300));
    world.run(SQUARED).await.unwrap();
    world.run(&SQUARED.replace("epochs => 3", "epochs => 2, promote => false")).await.unwrap();
    assert!(world.text("SELECT DISTINCT version FROM evaluate('taste')").await.contains("| 1       |"));
    assert!(world.text("SELECT DISTINCT version FROM evaluate('taste@2')").await.contains("| 2       |"));
    world.run(SQUARED).await.unwrap();
    assert!(world.text("SELECT DISTINCT version FROM evaluate('TASTE')").await.contains("| 3       |"));
    let digests: Vec<_> = world.models.versions().into_iter().map(|version| version.digest).collect();
    assert_eq!(digests[0], digests[2]);
    assert_ne!(digests[0], digests[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_depends_on_the_rows_alone() {
    let rows = ratings(500);
    for (statement, objective) in [(SQUARED, "squared"), (LOGISTIC, "logistic"), (IMPLICIT, "implicit")] {
        let mut digests = Vec::new();
        for (partitions, threads, seed) in [(1, 1, None), (1, 2, Some(1)), (2, 1, Some(2)), (7, 2, Some(3))] {
            let world = World::with(partitions, threads);
            let rows = seed.map_or_else(|| rows.clone(), |seed| shuffled(&rows, seed));
            world.table("ratings", &rows, partitions, 41);
            world.run(statement).await.unwrap();
            assert_eq!(world.newest().signature.objective, objective);
            digests.push(world.newest().digest);
        }
        digests.dedup();
        assert_eq!(digests.len(), 1, "{objective}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_names_the_columns_and_the_function_qualifies_them() {
    let world = world(&ratings(200));
    let renamed = SQUARED.replace("SELECT *", "SELECT t.a, t.metric") + " AS t(a, b)";
    let text = world.text(&format!("{renamed} LIMIT 1")).await;
    assert!(text.contains("| a     | metric |"), "{text}");
    let text = world.text(&SQUARED.replace("SELECT *", "SELECT DISTINCT train.model")).await;
    assert!(text.contains("| taste |"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn planning_does_not_train() {
    let world = world(&ratings(200));
    let text = world.text(&format!("EXPLAIN {SQUARED}")).await;
    assert!(text.contains("Train: public.taste") && text.contains("TrainExec: public.taste"), "{text}");
    world.session.sql(SQUARED).await.unwrap().create_physical_plan().await.unwrap();
    world.run(&format!("PREPARE p AS {SQUARED}")).await.unwrap();
    assert!(world.models.versions().is_empty());
    world.run(&format!("EXPLAIN ANALYZE {SQUARED}")).await.unwrap();
    assert_eq!(world.models.versions().len(), 1);
}

/// What the engine does with a statement: the training first, by itself, and then the rest over its rows.
#[tokio::test(flavor = "multi_thread")]
async fn rows_take_the_place_of_the_training() {
    let world = world(&ratings(200));
    let sql =
        SQUARED.replace("SELECT *", "SELECT count(*) AS n, min(t.version) AS v") + " AS t WHERE t.version < 0 LIMIT 1";
    let plan = world.session.sql(&sql).await.unwrap().into_unoptimized_plan();
    let found = train::find(&plan).unwrap();
    let [training] = found.as_slice() else { panic!("{found:?}") };
    assert!(matches!(training, LogicalPlan::Extension(_)));
    let row = world.session.execute_logical_plan(training.clone()).await.unwrap().collect().await.unwrap();
    let version = train::trained(&row).unwrap();
    assert!(world.models.versions().is_empty(), "the statement publishes it");
    let number = world.models.publish(version.clone());
    let metrics = train::rows(&version, number).unwrap();
    assert!(train::trained(&[metrics.slice(0, 1)]).is_err(), "metrics hold no model");
    let rest = train::substitute(plan.clone(), vec![metrics]).unwrap();
    assert!(train::find(&rest).unwrap().is_empty());
    assert_eq!(rest.schema(), plan.schema());
    let rows = world.session.execute_logical_plan(rest).await.unwrap().collect().await.unwrap();
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
    assert_eq!(world.models.versions().len(), 1);
    let none = world.session.sql("SELECT 1").await.unwrap().into_unoptimized_plan();
    assert!(train::find(&none).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stream_publishes_nothing() {
    let world = world(&ratings(2000));
    let context = world.session.task_ctx().session_config().get_extension::<crate::FunctionContext>().unwrap();
    let idle = Arc::strong_count(&context);
    let endless = SQUARED.replace("epochs => 3", "epochs => 10000");
    let mut stream = world.session.sql(&endless).await.unwrap().execute_stream().await.unwrap();
    let told = world.told.clone();
    let started = async move {
        while told.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        row = stream.next() => panic!("10000 epochs ended with {row:?}"),
        () = started => {}
    }
    drop(stream);
    // The computation holds the session's context until it ends, and before its last epoch it ends only when told to.
    while Arc::strong_count(&context) > idle {
        tokio::task::yield_now().await;
    }
    let told = world.told.lock().unwrap();
    let last = told.iter().rev().find_map(|told| match told {
        Progress::Step { done, total, .. } => Some((*done, *total)),
        Progress::Notice(_) => None,
    });
    assert!(last.is_some_and(|(done, total)| done < total), "{last:?}");
    assert!(world.models.versions().is_empty());
}

async fn refused(world: &World, sql: &str) -> String {
    let (message, fault) = world.error(sql).await;
    format!("{fault:?}: {message}")
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_checked_by_name() {
    let world = world(&ratings(50));
    let accepted = "model, input, kind, target, user, item, time, objective, user_columns, item_columns, categories, text, \
                    weight, strength, split, test_size, seed, refit, promote, factors, epochs, learning_rate, \
                    regularization, alpha, unobserved_weight, frequency_exponent, feature_regularization";
    let with = |arguments: &str| format!("SELECT * FROM train({arguments})");
    for (arguments, expected) in [
        (
            "'m', ratings, targt => 'rating'",
            format!("InvalidArgument: train has no argument targt (did you mean target?); it accepts {accepted}"),
        ),
        ("'m', ratings, zzz => 1", format!("InvalidArgument: train has no argument zzz; it accepts {accepted}")),
        (
            "'m', target => 'rating'",
            format!("InvalidArgument: train needs the argument input: the rows to learn from; it accepts {accepted}"),
        ),
        (
            "'m', ratings, target => 'rating', target => 'rating'",
            "InvalidArgument: the argument target of train is given twice; give it once".into(),
        ),
        (
            "'m', ratings, input => ratings",
            "InvalidArgument: the argument input of train is given twice; give it once".into(),
        ),
        (
            "'m', ratings, target => rating",
            "InvalidArgument: the argument target of train is the name rating, expected a column's name in quotes; write \
             'rating'"
                .into(),
        ),
        (
            "model => 'm', ratings",
            "InvalidArgument: train takes no argument without a name after one with a name; name argument 2".into(),
        ),
        (
            "'m', 'ratings', target => 'rating'",
            "InvalidArgument: the argument input of train is 'ratings', expected a query in parentheses or the name of a \
             table or view"
                .into(),
        ),
        ("'m', ratings, seed => 'x'", "InvalidArgument: the argument seed of train is 'x', expected a whole number".into()),
        ("'m', ratings, seed => 1.5", "InvalidArgument: the argument seed of train is 1.5, expected a whole number".into()),
        ("'m', ratings, seed => -1", "InvalidArgument: the argument seed of train is -1, expected a number from 0".into()),
        ("'m', ratings, refit => 1", "InvalidArgument: the argument refit of train is 1, expected true or false".into()),
        (
            "'m', ratings, kind => 'tree'",
            "InvalidArgument: the argument kind of train is 'tree', expected 'embedding'".into(),
        ),
        (
            "'m@2', ratings, target => 'rating'",
            "InvalidArgument: the argument model of train names version 2, but training makes the next version itself; \
             leave out @2"
                .into(),
        ),
        (
            "'my model', ratings",
            "InvalidArgument: 'my model' is not a model's name: unquoted names hold letters, digits, _ and $, and do not \
             start with a digit; expected a name such as 'taste', 'taste@3' or 'sales.taste'"
                .into(),
        ),
        (
            "'m', ratings, target => 'ratings'",
            "UndefinedColumn: train: the input has no column ratings (named by target); it has user_id, item_id, Category, \
             price, rating, liked"
                .into(),
        ),
        (
            "'m', ratings, target => 'rating', user => 'user_id', item => 'item_id', item_columns => ARRAY['colour']",
            "UndefinedColumn: train: the input has no column colour (named by item_columns); it has user_id, item_id, \
             Category, price, rating, liked"
                .into(),
        ),
        (
            "'m', ratings, target => 'rating', split => 'group:shop'",
            "UndefinedColumn: train: the input has no column shop (named by split); it has user_id, item_id, Category, \
             price, rating, liked"
                .into(),
        ),
        (
            "'m', ratings, target => 'rating', factors => 2000",
            "InvalidArgument: factors: found 2000, expected a whole number from 0 to 1024 (implicit: from 1)".into(),
        ),
        (
            "'m', (SELECT a.item_id, b.item_id FROM ratings a, ratings b)",
            "DuplicateColumn: train: the relation input has two columns named item_id; rename one with AS, or select one of \
             them (its columns are item_id, item_id)"
                .into(),
        ),
    ] {
        assert_eq!(refused(&world, &with(arguments)).await, expected);
    }
    assert!(world.models.versions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn types_are_checked_when_the_statement_is_planned() {
    let world = world(&ratings(50));
    for (columns, arguments, expected) in [
        (
            "\"Category\", price",
            "target => 'Category', objective => 'squared'",
            "DatatypeMismatch: train: the column Category is of type text; the objective squared predicts numbers, so cast it \
             to a number or leave objective out",
        ),
        (
            "price, rating",
            "user => 'price', target => 'rating'",
            "DatatypeMismatch: train: the column price is of type double precision; users and items are text, integers or \
             booleans, so cast it",
        ),
        (
            "rating, named_struct('a', price) AS thing",
            "target => 'rating'",
            "DatatypeMismatch: train: the column thing is of type Struct(\"a\": Float64); features are text, booleans, \
             numbers, dates, timestamps and lists of text or numbers, so leave the column out or cast it",
        ),
        (
            "rating, price",
            "target => 'rating', categories => 'price'",
            "DatatypeMismatch: train: the column price is of type double precision; categories are text, integers, booleans \
             and lists of them, so leave it out of categories or cast it",
        ),
        (
            "user_id, price",
            "user => 'user_id'",
            "InvalidArgument: item: without a target the objective is implicit, which needs user and item, and item is \
             missing; name its column, or name a target",
        ),
    ] {
        let sql = format!("EXPLAIN SELECT * FROM train('m', (SELECT {columns} FROM ratings), {arguments})");
        assert_eq!(refused(&world, &sql).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_teach_nothing_are_refused() {
    let world = world(&ratings(50));
    for (query, arguments, expected) in [
        (
            "SELECT rating, price FROM ratings WHERE false",
            "target => 'rating'",
            "the input has no rows; training needs some",
        ),
        (
            "SELECT NULL AS rating, price FROM ratings",
            "target => 'rating'",
            "every value of the target rating is NULL; training needs rows with a target",
        ),
        (
            "SELECT true AS liked, price FROM ratings",
            "target => 'liked'",
            "the target liked has only the class true in the kept rows; a classifier needs rows of two classes",
        ),
    ] {
        let sql = format!("SELECT * FROM train('m', ({query}), {arguments})");
        assert_eq!(refused(&world, &sql).await, format!("InvalidData: {expected}"));
    }
    assert!(world.models.versions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_rows_are_told() {
    let world = world(&ratings(300));
    let query = "SELECT user_id, item_id, CASE WHEN item_id = 3 THEN NULL ELSE rating END AS rating FROM ratings";
    let sql = format!("SELECT * FROM train('m', ({query}), target => 'rating', user => 'user_id', item => 'item_id')");
    world.run(&sql).await.unwrap();
    let notices = world.notices();
    assert!(notices.iter().any(|told| told.ends_with("rows were left out: they have a NULL target")), "{notices:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold() {
    let rows = ratings(50);
    let world = World::limited(1, 1, Limits { input_rows: 49, ..Limits::default() });
    world.table("ratings", &rows, 1, 1000);
    assert_eq!(
        refused(&world, SQUARED).await,
        "LimitExceeded: the number of rows that train was given is 50, more than the limit of 49; give it fewer rows, or \
         raise the limit"
    );
    let world = World::limited(1, 1, Limits { model_bytes: 10, ..Limits::default() });
    world.table("ratings", &rows, 1, 1000);
    let message = refused(&world, SQUARED).await;
    assert!(message.starts_with("LimitExceeded: the size of the model taste in bytes is "), "{message}");
    assert!(world.models.versions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_without_a_value_describe_but_do_not_run() -> Result<()> {
    let world = world(&ratings(50));
    let sql = SQUARED.replace("epochs => 3", "epochs => $1, split => $2");
    let plan = world.plan(&sql, None).await?;
    let types = plan.get_parameter_types()?;
    assert_eq!(types.get("$1"), Some(&Some(DataType::Float64)));
    assert_eq!(types.get("$2"), Some(&Some(DataType::Utf8)));
    let error = world.session.execute_logical_plan(plan).await?.collect().await.unwrap_err();
    assert_eq!(Error::of(&error).map(Error::fault), Some(Fault::FeatureNotSupported), "{error}");
    assert_eq!(
        refused(&world, "SELECT * FROM train($1, ratings)").await,
        "InvalidArgument: the argument model of train is the parameter $1, which has no value yet; its value decides the \
         columns of the result, so write it into the statement"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_get_their_values_before_planning() {
    let world = world(&ratings(200));
    let sql = "SELECT * FROM train($1, (SELECT user_id, item_id, rating FROM ratings WHERE price > $3), target => $2, \
               user => 'user_id', item => 'item_id', epochs => $4::int, test_size => $5, weight => $6)";
    let values = [
        ScalarValue::from("taste"),
        ScalarValue::from("rating"),
        ScalarValue::from(2.5),
        ScalarValue::from(2i64),
        ScalarValue::from(0.25),
        ScalarValue::Null,
    ];
    let plan = world.plan(sql, Some(&values)).await.unwrap();
    world.execute(plan).await.unwrap();
    let options = world.newest().options;
    assert_eq!(options.get("epochs").map(String::as_str), Some("2"));
    assert_eq!(options.get("weight"), None);
    let (message, fault) = world.plan(sql, Some(&values[..3])).await.map_err(|error| own(&error)).unwrap_err();
    assert_eq!(
        (message.as_str(), fault),
        ("the statement has the parameter $4, but 3 values were given", Fault::InvalidArgument)
    );
}

fn own(error: &DataFusionError) -> (String, Fault) {
    Error::of(error).map(|own| (own.to_string(), own.fault())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn constants_may_be_computed() {
    let world = world(&ratings(200));
    let sql =
        SQUARED.replace("epochs => 3", "epochs => 1 + 1, \"test_size\" => '0.25'::double precision, seed => NULL");
    world.run(&sql).await.unwrap();
    let options = world.newest().options;
    assert_eq!(options.get("epochs").map(String::as_str), Some("2"));
    assert_eq!(options.get("test_size").map(String::as_str), Some("0.25"));
    assert_eq!(options.get("seed"), None);
}
