//! The publishers that sign and are not in the shipped images.toml, each in its own layout: whatever is wrong with one of
//! them is refused by name, leaves nothing behind, and holds nobody else. `publishers.rs` asks the same of the shipped ones.

use std::fmt::Write as _;

use gallerist::sandbox::exhibition::{Exhibit, Signer, Vouching};
use gallerist::sandbox::image;
use sha2::{Digest as _, Sha256};

use super::support::gallery::Gallery;

/// How a checksum list is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    /// Around its text.
    Clear,
    /// In an armored file with this ending.
    Armored(&'static str),
    /// In a binary file with this ending.
    Binary(&'static str),
}

/// One publisher with one image. Paths are those of its own host.
struct Stall {
    distro: &'static str,
    release: Option<&'static str>,
    version: &'static str,
    folder: &'static str,
    image: &'static str,
    list: &'static str,
    signed: Signed,
}

const STALLS: [Stall; 5] = [
    Stall {
        distro: "rocky",
        release: Some("10"),
        version: "10.2-20260525.0",
        folder: "pub/rocky/10/images/x86_64",
        image: "Rocky-10-GenericCloud-Base-10.2-20260525.0.x86_64.qcow2",
        list: "CHECKSUM",
        signed: Signed::Armored(".sig"),
    },
    Stall {
        distro: "almalinux",
        release: Some("9"),
        version: "9.8-20260526",
        folder: "almalinux/9/cloud/x86_64/images",
        image: "AlmaLinux-9-GenericCloud-9.8-20260526.x86_64.qcow2",
        list: "CHECKSUM",
        signed: Signed::Armored(".asc"),
    },
    Stall {
        distro: "fedora-cloud",
        release: Some("44"),
        version: "44-1.7",
        folder: "pub/fedora/linux/releases/44/Cloud/x86_64/images",
        image: "Fedora-Cloud-Base-Generic-44-1.7.x86_64.qcow2",
        list: "Fedora-Cloud-44-1.7-x86_64-CHECKSUM",
        signed: Signed::Clear,
    },
    Stall {
        distro: "opensuse-leap",
        release: Some("16.0"),
        version: "18.7",
        folder: "distribution/leap/16.0/appliances",
        image: "Leap-16.0-Minimal-VM.x86_64-Cloud-Build18.7.qcow2",
        list: "Leap-16.0-Minimal-VM.x86_64-Cloud-Build18.7.qcow2.sha256",
        signed: Signed::Armored(".asc"),
    },
    Stall {
        distro: "archlinux",
        release: None,
        version: "20260715.556894",
        folder: "images/v20260715.556894",
        image: "Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2",
        list: "Arch-Linux-x86_64-cloudimg-20260715.556894.qcow2.SHA256",
        signed: Signed::Binary(".sig"),
    },
];

impl Stall {
    fn on_mirror(&self, file: &str) -> String {
        format!("{}/{}/{file}", self.distro, self.folder)
    }

    fn exhibit(&self) -> Exhibit {
        Exhibit {
            distro: self.distro,
            vouching: Vouching::Signature,
            family: self.distro,
            version: self.version,
            image: self.on_mirror(self.image),
            list: self.on_mirror(self.list),
            stored: image::qcow2(1 << 30, self.image.as_bytes()),
        }
    }

    /// The list, in the dialect of those who sign around it or beside it.
    fn list(&self) -> String {
        let digest = hex::encode(Sha256::digest(self.exhibit().stored));
        match self.signed {
            Signed::Clear => format!("SHA256 ({}) = {digest}\n", self.image),
            Signed::Armored(_) | Signed::Binary(_) => format!("{digest}  {}\n", self.image),
        }
    }

    /// The files that state the digest and vouch for it, signed by this signer.
    fn files(&self, signer: &Signer) -> Vec<(String, Vec<u8>)> {
        let (path, list) = (self.on_mirror(self.list), self.list());
        let beside = |ending, signature: anyhow::Result<Vec<u8>>| {
            vec![(format!("{path}{ending}"), signature.unwrap()), (path.clone(), list.clone().into_bytes())]
        };
        match self.signed {
            Signed::Clear => vec![(path, signer.clear_signed(&list).unwrap())],
            Signed::Armored(ending) => beside(ending, signer.armored(list.as_bytes())),
            Signed::Binary(ending) => beside(ending, signer.binary(list.as_bytes())),
        }
    }
}

/// A cloud whose images.toml wants the image of every stall, all of them signed by the key that it names.
async fn open() -> Gallery {
    let gallery = Gallery::open().await;
    let signer = Signer::new().unwrap();
    let mut file = "[catalogue]\nname = \"signers\"\n".to_owned();
    for stall in &STALLS {
        let distro = stall.distro;
        gallery.write(&format!("{distro}.asc"), signer.public_key());
        let release = stall.release.map(|release| format!(", release = \"{release}\"")).unwrap_or_default();
        write!(
            file,
            "[publisher.{distro}]\nmirror = \"{}/{distro}\"\nkeys = [\"{distro}.asc\"]\n[[image]]\nfamily = \"{distro}\"\nname \
             = \"{distro}\"\nsource = {{ distro = \"{distro}\"{release} }}\n",
            gallery.mirror_url()
        )
        .unwrap();
        let exhibit = stall.exhibit();
        for (path, content) in stall.files(&signer).into_iter().chain([(exhibit.image, exhibit.stored)]) {
            gallery.world().publish(&path, content);
        }
    }
    gallery.write("images.toml", &file);
    gallery
}

/// Whatever is done to one publisher, its family is refused with these words, nothing is left of it on the cloud, and
/// everybody else's is public.
async fn refused(exit: i32, words: &[&str], harm: impl Fn(&Gallery, &Stall)) {
    for harmed in &STALLS {
        let gallery = open().await;
        harm(&gallery, harmed);
        let run = gallery.run(&["apply", "--auto-approve"]).ends_with(exit);
        run.says(harmed.distro);
        for words in words {
            run.says(words);
        }
        let others = STALLS.iter().filter(|stall| stall.distro != harmed.distro);
        gallery.shows(&others.map(Stall::exhibit).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_public_when_all_is_right() {
    let gallery = open().await;
    gallery.run(&["apply", "--auto-approve"]).ends_with(0).says("5 added");
    gallery.shows(&STALLS.iter().map(Stall::exhibit).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_refused() {
    let stranger = Signer::new().unwrap();
    let words = [stranger.fingerprint(), "which is not one of the publisher's known keys"];
    refused(0, &words, |gallery, harmed| {
        for (path, content) in harmed.files(&stranger) {
            gallery.world().publish(&path, content);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_list_is_refused() {
    refused(0, &["is not to be trusted", "they were altered"], |gallery, harmed| {
        gallery.alter(&harmed.on_mirror(harmed.list), |list| {
            let digest = hex::encode(Sha256::digest(harmed.exhibit().stored));
            *list = String::from_utf8(list.clone()).unwrap().replace(&digest, &"0".repeat(64)).into_bytes();
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_its_signature_is_refused() {
    refused(0, &["signature"], |gallery, harmed| {
        let list = harmed.on_mirror(harmed.list);
        match harmed.signed {
            Signed::Clear => gallery.world().publish(&list, harmed.list()),
            Signed::Armored(ending) | Signed::Binary(ending) => gallery.world().withdraw(&format!("{list}{ending}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_image_is_refused() {
    refused(5, &["not the published ones"], |gallery, harmed| {
        gallery.alter(&harmed.exhibit().image, |image| {
            let last = image.len() - 1;
            image[last] ^= 1;
        });
    })
    .await;
}

/// Keys and signatures that GnuPG made, with its clock at 2020.
macro_rules! of_2020 {
    ($name:literal) => {
        [
            include_str!(concat!("../fixtures/upstream/", $name, ".key.asc")),
            include_str!(concat!("../fixtures/upstream/", $name, ".sig.asc")),
        ]
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_count_no_more_are_refused_with_the_reason() {
    let list = include_str!("../fixtures/upstream/list.txt");
    let stall = STALLS.iter().find(|stall| stall.distro == "almalinux").unwrap();
    for ([key, signature], words) in [
        (of_2020!("expired"), "the key `3DD3B95ABEAB21B769D66025505F0FE3BAF76865` that signed it has expired"),
        (of_2020!("subkey"), "the key `173CB4E80326C668D0829A2F5B0AB096ABCEFDC3` that signed it has expired"),
        (of_2020!("revoked"), "the key `7AF66CEB3BF70D24B2D1813E04502064EED07EB2` that signed it was revoked"),
        (of_2020!("retired"), "the key `32D746890EC15F4A8631796622449B50FDD2532A` that signed it was revoked"),
        (of_2020!("weak"), "its signature rests on the hash SHA1, which is too weak"),
        (
            of_2020!("short"),
            "its signature rests on the key `1E0A7E5B019CD6C0168462AFEF5A97A6836CE331`, which is too weak",
        ),
    ] {
        let gallery = open().await;
        gallery.write("almalinux.asc", key);
        let path = stall.on_mirror(stall.list);
        gallery.world().publish(&format!("{path}.asc"), signature);
        gallery.world().publish(&path, list);
        gallery.run(&["apply", "--auto-approve"]).ends_with(0).says(words);
        let others = STALLS.iter().filter(|other| other.distro != stall.distro);
        gallery.shows(&others.map(Stall::exhibit).collect::<Vec<_>>());
    }
}
