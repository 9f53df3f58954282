//! What can end a run before its time: Ctrl-C, SIGTERM, and `--timeout`.
//!
//! The problem: a run that holds a lock must not simply die, or people have to free the lock by hand. The idea: whoever
//! holds something waits for its work and for [`Stopper::wait`] at once, and puts things right when the latter comes
//! first. What this does not solve: SIGKILL.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::Stop;
use crate::exit::Exit;

/// Why a run is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// `--timeout`, and how long that was.
    TimedOut(Duration),
}

impl Why {
    /// What is said when a run is stopped in the middle of its work.
    pub(super) fn while_applying(self) -> String {
        let what = match self {
            Self::Interrupted => "Interrupted".to_owned(),
            Self::Terminated => "Asked to end".to_owned(),
            Self::TimedOut(limit) => format!("Not done within {limit:?} (--timeout)"),
        };
        format!("\n{what}: what is under way is brought to a safe point. Ctrl-C stops at once.")
    }

    /// The exit code, where it is this that decides it.
    pub(super) const fn exit(self) -> Option<Exit> {
        match self {
            Self::Interrupted => Some(Exit::Interrupted),
            Self::Terminated => Some(Exit::Terminated),
            Self::TimedOut(_) => None,
        }
    }

    /// The end of a run that was stopped before it changed anything.
    pub(super) fn before_any_change(self) -> Stop {
        match self {
            Self::Interrupted => Stop::new(Exit::Interrupted, "\nInterrupted. Nothing was changed."),
            Self::Terminated => Stop::new(Exit::Terminated, "\nAsked to end. Nothing was changed."),
            Self::TimedOut(limit) => {
                let message = format!("error: not done within {limit:?} (--timeout). Nothing was changed.");
                Stop::new(Exit::Error, message)
            }
        }
    }
}

/// Waits for whatever ends a run before its time.
pub(super) struct Stopper {
    interrupt: Signal,
    terminate: Signal,
    deadline: Option<(Instant, Duration)>,
}

impl Stopper {
    /// From here on signals no longer end the process by themselves.
    ///
    /// # Errors
    /// The system does not let us listen.
    pub(super) fn listen(deadline: Option<(Instant, Duration)>) -> std::io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, deadline })
    }

    /// The next reason to stop. A limit of time is a reason once.
    pub(super) async fn wait(&mut self) -> Why {
        let deadline = self.deadline;
        let late = async {
            match deadline {
                Some((instant, limit)) => {
                    sleep_until(instant).await;
                    limit
                }
                None => std::future::pending().await,
            }
        };
        let why = tokio::select! {
            _ = self.interrupt.recv() => Why::Interrupted,
            _ = self.terminate.recv() => Why::Terminated,
            limit = late => Why::TimedOut(limit),
        };
        if matches!(why, Why::TimedOut(_)) {
            self.deadline = None;
        }
        why
    }
}
