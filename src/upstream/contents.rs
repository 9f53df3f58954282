//! What a plan changes of what is inside the images: the packages of each new version against those of the version it
//! takes over from.
//!
//! The problem: a list of packages belongs to a build, and of the build that the cloud has only the name is on record.
//! The idea: every publisher that lists packages puts the list at a path that names the build, and nothing else in that
//! path changes from build to build; so the older list is asked for where its own name stands. What this does not
//! solve: builds that the publisher has removed. All of it is for people alone, so it never holds anything: what cannot
//! be read, or not soon enough, is a note.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use petgraph::graph::NodeIndex;

use super::packages::packages;
use super::resolve::AT_ONCE;
use super::{Fetch, UpstreamError};
use crate::model::name::VersionName;
use crate::model::operation::Operation;
use crate::model::packages::PackageChanges;
use crate::model::plan::{Plan, Step};
use crate::model::reason::{Note, Reason};
use crate::model::version::PackageList;

/// How long somebody who waits for a plan waits for this.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Two lists to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    step: NodeIndex,
    from: VersionName,
    older: PackageList,
    newer: PackageList,
}

/// What there is to compare: new versions that take over from another one, where the publisher lists packages.
pub fn questions(plan: &Plan) -> Vec<Question> {
    plan.steps().filter_map(|(step, at)| question(step, at)).collect()
}

fn question(step: NodeIndex, at: &Step) -> Option<Question> {
    let version = match &at.operation {
        Operation::Create(create) => &create.version,
        Operation::Adopt(_) | Operation::Update(_) | Operation::Delete(_) => return None,
    };
    let from = at.reasons.iter().find_map(|reason| match reason {
        Reason::NewVersion { from } | Reason::BecomesLatest { from } => from.clone(),
        Reason::FinishUpload
        | Reason::Superseded { .. }
        | Reason::Retired
        | Reason::Stage
        | Reason::ChangedOutside(_)
        | Reason::Configuration(_)
        | Reason::Moved { .. }
        | Reason::UndoDeletion
        | Reason::Unused
        | Reason::Abandoned
        | Reason::Adopted(_) => None,
    })?;
    let newer = version.packages.clone()?;
    let url = newer.url.replace(version.name.as_str(), from.as_str());
    let older = PackageList { url, ..newer.clone() };
    (older != newer).then_some(Question { step, from, older, newer })
}

/// Looks into the images of a plan, and writes into it what was found.
pub async fn look_inside(plan: &mut Plan, questions: Vec<Question>, fetch: &Fetch) {
    let answers = stream::iter(questions).map(|question| async move {
        let answer = tokio::time::timeout(LONGEST_WAIT, compare(&question, fetch)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {LONGEST_WAIT:?}")));
        (question.step, answer)
    });
    let answers: BTreeMap<_, _> = answers.buffer_unordered(AT_ONCE).collect().await;
    for (step, answer) in answers {
        match answer {
            Ok(changes) => {
                plan.packages.insert(step, changes);
            }
            Err(why) => {
                let address = plan.step(step).address.clone();
                plan.notes.push(Note::PackagesUnknown { address, why });
            }
        }
    }
}

async fn compare(question: &Question, fetch: &Fetch) -> Result<PackageChanges, String> {
    let lists = futures_util::future::try_join(packages(&question.older, fetch), packages(&question.newer, fetch));
    let (before, after) = lists.await.map_err(|error: UpstreamError| format!("{:#}", anyhow::Error::from(error)))?;
    Ok(PackageChanges::between(question.from.clone(), &before, &after))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::super::testing::{Files, fetch, serve_files};
    use super::*;
    use crate::model::digest::Digest;
    use crate::model::image::{Attributes, Listing, Protection, Visibility};
    use crate::model::name::{Address, CatalogueName, FamilyName, SiteName};
    use crate::model::operation::{Create, MinDisk, Record};
    use crate::model::ours::{BootVerdict, Condemned, Marks};
    use crate::model::passage::Passage;
    use crate::model::version::{Compression, DiskFormat, Origin, PackageDialect, Trust, Version};

    fn creation(from: Option<&str>, packages: Option<PackageList>) -> Plan {
        let name = VersionName::parse("20261118").unwrap();
        let family = FamilyName::parse("ubuntu-24.04").unwrap();
        let digest: Digest = format!("sha256:{}", "9d5ec1a0".repeat(8)).parse().unwrap();
        let attributes = Attributes {
            name: "Ubuntu".to_owned(),
            visibility: Visibility::Public,
            protection: Protection::Protected,
            listing: Listing::Listed,
            min_disk: 0,
            min_ram: 0,
            properties: BTreeMap::new(),
            tags: BTreeSet::new(),
        };
        let version = Version {
            name: name.clone(),
            origin: Origin::Url("https://publisher.example/20261118/x.img".to_owned()),
            published: digest.clone().into(),
            stored: None,
            size: None,
            compression: Compression::None,
            disk_format: DiskFormat::Qcow2,
            built: None,
            trust: Trust::Https,
            signature: None,
            packages,
        };
        let marks = Marks {
            catalogue: CatalogueName::parse("c").unwrap(),
            family: family.clone(),
            version: name.clone(),
            uploaded: Some(date(2026, 11, 23)),
            superseded: None,
            digest: Some(digest),
            source: None,
            applied: None,
            built: None,
            audience: crate::model::desired::Audience::Everybody,
            condemned: Condemned::No,
            boot: BootVerdict::NotFailed,
        };
        let create = Create {
            family: family.clone(),
            version,
            record: Record::New,
            staged: attributes.clone(),
            stable: attributes.clone(),
            shown: attributes,
            marks,
            min_disk: MinDisk::FromImage,
            passage: Passage::plain(DiskFormat::Qcow2),
        };
        let mut plan = Plan::default();
        plan.add(Step {
            address: Address { family, version: Some(name), site: None },
            site: SiteName::parse("fra1").unwrap(),
            operation: Operation::Create(Box::new(create)),
            reasons: vec![Reason::NewVersion { from: from.map(|from| VersionName::parse(from).unwrap()) }],
            usage: None,
        });
        plan
    }

    fn list(url: impl std::fmt::Display) -> PackageList {
        PackageList { url: url.to_string(), dialect: PackageDialect::UbuntuManifest }
    }

    #[test]
    fn nothing_is_asked_where_there_is_nothing_to_compare() {
        let listed = || Some(list("https://publisher.example/20261118/x.manifest"));
        assert_eq!(questions(&Plan::default()), []);
        assert_eq!(questions(&creation(None, listed())), [], "the first version takes over from none");
        assert_eq!(questions(&creation(Some("20261015"), None)), [], "this publisher lists no packages");
        let moving = Some(list("https://publisher.example/current/x.manifest"));
        assert_eq!(questions(&creation(Some("20261015"), moving)), [], "a path that does not name the build");
        assert_eq!(questions(&creation(Some("20261015"), listed())).len(), 1);
    }

    #[tokio::test]
    async fn the_older_list_is_found_where_its_version_stands() {
        let files = Files::new([
            ("/20261015/x-20261015.manifest", b"openssl\t3.0.13\nsame\t1\n".to_vec()),
            ("/20261118/x-20261118.manifest", b"openssl\t3.0.14\nsame\t1\n".to_vec()),
        ]);
        let mirror = serve_files(&files).await;
        let mut plan = creation(Some("20261015"), Some(list(format!("{mirror}20261118/x-20261118.manifest"))));
        let questions = questions(&plan);
        look_inside(&mut plan, questions, &fetch()).await;
        let changes: Vec<_> = plan.packages.values().flat_map(|changes| &changes.changes).collect();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].name, "openssl");
        assert_eq!(plan.notes, []);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_a_note_and_holds_nothing() {
        let mirror = serve_files(&Files::new([("/20261118/x.manifest", b"openssl\t3.0.14\n".to_vec())])).await;
        let mut plan = creation(Some("20261015"), Some(list(format!("{mirror}20261118/x.manifest"))));
        let questions = questions(&plan);
        look_inside(&mut plan, questions, &fetch()).await;
        assert!(plan.packages.is_empty() && plan.holds.is_empty());
        let [Note::PackagesUnknown { why, .. }] = plan.notes.as_slice() else { panic!("{:?}", plan.notes) };
        assert!(why.contains("20261015/x.manifest` does not exist"), "{why}");
    }
}
