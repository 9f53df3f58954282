//! Cinder's volumes, and with them the servers booted from a volume.
//!
//! An operator asks for `glance_metadata={'image_id':'UUID'}` in all projects. Below microversion 3.4 that filter is
//! ignored, with bad syntax the answer is an empty list, and `all_tenants` of anybody but an operator is silently
//! ignored: hence the fixed microversion, the check of every record, and the question of rights before the other one.
//! An ordinary member may not use the filter (400); the volumes of its project are read once and looked through. What
//! this does not see: a volume whose owner has removed its image metadata.

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::{Naming, PAGE, Page, Question, UsageSource, answer, filtered, pages, user};
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

    async fn ask(&self, site: &Site, question: &Question, naming: Naming) -> Answer {
        let Some(cinder) = &site.cinder else {
            return Answer::Unknown("the region has no Cinder with the Block Storage API v3".to_owned());
        };
        match (site.rights, question.audience) {
            (Rights::Operator, audience) => {
                let filter = format!("{{'image_id':'{}'}}", question.image);
                let request = request().query("glance_metadata", filter).query("limit", naming.limit());
                let request = match audience {
                    Audience::Everybody => request.query("all_tenants", "1"),
                    Audience::Project => request,
                };
                match pages(naming, |marker| page(cinder, request.clone(), marker)).await {
                    Ok(found) => filtered(&question.image, found),
                    Err(reason) => Answer::Unknown(reason),
                }
            }
            (Rights::Member, Audience::Everybody) => Answer::Unknown(
                "only the `admin` role may ask Cinder about volumes of other projects; without it the answer would \
                 silently be about our own"
                    .to_owned(),
            ),
            (Rights::Member, Audience::Project) => {
                // All of them in any case: the filter that would find a few is an operator's.
                let request = request().query("limit", PAGE);
                let own =
                    self.own.get_or_init(|| pages(Naming::All, move |marker| page(cinder, request.clone(), marker)));
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

pub(super) async fn page(cinder: &Endpoint, request: Request, marker: Option<String>) -> Result<Page<Found>, ApiError> {
    let request = match marker {
        Some(marker) => request.query("marker", marker),
        None => request,
    };
    let page: VolumePage = cinder.send(request).await?.json()?;
    let more = page.volumes_links.iter().any(|link| link.rel == "next");
    let next = page.volumes.last().filter(|_| more).map(|volume| volume.id.clone());
    Ok(Page { items: page.volumes.into_iter().map(lower).collect(), next })
}

fn lower(volume: VolumeRecord) -> Found {
    let made_from = volume.volume_image_metadata.get("image_id").and_then(|id| id.as_str()).map(str::to_owned);
    (user(UserKind::Volume, volume.id, volume.tenant_id), made_from)
}
