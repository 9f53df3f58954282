//! What an apply is doing, while it does it: bars on a terminal, plain lines everywhere else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use super::escape::terminal;
use crate::apply::event::Event;
use crate::apply::machine::Outcome;
use crate::model::name::Address;
use crate::model::operation::Verb;

/// How often a transfer is mentioned where nothing can be drawn over itself.
const MENTION: Duration = Duration::from_secs(10);

/// Hears events and tells people.
pub struct Progress {
    console: Console,
    bars: MultiProgress,
    running: Mutex<BTreeMap<Address, Running>>,
}

struct Running {
    begun: Instant,
    mentioned: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Tells on this console.
    pub fn new(console: Console) -> Self {
        let target = if console.can_draw() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { console, bars: MultiProgress::with_draw_target(target), running: Mutex::new(BTreeMap::new()) }
    }

    /// Takes an event.
    pub fn hear(&self, event: &Event) {
        match event {
            Event::Started { address, site: _, verb } => self.started(address, *verb),
            Event::Progress { addresses, done, total } => self.moved(addresses, *done, *total),
            Event::Finished { address, site: _, verb, outcome } => self.finished(address, *verb, outcome),
        }
    }

    /// Takes the bars away.
    pub fn end(&self) {
        // Bars that cannot be cleared stay on the screen; nothing else depends on them.
        let _ = self.bars.clear();
    }

    fn say(&self, line: &str) {
        self.bars.suspend(|| self.console.say(line));
    }

    fn started(&self, address: &Address, verb: Verb) {
        let word = match verb {
            Verb::Create => "Creating...",
            Verb::Update => "Changing...",
            Verb::Delete => "Deleting...",
        };
        let now = Instant::now();
        let running = Running { begun: now, mentioned: now, bar: None };
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone(), running);
        self.say(&format!("{address}: {word}"));
    }

    fn moved(&self, addresses: &[Address], done: u64, total: Option<u64>) {
        let Some(address) = addresses.first() else { return };
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = all.get_mut(address) else { return };
        if self.console.can_draw() {
            let bar = running.bar.get_or_insert_with(|| self.bars.add(bar(address, total)));
            bar.set_position(done);
        } else if running.mentioned.elapsed() >= MENTION {
            running.mentioned = Instant::now();
            let elapsed = running.begun.elapsed();
            let of = total.map_or_else(String::new, |total| format!(" of {}", HumanBytes(total)));
            let speed = HumanBytes(per_second(done, elapsed));
            let (seconds, done) = (elapsed.as_secs(), HumanBytes(done));
            drop(all);
            self.say(&format!("{address}: Still creating... [{seconds}s, {done}{of}, {speed}/s]"));
        }
    }

    fn finished(&self, address: &Address, verb: Verb, outcome: &Outcome) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
        let seconds = running.as_ref().map_or(0, |running| running.begun.elapsed().as_secs());
        if let Some(bar) = running.and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
        let told = match (outcome, verb) {
            (Outcome::Done(None), Verb::Create) => format!("Created [{seconds}s]"),
            (Outcome::Done(None), Verb::Update) => format!("Changed [{seconds}s]"),
            (Outcome::Done(None), Verb::Delete) => format!("Deleted [{seconds}s]"),
            (Outcome::Done(Some(remark)), _) => format!("Done: {}", terminal(remark)),
            (Outcome::Failed(failure), _) => format!("Failed: {}", terminal(&failure.message)),
            (Outcome::Stale(why), _) => format!("Left alone: {}", terminal(why)),
            (Outcome::Kept(_, why), _) => format!("Kept: {}", terminal(why)),
            (Outcome::Skipped(why), _) => format!("Not begun: {}", terminal(why)),
            (Outcome::Staged(..), _) => return,
        };
        self.say(&format!("{address}: {told}"));
    }
}

fn bar(address: &Address, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    let template = "{prefix} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_prefix(address.to_string())
}

fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1000) / millis
}
