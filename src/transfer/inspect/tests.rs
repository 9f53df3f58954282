//! Headers made by hand, good and bad.

use proptest::prelude::*;

use super::*;
use crate::model::testing::{bounded, harm};

/// What an inspector says of these bytes in chunks of this size.
fn inspect_in(declared: DiskFormat, image: &[u8], chunk: usize) -> Result<Inspected, Refusal> {
    let mut inspector = Inspector::new(declared, None);
    image.chunks(chunk).try_for_each(|chunk| inspector.feed(chunk))?;
    inspector.finish()
}

fn inspect(declared: DiskFormat, image: &[u8]) -> Result<Inspected, Refusal> {
    inspect_in(declared, image, image.len().max(1))
}

fn refusal(declared: DiskFormat, image: &[u8]) -> String {
    inspect(declared, image).unwrap_err().to_string()
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

const GIB: u64 = 1 << 30;

/// An empty qcow2 of 3.5 GiB: header, refcount table, one refcount block, L1 table.
fn qcow2(version: u32) -> Vec<u8> {
    let mut image = vec![0; 4 << 16];
    put(&mut image, 0, b"QFI\xfb");
    put(&mut image, 4, &version.to_be_bytes());
    put(&mut image, 20, &16_u32.to_be_bytes());
    put(&mut image, 24, &(3 * GIB + GIB / 2).to_be_bytes());
    put(&mut image, 36, &7_u32.to_be_bytes());
    put(&mut image, 40, &(3_u64 << 16).to_be_bytes());
    put(&mut image, 48, &(1_u64 << 16).to_be_bytes());
    put(&mut image, 56, &1_u32.to_be_bytes());
    if version == 3 {
        put(&mut image, 96, &4_u32.to_be_bytes());
        put(&mut image, 100, &104_u32.to_be_bytes());
    }
    image
}

fn vmdk(kind: &str, extents: &str) -> Vec<u8> {
    let mut image = vec![0; 1 << 17];
    put(&mut image, 0, b"KDMV\x01\0\0\0");
    put(&mut image, 12, &8192_u64.to_le_bytes());
    put(&mut image, 28, &1_u64.to_le_bytes());
    put(&mut image, 36, &20_u64.to_le_bytes());
    let text = format!(
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"{kind}\"\n\n{extents}\n\
         ddb.adapterType = \"ide\"\n"
    );
    put(&mut image, 512, text.as_bytes());
    if kind == "streamOptimized" {
        put(&mut image, 56, &u64::MAX.to_le_bytes());
        let header: Vec<u8> = image[..512].to_vec();
        let at = image.len() - 1024;
        put(&mut image, at, &header);
        put(&mut image, at + 56, &99_u64.to_le_bytes());
    }
    image
}

fn vhd_footer(kind: u32, size: u64) -> Vec<u8> {
    let mut footer = vec![0; 512];
    put(&mut footer, 0, b"conectix");
    put(&mut footer, 16, &if kind == 2 { u64::MAX } else { 512 }.to_be_bytes());
    put(&mut footer, 48, &size.to_be_bytes());
    put(&mut footer, 60, &kind.to_be_bytes());
    let sum: u32 = footer.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut footer, 64, &(!sum).to_be_bytes());
    footer
}

fn dynamic_vhd(kind: u32) -> Vec<u8> {
    let mut header = vec![0; 1024];
    put(&mut header, 0, b"cxsparse");
    [vhd_footer(kind, GIB), header, vec![0; 70_000], vhd_footer(kind, GIB)].concat()
}

fn fixed_vhd() -> Vec<u8> {
    [vec![0; 1 << 20], vhd_footer(2, 1 << 20)].concat()
}

fn iso() -> Vec<u8> {
    let mut image = vec![0; 50_000];
    put(&mut image, 32768, b"\x01CD001\x01");
    image
}

const ONE: &str = "RW 8192 SPARSE \"disk.vmdk\"";

/// A good image of every kind, with its virtual size.
fn good() -> Vec<(DiskFormat, Vec<u8>, u64)> {
    vec![
        (DiskFormat::Qcow2, qcow2(2), 3 * GIB + GIB / 2),
        (DiskFormat::Qcow2, qcow2(3), 3 * GIB + GIB / 2),
        (DiskFormat::Vmdk, vmdk("monolithicSparse", ONE), 4 << 20),
        (DiskFormat::Vmdk, vmdk("streamOptimized", ONE), 4 << 20),
        (DiskFormat::Vhd, dynamic_vhd(3), GIB),
        (DiskFormat::Vhd, fixed_vhd(), 1 << 20),
        (DiskFormat::Iso, iso(), 50_000),
        (DiskFormat::Raw, vec![0; 3000], 3000),
        (DiskFormat::Raw, vec![0; 100_000], 100_000),
    ]
}

#[test]
fn every_format_is_accepted_as_itself_and_as_nothing_else() {
    for (format, image, virtual_size) in good() {
        let size = image.len() as u64;
        assert_eq!(inspect(format, &image), Ok(Inspected { format, size, virtual_size }));
        for declared in DiskFormat::ALL.into_iter().filter(|declared| *declared != format) {
            let refusal = inspect(declared, &image).unwrap_err();
            assert!(matches!(refusal, Refusal::OtherFormat { .. }), "{format:?} as {declared:?}: {refusal}");
        }
    }
    assert_eq!(inspect(DiskFormat::Raw, b""), Err(Refusal::Empty));
}

#[test]
fn a_disk_that_does_not_fit_is_refused_at_its_header() {
    for (format, image, virtual_size) in good() {
        let judge = |min_disk| {
            let mut inspector = Inspector::new(format, Some(min_disk));
            inspector.feed(&image)?;
            inspector.finish()
        };
        assert!(judge(virtual_size.div_ceil(GIB)).is_ok());
        assert!(matches!(judge(virtual_size.div_ceil(GIB) - 1), Err(Refusal::TooLarge { .. })), "{format:?}");
    }
    let mut inspector = Inspector::new(DiskFormat::Qcow2, Some(3));
    assert!(matches!(inspector.feed(&qcow2(3)[..1 << 16]), Err(Refusal::TooLarge { .. })));
}

#[test]
fn dangerous_qcow2_headers_are_refused() {
    let cases: [(usize, &[u8], &str); 17] = [
        (4, &4_u32.to_be_bytes(), "cannot be judged: version 4"),
        (8, &200_u64.to_be_bytes(), "outside of itself: the backing file `/etc/passwd`"),
        (8, &u64::MAX.to_be_bytes(), "the backing file whose name is not readable"),
        (32, &1_u32.to_be_bytes(), "is encrypted"),
        (32, &2_u32.to_be_bytes(), "is encrypted"),
        (20, &8_u32.to_be_bytes(), "clusters of 2^8 bytes"),
        (20, &22_u32.to_be_bytes(), "clusters of 2^22 bytes"),
        (24, &u64::MAX.to_be_bytes(), "an L1 table of 7 entries"),
        (36, &u32::MAX.to_be_bytes(), "an L1 table of 4294967295 entries"),
        (40, &u64::MAX.to_be_bytes(), "tables cannot be where"),
        (40, &(9_u64 << 16).to_be_bytes(), "it ends after 262144 bytes, its tables reach to 589880"),
        (56, &0_u32.to_be_bytes(), "tables cannot be where"),
        (72, &1_u64.to_be_bytes(), "marked as dirty"),
        (72, &2_u64.to_be_bytes(), "marked as corrupt"),
        (72, &4_u64.to_be_bytes(), "outside of itself: an external data file"),
        (72, &(1_u64 << 40).to_be_bytes(), "unknown incompatible features 0x10000000000"),
        (72, &8_u64.to_be_bytes(), "contradict each other"),
    ];
    for (at, bytes, message) in cases {
        let mut image = qcow2(3);
        put(&mut image, 16, &11_u32.to_be_bytes());
        put(&mut image, 200, b"/etc/passwd");
        put(&mut image, at, bytes);
        let refusal = refusal(DiskFormat::Qcow2, &image);
        assert!(refusal.contains(message), "{at} {bytes:?}: {refusal}");
    }
}

#[test]
fn header_extensions_of_qcow2_are_read() {
    let extension = |kind: u32, length: u32| {
        let mut image = qcow2(3);
        // A harmless one first, of a length that needs padding.
        put(&mut image, 104, &0x6803_f857_u32.to_be_bytes());
        put(&mut image, 108, &5_u32.to_be_bytes());
        put(&mut image, 120, &kind.to_be_bytes());
        put(&mut image, 124, &length.to_be_bytes());
        image
    };
    assert!(inspect(DiskFormat::Qcow2, &extension(0, 0)).is_ok());
    assert!(inspect(DiskFormat::Qcow2, &extension(0x1234_5678, 8)).is_ok());
    for (kind, length, message) in [
        (0x4441_5441, 8, "the name of an external data file"),
        (0x0537_be77, 16, "is encrypted"),
        (0x1234_5678, u32::MAX, "longer than the header"),
    ] {
        let refusal = refusal(DiskFormat::Qcow2, &extension(kind, length));
        assert!(refusal.contains(message), "{kind:x}: {refusal}");
    }
    let mut early = qcow2(2);
    put(&mut early, 72, &0x4441_5441_u32.to_be_bytes());
    assert!(refusal(DiskFormat::Qcow2, &early).contains("external data file"));
}

#[test]
fn vmdk_that_reach_elsewhere_are_refused() {
    for (kind, extents, message) in [
        ("monolithicFlat", "RW 8192 FLAT \"disk-flat.vmdk\" 0", "an extent in another file"),
        ("monolithicSparse", "RW 8192 SPARSE \"/etc/passwd\"", "an extent in another file"),
        ("monolithicSparse", "RW 8192 FLAT \"passwd\"", "an extent in another file"),
        ("monolithicSparse", "\tRW\t8192\tFLAT\t\"passwd\"", "an extent in another file"),
        ("monolithicSparse", "RW 1 SPARSE \"a\"\nRW 1 SPARSE \"b\"", "an extent in another file"),
        ("monolithicSparse", "", "names no extent"),
        ("twoGbMaxExtentSparse", ONE, "type `twogbmaxextentsparse`"),
        ("monolithicSparse", "# parentFileNameHint=\"/etc/passwd\"", "a parent image"),
        ("monolithicSparse", "parentCID = 12345678", "a parent image"),
        ("monolithicSparse", "createType=\"vmfs\"", "gives its type twice"),
    ] {
        let refusal = refusal(DiskFormat::Vmdk, &vmdk(kind, extents));
        assert!(refusal.contains(message), "{kind} {extents}: {refusal}");
    }
    let mut without_capacity = vmdk("monolithicSparse", ONE);
    put(&mut without_capacity, 12, &[0; 8]);
    assert!(refusal(DiskFormat::Vmdk, &without_capacity).contains("capacity"));
    let mut two_faced = vmdk("streamOptimized", ONE);
    let at = two_faced.len() - 1024 + 28;
    put(&mut two_faced, at, &100_u64.to_le_bytes());
    assert!(refusal(DiskFormat::Vmdk, &two_faced).contains("something else than the first"));
}

#[test]
fn vhd_that_do_not_stand_alone_or_are_cut_are_refused() {
    assert!(refusal(DiskFormat::Vhd, &dynamic_vhd(4)).contains("the parent of a differencing disk"));
    let dynamic = dynamic_vhd(3);
    assert!(refusal(DiskFormat::Vhd, &dynamic[..dynamic.len() - 512]).contains("no footer at its end"));
    let mut flipped = dynamic;
    flipped[50] ^= 1;
    assert!(refusal(DiskFormat::Vhd, &flipped).contains("checksum"));
    let short = [vec![0; 1000], vhd_footer(2, 1 << 20)].concat();
    assert!(refusal(DiskFormat::Vhd, &short).contains("does not go with 1000 bytes"));
}

#[test]
fn what_is_no_disk_is_named() {
    for (image, message) in [
        (&b"<!DOCTYPE html>"[..], "declared as `qcow2`, but it looks like an HTML page"),
        (b"vhdxfile", "looks like a vhdx image"),
        (b"LUKS\xba\xbe\0\x01", "looks like a LUKS encrypted volume"),
        (b"\x1f\x8b\x08", "looks like `gz` compressed data"),
        (b"\0\0\0\0", "looks like nothing known, perhaps a raw image"),
    ] {
        assert!(refusal(DiskFormat::Qcow2, image).contains(message), "{}", refusal(DiskFormat::Qcow2, image));
    }
}

/// What QEMU writes is read as it was meant, where QEMU is installed.
#[test]
fn images_of_qemu_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, DiskFormat, bool); 9] = [
        ("qcow2", "compat=0.10", DiskFormat::Qcow2, true),
        ("qcow2", "compat=1.1,lazy_refcounts=on", DiskFormat::Qcow2, true),
        ("qcow2", "compression_type=zstd,extended_l2=on,cluster_size=65536", DiskFormat::Qcow2, true),
        ("qcow2", "data_file=outside.raw,data_file_raw=on", DiskFormat::Qcow2, false),
        ("vmdk", "subformat=monolithicSparse", DiskFormat::Vmdk, true),
        ("vmdk", "subformat=streamOptimized", DiskFormat::Vmdk, true),
        ("vpc", "subformat=dynamic,force_size=on", DiskFormat::Vhd, true),
        ("vpc", "subformat=fixed,force_size=on", DiskFormat::Vhd, true),
        ("raw", "preallocation=off", DiskFormat::Raw, true),
    ];
    std::fs::write(folder.path().join("content"), vec![1; 5 << 20]).unwrap();
    for (format, options, declared, fine) in cases {
        let made = std::process::Command::new("qemu-img")
            .current_dir(folder.path())
            .args(["convert", "-q", "-f", "raw", "-O", format, "-o", options, "content", "image"])
            .status();
        let Ok(made) = made else { return };
        assert!(made.success(), "{options}");
        let image = std::fs::read(folder.path().join("image")).unwrap();
        let judged = inspect(declared, &image);
        assert_eq!(judged.is_ok(), fine, "{options}: {judged:?}");
        assert!(judged.is_err() || judged.as_ref().is_ok_and(|it| it.virtual_size == 5 << 20), "{options}: {judged:?}");
    }
}

#[test]
fn nothing_makes_it_panic_and_chunks_do_not_matter() {
    bounded(|| {
        let good = good();
        proptest!(|(
            image in prop::sample::select(good),
            changes in prop::collection::vec((0..700_usize, any::<u8>()), 0..12),
            harm in harm(),
            chunk in 1..70_000_usize,
            declared in prop::sample::select(DiskFormat::ALL.to_vec()),
            own: bool,
        )| {
            let (format, mut image, _) = image;
            for (at, byte) in changes {
                image[at] = byte;
            }
            let declared = if own { format } else { declared };
            for image in [harm.done_to(&image), image] {
                prop_assert_eq!(inspect_in(declared, &image, chunk), inspect(declared, &image));
            }
        });
    });
}

#[test]
fn arbitrary_bytes_are_judged() {
    bounded(|| {
        proptest!(|(bytes in prop::collection::vec(any::<u8>(), 0..2000), start in 0..6_usize)| {
            let starts: [&[u8]; 6] = [b"", b"QFI\xfb\0\0\0\x03", b"QFI\xfb\0\0\0\x02", b"KDMV\x01\0\0\0", b"conectix", b"\0"];
            let image = [starts[start], &bytes].concat();
            for declared in DiskFormat::ALL {
                prop_assert_eq!(inspect_in(declared, &image, 7), inspect(declared, &image));
            }
        });
    });
}
