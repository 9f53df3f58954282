//! Snapshots of servers that were made from an image, where the file says that they count.
//!
//! A snapshot holds its own bytes; what it keeps of its base image is the name of it, `base_image_ref`. A tenant may
//! change that property, so this is a courtesy and no proof.

use async_trait::async_trait;

use super::{Naming, Question, UsageSource, answer};
use crate::model::desired::Audience;
use crate::model::image::Listing;
use crate::model::lifecycle::SnapshotUse;
use crate::model::usage::{Answer, Source, User, UserKind};
use crate::openstack::glance::{Filter, Seen};
use crate::openstack::site::{Rights, Site};

pub(super) struct Snapshots;

#[async_trait]
impl UsageSource for Snapshots {
    fn source(&self) -> Source {
        Source("snapshots")
    }

    fn applies(&self, question: &Question) -> bool {
        question.snapshots == SnapshotUse::Counted
    }

    async fn ask(&self, site: &Site, question: &Question, _: Naming) -> Answer {
        let owner = match (question.audience, site.rights) {
            (Audience::Everybody, Rights::Operator) => None,
            (Audience::Everybody, Rights::Member) => {
                return Answer::Unknown("only the `admin` role sees the snapshots of other projects".to_owned());
            }
            (Audience::Project, Rights::Operator | Rights::Member) => Some(site.project.clone()),
        };
        let filter = |listing| Filter {
            listing,
            owner: owner.clone(),
            property: Some(("base_image_ref".to_owned(), question.image.to_string())),
            ..Filter::new(Seen::All)
        };
        let (listed, hidden) = (filter(Listing::Listed), filter(Listing::Hidden));
        match futures_util::try_join!(site.glance.list(&listed), site.glance.list(&hidden)) {
            Ok((listed, hidden)) => answer(listed.into_values().chain(hidden.into_values()).map(|image| User {
                kind: UserKind::Snapshot,
                id: image.id.to_string(),
                project: image.owner,
            })),
            Err(error) => Answer::Unknown(error.to_string()),
        }
    }
}
