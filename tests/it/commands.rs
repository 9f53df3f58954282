//! The commands that report and record: the real binary, on an embedded cloud with publishers of its own.

use gallerist::sandbox::exhibition::{Edition, Exhibition};
use gallerist::sandbox::{Behaviour, Service, project_id};
use serde_json::{Value, json};

use super::support::gallery::Gallery;
use super::support::stage::{DEBIAN, Exhibit, NEWER_DEBIAN, REGION, ROCKY, Stage};

const NEWEST_DEBIAN: Exhibit<'_> = ("debian-12", "Debian 12", "20261201-2640");

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// A cloud where Debian 12 was replaced once, and the old version has these users: servers and volumes of a tenant.
fn replaced(servers: usize, volumes: usize) -> (Stage, Vec<String>, Vec<String>) {
    let stage = Stage::with(&[DEBIAN, ROCKY]);
    stage.settle();
    let old = stage.id_of("Debian 12 - Latest");
    let (servers, volumes) = {
        let mut world = stage.world();
        let region = world.region(REGION).unwrap();
        let servers = (0..servers).map(|number| region.boot("demo", &old, &format!("web-{number}")).unwrap());
        let mut servers: Vec<String> = servers.collect();
        let mut volumes: Vec<String> = (0..volumes).map(|_| region.volume("other", &old).unwrap()).collect();
        servers.sort();
        volumes.sort();
        (servers, volumes)
    };
    stage.exhibit(&[NEWER_DEBIAN, ROCKY]);
    stage.run(&["apply", "--auto-approve"]).with(0);
    (stage, servers, volumes)
}

#[test]
fn usage_names_every_user_of_every_version() {
    // More than a plan would name.
    let (stage, servers, volumes) = replaced(7, 6);
    let told = parsed(&stage.run(&["usage", "--format", "json"]).with(0).stdout);
    let versions = told["versions"].as_array().unwrap();
    let of = |address: &str| versions.iter().find(|version| version["address"] == address).unwrap();
    let old = of("debian-12/20261013-2601");
    assert_eq!((&old["state"], &old["complete"]), (&json!("superseded"), &json!(true)));
    let users = old["users"].as_array().unwrap();
    let project = |name: &str| users.iter().find(|user| user["project"] == name).unwrap();
    assert_eq!(project("demo")["servers"], json!(servers));
    assert_eq!(project("demo")["project_id"], json!(project_id("demo")));
    assert_eq!(project("other")["volumes"], json!(volumes));
    assert_eq!(of("debian-12/20261117-2637")["state"], "latest");
    assert_eq!(of("rocky-9/9.8-20260525.0")["users"], json!([]));
    assert_eq!(versions.len(), 3);

    let table = stage.run(&["usage", "--format", "csv"]).with(0).stdout;
    assert_eq!(table.lines().count(), 1 + 7 + 6 + 2, "{table}");
    assert!(stage.run(&["usage"]).with(0).says("1 of 3 versions in use."));
}

#[test]
fn usage_says_when_somebody_may_be_missing() {
    let (stage, ..) = replaced(0, 0);
    stage.world().region(REGION).unwrap().set_cell(gallerist::sandbox::Cell::Down);
    let told = parsed(&stage.run(&["usage", "--format", "json"]).with(1).stdout);
    assert!(told["versions"].as_array().unwrap().iter().all(|version| version["complete"] == false), "{told}");
}

/// A text without the line that says where the knowledge of the cloud is from.
fn apart_from_the_source(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("Read ")).collect()
}

#[test]
fn a_plan_from_a_snapshot_is_the_plan_against_the_cloud() {
    let (stage, ..) = replaced(1, 0);
    stage.exhibit(&[NEWEST_DEBIAN, ROCKY]);
    stage.run(&["snapshot", "-o", "cloud.json"]).with(0);
    let live = stage.run(&["plan"]).with(0);
    assert!(live.says("in use by at least 1 server"), "{}", live.stdout);
    let before = stage.requests();
    let without_credentials = |words: &[&str]| {
        let mut command = stage.command(words);
        command.env_remove("OS_CLOUD").env_remove("OS_CLIENT_CONFIG_FILE");
        super::support::stage::Ended::from(command.output().unwrap())
    };
    let recorded = without_credentials(&["plan", "--snapshot", "cloud.json"]).with(0);
    assert_eq!(apart_from_the_source(&recorded.stdout), apart_from_the_source(&live.stdout));
    assert!(recorded.stdout.contains("from a snapshot of"), "{}", recorded.stdout);
    assert_eq!(stage.requests(), before, "nobody was asked");

    let json = |text: &str| {
        let mut document = parsed(text);
        document["timestamp"] = Value::Null;
        document["gallerist"]["live"] = Value::Null;
        document
    };
    let live = stage.run(&["plan", "--format", "json"]).with(0).stdout;
    let recorded = without_credentials(&["plan", "--snapshot", "cloud.json", "--format", "json"]).with(0).stdout;
    assert_eq!(json(&recorded), json(&live));
}

#[test]
fn a_snapshot_holds_no_secrets_and_is_of_one_catalogue() {
    let (stage, ..) = replaced(1, 0);
    stage.run(&["snapshot", "-o", "cloud.json"]).with(0);
    let clouds = stage.read("clouds.yaml");
    let secrets = clouds.lines().filter_map(|line| {
        let (key, value) = line.trim().split_once(": ")?;
        matches!(key, "password" | "application_credential_secret").then(|| value.trim_matches('"').to_owned())
    });
    let secrets: Vec<String> = secrets.collect();
    assert!(!secrets.is_empty());
    let snapshot = stage.read("cloud.json");
    assert!(secrets.iter().all(|secret| !snapshot.contains(secret)));

    stage.write("images.toml", &stage.read("images.toml").replace("\"tests\"", "\"others\""));
    let refused = stage.run(&["plan", "--snapshot", "cloud.json"]).with(1);
    assert!(refused.says("a snapshot of the catalogue `tests`, and images.toml describes `others`"));
    stage.write("cloud.json", "{}");
    assert!(stage.run(&["plan", "--snapshot", "cloud.json"]).with(1).says("not a snapshot that"));
}

#[test]
fn a_saved_plan_and_a_fresh_one_make_the_same_picture() {
    let (stage, ..) = replaced(0, 0);
    stage.exhibit(&[NEWEST_DEBIAN, ROCKY]);
    stage.run(&["plan", "--out", "plan.json"]).with(0);
    for format in ["dot", "mermaid", "svg"] {
        let fresh = stage.run(&["graph", "--format", format]).with(0).stdout;
        let saved = stage.run(&["graph", "plan.json", "--format", format]).with(0).stdout;
        assert_eq!(fresh, saved);
        assert!(fresh.contains("debian-12/20261201-2640"), "{fresh}");
    }
    stage.run(&["graph", "plan.json", "--target", "x"]).with(64);
}

/// The paths of a publisher's lists that were asked for.
fn asked(gallery: &Gallery, service: Service) -> usize {
    gallery.world().requests().iter().filter(|request| request.service == service).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_changes_only_where_something_has_changed() {
    let gallery = Gallery::open().await;
    let first = gallery.run(&["lock"]).ends_with(0);
    first.says("ubuntu-24.04: 20261015 (new)");
    first.says("9 locked versions, 9 changed");
    let before = gallery.read("images.lock.toml");
    gallery.run(&["lock"]).ends_with(0).says("9 locked versions, no changes");
    gallery.run(&["validate"]).ends_with(0).says("9 images, 9 locked versions, 0 warnings");
    assert_eq!(asked(&gallery, Service::Identity), 0, "no cloud is needed");

    gallery.publish(Edition::Second);
    let named = gallery.run(&["lock", "ubuntu-24.04"]).ends_with(0);
    assert_eq!(named.stdout.lines().next(), Some("ubuntu-24.04: 20261015 -> 20261118"), "{}", named.text());
    let after = gallery.read("images.lock.toml");
    let old: Vec<&str> = before.lines().filter(|line| !after.contains(line)).collect();
    assert!(
        old.iter().all(|line| line.contains("20261015") || line.contains("sha256") || line.contains("built")),
        "{old:?}"
    );
    assert!(after.contains("20261013-2601"), "Debian was not asked for");
    gallery.run(&["lock", "elsewhere"]).ends_with(64).says("no family `elsewhere`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_fails_keeps_its_entry_and_the_others_move_on() {
    let gallery = Gallery::open().await;
    gallery.run(&["lock"]).ends_with(0);
    gallery.publish(Edition::Second);
    let debian = Exhibition::newest(Edition::Second).into_iter().find(|exhibit| exhibit.family == "debian-12").unwrap();
    gallery.world().behave(&debian.list, Behaviour::Status(403, None));
    let ended = gallery.run(&["lock"]).ends_with(1);
    assert!(ended.stdout.contains("ubuntu-24.04: 20261015 -> 20261118"), "{}", ended.text());
    assert!(ended.stderr.contains("error: debian-12: "), "{}", ended.text());
    let lock = gallery.read("images.lock.toml");
    assert!(lock.contains("20261013-2601") && lock.contains("20261118"), "{lock}");

    let ended = gallery.run(&["upstream", "--no-cloud", "--format", "json"]).ends_with(1);
    let told = parsed(&ended.stdout);
    assert_eq!(told["families"].as_array().unwrap().len(), 8);
    assert_eq!(told["errors"][0]["family"], "debian-12");
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_sets_the_newest_against_the_latest() {
    let gallery = Gallery::open().await;
    gallery.run(&["apply", "--auto-approve"]).ends_with(0);
    gallery.publish(Edition::Second);
    let ended = gallery.run(&["upstream", "--format", "json"]).ends_with(0);
    let told = parsed(&ended.stdout);
    let ubuntu = told["families"].as_array().unwrap().iter().find(|it| it["family"] == "ubuntu-24.04").unwrap();
    assert_eq!(ubuntu["version"], "20261118");
    assert_eq!(ubuntu["latest"], json!([{"site": "RegionOne", "version": "20261015"}]));
    assert_eq!(told["errors"], json!([]));
    gallery.run(&["upstream"]).ends_with(0).says("2 behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_what_is_inside_and_is_the_same_plan_where_that_is_unknown() {
    let gallery = Gallery::open().await;
    let lists_asked = || gallery.world().requests().iter().filter(|it| it.path.ends_with(".manifest")).count();
    gallery.run(&["apply", "--auto-approve"]).ends_with(0);
    gallery.run(&["plan"]).ends_with(0);
    assert_eq!(lists_asked(), 0, "nothing takes over from anything");

    gallery.publish(Edition::Second);
    let planned = |words: &[&str]| {
        let document = parsed(&gallery.run(&[&["plan", "--format", "json"], words].concat()).ends_with(0).stdout);
        let changes = document["resource_changes"].as_array().unwrap().clone();
        let ubuntu = changes.into_iter().find(|change| change["address"] == "ubuntu-24.04/20261118").unwrap();
        (document["gallerist"].clone(), ubuntu["gallerist"]["packages"].clone())
    };
    let (told, packages) = planned(&[]);
    assert_eq!(packages["notable"], json!(["linux-image-virtual", "openssl"]));
    assert_eq!(
        (&packages["from"], &packages["changed"], &packages["added"]),
        (&json!("20261015"), &json!(2), &json!(1))
    );
    assert_eq!(lists_asked(), 2);

    // In a pull request from a stranger nothing is asked, whatever its lock file says.
    gallery.run(&["snapshot", "-o", "cloud.json"]).ends_with(0);
    gallery.run(&["lock"]).ends_with(0);
    assert_eq!(planned(&["--snapshot", "cloud.json"]).1, Value::Null);
    assert_eq!(lists_asked(), 2);

    let image = "cloud-images.ubuntu.com/releases/server/releases/noble/release-20261015/";
    gallery.world().withdraw(&format!("{image}ubuntu-24.04-server-cloudimg-amd64.manifest"));
    let (silent, packages) = planned(&[]);
    assert_eq!(packages, Value::Null);
    assert_eq!((&silent["plan_id"], &silent["holds"]), (&told["plan_id"], &told["holds"]));
    assert!(silent["notes"].as_array().unwrap().iter().any(|note| note["code"] == "packages_unknown"), "{silent}");
}

#[test]
fn a_first_file_is_written_once_and_is_valid() {
    let stage = Stage::new();
    stage.run(&["init"]).with(0);
    stage.run(&["validate"]).with(0);
    assert!(stage.read("images.toml").starts_with("#:schema ./images.schema.json\n"));
    assert_eq!(stage.read("images.schema.json"), stage.run(&["schema", "config"]).with(0).stdout);
    stage.write("images.toml", "mine");
    assert!(stage.run(&["init"]).with(1).says("was left as it is"));
    assert_eq!(stage.read("images.toml"), "mine");
}
