//! The catalogue of codes: one line a kind of mistake.
//!
//! The long texts for `gallerist explain CODE` stand in `explanations.md`, each with an example that is wrong and one
//! that is right; a test feeds both to the reader, so that no explanation can go stale.

use std::fmt;

/// Whether a diagnostic stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

impl Severity {
    /// The word in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $summary:literal,)+) => {
        /// A kind of mistake in images.toml or images.lock.toml.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The code as printed.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// What every mistake of this kind has in common.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => $summary,)+
                }
            }
        }
    };
}

codes! {
    Unreadable "E0100" "the file cannot be read",
    Syntax "E0101" "the file is not TOML",
    UnknownKey "E0102" "a key that does not exist",
    WrongType "E0103" "a value of the wrong type",
    NotAllowed "E0104" "a word that is not allowed here",
    MissingKey "E0105" "a key is missing",
    OutOfRange "E0106" "a number out of range",
    NotATime "E0107" "not a length of time or a date",
    NotAName "E0108" "a name of the wrong form",
    EmptyList "E0109" "a list that must not be empty",
    SameName "E0110" "two families with one name",
    Twice "E0111" "the same thing twice",
    Template "E0112" "a mistake in a name template",
    Pattern "E0113" "not a regular expression",
    ImageName "E0114" "a name that Glance refuses",
    ReservedProperty "E0115" "a property that is not the catalogue's to set",
    NoDigest "E0120" "no checksum",
    WeakDigest "E0121" "a checksum that proves nothing",
    NotADigest "E0122" "not a checksum",
    Url "E0123" "a URL that cannot be used",
    SourceKind "E0124" "a source that says too little or too much",
    OutsideFolder "E0125" "a file outside the folder of images.toml",
    NoSuchFile "E0126" "a file that cannot be read",
    StageOrder "E0130" "stages out of order",
    Widened "E0131" "a private image would be shown to others",
    Moved "E0132" "a move that leads nowhere",
    PinnedAndSkipped "E0133" "a version both wanted and skipped",
    NameKept "E0134" "a superseded version would keep the public name",
    NoImages "W0150" "no images",
    FileNotThere "W0151" "an image file is not there yet",
    LockMisfit "W0152" "images.lock.toml does not fit images.toml",
}

const EXPLANATIONS: &str = include_str!("explanations.md");

impl Code {
    /// The code of that name, in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name().eq_ignore_ascii_case(name))
    }

    /// Whether it stops the run.
    pub const fn severity(self) -> Severity {
        match self.name().as_bytes() {
            [b'W', ..] => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// What it means, why it is refused, and an example of wrong and right, in Markdown.
    pub fn explanation(self) -> &'static str {
        EXPLANATIONS
            .split("\n# ")
            .find_map(|section| section.strip_prefix(self.name()))
            .map_or("", |section| section.split_once('\n').map_or("", |(_, text)| text.trim()))
    }

    /// Whether it is about something that is not there: not to be believed of a file whose syntax is broken, for the
    /// missing thing may stand in the part that could not be understood.
    pub(super) const fn is_about_absence(self) -> bool {
        matches!(
            self,
            Self::MissingKey | Self::NoDigest | Self::SourceKind | Self::Moved | Self::NameKept | Self::NoImages
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
