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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{bounded, harm};

    #[test]
    fn links_of_every_server_are_names() {
        let html = r#"<a href="?C=N;O=D">Name</a> <a href="/images/">up</a> <a href='20260712-2537/'>x</a>
            <a href="./a.qcow2">x</a> <a href="/images/b.qcow2">x</a> <a href="https://elsewhere.example/c.img">x</a>
            <a href="../">x</a> <a href="d%20e">x</a> <a href=f>x</a> <a href="g"#;
        assert_eq!(Vec::from_iter(names(html)), ["20260712-2537", "a.qcow2", "b.qcow2", "c.img", "images"]);
    }

    #[test]
    fn any_page_is_read() {
        bounded(|| {
            proptest!(|(text in any::<String>(), links in "(href=|\"|'|/|[.]{2}|é|a|\\?){0,60}", harm in harm())| {
                let harmed = harm.done_to_text(&links);
                for text in [text, links, harmed] {
                    prop_assert!(names(&text).into_iter().all(names::is_path));
                }
            });
        });
    }
}
