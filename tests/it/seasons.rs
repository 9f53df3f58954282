//! Scripted years.
