//! Volumes that are still being made.
//!
//! The problem: Cinder writes down which image a volume was made from when the volume is finished; while it is
//! `creating` or `downloading` no filter finds it (seen on Cinder 29). The idea: once an image is deactivated no new
//! volume can be begun from it, so those that are in the making at that moment are waited for, and only then asked
//! about. What this does not solve: a volume that stays in the making for ever; the image is then kept, and the reason
//! names the volume.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::volumes;
use crate::model::desired::Audience;
use crate::openstack::error::ApiError;
use crate::openstack::site::{Rights, Site};

const IN_THE_MAKING: [&str; 2] = ["creating", "downloading"];
const PAUSE: Duration = Duration::from_secs(1);
/// A volume of a few GiB is made in less.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until every volume that is in the making now has been made.
///
/// # Errors
/// Cinder could not be asked, or one is not finished in time; the text says which.
pub(super) async fn wait(site: &Site, audience: Audience) -> Result<(), String> {
    let unread = |error: ApiError| format!("volumes that are still being made could not be asked for: {error}");
    let begun = Instant::now();
    let mut waited_for = in_the_making(site, audience).await.map_err(unread)?;
    while !waited_for.is_empty() {
        if begun.elapsed() > PATIENCE {
            let list: Vec<_> = waited_for.into_iter().take(5).collect();
            return Err(format!("volumes are being made that may be made from it: {}", list.join(", ")));
        }
        tokio::time::sleep(PAUSE).await;
        let still = in_the_making(site, audience).await.map_err(unread)?;
        waited_for.retain(|volume| still.contains(volume));
    }
    Ok(())
}

async fn in_the_making(site: &Site, audience: Audience) -> Result<BTreeSet<String>, ApiError> {
    // Without Cinder the source itself says so; what an ordinary member may not ask, it says as well.
    let (Some(cinder), false) = (&site.cinder, site.rights == Rights::Member && audience == Audience::Everybody) else {
        return Ok(BTreeSet::new());
    };
    let mut found = BTreeSet::new();
    for status in IN_THE_MAKING {
        let request = volumes::request().query("status", status).query("limit", "1000");
        let request = match audience {
            Audience::Everybody => request.query("all_tenants", "1"),
            Audience::Project => request,
        };
        let page = volumes::page(cinder, request, None).await?;
        found.extend(page.items.into_iter().map(|(volume, _)| volume.id));
    }
    Ok(found)
}
