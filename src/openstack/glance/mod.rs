//! Glance, the Images API v2: one method is one request, wherever its documentation does not say otherwise.
//!
//! [`list`] reads listings page by page, [`patch`] is the difference of two sets of attributes, [`data`] moves bytes,
//! [`import`] lets Glance fetch them itself. This room knows ids, attributes and bytes; which image is ours, what it
//! should look like and in which order things happen is decided elsewhere.

mod data;
mod import;
mod list;
mod patch;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::error::{ApiError, ErrorKind};
use super::http::{Endpoint, Request};
use super::wire::{ImageRecord, MemberList};
use crate::model::image::{Attributes, Image, Listing, Protection};
use crate::model::name::{ImageId, ProjectId};
use crate::model::version::DiskFormat;

pub use data::Download;
pub use import::{Import, ImportTask, Store};
pub(super) use list::can_be_quoted;
pub use list::{Filter, Seen};
pub use patch::json_patch;

/// Glance in one region.
#[derive(Clone)]
pub struct Glance {
    endpoint: Endpoint,
}

/// A new image record.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// Its id, chosen by us, so that a lost answer can be told from a failed request.
    pub id: ImageId,
    /// What its bytes will be.
    pub disk_format: DiskFormat,
    /// Everything else.
    pub attributes: Attributes,
}

impl Glance {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// One image.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, or none that we may see.
    pub async fn get(&self, id: &ImageId) -> Result<Image, ApiError> {
        self.image(Request::get(format!("images/{id}"))).await
    }

    /// Makes a record without bytes. One request; where its answer is lost or says the id is taken, the record is
    /// looked up, and made once more if it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where another record has the id.
    pub async fn create(&self, new: &NewImage) -> Result<Image, ApiError> {
        let request = Request::new(Method::POST, "images").json(&record(new));
        let error = match self.image(request.clone()).await {
            Ok(image) => return Ok(image),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Connection | ErrorKind::Conflict | ErrorKind::Server | ErrorKind::Malformed => {}
            ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::TooLarge
            | ErrorKind::RateLimited
            | ErrorKind::Refused
            | ErrorKind::NoService => return Err(error),
        }
        match self.get(&new.id).await {
            // A random id with exactly our name and tags: our own request did arrive.
            Ok(found)
                if found.attributes.name == new.attributes.name && found.attributes.tags == new.attributes.tags =>
            {
                Ok(found)
            }
            Err(missing) if missing.kind() == ErrorKind::NotFound && error.kind() == ErrorKind::Connection => {
                self.image(request).await
            }
            Ok(_) | Err(_) => Err(error),
        }
    }

    /// Changes an image from what it was seen as to what it shall be, all in one request or not at all. Where nothing
    /// differs, no request is made and nothing is returned.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where a property that shall go or change is no longer there.
    pub async fn patch(&self, id: &ImageId, from: &Attributes, to: &Attributes) -> Result<Option<Image>, ApiError> {
        let operations = json_patch(from, to);
        if operations.is_empty() {
            return Ok(None);
        }
        let request = Request::new(Method::PATCH, format!("images/{id}"))
            .header("content-type", "application/openstack-images-v2.1-json-patch")
            .json(&Value::Array(operations));
        self.image(request).await.map(Some)
    }

    /// Deletes an image. One that is gone already counts as deleted.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] where it is protected, [`ErrorKind::Conflict`] where its store knows of a user.
    pub async fn delete(&self, id: &ImageId) -> Result<(), ApiError> {
        match self.endpoint.send(Request::new(Method::DELETE, format!("images/{id}"))).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// No new server and no new volume can be made from the image from here on.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] where it has no bytes or is not ours to deactivate.
    pub async fn deactivate(&self, id: &ImageId) -> Result<(), ApiError> {
        self.action(id, "deactivate").await
    }

    /// Takes a deactivation back.
    ///
    /// # Errors
    /// As for [`Glance::deactivate`].
    pub async fn reactivate(&self, id: &ImageId) -> Result<(), ApiError> {
        self.action(id, "reactivate").await
    }

    /// The projects a shared image is shared with, whether they have accepted it or not.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] where the image is not a shared one.
    pub async fn members(&self, id: &ImageId) -> Result<Vec<ProjectId>, ApiError> {
        let answer = self.endpoint.send(Request::get(format!("images/{id}/members"))).await?;
        let list: MemberList = answer.json()?;
        let parsed = list.members.into_iter().map(|member| ProjectId::parse(member.member_id));
        parsed.collect::<Result<_, _>>().map_err(|error| answer.malformed(&error.to_string()))
    }

    async fn action(&self, id: &ImageId, action: &str) -> Result<(), ApiError> {
        self.endpoint.send(Request::new(Method::POST, format!("images/{id}/actions/{action}"))).await.map(drop)
    }

    async fn image(&self, request: Request) -> Result<Image, ApiError> {
        let answer = self.endpoint.send(request).await?;
        answer.json::<ImageRecord>()?.lower().map_err(|problem| answer.malformed(&problem))
    }
}

/// The body of the POST. Properties come first, so that none of them can stand in for an attribute of the record.
fn record(new: &NewImage) -> Value {
    let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = &new.attributes;
    let mut record: BTreeMap<&str, Value> =
        properties.iter().map(|(key, value)| (key.as_str(), json!(value))).collect();
    record.extend([
        ("id", json!(new.id.as_str())),
        ("name", json!(name)),
        ("visibility", json!(visibility.name())),
        ("protected", json!(*protection == Protection::Protected)),
        ("os_hidden", json!(*listing == Listing::Hidden)),
        ("min_disk", json!(min_disk)),
        ("min_ram", json!(min_ram)),
        ("disk_format", json!(new.disk_format.name())),
        ("container_format", json!("bare")),
        ("tags", json!(tags)),
    ]);
    json!(record)
}
