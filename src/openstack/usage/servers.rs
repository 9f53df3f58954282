//! Nova's servers.
//!
//! `image=UUID` finds running, failed, shelved and rebuilt servers. Soft-deleted ones, which can be restored, are in
//! neither the default list nor under `status=SOFT_DELETED` alone: they need `deleted=true` beside it, which only
//! operators may say. What this does not see: servers booted from a volume (their `image` is `""`; the volumes source
//! finds those), a server in rescue from the image, and, for an ordinary member, its own soft-deleted servers.

use async_trait::async_trait;

use super::{Naming, Page, Question, UsageSource, answer, filtered, pages, user};
use crate::model::desired::Audience;
use crate::model::name::ImageId;
use crate::model::usage::{Answer, Source, User, UserKind};
use crate::openstack::error::ApiError;
use crate::openstack::http::Request;
use crate::openstack::nova::Nova;
use crate::openstack::site::{Rights, Site};
use crate::openstack::wire::ServerPage;

pub(super) const SOURCE: Source = Source("servers");

pub(super) struct Servers;

#[async_trait]
impl UsageSource for Servers {
    fn source(&self) -> Source {
        SOURCE
    }

    fn applies(&self, _: &Question) -> bool {
        true
    }

    async fn ask(&self, site: &Site, question: &Question, naming: Naming) -> Answer {
        let Some(nova) = &site.nova else {
            return Answer::Unknown("the region has no Nova".to_owned());
        };
        let request = || {
            let request = Request::get("servers/detail").query("image", question.image.as_str());
            let request = request.query("limit", naming.limit());
            match question.audience {
                Audience::Everybody => request.query("all_tenants", "1"),
                Audience::Project => request,
            }
        };
        let live = read(nova, request(), naming);
        let restorable = async {
            match site.rights {
                Rights::Operator => {
                    read(nova, request().query("deleted", "true").query("status", "SOFT_DELETED"), naming).await
                }
                Rights::Member => Ok(Vec::new()),
            }
        };
        match futures_util::try_join!(live, restorable) {
            Ok((live, restorable)) => conclude(&question.image, live, restorable),
            Err(reason) => Answer::Unknown(reason),
        }
    }
}

/// The answer to both lists. Either of them may show that the filter was ignored.
fn conclude(image: &ImageId, live: Vec<Found>, restorable: Vec<Found>) -> Answer {
    match (filtered(image, live), filtered(image, restorable)) {
        (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => Answer::Unknown(reason),
        (Answer::Nobody, other) | (other, Answer::Nobody) => other,
        (Answer::Users(first, more), Answer::Users(second, further)) => {
            answer(std::iter::once(first).chain(more).chain([second]).chain(further))
        }
    }
}

type Found = (User, Option<String>);

async fn read(nova: &Nova, request: Request, naming: Naming) -> Result<Vec<Found>, String> {
    pages(naming, |marker| page(nova, request.clone(), marker)).await
}

async fn page(nova: &Nova, request: Request, marker: Option<String>) -> Result<Page<Found>, ApiError> {
    let request = match marker {
        Some(marker) => request.query("marker", marker),
        None => request,
    };
    let page: ServerPage = nova.endpoint().send(request).await?.json()?;
    let more = page.servers_links.iter().any(|link| link.rel == "next");
    let next = page.servers.last().filter(|_| more).map(|server| server.id.clone());
    let found = page.servers.into_iter().map(|server| {
        let made_from = server.image.get("id").and_then(|id| id.as_str()).map(str::to_owned);
        (user(UserKind::Server, server.id, server.tenant_id), made_from)
    });
    Ok(Page { items: found.collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restorable_servers_count_as_much_as_live_ones() {
        let image = ImageId::parse("i1").unwrap();
        let one =
            |id: &str, of: &str| (user(UserKind::Server, id.to_owned(), Some("p".to_owned())), Some(of.to_owned()));
        assert_eq!(conclude(&image, vec![], vec![]), Answer::Nobody);
        assert!(matches!(conclude(&image, vec![], vec![one("s", "i1")]), Answer::Users(..)));
        assert!(matches!(conclude(&image, vec![one("s", "i1")], vec![one("t", "i2")]), Answer::Unknown(_)));
        let Answer::Users(first, more) = conclude(&image, vec![one("s", "i1")], vec![one("t", "i1")]) else {
            panic!("two users")
        };
        assert_eq!((first.id.as_str(), more.len()), ("s", 1));
    }
}
