//! The exit codes, in one place.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error; nothing was changed on the cloud.
    Error,
    /// `plan --detailed-exitcode`: there are changes. `drift`: there is drift.
    Changes,
    /// A guard refused.
    Refused,
    /// The plan is stale, or is not the one that was expected.
    Stale,
    /// Some of the plan was done, some was not.
    Partial,
    /// Another apply holds the lock.
    Locked,
    /// Not approved, or nobody to ask.
    NotApproved,
    /// Wrong use of the command line.
    Usage,
    /// images.toml is not valid.
    Configuration,
    /// Interrupted from the keyboard.
    Interrupted,
    /// Asked to end.
    Terminated,
}

impl Exit {
    /// The number the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Stale => 4,
            Self::Partial => 5,
            Self::Locked => 6,
            Self::NotApproved => 7,
            Self::Usage => 64,
            Self::Configuration => 78,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
