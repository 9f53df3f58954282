//! The publishers' public keys that ship with gallerist.
//!
//! | file | fingerprint | user id | named by |
//! | --- | --- | --- | --- |
//! | `ubuntu.asc` | `4A3CE3CD565D7EB5C810E2B97FF3F408476CF100` | Ubuntu Cloud Image Builder | package `ubuntu-cloudimage-keyring`; juju `environs/imagemetadata/simplestreams.go` |
//! | `fedora-43.asc` | `C6E7F081CF80E13146676E88829B606631645531` | Fedora (43) | <https://fedoraproject.org/security/> |
//! | `fedora-44.asc` | `36F612DCF27F7D1A48A835E4DBFCF71C6D9F90A6` | Fedora (44) | <https://fedoraproject.org/security/> |
//! | `fedora-45.asc` | `4F50A6114CD5C6976A7F1179655A4B02F577861E` | Fedora (45) | <https://fedoraproject.org/security/> |
//! | `flatcar.asc` | `F88CFEDEFF29A5B4D9523864E25D9AED0593B34A` | Flatcar Buildbot (Official Builds) | <https://www.flatcar.org/security/image-signing-key/> |
//! | `rocky-8.asc` | `7051C470A929F454CEBE37B715AF5DAC6D745A60` | Release Engineering (Rocky Linux 8) | <https://rockylinux.org/keys>; `keys/fingerprints` in rocky-linux/checksums |
//! | `rocky-10.asc` | `FC226859C0860BF0DDB95B085B106C736FEDFC85` | Release Engineering (Rocky Linux 10) | <https://rockylinux.org/keys> |
//! | `almalinux-9.asc` | `BF18AC2876178908D6E71267D36CB86CB86B3716` | AlmaLinux OS 9 | <https://almalinux.org/security/> |
//! | `almalinux-10.asc` | `EE6DB7B98F5BF5EDD9DA0DE5DEE5C11CC2A1E572` | AlmaLinux OS 10 | <https://almalinux.org/security/> |
//! | `opensuse.asc` | `AD485664E901B867051AB15F35A2F86E29B700A4` | openSUSE Project Signing Key, expires 2030-05-27 | <https://en.opensuse.org/openSUSE:Signing_Keys> |
//! | `archlinux.asc` | `1B9A16984A4E8CB448712D2AE0B78BF4326C6F8F` | arch-boxes | <https://gitlab.archlinux.org/archlinux/arch-boxes>, its README |
//!
//! Flatcar and Arch sign with subkeys that expire; the present ones, `52F145DFD00BBDCD928CBB5A32DA80F91EF52974` and
//! `656E4C5AC1CC3B86E539D97E343635A6859A9174`, do so on 2027-03-08 and 2027-05-28. Fedora has a key for each release. A key that is not here yet can be named in images.toml.

/// Ubuntu's simplestreams.
pub(super) const UBUNTU: &[&[u8]] = &[include_bytes!("keys/ubuntu.asc")];
/// Fedora's releases.
pub(super) const FEDORA: &[&[u8]] =
    &[include_bytes!("keys/fedora-43.asc"), include_bytes!("keys/fedora-44.asc"), include_bytes!("keys/fedora-45.asc")];
/// Flatcar's images.
pub(super) const FLATCAR: &[&[u8]] = &[include_bytes!("keys/flatcar.asc")];
/// Rocky Linux 8 and 10. Nothing signs the images of 9.
pub(super) const ROCKY: &[&[u8]] = &[include_bytes!("keys/rocky-8.asc"), include_bytes!("keys/rocky-10.asc")];
/// AlmaLinux.
pub(super) const ALMALINUX: &[&[u8]] =
    &[include_bytes!("keys/almalinux-9.asc"), include_bytes!("keys/almalinux-10.asc")];
/// openSUSE.
pub(super) const OPENSUSE: &[&[u8]] = &[include_bytes!("keys/opensuse.asc")];
/// Arch Linux.
pub(super) const ARCHLINUX: &[&[u8]] = &[include_bytes!("keys/archlinux.asc")];

#[cfg(test)]
mod tests {
    use crate::upstream::signature::Keyring;

    /// The table above is what people read; it must be what is shipped.
    #[test]
    fn every_key_is_the_one_that_the_table_states() {
        let shipped = [
            ("ubuntu.asc", super::UBUNTU),
            ("fedora-43.asc", &super::FEDORA[..1]),
            ("fedora-44.asc", &super::FEDORA[1..2]),
            ("fedora-45.asc", &super::FEDORA[2..]),
            ("flatcar.asc", super::FLATCAR),
            ("rocky-8.asc", &super::ROCKY[..1]),
            ("rocky-10.asc", &super::ROCKY[1..]),
            ("almalinux-9.asc", &super::ALMALINUX[..1]),
            ("almalinux-10.asc", &super::ALMALINUX[1..]),
            ("opensuse.asc", super::OPENSUSE),
            ("archlinux.asc", super::ARCHLINUX),
        ];
        let table: Vec<(&str, &str)> = include_str!("keys.rs")
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("//! | `")?.split('`');
                Some((cells.next()?, cells.nth(1)?))
            })
            .collect();
        assert_eq!(table.len(), shipped.len());
        for ((file, keys), (stated_file, fingerprint)) in shipped.into_iter().zip(table) {
            assert_eq!(file, stated_file);
            assert_eq!(Keyring::load(keys.iter().copied()).unwrap().fingerprints(), [fingerprint], "{file}");
        }
    }
}
