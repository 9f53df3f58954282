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
use super::glance::{Import, NewImage};
use super::import;
use super::site::Site;
use super::usage::{Question, UsageReader};
use crate::apply::request::{Answer, BootOutcome, Destination, Failure, FailureKind, Request, Window};
use crate::apply::{Meter, Perform};
use crate::model::name::{ImageId, SiteName};
use crate::model::operation::Delivered;
use crate::model::passage::{Passage, Route};
use crate::model::version::{DiskFormat, Version};
use crate::transfer::{Body, Consignment, Limits, Progress, Sink, Witness, deliver, deliver_raw};
use crate::upstream::seal::Seal;

/// Does what `apply` asks, on these sites.
pub struct Performer {
    sites: BTreeMap<SiteName, Site>,
    mirror: reqwest::Client,
    boot_test: Option<Trial>,
    limits: Limits,
}

impl Performer {
    /// A performer. `mirror` is the client that downloads images.
    pub fn new(sites: impl IntoIterator<Item = Site>, mirror: reqwest::Client, boot_test: Option<Trial>) -> Self {
        let sites = sites.into_iter().map(|site| (site.name.clone(), site)).collect();
        Self { sites, mirror, boot_test, limits: Limits::default() }
    }

    /// The same with other bounds for what it downloads and uploads.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn site(&self, name: &SiteName) -> Result<&Site, Failure> {
        self.sites.get(name).ok_or_else(|| Failure::refused(format!("there is no connection to {name}")))
    }

    /// One download for all that are sent to; beside it, every Glance that fetches for itself. What those must have got is
    /// learnt from reading the same bytes once.
    async fn deliver(
        &self,
        version: &Version,
        min_disk: Option<u64>,
        disk_format: DiskFormat,
        targets: &[Destination],
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
        let (fetching, sent): (Vec<_>, Vec<_>) =
            targets.iter().enumerate().partition(|(_, target)| target.passage.route == Route::Web);
        let (mut sinks, mut downloads): (Vec<Arc<dyn Sink>>, Vec<_>) = (Vec::new(), Vec::new());
        for (_, Destination { site, id, passage }) in &sent {
            let (site, id, passage) = (self.site(site)?.clone(), id.clone(), passage.clone());
            sinks.push(Arc::new(GlanceSink { site, id, passage }));
        }
        for (_, Destination { site, id, passage }) in &fetching {
            downloads.push(import::web(self.site(site)?, id, version, &passage.stores));
        }
        let sending = async {
            if disk_format == version.disk_format {
                deliver(&self.mirror, &consignment, sinks, &progress).await
            } else {
                deliver_raw(&self.mirror, &consignment, sinks, &progress).await
            }
        };
        let (delivered, fetched) = tokio::join!(sending, futures_util::future::join_all(downloads));
        let mut delivered = delivered.map_err(|error| Failure::refused(sentence(error)))?;
        let mut results: Vec<_> =
            sent.iter().zip(std::mem::take(&mut delivered.sinks)).chain(fetching.iter().zip(fetched)).collect();
        results.sort_by_key(|((place, _), _)| *place);
        // What was staged is whole and verified; how long Glance takes to import it is its own affair.
        let imports = results.into_iter().map(|((_, target), result)| async move {
            match (result, &target.passage.route) {
                (Ok(()), Route::Direct) => {
                    let site = self.site(&target.site)?;
                    import::import(site, &target.id, &Import::GlanceDirect, &target.passage.stores).await?;
                    Ok(())
                }
                (result, _) => result.map_err(Failure::from),
            }
        });
        let results = futures_util::future::join_all(imports).await;
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
            Request::Deliver { version, min_disk, disk_format, targets } => {
                self.deliver(&version, min_disk, disk_format, &targets, meter).await
            }
            Request::Copy { site, id, region, original, stores } => {
                let copy = Import::GlanceDownload { region, image: original };
                import::import(self.site(&site)?, &id, &copy, &stores).await?;
                Ok(Answer::Done)
            }
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
    passage: Passage,
}

#[async_trait]
impl Sink for GlanceSink {
    fn name(&self) -> String {
        self.site.name.to_string()
    }

    async fn store(&self, body: Body, length: Option<u64>) -> anyhow::Result<()> {
        let body = body.map_err(|error| -> Box<dyn std::error::Error + Send + Sync> { Box::new(error) });
        let Self { site, id, passage: Passage { route, stores, .. } } = self;
        match route {
            Route::Direct => Ok(site.glance.stage(id, body, length).await?),
            Route::Upload | Route::Web | Route::Copy(_) => {
                Ok(site.glance.upload(id, body, length, stores.first().map(String::as_str)).await?)
            }
        }
    }
}
