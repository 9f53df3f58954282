//! What every theme of the suite leans on: the cloud and its switches, a session that asks it as one user, and the
//! `openstack` client, which sees the cloud with other eyes than our own code.

mod client;
mod cloud;

pub(crate) use client::{openstack, save};
pub(crate) use cloud::{Cloud, clouds};

pub(crate) use crate::conformance::{Service, Session};

/// Logs in as one of the password clouds of clouds.yaml (`lab-admin`, `lab-user`, `lab-other`, …).
pub(crate) async fn login(name: &str) -> Session {
    Session::login(&clouds(), name, None).await
}
