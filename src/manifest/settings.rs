//! The smaller tables: boot test, import, guards, publishers.

use std::collections::BTreeMap;

use super::codes::Code;
use super::contents::{Import, ImportMethod, PublisherSettings};
use super::diagnostic::nearest;
use super::files::Presence;
use super::reader::{Value, shown};
use super::values::UrlUse;
use crate::model::desired::{BootNetwork, BootTest, Limits};
use crate::model::source::{Distro, LeastTrust};

/// Seconds that a boot test waits unless the file says otherwise.
const BOOT_PATIENCE: u64 = 600;

/// Reads `[boot_test]`.
pub(super) fn read_boot_test(value: Value<'_>) -> Option<BootTest> {
    let mut table = value.table("the boot test")?;
    let flavor = table.need("flavor").and_then(|value| value.filled());
    let network = table.take("network").and_then(|value| value.filled()).map(|network| match network {
        "none" => BootNetwork::None,
        "auto" => BootNetwork::Auto,
        named => BootNetwork::Network(named.to_owned()),
    });
    let timeout = table.take("timeout").and_then(|value| value.patience());
    let console = table.take("console").and_then(|value| value.pattern());
    table.finish();
    Some(BootTest {
        flavor: flavor?.to_owned(),
        network: network.unwrap_or(BootNetwork::None),
        timeout: timeout.unwrap_or(BOOT_PATIENCE),
        console,
    })
}

/// Reads `[import]`.
pub(super) fn read_import(value: Value<'_>) -> Option<Import> {
    let mut table = value.table("the import")?;
    let method = table.take("method").and_then(|value| value.word(ImportMethod::ALL, ImportMethod::name));
    let stores = table.take("stores").and_then(|value| value.distinct(|store| store.filled().map(str::to_owned)));
    table.finish();
    Some(Import { method: method.unwrap_or(ImportMethod::Upload), stores: stores.unwrap_or_default() })
}

/// Reads `[guards]`.
pub(super) fn read_guards(value: Value<'_>) -> Option<Limits> {
    let mut table = value.table("the guards")?;
    let deletions =
        table.take("max_deletes").and_then(|value| value.whole("a whole number of deletions", 0..=1_000_000));
    table.finish();
    Some(Limits { deletions: deletions.and_then(|number| usize::try_from(number).ok()) })
}

/// Reads `[publisher.*]`.
pub(super) fn read_publishers(value: Value<'_>) -> Option<BTreeMap<Distro, PublisherSettings>> {
    let publishers = value.table("`publisher`")?.entries().filter_map(|entry| {
        let distro = Distro::from_name(entry.key());
        if distro.is_none() {
            refuse_publisher(entry);
        }
        let settings = read_publisher(entry);
        Some((distro?, settings?))
    });
    Some(publishers.collect())
}

fn refuse_publisher(entry: Value<'_>) {
    let words = Distro::ALL.iter().map(|distro| distro.name());
    let detail = format!("unknown publisher `{}`", shown(entry.key()));
    let diagnostic = entry
        .context
        .diagnostic(Code::UnknownKey, entry.key_span(), detail)
        .label("not a publisher that gallerist knows");
    entry.context.report(match nearest(entry.key(), words.clone()) {
        Some(near) => diagnostic.suggest(entry.key_span(), near, "a publisher with a similar name exists"),
        None => diagnostic.help(format!("the publishers are: {}", words.collect::<Vec<_>>().join(", "))),
    });
}

fn read_publisher(entry: Value<'_>) -> Option<PublisherSettings> {
    let mut table = entry.table("a publisher")?;
    let settings = PublisherSettings {
        mirror: table.take("mirror").and_then(|value| value.url(UrlUse::Mirror)),
        keys: table
            .take("keys")
            .and_then(|value| value.list_of(|key| key.contained_file(Presence::Needed)))
            .unwrap_or_default(),
        trust: table.take("trust").and_then(|value| value.word(LeastTrust::ALL, LeastTrust::name)),
    };
    table.finish();
    Some(settings)
}
