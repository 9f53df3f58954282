//! A recorded cloud: what a plan would read, in a file.
//!
//! What this room is for: a plan in a pull request wants to know the cloud, and must not have its credentials. Whoever
//! has them records a [`Snapshot`]; whoever has not plans against that. It holds what the planner looks at and nothing
//! else: the images that may be ours, public images of our names, who uses what would be deleted, and where and as whom
//! all this was read. No secrets, nothing of other images; the same cloud gives the same text.
//!
//! What it refuses to know: how a cloud is read, and what follows from it. What is read back is a claim: bounded, made
//! of names that have the form of their kind, and good for showing a plan. `apply` never takes one.
//!
//! To record more: a field here, in [`record`] and in the version of [`SCHEMA`] if old files would mean something else.

mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use crate::model::name::{CatalogueName, SiteName};
use crate::model::observed::{Observed, SiteView};

/// The name and version of the format.
pub const SCHEMA: &str = "urn:gallerist:schema:snapshot:1";
/// The largest file that is read: some twenty thousand images.
const LARGEST: usize = 64 << 20;

/// A recorded cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose images were looked for.
    pub catalogue: CatalogueName,
    /// When.
    pub read_at: Timestamp,
    /// The public names that were looked for. Whether anybody else has an image of another name is not known.
    pub names: BTreeSet<String>,
    /// Site by site.
    pub sites: BTreeMap<SiteName, Recorded>,
}

/// One recorded site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where it is, and as whom it was read.
    pub place: Place,
    /// What was there.
    pub view: SiteView,
}

/// Where a site is, and as whom it was read. For people; nothing is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The entry of clouds.yaml, where there is one.
    pub cloud: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Keystone.
    pub auth_url: Option<String>,
    /// The name of the project that owns the catalogue.
    pub project: Option<String>,
    /// The name of the user.
    pub user: Option<String>,
}

/// A file that is no snapshot, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotASnapshot(String);

impl fmt::Display for NotASnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a snapshot that `gallerist snapshot` wrote: {}", self.0)
    }
}

impl std::error::Error for NotASnapshot {}

impl Snapshot {
    /// What the planner is given.
    pub fn observed(&self) -> Observed {
        Observed { sites: self.sites.iter().map(|(name, site)| (name.clone(), site.view.clone())).collect() }
    }

    /// The snapshot as the text of a file; always the same for the same snapshot.
    pub fn write(&self) -> String {
        let text = serde_json::to_string_pretty(&record::File::from(self));
        format!("{}\n", text.expect("a snapshot is made of texts, numbers and flags"))
    }

    /// The snapshot in the text of a file.
    ///
    /// # Errors
    /// The text is too large, is no snapshot, or holds a name that is none of its kind.
    pub fn read(text: &str) -> Result<Self, NotASnapshot> {
        if text.len() > LARGEST {
            return Err(NotASnapshot(format!("it has more than {} MiB", LARGEST >> 20)));
        }
        let file: record::File = serde_json::from_str(text).map_err(|error| NotASnapshot(error.to_string()))?;
        file.lower().map_err(NotASnapshot)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::image::{Attributes, Image, Listing, Protection, Status, Visibility};
    use crate::model::name::{ImageId, ProjectId};
    use crate::model::testing::{bounded, harm};
    use crate::model::usage::{Answer, Source, Usage, User, UserKind};

    fn image(id: &str) -> Image {
        Image {
            id: ImageId::parse(id).unwrap(),
            owner: ProjectId::parse("p1").ok(),
            status: Status::Active,
            attributes: Attributes {
                name: "Debian 12\u{1b}".to_owned(),
                visibility: Visibility::Community,
                protection: Protection::Protected,
                listing: Listing::Hidden,
                min_disk: 3,
                min_ram: 512,
                properties: BTreeMap::from([("os_distro".to_owned(), "debian".to_owned())]),
                tags: BTreeSet::from(["gallerist".to_owned()]),
            },
            created_at: Some("2026-10-15T06:21:45Z".parse().unwrap()),
            size: Some(7),
            virtual_size: None,
            hash: Some(("sha512".to_owned(), "00".to_owned())),
            disk_format: Some("qcow2".to_owned()),
        }
    }

    fn snapshot() -> Snapshot {
        let mut view = SiteView::empty(ProjectId::parse("p1").unwrap());
        view.images = [image("i1"), image("i2")].map(|image| (image.id.clone(), image)).into();
        view.namesakes = [Image { owner: None, ..image("i3") }].map(|image| (image.id.clone(), image)).into();
        let user = |kind, id: &str| User { kind, id: id.to_owned(), project: ProjectId::parse("p2").ok() };
        let users = Answer::Users(user(UserKind::Server, "s1"), vec![user(UserKind::Volume, "v1")]);
        let answers = [
            (Source("servers"), users),
            (Source("volumes"), Answer::Nobody),
            (Source("members"), Answer::Unknown("403".to_owned())),
        ];
        view.usage.insert(ImageId::parse("i1").unwrap(), Usage::new(answers));
        Snapshot {
            catalogue: CatalogueName::parse("test").unwrap(),
            read_at: "2026-11-23T03:34:07Z".parse().unwrap(),
            names: BTreeSet::from(["Debian 12 - Latest".to_owned()]),
            sites: BTreeMap::from([(
                SiteName::parse("fra1").unwrap(),
                Recorded { place: Place { cloud: Some("prod".to_owned()), ..Place::default() }, view },
            )]),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = snapshot().write();
        assert_eq!(Snapshot::read(&text), Ok(snapshot()));
        assert_eq!(Snapshot::read(&text).unwrap().write(), text);
    }

    #[test]
    fn what_is_read_has_the_form_of_its_kind() {
        let good = snapshot().write();
        for (from, to, words) in [
            (
                "\"schema\": \"urn:gallerist:schema:snapshot:1\"",
                "\"schema\": \"urn:other\"",
                "its schema is `urn:other`",
            ),
            ("\"catalogue\": \"test\"", "\"catalogue\": \"../x\"", "is not a catalogue name"),
            ("\"fra1\": {", "\"fra 1\": {", "is not a site"),
            ("\"id\": \"i2\"", "\"id\": \"../i2\"", "is not a image id"),
            ("\"id\": \"i2\"", "\"id\": \"i1\"", "the image `i1` is there twice"),
            ("\"owner\": \"p1\"", "\"owner\": \"p 1\"", "is not a project id"),
            ("\"visibility\": \"community\"", "\"visibility\": \"open\"", "`open` is no visibility"),
            ("\"kind\": \"server\"", "\"kind\": \"thing\"", "`thing` is no kind of user"),
            ("\"volumes\": \"nobody\"", "\"elsewhere\": \"nobody\"", "`elsewhere` is no usage source"),
            ("\"read_at\": \"2026", "\"read_at\": \"x2026", "read_at"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "{from}");
            let refusal = Snapshot::read(&text).map_err(|error| error.to_string());
            if words == "read_at" {
                assert!(refusal.is_err());
            } else {
                assert!(refusal.as_ref().is_err_and(|refusal| refusal.contains(words)), "{from}: {refusal:?}");
            }
        }
        assert!(Snapshot::read("").is_err());
        assert!(Snapshot::read(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn any_harm_is_read_or_refused() {
        bounded(|| {
            let good = snapshot().write();
            proptest!(|(harm in harm())| {
                if let Ok(read) = Snapshot::read(&harm.done_to_text(&good)) {
                    prop_assert_eq!(Snapshot::read(&read.write()), Ok(read));
                }
            });
        });
    }
}
