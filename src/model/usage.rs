//! Who uses an image, and what may be concluded from the answers.
//!
//! The problem: a deletion must rest on "nobody uses it", and every way of asking can fail silently. The idea: an
//! answer is one of *nobody*, *these users*, *unknown, because*; a [`Sighting`] combines the answers of all sources
//! that had to be asked, and only if every one of them said *nobody* does it yield [`Unused`], the evidence without
//! which no deletion can be built. What this does not solve: the moment between the answer and the deletion. The
//! deletion protocol does, by deactivating first and asking again.

use std::collections::BTreeMap;

use super::name::{ImageId, ProjectId};

/// What kind of thing uses an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserKind {
    /// A server.
    Server,
    /// A volume.
    Volume,
    /// A snapshot image of a server.
    Snapshot,
    /// A project the image is shared with.
    Member,
}

impl UserKind {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Volume => "volume",
            Self::Snapshot => "snapshot",
            Self::Member => "member",
        }
    }
}

/// One thing that uses an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// What it is.
    pub kind: UserKind,
    /// Its id in its own service.
    pub id: String,
    /// The project it belongs to, where the service says.
    pub project: Option<ProjectId>,
}

/// What one source says of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The source was read completely and knows nobody.
    Nobody,
    /// At least these.
    Users(User, Vec<User>),
    /// The source is missing, forbidden, failing, or cannot be trusted today; the text says which.
    Unknown(String),
}

/// A usage source, by the name it has in messages: `servers`, `volumes`, `snapshots`, `members`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(pub &'static str);

/// What all sources say of one image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    answers: BTreeMap<Source, Answer>,
}

/// The conclusion from all answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sighting {
    /// Somebody uses it.
    InUse(Vec<User>),
    /// Every source was read completely, and nobody uses it.
    Unused(Unused),
    /// Nobody was seen, but not every source could be read: source and reason.
    Unknown(Vec<(Source, String)>),
}

/// Evidence that nothing uses an image. Only [`Usage::sighting`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    image: ImageId,
    sources: Vec<Source>,
}

impl Unused {
    /// The image the evidence is about.
    pub const fn image(&self) -> &ImageId {
        &self.image
    }

    /// The sources that were read.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}

impl Usage {
    /// The answers of the sources.
    pub fn new(answers: impl IntoIterator<Item = (Source, Answer)>) -> Self {
        Self { answers: answers.into_iter().collect() }
    }

    /// Each source's answer.
    pub fn answers(&self) -> impl Iterator<Item = (Source, &Answer)> {
        self.answers.iter().map(|(source, answer)| (*source, answer))
    }

    /// Everybody any source has seen.
    pub fn users(&self) -> Vec<User> {
        let mut users: Vec<User> = self
            .answers
            .values()
            .flat_map(|answer| match answer {
                Answer::Users(first, more) => std::iter::once(first).chain(more).cloned().collect(),
                Answer::Nobody | Answer::Unknown(_) => Vec::new(),
            })
            .collect();
        users.sort();
        users.dedup();
        users
    }

    /// The sources that gave no answer, with the reason.
    pub fn unknown(&self) -> Vec<(Source, String)> {
        self.answers()
            .filter_map(|(source, answer)| match answer {
                Answer::Unknown(reason) => Some((source, reason.clone())),
                Answer::Nobody | Answer::Users(..) => None,
            })
            .collect()
    }

    /// What may be concluded about this image. No source asked is no knowledge either.
    pub fn sighting(&self, image: &ImageId) -> Sighting {
        let users = self.users();
        let unknown = self.unknown();
        if !users.is_empty() {
            Sighting::InUse(users)
        } else if !unknown.is_empty() {
            Sighting::Unknown(unknown)
        } else if self.answers.is_empty() {
            Sighting::Unknown(vec![(Source("usage"), "no source was asked".to_owned())])
        } else {
            Sighting::Unused(Unused { image: image.clone(), sources: self.answers.keys().copied().collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_silence_is_evidence() {
        let image = ImageId::parse("i1").unwrap();
        let (servers, volumes) = (Source("servers"), Source("volumes"));
        let user = User { kind: UserKind::Volume, id: "v".to_owned(), project: None };
        let unknown = Answer::Unknown("403".to_owned());
        let conclude = |answers: Vec<(Source, Answer)>| Usage::new(answers).sighting(&image);
        assert!(matches!(conclude(vec![(servers, Answer::Nobody), (volumes, Answer::Nobody)]), Sighting::Unused(_)));
        assert!(matches!(conclude(vec![(servers, Answer::Nobody), (volumes, unknown.clone())]), Sighting::Unknown(_)));
        assert!(matches!(
            conclude(vec![(servers, unknown), (volumes, Answer::Users(user, vec![]))]),
            Sighting::InUse(_)
        ));
        assert!(matches!(conclude(vec![]), Sighting::Unknown(_)));
    }
}
