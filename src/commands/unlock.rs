//! `unlock`: removes a lock that a dead run left.

use super::{Stop, front};
use crate::cli::{Global, Unlock};
use crate::exit::Exit;
use crate::openstack::lock::{self, Unlocked};
use crate::render::console::Console;

pub(super) async fn run(global: &Global, options: &Unlock, console: &Console) -> Result<Exit, Stop> {
    let manifest = front::load(global, console)?;
    let sites = front::connect(global, &manifest).await?;
    let mut freed = 0;
    for site in &sites {
        match lock::unlock(site, &manifest.catalogue, &options.id).await? {
            Unlocked::Freed => {
                freed += 1;
                console.answer(&format!("{}: unlocked\n", site.name))?;
            }
            Unlocked::NotLocked => console.say(&format!("{}: was not locked", site.name)),
            Unlocked::Other(Some(holder)) => console.say(&format!(
                "{}: locked under another id, {}, by {} on {} since {}; left alone",
                site.name, holder.id, holder.who, holder.place, holder.since
            )),
            Unlocked::Other(None) => console.say(&format!("{}: locked by somebody who cannot be seen", site.name)),
        }
    }
    if freed == 0 {
        return Err(Stop::new(Exit::Error, format!("error: no lock with the id `{}` was found", options.id)));
    }
    Ok(Exit::Done)
}
