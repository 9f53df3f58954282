//! The locks of one run: all sites or none.

use std::time::Duration;

use jiff::Timestamp;

use super::Stop;
use crate::exit::Exit;
use crate::model::name::CatalogueName;
use crate::openstack::Site;
use crate::openstack::lock::{self, Acquired, Holder, Unlocked};
use crate::render::console::Console;

/// What is held while a plan is made and applied.
pub(super) struct Locks<'a> {
    sites: &'a [Site],
    catalogue: CatalogueName,
    /// Where there may be a lock of ours, and its id. Noted before it is asked for: whoever is stopped before the answer
    /// comes has one to give back all the same.
    ours: Vec<(&'a Site, String)>,
}

impl<'a> Locks<'a> {
    /// No lock yet.
    pub(super) const fn new(sites: &'a [Site], catalogue: CatalogueName) -> Self {
        Self { sites, catalogue, ours: Vec::new() }
    }

    /// Takes the catalogue's lock on every site, in their order, so that two runs cannot wait for each other.
    ///
    /// # Errors
    /// Somebody else has one of them. Those taken before must still be given back.
    pub(super) async fn acquire(&mut self, patience: Duration, console: &Console) -> Result<(), Stop> {
        for site in self.sites {
            let holder = Holder::new(&site.user, &place(), Timestamp::now());
            self.ours.push((site, holder.id.clone()));
            match lock::acquire(site, &self.catalogue, &holder, patience).await? {
                Acquired::Held => {}
                Acquired::Forbidden(message) => {
                    self.ours.pop();
                    console.say(&format!(
                        "note: {} does not let {} hold a lock ({message}); make sure that only one apply runs at a time",
                        site.name, site.user
                    ));
                }
                Acquired::Busy(holder) => {
                    self.ours.pop();
                    return Err(busy(site, holder.as_ref()));
                }
            }
        }
        Ok(())
    }

    /// Gives all of them back. One that cannot be given back is reported, with the command that frees it.
    pub(super) async fn release(self, console: &Console) {
        for (site, id) in self.ours {
            match lock::unlock(site, &self.catalogue, &id).await {
                Ok(Unlocked::Freed | Unlocked::NotLocked | Unlocked::Other(_)) => {}
                Err(error) => console.complain(&format!(
                    "warning: the lock on {} could not be given back: {error}\n  = help: `gallerist unlock {id}`",
                    site.name
                )),
            }
        }
    }
}

fn busy(site: &Site, holder: Option<&Holder>) -> Stop {
    let message = match holder {
        Some(Holder { id, who, place, since }) => format!(
            "error[E0601]: another apply holds the lock on {}\n  id     {id}\n  who    {who}\n  where  {place}\n  since  {since}\n  \
             = help: wait for it with `--lock-timeout 10m`\n  \
             = help: if that run is dead, free the lock with `gallerist unlock {id}`\nNothing was changed.",
            site.name
        ),
        None => format!(
            "error[E0601]: another apply holds the lock on {}; who cannot be seen\nNothing was changed.",
            site.name
        ),
    };
    Stop::new(Exit::Locked, message)
}

/// Where this run takes place, for whoever finds the lock.
fn place() -> String {
    ["CI_JOB_URL", "GITHUB_RUN_ID", "HOSTNAME"]
        .iter()
        .find_map(|name| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| format!("{name} {value}"))
        })
        .or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned()))
        .unwrap_or_else(|| "an unnamed machine".to_owned())
        + &format!(", process {}", std::process::id())
}
