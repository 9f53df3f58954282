//! Checksum lists, in every dialect that the publishers write.
//!
//! | dialect | line | who |
//! | --- | --- | --- |
//! | GNU | `hex  name`, `hex *name`, `hex name` | Debian, AlmaLinux, Arch, openSUSE |
//! | BSD | `SHA256 (name) = hex`, with `# name: N bytes` before it | Rocky, CentOS Stream, Fedora |
//! | Gentoo | GNU lines under headings like `# SHA512 HASH` | Flatcar |
//! | bare | `hex` and nothing else | Alpine |
//!
//! The dialects can be told apart line by line, so one reader reads them all and a list may mix them. Digests of other
//! algorithms than SHA-256 and SHA-512 are passed over: where the algorithm is not written, the length of the digest
//! says it, and under a Gentoo heading only what the heading names counts. A name with two different digests of the
//! same algorithm is a contradiction, and has none.

use std::collections::BTreeMap;

use crate::model::digest::{Algorithm, Digest, Digests};

/// What a checksum list says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its digests.
    pub digests: Digests,
    /// How many bytes it has, where the list says so.
    pub size: Option<u64>,
}

/// A checksum list: names of files, and what is said of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, Entry>);

#[derive(Default)]
struct Draft {
    digests: BTreeMap<Algorithm, Digest>,
    size: Option<u64>,
    contradicts: bool,
}

impl Checksums {
    /// Reads a list. What is not understood is passed over, for publishers write comments, signatures and weak digests
    /// into the same file.
    pub fn parse(text: &str) -> Self {
        let mut drafts: BTreeMap<&str, Draft> = BTreeMap::new();
        let mut heading = None;
        for line in text.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix('#') {
                if let Some(algorithm) = comment.trim().strip_suffix(" HASH") {
                    heading = Some(algorithm);
                } else if let Some((name, size)) = size(comment.trim()) {
                    drafts.entry(name).or_default().size = Some(size);
                }
            } else if let Some((name, digest)) = bsd(line).or_else(|| gnu(line, heading)) {
                let draft = drafts.entry(name).or_default();
                let known = draft.digests.entry(digest.algorithm()).or_insert_with(|| digest.clone());
                draft.contradicts |= *known != digest;
            }
        }
        let finish = |(name, draft): (&str, Draft)| {
            let digests = Digests::new(draft.digests.into_values()).filter(|_| !draft.contradicts)?;
            Some((name.to_owned(), Entry { digests, size: draft.size }))
        };
        Self(drafts.into_iter().filter_map(finish).collect())
    }

    /// What is said of the file of that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    /// Every file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), entry))
    }
}

/// The digest in a file that holds a digest and nothing else.
pub fn bare(text: &str) -> Option<Digest> {
    let mut words = text.split_whitespace();
    let digest = by_length(words.next()?)?;
    words.next().is_none().then_some(digest)
}

/// `name: N bytes`
fn size(comment: &str) -> Option<(&str, u64)> {
    let (name, size) = comment.rsplit_once(": ")?;
    Some((name, size.strip_suffix(" bytes")?.parse().ok()?))
}

/// `SHA256 (name) = hex`
fn bsd(line: &str) -> Option<(&str, Digest)> {
    let (algorithm, rest) = line.split_once(" (")?;
    let (name, digits) = rest.rsplit_once(") = ")?;
    let algorithm = Algorithm::from_name(&algorithm.to_ascii_lowercase())?;
    Some((name, Digest::from_hexadecimal(algorithm, digits).ok()?))
}

/// `hex  name`, `hex *name` or `hex name`
fn gnu<'a>(line: &'a str, heading: Option<&str>) -> Option<(&'a str, Digest)> {
    let (digits, rest) = line.split_once(' ')?;
    let name = rest.strip_prefix([' ', '*']).unwrap_or(rest).trim();
    let digest = by_length(digits)?;
    let stated = heading.is_none_or(|heading| heading.eq_ignore_ascii_case(digest.algorithm().name()));
    (stated && !name.is_empty()).then_some((name, digest))
}

fn by_length(digits: &str) -> Option<Digest> {
    [Algorithm::Sha256, Algorithm::Sha512]
        .into_iter()
        .find_map(|algorithm| Digest::from_hexadecimal(algorithm, digits).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{bounded, harm};

    fn digits(fill: &str, algorithm: Algorithm) -> String {
        fill.repeat(algorithm.bytes() * 2 / fill.len())
    }

    fn digest(fill: &str, algorithm: Algorithm) -> Digests {
        Digest::from_hexadecimal(algorithm, &digits(fill, algorithm)).unwrap().into()
    }

    #[test]
    fn every_dialect_is_read() {
        let a = digits("a", Algorithm::Sha256);
        for (line, name) in [
            (format!("{a}  two-blanks.qcow2"), "two-blanks.qcow2"),
            (format!("{a} *binary.img"), "binary.img"),
            (format!("{a} one-blank.qcow2\r"), "one-blank.qcow2"),
            (format!("SHA256 (bsd.qcow2) = {a}"), "bsd.qcow2"),
            (format!("SHA256 (bra(ck)ets) = {}", a.to_uppercase()), "bra(ck)ets"),
        ] {
            let list = Checksums::parse(&line);
            assert_eq!(list.get(name).map(|entry| &entry.digests), Some(&digest("a", Algorithm::Sha256)), "{line}");
        }
        assert_eq!(bare(&format!("{a}\n")).map(Into::into), Some(digest("a", Algorithm::Sha256)));
        assert_eq!(bare(&format!("{a}  name")), None);
    }

    #[test]
    fn sizes_stand_in_comments() {
        let a = digits("a", Algorithm::Sha256);
        let list =
            Checksums::parse(&format!("# x: 645988352 bytes\nSHA256 (x) = {a}\n# y: many bytes\nSHA256 (y) = {a}\n"));
        assert_eq!(list.get("x").unwrap().size, Some(645_988_352));
        assert_eq!(list.get("y").unwrap().size, None);
    }

    #[test]
    fn weak_digests_are_not_there() {
        let (md5, sha1) = ("a".repeat(32), "a".repeat(40));
        let (blake, strong) = (digits("b", Algorithm::Sha512), digits("c", Algorithm::Sha512));
        let list = Checksums::parse(&format!(
            "# MD5 HASH\n{md5}  x\n# SHA1 HASH\n{sha1}  x\n# BLAKE2B HASH\n{blake}  x\n# SHA512 HASH\n{strong}  x\n"
        ));
        assert_eq!(list.get("x").unwrap().digests, digest("c", Algorithm::Sha512));
        assert_eq!(Checksums::parse(&format!("{md5}  x\nSHA1 (y) = {sha1}\nMD5 (z) = {md5}\n")), Checksums::default());
    }

    #[test]
    fn a_contradiction_vouches_for_nothing() {
        let (a, b) = (digits("a", Algorithm::Sha256), digits("b", Algorithm::Sha256));
        assert!(Checksums::parse(&format!("{a}  x\n{a}  x\n")).get("x").is_some());
        assert!(Checksums::parse(&format!("{a}  x\nSHA256 (x) = {b}\n")).get("x").is_none());
    }

    #[test]
    fn any_text_is_read() {
        bounded(|| {
            proptest!(|(
                text in any::<String>(),
                lines in "(# |SHA512|SHA256| HASH|\\(|\\) = | \\*|: 9 bytes|x|é|[0-9a-f]{64}|[0-9a-f]{128}|\n| ){0,60}",
                harm in harm(),
            )| {
                let harmed = harm.done_to_text(&lines);
                for text in [text, lines, harmed] {
                    for (name, entry) in Checksums::parse(&text).iter() {
                        prop_assert!(text.contains(name));
                        prop_assert!(entry.digests.iter().count() > 0);
                    }
                    bare(&text);
                }
            });
        });
    }
}
