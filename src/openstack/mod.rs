//! The cloud's edge: one OpenStack, as far as a catalogue needs it.
//!
//! [`connect`] reads clouds.yaml, logs in and hands out a [`Site`] for each region. With a site, [`observe`] reads what
//! is there, [`UsageReader`] asks who uses what, [`lock`] keeps other runs out, and [`glance::Glance`] changes images.
//! Every request goes through `http`, and one call is one request unless its documentation says otherwise; services
//! are found in the catalogue that comes with the token, so that nothing has to be discovered.
//!
//! This room decides nothing. It knows no family, no lifecycle and no plan; it lowers what services say to
//! [`crate::model`] once, in `wire`, and reports failures as [`ApiError`]s with their causes told apart.
//!
//! osauth carries the session (its `AuthType`, its authenticated client, its endpoint filters); its configuration
//! loader, its discovery and its errors are not used, each for the reason given in the file that does it instead.

pub mod boot;
mod catalogue;
pub mod clouds;
pub mod error;
pub mod glance;
mod http;
mod import;
mod keystone;
pub mod lock;
pub mod nova;
mod observe;
mod perform;
mod site;
pub mod usage;
mod wire;

pub use clouds::Surroundings;
pub use error::{ApiError, ErrorKind, Service};
pub use import::offers;
pub use observe::{observe, project_images, public_images};
pub use perform::Performer;
pub use site::{ConnectError, Rights, Selection, Site, Unconnected, connect, connect_each};
pub use usage::{Naming, Question, UsageReader};
