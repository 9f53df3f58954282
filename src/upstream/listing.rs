//! The names in a directory listing, as web servers write them.
//!
//! Apache, nginx, lighttpd and the mirror redirectors agree on one thing: each entry is a link. So the targets of all
//! links are taken, cut down to their last part, and whoever asked picks the names whose form it knows. A link that
//! leads elsewhere can at worst add a name that does not exist.

use std::collections::BTreeSet;

use super::names;

/// The names that a listing links to, folders without their slash. Names that would have to be written otherwise in a
/// URL are passed over; no publisher has any.
pub(super) fn names(html: &str) -> BTreeSet<&str> {
    html.split("href=")
        .skip(1)
        .filter_map(|rest| {
            let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let target = rest[1..].split_once(quote)?.0;
            let name = target.trim_end_matches('/').rsplit('/').next()?;
            names::is_file_name(name).then_some(name)
        })
        .collect()
}
