//! The scripts over the shop's three sources give what an independent engine gives.
//!
//! The other engine is DuckDB, run by `tests/oracle/shop.py`: from the Python that is there if it has it, else from an
//! environment of this test's own, made once under the target directory.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// The version that the oracle's queries were written for.
const DUCKDB: &str = "duckdb==2.0.0";

#[test]
fn what_the_sources_hold() {
    assert_same_answers("20_shop_sources", 2);
}

#[test]
fn sales_over_three_formats() {
    assert_same_answers("21_shop_sales", 4);
}

#[test]
fn what_customers_are_worth() {
    assert_same_answers("22_shop_customers", 3);
}

/// Runs a script with both engines and compares every cell; `results` is how many queries it has.
fn assert_same_answers(script: &str, results: usize) {
    let shop = root().join("../shared/data/shop");
    assert!(
        shop.is_dir(),
        "the shop's data is not at {}; put it there (the README says where it comes from)",
        shop.display()
    );
    let theirs =
        rows(&succeeded(Command::new(python()).arg(root().join("tests/oracle/shop.py")).arg(&shop).arg(script)));
    let ours = rows(&succeeded(
        Command::new(env!("CARGO_BIN_EXE_fusewire"))
            .current_dir(root())
            .args(["--format", "csv", "-f"])
            .arg(Path::new("sql").join(script).with_extension("sql")),
    ));
    assert!(theirs.len() > results, "the oracle answered {} rows only", theirs.len());
    assert_eq!(
        ours.len(),
        theirs.len(),
        "{script}: other rows than the oracle's\nours: {ours:#?}\ntheirs: {theirs:#?}"
    );
    for (number, (own, other)) in ours.iter().zip(&theirs).enumerate() {
        let same = own.len() == other.len() && own.iter().zip(other).all(|(own, other)| is_same(own, other));
        assert!(same, "{script}: row {number} of the output is {own:?}, the oracle's is {other:?}");
    }
}

/// Numbers are compared as numbers: the engines write them differently and add them in another order.
fn is_same(own: &str, other: &str) -> bool {
    match (own.parse::<f64>(), other.parse::<f64>()) {
        (Ok(own), Ok(other)) => (own - other).abs() <= 1e-9 * other.abs().max(1.0),
        _ => own == other,
    }
}

/// The rows of all results, headers included, without the empty lines between them.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// A Python that has DuckDB.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        if has_duckdb(Path::new("python3")) {
            return PathBuf::from("python3");
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle");
        let own = folder.join("bin/python");
        if !has_duckdb(&own) {
            install(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            install(Command::new(&own).args(["-m", "pip", "install", "--quiet", DUCKDB]));
        }
        own
    })
}

fn has_duckdb(python: &Path) -> bool {
    Command::new(python).args(["-c", "import duckdb"]).output().is_ok_and(|output| output.status.success())
}

fn install(command: &mut Command) {
    let failure = match command.output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "this test compares with another engine and needs Python 3.9 or later with {DUCKDB}; \
         install python3 with its venv and pip modules and allow pip to download, or run: pip install {DUCKDB}\n\
         {command:?} failed: {failure}"
    );
}

fn succeeded(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
