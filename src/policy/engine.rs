//! Cedar: policies loaded with suspicion, questions answered from memory where they were asked before.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    Response, RestrictedExpression, Schema, ValidationMode, Validator,
};

use super::error::PolicyError;
use super::question::{FieldKind, Flags, Question, Situation, Subject};
use super::words::{NO_ACTION, NO_FORM, first_stray};
use crate::model::ask::Action;
use crate::model::principals::{DepartmentKind, Role};
use crate::model::purposes::{Form, Purpose};

/// Answers remembered. There are some ten thousand questions with an actual asker; past this, all are forgotten.
pub(super) const MEMORY: usize = 1 << 16;

/// The policies, ready to be asked.
pub(super) struct Engine {
    names: Names,
    schema: Schema,
    policies: PolicySet,
    /// For each kind of field declared, the one entity that a question about it needs.
    fields: HashMap<FieldKind, Entities>,
    /// Written by any decision under the lock; holds only what `ask` answered, so losing it costs time and no more.
    memory: RwLock<HashMap<Question, bool>>,
}

/// Cedar's names of our types.
struct Names {
    role: EntityTypeName,
    action: EntityTypeName,
    field: EntityTypeName,
    vault: EntityTypeName,
}

impl Names {
    fn new() -> Result<Self, PolicyError> {
        let name = |name: &str| EntityTypeName::from_str(name).map_err(incomplete);
        Ok(Self {
            role: name("CallerVault::Role")?,
            action: name("CallerVault::Action")?,
            field: name("CallerVault::Field")?,
            vault: name("CallerVault::Vault")?,
        })
    }
}

fn uid(name: &EntityTypeName, word: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(word))
}

impl Engine {
    /// Parses and validates. Any error, any warning, anything the vault asks about and the schema lacks: refused.
    pub(super) fn load(policies: &str, schema: &str, kinds: HashSet<FieldKind>) -> Result<Self, PolicyError> {
        let schema = read_schema(schema)?;
        let policies = read_policies(policies)?;
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !result.validation_passed_without_warnings() {
            let errors = result.validation_errors().map(ToString::to_string);
            return Err(PolicyError::Refused(listed(
                errors.chain(result.validation_warnings().map(ToString::to_string)),
            )));
        }
        let names = Names::new()?;
        let fields: Result<_, _> = kinds
            .into_iter()
            .map(|kind| Ok((kind, field_entity(&names, kind, &schema)?)))
            .collect();
        let engine = Self {
            names,
            schema,
            policies,
            fields: fields?,
            memory: RwLock::default(),
        };
        engine.can_ask_everything()?;
        Ok(engine)
    }

    /// Whether the policy permits it, remembering the answer.
    pub(super) fn permits(&self, question: Question) -> bool {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        let known = memory.get(&question).copied();
        drop(memory);
        known.unwrap_or_else(|| {
            let answer = self.ask(question).is_some_and(|response| is_allowed(&response));
            self.remember(question, answer);
            answer
        })
    }

    /// Asks Cedar. `None` when the question cannot be put, which is a refusal.
    pub(super) fn ask(&self, question: Question) -> Option<Response> {
        let entities = match question.subject {
            Subject::Field(kind) => self.fields.get(&kind)?,
            Subject::Vault => &Entities::empty(),
        };
        let request = self.request(question).ok()?;
        Some(Authorizer::new().is_authorized(&request, &self.policies, entities))
    }

    pub(super) fn remember(&self, question: Question, answer: bool) {
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        if memory.len() >= MEMORY {
            memory.clear();
        }
        memory.insert(question, answer);
    }

    fn request(&self, question: Question) -> Result<Request, PolicyError> {
        let Question {
            role,
            subject,
            situation,
        } = question;
        let resource = match subject {
            Subject::Field(kind) => uid(&self.names.field, kind.group.as_str()),
            Subject::Vault => uid(&self.names.vault, "vault"),
        };
        Request::new(
            uid(&self.names.role, role.as_str()),
            uid(&self.names.action, situation.action.as_str()),
            resource,
            context(situation)?,
            Some(&self.schema),
        )
        .map_err(incomplete)
    }

    /// Puts one question for every role and action, so that a schema that lacks one is found now.
    fn can_ask_everything(&self) -> Result<(), PolicyError> {
        for (&role, &action) in Role::ALL
            .iter()
            .flat_map(|role| Action::ALL.iter().map(move |action| (role, action)))
        {
            let situation = Situation {
                action,
                form: None,
                approves: None,
                purpose: Purpose::Administer,
                department_kind: DepartmentKind::Centre,
                flags: Flags::default(),
            };
            let fields = self.fields.keys().copied().map(Subject::Field);
            let subjects = if action.is_about_fields() {
                fields.collect()
            } else {
                vec![Subject::Vault]
            };
            for subject in subjects {
                self.request(Question {
                    role,
                    subject,
                    situation,
                })?;
            }
        }
        Ok(())
    }

    /// The rules by `@id`, and whether each is a `@backstop`.
    #[cfg(test)]
    pub(super) fn rules(&self) -> impl Iterator<Item = (String, bool)> {
        self.policies
            .policies()
            .map(|policy| (policy.id().to_string(), policy.annotation("backstop").is_some()))
    }

    /// How many answers are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.memory.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Cedar passes over a policy whose evaluation fails, be it a `forbid`. Here that is a refusal.
pub(super) fn is_allowed(response: &Response) -> bool {
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

fn read_schema(text: &str) -> Result<Schema, PolicyError> {
    let (schema, warnings) = Schema::from_cedarschema_str(text).map_err(|error| PolicyError::Schema(full(&error)))?;
    let warnings = listed(warnings.map(|warning| warning.to_string()));
    if warnings.is_empty() {
        Ok(schema)
    } else {
        Err(PolicyError::Schema(warnings))
    }
}

/// The policies, each under its `@id`.
fn read_policies(text: &str) -> Result<PolicySet, PolicyError> {
    let read = PolicySet::from_str(text).map_err(|error| PolicyError::Syntax(full(&error)))?;
    if let Some(template) = read.templates().next() {
        return Err(PolicyError::Unnamed(format!("there is a template: {template}")));
    }
    let mut named = PolicySet::new();
    for policy in read.policies() {
        let Some(id) = policy.annotation("id").filter(|id| !id.is_empty()) else {
            return Err(PolicyError::Unnamed(format!("a policy has no @id: {policy}")));
        };
        let json = policy
            .to_json()
            .map_err(|error| PolicyError::Syntax(error.to_string()))?;
        if let Some(word) = json.get("conditions").and_then(first_stray) {
            return Err(PolicyError::Word {
                policy: id.to_owned(),
                word,
            });
        }
        named
            .add(policy.new_id(PolicyId::new(id)))
            .map_err(|_| PolicyError::Unnamed(format!("two policies have the @id {id}")))?;
    }
    Ok(named)
}

/// The entity that stands for such a field, alone with the schema's actions.
fn field_entity(names: &Names, kind: FieldKind, schema: &Schema) -> Result<Entities, PolicyError> {
    let attributes = [
        ("record", kind.record.as_str()),
        ("group", kind.group.as_str()),
        ("class", kind.class.as_str()),
    ];
    let attributes = attributes
        .into_iter()
        .map(|(name, word)| (name.to_owned(), string(word)))
        .collect();
    let entity = Entity::new(uid(&names.field, kind.group.as_str()), attributes, HashSet::new()).map_err(incomplete)?;
    Entities::from_entities([entity], Some(schema)).map_err(incomplete)
}

fn context(situation: Situation) -> Result<Context, PolicyError> {
    let Situation {
        form,
        approves,
        purpose,
        department_kind,
        flags,
        ..
    } = situation;
    let words = [
        ("form", string(form.map_or(NO_FORM, Form::as_str))),
        ("approves", string(approves.map_or(NO_ACTION, Action::as_str))),
        ("purpose", string(purpose.as_str())),
        ("department_kind", string(department_kind.as_str())),
    ];
    let flags = flags
        .named()
        .map(|(name, flag)| (name, RestrictedExpression::new_bool(flag)));
    let pairs = words.into_iter().chain(flags);
    Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value))).map_err(incomplete)
}

fn string(word: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(word.to_owned())
}

fn incomplete(error: impl Display) -> PolicyError {
    PolicyError::Incomplete(error.to_string())
}

fn listed(found: impl Iterator<Item = String>) -> String {
    found.collect::<Vec<_>>().join("; ")
}

/// The error with what led to it.
fn full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    listed(causes.map(ToString::to_string))
}
