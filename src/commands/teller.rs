//! How an apply tells what it does: to people as text and progress, to programs as a stream of events.
//!
//! The stream promises that its last line is a summary. So whatever ends the run ends in [`Teller::end`], and a run that
//! is stopped where it stands says it there as well.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::ci::{self, Annotations};
use super::{Stop, front};
use crate::apply::event::Event;
use crate::cli::ApplyFormat;
use crate::exit::Exit;
use crate::render::console::{Console, Volume};
use crate::render::document::Document;
use crate::render::events::{Status, Stream};
use crate::render::fold::Fold;
use crate::render::progress::Progress;
use crate::render::summary::{Outcome, summary};
use crate::render::{Manner, Verbosity, parts};

/// Tells what an apply does.
pub(super) struct Teller {
    console: Console,
    form: Form,
}

enum Form {
    People(Progress),
    Programs(Mutex<Stream>),
}

impl Teller {
    /// Begins to tell.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn begin(format: ApplyFormat, console: &Console) -> Result<Self, Stop> {
        let form = match format {
            ApplyFormat::Human => Form::People(Progress::new(console.clone())),
            ApplyFormat::Events => {
                let (stream, first) = Stream::begin(Timestamp::now());
                console.answer(&first)?;
                Form::Programs(Mutex::new(stream))
            }
        };
        Ok(Self { console: console.clone(), form })
    }

    /// The plan.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn plan(&self, document: &Document) -> Result<(), Stop> {
        match &self.form {
            Form::People(_) => people(document, &self.console)?,
            Form::Programs(stream) => self.console.answer(&locked(stream).plan(document, Timestamp::now()))?,
        }
        ci::plan(document, Annotations::Wanted, &self.console);
        Ok(())
    }

    /// The work begins.
    pub(super) fn work(&self) {
        if matches!(self.form, Form::People(_)) {
            self.console.fold(Fold::Apply);
        }
    }

    /// Something has happened.
    pub(super) fn hear(&self, event: &Event) {
        match &self.form {
            Form::People(progress) => progress.hear(event),
            Form::Programs(stream) => {
                let lines = locked(stream).event(event, Timestamp::now());
                // A disk that is full is found out at the end; the work goes on.
                self.console.answer(&lines).ok();
            }
        }
    }

    /// The work is over, and this is what became of it.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn outcome(&self, outcome: &Outcome) -> Result<(), Stop> {
        let text = summary(outcome);
        if let Form::People(progress) = &self.form {
            progress.end();
            self.console.unfold(Fold::Apply);
            self.console.answer(&format!("\n{text}"))?;
        }
        ci::applied(&text, &self.console);
        Ok(())
    }

    /// Something beside the work.
    pub(super) fn say(&self, text: &str) {
        self.console.say(text);
    }

    /// Something that must be heard beside it.
    pub(super) fn complain(&self, text: &str) {
        self.console.complain(text);
    }

    /// The run is over.
    ///
    /// # Errors
    /// Standard output cannot be written to.
    pub(super) fn end(&self, exit: Exit, message: Option<&str>) -> Result<(), Stop> {
        if let Form::Programs(stream) = &self.form {
            let lines = locked(stream).end(status(exit), exit.code(), message, Timestamp::now());
            self.console.answer(&lines)?;
        }
        Ok(())
    }
}

/// The plan for people: every change in detail, which a log may fold, and the rest.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn people(document: &Document, console: &Console) -> Result<(), Stop> {
    let verbosity = match console.volume() {
        Volume::Quiet | Volume::Normal => Verbosity::Usual,
        Volume::Loud => Verbosity::Full,
    };
    let [detail, rest] = parts(document, Manner { styles: front::styles(console), verbosity });
    console.answer_folded(Fold::Plan, &detail)?;
    console.answer(&rest)?;
    Ok(())
}

fn locked(stream: &Mutex<Stream>) -> MutexGuard<'_, Stream> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

const fn status(exit: Exit) -> Status {
    match exit {
        Exit::Done | Exit::Changes => Status::Complete,
        Exit::Partial => Status::Partial,
        Exit::Error | Exit::Usage | Exit::Configuration => Status::Failed,
        Exit::Refused => Status::Refused,
        Exit::Stale => Status::Stale,
        Exit::Locked => Status::Locked,
        Exit::NotApproved => Status::NotApproved,
        Exit::Interrupted | Exit::Terminated => Status::Interrupted,
    }
}
