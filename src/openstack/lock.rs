//! One run at a time on each site, without a service of its own.
//!
//! The problem: two runs at once would each do half of the other's plan, and Glance knows no compare-and-swap on
//! images. The idea: names of metadata namespaces are unique over the whole Glance, so of many `POST
//! /v2/metadefs/namespaces` with one name exactly one is answered 201 and the rest 409 (seen on Glance 33 with 20 at
//! once). The namespace's description says who holds it, and under which random id: by that id a lost answer is told
//! from a lost race, and nobody releases a lock that is no longer theirs. What this does not solve: a run that dies
//! leaves its lock behind; people must say that it is dead (`gallerist unlock ID`), for nothing else can know.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::{ApiError, ErrorKind};
use super::http::Request;
use super::site::Site;
use super::wire::NamespaceRecord;
use crate::model::name::CatalogueName;

/// The longest name of a namespace that Glance takes (seen on Glance 33).
const LONGEST_NAMESPACE: usize = 80;
const LONGEST_WORD: usize = 80;

/// Who holds a lock. Every field but the id is for people only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The id that `gallerist unlock` asks for.
    pub id: String,
    /// The user.
    pub who: String,
    /// The machine or CI job.
    pub place: String,
    /// Since when.
    pub since: String,
}

impl Holder {
    /// A holder with a fresh random id. The words are cut to a length that Glance takes.
    pub fn new(who: &str, place: &str, since: Timestamp) -> Self {
        let cut = |text: &str| super::error::one_line(&text.chars().take(LONGEST_WORD).collect::<String>());
        Self { id: Uuid::new_v4().to_string(), who: cut(who), place: cut(place), since: since.to_string() }
    }

    fn from_description(description: &str) -> Option<Self> {
        let holder: Self = serde_json::from_str(description).ok()?;
        let line = |text: &str| super::error::one_line(text);
        Some(Self {
            id: line(&holder.id),
            who: line(&holder.who),
            place: line(&holder.place),
            since: line(&holder.since),
        })
    }
}

/// What came of trying to get a lock.
#[derive(Debug)]
pub enum Acquired {
    /// It is ours, under the holder's id, and stays until [`unlock`] is told that id.
    Held,
    /// Somebody else has it; who, where Glance lets us see.
    Busy(Option<Holder>),
    /// The policy allows us no namespaces. The text is Glance's.
    Forbidden(String),
}

/// What came of freeing a lock by its id.
#[derive(Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// It is gone.
    Freed,
    /// There was none.
    NotLocked,
    /// The lock that is there has another id, and stays.
    Other(Option<Holder>),
}

/// The name of the namespace; a catalogue's name that does not fit is cut and told apart by its digest.
fn namespace(catalogue: &CatalogueName) -> String {
    let full = format!("gallerist::lock::{catalogue}");
    if full.len() <= LONGEST_NAMESPACE {
        return full;
    }
    let digest = hex::encode(Sha256::digest(catalogue.as_str()));
    format!("{}~{}", &full[..LONGEST_NAMESPACE - 17], &digest[..16])
}

fn path(namespace: &str) -> String {
    format!("metadefs/namespaces/{namespace}")
}

/// Tries to get the catalogue's lock on a site, again and again for as long as `patience` says.
///
/// # Errors
/// Glance could not be asked.
pub async fn acquire(
    site: &Site,
    catalogue: &CatalogueName,
    holder: &Holder,
    patience: Duration,
) -> Result<Acquired, ApiError> {
    let deadline = tokio::time::Instant::now().checked_add(patience);
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_secs(10))
        .without_max_times()
        .with_jitter()
        .build();
    loop {
        let outcome = attempt(site, catalogue, holder).await?;
        let wait = waits.next().unwrap_or(Duration::from_secs(10));
        let in_time = deadline.is_none_or(|deadline| tokio::time::Instant::now() + wait <= deadline);
        if !matches!(outcome, Acquired::Busy(_)) || !in_time {
            return Ok(outcome);
        }
        tokio::time::sleep(wait).await;
    }
}

async fn attempt(site: &Site, catalogue: &CatalogueName, holder: &Holder) -> Result<Acquired, ApiError> {
    let namespace = namespace(catalogue);
    let body = json!({
        "namespace": namespace,
        "display_name": format!("gallerist is at work on {catalogue}").chars().take(80).collect::<String>(),
        "description": json!(holder).to_string(),
        "visibility": "private",
        "protected": false,
    });
    let request = Request::new(Method::POST, "metadefs/namespaces").json(&body);
    let error = match site.glance.endpoint().send(request).await {
        Ok(_) => return Ok(Acquired::Held),
        Err(error) if error.kind() == ErrorKind::Forbidden => return Ok(Acquired::Forbidden(error.message)),
        Err(error) => error,
    };
    // Taken, or the answer to our own request was lost: the id in the description tells.
    match (read(site, &namespace).await, error.kind()) {
        (Ok(Some(found)), _) if found.id == holder.id => Ok(Acquired::Held),
        (Ok(found), ErrorKind::Conflict) => Ok(Acquired::Busy(found)),
        (Err(_), ErrorKind::Conflict) => Ok(Acquired::Busy(None)),
        (Ok(Some(found)), _) => Ok(Acquired::Busy(Some(found))),
        (Ok(None) | Err(_), _) => Err(error),
    }
}

/// Who holds the catalogue's lock on a site; nobody, or somebody whom we may not see, is nobody.
///
/// # Errors
/// Glance could not be asked.
pub async fn holder(site: &Site, catalogue: &CatalogueName) -> Result<Option<Holder>, ApiError> {
    read(site, &namespace(catalogue)).await
}

async fn read(site: &Site, namespace: &str) -> Result<Option<Holder>, ApiError> {
    match site.glance.endpoint().send(Request::get(path(namespace))).await {
        Ok(answer) => {
            let record: NamespaceRecord = answer.json()?;
            let unknown = || Holder {
                id: String::new(),
                who: "unknown".to_owned(),
                place: "unknown".to_owned(),
                since: "unknown".to_owned(),
            };
            let description = record.description.unwrap_or_default();
            Ok(Some(Holder::from_description(&description).unwrap_or_else(unknown)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Frees the catalogue's lock on a site if it has this id.
///
/// # Errors
/// Glance could not be asked.
pub async fn unlock(site: &Site, catalogue: &CatalogueName, id: &str) -> Result<Unlocked, ApiError> {
    let namespace = namespace(catalogue);
    match read(site, &namespace).await? {
        None => Ok(Unlocked::NotLocked),
        Some(found) if found.id == id && !id.is_empty() => {
            match site.glance.endpoint().send(Request::new(Method::DELETE, path(&namespace))).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Unlocked::Freed),
                outcome => outcome.map(|_| Unlocked::Freed),
            }
        }
        Some(found) => Ok(Unlocked::Other(Some(found))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_catalogue_has_a_namespace_of_its_own_that_fits() {
        let name = |text: &str| namespace(&CatalogueName::parse(text).unwrap());
        assert_eq!(name("wiit-public"), "gallerist::lock::wiit-public");
        let (one, two) = (format!("{}1", "c".repeat(99)), format!("{}2", "c".repeat(99)));
        assert!(name(&one).len() <= LONGEST_NAMESPACE && name(&two).len() <= LONGEST_NAMESPACE);
        assert_ne!(name(&one), name(&two));
    }

    #[test]
    fn a_holder_survives_the_description_and_nothing_else_does() {
        let holder = Holder::new(&"w\n".repeat(300), "ci job 7", "2026-11-23T06:00:00Z".parse().unwrap());
        let description = json!(holder).to_string();
        assert!(description.len() <= 500, "Glance takes 500 characters, this has {}", description.len());
        assert_eq!(Holder::from_description(&description), Some(holder));
        assert_eq!(Holder::from_description("somebody's own namespace"), None);
    }
}
