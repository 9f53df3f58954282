//! The one integration binary.

#[cfg(test)]
#[path = "../conformance/mod.rs"]
mod conformance;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod seasons;
#[cfg(test)]
mod support;
