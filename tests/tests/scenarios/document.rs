//! `docs/scenarios.md`, held against the files that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How many scenarios each kind has, by how their rows begin.
const KINDS: [(&str, usize); 6] = [
    ("IT-SIG-", 12),
    ("rt_md ", 7),
    ("ws_connection ", 8),
    ("ws_reconnection ", 8),
    ("ws_parsing ", 8),
    ("ws_breaker ", 8),
];
/// How the tests of scenarios are named.
const PREFIXES: [&str; 6] = ["it_sig_", "rt_md_", "ws_connection_", "ws_reconnection_", "ws_parsing_", "ws_breaker_"];
/// Where tests of scenarios may be.
const FOLDERS: [&str; 3] = ["tests/tests", "signalr-proto/tests", "topstep-session/tests"];

/// A row of one of the tables.
struct Row {
    scenario: String,
    /// Files or folders, each with a test in it.
    tests: Vec<(String, String)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/scenarios.md")).unwrap();
    let mut rows = Vec::new();
    for line in text.lines() {
        let Some(cells) = line.strip_prefix("| ") else { continue };
        let mut cells = cells.split(" |");
        let (scenario, tests) = (cells.next().unwrap(), cells.next().unwrap());
        if scenario != "scenario" {
            rows.push(Row { scenario: scenario.to_owned(), tests: tests_of(line, tests) });
        }
    }
    rows
}

/// The tests of a cell, which has each file in front of what is in it.
fn tests_of(line: &str, cell: &str) -> Vec<(String, String)> {
    let mut file = None;
    let mut tests = Vec::new();
    for quoted in cell.split('`').skip(1).step_by(2) {
        if quoted.ends_with('/') || quoted.ends_with(".rs") || quoted.ends_with(".mjs") {
            file = Some(quoted.to_owned());
        } else {
            let file: &String = file.as_ref().unwrap_or_else(|| panic!("no file before {quoted}: {line}"));
            tests.push((file.clone(), quoted.to_owned()));
        }
    }
    assert!(!tests.is_empty(), "a row without a test: {line}");
    tests
}

/// The Rust files of a folder and of those in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The names of the functions that a file defines.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |character: char| character.is_alphanumeric() || character == '_';
    let after = text.lines().filter_map(|line| line.trim_start().trim_start_matches("async ").strip_prefix("fn "));
    after.map(move |rest| &rest[..rest.find(|character| !is_name(character)).unwrap_or(rest.len())])
}

fn exists(file: &str, test: &str) -> bool {
    let path = root().join(file);
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    if file.ends_with('/') {
        return files_below(&path).iter().any(|path| functions(&read(path)).any(|name| name == test));
    }
    let text = read(&path);
    if file.ends_with(".rs") { functions(&text).any(|name| name == test) } else { text.contains(test) }
}

#[test]
fn every_test_that_is_named_is_there() {
    for row in rows() {
        for (file, test) in &row.tests {
            assert!(exists(file, test), "{}: there is no {test} in {file}", row.scenario);
        }
    }
}

#[test]
fn every_scenario_has_its_row() {
    let rows = rows();
    for (kind, count) in KINDS {
        let mut ids: Vec<_> = rows.iter().filter_map(|row| row.scenario.strip_prefix(kind)).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{kind}: {ids:?}");
    }
}

#[test]
fn every_test_of_a_scenario_is_named() {
    let rows = rows();
    let named: BTreeSet<&str> = rows.iter().flat_map(|row| &row.tests).map(|(_, test)| test.as_str()).collect();
    let mut found = 0;
    for path in FOLDERS.iter().flat_map(|folder| files_below(&root().join(folder))) {
        let text = fs::read_to_string(&path).unwrap();
        for name in functions(&text).filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix))) {
            assert!(named.contains(name), "{name} of {} is not in docs/scenarios.md", path.display());
            found += 1;
        }
    }
    assert!(found >= 75, "only {found} tests are named after scenarios");
}
