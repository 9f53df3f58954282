//! Requests of `apply`, done on a real cloud.
//!
//! One file says what each request means in HTTP. What a failure allows to conclude is decided here and nowhere else:
//! a 4xx is a refusal (nothing was changed), no answer or a 5xx leaves open what happened, and the machine that asked
//! reads again to find out.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryStreamExt;

use super::boot::{self, Trial};
use super::error::{ApiError, ErrorKind};
use super::glance::NewImage;
use super::import::{self, Route};
use super::site::Site;
use super::usage::{Question, UsageReader};
use crate::apply::request::{Answer, BootOutcome, Failure, FailureKind, Request, Window};
use crate::apply::{Meter, Perform};
use crate::model::name::{ImageId, SiteName};
use crate::model::operation::Delivered;
use crate::model::version::{DiskFormat, Version};
use crate::transfer::{Body, Consignment, Limits, Progress, Sink, Witness, deliver};
use crate::upstream::seal::Seal;

/// Does what `apply` asks, on these sites.
pub struct Performer {
    sites: BTreeMap<SiteName, Site>,
    mirror: reqwest::Client,
    route: Route,
    stores: Vec<String>,
    boot_test: Option<Trial>,
    limits: Limits,
}

impl Performer {
    /// A performer. `mirror` is the client that downloads images.
    pub fn new(
        sites: impl IntoIterator<Item = Site>,
        mirror: reqwest::Client,
        (route, stores): (Route, Vec<String>),
        boot_test: Option<Trial>,
    ) -> Self {
        let sites = sites.into_iter().map(|site| (site.name.clone(), site)).collect();
        Self { sites, mirror, route, stores, boot_test, limits: Limits::default() }
    }

    /// The same with other bounds for what it downloads and uploads.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn site(&self, name: &SiteName) -> Result<&Site, Failure> {
        self.sites.get(name).ok_or_else(|| Failure::refused(format!("there is no connection to {name}")))
    }

    async fn deliver(
        &self,
        version: &Version,
        min_disk: Option<u64>,
        targets: &[(SiteName, ImageId)],
        meter: &Meter,
    ) -> Result<Answer, Failure> {
        let consignment = Consignment {
            origin: version.origin.clone(),
            published: version.published.clone(),
            stored: version.stored.clone(),
            size: version.size,
            compression: version.compression,
            disk_format: version.disk_format,
            min_disk,
            witness: version.signature.clone().map(|signature| -> Arc<dyn Witness> { Arc::new(Seal::new(signature)) }),
            limits: self.limits.clone(),
        };
        let progress = |progress: Progress| match progress {
            Progress::Received { bytes, total } => meter(bytes, total),
            Progress::Retrying { .. } => {}
        };
        let mut sites = Vec::new();
        for (site, id) in targets {
            sites.push((self.site(site)?.clone(), id.clone()));
        }
        let (delivered, results) = match self.route {
            Route::Upload | Route::Direct => {
                let sinks = sites.into_iter().map(|(site, id)| -> Arc<dyn Sink> {
                    Arc::new(GlanceSink { site, id, route: self.route, stores: self.stores.clone() })
                });
                let delivered = deliver(&self.mirror, &consignment, sinks.collect(), &progress).await;
                let mut delivered = delivered.map_err(|error| Failure::refused(sentence(error)))?;
                let results = std::mem::take(&mut delivered.sinks);
                (delivered, results.into_iter().map(|result| result.map_err(Failure::from)).collect())
            }
            Route::Web => {
                // Glance fetches for itself; what it must have got is learnt from reading the same bytes once.
                let fetching = sites.iter().map(|(site, id)| import::web(site, id, version, &self.stores));
                let (delivered, results) = tokio::join!(
                    deliver(&self.mirror, &consignment, Vec::new(), &progress),
                    futures_util::future::join_all(fetching)
                );
                let delivered = delivered.map_err(|error| Failure::refused(sentence(error)))?;
                (delivered, results.into_iter().map(|result| result.map_err(Failure::from)).collect::<Vec<_>>())
            }
        };
        let delivered =
            Delivered { digests: delivered.stored, size: delivered.size, virtual_size: Some(delivered.virtual_size) };
        Ok(Answer::Delivered(delivered, results))
    }

    async fn answer(&self, request: Request, meter: &Meter) -> Result<Answer, Failure> {
        match request {
            Request::Read { site, id } => match self.site(&site)?.glance.get(&id).await {
                Ok(image) => Ok(Answer::Image(Some(Box::new(image)))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Answer::Image(None)),
                Err(error) => Err(error.into()),
            },
            Request::Record { site, id, attributes, disk_format } => {
                let format = DiskFormat::from_name(disk_format)
                    .ok_or_else(|| Failure::refused(format!("`{disk_format}` is no disk format")))?;
                let new = NewImage { id, disk_format: format, attributes: *attributes };
                self.site(&site)?.glance.create(&new).await?;
                Ok(Answer::Done)
            }
            Request::Deliver { version, min_disk, targets } => self.deliver(&version, min_disk, &targets, meter).await,
            Request::Boot { site, id } => match &self.boot_test {
                None => Ok(Answer::Booted(BootOutcome::NotAsked)),
                Some(trial) => Ok(Answer::Booted(boot::test(self.site(&site)?, trial, &id).await?)),
            },
            Request::Patch { site, id, from, to } => {
                self.site(&site)?.glance.patch(&id, &from, &to).await?;
                Ok(Answer::Done)
            }
            Request::Usage { site, id, audience, snapshots, window } => {
                let reader = UsageReader::new(self.site(&site)?);
                let question = Question { image: id, audience, snapshots };
                Ok(Answer::Usage(match window {
                    Window::Open => reader.usage(&question).await,
                    Window::Closed => reader.settled_usage(&question).await,
                }))
            }
            Request::Deactivate { site, id } => {
                self.site(&site)?.glance.deactivate(&id).await?;
                Ok(Answer::Done)
            }
            Request::Reactivate { site, id } => {
                self.site(&site)?.glance.reactivate(&id).await?;
                Ok(Answer::Done)
            }
            Request::Delete { site, id } => {
                self.site(&site)?.glance.delete(&id).await?;
                Ok(Answer::Done)
            }
        }
    }
}

#[async_trait]
impl Perform for Performer {
    async fn perform(&self, request: Request, meter: Meter) -> Answer {
        self.answer(request, &meter).await.unwrap_or_else(Answer::Failed)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => FailureKind::Gone,
            ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::Conflict
            | ErrorKind::TooLarge
            | ErrorKind::RateLimited
            | ErrorKind::Refused
            | ErrorKind::NoService => FailureKind::Refused,
            ErrorKind::Server | ErrorKind::Connection | ErrorKind::Malformed => FailureKind::Unanswered,
        };
        Self { kind, message: error.to_string() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::refused(format!("{error:#}"))
    }
}

/// An error with its causes, in one line.
fn sentence(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// Glance as a place that bytes are delivered to.
struct GlanceSink {
    site: Site,
    id: ImageId,
    route: Route,
    stores: Vec<String>,
}

#[async_trait]
impl Sink for GlanceSink {
    fn name(&self) -> String {
        self.site.name.to_string()
    }

    async fn store(&self, body: Body, length: Option<u64>) -> anyhow::Result<()> {
        let body = body.map_err(|error| -> Box<dyn std::error::Error + Send + Sync> { Box::new(error) });
        match self.route {
            Route::Upload | Route::Web => Ok(self.site.glance.upload(&self.id, body, length).await?),
            Route::Direct => {
                self.site.glance.stage(&self.id, body, length).await?;
                import::staged(&self.site, &self.id, &self.stores).await
            }
        }
    }
}
