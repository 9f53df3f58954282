//! Descriptions of worlds, small enough to be drawn, to shrink, and to be read. `draw` draws them, `world` builds them.

use gallerist::model::desired::Audience;
use gallerist::model::image::{Status, Visibility};

use super::policies::Policy;

/// A whole world in few words.
#[derive(Debug, Clone)]
pub(crate) struct WorldSpec {
    pub(crate) families: Vec<FamilySpec>,
    pub(crate) sites: usize,
    /// What becomes of families that have left the file.
    pub(crate) retirement: Policy,
    pub(crate) max_deletes: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct FamilySpec {
    pub(crate) policy: Policy,
    pub(crate) audience: Audience,
    pub(crate) standing: Standing,
    pub(crate) wanted: WantedSpec,
    pub(crate) skip: Option<u8>,
    pub(crate) images: Vec<ImageSpec>,
    pub(crate) foreign: Vec<(usize, Foreign)>,
}

/// What the file says of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Listed,
    Retired,
    /// Its images still bear the family's former name.
    Moved,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum WantedSpec {
    Newest(u8),
    /// The publisher has put other bytes under the version.
    Republished(u8),
    Pinned(u8),
    /// Pinned, and no longer at its publisher.
    OnlyOnCloud(u8),
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct ImageSpec {
    pub(crate) site: usize,
    pub(crate) version: u8,
    pub(crate) part: Part,
    pub(crate) status: Status,
    pub(crate) usage: UsageSpec,
    pub(crate) meddled: Meddled,
}

/// What an image of ours has been so far; days since it was superseded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Staged,
    BootFailed,
    Shown,
    Superseded(u16),
    Condemned(u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageSpec {
    Unasked,
    Nobody,
    Servers,
    Unknown,
    UsedAndUnknown,
}

/// What somebody with an admin's rights has done to an image by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddled {
    No,
    Renamed,
    RenamedToLatest,
    Visibility(Visibility),
    Property,
    /// The mark of what was applied is gone.
    Unsealed,
    /// Neither the mark nor Glance tells when it was uploaded.
    Undated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// A tenant's image that carries our tags and name.
    Impostor(Visibility),
    /// A snapshot that our own project made of a server.
    Snapshot,
    PublicNamesake,
}

impl FamilySpec {
    /// A family of the catalogue as it usually is.
    pub(crate) fn listed(policy: Policy, wanted: WantedSpec, images: Vec<ImageSpec>) -> Self {
        Self {
            policy,
            audience: Audience::Everybody,
            standing: Standing::Listed,
            wanted,
            skip: None,
            images,
            foreign: vec![],
        }
    }

    /// A world of one site in which there is nothing else.
    pub(crate) fn alone(self) -> WorldSpec {
        WorldSpec { sites: 1, retirement: self.policy, max_deletes: None, families: vec![self] }
    }
}
