//! One output format a file.
//!
//! This room turns values into text: nothing here decides, asks or reads. Foreign text is escaped for the sink it goes
//! to. To add a format: one file, and its line here.

pub mod diagnostics;
