//! The one integration binary.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod seasons;
#[cfg(test)]
mod support;
