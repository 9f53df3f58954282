//! Which way the bytes of a new image take to each of two sites, as the planner decides it.

use std::collections::BTreeMap;

use gallerist::model::image::Status;
use gallerist::model::operation::Operation;
use gallerist::model::passage::{Converter, Method, Offers, Preferences, Route};
use gallerist::model::plan::Plan;
use gallerist::model::reason::Because;
use gallerist::model::version::DiskFormat;
use gallerist::planner::{self, audit};

use super::support::policies::Policy;
use super::support::world::{
    FamilySpec, ImageSpec, Meddled, Part, UsageSpec, WantedSpec, World, WorldSpec, family_name, site_name,
};

const ALL: [Method; 3] = [Method::GlanceDirect, Method::WebDownload, Method::GlanceDownload];

/// Two sites, which are settled in the order of their names: `dus2`, then `fra1`. Of one family the newest version is
/// lacking on both, or on `dus2` alone.
fn world(preferences: Preferences, there_already: bool) -> World {
    let image = ImageSpec {
        site: 0,
        version: 1,
        part: Part::Shown,
        status: Status::Active,
        usage: UsageSpec::Nobody,
        meddled: Meddled::No,
    };
    let images = there_already.then_some(image).into_iter().collect();
    let family = FamilySpec::listed(Policy::Wiit, WantedSpec::Newest(1), images);
    let mut world = WorldSpec { sites: 2, ..family.alone() }.build();
    world.desired.import = preferences;
    for (site, view) in &mut world.observed.sites {
        view.offers = Some(Offers {
            methods: ALL.to_vec(),
            stores: vec!["fast".to_owned(), "cheap".to_owned()],
            region: Some(site.to_string()),
            cloud: "https://keystone.example/v3".to_owned(),
        });
    }
    world
}

fn planned(world: &World) -> Plan {
    let plan = planner::plan(&world.desired, &world.observed, world.now);
    assert_eq!(audit::objections(&world.desired, &world.observed, &plan, world.now), Vec::<String>::new());
    plan
}

/// How each site gets the version, in the order of their names: by what, from whom, into what, made by whom; or why not.
fn ways(world: &World) -> Vec<String> {
    let plan = planned(world);
    let mut ways = BTreeMap::new();
    for hold in &plan.holds {
        let Because::NoPassage(why) = &hold.because else { panic!("{hold:?}") };
        ways.insert(hold.site.clone(), why.clone());
    }
    for (_, step) in plan.steps() {
        let Operation::Create(create) = &step.operation else { continue };
        let passage = &create.passage;
        let mut way = passage.route.method().to_string();
        if let Route::Copy(original) = &passage.route {
            let age = if original.image.is_some() { "old" } else { "new" };
            way = format!("{way} of the {age} one in {}", original.site);
        }
        for store in &passage.stores {
            way = format!("{way} into {store}");
        }
        if let Some(converter) = passage.converter {
            way = format!("{way} with {converter}");
        }
        ways.insert(step.site.clone(), way);
    }
    ways.into_values().collect()
}

fn preferring(methods: &[Method]) -> Preferences {
    Preferences { methods: methods.to_vec(), ..Preferences::default() }
}

fn raw(world: &mut World) {
    let family = world.desired.families.get_mut(&family_name(0)).unwrap();
    family.disk_format = Some(DiskFormat::Raw);
}

#[test]
fn the_first_method_that_works_on_a_site_is_used_there() {
    use Method::{GlanceDownload, Upload, WebDownload};
    assert_eq!(ways(&world(Preferences::default(), false)), ["upload", "upload"]);
    let mut partly = world(preferring(&[WebDownload, Upload]), false);
    partly.observed.sites.get_mut(&site_name(0)).unwrap().offers.as_mut().unwrap().methods = Vec::new();
    assert_eq!(ways(&partly), ["web-download", "upload"]);
    let copying = world(preferring(&[GlanceDownload, Upload]), false);
    assert_eq!(ways(&copying), ["upload", "glance-download of the new one in dus2"]);
    let there = world(preferring(&[GlanceDownload, Upload]), true);
    assert_eq!(ways(&there), ["glance-download of the old one in fra1"]);
    let alone = ways(&world(preferring(&[GlanceDownload]), false));
    assert!(alone.iter().all(|why| why.contains("no other region of the same cloud and project has it")), "{alone:?}");
}

#[test]
fn only_what_the_same_token_can_read_and_what_is_published_now_is_copied() {
    let copying = || world(preferring(&[Method::GlanceDownload, Method::Upload]), true);
    let mut foreign = copying();
    foreign.observed.sites.get_mut(&site_name(0)).unwrap().offers.as_mut().unwrap().cloud = "another".to_owned();
    assert_eq!(ways(&foreign), ["upload"]);
    let mut unmarked = copying();
    let view = unmarked.observed.sites.get_mut(&site_name(0)).unwrap();
    view.images.values_mut().for_each(|image| image.attributes.tags.retain(|tag| !tag.contains(":digest=")));
    assert_eq!(ways(&unmarked), ["upload"], "nothing tells what its bytes should be");
    // Both regions are asked for a raw disk, and the one that is there is none.
    let mut other = copying();
    raw(&mut other);
    assert_eq!(ways(&other), ["upload with qemu-img"]);
}

#[test]
fn a_conversion_needs_somebody_who_can() {
    let unable = || Preferences { no_qemu_img: Some("it is not there".to_owned()), ..Preferences::default() };
    let mut nobody = world(unable(), false);
    assert_eq!(ways(&nobody), ["upload", "upload"], "nothing has to be converted");
    raw(&mut nobody);
    assert!(ways(&nobody).iter().all(|why| why.ends_with("it is not there")), "{:?}", ways(&nobody));

    let by_glance = |methods: &[Method]| {
        let mut world = world(Preferences { converter: Converter::Glance, ..preferring(methods) }, false);
        raw(&mut world);
        ways(&world)
    };
    assert_eq!(by_glance(&[Method::Upload, Method::GlanceDirect]), ["glance-direct with glance"; 2]);
    assert!(by_glance(&[Method::WebDownload])[0].contains("cannot be compared with what is published"));

    // A raw disk that is there is copied as it is, whoever can convert.
    let mut copying = world(Preferences { methods: vec![Method::GlanceDownload], ..unable() }, true);
    raw(&mut copying);
    let view = copying.observed.sites.get_mut(&site_name(0)).unwrap();
    view.images.values_mut().for_each(|image| image.disk_format = Some("raw".to_owned()));
    assert_eq!(ways(&copying), ["glance-download of the old one in fra1"]);
}

#[test]
fn a_store_is_one_that_every_site_has() {
    let into = |stores: &[&str]| {
        let stores = stores.iter().map(|store| (*store).to_owned()).collect();
        ways(&world(Preferences { stores, ..Preferences::default() }, false))
    };
    assert_eq!(into(&["cheap"]), ["upload into cheap"; 2]);
    assert!(into(&["fast", "cheap"])[0].contains("an upload reaches one store"));
    assert!(into(&["gold"])[0].contains("has no store `gold`; it has `fast`, `cheap`"));
}

#[test]
fn a_copy_is_planned_and_narrowed_together_with_its_original() {
    let world = world(preferring(&[Method::GlanceDownload, Method::Upload]), false);
    let plan = planned(&world);
    let part = planner::narrow(&plan, &world.desired, &|address| address.to_string().ends_with("@fra1"));
    assert_eq!((plan.counts().create, part.counts().create, part.edges().count()), (2, 2, 1));
    let first = planner::narrow(&plan, &world.desired, &|address| address.to_string().ends_with("@dus2"));
    assert_eq!(first.counts().create, 1);
}
