//! What becomes of a version: latest, then the superseded stages, then deletion.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::Date;

use super::image::{Listing, Protection, Visibility};
use super::template::Template;

/// The life of every version of a family.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifecycle {
    /// What the latest version looks like.
    pub latest: LatestStage,
    /// What a superseded version looks like, in order of [`SupersededStage::after`].
    pub superseded: Vec<SupersededStage>,
    /// When a superseded version goes.
    pub deletion: DeletionPolicy,
}

/// What the latest version looks like; every attribute of it is managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestStage {
    /// Its name.
    pub name: Template,
    /// Who sees it.
    pub visibility: Visibility,
    /// Whether Glance refuses to delete it.
    pub protection: Protection,
    /// Whether default listings leave it out.
    pub listing: Listing,
    /// Properties on top of the family's.
    pub properties: BTreeMap<String, String>,
}

/// What a superseded version looks like; what a stage does not name stays as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct SupersededStage {
    /// How long after being superseded the stage is reached.
    pub after: Age,
    /// Its name.
    pub name: Option<Template>,
    /// Who sees it.
    pub visibility: Option<Visibility>,
    /// Whether Glance refuses to delete it.
    pub protection: Option<Protection>,
    /// Whether default listings leave it out.
    pub listing: Option<Listing>,
    /// Properties to set.
    pub properties: BTreeMap<String, String>,
}

/// When a superseded version is deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletionPolicy {
    /// Whether at all.
    pub when: DeleteWhen,
    /// At least this long superseded.
    pub after: Age,
    /// Never delete the newest this many superseded versions.
    pub keep: usize,
    /// Whether a tenant's snapshot of a server counts as use of the image the server was made from.
    pub snapshots: SnapshotUse,
}

/// Whether superseded versions are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteWhen {
    /// When nothing uses them.
    Unused,
    /// Never.
    Never,
}

/// Whether snapshots count as use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotUse {
    /// A snapshot keeps its base image.
    Counted,
    /// A snapshot holds its own bytes and keeps nothing.
    Ignored,
}

/// A length of time in whole calendar units, for the dates in tags have no time of day.
#[derive(Debug, Clone, Copy)]
pub struct Age(Span);

impl Age {
    /// No time at all.
    pub fn zero() -> Self {
        Self(Span::new())
    }

    /// An age of days, weeks, months or years.
    pub fn from_span(span: Span) -> Option<Self> {
        let time = [
            i64::from(span.get_hours()),
            span.get_minutes(),
            span.get_seconds(),
            span.get_milliseconds(),
            span.get_microseconds(),
            span.get_nanoseconds(),
        ];
        (!span.is_negative() && time.iter().all(|unit| *unit == 0)).then_some(Self(span))
    }

    /// Whether an age counted from `since` is reached on `today`. A date so far off that the calendar ends is never
    /// reached.
    pub fn is_reached(self, since: Date, today: Date) -> bool {
        since.checked_add(self.0).is_ok_and(|due| due <= today)
    }

    /// The first day on which it is reached.
    pub fn due(self, since: Date) -> Option<Date> {
        since.checked_add(self.0).ok()
    }
}

impl PartialEq for Age {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_zero() { formatter.write_str("0d") } else { write!(formatter, "{:#}", self.0) }
    }
}

impl Lifecycle {
    /// What a version superseded on `since` should look like on `today`: the settings of every stage reached so far,
    /// later ones over earlier ones, so that a stage that was slept through still leaves its mark.
    pub fn stage_on(&self, since: Date, today: Date) -> SupersededStage {
        let mut merged = SupersededStage {
            after: Age::zero(),
            name: None,
            visibility: None,
            protection: None,
            listing: None,
            properties: BTreeMap::new(),
        };
        for stage in self.superseded.iter().filter(|stage| stage.after.is_reached(since, today)) {
            merged.after = stage.after;
            merged.name = stage.name.clone().or(merged.name);
            merged.visibility = stage.visibility.or(merged.visibility);
            merged.protection = stage.protection.or(merged.protection);
            merged.listing = stage.listing.or(merged.listing);
            merged.properties.extend(stage.properties.clone());
        }
        merged
    }
}
