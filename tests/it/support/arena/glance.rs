//! How the arena answers: Glance and Nova, as far as the machines can tell.

use gallerist::apply::request::{Answer, BootOutcome, Failure, Request, Window};
use gallerist::model::image::{Attributes, Image, Protection, Status, Visibility};
use gallerist::model::name::{ImageId, ProjectId};
use gallerist::model::operation::Delivered;
use gallerist::model::usage::{Answer as Use, Usage, User, UserKind};

use super::{Arena, Sabotage};
use crate::support::world::{PROJECT, SERVERS, VOLUMES};

fn refused(message: &str) -> Answer {
    Answer::Failed(Failure::refused(message))
}

fn digest_of(image: &Delivered) -> (String, String) {
    let digest = image.digests.strongest().to_string();
    let (algorithm, value) = digest.split_once(':').expect("a digest is written with its algorithm");
    (algorithm.to_owned(), value.to_owned())
}

impl Arena {
    pub(super) fn read(&self, id: &ImageId, sabotage: Sabotage) -> Option<Image> {
        let mut image = self.images.get(id)?.clone();
        if image.disk_format.as_deref() == Some("damaged") && sabotage != Sabotage::FalseDigest {
            image.hash = Some(("sha512".to_owned(), "0".repeat(128)));
        }
        if sabotage == Sabotage::FalseOwner {
            image.owner = Some(ProjectId::parse(PROJECT).unwrap());
        }
        Some(image)
    }

    pub(super) fn perform(&mut self, request: &Request, sabotage: Sabotage) -> Answer {
        match request {
            Request::Read { id, .. } => Answer::Image(self.read(id, sabotage).map(Box::new)),
            Request::Record { id, attributes, disk_format, .. } => {
                let image = Image {
                    id: id.clone(),
                    owner: Some(ProjectId::parse(PROJECT).unwrap()),
                    status: Status::Queued,
                    attributes: (**attributes).clone(),
                    created_at: None,
                    size: None,
                    virtual_size: None,
                    hash: None,
                    disk_format: Some((*disk_format).to_owned()),
                };
                match self.images.insert(id.clone(), image) {
                    None => Answer::Done,
                    Some(_) => refused("409"),
                }
            }
            Request::Deliver { version, targets, .. } => {
                let digests = version.stored_digests().expect("the arena's versions are not compressed").clone();
                let delivered = Delivered { digests, size: 1 << 20, virtual_size: Some(1 << 30) };
                let results = targets.iter().map(|target| match self.images.get_mut(&target.id) {
                    Some(image) if image.status == Status::Queued => {
                        image.status = Status::Active;
                        image.size = Some(delivered.size);
                        image.virtual_size = delivered.virtual_size;
                        image.hash = Some(digest_of(&delivered));
                        Ok(())
                    }
                    Some(_) => Err(Failure::refused("409")),
                    None => Err(Failure::refused("404")),
                });
                let results = results.collect();
                Answer::Delivered(delivered, results)
            }
            Request::Copy { .. } => refused("the arena has one region"),
            Request::Boot { .. } => Answer::Booted(BootOutcome::NotAsked),
            Request::Patch { id, .. } => {
                if !self.images.contains_key(id) {
                    return refused("404");
                }
                match (sabotage, self.late.take()) {
                    (Sabotage::OtherWayRound, None) => self.late = Some(Box::new(request.clone())),
                    (_, None) => self.patch(request),
                    (_, Some(late)) => {
                        self.patch(request);
                        self.look();
                        self.patch(&late);
                    }
                }
                Answer::Done
            }
            Request::Usage { id, window, .. } => {
                let stale = sabotage == Sabotage::StaleSecondQuestion && *window == Window::Closed;
                let user = User { kind: UserKind::Server, id: "web".to_owned(), project: None };
                let servers = if self.users.contains(id) && !stale { Use::Users(user, vec![]) } else { Use::Nobody };
                Answer::Usage(Usage::new([(SERVERS, servers), (VOLUMES, Use::Nobody)]))
            }
            Request::Deactivate { id, .. } => self.turn(id, Status::Deactivated),
            Request::Reactivate { id, .. } => self.turn(id, Status::Active),
            Request::Delete { id, .. } => match self.images.get(id) {
                None => Answer::Done,
                Some(image) if image.attributes.protection == Protection::Protected => refused("403"),
                Some(_) => {
                    if self.users.contains(id) {
                        self.broken.insert("an image in use was deleted");
                    }
                    self.images.remove(id);
                    Answer::Done
                }
            },
        }
    }

    fn turn(&mut self, id: &ImageId, status: Status) -> Answer {
        match self.images.get_mut(id) {
            Some(image) if [Status::Active, Status::Deactivated].contains(&image.status) => {
                image.status = status;
                Answer::Done
            }
            Some(_) => refused("403"),
            None => refused("404"),
        }
    }

    /// As Glance does: what differs between the two sides is set, and the rest stays.
    fn patch(&mut self, request: &Request) {
        let Request::Patch { id, from, to, .. } = request else { return };
        let Some(image) = self.images.get_mut(id) else { return };
        let found = &mut image.attributes;
        let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = (**to).clone();
        if from.name != name {
            found.name = name;
        }
        if from.visibility != visibility {
            found.visibility = visibility;
        }
        if from.protection != protection {
            found.protection = protection;
        }
        if from.listing != listing {
            found.listing = listing;
        }
        if from.min_disk != min_disk {
            found.min_disk = min_disk;
        }
        if from.min_ram != min_ram {
            found.min_ram = min_ram;
        }
        if from.tags != tags {
            found.tags = tags;
        }
        found.properties.retain(|key, _| properties.contains_key(key) || !from.properties.contains_key(key));
        found.properties.extend(properties.into_iter().filter(|(key, value)| from.properties.get(key) != Some(value)));
    }

    /// What must hold at every moment.
    pub(super) fn look(&mut self) {
        let shown = |image: &&Image| image.attributes.visibility > Visibility::Private;
        let named = |image: &Image| {
            let Attributes { name, visibility, .. } = &image.attributes;
            name.ends_with("Latest") && *visibility == Visibility::Public && image.status == Status::Active
        };
        if !self.images.values().any(named) {
            self.broken.insert("nobody bears the public name");
        }
        let wrong = |image: &Image| image.status == Status::Queued || image.disk_format.as_deref() == Some("damaged");
        if self.images.values().filter(shown).any(wrong) {
            self.broken.insert("an image that is not what was published is shown");
        }
    }
}
