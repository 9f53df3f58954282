//! What `adopt` proposes: for people, and as JSON.

use serde::Serialize;

use super::document::Action;
use super::escape::{quoted, terminal};
use super::style::{Styles, paint};
use super::words::count;
use crate::model::adoption::{Objection, Proposal, Telling, Unfit};
use crate::model::name::Address;
use crate::model::ours::Role;

/// Every image that may be meant.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptionReport {
    /// Those to be adopted first.
    images: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize)]
struct Entry {
    site: String,
    id: String,
    name: String,
    /// The version; the family alone, where that is all that fits.
    address: Option<String>,
    /// Whether the address names a version.
    #[serde(skip)]
    exact: bool,
    sureness: &'static str,
    told: Vec<Word>,
    /// `latest` or `superseded`, if it is to be adopted.
    part: Option<&'static str>,
    /// Why it is not.
    because: Option<Word>,
}

/// A word for programs and a sentence for people.
#[derive(Debug, Clone, Serialize)]
struct Word {
    code: &'static str,
    detail: String,
}

impl AdoptionReport {
    /// The proposals, each with the site where there are several.
    pub fn new(proposals: &[Proposal], several_sites: bool) -> Self {
        Self { images: proposals.iter().map(|proposal| entry(proposal, several_sites)).collect() }
    }
}

fn entry(proposal: &Proposal, several_sites: bool) -> Entry {
    let Proposal { site, image, name, family, version, sureness, told, verdict } = proposal;
    let address = family.clone().map(|family| Address {
        family,
        version: version.clone(),
        site: several_sites.then(|| site.clone()),
    });
    let (part, because) = match verdict {
        Ok(Role::Shown) => (Some("latest"), None),
        Ok(Role::Superseded | Role::Staged) => (Some("superseded"), None),
        Err(objection) => (None, Some(objected(objection))),
    };
    Entry {
        site: site.to_string(),
        id: image.to_string(),
        name: name.clone(),
        address: address.map(|address| address.to_string()),
        exact: version.is_some(),
        sureness: sureness.name(),
        told: told.iter().map(telling).collect(),
        part,
        because,
    }
}

fn telling(telling: &Telling) -> Word {
    let (code, detail) = match telling {
        Telling::Claim => ("claim", "you say so".to_owned()),
        Telling::Bytes(digest) => ("bytes", format!("its bytes are the publisher's: {digest}")),
        Telling::Source => ("source", "its `image_source` is where the publisher has that version".to_owned()),
        Telling::Name => ("name", "its name is one of the family's".to_owned()),
        Telling::Version => ("version", "its name or its `internal_version` names the version".to_owned()),
        Telling::Built(day) => ("built", format!("its `image_build_date` is {day}, the day of that version alone")),
        Telling::Distribution => {
            ("distribution", "its `os_distro` and `os_version` are this family's alone".to_owned())
        }
    };
    Word { code, detail }
}

fn objected(objection: &Objection) -> Word {
    fn listed(items: &[impl ToString]) -> String {
        items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
    let (code, detail) = match objection {
        Objection::Unfit(Unfit::Foreign) => ("foreign", "another project owns it".to_owned()),
        Objection::Unfit(Unfit::Derived) => ("derived", "it is a snapshot of a server or volume".to_owned()),
        Objection::Unfit(Unfit::Marked) => ("marked", "it carries the mark of a catalogue already".to_owned()),
        Objection::Unfit(Unfit::Unusable(status)) => ("unusable", format!("its status is {status}")),
        Objection::Unfit(Unfit::Seen(visibility)) => {
            ("visibility", format!("it is {visibility}, and the family is for others"))
        }
        Objection::NoFamily => ("no_family", "no family of images.toml fits".to_owned()),
        Objection::SeveralFamilies(families) => {
            ("several_families", format!("several families fit: {}", listed(families)))
        }
        Objection::NoVersion(None) => ("no_version", "nothing says which version it is".to_owned()),
        Objection::NoVersion(Some(version)) => (
            "no_version",
            format!(
                "nothing says which version it is; {version} was the newest when it was uploaded, which proves nothing"
            ),
        ),
        Objection::SeveralVersions(versions) => {
            ("several_versions", format!("it says of itself to be several versions: {}", listed(versions)))
        }
        Objection::OtherBytes(digest) => ("other_bytes", format!("the publisher states other bytes for it: {digest}")),
        Objection::OnlyStated => {
            ("only_stated", "only its own name and properties say so; its bytes prove nothing".to_owned())
        }
        Objection::Rivals(ids) => ("rivals", format!("another image would be the same version: {}", listed(ids))),
        Objection::AlreadyThere(id) => ("already_there", format!("the catalogue has that version already: {id}")),
        Objection::UnknownFamily(family) => ("unknown_family", format!("images.toml has no family {family}")),
    };
    Word { code, detail }
}

/// One JSON document.
pub fn json(report: &AdoptionReport) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is made of texts");
    format!("{text}\n")
}

/// For people.
pub fn human(report: &AdoptionReport, styles: Styles) -> String {
    let (adopted, others): (Vec<_>, Vec<_>) = report.images.iter().partition(|entry| entry.part.is_some());
    let mut lines = Vec::new();
    for entry in &adopted {
        let address = entry.address.as_deref().unwrap_or_default();
        let part = entry.part.unwrap_or_default();
        lines
            .push(paint(format!("~ {}  {part}, {}", terminal(address), entry.sureness), styles.action(Action::Update)));
        lines.push(format!("    {}  {}", entry.id, quoted(&entry.name)));
        lines.extend(entry.told.iter().map(|word| format!("    {}", terminal(&word.detail))));
        lines.push(String::new());
    }
    if !others.is_empty() {
        lines.push(paint("Not adopted:", styles.refused));
    }
    for entry in &others {
        let because = entry.because.as_ref().map(|word| terminal(&word.detail)).unwrap_or_default();
        let about = entry.address.as_deref().map(|address| format!("{}: ", terminal(address))).unwrap_or_default();
        lines.push(format!("  {}  {}", entry.id, quoted(&entry.name)));
        lines.push(format!("    {about}{because}"));
        lines.extend(entry.told.iter().map(|word| format!("    {}", terminal(&word.detail))));
        if entry.exact && entry.because.as_ref().is_some_and(|word| ["only_stated", "rivals"].contains(&word.code)) {
            lines.push(format!(
                "    to adopt it nevertheless: --as {}={}",
                terminal(entry.address.as_deref().unwrap_or_default()),
                entry.id
            ));
        }
    }
    if !others.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("Adopt: {} of {}.", adopted.len(), count(report.images.len(), "image")));
    format!("{}\n", lines.join("\n"))
}
