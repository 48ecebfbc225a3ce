//! Tables over data sets from elsewhere.

use super::*;

/// The data set of a name in `../shared/data`, which tests share.
fn shared(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    let other = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    let found = [path, other].into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("the shared data set {name} is missing")).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn real_files_are_understood() {
    let files = Files::with_partitions(2);
    for (name, options, rows, types) in [
        ("shop/invoices.parquet", &[][..], 240_007, ""),
        ("shop/products.ndjson", &[], 3539, "stock_code text, description text"),
        ("shop/customers.csv", &[], 2974, "customer_id bigint, country text"),
        ("abt_buy/abt.csv", &[], 1076, "id bigint, name text, description text, price double precision"),
        ("abt_buy/gt.csv", &[], 1076, "D1 bigint, D2 bigint"),
        ("lastfm/train.csv", &[], 0, "user_id bigint, item_id bigint"),
        ("hillstrom/hillstrom.csv", &[], 64_000, ""),
        ("small/airline-passengers.csv", &[], 144, "Month text, Passengers bigint"),
        ("small/housing.csv", &[("header", "auto")], 506, ""),
        ("small/horse-colic.csv", &[("null_value", "?")], 300, ""),
    ] {
        let request = TableRequest { locations: vec![shared(name)], ..files.request("", options) };
        let definition = files.resolve(request).await.unwrap();
        let found = files.query(&definition, "SELECT count(*) AS n FROM t").await.unwrap();
        assert!(rows == 0 || found.contains(&format!("| {rows}")), "{name}: {found}");
        let schema = definition.table_schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| format!("{} {}", field.name(), infer::type_name(field.data_type())))
            .collect();
        assert!(types.is_empty() || columns.join(", ") == types, "{name}: {}", columns.join(", "));
    }
    let request = TableRequest {
        locations: vec![shared("adult/adult.data")],
        format: Some("csv".to_owned()),
        ..files.request("", &[("null_value", "?")])
    };
    let definition = files.resolve(request).await.unwrap();
    let sql = "SELECT count(*) AS n, sum(column_1) AS s, count(column_2) AS c, count(DISTINCT column_15) AS d FROM t";
    let rows = files.query(&definition, sql).await.unwrap();
    assert!(rows.contains("| 32561 | 1256257 | 30725 | 2 |"), "{rows}");
}
