//! From chunks of any size to one judgement.

use super::{Inspected, Look, Refusal, qcow2, recognise, vhd, vmdk};
use crate::model::version::DiskFormat;

/// As much of the beginning as is looked at. All that is decided from it: headers, qcow2's header extensions, vmdk's
/// descriptor (at most 20 sectors from sector 1), the ISO 9660 volume descriptor at 32 KiB.
const HEAD: usize = 64 * 1024;

/// As much of the end as is looked at: the second header of a vmdk, the footer of a vhd.
const TAIL: usize = vmdk::FOOTER;

const NOTHING: Look = Look::Other("nothing known, perhaps a raw image");

const GIBIBYTE: u64 = 1 << 30;

/// What the beginning says.
#[derive(Debug)]
enum Layout {
    /// The beginning has not been seen yet.
    Unseen,
    Qcow2(qcow2::Header),
    Vmdk(vmdk::Header),
    DynamicVhd(vhd::Footer),
    /// Nothing in front; the footer must say.
    FixedVhd,
    /// The bytes are the disk.
    Plain,
}

/// Watches an image pass by and judges it: as early as possible, so that little of a bad one is uploaded.
#[derive(Debug)]
pub struct Inspector {
    declared: DiskFormat,
    min_disk: Option<u64>,
    head: Vec<u8>,
    tail: Vec<u8>,
    size: u64,
    layout: Layout,
}

impl Inspector {
    /// An inspector of an image declared as this format, whose disk must fit into `min_disk` GiB.
    pub fn new(declared: DiskFormat, min_disk: Option<u64>) -> Self {
        Self { declared, min_disk, head: Vec::new(), tail: Vec::new(), size: 0, layout: Layout::Unseen }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The image is refused.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.size += chunk.len() as u64;
        let keep = TAIL.saturating_sub(chunk.len()).min(self.tail.len());
        self.tail.drain(..self.tail.len() - keep);
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAIL)..]);
        if let Layout::Unseen = self.layout {
            let wanted = HEAD - self.head.len();
            self.head.extend_from_slice(&chunk[..wanted.min(chunk.len())]);
            if self.head.len() == HEAD {
                self.judge_beginning()?;
            }
        }
        if let Layout::Plain = self.layout { self.fits(self.size) } else { Ok(()) }
    }

    /// Judges the whole, after its last byte.
    ///
    /// # Errors
    /// The image is refused.
    pub fn finish(mut self) -> Result<Inspected, Refusal> {
        if self.size == 0 {
            return Err(Refusal::Empty);
        }
        if let Layout::Unseen = self.layout {
            self.judge_beginning()?;
        }
        let footer = &self.tail[self.tail.len().saturating_sub(vhd::FOOTER)..];
        let virtual_size = match &self.layout {
            Layout::Qcow2(header) if self.size < header.least => {
                let what = format!("it ends after {} bytes, its tables reach to {}", self.size, header.least);
                return Err(Refusal::Corrupt { format: self.declared, what });
            }
            Layout::Qcow2(header) => header.virtual_size,
            Layout::Vmdk(header) => {
                header.check_end(&self.tail)?;
                header.virtual_size
            }
            Layout::DynamicVhd(front) => {
                if vhd::read(footer)? != *front {
                    let what = "its footer is not the same in front and at the end".to_owned();
                    return Err(Refusal::Corrupt { format: self.declared, what });
                }
                front.virtual_size
            }
            Layout::FixedVhd => self.fixed_vhd(footer)?,
            Layout::Plain if footer.len() == vhd::FOOTER && footer.starts_with(vhd::COOKIE) => {
                return Err(self.other(Look::Image(DiskFormat::Vhd)));
            }
            Layout::Plain | Layout::Unseen => self.size,
        };
        self.fits(virtual_size)?;
        Ok(Inspected { format: self.declared, size: self.size, virtual_size })
    }

    fn judge_beginning(&mut self) -> Result<(), Refusal> {
        let head = std::mem::take(&mut self.head);
        let found = recognise(&head);
        let (layout, virtual_size) = match (self.declared, found) {
            (DiskFormat::Qcow2, Some(Look::Image(DiskFormat::Qcow2))) => {
                let header = qcow2::read(&head)?;
                (Layout::Qcow2(header), header.virtual_size)
            }
            (DiskFormat::Vmdk, Some(Look::Image(DiskFormat::Vmdk))) => {
                let header = vmdk::read(&head)?;
                let size = header.virtual_size;
                (Layout::Vmdk(header), size)
            }
            (DiskFormat::Vhd, Some(Look::Image(DiskFormat::Vhd))) => {
                let footer = vhd::read_dynamic(&head)?;
                (Layout::DynamicVhd(footer), footer.virtual_size)
            }
            (DiskFormat::Vhd, None) => (Layout::FixedVhd, 0),
            (DiskFormat::Iso, Some(Look::Image(DiskFormat::Iso))) | (DiskFormat::Raw, None) => {
                (Layout::Plain, self.size)
            }
            (_, found) => return Err(self.other(found.unwrap_or(NOTHING))),
        };
        self.layout = layout;
        self.fits(virtual_size)
    }

    fn fixed_vhd(&self, footer: &[u8]) -> Result<u64, Refusal> {
        if !footer.starts_with(vhd::COOKIE) {
            return Err(self.other(NOTHING));
        }
        let read = vhd::read(footer)?;
        let data = self.size - vhd::FOOTER as u64;
        if read.kind == vhd::Kind::Fixed && read.virtual_size <= data {
            Ok(read.virtual_size)
        } else {
            let what = format!("its footer does not go with {data} bytes of data");
            Err(Refusal::Corrupt { format: self.declared, what })
        }
    }

    fn fits(&self, virtual_size: u64) -> Result<(), Refusal> {
        match self.min_disk {
            Some(min_disk) if virtual_size > min_disk.saturating_mul(GIBIBYTE) => {
                Err(Refusal::TooLarge { virtual_size, min_disk })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn other(&self, found: Look) -> Refusal {
        Refusal::OtherFormat { declared: self.declared, found }
    }
}
