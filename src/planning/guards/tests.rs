//! What cannot fail is planned as DataFusion plans it; what can stays where it was written.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::{
    common::{DFSchema, ScalarValue},
    execution::{SessionStateBuilder, context::QueryPlanner},
    logical_expr::{Expr, cast, col, lit, try_cast},
    optimizer::Optimizer,
    physical_optimizer::optimizer::PhysicalOptimizer,
    physical_plan::displayable,
    prelude::{SessionConfig, SessionContext},
};
use fusewire_udfs::plan::FunctionQueryPlanner;

use super::{GuardArguments, RowByRow, failing::can_fail, keep_filters, keep_projections};

/// Some tables of TPC-H.
const TABLES: &str = "
    CREATE TABLE lineitem (l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_quantity DECIMAL(15,2),
        l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), l_returnflag TEXT, l_linestatus TEXT,
        l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, l_shipinstruct TEXT, l_shipmode TEXT);
    CREATE TABLE orders (o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus TEXT, o_orderdate DATE, o_orderpriority TEXT,
        o_shippriority INT, o_comment TEXT);
    CREATE TABLE customer (c_custkey BIGINT, c_mktsegment TEXT, c_nationkey BIGINT, c_acctbal DECIMAL(15,2), c_phone TEXT);
    CREATE TABLE part (p_partkey BIGINT, p_brand TEXT, p_type TEXT, p_size INT, p_container TEXT)";

/// Conditions as those of TPC-H, which fail on no row. Sums of its products may leave 38 digits and averages are
/// of more places, so the least and the greatest are asked for.
const SAFE: &[&str] = &[
    "SELECT l_returnflag, l_linestatus, sum(l_quantity), min(l_extendedprice * (1 - l_discount)),
        max(l_discount), count(*) FROM lineitem WHERE l_shipdate <= DATE '1998-12-01' - INTERVAL '90' DAY
        GROUP BY l_returnflag, l_linestatus ORDER BY 1, 2",
    "SELECT l_orderkey, min(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate FROM customer, orders, lineitem
        WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey
        AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'
        GROUP BY l_orderkey, o_orderdate ORDER BY revenue DESC LIMIT 10",
    "SELECT o_orderpriority, count(*) FROM orders WHERE o_orderdate >= DATE '1993-07-01'
        AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)
        GROUP BY o_orderpriority",
    "SELECT min(l_extendedprice * l_discount) FROM lineitem WHERE l_shipdate >= DATE '1994-01-01'
        AND l_shipdate < DATE '1994-01-01' + INTERVAL '1' YEAR AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24",
    "SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END)
        FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP')
        AND l_commitdate < l_receiptdate AND l_receiptdate >= DATE '1994-01-01' GROUP BY l_shipmode",
    "SELECT c_custkey, count(o_orderkey) FROM customer LEFT JOIN orders ON c_custkey = o_custkey
        AND o_comment NOT LIKE '%special%requests%' GROUP BY c_custkey",
    "SELECT sum(l_extendedprice) FROM lineitem, part WHERE p_partkey = l_partkey AND p_brand = 'Brand#23'
        AND l_quantity < (SELECT max(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)",
    "SELECT min(l_extendedprice * (1 - l_discount)) FROM lineitem, part WHERE
        (p_partkey = l_partkey AND p_brand = 'Brand#12' AND l_quantity >= 1 AND l_quantity <= 11 AND p_size BETWEEN 1 AND 5)
        OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND l_quantity >= 10 AND p_size BETWEEN 1 AND 10)",
    "SELECT substring(c_phone FROM 1 FOR 2), count(*) FROM customer WHERE substring(c_phone FROM 1 FOR 2) IN ('13', '31')
        AND c_acctbal > (SELECT max(c_acctbal) FROM customer WHERE c_acctbal > 0.00)
        AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey) GROUP BY 1",
    "SELECT extract(year FROM o_orderdate) AS year, count(*) FROM orders WHERE o_shippriority + 1 > 7 GROUP BY year",
];

async fn context(ours: bool) -> SessionContext {
    let builder = SessionStateBuilder::new()
        .with_config(
            SessionConfig::new().with_target_partitions(2).set_str("datafusion.sql_parser.dialect", "postgresql"),
        )
        .with_default_features();
    let builder = match ours {
        false => builder,
        true => {
            let planner: Arc<dyn QueryPlanner + Send + Sync> =
                Arc::new(RowByRow::new(Arc::new(FunctionQueryPlanner::default())));
            builder
                .with_analyzer_rule(Arc::new(GuardArguments))
                .with_optimizer_rules(keep_filters(Optimizer::new().rules))
                .with_physical_optimizer_rules(keep_projections(PhysicalOptimizer::new().rules))
                .with_query_planner(planner)
        }
    };
    let context = SessionContext::new_with_state(builder.build());
    for table in TABLES.split(';') {
        context.sql(table).await.unwrap();
    }
    context
}

/// The optimized plan and its operators.
async fn plans(context: &SessionContext, sql: &str) -> (String, String) {
    let plan = context.sql(sql).await.unwrap().into_optimized_plan().unwrap();
    let operators = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    (plan.display_indent().to_string(), displayable(operators.as_ref()).indent(false).to_string())
}

#[tokio::test]
async fn statements_that_cannot_fail_keep_their_plans() {
    let (stock, ours) = (context(false).await, context(true).await);
    for sql in SAFE {
        assert_eq!(plans(&ours, sql).await, plans(&stock, sql).await, "{sql}");
    }
}

#[tokio::test]
async fn conditions_that_can_fail_stay_above_the_others() {
    let ours = context(true).await;
    let sql = "SELECT o_orderkey FROM (SELECT * FROM orders WHERE o_comment ~ '^[0-9]+$') AS o, customer
               WHERE o_custkey = c_custkey AND o_comment::int > 3 AND c_mktsegment = 'BUILDING'";
    let (plan, _) = plans(&ours, sql).await;
    let places: Vec<_> = ["CAST(", "Inner Join", "c_mktsegment =", "o_comment ~"].map(|part| plan.find(part)).into();
    assert!(places.iter().all(Option::is_some), "{plan}");
    let (cast, join) = (places[0], places[1]);
    assert!(cast < join && places[2] > join && places[3] > join, "{plan}");
}

fn fails(expr: Expr) -> bool {
    let schema = Schema::new(vec![
        Field::new("small", DataType::Int32, true),
        Field::new("large", DataType::Int64, true),
        Field::new("price", DataType::Decimal128(15, 2), true),
        Field::new("name", DataType::Utf8View, true),
        Field::new("day", DataType::Date32, true),
    ]);
    can_fail(&expr, &DFSchema::try_from(schema).unwrap())
}

#[test]
fn divisions_fail_unless_the_divisor_is_named() {
    assert!(fails((lit(10) / col("small")).gt(lit(1))));
    assert!(fails(col("small") / lit(0)));
    assert!(fails(col("small") % lit(-1)));
    assert!(!fails(col("small") / lit(7)));
    assert!(!fails(col("price") * lit(2) - col("price") + col("price")));
}

#[test]
fn casts_fail_where_the_type_is_narrower() {
    assert!(fails(cast(col("name"), DataType::Int32)));
    assert!(fails(cast(col("large"), DataType::Int32)));
    assert!(fails(cast(col("price"), DataType::Decimal128(10, 2))));
    assert!(fails(cast(lit("x"), DataType::Int32)));
    assert!(!fails(cast(lit("5"), DataType::Int32)));
    assert!(!fails(cast(col("small"), DataType::Int64)));
    assert!(!fails(cast(col("small"), DataType::Utf8View)));
    assert!(!fails(cast(col("large"), DataType::Decimal128(20, 0))));
    assert!(!fails(cast(col("price"), DataType::Decimal128(25, 4))));
    assert!(!fails(try_cast(col("name"), DataType::Int32)));
}

#[test]
fn functions_fail_unless_they_are_known_not_to() {
    use datafusion::functions::expr_fn::{chr, date_trunc, lower, substr, substring};
    assert!(fails(chr(col("large"))));
    assert!(fails(date_trunc(col("name"), col("day"))));
    assert!(fails(substring(col("name"), lit(1_i64), col("large"))));
    assert!(!fails(substring(col("name"), col("large"), lit(2_i64))));
    assert!(!fails(substr(lower(col("name")), col("large"))));
    assert!(!fails(date_trunc(lit(ScalarValue::from("month")), col("day"))));
}
