//! The footer of VHD, Microsoft's "Virtual Hard Disk Image Format Specification" of 2006.
//!
//! A fixed disk is raw data with the footer behind it. A dynamic disk has a copy of the footer in front. A
//! differencing disk needs its parent and is refused.

use super::Refusal;
use super::fields::Fields;
use crate::model::version::DiskFormat::Vhd;

/// Bytes of a footer.
pub(super) const FOOTER: usize = 512;

/// The signature of a footer.
pub(super) const COOKIE: &[u8] = b"conectix";

/// Sectors of 65,535 cylinders, 16 heads, 255 sectors a track.
const LARGEST_GEOMETRY: u64 = 65_535 * 16 * 255;

/// What a footer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) kind: Kind,
    /// In bytes.
    pub(super) virtual_size: u64,
    /// Where the header of a dynamic disk is.
    data_offset: u64,
}

/// The kinds of disk that stand on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Fixed,
    Dynamic,
}

/// Reads a footer.
pub(super) fn read(footer: &[u8]) -> Result<Footer, Refusal> {
    let footer = footer.get(..FOOTER).ok_or_else(|| corrupt("the footer is cut short"))?;
    if !footer.starts_with(COOKIE) {
        return Err(corrupt("there is no footer at its end"));
    }
    let sum: u32 =
        footer.iter().enumerate().filter(|(at, _)| !(64..68).contains(at)).map(|(_, byte)| u32::from(*byte)).sum();
    let fields = Fields(footer);
    let (Some(data_offset), Some(size), Some(geometry), Some(kind), Some(checksum)) =
        (fields.big64(16), fields.big64(48), fields.bytes::<4>(56), fields.big32(60), fields.big32(64))
    else {
        return Err(corrupt("the footer is cut short"));
    };
    if checksum != !sum {
        return Err(corrupt("the footer's checksum is wrong"));
    }
    let kind = match kind {
        2 => Kind::Fixed,
        3 => Kind::Dynamic,
        4 => return Err(Refusal::Outside { format: Vhd, what: "the parent of a differencing disk".to_owned() }),
        _ => return Err(Refusal::Unsupported { format: Vhd, what: format!("disk type {kind}") }),
    };
    // Some programs go by the geometry, some by the size; the disk may be as large as either. The largest geometry
    // means that there is none.
    let cylinders = u64::from(u16::from_be_bytes([geometry[0], geometry[1]]));
    let sectors = cylinders * u64::from(geometry[2]) * u64::from(geometry[3]);
    let by_geometry = if sectors == LARGEST_GEOMETRY { 0 } else { sectors * 512 };
    Ok(Footer { kind, virtual_size: size.max(by_geometry), data_offset })
}

/// Reads the footer's copy in front of a dynamic disk, and looks at the dynamic header.
pub(super) fn read_dynamic(head: &[u8]) -> Result<Footer, Refusal> {
    let footer = read(head)?;
    if footer.kind == Kind::Fixed {
        return Err(corrupt("a fixed disk has no footer in front"));
    }
    let header = usize::try_from(footer.data_offset).ok().and_then(|at| Fields(head).slice(at, 8));
    if header != Some(b"cxsparse") {
        return Err(corrupt("the dynamic disk's header is not at its beginning"));
    }
    Ok(footer)
}

fn corrupt(what: &str) -> Refusal {
    Refusal::Corrupt { format: Vhd, what: what.to_owned() }
}
