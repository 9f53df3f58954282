//! Where clouds.yaml is.
//!
//! As the client does it: `OS_CLIENT_CONFIG_FILE`, the working directory, the user's and the system's configuration
//! folders; the first file found counts, and secure.yaml, looked for in the same way, is laid over it key by key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::{self, Document, Settings};
use super::{CloudsError, Found};

/// What configuration may depend on, gathered once so that nothing below reads it behind our back.
#[derive(Clone)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
    system: PathBuf,
}

impl Surroundings {
    /// The process's own: its variables and its working directory.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables, directory: PathBuf::from("."), system: PathBuf::from("/etc/openstack") }
    }

    /// Others: variables, working directory and the system's folder.
    pub fn new(variables: BTreeMap<String, String>, directory: PathBuf, system: PathBuf) -> Self {
        Self { variables, directory, system }
    }

    /// A variable; an empty one is none.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// Every variable.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn home(&self, path: &Path) -> PathBuf {
        let home = self.variable("HOME").map(PathBuf::from);
        match (home, path.strip_prefix("~")) {
            (Some(home), Ok(rest)) => home.join(rest),
            _ => path.to_owned(),
        }
    }

    /// The files looked for, in order, each folder's `.yaml` before its `.yml`.
    fn candidates(&self, stem: &str, variable: &str) -> Vec<PathBuf> {
        let user = self
            .variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| self.variable("HOME").map(|home| PathBuf::from(home).join(".config")))
            .map(|folder| folder.join("openstack"));
        let folders = [Some(self.directory.clone()), user, Some(self.system.clone())];
        let explicit = self.variable(variable).map(|path| self.home(Path::new(&path)));
        let in_folders = folders
            .into_iter()
            .flatten()
            .flat_map(|folder| ["yaml", "yml"].map(|ending| folder.join(format!("{stem}.{ending}"))));
        explicit.into_iter().chain(in_folders).collect()
    }
}

/// Everything said of the cloud of that name.
pub(super) fn find(name: &str, surroundings: &Surroundings) -> Result<Settings, CloudsError> {
    let mut looked_in = Vec::new();
    let mut clouds = Document::default();
    let mut found = false;
    for path in surroundings.candidates("clouds", "OS_CLIENT_CONFIG_FILE") {
        let state = if found {
            if path.is_file() { Found::NotRead } else { Found::Absent }
        } else if let Some(document) = read(&path, name)? {
            found = true;
            clouds = document;
            Found::Clouds(clouds.names.len())
        } else {
            Found::Absent
        };
        // An absent `.yml` beside a `.yaml` would only make the message longer.
        if state != Found::Absent || path.extension().is_none_or(|ending| ending != "yml") {
            looked_in.push((path, state));
        }
    }
    let mut secure = Document::default();
    for path in surroundings.candidates("secure", "OS_CLIENT_SECURE_FILE") {
        if let Some(document) = read(&path, name)? {
            secure = document;
            break;
        }
    }
    match (clouds.cloud, secure.cloud) {
        (Some(lower), Some(upper)) => Ok(lower.overlaid(upper)),
        (Some(only), None) | (None, Some(only)) => Ok(only),
        (None, None) => Err(no_such_cloud(name, looked_in, clouds.names)),
    }
}

fn read(path: &Path, name: &str) -> Result<Option<Document>, CloudsError> {
    let unreadable = |problem: String| CloudsError::Unreadable { path: path.to_owned(), problem };
    match std::fs::read_to_string(path) {
        Ok(text) => document::read(&text, name).map(Some).map_err(unreadable),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

fn no_such_cloud(name: &str, looked_in: Vec<(PathBuf, Found)>, mut names: Vec<String>) -> CloudsError {
    let distance = |other: &String| strsim::damerau_levenshtein(name, other);
    let near = names
        .iter()
        .filter(|other| distance(other) <= (name.chars().count() / 3).max(1))
        .min_by_key(|other| distance(other))
        .cloned();
    names.retain(|other| Some(other) != near.as_ref());
    names.sort();
    CloudsError::NoSuchCloud { name: name.to_owned(), looked_in, near, others: names }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(root: &Path, variables: &[(&str, String)]) -> Surroundings {
        let variables = variables.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Surroundings::new(variables, root.join("here"), root.join("etc"))
    }

    fn write(root: &Path, path: &str, text: &str) {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    }

    fn region(root: &Path, variables: &[(&str, String)]) -> Option<String> {
        find("x", &surroundings(root, variables)).ok().and_then(|settings| settings.other.get("region_name").cloned())
    }

    #[test]
    fn the_first_file_in_the_clients_order_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let home = ("HOME", root.join("home").display().to_string());
        let file = ("OS_CLIENT_CONFIG_FILE", "~/mine.yaml".to_owned());
        write(root, "etc/clouds.yaml", "clouds: {x: {region_name: etc}}");
        assert_eq!(region(root, &[]).as_deref(), Some("etc"));
        write(root, "home/.config/openstack/clouds.yml", "clouds: {x: {region_name: home}}");
        assert_eq!(region(root, std::slice::from_ref(&home)).as_deref(), Some("home"));
        write(root, "here/clouds.yaml", "clouds: {x: {region_name: here}}");
        assert_eq!(region(root, std::slice::from_ref(&home)).as_deref(), Some("here"));
        write(root, "home/mine.yaml", "clouds: {x: {region_name: mine}}");
        assert_eq!(region(root, &[home.clone(), file]).as_deref(), Some("mine"));
        write(root, "here/secure.yaml", "clouds: {x: {region_name: secure}, y: {auth: {password: p}}}");
        assert_eq!(region(root, std::slice::from_ref(&home)).as_deref(), Some("secure"));
        assert!(find("y", &surroundings(root, &[])).is_ok_and(|settings| settings.auth["password"] == "p"));
    }

    #[test]
    fn a_missing_cloud_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "home/.config/openstack/clouds.yaml", "clouds: {prod-eu1: {}, staging: {}, lab: {}}");
        let error =
            find("prod-eu", &surroundings(root, &[("HOME", root.join("home").display().to_string())])).err().unwrap();
        let expected = "no cloud named `prod-eu` in clouds.yaml\n\
             looked in: R/here/clouds.yaml (absent), R/home/.config/openstack/clouds.yaml (3 clouds), \
             R/etc/clouds.yaml (absent)\n\
             did you mean `prod-eu1`? Others: `lab`, `staging`";
        assert_eq!(error.to_string().replace(&root.display().to_string(), "R"), expected);
    }
}
