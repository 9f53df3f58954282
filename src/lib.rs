//! gallerist keeps a catalogue of distribution images in front of an OpenStack cloud's tenants.
//!
//! The modules in the order in which data flows through them:
//!
//! ```text
//! images.toml ──▶ manifest ──▶ upstream ─┐ Desired
//!                                        ├─▶ planner ─▶ Plan ─▶ render
//! clouds.yaml ──▶ openstack ─────────────┘ Observed       └───▶ apply ─▶ openstack, transfer
//! ```
//!
//! `snapshot` is a cloud in a file, in the place of `openstack`, for plans without credentials.
//!
//! `model` holds the nouns all of them share; `commands` wires one verb a file; `sandbox` is a small OpenStack in the
//! process, for `demo`, `sandbox` and the tests.

pub mod apply;
pub mod cli;
pub mod commands;
pub mod exit;
pub mod manifest;
pub mod model;
pub mod openstack;
pub mod planner;
pub mod render;
pub mod sandbox;
pub mod snapshot;
pub mod transfer;
pub mod upstream;
