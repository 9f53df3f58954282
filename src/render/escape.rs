//! Foreign text, made harmless for each place it goes to.
//!
//! The problem: names and properties on a cloud, addresses and sentences in a saved plan are written by others, and
//! every sink has its own way to be misled: escape codes and bidi marks on a terminal, workflow commands in a CI log,
//! mentions and closing tags in a comment. The idea: one function a sink, and every format puts every text through the
//! one of its sink. What is taken away stays visible as `\u{…}`, so that people see that something was there. What this
//! does not solve: letters that look alike.
//!
//! The rules of GitHub's log are those of actions/runner `ActionCommand.cs`: `::name` at the start of a line and
//! `##[name]` anywhere in it are commands, from stdout and stderr alike.

/// The longest name or value that is shown whole; Glance's have at most 255 characters.
const LONGEST_VALUE: usize = 300;
/// The longest text of any kind that is shown whole; a sentence with two digests and two names has some 800 characters.
const LONGEST: usize = 2_000;
/// Keeps apart what must not be read together, without being seen.
const BREAK: char = '\u{200b}';

/// For terminals and logs: nothing moves the cursor, turns the direction of reading, or is read as a command.
pub fn terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in shortened(text, LONGEST).chars() {
        let makes_command = match character {
            '[' => shown.ends_with("##"),
            ':' => shown.trim_start() == ":",
            _ => false,
        };
        if makes_command || is_unseen(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// For terminals and logs, in quotation marks, so that blanks at the ends are seen.
pub fn quoted(text: &str) -> String {
    let text = shortened(text, LONGEST_VALUE).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", terminal(&text))
}

/// At most so much of a text as anybody reads, with its length where it was cut.
fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
    }
}

/// Control characters, and what Unicode has to turn, join, hide or tag text.
pub(super) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// For Markdown, as a code span: fenced with more backticks than the text has in a row.
pub fn markdown_code(text: &str) -> String {
    let text = without_closing_tags(&terminal(text));
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // Blanks inside the fence are not shown if there is one at either end; without them a backtick would join it.
    let blank = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// For a cell of a Markdown table: like [`markdown_code`], and no `|` ends the cell. In tables GitHub's Markdown reads
/// `\|` also within code; what it makes of `\\|` differs between versions, so that is spelt out.
pub fn markdown_code_cell(text: &str) -> String {
    markdown_code(&text.replace("\\|", "\\\\u{7c}")).replace('|', "\\|")
}

/// For Markdown outside code: nothing is formatted, linked, mentioned or closed. Good in tables too.
pub fn markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => shown.extend(['\\', character]),
            // An entity would not do: mentions and links are looked for after entities were read.
            '@' | '#' => shown.extend([character, BREAK]),
            '/' if shown.ends_with(':') => shown.extend([BREAK, character]),
            '.' if shown.ends_with("www") => shown.extend([BREAK, character]),
            _ => shown.push(character),
        }
    }
    shown
}

/// For Markdown, as a block of code in a language, ending in a newline where the text does: fenced with more backticks
/// than the text has in a row.
pub fn markdown_block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
    format!("{fence}{language}\n{}{fence}", without_closing_tags(text))
}

/// Code is no markup, but there are programs that look for the end of a folded section without reading Markdown.
fn without_closing_tags(text: &str) -> String {
    text.replace("</", "<\\u{2f}")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|character| character != wanted).map(str::len).max().unwrap_or_default()
}

/// For the text of a GitHub workflow command.
pub fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of a GitHub workflow command.
pub fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// For JSON that may end in a log: the same document, in which nothing moves the cursor, turns the direction of reading or
/// is read as a command. Only within strings can there be any such thing, and there it can be spelt out.
pub fn json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    let mut units = [0; 2];
    for character in document.chars() {
        let makes_command = character == '[' && shown.ends_with("##");
        if makes_command || character != '\n' && is_unseen(character) {
            shown.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// For HTML, in elements and in quoted attributes.
pub fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Names that somebody might give an image to mislead a reader.
    pub(in crate::render) fn hostile() -> Vec<String> {
        let mut names: Vec<String> = [
            "\u{1b}[2J\u{1b}]0;title\u{7} cleared",
            "\u{9b}31m eight-bit",
            "over\rwritten",
            "::error title=pwned::by a name",
            "two\n::error::lines",
            "##[group]fold",
            "x ##[error]anywhere",
            "`code` ``more`` ```",
            "| a | cell |",
            "</details><script>alert(1)</script>",
            "@team #12 https://evil.example www.evil.example",
            "[link](https://evil.example) ![image](x)",
            "\"double\" 'single' \\ back",
            "right\u{202e}to left\u{2066}\u{200f}",
            "zero\u{200b}width\u{feff}",
            "line\u{2028}separators\u{2029}",
            "100% %0A::error::x",
            "",
            " blanks ",
            "{name} ${IFS} $(id)",
        ]
        .map(str::to_owned)
        .into();
        names.push("long".repeat(2_500));
        names
    }

    #[test]
    fn nothing_unseen_reaches_a_terminal() {
        for name in hostile() {
            for shown in [terminal(&name), quoted(&name)] {
                assert!(!shown.chars().any(is_unseen), "{name:?} became {shown:?}");
                assert!(!shown.contains("##["), "{name:?} became {shown:?}");
                assert!(shown.chars().count() < 2_100, "{shown}");
            }
        }
        assert_eq!(terminal("a\u{1b}[0m\u{202e}b"), "a\\u{1b}[0m\\u{202e}b");
        assert_eq!(quoted("say \"x\\\""), r#""say \"x\\\"""#);
        assert_eq!(terminal("###[x]"), "###\\u{5b}x]");
        assert_eq!(terminal(" ::error::x"), " :\\u{3a}error::x");
        assert!(terminal(&"x".repeat(10_000)).ends_with("x… (10000 characters)"));
        assert_eq!(quoted(&"x".repeat(10_000)).chars().count(), 300 + "\"… (10000 characters)\"".chars().count());
    }

    #[test]
    fn what_is_safe_stays_safe_when_escaped_again() {
        for name in hostile() {
            let once = terminal(&name);
            assert_eq!(
                terminal(&once.chars().take(200).collect::<String>()),
                once.chars().take(200).collect::<String>()
            );
        }
    }

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(markdown_code("plain"), "`plain`");
        assert_eq!(markdown_code("a`b"), "``a`b``");
        assert_eq!(markdown_code("``"), "``` `` ```");
        assert_eq!(markdown_code(""), "(empty)");
        assert_eq!(markdown_code_cell("a|b"), "`a\\|b`");
        assert_eq!(markdown_code_cell("a\\|b"), "`a\\\\u{7c}b`");
        for name in hostile() {
            let shown = markdown_code_cell(&name);
            assert!(!shown.contains('\n'), "{shown}");
            assert!(!shown.replace("\\|", "").contains('|'), "{shown}");
        }
    }

    #[test]
    fn markdown_outside_code_formats_links_and_mentions_nothing() {
        for name in hostile() {
            let shown = markdown(&name);
            for bad in ["@team", "#12", "</details>", "<script", "://", "www.", "\n", "##["] {
                assert!(!shown.contains(bad), "{bad} in {shown}");
            }
            assert!(!shown.replace("\\]", "").contains(']'), "{shown}");
        }
        assert_eq!(markdown("*a* | `b`"), "\\*a\\* \\| \\`b\\`");
    }

    #[test]
    fn workflow_commands_cannot_be_continued() {
        assert_eq!(github_data("50%\r\nx:y,z"), "50%25%0D%0Ax:y,z");
        assert_eq!(github_property("50%\r\nx:y,z"), "50%25%0D%0Ax%3Ay%2Cz");
    }

    #[test]
    fn html_has_no_markup_left() {
        for name in hostile() {
            assert!(!html(&name).contains(['<', '>', '"', '\'']), "{name}");
        }
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(markdown_block("diff", "x\n"), "```diff\nx\n```");
        assert_eq!(markdown_block("", "a ```` </b>\n"), "`````\na ```` <\\u{2f}b>\n`````");
    }
}
