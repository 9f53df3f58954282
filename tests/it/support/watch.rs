//! Somebody who looks at the embedded cloud before every request, and remembers.
//!
//! What is watched for is what no run may ever do, however it ends: leave the public name without an image, delete what
//! is in use, show what was not compared with its publisher or not booted, touch what is somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use gallerist::model::image::{Status, Visibility};
use gallerist::sandbox::{Effect, Fault, ImageRecord, World};

use super::stage::{REGION, Stage};

/// What was seen so far.
#[derive(Default)]
struct Seen {
    /// Public names that there were, each of which there must be from then on.
    names: BTreeSet<String>,
    /// Images that tenants have been shown.
    shown: BTreeSet<String>,
    /// Servers that were there when the present run began: no test of this run.
    servers: BTreeSet<String>,
    /// Images that must stay.
    used: BTreeSet<String>,
    /// Everybody else's images.
    foreign: BTreeMap<String, String>,
    broken: BTreeSet<String>,
}

/// A watch on one cloud.
#[derive(Clone)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    /// The bytes of each version, by their tag.
    published: Arc<BTreeMap<String, Vec<u8>>>,
    boot_test: BootTest,
}

/// Whether a server must have been booted from an image before it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BootTest {
    Configured,
    Absent,
}

impl Watch {
    /// A watch that begins now: what is not ours now never becomes so, what `used` names must stay.
    pub(crate) fn new(
        world: &mut World,
        published: BTreeMap<String, Vec<u8>>,
        boot_test: BootTest,
        used: &[String],
    ) -> Self {
        let images = world.region(REGION).expect("the region of the stage").images();
        let foreign = images.values().filter(|image| !is_ours(image));
        let foreign = foreign.map(|image| (image.id.clone(), format!("{image:?}"))).collect();
        // What was shown before the watch began is not judged.
        let shown = images.values().filter(|image| image.visibility != Visibility::Private);
        let shown = shown.map(|image| image.id.clone()).collect();
        let seen = Seen { foreign, shown, used: used.iter().cloned().collect(), ..Seen::default() };
        Self { seen: Arc::new(Mutex::new(seen)), published: Arc::new(published), boot_test }
    }

    /// Looks before every request from now on.
    pub(crate) fn before_every_request(&self, world: &mut World) {
        let watch = self.clone();
        world.inject(Fault::new(Effect::Meanwhile(Arc::new(move |world| watch.look(world)))).always());
    }

    /// A new run begins: tests of earlier ones no longer count.
    pub(crate) fn new_run(&self, world: &mut World) {
        let servers = world.region(REGION).expect("the region of the stage").servers();
        let servers = servers.keys().cloned().collect();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).servers = servers;
    }

    /// Looks now.
    pub(crate) fn look(&self, world: &mut World) {
        let region = world.region(REGION).expect("the region of the stage");
        let mut guard = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = &mut *guard;
        let images = region.images();
        let usable: BTreeSet<&str> = images
            .values()
            .filter(|image| image.visibility == Visibility::Public && image.status == Status::Active)
            .filter_map(|image| image.name.as_deref())
            .collect();
        for name in seen.names.iter().filter(|name| !usable.contains(name.as_str())) {
            seen.broken.insert(format!("nobody bears the name `{name}`"));
        }
        seen.names.extend(usable.iter().filter(|name| name.ends_with(" - Latest")).map(|name| (*name).to_owned()));
        for id in seen.used.iter().filter(|id| !images.contains_key(*id)) {
            seen.broken.insert(format!("{id} is in use and was deleted"));
        }
        for (id, was) in &seen.foreign {
            if images.get(id).map(|image| format!("{image:?}")).as_ref() != Some(was) {
                seen.broken.insert(format!("{id} is somebody else's and was touched"));
            }
        }
        for image in images.values().filter(|image| is_ours(image) && image.visibility != Visibility::Private) {
            if !seen.shown.insert(image.id.clone()) {
                continue;
            }
            let version = image.tags.iter().find(|tag| tag.starts_with("gallerist:version="));
            let wanted = version.and_then(|tag| self.published.get(tag));
            if image.status != Status::Active
                || image.data.bytes.as_ref().map(|bytes| &bytes[..]) != wanted.map(|bytes| &bytes[..])
            {
                seen.broken.insert(format!("{:?} was shown with other bytes than were published", image.name));
            }
            let mut servers = region.servers().values();
            let tested = servers.any(|server| {
                server.image.as_ref() == Some(&image.id)
                    && server.name.starts_with("gallerist-boot-test")
                    && !seen.servers.contains(&server.id)
            });
            if self.boot_test == BootTest::Configured && !tested {
                seen.broken.insert(format!("{:?} was shown without a boot test", image.name));
            }
        }
    }

    /// These images are in use from now on, and no others.
    pub(crate) fn keep(&self, used: impl IntoIterator<Item = String>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).used = used.into_iter().collect();
    }

    /// Applies until there is nothing to do, without faults and on watch, as whoever is called in the morning does.
    pub(crate) fn recover(&self, stage: &Stage, after: &str) {
        for _ in 0..6 {
            {
                let mut world = stage.world();
                world.heal();
                self.look(&mut world);
                self.new_run(&mut world);
                self.before_every_request(&mut world);
            }
            let ended = stage.run(&["apply", "--auto-approve", "--parallelism", "1"]);
            if ended.code == Some(6) {
                stage.run(&["unlock", &ended.word_after("id ")]).with(0);
            } else if ended.with(0).stdout.contains("No changes.") {
                self.look(&mut stage.world());
                let broken = self.seen.lock().unwrap_or_else(PoisonError::into_inner).broken.clone();
                assert!(broken.is_empty(), "after {after}: {broken:#?}");
                return;
            }
        }
        panic!("after {after} there is still something to do: {:#?}", stage.names());
    }
}

fn is_ours(image: &ImageRecord) -> bool {
    image.owner.as_deref() == Some(gallerist::sandbox::project_id("admin").as_str())
        && image.tags.contains("gallerist:catalogue=tests")
}
