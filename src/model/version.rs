//! A version: one upstream build, exact to its digest.
//!
//! A version never says "latest". Whoever resolved it has already decided what is newest, so that a plan made from it
//! leaves nothing to be looked up when it is applied.

use std::fmt;
use std::path::PathBuf;

use jiff::civil::Date;

use super::digest::Digests;
use super::name::VersionName;

/// One upstream build of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The publisher's word for it.
    pub name: VersionName,
    /// Where the bytes are.
    pub origin: Origin,
    /// Digests of the bytes as published, compressed where they are.
    pub published: Digests,
    /// Digests of the bytes as Glance will hold them, where the publisher states those too. Without compression they
    /// are the published ones.
    pub stored: Option<Digests>,
    /// How many bytes are published, where that is known.
    pub size: Option<u64>,
    /// How the published bytes are compressed.
    pub compression: Compression,
    /// What the bytes are once decompressed.
    pub disk_format: DiskFormat,
    /// The day the publisher built it, where that is known.
    pub built: Option<Date>,
    /// What vouches for the digests.
    pub trust: Trust,
    /// The publisher's signature over the published bytes, where it has one and signs no digests.
    pub signature: Option<DetachedSignature>,
    /// Where the publisher lists the packages inside, if anywhere.
    pub packages: Option<PackageList>,
}

impl Version {
    /// What Glance must hold in the end, as far as it is known before the bytes were seen.
    pub fn stored_digests(&self) -> Option<&Digests> {
        match self.compression {
            Compression::None => Some(&self.published),
            Compression::Xz | Compression::Bzip2 | Compression::Gzip | Compression::Zstd => self.stored.as_ref(),
        }
    }

    /// What vouches for the bytes in the end: the signature over them, else whatever vouches for their digests.
    pub fn assurance(&self) -> Trust {
        match &self.signature {
            Some(DetachedSignature { fingerprint, .. }) => Trust::Signed { fingerprint: fingerprint.clone() },
            None => self.trust.clone(),
        }
    }
}

/// A signature over published bytes, in a file of its own: all that is needed to check it once the bytes have passed.
/// That its key is the publisher's and may sign has been seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachedSignature {
    /// The primary key's full fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// The OpenPGP signature, armored.
    pub signature: String,
    /// The OpenPGP key that must have made it, armored.
    pub key: String,
}

/// Where the bytes of a version are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An exact URL, never a moving one.
    Url(String),
    /// A file on the machine that runs gallerist.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => formatter.write_str(url),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// How published bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// `.xz`
    Xz,
    /// `.bz2`
    Bzip2,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::None, Self::Xz, Self::Bzip2, Self::Gzip, Self::Zstd];

    /// The word for it in images.toml and images.lock.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Xz => "xz",
            Self::Bzip2 => "bz2",
            Self::Gzip => "gz",
            Self::Zstd => "zstd",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| compression.name() == name)
    }

    /// What the end of a file's name says.
    pub fn from_file_name(name: &str) -> Self {
        let ends = |ending: &str| name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending);
        if ends(".xz") {
            Self::Xz
        } else if ends(".bz2") {
            Self::Bzip2
        } else if ends(".gz") {
            Self::Gzip
        } else if ends(".zst") || ends(".zstd") {
            Self::Zstd
        } else {
            Self::None
        }
    }
}

/// The disk formats that gallerist can recognise from their first bytes. The words are Glance's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskFormat {
    /// QEMU copy-on-write, version 2 or 3.
    Qcow2,
    /// A plain disk.
    Raw,
    /// VMware.
    Vmdk,
    /// Hyper-V, fixed or dynamic.
    Vhd,
    /// An optical disc.
    Iso,
}

impl DiskFormat {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Qcow2, Self::Raw, Self::Vmdk, Self::Vhd, Self::Iso];

    /// Glance's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Iso => "iso",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What vouches for a version's digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// A signature by the key with this fingerprint.
    Signed {
        /// The primary key's full fingerprint, upper-case hexadecimal.
        fingerprint: String,
    },
    /// Nothing but the TLS connection to the publisher.
    Https,
    /// The digest written in images.toml, which people reviewed.
    Declared,
    /// A file on this machine; its digest is that of the bytes found there.
    Local,
    /// Nothing: metadata over plain HTTP, allowed explicitly.
    Unverified,
}

impl fmt::Display for Trust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed { fingerprint } => write!(formatter, "signed:{fingerprint}"),
            Self::Https => formatter.write_str("https"),
            Self::Declared => formatter.write_str("declared"),
            Self::Local => formatter.write_str("local"),
            Self::Unverified => formatter.write_str("none"),
        }
    }
}

/// Where a publisher lists the packages inside an image, and in which dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageList {
    /// The list's exact URL.
    pub url: String,
    /// How to read it.
    pub dialect: PackageDialect,
}

/// The dialects of package lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageDialect {
    /// Ubuntu's `.manifest`: `name<TAB>version` a line.
    UbuntuManifest,
    /// Debian's build JSON: `data.packages[]` with `name` and `version`.
    DebianBuild,
    /// Flatcar's `_packages.txt`: `category/name-version::repository` a line.
    FlatcarPackages,
}
