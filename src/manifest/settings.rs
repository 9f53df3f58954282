//! The smaller tables: boot test, import, guards, publishers.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::codes::Code;
use super::contents::PublisherSettings;
use super::diagnostic::nearest;
use super::files::Presence;
use super::reader::{Value, shown};
use super::values::UrlUse;
use crate::model::desired::{BootNetwork, BootTest, Limits};
use crate::model::passage::{Converter, Method, Preferences};
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
pub(super) fn read_import(value: Value<'_>) -> Option<Preferences> {
    let mut table = value.table("the import")?;
    let methods =
        table.take("method").and_then(|value| one_or_several(value, |value| value.word(Method::ALL, Method::name)));
    let store = |value: Value<'_>| value.filled().map(str::to_owned);
    let stores_value = table.take("stores");
    let stores = stores_value.and_then(|value| value.distinct(store));
    let only_value = table.take("store");
    let only = only_value.and_then(store);
    if let (Some(one), Some(several)) = (only_value, stores_value) {
        one.context.report(
            one.diagnostic(Code::Twice, "`store` and `stores` say the same thing twice")
                .label("the one store")
                .related(several.span(), "the stores")
                .help("name all of them in `stores`"),
        );
    }
    let converter = table.take("convert").and_then(|value| value.word(Converter::ALL, Converter::name));
    table.finish();
    let defaults = Preferences::default();
    Some(Preferences {
        methods: methods.unwrap_or(defaults.methods),
        stores: stores.unwrap_or_else(|| only.into_iter().collect()),
        converter: converter.unwrap_or(defaults.converter),
        no_qemu_img: None,
    })
}

/// A value, or a list of at least one, none of them twice.
fn one_or_several(value: Value<'_>, read: impl Fn(Value<'_>) -> Option<Method>) -> Option<Vec<Method>> {
    if !matches!(value.raw(), DeValue::Array(_)) {
        return read(value).map(|method| vec![method]);
    }
    let several = value.distinct(read)?;
    if several.is_empty() && value.list().is_some_and(|list| list.is_empty()) {
        value.context.report(
            value
                .diagnostic(Code::EmptyList, "`method` lists no method")
                .label("needs at least one")
                .help("leave it out for `upload`, which every Glance takes"),
        );
    }
    (!several.is_empty()).then_some(several)
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
