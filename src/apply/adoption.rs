//! The adoption of an image: marks for one that has none.
//!
//! The image is read again and must be, to the last tag, what the plan saw; then one PATCH writes the tags. If the
//! answer is lost, the image is read to see what happened. Whoever dies in between has either adopted it or not.

use petgraph::graph::NodeIndex;

use super::handover::arrived;
use super::machine::{Machine, Next, Outcome, deviation};
use super::request::{Answer, Failure, Request};
use crate::model::adoption::Adopt;
use crate::model::name::SiteName;

#[derive(Debug, Clone, PartialEq)]
enum State {
    Reading,
    Marking,
    /// The answer was lost: does it carry the marks?
    Probing(Failure),
}

/// Gives an image its marks.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    node: NodeIndex,
    site: SiteName,
    adopt: Adopt,
    state: State,
}

impl Adoption {
    /// An adoption.
    pub fn new(node: NodeIndex, site: SiteName, adopt: Adopt) -> Self {
        Self { node, site, adopt, state: State::Reading }
    }

    fn read(&mut self, state: State) -> Next {
        self.state = state;
        Next::Ask(Request::Read { site: self.site.clone(), id: self.adopt.before().id().clone() })
    }

    fn mark(&mut self) -> Next {
        self.state = State::Marking;
        let image = self.adopt.before().image();
        Next::Ask(Request::Patch {
            site: self.site.clone(),
            id: image.id.clone(),
            from: Box::new(image.attributes.clone()),
            to: Box::new(self.adopt.after().clone()),
        })
    }

    fn finish(&self, outcome: Outcome) -> Next {
        Next::Finished(vec![(self.node, outcome)])
    }
}

impl Machine for Adoption {
    fn next(&mut self, answer: Option<Answer>) -> Next {
        let Some(answer) = answer else { return self.read(State::Reading) };
        match self.state.clone() {
            State::Reading => match answer.image() {
                Ok(found) => match deviation(found.as_deref(), self.adopt.before().image()) {
                    None => self.mark(),
                    Some(deviation) => self.finish(Outcome::Stale(deviation)),
                },
                Err(failure) => self.finish(Outcome::Failed(failure)),
            },
            State::Marking => match answer.done() {
                Ok(()) => self.finish(Outcome::Done(None)),
                Err(failure) => self.read(State::Probing(failure)),
            },
            State::Probing(failure) => match answer.image() {
                Ok(Some(image)) if arrived(&image, self.adopt.after()) => self.finish(Outcome::Done(None)),
                Ok(_) | Err(_) => self.finish(Outcome::Failed(failure)),
            },
        }
    }
}
