//! Faults on demand.
//!
//! The problem: what matters about a client of a cloud is what it does when an answer is lost, a token dies or somebody
//! gets in between. The idea: a [`Fault`] says which request it is about and what happens to it. Faults are asked in the
//! order in which they were injected, and the first one whose turn it is decides. A seeded random fault is an ordinary
//! one that somebody else has chosen.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use globset::{Glob, GlobMatcher};

use super::world::{Service, World};

/// What happens to a request.
#[derive(Clone)]
pub enum Effect {
    /// Answered with this status, not performed. With `Retry-After`, in seconds, where given.
    Status(u16, Option<u64>),
    /// Performed, and then answered with this status.
    StatusAfter(u16),
    /// The connection is reset; nothing was performed.
    ResetBefore,
    /// Performed, and then the connection is reset: the answer is lost.
    ResetAfter,
    /// Performed after a while.
    Delay(Duration),
    /// Performed, and then answered with something that is no JSON.
    MalformedJson,
    /// Performed; half of the answer is sent, and the connection is reset.
    HalfBody,
    /// Not performed: the token has just been revoked.
    RevokedToken,
    /// Performed, after somebody else has done this.
    Meanwhile(Arc<dyn Fn(&mut World) + Send + Sync>),
}

impl fmt::Debug for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status, after) => write!(formatter, "Status({status}, {after:?})"),
            Self::StatusAfter(status) => write!(formatter, "StatusAfter({status})"),
            Self::ResetBefore => formatter.write_str("ResetBefore"),
            Self::ResetAfter => formatter.write_str("ResetAfter"),
            Self::Delay(duration) => write!(formatter, "Delay({duration:?})"),
            Self::MalformedJson => formatter.write_str("MalformedJson"),
            Self::HalfBody => formatter.write_str("HalfBody"),
            Self::RevokedToken => formatter.write_str("RevokedToken"),
            Self::Meanwhile(_) => formatter.write_str("Meanwhile"),
        }
    }
}

/// Which request an effect is for, and which effect.
#[derive(Debug, Clone)]
pub struct Fault {
    effect: Effect,
    service: Option<Service>,
    method: Option<String>,
    path: Option<GlobMatcher>,
    skip: usize,
    times: usize,
}

impl Fault {
    /// Happens to the next request of all; the methods below narrow it down.
    pub fn new(effect: Effect) -> Self {
        Self { effect, service: None, method: None, path: None, skip: 0, times: 1 }
    }

    /// Only for this service.
    #[must_use]
    pub fn service(self, service: Service) -> Self {
        Self { service: Some(service), ..self }
    }

    /// Only for this method.
    #[must_use]
    pub fn method(self, method: &str) -> Self {
        Self { method: Some(method.to_ascii_uppercase()), ..self }
    }

    /// Only for paths that match this glob; `*` also matches slashes. The query is not looked at.
    ///
    /// # Errors
    /// The text is no glob.
    pub fn path(self, glob: &str) -> anyhow::Result<Self> {
        Ok(Self { path: Some(Glob::new(glob)?.compile_matcher()), ..self })
    }

    /// Happens to the `nth` request that matches, from 1.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        Self { skip: nth.saturating_sub(1), ..self }
    }

    /// Happens to so many matching requests in a row, and then never again.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Happens to every matching request.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    fn matches(&self, service: Service, method: &str, path: &str) -> bool {
        self.service.is_none_or(|wanted| wanted == service)
            && self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path.as_ref().is_none_or(|glob| glob.is_match(path))
    }
}

/// The faults to come.
#[derive(Debug, Default)]
pub(super) struct Faults {
    scheduled: VecDeque<Fault>,
    /// Requests that are still let in; absent: all.
    pub(super) remaining: Option<usize>,
}

impl Faults {
    /// Adds a fault behind the others.
    pub(super) fn inject(&mut self, fault: Fault) {
        self.scheduled.push_back(fault);
    }

    /// Forgets every fault.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What happens to this request.
    pub(super) fn next(&mut self, service: Service, method: &str, path: &str) -> Option<Effect> {
        if let Some(remaining) = &mut self.remaining {
            if *remaining == 0 {
                return Some(Effect::ResetBefore);
            }
            *remaining -= 1;
        }
        for fault in self.scheduled.iter_mut().filter(|fault| fault.matches(service, method, path)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times = if fault.times == usize::MAX { fault.times } else { fault.times - 1 };
                return Some(fault.effect.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_match_and_only_that() {
        let mut faults = Faults::default();
        let fault = Fault::new(Effect::ResetAfter).method("patch").path("/v2/images/*").unwrap().nth(2);
        faults.inject(fault);
        let mut happens = |method, path| faults.next(Service::Image, method, path).is_some();
        assert!(!happens("PATCH", "/v2/images/a"));
        assert!(!happens("GET", "/v2/images/a"));
        assert!(happens("PATCH", "/v2/images/b"));
        assert!(!happens("PATCH", "/v2/images/b"));
    }

    #[test]
    fn after_the_last_request_everything_is_refused() {
        let mut faults = Faults { remaining: Some(1), ..Faults::default() };
        assert!(faults.next(Service::Image, "GET", "/").is_none());
        assert!(matches!(faults.next(Service::Image, "GET", "/"), Some(Effect::ResetBefore)));
        assert!(matches!(faults.next(Service::Compute, "GET", "/"), Some(Effect::ResetBefore)));
    }
}
