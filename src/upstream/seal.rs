//! Signatures over images themselves, which can only be checked while the image passes by.
//!
//! The problem: Fedora CoreOS signs no list of digests but each image, and a plan is made long before the image is there.
//! The idea: judge in two steps. When planning, everything is asked that does not need the bytes: is the key one of the
//! publisher's, may it sign, is it strong enough ([`promise`]). When the bytes pass, the same rules as for lists are
//! applied to them, in one pass and before anybody has the image ([`Seal`]). So a plan says who must have signed, and
//! what they have not signed is never published.

use std::io::Read;

use rpgpie::signature;

use super::signature::{Distrust, Keyring, fingerprint, judge, read_signatures, unless_altered};
use crate::model::version::DetachedSignature;
use crate::transfer::Witness;

/// The first signature in a file that counts if the bytes are the signed ones.
///
/// # Errors
/// [`Distrust`]: none of them would.
pub(super) fn promise(file: &[u8], keyring: &Keyring) -> Result<DetachedSignature, Distrust> {
    let (found, certificate) = unless_altered(&read_signatures(file)?, keyring)?;
    let (mut signature, mut key) = (Vec::new(), Vec::new());
    let written = signature::save(&[found], true, &mut signature).and_then(|()| certificate.save(true, &mut key));
    written.map_err(|error| Distrust::Malformed(error.to_string()))?;
    let text = |armored: Vec<u8>| String::from_utf8_lossy(&armored).into_owned();
    Ok(DetachedSignature { fingerprint: fingerprint(&certificate), signature: text(signature), key: text(key) })
}

/// Watches an image pass, and says whether it is the signed one.
#[derive(Debug)]
pub struct Seal(DetachedSignature);

impl Seal {
    /// For the image that this signature belongs to.
    pub const fn new(signature: DetachedSignature) -> Self {
        Self(signature)
    }

    fn verify(&self, image: &mut dyn Read) -> Result<(), Distrust> {
        let keyring = Keyring::load([self.0.key.as_bytes()]).map_err(|error| Distrust::Malformed(error.to_string()))?;
        let signatures = read_signatures(self.0.signature.as_bytes())?;
        let signature = signatures.first().ok_or(Distrust::Unsigned)?;
        let found = judge(image, signature, &keyring)?;
        if found == self.0.fingerprint { Ok(()) } else { Err(Distrust::UnknownKey(found)) }
    }
}

impl Witness for Seal {
    fn judge(&self, published: &mut dyn Read) -> Result<(), String> {
        self.verify(published).map_err(|distrust| distrust.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{detached_by, public_key, throw_away_key};
    use super::*;

    #[test]
    fn only_the_signed_bytes_pass() {
        let key = throw_away_key();
        let keyring = Keyring::load([public_key(&key).as_slice()]).unwrap();
        for armored in [true, false] {
            let promised = promise(&detached_by(&key, b"image", armored), &keyring).unwrap();
            assert_eq!(vec![promised.fingerprint.clone()], keyring.fingerprints());
            let seal = Seal::new(promised.clone());
            assert_eq!(seal.judge(&mut b"image".as_slice()), Ok(()));
            for other in [b"imagf".as_slice(), b"imag", b"images", b""] {
                assert!(seal.judge(&mut &*other).unwrap_err().contains("they were altered"));
            }
            let mistaken = Seal::new(DetachedSignature { fingerprint: "A".repeat(40), ..promised });
            assert!(mistaken.judge(&mut b"image".as_slice()).unwrap_err().contains("not one of the publisher's"));
        }
    }

    #[test]
    fn nothing_is_promised_of_a_stranger() {
        let (key, stranger) = (throw_away_key(), throw_away_key());
        let keyring = Keyring::load([public_key(&key).as_slice()]).unwrap();
        let foreign = promise(&detached_by(&stranger, b"image", false), &keyring);
        assert!(matches!(foreign, Err(Distrust::UnknownKey(_))), "{foreign:?}");
        assert!(promise(b"", &keyring).is_err());
        assert!(promise(b"<html>", &keyring).is_err());
    }
}
