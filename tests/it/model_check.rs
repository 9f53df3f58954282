//! Everything that can happen to two appliers on a very small cloud, tried.
//!
//! Not sampled: every order of steps, tenants, crashes and lost answers within the [`Budget`], on the real machines.
//! Each safety rule is then taken away once, by an environment that makes it void, and must be missed; a check that
//! finds nothing wrong with that would find nothing at all. What is not modelled: reading a cloud takes no time here
//! (the machines read again before they act), and a run does one thing at a time.

use std::io::Write as _;

use stateright::{Checker, Model};

use crate::support::appliers::{Appliers, Lock};
use crate::support::arena::{Budget, Sabotage};

/// Tries everything, and says how many states that were.
fn check(lock: Lock, budget: Budget) -> usize {
    let checker = Appliers::new(lock, budget, Sabotage::Nothing).checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.is_done());
    let states = checker.unique_state_count();
    writeln!(std::io::stderr(), "{states} states, lock {lock:?}, {budget:?}").expect("standard error is there");
    states
}

const QUIET: Budget = Budget { runs: 2, crashes: 0, boots: 1, lost: 0, corrupt: 0 };

#[test]
fn one_run_after_the_other_is_safe_whatever_happens() {
    for budget in [Budget { crashes: 1, lost: 1, ..QUIET }, Budget { corrupt: 1, crashes: 1, boots: 0, ..QUIET }] {
        let states = check(Lock::Honoured, budget);
        assert!(states > 100, "only {states} states");
    }
}

#[test]
fn two_runs_at_once_never_take_the_name_or_show_what_is_wrong() {
    let states = check(Lock::Ignored, QUIET);
    assert!(states > 1_000, "only {states} states");
}

#[test]
fn every_safety_rule_is_needed() {
    for (sabotage, budget, broken) in [
        (Sabotage::StaleSecondQuestion, QUIET, "no rule is broken"),
        (Sabotage::FalseDigest, Budget { corrupt: 1, ..QUIET }, "no rule is broken"),
        (Sabotage::FalseOwner, QUIET, "what is foreign is as it was"),
        (Sabotage::OtherWayRound, QUIET, "no rule is broken"),
    ] {
        let checker = Appliers::new(Lock::Honoured, budget, sabotage).checker().spawn_bfs().join();
        assert!(checker.discovery(broken).is_some(), "{sabotage:?} is not missed");
    }
}
