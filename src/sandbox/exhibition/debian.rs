//! Debian: a folder for each build, in it a `SHA512SUMS` that nothing signs. There is no index; the folders are listed.
//! Beside each image is a description of its build, which lists the packages.

use serde_json::json;

use super::{Build, Family, File, Publisher, Signer, Vouching, packages, sha512};

pub(super) struct Debian;

const FAMILIES: &[Family] = &[
    Family {
        name: "debian-12",
        release: "12",
        codename: "bookworm",
        disk: 3072,
        versions: &["20261013-2601", "20261117-2637"],
    },
    Family { name: "debian-11", release: "11", codename: "bullseye", disk: 2048, versions: &["20260707-2532"] },
];

fn folder(build: Build) -> String {
    format!("images/cloud/{}/{}", build.family.codename, build.version)
}

fn file_name(build: Build) -> String {
    format!("debian-{}-genericcloud-amd64-{}.qcow2", build.family.release, build.version)
}

impl Publisher for Debian {
    fn distro(&self) -> &'static str {
        "debian"
    }

    fn host(&self) -> &'static str {
        "cloud.debian.org"
    }

    fn families(&self) -> &'static [Family] {
        FAMILIES
    }

    fn vouching(&self) -> Vouching {
        Vouching::Connection
    }

    fn image(&self, build: Build) -> String {
        format!("{}/{}", folder(build), file_name(build))
    }

    fn list(&self, build: Build) -> String {
        format!("{}/SHA512SUMS", folder(build))
    }

    fn files(&self, builds: &[Build], _: &Signer) -> anyhow::Result<Vec<File>> {
        let files = |build: &Build| {
            let packages = packages(*build, "linux-image-cloud-amd64", "openssl");
            let packages: Vec<_> =
                packages.iter().map(|(name, version)| json!({ "name": name, "version": version })).collect();
            let build_object = json!({ "kind": "Build", "data": { "packages": packages } });
            let description = json!({ "apiVersion": "v1", "items": [build_object], "kind": "List" }).to_string();
            let described = file_name(*build).replace(".qcow2", ".json");
            let sums = [(file_name(*build), build.disk_image()), (described.clone(), description.clone().into_bytes())];
            let lines: Vec<String> =
                sums.iter().map(|(name, content)| format!("{}  {name}\n", sha512(content))).collect();
            [
                (self.list(*build), lines.concat().into_bytes()),
                (format!("{}/{described}", folder(*build)), description.into_bytes()),
            ]
        };
        Ok(builds.iter().flat_map(files).collect())
    }
}
