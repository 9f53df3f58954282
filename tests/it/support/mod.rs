//! What the tests of decisions share.
//!
//! `laws` says what must hold in every world, `policies` holds the six rotation policies that operators publish,
//! `world` builds whole worlds out of the small descriptions of `spec`, `draw` draws random ones, `sim` is a cloud that moves: tenants
//! boot, publishers publish, days pass, and plans are played in any order their edges allow. `arena` is the smallest
//! cloud, and `appliers` the model of what can happen on it. `dice` is chance. Nothing here asks the planner for its opinion: an oracle that shares code with
//! what it judges judges nothing.
//!
//! `stage` and `gallery` are the binary on an embedded cloud, `watch` is somebody who looks at it before every request.

pub(crate) mod appliers;
pub(crate) mod arena;
pub(crate) mod dice;
pub(crate) mod draw;
pub(crate) mod gallery;
pub(crate) mod laws;
pub(crate) mod policies;
pub(crate) mod sim;
pub(crate) mod spec;
pub(crate) mod stage;
pub(crate) mod telling;
pub(crate) mod watch;
pub(crate) mod world;
