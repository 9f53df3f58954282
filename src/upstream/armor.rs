//! The packets in a file of keys or signatures, armored or binary.
//!
//! The OpenPGP library can take armor off while it reads packets, but among keys it reads on after an error, and its armor
//! reader panics when it is read again: a broken file of keys would end a run without a word about that file. So armor
//! comes off here, once and as a whole, and what cannot be read to its end is not read at all. And where the library reads
//! the first block of a file and passes the others over in silence, all of them are read here: people put keys behind
//! one another.

use std::io::Read as _;

use pgp::armor::Dearmor;

const BEGIN: &str = "-----BEGIN PGP ";

/// The packets of all blocks in a file, or of the file itself where it is binary.
///
/// # Errors
/// A sentence for people: it is neither.
pub(super) fn packets(file: &[u8]) -> Result<Vec<u8>, String> {
    // Every packet begins with a byte that no ASCII text has.
    if file.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(file.to_vec());
    }
    let text = std::str::from_utf8(file).map_err(|error| error.to_string())?;
    let mut packets = Vec::new();
    let mut starts = text.match_indices(BEGIN).map(|(start, _)| start).peekable();
    if starts.peek().is_none() {
        return Err("it is neither armored nor binary OpenPGP data".to_owned());
    }
    while let Some(start) = starts.next() {
        let end = starts.peek().copied().unwrap_or(text.len());
        Dearmor::new(&text.as_bytes()[start..end]).read_to_end(&mut packets).map_err(|error| error.to_string())?;
    }
    Ok(packets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::signature::Keyring;
    use super::super::testing::{detached_by, public_key, throw_away_key};
    use super::*;
    use crate::model::testing::{bounded, harm};

    #[test]
    fn several_blocks_are_as_good_as_one() {
        let keys = [throw_away_key(), throw_away_key()];
        let file = keys.each_ref().map(public_key).join(&b"\na line between them\n"[..]);
        assert_eq!(Keyring::load([file.as_slice()]).unwrap().fingerprints().len(), 2);
    }

    #[test]
    fn a_broken_end_is_an_error() {
        let armored = String::from_utf8(detached_by(&throw_away_key(), b"list", true)).unwrap();
        assert!(packets(armored.as_bytes()).is_ok());
        for broken in [armored.replace("-----END", "----END"), armored.replace("\n-----END PGP SIGNATURE", "")] {
            assert!(packets(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn any_bytes_are_packets_or_refused() {
        bounded(|| {
            let armored = detached_by(&throw_away_key(), b"list", true);
            proptest!(|(bytes in any::<Vec<u8>>(), harm in harm())| {
                packets(&bytes).ok();
                packets(&harm.done_to(&armored)).ok();
            });
        });
    }
}
