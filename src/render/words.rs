//! The words for everything a plan can say.
//!
//! The problem: if each format finds its own words, a comment and a terminal tell two stories about one plan. The idea:
//! one phrase for each operation, reason, hold, note and guard, here and nowhere else; they enter the document, and the
//! formats print them. Every match names every variant, so a new reason does not compile until it has its words.
//! Foreign names inside a sentence stand in quotation marks and are escaped as for a terminal; each format still
//! escapes the whole sentence for its own sink.

use crate::model::adoption::Sureness;
use crate::model::name::ImageId;
use crate::model::operation::Verb;
use crate::model::reason::{Because, Note, Reason};
use crate::model::usage::{Source, User, UserKind};

use super::document::{Action, GuardStatus, Level, Package, Packages};
use super::escape::{quoted, terminal};

/// `1 image`, `2 images`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Bytes as people say them: whole MiB below one GiB, tenths of a GiB above.
pub fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..MIB => format!("{} KiB", bytes / KIB),
        MIB..GIB => format!("{} MiB", bytes / MIB),
        GIB.. => {
            let tenths = u128::from(bytes) * 10 / u128::from(GIB);
            format!("{}.{} GiB", tenths / 10, tenths % 10)
        }
    }
}

/// What becomes of an image.
pub const fn future(action: Action) -> &'static str {
    match action {
        Action::Create => "will be created",
        Action::Update => "will be updated in place",
        Action::Delete => "will be DELETED",
    }
}

/// The action in the legend.
pub const fn legend(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update in place",
        Action::Delete => "delete",
    }
}

/// What a guard says, as a word.
pub const fn verdict(status: GuardStatus) -> &'static str {
    match status {
        GuardStatus::Pass => "ok",
        GuardStatus::Lifted => "LIFTED",
        GuardStatus::Block => "REFUSED",
    }
}

/// What has become of the packages inside: `62 changed, 4 added, 4 removed`.
pub fn packages(packages: &Packages) -> String {
    let counts = [(packages.changed, "changed"), (packages.added, "added"), (packages.removed, "removed")];
    let told: Vec<_> =
        counts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
    if told.is_empty() { "none changed".to_owned() } else { told.join(", ") }
}

/// One package: `openssl 3.0.13 -> 3.0.14`.
pub fn package(package: &Package) -> String {
    let name = terminal(&package.name);
    match (package.before.as_deref().map(terminal), package.after.as_deref().map(terminal)) {
        (Some(before), Some(after)) => format!("{name} {before} -> {after}"),
        (None, Some(after)) => format!("{name} {after} added"),
        (Some(before), None) => format!("{name} {before} removed"),
        (None, None) => name,
    }
}

/// Why something is done.
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NewVersion { from: Some(from) } => format!("a new version, it takes over from {from}"),
        Reason::NewVersion { from: None } => "the family has no version here yet".to_owned(),
        Reason::FinishUpload => "an earlier run ended before it could be shown".to_owned(),
        Reason::BecomesLatest { from: Some(from) } => format!("it becomes the latest and takes over from {from}"),
        Reason::BecomesLatest { from: None } => "it becomes the latest".to_owned(),
        Reason::Superseded { by } => format!("{by} takes over"),
        Reason::Retired => "the family has left images.toml".to_owned(),
        Reason::Stage => "it has come to a later stage of its life".to_owned(),
        Reason::ChangedOutside(_) => "somebody changed it since it was last applied".to_owned(),
        Reason::Configuration(_) => "images.toml says something else now".to_owned(),
        Reason::Moved { from } => format!("the family was called {} before", quoted(from)),
        Reason::UndoDeletion => "a deletion had begun and is taken back".to_owned(),
        Reason::Unused => "superseded, due, and nothing uses it".to_owned(),
        Reason::Abandoned => "never shown to anybody, and no longer wanted".to_owned(),
        Reason::Adopted(Sureness::Proven) => "it is taken over: its bytes are the publisher's".to_owned(),
        Reason::Adopted(Sureness::Claimed) => "it is taken over as what it is said to be".to_owned(),
        Reason::Adopted(Sureness::Stated | Sureness::Unknown) => {
            "it is taken over: its own name and properties say what it is".to_owned()
        }
    }
}

/// Why an image is marked that was not the catalogue's own, as a word for programs.
pub const ADOPTED: &str = "update_because_adopted";

/// Why something is done, as a word for programs: Terraform's `action_reason`.
pub const fn reason_code(verb: Verb, reason: &Reason) -> &'static str {
    match (verb, reason) {
        (_, Reason::NewVersion { from: Some(_) }) => "create_because_new_version",
        (_, Reason::NewVersion { from: None }) => "create_because_missing",
        (_, Reason::FinishUpload) => "create_because_upload_unfinished",
        (_, Reason::BecomesLatest { .. }) => "update_because_becomes_latest",
        (_, Reason::Superseded { .. }) => "update_because_no_longer_latest",
        (Verb::Delete, Reason::Retired) => "delete_because_no_resource_config",
        (Verb::Create | Verb::Update, Reason::Retired) => "update_because_no_resource_config",
        (_, Reason::Stage) => "update_because_stage",
        (_, Reason::ChangedOutside(_)) => "update_because_drift",
        (_, Reason::Configuration(_)) => "update_because_config",
        (_, Reason::Moved { .. }) => "update_because_moved",
        (_, Reason::UndoDeletion) => "update_because_deletion_undone",
        (_, Reason::Unused) => "delete_because_unused",
        (_, Reason::Abandoned) => "delete_because_abandoned",
        (_, Reason::Adopted(_)) => ADOPTED,
    }
}

/// Why something is not done.
pub fn because(because: &Because) -> String {
    match because {
        Because::InUse(users) => format!("in use by {}", self::users(users)),
        Because::UsageUnknown(sources) => {
            let sources: Vec<_> =
                sources.iter().map(|(Source(name), why)| format!("{name} ({})", terminal(why))).collect();
            format!("who uses it could not be read completely: {}", sources.join(", "))
        }
        Because::NameTaken { name, id } => {
            format!("a public image that is not ours bears the name {}: {id}", quoted(name.as_str()))
        }
        Because::Older { wanted, present } => {
            format!("{wanted} is older than the present latest, {present}; to go back, pin it in images.toml")
        }
        Because::BytesChanged { recorded, published } => {
            format!("the bytes published under this version have changed: {recorded} on record, {published} published")
        }
        Because::UpstreamUnknown(why) => format!("the publisher gave no answer to rely on: {}", terminal(why)),
        Because::NoPassage(why) => terminal(why),
        Because::VersionGone(version) => format!("{version} is neither on the cloud nor at its publisher any more"),
        Because::BootTestFailed => "its boot test failed".to_owned(),
        Because::Busy(state) => format!("the image is {state}, nothing can be done to it"),
        Because::Deactivated => "somebody deactivated the image".to_owned(),
        Because::NoLatest => "no latest version of the family is shown".to_owned(),
        Because::LastPublic => "it is the last public version of its family".to_owned(),
    }
}

/// What is to be said without an act: a word for programs, how much it matters, a sentence.
pub fn note(note: &Note) -> (&'static str, Level, String) {
    let list = |ids: &[ImageId]| ids.iter().map(ImageId::as_str).collect::<Vec<_>>().join(", ");
    match note {
        Note::DeletionDue { address, on } => {
            ("deletion_due", Level::Info, format!("{address} is to be deleted on {on} or later, if nothing uses it"))
        }
        Note::Duplicate { address, ids } => {
            ("duplicate", Level::Warning, format!("{address} is there {}: {}", times(ids.len()), list(ids)))
        }
        Note::NoBootTest => (
            "no_boot_test",
            Level::Warning,
            "new versions are shown without having been booted: images.toml has no [boot_test]".to_owned(),
        ),
        Note::PackagesUnknown { address, why } => (
            "packages_unknown",
            Level::Info,
            format!("which packages {address} changes could not be read: {}", terminal(why)),
        ),
        Note::Unrecognised { site, ids } => (
            "unrecognised",
            Level::Warning,
            format!(
                "{} on {site} with marks of this catalogue that cannot be its own, left alone: {}",
                count(ids.len(), "image"),
                list(ids)
            ),
        ),
    }
}

fn times(number: usize) -> String {
    match number {
        2 => "twice".to_owned(),
        number => format!("{number} times"),
    }
}

/// `2 servers and 1 volume in 2 projects`.
fn users(users: &[User]) -> String {
    let of = |kind: UserKind| users.iter().filter(|user| user.kind == kind).count();
    let kinds = [UserKind::Server, UserKind::Volume, UserKind::Snapshot, UserKind::Member];
    let parts: Vec<_> = kinds
        .into_iter()
        .map(|kind| (of(kind), kind))
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| count(number, kind.name()))
        .collect();
    let projects: std::collections::BTreeSet<_> = users.iter().filter_map(|user| user.project.as_ref()).collect();
    let place = if projects.is_empty() { String::new() } else { format!(" in {}", count(projects.len(), "project")) };
    format!("at least {}{place}", listed(&parts))
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(parts: &[String]) -> String {
    match parts {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What vouches for a digest, from its word in the document.
pub fn trust(word: &str) -> String {
    match word.strip_prefix("signed:") {
        Some(fingerprint) => format!("signed by {}", terminal(fingerprint)),
        None => match word {
            "https" => "vouched for by the publisher's TLS connection".to_owned(),
            "declared" => "as written in images.toml".to_owned(),
            "local" => "of a file on this machine".to_owned(),
            "none" => "NOT vouched for by anything".to_owned(),
            other => terminal(other),
        },
    }
}

/// `1 to add, 2 to change, 1 to destroy`: Terraform's words, on which tools rely.
pub fn tally(create: usize, update: usize, delete: usize) -> String {
    format!("{create} to add, {update} to change, {delete} to destroy")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::ProjectId;

    #[test]
    fn one_is_singular_and_nothing_else_is() {
        assert_eq!(count(0, "image"), "0 images");
        assert_eq!(count(1, "image"), "1 image");
        assert_eq!(count(2, "image"), "2 images");
    }

    #[test]
    fn sizes_are_in_the_unit_that_people_would_choose() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (625_373_184, "596 MiB"),
            ((1 << 30) - 1, "1023 MiB"),
            (1 << 30, "1.0 GiB"),
            (1_610_612_736, "1.5 GiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn users_are_counted_by_kind_and_project() {
        let user =
            |kind, id: &str, project: &str| User { kind, id: id.to_owned(), project: ProjectId::parse(project).ok() };
        let some =
            [user(UserKind::Server, "a", "p1"), user(UserKind::Volume, "c", "p2"), user(UserKind::Server, "b", "p1")];
        assert_eq!(because(&Because::InUse(some.into())), "in use by at least 2 servers and 1 volume in 2 projects");
        assert_eq!(because(&Because::InUse(vec![user(UserKind::Volume, "c", "")])), "in use by at least 1 volume");
    }

    #[test]
    fn a_foreign_answer_in_a_sentence_is_escaped() {
        let why = Because::UsageUnknown(vec![(Source("servers"), "500\n##[error]\u{1b}[31m".to_owned())]);
        let told = because(&why);
        assert!(!told.contains(['\n', '\u{1b}']) && !told.contains("##["), "{told}");
    }

    #[test]
    fn lists_read_as_people_speak() {
        let parts = |parts: &[&str]| listed(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!(parts(&[]), "nothing");
        assert_eq!(parts(&["a"]), "a");
        assert_eq!(parts(&["a", "b", "c"]), "a, b and c");
    }
}
