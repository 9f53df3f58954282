//! What the logs of GitHub and GitLab are told.

use std::fs::File;
use std::path::PathBuf;

use crate::support::stage::{DEBIAN, Ended, NEWER_DEBIAN, Stage};

/// A command as a step of a workflow runs it.
fn step(stage: &Stage, words: &[&str]) -> Ended {
    let mut command = stage.command(words);
    command.env("GITHUB_ACTIONS", "true").env("NO_COLOR", "1");
    for (variable, path) in files(stage) {
        command.env(variable, path);
    }
    command.output().unwrap().into()
}

fn files(stage: &Stage) -> [(&'static str, PathBuf); 2] {
    [("GITHUB_STEP_SUMMARY", stage.path("summary.md")), ("GITHUB_OUTPUT", stage.path("output"))]
}

#[test]
fn a_workflow_gets_annotations_a_summary_and_outputs() {
    let stage = Stage::with(&[DEBIAN]);
    let planned = step(&stage, &["plan", "--detailed-exitcode"]).with(2);
    assert!(planned.stdout.starts_with("::group::Every change in detail\nCloud "), "{planned:?}");
    let (_, after) = planned.stdout.split_once("::endgroup::\n").unwrap();
    assert!(after.starts_with("In short:\n"), "what is short is not folded: {after}");
    assert!(after.ends_with("Plan: 1 to add, 0 to change, 0 to destroy.\n"), "{after}");
    assert!(planned.stderr.contains("::notice title=gallerist%3A plan::Plan: 1 to add"), "{planned:?}");
    assert!(stage.read("summary.md").starts_with("<!-- gallerist:plan "));
    let output = stage.read("output");
    let id = output.lines().find_map(|line| line.strip_prefix("plan_id=")).unwrap().to_owned();
    assert!(output.contains("\nchanges=1\n") && output.ends_with("exitcode=2\n"), "{output}");

    let applied = step(&stage, &["apply", "--auto-approve", "--expect-plan", &id]).with(0);
    let folds = ["::group::What is done\n", "Created", "::endgroup::\n"].map(|part| applied.stderr.find(part).unwrap());
    assert!(folds.is_sorted(), "{applied:?}");
    assert!(applied.stdout.contains("\nApply complete!"), "{applied:?}");
    assert!(stage.read("summary.md").contains("```text\nApply complete! Resources: 1 added"));

    let id = stage.id_of("Debian 12 - Latest");
    stage.world().region("RegionOne").unwrap().image(&id).unwrap().min_ram = 77;
    let drifted = step(&stage, &["drift"]).with(2);
    assert!(drifted.stderr.contains("::error file=images.toml,line="), "{drifted:?}");
    assert!(stage.read("summary.md").contains("### Image drift on "));
    assert!(stage.read("output").ends_with("findings=1\ndrift=true\ncomplete=true\nexitcode=2\n"));
}

#[test]
fn a_mistake_stands_at_its_line() {
    let stage = Stage::new();
    stage.write("images.toml", "[catalogue]\nnmae = \"x\"\n");
    for words in [&["validate"][..], &["plan"], &["drift"]] {
        let ended = step(&stage, words).with(78);
        let annotation = "\n::error file=images.toml,line=2,title=gallerist%3A E0102::unknown key `nmae`";
        assert!(ended.stderr.contains(annotation), "{words:?}: {ended:?}");
    }
    assert!(stage.read("output").ends_with("exitcode=78\n"));
}

#[test]
fn who_asks_for_none_gets_none() {
    let stage = Stage::with(&[DEBIAN]);
    let told = step(&stage, &["plan", "--ci", "none"]).with(0);
    assert_eq!(told.stdout.lines().filter(|line| line.starts_with("::")).count(), 0);
    assert_eq!(told.stderr, "");
    assert!(!stage.path("summary.md").exists() && !stage.path("output").exists());
    let annotated = step(&stage, &["plan", "--format", "github"]).with(0);
    assert!(annotated.stdout.contains("::notice ") && annotated.stderr.is_empty(), "once is enough: {annotated:?}");
    let document = step(&stage, &["plan", "--format", "json"]).with(0).stdout;
    assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok(), "a document stays a document: {document}");

    let mut command = stage.command(&["plan", "--ci", "github"]);
    command.stdout(File::create(stage.path("plan.txt")).unwrap()).output().unwrap();
    let written = stage.read("plan.txt");
    assert!(!written.contains("::group::") && !written.contains('\u{1b}'), "a file is nobody's log: {written}");
}

#[test]
fn a_summary_that_github_would_drop_is_left_out() {
    let stage = Stage::with(&[DEBIAN]);
    let full = "x".repeat((1 << 20) - 100);
    stage.write("summary.md", &full);
    let ended = step(&stage, &["plan"]).with(0);
    assert!(ended.stderr.contains("larger than GitHub takes"), "{ended:?}");
    assert_eq!(stage.read("summary.md").len(), full.len());
}

#[test]
fn a_job_gets_sections_and_colours() {
    let stage = Stage::with(&[DEBIAN]);
    let job = |words: &[&str], variable: &str| -> Ended {
        stage.command(words).env("GITLAB_CI", "true").env(variable, "1").output().unwrap().into()
    };
    let planned = job(&["plan"], "UNRELATED").with(0);
    assert!(planned.stdout.starts_with("\u{1b}[0Ksection_start:"), "{planned:?}");
    assert!(planned.stdout.contains(":gallerist_plan[collapsed=true]\r\u{1b}[0KEvery change in detail\n"));
    assert!(planned.stdout.contains(":gallerist_plan\r\u{1b}[0K\n"), "{planned:?}");
    assert!(
        planned.stdout.contains("\u{1b}[32m")
            && planned.stdout.ends_with("\nPlan: 1 to add, 0 to change, 0 to destroy.\n")
    );
    let plain = job(&["plan"], "NO_COLOR").with(0);
    assert!(plain.stdout.contains("section_end:") && !plain.stdout.contains("\u{1b}[32m"), "{plain:?}");
    let applied = job(&["apply", "--auto-approve"], "NO_COLOR").with(0);
    assert!(applied.stderr.contains(":gallerist_apply[collapsed=true]\r"), "{applied:?}");
}

#[test]
fn no_name_gives_a_command_to_a_log() {
    let stage = Stage::with(&[DEBIAN]);
    stage.settle();
    let foreign = "##[error]\u{1b}[0Ksection_start:0:x\r\u{1b}[0K\n::error::pwned";
    let id = stage.id_of("Debian 12 - Latest");
    {
        let mut world = stage.world();
        let image = world.region("RegionOne").unwrap().image(&id).unwrap();
        image.name = Some(foreign.to_owned());
        image.properties.insert("note".to_owned(), foreign.to_owned());
    }
    stage.exhibit(&[NEWER_DEBIAN]);
    for words in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["drift"],
        &["drift", "--format", "json"],
        &["drift", "--format", "codequality"],
        &["apply", "--auto-approve", "--format", "events"],
    ] {
        let ended = step(&stage, words);
        let log = format!("{}{}", ended.stdout, ended.stderr);
        let shows = log.contains("section_start") || words.contains(&"events");
        assert!(shows, "{words:?} does not show the name: {log}");
        assert!(!log.contains("##[") && !log.contains(['\u{1b}', '\r']), "{words:?}: {log}");
        let commands = log.lines().filter(|line| line.trim_start().starts_with("::"));
        let ours = ["::group::", "::endgroup::", "::error file=", "::warning ", "::notice title="];
        assert!(commands.into_iter().all(|line| ours.iter().any(|our| line.starts_with(our))), "{words:?}: {log}");
    }
}
