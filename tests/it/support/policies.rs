//! The six rotation policies that operators publish, as lifecycles.

use std::collections::BTreeMap;

use gallerist::model::image::{Listing, Protection, Visibility};
use gallerist::model::lifecycle::{
    Age, DeleteWhen, DeletionPolicy, LatestStage, Lifecycle, SnapshotUse, SupersededStage,
};
use gallerist::model::template::Template;
use jiff::{Span, ToSpan};

/// A rotation policy, by the cloud that publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Wiit,
    Einfra,
    UkCloud,
    Otc,
    Cleura,
    Scs,
}

impl Policy {
    pub(crate) const ALL: [Self; 6] = [Self::Wiit, Self::Einfra, Self::UkCloud, Self::Otc, Self::Cleura, Self::Scs];

    pub(crate) fn lifecycle(self) -> Lifecycle {
        match self {
            Self::Wiit => {
                let mut latest = latest("{name} - Latest");
                latest.protection = Protection::Protected;
                let old = SupersededStage { visibility: Some(Visibility::Community), ..named("{name} - {uploaded}") };
                Lifecycle { latest, superseded: vec![old], deletion: unused(Span::new(), 0) }
            }
            Self::Einfra => {
                let later = SupersededStage {
                    after: age(2.months()),
                    name: None,
                    visibility: Some(Visibility::Community),
                    ..named("")
                };
                Lifecycle {
                    latest: latest("{name}"),
                    superseded: vec![named("{name}-{superseded}"), later],
                    deletion: unused(1.year(), 0),
                }
            }
            Self::UkCloud => Lifecycle {
                latest: latest("{name}-CURRENT"),
                superseded: vec![named("{name}-{superseded:%d-%m-%Y}")],
                deletion: unused(Span::new(), 0),
            },
            Self::Otc => Lifecycle {
                latest: latest("{name}_latest"),
                superseded: vec![SupersededStage { listing: Some(Listing::Hidden), ..named("{name}_prev{n}") }],
                deletion: unused(Span::new(), 1),
            },
            Self::Cleura => {
                let old = SupersededStage { name: None, visibility: Some(Visibility::Community), ..named("") };
                Lifecycle { latest: latest("{name}"), superseded: vec![old], deletion: unused(Span::new(), 0) }
            }
            Self::Scs => {
                let old = SupersededStage {
                    listing: Some(Listing::Hidden),
                    properties: BTreeMap::from([("os_purpose".to_owned(), "oldgeneric".to_owned())]),
                    ..named("{name} {built:%Y%m%d}")
                };
                Lifecycle { latest: latest("{name}"), superseded: vec![old], deletion: unused(Span::new(), 2) }
            }
        }
    }
}

fn latest(name: &str) -> LatestStage {
    LatestStage {
        name: Template::parse(name).unwrap(),
        visibility: Visibility::Public,
        protection: Protection::Unprotected,
        listing: Listing::Listed,
        properties: BTreeMap::new(),
    }
}

fn named(name: &str) -> SupersededStage {
    SupersededStage {
        after: Age::zero(),
        name: Some(Template::parse(name).unwrap()),
        visibility: None,
        protection: None,
        listing: None,
        properties: BTreeMap::new(),
    }
}

fn age(span: Span) -> Age {
    Age::from_span(span).unwrap()
}

fn unused(after: Span, keep: usize) -> DeletionPolicy {
    DeletionPolicy { when: DeleteWhen::Unused, after: age(after), keep, snapshots: SnapshotUse::Ignored }
}
