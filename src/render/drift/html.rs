//! Drift as one HTML file, to keep as an artifact of a job or to put on a shelf where people look.
//!
//! The verdict and the numbers come first, then what was found, then a picture of every family through time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::human::conclusion;
use super::report::{FamilyEntry, Finding, Report, Users, VersionEntry};
use super::timeline::{self, Window};
use super::words;
use crate::model::drift::{Class, State};
use crate::render::escape::html;
use crate::render::page::{page, tile};
use crate::render::words::count;

/// The file.
pub(super) fn render(report: &Report) -> String {
    let title = format!("Image drift: {} on {}", html(&report.catalogue), html(&words::place(report)));
    let verdict = if report.has_drift() || !report.complete { "bad" } else { "good" };
    let sections = [
        vec![
            format!("<h1>{title}</h1>"),
            format!(
                "<p class=\"faint\">{} · {} · <code>{}</code> · checked {}</p>",
                html(&words::tally(report)),
                html(&words::coverage(report)),
                html(&report.config),
                report.checked_at.strftime("%Y-%m-%d %H:%M UTC")
            ),
            format!("<p class=\"verdict {verdict}\">{}</p>", html(&conclusion(report))),
            tiles(report),
        ],
        problems(report),
        findings(report),
        families(report),
        users(report),
        grid(report),
        vec![format!("<p class=\"faint\"><small>gallerist {}</small></p>", html(&report.version))],
    ];
    page(&title, &sections.concat())
}

/// How alarming a class is to look at.
fn tone(report: &Report, class: Class) -> &'static str {
    if report.fail_on.iter().any(|failing| failing.0 == class) { "bad" } else { "warn" }
}

fn tiles(report: &Report) -> String {
    let in_sync = report.sites.iter().map(|site| site.in_sync).sum();
    let mut tiles = vec![tile(in_sync, "in sync", "good", "images as they should be")];
    tiles.extend(Class::ALL.iter().map(|class| {
        let number = report.open().filter(|finding| finding.class.0 == *class).count();
        tile(number, class.name(), tone(report, *class), words::meaning(*class))
    }));
    let accepted = report.findings.len() - report.open().count();
    tiles.push(tile(accepted, "accepted", "none", "somebody has said why it may be so"));
    format!("<ul class=\"tiles\">{}</ul>", tiles.concat())
}

fn problems(report: &Report) -> Vec<String> {
    if report.problems.is_empty() {
        return Vec::new();
    }
    let item = |problem: &super::report::Problem| {
        format!("<li>{} <code>{}</code>: {}</li>", html(&problem.kind), html(&problem.name), html(&problem.detail))
    };
    let items: Vec<_> = report.problems.iter().map(item).collect();
    vec![format!("<h2 class=\"bad\">Could not be read, so nothing is known of</h2>\n<ul>{}</ul>", items.concat())]
}

fn findings(report: &Report) -> Vec<String> {
    if report.findings.is_empty() && report.resolved.is_empty() {
        return Vec::new();
    }
    let mut rows: Vec<String> = report.findings.iter().map(|finding| row(report, finding)).collect();
    rows.extend(report.resolved.iter().map(|resolved| {
        format!(
            "<tr><td class=\"class faint\">{}</td><td><code>{}</code></td><td>resolved since the last report</td><td></td></tr>",
            resolved.class.0,
            html(&resolved.address)
        )
    }));
    vec![format!(
        "<h2>Findings</h2>\n<table class=\"findings\">\n<thead><tr><th>Class</th><th>Image</th><th>What differs</th>\
         <th>What to do</th></tr></thead>\n<tbody>\n{}\n</tbody>\n</table>",
        rows.join("\n")
    )]
}

fn row(report: &Report, finding: &Finding) -> String {
    let accepted = finding.state.0 == State::Accepted;
    let tone = if accepted { "faint" } else { tone(report, finding.class.0) };
    let differences: Vec<_> = words::rows(&finding.change)
        .into_iter()
        .map(|(name, before, after)| {
            format!("<li><code>{}</code></li>", html(&words::row(&name, before.as_deref(), after.as_deref())))
        })
        .collect();
    let what = if differences.is_empty() {
        html(words::meaning(finding.class.0))
    } else {
        format!("<ul>{}</ul>", differences.concat())
    };
    let since = match (finding.state.0, finding.since) {
        (State::New, _) => "new".to_owned(),
        (State::Known | State::Accepted, Some(since)) => format!("since {since}"),
        (State::Known | State::Accepted, None) => String::new(),
    };
    let fix = match &finding.accepted {
        Some(why) => format!("accepted until {}: {}", why.until, html(&why.reason)),
        None => html(&finding.fix),
    };
    format!(
        "<tr><td class=\"class {tone}\">{}</td><td><code>{}</code><br><span class=\"faint\">{since}</span></td><td>{what}</td><td>{fix}</td></tr>",
        finding.class.0,
        html(&finding.address)
    )
}

fn families(report: &Report) -> Vec<String> {
    let today = report.checked_at.to_zoned(TimeZone::UTC).date();
    let Some(window) = Window::of(report, today) else { return Vec::new() };
    let row = |family: &FamilyEntry| {
        let age = family.age_days.map_or_else(|| "age unknown".to_owned(), |days| format!("{days} days old"));
        let latest = match &family.latest {
            Some(latest) => format!("<code>{}</code>, {age}", html(latest)),
            None => "<span class=\"bad\">no version for tenants</span>".to_owned(),
        };
        let behind = match (family.behind_days, &family.upstream) {
            (Some(days @ 1..), Some(newer)) => {
                format!("<br><span class=\"bad\">{days} days behind <code>{}</code></span>", html(newer))
            }
            (Some(_) | None, Some(_) | None) => String::new(),
        };
        format!(
            "<div class=\"row\"><div><strong>{}</strong><span class=\"faint\">{latest}</span>{behind}</div>{}</div>",
            html(&family.address(report)),
            timeline::picture(family, window)
        )
    };
    let rows: Vec<String> = report.families.iter().map(row).collect();
    vec![
        "<h2>Versions through time</h2>".to_owned(),
        format!(
            "<p class=\"faint keys\">{}\n{}\n{}\n{}</p>",
            key("latest", "the latest, since its publication"),
            key("old", "replaced, still there"),
            key("gone", "deleted"),
            key("behind", "a newer one is published")
        ),
        rows.join("\n"),
        timeline::scale(window),
    ]
}

/// What a colour of the picture means.
fn key(class: &str, meaning: &str) -> String {
    format!(
        "<span><svg class=\"key\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"100%\" height=\"100%\"/></svg>{meaning}</span>"
    )
}

/// Who still uses what was replaced: whom to write to.
fn users(report: &Report) -> Vec<String> {
    let mut rows = Vec::new();
    let mut asked = 0;
    for family in &report.families {
        for version in &family.versions {
            let Some(users) = &version.users else { continue };
            asked += 1;
            if !users.complete || !users.projects.is_empty() {
                rows.push(user_row(&family.address(report), version, users));
            }
        }
    }
    if asked == 0 {
        return Vec::new();
    }
    let heading = "<h2>Who still uses what was replaced</h2>".to_owned();
    if rows.is_empty() {
        return vec![heading, "<p>Nobody: none of these versions is in use.</p>".to_owned()];
    }
    vec![
        heading,
        format!(
            "<table class=\"findings\">\n<thead><tr><th>Family</th><th>Version</th><th>Used by</th></tr></thead>\n<tbody>\n{}\n\
             </tbody>\n</table>",
            rows.join("\n")
        ),
    ]
}

fn user_row(family: &str, version: &VersionEntry, users: &Users) -> String {
    let mut items: Vec<String> = users
        .projects
        .iter()
        .map(|project| {
            let who = project.project.as_deref().or(project.project_id.as_deref()).unwrap_or("an unknown project");
            let id =
                project.project_id.as_deref().filter(|id| *id != who).map(|id| format!(" <code>{}</code>", html(id)));
            let counts =
                [(project.servers.len(), "server"), (project.volumes.len(), "volume"), (project.others, "other")];
            let counts = counts.into_iter().filter(|(number, _)| *number > 0);
            let counts: Vec<_> = counts.map(|(number, noun)| count(number, noun)).collect();
            format!("<li>{}{}: {}</li>", html(who), id.unwrap_or_default(), counts.join(", "))
        })
        .collect();
    if !users.complete {
        items.push("<li class=\"bad\">not everybody could be asked</li>".to_owned());
    }
    let since = version.superseded.map(|since| format!("<br><span class=\"faint\">replaced {since}</span>"));
    format!(
        "<tr><td><code>{}</code></td><td><code>{}</code>{}</td><td><ul>{}</ul></td></tr>",
        html(family),
        html(&version.version),
        since.unwrap_or_default(),
        items.concat()
    )
}

/// Families by sites, where there are several: the most alarming class in each place.
fn grid(report: &Report) -> Vec<String> {
    if !report.has_several_sites() {
        return Vec::new();
    }
    let mut worst: BTreeMap<(&str, &str), Class> = BTreeMap::new();
    for finding in report.open() {
        if let Some(family) = &finding.family {
            let class = worst.entry((family, &finding.site)).or_insert(finding.class.0);
            *class = finding.class.0.min(*class);
        }
    }
    let there: BTreeSet<_> = report.families.iter().map(|family| (&*family.family, &*family.site)).collect();
    let names: BTreeSet<_> = there.iter().map(|(family, _)| *family).collect();
    let cell = |family: &str, site: &super::report::Site| match worst.get(&(family, &*site.name)) {
        _ if !site.complete => "<td class=\"class bad\">not read</td>".to_owned(),
        Some(class) => format!("<td class=\"class {}\">{class}</td>", tone(report, *class)),
        None if there.contains(&(family, &*site.name)) => "<td class=\"good\">in sync</td>".to_owned(),
        None => "<td></td>".to_owned(),
    };
    let heads: Vec<_> = report.sites.iter().map(|site| format!("<th>{}</th>", html(&site.name))).collect();
    let rows: Vec<_> = names
        .iter()
        .map(|family| {
            let cells: Vec<_> = report.sites.iter().map(|site| cell(family, site)).collect();
            format!("<tr><td><code>{}</code></td>{}</tr>", html(family), cells.concat())
        })
        .collect();
    vec![format!(
        "<h2>Sites</h2>\n<div class=\"scroll\"><table>\n<tr><th></th>{}</tr>\n{}\n</table></div>",
        heads.concat(),
        rows.join("\n")
    )]
}
