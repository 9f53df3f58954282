//! Cinder's volumes, and with them the servers booted from a volume.
//!
//! An operator asks for `glance_metadata={'image_id':'UUID'}` in all projects. Below microversion 3.4 that filter is
//! ignored, with bad syntax the answer is an empty list, and `all_tenants` of anybody but an operator is silently
//! ignored: hence the fixed microversion, the check of every record, and the question of rights before the other one.
//! An ordinary member may not use the filter (400); the volumes of its project are read once and looked through. What
//! this does not see: a volume whose owner has removed its image metadata.

use std::collections::BTreeSet;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::{NAMED, Question, UsageSource, answer, filtered, user};
use crate::model::desired::Audience;
use crate::model::usage::{Answer, Source, User, UserKind};
use crate::openstack::error::ApiError;
use crate::openstack::http::{Endpoint, Request};
use crate::openstack::site::{Rights, Site};
use crate::openstack::wire::{VolumePage, VolumeRecord};

/// The name of this source.
pub(super) const SOURCE: Source = Source("volumes");

/// The volumes of our own project, once they were read.
#[derive(Default)]
pub(super) struct Volumes {
    own: OnceCell<Result<Vec<Found>, String>>,
}

/// A volume, and the image it says it was made from.
type Found = (User, Option<String>);

#[async_trait]
impl UsageSource for Volumes {
    fn source(&self) -> Source {
        SOURCE
    }

    fn applies(&self, _: &Question) -> bool {
        true
    }

    async fn ask(&self, site: &Site, question: &Question) -> Answer {
        let Some(cinder) = &site.cinder else {
            return Answer::Unknown("the region has no Cinder with the Block Storage API v3".to_owned());
        };
        match (site.rights, question.audience) {
            (Rights::Operator, audience) => {
                let filter = format!("{{'image_id':'{}'}}", question.image);
                let request = request().query("glance_metadata", filter).query("limit", NAMED);
                let request = match audience {
                    Audience::Everybody => request.query("all_tenants", "1"),
                    Audience::Project => request,
                };
                match page(cinder, request).await {
                    Ok(page) => filtered(&question.image, page.volumes.into_iter().map(lower).collect()),
                    Err(error) => Answer::Unknown(error.to_string()),
                }
            }
            (Rights::Member, Audience::Everybody) => Answer::Unknown(
                "only the `admin` role may ask Cinder about volumes of other projects; without it the answer would \
                 silently be about our own"
                    .to_owned(),
            ),
            (Rights::Member, Audience::Project) => {
                let own =
                    self.own.get_or_init(|| async { own_volumes(cinder).await.map_err(|error| error.to_string()) });
                match own.await {
                    Ok(volumes) => answer(
                        volumes
                            .iter()
                            .filter(|(_, made_from)| made_from.as_deref() == Some(question.image.as_str()))
                            .map(|(user, _)| user.clone()),
                    ),
                    Err(reason) => Answer::Unknown(reason.clone()),
                }
            }
        }
    }
}

pub(super) fn request() -> Request {
    Request::get("volumes/detail").header("openstack-api-version", "volume 3.4")
}

pub(super) async fn page(cinder: &Endpoint, request: Request) -> Result<VolumePage, ApiError> {
    cinder.send(request).await?.json()
}

fn lower(volume: VolumeRecord) -> Found {
    let made_from = volume.volume_image_metadata.get("image_id").and_then(|id| id.as_str()).map(str::to_owned);
    (user(UserKind::Volume, volume.id, volume.tenant_id), made_from)
}

async fn own_volumes(cinder: &Endpoint) -> Result<Vec<Found>, ApiError> {
    let mut volumes = Vec::new();
    let mut markers = BTreeSet::new();
    let mut next = request().query("limit", "1000");
    loop {
        let answer = cinder.send(next).await?;
        let page: VolumePage = answer.json()?;
        let more = page.volumes_links.iter().any(|link| link.rel == "next");
        let last = page.volumes.last().map(|volume| volume.id.clone());
        volumes.extend(page.volumes.into_iter().map(lower));
        match last {
            Some(marker) if more && markers.insert(marker.clone()) => {
                next = request().query("limit", "1000").query("marker", marker);
            }
            Some(_) if more => return Err(answer.malformed("the listing of volumes has no end")),
            Some(_) | None => return Ok(volumes),
        }
    }
}
