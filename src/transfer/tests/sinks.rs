//! Sites that fail, hang or lie do not hinder the others.

use anyhow::bail;

use super::*;

/// A sink with a fault.
struct Faulty(Fault);

#[derive(Clone, Copy)]
enum Fault {
    /// Refuses at once.
    Refuses,
    /// Takes some and fails.
    Fails,
    /// Takes one block and then nothing.
    Hangs,
    /// Takes everything and never answers.
    Silent,
    /// Says that all is well without having taken anything.
    Lies,
}

#[async_trait]
impl Sink for Faulty {
    fn name(&self) -> String {
        "faulty".to_owned()
    }

    async fn store(&self, mut body: Body, _length: Option<u64>) -> anyhow::Result<()> {
        match self.0 {
            Fault::Refuses => bail!("quota exceeded"),
            Fault::Fails => {
                for _ in 0..3 {
                    body.next().await;
                }
                bail!("disk full")
            }
            Fault::Hangs => {
                body.next().await;
                std::future::pending().await
            }
            Fault::Silent => {
                while body.next().await.is_some() {}
                std::future::pending().await
            }
            Fault::Lies => Ok(()),
        }
    }
}

const FAULTS: [(Fault, &str); 5] = [
    (Fault::Refuses, "quota exceeded"),
    (Fault::Fails, "disk full"),
    (Fault::Hangs, "took no more data for 0.5 s"),
    (Fault::Silent, "no answer 0.5 s after the last byte"),
    (Fault::Lies, "before it had the whole image"),
];

async fn one_mirror() -> (Consignment, Mirror, Vec<u8>) {
    let image = noise(8 << 20);
    let mirror = Mirror::new(image.clone(), &[]);
    let mut consignment = consignment(mirror.serve().await, &image);
    consignment.limits.stall = Duration::from_millis(500);
    consignment.limits.answer = Duration::from_millis(500);
    (consignment, mirror, image)
}

#[tokio::test]
async fn the_others_go_on_from_the_one_download() {
    let (consignment, mirror, image) = one_mirror().await;
    let recorders = [Arc::new(Recorder::default()), Arc::new(Recorder::default())];
    let mut sinks: Vec<Arc<dyn Sink>> = vec![Arc::<Recorder>::clone(&recorders[0])];
    sinks.extend(FAULTS.map(|(fault, _)| Arc::new(Faulty(fault)) as Arc<dyn Sink>));
    sinks.push(Arc::<Recorder>::clone(&recorders[1]));

    let delivered = deliver(&client().unwrap(), &consignment, sinks, &|_| {}).await.unwrap();
    assert_eq!(mirror.asked().len(), 1);
    for recorder in &recorders {
        assert!(recorder.kept().complete && recorder.kept().bytes == image);
    }
    assert!(delivered.sinks[0].is_ok() && delivered.sinks[6].is_ok());
    for (answer, (_, reason)) in delivered.sinks[1..6].iter().zip(FAULTS) {
        let error = format!("{:#}", answer.as_ref().unwrap_err());
        assert!(error.starts_with("`faulty` did not take the image: ") && error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn with_no_sink_left_the_download_ends() {
    let (mut consignment, mirror, _) = one_mirror().await;
    mirror.answers.lock().unwrap().push(Answer::Endless);
    consignment.size = None;
    consignment.limits.bytes = u64::MAX;
    let sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(Faulty(Fault::Refuses)), Arc::new(Faulty(Fault::Hangs))];
    let error = deliver(&client().unwrap(), &consignment, sinks, &|_| {}).await.unwrap_err();
    assert!(matches!(&error, TransferError::Sinks(errors) if errors.len() == 2), "{error}");
    assert!(error.to_string().contains("quota exceeded"), "{error}");
}

#[tokio::test]
async fn with_no_sink_at_all_it_is_verified() {
    let (consignment, _, image) = one_mirror().await;
    // On a task of its own: the future can be sent between threads.
    let delivery = async move { deliver(&client().unwrap(), &consignment, Vec::new(), &|_| {}).await };
    let delivered = tokio::spawn(delivery).await.unwrap().unwrap();
    assert_eq!((delivered.size, delivered.sinks.len()), (image.len() as u64, 0));
}

#[tokio::test]
async fn a_cancelled_delivery_never_looks_complete() {
    let image = noise(2 << 20);
    let mirror = Mirror::new(image.clone(), &[Answer::StallAfter(1 << 20)]);
    let consignment = consignment(mirror.serve().await, &image);
    let recorder = Arc::new(Recorder::default());
    let sinks: Vec<Arc<dyn Sink>> = vec![Arc::<Recorder>::clone(&recorder)];
    let reached = tokio::sync::Notify::new();
    let watch = |progress| {
        if matches!(progress, Progress::Received { bytes, .. } if bytes >= 1 << 20) {
            reached.notify_one();
        }
    };
    let client = client().unwrap();
    tokio::select! {
        result = deliver(&client, &consignment, sinks, &watch) => panic!("it ended: {result:?}"),
        () = reached.notified() => {}
    }
    // The sink's task is gone together with the delivery.
    while Arc::strong_count(&recorder) > 1 {
        tokio::task::yield_now().await;
    }
    assert!(!recorder.kept().complete);
}
