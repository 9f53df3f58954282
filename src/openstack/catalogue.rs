//! What a token says: who we are, until when, and where the services are.
//!
//! Parsed leniently, for catalogues in the wild hold `null` regions, endpoints without interface and services without
//! type; one odd entry must not make the others unreadable.

use std::collections::BTreeSet;

use jiff::Timestamp;
use osauth::{EndpointFilters, InterfaceType};
use serde::Deserialize;
use url::Url;

use super::error::Service;

/// The body of `POST /v3/auth/tokens`.
#[derive(Deserialize)]
pub(super) struct TokenBody {
    pub(super) token: Token,
}

/// The parts of a token that matter here.
#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(default)]
    pub(super) expires_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) issued_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) user: Named,
    #[serde(default)]
    pub(super) project: Named,
    #[serde(default)]
    pub(super) roles: Vec<Named>,
    #[serde(default)]
    pub(super) catalog: Vec<Entry>,
}

/// Something with an id and a name.
#[derive(Deserialize, Default, Clone)]
pub(super) struct Named {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// One service of the catalogue.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    endpoints: Vec<EndpointRecord>,
}

#[derive(Deserialize)]
struct EndpointRecord {
    #[serde(default)]
    interface: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

impl EndpointRecord {
    fn is_in(&self, region: Option<&str>) -> bool {
        region.is_none_or(|region| self.region_id.as_deref() == Some(region) || self.region.as_deref() == Some(region))
    }

    /// Keystone v2 catalogues said `publicURL`; some gateways still do.
    fn offers(&self, wanted: InterfaceType) -> bool {
        self.interface.as_deref().is_some_and(|interface| wanted == interface)
    }
}

impl Token {
    /// The endpoint of a service, by any of its types, the interfaces in order of preference.
    pub(super) fn endpoint(&self, types: &[&str], filters: &EndpointFilters) -> Option<Url> {
        let candidates = types.iter().flat_map(|wanted| self.endpoints_of(wanted));
        let candidates: Vec<&EndpointRecord> =
            candidates.filter(|found| found.is_in(filters.region.as_deref())).collect();
        filters.interfaces.iter().find_map(|interface| {
            candidates
                .iter()
                .filter(|candidate| candidate.offers(*interface))
                .find_map(|candidate| Url::parse(candidate.url.as_deref()?).ok())
        })
    }

    /// The regions that have a service on that interface.
    pub(super) fn regions_of(&self, service: Service, interface: InterfaceType) -> BTreeSet<String> {
        service
            .types()
            .iter()
            .flat_map(|wanted| self.endpoints_of(wanted))
            .filter(|endpoint| endpoint.offers(interface))
            .filter_map(|endpoint| endpoint.region_id.clone().or_else(|| endpoint.region.clone()))
            .collect()
    }

    fn endpoints_of<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a EndpointRecord> {
        self.catalog
            .iter()
            .filter(move |entry| entry.r#type.as_deref() == Some(wanted))
            .flat_map(|entry| &entry.endpoints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        serde_json::from_value::<TokenBody>(serde_json::json!({"token": {
            "expires_at": "2026-11-23T07:21:45.000000Z",
            "project": {"id": "p1", "name": "admin", "domain": {"id": "default"}},
            "catalog": [
                {"type": "image", "endpoints": [
                    {"interface": "internal", "region": null, "region_id": "one", "url": "http://internal/"},
                    {"interface": "public", "region": "one", "region_id": null, "url": "http://one/"},
                    {"interface": "public", "region_id": "two", "url": "http://two/"},
                    {"interface": "public", "region_id": "two"},
                ]},
                {"type": "volumev3", "endpoints": [{"interface": "publicURL", "region_id": "one", "url": "http://vol/v3/p1"}]},
                {"endpoints": []},
            ]
        }}))
        .unwrap()
        .token
    }

    #[test]
    fn endpoints_are_found_by_region_interface_and_alias() {
        let token = token();
        let find = |service: Service, region: &str, interface: InterfaceType| {
            token.endpoint(service.types(), &EndpointFilters::new([interface], region)).map(|url| url.to_string())
        };
        assert_eq!(find(Service::Glance, "one", InterfaceType::Public).as_deref(), Some("http://one/"));
        assert_eq!(find(Service::Glance, "one", InterfaceType::Internal).as_deref(), Some("http://internal/"));
        assert_eq!(find(Service::Glance, "three", InterfaceType::Public), None);
        assert_eq!(find(Service::Cinder, "one", InterfaceType::Public).as_deref(), Some("http://vol/v3/p1"));
        assert_eq!(find(Service::Nova, "one", InterfaceType::Public), None);
        let regions = token.regions_of(Service::Glance, InterfaceType::Public);
        assert_eq!(regions.into_iter().collect::<Vec<_>>(), ["one", "two"]);
    }
}
