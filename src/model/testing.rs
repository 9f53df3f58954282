//! For the tests of whatever reads what others wrote: harm of every kind, and bounds that a hang or a flood of memory
//! runs into.
//!
//! A reader that never ends, or takes a gigabyte for a kilobyte, panics nowhere: the test that meets it would hang, or take
//! the machine down with it. So such a test is [`bounded`]: it runs in a process of its own, which the system ends when it
//! has used up its memory or its time.

use std::any::type_name;
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::Index;

/// Set in the process that is bounded.
const INSIDE: &str = "GALLERIST_TEST_IS_BOUNDED";
/// KiB of addresses: room for the threads of a runtime, not for a file that grows a hundredfold.
const MEMORY: u32 = 1 << 20;
/// Seconds of processor time. Far more than any test takes, and less than for ever. Whoever asks for more cases by
/// `PROPTEST_CASES` gives them a second each.
const SECONDS: u32 = 300;
/// What a file that swells has in the end.
const LARGE: usize = 1 << 20;

/// Runs the body of a test in a process of its own, within bounds. The body must be a closure of that test.
#[track_caller]
pub(crate) fn bounded<Body: FnOnce()>(body: Body) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse::<u32>().ok());
    bounded_to(cases.unwrap_or_default().max(SECONDS), body);
}

#[track_caller]
fn bounded_to<Body: FnOnce()>(seconds: u32, body: Body) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    // `gallerist::room::tests::what_it_says::{{closure}}`
    let closure = type_name::<Body>();
    let test = closure.split("::{{closure}}").next().and_then(|path| path.split_once("::")).expect("a test's path").1;
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY} && ulimit -t {seconds} && exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().expect("a test runs in a file"))
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "yes")
        .output()
        .expect("there is a shell");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{test} ended with {}:\n{said}", output.status);
}

/// What a hostile or broken writer could do to a file.
#[derive(Debug, Clone)]
pub(crate) enum Harm {
    /// Something else altogether.
    Replace(Vec<u8>),
    /// It ends here.
    Cut(Index),
    /// A bit is wrong.
    Flip(Index, u8),
    /// Something stands in it that means something somewhere.
    Insert(Index, &'static str),
    /// A part of it is there again and again, until it is large.
    Swell(Index, Index),
}

/// Any harm.
pub(crate) fn harm() -> impl Strategy<Value = Harm> {
    let place = any::<Index>;
    let pieces = prop::sample::select(vec![
        "{",
        "[",
        "\"",
        "null",
        "1e999",
        "-1",
        "\0",
        "\n",
        "\r",
        "../",
        "/",
        "http:",
        "-----",
        "- ",
        "=",
        "\u{feff}",
        "\u{202e}",
        "99999999999999999999",
    ]);
    prop_oneof![
        any::<Vec<u8>>().prop_map(Harm::Replace),
        place().prop_map(Harm::Cut),
        (place(), 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        (place(), pieces).prop_map(|(at, piece)| Harm::Insert(at, piece)),
        (place(), place()).prop_map(|(from, to)| Harm::Swell(from, to)),
    ]
}

impl Harm {
    /// The file, harmed.
    pub(crate) fn done_to(&self, file: &[u8]) -> Vec<u8> {
        let mut harmed = file.to_vec();
        let place = |at: &Index| at.index(file.len() + 1);
        match self {
            Self::Replace(bytes) => harmed.clone_from(bytes),
            Self::Cut(at) => harmed.truncate(place(at)),
            Self::Flip(at, bit) => {
                if let Some(byte) = harmed.get_mut(place(at)) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Insert(at, piece) => drop(harmed.splice(place(at)..place(at), piece.bytes())),
            Self::Swell(one, other) => {
                let (from, to) = (place(one).min(place(other)), place(one).max(place(other)));
                let part = &file[from..to];
                let times = LARGE.saturating_sub(file.len()) / part.len().max(1);
                harmed.splice(to..to, part.repeat(times));
            }
        }
        harmed
    }

    /// The text, harmed; what is no text any more has replacement characters in it.
    pub(crate) fn done_to_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.done_to(text.as_bytes())).into_owned()
    }
}

#[test]
#[should_panic(expected = "memory allocation of 4294967296 bytes failed")]
fn a_flood_of_memory_is_a_failure() {
    bounded(|| drop(std::hint::black_box(vec![1_u8; 4 << 30])));
}

#[test]
#[should_panic(expected = "what_never_ends_is_a_failure ended with signal")]
fn what_never_ends_is_a_failure() {
    bounded_to(1, || while std::hint::black_box(true) {});
}
