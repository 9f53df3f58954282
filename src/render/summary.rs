//! What is said when an apply is over, however it ended.
//!
//! The problem: who is called at night because a run failed must know what was done, what was not, and whether the
//! catalogue is safe. The idea: every run ends in the same few lines, and they say what to do next. Where everything
//! was done, there is one.

use std::time::Duration;

use super::document::Action;
use super::escape::terminal;

/// What became of the operations of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Done: what, and to which address.
    pub done: Vec<(Action, String)>,
    /// Deletions that were taken back because somebody began to use the image: address and reason.
    pub kept: Vec<(String, String)>,
    /// Failed: address and error.
    pub failed: Vec<(String, String)>,
    /// Not started: address, and why; nothing where the run was over before its turn.
    pub waiting: Vec<(String, Option<String>)>,
    /// Whether somebody ended the run.
    pub interruption: Interruption,
    /// How long it took.
    pub elapsed: Duration,
}

/// Whether somebody ended a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Interruption {
    /// Nobody did.
    #[default]
    None,
    /// By a signal.
    Interrupted,
}

/// The lines to end a run with. Ends in a newline.
pub fn summary(outcome: &Outcome) -> String {
    let Outcome { done, kept, failed, waiting, interruption, elapsed } = outcome;
    let total = done.len() + kept.len() + failed.len() + waiting.len();
    let of = |action| done.iter().filter(|(what, _)| *what == action).count();
    let ended = match interruption {
        Interruption::Interrupted => Some("interrupted"),
        Interruption::None if failed.is_empty() && waiting.is_empty() => None,
        Interruption::None => Some("incomplete"),
    };
    let mut lines = Vec::new();
    if let Some(ended) = ended {
        let counts =
            [(done.len(), "done"), (kept.len(), "kept"), (failed.len(), "failed"), (waiting.len(), "not started")];
        let counts: Vec<_> = counts
            .into_iter()
            .enumerate()
            .filter(|(rank, (number, _))| *rank == 0 || *number > 0)
            .map(
                |(rank, (number, word))| {
                    if rank == 0 { format!("{number} of {total} {word}") } else { format!("{number} {word}") }
                },
            )
            .collect();
        lines.push(format!("Apply {ended}: {}.   {}", counts.join(", "), duration(*elapsed)));
        if !done.is_empty() {
            let addresses: Vec<_> = done.iter().map(|(_, address)| terminal(address)).collect();
            lines.push(format!("  done     {}", addresses.join(", ")));
        }
    } else {
        lines.push(format!(
            "Apply complete! Resources: {} added, {} changed, {} destroyed.   {}",
            of(Action::Create),
            of(Action::Update),
            of(Action::Delete),
            duration(*elapsed)
        ));
    }
    lines.extend(kept.iter().map(|(address, why)| format!("  kept     {}: {}", terminal(address), terminal(why))));
    lines.extend(failed.iter().map(|(address, why)| format!("  failed   {}: {}", terminal(address), terminal(why))));
    lines.extend(waiting.iter().map(|(address, needs)| {
        let needs = needs.as_deref().map(|needs| format!(": {}", terminal(needs))).unwrap_or_default();
        format!("  waiting  {}{needs}", terminal(address))
    }));
    if ended.is_some() {
        lines.push("Run `gallerist apply` again: what is done is not done twice.".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// `4s`, `1m 04s`, `2h 03m`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600.. => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::escape::tests::hostile;

    fn text(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn a_run_that_did_everything_says_so_in_one_line() {
        let outcome = Outcome {
            done: vec![
                (Action::Create, text("ubuntu-24.04/20261118")),
                (Action::Update, text("ubuntu-24.04/20261015")),
                (Action::Delete, text("ubuntu-24.04/20260807")),
            ],
            elapsed: Duration::from_secs(64),
            ..Outcome::default()
        };
        assert_eq!(summary(&outcome), "Apply complete! Resources: 1 added, 1 changed, 1 destroyed.   1m 04s\n");
    }

    #[test]
    fn a_run_that_failed_says_what_was_done_and_what_was_not() {
        let mut outcome = Outcome {
            done: vec![(Action::Update, text("debian-12/1")), (Action::Update, text("alpine/2"))],
            kept: vec![(text("rocky-9/1"), text("a server was made from it"))],
            failed: vec![(text("ubuntu-24.04/2"), text("the digest differs"))],
            waiting: vec![
                (text("ubuntu-24.04/1"), Some(text("ubuntu-24.04/2 was not created"))),
                (text("flatcar/3"), None),
            ],
            interruption: Interruption::None,
            elapsed: Duration::from_secs(4),
        };
        insta::assert_snapshot!(summary(&outcome), @r#"
        Apply incomplete: 2 of 6 done, 1 kept, 1 failed, 2 not started.   4s
          done     debian-12/1, alpine/2
          kept     rocky-9/1: a server was made from it
          failed   ubuntu-24.04/2: the digest differs
          waiting  ubuntu-24.04/1: ubuntu-24.04/2 was not created
          waiting  flatcar/3
        Run `gallerist apply` again: what is done is not done twice.
        "#);
        outcome.interruption = Interruption::Interrupted;
        assert!(summary(&outcome).starts_with("Apply interrupted: 2 of 6 done,"));
    }

    #[test]
    fn errors_cannot_forge_lines() {
        for name in hostile() {
            let outcome = Outcome { failed: vec![(name.clone(), name.clone())], ..Outcome::default() };
            assert_eq!(summary(&outcome).lines().count(), 3, "{name:?}");
        }
    }

    #[test]
    fn times_are_told_in_two_units() {
        for (seconds, told) in [(0, "0s"), (59, "59s"), (60, "1m 00s"), (3_599, "59m 59s"), (7_380, "2h 03m")] {
            assert_eq!(duration(Duration::from_secs(seconds)), told);
        }
    }
}
