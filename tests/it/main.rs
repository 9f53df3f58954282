//! The one integration binary.

#[cfg(test)]
mod adoption;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod commands;
#[path = "../conformance/mod.rs"]
mod conformance;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod mirrors;
#[cfg(test)]
mod misfortunes;
#[cfg(test)]
mod model_check;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod publishers;
#[cfg(test)]
mod races;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod seasons;
#[cfg(test)]
mod signers;
#[cfg(test)]
mod support;
#[cfg(test)]
mod twin;
#[cfg(test)]
mod workflows;
