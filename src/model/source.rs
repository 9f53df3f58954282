//! Where a family's versions come from, as images.toml says it.

use super::image::words;

words!(
    /// The publishers that gallerist knows. The words are those of `source = { distro = "…" }`.
    Distro {
        /// Canonical's server images.
        Ubuntu = "ubuntu",
        /// Canonical's minimal images.
        UbuntuMinimal = "ubuntu-minimal",
        /// Debian's cloud images.
        Debian = "debian",
        /// Fedora CoreOS.
        FedoraCoreos = "fedora-coreos",
        /// Rocky Linux.
        Rocky = "rocky",
        /// Flatcar Container Linux.
        Flatcar = "flatcar",
        /// AlmaLinux.
        Almalinux = "almalinux",
        /// CentOS Stream.
        CentosStream = "centos-stream",
        /// Fedora Cloud.
        FedoraCloud = "fedora-cloud",
        /// openSUSE Leap.
        OpensuseLeap = "opensuse-leap",
        /// Alpine Linux.
        Alpine = "alpine",
        /// Arch Linux.
        Archlinux = "archlinux",
    }
);
words!(
    /// The processor an image is for. The words are Glance's.
    Architecture {
        /// 64-bit x86; `amd64` at Ubuntu, Debian and Flatcar.
        X86_64 = "x86_64",
        /// 64-bit ARM; `arm64` at Ubuntu, Debian and Flatcar.
        Aarch64 = "aarch64",
    }
);
words!(
    /// The least that must vouch for a publisher's digests.
    LeastTrust {
        /// Anything, also metadata over plain HTTP.
        None = "none",
        /// The TLS connection to the publisher or its mirror.
        Https = "https",
        /// A signature by one of the keys.
        Signed = "signed",
    }
);
