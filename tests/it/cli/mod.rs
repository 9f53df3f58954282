//! The command line, from outside: the real binary, on an embedded cloud of its own.
//!
//! What is asserted here is what scripts and people rely on: exit codes, which stream says what, that nothing is asked
//! of a cloud before it may be, and what must never be printed. What the words say is tested where they are made.

mod approval;
mod codes;
mod events;
mod interruption;
mod locks;
mod plans;
mod platforms;
mod words;
