//! Where the cloud and the catalogue disagree: which disagreement is of which class, and which of them ends a run how.

mod classes;
mod days;
