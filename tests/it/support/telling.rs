//! What must hold of everything that is said of a plan, in every world.

use std::sync::LazyLock;

use gallerist::commands::detailed_exit;
use gallerist::exit::Exit;
use gallerist::planner::identity::plan_id;
use gallerist::render::document::{Document, Live, LiveSource, Site};
use gallerist::render::{Coverage, Format, Manner, PLAN_SCHEMA, Shown, compose, read_saved, render};
use serde_json::Value;

use super::laws::{plan_of, require};
use super::world::World;

fn told(world: &World) -> Document {
    let plan = plan_of(world);
    let site = |name: &str| Site {
        name: name.to_owned(),
        cloud: None,
        region: None,
        auth_url: None,
        project_id: None,
        project: None,
        user: None,
    };
    compose(&Shown {
        plan: &plan,
        plan_id: &plan_id(&plan),
        desired: &world.desired,
        config: "images.toml",
        sites: world.desired.sites.iter().map(|name| site(name.as_str())).collect(),
        live: Live { source: LiveSource::Snapshot, read_at: world.now, milliseconds: 0, managed: 0 },
        targets: Vec::new(),
        coverage: Coverage::Whole,
        now: world.now,
    })
}

/// The exit code is 2 exactly when a counter is not zero, on the last line, in the JSON and in GitLab's widget alike.
pub(crate) fn the_words_and_the_code_agree(world: &World, _: u64) -> Result<(), String> {
    let document = told(world);
    let exit = detailed_exit(&document);
    let said = |format| render(format, &document, Manner::default());
    let text = said(Format::Human);
    let last = text.lines().last().unwrap_or_default();
    let words: Vec<&str> = last.split([' ', ':', ',', '.']).collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let counted = last.starts_with("Plan: ").then_some(numbers);
    let widget: Value = serde_json::from_str(&said(Format::Gitlab)).map_err(|error| error.to_string())?;
    let widget = ["create", "update", "delete"].map(|key| widget[key].as_u64().unwrap_or(u64::MAX));
    let summary = document.gallerist.summary;
    let counters = [summary.create, summary.update, summary.delete];
    let changes = counters.iter().any(|counter| *counter > 0);
    require(widget == counters.map(|counter| counter as u64), || {
        format!("the widget says {widget:?}, not {counters:?}")
    })?;
    require(counted.is_some() == changes, || format!("{counters:?}, and the last line is `{last}`"))?;
    require(counted.is_none_or(|numbers| numbers == counters), || format!("{counters:?}, and it is `{last}`"))?;
    let expected = match (document.gallerist.blocked, changes) {
        (true, _) => Exit::Refused,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Done,
    };
    require(exit == expected, || format!("{exit:?} with {counters:?}"))
}

/// The JSON of a plan is as the schema says, and what is read back is the plan.
pub(crate) fn every_plan_is_as_its_schema_says(world: &World, _: u64) -> Result<(), String> {
    static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        jsonschema::validator_for(&serde_json::from_str(PLAN_SCHEMA).expect("JSON")).expect("a schema")
    });
    let document = told(world);
    let text = render(Format::Json, &document, Manner::default());
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let errors: Vec<String> = VALIDATOR.iter_errors(&value).map(|error| error.to_string()).collect();
    require(errors.is_empty(), || format!("{errors:?}"))?;
    require(read_saved(&text).as_ref() == Ok(&document), || "what is read back is another plan".to_owned())
}
