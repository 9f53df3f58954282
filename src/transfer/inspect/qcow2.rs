//! The header of qcow2, versions 2 and 3.
//!
//! Offsets, bits and limits are those of QEMU's `docs/interop/qcow2.txt` and of `block/qcow2.h`. What a program that
//! does not know an *incompatible* feature bit must do is written there too: refuse the image.

use super::Refusal;
use super::fields::Fields;
use crate::model::version::DiskFormat::Qcow2;

const DIRTY: u64 = 1 << 0;
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;
const COMPRESSION_TYPE: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;
const KNOWN: u64 = DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION_TYPE | EXTENDED_L2;

/// Most entries of the L1 table: `QCOW_MAX_L1_SIZE`, 32 MiB.
const L1_ENTRIES: u64 = (32 << 20) / 8;

const EXTENSION_END: u32 = 0;
const EXTENSION_EXTERNAL_DATA: u32 = 0x4441_5441;
const EXTENSION_ENCRYPTION: u32 = 0x0537_be77;

/// What the rest of the inspection needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// In bytes.
    pub(super) virtual_size: u64,
    /// The image must have at least this many bytes, for its tables to be inside.
    pub(super) least: u64,
}

/// Reads the header from the image's first bytes.
pub(super) fn read(head: &[u8]) -> Result<Header, Refusal> {
    let fields = Fields(head);
    let version = fields.big32(4).ok_or_else(cut)?;
    let (incompatible, length) = match version {
        2 => (0, 72),
        3 => (fields.big64(72).ok_or_else(cut)?, fields.big32(100).ok_or_else(cut)?),
        _ => return Err(unsupported(format!("version {version}"))),
    };
    refuse_features(fields, incompatible, length)?;
    if fields.big64(8).ok_or_else(cut)? != 0 {
        return Err(outside(format!("the backing file {}", backing_file(fields))));
    }
    match fields.big32(32).ok_or_else(cut)? {
        0 => {}
        1 | 2 => return Err(Refusal::Encrypted { format: Qcow2 }),
        method => return Err(unsupported(format!("encryption method {method}"))),
    }
    let cluster_bits = fields.big32(20).ok_or_else(cut)?;
    let smallest = if incompatible & EXTENDED_L2 == 0 { 9 } else { 14 };
    if !(smallest..=21).contains(&cluster_bits) {
        return Err(corrupt(format!("clusters of 2^{cluster_bits} bytes")));
    }
    let cluster = 1_u64 << cluster_bits;
    refuse_extensions(fields, length, cluster)?;
    let virtual_size = fields.big64(24).ok_or_else(cut)?;
    let entry = if incompatible & EXTENDED_L2 == 0 { 8 } else { 16 };
    let least = tables(fields, cluster, virtual_size.div_ceil(cluster).div_ceil(cluster / entry))?;
    Ok(Header { virtual_size, least })
}

fn refuse_features(fields: Fields<'_>, incompatible: u64, length: u32) -> Result<(), Refusal> {
    if incompatible & !KNOWN != 0 {
        return Err(unsupported(format!("unknown incompatible features {:#x}", incompatible & !KNOWN)));
    }
    if incompatible & EXTERNAL_DATA != 0 {
        return Err(outside("an external data file".to_owned()));
    }
    if incompatible & CORRUPT != 0 {
        return Err(corrupt("it is marked as corrupt".to_owned()));
    }
    if incompatible & DIRTY != 0 {
        return Err(corrupt("it is marked as dirty, it was not closed".to_owned()));
    }
    if length != 72 {
        let compression = if length > 104 { fields.bytes::<1>(104).ok_or_else(cut)?[0] } else { 0 };
        if compression > 1 {
            return Err(unsupported(format!("compression type {compression}")));
        }
        if (compression != 0) != (incompatible & COMPRESSION_TYPE != 0) {
            return Err(corrupt("compression type and feature bits contradict each other".to_owned()));
        }
        let order = fields.big32(96).ok_or_else(cut)?;
        if length < 104 || !length.is_multiple_of(8) || order > 6 {
            return Err(corrupt(format!("header length {length}, refcount order {order}")));
        }
    }
    Ok(())
}

/// Walks the header extensions: type, length, data padded to 8 bytes, up to type 0 or the end of the first cluster.
fn refuse_extensions(fields: Fields<'_>, length: u32, cluster: u64) -> Result<(), Refusal> {
    let mut at = u64::from(length);
    if at > cluster {
        return Err(corrupt(format!("header length {length}")));
    }
    while at + 8 <= cluster {
        // Beyond the first 64 KiB there are none that QEMU or another writer would have put there.
        let offset = usize::try_from(at).map_err(|_| cut())?;
        let (Some(kind), Some(length)) = (fields.big32(offset), fields.big32(offset + 4)) else {
            return Err(cut());
        };
        match kind {
            EXTENSION_END => return Ok(()),
            EXTENSION_EXTERNAL_DATA => return Err(outside("the name of an external data file".to_owned())),
            EXTENSION_ENCRYPTION => return Err(Refusal::Encrypted { format: Qcow2 }),
            _ => at += 8 + u64::from(length).next_multiple_of(8),
        }
        if at > cluster {
            return Err(corrupt("a header extension is longer than the header".to_owned()));
        }
    }
    Ok(())
}

/// Checks place and size of the L1 and refcount tables; gives where the later one ends.
fn tables(fields: Fields<'_>, cluster: u64, l1_needed: u64) -> Result<u64, Refusal> {
    let l1_entries = u64::from(fields.big32(36).ok_or_else(cut)?);
    if l1_entries < l1_needed || l1_entries > L1_ENTRIES {
        return Err(corrupt(format!("an L1 table of {l1_entries} entries where the disk's size needs {l1_needed}")));
    }
    let l1_offset = fields.big64(40).ok_or_else(cut)?;
    let refcount_offset = fields.big64(48).ok_or_else(cut)?;
    let refcount_clusters = u64::from(fields.big32(56).ok_or_else(cut)?);
    let inside = |offset: u64, length: u64| {
        if (offset < cluster && length > 0) || !offset.is_multiple_of(cluster) {
            return None;
        }
        offset.checked_add(length)
    };
    let l1_end = inside(l1_offset, l1_entries * 8);
    let refcount_end = inside(refcount_offset, refcount_clusters * cluster).filter(|_| refcount_clusters > 0);
    match (l1_end, refcount_end) {
        (Some(l1_end), Some(refcount_end)) => Ok(l1_end.max(refcount_end)),
        _ => Err(corrupt("its tables cannot be where the header says".to_owned())),
    }
}

fn backing_file(fields: Fields<'_>) -> String {
    let name = || {
        let offset = usize::try_from(fields.big64(8)?).ok()?;
        // QEMU's own limit for the name is 1023 bytes.
        let length = usize::try_from(fields.big32(16)?).ok()?.min(1023);
        fields.slice(offset, length)
    };
    name().map_or_else(
        || "whose name is not readable".to_owned(),
        |name| format!("`{}`", String::from_utf8_lossy(name).escape_debug()),
    )
}

fn cut() -> Refusal {
    corrupt("the header is cut short".to_owned())
}

fn corrupt(what: String) -> Refusal {
    Refusal::Corrupt { format: Qcow2, what }
}

fn outside(what: String) -> Refusal {
    Refusal::Outside { format: Qcow2, what }
}

fn unsupported(what: String) -> Refusal {
    Refusal::Unsupported { format: Qcow2, what }
}
