//! `demo`: the main job on the embedded cloud, in four acts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use jiff::{Span, Timestamp};
use tempfile::TempDir;

use super::front::{self, Front};
use super::signals::Stopper;
use super::teller::Teller;
use super::{Stop, apply, present};
use crate::cli::{ApplyFormat, Global, PlanFormat, Planning};
use crate::exit::Exit;
use crate::openstack::{Selection, Site, Surroundings};
use crate::render::console::Console;
use crate::sandbox::exhibition::{Edition, Exhibition};
use crate::sandbox::{Options, Sandbox};

const CONFIG: &str = "images.toml";
const KEY_FILE: &str = "publishers.asc";
const ENDING: &str = "\
That was the whole of it. On your own cloud:

  1. describe the catalogue:      edit images.toml (`gallerist validate` checks it without any network)
  2. say which cloud:             export OS_CLOUD=my-cloud        (an entry of your clouds.yaml)
  3. see what would change:       gallerist plan
  4. let it happen:               gallerist apply

The user needs the role `admin` in the project that is to own the public images, for two things an ordinary
member may not do: make images public, and ask who uses them. For a project's own private images it needs nothing.
";

pub(super) async fn run(global: &Global, console: &Console) -> Result<Exit, Stop> {
    let mut stage = Stage::set(global, console).await?;
    stage.act(
        "Act 1: an empty cloud",
        "Nine families are wanted and the cloud has none. The publishers here are small ones, each in the layout of its\n\
         model, and signed where that signs; on this mirror, without TLS, nothing vouches for the others. Each image is\n\
         downloaded once, checked against its digest on the way, and uploaded privately; only a verified image gets its\n\
         public name.",
        Edition::First,
    )
    .await?;

    let tenant = stage.boot_from("Ubuntu 24.04 Noble Numbat - Latest")?;
    stage.next_day();
    stage.act(
        "Act 2: a day later",
        &format!(
            "A tenant has booted a server ({tenant}) from Ubuntu 24.04. Ubuntu 24.04 and Debian 12 have brought out\n\
             new versions. They take over the names; the old ones keep their ids, become community images and are named\n\
             after the day of their upload. Nothing is deleted by the run that replaces it."
        ),
        Edition::Second,
    )
    .await?;

    stage.next_day();
    stage.act(
        "Act 3: another day later",
        "Nobody uses the old Debian 12: it goes. The tenant's server still uses the old Ubuntu 24.04: the plan holds that\n\
         deletion and says who uses it.",
        Edition::Second,
    )
    .await?;
    stage.act("Act 4: once more", "Everything is as it should be.", Edition::Second).await?;
    console.answer(&format!("\n{ENDING}"))?;
    Ok(Exit::Done)
}

/// A cloud, a clock, and what the acts need of the command line.
struct Stage<'a> {
    console: &'a Console,
    global: Global,
    sandbox: Sandbox,
    exhibition: Exhibition,
    /// Holds clouds.yaml, images.toml and the publishers' key, and goes with the stage.
    folder: TempDir,
    clock: Arc<Mutex<Timestamp>>,
    sites: Vec<Site>,
}

impl<'a> Stage<'a> {
    async fn set(global: &Global, console: &'a Console) -> Result<Self, Stop> {
        let clock = Arc::new(Mutex::new(Timestamp::now()));
        let shown = Arc::clone(&clock);
        let options = Options {
            clock: Arc::new(move || *shown.lock().unwrap_or_else(PoisonError::into_inner)),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await?;
        let exhibition = Exhibition::new()?;
        let folder = tempfile::Builder::new().prefix("gallerist-demo-").tempdir().context("cannot make a folder")?;
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write("clouds.yaml", &sandbox.clouds_yaml())?;
        write(KEY_FILE, exhibition.public_key())?;
        write(CONFIG, &Exhibition::images_toml(sandbox.mirror_url(), KEY_FILE))?;
        let sites = connect(folder.path()).await?;
        let global = Global { config: PathBuf::from("images.toml (as shipped)"), ..global.clone() };
        console
            .answer("This is a whole OpenStack cloud on loopback: no network, no credentials, gone when it ends.\n")?;
        Ok(Self { console, global, sandbox, exhibition, folder, clock, sites })
    }

    async fn act(&mut self, title: &str, story: &str, edition: Edition) -> Result<(), Stop> {
        self.console.answer(&format!("\n=== {title} ===\n{story}\n\n"))?;
        self.exhibition.publish(edition, &mut self.sandbox.world())?;
        let (manifest, _) = crate::manifest::load(&self.folder.path().join(CONFIG))
            .map_err(|mistakes| Stop::new(Exit::Error, front::snippets(&mistakes, self.console)))?;
        let planning = Planning { target: Vec::new(), allow_deletes: None };
        let mut front = front::plan_for(manifest, None, self.sites.clone(), &planning, self.now()).await?;
        front::look_inside(&mut front).await?;
        self.show_and_do(&front, &planning).await
    }

    async fn show_and_do(&self, front: &Front, planning: &Planning) -> Result<(), Stop> {
        let document = present::document(front, &self.global, planning);
        self.console.answer(&present::text(&document, PlanFormat::Human, self.console))?;
        if front.plan.is_empty() {
            return Ok(());
        }
        self.console.answer("\n")?;
        let exit =
            apply::carry_out(front, 4, &Teller::begin(ApplyFormat::Human, self.console)?, &mut Stopper::listen(None)?)
                .await?;
        if exit == Exit::Done {
            return Ok(());
        }
        Err(Stop::new(exit, "error: the demo's apply did not end well; this is a mistake in gallerist"))
    }

    fn boot_from(&self, name: &str) -> Result<String, Stop> {
        let mut world = self.sandbox.world();
        let region = world.region("RegionOne")?;
        let image = region.images().values().find(|image| image.name.as_deref() == Some(name));
        let id = image.map(|image| image.id.clone()).with_context(|| format!("the demo's cloud has no `{name}`"))?;
        Ok(region.boot("demo", &id, "web-1").map(|_| "web-1, project demo".to_owned())?)
    }

    fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_day(&self) {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        *clock = clock.checked_add(Span::new().hours(24)).unwrap_or(*clock);
    }
}

/// Connects as an operator would: by clouds.yaml.
async fn connect(folder: &Path) -> Result<Vec<Site>, Stop> {
    let surroundings = Surroundings::new(BTreeMap::new(), folder.to_owned(), folder.to_owned());
    let selection = [Selection { cloud: Some("sandbox-admin".to_owned()), regions: Vec::new() }];
    Ok(crate::openstack::connect(&selection, &surroundings).await?)
}
