//! What is said when a guard refuses a plan.

use super::document::{Document, Guard};

/// The lines to say after a refused plan, foreign text escaped for a terminal; none if no guard refuses it.
pub fn refusal(document: &Document) -> Vec<String> {
    let refusing: Vec<&Guard> = document.gallerist.guards.iter().filter(|guard| guard.refuses()).collect();
    if refusing.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for guard in refusing {
        lines.push(format!("error[{}]: {}", code(&guard.id), super::escape::terminal(&guard.detail)));
        if let Some(lift) = &guard.lift {
            let lift = super::escape::terminal(lift);
            lines.push(format!("  = help: if that is meant, run again with `{lift}`"));
        }
        if let Some(help) = help(&guard.id) {
            lines.push(format!("  = help: {help}"));
        }
    }
    lines.push("Nothing was changed.".to_owned());
    lines
}

fn code(guard: &str) -> &'static str {
    match guard {
        "nothing-configured" => "E0302",
        "max-deletes" => "E0401",
        _ => "E0400",
    }
}

fn help(guard: &str) -> Option<&'static str> {
    match guard {
        "nothing-configured" => Some("run in the right directory, or name the file with `-c FILE`"),
        "max-deletes" => {
            Some("to keep deleted versions, see `[lifecycle.delete]` in images.toml: `keep`, `after`, `when`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{blocked, rotation};

    #[test]
    fn a_refusal_says_what_and_how_to_go_on() {
        assert_eq!(refusal(&rotation()), Vec::<String>::new());
        assert_eq!(
            refusal(&blocked()),
            [
                "error[E0401]: 9 of 35 managed images would be deleted; the limit is 3",
                "  = help: if that is meant, run again with `--allow-deletes 9`",
                "  = help: to keep deleted versions, see `[lifecycle.delete]` in images.toml: `keep`, `after`, `when`",
                "Nothing was changed.",
            ]
        );
    }
}
