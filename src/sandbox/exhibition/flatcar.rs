//! Flatcar Container Linux: a folder for each version, `current/version.txt`, and signed digests beside each image.
//!
//! `DIGESTS` holds weak digests too, under headings as Gentoo writes them. The list of packages is the version's, whatever
//! the image.

use super::{Build, Family, File, Publisher, Signer, Vouching, md5, packages, sha512};

pub(super) struct Flatcar;

const IMAGE: &str = "flatcar_production_openstack_image.img";
const FAMILIES: &[Family] =
    &[Family { name: "flatcar-stable", release: "stable", codename: "", disk: 12530, versions: &["4593.2.5"] }];

impl Publisher for Flatcar {
    fn distro(&self) -> &'static str {
        "flatcar"
    }

    fn host(&self) -> &'static str {
        "stable.release.flatcar-linux.net"
    }

    fn families(&self) -> &'static [Family] {
        FAMILIES
    }

    fn vouching(&self) -> Vouching {
        Vouching::Signature
    }

    fn image(&self, build: Build) -> String {
        format!("amd64-usr/{}/{IMAGE}", build.version)
    }

    fn list(&self, build: Build) -> String {
        format!("{}.DIGESTS.asc", self.image(build))
    }

    fn files(&self, builds: &[Build], signer: &Signer) -> anyhow::Result<Vec<File>> {
        let mut files = Vec::new();
        for build in builds {
            let (image, version) = (build.disk_image(), build.version);
            let digests = format!("# MD5 HASH\n{}  {IMAGE}\n# SHA512 HASH\n{}  {IMAGE}\n", md5(&image), sha512(&image));
            files.push((self.list(*build), signer.clear_signed(&digests)?));
            files.push((format!("{}.DIGESTS", self.image(*build)), digests.into_bytes()));
            let current = format!(
                "FLATCAR_VERSION={version}\nFLATCAR_VERSION_ID={version}\nFLATCAR_BUILD_ID=\"2026-08-11-2350\"\n"
            );
            let packages = packages(*build, "sys-kernel/coreos-kernel", "dev-libs/openssl");
            let lines: Vec<String> =
                packages.iter().map(|(name, version)| format!("{name}-{version}::portage-stable\n")).collect();
            let list = format!("amd64-usr/{version}/flatcar_production_image_packages.txt");
            files.push((list, lines.concat().into_bytes()));
            // Builds come oldest first, so the last one stays.
            files.push(("amd64-usr/current/version.txt".to_owned(), current.into_bytes()));
        }
        Ok(files)
    }
}
