//! Settings to a cloud: which keys mean what, and what follows from their absence.
//!
//! A key may stand in the `auth` block or beside it; the client accepts both. `tenant_name` and `tenant_id` are the
//! old words for a project. Where a user or project is named without a domain, `default_domain` says which, else the
//! domain whose id is `default`, the one Keystone itself makes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use osauth::InterfaceType;
use secrecy::SecretString;
use url::Url;

use super::document::Settings;
use super::{Cloud, Credentials, Identity, Scope, Tls, Verification};
use crate::openstack::error::Service;

impl Settings {
    fn get(&self, key: &str) -> Option<&str> {
        self.auth.get(key).or_else(|| self.other.get(key)).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn first(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.get(key))
    }

    fn secret(&self, key: &str) -> Option<SecretString> {
        self.get(key).map(SecretString::from)
    }

    /// A switch in any of YAML's and the client's spellings.
    fn switch(&self, key: &str) -> Result<Option<bool>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" | "t" => Ok(Some(true)),
            "false" | "no" | "off" | "0" | "n" | "f" => Ok(Some(false)),
            _ => Err(format!("`{key}` is neither true nor false")),
        }
    }

    /// The domain of a user or project (`prefix` is `user` or `project`).
    fn domain(&self, prefix: &str) -> Identity {
        let named = |name: &str| Identity::Name { name: name.to_owned(), domain: None };
        if let Some(id) = self.get(&format!("{prefix}_domain_id")) {
            return Identity::Id(id.to_owned());
        }
        if let Some(name) = self.get(&format!("{prefix}_domain_name")) {
            return named(name);
        }
        if let Some(id) = self.get("default_domain_id").or_else(|| self.get("default_domain")) {
            return Identity::Id(id.to_owned());
        }
        self.get("default_domain_name").map_or_else(|| Identity::Id("default".to_owned()), named)
    }

    fn identity(&self, ids: &[&str], names: &[&str], prefix: &str) -> Option<Identity> {
        self.first(ids).map(|id| Identity::Id(id.to_owned())).or_else(|| {
            let name = self.first(names)?.to_owned();
            Some(Identity::Name { name, domain: Some(Box::new(self.domain(prefix))) })
        })
    }
}

/// The cloud that settings describe.
pub(super) fn lower(name: Option<String>, settings: &Settings) -> Result<Cloud, String> {
    let url =
        settings.get("auth_url").ok_or_else(|| match settings.get("profile").or_else(|| settings.get("cloud")) {
            Some(_) => "`profile` is not supported; write `auth_url` and what else the profile says".to_owned(),
            None => "`auth_url` is missing".to_owned(),
        })?;
    let endpoint = |key: &str, text: &str| match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        Ok(_) | Err(_) => Err(format!("`{key}` is no http or https URL")),
    };
    let mut endpoints = BTreeMap::new();
    for (service, words) in [
        (Service::Keystone, &["identity"][..]),
        (Service::Glance, &["image"]),
        (Service::Nova, &["compute"]),
        (Service::Cinder, &["block_storage", "volumev3", "volume"]),
    ] {
        // `image_endpoint` is the older spelling.
        for key in words.iter().flat_map(|word| [format!("{word}_endpoint_override"), format!("{word}_endpoint")]) {
            if let Some(text) = settings.get(&key) {
                endpoints.entry(service).or_insert(endpoint(&key, text)?);
            }
        }
    }
    let interface = settings.first(&["interface", "endpoint_type"]).unwrap_or("public");
    let regions = match settings.get("region_name") {
        Some(region) => vec![region.to_owned()],
        None => settings.regions.clone(),
    };
    Ok(Cloud {
        name,
        auth_url: without_version(endpoint("auth_url", url)?),
        credentials: credentials(settings)?,
        scope: scope(settings)?,
        regions,
        interface: interface
            .to_ascii_lowercase()
            .trim_end_matches("url")
            .parse::<InterfaceType>()
            .map_err(|_| "`interface` is one of: public, internal, admin".to_owned())?,
        tls: tls(settings)?,
        endpoints,
    })
}

fn without_version(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let root = ["/v3", "/v2.0"].iter().find_map(|version| path.strip_suffix(version)).unwrap_or(path).to_owned();
    url.set_path(&root);
    url
}

fn credentials(settings: &Settings) -> Result<Credentials, String> {
    let missing = |key: &str| format!("`{key}` is missing (clouds.yaml, secure.yaml or the `OS_*` variables)");
    let user = settings.identity(&["user_id"], &["username", "user_name"], "user");
    let credential = settings.get("application_credential_id").map(|id| Identity::Id(id.to_owned())).or_else(|| {
        let name = settings.get("application_credential_name")?.to_owned();
        Some(Identity::Name { name, domain: None })
    });
    let implied = match (&credential, &user) {
        (Some(_), _) => "v3applicationcredential",
        (None, None) if settings.get("token").is_some() => "token",
        (None, _) => "password",
    };
    match settings.get("auth_type").unwrap_or(implied) {
        "password" | "v3password" => Ok(Credentials::Password {
            user: user.ok_or_else(|| missing("username"))?,
            password: settings.secret("password").ok_or_else(|| missing("password"))?,
        }),
        "token" | "v3token" | "token_endpoint" => {
            Ok(Credentials::Token(settings.secret("token").ok_or_else(|| missing("token"))?))
        }
        "v3applicationcredential" => {
            let credential = credential.ok_or_else(|| missing("application_credential_id"))?;
            if matches!(credential, Identity::Name { .. }) && user.is_none() {
                return Err("`application_credential_name` needs `username` or `user_id` beside it".to_owned());
            }
            let secret = settings.secret("application_credential_secret");
            let secret = secret.ok_or_else(|| missing("application_credential_secret"))?;
            Ok(Credentials::ApplicationCredential { credential, user, secret })
        }
        other => Err(format!(
            "`auth_type` `{}` is not supported: password, v3password, token, v3token, v3applicationcredential",
            other.escape_debug()
        )),
    }
}

fn scope(settings: &Settings) -> Result<Scope, String> {
    if let Some(system) = settings.get("system_scope") {
        return if system == "all" { Ok(Scope::System) } else { Err("`system_scope` can only be `all`".to_owned()) };
    }
    let ids = ["project_id", "tenant_id"];
    if let Some(project) = settings.identity(&ids, &["project_name", "tenant_name"], "project") {
        return Ok(Scope::Project(project));
    }
    let named = |name: &str| Identity::Name { name: name.to_owned(), domain: None };
    let domain = settings.get("domain_id").map(|id| Identity::Id(id.to_owned()));
    Ok(domain.or_else(|| settings.get("domain_name").map(named)).map_or(Scope::Unscoped, Scope::Domain))
}

fn tls(settings: &Settings) -> Result<Tls, String> {
    let insecure = settings.switch("insecure")?.unwrap_or(false) || !settings.switch("verify")?.unwrap_or(true);
    let path = |key: &str| settings.get(key).map(PathBuf::from);
    Ok(Tls {
        verification: if insecure { Verification::None } else { Verification::Full },
        authorities: path("cacert"),
        certificate: path("cert").map(|certificate| (certificate, path("key"))),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Surroundings, load};
    use super::*;
    use secrecy::ExposeSecret;

    fn settings(auth: &[(&str, &str)], other: &[(&str, &str)]) -> Settings {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        Settings { auth: map(auth), other: map(other), regions: Vec::new() }
    }

    const PASSWORD: [(&str, &str); 4] =
        [("auth_url", "https://k.example/identity/v3/"), ("username", "u"), ("password", "p"), ("project_name", "q")];

    fn problem(auth: &[(&str, &str)], other: &[(&str, &str)]) -> String {
        lower(None, &settings(auth, other)).err().unwrap()
    }

    #[test]
    fn names_without_domain_are_in_the_default_domain() {
        let cloud = lower(None, &settings(&PASSWORD, &[])).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(cloud.auth_url.as_str(), "https://k.example/identity");
        let default = Some(Box::new(Identity::Id("default".to_owned())));
        assert_eq!(cloud.scope, Scope::Project(Identity::Name { name: "q".to_owned(), domain: default }));
        let mut explicit = PASSWORD.to_vec();
        explicit.extend([("user_domain_name", "D"), ("project_domain_id", "d"), ("project_id", "pid")]);
        let cloud = lower(None, &settings(&explicit, &[])).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(cloud.scope, Scope::Project(Identity::Id("pid".to_owned())));
        let Credentials::Password { user, password } = cloud.credentials else { panic!("no password") };
        let domain = Identity::Name { name: "D".to_owned(), domain: None };
        assert_eq!(user, Identity::Name { name: "u".to_owned(), domain: Some(Box::new(domain)) });
        assert_eq!(password.expose_secret(), "p");
    }

    #[test]
    fn the_keys_beside_auth_are_understood() {
        let other = [
            ("verify", "no"),
            ("cacert", "/ca.pem"),
            ("cert", "/c.pem"),
            ("key", "/k.pem"),
            ("endpoint_type", "internalURL"),
            ("image_endpoint_override", "http://images:9292"),
            ("region_name", "one"),
        ];
        let cloud = lower(None, &settings(&PASSWORD, &other)).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(
            cloud.tls,
            Tls {
                verification: Verification::None,
                authorities: Some("/ca.pem".into()),
                certificate: Some(("/c.pem".into(), Some("/k.pem".into()))),
            }
        );
        assert_eq!(cloud.interface, InterfaceType::Internal);
        assert_eq!(cloud.endpoints[&Service::Glance].as_str(), "http://images:9292/");
        assert_eq!(cloud.regions, ["one"]);
    }

    #[test]
    fn mistakes_are_named_without_values() {
        assert_eq!(problem(&[], &[]), "`auth_url` is missing");
        assert!(problem(&PASSWORD[..2], &[]).starts_with("`password` is missing"));
        assert!(problem(&PASSWORD, &[("verify", "maybe")]).contains("`verify`"));
        assert!(problem(&PASSWORD, &[("interface", "secret")]).contains("public, internal, admin"));
        assert!(problem(&PASSWORD, &[("auth_type", "v3oidcpassword")]).contains("v3oidcpassword"));
        let credential = [("auth_url", "http://k"), ("application_credential_name", "n")];
        assert!(problem(&credential, &[]).contains("`username` or `user_id`"));
        assert!(problem(&[("auth_url", "file:///etc/passwd")], &[]).contains("no http or https URL"));
    }

    #[test]
    fn variables_say_the_same_as_a_file() {
        let variables = |pairs: &[(&str, &str)]| {
            let map = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Surroundings::new(map, "/nonexistent".into(), "/nonexistent".into())
        };
        let cloud = load(
            None,
            &variables(&[
                ("OS_AUTH_URL", "http://k:5000/v3"),
                ("OS_APPLICATION_CREDENTIAL_ID", "id"),
                ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
                ("OS_REGION_NAME", "one"),
                ("OS_INSECURE", "true"),
                ("OS_USERNAME", ""),
            ]),
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(cloud.credentials, Credentials::ApplicationCredential { user: None, .. }));
        assert_eq!((cloud.regions, cloud.tls.verification), (vec!["one".to_owned()], Verification::None));
        assert!(load(None, &variables(&[])).err().unwrap().to_string().contains("--os-cloud"));
        assert!(load(None, &variables(&[("OS_CLOUD", "x")])).err().unwrap().to_string().contains("no cloud named `x`"));
    }
}
