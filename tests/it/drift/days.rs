//! `drift` as people run it on the embedded cloud.

use gallerist::model::image::Visibility;
use gallerist::sandbox::{Effect, Fault, ImageRecord, Options, Sandbox, Service, image};
use serde_json::Value;

use crate::support::stage::{DEBIAN, NEWER_DEBIAN, REGION, ROCKY, Stage};

/// The exit code and the report.
fn drift(stage: &Stage, words: &[&str]) -> (Option<i32>, Value) {
    let ended = stage.run(&[&["drift", "--format", "json"], words].concat());
    let report = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    (ended.code, report)
}

/// `class address state`, one a finding.
fn listed(report: &Value) -> Vec<String> {
    let line =
        |finding: &Value| ["class", "address", "state"].map(|key| finding[key].as_str().unwrap().to_owned()).join(" ");
    report["findings"].as_array().unwrap().iter().map(line).collect()
}

/// Somebody changes the image of that name by hand.
fn change(stage: &Stage, name: &str, change: impl FnOnce(&mut ImageRecord)) {
    let id = stage.id_of(name);
    change(stage.world().region(REGION).unwrap().image(&id).unwrap());
}

#[test]
fn a_day_in_the_life_of_a_catalogue() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    let (exit, report) = drift(&stage, &[]);
    assert_eq!((exit, report["summary"]["missing"].as_u64()), (Some(2), Some(2)), "nothing was applied yet");
    stage.settle();
    let (exit, report) = drift(&stage, &[]);
    assert_eq!((exit, listed(&report)), (Some(0), vec![]));

    // An upstream that moved on, and a public image that nobody manages: told, and no reason to be woken.
    stage.exhibit(&[NEWER_DEBIAN, ROCKY]);
    let bytes = image::qcow2(1 << 30, b"cirros");
    let cirros =
        stage.world().region(REGION).unwrap().upload("other", "cirros", Visibility::Public, "qcow2", &bytes).unwrap();
    let (exit, report) = drift(&stage, &["--report", "json=before.json"]);
    let outdated = "outdated debian-12/20261013-2601";
    let unmanaged = format!("unmanaged {cirros}");
    assert_eq!((exit, listed(&report)), (Some(0), vec![format!("{outdated} new"), format!("{unmanaged} new")]));
    assert_eq!(drift(&stage, &["--fail-on", "stale,outdated"]).0, Some(2));
    assert_eq!(drift(&stage, &["--fail-on", "outdated", "--exit-zero"]).0, Some(0));
    assert_eq!(drift(&stage, &["--fail-on", "none"]).0, Some(0));

    // What somebody changed by hand is; also where a new version hides it.
    change(&stage, "Rocky Linux 9 - Latest", |image| {
        image.properties.insert("hw_disk_bus".to_owned(), "virtio".to_owned());
    });
    change(&stage, "Debian 12 - Latest", |image| image.name = Some("Peter's".to_owned()));
    let (exit, report) = drift(&stage, &["--baseline", "before.json"]);
    let expected = [
        "changed debian-12/20261013-2601 new".to_owned(),
        "changed rocky-9/9.8-20260525.0 new".to_owned(),
        format!("{outdated} known"),
        format!("{unmanaged} known"),
    ];
    assert_eq!((exit, listed(&report)), (Some(2), expected.to_vec()));
    let renamed = &report["findings"][0]["change"];
    assert_eq!(renamed["before"]["name"].as_str(), Some("Debian 12 - Latest"));
    assert_eq!(renamed["after"]["name"].as_str(), Some("Peter's"));

    // Nothing of all this has written to the cloud, and apply ends it.
    stage.settle();
    let (exit, report) = drift(&stage, &["--baseline", "before.json"]);
    assert_eq!((exit, listed(&report)), (Some(0), vec![format!("{unmanaged} known")]));
    assert_eq!(report["resolved"][0]["class"].as_str(), Some("outdated"));
}

#[test]
fn an_old_version_that_tenants_use_is_missed_and_one_that_nobody_uses_is_remembered() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    stage.settle();
    let old = [stage.id_of("Debian 12 - Latest"), stage.id_of("Rocky Linux 9 - Latest")];
    let server = stage.world().region(REGION).unwrap().boot("demo", &old[0], "web").unwrap();
    stage.exhibit(&[NEWER_DEBIAN, ("rocky-9", "Rocky Linux 9", "9.9-20261116.0")]);
    stage.run(&["apply", "--auto-approve"]).with(0);
    let (exit, report) = drift(&stage, &["--report", "json=before.json", "--report", "html=drift.html"]);
    assert_eq!((exit, listed(&report)), (Some(0), vec![]));
    let users = |family: usize| report["families"][family]["versions"][1]["users"].clone();
    assert_eq!(users(0)["projects"][0]["servers"], serde_json::json!([server]));
    assert_eq!(users(0)["projects"][0]["project"], "demo");
    assert_eq!(users(1), serde_json::json!({"complete": true, "projects": []}));
    assert!(stage.read("drift.html").contains("<li>demo <code>"), "the page says whom to write to");

    // Both could go by their lifecycle; the next apply would have deleted only the one.
    for id in &old {
        stage.world().region(REGION).unwrap().delete_image(id);
    }
    let (exit, report) = drift(&stage, &["--baseline", "before.json", "--report", "json=after.json"]);
    assert_eq!((exit, listed(&report)), (Some(2), vec!["missing debian-12/20261013-2601 new".to_owned()]));
    assert_eq!(report["findings"][0]["change"]["after"]["used_by"], serde_json::json!([format!("server {server}")]));
    assert_eq!(report["families"][1]["gone"][0]["version"], ROCKY.2);
    let (_, later) = drift(&stage, &["--baseline", "after.json"]);
    assert_eq!(later["families"][1]["gone"], report["families"][1]["gone"], "and remembered from report to report");
}

#[test]
fn an_acceptance_holds_until_its_day_has_passed() {
    let stage = Stage::with(&[ROCKY]);
    stage.settle();
    change(&stage, "Rocky Linux 9 - Latest", |image| image.min_ram = 4096);
    let acceptance = |until: &str| {
        let text =
            format!("[[accept]]\naddress = \"rocky-*\"\nclass = \"changed\"\nreason = \"a test\"\nuntil = {until}\n");
        stage.write("accept.toml", &text);
        drift(&stage, &["--accept", "accept.toml"])
    };
    let (exit, report) = acceptance("2999-01-01");
    assert_eq!((exit, report["findings"][0]["accepted"]["reason"].as_str()), (Some(0), Some("a test")));
    assert_eq!(acceptance("2020-01-01").0, Some(2));
    stage.write("accept.toml", "[[accept]]\naddress = \"*\"\n");
    let ended = stage.run(&["drift", "--accept", "accept.toml"]).with(78);
    assert!(ended.says("accept.toml:1"), "{}", ended.stderr);
}

#[test]
fn a_wrong_class_or_age_is_wrong_use() {
    let stage = Stage::with(&[ROCKY]);
    for words in [["--fail-on", "odd"], ["--max-age", "3h"], ["--report", "odd=x"], ["--report", "json=-"]] {
        stage.run(&["drift", words[0], words[1]]).with(64);
    }
    stage.write("last.json", "{}");
    stage.run(&["drift", "--baseline", "last.json"]).with(1);
    assert_eq!(stage.requests(), 0);
}

#[test]
fn drift_writes_nothing_to_the_cloud() {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    stage.settle();
    change(&stage, "Rocky Linux 9 - Latest", |image| image.min_ram = 4096);
    stage.world().forget_requests();
    assert_eq!(drift(&stage, &[]).0, Some(2));
    let world = stage.world();
    let written: Vec<_> = world
        .requests()
        .iter()
        .filter(|request| request.method != "GET" && !request.path.contains("/auth/tokens"))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

#[test]
fn what_cannot_be_read_is_never_in_sync() {
    let stage = Stage::with(&[DEBIAN]);
    stage.settle();
    let words = ["--exit-zero", "--report", "prometheus=images.prom"];
    assert_eq!(drift(&stage, &words).0, Some(0));
    let last = || {
        let text = stage.read("images.prom");
        text.lines().find(|line| line.contains("last_success_timestamp_seconds{")).unwrap().to_owned()
    };
    let before = last();
    stage.world().inject(Fault::new(Effect::Status(403, None)).service(Service::Image).always());
    let (exit, report) = drift(&stage, &words);
    assert_eq!((exit, report["complete"].as_bool()), (Some(1), Some(false)));
    assert_eq!(report["problems"][0]["name"].as_str(), Some(REGION));
    assert_eq!(report["sites"][0]["in_sync"].as_u64(), Some(0));
    assert_eq!(last(), before, "since then nothing has been known");
    assert!(stage.read("images.prom").contains("gallerist_check_success{catalogue=\"tests\",site=\"RegionOne\"} 0"));
    assert!(stage.run(&["drift"]).with(1).stdout.ends_with("Not known: 1 part could not be read.\n"));
}

/// Two clouds that call their region the same; then one of them cannot be entered any more.
#[test]
fn a_cloud_that_cannot_be_entered_hides_none_of_the_others() {
    let stage = Stage::with(&[ROCKY]);
    let second = stage.runtime().block_on(Sandbox::start(Options::default())).unwrap();
    let clouds = second.clouds_yaml().replace("clouds:\n", "").replace("  sandbox-", "  second-");
    stage.write("clouds.yaml", &format!("{}{clouds}", stage.read("clouds.yaml")));
    let listed_clouds =
        "clouds = [{ cloud = \"sandbox-admin\" }, { cloud = \"second-admin\", regions = [\"RegionOne\"] }]";
    let file = stage.read("images.toml");
    stage.write("images.toml", &file.replacen("[catalogue]\n", &format!("[catalogue]\n{listed_clouds}\n"), 1));
    stage.settle();
    let (exit, report) = drift(&stage, &["--report", "json=before.json"]);
    assert_eq!((exit, report["complete"].as_bool(), listed(&report)), (Some(0), Some(true), vec![]));

    drop(second);
    change(&stage, "Rocky Linux 9 - Latest", |image| image.min_ram = 4096);
    let (exit, report) = drift(&stage, &["--baseline", "before.json"]);
    assert_eq!((exit, report["complete"].as_bool()), (Some(1), Some(false)));
    assert_eq!(report["problems"][0]["name"].as_str(), Some("second-admin:RegionOne"));
    assert_eq!(listed(&report), ["changed rocky-9/9.8-20260525.0@sandbox-admin:RegionOne new"]);
}
