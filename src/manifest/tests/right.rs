//! What a file without mistakes says.

use std::fs;

use super::{CATALOGUE, IMAGE, family, listed, repository, valid};
use crate::manifest::codes::Code;
use crate::manifest::contents::Source;
use crate::model::desired::{Audience, BootNetwork};
use crate::model::image::{Listing, Protection, Visibility};
use crate::model::lifecycle::{DeleteWhen, SnapshotUse};
use crate::model::name::VersionName;
use crate::model::passage::{Converter, Method, Preferences};
use crate::model::source::{Architecture, Distro, LeastTrust};
use crate::model::version::{Compression, DiskFormat};

#[test]
fn the_shipped_files_are_valid() {
    let (manifest, warnings) = crate::manifest::load(&repository().join("images.toml")).unwrap();
    assert_eq!((manifest.families.len(), warnings.len()), (9, 0));
    let mut examples = 0;
    for entry in fs::read_dir(repository().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let (manifest, warnings) =
                crate::manifest::load(&path).unwrap_or_else(|found| panic!("{}", listed(&found)));
            assert!(!manifest.families.is_empty());
            // The private image itself is the reader's.
            assert!(warnings.iter().all(|warning| warning.code == Code::FileNotThere), "{}", path.display());
            examples += 1;
        }
    }
    assert_eq!(examples, 7);
}

/// A file with every key there is.
pub(super) fn every_key() -> String {
    format!(
        r#"
moved = [{{ from = "ubuntu-noble", to = "ubuntu-24.04" }}]
[catalogue]
name = "wiit-public"
clouds = [{{ cloud = "prod", regions = ["fra1", "dus2"] }}, {{ cloud = "lab" }}]
[lifecycle.latest]
name = "{{name}} - Latest"
visibility = "public"
protected = true
hidden = false
properties = {{ stage = "latest" }}
[[lifecycle.superseded]]
name = "{{name}} - {{uploaded}}"
visibility = "community"
[[lifecycle.superseded]]
after = "2 months"
hidden = true
protected = false
properties = {{ os_purpose = "oldgeneric" }}
[lifecycle.delete]
when = "unused"
after = "1y"
keep = 1
count_snapshots = true
[boot_test]
flavor = "m1.small"
network = "auto"
timeout = "10m"
console = "login:"
[import]
method = "web-download"
stores = ["ceph", "file"]
[guards]
max_deletes = 4
[publisher.ubuntu]
mirror = "https://mirror.example/ubuntu-cloud-images"
keys = ["keys/ubuntu-cloudimg.asc"]
trust = "signed"
[defaults]
architecture = "aarch64"
ignore_properties = ["trait:*"]
disk_format = "raw"
[[image]]
family = "ubuntu-24.04"
name = "Ubuntu 24.04 Noble Numbat"
source = {{ distro = "ubuntu", release = "24.04", variant = "kvm" }}
min_disk = 4
min_ram = 512
pin = "20261015"
skip = ["20261101", "20261102"]
properties = {{ os_distro = "ubuntu" }}
[[image]]
family = "golden"
name = "Golden image"
source = {{ url = "https://example.org/golden-3.raw.gz", version = "3", sha512 = "{}" }}
"#,
        "0A".repeat(64)
    )
}

#[test]
fn every_key_is_read() {
    let manifest = valid(&every_key());
    assert_eq!(manifest.catalogue.as_str(), "wiit-public");
    assert_eq!(manifest.clouds[0].regions, ["fra1", "dus2"]);
    assert_eq!((manifest.clouds[1].cloud.as_str(), manifest.clouds[1].regions.len()), ("lab", 0));
    assert_eq!(manifest.moved.len(), 1);
    assert_eq!(manifest.limits.deletions, Some(4));
    assert_eq!((manifest.import.methods.as_slice(), manifest.import.stores.len()), (&[Method::WebDownload][..], 2));
    assert_eq!(manifest.boot_test.as_ref().map(|test| &test.network), Some(&BootNetwork::Auto));
    let publisher = &manifest.publishers[&Distro::Ubuntu];
    assert_eq!((publisher.keys.len(), publisher.trust), (1, Some(LeastTrust::Signed)));
    let ubuntu = family(&manifest, "ubuntu-24.04");
    assert_eq!((ubuntu.min_disk, ubuntu.min_ram, ubuntu.architecture), (Some(4), 512, Architecture::Aarch64));
    assert_eq!((ubuntu.pin.as_ref().map(VersionName::as_str), ubuntu.skip.len()), (Some("20261015"), 2));
    assert_eq!(
        (ubuntu.ignored_properties.as_slice(), ubuntu.disk_format),
        (&["trait:*".to_owned()][..], Some(DiskFormat::Raw))
    );
    let Source::Distro { distro, release, variant } = &ubuntu.source else { panic!("{:?}", ubuntu.source) };
    assert_eq!((*distro, release.as_deref(), variant.as_deref()), (Distro::Ubuntu, Some("24.04"), Some("kvm")));
    let stages = &ubuntu.lifecycle.superseded;
    assert_eq!((stages[1].after.to_string().as_str(), stages[1].listing), ("2mo", Some(Listing::Hidden)));
    assert_eq!(stages[1].properties["os_purpose"], "oldgeneric");
    assert_eq!(ubuntu.lifecycle.latest.properties["stage"], "latest");
    assert_eq!(ubuntu.lifecycle.deletion.snapshots, SnapshotUse::Counted);
    let Source::Url { disk_format, compression, digests, .. } = &family(&manifest, "golden").source else { panic!() };
    assert_eq!((*disk_format, *compression), (DiskFormat::Raw, Compression::Gzip));
    assert_eq!(digests.strongest().hexadecimal(), "0a".repeat(64));
}

#[test]
fn what_the_file_leaves_out_is_filled_in() {
    let manifest = valid(&format!("{CATALOGUE}{IMAGE}"));
    let rocky = family(&manifest, "rocky-9");
    assert_eq!(rocky.lifecycle, manifest.retirement);
    assert_eq!(rocky.lifecycle.latest.name.source(), "{name} - Latest");
    assert_eq!(rocky.lifecycle.latest.visibility, Visibility::Public);
    assert_eq!(rocky.lifecycle.latest.protection, Protection::Protected);
    let stage = &rocky.lifecycle.superseded[0];
    assert_eq!(stage.name.as_ref().map(crate::model::template::Template::source), Some("{name} - {uploaded}"));
    assert_eq!((stage.visibility, stage.protection), (Some(Visibility::Community), None));
    assert_eq!((rocky.lifecycle.deletion.when, rocky.lifecycle.deletion.keep), (DeleteWhen::Unused, 0));
    assert_eq!((rocky.audience, rocky.min_disk, rocky.min_ram), (Audience::Everybody, None, 0));
    assert!(manifest.boot_test.is_none() && manifest.clouds.is_empty());
}

#[test]
fn an_image_overrides_its_defaults_and_its_catalogue() {
    let manifest = valid(&format!(
        "{CATALOGUE}[lifecycle.latest]\nname = \"{{name}}_latest\"\n[lifecycle.delete]\nkeep = 5\n[defaults]\nmin_ram = 64\n\
         [defaults.properties]\na = 1\nb = true\n{IMAGE}min_ram = 128\nprotected = false\nhidden = true\n\
         [image.properties]\nb = \"no\"\n[image.lifecycle.delete]\nwhen = \"never\"\n\
         [[image]]\nfamily = \"mine\"\nname = \"mine\"\nvisibility = \"private\"\nsource = {{ file = \"my-image.qcow2\", version = \"1\" }}\n\
         [boot_test]\nflavor = \"f\"\nnetwork = \"lan\"\ntimeout = \"90s\"\n"
    ));
    let rocky = family(&manifest, "rocky-9");
    assert_eq!(rocky.min_ram, 128);
    let properties: Vec<_> = rocky.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(properties, [("a", "1"), ("b", "no")]);
    assert_eq!(rocky.lifecycle.latest.name.source(), "{name}_latest");
    assert_eq!(rocky.lifecycle.latest.protection, Protection::Unprotected);
    assert_eq!(rocky.lifecycle.latest.listing, Listing::Hidden);
    assert_eq!((rocky.lifecycle.deletion.when, rocky.lifecycle.deletion.keep), (DeleteWhen::Never, 5));
    let mine = family(&manifest, "mine");
    assert_eq!((mine.audience, mine.lifecycle.latest.visibility), (Audience::Project, Visibility::Private));
    assert_eq!(mine.lifecycle.latest.name.source(), "{name}");
    assert!(mine.lifecycle.superseded.iter().all(|stage| stage.visibility == Some(Visibility::Private)));
    assert_eq!(mine.lifecycle.deletion.keep, 5);
    let Source::File { disk_format, compression, .. } = &mine.source else { panic!("{:?}", mine.source) };
    assert_eq!((*disk_format, *compression), (DiskFormat::Qcow2, Compression::None));
    let boot_test = manifest.boot_test.as_ref().unwrap();
    assert_eq!((&boot_test.network, boot_test.timeout), (&BootNetwork::Network("lan".to_owned()), 90));
    assert_eq!(manifest.retirement.latest.protection, Protection::Protected);
}

#[test]
fn formats_are_told_by_file_names() {
    let digest = "ab".repeat(32);
    for (name, format, compression) in [
        ("a.qcow2", DiskFormat::Qcow2, Compression::None),
        ("a.img", DiskFormat::Qcow2, Compression::None),
        ("a.raw.xz", DiskFormat::Raw, Compression::Xz),
        ("a.VMDK", DiskFormat::Vmdk, Compression::None),
        ("a.iso?x=1", DiskFormat::Iso, Compression::None),
        ("latest", DiskFormat::Qcow2, Compression::None),
    ] {
        let manifest = valid(&format!(
            "{CATALOGUE}[[image]]\nfamily = \"a\"\nname = \"A\"\n\
             source = {{ url = \"https://x.example/{name}\", version = \"1\", sha256 = \"{digest}\", built = 2026-10-15 }}\n"
        ));
        let Source::Url { disk_format, compression: found, built, .. } = &family(&manifest, "a").source else {
            panic!()
        };
        assert_eq!((*disk_format, *found, built.is_some()), (format, compression, true), "{name}");
    }
}

#[test]
fn a_private_catalogue_has_its_own_lifecycle() {
    let manifest = valid(&format!(
        "{CATALOGUE}[lifecycle.latest]\nname = \"{{name}} now\"\nvisibility = \"private\"\n\
         [[lifecycle.superseded]]\nname = \"{{name}} {{version}}\"\n{IMAGE}"
    ));
    let rocky = family(&manifest, "rocky-9");
    assert_eq!(rocky.audience, Audience::Project);
    assert_eq!(rocky.lifecycle.latest.name.source(), "{name} now");
    assert_eq!(rocky.lifecycle.superseded[0].visibility, Some(Visibility::Private));
    assert_eq!(manifest.retirement, rocky.lifecycle);
}

#[test]
fn an_import_has_one_method_or_several_and_one_store_or_several() {
    let import = |text: &str| valid(&format!("{CATALOGUE}[import]\n{text}\n{IMAGE}")).import;
    assert_eq!(valid(&format!("{CATALOGUE}{IMAGE}")).import, Preferences::default());
    assert_eq!(import(""), Preferences::default());
    assert_eq!(import("store = \"ceph\"").stores, ["ceph"]);
    let several = import("method = [\"glance-download\", \"upload\"]\nconvert = \"glance\"");
    assert_eq!(several.methods, [Method::GlanceDownload, Method::Upload]);
    assert_eq!(several.converter, Converter::Glance);
}
