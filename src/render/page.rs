//! What the HTML files share: one file each, with nothing beside it.
//!
//! No scripts, no fonts, no pictures from elsewhere, and the page's own policy forbids them, so that nothing could load
//! any even if escaping failed. It follows the reader's light or dark mode and the width of a phone. Colour never says
//! anything that a word beside it does not.

use super::escape::html;

const STYLE: &str = include_str!("page.css");

/// A whole page. Title and sections are HTML already.
pub(super) fn page(title: &str, sections: &[String]) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{}\n</body>\n</html>\n",
        sections.join("\n")
    )
}

/// A number that is seen from afar, its word, and what that means.
pub(super) fn tile(number: usize, word: &str, tone: &str, meaning: &str) -> String {
    let tone = if number == 0 { "none" } else { tone };
    format!("<li class=\"{tone}\" title=\"{}\"><b>{number}</b>{}</li>", html(meaning), html(word))
}
