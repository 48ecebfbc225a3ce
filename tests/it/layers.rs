//! The layer rules of the sources: who may know what, and which way dependencies point. Each failure names file and line.

mod source;

use std::{collections::BTreeSet, fs, path::Path};

use fusewire_udfs::FUNCTIONS;

use self::source::{Source, sources};

/// The modules of the engine, each before those that may use it; modules of one line know nothing of each other. So none of
/// them is in a circle.
const LAYERS: &[&[&str]] = &[
    &["fault", "pgtype"],
    &["interrupt"],
    &["print"],
    &["functions"],
    &["planning"],
    &["catalog"],
    &["source"],
    &["error"],
    &["config", "copy"],
    &["session"],
    &["statement"],
    &["engine"],
    &["server"],
    &["shell", "demo"],
    &["main", "lib"],
];

/// The longest file of the product, in lines.
const MAX_LINES: usize = 600;

/// Fails with every broken place at once.
fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Reports every path of `sources` for which `is_wrong` holds.
fn assert_paths(rule: &str, sources: &[Source], is_wrong: impl Fn(&Source, &str) -> bool) {
    let mut broken = Vec::new();
    for source in sources {
        for (line, path) in source.paths() {
            if is_wrong(source, &path) {
                broken.push(format!("{}:{line}: {path}", source.name));
            }
        }
    }
    assert_none(rule, &broken);
}

fn product() -> Vec<Source> {
    let sources = [sources("src"), sources("udfs/src"), sources("udfs/learn/src")];
    sources.into_iter().flatten().filter(|source| !source.is_test()).collect()
}

fn everything() -> Vec<Source> {
    ["src", "udfs/src", "udfs/learn/src", "tests", "examples"].into_iter().flat_map(sources).collect()
}

fn begins(path: &str, with: &str) -> bool {
    path.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}

#[test]
fn the_rules_see_what_they_look_for() {
    let source = Source::new(
        "src/server/portal.rs",
        "//! Doc.\nuse crate::{engine::{Outcome, Session as S}, Error};\nuse std::{fs, sync::Arc};\n\
         fn f() { super::wire::send(\"a::b // no comment\"); let c = '\"'; g::<'_, x::Y>(r#\"c::\"d\"#); } // e::f\n\
         /* g::h /* i::j */ */ const CODE: &str = \"42P01\";\n#[cfg(test)]\nmod tests { use k::l; }\n",
    );
    let paths: Vec<String> = source.paths().into_iter().map(|(line, path)| format!("{line} {path}")).collect();
    let expected = [
        "2 crate::engine::Outcome",
        "2 crate::engine::Session",
        "2 crate::Error",
        "3 std::fs",
        "3 std::sync::Arc",
        "4 super::wire::send",
        "4 x::Y",
    ];
    assert_eq!(paths, expected);
    let strings: Vec<&str> = source.strings().iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(strings, ["a::b // no comment", "c::\"d", "42P01"]);
    assert_eq!(source.engine_path("super::wire::send").as_deref(), Some("server::wire::send"));
    assert_eq!(source.engine_path("super::super::shell").as_deref(), Some("shell"));
    assert_eq!(source.engine_path("std::fs"), None);
    assert!(is_sqlstate("42P01") && is_sqlstate("XX000") && !is_sqlstate("TABLE") && !is_sqlstate("sha2x"));
}

#[test]
fn the_learning_code_depends_on_nothing() {
    let manifest: toml::Table = toml::from_str(&read("udfs/learn/Cargo.toml")).unwrap();
    let dependencies: Vec<&String> = manifest["dependencies"].as_table().unwrap().keys().collect();
    assert_eq!(dependencies, ["thiserror"], "udfs/learn/Cargo.toml: the learning code knows no other package");
    assert!(
        !manifest.contains_key("dev-dependencies"),
        "udfs/learn/Cargo.toml: its tests know no other package either"
    );
    let foreign = ["arrow", "datafusion", "object_store", "tokio", "std::fs", "std::net", "std::env", "std::process"];
    assert_paths("udfs/learn knows slices and numbers, and no I/O", &sources("udfs/learn/src"), |_, path| {
        foreign.iter().any(|foreign| begins(path, foreign))
    });
}

#[test]
fn the_functions_do_not_know_the_engine() {
    assert_paths("udfs knows nothing of the engine that calls it", &sources("udfs/src"), |_, path| {
        begins(path, "fusewire")
    });
}

#[test]
fn only_the_engine_builds_a_session_context() {
    let builders = ["SessionContext::new", "SessionStateBuilder::new", "SessionContext::default", "SessionState::new"];
    assert_paths("only src/engine.rs builds a session's context", &product(), |source, path| {
        source.name != "src/engine.rs" && builders.iter().any(|builder| path.contains(builder))
    });
}

#[test]
fn only_the_server_knows_the_protocol_crate() {
    assert_paths("only src/server knows pgwire", &product(), |source, path| {
        !source.name.starts_with("src/server/") && begins(path, "pgwire")
    });
    for manifest in ["udfs/Cargo.toml", "udfs/learn/Cargo.toml"] {
        assert!(!read(manifest).contains("pgwire"), "{manifest}: only src/server knows pgwire");
    }
}

/// Five digits and capitals, as PostgreSQL's codes are; words of five capitals have no digit.
fn is_sqlstate(text: &str) -> bool {
    let shaped = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    // A size as settings have it is none.
    shaped && text.bytes().filter(u8::is_ascii_digit).count() >= 2 && !text.ends_with("MB")
}

#[test]
fn only_the_errors_know_sqlstates() {
    let mut broken = Vec::new();
    for source in product().iter().filter(|source| source.name != "src/error/sqlstate.rs") {
        for (line, text) in source.strings() {
            if is_sqlstate(text) {
                broken.push(format!("{}:{line}: \"{text}\"", source.name));
            }
        }
    }
    assert_none("only src/error/sqlstate.rs holds SQLSTATEs", &broken);
}

#[test]
fn only_the_frame_makes_values_for_the_learning_code() {
    let mut broken = Vec::new();
    for source in product().iter().filter(|source| source.name.starts_with("udfs/src/")) {
        if source.name.starts_with("udfs/src/frame/") {
            continue;
        }
        for (index, line) in source.code().lines().enumerate() {
            let Some(at) = line.find("Values::") else { continue };
            // Looking into values is no conversion: patterns are allowed.
            let is_pattern = line.trim_start().starts_with("let Values::")
                || line.contains("if let Values::")
                || line.contains("matches!(")
                || line[at..].contains("=>");
            if !is_pattern {
                broken.push(format!("{}:{}: {}", source.name, index + 1, line.trim()));
            }
        }
    }
    assert_none("only udfs/src/frame turns Arrow into numbers", &broken);
}

#[test]
fn modules_of_the_engine_depend_one_way() {
    let rank = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut broken = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        let module = source.module();
        let own =
            rank(module).unwrap_or_else(|| panic!("{}: the layer of the module {module} is not known", source.name));
        for (line, path) in source.paths() {
            let Some(used) = source.engine_path(&path) else { continue };
            let first = used.split("::").next().unwrap_or_default();
            let used_module = match first {
                "Fault" => "fault",
                "Error" | "Result" => "error",
                "Config" => "config",
                "Engine" | "Session" => "engine",
                other => other,
            };
            if used_module == module || module == "lib" {
                continue;
            }
            match rank(used_module) {
                Some(other) if other < own => {}
                Some(_) => broken.push(format!("{}:{line}: {module} uses {path}", source.name)),
                None => broken.push(format!("{}:{line}: the layer of {path} is not known", source.name)),
            }
        }
    }
    assert_none("dependencies point from main to fault", &broken);
}

#[test]
fn sources_know_what_is_kept_of_a_table_alone() {
    let sources = sources("src/source").into_iter().filter(|source| !source.is_test()).collect::<Vec<_>>();
    assert!(!sources.is_empty(), "src/source has no file");
    assert_paths("of the catalog, src/source knows ExternalTable alone", &sources, |_, path| {
        begins(path, "crate::catalog") && path != "crate::catalog::ExternalTable"
    });
}

#[test]
fn no_statement_is_known_by_its_first_letters() {
    const KEYWORDS: &[&str] = &[
        "select", "insert", "create", "drop", "with ", "begin", "commit", "rollback", "explain", "set ", "show ",
        "copy",
    ];
    let mut broken = Vec::new();
    for source in product() {
        for (line, text) in source.text.lines().enumerate() {
            let lower = text.to_lowercase().replace(' ', "");
            let guess =
                |call: &str| KEYWORDS.iter().any(|keyword| lower.contains(&format!("{call}(\"{}", keyword.trim())));
            if guess("starts_with") || guess("strip_prefix") {
                broken.push(format!("{}:{}: {}", source.name, line + 1, text.trim()));
            }
        }
    }
    assert_none("statements are parsed, never guessed from their text", &broken);
}

#[test]
fn every_module_says_what_it_is_for() {
    let broken: Vec<String> = everything()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}:1", source.name))
        .collect();
    assert_none("every file opens with `//!` and its responsibility", &broken);
}

#[test]
fn files_can_be_read_at_one_sitting() {
    let broken: Vec<String> = product()
        .into_iter()
        .map(|source| (source.text.lines().count(), source.name))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, name)| format!("{name}:{lines}: {lines} lines"))
        .collect();
    assert_none("no file of the product has more than 600 lines", &broken);
}

#[test]
fn nothing_is_skipped_or_left_for_later() {
    let mut broken = Vec::new();
    for source in everything() {
        for (index, line) in source.code().lines().enumerate() {
            for unfinished in ["#[ignore", "todo!", "unimplemented!", "dbg!("] {
                if line.contains(unfinished) {
                    broken.push(format!("{}:{}: {unfinished}", source.name, index + 1));
                }
            }
        }
        for (index, line) in source.text.lines().enumerate() {
            for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")] {
                if line.contains(mark) {
                    broken.push(format!("{}:{}: {mark}", source.name, index + 1));
                }
            }
        }
    }
    assert_none("what is here is finished and runs", &broken);
}

#[test]
fn every_function_is_documented() {
    let mut documents = read("README.md");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    if folder.is_dir() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                documents.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let missing: Vec<String> = FUNCTIONS
        .iter()
        .map(|function| format!("{}(", function.name()))
        .filter(|call| !documents.contains(call.as_str()))
        .map(|call| format!("README.md:1: {call}…) is not shown"))
        .collect();
    assert_none("README.md or docs/ shows every table function", &missing);
}

#[test]
fn the_architecture_names_every_room() {
    let document = read("ARCHITECTURE.md");
    let mut missing = Vec::new();
    for root in ["src", "udfs/src"] {
        let product = sources(root).into_iter().filter(|source| !source.is_test());
        let inner = product.filter_map(|source| Some(source.name.strip_prefix(root)?.strip_prefix('/')?.to_owned()));
        let rooms: BTreeSet<String> = inner.filter_map(|name| Some(format!("{}/", name.split_once('/')?.0))).collect();
        missing.extend(
            rooms
                .into_iter()
                .filter(|room| !document.contains(room.as_str()))
                .map(|room| format!("ARCHITECTURE.md:1: {root}/{room} is not named")),
        );
    }
    assert_none("ARCHITECTURE.md leads into every directory", &missing);
}
