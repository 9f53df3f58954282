//! The locks of one run: all sites or none.

use std::time::Duration;

use jiff::Timestamp;

use super::Stop;
use crate::exit::Exit;
use crate::model::name::CatalogueName;
use crate::openstack::Site;
use crate::openstack::lock::{self, Acquired, Holder, Lock, Unlocked};
use crate::render::console::Console;

/// What is held while a plan is made and applied.
pub(super) struct Locks(Vec<(usize, Lock)>);

impl Locks {
    /// Takes the catalogue's lock on every site, in their order, so that two runs cannot wait for each other.
    ///
    /// # Errors
    /// Somebody else has one of them; those taken before are given back.
    pub(super) async fn acquire(
        sites: &[Site],
        catalogue: &CatalogueName,
        patience: Duration,
        console: &Console,
    ) -> Result<Self, Stop> {
        let mut locks = Self(Vec::new());
        for (index, site) in sites.iter().enumerate() {
            let holder = Holder::new(&site.user, &place(), Timestamp::now());
            let acquired = lock::acquire(site, catalogue, &holder, patience).await;
            match acquired {
                Ok(Acquired::Held(lock)) => locks.0.push((index, lock)),
                Ok(Acquired::Forbidden(message)) => console.say(&format!(
                    "note: {} does not let {} hold a lock ({message}); make sure that only one apply runs at a time",
                    site.name, site.user
                )),
                Ok(Acquired::Busy(holder)) => {
                    locks.release(sites, console).await;
                    return Err(busy(site, holder.as_ref()));
                }
                Err(error) => {
                    locks.release(sites, console).await;
                    return Err(error.into());
                }
            }
        }
        Ok(locks)
    }

    /// Gives all of them back. One that cannot be given back is reported, with the command that frees it.
    pub(super) async fn release(self, sites: &[Site], console: &Console) {
        for (index, lock) in self.0 {
            let (site, id) = (&sites[index], lock.id().to_owned());
            match lock.release(site).await {
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
