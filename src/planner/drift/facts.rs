//! An image's attributes as facts, under OpenStack's own names.

use std::fmt::Display;

use crate::model::drift::{Fact, Facts};
use crate::model::image::{Attributes, Listing, Protection};
use crate::model::ours::is_mark;

/// The attributes of these names; what the image does not have is left out. `tags` are those that are not marks.
pub(super) fn of(attributes: &Attributes, names: &[String]) -> Facts {
    names.iter().filter_map(|name| Some((name.clone(), fact(attributes, name)?))).collect()
}

/// One fact alone.
pub(super) fn only(name: &str, fact: Fact) -> Facts {
    Facts::from([(name.to_owned(), fact)])
}

/// One text alone.
pub(super) fn text(name: &str, text: &dyn Display) -> Facts {
    only(name, Fact::Text(text.to_string()))
}

fn fact(attributes: &Attributes, name: &str) -> Option<Fact> {
    let Attributes { name: title, visibility, protection, listing, min_disk, min_ram, properties, tags } = attributes;
    Some(match name {
        "name" => Fact::Text(title.clone()),
        "visibility" => Fact::Text(visibility.name().to_owned()),
        "protected" => Fact::Flag(*protection == Protection::Protected),
        "os_hidden" => Fact::Flag(*listing == Listing::Hidden),
        "min_disk" => Fact::Number(*min_disk),
        "min_ram" => Fact::Number(*min_ram),
        "tags" => Fact::Texts(tags.iter().filter(|tag| !is_mark(tag)).cloned().collect()),
        property => Fact::Text(properties.get(property)?.clone()),
    })
}
