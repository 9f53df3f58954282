//! The frame of a clear-signed message: which text is signed, and by what.
//!
//! The OpenPGP library can read this frame, but searches everything read so far once a line, so that a list of a few
//! megabytes takes seconds and a hostile one takes hours. The frame is simple (RFC 9580, section 7), so it is read here,
//! once, and strictly: nothing may stand before the message, after it, or in its head but the names of hashes. Only
//! what [`ClearSigned::text`] returns was signed; everything else in the file is anybody's.

use pgp::packet::Signature;

use super::signature::{Distrust, Keyring, read_signatures, verify};

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// A clear-signed message that has been read but not believed.
#[derive(Debug)]
pub struct ClearSigned {
    text: String,
    signatures: Vec<Signature>,
}

impl ClearSigned {
    /// Reads a clear-signed message.
    ///
    /// # Errors
    /// It is none, or has text outside of what is signed.
    pub fn read(message: &[u8]) -> Result<Self, Distrust> {
        let malformed = |problem: &str| Distrust::Malformed(problem.to_owned());
        let message = std::str::from_utf8(message).map_err(|error| Distrust::Malformed(error.to_string()))?;
        let mut offset = 0;
        let mut lines = message.split_inclusive('\n').map(|line| {
            offset += line.len();
            (line.trim_end_matches([' ', '\t', '\r', '\n']), offset)
        });
        if lines.next().is_none_or(|(line, _)| line != BEGIN) {
            return Err(malformed("it does not begin as a clear-signed message does"));
        }
        if !lines.by_ref().take_while(|(line, _)| !line.is_empty()).all(|(line, _)| line.starts_with("Hash: ")) {
            return Err(malformed("something other than `Hash` stands in its head"));
        }
        let mut text: Option<String> = None;
        let mut start = None;
        for (line, end) in lines.by_ref() {
            if line == SIGNATURE {
                start = Some(end);
                break;
            }
            let plain = line.strip_prefix("- ").unwrap_or(line);
            if plain.len() == line.len() && line.starts_with('-') {
                return Err(malformed("a line of its text begins with an unescaped dash"));
            }
            // Line endings stand between lines: the one in front of the signature is not part of the text.
            match &mut text {
                Some(text) => text.extend(["\r\n", plain]),
                None => text = Some(plain.to_owned()),
            }
        }
        let Some(start) = start else { return Err(malformed("its signature is missing")) };
        let mut rest = lines.map(|(line, _)| line).skip_while(|line| *line != END);
        if rest.next().is_none() || rest.any(|line| !line.is_empty()) {
            return Err(malformed("something stands behind its signature"));
        }
        let armored = format!("{SIGNATURE}\n{}", &message[start..]);
        Ok(Self { text: text.unwrap_or_default(), signatures: read_signatures(armored.as_bytes())? })
    }

    /// The text that the signature is over, and nothing around it. Lines are separated by CR LF, without blanks before
    /// it: both as they were hashed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The primary fingerprint of the key that has signed the text.
    ///
    /// # Errors
    /// [`Distrust`], for the reason that is nearest to a good signature.
    pub fn verify(&self, keyring: &Keyring) -> Result<String, Distrust> {
        verify(self.text.as_bytes(), &self.signatures, keyring)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rpgpie::tsk::Tsk;

    use super::super::testing::{clear_signed_by, public_key, throw_away_key};
    use super::*;
    use crate::model::testing::{bounded, harm};

    const TEXT: &str = "- dashed\n\nplain\nlast";

    fn keyring(key: &Tsk) -> Keyring {
        Keyring::load([public_key(key).as_slice()]).unwrap()
    }

    fn judge(message: &str, keyring: &Keyring) -> Result<String, Distrust> {
        let message = ClearSigned::read(message.as_bytes())?;
        message.verify(keyring)?;
        Ok(message.text().to_owned())
    }

    #[test]
    fn the_signed_text_and_nothing_else_is_read() {
        let key = throw_away_key();
        let message = clear_signed_by(&key, TEXT);
        assert!(message.contains("\n- - dashed\n"), "{message}");
        let keyring = keyring(&key);
        let signed = Ok("- dashed\r\n\r\nplain\r\nlast".to_owned());
        assert_eq!(judge(&message, &keyring), signed);
        assert_eq!(judge(&message.replace('\n', "\r\n"), &keyring), signed);
        assert_eq!(judge(&message.replace("plain\n", "plain \t\n"), &keyring), signed);
    }

    #[test]
    fn altered_and_foreign_messages_are_refused() {
        let (key, other) = (throw_away_key(), throw_away_key());
        let message = clear_signed_by(&key, TEXT);
        let altered = judge(&message.replace("plain", "plane"), &keyring(&key));
        assert!(matches!(altered, Err(Distrust::Altered(_))), "{altered:?}");
        let foreign = judge(&message, &keyring(&other));
        assert!(matches!(foreign, Err(Distrust::UnknownKey(_))), "{foreign:?}");
    }

    #[test]
    fn nothing_can_be_smuggled_around_the_signed_text() {
        let key = throw_away_key();
        let keyring = keyring(&key);
        let message = clear_signed_by(&key, TEXT);
        let digest = "a".repeat(64);
        for smuggled in [
            format!("{digest}  x\n{message}"),
            format!("{message}\n{digest}  x\n"),
            format!("{message}\n{message}"),
            message.replacen("\n\n", &format!("\n{digest}  x\n\n"), 1),
            message.replacen("Hash: ", &format!("Comment: {digest}  x\nHash: "), 1),
            message.replace("\nplain", "\n-----BEGIN PGP MESSAGE-----\nplain"),
            message.replace(END, ""),
        ] {
            assert!(judge(&smuggled, &keyring).is_err(), "{smuggled}");
        }
    }

    #[test]
    fn long_messages_take_no_longer_than_their_length() {
        bounded(|| {
            let lines = "\n".repeat(8 << 20);
            assert!(ClearSigned::read(format!("{BEGIN}\nHash: SHA512\n\n{lines}").as_bytes()).is_err());
        });
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        bounded(|| {
            let key = throw_away_key();
            let (signed, keyring) = (clear_signed_by(&key, TEXT), keyring(&key));
            proptest!(|(
                bytes in any::<Vec<u8>>(),
                lines in "(-----BEGIN PGP SIGNED MESSAGE-----|-----BEGIN PGP SIGNATURE-----|-----END PGP SIGNATURE-----|Hash: SHA256|- |-|\n|\r|é){0,40}",
                harm in harm(),
            )| {
                ClearSigned::read(&bytes).ok();
                let message = format!("{BEGIN}\n\n{lines}");
                for message in [lines, message] {
                    ClearSigned::read(message.as_bytes()).ok();
                }
                // Blanks at the ends of lines, and what is not base64 around a signature, are no part of what is signed.
                let harmed = ClearSigned::read(&harm.done_to(signed.as_bytes()));
                if let Ok(harmed) = harmed.and_then(|harmed| harmed.verify(&keyring).map(|_| harmed)) {
                    prop_assert_eq!(harmed.text().replace('\r', ""), TEXT);
                }
            });
        });
    }
}
