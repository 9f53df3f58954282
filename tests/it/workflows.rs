//! The workflows in `examples/`, line by line: every shell line of every job runs here, in bash, against the embedded
//! cloud, with the binary on the PATH. Only what the platforms bring along (`gh`, GitLab's artifacts) is played.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::stage::{DEBIAN, Ended, NEWER_DEBIAN, REGION, ROCKY, Stage};

#[path = "../../examples/offline_plan.rs"]
#[expect(dead_code, reason = "its `main` is for cargo alone")]
mod offline_plan;

fn example(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&example(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

type Env = BTreeMap<String, String>;

/// A repository with a catalogue that was applied, pinned and recorded, and a machine to run jobs on.
struct Runner {
    stage: Stage,
    bin: tempfile::TempDir,
    /// What expressions are worth: secrets, variables, and what earlier steps and jobs have put out.
    known: Env,
    /// The jobs that were run.
    jobs: Vec<String>,
}

impl Runner {
    fn new() -> Self {
        let stage = Stage::with(&[DEBIAN, ROCKY]);
        stage.settle();
        stage.run(&["snapshot", "-o", "cloud.json"]).with(0);
        stage.exhibit(&[NEWER_DEBIAN, ROCKY]);
        stage.run(&["lock"]).with(0);
        let clouds: Value = serde_saphyr::from_str(&stage.read("clouds.yaml")).unwrap();
        let auth = &clouds["clouds"]["sandbox-admin-appcred"]["auth"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&auth["application_credential_id"]), text(&auth["application_credential_secret"]));
        let mut known = Env::from(
            [
                ("vars.OS_AUTH_URL", &*text(&auth["auth_url"])),
                ("vars.OS_REGION_NAME", REGION),
                ("github.token", "t"),
                ("github.repository", "operators/images"),
                ("github.event.pull_request.number", "7"),
                ("github.run_id", "1"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        for role in ["PLANNER", "PUBLISHER"] {
            known.insert(format!("secrets.{role}_ID"), id.clone());
            known.insert(format!("secrets.{role}_SECRET"), secret.clone());
        }
        let runner = Self { stage, bin: tempfile::tempdir().unwrap(), known, jobs: Vec::new() };
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gallerist"), runner.bin.path().join("gallerist")).unwrap();
        runner.tool("gh", "case \"$1 $2\" in 'issue list') cat issues ;; esac");
        runner.tool("curl", "cp recorded.json cloud.json");
        runner.stage.write("issues", "");
        runner.stage.write("calls", "");
        runner
    }

    /// A tool that the platform brings along: it notes how it was called, and does this.
    fn tool(&self, name: &str, script: &str) {
        let path = self.bin.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >> calls\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The calls of those tools since the last time.
    fn calls(&self) -> String {
        let calls = self.stage.read("calls");
        self.stage.write("calls", "");
        calls
    }

    fn start(&self, program: &str, arguments: &[String], env: &Env) -> Ended {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.bin.path().display());
        let folder = self.stage.path(".");
        let mut command = Command::new(self.bin.path().join(program));
        if program == "bash" {
            command = Command::new("bash");
        }
        command.args(arguments).env_clear().envs(env).env("PATH", path).env("HOME", &folder).current_dir(&folder);
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{program}: {error}")).into()
    }

    fn bash(&self, script: &str, env: &Env) -> Ended {
        let words = ["--noprofile", "--norc", "-eo", "pipefail", "-c", script].map(str::to_owned);
        self.start("bash", &words, env)
    }

    /// The text with every `${{ … }}` in it replaced.
    fn resolved(&self, text: &str) -> String {
        let mut pieces = text.split("${{");
        let mut whole = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (expression, rest) = piece.split_once("}}").unwrap();
            let known = self.known.get(expression.trim());
            whole += known.unwrap_or_else(|| panic!("`{expression}` is not known in `{text}`"));
            whole += rest;
        }
        whole
    }

    fn env(&self, of: &Value) -> Env {
        let pairs = of["env"].as_object().into_iter().flatten();
        pairs.map(|(key, value)| (key.clone(), self.resolved(value.as_str().unwrap()))).collect()
    }

    /// Runs a job of a GitHub workflow: the exit code of the step that failed, or 0.
    fn github(&mut self, workflow: &Value, job: &str) -> i32 {
        self.jobs.push(job.to_owned());
        let description = &workflow["jobs"][job];
        let mut env = self.env(workflow);
        env.extend(self.env(description));
        env.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        for name in ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"] {
            env.insert(name.to_owned(), self.stage.path(name).display().to_string());
        }
        let mut failed = 0;
        for step in description["steps"].as_array().unwrap() {
            let goes_on = step["if"].as_str().is_some_and(|condition| condition.contains("!cancelled()"));
            let Some(script) = step["run"].as_str().filter(|_| failed == 0 || goes_on) else { continue };
            assert!(!script.contains("${{"), "what others write must not become a line of a script: {script}");
            self.stage.write("GITHUB_OUTPUT", "");
            let mut env = env.clone();
            env.extend(self.env(step));
            let ended = self.bash(script, &env);
            if let Some(id) = step["id"].as_str() {
                for (key, value) in self.stage.read("GITHUB_OUTPUT").lines().filter_map(|line| line.split_once('=')) {
                    self.known.insert(format!("steps.{id}.outputs.{key}"), value.to_owned());
                }
            }
            if failed == 0 && ended.code != Some(0) {
                failed = ended.code.unwrap_or_else(|| panic!("{ended:?}"));
                assert!(!ended.stderr.contains("command not found"), "{ended:?}");
            }
        }
        for (key, value) in description["outputs"].as_object().into_iter().flatten() {
            self.known.insert(format!("needs.{job}.outputs.{key}"), self.resolved(value.as_str().unwrap()));
        }
        failed
    }

    /// Every job of the file was run.
    #[track_caller]
    fn has_run_all(&self, jobs: impl Iterator<Item = String>) {
        let missing: Vec<String> = jobs.filter(|job| !self.jobs.contains(job)).collect();
        assert!(missing.is_empty(), "nobody has run {missing:?}");
    }

    fn summary(&self) -> String {
        self.stage.read("GITHUB_STEP_SUMMARY")
    }

    /// Somebody changes the latest Rocky by hand.
    fn meddle(&self) {
        let id = self.stage.id_of("Rocky Linux 9 - Latest");
        self.stage.world().region(REGION).unwrap().image(&id).unwrap().min_ram = 4096;
    }
}

fn names(of: &Value) -> impl Iterator<Item = String> {
    of.as_object().into_iter().flatten().map(|(name, _)| name.clone())
}

#[test]
fn github_reviews_without_credentials_and_without_asking_anybody() {
    let mut runner = Runner::new();
    let workflow = yaml("github/review.yml");
    assert_eq!(workflow["on"], "pull_request", "never `pull_request_target`, which has secrets");
    assert!(!example("github/review.yml").contains("secrets."));
    runner.stage.world().forget_requests();
    assert_eq!(runner.github(&workflow, "plan"), 0);
    assert!(runner.summary().contains("debian-12/20261117-2637"), "{}", runner.summary());
    assert!(runner.stage.read("plan.html").contains("</html>"));
    assert_eq!(runner.github(&workflow, "comment"), 0);
    assert!(runner.calls().contains("gh pr comment 7 --edit-last"));
    assert_eq!(runner.stage.requests(), 0);

    // A plan that a guard refuses is shown all the same, and the job is red.
    let file = runner.stage.read("images.toml");
    let emptied = file.split("\n[[image]]").next().unwrap().to_owned();
    runner.stage.write("images.toml", &emptied);
    runner.stage.write("GITHUB_STEP_SUMMARY", "");
    assert_ne!(runner.github(&workflow, "plan"), 0);
    runner.stage.write("images.toml", "[catalogue]\nname = 7\n");
    assert_eq!(runner.github(&workflow, "plan"), 78);
    runner.has_run_all(names(&workflow["jobs"]));
}

#[test]
fn github_applies_the_plan_that_was_approved_and_no_other() {
    let mut runner = Runner::new();
    let workflow = yaml("github/apply.yml");
    assert_eq!(runner.github(&workflow, "plan"), 0);
    assert!(runner.summary().contains("debian-12/20261117-2637"), "{}", runner.summary());
    // Between plan and approval somebody changes something.
    runner.meddle();
    assert_eq!(runner.github(&workflow, "apply"), 4);
    assert_eq!(runner.github(&workflow, "plan"), 0);
    assert_eq!(runner.github(&workflow, "apply"), 0);
    assert_eq!(runner.stage.run(&["plan", "--detailed-exitcode"]).code, Some(2), "the replaced version may go now");
    assert!(runner.stage.names().contains(&"public Debian 12 - Latest".to_owned()));
    runner.has_run_all(names(&workflow["jobs"]));
}

#[test]
fn github_keeps_one_issue_while_something_drifts() {
    let mut runner = Runner::new();
    runner.stage.settle();
    let workflow = yaml("github/drift.yml");
    assert_eq!(runner.github(&workflow, "drift"), 0);
    assert!(!runner.calls().contains("gh issue create"));
    runner.meddle();
    assert_eq!(runner.github(&workflow, "drift"), 2);
    assert!(runner.calls().contains("gh issue create --label drift"));
    runner.stage.write("issues", "12\n");
    assert_eq!(runner.github(&workflow, "drift"), 2);
    assert!(runner.calls().contains("gh issue edit 12"));
    assert!(runner.stage.read("drift.json").contains("\"state\": \"known\""), "compared with the night before");
    runner.stage.settle();
    assert_eq!(runner.github(&workflow, "drift"), 0);
    assert!(runner.calls().contains("gh issue close 12"));
    runner.has_run_all(names(&workflow["jobs"]));
    // The record that it makes is one to plan with.
    runner.stage.run(&["plan", "--snapshot", "cloud.json"]).with(0);
}

#[test]
fn gitlab_reviews_applies_and_reports() {
    let mut runner = Runner::new();
    let pipeline = yaml("gitlab/.gitlab-ci.yml");
    let variables = pipeline["variables"].as_object().unwrap();
    let mut env: Env = variables.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect();
    for (key, value) in [
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "5"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("GITLAB_CI", "true"),
    ] {
        env.insert(key.to_owned(), value.to_owned());
    }
    let play = |runner: &mut Runner, job: &str, env: &Env| {
        runner.jobs.push(job.to_owned());
        let lines = pipeline[job]["script"].as_array().unwrap().iter();
        let script: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        runner.bash(&script.join("\n"), env).code
    };
    // A merge request has no protected variables.
    std::fs::rename(runner.stage.path("cloud.json"), runner.stage.path("recorded.json")).unwrap();
    assert_eq!(play(&mut runner, "review", &env), Some(0));
    assert!(runner.calls().contains("/projects/5/jobs/artifacts/main/raw/cloud.json?job=drift"));
    assert_eq!(runner.stage.read("tfplan.json").trim(), r#"{"create":1,"update":1,"delete":0}"#);

    for (key, known) in [
        ("OS_AUTH_URL", "vars.OS_AUTH_URL"),
        ("OS_REGION_NAME", "vars.OS_REGION_NAME"),
        ("OS_APPLICATION_CREDENTIAL_ID", "secrets.PLANNER_ID"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "secrets.PLANNER_SECRET"),
    ] {
        env.insert(key.to_owned(), runner.known[known].clone());
    }
    assert_eq!(play(&mut runner, "plan", &env), Some(0));
    let dotenv = runner.stage.read("plan.env");
    env.extend(dotenv.lines().filter_map(|line| line.split_once('=')).map(|(key, id)| (key.to_owned(), id.to_owned())));
    assert_eq!(play(&mut runner, "apply", &env), Some(0));
    assert_eq!(play(&mut runner, "apply", &env), Some(4), "it was done already");
    assert_eq!(play(&mut runner, "drift", &env), Some(0));
    runner.meddle();
    assert_eq!(play(&mut runner, "drift", &env), Some(2));
    assert!(runner.stage.read("drift.xml").contains("<failure"));
    let words = ["default", "variables"].map(str::to_owned);
    runner.has_run_all(names(&pipeline).filter(|name| !words.contains(name)));
}

/// A cloud of that name in clouds.yaml, which is the embedded one.
fn name_cloud(stage: &Stage, name: &str) {
    let text = stage.read("clouds.yaml");
    if text.contains(&format!("\n  {name}:\n")) {
        return;
    }
    let entry = text.split("  sandbox-admin:\n").nth(1).unwrap().split("  sandbox-admin-appcred:").next().unwrap();
    stage.write("clouds.yaml", &format!("{text}  {name}:\n{entry}"));
}

#[test]
fn systemd_applies_and_reports() {
    let runner = Runner::new();
    let folder = runner.stage.path(".").canonicalize().unwrap().display().to_string();
    let places = [
        ("%d", &folder),
        ("%S/gallerist", &folder),
        ("%C/gallerist", &folder),
        ("/var/lib/prometheus/node-exporter", &folder),
    ];
    let here = |text: &str| places.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here));
    let unit = |name: &str| -> Vec<(String, String)> {
        let text = example(&format!("systemd/{name}"));
        let lines = text.lines().filter(|line| !line.starts_with(['#', '[']));
        lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.to_owned(), here(value))).collect()
    };
    let run = |name: &str| {
        let unit = unit(name);
        let of =
            |key: &'static str| unit.iter().filter(move |(other, _)| other == key).map(|(_, value)| value.as_str());
        let env: Env = of("Environment")
            .flat_map(|pairs| pairs.split(' ').filter_map(|pair| pair.split_once('=')))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        name_cloud(&runner.stage, &env["OS_CLOUD"]);
        let command: Vec<String> = of("ExecStart").next().unwrap().split(' ').map(str::to_owned).collect();
        assert_eq!(of("WorkingDirectory").next(), Some("/etc/gallerist"));
        let ended = runner.start(&command[0], &command[1..], &env);
        let fine: Vec<i32> = of("SuccessExitStatus").chain(["0"]).map(|code| code.parse().unwrap()).collect();
        assert!(ended.code.is_some_and(|code| fine.contains(&code)), "{name}: {ended:?}");
        ended
    };
    run("gallerist-apply.service");
    assert!(runner.stage.names().contains(&"public Debian 12 - Latest".to_owned()));
    assert_eq!(run("gallerist-drift.service").code, Some(0));
    runner.meddle();
    assert_eq!(run("gallerist-drift.service").code, Some(2));
    assert!(runner.stage.read("gallerist.prom").contains("gallerist_"));
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/systemd")).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!unit(name).is_empty());
        if let Some(stem) = name.strip_suffix(".timer") {
            assert!(["gallerist-apply", "gallerist-drift"].contains(&stem), "{name} has its service");
            assert!(unit(name).iter().any(|(key, _)| key == "OnCalendar"));
        }
    }
}

#[test]
fn kubernetes_applies_and_reports() {
    let runner = Runner::new();
    let job = yaml("kubernetes/cronjob.yaml");
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let clouds = runner.stage.path("clouds.yaml").display().to_string();
    let run = |container: &Value| {
        let pairs = container["env"].as_array().unwrap().iter();
        let env: Env = pairs
            .map(|pair| (text(&pair["name"]), text(&pair["value"]).replace("/etc/openstack/clouds.yaml", &clouds)))
            .collect();
        assert_eq!(container["workingDir"], "/etc/gallerist");
        let arguments: Vec<String> = container["args"].as_array().unwrap().iter().map(text).collect();
        runner.start("gallerist", &arguments, &env)
    };
    name_cloud(&runner.stage, "prod");
    let containers = || ["initContainers", "containers"].into_iter().flat_map(|kind| pod[kind].as_array().unwrap());
    for container in containers() {
        run(container).with(0);
    }
    assert!(runner.stage.names().contains(&"public Debian 12 - Latest".to_owned()));
    assert!(containers().all(|container| container["securityContext"]["readOnlyRootFilesystem"] == true));
}

#[test]
fn the_library_plans_offline_what_the_command_plans() {
    let runner = Runner::new();
    let stage = &runner.stage;
    let by_command = stage.run(&["plan", "--snapshot", "cloud.json", "--format", "markdown"]).with(0).stdout;
    stage.world().forget_requests();
    let (file, snapshot) = (stage.path("images.toml"), stage.path("cloud.json"));
    let by_library = stage.runtime().block_on(offline_plan::markdown(&file, &snapshot)).unwrap();
    let id = |text: &str| text.split("<sub>Plan `").nth(1).unwrap().split('`').next().unwrap().to_owned();
    assert_eq!(id(&by_library), id(&by_command));
    assert_eq!(stage.requests(), 0);
}
