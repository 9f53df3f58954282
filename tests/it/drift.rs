//! `drift` as people run it: which disagreement is of which class, and which of them ends a run how.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use gallerist::model::desired::{Audience, Chosen, Wanted};
use gallerist::model::drift::{Baseline, Class, Finding, Fix};
use gallerist::model::image::{Image, Status, Visibility};
use gallerist::model::lifecycle::Age;
use gallerist::model::name::{FamilyName, ImageId, SiteName};
use gallerist::model::version::Version;
use gallerist::planner::drift::{Evidence, findings, hangings};
use gallerist::sandbox::exhibition::{Edition, Exhibition};
use gallerist::sandbox::{Effect, Fault, ImageRecord, Options, Sandbox, Service, image};
use jiff::ToSpan;
use jiff::civil::date;

use crate::support::policies::Policy;
use crate::support::world::{
    FamilySpec, Foreign, ImageSpec, Meddled, Part, Standing, UsageSpec, WantedSpec, World, WorldSpec, family_name,
    site_name, version, version_name,
};

fn piece(version: u8, part: Part, meddled: Meddled) -> ImageSpec {
    ImageSpec { site: 0, version, part, status: Status::Active, usage: UsageSpec::Unasked, meddled }
}

fn family(wanted: WantedSpec, images: Vec<ImageSpec>) -> FamilySpec {
    FamilySpec {
        policy: Policy::Wiit,
        audience: Audience::Everybody,
        standing: Standing::Listed,
        wanted,
        skip: None,
        images,
        foreign: vec![],
    }
}

fn world(family: FamilySpec) -> World {
    WorldSpec { families: vec![family], sites: 1, retirement: Policy::Wiit, max_deletes: None }.build()
}

const NOTHING_PUBLIC: &BTreeMap<SiteName, BTreeMap<ImageId, Image>> = &BTreeMap::new();
const NOTHING_NEWER: &BTreeMap<FamilyName, Version> = &BTreeMap::new();

fn told<'a>(world: &'a World, change: impl FnOnce(&mut Evidence<'a>)) -> Vec<Finding> {
    let mut evidence = Evidence {
        desired: &world.desired,
        observed: &world.observed,
        public: NOTHING_PUBLIC,
        newest: NOTHING_NEWER,
        max_age: None,
        baseline: None,
        now: world.now,
    };
    change(&mut evidence);
    findings(&evidence)
}

/// `class address`, one a finding.
fn short(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{} {}", finding.class, finding.subject)).collect()
}

fn classes(family: FamilySpec) -> Vec<String> {
    short(&told(&world(family), |_| ()))
}

const SUPERSEDED: Part = Part::Superseded(9);

fn at_rest() -> FamilySpec {
    family(WantedSpec::Newest(4), vec![piece(4, Part::Shown, Meddled::No), piece(0, SUPERSEDED, Meddled::No)])
}

fn with(index: usize, image: ImageSpec) -> FamilySpec {
    let mut family = at_rest();
    family.images[index] = image;
    family
}

#[test]
fn a_catalogue_that_was_applied_has_no_findings() {
    for policy in Policy::ALL {
        let found = classes(FamilySpec { policy, ..at_rest() });
        assert_eq!(found, Vec::<String>::new(), "{policy:?}");
    }
}

#[test]
fn what_somebody_changed_is_changed() {
    let visibility = Meddled::Visibility(Visibility::Private);
    for meddled in [Meddled::Renamed, visibility, Meddled::Property] {
        let latest = classes(with(0, piece(4, Part::Shown, meddled)));
        assert_eq!(latest, ["changed ubuntu-24.04/20261004"], "{meddled:?}");
    }
    for meddled in [Meddled::Renamed, visibility] {
        let superseded = classes(with(1, piece(0, SUPERSEDED, meddled)));
        assert_eq!(superseded, ["changed ubuntu-24.04/20260930"], "{meddled:?}");
    }
}

#[test]
fn a_property_of_a_superseded_version_was_changed_unless_it_may_be_an_ignored_one() {
    let mut world = world(with(1, piece(0, SUPERSEDED, Meddled::Property)));
    assert_eq!(short(&told(&world, |_| ())), Vec::<String>::new());
    world.desired.families.get_mut(&family_name(0)).unwrap().ignored_properties.clear();
    let found = told(&world, |_| ());
    assert_eq!(short(&found), ["changed ubuntu-24.04/20260930"]);
    assert_eq!((&found[0].before, &found[0].fix), (&None, &Fix::ByHand), "nothing on record says what it was");
}

#[test]
fn a_change_by_hand_is_seen_through_a_new_version() {
    let family = FamilySpec { wanted: WantedSpec::Newest(6), ..with(0, piece(4, Part::Shown, Meddled::Renamed)) };
    assert_eq!(classes(family), ["changed ubuntu-24.04/20261004", "outdated ubuntu-24.04/20261004"]);
}

#[test]
fn a_change_of_the_file_is_pending() {
    let mut world = world(at_rest());
    world.desired.families.get_mut(&family_name(0)).unwrap().min_ram = 1024;
    assert_eq!(short(&told(&world, |_| ())), ["pending ubuntu-24.04/20261004"]);
    world.desired.families.clear();
    assert_eq!(short(&told(&world, |_| ())), ["pending ubuntu-24.04/20261004"], "the family is retired");
}

#[test]
fn what_should_be_there_and_is_not_is_missing() {
    let deactivated = |version, part| ImageSpec { status: Status::Deactivated, ..piece(version, part, Meddled::No) };
    assert_eq!(classes(with(0, deactivated(4, Part::Shown))), ["missing ubuntu-24.04/20261004"]);
    assert_eq!(classes(with(1, deactivated(0, SUPERSEDED))), ["missing ubuntu-24.04/20260930"]);
    assert_eq!(classes(with(1, piece(0, Part::Condemned(9), Meddled::No))), ["pending ubuntu-24.04/20260930"]);
    let mut orphaned = at_rest();
    orphaned.images.remove(0);
    assert_eq!(classes(orphaned), ["missing ubuntu-24.04"]);
    assert_eq!(classes(FamilySpec { images: vec![], ..at_rest() }), ["missing ubuntu-24.04"]);
}

#[test]
fn the_report_before_tells_what_was_never_applied_from_what_is_gone() {
    let empty = world(FamilySpec { images: vec![], ..at_rest() });
    let site = site_name(0);
    let mut baseline = Baseline { sites: [site.clone()].into(), ..Baseline::default() };
    let after = |world: &World, baseline: &Baseline| short(&told(world, |evidence| evidence.baseline = Some(baseline)));
    assert_eq!(after(&empty, &baseline), ["pending ubuntu-24.04"], "the file has just been given it");
    baseline.findings.insert(("ubuntu-24.04".to_owned(), Class::Missing), None);
    assert_eq!(after(&empty, &baseline), ["missing ubuntu-24.04"], "it is still missing");
    baseline.findings.clear();
    baseline.versions.insert((site.clone(), family_name(0)), BTreeMap::from([(version_name(4), None)]));
    assert_eq!(after(&empty, &baseline), ["missing ubuntu-24.04"], "it was there");

    // A superseded version that is gone: apply may have deleted it, unless its lifecycle says that it cannot have.
    let mut world = world(at_rest());
    let since = date(2026, 11, 20);
    baseline.versions.insert((site, family_name(0)), BTreeMap::from([(version_name(1), Some(since))]));
    assert_eq!(after(&world, &baseline), Vec::<String>::new());
    let deletion = |world: &mut World, after: Age| {
        world.desired.families.get_mut(&family_name(0)).unwrap().lifecycle.deletion.after = after;
    };
    deletion(&mut world, Age::from_span(30.days()).unwrap());
    assert_eq!(after(&world, &baseline), ["missing ubuntu-24.04/20261001"]);
    deletion(&mut world, Age::from_span(3.days()).unwrap());
    assert_eq!(after(&world, &baseline), Vec::<String>::new(), "it was due today");
}

#[test]
fn a_public_name_is_one_images_alone() {
    let foreign = |foreign| FamilySpec { foreign: vec![(0, foreign)], ..at_rest() };
    assert_eq!(classes(foreign(Foreign::PublicNamesake)), ["duplicate ubuntu-24.04/20261004"]);
    assert_eq!(classes(foreign(Foreign::Impostor(Visibility::Community))), Vec::<String>::new());
    assert_eq!(classes(foreign(Foreign::Snapshot)), Vec::<String>::new());
    let both = with(1, piece(0, Part::Shown, Meddled::No));
    let found = classes(both);
    assert!(found.contains(&"duplicate ubuntu-24.04/20261004".to_owned()), "{found:?}");
}

#[test]
fn newer_versions_make_the_latest_outdated_and_a_pin_does_not() {
    let wanting = |wanted| classes(FamilySpec { wanted, ..at_rest() });
    assert_eq!(wanting(WantedSpec::Newest(5)), ["outdated ubuntu-24.04/20261004"]);
    assert_eq!(wanting(WantedSpec::Pinned(4)), Vec::<String>::new());
    assert_eq!(wanting(WantedSpec::Pinned(2)), ["pending ubuntu-24.04/20261004"], "back to an older one");
    assert_eq!(wanting(WantedSpec::Newest(3)), Vec::<String>::new(), "a publisher that forgot its newest");
    assert_eq!(wanting(WantedSpec::Unknown), Vec::<String>::new(), "whoever asks says that it was not known");
    assert_eq!(wanting(WantedSpec::OnlyOnCloud(9)), ["outdated ubuntu-24.04/20261004", "broken ubuntu-24.04/20261009"]);
    assert_eq!(wanting(WantedSpec::Republished(4)), ["broken ubuntu-24.04/20261004"]);
}

#[test]
fn what_the_publisher_has_beyond_the_lock_file_is_told() {
    let mut world = world(at_rest());
    let family = world.desired.families.get_mut(&family_name(0)).unwrap();
    let locked = Some(Box::new(version(4)));
    family.wanted = Wanted::Version { name: version_name(4), version: locked, chosen: Chosen::Locked };
    let newest = BTreeMap::from([(family_name(0), version(7))]);
    let found = told(&world, |evidence| evidence.newest = &newest);
    assert_eq!(short(&found), ["outdated ubuntu-24.04/20261004"]);
    assert_eq!(found[0].fix, Fix::Lock(family_name(0)));
}

#[test]
fn an_age_may_be_reached_but_not_passed() {
    let world = world(at_rest());
    // Built on 4 October, looked at on 23 November.
    for (days, stale) in [(49, true), (50, false)] {
        let found = told(&world, |evidence| evidence.max_age = Age::from_span(days.days()));
        assert_eq!(short(&found) == ["stale ubuntu-24.04/20261004"], stale, "{days} {found:?}");
    }
}

#[test]
fn public_images_that_nobody_manages_are_told() {
    let world = world(at_rest());
    let site: SiteName = site_name(0);
    let latest: &Image = world.observed.sites[&site].images.values().next().unwrap();
    let foreign = |id: &str, tags: &[&str]| {
        let id = ImageId::parse(id).unwrap();
        let mut image = Image { id: id.clone(), ..latest.clone() };
        image.attributes.name = "cirros".to_owned();
        image.attributes.visibility = Visibility::Public;
        image.attributes.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        (id, image)
    };
    let other = ["gallerist", "gallerist:catalogue=other", "gallerist:family=cirros", "gallerist:version=1"];
    let images = BTreeMap::from([foreign("by-hand", &[]), foreign("of-another-catalogue", &other)]);
    let public = BTreeMap::from([(site, images)]);
    let found = told(&world, |evidence| evidence.public = &public);
    assert_eq!(short(&found), ["unmanaged by-hand"]);
}

#[test]
fn each_family_has_its_history() {
    let world = world(FamilySpec { wanted: WantedSpec::Newest(6), ..at_rest() });
    let (public, newest) = (BTreeMap::new(), BTreeMap::new());
    let hangings = hangings(&Evidence {
        desired: &world.desired,
        observed: &world.observed,
        public: &public,
        newest: &newest,
        max_age: None,
        baseline: None,
        now: world.now,
    });
    let [hanging] = hangings.as_slice() else { panic!("{hangings:?}") };
    assert_eq!(hanging.family, FamilyName::parse("ubuntu-24.04").unwrap());
    assert_eq!(hanging.latest, Some(version_name(4)));
    assert_eq!(hanging.upstream.as_ref().map(|(name, _)| name.clone()), Some(version_name(6)));
    let versions: Vec<_> = hanging.versions.iter().map(|piece| piece.version.clone()).collect();
    assert_eq!(versions, [version_name(4), version_name(0)]);
}

/// A folder with an images.toml and a clouds.yaml, and the embedded cloud they speak of.
struct Stage {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    exhibition: Exhibition,
}

const KEY: &str = "publishers.asc";

impl Stage {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stage = Self { sandbox, folder, exhibition: Exhibition::new().unwrap() };
        stage.write("clouds.yaml", &stage.sandbox.clouds_yaml());
        stage.write(KEY, stage.exhibition.public_key());
        stage.edition(Edition::First, &["sandbox-admin"]);
        stage
    }

    fn edition(&self, edition: Edition, clouds: &[&str]) {
        self.exhibition.publish(edition, &mut self.sandbox.world()).unwrap();
        let clouds: Vec<_> = clouds.iter().map(|cloud| format!("{{ cloud = \"{cloud}\" }}")).collect();
        let catalogue = format!("[catalogue]\nclouds = [{}]", clouds.join(", "));
        let text = Exhibition::images_toml(self.sandbox.mirror_url(), KEY);
        self.write("images.toml", &text.replacen("[catalogue]", &catalogue, 1));
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_gallerist")));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("OS_CLIENT_CONFIG_FILE", self.folder.path().join("clouds.yaml"));
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// The exit code and the report.
    async fn drift(&self, arguments: &[&str]) -> (i32, serde_json::Value) {
        let output = self.run(&[&["drift", "--format", "json"], arguments].concat()).await;
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), report)
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut ImageRecord)) {
        let mut world = self.sandbox.world();
        let region = world.region("RegionOne").unwrap();
        let bearer = region.images().values().find(|image| image.name.as_deref() == Some(name));
        let id = bearer.unwrap_or_else(|| panic!("no `{name}`")).id.clone();
        change(region.image(&id).unwrap());
    }
}

/// `class address state`, one a finding.
fn listed(report: &serde_json::Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let line = |finding: &serde_json::Value| {
        format!("{} {} {}", word(&finding["class"]), word(&finding["address"]), word(&finding["state"]))
    };
    findings.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_in_the_life_of_a_catalogue() {
    let stage = Stage::new().await;
    let (exit, report) = stage.drift(&[]).await;
    assert_eq!((exit, report["summary"]["missing"].as_u64()), (2, Some(9)), "nothing was applied yet");
    assert_eq!(stage.run(&["apply", "--auto-approve"]).await.status.code(), Some(0));
    let (exit, report) = stage.drift(&[]).await;
    assert_eq!((exit, listed(&report)), (0, vec![]));

    // An upstream that moved on, and a public image that nobody manages: told, and no reason to be woken.
    stage.edition(Edition::Second, &["sandbox-admin"]);
    let bytes = image::qcow2(1 << 30, b"cirros");
    let cirros = stage.sandbox.world().region("RegionOne").unwrap().upload(
        "other",
        "cirros",
        Visibility::Public,
        "qcow2",
        &bytes,
    );
    let cirros = format!("unmanaged {} new", cirros.unwrap());
    let (exit, report) = stage.drift(&["--report", "json=before.json"]).await;
    let outdated = ["outdated debian-12/20261013-2601 new", "outdated ubuntu-24.04/20261015 new"];
    assert_eq!(
        (exit, listed(&report)),
        (0, [&outdated[..], &[&cirros]].concat().iter().map(|line| (*line).to_owned()).collect())
    );
    assert_eq!(stage.drift(&["--fail-on", "outdated"]).await.0, 2);
    assert_eq!(stage.drift(&["--fail-on", "outdated", "--exit-zero"]).await.0, 0);
    assert_eq!(stage.drift(&["--fail-on", "none"]).await.0, 0);

    // What somebody changed by hand is.
    stage.change("Rocky Linux 9 - Latest", |image| {
        image.properties.insert("hw_disk_bus".to_owned(), "virtio".to_owned());
    });
    stage.change("Ubuntu 24.04 Noble Numbat - Latest", |image| image.name = Some("Peter's".to_owned()));
    let (exit, report) = stage.drift(&["--baseline", "before.json"]).await;
    let lines = listed(&report);
    assert_eq!(exit, 2);
    assert_eq!(lines[..2], ["changed rocky-9/9.8-20260525.0 new", "changed ubuntu-24.04/20261015 new"]);
    assert_eq!(lines[2..4], outdated.map(|line| line.replace(" new", " known")));
    let change = &report["findings"][0]["change"];
    assert_eq!(
        (change["before"]["hw_disk_bus"].as_str(), change["after"]["hw_disk_bus"].as_str()),
        (Some("scsi"), Some("virtio"))
    );

    // An acceptance holds until its day has passed.
    let acceptance = |until: &str| {
        format!("[[accept]]\naddress = \"*\"\nclass = \"changed\"\nreason = \"being looked into\"\nuntil = {until}\n")
    };
    stage.write("accept.toml", &acceptance("2999-01-01"));
    assert_eq!(stage.drift(&["--accept", "accept.toml"]).await.0, 0);
    stage.write("accept.toml", &acceptance("2020-01-01"));
    assert_eq!(stage.drift(&["--accept", "accept.toml"]).await.0, 2);
    stage.write("accept.toml", "[[accept]]\naddress = \"*\"\n");
    let output = stage.run(&["drift", "--accept", "accept.toml"]).await;
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("accept.toml:1"), "{output:?}");

    // Nothing of all this has written to the cloud, and apply ends it.
    assert_eq!(stage.run(&["apply", "--auto-approve"]).await.status.code(), Some(0));
    let (exit, report) = stage.drift(&["--baseline", "before.json"]).await;
    assert_eq!((exit, listed(&report)), (0, vec![cirros.replace(" new", " known")]));
    assert_eq!(report["resolved"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_writes_nothing_to_the_cloud() {
    let stage = Stage::new().await;
    assert_eq!(stage.run(&["apply", "--auto-approve"]).await.status.code(), Some(0));
    stage.sandbox.world().forget_requests();
    assert_eq!(stage.drift(&[]).await.0, 0);
    let world = stage.sandbox.world();
    let written: Vec<_> = world
        .requests()
        .iter()
        .filter(|request| request.method != "GET" && !request.path.contains("/auth/tokens"))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

/// Two clouds that call their region the same; then one of them cannot be entered any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_cannot_be_entered_hides_none_of_the_others() {
    let stage = Stage::new().await;
    let second = Sandbox::start(Options::default()).await.unwrap();
    let clouds = second.clouds_yaml().replace("clouds:\n", "").replace("  sandbox-", "  second-");
    stage.write("clouds.yaml", &format!("{}{clouds}", stage.sandbox.clouds_yaml()));
    stage.edition(Edition::First, &["sandbox-admin", "second-admin"]);
    assert_eq!(stage.run(&["apply", "--auto-approve"]).await.status.code(), Some(0));
    let reports = ["--report", "prometheus=images.prom", "--report", "json=report.json"];
    let (exit, report) = stage.drift(&reports).await;
    assert_eq!((exit, report["complete"].as_bool()), (0, Some(true)), "{report}");
    let before = stage.read("images.prom");

    drop(second);
    stage.change("Rocky Linux 9 - Latest", |image| image.min_ram = 4096);
    let (exit, report) = stage.drift(&[&reports[..], &["--exit-zero", "--baseline", "report.json"]].concat()).await;
    assert_eq!((exit, report["complete"].as_bool()), (1, Some(false)));
    let problem = &report["problems"][0];
    assert_eq!((problem["kind"].as_str(), problem["name"].as_str()), (Some("site"), Some("second-admin")));
    assert_eq!(listed(&report), ["changed rocky-9/9.8-20260525.0@sandbox-admin:RegionOne new"]);
    let sites: Vec<_> = report["sites"].as_array().unwrap().iter().map(|site| site["complete"].as_bool()).collect();
    assert_eq!(sites, [Some(true), Some(false)]);
    let after = stage.read("images.prom");
    assert_ne!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_never_in_sync() {
    let stage = Stage::new().await;
    assert_eq!(stage.run(&["apply", "--auto-approve"]).await.status.code(), Some(0));
    let arguments = ["--exit-zero", "--report", "prometheus=images.prom"];
    let (exit, report) = stage.drift(&arguments).await;
    assert_eq!((exit, report["complete"].as_bool()), (0, Some(true)), "{report}");
    let last =
        |text: &str| text.lines().find(|line| line.contains("last_success_timestamp_seconds{")).map(str::to_owned);
    let before = last(&stage.read("images.prom"));
    assert!(before.is_some());

    let fault = Fault::new(Effect::Status(403, None)).service(Service::Image).always();
    stage.sandbox.world().inject(fault);
    let (exit, report) = stage.drift(&arguments).await;
    assert_eq!((exit, report["complete"].as_bool()), (1, Some(false)));
    assert_eq!(report["sites"][0]["in_sync"].as_u64(), Some(0));
    let text = stage.read("images.prom");
    assert_eq!(last(&text), before, "since then nothing has been known");
    assert!(text.contains("gallerist_check_success{catalogue=\"demo\",site=\"RegionOne\"} 0"), "{text}");
    let output = stage.run(&["drift"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Not known: 1 part could not be read"), "{output:?}");
}
