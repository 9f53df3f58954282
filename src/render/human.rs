//! The plan for people at a terminal, after Terraform's.
//!
//! The problem: in a long plan nobody finds the deletion. The idea: where and as whom comes first, then every change
//! with its reason, and at the end, where a terminal leaves the eye, all of it again in one line each, deletions last,
//! then what is held, the guards, and the count. The last line is the one that people and tools look for.
//!
//! The text may end in the log of a CI system that reads commands in it; `escape` sees to that no foreign text is one.

use super::brief::brief;
use super::document::{Action, Document, GuardStatus, Hold, Level, LiveSource, ResourceChange};
use super::escape::terminal;
use super::rows::rows;
use super::style::paint;
use super::{Manner, Verbosity, words};

/// How many ids of users are listed before the rest is counted.
const USERS: usize = 5;
/// The widest column of names; longer ones push their value aside.
const WIDEST: usize = 40;

/// The last line: what the plan does, in Terraform's words.
pub fn conclusion(document: &Document) -> String {
    let summary = document.gallerist.summary;
    if !document.is_empty() {
        return format!("Plan: {}.", words::tally(summary.create, summary.update, summary.delete));
    }
    let body = &document.gallerist;
    let sites: Vec<_> = body.sites.iter().map(|site| terminal(&site.name)).collect();
    let place = if sites.is_empty() { String::new() } else { format!(" on {}", words::listed(&sites)) };
    let looked_at = if document.complete { "" } else { ", as far as they were looked at" };
    let config = terminal(&body.config.path);
    match (summary.held, body.live.managed) {
        (0, 0) => format!("No changes. There are no managed images{place}{looked_at}."),
        (0, 1) => format!("No changes. The one managed image{place} matches {config}{looked_at}."),
        (0, managed) => format!("No changes. All {managed} managed images{place} match {config}{looked_at}."),
        (held, managed) => format!(
            "No changes. Of {}{place}, {} held{looked_at}.",
            words::count(managed, "managed image"),
            words::count(held, "operation") + if held == 1 { " is" } else { " are" }
        ),
    }
}

/// The whole text.
pub(super) fn render(document: &Document, manner: Manner) -> String {
    parts(document, manner).concat()
}

/// The text in two parts: every change in detail, which a log may fold, and what everybody should see. The last line has
/// no colours: people and tools look for it.
pub fn parts(document: &Document, manner: Manner) -> [String; 2] {
    let page = Page { document, manner };
    let [detail, rest] = if document.is_empty() {
        [Vec::new(), vec![page.held(), page.notes(), page.guards()]]
    } else {
        let details = match manner.verbosity {
            Verbosity::Brief => Vec::new(),
            Verbosity::Usual | Verbosity::Full => page.details(),
        };
        let closing = [page.guards(), page.closing()].concat();
        [vec![page.identity(), page.legend(), details], vec![page.in_short(), page.held(), page.notes(), closing]]
    };
    let text = |sections: Vec<Vec<String>>| -> String {
        let filled = sections.into_iter().filter(|section| !section.is_empty());
        filled.map(|section| format!("{}\n\n", section.join("\n"))).collect::<Vec<_>>().concat()
    };
    [text(detail), format!("{}{}\n", text(rest), conclusion(document))]
}

struct Page<'a> {
    document: &'a Document,
    manner: Manner,
}

impl Page<'_> {
    fn identity(&self) -> Vec<String> {
        let body = &self.document.gallerist;
        let mut lines = Vec::new();
        for site in &body.sites {
            let parts = [
                Some(terminal(site.cloud.as_ref().unwrap_or(&site.name))),
                site.auth_url.as_deref().map(terminal),
                site.region.as_ref().map(|region| format!("region {}", terminal(region))),
            ];
            lines.push(labelled("Cloud", &parts.into_iter().flatten().collect::<Vec<_>>().join("   ")));
            let project = site.project.as_ref().or(site.project_id.as_ref());
            let parts = [
                site.user.as_deref().map(terminal),
                project.map(|project| format!("in project {}", terminal(project))),
            ];
            let whom = labelled("As", &parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
            if !lines.contains(&whom) {
                lines.push(whom);
            }
        }
        let families = match body.config.families {
            1 => "1 family".to_owned(),
            families => format!("{families} families"),
        };
        lines.push(labelled("Config", &format!("{}, {families}", terminal(&body.config.path))));
        let managed = words::count(body.live.managed, "managed image");
        let live = match body.live.source {
            LiveSource::Api => {
                format!("{managed} in {}.{} s", body.live.milliseconds / 1000, body.live.milliseconds / 100 % 10)
            }
            LiveSource::Snapshot => {
                format!("{managed} from a snapshot of {}", body.live.read_at.strftime("%Y-%m-%d %H:%M UTC"))
            }
        };
        lines.push(labelled("Read", &live));
        if !body.targets.is_empty() {
            let targets: Vec<_> = body.targets.iter().map(|target| terminal(target)).collect();
            lines.push(labelled("Only", &targets.join(", ")));
        }
        if !self.document.complete {
            let warning = "This plan does not cover the whole catalogue.";
            lines.push(paint(labelled("Note", warning), self.manner.styles.warning));
        }
        lines
    }

    fn legend(&self) -> Vec<String> {
        let used: Vec<_> = [Action::Create, Action::Update, Action::Delete]
            .into_iter()
            .filter(|action| self.document.changes(*action).next().is_some())
            .map(|action| format!("{} {}", self.signed(action, action.symbol()), words::legend(action)))
            .collect();
        vec!["Actions:".to_owned(), format!("  {}", used.join("   "))]
    }

    fn details(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for change in &self.document.resource_changes {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(self.detail(change));
        }
        lines
    }

    fn detail(&self, change: &ResourceChange) -> Vec<String> {
        let action = change.action();
        let mut headline = format!("{}  {}", self.signed(action, terminal(&change.address)), words::future(action));
        if !change.gallerist.reasons.is_empty() {
            headline = format!("{headline}: {}", reasons(change));
        }
        let rows = rows(change, self.manner.verbosity);
        let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default().min(WIDEST);
        let mut lines = vec![format!("  {} {headline}", self.signed(action, action.symbol()))];
        lines.extend(rows.into_iter().map(|row| {
            let sign = match row.sign {
                "+" => self.signed(Action::Create, "+"),
                "~" => self.signed(Action::Update, "~"),
                "-" => self.signed(Action::Delete, "-"),
                other => other.to_owned(),
            };
            if row.name.is_empty() {
                format!("      {}", paint(row.value, self.manner.styles.faint))
            } else {
                format!("    {sign} {:width$}  {}", row.name, row.value)
            }
        }));
        lines
    }

    fn in_short(&self) -> Vec<String> {
        let changes = [Action::Create, Action::Update, Action::Delete].map(|action| self.document.changes(action));
        let width = column(self.document.resource_changes.iter().map(|change| change.address.as_str()));
        let mut lines = vec![paint("In short:", self.manner.styles.heading)];
        for change in changes.into_iter().flatten() {
            let action = change.action();
            let address = format!("{:width$}", terminal(&change.address));
            let drift = if change.action_reason == "update_because_drift" { "   (drift)" } else { "" };
            let told = format!("  {} {}  {}{drift}", action.symbol(), address, brief(change));
            lines.push(self.signed(action, told));
        }
        lines
    }

    fn held(&self) -> Vec<String> {
        let holds = &self.document.gallerist.holds;
        if holds.is_empty() {
            return Vec::new();
        }
        let width = column(holds.iter().map(|hold| hold.address.as_str()));
        let mut lines = vec![paint("Held:", self.manner.styles.warning)];
        for hold in holds {
            let address = format!("{:width$}", terminal(&hold.address));
            lines.push(format!(
                "  {} {address}  {}: {}",
                hold.operation.symbol(),
                hold.operation.name(),
                terminal(&hold.detail)
            ));
            lines.extend(self.users(hold).into_iter().map(|line| format!("      {line}")));
        }
        lines
    }

    fn users(&self, hold: &Hold) -> Vec<String> {
        let most = if self.manner.verbosity == Verbosity::Full { usize::MAX } else { USERS };
        let list = |kind: &str, ids: &[String]| {
            let shown: Vec<_> = ids.iter().take(most).map(|id| terminal(id)).collect();
            let more = ids.len() - shown.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!ids.is_empty()).then(|| format!("{kind} {}{more}", shown.join(", ")))
        };
        let projects = hold.users.iter().take(most).map(|user| {
            let project = user.project_id.as_deref().map_or_else(|| "unknown".to_owned(), terminal);
            let kinds = [
                list("servers", &user.servers),
                list("volumes", &user.volumes),
                list("snapshots", &user.snapshots),
                list("members", &user.members),
            ];
            format!("project {project}: {}", kinds.into_iter().flatten().collect::<Vec<_>>().join("; "))
        });
        let rest = hold.users.len().saturating_sub(most);
        projects.chain((rest > 0).then(|| format!("and {}", words::count(rest, "more project")))).collect()
    }

    fn notes(&self) -> Vec<String> {
        let shown = self.document.gallerist.notes.iter().filter(|note| match note.level {
            Level::Warning => true,
            Level::Info => self.manner.verbosity == Verbosity::Full,
        });
        let notes: Vec<_> = shown.map(|note| format!("  {}", terminal(&note.detail))).collect();
        let heading = (!notes.is_empty()).then(|| paint("Notes:", self.manner.styles.warning));
        heading.into_iter().chain(notes).collect()
    }

    /// Every guard that has something to say; those that pass are told beside a plan that does something.
    fn guards(&self) -> Vec<String> {
        let lines = self.document.gallerist.guards.iter().filter_map(|guard| {
            let style = match guard.status {
                GuardStatus::Pass if self.document.is_empty() => return None,
                GuardStatus::Pass => self.manner.styles.faint,
                GuardStatus::Lifted => self.manner.styles.warning,
                GuardStatus::Block => self.manner.styles.refused,
            };
            let told = format!("{:8}{}", words::verdict(guard.status), terminal(&guard.detail));
            Some(labelled("Guard", &paint(told, style)))
        });
        lines.collect()
    }

    fn closing(&self) -> Vec<String> {
        let unknown = self.document.changes(Action::Create).filter(|change| change.gallerist.size.is_none()).count();
        let bytes = self.document.gallerist.summary.transfer_bytes;
        let mut lines = Vec::new();
        if self.document.changes(Action::Create).next().is_some() {
            let more = match unknown {
                0 => String::new(),
                unknown => format!(" and {} of unknown size", words::count(unknown, "image")),
            };
            lines.push(labelled("Fetch", &format!("{}{more}", words::size(bytes))));
        }
        lines.push(labelled("Plan", self.document.short_id()));
        lines
    }

    fn signed(&self, action: Action, text: impl std::fmt::Display) -> String {
        paint(text, self.manner.styles.action(action))
    }
}

fn reasons(change: &ResourceChange) -> String {
    change.gallerist.reasons.iter().map(|reason| terminal(reason)).collect::<Vec<_>>().join("; ")
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:8}{text}").trim_end().to_owned()
}

fn column<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| terminal(text).chars().count()).max().unwrap_or_default().min(WIDEST)
}
#[cfg(test)]
mod tests;
