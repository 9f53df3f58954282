//! The `OS_*` variables as settings: `OS_PROJECT_NAME` is `project_name`.

use super::document::Settings;
use super::search::Surroundings;

/// Variables that choose files or clouds and say nothing of a cloud.
const NOT_SETTINGS: [&str; 4] = ["cloud", "client_config_file", "client_secure_file", "identity_api_version"];

/// What the variables describe; nothing without `OS_AUTH_URL`.
pub(super) fn settings(surroundings: &Surroundings) -> Option<Settings> {
    surroundings.variable("OS_AUTH_URL")?;
    let mut settings = Settings::default();
    for (name, value) in surroundings.variables() {
        let Some(key) = name.strip_prefix("OS_").map(str::to_ascii_lowercase) else { continue };
        if value.is_empty() || NOT_SETTINGS.contains(&key.as_str()) {
            continue;
        }
        settings.other.insert(key, value.to_owned());
    }
    Some(settings)
}
