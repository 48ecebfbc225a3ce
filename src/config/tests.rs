//! Where settings come from, which wins, and what stops the start.

use std::fs;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn flag(name: &str, value: &str) -> Flag {
    Flag { name: name.to_owned(), values: vec![value.to_owned()], flag: format!("--set {name}") }
}

fn load_file(text: &str) -> Result<Config> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fusewire.toml");
    fs::write(&path, text).unwrap();
    Config::load(Some(&path), environment(&[]), &[])
}

fn message(result: Result<Config>) -> String {
    let report = result.unwrap_err().report();
    format!("{} | {}", report.message, report.hint.unwrap_or_default())
}

#[test]
fn later_sources_win() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fusewire.toml");
    fs::write(&path, "threads = 2\nbatch_size = 100\nmax_connections = 7\nallow_paths = ['/a', 's3://b,c/']\n")
        .unwrap();
    let variables = environment(&[("FUSEWIRE_BATCH_SIZE", "200"), ("FUSEWIRE_MAX_CONNECTIONS", "8"), ("PATH", "/bin")]);
    let config = Config::load(Some(&path), variables, &[flag("max_connections", "9")]).unwrap();
    assert_eq!((config.threads, config.batch_size, config.max_connections), (2, 200, 9));
    assert_eq!(config.allow_paths, ["/a", "s3://b,c/"]);
    let settings = config.settings();
    let source = |name| settings.iter().find(|setting| setting.name == name).unwrap().source.clone();
    assert_eq!(source("threads"), path.display().to_string());
    assert_eq!(source("batch_size"), "environment variable FUSEWIRE_BATCH_SIZE");
    assert_eq!(source("max_connections"), "--set max_connections");
    assert_eq!(source("max_parse_depth"), "default");
}

#[test]
fn sizes_take_units() {
    let bytes = |value: &str| {
        let variables = environment(&[("FUSEWIRE_MEMORY_LIMIT_BYTES", value)]);
        Config::load(None, variables, &[]).map(|config| config.memory_limit_bytes)
    };
    assert_eq!(bytes("2GB").unwrap(), 2_000_000_000);
    assert_eq!(bytes("2 GiB").unwrap(), 2 << 30);
    assert_eq!(bytes("1.5gb").unwrap(), 1_500_000_000);
    assert_eq!(bytes("123456789").unwrap(), 123_456_789);
    for refused in ["", "GB", "2XB", "-1", "1.5", "1MB", "1e400GB", "99999999999TB"] {
        assert!(bytes(refused).is_err(), "{refused} was accepted");
    }
}

#[test]
fn an_unknown_key_stops_the_start() {
    let text = message(load_file("memory_limit = '2GB'\n"));
    assert!(text.contains("fusewire.toml: unknown setting memory_limit"), "{text}");
    assert!(text.contains("memory_limit_bytes"), "{text}");
    let text = message(load_file("[server]\nport = 1\n"));
    assert!(text.contains("unknown setting server"), "{text}");
    let text = message(Config::load(None, environment(&[("FUSEWIRE_THREAD", "1")]), &[]));
    assert!(text.contains("environment variable FUSEWIRE_THREAD: unknown setting thread"), "{text}");
}

#[test]
fn a_bad_value_names_the_place_the_key_and_what_is_accepted() {
    let text = message(load_file("threads = 0\n"));
    assert!(text.contains("fusewire.toml: threads is '0', expected a whole number from 1 to 1024"), "{text}");
    let text = message(load_file("threads = [1, 2]\n"));
    assert!(text.contains("threads is '1, 2', expected"), "{text}");
    let text = message(load_file("threads = 1.5\n"));
    assert!(text.contains("threads is '1.5', expected"), "{text}");
    let text = message(Config::load(None, environment(&[]), &[flag("listen_port", "65536")]));
    assert!(text.contains("--set listen_port: listen_port is '65536', expected a port from 0 to 65535"), "{text}");
}

#[test]
fn a_broken_file_names_its_line() {
    let text = message(load_file("threads = 2\nbatch_size = = 3\n"));
    assert!(text.contains("fusewire.toml:2: not TOML"), "{text}");
    let missing = Config::load(Some(Path::new("/nonexistent/fusewire.toml")), environment(&[]), &[]);
    assert!(message(missing).contains("/nonexistent/fusewire.toml cannot be read"));
}

#[test]
fn variables_of_a_kubernetes_service_are_no_settings() {
    let variables = environment(&[
        ("FUSEWIRE_PORT", "tcp://10.0.0.1:5432"),
        ("FUSEWIRE_PORT_5432_TCP_ADDR", "10.0.0.1"),
        ("FUSEWIRE_SERVICE_HOST", "10.0.0.1"),
        ("FUSEWIRE_SERVICE_PORT", "5432"),
        ("FUSEWIRE_CONFIG", "fusewire.toml"),
    ]);
    assert_eq!(Config::load(None, variables, &[]).unwrap(), Config::default());
}

#[test]
fn every_default_is_accepted_as_it_is_written() {
    let config = Config::default();
    for setting in config.settings().iter().filter(|setting| !setting.value.is_empty()) {
        let loaded = Config::load(None, environment(&[]), &[flag(setting.name, &setting.value)]).unwrap();
        let again = loaded.settings().into_iter().find(|other| other.name == setting.name).unwrap();
        assert_eq!(again.value, setting.value);
        assert!(help().contains(setting.name));
    }
}
