//! Who still uses which version: the document of `gallerist usage`, and its three forms.
//!
//! The comma-separated form is for spreadsheets, which take a cell that begins like a formula for one, whoever wrote
//! it. Such cells get an apostrophe in front (OWASP, "CSV Injection"); quoting follows RFC 4180. What would move a cursor
//! is spelt out, for the form may be printed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::escape::terminal;
use super::style::{Styles, paint};
use super::table::table;
use super::words;
use crate::model::name::{Address, ImageId, ProjectId};
use crate::model::usage::{Usage, UserKind};

/// Every version, and its users.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UsageReport {
    /// The versions, by address.
    pub versions: Vec<VersionUse>,
}

/// One version, and its users.
#[derive(Debug, Clone, Serialize)]
pub struct VersionUse {
    address: String,
    id: String,
    state: &'static str,
    users: Vec<ProjectUse>,
    /// Whether every source was read to its end. If not, there may be more users.
    complete: bool,
    /// The sources that gave no answer, with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unknown: BTreeMap<&'static str, String>,
}

/// What one project has of a version.
#[derive(Debug, Clone, Default, Serialize)]
struct ProjectUse {
    project_id: Option<String>,
    project: Option<String>,
    servers: Vec<String>,
    volumes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snapshots: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
}

impl ProjectUse {
    fn of(&mut self, kind: UserKind) -> &mut Vec<String> {
        match kind {
            UserKind::Server => &mut self.servers,
            UserKind::Volume => &mut self.volumes,
            UserKind::Snapshot => &mut self.snapshots,
            UserKind::Member => &mut self.members,
        }
    }

    /// Each kind with its ids.
    fn kinds(&self) -> [(UserKind, &[String]); 4] {
        [
            (UserKind::Server, &self.servers),
            (UserKind::Volume, &self.volumes),
            (UserKind::Snapshot, &self.snapshots),
            (UserKind::Member, &self.members),
        ]
    }
}

impl VersionUse {
    /// What the sources said of an image, with those projects' names that are known.
    pub fn new(
        address: &Address,
        id: &ImageId,
        state: &'static str,
        usage: &Usage,
        names: &BTreeMap<ProjectId, String>,
    ) -> Self {
        let mut projects: BTreeMap<Option<ProjectId>, ProjectUse> = BTreeMap::new();
        for user in usage.users() {
            let project = projects.entry(user.project.clone()).or_insert_with(|| ProjectUse {
                project_id: user.project.as_ref().map(ToString::to_string),
                project: user.project.as_ref().and_then(|project| names.get(project).cloned()),
                ..ProjectUse::default()
            });
            project.of(user.kind).push(user.id);
        }
        let unknown: BTreeMap<_, _> = usage.unknown().into_iter().map(|(source, why)| (source.0, why)).collect();
        Self {
            address: address.to_string(),
            id: id.to_string(),
            state,
            users: projects.into_values().collect(),
            complete: unknown.is_empty() && usage.answers().next().is_some(),
            unknown,
        }
    }

    fn counted(&self, kind: UserKind) -> usize {
        let of_kind = |user: &ProjectUse| {
            user.kinds().iter().filter(|(its, _)| *its == kind).map(|(_, ids)| ids.len()).sum::<usize>()
        };
        self.users.iter().map(of_kind).sum()
    }
}

impl UsageReport {
    /// Whether every source was read to its end for every version.
    pub fn is_complete(&self) -> bool {
        self.versions.iter().all(|version| version.complete)
    }
}

/// For programs.
pub fn json(report: &UsageReport) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is made of texts and flags");
    format!("{}\n", crate::render::escape::json(&text))
}

/// For people: how much of each version is in use, then by whom.
pub fn human(report: &UsageReport, styles: Styles) -> String {
    let rows: Vec<_> = report
        .versions
        .iter()
        .map(|version| {
            let at_least = if version.complete { "" } else { "+" };
            let number = |kind| format!("{}{at_least}", version.counted(kind));
            let projects = format!("{}{at_least}", version.users.len());
            let address = version.address.clone();
            [address, version.state.to_owned(), number(UserKind::Server), number(UserKind::Volume), projects]
        })
        .collect();
    let mut text = table(["VERSION", "STATE", "SERVERS", "VOLUMES", "PROJECTS"], &rows);
    for version in report.versions.iter().filter(|version| !version.users.is_empty() || !version.complete) {
        let address = paint(terminal(&version.address), styles.heading);
        text.extend(["\n", &address, "  ", &terminal(&version.id), "\n"]);
        for user in &version.users {
            text.extend(["  ", &project(user), "\n"]);
        }
        for (source, why) in &version.unknown {
            text.push_str(&paint(format!("  unknown {source}: {}", terminal(why)), styles.warning));
            text.push('\n');
        }
    }
    let in_use = report.versions.iter().filter(|version| !version.users.is_empty()).count();
    let versions = words::count(report.versions.len(), "version");
    let doubt = match report.versions.iter().filter(|version| !version.complete).count() {
        0 => String::new(),
        doubt => format!("; of {} not all users could be found out", words::count(doubt, "version")),
    };
    format!("{text}\n{in_use} of {versions} in use{doubt}.\n")
}

fn project(user: &ProjectUse) -> String {
    let id = user.project_id.as_deref().map_or_else(|| "unknown".to_owned(), terminal);
    let who = user.project.as_deref().map_or_else(|| id.clone(), |name| format!("{} ({id})", terminal(name)));
    let kinds: Vec<_> = user
        .kinds()
        .iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(kind, ids)| {
            let ids: Vec<_> = ids.iter().map(|id| terminal(id)).collect();
            format!("{}s {}", kind.name(), ids.join(", "))
        })
        .collect();
    format!("project {who}: {}", kinds.join("; "))
}

/// For spreadsheets: a line a user, and one for each version without any.
pub fn csv(report: &UsageReport) -> String {
    let mut text = record(&["address", "id", "state", "complete", "project_id", "project", "kind", "user"]);
    for version in &report.versions {
        let complete = if version.complete { "true" } else { "false" };
        let of_version = [version.address.as_str(), &version.id, version.state, complete];
        let mut line = |of_user: [&str; 4]| text.push_str(&record(&[of_version, of_user].concat()));
        for user in &version.users {
            let id = user.project_id.as_deref().unwrap_or_default();
            let name = user.project.as_deref().unwrap_or_default();
            for (kind, ids) in user.kinds() {
                for thing in ids {
                    line([id, name, kind.name(), thing]);
                }
            }
        }
        if version.users.is_empty() {
            line([""; 4]);
        }
    }
    text
}

fn record(cells: &[&str]) -> String {
    format!("{}\r\n", cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(","))
}

fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let harmless = format!("{}{}", if formula { "'" } else { "" }, terminal(text));
    if harmless.contains([',', '"']) { format!("\"{}\"", harmless.replace('"', "\"\"")) } else { harmless }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::name::{FamilyName, VersionName};
    use crate::model::usage::{Answer, Source, User};

    fn version(version: &str, state: &'static str, answers: Vec<(Source, Answer)>) -> VersionUse {
        let address = Address {
            family: FamilyName::parse("ubuntu-24.04").unwrap(),
            version: Some(VersionName::parse(version).unwrap()),
            site: None,
        };
        let names = BTreeMap::from([(ProjectId::parse("7be2").unwrap(), "=HYPERLINK(\"x\")".to_owned())]);
        VersionUse::new(&address, &ImageId::parse("i1").unwrap(), state, &Usage::new(answers), &names)
    }

    fn report() -> UsageReport {
        let user = |kind, id: &str, project| User { kind, id: id.to_owned(), project: ProjectId::parse(project).ok() };
        let servers = Answer::Users(
            user(UserKind::Server, "s1", "7be2"),
            vec![user(UserKind::Server, "s2", "7be2"), user(UserKind::Server, "s3", "9f0c")],
        );
        let volumes = Answer::Users(user(UserKind::Volume, "-v1", ""), Vec::new());
        let (first, second) = (Source("servers"), Source("volumes"));
        UsageReport {
            versions: vec![
                version("20260807", "superseded", vec![(first, servers), (second, volumes)]),
                version("20261015", "superseded", vec![(first, Answer::Nobody), (second, Answer::Nobody)]),
                version(
                    "20261118",
                    "latest",
                    vec![(first, Answer::Nobody), (second, Answer::Unknown("403\u{1b}[m".to_owned()))],
                ),
            ],
        }
    }

    /// The report with this text wherever others may write.
    pub(in crate::render) fn hostile_report(text: &str) -> UsageReport {
        let mut report = report();
        for version in &mut report.versions {
            version.unknown.insert("volumes", text.to_owned());
            for user in &mut version.users {
                (user.project_id, user.project) = (Some(text.to_owned()), Some(text.to_owned()));
                user.servers = vec![text.to_owned()];
            }
        }
        report
    }

    #[test]
    fn people_see_what_is_in_use_and_by_whom() {
        insta::assert_snapshot!(human(&report(), Styles::default()), @r#"
        VERSION                STATE       SERVERS  VOLUMES  PROJECTS
        ubuntu-24.04/20260807  superseded  3        1        3
        ubuntu-24.04/20261015  superseded  0        0        0
        ubuntu-24.04/20261118  latest      0+       0+       0+

        ubuntu-24.04/20260807  i1
          project unknown: volumes -v1
          project =HYPERLINK("x") (7be2): servers s1, s2
          project 9f0c: servers s3

        ubuntu-24.04/20261118  i1
          unknown volumes: 403\u{1b}[m

        1 of 3 versions in use; of 1 version not all users could be found out.
        "#);
    }

    #[test]
    fn programs_get_what_is_promised() {
        insta::assert_snapshot!(json(&report()), @r#"
        {
          "versions": [
            {
              "address": "ubuntu-24.04/20260807",
              "id": "i1",
              "state": "superseded",
              "users": [
                {
                  "project_id": null,
                  "project": null,
                  "servers": [],
                  "volumes": [
                    "-v1"
                  ]
                },
                {
                  "project_id": "7be2",
                  "project": "=HYPERLINK(\"x\")",
                  "servers": [
                    "s1",
                    "s2"
                  ],
                  "volumes": []
                },
                {
                  "project_id": "9f0c",
                  "project": null,
                  "servers": [
                    "s3"
                  ],
                  "volumes": []
                }
              ],
              "complete": true
            },
            {
              "address": "ubuntu-24.04/20261015",
              "id": "i1",
              "state": "superseded",
              "users": [],
              "complete": true
            },
            {
              "address": "ubuntu-24.04/20261118",
              "id": "i1",
              "state": "latest",
              "users": [],
              "complete": false,
              "unknown": {
                "volumes": "403\u001b[m"
              }
            }
          ]
        }
        "#);
    }

    #[test]
    fn spreadsheets_get_no_formula() {
        insta::assert_snapshot!(csv(&report()).replace("\r\n", "\n"), @r#"
        address,id,state,complete,project_id,project,kind,user
        ubuntu-24.04/20260807,i1,superseded,true,,,volume,'-v1
        ubuntu-24.04/20260807,i1,superseded,true,7be2,"'=HYPERLINK(""x"")",server,s1
        ubuntu-24.04/20260807,i1,superseded,true,7be2,"'=HYPERLINK(""x"")",server,s2
        ubuntu-24.04/20260807,i1,superseded,true,9f0c,,server,s3
        ubuntu-24.04/20261015,i1,superseded,true,,,,
        ubuntu-24.04/20261118,i1,latest,false,,,,
        "#);
        assert!(csv(&report()).ends_with("\r\n"));
        for beginning in ["=", "+", "-", "@", "\t", "\r"] {
            assert!(csv_cell(&format!("{beginning}1")).trim_start_matches('"').starts_with('\''), "{beginning:?}");
        }
        assert_eq!(csv_cell("a,\"b\"\n"), "\"a,\"\"b\"\"\\u{a}\"");
    }
}
