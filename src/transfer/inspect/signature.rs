//! What bytes look like, by the signature they begin with.
//!
//! The list holds what a mirror sends in practice instead of the image that was asked for, and what a hypervisor that
//! guesses formats would take a `raw` image for.

use std::fmt;

use crate::model::version::{Compression, DiskFormat};

/// What bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A disk image.
    Image(DiskFormat),
    /// Compressed data.
    Compressed(Compression),
    /// Something else, with its article.
    Other(&'static str),
}

impl fmt::Display for Look {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(format) => write!(formatter, "an image in format `{}`", format.name()),
            Self::Compressed(compression) => write!(formatter, "`{}` compressed data", compression.name()),
            Self::Other(what) => formatter.write_str(what),
        }
    }
}

/// Offset and bytes of a signature, and what has it. The first that matches counts.
const SIGNATURES: &[(usize, &[u8], Look)] = &[
    (0, b"QFI\xfb", Look::Image(DiskFormat::Qcow2)),
    (0, b"KDMV", Look::Image(DiskFormat::Vmdk)),
    (0, b"COWD", Look::Other("a vmdk image of the old kind")),
    (0, b"# Disk DescriptorFile", Look::Other("a vmdk descriptor without its data")),
    (0, b"conectix", Look::Image(DiskFormat::Vhd)),
    (0, b"vhdxfile", Look::Other("a vhdx image")),
    (0, b"QED\0", Look::Other("a qed image")),
    (0, b"LUKS\xba\xbe", Look::Other("a LUKS encrypted volume")),
    (0, b"WithoutFreeSpace", Look::Other("a Parallels image")),
    (0, b"WithouFreSpacExt", Look::Other("a Parallels image")),
    (64, b"\x7f\x10\xda\xbe", Look::Other("a vdi image")),
    (0, b"\x1f\x8b\x08", Look::Compressed(Compression::Gzip)),
    (0, b"\xfd7zXZ\0", Look::Compressed(Compression::Xz)),
    (4, b"1AY&SY", Look::Compressed(Compression::Bzip2)),
    (0, b"\x28\xb5\x2f\xfd", Look::Compressed(Compression::Zstd)),
    (0, b"PK\x03\x04", Look::Other("a zip archive")),
    (257, b"ustar", Look::Other("a tar archive")),
    (32769, b"CD001", Look::Image(DiskFormat::Iso)),
];

/// What these first bytes look like, if they are known. An ISO image is seen from 32,774 bytes on.
pub fn recognise(beginning: &[u8]) -> Option<Look> {
    let matches = |at: usize, signature: &[u8]| beginning.get(at..).is_some_and(|rest| rest.starts_with(signature));
    SIGNATURES
        .iter()
        .find(|(at, signature, _)| matches(*at, signature))
        .map(|(_, _, look)| *look)
        .or_else(|| is_page(beginning).then_some(Look::Other("an HTML page")))
}

fn is_page(beginning: &[u8]) -> bool {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    [&b"<!doctype html"[..], b"<html", b"<?xml"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_archives_are_named() {
        assert_eq!(recognise(b"\n <!DOCTYPE HTML><title>Log in"), Some(Look::Other("an HTML page")));
        assert_eq!(recognise(b"\x1f\x8b\x08"), Some(Look::Compressed(Compression::Gzip)));
        assert_eq!(recognise(b"QFI"), None);
        assert_eq!(recognise(&vec![0; 70_000]), None);
    }
}
