//! `adopt`: which images that are there already are versions of the catalogue, and the plan that marks them.
//!
//! A saved adoption is an ordinary saved plan. `apply` reads from it which image is said to be which version, as if
//! somebody had typed that, makes the plan anew from these claims alone, and demands the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::Context as _;
use futures_util::{StreamExt as _, future, stream};
use jiff::Timestamp;

use super::front::{self, Front};
use super::{Stop, files, present};
use crate::cli::{Adopt as Options, DataFormat, Global, PlanFormat, Planning};
use crate::exit::Exit;
use crate::manifest::Manifest;
use crate::model::adoption::{Claim, Proposal, Sureness};
use crate::model::digest::Digests;
use crate::model::image::Image;
use crate::model::name::{Address, FamilyName, ImageId, SiteName};
use crate::model::ours::{Marks, Role};
use crate::model::version::Version;
use crate::openstack::Site;
use crate::planner::adoption::{Estate, adoption, unread};
use crate::render::adoption::{AdoptionReport, human, json};
use crate::render::console::Console;
use crate::render::document::{Document, LiveSource};
use crate::render::words::{ADOPTED, count};
use crate::transfer::digest_stream;
use crate::upstream::resolve::{AT_ONCE, history, unresolved};

/// Images that are downloaded at once.
const DOWNLOADS: usize = 2;

/// What an adoption goes by.
pub(super) struct Terms {
    claims: Vec<Claim>,
    least: Sureness,
    evidence: Evidence,
}

/// What is asked about an image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// Nothing: only images that somebody names are looked at.
    Claims,
    /// Its publisher.
    Publisher,
    /// Its publisher, and its bytes where only they can tell.
    Bytes,
}

impl Terms {
    /// These images and no others.
    pub(super) const fn claims_alone(claims: Vec<Claim>) -> Self {
        Self { claims, least: Sureness::Claimed, evidence: Evidence::Claims }
    }
}

/// The plan, and what it was made from.
pub(super) struct Prepared {
    pub(super) front: Front,
    proposals: Vec<Proposal>,
    /// Images whose bytes could tell more.
    unread: usize,
}

pub(super) async fn run(global: &Global, options: &Options, console: &Console) -> Result<Exit, Stop> {
    let manifest = front::load(global, console)?;
    let sites = front::connect(global, &manifest).await?;
    let terms = Terms {
        claims: options.claims.clone(),
        least: if options.stated { Sureness::Stated } else { Sureness::Proven },
        evidence: if options.read_bytes { Evidence::Bytes } else { Evidence::Publisher },
    };
    let Prepared { front, proposals, unread } = prepare(manifest, sites, terms, console).await?;
    let planning = Planning { target: Vec::new(), allow_deletes: None };
    let document = present::document(&front, global, &planning);
    if let Some(path) = &options.out {
        let text = present::text(&document, PlanFormat::Json, console);
        files::replace(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let report = AdoptionReport::new(&proposals, front.sites.len() > 1);
    console.answer(&match options.format {
        DataFormat::Human => human(&report, front::styles(console)),
        DataFormat::Json => json(&report),
    })?;
    if unread > 0 {
        let images = count(unread, "image");
        console.say(&format!("{images} could be told by their bytes, which Glance must send for that: --read-bytes"));
    }
    if proposals.iter().any(|proposal| proposal.verdict == Ok(Role::Superseded)) {
        console.say(
            "Superseded versions go by their lifecycle from then on: the next plan deletes those that it lets go.",
        );
    }
    match &options.out {
        _ if front.plan.is_empty() => {}
        Some(path) => console.say(&format!("To do it: gallerist apply {}", path.display())),
        None => console.say("To save it for `gallerist apply`: --out FILE"),
    }
    Ok(Exit::Done)
}

/// The claims in a saved adoption; none, if it is any other plan.
pub(super) fn claims_of(saved: &Document) -> Option<Vec<Claim>> {
    let adopted = saved.resource_changes.iter().filter(|change| change.action_reason == ADOPTED);
    let claims: Vec<Claim> = adopted
        .filter_map(|change| {
            let image = ImageId::parse(change.change.before.as_ref()?.id.clone()?).ok()?;
            let built = Marks::from_tags(&change.change.after.as_ref()?.tags)?.built;
            Some(Claim { address: Address::parse(&change.address).ok()?, image, built })
        })
        .collect();
    (!claims.is_empty()).then_some(claims)
}

/// Reads everything that tells, and plans the adoptions.
///
/// # Errors
/// A site could not be read, or a claim names an image that our project does not have.
pub(super) async fn prepare(
    manifest: Manifest,
    sites: Vec<Site>,
    terms: Terms,
    console: &Console,
) -> Result<Prepared, Stop> {
    let (begun, now) = (Instant::now(), Timestamp::now());
    let Terms { claims, least, evidence } = terms;
    let desired = unresolved(&manifest, sites.iter().map(|site| site.name.clone()).collect());
    let observed = front::observe(&sites, &desired, now).await?;
    let mut images = images(&sites).await?;
    for claim in &claims {
        if !images.values().any(|images| images.contains_key(&claim.image)) {
            let message = format!(
                "error: there is no image `{}` of our own project\n  = note: `{}` cannot be adopted as {}; what \
                 another project owns is never touched",
                claim.image, claim.image, claim.address
            );
            return Err(Stop::new(Exit::Error, message));
        }
    }
    let known = match evidence {
        Evidence::Publisher | Evidence::Bytes => known(&manifest, console).await?,
        Evidence::Claims => {
            let named = |id: &ImageId| claims.iter().any(|claim| claim.image == *id);
            for images in images.values_mut() {
                images.retain(|id, _| named(id));
            }
            BTreeMap::new()
        }
    };
    let nothing = BTreeMap::new();
    let estate = Estate {
        desired: &desired,
        observed: &observed,
        images: &images,
        known: &known,
        read: &nothing,
        claims: &claims,
        least,
        now,
    };
    let places = unread(&estate);
    let read = match evidence {
        Evidence::Bytes => read(&sites, &places, console).await,
        Evidence::Claims | Evidence::Publisher => BTreeMap::new(),
    };
    let unread = places.iter().filter(|place| !read.contains_key(place)).count();
    let (plan, proposals) = adoption(&Estate { read: &read, ..estate });
    let (shown, source, reading) = (front::shown(&sites), LiveSource::Api, front::milliseconds(begun));
    let front = Front { manifest, sites, shown, source, desired, observed, plan, now, reading };
    Ok(Prepared { front, proposals, unread })
}

async fn images(sites: &[Site]) -> Result<BTreeMap<SiteName, BTreeMap<ImageId, Image>>, Stop> {
    let images = sites.iter().map(|site| async {
        let images = crate::openstack::project_images(site).await;
        images.map(|images| (site.name.clone(), images)).with_context(|| format!("{} could not be read", site.name))
    });
    Ok(future::try_join_all(images).await?.into_iter().collect())
}

/// What publishers list. One that is silent proves nothing and says so.
async fn known(manifest: &Manifest, console: &Console) -> Result<BTreeMap<FamilyName, Vec<Version>>, Stop> {
    let fetch = front::fetch()?;
    let asked = manifest.families.values().map(|spec| async { (&spec.name, history(manifest, spec, &fetch).await) });
    let mut known = BTreeMap::new();
    let mut answers: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
    answers.sort_by_key(|(family, _)| (*family).clone());
    for (family, answer) in answers {
        match answer {
            Ok(versions) => _ = known.insert(family.clone(), versions),
            Err(reason) => console.say(&format!("warning: {family}: no image can be proven, for {reason}")),
        }
    }
    Ok(known)
}

/// Digests of what Glance sends. What cannot be read proves nothing.
async fn read(
    sites: &[Site],
    places: &BTreeSet<(SiteName, ImageId)>,
    console: &Console,
) -> BTreeMap<(SiteName, ImageId), Digests> {
    let wanted = places.iter().filter_map(|place| Some((sites.iter().find(|site| site.name == place.0)?, place)));
    let answers = stream::iter(wanted).map(|(site, place)| async move {
        console.say(&format!("Reading the bytes of {} on {}", place.1, place.0));
        let digests = match site.glance.download(&place.1).await {
            Ok(blocks) => digest_stream(blocks).await,
            Err(error) => Err(error.to_string()),
        };
        (place, digests)
    });
    let answers: Vec<_> = answers.buffer_unordered(DOWNLOADS).collect().await;
    let mut read = BTreeMap::new();
    for (place, answer) in answers {
        match answer {
            Ok(digests) => _ = read.insert(place.clone(), digests),
            Err(reason) => console.say(&format!("warning: {} could not be read: {reason}", place.1)),
        }
    }
    read
}
