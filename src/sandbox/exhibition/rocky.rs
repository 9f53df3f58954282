//! Rocky Linux: one `CHECKSUM` for a release, with sizes in comments. Each image has an alias that moves.

use super::{Build, Family, File, Publisher, Signer, Vouching, sha256};

pub(super) struct Rocky;

const FAMILIES: &[Family] =
    &[Family { name: "rocky-9", release: "9", codename: "", disk: 10240, versions: &["9.8-20260525.0"] }];

fn folder(family: &Family) -> String {
    format!("pub/rocky/{}/images/x86_64", family.release)
}

fn file_name(build: Build) -> String {
    format!("Rocky-{}-GenericCloud-Base-{}.x86_64.qcow2", build.family.release, build.version)
}

impl Publisher for Rocky {
    fn distro(&self) -> &'static str {
        "rocky"
    }

    fn host(&self) -> &'static str {
        "dl.rockylinux.org"
    }

    fn families(&self) -> &'static [Family] {
        FAMILIES
    }

    fn vouching(&self) -> Vouching {
        Vouching::Connection
    }

    fn image(&self, build: Build) -> String {
        format!("{}/{}", folder(build.family), file_name(build))
    }

    fn list(&self, build: Build) -> String {
        format!("{}/CHECKSUM", folder(build.family))
    }

    fn files(&self, builds: &[Build], _: &Signer) -> anyhow::Result<Vec<File>> {
        let mut files = Vec::new();
        for build in builds {
            let image = build.disk_image();
            let alias = format!("Rocky-{}-GenericCloud-Base.latest.x86_64.qcow2", build.family.release);
            let entry = |name: &str| format!("# {name}: {} bytes\nSHA256 ({name}) = {}\n", image.len(), sha256(&image));
            let list = format!("{}{}", entry(&file_name(*build)), entry(&alias));
            files.push((self.list(*build), list.into_bytes()));
            files.push((format!("{}/{alias}", folder(build.family)), image));
        }
        Ok(files)
    }
}
