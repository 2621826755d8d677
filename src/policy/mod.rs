//! Need to know: [`Policy::decide`] turns an [`Ask`] and the vault's [`Facts`] into a [`Permit`] or a [`Denial`].
//!
//! Pure, and denied by default. The rules are `policies/need-to-know.cedar`; here they are loaded, asked, and what they
//! answer is made into a value that nothing else can make.

mod engine;
mod error;
pub mod facts;
mod question;
#[cfg(test)]
mod tests;
mod why;
mod words;

use std::collections::HashMap;
use std::sync::OnceLock;

use ring::digest::{Context, SHA256};

pub use error::PolicyError;
pub use why::Why;

use self::engine::Engine;
use self::facts::{Facts, PolicyHash};
use self::question::{FieldKind, Flags, Question, Situation, Subject};
use crate::model::ask::{Action, Ask};
use crate::model::fields::{FieldName, FieldSet};
use crate::model::principals::{DepartmentKind, Role, Roles};
use crate::model::purposes::{Form, Purpose};

/// The rules in force.
pub struct Policy {
    engine: Engine,
    fields: HashMap<FieldName, FieldKind>,
    hash: PolicyHash,
    /// Roles that take two persons to give, once it was asked which they are.
    of_two: OnceLock<Vec<Role>>,
}

impl Policy {
    /// The policies the program ships with.
    pub const SHIPPED_POLICIES: &str = include_str!("../../policies/need-to-know.cedar");
    /// The schema they are checked against.
    pub const SHIPPED_SCHEMA: &str = include_str!("../../policies/schema.cedarschema");

    /// Reads policies and checks them, strictly, against their schema. `declared` are the texts that `fields` and
    /// the limits were read from: they are under the hash with the rest.
    ///
    /// # Errors
    ///
    /// Any error and any warning of Cedar's parser and validator; a policy without its own `@id`; a string that its
    /// attribute never is; a schema without one of our roles, actions or attributes.
    pub fn load(policies: &str, schema: &str, fields: &FieldSet, declared: &[&str]) -> Result<Self, PolicyError> {
        let fields = question::kinds(fields);
        Ok(Self {
            engine: Engine::load(policies, schema, fields.values().copied().collect())?,
            fields,
            hash: hash(&[&[policies, schema], declared].concat()),
            of_two: OnceLock::new(),
        })
    }

    /// SHA-256 over policies, schema, field declarations and limits, each after its length in bytes as 64 bits, big-endian.
    #[must_use]
    pub const fn hash(&self) -> PolicyHash {
        self.hash
    }

    /// Decides. The asker's roles are tried in order of declaration, and one of them must permit everything asked.
    ///
    /// # Errors
    ///
    /// The [`Denial`], to be logged as a [`Permit`] is.
    pub fn decide(&self, ask: Ask, facts: Facts) -> Result<Permit, Denial> {
        let situation = Situation::new(&ask, &facts);
        let subjects = question::subjects(&ask, &self.fields).unwrap_or_default();
        let role_for = |situation| {
            ask.who()
                .roles()
                .iter()
                .find(|role| !subjects.is_empty() && self.permits(*role, situation, &subjects))
        };
        if let Some(role) = role_for(situation) {
            return Ok(Permit {
                ask,
                facts,
                role,
                policy: self.hash,
            });
        }
        let why = why::explain(&ask, &facts, situation, |other| role_for(other).is_some());
        Err(Denial(Box::new(Denied {
            ask,
            facts,
            why,
            policy: self.hash,
        })))
    }

    /// The first of these purposes for which one of the asker's roles permits everything asked.
    #[must_use]
    pub fn purpose_for(
        &self,
        ask: &Ask,
        facts: &Facts,
        mut purposes: impl Iterator<Item = Purpose>,
    ) -> Option<Purpose> {
        let situation = Situation::new(ask, facts);
        let subjects = question::subjects(ask, &self.fields).filter(|subjects| !subjects.is_empty())?;
        purposes.find(|&purpose| {
            let situation = Situation { purpose, ..situation };
            let permits = |role| self.permits(role, situation, &subjects);
            ask.who().roles().iter().any(permits)
        })
    }

    /// Whether somebody with these roles in such a department may approve somebody else's request to do this.
    #[must_use]
    pub fn may_approve(&self, roles: Roles, department_kind: DepartmentKind, action: Action) -> bool {
        roles
            .iter()
            .any(|role| self.one_may_approve(role, department_kind, action))
    }

    fn one_may_approve(&self, role: Role, department_kind: DepartmentKind, action: Action) -> bool {
        let situation = |&purpose| Situation {
            action: Action::Approve,
            form: None,
            approves: Some(action),
            purpose,
            department_kind,
            flags: Flags::default(),
        };
        let mut situations = Purpose::ALL.iter().map(situation);
        situations.any(|situation| self.permits(role, situation, &[Subject::Vault]))
    }

    /// Whether somebody with these roles in such a department may ask for this field of a caller at all, for the sake of an open
    /// ticket that their department works on and that is not confidential.
    #[must_use]
    pub fn may_ask_for(&self, roles: Roles, department_kind: DepartmentKind, field: &str) -> bool {
        let kind = self
            .fields
            .iter()
            .find(|(name, _)| name.as_str() == field)
            .map(|(_, kind)| *kind);
        let Some(kind) = kind else { return false };
        let flags = Flags {
            ticket_known: true,
            open: true,
            worked_on: true,
            held: true,
            about: true,
            caller_known: true,
            concerns: true,
            ..Flags::default()
        };
        let ask = |(&purpose, form)| Situation {
            action: Action::Reveal,
            form: Some(form),
            approves: None,
            purpose,
            department_kind,
            flags,
        };
        let forms = [Form::Clear, Form::Masked];
        let mut situations = Purpose::ALL
            .iter()
            .flat_map(|purpose| forms.map(|form| (purpose, form)))
            .map(ask);
        situations.any(|situation| {
            let may = |role| self.permits(role, situation, &[Subject::Field(kind)]);
            roles.iter().any(may)
        })
    }

    /// Whether nobody gives these roles, or the means to act in them, alone: those of administrators, and of those on
    /// whose approval the others depend.
    #[must_use]
    pub fn takes_two_to_give(&self, roles: Roles) -> bool {
        let of_two = self
            .of_two
            .get_or_init(|| Role::ALL.iter().copied().filter(|&role| self.is_of_two(role)).collect());
        of_two.iter().any(|&role| roles.holds(role))
    }

    fn is_of_two(&self, role: Role) -> bool {
        let may_approve = |action| {
            DepartmentKind::ALL
                .iter()
                .any(|&kind| self.one_may_approve(role, kind, action))
        };
        role.is_administrator() || role == Role::Relay || Action::two_persons().any(may_approve)
    }

    fn permits(&self, role: Role, situation: Situation, subjects: &[Subject]) -> bool {
        subjects.iter().all(|&subject| {
            self.engine.permits(Question {
                role,
                subject,
                situation,
            })
        })
    }
}

fn hash(parts: &[&str]) -> PolicyHash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    PolicyHash::from_bytes(bytes)
}

/// A policy said yes to this ask under these facts. Made by [`Policy::decide`] alone; used once, by the log.
#[must_use = "a permit that is not logged permits nothing"]
pub struct Permit {
    ask: Ask,
    facts: Facts,
    role: Role,
    policy: PolicyHash,
}

impl Permit {
    /// What was asked.
    #[must_use]
    pub const fn ask(&self) -> &Ask {
        &self.ask
    }

    /// What the vault knew.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The role that permitted it.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The policy that permitted it.
    #[must_use]
    pub const fn policy(&self) -> PolicyHash {
        self.policy
    }

    /// Turns into a refusal, for a reason that lies outside the policy: a limit that has been reached.
    pub fn withdraw(self, why: Why) -> Denial {
        Denial(Box::new(Denied {
            ask: self.ask,
            facts: self.facts,
            why,
            policy: self.policy,
        }))
    }
}

/// A policy said no, or a limit was reached. A refusal is logged as surely as a read.
#[must_use = "a refusal is logged as surely as a read"]
pub struct Denial(Box<Denied>);

struct Denied {
    ask: Ask,
    facts: Facts,
    why: Why,
    policy: PolicyHash,
}

impl Denial {
    /// What was asked.
    #[must_use]
    pub const fn ask(&self) -> &Ask {
        &self.0.ask
    }

    /// What the vault knew.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Why not.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.0.why
    }

    /// The policy that refused it.
    #[must_use]
    pub const fn policy(&self) -> PolicyHash {
        self.0.policy
    }
}
