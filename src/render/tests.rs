//! Every format of one plan as it is written down in `golden/`, where the platforms' own checkers look at it too.
//!
//! To renew what is written down: run with `INSTA_UPDATE=always`, and read every line that has changed.

use super::graph::{GraphFormat, graph};
use super::testing::{blocked, empty, rotation};
use super::{Document, Format, Manner, render};

fn text(format: Format, document: &Document) -> String {
    render(format, document, Manner::default())
}

#[test]
fn every_format_reads_as_written_down() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for format in Format::ALL {
            insta::assert_snapshot!(format!("rotation.{format}"), text(*format, &rotation()));
        }
        for format in GraphFormat::ALL {
            insta::assert_snapshot!(format!("rotation.{format}"), graph(*format, &rotation()).unwrap());
        }
        insta::assert_snapshot!("empty.human", text(Format::Human, &empty()));
        insta::assert_snapshot!("empty.markdown", text(Format::Markdown, &empty()));
        insta::assert_snapshot!("blocked.markdown", text(Format::Markdown, &blocked()));
        insta::assert_snapshot!("blocked.github", text(Format::Github, &blocked()));
    });
}
