//! Projects that a private family's image is shared with.
//!
//! Only images of visibility `shared` have members that count. An image that somebody has made wider still can be used
//! by projects that an ordinary member cannot ask about.

use async_trait::async_trait;

use super::{Naming, Question, UsageSource, answer};
use crate::model::desired::Audience;
use crate::model::image::Visibility;
use crate::model::usage::{Answer, Source, User, UserKind};
use crate::openstack::site::Site;

pub(super) struct Members;

#[async_trait]
impl UsageSource for Members {
    fn source(&self) -> Source {
        Source("members")
    }

    fn applies(&self, question: &Question) -> bool {
        question.audience == Audience::Project
    }

    async fn ask(&self, site: &Site, question: &Question, _: Naming) -> Answer {
        let image = match site.glance.get(&question.image).await {
            Ok(image) => image,
            Err(error) => return Answer::Unknown(error.to_string()),
        };
        match image.attributes.visibility {
            Visibility::Private => Answer::Nobody,
            Visibility::Shared => match site.glance.members(&question.image).await {
                Ok(members) => answer(members.into_iter().map(|project| User {
                    kind: UserKind::Member,
                    id: project.to_string(),
                    project: Some(project),
                })),
                Err(error) => Answer::Unknown(error.to_string()),
            },
            wider @ (Visibility::Community | Visibility::Public) => {
                Answer::Unknown(format!("the image is {wider}, and only its own project was asked"))
            }
        }
    }
}
