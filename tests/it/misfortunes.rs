//! Years of rotations on a cloud where things go wrong at random.
//!
//! Each year is drawn from a seed: a version a day, tenants who come and go, and in each run some requests that meet a
//! misfortune. After it the cloud is well again, and applying must lead to exactly the catalogue that is expected: the
//! newest version in public, those in use behind it, nothing else. `MISFORTUNES=50` lives so many years more;
//! `MISFORTUNES_FROM=1234` begins with that seed.

use std::collections::{BTreeMap, BTreeSet};

use gallerist::model::image::{Status, Visibility};
use gallerist::sandbox::{Effect, Fault, Service};

use crate::support::dice::{Dice, number};
use crate::support::stage::{REGION, Stage, bytes_of};
use crate::support::watch::{BootTest, Watch};

const ROTATIONS: usize = 25;
const FAMILY: &str = "debian-12";

/// What may happen to a request.
fn misfortune(dice: &mut Dice) -> Fault {
    let effect = match dice.throw(12) {
        0 => Effect::ResetBefore,
        1 => Effect::ResetAfter,
        2 => Effect::Status(500, None),
        3 => Effect::Status(503, Some(0)),
        4 => Effect::Status(502, None),
        5 => Effect::Status(409, None),
        6 => Effect::Status(429, Some(0)),
        7 => Effect::StatusAfter(500),
        8 => Effect::StatusAfter(504),
        9 => Effect::MalformedJson,
        10 => Effect::HalfBody,
        _ => Effect::RevokedToken,
    };
    let fault = Fault::new(effect).nth(1 + dice.throw(20)).times(1 + dice.throw(2));
    match dice.throw(6) {
        0 => fault.service(Service::Image).method("PATCH").nth(1 + dice.throw(3)),
        1 => fault.service(Service::Image).nth(1 + dice.throw(12)),
        2 => fault.service(Service::Compute).nth(1),
        3 => fault.service(Service::BlockStorage).nth(1),
        _ => fault,
    }
}

/// What tenants see: version and visibility of every image of ours that is usable.
fn catalogue(stage: &Stage) -> BTreeSet<(String, Visibility, Status)> {
    let mut world = stage.world();
    let images = world.region(REGION).unwrap().images().values();
    images
        .map(|image| {
            let version = image.tags.iter().find_map(|tag| tag.strip_prefix("gallerist:version="));
            (version.unwrap_or("none").to_owned(), image.visibility, image.status)
        })
        .collect()
}

fn live(seed: u64) {
    let mut dice = Dice(seed);
    let stage = Stage::new();
    let version = |day: usize| day.to_string();
    let published = (1..=ROTATIONS)
        .map(|day| (format!("gallerist:version={}", version(day)), bytes_of(FAMILY, &version(day))))
        .collect::<BTreeMap<_, _>>();
    let watch = Watch::new(&mut stage.world(), published, BootTest::Absent, &[]);
    // Version and image of those that tenants have a server of.
    let mut used: BTreeMap<String, (String, String)> = BTreeMap::new();
    for day in 1..=ROTATIONS {
        let story = format!("seed {seed}, day {day}");
        stage.exhibit(&[(FAMILY, "Debian 12", &version(day))]);
        {
            let mut world = stage.world();
            let region = world.region(REGION).unwrap();
            let latest = region.images().values().find(|image| image.visibility == Visibility::Public);
            let latest = latest.map(|image| image.id.clone());
            match (dice.throw(3), latest) {
                (0, Some(id)) => {
                    let server = region.boot("demo", &id, "web").unwrap();
                    used.insert(version(day - 1), (id, server));
                }
                (1, _) if dice.throw(2) == 0 => {
                    for (_, server) in std::mem::take(&mut used).into_values() {
                        region.delete_server(&server).unwrap();
                    }
                }
                _ => {}
            }
            watch.keep(used.values().map(|(image, _)| image.clone()));
            watch.new_run(&mut world);
            for _ in 0..=dice.throw(3) {
                let fault = misfortune(&mut dice);
                world.inject(fault);
            }
            watch.before_every_request(&mut world);
        }
        let ended = stage.run(&["apply", "--auto-approve"]);
        assert!(matches!(ended.code, Some(0 | 1 | 4 | 5 | 6)), "{story}: {ended:?}");
        watch.recover(&stage, &story);
        let older = used.keys().filter(|used| **used != version(day));
        let mut expected: BTreeSet<_> =
            older.map(|version| (version.clone(), Visibility::Community, Status::Active)).collect();
        expected.insert((version(day), Visibility::Public, Status::Active));
        assert_eq!(catalogue(&stage), expected, "{story}, after {ended:?}");
        let names = stage.names();
        assert_eq!(names.len(), expected.len(), "{story}: {names:?}");
        assert!(names.contains(&"public Debian 12 - Latest".to_owned()), "{story}: {names:?}");
    }
}

#[test]
fn a_hundred_rotations_end_as_they_should_whatever_happens() {
    let first = number("MISFORTUNES_FROM", 1);
    let years = 4 + number("MISFORTUNES", 0);
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || (first..first + years).filter(|seed| seed % 2 == half).for_each(live));
        }
    });
}
