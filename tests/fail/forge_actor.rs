//! An actor comes from authentication only.
use callervault::model::ids::{PrincipalId, TokenId};
use callervault::model::principals::{Actor, DepartmentKind, Roles};
use callervault::model::reference::DepartmentCode;
fn forge(id: PrincipalId, department: DepartmentCode, roles: Roles, token: TokenId) -> Actor {
    Actor::authenticated(id, department, DepartmentKind::Organ, roles, 1, token)
}
fn main() {}
