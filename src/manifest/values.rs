//! Values with a form of their own: names, templates, lengths of time, digests, URLs.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Span, SpanRelativeTo};
use toml::de::DeValue;
use url::Url;

use super::codes::Code;
use super::reader::{Value, shown};
use crate::model::digest::{Algorithm, Digest};
use crate::model::lifecycle::Age;
use crate::model::name::{ImageName, InvalidName, SiteName};
use crate::model::template::{Template, Variable};

/// Query parameters that make a URL a secret: Amazon S3 (versions 4 and 2), Google, Azure, Swift, and common words.
const SIGNED_QUERY: [&str; 7] =
    ["x-amz-signature", "signature", "x-goog-signature", "sig", "temp_url_sig", "token", "access_token"];

/// What a URL is for, which decides what it may contain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlUse {
    /// It names one file.
    File,
    /// Paths are appended to it.
    Mirror,
}

impl<'a> Value<'a> {
    /// A string with one of the name types' forms.
    pub(super) fn name<T>(&self, parse: fn(String) -> Result<T, InvalidName>) -> Option<T> {
        self.parsed(Code::NotAName, |text| parse(text.to_owned()))
    }

    /// A string that must say something.
    pub(super) fn filled(&self) -> Option<&'a str> {
        let text = self.text()?;
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.context.report(
                self.diagnostic(Code::NotAName, format!("`{}` cannot be \"{}\"", self.key(), shown(text)))
                    .label("needs at least one visible character, and no control characters"),
            );
            return None;
        }
        Some(text)
    }

    /// The name of a cloud in clouds.yaml, or of a region: a part of a site's name.
    pub(super) fn site_word(&self) -> Option<String> {
        self.name(SiteName::parse).map(|name| name.to_string())
    }

    /// A publisher's own word that becomes part of a path: a release or a variant.
    pub(super) fn path_word(&self) -> Option<String> {
        let text = self.text()?;
        let fine = text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.len() <= 100
            && text.chars().all(|character| character.is_ascii_alphanumeric() || "._-".contains(character));
        if !fine {
            self.context.report(
                self.diagnostic(Code::NotAName, format!("`{}` cannot be \"{}\"", self.key(), shown(text)))
                    .label("letters, digits, `.`, `_` and `-`, beginning with a letter or digit"),
            );
        }
        fine.then(|| text.to_owned())
    }

    /// The title of a family.
    pub(super) fn title(&self) -> Option<String> {
        self.parsed(Code::ImageName, |text| ImageName::parse(text)).map(|name| name.to_string())
    }

    /// A name template.
    pub(super) fn template(&self) -> Option<Template> {
        let text = self.text()?;
        Template::parse(text)
            .map_err(|mistake| {
                let span = self.span_within(text, mistake.offset, mistake.length);
                let words = Variable::ALL.map(|variable| format!("`{{{}}}`", variable.word())).join(", ");
                let mut diagnostic = self
                    .context
                    .diagnostic(Code::Template, span.clone(), mistake.problem)
                    .help(format!("templates take {words}; dates also a format, as in `{{uploaded:%Y%m%d}}`"));
                if let Some(near) = mistake.near
                    && span != self.span()
                {
                    diagnostic = diagnostic.suggest(span, near, "a variable with a similar name exists");
                }
                self.context.report(diagnostic);
            })
            .ok()
    }

    /// A length of time in days or longer units.
    pub(super) fn age(&self) -> Option<Age> {
        let text = self.text()?;
        let diagnostic = match text.parse::<Span>() {
            Err(_) => self
                .diagnostic(Code::NotATime, format!("\"{}\" is not a length of time", shown(text)))
                .label("such as \"60d\", \"2 months\" or \"1y\""),
            Ok(span) => match Age::from_span(span) {
                Some(age) => return Some(age),
                None if span.is_negative() => self
                    .diagnostic(Code::NotATime, format!("`{}` cannot be negative", self.key()))
                    .label("this lies in the past"),
                None => self
                    .diagnostic(Code::NotATime, format!("`{}` counts in days, weeks, months or years", self.key()))
                    .label("smaller than a day")
                    .note("the dates on the images have no time of day"),
            },
        };
        self.context.report(diagnostic);
        None
    }

    /// Seconds to wait for something: from one second to a day.
    pub(super) fn patience(&self) -> Option<u64> {
        let text = self.text()?;
        let seconds = text
            .parse::<Span>()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .map(|duration| duration.as_secs())
            .filter(|seconds| (1..=86_400).contains(seconds));
        if seconds.is_none() {
            self.context.report(
                self.diagnostic(
                    Code::NotATime,
                    format!("\"{}\" is not a length of time for `{}`", shown(text), self.key()),
                )
                .label("from \"1s\" to \"1d\", such as \"10m\""),
            );
        }
        seconds
    }

    /// A day, as a TOML date or as a string.
    pub(super) fn date(&self) -> Option<Date> {
        let date = match self.raw() {
            DeValue::Datetime(datetime) => datetime.to_string().parse::<Date>().ok(),
            DeValue::String(text) => text.parse::<Date>().ok(),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
                None
            }
        };
        if date.is_none() {
            self.context.report(
                self.diagnostic(Code::NotATime, format!("`{}` is a day", self.key())).label("such as 2026-10-15"),
            );
        }
        date
    }

    /// The digits of a digest.
    pub(super) fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        let text = self.text()?;
        Digest::from_hexadecimal(algorithm, text)
            .map_err(|_| {
                let wanted = algorithm.bytes() * 2;
                let found = text.chars().count();
                let label = if found == wanted {
                    "only the digits 0-9 and a-f can stand here".to_owned()
                } else {
                    format!("{wanted} hexadecimal digits, found {found} characters")
                };
                let detail = format!("this is not a {} digest", algorithm.name());
                self.context.report(self.diagnostic(Code::NotADigest, detail).label(label));
            })
            .ok()
    }

    /// A URL that may stand in a plan that others read.
    pub(super) fn url(&self, purpose: UrlUse) -> Option<Url> {
        let text = self.text()?;
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(error) => {
                self.refuse_url(&format!("this is not a URL: {error}"), "an absolute URL stands here");
                return None;
            }
        };
        let signed = url
            .query_pairs()
            .map(|(key, _)| key.to_lowercase())
            .find(|key| SIGNED_QUERY.contains(&key.as_str()))
            .map(|key| format!("`{}` is a secret, and plans are read by others", shown(&key)));
        let problem = if !matches!(url.scheme(), "http" | "https") {
            Some(("only http and https URLs can be fetched", format!("found `{}:`", url.scheme())))
        } else if !url.username().is_empty() || url.password().is_some() {
            Some(("a URL cannot carry a user or a password", "plans are read by others".to_owned()))
        } else if let Some(signed) = signed {
            Some(("a URL cannot be signed", signed))
        } else if url.fragment().is_some() {
            Some(("a URL cannot have a fragment", "no server ever sees what stands behind `#`".to_owned()))
        } else if purpose == UrlUse::Mirror && url.query().is_some() {
            Some(("a mirror's URL cannot have a query", "the publisher's paths are appended to it".to_owned()))
        } else {
            None
        };
        match problem {
            Some((problem, label)) => {
                self.refuse_url(problem, &label);
                None
            }
            None => Some(url),
        }
    }

    fn refuse_url(&self, problem: &str, label: &str) {
        self.context.report(self.diagnostic(Code::Url, problem).label(label));
    }

    /// A regular expression, as written.
    pub(super) fn pattern(&self) -> Option<String> {
        let text = self.text()?;
        regex::Regex::new(text)
            .map_err(|error| {
                // The error draws the pattern over several lines; its last one says what is wrong.
                let whole = error.to_string();
                let reason = whole.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.context.report(
                    self.diagnostic(Code::Pattern, format!("`{}` is not a regular expression", self.key()))
                        .label(shown(reason)),
                );
            })
            .ok()
            .map(|_| text.to_owned())
    }

    /// A list without repetitions, in its order.
    pub(super) fn distinct<T: Ord + Clone + Display>(&self, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        let mut seen: BTreeMap<T, Range<usize>> = BTreeMap::new();
        let mut distinct = Vec::new();
        for element in self.list()? {
            let Some(value) = read(element) else { continue };
            if let Some(first) = seen.get(&value) {
                self.context.report(
                    element
                        .diagnostic(Code::Twice, format!("`{value}` stands twice in `{}`", self.key()))
                        .label("again here")
                        .related(first.clone(), "first here"),
                );
            } else {
                seen.insert(value.clone(), element.span());
                distinct.push(value);
            }
        }
        Some(distinct)
    }
}
