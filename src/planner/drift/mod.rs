//! Where the cloud and the catalogue disagree. Pure, like every decision; nothing here can change anything.
//!
//! The problem: "differs" has three causes that must not be in one colour: somebody changed an image, somebody merged
//! a change that was not applied yet, or a publisher brought out a new version, which is any ordinary day. The idea:
//! each site is planned once more as if every publisher had stood still; what that plan would do is the work of people,
//! and the digest of what was last applied says of which. Everything that moves with time is judged apart.
//!
//! What it refuses to know: which finding is bad enough to fail a job, how it is told, and what was not read. A site
//! that could not be read has no findings, and whoever asked must say so.
//!
//! To add a kind of finding: a variant of [`Class`], and a function here that returns its findings for one [`Place`] or
//! one site, called from [`findings`].
//!
//! [`Class`]: crate::model::drift::Class

mod applied;
mod facts;
mod hanging;
mod public;
mod shown;
mod standing;
mod users;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use hanging::hangings;
pub use standing::{judge, resolved};
pub use users::questions;

use super::Context;
use crate::model::desired::{Audience, Desired, Family};
use crate::model::drift::{Baseline, Class, Facts, Finding, Fix, Subject};
use crate::model::image::Image;
use crate::model::lifecycle::Age;
use crate::model::name::{FamilyName, ImageId, SiteName, VersionName};
use crate::model::observed::{Observed, SiteView};
use crate::model::ours::OwnedImage;
use crate::model::version::Version;

/// Everything that findings are told from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the catalogue should be, on all its sites.
    pub desired: &'a Desired,
    /// The sites that could be read.
    pub observed: &'a Observed,
    /// Every public image of each site, whoever owns it.
    pub public: &'a BTreeMap<SiteName, BTreeMap<ImageId, Image>>,
    /// The newest version of each family whose publisher could say, also where the file wants another one.
    pub newest: &'a BTreeMap<FamilyName, Version>,
    /// How old the latest version may be.
    pub max_age: Option<Age>,
    /// What the report before said.
    pub baseline: Option<&'a Baseline>,
    /// The time.
    pub now: Timestamp,
}

/// Every disagreement, the most alarming first.
pub fn findings(evidence: &Evidence<'_>) -> Vec<Finding> {
    let context = evidence.context();
    let mut findings = Vec::new();
    for (site, view) in &evidence.observed.sites {
        findings.extend(applied::findings(evidence, &context, site, view));
        let mut taken = Vec::new();
        for place in places(&context, site, view) {
            findings.extend(shown::missing(evidence, &place));
            findings.extend(shown::behind(evidence, &place));
            findings.extend(shown::stale(evidence, &place));
            findings.extend(shown::broken(evidence, &place));
            findings.extend(public::duplicate(evidence, &place, &mut taken));
        }
        findings.extend(public::unmanaged(evidence, site, view, &taken));
    }
    findings.sort_by_cached_key(|finding| (finding.class, finding.subject.to_string()));
    findings
}

impl<'a> Evidence<'a> {
    fn context(&self) -> Context<'a> {
        Context::new(self.desired, self.observed, self.now.to_zoned(TimeZone::UTC).date())
    }
}

/// Every family that the file names or the site holds.
fn places<'a>(context: &'a Context<'_>, site: &'a SiteName, view: &'a SiteView) -> impl Iterator<Item = Place<'a>> {
    context.families_on(view).into_iter().map(move |(name, images)| Place {
        context,
        site,
        view,
        family: context.family(&name),
        name,
        images,
    })
}

/// One family on one site.
struct Place<'a> {
    context: &'a Context<'a>,
    site: &'a SiteName,
    view: &'a SiteView,
    name: FamilyName,
    /// As images.toml has it; none if it has left the file.
    family: Option<&'a Family>,
    images: Vec<OwnedImage>,
}

impl Place<'_> {
    /// The image that tenants get.
    fn present(&self) -> Option<&OwnedImage> {
        super::casting::present(&self.images)
    }

    /// Whom the family is for. Of one that has left the file nobody says so any more; then it is asked about everybody.
    fn audience(&self) -> Audience {
        self.family.map_or(Audience::Everybody, |family| family.audience)
    }

    fn finding(&self, class: Class, version: Option<&VersionName>, fix: Fix) -> Finding {
        Finding {
            subject: Subject::Catalogued(self.context.address(self.site, &self.name, version)),
            site: self.site.clone(),
            class,
            image: None,
            before: None,
            after: None,
            fix,
        }
    }
}

impl Finding {
    fn about(self, image: &ImageId) -> Self {
        Self { image: Some(image.clone()), ..self }
    }

    fn change(self, before: impl Into<Option<Facts>>, after: impl Into<Option<Facts>>) -> Self {
        Self { before: before.into(), after: after.into(), ..self }
    }
}
