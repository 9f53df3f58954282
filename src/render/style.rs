//! Colours by what they mean.
//!
//! The problem: colour strewn over the formats cannot be turned off, tested or changed. The idea: a format asks for a
//! role; a role is a style; plain is the default, so whoever forgets to ask for colour gets text. Colour never says
//! anything that the sign and the word beside it do not. Whether a stream may be coloured at all is for whoever writes
//! to it.

use std::fmt::Display;

use owo_colors::{OwoColorize, Style};

use super::document::Action;

/// A style for each role. Plain unless colour is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    create: Style,
    update: Style,
    delete: Style,
    /// What is refused or held.
    pub refused: Style,
    /// What is worth a look.
    pub warning: Style,
    /// What is said first and last.
    pub heading: Style,
    /// What may be passed over.
    pub faint: Style,
}

impl Styles {
    /// The same roles, in colour.
    #[must_use]
    pub fn colorize(self) -> Self {
        Self {
            create: Style::new().green(),
            update: Style::new().yellow(),
            delete: Style::new().red().bold(),
            refused: Style::new().red(),
            warning: Style::new().yellow(),
            heading: Style::new().bold(),
            faint: Style::new().dimmed(),
        }
    }

    /// The style of an action.
    pub const fn action(self, action: Action) -> Style {
        match action {
            Action::Create => self.create,
            Action::Update => self.update,
            Action::Delete => self.delete,
        }
    }
}

/// The text in a style; the same text where the style is plain.
pub fn paint(text: impl Display, style: Style) -> String {
    text.style(style).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_plain_until_colour_is_asked_for() {
        let plain = Styles::default();
        assert_eq!(paint("x", plain.action(Action::Delete)), "x");
        assert_eq!(paint("x", plain.heading), "x");
        assert_eq!(paint("x", plain.colorize().action(Action::Create)), "\u{1b}[32mx\u{1b}[0m");
    }
}
