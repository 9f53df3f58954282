//! Scripted years: releases, tenants, mishaps, and what the catalogue looks like after each, as the files in `examples/`
//! want it.
//!
//! A season is a text file in `seasons/`. A line that is not indented is a command or a `#` comment; the indented lines
//! below it are what must come out. To write a new one, write the commands, run the test with `SEASONS=write`, and read
//! every line that it wrote. The commands are the arms of [`Season::obey`].

use std::fmt::Write as _;
use std::path::Path;

use gallerist::model::image::{Status, Visibility};
use gallerist::model::name::{ImageId, SiteName};
use gallerist::model::operation::Operation;
use gallerist::model::plan::Plan;
use gallerist::planner::audit;
use jiff::civil::Date;

use crate::support::policies::Policy;
use crate::support::sim::{Cloud, any_order};
use crate::support::world::{
    FamilySpec, SERVERS, VOLUMES, WantedSpec, family_name, midday, site_name, today, version_name, version_number,
};

/// Every season comes out as it is written.
#[test]
fn seasons_come_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/seasons");
    let mut seasons = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let written = std::fs::read_to_string(&path).unwrap();
        let lived = live(&written);
        if std::env::var("SEASONS").is_ok_and(|what| what == "write") {
            std::fs::write(&path, &lived).unwrap();
            continue;
        }
        let difference = similar::TextDiff::from_lines(&written, &lived).unified_diff().to_string();
        assert!(difference.is_empty(), "{}\n{difference}", path.display());
        seasons += 1;
    }
    assert!(seasons >= Policy::ALL.len(), "one season for each policy, and there are {seasons}");
}

fn live(script: &str) -> String {
    let mut season = Season::new(Policy::Wiit);
    let mut text = String::new();
    for line in script.lines().filter(|line| !line.starts_with(' ')) {
        writeln!(text, "{line}").unwrap();
        if !line.is_empty() && !line.starts_with('#') {
            for output in season.obey(line).lines() {
                writeln!(text, "  {output}").unwrap();
            }
        }
    }
    text
}

/// One family on one site, and whoever has to do with it.
struct Season {
    cloud: Cloud,
    site: SiteName,
}

impl Season {
    fn new(policy: Policy) -> Self {
        let mut world = FamilySpec::listed(policy, WantedSpec::Unknown, vec![]).alone().build();
        world.desired.families.values_mut().for_each(|family| family.properties = policy.properties());
        Self { cloud: Cloud::new(world), site: site_name(0) }
    }

    fn obey(&mut self, line: &str) -> String {
        let family = family_name(0);
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["policy", name] => *self = Self::new(policy(name)),
            ["on", day] => self.cloud.world.now = midday(day.parse::<Date>().unwrap()),
            ["release", version] => self.cloud.publish(&family, WantedSpec::Newest(version_number(version))),
            ["publisher", "falls", "silent"] => self.cloud.publish(&family, WantedSpec::Unknown),
            ["pin", version] => self.cloud.publish(&family, WantedSpec::Pinned(version_number(version))),
            ["remove", "the", "family", "from", "the", "file"] => self.cloud.leave_file(&family),
            ["boot", version] => self.of_version(version, Cloud::boot),
            ["tenants", "leave"] => self.cloud.everybody_leaves(),
            ["nova", "fails"] => self.cloud.goes_silent(SERVERS),
            ["cinder", "fails"] => self.cloud.goes_silent(VOLUMES),
            ["all", "answer"] => self.cloud.answers_again(),
            ["rename", version, "to", name @ ..] => self.of_version(version, |cloud, site, id| {
                cloud.image_mut(site, id).unwrap().attributes.name = name.join(" ");
            }),
            ["make", version, visibility] => self.of_version(version, |cloud, site, id| {
                cloud.image_mut(site, id).unwrap().attributes.visibility = Visibility::from_name(visibility).unwrap();
            }),
            ["deactivate", version] => self.of_version(version, |cloud, site, id| {
                cloud.image_mut(site, id).unwrap().status = Status::Deactivated;
            }),
            ["delete", version] => self.of_version(version, Cloud::delete_by_hand),
            ["plan"] => return described(&self.checked_plan()),
            ["run"] => return self.run(usize::MAX),
            ["run", "and", "crash", "after", steps] => return self.run(steps.parse().unwrap()),
            _ => panic!("`{line}` is no command of a season"),
        }
        String::new()
    }

    fn of_version(&mut self, version: &str, then: impl FnOnce(&mut Cloud, &SiteName, &ImageId)) {
        let tag = format!("gallerist:version={}", version_name(version_number(version)));
        let images = &self.cloud.world.observed.sites[&self.site].images;
        let bearer = images.values().find(|image| image.attributes.tags.contains(&tag));
        let id = bearer.unwrap_or_else(|| panic!("`{version}` is not on the cloud")).id.clone();
        then(&mut self.cloud, &self.site.clone(), &id);
    }

    fn checked_plan(&mut self) -> Plan {
        let plan = self.cloud.plan();
        let world = &self.cloud.world;
        assert_eq!(audit::objections(&world.desired, &world.observed, &plan, world.now), Vec::<String>::new());
        plan
    }

    fn run(&mut self, steps: usize) -> String {
        let plan = self.checked_plan();
        self.cloud.apply(&plan, 0, steps);
        if plan.is_empty() {
            return described(&plan);
        }
        let today = today(self.cloud.world.now);
        format!("{}{today}:\n{}", described(&plan), self.cloud.listing())
    }
}

fn policy(name: &str) -> Policy {
    match name {
        "wiit" => Policy::Wiit,
        "e-infra" => Policy::Einfra,
        "ukcloud" => Policy::UkCloud,
        "otc" => Policy::Otc,
        "cleura" => Policy::Cleura,
        "scs" => Policy::Scs,
        _ => panic!("`{name}` is no policy"),
    }
}

/// A line a step, in the order in which they would be done, and a line for each thing that is held.
fn described(plan: &Plan) -> String {
    let mut text = String::new();
    for step in any_order(plan, 0) {
        let verb = step.operation.verb();
        let reasons: Vec<String> = step
            .reasons
            .iter()
            .map(|reason| format!("{reason:?}").split([' ', '(']).next().unwrap().to_owned())
            .collect();
        write!(text, "{} {} {}", verb.symbol(), step.address, reasons.join(", ")).unwrap();
        match &step.operation {
            Operation::Create(_) | Operation::Delete(_) | Operation::Adopt(_) => {}
            Operation::Update(update) => {
                let (before, after) = (update.before.attributes(), &update.after);
                if before.name != after.name {
                    write!(text, ", now called `{}`", after.name).unwrap();
                }
                if before.visibility != after.visibility {
                    write!(text, ", now {}", after.visibility).unwrap();
                }
            }
        }
        text.push('\n');
    }
    if plan.is_empty() {
        text.push_str("No changes.\n");
    }
    for hold in &plan.holds {
        writeln!(text, "held: {} {}, {}", hold.verb.name(), hold.address, hold.because.code()).unwrap();
    }
    text
}
