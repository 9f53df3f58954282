//! How a piece of work goes: ask, hear the answer, ask again, until there is an outcome.

use petgraph::graph::NodeIndex;

pub use super::request::Failure;
use super::request::{Answer, Request};
use crate::model::image::{Attributes, Image};
use crate::model::name::SiteName;
use crate::model::operation::{Activation, is_service_property};
use crate::model::ours::OwnedImage;
use crate::model::usage::User;

/// What a machine does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// It wants this done, and the answer.
    Ask(Request),
    /// It has ended; what became of each step it was responsible for.
    Finished(Vec<(NodeIndex, Outcome)>),
}

/// A piece of work between two requests. It holds everything it needs to know, so that a crash is simply a machine
/// that is never asked again.
pub trait Machine {
    /// Takes the answer to the last request (none at the start) and says what comes next.
    fn next(&mut self, answer: Option<Answer>) -> Next;
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done; a remark where it was not quite what the plan expected.
    Done(Option<String>),
    /// The image is there and verified, and nobody sees it yet.
    Staged(Box<Image>, Option<crate::model::operation::Delivered>),
    /// It was not done.
    Failed(Failure),
    /// The image is not what the plan saw; nothing was done to it.
    Stale(String),
    /// A deletion that was taken back, because of these users or because they could not be told.
    Kept(Vec<User>, String),
    /// It was not begun, because of another step.
    Skipped(String),
}

impl Outcome {
    /// Whether what depends on the step may go on.
    pub const fn is_good(&self) -> bool {
        match self {
            Self::Done(_) | Self::Staged(..) => true,
            Self::Failed(_) | Self::Stale(_) | Self::Kept(..) | Self::Skipped(_) => false,
        }
    }
}

/// How an image differs from what the plan saw; nothing, if it does not.
pub(super) fn deviation(found: Option<&Image>, planned: &Image) -> Option<String> {
    let Some(found) = found else { return Some("the image is gone".to_owned()) };
    let managed = |attributes: &Attributes| {
        let mut attributes = attributes.clone();
        attributes.properties.retain(|name, _| !is_service_property(name));
        attributes
    };
    let (now, then) = (managed(&found.attributes), managed(&planned.attributes));
    if found.owner != planned.owner {
        Some("the image has another owner now".to_owned())
    } else if found.status != planned.status {
        Some(format!("its status was {}, now it is {}", planned.status, found.status))
    } else if now.name != then.name {
        Some(format!("its name was `{}`, now it is `{}`", then.name, now.name))
    } else if now.visibility != then.visibility {
        Some(format!("its visibility was {}, now it is {}", then.visibility, now.visibility))
    } else if now != then {
        Some("its protection, properties or tags were changed meanwhile".to_owned())
    } else {
        None
    }
}

/// An image that gets new attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The step it is.
    pub node: NodeIndex,
    /// Where.
    pub site: SiteName,
    /// What the plan saw.
    pub before: OwnedImage,
    /// What it gets.
    pub after: Attributes,
    /// Whether it must be made usable first.
    pub activation: Activation,
}

impl Change {
    pub(super) fn read(&self) -> Request {
        Request::Read { site: self.site.clone(), id: self.before.id().clone() }
    }

    pub(super) fn patch(&self) -> Request {
        patch(&self.site, &self.before, self.before.attributes(), &self.after)
    }

    pub(super) fn patch_back(&self) -> Request {
        patch(&self.site, &self.before, &self.after, self.before.attributes())
    }
}

fn patch(site: &SiteName, image: &OwnedImage, from: &Attributes, to: &Attributes) -> Request {
    Request::Patch {
        site: site.clone(),
        id: image.id().clone(),
        from: Box::new(from.clone()),
        to: Box::new(to.clone()),
    }
}
