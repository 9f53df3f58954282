//! Which superseded versions go.
//!
//! The problem: what is deleted is gone, and somebody may have built on it. The idea: a version is deleted only if
//! every one of these is known: an *earlier* run superseded it, its time is over, it is not among those to keep, the
//! family has a latest version that tenants see, and every usage source was read completely and named nobody. The
//! last one is a value, [`crate::model::usage::Unused`], without which the operation cannot be built. What this does
//! not solve: somebody who starts to use the image after the plan was made; the deletion protocol in `apply` does.

use jiff::civil::Date;

use super::Context;
use super::casting::{Cast, End, Latest, Superseded, is_stuck};
use crate::model::desired::Audience;
use crate::model::image::{Status, Visibility};
use crate::model::lifecycle::{DeleteWhen, Lifecycle};
use crate::model::observed::SiteView;
use crate::model::operation::{Activation, Delete};
use crate::model::ours::OwnedImage;
use crate::model::reason::Because;
use crate::model::template::Moment;
use crate::model::usage::Sighting;

/// What is decided about the end of one image.
pub(super) enum Ending {
    /// It stays, and nothing more is to be said.
    Stays,
    /// It goes on that day at the earliest.
    Due(jiff::civil::Date),
    /// It would go, were it not for this.
    Held(Because),
    /// It goes.
    Goes(Box<Delete>),
}

/// Where a version stands among the superseded ones of its family.
#[derive(Clone, Copy)]
pub(super) struct Rank {
    /// How many are newer.
    pub(super) newer: usize,
    /// How many of these are public and stay so. Those that may themselves go count too: the newest of them never
    /// goes, whatever is known of its users, so that knowing less of one image does not end another.
    pub(super) newer_public: usize,
}

/// The ending of a superseded version.
pub(super) fn of_superseded(
    context: &Context<'_>,
    lifecycle: &Lifecycle,
    view: &SiteView,
    cast: &Cast<'_>,
    superseded: &Superseded,
    rank: Rank,
) -> Ending {
    let policy = &lifecycle.deletion;
    let since = match superseded.since {
        Moment::Recorded(date) => date,
        // The run that replaces a version never deletes it: whoever looked its id up a minute ago has until the next.
        Moment::ThisRun(_) | Moment::AnyRun | Moment::Unknown => return Ending::Stays,
    };
    match (policy.when, cast.end) {
        (DeleteWhen::Never, _) | (_, End::Frozen) => return Ending::Stays,
        (DeleteWhen::Unused, End::Possible) => {}
    }
    if rank.newer < policy.keep {
        return Ending::Stays;
    }
    if !policy.after.is_reached(since, context.today) {
        return policy.after.due(since).map_or(Ending::Stays, Ending::Due);
    }
    let image = &superseded.image;
    match (context.family(&super::family_of(&context.desired.moved, image.marks())), &cast.latest) {
        // While the wanted version is refused, it may be the very image the refusal is about.
        (Some(family), _) if cast.refusal.is_some() && family.wanted.name() == Some(&image.marks().version) => {
            return Ending::Stays;
        }
        (Some(_), Latest::Nobody) => return Ending::Held(Because::NoLatest),
        (Some(_), Latest::Existing(latest, Activation::Unchanged)) if !latest.is_active() => {
            return Ending::Held(Because::NoLatest);
        }
        (None, _) if image.attributes().visibility == Visibility::Public && rank.newer_public == 0 => {
            return Ending::Held(Because::LastPublic);
        }
        (Some(_), Latest::Existing(..) | Latest::New(..)) | (None, _) => {}
    }
    with_evidence(lifecycle, view, image)
}

/// The ending of a record that was never shown and is not wanted any more.
pub(super) fn of_abandoned(
    lifecycle: &Lifecycle,
    view: &SiteView,
    cast: &Cast<'_>,
    image: &OwnedImage,
    today: Date,
) -> Ending {
    match (cast.end, &cast.refusal) {
        // While the wanted version is refused, it may be the very image the refusal is about.
        (End::Frozen, _) | (_, Some(_)) => Ending::Stays,
        (End::Possible, None) => match image.image().status {
            Status::Saving if !is_stuck(image, today) => Ending::Held(Because::Busy(image.image().status.name())),
            Status::Saving
            | Status::Queued
            | Status::Uploading
            | Status::Importing
            | Status::Active
            | Status::Deactivated
            | Status::Broken => with_evidence(lifecycle, view, image),
        },
    }
}

fn with_evidence(lifecycle: &Lifecycle, view: &SiteView, image: &OwnedImage) -> Ending {
    match view.sighting(image.id()) {
        Sighting::InUse(users) => Ending::Held(Because::InUse(users)),
        Sighting::Unknown(sources) => Ending::Held(Because::UsageUnknown(sources)),
        Sighting::Unused(evidence) => {
            match Delete::new(image.clone(), evidence, audience(image), lifecycle.deletion.snapshots) {
                Some(delete) => Ending::Goes(Box::new(delete)),
                None => Ending::Stays,
            }
        }
    }
}

/// Whose usage counts. What everybody can see, everybody may use, whomever it was made for.
pub(super) fn audience(image: &OwnedImage) -> Audience {
    match image.attributes().visibility {
        Visibility::Private | Visibility::Shared => image.marks().audience,
        Visibility::Community | Visibility::Public => Audience::Everybody,
    }
}
