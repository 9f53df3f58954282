//! The two streams and the keyboard.
//!
//! Standard output is the answer; everything else goes to standard error. Colour follows `--color`, then NO_COLOR,
//! CLICOLOR and the kind of the stream, each stream judged for itself. A reader that has gone away (`| head -1`) ends
//! the answer quietly.
//!
//! The log of a CI system shows colours and folds although it is no terminal; an answer that is written into a file has
//! neither.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;

use anstream::{AutoStream, ColorChoice};
use jiff::Timestamp;

use super::fold::{Fold, Log};

/// How much is said beside the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Errors alone.
    Quiet,
    /// What people want to know.
    Normal,
    /// What people may want to know.
    Loud,
}

/// Standard output, standard error and standard input.
#[derive(Debug, Clone)]
pub struct Console {
    choice: ColorChoice,
    volume: Volume,
    input: Input,
    log: Log,
}

/// Whether anybody may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Yes, if standard input is a terminal.
    Allowed,
    /// Never.
    Forbidden,
}

impl Console {
    /// A console.
    pub const fn new(choice: ColorChoice, volume: Volume, input: Input) -> Self {
        Self { choice, volume, input, log: Log::Plain }
    }

    /// The same, in somebody's log.
    #[must_use]
    pub const fn in_log_of(self, log: Log) -> Self {
        Self { log, ..self }
    }

    /// Whose log the messages end in.
    pub const fn log(&self) -> Log {
        self.log
    }

    /// Whose log the answer ends in.
    fn answer_log(&self) -> Log {
        let stream = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        let is_file = stream.and_then(|stream| stream.metadata()).is_ok_and(|metadata| metadata.is_file());
        if is_file { Log::Plain } else { self.log }
    }

    fn choice(&self, log: Log) -> ColorChoice {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("CLICOLOR").is_some_and(|value| value == "0");
        match (self.choice, log) {
            (ColorChoice::Auto, Log::Github | Log::Gitlab) if !unwanted => ColorChoice::AlwaysAnsi,
            (choice, Log::Plain | Log::Github | Log::Gitlab) => choice,
        }
    }

    /// How much is said.
    pub const fn volume(&self) -> Volume {
        self.volume
    }

    /// Whether the answer is to be coloured.
    pub fn colours_answer(&self) -> bool {
        AutoStream::new(io::stdout(), self.choice(self.answer_log())).current_choice() != ColorChoice::Never
    }

    /// Whether what goes to standard error is to be coloured.
    pub fn colours_messages(&self) -> bool {
        AutoStream::new(io::stderr(), self.choice(self.log)).current_choice() != ColorChoice::Never
    }

    /// Whether there is somebody to ask.
    pub fn can_ask(&self) -> bool {
        self.input == Input::Allowed && io::stdin().is_terminal()
    }

    /// Whether progress can be drawn over itself.
    pub fn can_draw(&self) -> bool {
        self.volume > Volume::Quiet && io::stderr().is_terminal()
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// It could not be written, for another reason than that its reader has gone away.
    pub fn answer(&self, text: &str) -> io::Result<()> {
        let mut stream = AutoStream::new(io::stdout(), self.choice(self.answer_log()));
        quietly(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
    }

    /// Writes a part of the answer that a log may fold.
    ///
    /// # Errors
    /// As with [`answer`](Self::answer).
    pub fn answer_folded(&self, fold: Fold, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let log = self.answer_log();
        // Past the stream that takes escape sequences away: these are no colours.
        let mark = |mark: &str| quietly(io::stdout().write_all(mark.as_bytes()));
        mark(&log.opens(fold, Timestamp::now()))?;
        self.answer(text)?;
        mark(&log.closes(fold, Timestamp::now()))
    }

    /// Folds the messages from here on.
    pub fn fold(&self, fold: Fold) {
        // With standard error gone there is nobody left to tell.
        let _ = io::stderr().write_all(self.log.opens(fold, Timestamp::now()).as_bytes());
    }

    /// Ends what is folded.
    pub fn unfold(&self, fold: Fold) {
        let _ = io::stderr().write_all(self.log.closes(fold, Timestamp::now()).as_bytes());
    }

    /// Says something beside the answer.
    pub fn say(&self, text: &str) {
        if self.volume > Volume::Quiet {
            self.complain(text);
        }
    }

    /// Says what must be heard.
    pub fn complain(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr(), self.choice(self.log));
        // With standard error gone there is nobody left to tell.
        let _ = writeln!(stream, "{text}").and_then(|()| stream.flush());
    }

    /// Asks, and waits for one line; none if input has ended.
    pub fn ask(&self, question: &str) -> Option<String> {
        let mut stream = AutoStream::new(io::stderr(), self.choice(self.log));
        let _ = write!(stream, "{question}").and_then(|()| stream.flush());
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim().to_owned())
    }
}

/// A reader that has gone away is no mistake.
fn quietly(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
