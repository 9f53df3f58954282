//! The six rotation policies that operators publish: the lifecycles of the shipped examples, as they are read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use gallerist::manifest::{self, FamilySpec};
use gallerist::model::lifecycle::Lifecycle;

/// A rotation policy, by the cloud that publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Wiit,
    Einfra,
    UkCloud,
    Otc,
    Cleura,
    Scs,
}

/// Read once: thousands of worlds are made of them.
static FAMILIES: LazyLock<[FamilySpec; 6]> = LazyLock::new(|| Policy::ALL.map(Policy::read));

impl Policy {
    pub(crate) const ALL: [Self; 6] = [Self::Wiit, Self::Einfra, Self::UkCloud, Self::Otc, Self::Cleura, Self::Scs];

    /// Its file in `examples/`.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Wiit => "wiit.toml",
            Self::Einfra => "e-infra-cz.toml",
            Self::UkCloud => "ukcloud.toml",
            Self::Otc => "otc.toml",
            Self::Cleura => "cleura.toml",
            Self::Scs => "scs.toml",
        }
    }

    pub(crate) fn lifecycle(self) -> Lifecycle {
        self.family().lifecycle.clone()
    }

    /// What the file wants of the latest version beside its name.
    pub(crate) fn properties(self) -> BTreeMap<String, String> {
        self.family().properties.clone()
    }

    fn family(self) -> &'static FamilySpec {
        let place = Self::ALL.iter().position(|policy| *policy == self).expect("every policy is in the list");
        &FAMILIES[place]
    }

    fn read(self) -> FamilySpec {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(self.file());
        let (manifest, warnings) = manifest::load(&path).unwrap_or_else(|mistakes| panic!("{self:?}: {mistakes:?}"));
        assert!(warnings.is_empty(), "{self:?}: {warnings:?}");
        manifest.families.into_values().next().expect("each example has a family")
    }
}
