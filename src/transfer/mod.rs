//! The bytes: download → verify → decompress → inspect → upload, in one pass.
//!
//! One download feeds every site that needs the version; nothing touches a disk (save for a conversion, `convert`), and memory does not grow with the
//! image. The last block stays here until sizes, digests and the header have proved right, so whatever is wrong with
//! a mirror, no site ever holds a complete image that is not the published one.
//!
//! ```text
//! Source ──▶ decoder thread ──▶ lanes ──▶ Sink (one a site)
//!  resume     digest as published  │ └───▶ Sink
//!             decompress           ├─▶ SHA-256 thread
//!             inspect the header   └─▶ SHA-512 thread
//! ```
//!
//! This room refuses to know what a cloud is (a [`Sink`] takes a body and says how it went), what a family or a plan
//! is, and who vouches for the digests it compares.
//!
//! To add a compression: an arm in `decode.rs`. To add a disk format: a file in `inspect/` and an arm in its inspector.

mod body;
mod client;
mod convert;
mod decode;
mod deliver;
mod digesting;
mod download;
mod error;
pub mod inspect;
mod lanes;
mod witness;

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::digest::Digests;
use crate::model::version::{Compression, DiskFormat, Origin};

pub use body::Body;
pub use client::client;
pub use convert::{deliver_raw, find_qemu_img};
pub use deliver::deliver;
pub use digesting::{digest_file, digest_stream};

pub use error::{Stage, TransferError};

/// Most bytes of one block: what Glance behind uWSGI takes as one HTTP chunk, with room to spare (it refuses 1 MiB).
pub const BLOCK: usize = 256 * 1024;

const GIBIBYTE: u64 = 1 << 30;

/// What is to be delivered, and what must be true of it.
#[derive(Debug, Clone)]
pub struct Consignment {
    /// Where the bytes are.
    pub origin: Origin,
    /// Digests of the bytes as published. All of them are compared.
    pub published: Digests,
    /// Digests of the bytes after decompression, where the publisher states them. All of them are compared.
    pub stored: Option<Digests>,
    /// How many bytes are published, where that is known.
    pub size: Option<u64>,
    /// How the published bytes are compressed.
    pub compression: Compression,
    /// What the bytes must be once decompressed.
    pub disk_format: DiskFormat,
    /// GiB that the virtual size must fit in.
    pub min_disk: Option<u64>,
    /// Who else has to see the published bytes and agree, where there is somebody.
    pub witness: Option<Arc<dyn Witness>>,
    /// How much, how long, how often.
    pub limits: Limits,
}

/// Bounds of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes to take, both as published and after decompression. What stops a decompression bomb.
    pub bytes: u64,
    /// Longest silence of the mirror before the connection counts as broken, and of a site before it is left behind.
    pub stall: Duration,
    /// Longest time a site may think about an image after its last block.
    pub answer: Duration,
    /// Attempts to go on after a failure that may pass. Progress earns new ones.
    pub retries: usize,
    /// Wait before the first of these attempts; it doubles with each. A mirror's `Retry-After` is honoured up to
    /// `stall`.
    pub backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 100 * GIBIBYTE,
            stall: Duration::from_mins(1),
            answer: Duration::from_mins(10),
            retries: 5,
            backoff: Duration::from_secs(1),
        }
    }
}

/// Somebody who judges published bytes by more than their digests.
pub trait Witness: Debug + Send + Sync {
    /// Reads all published bytes and says whether they may go on. It runs on a thread of its own and may block.
    ///
    /// # Errors
    /// They may not; a sentence that says why.
    fn judge(&self, published: &mut dyn Read) -> Result<(), String>;
}

/// A place that images are delivered to.
#[async_trait]
pub trait Sink: Send + Sync {
    /// What messages call it.
    fn name(&self) -> String;

    /// Stores everything that `body` yields, `length` bytes where that is known beforehand.
    ///
    /// # Errors
    /// The place did not take it. A body that ends with an error must fail here as well: it was broken off, and what
    /// has arrived is not an image.
    async fn store(&self, body: Body, length: Option<u64>) -> anyhow::Result<()>;
}

/// What happens during a delivery, for whoever watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The download has come this far.
    Received {
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all, where that is known.
        total: Option<u64>,
    },
    /// The download failed in a way that may pass, and is tried again.
    Retrying {
        /// What happened.
        because: String,
        /// The wait before the next attempt.
        delay: Duration,
    },
}

/// A verified image, and where it has arrived.
#[derive(Debug)]
pub struct Delivered {
    /// SHA-256 and SHA-512 of the bytes as stored.
    pub stored: Digests,
    /// How many bytes are stored.
    pub size: u64,
    /// The size of the disk that a guest sees, in bytes.
    pub virtual_size: u64,
    /// What each sink said, in the order in which they were given.
    pub sinks: Vec<anyhow::Result<()>>,
}

impl Delivered {
    /// The smallest disk that holds the image, in GiB.
    pub const fn min_disk(&self) -> u64 {
        self.virtual_size.div_ceil(GIBIBYTE)
    }
}
