//! An apply as a stream of events: one JSON object a line, as it happens.
//!
//! The problem: a program that follows an apply must learn how it ended whatever ended it, and Terraform's stream simply
//! stops when a run fails. The idea: every line has a type and a time, and the address where it is about an image; and
//! the last line is always a summary, which the stream can write at any moment because it counts what it has told. What
//! this does not solve: a process that is killed writes no last line, and so a stream without one tells just that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::document::{Action, Document};
use super::escape::json;
use crate::apply::event::Event;
use crate::apply::machine::Outcome;
use crate::model::image::words;
use crate::model::name::{Address, SiteName};
use crate::model::operation::Verb;

/// The JSON Schema of one line (draft 2020-12).
pub const EVENTS_SCHEMA: &str = include_str!("schema/events.schema.json");
/// The name and version of the form.
const SCHEMA: &str = "urn:gallerist:schema:events:1";
/// A transfer is mentioned no more often than this.
const MENTION_SECONDS: i64 = 1;

words!(
    /// How a run ended, as its last line says.
    Status {
        /// Everything was done, or there was nothing to do.
        Complete = "complete",
        /// Some of it was done.
        Partial = "partial",
        /// An error; nothing was done.
        Failed = "failed",
        /// A guard refused the plan.
        Refused = "refused",
        /// The cloud, or the plan, is not what was expected.
        Stale = "stale",
        /// Another apply holds the lock.
        Locked = "locked",
        /// Nobody approved it.
        NotApproved = "not_approved",
        /// A signal ended it.
        Interrupted = "interrupted",
    }
);

/// The lines of one run, and what they have told so far.
#[derive(Debug)]
pub struct Stream {
    begun: Timestamp,
    plan_id: Option<String>,
    told: Told,
    running: BTreeMap<(Address, SiteName), Timestamp>,
    mentioned: BTreeMap<Address, Timestamp>,
}

/// What became of the operations of the plan, as far as it was told.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Told {
    planned: usize,
    created: usize,
    updated: usize,
    deleted: usize,
    kept: usize,
    failed: usize,
    not_done: usize,
}

#[derive(Serialize)]
struct Stamped<'a> {
    time: Timestamp,
    #[serde(flatten)]
    line: Line<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    Version {
        schema: &'static str,
        version: &'static str,
    },
    PlannedChange {
        address: &'a str,
        site: &'a str,
        action: Action,
        action_reason: &'a str,
        reasons: &'a [String],
    },
    PlannedHold {
        address: &'a str,
        site: &'a str,
        operation: Action,
        because: &'a str,
        detail: &'a str,
    },
    Plan {
        plan_id: &'a str,
        create: usize,
        update: usize,
        delete: usize,
        held: usize,
        blocked: bool,
    },
    ApplyStart {
        address: String,
        site: &'a str,
        action: Action,
    },
    ApplyProgress {
        address: String,
        bytes_done: u64,
        bytes_total: Option<u64>,
    },
    ApplyComplete {
        address: String,
        site: &'a str,
        action: Action,
        seconds: i64,
        remark: Option<&'a str>,
    },
    ApplyErrored {
        address: String,
        site: &'a str,
        action: Action,
        seconds: i64,
        error: &'a str,
    },
    ApplyKept {
        address: String,
        site: &'a str,
        action: Action,
        seconds: i64,
        because: &'a str,
    },
    ApplySkipped {
        address: String,
        site: &'a str,
        action: Action,
        because: &'a str,
    },
    Diagnostic {
        severity: &'static str,
        detail: &'a str,
    },
    Summary {
        status: &'static str,
        exit: u8,
        plan_id: Option<&'a str>,
        #[serde(flatten)]
        told: Told,
        seconds: i64,
    },
}

impl Stream {
    /// A stream, and its first line.
    pub fn begin(now: Timestamp) -> (Self, String) {
        let stream = Self {
            begun: now,
            plan_id: None,
            told: Told::default(),
            running: BTreeMap::new(),
            mentioned: BTreeMap::new(),
        };
        (stream, written(now, Line::Version { schema: SCHEMA, version: env!("CARGO_PKG_VERSION") }))
    }

    /// The lines for a plan: every operation, every hold, and the numbers.
    pub fn plan(&mut self, document: &Document, now: Timestamp) -> String {
        let body = &document.gallerist;
        self.plan_id = Some(body.plan_id.clone());
        self.told.planned = document.resource_changes.len();
        let changes = document.resource_changes.iter().map(|change| Line::PlannedChange {
            address: &change.address,
            site: &change.gallerist.site,
            action: change.action(),
            action_reason: &change.action_reason,
            reasons: &change.gallerist.reasons,
        });
        let holds = body.holds.iter().map(|hold| Line::PlannedHold {
            address: &hold.address,
            site: &hold.site,
            operation: hold.operation,
            because: &hold.because,
            detail: &hold.detail,
        });
        let numbers = Line::Plan {
            plan_id: &body.plan_id,
            create: body.summary.create,
            update: body.summary.update,
            delete: body.summary.delete,
            held: body.summary.held,
            blocked: body.blocked,
        };
        changes.chain(holds).chain([numbers]).map(|line| written(now, line)).collect()
    }

    /// The lines for something that has happened.
    pub fn event(&mut self, event: &Event, now: Timestamp) -> String {
        match event {
            Event::Started { address, site, verb } => {
                self.running.insert((address.clone(), site.clone()), now);
                let action = Action::from(*verb);
                written(now, Line::ApplyStart { address: address.to_string(), site: site.as_str(), action })
            }
            Event::Progress { addresses, done, total } => {
                let due: Vec<_> = addresses.iter().filter(|address| self.is_due(address, now)).collect();
                let line = |address: &Address| {
                    let address = address.to_string();
                    written(now, Line::ApplyProgress { address, bytes_done: *done, bytes_total: *total })
                };
                let lines = due.iter().map(|address| line(address)).collect();
                self.mentioned.extend(due.into_iter().map(|address| (address.clone(), now)));
                lines
            }
            Event::Finished { address, site, verb, outcome } => self.finished(address, site, *verb, outcome, now),
        }
    }

    fn is_due(&self, address: &Address, now: Timestamp) -> bool {
        self.mentioned.get(address).is_none_or(|last| seconds(*last, now) >= MENTION_SECONDS)
    }

    fn finished(
        &mut self,
        address: &Address,
        site: &SiteName,
        verb: Verb,
        outcome: &Outcome,
        now: Timestamp,
    ) -> String {
        let begun = self.running.remove(&(address.clone(), site.clone())).unwrap_or(now);
        let (seconds, action, address, site) =
            (seconds(begun, now), Action::from(verb), address.to_string(), site.as_str());
        let told = &mut self.told;
        let (count, line) = match outcome {
            Outcome::Done(remark) => {
                let count = match verb {
                    Verb::Create => &mut told.created,
                    Verb::Update => &mut told.updated,
                    Verb::Delete => &mut told.deleted,
                };
                (Some(count), Line::ApplyComplete { address, site, action, seconds, remark: remark.as_deref() })
            }
            Outcome::Failed(failure) => {
                (Some(&mut told.failed), Line::ApplyErrored { address, site, action, seconds, error: &failure.message })
            }
            Outcome::Stale(why) => {
                (Some(&mut told.failed), Line::ApplyErrored { address, site, action, seconds, error: why })
            }
            Outcome::Kept(_, because) => {
                (Some(&mut told.kept), Line::ApplyKept { address, site, action, seconds, because })
            }
            Outcome::Skipped(because) => (None, Line::ApplySkipped { address, site, action, because }),
            // Half way: its step ends with the hand-over.
            Outcome::Staged(..) => return String::new(),
        };
        if let Some(count) = count {
            *count += 1;
        }
        written(now, line)
    }

    /// The last lines: what is to be said of the end, and the summary.
    pub fn end(&self, status: Status, exit: u8, message: Option<&str>, now: Timestamp) -> String {
        let Told { planned, created, updated, deleted, kept, failed, .. } = self.told;
        let not_done = planned.saturating_sub(created + updated + deleted + kept + failed);
        let summary = Line::Summary {
            status: status.name(),
            exit,
            plan_id: self.plan_id.as_deref(),
            told: Told { not_done, ..self.told },
            seconds: seconds(self.begun, now),
        };
        let diagnostic = message.map(|detail| written(now, Line::Diagnostic { severity: "error", detail }));
        diagnostic.unwrap_or_default() + &written(now, summary)
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

fn written(time: Timestamp, line: Line<'_>) -> String {
    let text = serde_json::to_string(&Stamped { time, line }).expect("a line is made of texts, numbers and flags");
    format!("{}\n", json(&text))
}

#[cfg(test)]
pub(super) mod tests;
