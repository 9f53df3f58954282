//! The stream of events of an apply: one JSON object a line, and a summary at the end, whatever the end.

use serde_json::Value;

use super::interruption::interrupted_as;
use super::locks::dead_run;
use crate::support::stage::{DEBIAN, Ended, NEWER_DEBIAN, ROCKY, Stage};

const APPLY: &[&str] = &["apply", "--auto-approve", "--format", "events"];

/// The lines, each as the published schema says, and the last one a summary of this end.
#[track_caller]
fn told(stage: &Stage, ended: &Ended, status: &str) -> Vec<Value> {
    let schema = serde_json::from_str(&stage.run(&["schema", "events"]).with(0).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lines: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for line in &lines {
        let errors: Vec<_> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    let last = lines.last().expect("there is a last line");
    assert_eq!((&last["type"], &last["status"]), (&"summary".into(), &status.into()), "{ended:?}");
    assert_eq!(last["exit"].as_i64(), ended.code.map(i64::from), "{ended:?}");
    assert_eq!(lines.iter().filter(|line| line["type"] == "summary").count(), 1);
    assert_eq!(lines[0]["type"], "version");
    lines
}

fn types(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["type"].as_str().unwrap()).filter(|kind| *kind != "apply_progress").collect()
}

#[test]
fn a_run_tells_what_it_plans_and_what_it_does() {
    let stage = Stage::with(&[DEBIAN]);
    let lines = told(&stage, &stage.run(APPLY).with(0), "complete");
    assert_eq!(types(&lines), ["version", "planned_change", "plan", "apply_start", "apply_complete", "summary"]);
    assert_eq!(lines[1]["address"], "debian-12/20261013-2601");
    assert_eq!(lines.last().unwrap()["created"], 1);
    let quiet = told(&stage, &stage.run(APPLY).with(0), "complete");
    assert_eq!(types(&quiet), ["version", "plan", "summary"]);
    stage.exhibit(&[NEWER_DEBIAN]);
    let lines = told(&stage, &stage.run(APPLY).with(0), "complete");
    let last = lines.last().unwrap();
    assert_eq!((&last["created"], &last["updated"], &last["not_done"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(last["plan_id"], lines.iter().find(|line| line["type"] == "plan").unwrap()["plan_id"]);
}

#[test]
fn whatever_ends_a_run_before_its_work_ends_in_a_summary() {
    let stage = Stage::with(&[DEBIAN]);
    let ended = interrupted_as(&stage, &["--format", "events"], ("GET", "/v2/images"), "-INT").with(130);
    told(&stage, &ended, "interrupted");
    let ended = stage.run(&["apply", "--format", "events"]).with(7);
    told(&stage, &ended, "not_approved");
    let other = "0".repeat(64);
    let old = stage.run(&[APPLY, &["--expect-plan", &other]].concat()).with(4);
    assert!(types(&told(&stage, &old, "stale")).contains(&"diagnostic"));
    told(&stage, &stage.run(&[APPLY, &["--os-cloud", "nowhere"]].concat()).with(1), "failed");
    stage.settle();
    stage.exhibit(&[]);
    told(&stage, &stage.run(APPLY).with(3), "refused");
    stage.write("images.toml", "[catalogue]\nnmae = 1\n");
    let lines = told(&stage, &stage.run(APPLY).with(78), "failed");
    assert_eq!(types(&lines), ["version", "diagnostic", "summary"]);
}

#[test]
fn a_held_lock_ends_in_a_summary() {
    let stage = Stage::with(&[DEBIAN]);
    dead_run(&stage);
    let lines = told(&stage, &stage.run(APPLY).with(6), "locked");
    assert_eq!(types(&lines), ["version", "diagnostic", "summary"]);
}

#[test]
fn whatever_ends_its_work_ends_in_a_summary_too() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    let rocky = format!("*/{}", Stage::mirror_path(ROCKY.0, ROCKY.2));
    let ended = interrupted_as(&stage, &["--format", "events"], ("GET", &rocky), "-TERM").with(143);
    let lines = told(&stage, &ended, "interrupted");
    assert_eq!(lines.last().unwrap()["planned"], 2);
    stage.settle();

    let stage = Stage::with(&[DEBIAN, ROCKY]);
    stage.world().withdraw(&Stage::mirror_path(DEBIAN.0, DEBIAN.2));
    let lines = told(&stage, &stage.run(APPLY).with(5), "partial");
    let failed = lines.iter().find(|line| line["type"] == "apply_errored").unwrap();
    assert_eq!(failed["address"], "debian-12/20261013-2601");
    let last = lines.last().unwrap();
    assert_eq!((&last["created"], &last["failed"]), (&1.into(), &1.into()));
}
