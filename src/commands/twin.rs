//! The twin of a recorded cloud: the embedded cloud, filled with what a snapshot holds.
//!
//! The problem: an apply is best rehearsed where the images, the owners and the users are those of production. The idea:
//! every cloud of the snapshot becomes an embedded one that has its name in clouds.yaml, its regions, its project and its
//! images under their own ids; whoever was seen to use one becomes a server or a volume. A service that could not say
//! who uses what is not there at all, so that what was held for that reason is held here as well. What this does not
//! solve: a snapshot holds no bytes, so images here have a size and a digest and nothing to boot; and of images that
//! nobody asked about nobody knows the users.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::Timestamp;

use crate::model::image::{Image, Listing, Protection, Visibility};
use crate::model::name::{ImageId, SiteName};
use crate::model::observed::SiteView;
use crate::model::usage::{Usage, User, UserKind};
use crate::sandbox::{
    Data, Flavor, ImageRecord, Membership, Options, Project, Region, RegionOptions, Sandbox, ServerRecord, ServerState,
    Services, VolumeRecord, VolumeState,
};
use crate::snapshot::{Recorded, Snapshot};

/// The entry of clouds.yaml where the recording names none.
const UNNAMED: &str = "sandbox-admin";

/// Embedded clouds in the place of recorded ones, each with the name of its entry in clouds.yaml.
pub(super) struct Twin {
    clouds: Vec<(String, Sandbox)>,
}

impl Twin {
    /// Serves what a snapshot holds.
    ///
    /// # Errors
    /// The snapshot has no site, or no port can be bound.
    pub(super) async fn of(snapshot: &Snapshot) -> anyhow::Result<Self> {
        let mut recorded: BTreeMap<Option<&str>, Vec<(&SiteName, &Recorded)>> = BTreeMap::new();
        for (name, site) in &snapshot.sites {
            recorded.entry(site.place.cloud.as_deref()).or_default().push((name, site));
        }
        anyhow::ensure!(!recorded.is_empty(), "the snapshot has no site");
        let mut clouds = Vec::new();
        for (name, sites) in recorded {
            clouds.push((name.unwrap_or(UNNAMED).to_owned(), cloud(&sites).await?));
        }
        Ok(Self { clouds })
    }

    /// The entry to work with.
    pub(super) fn cloud(&self) -> &str {
        self.clouds.first().map_or(UNNAMED, |(name, _)| name)
    }

    /// A clouds.yaml with the administrator of each cloud under the name it was recorded with, and the tenants of the
    /// first.
    pub(super) fn clouds_yaml(&self) -> String {
        let tenants = self.clouds.first().map(|(_, sandbox)| sandbox.clouds_yaml());
        let named = self.clouds.iter().filter(|(name, _)| name != UNNAMED);
        tenants.into_iter().chain(named.map(|(name, sandbox)| sandbox.admin_entry(name))).collect()
    }
}

async fn cloud(sites: &[(&SiteName, &Recorded)]) -> anyhow::Result<Sandbox> {
    let region = |(name, site): &(&SiteName, &Recorded)| {
        // A cloud that names no region is called by the site's own name here, and so is the site.
        site.place.region.clone().unwrap_or_else(|| name.to_string())
    };
    let regions = sites.iter().map(|site| RegionOptions { name: region(site), services: services(&site.1.view) });
    let (_, first) = sites.first().context("a cloud has a site")?;
    let id = first.view.project.to_string();
    let home = Project { name: first.place.project.clone().unwrap_or_else(|| id.clone()), id };
    let sandbox = Sandbox::start(Options { regions: regions.collect(), home, ..Options::default() }).await?;
    {
        let mut world = sandbox.world();
        let now = world.now();
        for site in sites {
            fill(world.region(&region(site))?, &site.1.view, now)?;
        }
    }
    Ok(sandbox)
}

/// What could say who uses an image.
fn services(view: &SiteView) -> Services {
    let unknown: BTreeSet<&str> = view.usage.values().flat_map(Usage::unknown).map(|(source, _)| source.0).collect();
    match (unknown.contains("servers"), unknown.contains("volumes")) {
        (false, false) => Services::All,
        (false, true) => Services::WithoutBlockStorage,
        (true, false) => Services::WithoutCompute,
        (true, true) => Services::ImageOnly,
    }
}

fn fill(region: &mut Region, view: &SiteView, now: Timestamp) -> anyhow::Result<()> {
    for image in view.namesakes.values().chain(view.images.values()) {
        region.insert_image(record(image, now));
    }
    let flavor = region.flavors().first().cloned().context("the sandbox has no flavor")?;
    for (image, usage) in &view.usage {
        for user in usage.users() {
            use_image(region, image, user, &flavor, now);
        }
    }
    Ok(())
}

fn record(image: &Image, now: Timestamp) -> ImageRecord {
    let Image { id, owner, status, attributes, created_at, size, virtual_size, hash, disk_format } = image.clone();
    let mut properties = attributes.properties;
    let data = Data { size, virtual_size, hash, store: properties.remove("stores"), checksum: None, bytes: None };
    ImageRecord {
        name: Some(attributes.name),
        owner: owner.map(|owner| owner.to_string()),
        visibility: attributes.visibility,
        status,
        protected: attributes.protection == Protection::Protected,
        hidden: attributes.listing == Listing::Hidden,
        min_disk: attributes.min_disk,
        min_ram: attributes.min_ram,
        container_format: disk_format.as_ref().map(|_| "bare".to_owned()),
        disk_format,
        data,
        properties,
        tags: attributes.tags,
        ..ImageRecord::new(id.to_string(), "", created_at.unwrap_or(now))
    }
}

/// Lets somebody use an image as was recorded.
fn use_image(region: &mut Region, image: &ImageId, user: User, flavor: &Flavor, now: Timestamp) {
    let User { kind, id, project } = user;
    // Not every service says whose its things are.
    let project = project.map(|project| project.to_string()).unwrap_or_default();
    match kind {
        UserKind::Server => region.insert_server(ServerRecord {
            name: id.clone(),
            id,
            project,
            image: Some(image.to_string()),
            flavor: flavor.clone(),
            state: ServerState::Active,
            volumes: Vec::new(),
            metadata: BTreeMap::new(),
            tags: BTreeSet::new(),
            created_at: now,
            updated_at: now,
        }),
        UserKind::Volume => region.insert_volume(VolumeRecord {
            name: Some(id.clone()),
            id,
            project,
            size: 1,
            state: VolumeState::Available,
            servers: Vec::new(),
            image_metadata: BTreeMap::from([("image_id".to_owned(), image.to_string())]),
            created_at: now,
        }),
        UserKind::Snapshot => {
            let derived = [("image_type", "snapshot"), ("base_image_ref", image.as_str())];
            let derived = derived.map(|(key, value)| (key.to_owned(), value.to_owned()));
            region.insert_image(ImageRecord {
                name: Some(id.clone()),
                visibility: Visibility::Private,
                properties: derived.into(),
                ..ImageRecord::new(id, project, now)
            });
        }
        UserKind::Member => {
            if let Ok(image) = region.image(image.as_str()) {
                let membership = Membership { status: "accepted".to_owned(), created_at: now, updated_at: now };
                image.members.insert(id, membership);
            }
        }
    }
}
