//! `apply`: plan, show, ask, do.

use std::pin::pin;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::adopt::{self, Terms};
use super::front::{self, Front};
use super::locks::Locks;
use super::signals::{Stopper, Why};
use super::teller::Teller;
use super::{Stop, outcome, present, show};
use crate::cli::{Apply, ApplyFormat, Global, Planning};
use crate::exit::Exit;
use crate::model::image::Visibility;
use crate::model::operation::Verb;
use crate::openstack::Performer;
use crate::openstack::boot::{self, Trial};
use crate::render::console::Console;
use crate::render::document::Document;
use crate::render::refusal;
use crate::render::summary::Interruption;

pub(super) async fn run(global: &Global, options: &Apply, console: &Console) -> Result<Exit, Stop> {
    let teller = Teller::begin(options.format, console)?;
    let ended = plan_and_do(global, options, console, &teller).await;
    match &ended {
        Ok(exit) => teller.end(*exit, None)?,
        Err(stop) => teller.end(stop.exit, Some(stop.message.trim()))?,
    }
    ended
}

async fn plan_and_do(global: &Global, options: &Apply, console: &Console, teller: &Teller) -> Result<Exit, Stop> {
    let deadline = global.timeout.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
    let saved = options.saved.as_deref().map(show::read).transpose()?;
    let manifest = front::load(global, console)?;
    // Before any request: a job that would have nobody to ask must fail on quiet days as well.
    let asks = options.format == ApplyFormat::Human && console.can_ask();
    if !options.auto_approve && !asks {
        return Err(nobody_to_ask());
    }
    // An ordinary plan is made again from the cloud; which image is which version would be believed of the file alone.
    let claims = saved.as_ref().and_then(adopt::claims_of);
    if options.auto_approve && options.expect_plan.is_none() && claims.is_some() {
        return Err(unreviewed_claims());
    }
    let lock_file = front::lock_file(&global.config, console)?;
    let planning = match &saved {
        Some(saved) => Planning { target: saved.gallerist.targets.clone(), ..options.planning.clone() },
        None => options.planning.clone(),
    };
    let mut stopper = Stopper::listen(deadline)?;
    let sites = tokio::select! {
        sites = front::connect(global, &manifest) => sites?,
        why = stopper.wait() => return Err(why.before_any_change()),
    };
    let mut locks = Locks::new(&sites, manifest.catalogue.clone());
    let work = async {
        locks.acquire(options.lock_timeout, console).await?;
        let now = jiff::Timestamp::now();
        let mut front = match claims {
            Some(claims) => adopt::prepare(manifest, sites.clone(), Terms::claims_alone(claims), console).await?.front,
            None => front::plan_for(manifest, lock_file.as_ref(), sites.clone(), &planning, now).await?,
        };
        front::look_inside(&mut front).await?;
        approved(global, options, &planning, saved.as_ref(), &front, (console, teller)).await.map(|()| front)
    };
    let approved = tokio::select! {
        approved = work => approved,
        why = stopper.wait() => Err(why.before_any_change()),
    };
    let ended = match approved {
        Ok(front) if front.plan.is_empty() => {
            clear_boot_tests(&front, teller).await;
            Ok(Exit::Done)
        }
        Ok(front) => carry_out(&front, usize::from(options.parallelism), teller, &mut stopper).await,
        Err(stop) => Err(stop),
    };
    locks.release(console).await;
    ended
}

/// Shows the plan, and ends unless it is the one that is expected, no guard refuses it, and somebody says yes.
async fn approved(
    global: &Global,
    options: &Apply,
    planning: &Planning,
    saved: Option<&Document>,
    front: &Front,
    (console, teller): (&Console, &Teller),
) -> Result<(), Stop> {
    let document = present::document(front, global, planning);
    present::write_reports(&document, &options.report)?;
    teller.plan(&document)?;
    expected(&document, options.expect_plan.as_deref())?;
    expected(&document, saved.map(|saved| saved.gallerist.plan_id.as_str()))?;
    if document.gallerist.blocked {
        return Err(Stop::new(Exit::Refused, refusal(&document).join("\n")));
    }
    if front.plan.is_empty() || options.auto_approve {
        return Ok(());
    }
    ask(front, console.clone()).await
}

fn nobody_to_ask() -> Stop {
    Stop::new(
        Exit::NotApproved,
        "error[E0301]: apply needs an approval, and there is nobody to ask (standard input is no terminal)\n  \
         = help: in CI, apply what was reviewed: `gallerist apply --auto-approve --expect-plan ID`\n  \
         = help: or save a plan and pass it: `gallerist plan --out plan.json`, then \
         `gallerist apply --auto-approve plan.json`\nNothing was changed.",
    )
}

fn unreviewed_claims() -> Stop {
    Stop::new(
        Exit::NotApproved,
        "error[E0303]: a saved adoption says which image is which version, and nobody was asked whether that is so\n  \
         = help: review it with `gallerist show FILE`, and name what was reviewed: `--auto-approve --expect-plan ID`\n  \
         = help: or apply it at a terminal, where it is asked\nNothing was changed.",
    )
}

/// Whether the plan is the one that was reviewed. An id may be cut, as people copy the short form.
fn expected(document: &Document, wanted: Option<&str>) -> Result<(), Stop> {
    const SHORTEST: usize = 12;
    let Some(wanted) = wanted else { return Ok(()) };
    let bare = |id: &str| id.strip_prefix("sha256:").unwrap_or(id).to_ascii_lowercase();
    let (found, wanted) = (bare(&document.gallerist.plan_id), bare(wanted));
    if wanted.len() >= SHORTEST && found.starts_with(&wanted) {
        return Ok(());
    }
    if wanted.len() < SHORTEST {
        let message =
            format!("error: a plan id has at least {SHORTEST} digits, `{}` is too short", wanted.escape_debug());
        return Err(Stop::new(Exit::Usage, message));
    }
    Err(Stop::new(
        Exit::Stale,
        format!(
            "error[E0402]: this is not the plan that was expected\n  expected  {}\n  found     {found}\n  \
             = note: the cloud, images.toml or a publisher has changed since\n  \
             = help: review the plan above, and apply it with `--expect-plan {}`\nNothing was changed.",
            wanted.escape_debug(),
            &found[..SHORTEST.min(found.len())]
        ),
    ))
}

/// Asks for `yes`; as soon as something is deleted, for the names of the sites that lose it.
async fn ask(front: &Front, console: Console) -> Result<(), Stop> {
    let doomed: Vec<_> =
        front.plan.steps().map(|(_, step)| step).filter(|step| step.operation.verb() == Verb::Delete).collect();
    let mut sites: Vec<String> = doomed.iter().map(|step| step.site.to_string()).collect();
    sites.sort();
    sites.dedup();
    let counts = front.plan.counts();
    let what = format!("{} to add, {} to change, {} to destroy", counts.create, counts.update, counts.delete);
    let (question, wanted) = if sites.is_empty() {
        (format!("\nApply this plan ({what})?\n  Only `yes` is accepted: "), "yes".to_owned())
    } else {
        let wanted = sites.join(" ");
        let list: Vec<_> = doomed.iter().map(|step| step.address.to_string()).collect();
        let question = format!(
            "\nApply this plan ({what})?\n  What is deleted cannot be brought back: {}\n  Type `{wanted}` to go on: ",
            list.join(", ")
        );
        (question, wanted)
    };
    // On a thread of its own, for whom nobody waits at the end: an interruption must not hang on the next line typed.
    let (tell, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || tell.send(console.ask(&question)));
    match answer.await {
        Ok(Some(answer)) if answer == wanted => Ok(()),
        Ok(_) | Err(_) => Err(Stop::new(Exit::NotApproved, "Not approved. Nothing was changed.")),
    }
}

/// Does it, tells it as it happens, and sums it up whatever the end. The first reason to stop ends the run at the next
/// safe point, a second one ends it where it stands.
pub(super) async fn carry_out(
    front: &Front,
    parallelism: usize,
    teller: &Teller,
    stopper: &mut Stopper,
) -> Result<Exit, Stop> {
    clear_boot_tests(front, teller).await;
    let mirror = crate::transfer::client().context("the client for mirrors")?;
    let performer = Performer::new(
        front.sites.iter().cloned(),
        mirror,
        front.desired.boot_test.clone().map(|test| Trial { test, catalogue: front.manifest.catalogue.clone() }),
    );
    let cancel = CancellationToken::new();
    let begun = Instant::now();
    teller.work();
    let tell = |event| teller.hear(&event);
    let mut work = pin!(crate::apply::run(&front.plan, Arc::new(performer), parallelism, cancel.clone(), &tell));
    let mut ended_by = None;
    let outcomes = loop {
        tokio::select! {
            outcomes = &mut work => break outcomes,
            why = stopper.wait() => {
                if ended_by.is_some() {
                    stop_at_once(why, teller);
                }
                ended_by = Some(why);
                cancel.cancel();
                teller.complain(&why.while_applying());
            }
        }
    };
    let interruption = ended_by.map_or(Interruption::None, |_| Interruption::Interrupted);
    let told = outcome::told(&front.plan, &outcomes, interruption, begun.elapsed());
    teller.outcome(&told)?;
    Ok(ended_by.and_then(Why::exit).unwrap_or_else(|| outcome::exit(&front.plan, &outcomes)))
}

/// Removes the servers of boot tests that a dead run has left, where there can be any: a test is over before its image
/// is shown. Those that cannot be removed are in the way of nothing but their image's deletion.
async fn clear_boot_tests(front: &Front, teller: &Teller) {
    let catalogue = &front.manifest.catalogue;
    for site in &front.sites {
        let images = front.observed.sites.get(&site.name).map(|view| view.images.values()).into_iter().flatten();
        if !images.into_iter().any(|image| image.attributes.visibility == Visibility::Private) {
            continue;
        }
        match boot::clear(site, catalogue).await {
            Ok(names) => names.iter().for_each(|name| {
                teller.say(&format!(
                    "Removed the server `{name}` on {}, which an earlier boot test had left.",
                    site.name
                ));
            }),
            Err(error) => teller.complain(&format!(
                "warning: whether a boot test has left a server on {} could not be found out: {error}",
                site.name
            )),
        }
    }
}

fn stop_at_once(why: Why, teller: &Teller) -> ! {
    let exit = why.exit().unwrap_or(Exit::Partial);
    let message = "Stopped at once: half an image and the lock may be left; the next apply finishes or removes them.";
    teller.complain(message);
    // There is nobody left to be told that the last line could not be written.
    teller.end(exit, Some(message)).ok();
    std::process::exit(i32::from(exit.code()))
}
