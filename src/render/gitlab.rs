//! The report behind the widget in GitLab's merge requests, `artifacts:reports:terraform`: three numbers, as GitLab's
//! `tfplan.rb` reads them.

use serde_json::json;

use super::document::Document;

/// The report.
pub(super) fn render(document: &Document) -> String {
    let summary = document.gallerist.summary;
    format!("{}\n", json!({ "create": summary.create, "update": summary.update, "delete": summary.delete }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::rotation;

    #[test]
    fn gitlab_gets_its_three_numbers() {
        assert_eq!(render(&rotation()), "{\"create\":1,\"update\":2,\"delete\":1}\n");
    }
}
