//! Who there is and who is asking: projects, users, roles and tokens.
//!
//! Tokens live an hour of real time, not of the sandbox's clock: clients compare `expires_at` with their own clock, and a
//! clock set a day ahead or back must not make them log in again for ever. A test that wants an expired token revokes it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// What a user may do in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at the project's own things.
    Reader,
    /// Change the project's own things.
    Member,
    /// Everything, in all projects.
    Admin,
}

impl Role {
    /// The roles that this one implies, itself included, as Keystone lists them.
    pub(super) fn implied(self) -> &'static [&'static str] {
        match self {
            Self::Reader => &["reader"],
            Self::Member => &["member", "reader"],
            Self::Admin => &["admin", "member", "reader"],
        }
    }
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Project {
    /// The project of that name, with the id that it always has here.
    pub fn called(name: &str) -> Self {
        Self { id: project_id(name), name: name.to_owned() }
    }
}

/// A user: one name, one password, one project.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) password: String,
    pub(super) project: Project,
    pub(super) role: Role,
}

impl User {
    /// Id of the application credential that every user has; its secret is the user's password.
    pub(super) fn credential_id(&self) -> String {
        identifier(&format!("credential {}", self.name))
    }
}

/// A token that was issued.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) user: User,
    pub(super) methods: Vec<String>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) project_id: String,
    pub(super) user_id: String,
    pub(super) role: Role,
}

impl Caller {
    /// Whoever comes without a valid token.
    pub(super) fn nobody() -> Self {
        Self { project_id: String::new(), user_id: String::new(), role: Role::Reader }
    }

    /// The member or administrator of that project who acts without a request.
    pub(super) fn of_project(project: &str) -> Self {
        let role = if project == "admin" { Role::Admin } else { Role::Member };
        Self { project_id: project_id(project), user_id: project_id(project), role }
    }

    /// Whether the caller may act in every project.
    pub(super) fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// Projects, users and tokens.
#[derive(Debug)]
pub(super) struct Identity {
    /// The projects there are, that of the administrator first.
    pub(super) projects: [Project; 3],
    pub(super) users: Vec<User>,
    tokens: BTreeMap<String, Token>,
    /// How much later it is for Keystone than it really is.
    pub(super) ahead: SignedDuration,
}

impl Identity {
    pub(super) fn new(home: Project) -> Self {
        let projects = [home, Project::called("demo"), Project::called("other")];
        let user = |name, project: &Project, role| User {
            id: identifier(&format!("user {name}")),
            name,
            // Fresh for every sandbox: whoever can reach the port must also have been given the clouds.yaml.
            password: Uuid::new_v4().simple().to_string(),
            project: project.clone(),
            role,
        };
        let users = vec![
            user("admin", &projects[0], Role::Admin),
            user("demo", &projects[1], Role::Member),
            user("other", &projects[2], Role::Member),
            user("auditor", &projects[0], Role::Reader),
        ];
        Self { projects, users, tokens: BTreeMap::new(), ahead: SignedDuration::ZERO }
    }

    /// Issues a token, and says what it is called.
    pub(super) fn issue(&mut self, user: User, methods: Vec<String>) -> (String, Token) {
        let now = Timestamp::now();
        let expires_at = now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
        let issued_at = now.saturating_add(self.ahead).unwrap_or(now);
        let token = Token { user, methods, issued_at, expires_at };
        let name = format!("sandbox-{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.tokens.insert(name.clone(), token.clone());
        (name, token)
    }

    /// The token of that name, while it is valid.
    pub(super) fn token(&self, name: &str) -> Option<&Token> {
        self.tokens.get(name).filter(|token| token.expires_at > Timestamp::now())
    }

    /// Who a token belongs to.
    pub(super) fn caller(&self, token: &str) -> Option<Caller> {
        self.token(token).map(|token| Caller {
            project_id: token.user.project.id.clone(),
            user_id: token.user.id.clone(),
            role: token.user.role,
        })
    }

    /// The project of that id, if there is one.
    pub(super) fn project(&self, id: &str) -> Option<&Project> {
        self.projects.iter().find(|project| project.id == id)
    }

    /// The names of the tokens there are.
    pub(super) fn token_names(&self) -> impl Iterator<Item = &String> {
        self.tokens.keys()
    }

    /// Makes one token worthless.
    pub(super) fn revoke(&mut self, name: &str) {
        self.tokens.remove(name);
    }

    /// Makes every token worthless.
    pub(super) fn revoke_all(&mut self) {
        self.tokens.clear();
    }
}

/// Id of a project by its name. Always the same, so that recorded output can be compared.
pub fn project_id(name: &str) -> String {
    identifier(&format!("project {name}"))
}

/// A 32-digit identifier that depends on nothing but the text.
pub(super) fn identifier(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(&Sha256::digest(text.as_bytes())[..16])
}
