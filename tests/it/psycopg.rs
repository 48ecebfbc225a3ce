//! The Python with which tests run scripts that need psycopg 3 or asyncpg.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The releases that the tests were written with.
const PACKAGES: [&str; 2] = ["psycopg[binary]==3.3.*", "asyncpg==0.32.*"];

/// A Python with both, in an environment of its own under the target directory, made once.
pub(crate) fn python_with_psycopg() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(make)
}

fn make() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("psycopg");
    let python = folder.join("bin/python");
    let works = |python: &Path| {
        let check = Command::new(python)
            .args(["-c", "import asyncpg, psycopg; assert psycopg.pq.__impl__ == 'binary'"])
            .output();
        check.is_ok_and(|output| output.status.success())
    };
    if works(&python) {
        return python;
    }
    let said = |what: &str, output: std::io::Result<std::process::Output>| {
        let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    };
    said(
        "python3 -m venv is needed by this test (apt-get install python3 python3-venv)",
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder).output(),
    );
    said(
        "psycopg and asyncpg could not be installed from the package index (PIP_INDEX_URL names another one)",
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES)
            .output(),
    );
    assert!(works(&python), "psycopg and asyncpg were installed into {} and cannot be imported", folder.display());
    python
}
