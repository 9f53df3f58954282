//! Whether a finding is news, known or accepted, and which have gone.
//!
//! A finding is the same as one of the report before if address and class are: what differs may change while it lasts.
//! An acceptance needs a reason and ends on a day; after that day the finding is back as if nobody had accepted it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::drift::{Accepted, Baseline, Class, Finding, State};

/// How a finding stands.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// Whether it is news.
    pub state: State,
    /// Since when it is known; nobody knows without a report before.
    pub since: Option<Date>,
    /// What accepts it.
    pub accepted: Option<&'a Accepted>,
}

/// How a finding stands today.
pub fn standing<'a>(
    finding: &Finding,
    accepted: &'a [Accepted],
    baseline: Option<&Baseline>,
    today: Date,
) -> Standing<'a> {
    let address = finding.subject.to_string();
    let accepted = accepted
        .iter()
        .filter(|accepted| accepted.class == finding.class && accepted.until >= today)
        .find(|accepted| accepted.address.is_match(&address));
    let known = baseline.and_then(|baseline| {
        let since = baseline.findings.get(&(address, finding.class))?;
        Some(since.unwrap_or(baseline.checked_on))
    });
    Standing {
        state: match (accepted, known) {
            (Some(_), _) => State::Accepted,
            (None, Some(_)) => State::Known,
            (None, None) => State::New,
        },
        since: known.or_else(|| baseline.map(|_| today)),
        accepted,
    }
}

/// What the report before had found and is no more: addresses and classes.
pub fn resolved<'a>(findings: &[Finding], baseline: &'a Baseline) -> Vec<(&'a str, Class, Option<Date>)> {
    let still: BTreeSet<_> = findings.iter().map(|finding| (finding.subject.to_string(), finding.class)).collect();
    let gone = baseline.findings.iter().filter(|(key, _)| !still.contains(key));
    gone.map(|((address, class), since)| (address.as_str(), *class, *since)).collect()
}
