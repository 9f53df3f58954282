//! Ubuntu and Ubuntu Minimal: simplestreams, one JSON file for all releases.
//!
//! The file is there three times, as upstream has it: clear-signed (`.sjson`), plain, and the plain one's signature
//! beside it (`.json.gpg`). Paths in it are relative to the folder of the releases, and not to `streams/v1`. Beside each
//! image is its `.manifest`, the list of its packages.

use serde_json::{Map, Value, json};

use super::{Build, Family, File, Publisher, Signer, Vouching, md5, packages, sha256};

/// One of Canonical's trees of released cloud images.
pub(super) struct Ubuntu {
    distro: &'static str,
    /// The folder of its releases.
    base: &'static str,
    /// What stands between that folder and the one of a release.
    inner: &'static str,
    /// `server` or `minimal`, in names of products and files.
    kind: &'static str,
    /// The label of builds that are released.
    label: &'static str,
    families: &'static [Family],
}

pub(super) const SERVER: Ubuntu = Ubuntu {
    distro: "ubuntu",
    base: "releases/",
    inner: "server/releases/",
    kind: "server",
    label: "release",
    families: &[
        Family {
            name: "ubuntu-24.04",
            release: "24.04",
            codename: "noble",
            disk: 3584,
            versions: &["20261015", "20261118"],
        },
        Family { name: "ubuntu-22.04", release: "22.04", codename: "jammy", disk: 2252, versions: &["20261102"] },
    ],
};

pub(super) const MINIMAL: Ubuntu = Ubuntu {
    distro: "ubuntu-minimal",
    base: "minimal/releases/",
    inner: "",
    kind: "minimal",
    label: "minimal release",
    families: &[
        Family {
            name: "ubuntu-minimal-24.04",
            release: "24.04",
            codename: "noble",
            disk: 3584,
            versions: &["20261016"],
        },
        Family {
            name: "ubuntu-minimal-22.04",
            release: "22.04",
            codename: "jammy",
            disk: 2252,
            versions: &["20261103"],
        },
    ],
};

const STREAM: &str = "streams/v1/com.ubuntu.cloud:released:download";

impl Ubuntu {
    /// Where a build's image is, below the folder of the releases.
    fn path(&self, build: Build) -> String {
        let Build { family: Family { release, codename, .. }, version } = build;
        format!("{}{codename}/release-{version}/ubuntu-{release}-{}-cloudimg-amd64.img", self.inner, self.kind)
    }

    /// Where the list of its packages is, below the same folder.
    fn manifest(&self, build: Build) -> String {
        self.path(build).replace("-amd64.img", "-amd64.manifest")
    }

    fn product(&self, family: &Family, builds: &[Build]) -> Value {
        let of_family = builds.iter().filter(|build| build.family.name == family.name);
        let versions: Map<String, Value> =
            of_family.map(|build| (build.version.to_owned(), self.item(*build))).collect();
        let Family { release, codename, .. } = family;
        json!({
            "aliases": format!("{release},{codename}"),
            "arch": "amd64",
            "os": "ubuntu",
            "release": codename,
            "release_title": format!("{release} LTS"),
            "supported": true,
            "version": release,
            "versions": versions,
        })
    }

    fn item(&self, build: Build) -> Value {
        let image = build.disk_image();
        let disk = json!({
            "ftype": "disk1.img",
            "md5": md5(&image),
            "path": self.path(build),
            "sha256": sha256(&image),
            "size": image.len(),
        });
        json!({
            "items": { "disk1.img": disk, "manifest": { "ftype": "manifest", "path": self.manifest(build) } },
            "label": self.label,
            "pubname": format!("ubuntu-{}-{}-amd64-{}-{}", build.family.codename, build.family.release, self.kind, build.version),
        })
    }
}

impl Publisher for Ubuntu {
    fn distro(&self) -> &'static str {
        self.distro
    }

    fn host(&self) -> &'static str {
        "cloud-images.ubuntu.com"
    }

    fn families(&self) -> &'static [Family] {
        self.families
    }

    fn vouching(&self) -> Vouching {
        Vouching::Signature
    }

    fn image(&self, build: Build) -> String {
        format!("{}{}", self.base, self.path(build))
    }

    fn list(&self, _: Build) -> String {
        format!("{}{STREAM}.sjson", self.base)
    }

    fn files(&self, builds: &[Build], signer: &Signer) -> anyhow::Result<Vec<File>> {
        let products: Map<String, Value> = self
            .families
            .iter()
            .map(|family| {
                let name = format!("com.ubuntu.cloud:{}:{}:amd64", self.kind, family.release);
                (name, self.product(family, builds))
            })
            .collect();
        let stream = json!({
            "content_id": "com.ubuntu.cloud:released:download",
            "datatype": "image-downloads",
            "format": "products:1.0",
            "products": products,
        });
        let text = format!("{stream:#}\n");
        let path = |ending: &str| format!("{}{STREAM}{ending}", self.base);
        let manifests = builds.iter().map(|build| {
            let packages = packages(*build, "linux-image-virtual", "openssl");
            let lines: Vec<String> = packages.iter().map(|(name, version)| format!("{name}\t{version}\n")).collect();
            (format!("{}{}", self.base, self.manifest(*build)), lines.concat().into_bytes())
        });
        let mut files: Vec<File> = manifests.collect();
        files.extend([
            (path(".sjson"), signer.clear_signed(&text)?),
            (path(".json.gpg"), signer.armored(text.as_bytes())?),
            (path(".json"), text.into_bytes()),
        ]);
        Ok(files)
    }
}
