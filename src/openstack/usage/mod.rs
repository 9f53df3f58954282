//! Who uses an image: each source asked for one image at a time, never by listing every server.
//!
//! A source is one file with one implementation of [`UsageSource`] and its line in [`sources`]; that is all there is
//! to adding one. This room turns services' answers into [`Answer`]s and nothing more: what follows from them says
//! [`Usage::sighting`], and any doubt (a service that is missing, forbidden, failing, or does not filter as asked) is
//! [`Answer::Unknown`], which keeps the image.
//!
//! What no source can see is written at the head of its file.

mod canary;
mod members;
mod servers;
mod snapshots;
mod unsettled;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::{StreamExt, future, stream};

use super::error::ApiError;
use super::site::Site;
use crate::model::desired::Audience;
use crate::model::lifecycle::SnapshotUse;
use crate::model::name::{ImageId, ProjectId};
use crate::model::usage::{Answer, Source, Usage, User, UserKind};

/// How many images are asked about at once.
const AT_ONCE: usize = 8;
/// How many things a page has where all are wanted. Services may send fewer.
const PAGE: &str = "1000";
/// How many users of one kind are named for one image, whatever is asked for.
const MOST: usize = 100_000;

/// How many users of an image are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// A few of each kind, in one request. One would do to decide; a few help people.
    Few,
    /// All of them, page by page.
    All,
}

impl Naming {
    const fn limit(self) -> &'static str {
        match self {
            Self::Few => "5",
            Self::All => PAGE,
        }
    }
}

/// What is asked about one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The image.
    pub image: ImageId,
    /// Whose use counts: everybody's, or that of the project we are in.
    pub audience: Audience,
    /// Whether snapshots count.
    pub snapshots: SnapshotUse,
}

/// One kind of use, and the service that knows of it.
#[async_trait]
trait UsageSource: Send + Sync {
    /// Its name in messages.
    fn source(&self) -> Source;

    /// Whether this source has to be asked for an answer to be complete.
    fn applies(&self, question: &Question) -> bool;

    /// Asks. Where no more than a few users are to be named, the answer may leave out the others.
    async fn ask(&self, site: &Site, question: &Question, naming: Naming) -> Answer;
}

/// Every source. New ones for each reading, for a source may remember what it has read.
fn sources() -> Vec<Box<dyn UsageSource>> {
    vec![
        Box::new(servers::Servers),
        Box::<volumes::Volumes>::default(),
        Box::new(members::Members),
        Box::new(snapshots::Snapshots),
    ]
}

/// Reads the usage of images on one site.
#[derive(Clone, Copy)]
pub struct UsageReader<'a> {
    site: &'a Site,
    naming: Naming,
}

impl<'a> UsageReader<'a> {
    /// The reader of that site, which names a few users of each kind.
    pub const fn new(site: &'a Site) -> Self {
        Self { site, naming: Naming::Few }
    }

    /// The same, naming so many.
    #[must_use]
    pub const fn naming(self, naming: Naming) -> Self {
        Self { naming, ..self }
    }

    /// Who uses one image, asked afresh.
    pub async fn usage(&self, question: &Question) -> Usage {
        self.usages(std::slice::from_ref(question)).await.remove(&question.image).unwrap_or_default()
    }

    /// Who uses one image that nobody can begin to use any more: asked once everything begun before has become visible.
    pub async fn settled_usage(&self, question: &Question) -> Usage {
        match unsettled::wait(self.site, question.audience).await {
            Ok(()) => self.usage(question).await,
            Err(reason) => Usage::new([(volumes::SOURCE, Answer::Unknown(reason))]),
        }
    }

    /// Who uses each of these images. The canary is asked once before and once after all of them.
    pub async fn usages(&self, questions: &[Question]) -> BTreeMap<ImageId, Usage> {
        if questions.is_empty() {
            return BTreeMap::new();
        }
        let before = canary::ask(self.site).await;
        let sources = sources();
        let mut answers: BTreeMap<ImageId, Vec<(Source, Answer)>> = stream::iter(questions.to_vec())
            .map(|question| {
                let sources = &sources;
                async move { self.ask_all(sources, &question).await }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let after = match before {
            Ok(()) => canary::ask(self.site).await,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = after {
            for (source, answer) in answers.values_mut().flatten() {
                if *source == servers::SOURCE && *answer == Answer::Nobody {
                    *answer = Answer::Unknown(reason.clone());
                }
            }
        }
        answers.into_iter().map(|(image, answers)| (image, Usage::new(answers))).collect()
    }

    async fn ask_all(&self, sources: &[Box<dyn UsageSource>], question: &Question) -> (ImageId, Vec<(Source, Answer)>) {
        let asked = sources
            .iter()
            .filter(|source| source.applies(question))
            .map(|source| async move { (source.source(), source.ask(self.site, question, self.naming).await) });
        (question.image.clone(), future::join_all(asked).await)
    }
}

/// Every page of a listing, or the first alone where a few are enough. `read` gets the marker and yields what the page
/// has, each with the id that would be the next marker, and whether the service has more.
///
/// # Errors
/// A page cannot be read, or there is no end to them: a half-read listing is no listing.
async fn pages<T, F>(naming: Naming, mut read: impl FnMut(Option<String>) -> F) -> Result<Vec<T>, String>
where
    F: Future<Output = Result<Page<T>, ApiError>>,
{
    let mut all = Vec::new();
    let mut marker = None;
    let mut markers = BTreeSet::new();
    loop {
        let page = read(marker).await.map_err(|error| error.to_string())?;
        all.extend(page.items);
        match (page.next, naming) {
            (None, _) | (_, Naming::Few) => return Ok(all),
            (Some(next), Naming::All) if all.len() < MOST && markers.insert(next.clone()) => marker = Some(next),
            (Some(_), Naming::All) => return Err("the listing has no end".to_owned()),
        }
    }
}

/// One page of a listing.
struct Page<T> {
    items: Vec<T>,
    /// The marker of the next page, where the service says that there is one.
    next: Option<String>,
}

/// The answer that these users make.
fn answer(users: impl IntoIterator<Item = User>) -> Answer {
    let mut users = users.into_iter();
    match users.next() {
        Some(first) => Answer::Users(first, users.collect()),
        None => Answer::Nobody,
    }
}

fn user(kind: UserKind, id: String, project: Option<String>) -> User {
    User { kind, id, project: project.and_then(|project| ProjectId::parse(project).ok()) }
}

/// The answer of a source that filters for us: what it gave, each with the image that it says it was made from. One
/// record of another image proves that the filter was not understood, and then an empty list would prove nothing.
fn filtered(image: &ImageId, found: Vec<(User, Option<String>)>) -> Answer {
    if let Some((user, other)) = found.iter().find(|(_, made_from)| made_from.as_deref() != Some(image.as_str())) {
        let other = other.as_deref().unwrap_or("none");
        return Answer::Unknown(format!(
            "the service does not filter by image: asked for `{image}` it named {} `{}` of image `{}`",
            user.kind.name(),
            user.id.escape_debug(),
            other.escape_debug()
        ));
    }
    answer(found.into_iter().map(|(user, _)| user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_filter_is_not_an_answer() {
        let image = ImageId::parse("i1").unwrap();
        let one = |id: &str, of: Option<&str>| (user(UserKind::Server, id.to_owned(), None), of.map(str::to_owned));
        assert_eq!(filtered(&image, vec![]), Answer::Nobody);
        assert!(matches!(filtered(&image, vec![one("s1", Some("i1"))]), Answer::Users(..)));
        for other in [Some("i2"), None] {
            let found = vec![one("s1", Some("i1")), one("s2", other)];
            assert!(matches!(filtered(&image, found), Answer::Unknown(_)), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_listing_is_read_to_its_end_or_not_at_all() {
        let page = |marker: Option<String>, last: u32, stuck: bool| {
            let number: u32 = marker.map_or(0, |marker| marker.parse().unwrap());
            let next = if stuck { Some("0".to_owned()) } else { (number < last).then(|| (number + 1).to_string()) };
            std::future::ready(Ok(Page { items: vec![number], next }))
        };
        assert_eq!(pages(Naming::All, |marker| page(marker, 2, false)).await, Ok(vec![0, 1, 2]));
        assert_eq!(pages(Naming::Few, |marker| page(marker, 2, false)).await, Ok(vec![0]));
        assert_eq!(pages(Naming::All, |marker| page(marker, 2, true)).await, Err("the listing has no end".to_owned()));
    }

    #[test]
    fn each_source_is_asked_for_whom_it_concerns() {
        let asked = |audience, snapshots| {
            let question = Question { image: ImageId::parse("i1").unwrap(), audience, snapshots };
            let sources = sources();
            sources
                .iter()
                .filter(|source| source.applies(&question))
                .map(|source| source.source().0)
                .collect::<Vec<_>>()
        };
        assert_eq!(asked(Audience::Everybody, SnapshotUse::Ignored), ["servers", "volumes"]);
        assert_eq!(asked(Audience::Everybody, SnapshotUse::Counted), ["servers", "volumes", "snapshots"]);
        assert_eq!(asked(Audience::Project, SnapshotUse::Ignored), ["servers", "volumes", "members"]);
    }
}
