//! Who is who in the demo, and with which token.

use serde::Serialize;

use super::Failure;
use crate::model::principals::Role;

/// The departments beside the centre.
pub(super) const DEPARTMENTS: [(&str, &str); 3] = [("C1", "城市管理局"), ("W2", "水务局"), ("M3", "市场监督管理局")];

/// `DIR/credentials.json`.
#[derive(Serialize)]
pub(super) struct Credentials {
    pub(super) base_url: String,
    pub(super) departments: Vec<Department>,
    pub(super) principals: Vec<Principal>,
}

#[derive(Serialize)]
pub(super) struct Department {
    pub(super) code: String,
    pub(super) name: String,
}

#[derive(Serialize)]
pub(super) struct Principal {
    pub(super) name: String,
    pub(super) department: String,
    pub(super) roles: Vec<Role>,
    pub(super) token: String,
}

impl Credentials {
    pub(super) fn token(&self, name: &str) -> Result<&str, Failure> {
        let one = self.principals.iter().find(|principal| principal.name == name);
        one.map(|principal| principal.token.as_str())
            .ok_or_else(|| Failure::unavailable("no such demo principal"))
    }
}
