//! The suite against a real OpenStack: Keystone, Glance in two regions, Nova, Placement and Cinder.
//!
//! `tests/openstack/up` brings that cloud up; README.md beside it tells how. Without it every test here fails: a suite
//! that skips itself would report a success that nobody has seen. Plain `cargo test` leaves it out.
//!
//! To add a theme: a file beside this one, its line below, and tests that begin with `Cloud::shared()`, or with
//! `Cloud::alone()` where they stop a service or count what is there. Tests run side by side in one cloud, so each names
//! its own images (and its own catalogue). The scenarios of `tests/conformance` clear away what they made; the rest is
//! `down --wipe`'s business.

#[path = "../conformance/mod.rs"]
mod conformance;
mod lab;
mod mission;
mod promises;
mod support;
