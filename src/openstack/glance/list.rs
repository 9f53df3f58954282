//! Listings: filtered by Glance, read to the last page, and filtered again here.
//!
//! The problem: filters are advice. MariaDB compares names without case and trailing blanks, an older Glance or a
//! gateway may ignore a filter, and a page may come twice. The idea: the filter is sent so that little comes back, and
//! applied again to what comes back, so that nothing depends on the service having understood it. A page that leads to
//! itself is an error, not an end: a listing that stops early would make images look missing.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::Glance;
use crate::model::image::{Image, Listing, Visibility};
use crate::model::name::{ImageId, ProjectId};
use crate::openstack::error::ApiError;
use crate::openstack::http::Request;
use crate::openstack::wire::ImagePage;

/// The most Glance gives at once; larger numbers are cut silently.
const PAGE: &str = "1000";

/// Which visibilities a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// All of them; without it community images are left out.
    All,
    /// One of them.
    Only(Visibility),
}

/// What a listing is asked for. Everything given must hold.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The visibilities.
    pub seen: Seen,
    /// Listed images or hidden ones; no listing has both.
    pub listing: Listing,
    /// The owner.
    pub owner: Option<ProjectId>,
    /// A tag.
    pub tag: Option<String>,
    /// One of these names, exactly; empty means any.
    pub names: Vec<String>,
    /// A custom property of exactly this value.
    pub property: Option<(String, String)>,
}

impl Filter {
    /// All listed images in these visibilities.
    pub const fn new(seen: Seen) -> Self {
        Self { seen, listing: Listing::Listed, owner: None, tag: None, names: Vec::new(), property: None }
    }

    fn request(&self) -> Request {
        let Self { seen, listing, owner, tag, names, property } = self;
        let mut request = Request::get("images").query("limit", PAGE);
        request = request.query(
            "visibility",
            match seen {
                Seen::All => "all",
                Seen::Only(visibility) => visibility.name(),
            },
        );
        if *listing == Listing::Hidden {
            request = request.query("os_hidden", "true");
        }
        if let Some(owner) = owner {
            request = request.query("owner", owner.as_str());
        }
        if let Some(tag) = tag {
            request = request.query("tag", tag);
        }
        if !names.is_empty() {
            request = request.query("name", names_filter(names));
        }
        if let Some((key, value)) = property {
            request = request.query(key, value);
        }
        request
    }

    fn accepts(&self, image: &Image) -> bool {
        let Self { seen, listing, owner, tag, names, property } = self;
        let attributes = &image.attributes;
        (match seen {
            Seen::All => true,
            Seen::Only(visibility) => attributes.visibility == *visibility,
        }) && attributes.listing == *listing
            && owner.as_ref().is_none_or(|owner| image.owner.as_ref() == Some(owner))
            && tag.as_ref().is_none_or(|tag| attributes.tags.contains(tag))
            && (names.is_empty() || names.contains(&attributes.name))
            && property.as_ref().is_none_or(|(key, value)| attributes.properties.get(key) == Some(value))
    }
}

/// `in:"a","b"`. Glance keeps backslashes as they are and knows no other escape, so a name with a quote in it can only
/// be asked for alone; `eq:` keeps a `:` in it from being read as an operator.
fn names_filter(names: &[String]) -> String {
    match names {
        [name] if !can_be_quoted(name) => format!("eq:{name}"),
        names => {
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("in:{}", quoted.join(","))
        }
    }
}

pub(in crate::openstack) fn can_be_quoted(name: &str) -> bool {
    !name.contains(['"', '\\'])
}

impl Glance {
    /// Every image that passes the filter, by id. One request for each 1000 images that Glance finds.
    ///
    /// # Errors
    /// A page could not be read, or leads to itself.
    pub async fn list(&self, filter: &Filter) -> Result<BTreeMap<ImageId, Image>, ApiError> {
        let first = filter.request();
        let mut request = first.clone();
        let mut images = BTreeMap::new();
        let mut markers = BTreeSet::new();
        loop {
            let answer = self.endpoint().send(request).await?;
            let page: ImagePage = answer.json()?;
            for record in page.images {
                let image = record.lower().map_err(|problem| answer.malformed(&problem))?;
                if filter.accepts(&image) {
                    images.insert(image.id.clone(), image);
                }
            }
            let Some(next) = page.next else { return Ok(images) };
            let marker = marker_in(&next).ok_or_else(|| answer.malformed("`next` names no marker"))?;
            if !markers.insert(marker.clone()) {
                return Err(answer.malformed("the page after it is itself again, so the listing has no end"));
            }
            request = first.clone().query("marker", marker);
        }
    }
}

/// The marker in a `next` link, which is a path, or a whole URL behind some gateways. Nothing else of it is used.
fn marker_in(next: &str) -> Option<String> {
    let url = Url::parse("http://glance.invalid/").ok()?.join(next).ok()?;
    url.query_pairs().find(|(key, _)| key == "marker").map(|(_, marker)| marker.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_of_a_next_link_is_used() {
        for next in ["/v2/images?limit=2&marker=a-1", "http://evil.example/steal?marker=a-1&x=y"] {
            assert_eq!(marker_in(next).as_deref(), Some("a-1"));
        }
        assert_eq!(marker_in("/v2/images?limit=2"), None);
    }

    #[test]
    fn names_are_quoted_for_glance() {
        let names = |names: &[&str]| names_filter(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&["a: b", "c,d"]), r#"in:"a: b","c,d""#);
        assert_eq!(names(&["19\" disk: x"]), "eq:19\" disk: x");
    }
}
