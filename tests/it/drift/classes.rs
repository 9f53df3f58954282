//! Which disagreement is of which class, on worlds made by hand.

use std::collections::BTreeMap;

use gallerist::model::desired::{Chosen, Wanted};
use gallerist::model::drift::{Baseline, Class, Finding, Fix, Piece};
use gallerist::model::image::{Image, Status, Visibility};
use gallerist::model::lifecycle::Age;
use gallerist::model::name::{FamilyName, ImageId, SiteName, VersionName};
use gallerist::model::usage::{Answer, Source, Usage, User, UserKind};
use gallerist::model::version::Version;
use gallerist::planner::drift::{Evidence, findings, hangings};
use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::support::policies::Policy;
use crate::support::world::{
    FamilySpec, Foreign, ImageSpec, Meddled, Part, UsageSpec, WantedSpec, World, WorldSpec, family_name, site_name,
    version, version_name,
};

fn piece(version: u8, part: Part, meddled: Meddled) -> ImageSpec {
    ImageSpec { site: 0, version, part, status: Status::Active, usage: UsageSpec::Unasked, meddled }
}

fn family(wanted: WantedSpec, images: Vec<ImageSpec>) -> FamilySpec {
    FamilySpec::listed(Policy::Wiit, wanted, images)
}

fn world(family: FamilySpec) -> World {
    WorldSpec { retirement: Policy::Wiit, ..family.alone() }.build()
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

fn after<'a>(world: &'a World, baseline: &'a Baseline) -> Vec<String> {
    short(&told(world, |evidence| evidence.baseline = Some(baseline)))
}

#[test]
fn the_report_before_tells_what_was_never_applied_from_what_is_gone() {
    let empty = world(FamilySpec { images: vec![], ..at_rest() });
    let site = site_name(0);
    let mut baseline = Baseline { sites: [site.clone()].into(), ..Baseline::default() };
    assert_eq!(after(&empty, &baseline), ["pending ubuntu-24.04"], "the file has just been given it");
    baseline.findings.insert(("ubuntu-24.04".to_owned(), Class::Missing), None);
    assert_eq!(after(&empty, &baseline), ["missing ubuntu-24.04"], "it is still missing");
    baseline.findings.clear();
    baseline.versions.insert((site.clone(), family_name(0)), BTreeMap::from([remembered(4, None)]));
    assert_eq!(after(&empty, &baseline), ["missing ubuntu-24.04"], "it was there");

    // A superseded version that is gone: apply may have deleted it, unless its lifecycle says that it cannot have.
    let mut world = world(at_rest());
    let since = date(2026, 11, 20);
    baseline.versions.insert((site.clone(), family_name(0)), BTreeMap::from([remembered(1, Some(since))]));
    assert_eq!(after(&world, &baseline), Vec::<String>::new());
    let deletion = |world: &mut World, after: Age| {
        world.desired.families.get_mut(&family_name(0)).unwrap().lifecycle.deletion.after = after;
    };
    deletion(&mut world, Age::from_span(30.days()).unwrap());
    assert_eq!(after(&world, &baseline), ["missing ubuntu-24.04/20261001"]);
    deletion(&mut world, Age::from_span(3.days()).unwrap());
    assert_eq!(after(&world, &baseline), Vec::<String>::new(), "it was due today");

    // Nor can it have deleted what somebody uses.
    let evidence = |world: &World| told(world, |evidence| evidence.baseline = Some(&baseline));
    let user = User { kind: UserKind::Server, id: "s1".to_owned(), project: None };
    let usage = Usage::new([(Source("servers"), Answer::Users(user, vec![]))]);
    world.observed.sites.get_mut(&site).unwrap().usage.insert(ImageId::parse("gone").unwrap(), usage);
    assert_eq!(short(&evidence(&world)), ["missing ubuntu-24.04/20261001"]);
    let unknown = Usage::new([(Source("servers"), Answer::Unknown("403".to_owned()))]);
    world.observed.sites.get_mut(&site).unwrap().usage.insert(ImageId::parse("gone").unwrap(), unknown);
    assert_eq!(short(&evidence(&world)), Vec::<String>::new());
}

/// A version as the report before has it.
fn remembered(version: u8, superseded: Option<Date>) -> (VersionName, Piece) {
    let piece = Piece {
        version: version_name(version),
        image: ImageId::parse("gone").unwrap(),
        name: "was here".to_owned(),
        built: None,
        uploaded: Some(date(2026, 10, 1)),
        superseded,
        users: None,
    };
    (piece.version.clone(), piece)
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
