//! The stage of one scenario: a folder with images.toml, a mirror, three users, and names that nobody else has.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::process::{Command, Stdio};

use futures_util::FutureExt as _;
use gallerist::sandbox::exhibition::{Edition, Exhibition};
use gallerist::sandbox::{Behaviour, Options, Sandbox, image};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::relay::Relay;
use super::run::{Run, Running};
use super::{Estate, Service, Session};

pub(crate) const ONE: &str = "RegionOne";
pub(crate) const TWO: &str = "RegionTwo";
/// Bytes of the disk inside every image.
const DISK: u64 = 8 << 20;

/// A scenario's part of a cloud.
pub(crate) struct Scene {
    estate: Estate,
    /// What all names of this scene contain; also the name of its catalogue.
    key: String,
    /// Further tables of its images.toml.
    tables: std::sync::Mutex<String>,
    folder: TempDir,
    /// Only its mirror is used: the publishers of this scene.
    publishers: Sandbox,
    /// Who administrates the cloud, in the first region.
    pub(crate) admin: Session,
    /// The same in the second region.
    pub(crate) admin_two: Session,
    /// A tenant.
    pub(crate) member: Session,
    /// A tenant of another project.
    pub(crate) other: Session,
}

impl Scene {
    /// Plays a scenario, and clears away what it made, however it ends.
    pub(crate) async fn play(estate: Estate, theme: &str, scenario: impl AsyncFnOnce(&Self)) {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        Self::play_in(estate, format!("{theme}-{}", &unique[..8]), scenario).await;
    }

    /// The same in a catalogue of this name, which must be nobody else's: what a run that was killed has left of it is
    /// cleared away first.
    pub(crate) async fn play_in(estate: Estate, catalogue: String, scenario: impl AsyncFnOnce(&Self)) {
        let scene = Self::open(estate, catalogue).await;
        scene.clear().await;
        let ended = AssertUnwindSafe(scenario(&scene)).catch_unwind().await;
        scene.clear().await;
        // Now the cloud may go.
        drop(scene.estate.hold);
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    }

    async fn open(estate: Estate, key: String) -> Self {
        let login = async |name, region| Session::login(&estate.clouds, name, Some(region)).await;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let clouds = std::fs::read_to_string(&estate.clouds).expect("clouds.yaml can be read");
        std::fs::write(folder.path().join("clouds.yaml"), clouds).expect("the folder is ours");
        for name in ["programs", "scratch"] {
            std::fs::create_dir(folder.path().join(name)).expect("the folder is ours");
        }
        Self {
            key,
            tables: std::sync::Mutex::default(),
            admin: login(estate.admin, ONE).await,
            admin_two: login(estate.admin, TWO).await,
            member: login(estate.member, ONE).await,
            other: login(estate.other, ONE).await,
            publishers: Sandbox::start(Options::default()).await.expect("there are free ports"),
            folder,
            estate,
        }
    }

    async fn clear(&self) {
        let users = [&self.admin, &self.admin_two, &self.member, &self.other];
        // The lock of a run that was killed.
        let lock = format!("/metadefs/namespaces/gallerist::lock::{}", self.key);
        for admin in [&self.admin, &self.admin_two] {
            admin.send(reqwest::Method::DELETE, Service::Image, &lock, None).await;
        }
        for user in users {
            user.clear().await;
        }
        let mark = self.mark();
        for user in users {
            for image in user.images(&[("tag", &mark), ("visibility", "all")]).await {
                let Some(id) = image["id"].as_str().filter(|_| image["owner"] == user.project()) else { continue };
                if image["protected"] == true {
                    user.patch_image(id, &json!([{"op": "replace", "path": "/protected", "value": false}])).await;
                }
                user.send(reqwest::Method::DELETE, Service::Image, &format!("/images/{id}"), None).await;
            }
        }
    }

    /// The estate it is played on.
    pub(crate) fn estate(&self) -> &Estate {
        &self.estate
    }

    /// The tag of everything in the catalogue of this scene.
    pub(crate) fn mark(&self) -> String {
        format!("gallerist:catalogue={}", self.key)
    }

    /// The title of a family: a name that nobody else has.
    pub(crate) fn title(&self, family: &str) -> String {
        format!("Conformance {} {family}", self.key)
    }

    /// The public name of a family.
    pub(crate) fn latest(&self, family: &str) -> String {
        format!("{} - Latest", self.title(family))
    }

    /// The bytes of a version.
    pub(crate) fn bytes(&self, family: &str, version: &str) -> Vec<u8> {
        image::qcow2(DISK, format!("{} {version}", self.title(family)).as_bytes())
    }

    fn below_mirror(family: &str, version: &str) -> String {
        format!("{family}/{version}.qcow2")
    }

    /// How often the bytes of a version were asked for.
    pub(crate) fn downloads(&self, family: &str, version: &str) -> usize {
        let path = format!("/mirror/{}", Self::below_mirror(family, version));
        self.publishers.world().requests().iter().filter(|request| request.path == path).count()
    }

    /// The disk inside the image of a version.
    pub(crate) fn disk(&self, family: &str, version: &str) -> Vec<u8> {
        image::raw(&self.bytes(family, version), DISK).expect("it is one of our own images")
    }

    /// Lets the publisher fail when a version is asked for, or no longer.
    pub(crate) fn fail(&self, family: &str, version: &str, failing: bool) {
        let behaviour = if failing { Behaviour::Status(503, None) } else { Behaviour::Serve };
        self.publishers.world().behave(&Self::below_mirror(family, version), behaviour);
    }

    /// Lets the download of a version stall half way, or no longer.
    pub(crate) fn stall(&self, family: &str, version: &str, stalled: bool) {
        let half = self.bytes(family, version).len() / 2;
        let behaviour = if stalled { Behaviour::StallAfter(half) } else { Behaviour::Serve };
        self.publishers.world().behave(&Self::below_mirror(family, version), behaviour);
    }

    /// From now on the file has these tables as well.
    pub(crate) fn configure(&self, tables: &str) {
        tables.clone_into(&mut self.tables.lock().expect("nobody panics while holding it"));
    }

    /// Publishes these versions and writes an images.toml that wants them.
    pub(crate) fn want(&self, families: &[(&str, &str)]) {
        self.want_on(self.estate.admin, &[ONE], families);
    }

    /// The same for another cloud of clouds.yaml, or other regions.
    pub(crate) fn want_on(&self, cloud: &str, regions: &[&str], families: &[(&str, &str)]) {
        self.want_with("", cloud, regions, families);
    }

    /// The same with further tables in images.toml.
    pub(crate) fn want_with(&self, tables: &str, cloud: &str, regions: &[&str], families: &[(&str, &str)]) {
        let mut file = format!("{}{tables}\n", self.head(cloud, regions));
        for (family, version) in families {
            let (bytes, path) = (self.bytes(family, version), Self::below_mirror(family, version));
            let digest = hex::encode(Sha256::digest(&bytes));
            self.publishers.world().publish(&path, bytes);
            let (title, mirror) = (self.title(family), self.publishers.mirror_url());
            write!(
                file,
                "\n[[image]]\nfamily = \"{family}\"\nname = \"{title}\"\nsource = {{ url = \"{mirror}/{path}\", version = \
                 \"{version}\", sha256 = \"{digest}\" }}\n"
            )
            .expect("writing to a string cannot fail");
        }
        self.write("images.toml", file.as_bytes());
    }

    /// The beginning of an images.toml for that cloud.
    pub(crate) fn head(&self, cloud: &str, regions: &[&str]) -> String {
        let tables = self.tables.lock().expect("nobody panics while holding it");
        format!(
            "[catalogue]\nname = \"{}\"\nclouds = [{{ cloud = \"{cloud}\", regions = {regions:?} }}]\n{tables}",
            self.key
        )
    }

    /// Adds to images.toml.
    pub(crate) fn add(&self, text: &str) {
        let file = std::fs::read_to_string(self.path("images.toml")).expect("the scene has written it");
        self.write("images.toml", format!("{file}{text}").as_bytes());
    }

    /// Lets the publishers of the shipped images.toml bring out an edition.
    pub(crate) fn publish(&self, edition: Edition) {
        let exhibition = Exhibition::new().expect("a key can be made");
        exhibition.publish(edition, &mut self.publishers.world()).expect("everything can be signed");
    }

    /// The address of the mirror; below it each publisher is served under the name of its host.
    pub(crate) fn mirror(&self) -> &str {
        self.publishers.mirror_url()
    }

    /// How often the publishers were asked, since that was last forgotten.
    pub(crate) fn requests(&self) -> usize {
        self.publishers.request_count()
    }

    /// Forgets how often the publishers were asked.
    pub(crate) fn forget_requests(&self) {
        self.publishers.world().forget_requests();
    }

    /// What nobody else may learn: the tokens of this scene, and the passwords of clouds.yaml.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("clouds.yaml")).expect("the scene has written it");
        let clouds: Value = serde_saphyr::from_str(&text).expect("clouds.yaml is YAML");
        let clouds = clouds["clouds"].as_object().into_iter().flatten();
        let passwords = clouds
            .flat_map(|(_, cloud)| ["password", "application_credential_secret"].map(|key| &cloud["auth"][key]))
            .filter_map(Value::as_str)
            .map(str::to_owned);
        passwords.chain([&self.admin, &self.member].map(|session| session.token().to_owned())).collect()
    }

    /// A file of the folder that gallerist runs in.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Puts `qemu-img` where gallerist looks for it.
    pub(crate) fn install_qemu_img(&self, family: &str, version: &str) {
        let disk = self.folder.path().join("disk.raw");
        std::fs::write(&disk, self.disk(family, version)).expect("the folder is ours");
        (self.estate.qemu_img)(&self.folder.path().join("programs/qemu-img"), &disk);
    }

    /// What gallerist has left in its folder for temporary files.
    pub(crate) fn left_in_scratch(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("scratch")).expect("the folder is ours").count()
    }

    /// Writes a file of that folder.
    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).expect("the folder is ours");
    }

    /// Puts a relay before a service of the first region; gallerist goes through it from now on, and nobody else.
    pub(crate) async fn relay(&self, service: Service) -> Relay {
        let relay = Relay::before(self.admin.endpoint(service)).await;
        let path = self.path("clouds.yaml");
        let text = std::fs::read_to_string(&path).expect("the scene has written it");
        let mut clouds: Value = serde_saphyr::from_str(&text).expect("clouds.yaml is YAML");
        clouds["clouds"][self.estate.admin][service.override_key()] = json!(relay.endpoint());
        self.write("clouds.yaml", clouds.to_string().as_bytes());
        relay
    }

    /// Whether a run holds the lock of the catalogue, dead or alive.
    pub(crate) async fn is_locked(&self) -> bool {
        let lock = format!("/metadefs/namespaces/gallerist::lock::{}", self.key);
        self.admin.send(reqwest::Method::GET, Service::Image, &lock, None).await.0.is_success()
    }

    /// Starts gallerist.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let folder = self.folder.path();
        let child = Command::new(env!("CARGO_BIN_EXE_gallerist"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("OS_CLIENT_CONFIG_FILE", folder.join("clouds.yaml"))
            .env("PATH", folder.join("programs"))
            .env("TMPDIR", folder.join("scratch"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cargo has built it");
        Running::new(arguments, child)
    }

    /// Runs gallerist to its end.
    pub(crate) async fn gallerist(&self, arguments: &[&str]) -> Run {
        self.start(arguments).ended().await
    }

    /// Applies, which must succeed.
    pub(crate) async fn apply(&self) -> Run {
        let run = self.gallerist(&["apply", "--auto-approve"]).await;
        run.exits(0);
        run
    }

    /// The plan has nothing to do.
    pub(crate) async fn settled(&self) {
        self.gallerist(&["plan"]).await.changes_nothing();
    }

    /// What the plan refuses to do and why: addresses' versions, operations and the codes of the reasons, then the plan.
    pub(crate) async fn holds(&self) -> (Vec<(String, String, String)>, Run) {
        let run = self.gallerist(&["plan", "--format", "json"]).await;
        run.exits(0);
        let document = run.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let holds = document["gallerist"]["holds"].as_array().into_iter().flatten();
        let holds = holds.map(|hold| (text(&hold["address"]), text(&hold["operation"]), text(&hold["because"])));
        (holds.collect(), run)
    }

    /// The images of a version in the catalogue, as the administrator of a region finds them.
    pub(crate) async fn images_of(&self, session: &Session, family: &str, version: &str) -> Vec<Value> {
        let family = format!("gallerist:family={family}");
        let version = format!("gallerist:version={version}");
        let mark = self.mark();
        session.images(&[("tag", &mark), ("tag", &family), ("tag", &version), ("visibility", "all")]).await
    }

    /// The only image of a version in the first region.
    pub(crate) async fn image_of(&self, family: &str, version: &str) -> Value {
        let found = self.images_of(&self.admin, family, version).await;
        match found.as_slice() {
            [only] => only.clone(),
            other => panic!("one image of {family} {version}, not {}: {other:#?}", other.len()),
        }
    }

    /// An image as the `openstack` client shows it to a user, or as HTTP does where there is no client.
    pub(crate) async fn shown(&self, session: &Session, cloud: &str, id: &str) -> Option<Value> {
        let Some(client) = self.estate.client else { return session.sees(id).await };
        let (cloud, id) = (cloud.to_owned(), id.to_owned());
        let answer = tokio::task::spawn_blocking(move || client(&cloud, &["image", "show", &id])).await;
        match answer.expect("the client does not panic") {
            Ok(image) => Some(image),
            Err(error) => {
                assert!(error.contains("No Image found"), "{error}");
                None
            }
        }
    }
}
