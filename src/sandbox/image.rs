//! Tiny images that are nevertheless valid, and the reading of their headers.
//!
//! The problem: the demonstration and the tests need bytes that any tool accepts as a disk image, without shipping or
//! downloading a distribution. The idea: a qcow2 of version 3 whose disk is as large as wanted and almost entirely
//! unallocated takes a few KiB. The layout follows QEMU's `docs/interop/qcow2.txt`. What this does not solve: nothing
//! here boots.

/// `QFI` and 0xfb: how every qcow2 begins.
const MAGIC: [u8; 4] = *b"QFI\xfb";
/// 4 KiB clusters keep the file small: with the usual 64 KiB the metadata alone would take 256 KiB.
const CLUSTER_BITS: u32 = 12;
const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// An entry of the L1, L2 and refcount tables.
const ENTRY: u64 = 8;
/// Refcounts of 16 bits (`refcount_order` 4), the default.
const REFCOUNT: u64 = 2;
/// The entry's cluster has exactly one reference.
const COPIED: u64 = 1 << 63;
/// Bit 2 of the incompatible features: the data lies in another file.
const EXTERNAL_DATA: u64 = 1 << 2;

/// A valid qcow2 (version 3) of a disk of `virtual_size` bytes that begins with `payload`.
///
/// The disk is at least as large as the payload. The file takes about 12 KiB, 4 KiB for every GiB of disk, and the
/// payload.
pub fn qcow2(virtual_size: u64, payload: &[u8]) -> Vec<u8> {
    let payload_size = length(payload);
    let disk = virtual_size.max(payload_size).next_multiple_of(512);
    let per_table = CLUSTER / ENTRY;
    let data_clusters = payload_size.div_ceil(CLUSTER);
    let second_level_tables = data_clusters.div_ceil(per_table);
    let first_level_entries = disk.div_ceil(CLUSTER * per_table);
    let first_level_clusters = (first_level_entries * ENTRY).div_ceil(CLUSTER).max(1);
    let other_clusters = 2 + first_level_clusters + second_level_tables + data_clusters;
    // The blocks that count references count themselves too.
    let mut blocks = 1;
    while blocks * (CLUSTER / REFCOUNT) < other_clusters + blocks {
        blocks += 1;
    }

    let refcount_table = 1;
    let first_block = refcount_table + 1;
    let first_level = first_block + blocks;
    let second_level = first_level + first_level_clusters;
    let data = second_level + second_level_tables;
    let clusters = data + data_clusters;

    let mut file = Vec::new();
    file.extend(MAGIC);
    word(&mut file, 3); // version
    long(&mut file, 0); // backing file: none
    word(&mut file, 0);
    word(&mut file, CLUSTER_BITS);
    long(&mut file, disk);
    word(&mut file, 0); // encryption: none
    word(&mut file, u32::try_from(first_level_entries).unwrap_or(u32::MAX));
    long(&mut file, first_level * CLUSTER);
    long(&mut file, refcount_table * CLUSTER);
    word(&mut file, 1); // clusters of the refcount table
    word(&mut file, 0); // snapshots: none
    long(&mut file, 0);
    long(&mut file, 0); // incompatible, compatible and automatically cleared features
    long(&mut file, 0);
    long(&mut file, 0);
    word(&mut file, 4); // refcount order
    word(&mut file, 104); // length of the header

    pad_to(&mut file, refcount_table);
    (0..blocks).for_each(|block| long(&mut file, (first_block + block) * CLUSTER));
    pad_to(&mut file, first_block);
    (0..clusters).for_each(|_| file.extend(1_u16.to_be_bytes()));
    pad_to(&mut file, first_level);
    (0..second_level_tables).for_each(|table| long(&mut file, ((second_level + table) * CLUSTER) | COPIED));
    pad_to(&mut file, second_level);
    (0..data_clusters).for_each(|cluster| long(&mut file, ((data + cluster) * CLUSTER) | COPIED));
    pad_to(&mut file, data);
    file.extend(payload);
    pad_to(&mut file, clusters);
    file
}

/// The disk inside a qcow2 that [`qcow2`] has made, as far as `limit` bytes; nothing, where the bytes are none of those.
pub fn raw(image: &[u8], limit: u64) -> Option<Vec<u8>> {
    let number = |offset: u64| -> Option<u64> {
        let offset = usize::try_from(offset).ok()?;
        Some(u64::from_be_bytes(image.get(offset..offset.checked_add(8)?)?.try_into().ok()?))
    };
    let size = Header::read(image)?.virtual_size;
    let mut disk = vec![0; usize::try_from(size.min(limit)).ok()?];
    for (cluster, place) in (0..).zip(disk.chunks_mut(usize::try_from(CLUSTER).ok()?)) {
        let (table, entry) = (cluster / (CLUSTER / ENTRY), cluster % (CLUSTER / ENTRY));
        let second_level = number(number(40)?.checked_add(table * ENTRY)?)? & !COPIED;
        let data = if second_level == 0 { 0 } else { number(second_level.checked_add(entry * ENTRY)?)? & !COPIED };
        if data != 0 {
            let start = usize::try_from(data).ok()?;
            place.copy_from_slice(image.get(start..start.checked_add(place.len())?)?);
        }
    }
    Some(disk)
}

/// What Glance reads from the beginning of a qcow2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Size of the disk, in bytes.
    pub(super) virtual_size: u64,
    /// Whether the image needs no other file.
    pub(super) reference: Reference,
}

/// Whether an image needs other files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reference {
    /// It does not.
    SelfContained,
    /// It has a backing file or an external data file, which would let its author read the host's files.
    OtherFile,
}

impl Header {
    /// The header at the beginning of `bytes`; `None` where they are no qcow2.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..4)? != MAGIC {
            return None;
        }
        let number = |offset: usize| -> Option<u64> {
            Some(u64::from_be_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
        };
        let version = u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?);
        let features = if version >= 3 { number(72)? } else { 0 };
        let reference = if number(8)? != 0 || features & EXTERNAL_DATA != 0 {
            Reference::OtherFile
        } else {
            Reference::SelfContained
        };
        Some(Self { virtual_size: number(24)?, reference })
    }
}

fn word(file: &mut Vec<u8>, value: u32) {
    file.extend(value.to_be_bytes());
}

fn long(file: &mut Vec<u8>, value: u64) {
    file.extend(value.to_be_bytes());
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn pad_to(file: &mut Vec<u8>, cluster: u64) {
    let size = usize::try_from(cluster * CLUSTER).unwrap_or(usize::MAX);
    file.resize(size, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_was_asked_for() {
        let image = qcow2(4 << 30, b"hello");
        let header = Header::read(&image).unwrap();
        assert_eq!(header, Header { virtual_size: 4 << 30, reference: Reference::SelfContained });
        assert!(image.len() < 40 << 10, "{}", image.len());
        assert_eq!(&image[image.len() - 4096..][..5], b"hello");
    }

    #[test]
    fn a_payload_larger_than_one_table_has_its_own_tables() {
        let payload = vec![7; 9 << 20];
        let image = qcow2(0, &payload);
        assert_eq!(Header::read(&image).unwrap().virtual_size, 9 << 20);
        assert!(image.ends_with(&payload));
    }

    #[test]
    fn the_disk_inside_begins_with_the_payload() {
        let payload = vec![7; 3 << 20];
        let disk = raw(&qcow2(5 << 20, &payload), u64::MAX).unwrap();
        assert_eq!(disk.len(), 5 << 20);
        assert_eq!(disk[..3 << 20], payload);
        assert!(disk[3 << 20..].iter().all(|byte| *byte == 0));
        assert_eq!(raw(b"no disk", u64::MAX), None);
    }

    #[test]
    fn foreign_bytes_have_no_header() {
        for bytes in [&b""[..], b"QFI", b"QFI\xfb\0\0\0\x03", b"raw data that is long enough to be a header, surely so"]
        {
            assert_eq!(Header::read(bytes), None);
        }
    }

    #[test]
    fn a_backing_file_is_noticed() {
        let mut image = qcow2(1 << 20, b"");
        image[15] = 1;
        assert_eq!(Header::read(&image).unwrap().reference, Reference::OtherFile);
        let mut image = qcow2(1 << 20, b"");
        image[79] = 4;
        assert_eq!(Header::read(&image).unwrap().reference, Reference::OtherFile);
    }
}
