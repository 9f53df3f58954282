//! A key for the occasion, and the forms in which publishers sign with theirs.
//!
//! Ed25519, because such a key is made in no time.

use anyhow::Context as _;
use pgp::composed::{ArmorOptions, KeyType};
use pgp::types::{KeyDetails as _, KeyVersion};
use rpgpie::certificate::Certificate;
use rpgpie::message::SignatureMode;
use rpgpie::tsk::Tsk;

/// Signs as publishers do, with a key of its own.
pub struct Signer {
    key: Tsk,
    public_key: String,
    fingerprint: String,
}

impl Signer {
    /// A signer with a new key.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new() -> anyhow::Result<Self> {
        let name = Some("The publishers of the embedded cloud".to_owned());
        let key = Tsk::generate(KeyVersion::V4, KeyType::Ed25519Legacy, None, name, Vec::new(), None)
            .context("cannot make an OpenPGP key")?;
        let mut public_key = Vec::new();
        Certificate::from(key.clone()).save(true, &mut public_key).context("cannot write the public key")?;
        let public_key = String::from_utf8(public_key).context("an armored key is text")?;
        let fingerprint = hex::encode_upper(key.key().fingerprint().as_bytes());
        Ok(Self { key, public_key, fingerprint })
    }

    /// The public key, armored.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The fingerprint of the key, in upper-case hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The text with the signature around it, as in `.sjson` and `.DIGESTS.asc`.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn clear_signed(&self, text: &str) -> anyhow::Result<Vec<u8>> {
        let message =
            rpgpie::csf::sign(text.as_bytes(), std::slice::from_ref(&self.key), &[]).context("cannot sign")?;
        Ok(message.to_armored_bytes(ArmorOptions::default())?)
    }

    /// A signature for a file of its own, armored as in `.json.gpg`.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn armored(&self, data: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.detached(data, true)
    }

    /// A signature for a file of its own, binary as in `.xz.sig`.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn binary(&self, data: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.detached(data, false)
    }

    fn detached(&self, data: &[u8], armored: bool) -> anyhow::Result<Vec<u8>> {
        let keys = std::slice::from_ref(&self.key);
        let signatures = rpgpie::detached::sign(data, keys, &[], SignatureMode::Binary).context("cannot sign")?;
        let mut file = Vec::new();
        rpgpie::signature::save(&signatures, armored, &mut file).context("cannot write a signature")?;
        Ok(file)
    }
}
