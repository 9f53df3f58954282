//! The one integration binary.

#[cfg(test)]
mod cli;
#[cfg(test)]
#[path = "../conformance/mod.rs"]
mod conformance;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod mirrors;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod publishers;
#[cfg(test)]
mod seasons;
#[cfg(test)]
mod support;
