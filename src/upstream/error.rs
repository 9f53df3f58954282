//! Why a publisher's versions could not be found.

use std::fmt;

use super::fetch::FetchError;
use super::signature::Distrust;
use crate::model::source::LeastTrust;

/// Why a publisher's versions could not be found. It holds the families of that publisher and nothing else.
#[derive(Debug)]
pub enum UpstreamError {
    /// Something could not be read.
    Fetch(FetchError),
    /// Something was read and cannot be understood.
    Unreadable {
        /// Where it was read.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The publisher has no such release, variant or architecture.
    Missing {
        /// What was asked for.
        asked: String,
        /// What the publisher has instead.
        there: Vec<String>,
    },
    /// What images.toml asks for cannot be asked of this publisher.
    Ask(String),
    /// A signature vouches for something else, or for nothing.
    Distrusted {
        /// What should have been signed.
        url: String,
        /// Why its signature does not count.
        distrust: Distrust,
    },
    /// Less vouches for the digests than is accepted.
    TooLittleTrust {
        /// Where the digests are.
        url: String,
        /// What is accepted at least.
        least: LeastTrust,
        /// Why there is not more.
        because: String,
    },
}

impl UpstreamError {
    pub(super) fn unreadable(url: &impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::Unreadable { url: url.to_string(), problem: problem.to_string() }
    }

    pub(super) fn missing(asked: impl Into<String>, there: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut there: Vec<String> = there.into_iter().map(Into::into).collect();
        there.sort();
        there.dedup();
        Self::Missing { asked: asked.into(), there }
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => error.fmt(formatter),
            Self::Unreadable { url, problem } => write!(formatter, "`{url}` cannot be understood: {problem}"),
            Self::Missing { asked, there } if there.is_empty() => write!(formatter, "there is no {asked}"),
            Self::Missing { asked, there } => {
                let shown: Vec<String> =
                    there.iter().take(20).map(|word| format!("`{}`", word.escape_debug())).collect();
                write!(formatter, "there is no {asked}; there is {}", shown.join(", "))
            }
            Self::Ask(problem) => formatter.write_str(problem),
            Self::Distrusted { url, distrust } => write!(formatter, "`{url}` is not to be trusted: {distrust}"),
            Self::TooLittleTrust { url, least, because } => write!(
                formatter,
                "`{url}` is not vouched for as `trust = \"{least}\"` demands: {because}; get a signed copy, or accept \
                 less in the publisher's `trust`"
            ),
        }
    }
}

impl std::error::Error for UpstreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Fetch(error) => error.source(),
            Self::Unreadable { .. }
            | Self::Missing { .. }
            | Self::Ask(_)
            | Self::Distrusted { .. }
            | Self::TooLittleTrust { .. } => None,
        }
    }
}

impl From<FetchError> for UpstreamError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}
