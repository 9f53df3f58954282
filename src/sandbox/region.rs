//! One region: its services, and what other people do in it.
//!
//! Everything that tenants, colleagues and misfortune can do to a catalogue of images has a method here, so that a test
//! says `region.boot(…)` where a person would type a command. Rights are those of the named project.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use jiff::Timestamp;
use uuid::Uuid;

use super::cinder::{self, Cinder, VolumeRecord};
use super::glance::{Glance, ImageRecord, Settings, receive};
use super::identity::{Caller, project_id};
use super::nova::{self, BootOutcome, Cell, Disk, Flavor, Nova, Order, ServerRecord, ServerState};
use super::world::Clock;
use crate::model::image::Visibility;

/// GiB of a volume if nobody says.
const VOLUME_SIZE: u64 = 100;

/// The services of one region.
pub struct Region {
    clock: Clock,
    pub(super) glance: Glance,
    pub(super) nova: Nova,
    pub(super) cinder: Cinder,
}

impl Region {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, glance: Glance::default(), nova: Nova::default(), cinder: Cinder::default() }
    }

    /// How its Glance takes bytes in, to be changed as its operator can.
    pub fn glance_settings(&mut self) -> &mut Settings {
        &mut self.glance.settings
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The images there are, by id.
    pub fn images(&self) -> &BTreeMap<String, ImageRecord> {
        &self.glance.images
    }

    /// An image, to be changed as if by somebody else.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn image(&mut self, id: &str) -> anyhow::Result<&mut ImageRecord> {
        self.glance.images.get_mut(id).with_context(|| format!("the sandbox has no image `{id}`"))
    }

    /// Puts an image there as it is, in place of one with the same id.
    pub fn insert_image(&mut self, image: ImageRecord) {
        self.glance.images.insert(image.id.clone(), image);
    }

    /// Uploads an image for a project, and says its id.
    ///
    /// # Errors
    /// The bytes are not what the disk format says.
    pub fn upload(
        &mut self,
        project: &str,
        name: &str,
        visibility: Visibility,
        disk_format: &str,
        bytes: &[u8],
    ) -> anyhow::Result<String> {
        let mut image = ImageRecord::new(Uuid::new_v4().to_string(), project_id(project), self.now());
        image.name = Some(name.to_owned());
        image.visibility = visibility;
        image.disk_format = Some(disk_format.to_owned());
        image.container_format = Some("bare".to_owned());
        receive(&mut image, bytes).context("the upload was refused")?;
        let id = image.id.clone();
        self.insert_image(image);
        Ok(id)
    }

    /// Deletes an image, protected or not, as an operator with access to the database can.
    pub fn delete_image(&mut self, id: &str) {
        if let Some(image) = self.glance.images.remove(id) {
            self.glance.deleted.insert(id.to_owned(), image);
        }
    }

    /// Boots a server of a project from an image, and says its id. It is there at once.
    ///
    /// # Errors
    /// Nova refuses: the project does not see the image, or it is not active.
    pub fn boot(&mut self, project: &str, image: &str, name: &str) -> anyhow::Result<String> {
        self.start_server(project, Disk::Image(image.to_owned()), name)
    }

    /// Boots a server of a project from a new volume made from an image, and says the server's id.
    ///
    /// # Errors
    /// As for [`Region::boot`].
    pub fn boot_from_volume(&mut self, project: &str, image: &str, name: &str) -> anyhow::Result<String> {
        self.start_server(project, Disk::NewVolume(image.to_owned(), VOLUME_SIZE), name)
    }

    fn start_server(&mut self, project: &str, disk: Disk, name: &str) -> anyhow::Result<String> {
        let flavor = self.nova.flavors.iter().max_by_key(|flavor| flavor.disk).cloned();
        let flavor = flavor.context("the sandbox has no flavor")?;
        let (metadata, tags) = (BTreeMap::new(), BTreeSet::new());
        let order = Order { name: name.to_owned(), flavor, disk, metadata, tags };
        let now = self.now();
        let id = nova::boot(self, &Caller::of_project(project), order, now).context("the server was refused")?;
        self.server(&id)?.state = ServerState::Active;
        self.cinder.volumes.values_mut().for_each(VolumeRecord::settle);
        Ok(id)
    }

    /// The servers there are and were, by id.
    pub fn servers(&self) -> &BTreeMap<String, ServerRecord> {
        &self.nova.servers
    }

    /// A server, to be changed as if by its owner: its state, for instance.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn server(&mut self, id: &str) -> anyhow::Result<&mut ServerRecord> {
        self.nova.servers.get_mut(id).with_context(|| format!("the sandbox has no server `{id}`"))
    }

    /// Puts a server there as it is; how a cloud of 100,000 is made.
    pub fn insert_server(&mut self, server: ServerRecord) {
        self.nova.servers.insert(server.id.clone(), server);
    }

    /// Deletes a server for good, and the volumes it was booted from.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn delete_server(&mut self, id: &str) -> anyhow::Result<()> {
        let now = self.now();
        let server = self.server(id)?;
        (server.state, server.updated_at) = (ServerState::Deleted, now);
        self.cinder.volumes.retain(|_, volume| !volume.servers.iter().any(|server| server == id));
        Ok(())
    }

    /// Makes an image of a server, as a tenant does for a backup, and says its id. It inherits every property of the image
    /// the server was made from.
    ///
    /// # Errors
    /// There is no such server, or it was booted from a volume.
    pub fn snapshot(&mut self, server: &str, name: &str) -> anyhow::Result<String> {
        let (now, id) = (self.now(), Uuid::new_v4().to_string());
        let server = self.server(server)?.clone();
        let Some(base) = server.image else {
            bail!("server `{}` has no image: it was booted from a volume", server.id)
        };
        let mut image = ImageRecord::new(id.clone(), server.project, now);
        if let Some(original) = self.glance.images.get(&base).or_else(|| self.glance.deleted.get(&base)) {
            image.properties = original.properties.clone();
            (image.min_disk, image.min_ram) = (original.min_disk, original.min_ram);
        }
        for (key, value) in [("image_type", "snapshot"), ("base_image_ref", &base), ("instance_uuid", &server.id)] {
            image.properties.insert(key.to_owned(), value.to_owned());
        }
        image.name = Some(name.to_owned());
        image.visibility = Visibility::Private;
        image.disk_format = Some("raw".to_owned());
        image.container_format = Some("bare".to_owned());
        receive(&mut image, &[0; 512])?;
        self.insert_image(image);
        Ok(id)
    }

    /// Makes a volume of a project from an image, and says its id. It is filled at once.
    ///
    /// # Errors
    /// Cinder refuses: the project does not see the image, or it is not active.
    pub fn volume(&mut self, project: &str, image: &str) -> anyhow::Result<String> {
        let now = self.now();
        let id = cinder::create_from_image(self, &Caller::of_project(project), image, VOLUME_SIZE, None, now)
            .context("the volume was refused")?;
        self.cinder.volumes.values_mut().for_each(VolumeRecord::settle);
        Ok(id)
    }

    /// A volume, to be changed as if by its owner. In the state [`super::VolumeState::Stuck`] no filter finds it by its image.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn volume_record(&mut self, id: &str) -> anyhow::Result<&mut VolumeRecord> {
        self.cinder.volumes.get_mut(id).with_context(|| format!("the sandbox has no volume `{id}`"))
    }

    /// Puts a volume there as it is.
    pub fn insert_volume(&mut self, volume: VolumeRecord) {
        self.cinder.volumes.insert(volume.id.clone(), volume);
    }

    /// Deletes a volume, in use or not.
    pub fn delete_volume(&mut self, id: &str) {
        self.cinder.volumes.remove(id);
    }

    /// Takes the cell that holds the servers down, or brings it up again.
    pub fn set_cell(&mut self, cell: Cell) {
        self.nova.cell = cell;
    }

    /// What becomes of servers that are made through the API from now on, and what they print.
    pub fn set_boots(&mut self, outcome: BootOutcome, console: &str) {
        self.nova.outcome = outcome;
        console.clone_into(&mut self.nova.console);
    }

    /// The sizes a server can have.
    pub fn flavors(&mut self) -> &mut Vec<Flavor> {
        &mut self.nova.flavors
    }
}
