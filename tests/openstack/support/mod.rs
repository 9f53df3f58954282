//! What every theme of the suite leans on: the cloud and its switches, a session that asks it as one user, and the
//! `openstack` client, which sees the cloud with other eyes than our own code.

mod client;
mod cloud;
mod session;

pub(crate) use client::openstack;
pub(crate) use cloud::Cloud;
pub(crate) use session::{Service, Session};
