//! Fedora CoreOS: one JSON file for a stream, which names one build for each architecture by absolute URLs.
//!
//! Images are compressed, and each has a binary signature beside it, which is what vouches for it: the stream file
//! itself is not signed.

use std::io::Write as _;

use liblzma::write::XzEncoder;
use serde_json::json;

use super::{Build, Family, File, Publisher, Signer, Vouching, sha256};

pub(super) struct FedoraCoreos;

const HOST: &str = "builds.coreos.fedoraproject.org";
const FAMILIES: &[Family] = &[Family {
    name: "fedora-coreos-stable",
    release: "stable",
    codename: "",
    disk: 10240,
    versions: &["44.20261101.3.0"],
}];

impl Publisher for FedoraCoreos {
    fn distro(&self) -> &'static str {
        "fedora-coreos"
    }

    fn host(&self) -> &'static str {
        HOST
    }

    fn families(&self) -> &'static [Family] {
        FAMILIES
    }

    fn vouching(&self) -> Vouching {
        Vouching::Signature
    }

    fn image(&self, build: Build) -> String {
        let Build { family: Family { release, .. }, version } = build;
        format!("prod/streams/{release}/builds/{version}/x86_64/fedora-coreos-{version}-openstack.x86_64.qcow2.xz")
    }

    fn list(&self, build: Build) -> String {
        format!("streams/{}.json", build.family.release)
    }

    fn published(&self, build: Build) -> anyhow::Result<Vec<u8>> {
        let mut encoder = XzEncoder::new(Vec::new(), 0);
        encoder.write_all(&build.disk_image())?;
        Ok(encoder.finish()?)
    }

    fn files(&self, builds: &[Build], signer: &Signer) -> anyhow::Result<Vec<File>> {
        let mut files = Vec::new();
        for build in builds {
            let published = self.published(*build)?;
            let location = format!("https://{HOST}/{}", self.image(*build));
            let disk = json!({
                "location": location,
                "signature": format!("{location}.sig"),
                "sha256": sha256(&published),
                "uncompressed-sha256": sha256(&build.disk_image()),
            });
            let stream = json!({
                "stream": build.family.release,
                "architectures": { "x86_64": { "artifacts": { "openstack": {
                    "release": build.version,
                    "formats": { "qcow2.xz": { "disk": disk } },
                } } } },
            });
            files.push((self.list(*build), format!("{stream:#}\n").into_bytes()));
            files.push((format!("{}.sig", self.image(*build)), signer.binary(&published)?));
        }
        Ok(files)
    }
}
