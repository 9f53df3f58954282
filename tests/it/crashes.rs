//! A run that ends at any request, and what the next ones make of it.
//!
//! Two stories, a first import and a rotation with a deletion, are each lived once without misfortune, and then once for
//! every request they consist of, with a misfortune there. Whatever it was, the cloud must be watched breaking no rule
//! ([`Watch`]), and applying until nothing is left to do must lead to the very catalogue of the undisturbed story.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Child, Stdio};

use gallerist::sandbox::{Effect, Fault, ImageRecord};
use regex::Regex;

use crate::support::stage::{DEBIAN, Exhibit, NEWER_DEBIAN, REGION, Stage, bytes_of};
use crate::support::watch::{BootTest, Watch};

const OLDEST_DEBIAN: Exhibit<'_> = ("debian-12", "Debian 12", "20260901-2400");
const WITH_BOOT_TEST: &str = "[boot_test]\nflavor = \"m1.small\"\nnetwork = \"none\"\n";

/// What happens at one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misfortune {
    /// The run dies before it is made.
    DeathBefore,
    /// The run dies when it is done, and never hears of it.
    DeathAfter,
    /// It is done, the answer is lost, and the run goes on.
    LostAnswer,
    /// It is done, the answer is an error, and the run goes on.
    FalseAlarm,
}

#[derive(Debug, Clone, Copy)]
enum Story {
    Import,
    Rotation,
}

impl Story {
    /// What is there when it begins.
    fn beginning(self) -> Vec<ImageRecord> {
        let stage = Stage::new();
        match self {
            Self::Import => {}
            Self::Rotation => {
                for version in [OLDEST_DEBIAN, DEBIAN] {
                    stage.exhibit(&[version]);
                    stage.run(&["apply", "--auto-approve"]).with(0);
                }
            }
        }
        let mut world = stage.world();
        world.region(REGION).unwrap().images().values().cloned().collect()
    }

    /// The stage as it is when it begins, with somebody on watch, and other people's images beside ours.
    fn set(self, beginning: &[ImageRecord]) -> (Stage, Watch) {
        let (stage, boot_test) = match self {
            Self::Import => {
                let stage = Stage::new();
                stage.exhibit_with(WITH_BOOT_TEST, &[DEBIAN]);
                (stage, BootTest::Configured)
            }
            Self::Rotation => (Stage::with(&[NEWER_DEBIAN]), BootTest::Absent),
        };
        let published = [OLDEST_DEBIAN, DEBIAN, NEWER_DEBIAN]
            .map(|(family, _, version)| (format!("gallerist:version={version}"), bytes_of(family, version)));
        let mut used = Vec::new();
        {
            let mut world = stage.world();
            let region = world.region(REGION).unwrap();
            for image in beginning {
                region.insert_image(image.clone());
                if image.tags.contains(&format!("gallerist:version={}", DEBIAN.2)) {
                    region.boot("demo", &image.id, "web-1").unwrap();
                    used.push(image.id.clone());
                }
                // A tenant's own image with all of our marks.
                let mut forged = image.clone();
                forged.id = format!("{}f", &image.id[1..]);
                forged.owner = Some(gallerist::sandbox::project_id("demo"));
                forged.visibility = gallerist::model::image::Visibility::Community;
                region.insert_image(forged);
            }
        }
        let mut world = stage.world();
        let watch = Watch::new(&mut world, BTreeMap::from(published), boot_test, &used);
        drop(world);
        (stage, watch)
    }

    /// Lives the story with one misfortune at the request of this number.
    fn live(self, beginning: &[ImageRecord], misfortune: Option<(Misfortune, usize)>) -> Life {
        let (stage, watch) = self.set(beginning);
        {
            let mut world = stage.world();
            world.forget_requests();
            if let Some((misfortune, number)) = misfortune {
                let effect = match misfortune {
                    Misfortune::DeathBefore => None,
                    Misfortune::DeathAfter | Misfortune::LostAnswer => Some(Effect::ResetAfter),
                    Misfortune::FalseAlarm => Some(Effect::StatusAfter(500)),
                };
                if let Some(effect) = effect {
                    world.inject(Fault::new(effect).nth(number));
                }
                match misfortune {
                    Misfortune::DeathBefore => world.stop_after(number - 1),
                    Misfortune::DeathAfter => world.stop_after(number),
                    Misfortune::LostAnswer | Misfortune::FalseAlarm => {}
                }
            }
            watch.before_every_request(&mut world);
        }
        let mut child = stage
            .command(&["apply", "--auto-approve", "--parallelism", "1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        match misfortune {
            Some((Misfortune::DeathBefore, number)) => die_at(&stage, &mut child, number),
            Some((Misfortune::DeathAfter, number)) => die_at(&stage, &mut child, number + 1),
            Some((Misfortune::LostAnswer | Misfortune::FalseAlarm, _)) | None => {
                child.wait().unwrap();
            }
        }
        let reached = match misfortune {
            Some((_, number)) if stage.requests() >= number => Reached::There,
            Some(_) | None => Reached::Past,
        };
        watch.recover(&stage, &format!("{self:?}, {misfortune:?}"));
        let log = stage.world().requests().iter().map(|request| format!("{request:?}")).collect();
        Life { catalogue: catalogue(&stage), reached, log }
    }
}

/// How a story ended.
struct Life {
    catalogue: Vec<String>,
    reached: Reached,
    /// Every request of it, for whoever must find out why it ended otherwise.
    log: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// The misfortune has happened.
    There,
    /// The run was over before.
    Past,
}

/// Kills the run as soon as it makes the request of this number, if it ever does.
fn die_at(stage: &Stage, child: &mut Child, number: usize) {
    while stage.requests() < number && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // One that has just ended cannot be killed any more.
    child.kill().ok();
    child.wait().unwrap();
}

/// The catalogue without what differs from day to day and from cloud to cloud; also servers and locks left behind.
fn catalogue(stage: &Stage) -> Vec<String> {
    let date = Regex::new(r"\d{4}-\d{2}-\d{2}").unwrap();
    let mut world = stage.world();
    let region = world.region(REGION).unwrap();
    let images = region.images().values().map(|image| {
        let ImageRecord { name, owner, visibility, status, protected, hidden, min_disk, min_ram, properties, tags, .. } = image;
        let digest = image.data.hash.as_ref().map(|(_, value)| value);
        format!(
            "{name:?} {owner:?} {visibility} {status} {protected} {hidden} {min_disk} {min_ram} {properties:?} {tags:?} {digest:?}"
        )
    });
    let servers = region.servers().values().filter(|server| server.state != gallerist::sandbox::ServerState::Deleted);
    let servers = servers.map(|server| format!("server {}", server.name));
    let mut all: Vec<String> = images.chain(servers).map(|line| date.replace_all(&line, "DATE").into_owned()).collect();
    all.sort();
    all
}

/// Every request of the story, one after the other.
fn at_every_request(story: Story, misfortune: Misfortune) {
    let beginning = story.beginning();
    let undisturbed = story.live(&beginning, None).catalogue;
    let mut number = 0;
    loop {
        number += 1;
        let life = story.live(&beginning, Some((misfortune, number)));
        assert_eq!(life.catalogue, undisturbed, "{misfortune:?} at request {number}: {:#?}", life.log);
        if life.reached == Reached::Past {
            break;
        }
    }
    writeln!(std::io::stderr(), "{story:?}, {misfortune:?}: {} request boundaries", number - 1).unwrap();
    // A first import is at least: login, lock, three lists, record, download, upload, read, boot, show, unlock.
    assert!(number > 12, "{story:?} has only {number} requests");
}

#[test]
fn an_import_that_dies_before_any_request_is_finished() {
    at_every_request(Story::Import, Misfortune::DeathBefore);
}

#[test]
fn an_import_that_dies_after_any_request_is_finished() {
    at_every_request(Story::Import, Misfortune::DeathAfter);
}

#[test]
fn an_import_that_loses_any_answer_is_finished() {
    at_every_request(Story::Import, Misfortune::LostAnswer);
}

#[test]
fn an_import_that_is_told_of_any_error_is_finished() {
    at_every_request(Story::Import, Misfortune::FalseAlarm);
}

#[test]
fn a_rotation_that_dies_before_any_request_is_finished() {
    at_every_request(Story::Rotation, Misfortune::DeathBefore);
}

#[test]
fn a_rotation_that_dies_after_any_request_is_finished() {
    at_every_request(Story::Rotation, Misfortune::DeathAfter);
}

#[test]
fn a_rotation_that_loses_any_answer_is_finished() {
    at_every_request(Story::Rotation, Misfortune::LostAnswer);
}

#[test]
fn a_rotation_that_is_told_of_any_error_is_finished() {
    at_every_request(Story::Rotation, Misfortune::FalseAlarm);
}
