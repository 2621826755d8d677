//! A permit comes from a decision only.
use callervault::model::ask::Ask;
use callervault::model::principals::Role;
use callervault::policy::Permit;
use callervault::policy::facts::{Facts, PolicyHash};
fn forge(ask: Ask, facts: Facts, role: Role, policy: PolicyHash) -> Permit {
    Permit { ask, facts, role, policy }
}
fn main() {}
