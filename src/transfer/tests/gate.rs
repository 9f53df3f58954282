//! The last block: whatever is wrong, no sink gets it.

use proptest::prelude::*;

use super::*;

async fn refused(consignment: &Consignment, image: &[u8]) -> TransferError {
    let (result, kept) = deliver_to_one(consignment).await;
    let error = result.unwrap_err();
    assert!(!kept.complete && kept.bytes.len() < image.len());
    assert_eq!(kept.broken_off, Some(error.to_string()));
    error
}

#[tokio::test]
async fn every_digest_counts() {
    let image = noise(700_000);
    let mirror = Mirror::new(image.clone(), &[]);
    let good = consignment(mirror.serve().await, &image);
    let [other256, other512] = [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| digest(algorithm, b"other"));
    let mixed = |digests: &Digests| Digests::new(good.published.iter().chain(digests.iter()).cloned()).unwrap();

    for published in [other256.clone(), other512.clone(), mixed(&other512)] {
        let error = refused(&Consignment { published, ..good.clone() }, &image).await;
        assert!(matches!(error, TransferError::Digest { stage: Stage::Published, .. }), "{error}");
    }
    for stored in [other256, other512.clone(), mixed(&other512)] {
        let error = refused(&Consignment { stored: Some(stored), ..good.clone() }, &image).await;
        assert!(matches!(error, TransferError::Digest { stage: Stage::Stored, .. }), "{error}");
    }
}

/// Agrees with one sequence of bytes.
#[derive(Debug)]
struct Stickler(Vec<u8>);

impl Witness for Stickler {
    fn judge(&self, published: &mut dyn Read) -> Result<(), String> {
        let mut seen = Vec::new();
        published.read_to_end(&mut seen).map_err(|error| error.to_string())?;
        if seen == self.0 { Ok(()) } else { Err("these are other bytes".to_owned()) }
    }
}

/// Objects without having looked.
#[derive(Debug)]
struct Prejudice;

impl Witness for Prejudice {
    fn judge(&self, _: &mut dyn Read) -> Result<(), String> {
        Err("never".to_owned())
    }
}

#[tokio::test]
async fn a_witness_sees_everything_as_published_and_has_a_say() {
    let image = noise(3 << 20);
    let mirror = Mirror::new(image.clone(), &[]);
    let good = consignment(mirror.serve().await, &image);
    let with = |witness: Arc<dyn Witness>| Consignment { witness: Some(witness), ..good.clone() };
    let (result, kept) = deliver_to_one(&with(Arc::new(Stickler(image.clone())))).await;
    assert!(result.is_ok() && kept.complete, "{result:?}");
    let other = refused(&with(Arc::new(Stickler(b"other".to_vec()))), &image).await;
    assert_eq!(other.to_string(), "the downloaded bytes are not to be trusted: these are other bytes");
    let never = refused(&with(Arc::new(Prejudice)), &image).await;
    assert!(matches!(&never, TransferError::Disowned { because } if because == "never"), "{never}");
}

#[tokio::test]
async fn a_header_is_refused_before_the_end() {
    let mut image = noise(4 << 20);
    image[..4].copy_from_slice(b"QFI\xfb");
    let mirror = Mirror::new(image.clone(), &[]);
    let consignment = consignment(mirror.serve().await, &image);
    let recorder = Arc::new(Recorder::default());
    let error = deliver(&client().unwrap(), &consignment, vec![Arc::<Recorder>::clone(&recorder) as _], &|_| {}).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the image is declared as `raw`, but it looks like an image in format `qcow2`"
    );
    assert_eq!(recorder.kept().bytes.len(), 0);
}

#[tokio::test]
async fn a_disk_must_fit() {
    let image = noise(3000);
    let mirror = Mirror::new(image.clone(), &[]);
    let consignment = Consignment { min_disk: Some(0), ..consignment(mirror.serve().await, &image) };
    let error = refused(&consignment, &image).await;
    assert_eq!(error.to_string(), "the image's disk has 3000 bytes, which do not fit into `min_disk = 0`: it needs 1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_byte_is_wrong(at in 0..700_000_usize, bit in 0..8_u8, size_known: bool, compressed: bool) {
        let image = noise(700_000);
        let mut wrong = image.clone();
        wrong[at] ^= 1 << bit;
        let pack = |bytes: &[u8]| if compressed { compression::gzip(bytes) } else { bytes.to_vec() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mirror = Mirror::new(pack(&wrong), &[]);
            let mut consignment = consignment(mirror.serve().await, &pack(&image));
            consignment.compression = if compressed { Compression::Gzip } else { Compression::None };
            if !size_known || compressed {
                consignment.size = None;
            }
            let error = refused(&consignment, &image).await;
            assert!(matches!(error, TransferError::Digest { .. }), "{error}");
        });
    }
}
