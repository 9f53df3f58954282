//! An image as Glance shows it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::name::{ImageId, ProjectId};

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value of that word.
            pub fn from_name(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == word)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.name())
            }
        }
    };
}

pub(crate) use words;

words!(
    /// Who may see an image. Wider is greater.
    Visibility {
        /// The owner's project.
        Private = "private",
        /// The owner's project and its members.
        Shared = "shared",
        /// Everybody who knows the id; nobody's default list.
        Community = "community",
        /// Everybody.
        Public = "public",
    }
);
words!(
    /// Whether Glance refuses to delete an image.
    Protection {
        /// It does not.
        Unprotected = "unprotected",
        /// It does.
        Protected = "protected",
    }
);
words!(
    /// Whether an image is in default listings (`os_hidden`).
    Listing {
        /// It is.
        Listed = "listed",
        /// It is not.
        Hidden = "hidden",
    }
);
words!(
    /// Whether an image can be booted from.
    Status {
        /// A record without bytes yet.
        Queued = "queued",
        /// Bytes are arriving.
        Saving = "saving",
        /// Bytes are staged for an import.
        Uploading = "uploading",
        /// An import is running.
        Importing = "importing",
        /// Usable.
        Active = "active",
        /// No new server or volume can be made from it.
        Deactivated = "deactivated",
        /// Anything else: `killed`, `deleted`, `pending_delete`, or a word of a later Glance.
        Broken = "broken",
    }
);

impl Protection {
    /// From Glance's `protected`.
    pub const fn from_flag(protected: bool) -> Self {
        if protected { Self::Protected } else { Self::Unprotected }
    }
}

impl Listing {
    /// From Glance's `os_hidden`.
    pub const fn from_flag(hidden: bool) -> Self {
        if hidden { Self::Hidden } else { Self::Listed }
    }
}

/// An image as seen in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// The project that owns it; Glance knows ownerless images.
    pub owner: Option<ProjectId>,
    /// Whether it can be used.
    pub status: Status,
    /// What can be changed about it.
    pub attributes: Attributes,
    /// When the record was made.
    pub created_at: Option<Timestamp>,
    /// Size of the stored bytes.
    pub size: Option<u64>,
    /// Size of the disk inside, in bytes, as Glance read it from the header.
    pub virtual_size: Option<u64>,
    /// Glance's own digest of the stored bytes: algorithm and hexadecimal value. Only to be believed of an image that
    /// is active; after a refused upload Glance leaves the digest of the refused bytes.
    pub hash: Option<(String, String)>,
    /// Glance's word for the disk format.
    pub disk_format: Option<String>,
}

impl Image {
    /// The day, in UTC, on which Glance made the record.
    pub fn recorded_on(&self) -> Option<Date> {
        Some(self.created_at?.to_zoned(TimeZone::UTC).date())
    }
}

/// What can be changed about an image by PATCH.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes {
    /// The name. Glance allows records without one.
    pub name: String,
    /// Who sees it.
    pub visibility: Visibility,
    /// Whether it is protected.
    pub protection: Protection,
    /// Whether it is listed.
    pub listing: Listing,
    /// GiB a flavor's disk must have.
    pub min_disk: u64,
    /// MiB a flavor's memory must have.
    pub min_ram: u64,
    /// Custom properties.
    pub properties: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeSet<String>,
}
