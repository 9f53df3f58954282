//! The ways bytes take into Glance.
//!
//! `upload` sends them and knows at once; `glance-direct` and `web-download` start a task of Glance's and wait for its
//! end. A task tells little when it fails, so its message is shown together with what the image itself says.

use std::time::Duration;

use anyhow::{Context as _, bail};
use url::Url;

use super::glance::Import;
use super::site::Site;
use crate::model::image::Status;
use crate::model::name::ImageId;
use crate::model::version::{Compression, Origin, Version};

/// How bytes reach Glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// We send them.
    Upload,
    /// We send them to Glance's staging area.
    Direct,
    /// Glance fetches them.
    Web,
}

/// How often a task is looked at. An import of a whole image takes seconds at the least.
const PAUSE: Duration = Duration::from_millis(500);
/// How long an image may stay queued before its task counts as lost.
const PATIENCE: Duration = Duration::from_mins(30);

/// Lets Glance fetch a version, and waits for the end.
///
/// # Errors
/// The version is not one Glance can fetch, Glance refuses, or its task fails.
pub(super) async fn web(site: &Site, id: &ImageId, version: &Version, stores: &[String]) -> anyhow::Result<()> {
    let url = match (&version.origin, version.compression) {
        (Origin::Url(url), Compression::None) => Url::parse(url).context("the version's URL")?,
        (Origin::Url(_), Compression::Xz | Compression::Bzip2 | Compression::Gzip | Compression::Zstd) => bail!(
            "Glance does not decompress what it fetches, and this version is compressed with {}: use `method = \"upload\"`",
            version.compression.name()
        ),
        (Origin::File(_), _) => bail!("Glance cannot fetch a file of this machine: use `method = \"upload\"`"),
    };
    site.glance.import(id, &Import::WebDownload(url), stores).await?;
    wait(site, id).await
}

/// Imports what was staged, and waits for the end.
///
/// # Errors
/// Glance refuses, or its task fails.
pub(super) async fn staged(site: &Site, id: &ImageId, stores: &[String]) -> anyhow::Result<()> {
    site.glance.import(id, &Import::GlanceDirect, stores).await?;
    wait(site, id).await
}

async fn wait(site: &Site, id: &ImageId) -> anyhow::Result<()> {
    let begun = std::time::Instant::now();
    loop {
        tokio::time::sleep(PAUSE).await;
        let image = site.glance.get(id).await?;
        let failed_store =
            image.attributes.properties.get("os_glance_failed_import").filter(|stores| !stores.is_empty());
        match (image.status, failed_store) {
            (Status::Active, None) => return Ok(()),
            (Status::Queued | Status::Active, Some(stores)) => {
                bail!("Glance could not import it into {stores}: {}", last_word(site, id).await)
            }
            (Status::Broken | Status::Deactivated, _) => {
                bail!("the image is {} after the import: {}", image.status, last_word(site, id).await)
            }
            (Status::Queued | Status::Saving | Status::Uploading | Status::Importing, _) => {}
        }
        if begun.elapsed() > PATIENCE {
            bail!("the import did not end in {} minutes: {}", PATIENCE.as_secs() / 60, last_word(site, id).await);
        }
    }
}

/// What Glance's task says.
async fn last_word(site: &Site, id: &ImageId) -> String {
    match site.glance.tasks(id).await {
        Ok(tasks) => match tasks.iter().rev().find(|task| !task.message.is_empty()) {
            Some(task) => format!("its task says `{}`", task.message),
            None => "its task says nothing".to_owned(),
        },
        Err(error) => format!("its task cannot be read: {error}"),
    }
}
