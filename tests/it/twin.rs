//! `sandbox --from`: the recorded cloud again, with what could not be read, and with all its clouds and regions.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use gallerist::model::image::Visibility;
use gallerist::sandbox::{Effect, Fault, Options, Sandbox, Service};
use serde_json::Value;

use crate::support::stage::{DEBIAN, NEWER_DEBIAN, ROCKY, Stage};

const NEWER_ROCKY: (&str, &str, &str) = ("rocky-9", "Rocky Linux 9", "9.9-20261116.0");

/// A twin that is being served. It ends when it goes out of scope.
struct Twin(Child);

impl Drop for Twin {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Records the cloud, and puts its twin in its place in clouds.yaml.
fn replace_by_twin(stage: &Stage) -> Twin {
    stage.run(&["snapshot", "-o", "cloud.json"]).with(0);
    let mut command = stage.command(&["sandbox", "--from", "cloud.json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let twin = Twin(child);
    let path = lines.into_iter().find_map(|line| line.strip_prefix("clouds.yaml: ").map(str::to_owned));
    stage.write("clouds.yaml", &std::fs::read_to_string(path.expect("it tells where")).unwrap());
    twin
}

/// Addresses and actions of the plan, its id, and what it holds for which reason.
fn essence(stage: &Stage) -> (String, Vec<String>, Vec<String>) {
    let plan: Value = serde_json::from_str(&stage.run(&["plan", "--format", "json"]).with(0).stdout).unwrap();
    let list = |values: &Value, what: &dyn Fn(&Value) -> String| -> Vec<String> {
        values.as_array().unwrap().iter().map(what).collect()
    };
    let steps =
        list(&plan["resource_changes"], &|step| format!("{} {}", step["change"]["actions"][0], step["address"]));
    let holds = list(&plan["gallerist"]["holds"], &|hold| format!("{} {}", hold["address"], hold["because"]));
    (plan["gallerist"]["plan_id"].to_string(), steps, holds)
}

#[test]
fn what_could_not_be_said_of_the_cloud_cannot_be_said_of_its_twin() {
    for (silent, held) in [(None, 0), (Some(Service::BlockStorage), 2), (Some(Service::Compute), 2)] {
        let stage = Stage::with(&[DEBIAN, ROCKY]);
        stage.settle();
        stage.exhibit(&[NEWER_DEBIAN, NEWER_ROCKY]);
        stage.run(&["apply", "--auto-approve"]).with(0);
        if let Some(service) = silent {
            stage.world().inject(Fault::new(Effect::Status(503, None)).service(service).always());
        }
        let of_the_cloud = essence(&stage);
        assert_eq!(of_the_cloud.2.len(), held, "{silent:?} {of_the_cloud:?}");
        let _twin = replace_by_twin(&stage);
        assert_eq!(essence(&stage), of_the_cloud, "{silent:?}");
    }
}

#[test]
fn several_clouds_have_several_twins_under_their_own_names() {
    let stage = Stage::with(&[DEBIAN]);
    let options = Options::with_regions(&["RegionOne", "RegionTwo"]);
    let second = stage.runtime().block_on(Sandbox::start(options)).unwrap();
    let clouds = second.clouds_yaml().replace("clouds:\n", "").replace("  sandbox-", "  second-");
    stage.write("clouds.yaml", &format!("{}{clouds}", stage.read("clouds.yaml")));
    let listed = "clouds = [{ cloud = \"sandbox-admin\" }, { cloud = \"second-admin\", regions = [\"RegionOne\", \"RegionTwo\"] }]";
    let listing = |stage: &Stage| {
        let file = stage.read("images.toml");
        stage.write("images.toml", &file.replacen("[catalogue]\n", &format!("[catalogue]\n{listed}\n"), 1));
    };
    listing(&stage);
    stage.settle();
    // A foreign public image of the name, in one place of the three.
    let bytes = crate::support::stage::bytes_of("x", "1");
    let mut world = second.world();
    let region = world.region("RegionTwo").unwrap();
    region.upload("demo", "Debian 12 - Latest", Visibility::Public, "qcow2", &bytes).unwrap();
    drop(world);
    stage.exhibit(&[NEWER_DEBIAN]);
    listing(&stage);
    let of_the_clouds = essence(&stage);
    assert_eq!((of_the_clouds.1.len(), of_the_clouds.2.len()), (4, 1), "{of_the_clouds:?}");
    let _twin = replace_by_twin(&stage);
    assert_eq!(essence(&stage), of_the_clouds);
    stage.run(&["apply", "--auto-approve"]).with(0);
    assert_eq!(essence(&stage).2.len(), 1, "what was held stays held");
}

#[test]
fn what_is_no_snapshot_is_not_served() {
    let stage = Stage::with(&[DEBIAN]);
    stage.write("odd.json", "{}");
    stage.run(&["sandbox", "--from", "odd.json"]).with(1);
    stage.run(&["sandbox", "--from", "absent.json"]).with(1);
    stage.run(&["sandbox", "--from", "odd.json", "--regions", "2"]).with(64);
}
