//! The one integration binary.

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
