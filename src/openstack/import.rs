//! Imports: Glance brings the bytes in itself, in a task of its own.
//!
//! The problem: Glance says yes before the work is done, and a failure shows differently each time (all of it seen on
//! Glance 33): the image is `queued` again or stays `importing`, `os_glance_failed_import` names the stores or is empty,
//! and the mark of a running task may stay for ever. The idea: an import has succeeded when the image is active, and
//! has failed when the image names a store that failed *or* the last of its tasks says so; what the task says is shown
//! together with what the image says. What this does not solve: Glance mostly says "Internal Error", and the reason is
//! in its log alone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use url::Url;

use super::error::{ApiError, ErrorKind};
use super::glance::{Import, ImportTask};
use super::site::Site;
use crate::model::image::Status;
use crate::model::name::ImageId;
use crate::model::passage::Offers;
use crate::model::version::{Origin, Version};

/// How often a task is looked at. An import of a whole image takes seconds at the least.
const PAUSE: Duration = Duration::from_millis(500);
/// How long an import may take before it counts as lost.
const PATIENCE: Duration = Duration::from_mins(30);

/// What the Glance of a site offers. Two requests.
///
/// # Errors
/// It could not be asked.
pub async fn offers(site: &Site) -> Result<Offers, ApiError> {
    let (methods, stores) = tokio::join!(site.glance.import_methods(), site.glance.stores());
    // A Glance without interoperable import does not know the one, a Glance with a single store not the other.
    let methods = unless_unknown(methods)?;
    let stores = unless_unknown(stores)?.into_iter().map(|store| store.id).collect();
    Ok(Offers { methods, stores, region: site.region.clone(), cloud: site.auth_url.clone() })
}

fn unless_unknown<T>(asked: Result<Vec<T>, ApiError>) -> Result<Vec<T>, ApiError> {
    match asked {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        asked => asked,
    }
}

/// Lets Glance fetch a version from its publisher, and waits for the end.
///
/// # Errors
/// Glance refuses, or its task fails.
pub(super) async fn web(site: &Site, id: &ImageId, version: &Version, stores: &[String]) -> anyhow::Result<()> {
    let url = match &version.origin {
        Origin::Url(url) => Url::parse(url).context("the version's URL")?,
        Origin::File(_) => bail!("Glance cannot fetch a file of this machine"),
    };
    import(site, id, &Import::WebDownload(url), stores).await
}

/// Starts an import and waits for its end.
///
/// # Errors
/// Glance refuses, or its task fails.
pub(super) async fn import(site: &Site, id: &ImageId, import: &Import, stores: &[String]) -> anyhow::Result<()> {
    site.glance.import(id, import, stores).await?;
    let begun = Instant::now();
    loop {
        tokio::time::sleep(PAUSE).await;
        let image = site.glance.get(id).await?;
        let failed = image.attributes.properties.get("os_glance_failed_import").filter(|stores| !stores.is_empty());
        if image.status == Status::Active && failed.is_none() {
            return Ok(());
        }
        let method = import.method().name();
        let task = site.glance.tasks(id).await.map(|tasks| tasks.into_iter().next_back());
        let ended = matches!(&task, Ok(Some(task)) if task.status == "failure");
        let said = said(task);
        match (failed, image.status) {
            (Some(stores), _) => bail!("`{method}` into {stores} failed: {said}"),
            (None, Status::Deactivated | Status::Broken) => {
                bail!("the image is {} after `{method}`: {said}", image.status)
            }
            (None, _) if ended => bail!("`{method}` failed: {said}"),
            (None, _) if begun.elapsed() > PATIENCE => {
                bail!("`{method}` did not end in {} minutes: {said}", PATIENCE.as_secs() / 60)
            }
            (None, _) => {}
        }
    }
}

/// What Glance's task says.
fn said(task: Result<Option<ImportTask>, ApiError>) -> String {
    match task {
        Ok(Some(ImportTask { id, message, .. })) if message.is_empty() => format!("Glance's task {id} says nothing"),
        Ok(Some(ImportTask { id, message, .. })) => format!("Glance's task {id} says `{message}`"),
        Ok(None) => "Glance keeps no task of it".to_owned(),
        Err(error) => format!("Glance's task cannot be read: {error}"),
    }
}
