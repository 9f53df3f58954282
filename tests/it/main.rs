//! The one integration binary.

#[cfg(test)]
mod drift;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod seasons;
#[cfg(test)]
mod support;
