//! Every operator of ours goes to another process and comes back.

use std::{collections::BTreeSet, path::Path};

use datafusion::physical_plan::{collect, displayable};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};

use super::*;
use crate::shop::Session;

const TASTE: &str = "'taste', (SELECT user_id, item_id, category, rating FROM ratings), target => 'rating', user => 'user_id', item => 'item_id'";

/// A statement for every operator; the rows after the journey are the rows before it.
const STATEMENTS: &[(&str, &str)] = &[
    (
        "TrainExec",
        "SELECT metric, value FROM train('again', (SELECT user_id, price, rating FROM ratings), target => 'rating', regularization => 0.7)",
    ),
    ("EvaluateExec", "SELECT * FROM evaluate('taste', ratings)"),
    ("PredictExec", "SELECT user_id, prediction FROM predict('taste', ratings) ORDER BY position"),
    (
        "PredictExec",
        "SELECT prediction, probability FROM predict('class', ratings, threshold => 0.3, output => 'p') AS p(a, b, c, d, e, f, g, h, i, prediction, probability) ORDER BY e",
    ),
    (
        "RecommendExec",
        "SELECT * FROM recommend('taste', ratings, k => 3, exclude => (SELECT 1 AS item_id), max_per => 'category:2')
         WHERE user_id < 'u3' ORDER BY user_id, rank",
    ),
    (
        "RecommendExec",
        "SELECT * FROM recommend('taste', (SELECT 'new' AS user_id), include_seen => true,
         candidates => (SELECT item_id, category, 1.5 AS boost FROM ratings),
         history => (SELECT 'new' AS user_id, 2 AS item_id, 5 AS rating))",
    ),
    ("EmbeddingsExec", "SELECT * FROM embeddings('taste', 'item_id')"),
];

#[tokio::test]
async fn operators_travel() {
    let session = Session::new().await;
    // Files can be read by another process; tables in memory cannot.
    session.train(TASTE).await;
    session.train("'class', (SELECT user_id, price, answer FROM ratings), target => 'answer'").await;
    let directory = std::env::temp_dir().join(format!("fusewire-codec-{}", std::process::id()));
    let file = directory.join("ratings.parquet");
    session.run(&format!("COPY ratings TO '{}'", file.display())).await;
    session.run("DROP TABLE ratings").await;
    session.run(&format!("CREATE EXTERNAL TABLE ratings STORED AS PARQUET LOCATION '{}'", file.display())).await;
    let mut carried = BTreeSet::new();
    for (name, sql) in STATEMENTS {
        let plan = session.physical(sql).await;
        let bytes = physical_plan_to_bytes_with_extension_codec(plan.clone(), &FunctionCodec).unwrap();
        let task = session.context.task_ctx();
        let arrived = physical_plan_from_bytes_with_extension_codec(&bytes, &task, &FunctionCodec).unwrap();
        let shown = lines(plan.as_ref(), name);
        assert!(!shown.is_empty(), "no {name} in {sql}");
        assert_eq!(lines(arrived.as_ref(), name), shown);
        let before = collect(plan, task.clone()).await.unwrap();
        assert_eq!(collect(arrived, task).await.unwrap(), before, "{sql}");
        carried.insert(*name);
    }
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(carried, NODES.iter().map(|node| node.name).collect());
}

/// What EXPLAIN shows of the operators of this name.
fn lines(plan: &dyn ExecutionPlan, name: &str) -> Vec<String> {
    let shown = displayable(plan).indent(false).to_string();
    shown.lines().filter(|line| line.contains(name)).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_is_not_ours_is_refused() {
    let session = Session::empty();
    let task = session.context.task_ctx();
    let converter = datafusion_proto::physical_plan::DefaultPhysicalProtoConverter {};
    let decode = |bytes: &[u8]| FunctionCodec.try_decode(bytes, &[], &task, &converter).unwrap_err().to_string();
    assert!(
        decode(b"{\"node\": \"OtherExec\", \"payload\": null}")
            .contains("the plan holds OtherExec, which this version")
    );
    assert!(decode(b"nonsense").contains("a plan from another process cannot be read"));
    assert!(decode(b"{\"node\": \"PredictExec\", \"payload\": {}}").contains("cannot be read"));
}

/// Every operator of this crate must be in [`NODES`]: the sources say which there are.
#[test]
fn no_operator_is_missing() {
    let mut found = BTreeSet::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    assert_eq!(found, NODES.iter().map(|node| node.name.to_owned()).collect());
}

fn sources(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(text.lines().filter_map(|line| {
                Some(line.strip_prefix("impl ExecutionPlan for ")?.trim_end_matches(" {").to_owned())
            }));
        }
    }
}
