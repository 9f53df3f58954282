//! Sites: one region of one cloud each, with the services that are there.
//!
//! The problem: a catalogue spans clouds and regions, one login serves all regions of a cloud, and people want to say
//! `fra1` and not `prod:RegionOne`. The idea: log in once for each cloud, take every endpoint from the catalogue that
//! came with the token (no discovery request), and name a site by its region, with the cloud in front only where two
//! sites would share a name.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use osauth::EndpointFilters;
use url::Url;

use super::clouds::{Cloud, CloudsError, Surroundings};
use super::error::{ApiError, ErrorKind, Service};
use super::glance::Glance;
use super::http::{Endpoint, Request, Transport};
use super::keystone::Keystone;
use super::nova::Nova;
use super::wire::ProjectBody;
use crate::model::name::{ProjectId, SiteName};

/// One region of one cloud.
#[derive(Clone)]
pub struct Site {
    /// What people call it.
    pub name: SiteName,
    /// The cloud's name in clouds.yaml; absent where variables describe it.
    pub cloud: Option<String>,
    /// The region; absent in catalogues that name none.
    pub region: Option<String>,
    /// Keystone's URL, for people.
    pub auth_url: String,
    /// The project we are authenticated to. What it owns may be ours.
    pub project: ProjectId,
    /// Its name, where the token tells.
    pub project_name: Option<String>,
    /// Who we are, for people; the id where the token tells no name.
    pub user: String,
    /// What we may do.
    pub rights: Rights,
    /// The images.
    pub glance: Glance,
    /// The servers; absent where the region has no Nova.
    pub nova: Option<Nova>,
    pub(super) cinder: Option<Endpoint>,
    identity: Endpoint,
    transport: Arc<Transport>,
}

/// How far apart the clocks of this machine and of Keystone may be. An hour moves a date only around midnight.
const MOST_APART: SignedDuration = SignedDuration::from_hours(1);

/// What our token allows, as far as requests depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// The `admin` role: other projects can be asked about.
    Operator,
    /// An ordinary member of its project.
    Member,
}

/// One cloud to connect to.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Its name in clouds.yaml; absent: `OS_CLOUD`, else the `OS_*` variables.
    pub cloud: Option<String>,
    /// The regions; none: those of clouds.yaml, else the only one there is.
    pub regions: Vec<String>,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The configuration.
    Clouds(CloudsError),
    /// A service.
    Api(ApiError),
    /// The catalogue has several regions and nobody said which, or not the one that was said, or two sites are one.
    Regions(String),
    /// The token is for no project, so nothing could be ours.
    NoProject(String),
    /// This machine and Keystone do not agree what time it is.
    Clock(String),
}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Clouds(error) => error.fmt(formatter),
            Self::Api(error) => error.fmt(formatter),
            Self::Regions(text) | Self::NoProject(text) | Self::Clock(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<ApiError> for ConnectError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

/// Sites of a cloud that cannot be entered.
#[derive(Debug)]
pub struct Unconnected {
    /// What people call them; one name for the cloud where nobody says which regions it has.
    pub names: Vec<SiteName>,
    /// Why.
    pub error: ConnectError,
}

/// Connects to every site of the selection: one login for each cloud, no further request.
///
/// # Errors
/// [`ConnectError`], of the first cloud that fails.
pub async fn connect(selection: &[Selection], surroundings: &Surroundings) -> Result<Vec<Site>, ConnectError> {
    let (sites, unconnected) = connect_each(selection, surroundings).await?;
    match unconnected.into_iter().next() {
        Some(first) => Err(first.error),
        None => Ok(sites),
    }
}

/// Connects to every site that can be entered, and says which cannot. A site has the same name whichever of the others
/// can be entered.
///
/// # Errors
/// The sites cannot be told apart by their names.
pub async fn connect_each(
    selection: &[Selection],
    surroundings: &Surroundings,
) -> Result<(Vec<Site>, Vec<Unconnected>), ConnectError> {
    let mut entered = Vec::new();
    for Selection { cloud, regions } in selection {
        entered.push(enter_selected(cloud.as_deref(), regions, surroundings).await);
    }
    let pairs: Vec<Vec<(Option<String>, Option<String>)>> = entered
        .iter()
        .zip(selection)
        .map(|(outcome, Selection { cloud, regions })| match outcome {
            Ok(sites) => sites.iter().map(|site| (site.cloud.clone(), site.region.clone())).collect(),
            Err(_) if regions.is_empty() => vec![(cloud.clone(), None)],
            Err(_) => regions.iter().map(|region| (cloud.clone(), Some(region.clone()))).collect(),
        })
        .collect();
    let mut names = site_names(&pairs.concat())?.into_iter();
    let (mut sites, mut unconnected) = (Vec::new(), Vec::new());
    for (outcome, pairs) in entered.into_iter().zip(pairs) {
        let own: Vec<SiteName> = names.by_ref().take(pairs.len()).collect();
        match outcome {
            Ok(found) => sites.extend(found.into_iter().zip(own).map(|(site, name)| Site { name, ..site })),
            Err(error) => unconnected.push(Unconnected { names: own, error }),
        }
    }
    Ok((sites, unconnected))
}

async fn enter_selected(
    cloud: Option<&str>,
    regions: &[String],
    surroundings: &Surroundings,
) -> Result<Vec<Site>, ConnectError> {
    let mut cloud = super::clouds::load(cloud, surroundings).map_err(ConnectError::Clouds)?;
    if !regions.is_empty() {
        cloud.regions = regions.to_vec();
    }
    enter(&cloud).await
}

/// A name for each pair of cloud and region.
fn site_names(pairs: &[(Option<String>, Option<String>)]) -> Result<Vec<SiteName>, ConnectError> {
    let short = |(cloud, region): &(Option<String>, Option<String>)| {
        region.as_ref().or(cloud.as_ref()).cloned().unwrap_or_else(|| "cloud".to_owned())
    };
    let mut shared: BTreeMap<String, usize> = BTreeMap::new();
    for pair in pairs {
        *shared.entry(short(pair)).or_default() += 1;
    }
    let mut names = Vec::new();
    for pair in pairs {
        let text = match (shared[&short(pair)], &pair.0) {
            (1, _) | (_, None) => short(pair),
            (_, Some(cloud)) => format!("{cloud}:{}", short(pair)),
        };
        let name = SiteName::parse(text).map_err(|error| ConnectError::Regions(error.to_string()))?;
        if names.contains(&name) {
            return Err(ConnectError::Regions(format!("the site `{name}` is named twice; name each region once")));
        }
        names.push(name);
    }
    Ok(names)
}

async fn enter(cloud: &Cloud) -> Result<Vec<Site>, ConnectError> {
    let label = cloud.name.as_deref().map_or_else(|| "the cloud".to_owned(), |name| format!("cloud `{name}`"));
    let keystone = Keystone::new(cloud.auth_url.clone(), cloud.credentials.clone(), cloud.scope.clone());
    let transport = Transport::log_in(keystone, &cloud.tls).await?;
    let session = transport.session().await?;
    let token = &session.token;
    if let Some(trouble) = token.issued_at.and_then(|issued| disagreement(issued, Timestamp::now())) {
        return Err(ConnectError::Clock(format!("{label}: {trouble}")));
    }
    let project = token.project.id.clone().and_then(|id| ProjectId::parse(id).ok()).ok_or_else(|| {
        ConnectError::NoProject(format!(
            "{label}: the token is for no project, but images belong to one: set `project_name` or `project_id`"
        ))
    })?;
    let present = token.regions_of(Service::Glance, cloud.interface);
    let listed = || present.iter().map(|region| format!("`{region}`")).collect::<Vec<_>>().join(", ");
    let regions: Vec<Option<String>> = if cloud.regions.is_empty() {
        match present.len() {
            0 => vec![None],
            1 => present.iter().cloned().map(Some).collect(),
            _ => {
                return Err(ConnectError::Regions(format!(
                    "{label} has images in several regions: {}; say which with `regions` in images.toml, or \
                     `region_name` in clouds.yaml",
                    listed()
                )));
            }
        }
    } else {
        cloud.regions.iter().cloned().map(Some).collect()
    };
    if let Some(missing) = regions.iter().flatten().find(|region| !present.contains(*region))
        && !cloud.endpoints.contains_key(&Service::Glance)
    {
        let known = if present.is_empty() { "none at all".to_owned() } else { listed() };
        return Err(ConnectError::Regions(format!(
            "{label} has no images in region `{}`; regions with images: {known}",
            missing.escape_debug()
        )));
    }
    let operator = token.roles.iter().any(|role| role.name.as_deref() == Some("admin"));
    let mut sites = Vec::new();
    for region in regions {
        let door = Door { cloud, region: region.as_deref(), transport: &transport };
        let glance = door.service(Service::Glance, "v2").await?;
        sites.push(Site {
            name: SiteName::parse("unnamed").expect("letters only"),
            cloud: cloud.name.clone(),
            region: region.clone(),
            auth_url: shown(&cloud.auth_url),
            project: project.clone(),
            project_name: token.project.name.clone(),
            user: token.user.name.clone().or_else(|| token.user.id.clone()).unwrap_or_else(|| "unknown".to_owned()),
            rights: if operator { Rights::Operator } else { Rights::Member },
            glance: Glance::new(glance),
            nova: door.optional(Service::Nova, "v2.1").await?.map(Nova::new),
            // The filters that find an image's volumes are Block Storage v3's; `volume` was once the name of v1 and v2.
            cinder: door.optional(Service::Cinder, "v3").await?.filter(|endpoint| endpoint.is_version("v3")),
            identity: Endpoint::new(Arc::clone(&transport), Service::Keystone, cloud.auth_url.clone(), "v3"),
            transport: Arc::clone(&transport),
        });
    }
    Ok(sites)
}

/// What is wrong with the time, given when a token was issued and when it was received: dates go into names, and decide
/// what is old enough to be deleted.
fn disagreement(issued: Timestamp, received: Timestamp) -> Option<String> {
    let apart = received.duration_since(issued);
    (apart.abs() > MOST_APART).then(|| {
        format!(
            "Keystone says that it is {issued:.0}, and this machine says {received:.0}; dates go into the names of \
             images and decide what may be deleted, so set the clock that is wrong"
        )
    })
}

/// A URL as plans and records may show it: without whatever user and password somebody put into it.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs without a host, which hold neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

struct Door<'a> {
    cloud: &'a Cloud,
    region: Option<&'a str>,
    transport: &'a Arc<Transport>,
}

impl Door<'_> {
    async fn service(&self, service: Service, version: &str) -> Result<Endpoint, ApiError> {
        let mut filters = EndpointFilters::default().with_interfaces(self.cloud.interface);
        filters.region = self.region.map(str::to_owned);
        let url: Url = match self.cloud.endpoints.get(&service) {
            Some(url) => url.clone(),
            None => self.transport.locate(service, &filters).await?,
        };
        Ok(Endpoint::new(Arc::clone(self.transport), service, url, version))
    }

    async fn optional(&self, service: Service, version: &str) -> Result<Option<Endpoint>, ApiError> {
        match self.service(service, version).await {
            Ok(endpoint) => Ok(Some(endpoint)),
            Err(error) if error.kind() == ErrorKind::NoService => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Site {
    /// How many requests were made to this cloud, all its regions together, logins aside.
    pub fn requests(&self) -> u64 {
        self.transport.requests()
    }

    /// The name of a project, if Keystone tells us; ordinary members may ask about their own only.
    pub async fn project_name(&self, project: &ProjectId) -> Option<String> {
        if *project == self.project && self.project_name.is_some() {
            return self.project_name.clone();
        }
        // A foreign id that would not stay within its segment of the path is not asked about.
        if !project.as_str().chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)) {
            return None;
        }
        let answer = self.identity.send(Request::get(format!("projects/{project}"))).await.ok()?;
        answer.json::<ProjectBody>().ok().map(|body| body.project.name)
    }

    /// The names of those projects whose names Keystone tells, each asked for once.
    pub async fn project_names(&self, projects: impl IntoIterator<Item = ProjectId>) -> BTreeMap<ProjectId, String> {
        use futures_util::StreamExt as _;
        let projects: std::collections::BTreeSet<ProjectId> = projects.into_iter().collect();
        let named = futures_util::stream::iter(projects)
            .map(|project| async move { self.project_name(&project).await.map(|name| (project, name)) })
            .buffer_unordered(8);
        named.filter_map(std::future::ready).collect().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pairs: &[(Option<&str>, Option<&str>)]) -> Result<Vec<String>, String> {
        let pairs: Vec<_> =
            pairs.iter().map(|(cloud, region)| (cloud.map(str::to_owned), region.map(str::to_owned))).collect();
        site_names(&pairs)
            .map(|names| names.iter().map(ToString::to_string).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        let url = Url::parse("https://user:secret@keystone.example:5000/v3").unwrap();
        assert_eq!(shown(&url), "https://keystone.example:5000/v3");
    }

    #[test]
    fn a_site_is_its_region_unless_two_would_be_the_same() {
        assert_eq!(names(&[(Some("prod"), Some("fra1")), (Some("prod"), Some("dus2"))]).unwrap(), ["fra1", "dus2"]);
        assert_eq!(
            names(&[(Some("a"), Some("one")), (Some("b"), Some("one")), (Some("b"), Some("two"))]).unwrap(),
            ["a:one", "b:one", "two"]
        );
        assert_eq!(names(&[(Some("lab"), None)]).unwrap(), ["lab"]);
        assert_eq!(names(&[(None, None)]).unwrap(), ["cloud"]);
        assert!(names(&[(Some("a"), Some("one")), (Some("a"), Some("one"))]).unwrap_err().contains("twice"));
        assert!(names(&[(Some("a"), Some("region one"))]).unwrap_err().contains("is not a site"));
    }
}
