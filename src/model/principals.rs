//! Who acts: principals, their roles and departments.

use super::code::Code;
use super::ids::{PrincipalId, TokenId};
use super::purposes::Purpose;
use super::reference::DepartmentCode;
use super::reference_versions::ReferenceVersions;
use super::word_enum::word_enum;

word_enum! {
    /// A role (DOMAIN §4). What each may see is `policies/need-to-know.cedar`.
    pub enum Role {
        /// 坐席: takes the call.
        Agent = "agent": "Agent" / "坐席",
        /// 派单员: sends tickets to departments.
        Dispatcher = "dispatcher": "Dispatcher" / "派单员",
        /// 承办: works a ticket in a department.
        Handler = "handler": "Handler" / "承办人员",
        /// 回访员: asks the caller whether it was solved.
        Callback = "callback": "Callback clerk" / "回访员",
        /// 督办员: follows up.
        Supervisor = "supervisor": "Supervisor" / "督办员",
        /// 转接平台: puts calls through to callers, and is a program.
        Relay = "relay": "Relay" / "转接平台",
        /// 数据分析员: statistics.
        Analyst = "analyst": "Data analyst" / "数据分析员",
        /// 审计管理员: reads the log, never a field.
        Auditor = "auditor": "Auditor" / "审计管理员",
        /// 安全管理员: sets roles, departments and policy.
        SecurityAdmin = "security_admin": "Security administrator" / "安全管理员",
        /// 系统管理员: keys and backups.
        SystemAdmin = "system_admin": "System administrator" / "系统管理员",
        /// 个保负责人: answers callers about their data.
        Dpo = "dpo": "Data protection officer" / "个保负责人",
    }
}

impl Role {
    /// One of the three administrators (三员), who exclude each other and everything else.
    #[must_use]
    pub const fn is_administrator(self) -> bool {
        matches!(self, Self::Auditor | Self::SecurityAdmin | Self::SystemAdmin)
    }

    /// Held by itself only: by an administrator, by who answers callers about their data and so must not have worked on
    /// their tickets, and by the program that is given numbers.
    #[must_use]
    pub const fn stands_alone(self) -> bool {
        self.is_administrator() || matches!(self, Self::Dpo | Self::Relay)
    }

    /// What it asks for, as `need-to-know.cedar` has it. The first is taken where an ask names none.
    #[must_use]
    pub const fn purposes(self) -> &'static [Purpose] {
        match self {
            Self::Agent => &[Purpose::Intake, Purpose::Correct],
            Self::Dispatcher => &[Purpose::Dispatch],
            Self::Handler => &[Purpose::Handle],
            Self::Callback => &[Purpose::Callback],
            Self::Supervisor => &[Purpose::Supervise],
            Self::Relay => &[Purpose::Connect],
            Self::Analyst => &[],
            Self::Auditor | Self::Dpo => &[Purpose::Audit],
            Self::SecurityAdmin => &[Purpose::Administer],
            Self::SystemAdmin => &[Purpose::Administer, Purpose::Reindex, Purpose::Reseal],
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of roles that one person may hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Roles(u16);

impl Roles {
    /// The set of these roles.
    ///
    /// # Errors
    /// Refused when empty, or when a role that stands alone stands beside any other (三员分立, P9).
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Result<Self, BadRoles> {
        let set = Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()));
        match set.0.count_ones() {
            0 => Err(BadRoles::None),
            1 => Ok(set),
            _ if set.iter().any(Role::stands_alone) => Err(BadRoles::NotAlone),
            _ => Ok(set),
        }
    }

    /// The roles held, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.holds(*role))
    }

    /// Whether this role is held.
    #[must_use]
    pub const fn holds(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// The roles that both hold, if there are any.
    #[must_use]
    pub const fn common(self, other: Self) -> Option<Self> {
        match self.0 & other.0 {
            0 => None,
            both => Some(Self(both)),
        }
    }

    /// The purposes of these roles.
    pub fn purposes(self) -> impl Iterator<Item = Purpose> {
        self.iter().flat_map(|role| role.purposes().iter().copied())
    }

    /// The purpose of an ask that names none.
    #[must_use]
    pub fn usual_purpose(self) -> Purpose {
        self.purposes().next().unwrap_or(Purpose::Handle)
    }

    /// The purpose of an ask that names none and is usually for this one: the roles' own, where none of them has it.
    #[must_use]
    pub fn purpose_for(self, usual: Purpose) -> Purpose {
        if self.purposes().any(|purpose| purpose == usual) {
            usual
        } else {
            self.usual_purpose()
        }
    }

    /// The words with a comma between, as stored.
    #[must_use]
    pub fn to_words(self) -> String {
        self.iter().map(Role::as_str).collect::<Vec<_>>().join(",")
    }

    /// The set stored as these words.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        let roles: Option<Vec<Role>> = words.split(',').map(Role::from_word).collect();
        Self::new(roles?).ok()
    }
}

/// Roles that nobody may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRoles {
    /// No role at all.
    #[error("a principal holds at least one role")]
    None,
    /// A role that stands alone, beside another.
    #[error(
        "auditor, security_admin, system_admin, dpo and relay exclude each other and every other role: \
                 make a second principal for a second person"
    )]
    NotAlone,
}

/// Whether a text can be an account's name: 2 to 64 of `a-z`, `0-9`, `.`, `_`, `-`.
#[must_use]
pub fn is_account_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    (2..=64).contains(&text.len()) && text.chars().all(word)
}

word_enum! {
    /// The legal class of a department, which decides what may be shown to it (DOMAIN §0.4, §4).
    pub enum DepartmentKind {
        /// The hotline centre: takes calls and dispatches.
        Centre = "centre",
        /// A state organ.
        Organ = "organ",
        /// A public enterprise: water, buses.
        Enterprise = "enterprise",
        /// Grass roots: communities, property managers.
        Grassroots = "grassroots",
    }
}

word_enum! {
    /// Where a department stands.
    pub enum DepartmentState {
        /// It works.
        Open = "open": "Open" / "在用",
        /// It gets no tickets and no accounts any more.
        Closed = "closed": "Closed" / "已停用",
        /// As closed; another department does its work.
        Merged = "merged": "Merged" / "已并入其他部门",
    }
}

word_enum! {
    /// A person or a program.
    pub enum PrincipalKind {
        /// A member of staff.
        Person = "person": "Person" / "个人账号",
        /// A service account.
        Service = "service": "Service account" / "服务账号",
    }
}

/// Who asks, once authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    id: PrincipalId,
    references: ReferenceVersions,
    department_kind: DepartmentKind,
    department_code: Code,
    roles: Roles,
    code: Code,
    token: TokenId,
    token_code: Code,
    via: Option<(PrincipalId, Code)>,
}

impl Actor {
    /// Made by `vault::authenticate` alone, from rows whose integrity it has checked.
    pub(crate) const fn authenticated(
        (id, code): (PrincipalId, Code),
        (references, department_kind, department_code): (ReferenceVersions, DepartmentKind, Code),
        roles: Roles,
        (token, token_code): (TokenId, Code),
    ) -> Self {
        Self {
            id,
            references,
            department_kind,
            department_code,
            roles,
            code,
            token,
            token_code,
            via: None,
        }
    }

    /// The clerk on whose behalf this service account acts, in the roles that both hold. Made by `vault::act_for` alone, which has
    /// checked both rows.
    pub(crate) const fn acting_for(self, (clerk, code): (PrincipalId, Code), roles: Roles) -> Self {
        Self {
            id: clerk,
            code,
            roles,
            via: Some((self.id, self.code)),
            ..self
        }
    }

    /// The principal: where a service account acts on behalf of a clerk, the clerk.
    #[must_use]
    pub const fn id(&self) -> PrincipalId {
        self.id
    }

    /// The one department this principal belongs to.
    #[must_use]
    pub const fn department(&self) -> DepartmentCode {
        self.references.department()
    }

    /// That department's references.
    #[must_use]
    pub const fn references(&self) -> &ReferenceVersions {
        &self.references
    }

    /// The code of that department's row.
    #[must_use]
    pub const fn department_code(&self) -> &Code {
        &self.department_code
    }

    /// That department's legal class.
    #[must_use]
    pub const fn department_kind(&self) -> DepartmentKind {
        self.department_kind
    }

    /// The roles held.
    #[must_use]
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// The code of the principal's row this was read from: a change of roles makes it stale.
    #[must_use]
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// The service account that acts on behalf of this principal, and the code of its row; nothing where the principal acts
    /// themselves. Token and token's code are then the service account's.
    #[must_use]
    pub const fn via(&self) -> Option<(PrincipalId, &Code)> {
        match &self.via {
            Some((service, code)) => Some((*service, code)),
            None => None,
        }
    }

    /// The token presented: once revoked, nothing asked with it happens any more.
    #[must_use]
    pub const fn token(&self) -> TokenId {
        self.token
    }

    /// The code of the token's row.
    #[must_use]
    pub const fn token_code(&self) -> &Code {
        &self.token_code
    }
}
