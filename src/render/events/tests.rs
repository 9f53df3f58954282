//! What a stream tells, and that it always ends in a summary.

use serde_json::Value;

use super::*;
use crate::apply::machine::Failure;
use crate::render::escape::tests::hostile;
use crate::render::testing::{hostile_document, rotation};

fn now() -> Timestamp {
    "2026-11-23T03:34:07Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).unwrap()
}

fn address(text: &str) -> Address {
    let (family, version) = text.split_once('/').unwrap();
    Address {
        family: crate::model::name::FamilyName::parse(family).unwrap(),
        version: Some(crate::model::name::VersionName::parse(version).unwrap()),
        site: None,
    }
}

fn finished(text: &str, verb: Verb, outcome: Outcome) -> Event {
    Event::Finished { address: address(text), site: SiteName::parse("fra1").unwrap(), verb, outcome }
}

fn failure(message: &str) -> Outcome {
    Outcome::Failed(Failure::refused(message))
}

/// A run in which everything happens that can, with this text wherever others may write.
pub(in crate::render) fn run(document: &Document, text: &str) -> String {
    let (mut stream, mut lines) = Stream::begin(now());
    lines.push_str(&stream.plan(document, now()));
    let new = address("ubuntu-24.04/20261118");
    let site = SiteName::parse("fra1").unwrap();
    let events = [
        Event::Started { address: new.clone(), site, verb: Verb::Create },
        Event::Progress { addresses: vec![new.clone()], done: 262_144, total: Some(625_373_184) },
        Event::Progress { addresses: vec![new.clone()], done: 524_288, total: Some(625_373_184) },
        finished("ubuntu-24.04/20261118", Verb::Create, Outcome::Done(Some(text.to_owned()))),
        finished("ubuntu-24.04/20261015", Verb::Update, failure(text)),
        finished("debian-12/20261110-2300", Verb::Update, Outcome::Stale(text.to_owned())),
        finished("ubuntu-24.04/20260807", Verb::Delete, Outcome::Kept(Vec::new(), text.to_owned())),
        finished("ubuntu-24.04/20260807", Verb::Delete, Outcome::Skipped(text.to_owned())),
    ];
    for event in events {
        lines.push_str(&stream.event(&event, later(2)));
    }
    lines + &stream.end(Status::Partial, 5, Some(text), later(64))
}

fn parsed(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn errors(lines: &[Value]) -> Vec<String> {
    let schema: Value = serde_json::from_str(EVENTS_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    lines.iter().flat_map(|line| validator.iter_errors(line).map(|error| error.to_string())).collect()
}

#[test]
fn every_line_is_as_the_schema_says() {
    let mut lines = parsed(&run(&rotation(), "because"));
    assert_eq!(errors(&lines), Vec::<String>::new());
    for wrong in [r#"{"type": "version"}"#, r#"{"type": "odd", "time": "2026-11-23T03:34:07Z"}"#] {
        assert!(!errors(&parsed(wrong)).is_empty(), "{wrong}");
    }
    lines[1]["superfluous"] = Value::Null;
    assert!(!errors(&lines).is_empty(), "a field that the schema does not describe");
}

#[test]
fn the_last_line_counts_what_was_told() {
    let lines = parsed(&run(&rotation(), "because"));
    let last = lines.last().unwrap();
    let numbers = ["planned", "created", "updated", "deleted", "kept", "failed", "not_done", "seconds"];
    let numbers: Vec<_> = numbers.iter().map(|name| last[*name].as_u64().unwrap()).collect();
    assert_eq!((&last["type"], &last["status"], &last["exit"]), (&"summary".into(), &"partial".into(), &5.into()));
    assert_eq!(numbers, [4, 1, 0, 0, 1, 2, 0, 64]);
    assert_eq!(lines.iter().filter(|line| line["type"] == "apply_progress").count(), 1, "once a second is enough");
}

#[test]
fn a_run_that_ends_before_its_plan_has_a_summary_too() {
    let (stream, first) = Stream::begin(now());
    let lines = parsed(&(first + &stream.end(Status::Locked, 6, Some("busy"), later(1))));
    assert_eq!(errors(&lines), Vec::<String>::new());
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["version", "diagnostic", "summary"]);
    assert_eq!(lines[2]["plan_id"], Value::Null);
}

#[test]
fn no_name_adds_a_line() {
    let tame = run(&hostile_document("tame"), "tame").lines().count();
    for name in hostile() {
        let lines = run(&hostile_document(&name), &name);
        assert_eq!(lines.lines().count(), tame, "{name:?}");
        assert!(lines.lines().all(|line| line.starts_with("{\"time\":")), "{name:?}");
        let told = parsed(&lines);
        assert_eq!(told[told.len() - 2]["detail"], name.as_str(), "what is escaped is read back as it was");
    }
}
