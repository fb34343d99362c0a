//! `docs/observability.md`, held against the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{AlertKind, METRICS};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of a section's table, each with its cells.
fn rows(section: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(here().join("../docs/observability.md")).unwrap();
    let section = text.split("\n## ").find(|part| part.starts_with(section)).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
    rows.map(cells).collect()
}

/// The sources of this crate, tests left out.
fn sources() -> Vec<String> {
    fn below(folder: &Path) -> Vec<PathBuf> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
    }
    let is_test = |path: &PathBuf| path.to_string_lossy().replace('\\', "/").contains("/tests");
    let all = below(&here().join("src")).into_iter().filter(|path| !is_test(path));
    all.map(|path| fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn every_metric_has_its_row() {
    let rows = rows("Metrics");
    let expected: Vec<Vec<String>> = METRICS
        .iter()
        .map(|metric| {
            let labels = metric.labels.join(", ");
            vec![metric.name.to_owned(), metric.kind.as_str().to_owned(), labels]
        })
        .collect();
    let told: Vec<Vec<String>> =
        rows.iter().map(|cells| vec![cells[0].clone(), cells[1].clone(), cells[2].replace('`', "")]).collect();
    assert_eq!(told, expected);
    let units = ["", "seconds", "a second", "a part of one"];
    assert!(rows.iter().all(|cells| cells.len() == 5 && units.contains(&cells[3].as_str())), "{rows:?}");
}

#[test]
fn every_metric_of_the_source_is_in_the_list_and_the_other_way_round() {
    let mut used = BTreeSet::new();
    for text in sources() {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for facade in ["counter!(", "gauge!(", "histogram!("] {
            let names = code.split(facade).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            used.extend(names.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    let listed: BTreeSet<_> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(used, listed);
}

#[test]
fn every_alert_has_its_row() {
    let told: Vec<_> = rows("Alerts").into_iter().map(|cells| cells[0].clone()).collect();
    let expected: Vec<_> = AlertKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    assert_eq!(told, expected);
}

#[test]
fn every_log_event_has_its_row() {
    let mut logged = BTreeSet::new();
    for text in sources() {
        for level in ["error", "warn", "info", "debug", "trace"] {
            for rest in text.split(&format!("tracing::{level}!(")).skip(1) {
                let call = rest.split(");").next().unwrap().split("),\n").next().unwrap();
                let message = call.rsplit('"').nth(1).unwrap_or_else(|| panic!("no message in {call}"));
                logged.insert((level.to_owned(), message.to_owned()));
            }
        }
    }
    let told: BTreeSet<_> = rows("Log events").into_iter().map(|cells| (cells[1].clone(), cells[0].clone())).collect();
    assert_eq!(told, logged);
}
