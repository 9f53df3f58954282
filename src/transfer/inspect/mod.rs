//! What a disk image says about itself, before anybody boots it.
//!
//! An image is foreign data that a hypervisor will open with its own code and rights. A header that names another
//! file makes it read that file (CVE-2015-5163, CVE-2022-47951, CVE-2024-32498 are three times this mistake in
//! OpenStack). So whatever reaches beyond the bytes that were verified is refused, and so is whatever is not the
//! format it was declared as.
//!
//! Everything is decided from the first 64 KiB and the last 1,536 bytes, whatever the chunks in which they arrive.
//! What this does not do: follow the tables of a format to the end. It says that an image is harmless to open, not
//! that a guest boots from it.
//!
//! To add a format: a file that reads its header, a signature in `signature.rs`, an arm in `inspector.rs`.

mod fields;
mod inspector;
mod qcow2;
mod signature;
mod vhd;
mod vmdk;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::model::version::DiskFormat;

pub use inspector::Inspector;
pub use signature::{Look, recognise};

/// What an image that is not refused says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Its format, which is the declared one.
    pub format: DiskFormat,
    /// Its bytes.
    pub size: u64,
    /// The size of the disk that a guest sees, in bytes.
    pub virtual_size: u64,
}

/// Why an image is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There are no bytes at all.
    Empty,
    /// It is not the format that was declared.
    OtherFormat {
        /// As declared.
        declared: DiskFormat,
        /// What it looks like.
        found: Look,
    },
    /// It needs data from outside of itself.
    Outside {
        /// The format.
        format: DiskFormat,
        /// What it refers to.
        what: String,
    },
    /// Its contents are encrypted.
    Encrypted {
        /// The format.
        format: DiskFormat,
    },
    /// Its header contradicts itself, its format or its size.
    Corrupt {
        /// The format.
        format: DiskFormat,
        /// What is wrong.
        what: String,
    },
    /// It uses something that is not understood here, so nothing can be said about it.
    Unsupported {
        /// The format.
        format: DiskFormat,
        /// What that is.
        what: String,
    },
    /// The disk does not fit into `min_disk`.
    TooLarge {
        /// The size that a guest sees, in bytes; at least this.
        virtual_size: u64,
        /// The bound, in GiB.
        min_disk: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the image is empty"),
            Self::OtherFormat { declared, found } => {
                write!(formatter, "the image is declared as `{}`, but it looks like {found}", declared.name())
            }
            Self::Outside { format, what } => {
                write!(formatter, "the {} image refers to data outside of itself: {what}", format.name())
            }
            Self::Encrypted { format } => write!(formatter, "the {} image is encrypted", format.name()),
            Self::Corrupt { format, what } => write!(formatter, "the {} image is corrupt: {what}", format.name()),
            Self::Unsupported { format, what } => {
                write!(formatter, "the {} image cannot be judged: {what}", format.name())
            }
            Self::TooLarge { virtual_size, min_disk } => write!(
                formatter,
                "the image's disk has {virtual_size} bytes, which do not fit into `min_disk = {min_disk}`: it needs {}",
                virtual_size.div_ceil(1 << 30)
            ),
        }
    }
}

impl std::error::Error for Refusal {}
