//! Nouns. No I/O, no async, no clock.
//!
//! Everything the other rooms talk about, made so that what must not be cannot be written down: a foreign image is
//! no operand, a deletion carries its evidence, a digest is strong.

pub mod adoption;
pub mod desired;
pub mod digest;
pub mod drift;
pub mod image;
pub mod lifecycle;
pub mod name;
pub mod observed;
pub mod operation;
pub mod ours;
pub mod packages;
pub mod passage;
pub mod plan;
pub mod reason;
pub mod source;
pub mod template;
#[cfg(test)]
pub(crate) mod testing;
pub mod usage;
pub mod version;
