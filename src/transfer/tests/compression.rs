//! Decoders: all streams of a file and nothing but them, within bounds.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::model::testing::{bounded, harm};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => gzip(bytes),
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => {
            let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
            // As the zstd program does; the library does not.
            encoder.include_checksum(true).unwrap();
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    }
}

const PACKED: [Compression; 4] = [Compression::Xz, Compression::Bzip2, Compression::Gzip, Compression::Zstd];

async fn unpack(compression: Compression, file: Vec<u8>) -> (Result<Delivered, TransferError>, Kept) {
    let mirror = Mirror::new(file.clone(), &[]);
    let consignment = Consignment { compression, ..consignment(mirror.serve().await, &file) };
    deliver_to_one(&consignment).await
}

#[tokio::test]
async fn every_stream_of_a_file_is_decompressed() {
    let image = noise(900_000);
    let (first, second) = image.split_at(500_000);
    for compression in PACKED {
        let file = [pack(compression, first), pack(compression, second)].concat();
        let (result, kept) = unpack(compression, file).await;
        let delivered = result.unwrap();
        assert_eq!(delivered.size, 900_000, "{compression:?}");
        assert_eq!(delivered.stored.agree(&digest(Algorithm::Sha512, &image)), Some(true));
        assert!(kept.complete && kept.bytes == image && kept.length.is_none() && kept.largest <= BLOCK);
    }
}

#[tokio::test]
async fn cut_and_garbled_files_are_refused() {
    let image = noise(900_000);
    for compression in PACKED {
        let good = pack(compression, &image);
        let cut = good[..good.len() - 1].to_vec();
        let half = good[..good.len() / 2].to_vec();
        let garbage = [&good[..], b"garbage behind the image"].concat();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 4;
        for (what, file) in [("cut", cut), ("half", half), ("garbage", garbage), ("flipped", flipped)] {
            let (result, kept) = unpack(compression, file).await;
            let error = result.expect_err(what);
            assert!(matches!(error, TransferError::Damaged { .. }), "{compression:?} {what}: {error}");
            assert!(!kept.complete, "{compression:?} {what}");
        }
    }
}

#[tokio::test]
async fn what_is_not_compressed_as_declared_is_named() {
    for compression in PACKED {
        let (result, _) = unpack(compression, b"<html><body>Please log in</body></html>".to_vec()).await;
        assert!(result.unwrap_err().to_string().ends_with("it looks like an HTML page"), "{compression:?}");
        let other = if compression == Compression::Xz { Compression::Gzip } else { Compression::Xz };
        let (result, _) = unpack(compression, pack(other, b"image")).await;
        let error = result.unwrap_err().to_string();
        assert!(error.ends_with(&format!("it looks like `{}` compressed data", other.name())), "{error}");
        let (result, _) = unpack(Compression::None, pack(compression, &noise(1000))).await;
        let error = result.unwrap_err().to_string();
        assert!(error.ends_with(&format!("it looks like `{}` compressed data", compression.name())), "{error}");
        let (result, _) = unpack(compression, pack(compression, b"")).await;
        assert_eq!(result.unwrap_err().to_string(), "the image is empty");
    }
}

#[tokio::test]
async fn bombs_end_at_the_limit() {
    let zeros = vec![0; 70 << 20];
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Xz] {
        let (result, kept) = unpack(compression, pack(compression, &zeros)).await;
        assert!(matches!(result, Err(TransferError::TooLarge { limit: 67_108_864 })), "{compression:?} {result:?}");
        assert!(!kept.complete);
    }
}

#[tokio::test]
async fn the_digest_of_the_stored_bytes_is_compared_too() {
    let image = noise(5000);
    let file = gzip(&image);
    let mirror = Mirror::new(file.clone(), &[]);
    let mut consignment = consignment(mirror.serve().await, &file);
    consignment.compression = Compression::Gzip;
    for (stored, fine) in [(&image[..], true), (&image[1..], false)] {
        consignment.stored = Some(digest(Algorithm::Sha256, stored));
        let (result, kept) = deliver_to_one(&consignment).await;
        assert_eq!((result.is_ok(), kept.complete), (fine, fine));
    }
}

/// Whatever the decoders are fed, they end, take no more memory than they may, and let nothing wrong pass as whole.
#[test]
fn harmed_files_are_refused_within_bounds() {
    bounded(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let image = [noise(3000), vec![0; 40_000], noise(300)].concat();
        for compression in PACKED {
            let good = pack(compression, &image);
            let digests = digest(Algorithm::Sha256, &image);
            proptest!(ProptestConfig::with_cases(64), |(harm in harm())| {
                let file = harm.done_to(&good);
                let (result, kept) = runtime.block_on(async {
                    let consignment = consignment(Mirror::new(file.clone(), &[]).serve().await, &file);
                    let stored = Some(digests.clone());
                    deliver_to_one(&Consignment { stored, compression, ..consignment }).await
                });
                // There are bits in these formats that mean nothing.
                prop_assert_eq!(result.is_ok(), kept.complete);
                prop_assert!(result.is_err() || kept.bytes == image, "{:?}", harm);
            });
        }
    });
}

/// A window that would need more memory than a decoder may take, as `zstd --long=30` writes it.
#[tokio::test]
async fn a_window_beyond_the_bound_is_refused() {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(30).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&noise(1000)).unwrap();
    let (result, _) = unpack(Compression::Zstd, encoder.finish().unwrap()).await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("too much memory"), "{error}");
}

/// What other programs write is read as well, where they are installed.
#[tokio::test]
async fn files_of_other_programs_are_read() {
    let image = noise(300_000);
    for (program, compression) in [
        ("xz", Compression::Xz),
        ("bzip2", Compression::Bzip2),
        ("gzip", Compression::Gzip),
        ("zstd", Compression::Zstd),
    ] {
        let started = Command::new(program).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = started else { continue };
        let mut input = child.stdin.take().unwrap();
        let content = image.clone();
        let writer = std::thread::spawn(move || input.write_all(&content).unwrap());
        let file = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap();
        let (result, kept) = unpack(compression, file).await;
        assert!(result.is_ok() && kept.bytes == image, "{program}: {result:?}");
    }
}
