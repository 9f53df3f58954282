//! A small host for each publisher, in its own format: the newest build, older ones, and what must not be taken.
//!
//! Every digest that may be found is made of `a`s.

use std::collections::BTreeMap;

use rpgpie::tsk::Tsk;

use super::Ask;
use super::testing::{Files, ask, clear_signed_by, detached_by};
use crate::model::source::{
    Architecture::{Aarch64, X86_64},
    Distro,
};

/// How a publisher signs one of its files.
#[derive(Clone, Copy)]
pub(super) enum Signs {
    /// The file is replaced by a clear-signed one of this name.
    Clear(&'static str),
    /// A signature lies beside it under this name.
    Beside(&'static str),
}

/// A publisher's host with the newest build and an older one, and what must be found there.
pub(super) struct Host {
    pub(super) ask: Ask,
    pub(super) files: BTreeMap<String, String>,
    /// The list that states digests, and how it is signed.
    pub(super) list: &'static str,
    pub(super) signs: Option<Signs>,
    pub(super) newest: &'static str,
    pub(super) image: &'static str,
}

fn hex(fill: char, digits: usize) -> String {
    fill.to_string().repeat(digits)
}

fn host(ask: Ask, list: &'static str, newest: &'static str, image: &'static str, files: &[(&str, String)]) -> Host {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
    Host { ask, files, list, signs: None, newest, image }
}

fn signed(host: Host, signs: Signs) -> Host {
    Host { signs: Some(signs), ..host }
}

fn simplestreams(products: &str, label: &str, base: &str) -> String {
    let item = |serial: &str, fill| {
        format!(
            r#""{serial}": {{"label": "{label}", "items": {{
                "disk1.img": {{"ftype": "disk1.img", "path": "{base}noble/release-{serial}/x-{serial}.img",
                    "sha256": "{}", "size": 1000, "md5": "0"}},
                "manifest": {{"ftype": "manifest", "path": "{base}noble/release-{serial}/x.manifest"}},
                "lxd.tar.xz": {{"path": "{base}noble/release-{serial}/x-{serial}.img", "sha256": "{}"}}}}}}"#,
            hex(fill, 64),
            hex('f', 64)
        )
    };
    let beta = item("20260901", 'e').replace(label, "beta1");
    let versions = [item("20260725.1", 'a'), item("20260725", 'b'), item("20260705", 'c'), beta].join(",");
    format!(
        r#"{{"format": "products:1.0", "products": {{
            "{products}24.04:amd64": {{"versions": {{{versions}}}}},
            "{products}24.04:amd64v3": {{"versions": {{}}}}, "{products}22.04:amd64": 7}}}}"#
    )
}

fn bsd(file: &str) -> String {
    format!("# {file}: 1000 bytes\nSHA256 ({file}) = {}\n", hex('a', 64))
}

fn gnu(file: &str, digits: usize) -> String {
    format!("{}  {file}\n", hex('a', digits))
}

/// Every publisher, Ubuntu with both of its ways to sign, Rocky with a release that is signed and one that is not.
pub(super) fn hosts() -> Vec<Host> {
    let mut hosts = ubuntu();
    hosts.extend([debian(), fedora_coreos(), rocky(), rocky_signed(), flatcar(), almalinux(), centos_stream()]);
    hosts.extend([fedora_cloud(), opensuse_leap(), alpine(), archlinux()]);
    hosts
}

fn ubuntu() -> Vec<Host> {
    let server = simplestreams("com.ubuntu.cloud:server:", "release", "server/releases/");
    let minimal = simplestreams("com.ubuntu.cloud:minimal:", "minimal release", "");
    let list = "/releases/streams/v1/com.ubuntu.cloud:released:download.json";
    let minimal_list = "/minimal/releases/streams/v1/com.ubuntu.cloud:released:download.json";
    let image = "/releases/server/releases/noble/release-20260725.1/x-20260725.1.img";
    let minimal_image = "/minimal/releases/noble/release-20260725.1/x-20260725.1.img";
    let ask_server = ask(Distro::Ubuntu, "24.04", X86_64);
    let ask_minimal = ask(Distro::UbuntuMinimal, "24.04", X86_64);
    vec![
        signed(
            host(ask_server.clone(), list, "20260725.1", image, &[(list, server.clone())]),
            Signs::Clear("/releases/streams/v1/com.ubuntu.cloud:released:download.sjson"),
        ),
        signed(
            host(ask_server, list, "20260725.1", image, &[(list, server)]),
            Signs::Beside("/releases/streams/v1/com.ubuntu.cloud:released:download.json.gpg"),
        ),
        signed(
            host(ask_minimal, minimal_list, "20260725.1", minimal_image, &[(minimal_list, minimal)]),
            Signs::Clear("/minimal/releases/streams/v1/com.ubuntu.cloud:released:download.sjson"),
        ),
    ]
}

fn debian() -> Host {
    let list = "/images/cloud/bookworm/20260712-2537/SHA512SUMS";
    let build = |serial: &str| {
        let file = format!("debian-12-genericcloud-amd64-{serial}");
        gnu(&format!("{file}.qcow2"), 128) + &gnu(&format!("{file}.json"), 128)
    };
    host(
        ask(Distro::Debian, "12", X86_64),
        list,
        "20260712-2537",
        "/images/cloud/bookworm/20260712-2537/debian-12-genericcloud-amd64-20260712-2537.qcow2",
        &[
            (list, build("20260712-2537")),
            ("/images/cloud/bookworm/20260712-999/SHA512SUMS", build("20260712-999")),
            ("/images/cloud/bookworm/20260801-2600/SHA512SUMS", gnu("debian-12-genericcloud-arm64-x.qcow2", 128)),
            ("/images/cloud/bookworm/daily/x", String::new()),
            ("/images/cloud/bookworm/latest/SHA512SUMS", gnu("debian-12-genericcloud-amd64.qcow2", 128)),
        ],
    )
}

fn fedora_coreos() -> Host {
    let stream = format!(
        r#"{{"architectures": {{"x86_64": {{"artifacts": {{"openstack": {{"release": "44.20260707.3.1", "formats":
            {{"qcow2.xz": {{"disk": {{"location": "https://builds.coreos.fedoraproject.org/prod/x.qcow2.xz",
            "sha256": "{}", "uncompressed-sha256": "{}"}}}}}}}}}}}}, "riscv64": {{}}}}}}"#,
        hex('a', 64),
        hex('b', 64)
    );
    let list = "/streams/stable.json";
    let ask = ask(Distro::FedoraCoreos, "stable", X86_64);
    host(ask, list, "44.20260707.3.1", "/prod/x.qcow2.xz", &[(list, stream)])
}

fn rocky() -> Host {
    let list = "/pub/rocky/9/images/x86_64/CHECKSUM";
    let names =
        ["GenericCloud-Base-9.8-20260525.0", "GenericCloud-Base-9.8-20251123.2", "GenericCloud-LVM-9.9-20260601.0"];
    let moving = ["Azure.latest", "GenericCloud-Base.latest", "GenericCloud.latest"];
    let files = names.iter().chain(&moving).map(|name| bsd(&format!("Rocky-9-{name}.x86_64.qcow2"))).collect();
    host(
        ask(Distro::Rocky, "9", X86_64),
        list,
        "9.8-20260525.0",
        "/pub/rocky/9/images/x86_64/Rocky-9-GenericCloud-Base-9.8-20260525.0.x86_64.qcow2",
        &[(list, files)],
    )
}

fn rocky_signed() -> Host {
    let list = "/pub/rocky/10/images/aarch64/CHECKSUM";
    let files = bsd("Rocky-10-GenericCloud-Base-10.2-20260525.0.aarch64.qcow2");
    let host = host(
        ask(Distro::Rocky, "10", Aarch64),
        list,
        "10.2-20260525.0",
        "/pub/rocky/10/images/aarch64/Rocky-10-GenericCloud-Base-10.2-20260525.0.aarch64.qcow2",
        &[(list, files)],
    );
    signed(host, Signs::Beside("/pub/rocky/10/images/aarch64/CHECKSUM.sig"))
}

fn flatcar() -> Host {
    let image = "flatcar_production_openstack_image.img";
    let digests = format!("# MD5 HASH\n{}# SHA512 HASH\n{}", gnu(image, 32), gnu(image, 128));
    let current = "FLATCAR_VERSION_ID=4593.2.5\nFLATCAR_BUILD_ID=\"2026-08-11-2350\"\n".to_owned();
    let releases = r#"{"4593.2.4": {"architectures": ["arm64"]}}"#.to_owned();
    let list = "/arm64-usr/4593.2.5/flatcar_production_openstack_image.img.DIGESTS";
    let host = host(
        ask(Distro::Flatcar, "stable", Aarch64),
        list,
        "4593.2.5",
        "/arm64-usr/4593.2.5/flatcar_production_openstack_image.img",
        &[
            (list, digests),
            ("/arm64-usr/current/version.txt", current),
            ("/releases-json/releases-stable.json", releases),
        ],
    );
    signed(host, Signs::Clear("/arm64-usr/4593.2.5/flatcar_production_openstack_image.img.DIGESTS.asc"))
}

fn almalinux() -> Host {
    let list = "/almalinux/9/cloud/x86_64/images/CHECKSUM";
    let names = ["9.8-20260526", "9.7-20251118", "ext4-9.9-20260601", "latest"];
    let files = names.iter().map(|name| gnu(&format!("AlmaLinux-9-GenericCloud-{name}.x86_64.qcow2"), 64)).collect();
    let host = host(
        ask(Distro::Almalinux, "9", X86_64),
        list,
        "9.8-20260526",
        "/almalinux/9/cloud/x86_64/images/AlmaLinux-9-GenericCloud-9.8-20260526.x86_64.qcow2",
        &[(list, files)],
    );
    signed(host, Signs::Beside("/almalinux/9/cloud/x86_64/images/CHECKSUM.asc"))
}

fn centos_stream() -> Host {
    let list = "/centos/9-stream/x86_64/images/CHECKSUM";
    let names = ["9-20260714.1", "9-20260714.0", "9-latest", "x86_64-9-20260801.0"];
    let files = names.iter().map(|name| bsd(&format!("CentOS-Stream-GenericCloud-{name}.x86_64.qcow2"))).collect();
    host(
        ask(Distro::CentosStream, "9", X86_64),
        list,
        "20260714.1",
        "/centos/9-stream/x86_64/images/CentOS-Stream-GenericCloud-9-20260714.1.x86_64.qcow2",
        &[(list, files)],
    )
}

fn fedora_cloud() -> Host {
    let list = "/pub/fedora/linux/releases/44/Cloud/x86_64/images/unsigned";
    let image = "Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2";
    let host = host(
        ask(Distro::FedoraCloud, "44", X86_64),
        list,
        "44-1.7",
        "/pub/fedora/linux/releases/44/Cloud/x86_64/images/Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2",
        &[(list, bsd(image))],
    );
    signed(host, Signs::Clear("/pub/fedora/linux/releases/44/Cloud/x86_64/images/Fedora-Cloud-44-1.7-x86_64-CHECKSUM"))
}

fn opensuse_leap() -> Host {
    let list = "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2.sha256";
    let older = "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.9.qcow2.sha256";
    let moving = "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud.qcow2.sha256";
    let host = host(
        ask(Distro::OpensuseLeap, "16.0", Aarch64),
        list,
        "18.10",
        "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2",
        &[
            (list, gnu("Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2", 64)),
            (older, gnu("Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.9.qcow2", 64)),
            (moving, gnu("Leap-16.0-Minimal-VM.aarch64-Cloud.qcow2", 64)),
        ],
    );
    signed(
        host,
        Signs::Beside(
            "/distribution/leap/16.0/appliances/Leap-16.0-Minimal-VM.aarch64-Cloud-Build18.10.qcow2.sha256.asc",
        ),
    )
}

fn alpine() -> Host {
    let list = "/alpine/v3.23/releases/cloud/nocloud_alpine-3.23.4-x86_64-bios-cloudinit-r0.qcow2.sha512";
    let other = "/alpine/v3.23/releases/cloud/nocloud_alpine-3.23.5-x86_64-uefi-cloudinit-r0.qcow2.sha512";
    host(
        ask(Distro::Alpine, "3.23", X86_64),
        list,
        "3.23.4-r0",
        "/alpine/v3.23/releases/cloud/nocloud_alpine-3.23.4-x86_64-bios-cloudinit-r0.qcow2",
        &[(list, hex('a', 128)), (other, hex('b', 128))],
    )
}

fn archlinux() -> Host {
    let list = "/images/v20260715.556894/Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2.SHA256";
    let host = host(
        ask(Distro::Archlinux, "", X86_64),
        list,
        "20260715.556894",
        "/images/v20260715.556894/Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2",
        &[
            (list, gnu("Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2", 64)),
            ("/images/v20260701.1/x", String::new()),
            ("/images/latest/x", String::new()),
        ],
    );
    signed(host, Signs::Beside("/images/v20260715.556894/Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2.SHA256.sig"))
}

/// The host's files, its list signed by this key.
pub(super) fn published(host: &Host, key: &Tsk) -> Files {
    let files = Files::new(host.files.iter().map(|(path, text)| (path.as_str(), text.clone().into_bytes())));
    let list = &host.files[host.list];
    match host.signs {
        Some(Signs::Clear(path)) => {
            files.remove(host.list);
            files.put(path, clear_signed_by(key, list));
        }
        Some(Signs::Beside(path)) => files.put(path, detached_by(key, list.as_bytes(), armored(path))),
        None => {}
    }
    files
}

fn armored(path: &str) -> bool {
    path.strip_suffix(".asc").is_some()
}
