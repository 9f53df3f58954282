//! The snapshot as it is written, and back into the model's nouns, each by its own parser.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Place, Recorded, SCHEMA, Snapshot};
use crate::model::image::{Attributes, Image, Listing, Protection, Status, Visibility};
use crate::model::name::{CatalogueName, ImageId, ProjectId, SiteName};
use crate::model::observed::SiteView;
use crate::model::passage::{Method, Offers};
use crate::model::usage::{Answer, Source, Usage, User, UserKind};

/// The sources there are; the model knows them by these very texts.
const SOURCES: [&str; 4] = ["servers", "volumes", "snapshots", "members"];
const KINDS: [UserKind; 4] = [UserKind::Server, UserKind::Volume, UserKind::Snapshot, UserKind::Member];

#[derive(Serialize, Deserialize)]
pub(super) struct File {
    schema: String,
    catalogue: String,
    read_at: Timestamp,
    names: BTreeSet<String>,
    sites: BTreeMap<String, SiteRecord>,
}

#[derive(Serialize, Deserialize)]
struct SiteRecord {
    #[serde(flatten)]
    place: Place,
    project_id: String,
    images: Vec<ImageRecord>,
    namesakes: Vec<ImageRecord>,
    usage: BTreeMap<String, BTreeMap<String, AnswerRecord>>,
    #[serde(default)]
    offers: Option<OffersRecord>,
}

#[derive(Serialize, Deserialize)]
struct OffersRecord {
    methods: Vec<String>,
    stores: Vec<String>,
    region: Option<String>,
    cloud: String,
}

#[derive(Serialize, Deserialize)]
struct ImageRecord {
    id: String,
    owner: Option<String>,
    status: String,
    name: String,
    visibility: String,
    protected: bool,
    hidden: bool,
    min_disk: u64,
    min_ram: u64,
    properties: BTreeMap<String, String>,
    tags: BTreeSet<String>,
    created_at: Option<Timestamp>,
    size: Option<u64>,
    virtual_size: Option<u64>,
    hash: Option<(String, String)>,
    disk_format: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AnswerRecord {
    Nobody,
    Users(Vec<UserRecord>),
    Unknown(String),
}

#[derive(Serialize, Deserialize)]
struct UserRecord {
    kind: String,
    id: String,
    project: Option<String>,
}

impl From<&Snapshot> for File {
    fn from(snapshot: &Snapshot) -> Self {
        let Snapshot { catalogue, read_at, names, sites } = snapshot;
        Self {
            schema: SCHEMA.to_owned(),
            catalogue: catalogue.to_string(),
            read_at: *read_at,
            names: names.clone(),
            sites: sites.iter().map(|(name, site)| (name.to_string(), SiteRecord::from(site))).collect(),
        }
    }
}

impl From<&Recorded> for SiteRecord {
    fn from(site: &Recorded) -> Self {
        let SiteView { project, images, namesakes, usage, offers } = &site.view;
        let answers = |usage: &Usage| {
            usage.answers().map(|(source, answer)| (source.0.to_owned(), AnswerRecord::from(answer))).collect()
        };
        Self {
            place: site.place.clone(),
            project_id: project.to_string(),
            images: images.values().map(ImageRecord::from).collect(),
            namesakes: namesakes.values().map(ImageRecord::from).collect(),
            usage: usage.iter().map(|(image, usage)| (image.to_string(), answers(usage))).collect(),
            offers: offers.as_ref().map(OffersRecord::from),
        }
    }
}

impl From<&Offers> for OffersRecord {
    fn from(offers: &Offers) -> Self {
        let Offers { methods, stores, region, cloud } = offers.clone();
        Self { methods: methods.iter().map(ToString::to_string).collect(), stores, region, cloud }
    }
}

impl From<&Image> for ImageRecord {
    fn from(image: &Image) -> Self {
        let Image { id, owner, status, attributes, created_at, size, virtual_size, hash, disk_format } = image.clone();
        let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = attributes;
        Self {
            id: id.to_string(),
            owner: owner.map(|owner| owner.to_string()),
            status: status.name().to_owned(),
            name,
            visibility: visibility.name().to_owned(),
            protected: protection == Protection::Protected,
            hidden: listing == Listing::Hidden,
            min_disk,
            min_ram,
            properties,
            tags,
            created_at,
            size,
            virtual_size,
            hash,
            disk_format,
        }
    }
}

impl From<&Answer> for AnswerRecord {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Nobody => Self::Nobody,
            Answer::Users(first, more) => {
                Self::Users(std::iter::once(first).chain(more).map(UserRecord::from).collect())
            }
            Answer::Unknown(reason) => Self::Unknown(reason.clone()),
        }
    }
}

impl From<&User> for UserRecord {
    fn from(user: &User) -> Self {
        let project = user.project.as_ref().map(ToString::to_string);
        Self { kind: user.kind.name().to_owned(), id: user.id.clone(), project }
    }
}

impl File {
    /// The snapshot, or what is wrong with it.
    pub(super) fn lower(self) -> Result<Snapshot, String> {
        if self.schema != SCHEMA {
            let found = self.schema.escape_debug();
            return Err(format!("its schema is `{found}`, this gallerist reads `{SCHEMA}`"));
        }
        let sites = self.sites.into_iter().map(|(name, site)| Ok((parsed(SiteName::parse(name))?, site.lower()?)));
        Ok(Snapshot {
            catalogue: parsed(CatalogueName::parse(self.catalogue))?,
            read_at: self.read_at,
            names: self.names,
            sites: sites.collect::<Result<_, String>>()?,
        })
    }
}

impl SiteRecord {
    fn lower(self) -> Result<Recorded, String> {
        let usage = self.usage.into_iter().map(|(image, answers)| {
            let answers = answers.into_iter().map(|(name, answer)| Ok((source(&name)?, answer.lower()?)));
            Ok((parsed(ImageId::parse(image))?, Usage::new(answers.collect::<Result<Vec<_>, String>>()?)))
        });
        let view = SiteView {
            project: parsed(ProjectId::parse(self.project_id))?,
            images: by_id(self.images)?,
            namesakes: by_id(self.namesakes)?,
            usage: usage.collect::<Result<_, String>>()?,
            offers: self.offers.map(OffersRecord::lower).transpose()?,
        };
        Ok(Recorded { place: self.place, view })
    }
}

impl OffersRecord {
    fn lower(self) -> Result<Offers, String> {
        let methods = self.methods.iter().map(|name| Method::from_name(name).ok_or_else(|| no(name, "import method")));
        let methods = methods.collect::<Result<_, String>>()?;
        Ok(Offers { methods, stores: self.stores, region: self.region, cloud: self.cloud })
    }
}

fn by_id(records: Vec<ImageRecord>) -> Result<BTreeMap<ImageId, Image>, String> {
    let mut images = BTreeMap::new();
    for record in records {
        let image = record.lower()?;
        if let Some(twice) = images.insert(image.id.clone(), image) {
            return Err(format!("the image `{}` is there twice", twice.id));
        }
    }
    Ok(images)
}

impl ImageRecord {
    fn lower(self) -> Result<Image, String> {
        Ok(Image {
            id: parsed(ImageId::parse(self.id))?,
            owner: self.owner.map(|owner| parsed(ProjectId::parse(owner))).transpose()?,
            status: Status::from_name(&self.status).ok_or_else(|| no(&self.status, "status"))?,
            attributes: Attributes {
                name: self.name,
                visibility: Visibility::from_name(&self.visibility)
                    .ok_or_else(|| no(&self.visibility, "visibility"))?,
                protection: Protection::from_flag(self.protected),
                listing: Listing::from_flag(self.hidden),
                min_disk: self.min_disk,
                min_ram: self.min_ram,
                properties: self.properties,
                tags: self.tags,
            },
            created_at: self.created_at,
            size: self.size,
            virtual_size: self.virtual_size,
            hash: self.hash,
            disk_format: self.disk_format,
        })
    }
}

impl AnswerRecord {
    fn lower(self) -> Result<Answer, String> {
        match self {
            Self::Nobody => Ok(Answer::Nobody),
            Self::Unknown(reason) => Ok(Answer::Unknown(reason)),
            Self::Users(users) => {
                let mut users = users.into_iter().map(UserRecord::lower);
                let first = users.next().ok_or("an answer that names users names none")??;
                Ok(Answer::Users(first, users.collect::<Result<_, String>>()?))
            }
        }
    }
}

impl UserRecord {
    fn lower(self) -> Result<User, String> {
        let kind = KINDS.into_iter().find(|kind| kind.name() == self.kind);
        Ok(User {
            kind: kind.ok_or_else(|| no(&self.kind, "kind of user"))?,
            id: self.id,
            project: self.project.map(|project| parsed(ProjectId::parse(project))).transpose()?,
        })
    }
}

fn source(name: &str) -> Result<Source, String> {
    SOURCES.into_iter().find(|source| *source == name).map(Source).ok_or_else(|| no(name, "usage source"))
}

fn no(text: &str, kind: &str) -> String {
    format!("`{}` is no {kind}", text.escape_debug())
}

fn parsed<T>(name: Result<T, crate::model::name::InvalidName>) -> Result<T, String> {
    name.map_err(|error| error.to_string())
}
