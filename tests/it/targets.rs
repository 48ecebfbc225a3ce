//! What SQL over the wire may write and read where links lead out of the paths that are allowed.

use std::{fs, os::unix::fs::symlink};

use crate::support::{Local, files_below};

async fn refused(client: &Local, sql: &str) -> String {
    let report = client.report(sql).await;
    format!("{}: {}", report.code, report.message)
}

// Symptom: COPY to `file:/…/` and to `open/link/../../x.csv` wrote outside the allowed paths. Cause: what was checked was read
// anew by whoever opened it, once as a path and once as a URL, and `..` went up by the text. Fix: the place is resolved once.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_reads_what_is_allowed_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    for (file, text) in [("open/a.csv", "a\n1\n"), ("closed/deep/b.csv", "a\n2\n"), ("closed/c.csv", "a\n3\n")] {
        fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
        fs::write(home.join(file), text).unwrap();
    }
    symlink("../closed/deep", home.join("open/link")).unwrap();
    symlink("../closed/new.csv", home.join("open/dangling.csv")).unwrap();
    symlink("../closed/c.csv", home.join("open/report[1].csv")).unwrap();
    let client = Local::client(&home.join("open")).await.unwrap();
    let at = |place: &str| home.join(place).display().to_string();
    for place in [
        at("closed/x.csv"),
        format!("file:{}/", at("closed/x")),
        format!("FILE://{}", at("open/%2e%2e/closed/x.csv")),
        at("open/link/x.csv"),
        at("open/link/../x.csv"),
        at("open/link/../../closed/x.csv"),
        at("open/link/"),
        at("open/dangling.csv"),
        at("open/report[1].csv"),
    ] {
        let error = refused(&client, &format!("COPY (SELECT 1 AS a) TO '{place}' STORED AS CSV")).await;
        assert!(error.starts_with("42501: ") && error.contains("may not be opened"), "{place}: {error}");
        let error = refused(&client, &format!("SELECT * FROM read_csv('{place}')")).await;
        assert!(error.starts_with("42501: ") && error.contains("may not be opened"), "{place}: {error}");
    }
    for place in ["open/link/../*.csv", "open/l*", "open/l*/b.csv", "open/report*.csv", "open/report?1?.csv"] {
        let error = refused(&client, &format!("SELECT * FROM '{}'", at(place))).await;
        assert!(error.starts_with("42501: ") && !error.contains("b.csv' may"), "{place}: {error}");
    }
    symlink("../closed", home.join("open/k=1")).unwrap();
    let partitioned = format!("COPY (SELECT 1 AS k, 2 AS a) TO '{}' STORED AS CSV PARTITIONED BY (k)", at("open"));
    let error = refused(&client, &partitioned).await;
    assert!(error.starts_with("42501: ") && error.contains("k=1' is a symbolic link"), "{error}");
    assert_eq!(files_below(&home.join("closed")), ["c.csv", "deep/b.csv"]);
    client.rows(&format!("COPY (SELECT 5 AS a) TO '{}'", at("open/link/../../open/a.csv"))).await;
    assert_eq!(client.value(&format!("SELECT a FROM '{}'", at("open/link/../../open/a.csv"))).await, "5");
    assert_eq!(fs::read_to_string(home.join("open/a.csv")).unwrap(), "a\n5\n");
}
