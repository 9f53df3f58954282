//! OpenPGP signatures over checksum lists: whether one of the publisher's keys has signed exactly these bytes.
//!
//! The problem: a library that finds no good signature says just that, and an operator at night needs to know whether
//! the list was altered, the key has expired, or the publisher has changed keys. The idea: the library decides, and only
//! afterwards are the signatures looked at to say why not. A signature counts if its key was good when it signed *and*
//! is good today: an expired key may have been lost since, and whoever found it can sign with any date. Data signatures
//! over MD5, SHA-1 or RIPEMD-160 never count, whatever date they claim, for the date is under the same weak hash.
//! Self-signatures inside keys may still use SHA-1 if they are old: Ubuntu's key of 2012 has no others.
//!
//! What this does not solve: replay. An old list with its good signature is still signed. The planner refuses a latest
//! that is older than the present one.

use std::fmt;
use std::io::Read;

use jiff::Timestamp;
use pgp::composed::SignedPublicKey;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::ser::Serialize as _;
use pgp::types::KeyDetails;
use rpgpie::certificate::{Certificate, Checked};
use rpgpie::{detached, signature};

use super::armor;

/// Signature files are a few hundred bytes for each signature.
const MOST_BYTES: usize = 64 << 10;
/// Each signature costs a hash over the whole list.
const MOST_SIGNATURES: usize = 8;

/// The keys that may sign for a publisher.
#[derive(Debug, Clone)]
pub struct Keyring(Vec<Certificate>);

/// A file that holds no OpenPGP public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAKey(String);

impl fmt::Display for NotAKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no OpenPGP public key in it: {}", self.0)
    }
}

impl std::error::Error for NotAKey {}

impl Keyring {
    /// The keys in these files, armored or binary, one or several a file.
    ///
    /// # Errors
    /// A file without a public key.
    pub fn load<'a>(files: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NotAKey> {
        let mut keys = Vec::new();
        for file in files {
            let packets = armor::packets(file).map_err(NotAKey)?;
            keys.extend(Certificate::load(&mut packets.as_slice()).map_err(|error| NotAKey(error.to_string()))?);
        }
        Ok(Self(keys))
    }

    /// The full fingerprints of the primary keys, in upper-case hexadecimal.
    pub fn fingerprints(&self) -> Vec<String> {
        self.0.iter().map(fingerprint).collect()
    }
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distrust {
    /// There is no signature where one should be.
    Unsigned,
    /// The signature, or the signed message, cannot be read.
    Malformed(String),
    /// Signed by a key that is not among the publisher's: its id or fingerprint.
    UnknownKey(String),
    /// The key, by its primary fingerprint, is not valid any more, or was not when it signed.
    ExpiredKey(String),
    /// The key was revoked.
    RevokedKey(String),
    /// The signature rests on a broken hash or a key that is too short: which.
    Weak(String),
    /// The signature belongs to other bytes.
    Altered(String),
}

impl fmt::Display for Distrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned => formatter.write_str("it has no signature"),
            Self::Malformed(problem) => write!(formatter, "its signature cannot be read: {problem}"),
            Self::UnknownKey(key) => write!(
                formatter,
                "it is signed by the key `{key}`, which is not one of the publisher's known keys; if the publisher \
                 has changed keys, name the new one in the publisher's `keys`"
            ),
            Self::ExpiredKey(key) => write!(
                formatter,
                "the key `{key}` that signed it has expired; if the publisher has renewed it, name the renewed one in \
                 the publisher's `keys`"
            ),
            Self::RevokedKey(key) => write!(formatter, "the key `{key}` that signed it was revoked"),
            Self::Weak(what) => write!(formatter, "its signature rests on {what}, which is too weak"),
            Self::Altered(key) => {
                write!(formatter, "the signature by `{key}` is not one over these bytes: they were altered")
            }
        }
    }
}

impl std::error::Error for Distrust {}

/// The primary fingerprint of the key that has signed `data` with a signature in its own file.
///
/// # Errors
/// [`Distrust`], for the reason that is nearest to a good signature.
pub fn verify_detached(data: &[u8], signatures: &[u8], keyring: &Keyring) -> Result<String, Distrust> {
    verify(data, &read_signatures(signatures)?, keyring)
}

/// The signatures in a file, armored or binary.
pub(super) fn read_signatures(bytes: &[u8]) -> Result<Vec<Signature>, Distrust> {
    if bytes.len() > MOST_BYTES {
        return Err(Distrust::Malformed(format!("it has more than {MOST_BYTES} bytes")));
    }
    let packets = armor::packets(bytes).map_err(Distrust::Malformed)?;
    let mut signatures =
        signature::load(&mut packets.as_slice()).map_err(|error| Distrust::Malformed(error.to_string()))?;
    signatures.truncate(MOST_SIGNATURES);
    Ok(signatures)
}

/// The primary fingerprint of the key behind the first good signature over the data.
pub(super) fn verify(data: &[u8], signatures: &[Signature], keyring: &Keyring) -> Result<String, Distrust> {
    let mut nearest = Distrust::Unsigned;
    for signature in signatures {
        match judge(data, signature, keyring) {
            Ok(fingerprint) => return Ok(fingerprint),
            Err(distrust) if nearness(&distrust) > nearness(&nearest) => nearest = distrust,
            Err(_) => {}
        }
    }
    Err(nearest)
}

/// The signature that would count if the bytes were the signed ones, and the key that made it.
///
/// # Errors
/// [`Distrust`], for the reason that is nearest to a good signature.
pub(super) fn unless_altered(
    signatures: &[Signature],
    keyring: &Keyring,
) -> Result<(Signature, Certificate), Distrust> {
    let mut nearest = Distrust::Unsigned;
    for signature in signatures {
        let distrust = why_not(signature, keyring, signature.hash_alg().is_some_and(is_strong));
        if let Distrust::Altered(wanted) = &distrust
            && let Some(key) = keyring.0.iter().find(|key| fingerprint(key) == *wanted)
        {
            return Ok((signature.clone(), key.clone()));
        }
        if nearness(&distrust) > nearness(&nearest) {
            nearest = distrust;
        }
    }
    Err(nearest)
}

/// The primary fingerprint of the key behind a signature that counts.
pub(super) fn judge(data: impl Read, signature: &Signature, keyring: &Keyring) -> Result<String, Distrust> {
    let found = detached::verify(data, std::slice::from_ref(signature), &keyring.0)
        .map_err(|error| Distrust::Malformed(error.to_string()))?;
    let strong = signature.hash_alg().is_some_and(is_strong);
    found
        .iter()
        .flat_map(|found| found.certs.iter().map(|key| (*key, &found.component)))
        .find(|(key, component)| {
            let today = Checked::new((*key).clone()).valid_signing_capable_component_keys_at(now());
            strong && today.iter().any(|able| able.as_componentkey().fingerprint() == **component)
        })
        .map(|(key, _)| fingerprint(key))
        .ok_or_else(|| why_not(signature, keyring, strong))
}

/// Why a signature does not count: the first thing that would have to be otherwise.
fn why_not(signature: &Signature, keyring: &Keyring, strong: bool) -> Distrust {
    let Some(key) = keyring.0.iter().find(|key| issuing_keys(key, signature).next().is_some()) else {
        return Distrust::UnknownKey(issuer(signature));
    };
    let checked = Checked::new(key.clone());
    let able = |at| {
        let able = checked.valid_signing_capable_component_keys_at(at);
        able.iter().any(|component| is_issuer(component.as_componentkey(), signature))
    };
    if checked.revoked_at(now()) || issuing_keys(key, signature).any(|part| part == Part::Revoked) {
        Distrust::RevokedKey(fingerprint(key))
    } else if !strong {
        let hash = signature.hash_alg().map_or_else(|| "an unknown hash".to_owned(), |hash| format!("the hash {hash}"));
        Distrust::Weak(hash)
    } else if issuing_keys(key, signature).any(|part| part == Part::Weak) {
        Distrust::Weak(format!("the key `{}`", fingerprint(key)))
    } else if !able(now()) || !signature.created().is_some_and(able) {
        Distrust::ExpiredKey(fingerprint(key))
    } else {
        Distrust::Altered(fingerprint(key))
    }
}

/// What is known of a key or subkey before asking whether it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Sound,
    Revoked,
    Weak,
}

/// The key and subkeys that call themselves the signature's issuer.
fn issuing_keys(key: &Certificate, signature: &Signature) -> impl Iterator<Item = Part> {
    let key = SignedPublicKey::from(key.clone());
    let primary = is_issuer(&key.primary_key, signature).then(|| strength(&key.primary_key));
    let subkeys: Vec<Part> = key
        .public_subkeys
        .iter()
        .filter(|subkey| is_issuer(&subkey.key, signature))
        .map(|subkey| {
            let revoked = |binding: &Signature| binding.typ() == Some(SignatureType::SubkeyRevocation);
            if subkey.signatures.iter().any(revoked) { Part::Revoked } else { strength(&subkey.key) }
        })
        .collect();
    primary.into_iter().chain(subkeys)
}

/// RSA below 2048 bits, whose public numbers take less than 260 bytes, and DSA do not count any more.
fn strength(key: &impl KeyDetails) -> Part {
    let short = key.algorithm() == PublicKeyAlgorithm::RSA && key.public_params().write_len() < 260;
    if short || key.algorithm() == PublicKeyAlgorithm::DSA { Part::Weak } else { Part::Sound }
}

/// A later entry says more: which of several signatures is worth talking about.
const fn nearness(distrust: &Distrust) -> u8 {
    match distrust {
        Distrust::Unsigned => 0,
        Distrust::Malformed(_) => 1,
        Distrust::UnknownKey(_) => 2,
        Distrust::Weak(_) => 3,
        Distrust::ExpiredKey(_) => 4,
        Distrust::RevokedKey(_) => 5,
        Distrust::Altered(_) => 6,
    }
}

fn is_strong(hash: HashAlgorithm) -> bool {
    [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
        HashAlgorithm::Sha3_256,
        HashAlgorithm::Sha3_512,
    ]
    .contains(&hash)
}

fn is_issuer(key: &impl KeyDetails, signature: &Signature) -> bool {
    signature.issuer_key_id().contains(&&key.legacy_key_id())
        || signature.issuer_fingerprint().contains(&&key.fingerprint())
}

fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|fingerprint| format!("{fingerprint:X}"));
    let id = || signature.issuer_key_id().first().map(|id| id.to_string().to_ascii_uppercase());
    fingerprint.or_else(id).unwrap_or_else(|| "unnamed".to_owned())
}

pub(super) fn fingerprint(key: &Certificate) -> String {
    format!("{:X}", key.fingerprint())
}

fn now() -> pgp::types::Timestamp {
    // OpenPGP counts seconds in 32 bits; 2106 is the end of time for it.
    pgp::types::Timestamp::from_secs(u32::try_from(Timestamp::now().as_second()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{detached_by, public_key, throw_away_key};
    use super::*;
    use crate::model::testing::{bounded, harm};

    /// Keys and signatures over `list.txt` that GnuPG made for these tests, with its clock at 2020.
    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/upstream/", $name)).as_slice()
        };
    }

    fn of_2020(key: &[u8], signature: &[u8]) -> Result<String, Distrust> {
        verify_detached(fixture!("list.txt"), signature, &Keyring::load([key]).unwrap())
    }

    #[test]
    fn a_good_signature_yields_the_primary_fingerprint() {
        let (key, other) = (throw_away_key(), throw_away_key());
        let keyring = Keyring::load([public_key(&other).as_slice(), &public_key(&key)]).unwrap();
        let wanted = keyring.fingerprints()[1].clone();
        assert_eq!(wanted.len(), 40);
        for armored in [true, false] {
            let signature = detached_by(&key, b"list", armored);
            assert_eq!(verify_detached(b"list", &signature, &keyring), Ok(wanted.clone()));
            assert_eq!(verify_detached(b"lust", &signature, &keyring), Err(Distrust::Altered(wanted.clone())));
        }
    }

    #[test]
    fn the_reason_nearest_to_a_good_signature_is_told() {
        let (known, unknown) = (throw_away_key(), throw_away_key());
        let keyring = Keyring::load([public_key(&known).as_slice()]).unwrap();
        let foreign = detached_by(&unknown, b"list", false);
        assert!(matches!(verify_detached(b"list", &foreign, &keyring), Err(Distrust::UnknownKey(_))));
        let both = [foreign.clone(), detached_by(&known, b"other", false)].concat();
        assert!(matches!(verify_detached(b"list", &both, &keyring), Err(Distrust::Altered(_))));
        let enough = [foreign, detached_by(&known, b"list", false)].concat();
        assert!(verify_detached(b"list", &enough, &keyring).is_ok());
        assert!(matches!(verify_detached(b"list", b"", &keyring), Err(Distrust::Unsigned | Distrust::Malformed(_))));
    }

    #[test]
    fn an_expired_key_does_not_count_whatever_date_it_signs() {
        let expired = of_2020(fixture!("expired.key.asc"), fixture!("expired.sig.asc"));
        assert_eq!(expired, Err(Distrust::ExpiredKey("3DD3B95ABEAB21B769D66025505F0FE3BAF76865".to_owned())));
        let subkey = of_2020(fixture!("subkey.key.asc"), fixture!("subkey.sig.asc"));
        assert_eq!(subkey, Err(Distrust::ExpiredKey("173CB4E80326C668D0829A2F5B0AB096ABCEFDC3".to_owned())));
    }

    #[test]
    fn a_revoked_key_does_not_count_even_if_it_was_only_retired() {
        let revoked = of_2020(fixture!("revoked.key.asc"), fixture!("revoked.sig.asc"));
        assert_eq!(revoked, Err(Distrust::RevokedKey("7AF66CEB3BF70D24B2D1813E04502064EED07EB2".to_owned())));
        let retired = of_2020(fixture!("retired.key.asc"), fixture!("retired.sig.asc"));
        assert_eq!(retired, Err(Distrust::RevokedKey("32D746890EC15F4A8631796622449B50FDD2532A".to_owned())));
    }

    #[test]
    fn weak_hashes_and_short_keys_do_not_count() {
        let hash = of_2020(fixture!("weak.key.asc"), fixture!("weak.sig.asc"));
        assert_eq!(hash, Err(Distrust::Weak("the hash SHA1".to_owned())));
        let key = of_2020(fixture!("short.key.asc"), fixture!("short.sig.asc"));
        assert_eq!(key, Err(Distrust::Weak("the key `1E0A7E5B019CD6C0168462AFEF5A97A6836CE331`".to_owned())));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(Keyring::load([b"no key".as_slice()]).is_err());
        assert!(Keyring::load([fixture!("expired.sig.asc")]).is_err());
    }

    #[test]
    fn harmed_signatures_and_keys_are_refused() {
        bounded(|| {
            let (known, unknown) = (throw_away_key(), throw_away_key());
            let keyring = Keyring::load([public_key(&known).as_slice()]).unwrap();
            let foreign = detached_by(&unknown, b"list", false);
            let good = [detached_by(&known, b"list", true), detached_by(&known, b"list", false)];
            let keys = [public_key(&known), fixture!("subkey.key.asc").to_vec()];
            proptest!(ProptestConfig::with_cases(64), |(harm in harm())| {
                prop_assert!(verify_detached(b"list", &harm.done_to(&foreign), &keyring).is_err());
                for signature in &good {
                    // What was harmed may be no part of what counts, but it never makes a signature one over other bytes.
                    prop_assert!(verify_detached(b"lost", &harm.done_to(signature), &keyring).is_err());
                }
                for key in &keys {
                    Keyring::load([harm.done_to(key).as_slice()]).ok();
                }
            });
        });
    }
}
