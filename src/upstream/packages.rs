//! The packages inside an image, as its publisher lists them: names and versions, to say what a new build changes.
//!
//! | dialect | line |
//! | --- | --- |
//! | Ubuntu's `.manifest` | `name<TAB>version` |
//! | Debian's build JSON | `items[kind=Build].data.packages[]`, each with `name` and `version` |
//! | Flatcar's `_packages.txt` | `category/name-version::repository` |
//!
//! The lists are for people to read; nothing is decided by them, and so nothing has to vouch for them. Their size has a
//! bound, and so has what is shown of each name.

use serde_json::Value;
use url::Url;

use super::UpstreamError;
use super::fetch::{Expected, Fetch};
use super::outlet::{json, utf8};
use crate::model::packages::Packages;
use crate::model::version::{PackageDialect, PackageList};

/// The longest list that is read: five times the longest seen, which was Debian's.
const LONGEST: usize = 4 << 20;
/// Longer names and versions are no names and versions.
const LONGEST_WORD: usize = 200;

/// Fetches and reads a package list.
///
/// # Errors
/// [`UpstreamError`]: it cannot be read, or is not in its dialect.
pub async fn packages(list: &PackageList, fetch: &Fetch) -> Result<Packages, UpstreamError> {
    let url = Url::parse(&list.url).map_err(|error| UpstreamError::unreadable(&list.url.escape_debug(), error))?;
    let bytes = fetch.get(&url, Expected::Data).await?;
    if bytes.len() > LONGEST {
        return Err(UpstreamError::unreadable(&url, format_args!("it is longer than {} MiB", LONGEST >> 20)));
    }
    read(&url, utf8(&url, &bytes)?, list.dialect)
}

fn read(url: &Url, text: &str, dialect: PackageDialect) -> Result<Packages, UpstreamError> {
    let mut packages: Packages = match dialect {
        PackageDialect::UbuntuManifest => text.lines().filter_map(ubuntu).collect(),
        PackageDialect::DebianBuild => debian(&json(url, text)?),
        PackageDialect::FlatcarPackages => text.lines().filter_map(flatcar).collect(),
    };
    packages.retain(|name, version| name.len() <= LONGEST_WORD && version.len() <= LONGEST_WORD);
    if packages.is_empty() { Err(UpstreamError::unreadable(url, "it lists no packages")) } else { Ok(packages) }
}

fn ubuntu(line: &str) -> Option<(String, String)> {
    let (name, version) = line.split_once('\t')?;
    Some((name.trim().to_owned(), version.trim().to_owned())).filter(|(name, _)| !name.is_empty())
}

fn debian(list: &Value) -> Packages {
    let builds = list.pointer("/items").and_then(Value::as_array).into_iter().flatten();
    let packages = builds
        .filter(|item| item.get("kind").and_then(Value::as_str) == Some("Build"))
        .filter_map(|item| item.pointer("/data/packages").and_then(Value::as_array))
        .flatten();
    let word = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    packages.filter_map(|package| Some((word(package, "name")?, word(package, "version")?))).collect()
}

/// In Gentoo's names the version begins at the last dash that a digit follows, the revision `-r1` being part of it.
fn flatcar(line: &str) -> Option<(String, String)> {
    let package = line.trim().split("::").next()?;
    let revision = package.rfind("-r").filter(|at| {
        let digits = &package[at + 2..];
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let stem = &package[..revision.unwrap_or(package.len())];
    let at = stem.rfind('-').filter(|at| stem[at + 1..].starts_with(|first: char| first.is_ascii_digit()))?;
    Some((package[..at].to_owned(), package[at + 1..].to_owned())).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::testing::{bounded, harm};

    const BUILD: &str = r#"{"items": [
        {"kind": "Upload", "data": {"packages": [{"name": "no", "version": "1"}]}},
        {"kind": "Build", "data": {"packages": [{"name": "apt", "version": "2.6.1"}, {"name": "bad"}]}}]}"#;

    fn url() -> Url {
        Url::parse("https://publisher.example/list").unwrap()
    }

    fn pairs(text: &str, dialect: PackageDialect) -> Vec<(String, String)> {
        read(&url(), text, dialect).unwrap().into_iter().collect()
    }

    fn pair(name: &str, version: &str) -> (String, String) {
        (name.to_owned(), version.to_owned())
    }

    #[test]
    fn each_dialect_is_read() {
        let manifest = "adduser\t3.137ubuntu1\nlibc6:arm64\t2.39-0ubuntu8\n";
        assert_eq!(
            pairs(manifest, PackageDialect::UbuntuManifest),
            [pair("adduser", "3.137ubuntu1"), pair("libc6:arm64", "2.39-0ubuntu8")]
        );
        assert_eq!(pairs(BUILD, PackageDialect::DebianBuild), [pair("apt", "2.6.1")]);
        let flatcar =
            "app-alternatives/awk-4::portage-stable\nsys-libs/glibc-2.41-r6::coreos\nx11-libs/gtk+-3::x\nodd\n";
        assert_eq!(
            pairs(flatcar, PackageDialect::FlatcarPackages),
            [pair("app-alternatives/awk", "4"), pair("sys-libs/glibc", "2.41-r6"), pair("x11-libs/gtk+", "3")]
        );
    }

    #[test]
    fn a_list_of_nothing_is_no_list() {
        for dialect in [PackageDialect::UbuntuManifest, PackageDialect::FlatcarPackages] {
            assert!(read(&url(), "nothing here\n", dialect).is_err());
        }
        assert!(read(&url(), "{}", PackageDialect::DebianBuild).is_err());
    }

    #[test]
    fn any_text_is_read_or_refused() {
        bounded(|| {
            proptest!(|(text in any::<String>(), lines in "([a-z:/+\t-]|-r|[0-9]|::|\n|é){0,80}", harm in harm())| {
                for text in [text, harm.done_to_text(&lines), harm.done_to_text(BUILD), lines] {
                    read(&url(), &text, PackageDialect::UbuntuManifest).ok();
                    read(&url(), &text, PackageDialect::DebianBuild).ok();
                    read(&url(), &text, PackageDialect::FlatcarPackages).ok();
                }
            });
        });
    }
}
