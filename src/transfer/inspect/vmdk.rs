//! The header of VMware's sparse extents, and the descriptor inside.
//!
//! The format is VMware's "Virtual Disk Format 5.0". A descriptor can name any file as an extent or as a parent, and
//! the programs that open it do as they are told; so only `monolithicSparse` and `streamOptimized` are accepted, with
//! exactly one sparse extent, which is the image itself, and no parent.

use super::Refusal;
use super::fields::Fields;
use crate::model::version::DiskFormat::Vmdk;

const SECTOR: u64 = 512;
/// `streamOptimized` writes its tables at the end, and a second header with them.
const AT_END: u64 = u64::MAX;
/// The footer header stands between two markers, each a sector, at the very end.
pub(super) const FOOTER: usize = 3 * 512;

/// Usual bytes of a descriptor.
const DESCRIPTOR: usize = 20 * 512;

/// What the rest of the inspection needs to know.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// In bytes.
    pub(super) virtual_size: u64,
    /// Where the image has a second header at its end, what that must repeat: magic, version, flags, capacity, grain
    /// size, place and size of the descriptor.
    repeated: Option<Vec<u8>>,
}

impl Header {
    /// Checks the second header, which programs read instead of the first.
    pub(super) fn check_end(&self, tail: &[u8]) -> Result<(), Refusal> {
        let Some(repeated) = &self.repeated else { return Ok(()) };
        let second = tail.len().checked_sub(2 * 512).and_then(|at| Fields(tail).slice(at, repeated.len()));
        if second == Some(repeated) {
            Ok(())
        } else {
            Err(corrupt("the header at its end is missing or says something else than the first"))
        }
    }
}

/// Reads header and descriptor from the image's first bytes.
pub(super) fn read(head: &[u8]) -> Result<Header, Refusal> {
    let fields = Fields(head);
    let (Some(version), Some(capacity), Some(at), Some(length), Some(tables)) =
        (fields.little32(4), fields.little64(12), fields.little64(28), fields.little64(36), fields.little64(56))
    else {
        return Err(corrupt("the header is cut short"));
    };
    if !(1..=3).contains(&version) {
        return Err(Refusal::Unsupported { format: Vmdk, what: format!("version {version}") });
    }
    let virtual_size = capacity.checked_mul(SECTOR).filter(|size| *size > 0);
    let virtual_size = virtual_size.ok_or_else(|| corrupt("the capacity is impossible"))?;
    let place = |sectors: u64| usize::try_from(sectors.checked_mul(SECTOR)?).ok();
    let (Some(at @ 1..), Some(length)) = (place(at), place(length)) else {
        return Err(corrupt("there is no descriptor"));
    };
    if fields.slice(at, length).is_none() {
        return Err(corrupt("the descriptor is not at its beginning"));
    }
    // QEMU reads this much, whatever the header says.
    let descriptor = &head[at..at.saturating_add(length.max(DESCRIPTOR)).min(head.len())];
    let text = descriptor.split(|byte| *byte == 0).next().unwrap_or_default();
    check_descriptor(&String::from_utf8_lossy(text))?;
    let repeated = (tables == AT_END).then(|| head.get(..56).unwrap_or_default().to_vec());
    Ok(Header { virtual_size, repeated })
}

fn check_descriptor(text: &str) -> Result<(), Refusal> {
    let mut extents = 0;
    let mut kind = None;
    for line in text.lines().map(str::trim) {
        let lower = line.to_ascii_lowercase();
        let value = |key: &str| {
            let value = lower.strip_prefix(key)?.trim_start().strip_prefix('=')?;
            Some(value.trim().trim_matches('"').to_owned())
        };
        if let Some(value) = value("createtype") {
            if kind.replace(value).is_some() {
                return Err(corrupt("the descriptor gives its type twice"));
            }
        } else if lower.contains("parentfilenamehint") || value("parentcid").is_some_and(|id| id != "ffffffff") {
            return Err(outside("a parent image", line));
        }
        let mut words = lower.split_ascii_whitespace();
        if matches!(words.next(), Some("rw" | "rdonly" | "noaccess")) {
            extents += 1;
            if words.nth(1) != Some("sparse") || line.contains(['/', '\\']) || extents > 1 {
                return Err(outside("an extent in another file", line));
            }
        }
    }
    match kind.as_deref() {
        Some("monolithicsparse" | "streamoptimized") if extents == 1 => Ok(()),
        Some("monolithicsparse" | "streamoptimized") => Err(corrupt("the descriptor names no extent")),
        Some(kind) => {
            let kind: String = kind.chars().take(40).collect();
            let what = format!("type `{}`, only monolithicSparse and streamOptimized", kind.escape_debug());
            Err(Refusal::Unsupported { format: Vmdk, what })
        }
        None => Err(corrupt("the descriptor does not give its type")),
    }
}

fn outside(what: &str, line: &str) -> Refusal {
    let line: String = line.chars().take(200).collect();
    Refusal::Outside { format: Vmdk, what: format!("{what}, `{}`", line.escape_debug()) }
}

fn corrupt(what: &str) -> Refusal {
    Refusal::Corrupt { format: Vmdk, what: what.to_owned() }
}
