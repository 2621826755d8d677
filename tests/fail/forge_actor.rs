//! An actor comes from authentication only.
use callervault::model::principals::{Actor, DepartmentKind, Roles};
use callervault::model::reference::DepartmentCode;
use callervault::model::{code::Code, ids::{PrincipalId, TokenId}};
fn forge(id: PrincipalId, department: DepartmentCode, roles: Roles, token: TokenId, code: Code) -> Actor {
    Actor::authenticated((id, code), (department, DepartmentKind::Organ, code), roles, (token, code))
}
fn main() {}
