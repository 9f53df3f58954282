//! The two streams and the keyboard.
//!
//! Standard output is the answer; everything else goes to standard error. Colour follows `--color`, then NO_COLOR,
//! CLICOLOR and the kind of the stream, each stream judged for itself. A reader that has gone away (`| head -1`) ends
//! the answer quietly.

use std::io::{self, BufRead, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

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
        Self { choice, volume, input }
    }

    /// How much is said.
    pub const fn volume(&self) -> Volume {
        self.volume
    }

    /// Whether the answer is to be coloured.
    pub fn colours_answer(&self) -> bool {
        AutoStream::new(io::stdout(), self.choice).current_choice() != ColorChoice::Never
    }

    /// Whether what goes to standard error is to be coloured.
    pub fn colours_messages(&self) -> bool {
        AutoStream::new(io::stderr(), self.choice).current_choice() != ColorChoice::Never
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
        let mut stream = AutoStream::new(io::stdout(), self.choice);
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }

    /// Says something beside the answer.
    pub fn say(&self, text: &str) {
        if self.volume > Volume::Quiet {
            self.complain(text);
        }
    }

    /// Says what must be heard.
    pub fn complain(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr(), self.choice);
        // With standard error gone there is nobody left to tell.
        let _ = writeln!(stream, "{text}").and_then(|()| stream.flush());
    }

    /// Asks, and waits for one line; none if input has ended.
    pub fn ask(&self, question: &str) -> Option<String> {
        let mut stream = AutoStream::new(io::stderr(), self.choice);
        let _ = write!(stream, "{question}").and_then(|()| stream.flush());
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim().to_owned())
    }
}
