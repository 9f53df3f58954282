//! Keystone v3: tokens, the catalogue, the names of projects.
//!
//! One domain, `Default`. Tokens are always scoped to the user's only project. Errors have Keystone's own form.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Answer, Call, Refusal, empty, error, header_text, json_answer, with_header};
use super::identity::{Identity, Project, Token, User, identifier};
use super::world::{Endpoint, World};

/// How Keystone writes a time.
pub(super) fn long_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
}

/// Answers what needs no token.
pub(super) fn open(world: &mut World, call: &Call<'_>) -> Option<Answer> {
    Some(match (call.method, call.segments.as_slice()) {
        (_, []) => Ok(json_answer(StatusCode::MULTIPLE_CHOICES, &json!({"versions": {"values": [version(call)]}}))),
        (_, ["v3"]) => Ok(json_answer(StatusCode::OK, &json!({"version": version(call)}))),
        ("POST", ["v3", "auth", "tokens"]) => issue(world, call),
        _ => return None,
    })
}

/// Answers everybody who has a token.
pub(super) fn answer(world: &mut World, call: &Call<'_>) -> Answer {
    let subject = header_text(call.headers, "x-subject-token");
    match (call.method, call.segments.as_slice()) {
        ("GET" | "HEAD", ["v3", "auth", "tokens"]) => {
            let token = world.identity.token(subject).ok_or_else(|| missing("token", subject))?.clone();
            let body = json!({"token": token_view(&token, &world.endpoints)});
            Ok(with_header(json_answer(StatusCode::OK, &body), "x-subject-token", subject))
        }
        ("DELETE", ["v3", "auth", "tokens"]) => {
            world.identity.revoke(subject);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("GET", ["v3", "auth", "catalog"]) => {
            let body = json!({"catalog": catalogue(&world.endpoints, &call.caller.project_id)});
            Ok(json_answer(StatusCode::OK, &body))
        }
        ("GET", ["v3", "auth", "projects"]) => {
            let own = world.identity.project(&call.caller.project_id);
            let own: Vec<Value> = own.into_iter().map(|project| project_view(call, project)).collect();
            Ok(json_answer(StatusCode::OK, &json!({"projects": own, "links": {}})))
        }
        ("GET", ["v3", "projects"]) => {
            if !call.caller.is_admin() {
                return Err(forbidden("identity:list_projects"));
            }
            let wanted = |project: &&Project| call.parameter("name").is_none_or(|name| name == project.name);
            let projects = world.identity.projects.iter().filter(wanted);
            let found: Vec<Value> = projects.map(|project| project_view(call, project)).collect();
            Ok(json_answer(StatusCode::OK, &json!({"projects": found, "links": {}})))
        }
        ("GET", ["v3", "projects", id]) => {
            if !call.caller.is_admin() && call.caller.project_id != *id {
                return Err(forbidden("identity:get_project"));
            }
            let project = world.identity.project(id).ok_or_else(|| missing("project", id))?;
            Ok(json_answer(StatusCode::OK, &json!({"project": project_view(call, project)})))
        }
        _ => Err(error(StatusCode::NOT_FOUND, "The resource could not be found.")),
    }
}

/// The 401 that every service but Glance sends.
pub(super) fn unauthorised(identity_url: &str) -> Refusal {
    error(StatusCode::UNAUTHORIZED, "The request you have made requires authentication.")
        .with_header("www-authenticate", format!("Keystone uri=\"{identity_url}\""))
}

fn forbidden(rule: &str) -> Refusal {
    error(StatusCode::FORBIDDEN, &format!("You are not authorized to perform the requested action: {rule}."))
}

fn missing(kind: &str, id: &str) -> Refusal {
    error(StatusCode::NOT_FOUND, &format!("Could not find {kind}: {id}."))
}

fn version(call: &Call<'_>) -> Value {
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/v3/", call.base)}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

fn issue(world: &mut World, call: &Call<'_>) -> Answer {
    let body = call.json().ok_or_else(|| error(StatusCode::BAD_REQUEST, "Malformed json in request body"))?;
    let identity = &body["auth"]["identity"];
    let methods: Vec<String> = identity["methods"]
        .as_array()
        .map(|methods| methods.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    let user = methods
        .first()
        .and_then(|method| authenticate(&world.identity, method, &identity[method.as_str()]))
        .filter(|user| is_scope_of(&body["auth"]["scope"], user))
        .ok_or_else(|| unauthorised(&format!("{}/v3", call.base)))?;
    let (name, token) = world.identity.issue(user, methods);
    let body = json!({"token": token_view(&token, &world.endpoints)});
    Ok(with_header(json_answer(StatusCode::CREATED, &body), "x-subject-token", &name))
}

/// The user who proves who he is by that method; `None` where he does not.
fn authenticate(identity: &Identity, method: &str, proof: &Value) -> Option<User> {
    let find = |wanted: &Value| {
        let by = |user: &&User| wanted["id"] == user.id.as_str() || wanted["name"] == user.name;
        identity.users.iter().find(by)
    };
    match method {
        "password" => find(&proof["user"]).filter(|user| proof["user"]["password"] == user.password.as_str()).cloned(),
        "application_credential" => {
            let by_id = identity.users.iter().find(|user| proof["id"] == user.credential_id().as_str());
            by_id.or_else(|| find(&proof["user"])).filter(|user| proof["secret"] == user.password.as_str()).cloned()
        }
        "token" => identity.token(proof["id"].as_str()?).map(|token| token.user.clone()),
        _ => None,
    }
}

/// Whether the user has a role in what he asks for; no scope means his own project.
fn is_scope_of(scope: &Value, user: &User) -> bool {
    let project = &scope["project"];
    project.is_null() || project["name"] == user.project.name.as_str() || project["id"] == user.project.id.as_str()
}

fn project_view(call: &Call<'_>, Project { id, name }: &Project) -> Value {
    let link = format!("{}/v3/projects/{id}", call.base);
    json!({
        "id": id, "name": name, "domain_id": "default", "description": "", "enabled": true, "parent_id": "default",
        "is_domain": false, "tags": [], "options": {}, "links": {"self": link},
    })
}

fn token_view(token: &Token, endpoints: &[Endpoint]) -> Value {
    let domain = json!({"id": "default", "name": "Default"});
    let project = &token.user.project;
    let roles: Vec<Value> =
        token.user.role.implied().iter().map(|role| json!({"id": identifier(role), "name": role})).collect();
    json!({
        "methods": token.methods,
        "user": {
            "domain": domain, "id": token.user.id, "name": token.user.name, "password_expires_at": null,
        },
        "audit_ids": [identifier(&token.user.id)],
        "expires_at": long_time(token.expires_at),
        "issued_at": long_time(token.issued_at),
        "project": {"domain": domain, "id": project.id, "name": project.name},
        "is_domain": false,
        "roles": roles,
        "catalog": catalogue(endpoints, &project.id),
    })
}

fn catalogue(endpoints: &[Endpoint], project: &str) -> Value {
    let mut services: Vec<Value> = Vec::new();
    for (kind, name, path) in [
        ("identity", "keystone", "/v3"),
        ("image", "glance", ""),
        ("compute", "nova", "/v2.1"),
        ("block-storage", "cinder", "/v3"),
        ("volumev3", "cinderv3", "/v3/PROJECT"),
    ] {
        let mut entries: Vec<Value> = Vec::new();
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.service.is_called(kind)) {
            let url = format!("{}{}", endpoint.base, path.replace("PROJECT", project));
            for interface in ["public", "internal", "admin"] {
                entries.push(json!({
                    "id": identifier(&format!("{kind} {interface} {}", endpoint.region)),
                    "interface": interface, "region_id": endpoint.region, "region": endpoint.region, "url": url,
                }));
            }
        }
        if !entries.is_empty() {
            services.push(json!({"id": identifier(kind), "type": kind, "name": name, "endpoints": entries}));
        }
    }
    Value::Array(services)
}
