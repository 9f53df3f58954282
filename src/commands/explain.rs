//! `explain`: the long text of an error code.

use super::Stop;
use crate::cli::Explain;
use crate::exit::Exit;
use crate::manifest::codes::Code;
use crate::render::console::Console;

/// The codes of refusals, one section each.
const REFUSALS: &str = include_str!("refusals.md");

pub(super) fn run(options: &Explain, console: &Console) -> Result<Exit, Stop> {
    let text = match Code::from_name(&options.code) {
        Some(code) => Some(format!("{code}: {}\n\n{}", code.summary(), code.explanation())),
        None => refusal(&options.code),
    };
    match text {
        Some(text) => {
            console.answer(&format!("{}\n", text.trim_end()))?;
            Ok(Exit::Done)
        }
        None => Err(Stop::new(Exit::Usage, format!("error: there is no error code `{}`", options.code.escape_debug()))),
    }
}

fn refusal(code: &str) -> Option<String> {
    let wanted = format!("{}: ", code.to_ascii_uppercase());
    REFUSALS.split("\n# ").find(|section| section.starts_with(&wanted)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code that a message of this program bears can be explained.
    #[test]
    fn every_code_in_a_message_has_an_explanation() {
        let sources = [
            include_str!("apply.rs"),
            include_str!("front.rs"),
            include_str!("locks.rs"),
            include_str!("../render/refusal.rs"),
        ];
        let pattern = regex::Regex::new(r"E0[2-9]\d\d").unwrap();
        let mut seen = 0;
        for code in sources.iter().flat_map(|source| pattern.find_iter(source)) {
            seen += 1;
            // The code of guards that bear no code of their own.
            assert!(code.as_str() == "E0400" || refusal(code.as_str()).is_some(), "{}", code.as_str());
        }
        assert!(seen > 5);
        assert!(refusal("e0401").unwrap().starts_with("E0401: too many deletions\n"));
        assert_eq!(refusal("E0999"), None);
    }
}
