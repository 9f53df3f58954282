//! The binary on an embedded cloud: what people type, and what comes of it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::MutexGuard;

use gallerist::sandbox::{Options, Sandbox, World, image};
use sha2::{Digest as _, Sha256};

pub(crate) const REGION: &str = "RegionOne";

/// A family as the tests' images.toml has it: name of the family, title, version.
pub(crate) type Exhibit<'a> = (&'a str, &'a str, &'a str);

pub(crate) const DEBIAN: Exhibit<'_> = ("debian-12", "Debian 12", "20261013-2601");
pub(crate) const NEWER_DEBIAN: Exhibit<'_> = ("debian-12", "Debian 12", "20261117-2637");
pub(crate) const ROCKY: Exhibit<'_> = ("rocky-9", "Rocky Linux 9", "9.8-20260525.0");

/// A cloud, and a folder with a clouds.yaml and an images.toml to work in.
pub(crate) struct Stage {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
    /// On which the cloud lives; dropped last.
    runtime: tokio::runtime::Runtime,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; absent if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ended {
    /// This command, if it ended so; otherwise the test ends with everything it said.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }

    /// The id after `key` and spaces, at the beginning of a line.
    pub(crate) fn word_after(&self, key: &str) -> String {
        let lines = self.stderr.lines().chain(self.stdout.lines());
        let mut found = lines.filter_map(|line| line.trim_start().strip_prefix(key)?.split_whitespace().next());
        found.next().unwrap_or_else(|| panic!("no `{key}` in\n{}{}", self.stdout, self.stderr)).to_owned()
    }
}

/// The bytes that a version is published as.
pub(crate) fn bytes_of(family: &str, version: &str) -> Vec<u8> {
    image::qcow2(1 << 30, format!("{family} {version}").as_bytes())
}

impl Stage {
    /// On which further clouds can live.
    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// A cloud without images, and a folder without images.toml.
    pub(crate) fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let sandbox = runtime.block_on(Sandbox::start(Options::default())).expect("an embedded cloud");
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Self { sandbox, folder, runtime };
        stage.write("clouds.yaml", &stage.sandbox.clouds_yaml());
        stage
    }

    /// A cloud without images, and the file that describes these families, all published.
    pub(crate) fn with(exhibits: &[Exhibit<'_>]) -> Self {
        let stage = Self::new();
        stage.exhibit(exhibits);
        stage
    }

    /// Publishes these versions and writes the file that wants them.
    pub(crate) fn exhibit(&self, exhibits: &[Exhibit<'_>]) {
        self.exhibit_with("", exhibits);
    }

    /// The same, with further tables in the file.
    pub(crate) fn exhibit_with(&self, tables: &str, exhibits: &[Exhibit<'_>]) {
        let mut file = format!("[catalogue]\nname = \"tests\"\n{tables}");
        for (family, title, version) in exhibits {
            let bytes = bytes_of(family, version);
            let (path, digest) = (Self::mirror_path(family, version), hex::encode(Sha256::digest(&bytes)));
            self.world().publish(&path, bytes);
            let mirror = self.sandbox.mirror_url();
            write!(
                file,
                "\n[[image]]\nfamily = \"{family}\"\nname = \"{title}\"\nsource = {{ url = \"{mirror}/{path}\", version = \
                 \"{version}\", sha256 = \"{digest}\" }}\n"
            )
            .expect("a string can be written to");
        }
        self.write("images.toml", &file);
    }

    pub(crate) fn mirror_path(family: &str, version: &str) -> String {
        format!("{family}/{version}.qcow2")
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.sandbox.world()
    }

    pub(crate) fn requests(&self) -> usize {
        self.sandbox.request_count()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file in our own folder");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The binary, with nothing of the surroundings in which the tests run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gallerist"));
        command.args(words).stdin(Stdio::null()).current_dir(self.folder.path()).env_clear();
        command.envs(self.surroundings());
        command
    }

    pub(crate) fn surroundings(&self) -> [(&'static str, PathBuf); 3] {
        let folder: &Path = self.folder.path();
        [
            ("HOME", folder.to_owned()),
            ("OS_CLIENT_CONFIG_FILE", self.path("clouds.yaml")),
            ("OS_CLOUD", PathBuf::from("sandbox-admin")),
        ]
    }

    /// Runs a command to its end, without a terminal.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.command(words).output().expect("the binary runs").into()
    }

    /// Applies until there is nothing to do.
    #[track_caller]
    pub(crate) fn settle(&self) {
        for _ in 0..4 {
            if self.run(&["apply", "--auto-approve"]).with(0).stdout.contains("No changes.") {
                return;
            }
        }
        panic!("four runs, and still there is something to do");
    }

    /// The public images' names, sorted, and those of the others behind their visibility.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut world = self.world();
        let images = world.region(REGION).expect("the region of the stage").images();
        let mut names: Vec<String> = images
            .values()
            .map(|image| format!("{} {}", image.visibility, image.name.as_deref().unwrap_or_default()))
            .collect();
        names.sort();
        names
    }

    /// The id of the image of that name.
    #[track_caller]
    pub(crate) fn id_of(&self, name: &str) -> String {
        let mut world = self.world();
        let mut images = world.region(REGION).expect("the region of the stage").images().values();
        let found = images.find(|image| image.name.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("no image is called `{name}`")).id.clone()
    }
}
