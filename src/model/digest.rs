//! Digests that may vouch for an image: SHA-256 and SHA-512, nothing weaker.
//!
//! Publishers also print MD5 and SHA-1. There is no value of this type for them, so they cannot be relied on by
//! mistake.

use std::fmt;
use std::str::FromStr;

/// The algorithms that count as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, 64 hexadecimal digits.
    Sha256,
    /// SHA-512, 128 hexadecimal digits. Glance's own default.
    Sha512,
}

impl Algorithm {
    /// The name as written in tags, images.toml and Glance's `os_hash_algo`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many bytes a digest of this algorithm has.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The algorithm of that name, in lower case, if it is strong enough.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A digest of the right length for its algorithm, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hexadecimal: String,
}

/// A text that is no digest of that algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDigest(String);

impl fmt::Display for InvalidDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InvalidDigest {}

impl Digest {
    /// A digest from its hexadecimal form, either case.
    ///
    /// # Errors
    /// The text has another length or other characters than the algorithm's digests have.
    pub fn from_hexadecimal(algorithm: Algorithm, text: &str) -> Result<Self, InvalidDigest> {
        let wanted = algorithm.bytes() * 2;
        if text.len() != wanted || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(InvalidDigest(format!(
                "`{}` is not a {} digest: {wanted} hexadecimal digits",
                text.chars().take(140).collect::<String>().escape_debug(),
                algorithm.name()
            )));
        }
        Ok(Self { algorithm, hexadecimal: text.to_ascii_lowercase() })
    }

    /// A digest from its bytes.
    ///
    /// # Errors
    /// The number of bytes is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, InvalidDigest> {
        Self::from_hexadecimal(algorithm, &hex::encode(bytes))
    }

    /// Which algorithm made it.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digits, in lower case.
    pub fn hexadecimal(&self) -> &str {
        &self.hexadecimal
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), self.hexadecimal)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let (name, digits) = text
            .split_once(':')
            .ok_or_else(|| InvalidDigest(format!("`{}` has no `algorithm:` in front", text.escape_debug())))?;
        let algorithm = Algorithm::from_name(name).ok_or_else(|| {
            InvalidDigest(format!(
                "`{}` is not an algorithm that vouches for bytes: sha256 or sha512",
                name.escape_debug()
            ))
        })?;
        Self::from_hexadecimal(algorithm, digits)
    }
}

/// The digests known of one sequence of bytes; at least one, by construction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digests {
    first: Digest,
    second: Option<Digest>,
}

impl Digests {
    /// The digests given, one for each algorithm; none is no evidence.
    pub fn new(digests: impl IntoIterator<Item = Digest>) -> Option<Self> {
        let mut digests: Vec<Digest> = digests.into_iter().collect();
        digests.sort();
        digests.dedup_by_key(|digest| digest.algorithm);
        let mut digests = digests.into_iter();
        Some(Self { first: digests.next()?, second: digests.next() })
    }

    /// Every digest, weakest algorithm first.
    pub fn iter(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.first).chain(self.second.as_ref())
    }

    /// The digest of that algorithm, where it is known.
    pub fn of(&self, algorithm: Algorithm) -> Option<&Digest> {
        self.iter().find(|digest| digest.algorithm == algorithm)
    }

    /// The strongest digest known.
    pub fn strongest(&self) -> &Digest {
        self.second.as_ref().unwrap_or(&self.first)
    }

    /// Whether both know an algorithm, and agree or differ in it; `None` where they have none in common.
    pub fn agree(&self, other: &Self) -> Option<bool> {
        let mut shared =
            self.iter().filter_map(|mine| other.of(mine.algorithm).map(|theirs| mine == theirs)).peekable();
        shared.peek()?;
        Some(shared.all(|equal| equal))
    }
}

impl From<Digest> for Digests {
    fn from(digest: Digest) -> Self {
        Self { first: digest, second: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_strong_digests_are_digests() {
        let good = format!("sha256:{}", "aB".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().to_string(), format!("sha256:{}", "ab".repeat(32)));
        for bad in ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:abcd", "abcd", &good[..70], "sha256:"] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn agreement_needs_a_shared_algorithm() {
        let short: Digest = format!("sha256:{}", "ab".repeat(32)).parse().unwrap();
        let other: Digest = format!("sha256:{}", "cd".repeat(32)).parse().unwrap();
        let long: Digest = format!("sha512:{}", "ab".repeat(64)).parse().unwrap();
        let both = Digests::new([long.clone(), short.clone()]).unwrap();
        assert_eq!(both.agree(&short.clone().into()), Some(true));
        assert_eq!(both.agree(&other.clone().into()), Some(false));
        assert_eq!(Digests::from(short).agree(&long.into()), None);
        assert_eq!(Digests::new([]), None);
    }
}
