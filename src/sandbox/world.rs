//! The state of the embedded cloud, and what happens in it without a request.
//!
//! The problem: tests and the demonstration have to play the other people of a cloud (tenants who boot servers, a
//! colleague who renames an image, a cell that goes down) without going through HTTP for each. The idea: the services
//! are functions over this one value; HTTP is only a door to it. Whatever a person could do has a method here.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::faults::{Fault, Faults};
use super::identity::{Identity, Project};
use super::mirror::{Behaviour, Mirror};
use super::region::Region;

/// Tells the time in the sandbox.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The services of the embedded cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Keystone.
    Identity,
    /// Glance.
    Image,
    /// Nova.
    Compute,
    /// Cinder.
    BlockStorage,
    /// The publishers' mirror, which is no OpenStack service.
    Mirror,
}

impl Service {
    /// Whether the catalogue has an entry of that type for it.
    pub(super) fn is_called(self, kind: &str) -> bool {
        match self {
            Self::Identity => kind == "identity",
            Self::Image => kind == "image",
            Self::Compute => kind == "compute",
            Self::BlockStorage => kind == "block-storage" || kind == "volumev3",
            Self::Mirror => false,
        }
    }
}

/// Where a service of a region can be reached.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) service: Service,
    pub(super) region: String,
    /// `http://127.0.0.1:4711`.
    pub(super) base: String,
}

/// A request that was made, as tests and benchmarks read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The service asked.
    pub service: Service,
    /// The region asked; that of the first one for services which every region shares.
    pub region: String,
    /// The method, in capitals.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// The status that was sent; absent where the connection was cut, or the answer is still to come.
    pub status: Option<u16>,
}

/// Everything there is.
pub struct World {
    clock: Clock,
    pub(super) identity: Identity,
    regions: BTreeMap<String, Region>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) mirror: Mirror,
    pub(super) faults: Faults,
    log: Vec<LoggedRequest>,
}

impl World {
    pub(super) fn new(
        clock: Clock,
        home: Project,
        regions: BTreeMap<String, Region>,
        endpoints: Vec<Endpoint>,
    ) -> Self {
        Self {
            clock,
            identity: Identity::new(home),
            regions,
            endpoints,
            mirror: Mirror::default(),
            faults: Faults::default(),
            log: Vec::new(),
        }
    }

    /// The time in the sandbox.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A region by its name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn region(&mut self, name: &str) -> anyhow::Result<&mut Region> {
        self.regions.get_mut(name).with_context(|| format!("the sandbox has no region `{name}`"))
    }

    /// The region that a door belongs to.
    pub(super) fn region_of_door(&mut self, name: &str) -> &mut Region {
        self.regions.get_mut(name).expect("doors are only opened for regions that there are, and no region is removed")
    }

    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> &[LoggedRequest] {
        &self.log
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&mut self) {
        self.log.clear();
    }

    /// Every token that would be let in, for whoever must make sure that none is told to anybody.
    pub fn tokens(&self) -> Vec<String> {
        self.identity.token_names().cloned().collect()
    }

    /// Makes every token worthless; whoever goes on must authenticate again.
    pub fn revoke_tokens(&mut self) {
        self.identity.revoke_all();
    }

    /// From now on Keystone says that it is so much later than it is.
    pub fn set_keystone_ahead(&mut self, ahead: SignedDuration) {
        self.identity.ahead = ahead;
    }

    /// Adds a fault behind those that are already waiting.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.inject(fault);
    }

    /// Lets in so many requests more, and then resets every connection: what a client that dies between two requests
    /// has left behind can be looked at.
    pub fn stop_after(&mut self, requests: usize) {
        self.faults.remaining = Some(requests);
    }

    /// Forgets every fault and lets in everybody again.
    pub fn heal(&mut self) {
        self.faults.clear();
    }

    /// Publishes bytes on the mirror, in place of what was there.
    pub fn publish(&mut self, path: &str, bytes: impl Into<Bytes>) {
        self.mirror.publish(path, bytes.into());
    }

    /// What the mirror has under a path, however it behaves there.
    pub fn published(&self, path: &str) -> Option<Bytes> {
        self.mirror.published(path)
    }

    /// Takes a file off the mirror.
    pub fn withdraw(&mut self, path: &str) {
        self.mirror.withdraw(path);
    }

    /// Sets how the mirror answers for a path.
    pub fn behave(&mut self, path: &str, behaviour: Behaviour) {
        self.mirror.behave(path, behaviour);
    }

    /// Where tokens come from.
    pub(super) fn identity_url(&self) -> String {
        let identity = self.endpoints.iter().find(|endpoint| endpoint.service == Service::Identity);
        identity.map(|endpoint| format!("{}/v3", endpoint.base)).unwrap_or_default()
    }

    /// Notes a request and says its number.
    pub(super) fn note_request(&mut self, request: LoggedRequest) -> usize {
        self.log.push(request);
        self.log.len() - 1
    }

    /// Notes what was answered.
    pub(super) fn note_status(&mut self, number: usize, status: u16) {
        // The log may have been forgotten in between.
        if let Some(request) = self.log.get_mut(number) {
            request.status = Some(status);
        }
    }
}
