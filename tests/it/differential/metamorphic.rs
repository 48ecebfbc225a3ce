//! Answers that must agree with one another, where PostgreSQL has no word: the rows for which a condition is true, false or
//! unknown are all rows; the same rows stored otherwise, in another order, read by another number of threads, give the same
//! answers; and what is predicted of a row depends on no other.

use std::time::{Duration, Instant};

use super::{
    answer::{Answer, Rows, simple},
    compare::difference,
    engine::Running,
    query::{Generator, Scope, reach},
    schema::{self, Engine, Storage, Table},
    tree::{Expr, Item, Kind, Query, Select, form},
};
use crate::random::Random;

const SEED: u64 = 29;
const GROUPS: u64 = 8;
const QUERIES_PER_GROUP: u64 = 12;
const TIME: Duration = Duration::from_secs(40);
/// Keeps these cases apart from those that are compared with PostgreSQL.
const PURPOSE: u64 = 0x6d65_7461;

/// Of all that is asked, so much must have been answered.
const LEAST_ANSWERED: f64 = 0.8;

#[derive(Default)]
struct Count {
    asked: usize,
    agreed: usize,
}

impl Count {
    fn check(&self) {
        println!("seed {SEED}: {} of {} answered, and they agree", self.agreed, self.asked);
        assert!(self.agreed > 0 && self.agreed as f64 >= LEAST_ANSWERED * self.asked as f64, "too little was answered");
    }
}

#[tokio::test]
async fn what_is_true_false_and_unknown_is_all_there_is() {
    let (started, mut count) = (Instant::now(), Count::default());
    for group in (0..GROUPS).take_while(|_| started.elapsed() < TIME) {
        let (engine, tables) = schema::random_group(&mut Random::of(&[SEED, group, PURPOSE]));
        let running = started_with(&engine, &tables).await;
        for number in 0..QUERIES_PER_GROUP {
            let mut generator = Generator::new(Random::of(&[SEED, group, number, PURPOSE]), &tables, &[]);
            let (whole, parts) = partition(&mut generator);
            count.asked += 1;
            let Some(expected) = rows(&running, &whole).await else { continue };
            let mut together = Rows::new();
            let mut is_whole = true;
            for part in &parts {
                match rows(&running, part).await {
                    Some(rows) => together.extend(rows),
                    None => is_whole = false,
                }
            }
            if !is_whole {
                continue;
            }
            if let Some(difference) = difference(&whole, &together, &expected) {
                let parts: Vec<String> = parts.iter().map(Query::sql).collect();
                panic!(
                    "seed {SEED} group {group} query {number}: the parts are not the whole: {difference}\n{}\n{:?}\n{}\n{}",
                    created(&tables),
                    engine,
                    whole.sql(),
                    parts.join("\n")
                );
            }
            count.agreed += 1;
        }
    }
    count.check();
}

/// A query without a condition, and those for the rows that a condition is true, false and unknown for.
fn partition(generator: &mut Generator) -> (Query, Vec<Query>) {
    let items = generator.source_count(None);
    let sources = generator.sources(items, None);
    let scope = Scope { relations: sources.relations, outer: None };
    let condition = generator.predicate(&scope, 2);
    let shown = scope.relations.iter().flat_map(|relation| {
        relation.columns.iter().map(|column| Item::One { expr: reach(relation, column), name: None })
    });
    let select = Select { items: shown.collect(), from: Some(sources.from), ..Select::default() };
    let part = |filter: Expr| Query::select(Select { filter: Some(filter), ..select.clone() });
    let parts = vec![
        part(condition.clone()),
        part(form!(Kind::Bool, "NOT ({})", condition.clone())),
        part(form!(Kind::Bool, "({}) IS NULL", condition)),
    ];
    (Query::select(select), parts)
}

#[tokio::test]
async fn the_same_rows_in_another_format_and_order_give_the_same_answers() {
    let (started, mut count) = (Instant::now(), Count::default());
    for group in (0..GROUPS).take_while(|_| started.elapsed() < TIME) {
        let mut random = Random::of(&[SEED, group, PURPOSE]);
        let (engine, tables) = schema::random_group(&mut random);
        let (other, others) = (otherwise(&engine), stored_otherwise(&mut random, &tables));
        let (first, second) = (started_with(&engine, &tables).await, started_with(&other, &others).await);
        for number in 0..QUERIES_PER_GROUP {
            let random = Random::of(&[SEED, group, number, PURPOSE, 1]);
            let query = Generator::new(random, &tables, &[]).query(false);
            count.asked += 1;
            let (Some(one), Some(two)) = (rows(&first, &query).await, rows(&second, &query).await) else { continue };
            if let Some(difference) = difference(&query, &two, &one) {
                panic!(
                    "seed {SEED} group {group} query {number}: {difference}\n{}\n{engine:?} against {other:?}\n{}",
                    created(&tables),
                    query.sql()
                );
            }
            count.agreed += 1;
        }
    }
    count.check();
}

fn otherwise(engine: &Engine) -> Engine {
    Engine {
        threads: 3 - engine.threads,
        target_partitions: if engine.target_partitions == 1 { 3 } else { 1 },
        batch_size: if engine.batch_size > 100 { 3 } else { 8192 },
        memory_limit: "1GB",
        keeps_data: !engine.keeps_data,
    }
}

/// The same tables in a format that holds every value, their rows shuffled.
fn stored_otherwise(random: &mut Random, tables: &[Table]) -> Vec<Table> {
    let stored = tables.iter().map(|table| {
        let mut table = table.clone();
        random.shuffle(&mut table.rows);
        table.storage = match table.storage {
            Storage::Managed if !table.rows.is_empty() => Storage::Parquet,
            _ => Storage::Managed,
        };
        table
    });
    stored.collect()
}

#[tokio::test]
async fn what_is_predicted_of_a_row_depends_on_no_other() {
    let engine = Engine { threads: 2, target_partitions: 3, batch_size: 7, memory_limit: "1GB", keeps_data: false };
    let running = started_with(&engine, &[]).await;
    let made = [
        "CREATE TABLE people AS SELECT u AS id, CASE WHEN u % 4 = 0 THEN NULL ELSE u % 3 END AS region FROM generate_series(1, 40) AS s(u)",
        "CREATE TABLE goods AS SELECT i AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE 'kind ' || i % 4 END AS kind FROM generate_series(1, 25) AS s(i)",
        "CREATE TABLE scores AS SELECT p.id AS person, g.id AS good, (p.id * g.id % 7)::double precision AS score FROM people p, goods g WHERE (p.id + g.id) % 3 > 0",
        "SELECT * FROM train('taste', (SELECT s.person, s.good, p.region, g.kind, s.score FROM scores s JOIN people p ON s.person = p.id \
         JOIN goods g ON s.good = g.id), target => 'score', user => 'person', item => 'good', factors => 4, split => 'none')",
        "SELECT * FROM train('likes', (SELECT person, good FROM scores WHERE score > 2), user => 'person', item => 'good', factors => 4, split => 'none')",
    ];
    running.execute(&made.map(str::to_owned)).await.unwrap_or_else(|error| panic!("{error}"));
    let input = "SELECT p.id AS person, g.id AS good, p.region, g.kind FROM people p FULL JOIN goods g ON p.id >= g.id - 3 OR g.kind IS NULL";
    let predicted = format!("SELECT person, good, region, kind, prediction FROM predict('taste', ({input}))");
    let of_parts = |condition: &str| {
        format!(
            "SELECT person, good, region, kind, prediction FROM predict('taste', (SELECT * FROM ({input}) AS i WHERE {condition}))"
        )
    };
    let scored = "SELECT p.id, p.region, r.good, r.rank, r.score FROM people p LEFT JOIN recommend('likes', (SELECT id AS person FROM people), k => 4) r \
                  ON r.person = p.id";
    for condition in ["region = 1", "kind > 'kind 1'", "person > good", "region = 1 OR kind = 'kind 2'"] {
        let parts = [condition.to_owned(), format!("NOT ({condition})"), format!("({condition}) IS NULL")];
        let whole = asked(&running, &predicted).await;
        let (mut filtered, mut separate) = (Rows::new(), Rows::new());
        for part in &parts {
            filtered.extend(asked(&running, &format!("{predicted} WHERE {part}")).await);
            separate.extend(asked(&running, &of_parts(part)).await);
        }
        assert!(whole.len() > 500);
        assert_eq!(sorted(filtered), sorted(whole.clone()), "predictions filtered by {condition}");
        assert_eq!(sorted(separate), sorted(whole), "predictions of rows filtered by {condition}");
    }
    for condition in ["p.region = 1", "r.rank > 2", "r.score > p.region"] {
        let parts = [condition.to_owned(), format!("NOT ({condition})"), format!("({condition}) IS NULL")];
        let mut together = Rows::new();
        for part in &parts {
            together.extend(asked(&running, &format!("{scored} WHERE {part}")).await);
        }
        assert_eq!(sorted(together), sorted(asked(&running, scored).await), "recommendations filtered by {condition}");
    }
    // A user at a time, beside all at once.
    let mut one_by_one = Rows::new();
    for person in 1..=40 {
        let one =
            format!("SELECT person, good, rank, score FROM recommend('likes', (SELECT {person} AS person), k => 4)");
        one_by_one.extend(asked(&running, &one).await);
    }
    let all = "SELECT person, good, rank, score FROM recommend('likes', (SELECT id AS person FROM people ORDER BY region), k => 4)";
    assert_eq!(sorted(one_by_one), sorted(asked(&running, all).await));
    // Stored first, and then joined.
    let stored = ["CREATE TABLE wanted AS ".to_owned() + input];
    running.execute(&stored).await.unwrap_or_else(|error| panic!("{error}"));
    let of_stored = "SELECT person, good, region, kind, prediction FROM predict('taste', wanted)";
    assert_eq!(sorted(asked(&running, of_stored).await), sorted(asked(&running, &predicted).await));
}

async fn started_with(engine: &Engine, tables: &[Table]) -> Running {
    let mut running = Running::start(engine).await;
    for table in tables {
        running.load(table).await.unwrap_or_else(|error| panic!("the tables cannot be loaded: {error}"));
    }
    running
}

/// The rows; none where the query is refused.
async fn rows(running: &Running, query: &Query) -> Option<Rows> {
    match simple(&running.client, &query.sql()).await {
        Answer::Rows(rows) => Some(rows),
        Answer::Failed { code, message } if code == "XX000" => panic!("{message}\n{}", query.sql()),
        Answer::Lost(message) => panic!("the connection broke: {message}\n{}", query.sql()),
        Answer::Failed { .. } | Answer::TimedOut => None,
    }
}

async fn asked(running: &Running, sql: &str) -> Rows {
    match simple(&running.client, sql).await {
        Answer::Rows(rows) => rows,
        other => panic!("{sql}: {other:?}"),
    }
}

fn sorted(mut rows: Rows) -> Rows {
    rows.sort();
    rows
}

fn created(tables: &[Table]) -> String {
    tables.iter().flat_map(Table::create).map(|statement| statement + ";\n").collect()
}
