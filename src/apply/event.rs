//! What happens while a plan is applied, as it happens. The executor never prints; whoever listens does.

use super::machine::Outcome;
use crate::model::name::{Address, SiteName};
use crate::model::operation::Verb;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step has begun.
    Started {
        /// Which.
        address: Address,
        /// Where.
        site: SiteName,
        /// What it does.
        verb: Verb,
    },
    /// Bytes are moving.
    Progress {
        /// For which steps.
        addresses: Vec<Address>,
        /// Published bytes read so far.
        done: u64,
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// A step has ended.
    Finished {
        /// Which.
        address: Address,
        /// Where.
        site: SiteName,
        /// What it did.
        verb: Verb,
        /// How it ended.
        outcome: Outcome,
    },
}
