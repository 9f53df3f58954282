//! The hand-over of the public name, and every other change of attributes.
//!
//! The problem: Glance cannot swap two names in one request, and tenants who boot by name must never find none. The
//! idea: everything is read and compared first; then two PATCH requests follow each other with nothing in between: the
//! new version gets name and visibility, then the old one loses them. For the length of one request two images bear
//! the name, at no time none. If the old one refuses, the new one is taken back. If an answer is lost, the image is
//! read to see what happened. What this does not solve: a crash between the two; the next plan sees two shown versions
//! and finishes it.

use petgraph::graph::NodeIndex;

use super::machine::{Change, Machine, Next, Outcome, deviation};
use super::request::{Answer, Failure, FailureKind, Request};
use crate::model::image::{Attributes, Image};
use crate::model::name::{ImageId, SiteName};
use crate::model::operation::Activation;

/// Who gets the name.
#[derive(Debug, Clone, PartialEq)]
pub enum Newcomer {
    /// An image that was delivered a moment ago and read back since.
    Delivered {
        /// The step that creates it.
        node: NodeIndex,
        /// Where.
        site: SiteName,
        /// The image as it was read back.
        image: Box<Image>,
        /// What it gets.
        after: Box<Attributes>,
    },
    /// An image that was there before.
    Known(Box<Change>),
    /// Nobody: the change concerns no public name.
    Nobody,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    ReadingNew,
    ReadingOld(usize),
    Reactivating(usize),
    Showing,
    /// The answer was lost: is the new version shown?
    ProbingNew(Failure),
    Hiding(usize),
    /// The answer was lost: has the old version lost the name?
    ProbingOld(usize, Failure),
    /// Giving the name back to an old version that had lost it.
    RestoringOld(usize, Failure),
    /// Taking the name back from the new version.
    RestoringNew(Failure),
}

/// Gives the name to one image and takes it from others; without a newcomer, merely changes attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct HandOver {
    new: Newcomer,
    old: Vec<Change>,
    outcomes: Vec<Option<Outcome>>,
    state: State,
}

impl HandOver {
    /// A hand-over.
    pub fn new(new: Newcomer, old: Vec<Change>) -> Self {
        let count = old.len();
        Self { new, old, outcomes: vec![None; count], state: State::ReadingNew }
    }

    fn ask(&mut self, state: State, request: Request) -> Next {
        self.state = state;
        Next::Ask(request)
    }

    fn new_id(&self) -> Option<(&SiteName, &ImageId)> {
        match &self.new {
            Newcomer::Delivered { site, image, .. } => Some((site, &image.id)),
            Newcomer::Known(change) => Some((&change.site, change.before.id())),
            Newcomer::Nobody => None,
        }
    }

    fn new_after(&self) -> Option<&Attributes> {
        match &self.new {
            Newcomer::Delivered { after, .. } => Some(after),
            Newcomer::Known(change) => Some(&change.after),
            Newcomer::Nobody => None,
        }
    }

    fn patch_new(&self, back: Direction) -> Option<Request> {
        match (&self.new, back) {
            (Newcomer::Delivered { site, image, after, .. }, direction) => {
                let (there, here) = (after.clone(), Box::new(image.attributes.clone()));
                let (from, to) = match direction {
                    Direction::Forth => (here, there),
                    Direction::Back => (there, here),
                };
                Some(Request::Patch { site: site.clone(), id: image.id.clone(), from, to })
            }
            (Newcomer::Known(change), Direction::Forth) => Some(change.patch()),
            (Newcomer::Known(change), Direction::Back) => Some(change.patch_back()),
            (Newcomer::Nobody, _) => None,
        }
    }

    /// Reads the next old version, or begins.
    fn read_old(&mut self, index: usize) -> Next {
        match self.old.get(index) {
            Some(change) => {
                let request = change.read();
                self.ask(State::ReadingOld(index), request)
            }
            None => self.reactivate(0),
        }
    }

    /// Makes usable what a broken-off deletion left unusable, then shows the new version.
    fn reactivate(&mut self, from: usize) -> Next {
        let changes: Vec<&Change> = self.changes().collect();
        let found = (from..changes.len()).find(|index| changes[*index].activation == Activation::Reactivate);
        match found {
            Some(index) => {
                let (site, id) = (changes[index].site.clone(), changes[index].before.id().clone());
                self.ask(State::Reactivating(index), Request::Reactivate { site, id })
            }
            None => self.show(),
        }
    }

    fn changes(&self) -> impl Iterator<Item = &Change> {
        let known = match &self.new {
            Newcomer::Known(change) => Some(&**change),
            Newcomer::Delivered { .. } | Newcomer::Nobody => None,
        };
        known.into_iter().chain(&self.old)
    }

    fn show(&mut self) -> Next {
        match self.patch_new(Direction::Forth) {
            Some(request) => self.ask(State::Showing, request),
            None => self.hide(0),
        }
    }

    /// Takes the name from the next old version, or ends.
    fn hide(&mut self, from: usize) -> Next {
        match (from..self.old.len()).find(|index| self.outcomes[*index].is_none()) {
            Some(index) => {
                let request = self.old[index].patch();
                self.ask(State::Hiding(index), request)
            }
            None => self.finish(&Outcome::Done(None)),
        }
    }

    fn hidden(&mut self, index: usize) -> Next {
        self.outcomes[index] = Some(Outcome::Done(None));
        self.hide(index + 1)
    }

    /// Goes back: first every old version that has lost the name gets it again, then the new one gives it up.
    fn restore(&mut self, below: usize, why: Failure) -> Next {
        let done = (0..below).rev().find(|index| self.outcomes[*index] == Some(Outcome::Done(None)));
        if let Some(index) = done {
            let request = self.old[index].patch_back();
            return self.ask(State::RestoringOld(index, why), request);
        }
        match self.patch_new(Direction::Back) {
            Some(request) => self.ask(State::RestoringNew(why), request),
            None => self.finish(&Outcome::Failed(why)),
        }
    }

    /// Ends without having changed anything.
    fn stop(&mut self, outcome: &Outcome) -> Next {
        self.outcomes.iter_mut().for_each(|slot| *slot = Some(outcome.clone()));
        self.finish(outcome)
    }

    fn finish(&self, new: &Outcome) -> Next {
        let node = match &self.new {
            Newcomer::Delivered { node, .. } => Some(*node),
            Newcomer::Known(change) => Some(change.node),
            Newcomer::Nobody => None,
        };
        let old = self
            .old
            .iter()
            .zip(&self.outcomes)
            .map(|(change, outcome)| (change.node, outcome.clone().unwrap_or_else(|| new.clone())));
        // A delivered image is there, whatever became of its name.
        let new = match (&self.new, new) {
            (Newcomer::Delivered { .. }, Outcome::Failed(failure)) => Outcome::Failed(failure.clone().half_way()),
            (Newcomer::Delivered { .. }, Outcome::Stale(why)) => {
                Outcome::Failed(Failure::refused(format!("not shown: {why}")).half_way())
            }
            (_, new) => new.clone(),
        };
        Next::Finished(node.map(|node| (node, new)).into_iter().chain(old).collect())
    }

    fn read_new(&mut self) -> Next {
        match &self.new {
            Newcomer::Known(change) => {
                let request = change.read();
                self.ask(State::ReadingNew, request)
            }
            Newcomer::Delivered { .. } | Newcomer::Nobody => self.read_old(0),
        }
    }

    /// Compares an image that may have changed since the plan with what the plan saw.
    fn compared(&mut self, which: Which, answer: Answer) -> Next {
        let change = match (which, &self.new) {
            (Which::New, Newcomer::Known(change)) => change,
            (Which::Old(index), _) => &self.old[index],
            (Which::New, Newcomer::Delivered { .. } | Newcomer::Nobody) => return self.read_old(0),
        };
        match answer.image() {
            Ok(found) => match (deviation(found.as_deref(), change.before.image()), which, found) {
                (None, Which::New, _) => self.read_old(0),
                (None, Which::Old(index), _) => self.read_old(index + 1),
                // An old version that somebody deleted has nothing left to give up; the new one is needed all the more.
                (Some(_), Which::Old(index), None) if !matches!(self.new, Newcomer::Nobody) => {
                    self.outcomes[index] = Some(Outcome::Done(Some("somebody has deleted it meanwhile".to_owned())));
                    self.read_old(index + 1)
                }
                (Some(deviation), _, _) => self.stop(&Outcome::Stale(deviation)),
            },
            Err(failure) => self.stop(&Outcome::Failed(failure)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Forth,
    Back,
}

#[derive(Debug, Clone, Copy)]
enum Which {
    New,
    Old(usize),
}

/// Whether an image that was read back has these attributes: what settles a lost answer.
pub(super) fn arrived(image: &Image, wanted: &Attributes) -> bool {
    let found = &image.attributes;
    found.name == wanted.name && found.visibility == wanted.visibility && found.tags == wanted.tags
}

impl Machine for HandOver {
    fn next(&mut self, answer: Option<Answer>) -> Next {
        let Some(answer) = answer else { return self.read_new() };
        match self.state.clone() {
            State::ReadingNew => self.compared(Which::New, answer),
            State::ReadingOld(index) => self.compared(Which::Old(index), answer),
            State::Reactivating(index) => match answer.done() {
                Ok(()) => self.reactivate(index + 1),
                Err(failure) => self.stop(&Outcome::Failed(failure)),
            },
            State::Showing => match (answer.done(), self.new_id()) {
                (Ok(()), _) => self.hide(0),
                (Err(failure), Some((site, id))) => {
                    let request = Request::Read { site: site.clone(), id: id.clone() };
                    self.ask(State::ProbingNew(failure), request)
                }
                (Err(failure), None) => self.stop(&Outcome::Failed(failure)),
            },
            State::ProbingNew(failure) => match (answer.image(), self.new_after()) {
                (Ok(Some(image)), Some(wanted)) if arrived(&image, wanted) => self.hide(0),
                (Ok(_) | Err(_), _) => self.stop(&Outcome::Failed(failure)),
            },
            State::Hiding(index) => match answer.done() {
                Ok(()) => self.hidden(index),
                Err(failure) => {
                    let request = self.old[index].read();
                    self.ask(State::ProbingOld(index, failure), request)
                }
            },
            State::ProbingOld(index, failure) => match answer.image() {
                Ok(None) => {
                    self.outcomes[index] = Some(Outcome::Done(Some("somebody has deleted it meanwhile".to_owned())));
                    self.hide(index + 1)
                }
                Ok(Some(image)) if arrived(&image, &self.old[index].after) => self.hidden(index),
                Ok(Some(_)) => {
                    self.outcomes[index] = Some(Outcome::Failed(failure.clone()));
                    self.restore(index, failure)
                }
                // Nobody can tell whether it still has the name. The new one has it for certain: stay there.
                Err(_) => {
                    self.outcomes[index] = Some(Outcome::Failed(failure));
                    self.hide(index + 1)
                }
            },
            State::RestoringOld(index, why) => match answer.done() {
                Ok(()) => {
                    self.outcomes[index] = Some(Outcome::Failed(why.clone()));
                    self.restore(index, why)
                }
                // An old version that cannot get its name back: the new one must keep it.
                Err(then) => self.finish(&Outcome::Failed(joined(&why, &then))),
            },
            State::RestoringNew(why) => match answer.done() {
                Ok(()) => self.finish(&Outcome::Failed(why)),
                Err(then) => self.finish(&Outcome::Failed(joined(&why, &then))),
            },
        }
    }
}

fn joined(why: &Failure, then: &Failure) -> Failure {
    Failure {
        // What was done stays done, however clear the refusals.
        kind: FailureKind::HalfWay,
        message: format!("{}; and going back failed: {}; run apply again", why.message, then.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_cannot_go_back_has_changed_something() {
        let failure = joined(&Failure::refused("no"), &Failure::refused("not now"));
        assert_eq!(failure.kind, FailureKind::HalfWay);
    }
}
