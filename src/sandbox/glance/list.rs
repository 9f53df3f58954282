//! Lists of images: who sees what, filters, order, pages.
//!
//! What surprises about the real thing is all here: the default list leaves out other projects' community images,
//! `visibility=all` adds them but never the hidden ones, names compare as MariaDB compares them, and `next` is there
//! whenever a page is full, so that the last page may be empty.

use std::cmp::Ordering;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::record::ImageRecord;
use super::{Glance, time};
use crate::model::image::Visibility;
use crate::sandbox::answer::{Answer, Call, Refusal, html, json_answer};

/// Images on a page if the client does not say.
const PAGE: usize = 25;
/// Images on a page at most; larger limits are cut silently.
const LARGEST_PAGE: usize = 1000;
const SORT_KEYS: [&str; 8] =
    ["name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at"];
/// Parameters that are no filters.
const NO_FILTERS: [&str; 8] =
    ["limit", "marker", "sort", "sort_key", "sort_dir", "visibility", "os_hidden", "member_status"];

/// Answers a list of images.
pub(super) fn list(glance: &Glance, call: &Call<'_>) -> Answer {
    let limit = read_limit(call)?;
    let order = Order::read(call)?;
    let scope = Scope::read(call)?;
    let filters = Filter::read_all(call)?;

    let mut found: Vec<&ImageRecord> = glance
        .images
        .values()
        .filter(|image| scope.has(image, call) && filters.iter().all(|filter| filter.accepts(image)))
        .collect();
    found.sort_by(|left, right| order.compare(left, right));
    if let Some(marker) = call.parameter("marker") {
        let here = glance.images.get(marker).filter(|image| image.is_visible_to(call.caller));
        let last = here
            .or_else(|| glance.deleted.get(marker))
            .ok_or_else(|| bad(&format!("No image found with ID {marker}")))?;
        found.retain(|image| order.compare(image, last) == Ordering::Greater);
    }
    found.truncate(limit);

    let images: Vec<Value> = found.iter().map(|image| image.view()).collect();
    let mut page = json!({"images": images, "first": link(call, None), "schema": "/v2/schemas/images"});
    if let Some(last) = found.last().filter(|_| found.len() == limit) {
        page["next"] = json!(link(call, Some(&last.id)));
    }
    Ok(json_answer(StatusCode::OK, &page))
}

fn read_limit(call: &Call<'_>) -> Result<usize, Refusal> {
    let Some(text) = call.parameter("limit") else { return Ok(PAGE) };
    let limit: i64 = text.parse().map_err(|_| bad("limit param must be an integer"))?;
    let limit = usize::try_from(limit).map_err(|_| bad("limit param must be positive"))?;
    Ok(limit.min(LARGEST_PAGE))
}

/// The path of a page, with every parameter of this one.
fn link(call: &Call<'_>, marker: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query.iter().filter(|(key, _)| key != "marker"));
    if let Some(marker) = marker {
        query.append_pair("marker", marker);
    }
    let query = query.finish();
    if query.is_empty() { "/v2/images".to_owned() } else { format!("/v2/images?{query}") }
}

fn bad(message: &str) -> Refusal {
    html(StatusCode::BAD_REQUEST, message)
}

/// Whose images are looked at.
struct Scope {
    visibility: Wanted,
    hidden: bool,
    member_status: String,
}

enum Wanted {
    Default,
    All,
    Only(Visibility),
}

impl Scope {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let visibility = match call.parameter("visibility") {
            None => Wanted::Default,
            Some("all") => Wanted::All,
            Some(word) => Visibility::from_name(word)
                .map(Wanted::Only)
                .ok_or_else(|| bad(&format!("Invalid visibility value: {word}")))?,
        };
        let hidden = call.parameter("os_hidden").map_or(Ok(false), |text| flag("os_hidden", text))?;
        let member_status = call.parameter("member_status").unwrap_or("accepted").to_owned();
        Ok(Self { visibility, hidden, member_status })
    }

    fn has(&self, image: &ImageRecord, call: &Call<'_>) -> bool {
        let caller = call.caller;
        let own = image.owner.as_deref() == Some(&caller.project_id);
        let reachable = match image.visibility {
            Visibility::Public => true,
            Visibility::Community => own || !matches!(self.visibility, Wanted::Default),
            Visibility::Shared => own || caller.is_admin() || self.was_accepted(image, &caller.project_id),
            Visibility::Private => own || caller.is_admin(),
        };
        let wanted = match self.visibility {
            Wanted::Default | Wanted::All => true,
            Wanted::Only(visibility) => image.visibility == visibility,
        };
        reachable && wanted && image.hidden == self.hidden
    }

    fn was_accepted(&self, image: &ImageRecord, project: &str) -> bool {
        let membership = image.members.get(project);
        membership.is_some_and(|member| self.member_status == "all" || member.status == self.member_status)
    }
}

/// One condition on an image.
struct Filter {
    key: String,
    condition: Condition,
}

enum Condition {
    /// One of these, compared as MariaDB does.
    OneOf(Vec<String>),
    /// A time before (`Less`), at or after another; with the orderings that satisfy it.
    Time(Timestamp, &'static [Ordering]),
    AtLeast(u64),
    AtMost(u64),
}

impl Filter {
    fn read_all(call: &Call<'_>) -> Result<Vec<Self>, Refusal> {
        let filters = call.query.iter().filter(|(key, _)| !NO_FILTERS.contains(&key.as_str()));
        filters.map(|(key, value)| Self::read(key, value)).collect()
    }

    fn read(key: &str, value: &str) -> Result<Self, Refusal> {
        let condition = match key {
            "created_at" | "updated_at" => read_time(key, value)?,
            "size_min" => Condition::AtLeast(read_size(key, value)?),
            "size_max" => Condition::AtMost(read_size(key, value)?),
            "protected" => Condition::OneOf(vec![flag(key, value)?.to_string()]),
            "name" | "id" | "status" | "disk_format" | "container_format" if value.starts_with("in:") => {
                Condition::OneOf(split_quoted(&value[3..]))
            }
            _ => Condition::OneOf(vec![value.to_owned()]),
        };
        Ok(Self { key: key.to_owned(), condition })
    }

    fn accepts(&self, image: &ImageRecord) -> bool {
        match &self.condition {
            Condition::AtLeast(size) => image.data.size.is_some_and(|found| found >= *size),
            Condition::AtMost(size) => image.data.size.is_some_and(|found| found <= *size),
            Condition::Time(limit, orderings) => {
                let found = if self.key == "created_at" { image.created_at } else { image.updated_at };
                orderings.contains(&found.as_second().cmp(&limit.as_second()))
            }
            Condition::OneOf(wanted) if self.key == "tag" => {
                image.tags.iter().any(|tag| wanted.iter().any(|wanted| equal(tag, wanted)))
            }
            Condition::OneOf(wanted) => {
                let found = image.attribute(&self.key);
                found.is_some_and(|found| wanted.iter().any(|wanted| equal(&found, wanted)))
            }
        }
    }
}

/// Equality as MariaDB's usual collations have it: neither case nor trailing blanks count.
fn equal(left: &str, right: &str) -> bool {
    folded(left) == folded(right)
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

fn flag(key: &str, text: &str) -> Result<bool, Refusal> {
    text.to_ascii_lowercase()
        .parse()
        .map_err(|_| bad(&format!("Invalid value '{text}' for '{key}' filter. Valid values are 'true' or 'false'.")))
}

fn read_size(key: &str, text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| bad(&format!("Invalid value '{text}' for '{key}' filter.")))
}

fn read_time(key: &str, text: &str) -> Result<Condition, Refusal> {
    let (operator, time) = text.split_once(':').filter(|(word, _)| word.len() <= 3).unwrap_or(("eq", text));
    let orderings: &[Ordering] = match operator {
        "eq" => &[Ordering::Equal],
        "neq" => &[Ordering::Less, Ordering::Greater],
        "gt" => &[Ordering::Greater],
        "gte" => &[Ordering::Greater, Ordering::Equal],
        "lt" => &[Ordering::Less],
        "lte" => &[Ordering::Less, Ordering::Equal],
        _ => return Err(bad(&format!("Unable to filter by unknown operator '{operator}'."))),
    };
    let time = time.parse().map_err(|_| bad(&format!("Invalid value '{time}' for '{key}' filter.")))?;
    Ok(Condition::Time(time, orderings))
}

/// The values of `"a, b","c"` and `a,b`: a comma between double quotes belongs to its value.
fn split_quoted(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(String::new()),
            _ => values.last_mut().into_iter().for_each(|value| value.push(character)),
        }
    }
    values
}

/// What a list is sorted by; newest first unless told otherwise.
struct Order(Vec<(String, Direction)>);

#[derive(Clone, Copy)]
enum Direction {
    Ascending,
    Descending,
}

impl Order {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let mut keys: Vec<(String, Direction)> = Vec::new();
        if let Some(sort) = call.parameter("sort") {
            for part in sort.split(',') {
                let (key, direction) = part.trim().split_once(':').unwrap_or((part.trim(), "desc"));
                keys.push((key.to_owned(), Direction::read(direction)?));
            }
        } else {
            let values = |name| call.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value);
            let mut directions = values("sort_dir").map(|word| Direction::read(word));
            let mut direction = Direction::Descending;
            for key in values("sort_key") {
                direction = directions.next().unwrap_or(Ok(direction))?;
                keys.push((key.clone(), direction));
            }
        }
        if let Some((key, _)) = keys.iter().find(|(key, _)| !SORT_KEYS.contains(&key.as_str())) {
            let known = SORT_KEYS.join(", ");
            return Err(bad(&format!("Invalid sort key: {key}. It must be one of the following: {known}.")));
        }
        for key in ["created_at", "id"] {
            keys.push((key.to_owned(), Direction::Descending));
        }
        Ok(Self(keys))
    }

    fn compare(&self, left: &ImageRecord, right: &ImageRecord) -> Ordering {
        let mut comparisons = self.0.iter().map(|(key, direction)| {
            let ordering = compare(key, left, right);
            match direction {
                Direction::Ascending => ordering,
                Direction::Descending => ordering.reverse(),
            }
        });
        comparisons.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Direction {
    fn read(word: &str) -> Result<Self, Refusal> {
        match word {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(bad(&format!("Invalid sort direction: {word}"))),
        }
    }
}

fn compare(key: &str, left: &ImageRecord, right: &ImageRecord) -> Ordering {
    let text = |image: &ImageRecord| match key {
        "name" => image.name.as_deref().map(folded),
        "status" => Some(image.status.name().to_owned()),
        "container_format" => image.container_format.clone(),
        "disk_format" => image.disk_format.clone(),
        "id" => Some(image.id.clone()),
        "created_at" => Some(time(image.created_at)),
        "updated_at" => Some(time(image.updated_at)),
        _ => None,
    };
    if key == "size" { left.data.size.cmp(&right.data.size) } else { text(left).cmp(&text(right)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_together() {
        assert_eq!(split_quoted(r#""a, b","c""#), ["a, b", "c"]);
        assert_eq!(split_quoted("a,b"), ["a", "b"]);
    }

    #[test]
    fn names_compare_as_the_database_does() {
        assert!(equal("Debian 12", "debian 12 "));
        assert!(!equal("Debian 12", " Debian 12"));
    }
}
