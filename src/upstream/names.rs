//! Small readings that several publishers share: paths, version names, and the dates inside them.

use jiff::civil::Date;
use url::Url;

use super::{Ask, UpstreamError};
use crate::model::name::VersionName;

/// Whether a path that a publisher's file states leads downwards from where it is appended, and nowhere else.
pub(super) fn is_path(path: &str) -> bool {
    path.len() <= 500 && path.split('/').all(is_file_name)
}

/// Whether a text is the name of a file, and nothing that a URL would understand otherwise.
pub(super) fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().any(|character| character != '.')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "._+~-".contains(character))
}

/// The version of that name, if it is one that counts upwards by numbers: it begins with a digit.
pub(super) fn version(name: &str) -> Option<VersionName> {
    name.starts_with(|first: char| first.is_ascii_digit()).then(|| VersionName::parse(name).ok()).flatten()
}

/// The first part of eight digits in a version's name that is a date.
pub(super) fn date(version: &str) -> Option<Date> {
    version
        .split(|character: char| !character.is_ascii_digit())
        .filter(|part| part.len() == 8)
        .find_map(|part| Date::strptime("%Y%m%d", part).ok())
}

/// What lies at this path below a folder. The path must be one that [`is_path`], or a folder's.
pub(super) fn below(folder: &Url, path: &str) -> Url {
    let mut url = folder.clone();
    url.set_path(&format!("{}/{path}", folder.path().trim_end_matches('/')));
    url
}

/// The release, for publishers whose releases are numbers and parts of paths.
pub(super) fn release(ask: &Ask) -> Result<&str, UpstreamError> {
    let release = ask.release()?;
    let numbers = !release.is_empty()
        && release.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.then_some(release).ok_or_else(|| UpstreamError::missing(ask.to_string(), ["releases by number"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_downwards() {
        for good in ["a", "server/releases/noble/release-20260725/x_1.2+3~4.img", "v3.23/..."] {
            assert_eq!(is_path(good), good != "v3.23/...", "{good}");
        }
        for bad in ["", "/a", "a//b", "../a", "a/../b", "a/./b", "https://x", "a?b", "a#b", "a%2e", "a\\b", "a b", "é"]
        {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn versions_count_and_dates_are_real() {
        assert_eq!(version("latest"), None);
        assert_eq!(version("ext4-9.8-20260526"), None);
        assert!(version("9.8-20260526.0").is_some());
        assert_eq!(date("44.20260628.3.1"), Some(jiff::civil::date(2026, 6, 28)));
        assert_eq!(date("20261399-1"), None);
        assert_eq!(date("3.23.4-r0"), None);
    }
}
