//! The publishers against real files, where a folder of them is there: each top-level folder is one publisher's host.
//!
//! The folder is named by `GALLERIST_UPSTREAM_SAMPLES`, or lies beside the repository. Without it the test says so and
//! passes; the publishers' own tests do not need it.

use std::path::PathBuf;

use super::testing::{ask, fetch, serve_folder, settings};
use super::{UpstreamError, newest};
use crate::model::source::{
    Architecture::{self, Aarch64, X86_64},
    Distro, LeastTrust,
};

/// Host folder, what is asked, the least trust, and what is found: version, and what vouches for it.
type Row =
    (&'static str, Distro, &'static str, Architecture, LeastTrust, Result<(&'static str, &'static str), &'static str>);

fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/upstream-samples");
    let folder = std::env::var_os("GALLERIST_UPSTREAM_SAMPLES").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("ubuntu", Distro::Ubuntu, "24.04", X86_64, LeastTrust::None, Ok(("20240821", "none"))),
    ("ubuntu", Distro::Ubuntu, "24.04", X86_64, LeastTrust::Signed, Err("it has no signature")),
    ("ubuntu", Distro::UbuntuMinimal, "22.04", X86_64, LeastTrust::None, Ok(("20231030", "none"))),
    ("ubuntu", Distro::UbuntuMinimal, "22.04", Aarch64, LeastTrust::None, Err("22.04 for amd64")),
    ("ubuntu-2016-signed", Distro::Ubuntu, "16.04", X86_64, LeastTrust::Signed, Ok(("20161020", "signed:4A3CE3CD565D7EB5C810E2B97FF3F408476CF100"))),
    ("ubuntu-synthetic-2026", Distro::Ubuntu, "24.04", X86_64, LeastTrust::None, Ok(("20260725", "none"))),
    ("ubuntu-synthetic-2026", Distro::Ubuntu, "22.04", Aarch64, LeastTrust::None, Ok(("20260722", "none"))),
    ("ubuntu-synthetic-2026", Distro::UbuntuMinimal, "24.04", Aarch64, LeastTrust::None, Ok(("20260716", "none"))),
    ("ubuntu-synthetic-2026", Distro::UbuntuMinimal, "22.04", X86_64, LeastTrust::None, Ok(("20260716", "none"))),
    ("ubuntu-synthetic-2026", Distro::Ubuntu, "24.04", Aarch64, LeastTrust::None, Ok(("20260725", "none"))),
    ("ubuntu-synthetic-2026", Distro::Ubuntu, "22.04", X86_64, LeastTrust::None, Ok(("20260722", "none"))),
    ("ubuntu-synthetic-2026", Distro::Ubuntu, "26.04", X86_64, LeastTrust::None, Ok(("20260720", "none"))),
    ("ubuntu-synthetic-2026", Distro::UbuntuMinimal, "26.04", Aarch64, LeastTrust::None, Ok(("20260717", "none"))),
    ("ubuntu-synthetic-2026", Distro::UbuntuMinimal, "24.04", X86_64, LeastTrust::None, Ok(("20260716", "none"))),
    ("debian", Distro::Debian, "12", X86_64, LeastTrust::None, Ok(("20260712-2537", "none"))),
    ("debian", Distro::Debian, "12", Aarch64, LeastTrust::None, Ok(("20260712-2537", "none"))),
    ("debian", Distro::Debian, "11", X86_64, LeastTrust::None, Ok(("20260707-2532", "none"))),
    ("debian", Distro::Debian, "11", Aarch64, LeastTrust::None, Ok(("20260707-2532", "none"))),
    ("debian", Distro::Debian, "13", X86_64, LeastTrust::None, Ok(("20260712-2537", "none"))),
    ("debian", Distro::Debian, "13", Aarch64, LeastTrust::None, Ok(("20260712-2537", "none"))),
    ("debian", Distro::Debian, "12", X86_64, LeastTrust::Https, Err("trust = \"https\"")),
    ("fedora-coreos", Distro::FedoraCoreos, "stable", X86_64, LeastTrust::None, Ok(("44.20260707.3.1", "none"))),
    ("fedora-coreos", Distro::FedoraCoreos, "stable", Aarch64, LeastTrust::None, Ok(("44.20260707.3.1", "none"))),
    ("fedora-coreos", Distro::FedoraCoreos, "testing", X86_64, LeastTrust::None, Ok(("44.20260720.2.1", "none"))),
    ("fedora-coreos", Distro::FedoraCoreos, "testing", Aarch64, LeastTrust::None, Ok(("44.20260720.2.1", "none"))),
    ("fedora-coreos", Distro::FedoraCoreos, "stable", X86_64, LeastTrust::Signed, Err("it has no signature")),
    ("fedora-coreos/history/43.20260413.3.2", Distro::FedoraCoreos, "stable", X86_64, LeastTrust::None, Ok(("43.20260413.3.2", "none"))),
    ("rocky", Distro::Rocky, "9", X86_64, LeastTrust::None, Ok(("9.8-20260525.0", "none"))),
    ("rocky", Distro::Rocky, "9", Aarch64, LeastTrust::None, Ok(("9.8-20260525.0", "none"))),
    ("rocky", Distro::Rocky, "9.7", X86_64, LeastTrust::None, Ok(("9.7-20251123.2", "none"))),
    ("rocky", Distro::Rocky, "9.7", Aarch64, LeastTrust::None, Ok(("9.7-20251123.2", "none"))),
    ("rocky", Distro::Rocky, "10.1", X86_64, LeastTrust::None, Ok(("10.1-20251116.0", "none"))),
    ("rocky", Distro::Rocky, "10.1", Aarch64, LeastTrust::None, Ok(("10.1-20251116.0", "none"))),
    ("rocky", Distro::Rocky, "10.1", X86_64, LeastTrust::Signed, Err("it has no signature")),
    ("flatcar", Distro::Flatcar, "stable", X86_64, LeastTrust::None, Ok(("4593.2.5", "none"))),
    ("flatcar", Distro::Flatcar, "stable", Aarch64, LeastTrust::None, Ok(("4593.2.5", "none"))),
    ("flatcar", Distro::Flatcar, "stable", X86_64, LeastTrust::Signed, Err("it has no signature")),
    ("flatcar", Distro::Flatcar, "beta", X86_64, LeastTrust::None, Err("not of the channel beta")),
    ("almalinux", Distro::Almalinux, "9", X86_64, LeastTrust::None, Ok(("9.8-20260526", "none"))),
    ("almalinux", Distro::Almalinux, "9", Aarch64, LeastTrust::None, Ok(("9.8-20260526", "none"))),
    ("almalinux", Distro::Almalinux, "9", X86_64, LeastTrust::Signed, Err("it has no signature")),
    ("almalinux", Distro::Almalinux, "10", X86_64, LeastTrust::None, Ok(("10.2-20260526.0", "none"))),
    ("almalinux", Distro::Almalinux, "10", Aarch64, LeastTrust::None, Ok(("10.2-20260526.0", "none"))),
    ("centos-stream", Distro::CentosStream, "9", X86_64, LeastTrust::None, Ok(("20260714.1", "none"))),
    ("centos-stream", Distro::CentosStream, "9", Aarch64, LeastTrust::None, Ok(("20240401.0", "none"))),
    ("centos-stream", Distro::CentosStream, "10", X86_64, LeastTrust::None, Ok(("20241118.0", "none"))),
    ("centos-stream", Distro::CentosStream, "10", Aarch64, LeastTrust::None, Ok(("20241118.0", "none"))),
    ("fedora-cloud", Distro::FedoraCloud, "44", Aarch64, LeastTrust::Signed, Ok(("44-1.7", "signed:36F612DCF27F7D1A48A835E4DBFCF71C6D9F90A6"))),
    ("opensuse", Distro::OpensuseLeap, "16.0", Aarch64, LeastTrust::Signed, Ok(("18.7", "signed:AD485664E901B867051AB15F35A2F86E29B700A4"))),
    ("opensuse", Distro::OpensuseLeap, "15.6", X86_64, LeastTrust::Signed, Err("there is no opensuse-leap 15.6")),
    ("alpine", Distro::Alpine, "3.23", X86_64, LeastTrust::None, Ok(("3.23.4-r0", "none"))),
    ("alpine", Distro::Alpine, "3.23", Aarch64, LeastTrust::None, Ok(("3.23.4-r0", "none"))),
    ("archlinux", Distro::Archlinux, "", X86_64, LeastTrust::None, Ok(("20260715.556894", "none"))),
    ("archlinux", Distro::Archlinux, "", X86_64, LeastTrust::Signed, Err("it has no signature")),
    ("archlinux", Distro::Archlinux, "", Aarch64, LeastTrust::None, Err("archlinux for x86_64")),
];

#[tokio::test]
async fn the_version_that_a_person_would_pick_is_found() {
    let Some(folder) = folder() else {
        let place = "GALLERIST_UPSTREAM_SAMPLES";
        std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("not run: no folder of real samples; name one in {place}\n").as_bytes(),
        )
        .unwrap();
        return;
    };
    let mut wrong = Vec::new();
    for (host, distro, release, architecture, least, expected) in ROWS {
        let mirror = serve_folder(folder.join(host)).await;
        let ask = ask(*distro, release, *architecture);
        let found = newest(&ask, &settings(&mirror, None, Some(*least)), &fetch()).await;
        let seen = found.as_ref().map(|versions| (versions[0].name.to_string(), versions[0].trust.to_string()));
        let right = match (&seen, expected) {
            (Ok((name, trust)), Ok((wanted_name, wanted_trust))) => name == wanted_name && trust == wanted_trust,
            (Err(error), Err(part)) => error.to_string().contains(part),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        if !right {
            wrong.push(format!("{host}: {ask}: expected {expected:?}, found {seen:?}"));
        }
        let _: Option<UpstreamError> = found.err();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
