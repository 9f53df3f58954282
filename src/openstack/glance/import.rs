//! Imports: Glance fetches or converts the bytes itself, in a task of its own.
//!
//! Glance answers before the work is done. How it ended is for [`crate::openstack::import`] to find out.

use serde_json::{Value, json};
use url::Url;

use super::Glance;
use crate::model::name::ImageId;
use crate::model::passage::Method;
use crate::openstack::error::ApiError;
use crate::openstack::http::Request;
use crate::openstack::wire::{ImportInfo, StoreList, TaskList};

/// What is to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Import {
    /// The bytes at a URL that Glance can reach.
    WebDownload(Url),
    /// The bytes staged before.
    GlanceDirect,
    /// The bytes of an image in another region of the same cloud. Glance takes properties along with them.
    GlanceDownload {
        /// The other region.
        region: String,
        /// The image there.
        image: ImageId,
    },
}

impl Import {
    /// The method it needs.
    pub const fn method(&self) -> Method {
        match self {
            Self::WebDownload(_) => Method::WebDownload,
            Self::GlanceDirect => Method::GlanceDirect,
            Self::GlanceDownload { .. } => Method::GlanceDownload,
        }
    }

    /// The method as Glance reads it.
    fn request(&self) -> Value {
        let name = self.method().name();
        match self {
            Self::WebDownload(url) => json!({"name": name, "uri": url.as_str()}),
            Self::GlanceDirect => json!({"name": name}),
            Self::GlanceDownload { region, image } => {
                json!({"name": name, "glance_region": region, "glance_image_id": image.as_str()})
            }
        }
    }
}

/// A store that images can be kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its id, the word for it in requests.
    pub id: String,
    /// Whether it is the one used where none is named.
    pub role: StoreRole,
}

/// Whether a store is used where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreRole {
    /// It is.
    Default,
    /// It is not.
    Further,
}

/// A task of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportTask {
    /// Its id.
    pub id: String,
    /// `pending`, `processing`, `success`, `failure`.
    pub status: String,
    /// What Glance says of it; empty where it says nothing.
    pub message: String,
}

impl Glance {
    /// The import methods that this Glance offers, of those that are of use here.
    ///
    /// # Errors
    /// It could not be asked; a Glance without interoperable import answers 404.
    pub async fn import_methods(&self) -> Result<Vec<Method>, ApiError> {
        let info: ImportInfo = self.endpoint().send(Request::get("info/import")).await?.json()?;
        Ok(info.methods.value.iter().filter_map(|name| Method::from_name(name)).collect())
    }

    /// Starts an import into these stores; without any, into the default one.
    ///
    /// # Errors
    /// [`super::ErrorKind::Refused`] where Glance may not fetch from there, [`super::ErrorKind::Conflict`] where the
    /// image is not `queued` (`uploading` for `glance-direct`).
    pub async fn import(&self, id: &ImageId, import: &Import, stores: &[String]) -> Result<(), ApiError> {
        let mut body = json!({"method": import.request()});
        if !stores.is_empty() {
            body["stores"] = json!(stores);
            // Half an import is none: without this Glance keeps what reached some stores.
            body["all_stores_must_succeed"] = json!(true);
        }
        let request = Request::new(reqwest::Method::POST, format!("images/{id}/import")).json(&body);
        self.endpoint().send(request).await.map(drop)
    }

    /// The tasks of an image, as far as Glance keeps them, the oldest first.
    ///
    /// # Errors
    /// It could not be asked; releases before Wallaby answer 404.
    pub async fn tasks(&self, id: &ImageId) -> Result<Vec<ImportTask>, ApiError> {
        let list: TaskList = self.endpoint().send(Request::get(format!("images/{id}/tasks"))).await?.json()?;
        let tasks = list.tasks.into_iter().map(|task| ImportTask {
            id: task.id,
            status: task.status,
            message: crate::openstack::error::one_line(&task.message.unwrap_or_default()),
        });
        Ok(tasks.collect())
    }

    /// The stores of this Glance.
    ///
    /// # Errors
    /// It could not be asked; a Glance with one store only answers 404.
    pub async fn stores(&self) -> Result<Vec<Store>, ApiError> {
        let list: StoreList = self.endpoint().send(Request::get("info/stores")).await?.json()?;
        let is_default = |value: &Value| value.as_bool() == Some(true) || value.as_str() == Some("true");
        let stores = list.stores.into_iter().map(|store| Store {
            role: if is_default(&store.default) { StoreRole::Default } else { StoreRole::Further },
            id: store.id,
        });
        Ok(stores.collect())
    }
}
