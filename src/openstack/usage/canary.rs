//! Telling "nobody" from "nobody answered".
//!
//! With a cell down Nova answers `GET /servers?image=…` with 200 and an empty list, at every microversion. Two
//! questions do tell. For an operator: `GET /os-hypervisors/statistics` reads every cell and answers 500 (microversion
//! up to 2.87; without a header it is 2.1). For a member: `GET /servers` without any filter, from 2.69 on, lists the
//! servers of an unreachable cell with status `UNKNOWN`. Both seen on Nova 34. What this does not solve: a cell that
//! fails and recovers between two canaries.

use crate::openstack::http::Request;
use crate::openstack::site::{Rights, Site};
use crate::openstack::wire::ServerPage;

/// Whether Nova's silence can be believed; if not, why.
pub(super) async fn ask(site: &Site) -> Result<(), String> {
    // Without Nova the source itself says so.
    let Some(nova) = &site.nova else { return Ok(()) };
    match site.rights {
        Rights::Operator => {
            let answer = nova.endpoint().send(Request::get("os-hypervisors/statistics")).await;
            answer.map(drop).map_err(|error| format!("whether every cell of Nova answers could not be asked: {error}"))
        }
        Rights::Member => {
            let request = Request::get("servers").header("x-openstack-nova-api-version", "2.69");
            let page: Result<ServerPage, _> = nova.endpoint().send(request).await.and_then(|answer| answer.json());
            let page =
                page.map_err(|error| format!("whether every cell of Nova answers could not be asked: {error}"))?;
            if page.servers.iter().any(|server| server.status.as_deref() == Some("UNKNOWN")) {
                return Err("a cell of Nova does not answer: some servers are listed as `UNKNOWN`".to_owned());
            }
            Ok(())
        }
    }
}
