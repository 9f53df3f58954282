//! Creation up to the moment before anybody sees it.
//!
//! The problem: between a record and a verified image lie a download, an upload and a boot, each of which can end in
//! every way, and what is left behind must be either right or gone. The idea: one machine brings one version to every
//! site that lacks it. Records are made under ids of our choice, so that a lost answer can be told from a refusal; one
//! download feeds all of them; then each image is read back and believed only if it is active and Glance's own digest
//! and size are those of the verified bytes. What is not believed is deleted: it was never shown. An image whose bytes
//! an earlier run brought before it died is believed no more than a new one: it is compared, and booted, as if they had
//! just arrived, and the bytes are read once more where nothing else tells what they should be. What this does not
//! solve: showing it (`handover`).
//!
//! A region that copies another one's image comes last, and copies only what has been verified there.

use petgraph::graph::NodeIndex;

use super::evidence::{self, agree};
use super::machine::{Machine, Next, Outcome};
use super::request::{Answer, BootOutcome, Destination, Failure, FailureKind, Request};
use crate::model::image::{Attributes, Image, Status, Visibility};
use crate::model::name::{ImageId, SiteName};
use crate::model::operation::{Create, Delivered, MinDisk, Record};
use crate::model::ours::{BootVerdict, Marks};
use crate::model::passage::{Converter, Original, Route};

/// One site's part of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The step.
    pub node: NodeIndex,
    /// The site.
    pub site: SiteName,
    /// The id the image has or gets.
    pub id: ImageId,
    /// What is created.
    pub create: Create,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Begin,
    Recording(usize),
    /// The answer to making the record was lost or was a conflict: is it ours?
    Recognising(usize),
    Delivering(Vec<usize>),
    Copying(usize),
    Reading(usize),
    Booting(usize),
    Marking(usize, Failure),
    Discarding(usize, Failure),
}

/// Whether bytes have to be brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bytes {
    /// The record has none yet.
    Lacking,
    /// An earlier run has brought them; Glance's digest is that of the publisher.
    Compared,
    /// An earlier run has brought them, and what the publisher says cannot be compared with what Glance says.
    Doubtful,
}

/// Brings one version to the sites that lack it.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    targets: Vec<Target>,
    outcomes: Vec<Option<Outcome>>,
    bytes: Vec<Bytes>,
    images: Vec<Option<Image>>,
    uploads: Vec<Option<Failure>>,
    delivered: Option<Delivered>,
    state: State,
}

impl Delivery {
    /// A delivery to these targets; all of one version.
    pub fn new(mut targets: Vec<Target>) -> Self {
        // What is copied must be there first.
        targets.sort_by_key(|target| matches!(target.create.passage.route, Route::Copy(_)));
        let count = targets.len();
        Self {
            targets,
            outcomes: vec![None; count],
            bytes: vec![Bytes::Lacking; count],
            images: vec![None; count],
            uploads: vec![None; count],
            delivered: None,
            state: State::Begin,
        }
    }

    fn ask(&mut self, state: State, request: Request) -> Next {
        self.state = state;
        Next::Ask(request)
    }

    /// Makes the next record, or goes on to the bytes.
    fn record(&mut self, index: usize) -> Next {
        let Some(target) = self.targets.get(index) else { return self.deliver() };
        let (site, id) = (target.site.clone(), target.id.clone());
        match &target.create.record {
            Record::Existing(_) => self.ask(State::Recognising(index), Request::Read { site, id }),
            Record::New => {
                let attributes = Box::new(target.create.staged.clone());
                let disk_format = target.create.passage.recorded_format(&target.create.version).name();
                self.ask(State::Recording(index), Request::Record { site, id, attributes, disk_format })
            }
        }
    }

    /// Has the bytes brought, unless every site has them or copies them.
    fn deliver(&mut self) -> Next {
        let open: Vec<usize> = (0..self.targets.len())
            .filter(|index| self.outcomes[*index].is_none() && self.original(*index).is_none())
            .collect();
        if open.iter().all(|index| self.bytes[*index] == Bytes::Compared) {
            return self.read(0);
        }
        let Some(Create { version, passage, .. }) = open.first().map(|index| self.targets[*index].create.clone())
        else {
            return self.read(0);
        };
        let lacking: Vec<usize> = open.iter().copied().filter(|index| self.bytes[*index] == Bytes::Lacking).collect();
        let min_disk = open.iter().find_map(|index| match self.targets[*index].create.min_disk {
            MinDisk::Written(gib) => Some(gib),
            MinDisk::FromImage => None,
        });
        let disk_format = passage.recorded_format(&version);
        let targets = lacking.iter().map(|index| {
            let Target { site, id, create, .. } = &self.targets[*index];
            Destination { site: site.clone(), id: id.clone(), passage: create.passage.clone() }
        });
        let targets = targets.collect();
        let version = Box::new(version);
        self.ask(State::Delivering(lacking), Request::Deliver { version, min_disk, disk_format, targets })
    }

    /// The image that a target is a copy of, if it is one.
    fn original(&self, index: usize) -> Option<&Original> {
        match &self.targets[index].create.passage.route {
            Route::Copy(original) => Some(original),
            Route::Upload | Route::Direct | Route::Web => None,
        }
    }

    /// An original that has been verified, and what its bytes are.
    fn verified(&self, original: &Original) -> Option<(ImageId, Delivered)> {
        let of_this_run = || {
            let index = self.targets.iter().position(|target| target.site == original.site)?;
            match &self.outcomes[index] {
                Some(Outcome::Staged(image, Some(delivered))) => Some((image.id.clone(), delivered.clone())),
                _ => None,
            }
        };
        original.image.clone().or_else(of_this_run)
    }

    /// Goes on with the next target that has no outcome yet, or ends. Copies are made here: they come after all others, and
    /// are made of what has been verified.
    fn read(&mut self, from: usize) -> Next {
        let Some(index) = (from..self.targets.len()).find(|index| self.outcomes[*index].is_none()) else {
            return self.finish();
        };
        let Some(original) = self.original(index).cloned().filter(|_| self.bytes[index] == Bytes::Lacking) else {
            return self.look(index);
        };
        let Some((image, _)) = self.verified(&original) else {
            return self.discard(index, Failure::refused(format!("{} has no image to copy", original.site)));
        };
        let Target { site, id, create, .. } = &self.targets[index];
        let request = Request::Copy {
            site: site.clone(),
            id: id.clone(),
            region: original.region,
            original: image,
            stores: create.passage.stores.clone(),
        };
        self.ask(State::Copying(index), request)
    }

    /// Reads an image back.
    fn look(&mut self, index: usize) -> Next {
        let Target { site, id, .. } = &self.targets[index];
        let request = Request::Read { site: site.clone(), id: id.clone() };
        self.ask(State::Reading(index), request)
    }

    fn discard(&mut self, index: usize, why: Failure) -> Next {
        let Target { site, id, .. } = &self.targets[index];
        let request = Request::Delete { site: site.clone(), id: id.clone() };
        self.ask(State::Discarding(index, why), request)
    }

    fn conclude(&mut self, index: usize, outcome: Outcome) {
        self.outcomes[index] = Some(outcome);
    }

    fn finish(&self) -> Next {
        let outcomes = self.targets.iter().zip(&self.outcomes).map(|(target, outcome)| {
            let missing = || Outcome::Failed(Failure::refused("the delivery ended without a word about it"));
            (target.node, outcome.clone().unwrap_or_else(missing))
        });
        Next::Finished(outcomes.collect())
    }

    /// A record of ours that nobody has been shown, whoever's request made it, and what is in it.
    fn recognised(&self, index: usize, image: &Image) -> Option<Bytes> {
        let wanted = &self.targets[index].create.marks;
        let marks = Marks::from_tags(&image.attributes.tags)?;
        let ours = marks.catalogue == wanted.catalogue && marks.version == wanted.version && marks.applied.is_none();
        if !ours || image.attributes.visibility != Visibility::Private {
            return None;
        }
        match image.status {
            Status::Queued => Some(Bytes::Lacking),
            Status::Active => {
                Some(match self.targets[index].create.stored_digests().map(|known| agree(known, image)) {
                    Some(Some(true)) => Bytes::Compared,
                    Some(Some(false) | None) | None => Bytes::Doubtful,
                })
            }
            Status::Saving | Status::Uploading | Status::Importing | Status::Deactivated | Status::Broken => None,
        }
    }

    /// What the bytes of a target are, or must be: those that were delivered, or the original's.
    fn expected(&self, index: usize) -> Option<Delivered> {
        match self.original(index) {
            Some(original) => self.verified(original).map(|(_, delivered)| delivered),
            None => self.delivered.clone(),
        }
    }

    /// What is known of the bytes of an image that was believed.
    fn known(&self, index: usize, image: &Image) -> Option<Delivered> {
        let create = &self.targets[index].create;
        if create.passage.converter == Some(Converter::Glance) {
            return evidence::as_told(image);
        }
        match (self.expected(index), self.bytes[index], create.stored_digests()) {
            (Some(delivered), _, _) => Some(delivered),
            (None, Bytes::Compared, Some(digests)) => {
                Some(Delivered { digests: digests.clone(), size: image.size?, virtual_size: image.virtual_size })
            }
            (None, Bytes::Lacking | Bytes::Compared | Bytes::Doubtful, _) => None,
        }
    }

    /// What speaks against the image as Glance holds it now.
    fn objection(&self, index: usize, image: &Image) -> Option<Failure> {
        let create = &self.targets[index].create;
        let expected = self.expected(index);
        let upload = self.uploads[index].clone();
        if image.status != Status::Active {
            let silent = || Failure::refused(format!("the image is {} after the upload", image.status));
            return Some(upload.unwrap_or_else(silent));
        }
        let Some(digests) = expected.as_ref().map(|known| &known.digests).or(create.stored_digests()) else {
            return Some(upload.unwrap_or_else(|| Failure::refused("nothing is known of the bytes it holds")));
        };
        if create.passage.converter == Some(Converter::Glance) && self.bytes[index] == Bytes::Lacking {
            let wrong = evidence::against_conversion(expected.as_ref(), image, create.passage.disk_format);
            return upload.or(wrong.map(Failure::refused));
        }
        if let Some(delivered) = &expected
            && image.size.is_some_and(|size| size != delivered.size)
        {
            return Some(Failure::refused(format!(
                "Glance holds {} bytes, {} were verified",
                image.size.unwrap_or_default(),
                delivered.size
            )));
        }
        match (agree(digests, image), self.bytes[index], &create.passage.route) {
            (Some(true), _, _) => None,
            (Some(false), _, _) => Some(Failure::refused("Glance's digest is not that of the verified bytes")),
            // A Glance that hashes otherwise, or too old to hash: the upload's own success and the size must do.
            (None, Bytes::Lacking, Route::Upload | Route::Direct) => upload,
            (None, Bytes::Lacking, Route::Web | Route::Copy(_)) => Some(
                upload.unwrap_or_else(|| Failure::refused("nothing tells whether Glance has fetched the right bytes")),
            ),
            (None, Bytes::Compared | Bytes::Doubtful, _) => {
                Some(Failure::refused("nothing tells whether the bytes that an earlier run brought are right"))
            }
        }
    }

    fn boot(&mut self, index: usize, image: Image) -> Next {
        self.images[index] = Some(image);
        let Target { site, id, .. } = &self.targets[index];
        let request = Request::Boot { site: site.clone(), id: id.clone() };
        self.ask(State::Booting(index), request)
    }

    fn mark_failed(&mut self, index: usize, why: Failure) -> Next {
        let Target { site, id, create, .. } = &self.targets[index];
        let from = self.images[index].as_ref().map_or_else(|| create.staged.clone(), |image| image.attributes.clone());
        let marks = Marks { boot: BootVerdict::Failed, ..create.marks.clone() };
        let to = Attributes { tags: crate::model::operation::with_marks(&from.tags, &marks), ..from.clone() };
        let request = Request::Patch { site: site.clone(), id: id.clone(), from: Box::new(from), to: Box::new(to) };
        self.ask(State::Marking(index, why), request)
    }
}

impl Machine for Delivery {
    fn next(&mut self, answer: Option<Answer>) -> Next {
        let state = self.state.clone();
        let Some(answer) = answer else { return self.record(0) };
        match state {
            State::Begin => self.record(0),
            State::Recording(index) => match answer.done() {
                Ok(()) => self.record(index + 1),
                Err(failure) => {
                    self.uploads[index] = Some(failure);
                    let Target { site, id, .. } = &self.targets[index];
                    let request = Request::Read { site: site.clone(), id: id.clone() };
                    self.ask(State::Recognising(index), request)
                }
            },
            State::Recognising(index) => {
                let refusal = self.uploads[index].take();
                let gone = || Failure::refused("the record left by an earlier run is no longer there");
                let found = answer
                    .image()
                    .and_then(|image| image.and_then(|image| self.recognised(index, &image)).ok_or_else(gone));
                match found {
                    Ok(bytes) => self.bytes[index] = bytes,
                    Err(failure) => self.conclude(index, Outcome::Failed(refusal.unwrap_or(failure))),
                }
                self.record(index + 1)
            }
            State::Delivering(lacking) => {
                match answer.delivered() {
                    Ok((delivered, results)) => {
                        self.delivered = Some(delivered);
                        for (index, result) in lacking.into_iter().zip(results) {
                            self.uploads[index] = result.err();
                        }
                    }
                    Err(failure) => self.uploads.fill(Some(failure)),
                }
                self.read(0)
            }
            State::Copying(index) => {
                self.uploads[index] = answer.done().err();
                self.look(index)
            }
            State::Reading(index) => match answer.image() {
                Ok(Some(image)) => match self.objection(index, &image) {
                    Some(why) => self.discard(index, why),
                    None => self.boot(index, *image),
                },
                Ok(None) => {
                    let why = self.uploads[index].clone().unwrap_or_else(|| Failure::refused("the image is gone"));
                    self.conclude(index, Outcome::Failed(why));
                    self.read(index + 1)
                }
                // Nobody can tell what is there. It is private and marked: the next run finds and finishes it.
                Err(failure) => {
                    self.conclude(index, Outcome::Failed(failure.half_way()));
                    self.read(index + 1)
                }
            },
            State::Booting(index) => match answer.booted() {
                Ok(BootOutcome::Passed | BootOutcome::NotAsked) => {
                    if let Some(image) = self.images[index].clone() {
                        let outcome = Outcome::Staged(Box::new(image.clone()), self.known(index, &image));
                        self.conclude(index, outcome);
                    }
                    self.read(index + 1)
                }
                Ok(BootOutcome::Failed(why)) => {
                    self.mark_failed(index, Failure::refused(format!("the boot test failed: {why}")))
                }
                Err(failure) => {
                    self.conclude(index, Outcome::Failed(failure.half_way()));
                    self.read(index + 1)
                }
            },
            State::Marking(index, why) => {
                // An unmarked image is boot-tested again by the next run: slower, never wrong.
                self.conclude(index, Outcome::Failed(why.half_way()));
                self.read(index + 1)
            }
            State::Discarding(index, why) => {
                let why = match answer.done() {
                    Ok(()) | Err(Failure { kind: FailureKind::Gone, .. }) => why,
                    Err(Failure { message, .. }) => Failure {
                        kind: FailureKind::HalfWay,
                        message: format!("{} (and the record could not be removed: {message})", why.message),
                    },
                };
                self.conclude(index, Outcome::Failed(why));
                self.read(index + 1)
            }
        }
    }
}
