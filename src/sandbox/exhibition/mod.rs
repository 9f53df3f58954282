//! The publishers of the shipped images.toml in small: their layouts, their signatures, and images of a few KiB.
//!
//! What it is for: whoever wants to see the shipped file at work needs publishers that can be reached without a network.
//! Each publisher here writes what its model writes, under the same paths, and signs what its model signs, with a key that
//! is made for the occasion. The mirror serves each under the name of its home host, so that a `mirror` in images.toml
//! and the key's file are all that differs from an operator's own run. What it refuses to know: how any of this is read.
//!
//! To add a publisher: one file with a type that is a `Publisher`, and its line in `PUBLISHERS`.

mod debian;
mod fedora_coreos;
mod flatcar;
mod rocky;
mod signer;
mod ubuntu;

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256, Sha512};

pub use self::signer::Signer;
use super::{World, image};

/// The file whose families are exhibited.
const IMAGES_TOML: &str = include_str!("../../../images.toml");

/// Every publisher, one line each.
const PUBLISHERS: [&dyn Publisher; 6] = [
    &ubuntu::SERVER,
    &ubuntu::MINIMAL,
    &debian::Debian,
    &fedora_coreos::FedoraCoreos,
    &flatcar::Flatcar,
    &rocky::Rocky,
];

/// How many versions the publishers have brought out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// One of each family.
    First,
    /// A newer one as well of those families that have one: Ubuntu 24.04 and Debian 12.
    Second,
}

/// What vouches for a publisher's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouching {
    /// A signature, over their digests or over themselves.
    Signature,
    /// The connection, which on a mirror without TLS is nothing.
    Connection,
}

/// A family that a publisher brings out.
struct Family {
    /// Its name in the shipped images.toml.
    name: &'static str,
    /// The publisher's word for the release.
    release: &'static str,
    /// Its other word, for those who have two.
    codename: &'static str,
    /// MiB of the disk inside.
    disk: u64,
    /// Its versions, oldest first.
    versions: &'static [&'static str],
}

/// A version of a family.
#[derive(Clone, Copy)]
struct Build {
    family: &'static Family,
    version: &'static str,
}

impl Build {
    /// The disk image: what a cloud holds in the end. Most of a small disk is zeros; what is not cannot be compressed, so
    /// that a compressed image, too, is large enough to break in the middle.
    fn disk_image(self) -> Vec<u8> {
        let label = format!("{} {}\n", self.family.name, self.version);
        let noise = (0..NOISE_BLOCKS).flat_map(|block| Sha512::digest(format!("{block} {label}")));
        let content: Vec<u8> = label.bytes().chain(noise).collect();
        image::qcow2(self.family.disk << 20, &content)
    }
}

/// The packages inside, by the names that the publisher has for them. Those of a newer version differ as they would after
/// a month: a kernel, a library, a tool that is new.
fn packages(build: Build, kernel: &'static str, library: &'static str) -> Vec<(&'static str, &'static str)> {
    let newer = build.family.versions.first() != Some(&build.version);
    let mut packages = vec![
        ("bash", "5.2.21"),
        (kernel, if newer { "6.12.57" } else { "6.12.54" }),
        (library, if newer { "3.0.18" } else { "3.0.17" }),
    ];
    packages.extend(newer.then_some(("zstd", "1.5.7")));
    packages
}

/// Blocks of 64 bytes.
const NOISE_BLOCKS: u32 = 100;

/// A file below a publisher's host: its path and what is in it.
type File = (String, Vec<u8>);

/// A publisher of images. Paths are those of its home host, without a slash in front.
trait Publisher: Sync {
    /// Its word in images.toml.
    fn distro(&self) -> &'static str;

    /// The host where it is at home.
    fn host(&self) -> &'static str;

    /// What it brings out.
    fn families(&self) -> &'static [Family];

    /// What vouches for its images.
    fn vouching(&self) -> Vouching;

    /// Where a build's image is.
    fn image(&self, build: Build) -> String;

    /// Where the digest of that image is stated, signed if the publisher signs digests.
    fn list(&self, build: Build) -> String;

    /// The image as it is published.
    ///
    /// # Errors
    /// It cannot be compressed.
    fn published(&self, build: Build) -> anyhow::Result<Vec<u8>> {
        Ok(build.disk_image())
    }

    /// Every file beside the images.
    ///
    /// # Errors
    /// Something cannot be signed or compressed.
    fn files(&self, builds: &[Build], signer: &Signer) -> anyhow::Result<Vec<File>>;
}

fn builds(publisher: &dyn Publisher, edition: Edition) -> Vec<Build> {
    let of_family = |family: &'static Family| {
        let count = match edition {
            Edition::First => 1,
            Edition::Second => family.versions.len(),
        };
        family.versions.iter().take(count).map(move |version| Build { family, version })
    };
    publisher.families().iter().flat_map(of_family).collect()
}

/// One image of the exhibition, to compare with what has become of it. Paths are below the mirror's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// Its publisher's word in images.toml.
    pub distro: &'static str,
    /// What vouches for it.
    pub vouching: Vouching,
    /// Its family in the shipped images.toml.
    pub family: &'static str,
    /// Its publisher's word for the version.
    pub version: &'static str,
    /// Where the mirror has the image.
    pub image: String,
    /// Where the mirror has the list that states its digest.
    pub list: String,
    /// What a cloud should hold of it: the image, decompressed.
    pub stored: Vec<u8>,
}

/// All publishers, with the key they sign with.
pub struct Exhibition {
    signer: Signer,
}

impl Exhibition {
    /// An exhibition with a key of its own.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { signer: Signer::new()? })
    }

    /// The public key, armored: the content of the file that images.toml names.
    pub fn public_key(&self) -> &str {
        self.signer.public_key()
    }

    /// The fingerprint of that key, in upper-case hexadecimal.
    pub fn fingerprint(&self) -> &str {
        self.signer.fingerprint()
    }

    /// Puts everything that the publishers have brought out onto the mirror.
    ///
    /// # Errors
    /// Something cannot be signed or compressed.
    pub fn publish(&self, edition: Edition, world: &mut World) -> anyhow::Result<()> {
        for publisher in PUBLISHERS {
            let builds = builds(publisher, edition);
            let mut files = publisher.files(&builds, &self.signer)?;
            for build in builds {
                files.push((publisher.image(build), publisher.published(build)?));
            }
            for (path, content) in files {
                world.publish(&on_mirror(publisher, &path), content);
            }
        }
        Ok(())
    }

    /// The newest image of each family.
    pub fn newest(edition: Edition) -> Vec<Exhibit> {
        let exhibit = |publisher: &'static dyn Publisher, build: Build| Exhibit {
            distro: publisher.distro(),
            vouching: publisher.vouching(),
            family: build.family.name,
            version: build.version,
            image: on_mirror(publisher, &publisher.image(build)),
            list: on_mirror(publisher, &publisher.list(build)),
            stored: build.disk_image(),
        };
        let mut exhibits: Vec<Exhibit> = Vec::new();
        for publisher in PUBLISHERS {
            for build in builds(publisher, edition) {
                exhibits.retain(|older| older.family != build.family.name);
                exhibits.push(exhibit(publisher, build));
            }
        }
        exhibits
    }

    /// The shipped images.toml for a mirror at that address, with the key in that file. Less than the publisher's own
    /// trust is accepted of those alone who sign nothing, for this mirror has no TLS.
    pub fn images_toml(mirror: &str, key_file: &str) -> String {
        let mut file = IMAGES_TOML.to_owned();
        file.push_str("\n# --- The exhibition: small images in each publisher's layout, on a mirror without TLS ---\n");
        for publisher in PUBLISHERS {
            let trust = match publisher.vouching() {
                Vouching::Signature => format!("keys = [\"{key_file}\"]"),
                Vouching::Connection => "trust = \"none\"".to_owned(),
            };
            let (distro, host) = (publisher.distro(), publisher.host());
            // Writing to a string cannot fail.
            let _ = write!(file, "\n[publisher.{distro}]\nmirror = \"{mirror}/{host}\"\n{trust}\n");
        }
        file
    }
}

fn on_mirror(publisher: &dyn Publisher, path: &str) -> String {
    format!("{}/{path}", publisher.host())
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn sha512(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}

fn md5(bytes: &[u8]) -> String {
    hex::encode(md5::Md5::digest(bytes))
}
