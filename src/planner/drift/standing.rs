//! Whether a finding is news, known or accepted, and which have gone.
//!
//! A finding is the same as one of the report before if address and class are: what differs may change while it lasts.
//! An acceptance needs a reason and ends on a day; after that day the finding is back as if nobody had accepted it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::drift::{Accepted, Baseline, Finding, Judged, Resolved, State};

/// How each finding stands today.
pub fn judge(findings: Vec<Finding>, accepted: &[Accepted], baseline: Option<&Baseline>, today: Date) -> Vec<Judged> {
    let standing = |finding: Finding| {
        let address = finding.subject.to_string();
        let accepted = accepted
            .iter()
            .filter(|accepted| accepted.class == finding.class && accepted.until >= today)
            .find(|accepted| accepted.address.is_match(&address))
            .cloned();
        let known = baseline.and_then(|baseline| {
            let since = baseline.findings.get(&(address, finding.class))?;
            Some(since.unwrap_or(baseline.checked_on))
        });
        let state = match (&accepted, known) {
            (Some(_), _) => State::Accepted,
            (None, Some(_)) => State::Known,
            (None, None) => State::New,
        };
        Judged { finding, state, since: known.or_else(|| baseline.map(|_| today)), accepted }
    };
    findings.into_iter().map(standing).collect()
}

/// What the report before had found and is no more.
pub fn resolved(judged: &[Judged], baseline: &Baseline) -> Vec<Resolved> {
    let still: BTreeSet<_> =
        judged.iter().map(|Judged { finding, .. }| (finding.subject.to_string(), finding.class)).collect();
    let gone = baseline.findings.iter().filter(|(key, _)| !still.contains(key));
    gone.map(|((address, class), since)| Resolved { address: address.clone(), class: *class, since: *since }).collect()
}
