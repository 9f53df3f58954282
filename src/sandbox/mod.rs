//! The embedded cloud: a small OpenStack in the process, over real HTTP on loopback.
//!
//! What it is for: `gallerist demo` and `gallerist sandbox`, and the tests. It is stateful, and behaves like Keystone 30,
//! Glance 33, Nova 34 and Cinder 29 as far as images and those who use them go; whatever a real cloud teaches
//! becomes behaviour here. What it refuses to know: gallerist. No line of it mentions a catalogue or a family,
//! and any OpenStack client can use it.
//!
//! [`Sandbox::start`] binds one port for each service of each region. [`Sandbox::world`] is the state itself, to play the other
//! people of a cloud with: tenants who boot servers, colleagues who rename images, cells that go down. [`Fault`] breaks
//! requests, [`World::publish`] fills the publishers' mirror, [`image::qcow2`] makes something to publish.
//!
//! To add behaviour: find it in a real service first, then change the function of that service. To add a service: one file
//! with an `open` and an `answer` function, a variant of [`Service`], and its lines in `server.rs` and `keystone.rs`.

mod answer;
mod cinder;
pub mod exhibition;
mod faults;
mod glance;
mod identity;
pub mod image;
mod keystone;
mod mirror;
mod nova;
mod range;
mod region;
mod server;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, MutexGuard};

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use self::cinder::{VolumeRecord, VolumeState};
pub use self::faults::{Effect, Fault};
pub use self::glance::{Data, ImageRecord, Membership, Settings};
pub use self::identity::{Project, Role, project_id};
pub use self::mirror::Behaviour;
pub use self::nova::{BootOutcome, Cell, Flavor, ServerRecord, ServerState};
pub use self::region::Region;
pub use self::world::{Clock, LoggedRequest, Service, World};

use self::server::{Door, Shared};
use self::world::Endpoint;

/// How the embedded cloud is to be.
#[derive(Clone)]
pub struct Options {
    /// Its regions, at least one. Keystone and the mirror are there once, for all of them.
    pub regions: Vec<RegionOptions>,
    /// The project that the administrator works in.
    pub home: Project,
    /// What time it is there. Tokens alone live in real time.
    pub clock: Clock,
}

/// How a region is to be.
#[derive(Debug, Clone)]
pub struct RegionOptions {
    /// Its name.
    pub name: String,
    /// What it has beside Keystone.
    pub services: Services,
}

/// What a region has beside Keystone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Services {
    /// Glance, Nova and Cinder.
    All,
    /// Glance and Nova.
    WithoutBlockStorage,
    /// Glance and Cinder.
    WithoutCompute,
    /// Glance.
    ImageOnly,
}

impl Services {
    fn list(self) -> &'static [Service] {
        match self {
            Self::All => &[Service::Image, Service::Compute, Service::BlockStorage],
            Self::WithoutBlockStorage => &[Service::Image, Service::Compute],
            Self::WithoutCompute => &[Service::Image, Service::BlockStorage],
            Self::ImageOnly => &[Service::Image],
        }
    }
}

impl Default for Options {
    /// One region, `RegionOne`, with everything, in the present.
    fn default() -> Self {
        Self::with_regions(&["RegionOne"])
    }
}

impl Options {
    /// Regions of these names, with everything, in the present.
    pub fn with_regions(names: &[&str]) -> Self {
        let region = |name: &&str| RegionOptions { name: (*name).to_owned(), services: Services::All };
        Self {
            regions: names.iter().map(region).collect(),
            home: Project::called("admin"),
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// A running cloud. It ends when it is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    doors: Vec<JoinHandle<std::io::Result<()>>>,
    regions: Vec<String>,
    auth_url: String,
    mirror: String,
}

impl Sandbox {
    /// Starts a cloud on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// There is no region, two have the same name, or no port can be bound.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let first = options.regions.first().context("an embedded cloud needs at least one region")?.name.clone();
        let mut wanted = vec![(Service::Identity, first.clone()), (Service::Mirror, first.clone())];
        let mut regions = BTreeMap::new();
        for region in &options.regions {
            let new = Region::new(Arc::clone(&options.clock));
            anyhow::ensure!(
                regions.insert(region.name.clone(), new).is_none(),
                "two regions of the embedded cloud are called `{}`",
                region.name
            );
            wanted.extend(region.services.list().iter().map(|service| (*service, region.name.clone())));
        }

        let mut listeners = Vec::new();
        let mut endpoints = Vec::new();
        for (service, region) in wanted {
            let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on 127.0.0.1")?;
            let base = format!("http://{}", listener.local_addr().context("cannot tell the port")?);
            endpoints.push(Endpoint { service, region, base });
            listeners.push(listener);
        }
        let base = |service| {
            let endpoint = endpoints.iter().find(|endpoint: &&Endpoint| endpoint.service == service);
            endpoint.map(|endpoint| endpoint.base.clone()).unwrap_or_default()
        };
        let (auth_url, mirror) =
            (format!("{}/v3", base(Service::Identity)), format!("{}/mirror", base(Service::Mirror)));

        // Everything it may fetch is on loopback or named by whoever uses it; a proxy for the outside is in the way.
        let client = reqwest::Client::builder().no_proxy().build().context("cannot make an HTTP client")?;
        let mut in_catalogue = endpoints.clone();
        for region in options.regions.iter().skip(1) {
            let base = base(Service::Identity);
            in_catalogue.push(Endpoint { service: Service::Identity, region: region.name.clone(), base });
        }
        let shared = Arc::new(Shared::new(World::new(options.clock, options.home, regions, in_catalogue), client));
        let doors = listeners
            .into_iter()
            .zip(endpoints)
            .map(|(listener, Endpoint { service, region, base })| {
                tokio::spawn(server::serve(listener, Door { shared: Arc::clone(&shared), service, region, base }))
            })
            .collect();
        let regions = options.regions.into_iter().map(|region| region.name).collect();
        Ok(Self { shared, doors, regions, auth_url, mirror })
    }

    /// Keystone's address, as `auth_url` in clouds.yaml.
    pub fn auth_url(&self) -> &str {
        &self.auth_url
    }

    /// Address below which the mirror serves what [`World::publish`] was given.
    pub fn mirror_url(&self) -> &str {
        &self.mirror
    }

    /// Names of the regions, in the order in which they were asked for.
    pub fn regions(&self) -> &[String] {
        &self.regions
    }

    /// The state, for as long as the guard lives. No request is answered meanwhile: never hold it across an `await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Number of requests so far, to all services.
    pub fn request_count(&self) -> usize {
        self.world().requests().len()
    }

    /// A clouds.yaml with the clouds `sandbox-admin`, `sandbox-demo`, `sandbox-other` (members of their projects),
    /// `sandbox-auditor` (a reader in the project `admin`), and for each an application credential, `…-appcred`.
    ///
    /// A region is named where there is only one.
    pub fn clouds_yaml(&self) -> String {
        let region = match self.regions.as_slice() {
            [only] => format!("    region_name: {}\n", quoted(only)),
            _ => String::new(),
        };
        let auth_url = &self.auth_url;
        let mut yaml = String::from("clouds:\n");
        for user in &self.world().identity.users {
            let (name, password, credential) = (user.name, &user.password, user.credential_id());
            yaml.push_str(&self.entry(&format!("sandbox-{name}"), user, &region));
            // Writing to a string cannot fail.
            let _ = write!(
                yaml,
                "  sandbox-{name}-appcred:\n    auth_type: \"v3applicationcredential\"\n    auth:\n      auth_url: \
                 \"{auth_url}\"\n      application_credential_id: \"{credential}\"\n      \
                 application_credential_secret: \"{password}\"\n    identity_api_version: 3\n{region}"
            );
        }
        yaml
    }

    /// The administrator's entry of a clouds.yaml under another name, below `clouds:`, with every region.
    pub fn admin_entry(&self, name: &str) -> String {
        let regions: Vec<String> = self.regions.iter().map(|region| quoted(region)).collect();
        let world = self.world();
        world.identity.users.first().map_or_else(String::new, |admin| {
            self.entry(&quoted(name), admin, &format!("    regions: [{}]\n", regions.join(", ")))
        })
    }

    /// The entry of a user who has a password.
    fn entry(&self, name: &str, user: &identity::User, regions: &str) -> String {
        let (auth_url, project) = (&self.auth_url, quoted(&user.project.name));
        format!(
            "  {name}:\n    auth:\n      auth_url: \"{auth_url}\"\n      username: \"{}\"\n      password: \
             \"{}\"\n      project_name: {project}\n      user_domain_name: \"Default\"\n      \
             project_domain_name: \"Default\"\n    identity_api_version: 3\n{regions}",
            user.name, user.password
        )
    }
}

/// A text as YAML takes it, whatever is in it: as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.doors.iter().for_each(JoinHandle::abort);
        // Connections that are still open outlive their door.
        self.world().stop_after(0);
    }
}
#[cfg(test)]
mod tests;
