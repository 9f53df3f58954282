//! The shipped images.toml, an embedded cloud, and small publishers: all that a first apply needs.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::{Arc, MutexGuard};

use gallerist::apply::machine::Outcome;
use gallerist::model::desired::Wanted;
use gallerist::model::image::{Status, Visibility};
use gallerist::model::observed::Observed;
use gallerist::openstack::{Performer, Selection, Surroundings, connect, observe};
use gallerist::sandbox::exhibition::{Edition, Exhibit, Exhibition};
use gallerist::sandbox::{ImageRecord, Options, Sandbox, World};
use gallerist::transfer::Limits;
use gallerist::upstream::fetch::{Fetch, Patience};
use gallerist::upstream::resolve::resolve;
use gallerist::{manifest, planner, transfer};
use jiff::Timestamp;

const KEY_FILE: &str = "publishers.asc";

/// A cloud, its publishers, and a folder with the files that an operator has.
pub(crate) struct Gallery {
    sandbox: Sandbox,
    pub(crate) exhibition: Exhibition,
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Everything that was printed, for messages of failing tests and for searching in it.
    pub(crate) fn text(&self) -> String {
        format!("exit {:?}\n{}{}", self.code, self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.text().contains(text), "`{text}` is not in {}", self.text());
    }
}

impl Gallery {
    /// An empty cloud, and publishers with one version of each family.
    pub(crate) async fn open() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.expect("an embedded cloud");
        let exhibition = Exhibition::new().expect("a key");
        let gallery = Self { sandbox, exhibition, folder: tempfile::tempdir().expect("a folder") };
        gallery.publish(Edition::First);
        gallery.write("clouds.yaml", &gallery.sandbox.clouds_yaml());
        gallery.write(KEY_FILE, gallery.exhibition.public_key());
        gallery.write("images.toml", &Exhibition::images_toml(gallery.sandbox.mirror_url(), KEY_FILE));
        gallery
    }

    pub(crate) fn publish(&self, edition: Edition) {
        self.exhibition.publish(edition, &mut self.world()).expect("everything can be signed");
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("a file in our own folder");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names another key for a publisher in images.toml.
    pub(crate) fn trust(&self, distro: &str, public_key: &str) {
        let file = self.read("images.toml");
        let (before, publisher) = file.split_once(&format!("[publisher.{distro}]")).expect("the publisher is named");
        let publisher = publisher.replacen(KEY_FILE, "other.asc", 1);
        self.write("other.asc", public_key);
        self.write("images.toml", &format!("{before}[publisher.{distro}]{publisher}"));
    }

    /// Address of the publishers' mirror.
    pub(crate) fn mirror_url(&self) -> &str {
        self.sandbox.mirror_url()
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.sandbox.world()
    }

    /// Runs the binary in the folder, with nothing of the surroundings in which the tests run.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        let folder = self.folder.path();
        let output = Command::new(env!("CARGO_BIN_EXE_gallerist"))
            .args(words)
            .stdin(Stdio::null())
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("OS_CLIENT_CONFIG_FILE", folder.join("clouds.yaml"))
            .env("OS_CLOUD", "sandbox-admin")
            .output()
            .expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Plans and applies in this process, with these bounds on what is transferred and on what is read of publishers: what
    /// went wrong, by family.
    pub(crate) async fn apply(&self, limits: Limits, patience: Patience) -> BTreeMap<String, String> {
        let folder = self.folder.path();
        let (manifest, _) = manifest::load(&folder.join("images.toml")).expect("the shipped file is right");
        let surroundings = Surroundings::new(BTreeMap::new(), folder.to_owned(), folder.to_owned());
        let selection = [Selection { cloud: Some("sandbox-admin".to_owned()), regions: Vec::new() }];
        let sites = connect(&selection, &surroundings).await.expect("the embedded cloud lets us in");
        let names: BTreeSet<_> = sites.iter().map(|site| site.name.clone()).collect();
        let fetch = Fetch::new(None, patience).expect("a client");
        let now = Timestamp::now();
        let desired = resolve(&manifest, None, &fetch, names).await;
        let mut observed = Observed { sites: BTreeMap::new() };
        for site in &sites {
            let names = planner::public_names(&desired, now);
            let view = observe(site, &desired.catalogue, &names).await.expect("the cloud can be read");
            observed.sites.insert(site.name.clone(), view);
        }
        let plan = planner::plan(&desired, &observed, now);
        let client = transfer::client().expect("a client");
        let performer = Performer::new(sites, client, None).with_limits(limits);
        let outcomes =
            gallerist::apply::run(&plan, Arc::new(performer), 4, tokio_util::sync::CancellationToken::new(), &|_| {})
                .await;
        let unknown = desired.families.iter().filter_map(|(name, family)| match &family.wanted {
            Wanted::Unknown(reason) => Some((name.to_string(), reason.clone())),
            Wanted::Version { .. } => None,
        });
        let failed = plan.steps().filter_map(|(node, step)| {
            let told = match &outcomes[&node] {
                Outcome::Done(_) | Outcome::Staged(..) => return None,
                Outcome::Failed(failure) => &failure.message,
                Outcome::Stale(told) | Outcome::Kept(_, told) | Outcome::Skipped(told) => told,
            };
            Some((step.address.family.to_string(), told.clone()))
        });
        unknown.chain(failed).collect()
    }

    /// Every image there is.
    pub(crate) fn images(&self) -> Vec<ImageRecord> {
        let mut world = self.world();
        world.region("RegionOne").expect("the only region").images().values().cloned().collect()
    }

    /// The cloud has the newest image of exactly these families, byte for byte and in public, and nothing else.
    #[track_caller]
    pub(crate) fn shows_only(&self, edition: Edition, wanted: impl Fn(&Exhibit) -> bool) {
        self.shows(&Exhibition::newest(edition).into_iter().filter(wanted).collect::<Vec<_>>());
    }

    /// The cloud has exactly these, byte for byte and in public, and nothing else.
    #[track_caller]
    pub(crate) fn shows(&self, exhibits: &[Exhibit]) {
        let images = self.images();
        let names: Vec<_> = images.iter().map(|image| image.name.clone().unwrap_or_default()).collect();
        assert_eq!(images.len(), exhibits.len(), "{names:?}");
        for exhibit in exhibits {
            let image = self.image_of(exhibit).unwrap_or_else(|| panic!("{} is not among {names:?}", exhibit.family));
            assert_eq!((image.status, image.visibility), (Status::Active, Visibility::Public), "{}", exhibit.family);
            assert!(image.name.is_some_and(|name| name.ends_with(" - Latest")), "{}", exhibit.family);
            assert!(image.data.bytes.is_some_and(|bytes| *bytes == exhibit.stored), "{}", exhibit.family);
        }
    }

    /// The image made of that version.
    pub(crate) fn image_of(&self, exhibit: &Exhibit) -> Option<ImageRecord> {
        let marks = [format!("gallerist:family={}", exhibit.family), format!("gallerist:version={}", exhibit.version)];
        self.images().into_iter().find(|image| marks.iter().all(|mark| image.tags.contains(mark)))
    }

    /// Changes a published file.
    pub(crate) fn alter(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut world = self.world();
        let mut bytes = world.published(path).unwrap_or_else(|| panic!("nothing is published at {path}")).to_vec();
        change(&mut bytes);
        world.publish(path, bytes);
    }
}
