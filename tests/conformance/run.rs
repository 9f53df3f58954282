//! One run of the real binary, and what it must have said. Whatever fails prints all that it said.

use std::io::BufRead as _;
use std::process::{Child, ExitStatus};

use serde_json::Value;

/// A run that has ended.
pub(crate) struct Run {
    command: String,
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Run {
    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert!(self.status.code() == Some(code), "it must end with {code}, and ended with {}\n{self}", self.status);
        self
    }

    /// The answer.
    pub(crate) fn answer(&self) -> &str {
        &self.stdout
    }

    /// The answer contains this.
    #[track_caller]
    pub(crate) fn answers(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "the answer must contain `{text}`\n{self}");
        self
    }

    /// The answer contains this, or does not.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.stdout.contains(text)
    }

    /// There was nothing to do.
    #[track_caller]
    pub(crate) fn changes_nothing(&self) {
        self.exits(0);
        let last = self.stdout.lines().rfind(|line| !line.is_empty());
        assert!(
            last.is_some_and(|line| line.starts_with("No changes.")),
            "the last line must be `No changes.`\n{self}"
        );
    }

    /// What follows a word in a message: `id     4711` has `4711` behind `id`.
    #[track_caller]
    pub(crate) fn told(&self, word: &str) -> String {
        let behind =
            |line: &str| line.trim_start().strip_prefix(word)?.strip_prefix(' ').map(str::trim).map(str::to_owned);
        self.stderr.lines().find_map(behind).unwrap_or_else(|| panic!("a message must tell `{word}`\n{self}"))
    }

    /// The answer as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("the answer must be JSON: {error}\n{self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr } = self;
        write!(formatter, "$ gallerist {command}\n{stdout}---- stderr\n{stderr}---- {status}")
    }
}

/// A run under way. It is killed when it goes out of scope.
pub(crate) struct Running {
    command: String,
    child: Option<Child>,
}

impl Running {
    pub(super) fn new(arguments: &[&str], child: Child) -> Self {
        Self { command: arguments.join(" "), child: Some(child) }
    }

    /// What follows a word at the beginning of a line that it answers, as soon as it does.
    pub(crate) async fn tells(&mut self, word: &'static str) -> String {
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take()).expect("it is read once");
        let told = tokio::task::spawn_blocking(move || {
            let mut lines = std::io::BufReader::new(stdout).lines().map_while(Result::ok);
            lines.find_map(|line| line.strip_prefix(word).map(|rest| rest.trim().to_owned()))
        });
        told.await.expect("reading does not panic").unwrap_or_else(|| panic!("it never told `{word}`"))
    }

    /// Kills it as `kill -9` does, and waits until it is dead.
    pub(crate) async fn kill(mut self) -> Run {
        if let Some(child) = &mut self.child {
            child.kill().expect("it is our child");
        }
        self.ended().await
    }

    /// Waits until it has ended by itself, and leaves it to be looked at.
    pub(crate) async fn is_over(&mut self) {
        let child = self.child.as_mut().expect("it is taken at the end");
        while child.try_wait().expect("it is our child").is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Run {
        let child = self.child.take().expect("it is taken once, here");
        let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.expect("waiting does not panic");
        let output = output.expect("its output can be read");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        Run { command: std::mem::take(&mut self.command), status: output.status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
