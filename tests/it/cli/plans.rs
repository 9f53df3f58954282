//! Plans that are saved, expected, narrowed, shown and reported.

use serde_json::{Value, json};

use crate::support::stage::{DEBIAN, NEWER_DEBIAN, ROCKY, Stage};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn a_saved_plan_is_applied_if_it_is_still_the_plan() {
    let stage = Stage::with(&[DEBIAN]);
    stage.run(&["plan", "--out", "plan.json"]).with(0);
    stage.run(&["apply", "--auto-approve", "plan.json"]).with(0);
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
    let names = stage.names();
    stage.run(&["apply", "--auto-approve", "plan.json"]).with(4);
    assert_eq!(stage.names(), names, "a stale plan changed something");
}

#[test]
fn a_plan_is_stale_once_its_publisher_or_its_cloud_has_moved_on() {
    let stage = Stage::with(&[DEBIAN]);
    stage.settle();
    stage.exhibit(&[NEWER_DEBIAN]);
    stage.run(&["plan", "--out", "plan.json"]).with(0);
    let id = stage.id_of("Debian 12 - Latest");
    stage.world().region("RegionOne").unwrap().image(&id).unwrap().name = Some("renamed by hand".to_owned());
    stage.run(&["apply", "--auto-approve", "plan.json"]).with(4);
    assert_eq!(stage.names(), ["public renamed by hand"]);
    stage.world().region("RegionOne").unwrap().image(&id).unwrap().name = Some("Debian 12 - Latest".to_owned());
    stage.exhibit(&[NEWER_DEBIAN, ROCKY]);
    stage.run(&["apply", "--auto-approve", "plan.json"]).with(4);
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
}

#[test]
fn an_edited_plan_is_not_applied() {
    let stage = Stage::with(&[DEBIAN]);
    stage.run(&["plan", "--out", "plan.json"]).with(0);
    let right = parsed(&stage.read("plan.json"));
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut plan = right.clone();
        edit(&mut plan);
        stage.write("edited.json", &plan.to_string());
        stage.run(&["apply", "--auto-approve", "edited.json"]).code
    };
    let other = json!(format!("sha256:{}", "0".repeat(64)));
    assert_eq!(edited(&|plan| plan["gallerist"]["plan_id"] = other.clone()), Some(4));
    // Not even a plan any more: nothing to compare.
    assert_eq!(edited(&|plan| plan["gallerist"]["plan_id"] = json!("")), Some(1));
    assert_eq!(edited(&|plan| plan["resource_changes"] = json!([])), Some(1));
    assert_eq!(edited(&|plan| plan["format_version"] = json!("99")), Some(1));
    stage.write("edited.json", "no JSON at all");
    stage.run(&["apply", "--auto-approve", "edited.json"]).with(1);
    stage.run(&["apply", "--auto-approve", "missing.json"]).with(1);
    assert_eq!(stage.names(), Vec::<String>::new());
}

#[test]
fn only_the_expected_plan_is_applied() {
    let stage = Stage::with(&[DEBIAN]);
    stage.run(&["plan", "--out", "plan.json"]).with(0);
    let id = parsed(&stage.read("plan.json"))["gallerist"]["plan_id"].as_str().unwrap().to_owned();
    let digits = id.strip_prefix("sha256:").unwrap();
    stage.run(&["apply", "--auto-approve", "--expect-plan", &"0".repeat(64)]).with(4);
    stage.run(&["apply", "--auto-approve", "--expect-plan", &digits[..6]]).with(64);
    stage.run(&["apply", "--auto-approve", "--expect-plan", ""]).with(64);
    assert_eq!(stage.names(), Vec::<String>::new());
    stage.run(&["apply", "--auto-approve", "--expect-plan", &digits[..12]]).with(0);
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
    stage.run(&["apply", "--auto-approve", "--expect-plan", &id]).with(4);
}

#[test]
fn a_target_narrows_and_says_so() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    let narrowed = stage.run(&["plan", "--target", "debian-*"]).with(0);
    assert!(narrowed.says("debian-12/") && !narrowed.says("+ rocky-9/"), "{narrowed:?}");
    stage.run(&["apply", "--auto-approve", "--target", "debian-12"]).with(0);
    assert_eq!(stage.names(), ["public Debian 12 - Latest"]);
    stage.run(&["plan", "--target", "debian-12", "--detailed-exitcode"]).with(0);
    stage.run(&["plan", "--detailed-exitcode"]).with(2);
    // The targets of a saved plan are part of it.
    stage.run(&["plan", "--target", "rocky-9/*", "--out", "plan.json"]).with(0);
    stage.exhibit(&[NEWER_DEBIAN, ROCKY]);
    stage.run(&["apply", "--auto-approve", "plan.json"]).with(0);
    assert_eq!(stage.names(), ["public Debian 12 - Latest", "public Rocky Linux 9 - Latest"]);
}

#[test]
fn a_saved_plan_is_shown_as_it_was_printed() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    stage.run(&["plan", "--out", "plan.json"]).with(0);
    let asked = stage.requests();
    for format in ["human", "json", "markdown", "html", "gitlab", "github"] {
        let report = format!("{format}=shown");
        stage.run(&["plan", "--report", &report]).with(0);
        let shown = stage.run(&["show", "plan.json", "--format", format]).with(0).stdout;
        assert!(!shown.is_empty());
        if matches!(format, "markdown" | "gitlab" | "github") {
            assert_eq!(shown, stage.read("shown"), "{format}");
        }
    }
    assert!(stage.requests() > asked);
    let asked = stage.requests();
    stage.run(&["show", "plan.json"]).with(0);
    assert_eq!(stage.requests(), asked, "`show` asked somebody");
    let json = parsed(&stage.run(&["show", "plan.json", "--format", "json"]).stdout);
    assert_eq!(json, parsed(&stage.read("plan.json")));
    stage.write("plan.json", "{}");
    stage.run(&["show", "plan.json"]).with(1);
}

#[test]
fn one_run_has_as_many_outputs_as_it_is_asked_for() {
    let stage = Stage::with(&[DEBIAN]);
    let ended = stage
        .run(&["plan", "--format", "json", "--report", "markdown=plan.md", "--report", "gitlab=counts.json"])
        .with(0);
    assert_eq!(parsed(&ended.stdout)["resource_changes"][0]["change"]["actions"], json!(["create"]));
    assert!(stage.read("plan.md").contains("Debian 12"));
    assert_eq!(parsed(&stage.read("counts.json"))["create"], 1);
    stage.run(&["plan", "--report", "markdown=no/such/folder/plan.md"]).with(1);
    stage.run(&["apply", "--auto-approve", "--report", "json=applied.json"]).with(0);
    assert_eq!(parsed(&stage.read("applied.json"))["gallerist"]["summary"]["create"], 1);
}
