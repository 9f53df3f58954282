//! Faults of mirrors: nothing is ever published, the message says what happened, and what a retry can heal is healed.

use super::*;

const SIZE: usize = 3 << 20;

async fn through(answers: &[Answer]) -> (Result<Delivered, TransferError>, Kept, Mirror) {
    let file = noise(SIZE);
    let mirror = Mirror::new(file.clone(), answers);
    let mut consignment = consignment(mirror.serve().await, &file);
    if answers.iter().any(|answer| matches!(answer, Answer::StallAfter(_))) {
        consignment.limits.stall = Duration::from_millis(500);
    }
    let (result, kept) = deliver_to_one(&consignment).await;
    (result, kept, mirror)
}

#[tokio::test]
async fn a_good_mirror_is_asked_once() {
    let (result, kept, mirror) = through(&[]).await;
    let delivered = result.unwrap();
    assert!(delivered.sinks[0].is_ok());
    assert_eq!(delivered.size, SIZE as u64);
    assert_eq!(delivered.min_disk(), 1);
    assert_eq!(delivered.stored.agree(&digest(Algorithm::Sha512, &noise(SIZE))), Some(true));
    assert_eq!(delivered.stored.agree(&digest(Algorithm::Sha256, &noise(SIZE))), Some(true));
    assert!(kept.complete && kept.bytes == noise(SIZE) && kept.largest <= BLOCK);
    assert_eq!(kept.length, Some(SIZE as u64));
    assert_eq!(mirror.asked(), [None]);
}

#[tokio::test]
async fn what_breaks_is_resumed() {
    let cases: [&[Answer]; 4] = [
        &[Answer::CutAfter(1_000_000), Answer::CutAfter(1_000_000)],
        &[Answer::StallAfter(70_000)],
        &[Answer::EndAfter(2_000_000)],
        &[Answer::CutAfter(100), Answer::Status(503, Some("0")), Answer::CutAfter(100)],
    ];
    for answers in cases {
        let (result, kept, mirror) = through(answers).await;
        assert!(result.is_ok(), "{answers:?}: {result:?}");
        assert!(kept.complete && kept.bytes == noise(SIZE), "{answers:?}");
        let asked = mirror.asked();
        assert!(asked.len() == answers.len() + 1 && asked[0].is_none() && asked[1..].iter().all(Option::is_some));
    }
}

#[tokio::test]
async fn busy_mirrors_are_asked_again() {
    let (result, kept, mirror) =
        through(&[Answer::Status(429, Some("0")), Answer::Status(503, None), Answer::Status(500, None)]).await;
    assert!(result.is_ok() && kept.complete);
    assert_eq!(mirror.asked().len(), 4);
}

#[tokio::test]
async fn what_does_not_pass_is_said() {
    let cut = Answer::CutAfter(100_000);
    let busy = Answer::Status(503, None);
    let around: Vec<Answer> = std::iter::repeat_n(Answer::Redirect, 20).collect();
    let cases: [(&[Answer], &str, bool, usize); 12] = [
        (&[Answer::Status(404, None)], "answered 404: the file is not there", false, 1),
        (&[Answer::Status(403, None)], "answered 403: it wants credentials", false, 1),
        (&[busy.clone(), busy.clone(), busy.clone(), busy.clone()], "answered 503", true, 4),
        (&[Answer::Status(429, Some("3600"))], "answered 429: it is asked too often", true, 1),
        (&around, "cannot be used: error following redirect: too many redirects", false, 11),
        (&[Answer::Page], "an HTML page instead of an image", false, 1),
        (&[cut.clone(), Answer::Page], "an HTML page instead of an image", false, 2),
        (&[cut.clone(), Answer::IgnoreRange], "cannot go on: the mirror cannot send a part", true, 2),
        (&[cut.clone(), Answer::OtherTag], "cannot go on: the file has changed", true, 2),
        (&[cut.clone(), cut.clone(), cut.clone(), cut.clone()], "broke off after 400000 bytes", true, 4),
        (&[Answer::Endless], "has more bytes than the 3145728 that were published", false, 1),
        (&[cut.clone(), Answer::Status(416, None)], "has 100000 bytes where 3145728 were published", false, 2),
    ];
    for (answers, message, retryable, requests) in cases {
        let (result, kept, mirror) = through(answers).await;
        let error = result.unwrap_err();
        assert!(error.to_string().contains(message), "{answers:?}: {error}");
        assert_eq!(error.retryable(), retryable, "{answers:?}");
        assert_eq!(mirror.asked().len(), requests, "{answers:?}");
        assert!(!kept.complete && kept.bytes.len() < SIZE, "{answers:?}");
        // Either the sink was never started, or it was told what the caller is told.
        assert!(kept.broken_off.is_none_or(|reason| reason == error.to_string()), "{answers:?}");
    }
}

#[tokio::test]
async fn a_mirror_that_falls_silent_is_given_up() {
    let silent = Answer::StallAfter(10);
    let (result, kept, _) = through(&[silent.clone(), silent.clone(), silent.clone(), silent]).await;
    let error = result.unwrap_err().to_string();
    assert!(error.contains("broke off after 40 bytes: nothing came for 0.5 s"), "{error}");
    assert_eq!(kept.broken_off.as_deref(), Some(error.as_str()));
}

#[tokio::test]
async fn nobody_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = Origin::Url(format!("http://user:secret@{}/image", listener.local_addr().unwrap()));
    drop(listener);
    let error = deliver_to_one(&consignment(origin, b"x")).await.0.unwrap_err();
    assert!(error.retryable());
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_size_that_was_not_published_is_refused_before_the_first_byte() {
    let file = noise(1000);
    let mirror = Mirror::new(file.clone(), &[]);
    let mut consignment = consignment(mirror.serve().await, &file);
    consignment.size = Some(999);
    let (result, kept) = deliver_to_one(&consignment).await;
    assert!(matches!(result, Err(TransferError::Size { expected: 999, found: 1000, .. })), "{result:?}");
    assert_eq!(kept, Kept::default());
}

#[tokio::test]
async fn without_a_published_size_the_limit_ends_what_is_endless() {
    let file = noise(1000);
    let mirror = Mirror::new(file.clone(), &[Answer::Endless]);
    let mut consignment = consignment(mirror.serve().await, &file);
    consignment.size = None;
    consignment.limits.bytes = 1 << 20;
    let (result, kept) = deliver_to_one(&consignment).await;
    assert!(matches!(result, Err(TransferError::TooLarge { limit: 1_048_576 })), "{result:?}");
    assert!(!kept.complete && kept.length.is_none());
}

#[tokio::test]
async fn a_file_is_a_mirror_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    let file = noise(600_000);
    std::fs::write(&path, &file).unwrap();
    let mut consignment = consignment(Origin::File(path), &file);
    let (result, kept) = deliver_to_one(&consignment).await;
    assert_eq!(result.unwrap().size, 600_000);
    assert!(kept.complete && kept.bytes == file);
    consignment.origin = Origin::File(folder.path().join("none"));
    let (result, _) = deliver_to_one(&consignment).await;
    assert!(matches!(result, Err(TransferError::File { .. })));
}
