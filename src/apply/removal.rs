//! The end of an image.
//!
//! The problem: Glance deletes an image that servers and volumes are built on without a word, and between any check
//! and the deletion somebody may start to use it. The idea: ask, then *deactivate* (from that answer on nobody, not
//! even an administrator, can make a server or volume from it), then ask again, and only then delete. Whoever got in
//! before the deactivation is found by the second question, and the image is given back as it was. A mark set in the
//! same PATCH that lifts the protection lets the next run recognise a removal that died in between. What this does not
//! solve: a use that was begun before the deactivation and is recorded by Nova only after the second question; Nova
//! records the server before it fetches the image, so that there is no such moment for servers.

use petgraph::graph::NodeIndex;

use super::machine::{Machine, Next, Outcome, deviation};
use super::request::{Answer, Failure, FailureKind, Request, Window};
use crate::model::image::{Attributes, Protection, Status};
use crate::model::name::SiteName;
use crate::model::operation::{Delete, with_marks};
use crate::model::ours::{Condemned, Marks};
use crate::model::usage::{Sighting, User};

#[derive(Debug, Clone, PartialEq)]
enum State {
    Reading,
    AskingFirst,
    Condemning,
    Deactivating,
    AskingAgain,
    Deleting,
    /// The answer to the deletion was lost or a refusal: is the image still there?
    Probing(Failure),
    /// Giving the image back: usable first, then with the attributes it had.
    Reactivating(Verdict),
    Restoring(Verdict),
}

/// Why an image is given back.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    Used(Vec<User>),
    Unknown(String),
    Refused(Failure),
}

/// Deletes one image that nothing uses.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    node: NodeIndex,
    site: SiteName,
    delete: Delete,
    state: State,
}

impl Removal {
    /// A removal.
    pub const fn new(node: NodeIndex, site: SiteName, delete: Delete) -> Self {
        Self { node, site, delete, state: State::Reading }
    }

    fn ask(&mut self, state: State, request: Request) -> Next {
        self.state = state;
        Next::Ask(request)
    }

    fn finish(&self, outcome: Outcome) -> Next {
        Next::Finished(vec![(self.node, outcome)])
    }

    fn read(&self) -> Request {
        Request::Read { site: self.site.clone(), id: self.delete.before().id().clone() }
    }

    fn usage(&self, window: Window) -> Request {
        Request::Usage {
            site: self.site.clone(),
            id: self.delete.before().id().clone(),
            audience: self.delete.audience(),
            snapshots: self.delete.snapshots(),
            window,
        }
    }

    fn patch(&self, from: Attributes, to: Attributes) -> Request {
        Request::Patch {
            site: self.site.clone(),
            id: self.delete.before().id().clone(),
            from: Box::new(from),
            to: Box::new(to),
        }
    }

    fn condemned(&self) -> Attributes {
        let before = self.delete.before();
        let marks = Marks { condemned: Condemned::Yes, ..before.marks().clone() };
        Attributes {
            protection: Protection::Unprotected,
            tags: with_marks(&before.attributes().tags, &marks),
            ..before.attributes().clone()
        }
    }

    /// The attributes to give the image back with: those it had, without the mark of a removal.
    fn given_back(&self) -> Attributes {
        let before = self.delete.before();
        let marks = Marks { condemned: Condemned::No, ..before.marks().clone() };
        Attributes { tags: with_marks(&before.attributes().tags, &marks), ..before.attributes().clone() }
    }

    fn condemn(&mut self) -> Next {
        let (from, to) = (self.delete.before().attributes().clone(), self.condemned());
        if from == to {
            return self.deactivate();
        }
        let request = self.patch(from, to);
        self.ask(State::Condemning, request)
    }

    fn deactivate(&mut self) -> Next {
        match self.delete.before().image().status {
            Status::Active => {
                let request = Request::Deactivate { site: self.site.clone(), id: self.delete.before().id().clone() };
                self.ask(State::Deactivating, request)
            }
            // Nothing can be made from an image without usable bytes.
            Status::Queued
            | Status::Saving
            | Status::Uploading
            | Status::Importing
            | Status::Deactivated
            | Status::Broken => {
                let request = self.usage(Window::Closed);
                self.ask(State::AskingAgain, request)
            }
        }
    }

    fn give_back(&mut self, verdict: Verdict) -> Next {
        match self.delete.before().image().status {
            Status::Active | Status::Deactivated => {
                let request = Request::Reactivate { site: self.site.clone(), id: self.delete.before().id().clone() };
                self.ask(State::Reactivating(verdict), request)
            }
            Status::Queued | Status::Saving | Status::Uploading | Status::Importing | Status::Broken => {
                self.restore(verdict)
            }
        }
    }

    fn restore(&mut self, verdict: Verdict) -> Next {
        let request = self.patch(self.condemned(), self.given_back());
        self.ask(State::Restoring(verdict), request)
    }

    fn verdict(&self, answer: Answer) -> Result<(), Verdict> {
        let usage = answer.usage().map_err(|failure| Verdict::Unknown(failure.message))?;
        match usage.sighting(self.delete.before().id()) {
            Sighting::Unused(_) => Ok(()),
            Sighting::InUse(users) => Err(Verdict::Used(users)),
            Sighting::Unknown(sources) => {
                let reasons: Vec<String> =
                    sources.into_iter().map(|(source, reason)| format!("{}: {reason}", source.0)).collect();
                Err(Verdict::Unknown(reasons.join("; ")))
            }
        }
    }
}

fn kept(verdict: Verdict, trouble: Option<&Failure>) -> Outcome {
    let with_trouble = |text: String| match trouble {
        Some(failure) => format!("{text}; giving it back failed: {}; run apply again", failure.message),
        None => text,
    };
    match verdict {
        Verdict::Used(users) => Outcome::Kept(users, with_trouble("it came into use meanwhile".to_owned())),
        Verdict::Unknown(reason) => {
            Outcome::Kept(Vec::new(), with_trouble(format!("who uses it cannot be told: {reason}")))
        }
        Verdict::Refused(failure) => {
            // Not given back, it is not as it was, however clear the first refusal.
            let kind = trouble.map_or(failure.kind, |_| FailureKind::HalfWay);
            Outcome::Failed(Failure { message: with_trouble(failure.message), kind })
        }
    }
}

impl Machine for Removal {
    fn next(&mut self, answer: Option<Answer>) -> Next {
        let Some(answer) = answer else {
            let request = self.read();
            return self.ask(State::Reading, request);
        };
        match self.state.clone() {
            State::Reading => match answer.image() {
                Ok(None) => self.finish(Outcome::Done(Some("somebody has deleted it meanwhile".to_owned()))),
                Ok(found) => {
                    if let Some(deviation) = deviation(found.as_deref(), self.delete.before().image()) {
                        return self.finish(Outcome::Stale(deviation));
                    }
                    let request = self.usage(Window::Open);
                    self.ask(State::AskingFirst, request)
                }
                Err(failure) => self.finish(Outcome::Failed(failure)),
            },
            State::AskingFirst => match self.verdict(answer) {
                Ok(()) => self.condemn(),
                Err(verdict) => self.finish(kept(verdict, None)),
            },
            State::Condemning => match answer.done() {
                Ok(()) => self.deactivate(),
                // Whether the mark is there or not: nothing else has happened, and the next run takes it away.
                Err(failure) => self.finish(Outcome::Failed(failure)),
            },
            State::Deactivating => match answer.done() {
                Ok(()) => {
                    let request = self.usage(Window::Closed);
                    self.ask(State::AskingAgain, request)
                }
                Err(failure) => self.give_back(Verdict::Refused(failure)),
            },
            State::AskingAgain => match self.verdict(answer) {
                Ok(()) => {
                    let request = Request::Delete { site: self.site.clone(), id: self.delete.before().id().clone() };
                    self.ask(State::Deleting, request)
                }
                Err(verdict) => self.give_back(verdict),
            },
            State::Deleting => match answer.done() {
                Ok(()) => self.finish(Outcome::Done(None)),
                Err(failure) => {
                    let request = self.read();
                    self.ask(State::Probing(failure), request)
                }
            },
            State::Probing(failure) => match answer.image() {
                Ok(None) => self.finish(Outcome::Done(None)),
                Ok(Some(_)) => self.give_back(Verdict::Refused(failure)),
                // Nobody can tell. It is marked: the next run finds it, or finds it gone.
                Err(Failure { message, .. }) => self.finish(Outcome::Failed(Failure {
                    kind: FailureKind::Unanswered,
                    message: format!("{}; and the image could not be read again: {message}", failure.message),
                })),
            },
            State::Reactivating(verdict) => match answer.done() {
                Ok(()) => self.restore(verdict),
                Err(trouble) => self.finish(kept(verdict, Some(&trouble))),
            },
            State::Restoring(verdict) => match answer.done() {
                Ok(()) => self.finish(kept(verdict, None)),
                Err(trouble) => self.finish(kept(verdict, Some(&trouble))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_changes_nothing_only_if_the_image_was_given_back() {
        let kind = |trouble: Option<Failure>| match kept(Verdict::Refused(Failure::refused("no")), trouble.as_ref()) {
            Outcome::Failed(failure) => Some(failure.kind),
            Outcome::Done(_) | Outcome::Staged(..) | Outcome::Kept(..) | Outcome::Stale(_) | Outcome::Skipped(_) => {
                None
            }
        };
        assert_eq!(kind(None), Some(FailureKind::Refused));
        assert_eq!(kind(Some(Failure::refused("not now"))), Some(FailureKind::HalfWay));
    }
}
