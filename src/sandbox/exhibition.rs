//! Nine families to show: small images under the names of the mission's distributions.
//!
//! Each image is a valid qcow2 of a few KiB whose first sector says what it stands for. The mirror serves them under
//! exact addresses; [`Exhibition::images_toml`] names those with their digests, as an operator's own file would.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{World, image};

/// A family of the exhibition.
struct Exhibit {
    family: &'static str,
    title: &'static str,
    distro: &'static str,
    release: &'static str,
    /// GiB of the disk inside.
    disk: u64,
    /// Its versions, oldest first.
    versions: &'static [&'static str],
}

const EXHIBITS: [Exhibit; 9] = [
    Exhibit {
        family: "ubuntu-24.04",
        title: "Ubuntu 24.04 Noble Numbat",
        distro: "ubuntu",
        release: "24.04",
        disk: 4,
        versions: &["20261015", "20261118"],
    },
    Exhibit {
        family: "ubuntu-22.04",
        title: "Ubuntu 22.04 Jammy Jellyfish",
        distro: "ubuntu",
        release: "22.04",
        disk: 3,
        versions: &["20261102"],
    },
    Exhibit {
        family: "ubuntu-minimal-24.04",
        title: "Ubuntu Minimal 24.04",
        distro: "ubuntu",
        release: "24.04",
        disk: 4,
        versions: &["20261016"],
    },
    Exhibit {
        family: "ubuntu-minimal-22.04",
        title: "Ubuntu Minimal 22.04",
        distro: "ubuntu",
        release: "22.04",
        disk: 3,
        versions: &["20261103"],
    },
    Exhibit {
        family: "debian-12",
        title: "Debian 12 Bookworm",
        distro: "debian",
        release: "12",
        disk: 3,
        versions: &["20261013-2601", "20261117-2637"],
    },
    Exhibit {
        family: "debian-11",
        title: "Debian 11 Bullseye",
        distro: "debian",
        release: "11",
        disk: 2,
        versions: &["20260707-2532"],
    },
    Exhibit {
        family: "fedora-coreos",
        title: "Fedora CoreOS stable",
        distro: "fedora-coreos",
        release: "44",
        disk: 10,
        versions: &["44.20261101.3.0"],
    },
    Exhibit {
        family: "rocky-9",
        title: "Rocky Linux 9",
        distro: "rocky",
        release: "9",
        disk: 10,
        versions: &["9.8-20260525.0"],
    },
    Exhibit {
        family: "flatcar",
        title: "Flatcar Container Linux",
        distro: "flatcar",
        release: "stable",
        disk: 13,
        versions: &["4593.2.5"],
    },
];

/// How many versions each publisher has brought out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// One of each family.
    First,
    /// A newer one of those families that have one.
    Second,
}

/// The exhibition in one of its editions.
#[derive(Debug, Clone, Copy)]
pub struct Exhibition {
    edition: Edition,
}

impl Exhibition {
    /// The exhibition in that edition.
    pub const fn new(edition: Edition) -> Self {
        Self { edition }
    }

    /// How many families it has.
    pub const fn families(self) -> usize {
        EXHIBITS.len()
    }

    /// Puts its images onto the mirror.
    pub fn publish(self, world: &mut World) {
        for exhibit in &EXHIBITS {
            world.publish(&self.path(exhibit), self.bytes(exhibit));
        }
    }

    /// The file that describes it, for a mirror at that address.
    pub fn images_toml(self, mirror: &str) -> String {
        let mut file = String::from(
            "[catalogue]\nname = \"demo\"\n\n[defaults.properties]\nhw_disk_bus = \"scsi\"\nhw_scsi_model = \"virtio-scsi\"\n\
             hw_qemu_guest_agent = true\n",
        );
        for exhibit in &EXHIBITS {
            let Exhibit { family, title, distro, release, disk: _, versions: _ } = exhibit;
            let (version, path) = (self.version(exhibit), self.path(exhibit));
            let digest = hex::encode(Sha256::digest(self.bytes(exhibit)));
            // Writing to a string cannot fail.
            let _ = write!(
                file,
                "\n[[image]]\nfamily = \"{family}\"\nname = \"{title}\"\nsource = {{ url = \"{mirror}/{path}\", version = \
                 \"{version}\", sha256 = \"{digest}\" }}\nmin_ram = 512\n[image.properties]\nos_distro = \
                 \"{distro}\"\nos_version = \"{release}\"\n"
            );
        }
        file
    }

    fn version(self, exhibit: &Exhibit) -> &'static str {
        let newest = match self.edition {
            Edition::First => 0,
            Edition::Second => exhibit.versions.len() - 1,
        };
        exhibit.versions[newest]
    }

    fn path(self, exhibit: &Exhibit) -> String {
        let version = self.version(exhibit);
        format!("{}/{version}/{}-{version}.qcow2", exhibit.distro, exhibit.family)
    }

    fn bytes(self, exhibit: &Exhibit) -> Vec<u8> {
        let label = format!("{} {}\n", exhibit.title, self.version(exhibit));
        image::qcow2(exhibit.disk << 30, label.as_bytes())
    }
}
