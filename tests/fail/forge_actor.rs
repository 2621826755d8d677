//! An actor comes from authentication only.
use callervault::model::principals::{Actor, DepartmentKind, Roles};
use callervault::model::reference_versions::ReferenceVersions;
use callervault::model::{code::Code, ids::{PrincipalId, TokenId}};
fn forge(id: PrincipalId, references: ReferenceVersions, roles: Roles, token: TokenId, code: Code) -> Actor {
    Actor::authenticated((id, code), (references, DepartmentKind::Organ, code), roles, (token, code))
}
fn main() {}
