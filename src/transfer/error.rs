//! What can go wrong between a publisher and a site, in words an operator can act upon.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use tokio::task::JoinError;

use super::inspect::{Look, Refusal};
use crate::model::digest::Digest;
use crate::model::version::Compression;

/// Why an image was not delivered. No sink holds it.
#[derive(Debug)]
pub enum TransferError {
    /// The URL is none, or leads to where it may not.
    Unusable {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        because: String,
    },
    /// The mirror could not be asked.
    Unreachable {
        /// What was asked for.
        url: String,
        /// What came between.
        because: String,
    },
    /// The mirror's answer is an error.
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// How long the mirror asks to wait.
        retry_after: Option<Duration>,
    },
    /// The mirror sent a page for people.
    Page {
        /// What was asked for.
        url: String,
    },
    /// The mirror cut the connection or fell silent.
    Interrupted {
        /// What was asked for.
        url: String,
        /// Bytes that had arrived.
        received: u64,
        /// How it ended.
        because: String,
    },
    /// The download broke off, and the mirror would not send the rest of the same file.
    NotResumed {
        /// What was asked for.
        url: String,
        /// Bytes that had arrived.
        received: u64,
        /// What it did instead.
        because: String,
    },
    /// There are not as many bytes as there should be.
    Size {
        /// Where they come from.
        origin: String,
        /// As published.
        expected: u64,
        /// As found; more than this where the rest was not read.
        found: u64,
    },
    /// There are more bytes than there may be.
    TooLarge {
        /// The most there may be.
        limit: u64,
    },
    /// The bytes are not the published ones.
    Digest {
        /// Which bytes.
        stage: Stage,
        /// As published.
        expected: Digest,
        /// As found.
        found: Digest,
    },
    /// The bytes are not vouched for as they should be.
    Disowned {
        /// What the [`Witness`](super::Witness) says.
        because: String,
    },
    /// The bytes cannot be decompressed.
    Damaged {
        /// How they should be compressed.
        compression: Compression,
        /// What the decoder says.
        because: String,
        /// What the bytes look like instead, where that is recognised.
        found: Option<Look>,
    },
    /// The disk image could not be made into another format.
    Conversion {
        /// What came between.
        because: String,
    },
    /// The disk image itself is refused.
    Header(Refusal),
    /// A local file cannot be read.
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Every sink failed, in the order given. Nothing is known of the image.
    Sinks(Vec<anyhow::Error>),
    /// A thread of this process ended before its time.
    Thread(JoinError),
}

/// Which bytes a digest is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// As published, compressed where they are.
    Published,
    /// As stored, after decompression.
    Stored,
}

impl TransferError {
    /// Whether the same delivery may succeed when it is made again, without anything being repaired first. What can
    /// be retried within one delivery has been retried already.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::NotResumed { .. }) || self.may_pass()
    }

    /// Whether the next request may fare better, within the same delivery.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Interrupted { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::Unusable { .. }
            | Self::Page { .. }
            | Self::NotResumed { .. }
            | Self::Size { .. }
            | Self::TooLarge { .. }
            | Self::Digest { .. }
            | Self::Disowned { .. }
            | Self::Damaged { .. }
            | Self::Conversion { .. }
            | Self::Header(_)
            | Self::File { .. }
            | Self::Sinks(_)
            | Self::Thread(_) => false,
        }
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { url, because } => write!(formatter, "`{url}` cannot be used: {because}"),
            Self::Unreachable { url, because } => write!(formatter, "`{url}` cannot be reached: {because}"),
            Self::Status { url, status, .. } => {
                write!(formatter, "`{url}` answered {status}: {}", explain(*status))
            }
            Self::Page { url } => write!(
                formatter,
                "`{url}` answered with an HTML page instead of an image: a login page, or a proxy's error page"
            ),
            Self::Interrupted { url, received, because } => {
                write!(formatter, "the download of `{url}` broke off after {received} bytes: {because}")
            }
            Self::NotResumed { url, received, because } => {
                write!(
                    formatter,
                    "the download of `{url}` broke off after {received} bytes and cannot go on: {because}"
                )
            }
            Self::Size { origin, expected, found } if found > expected => {
                write!(formatter, "`{origin}` has more bytes than the {expected} that were published: at least {found}")
            }
            Self::Size { origin, expected, found } => {
                write!(formatter, "`{origin}` has {found} bytes where {expected} were published")
            }
            Self::TooLarge { limit } => write!(formatter, "the image has more than the {limit} bytes that are allowed"),
            Self::Digest { stage, expected, found } => {
                let bytes = match stage {
                    Stage::Published => "downloaded",
                    Stage::Stored => "decompressed",
                };
                write!(
                    formatter,
                    "the {bytes} bytes are not the published ones: their digest is `{found}`, published is `{expected}`"
                )
            }
            Self::Disowned { because } => write!(formatter, "the downloaded bytes are not to be trusted: {because}"),
            Self::Damaged { compression, because, found } => {
                write!(formatter, "the download cannot be decompressed as `{}`: {because}", compression.name())?;
                match found {
                    Some(found) => write!(formatter, "; it looks like {found}"),
                    None => Ok(()),
                }
            }
            Self::Conversion { because } => write!(formatter, "the image cannot be converted: {because}"),
            Self::Header(refusal) => refusal.fmt(formatter),
            Self::File { path, .. } => write!(formatter, "`{}` cannot be read", path.display()),
            Self::Sinks(errors) => {
                formatter.write_str("no site took the image: ")?;
                for (index, error) in errors.iter().enumerate() {
                    write!(formatter, "{}{error:#}", if index == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
            Self::Thread(_) => formatter.write_str("a thread that worked on the image ended before its time"),
        }
    }
}

impl Error for TransferError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Thread(source) => Some(source),
            Self::Unusable { .. }
            | Self::Unreachable { .. }
            | Self::Status { .. }
            | Self::Page { .. }
            | Self::Interrupted { .. }
            | Self::NotResumed { .. }
            | Self::Size { .. }
            | Self::TooLarge { .. }
            | Self::Digest { .. }
            | Self::Disowned { .. }
            | Self::Damaged { .. }
            | Self::Conversion { .. }
            | Self::Header(_)
            | Self::Sinks(_) => None,
        }
    }
}

fn explain(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "it wants credentials or refuses this client",
        404 | 410 => "the file is not there; publishers remove old builds, look for a newer version or another mirror",
        416 => "it does not have as many bytes as were published",
        429 => "it is asked too often; try again later",
        500..=599 => "the mirror has a failure of its own; try again later or use another mirror",
        _ => "an image was expected",
    }
}

/// An error and everything behind it, on one line.
pub(super) fn whole(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}
