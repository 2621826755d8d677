//! What the asker is to the vault, and what they may still do.

use serde::Serialize;

use crate::model::limits::Counted;
use crate::model::principals::{PrincipalKind, Role};
use crate::model::purposes::Purpose;
use crate::vault::people::Department;
use crate::vault::{Error, Session, Vault};

/// Your account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Me {
    /// Its id, which the log calls `actor`.
    pub id: String,
    /// Account name.
    pub account: String,
    /// `person` or `service`.
    pub kind: PrincipalKind,
    /// Whether you may act on behalf of the persons of your department (`On-Behalf-Of`).
    pub acts_for: bool,
    /// The service account that acts on your behalf. All else in this answer is yours then, except the roles, which are those that
    /// both of you hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Your department. You work with its tickets and references.
    pub department: Department,
    /// All your roles.
    pub roles: Vec<Role>,
    /// The purposes that your roles allow.
    pub purposes: Vec<Purpose>,
    /// The purpose of a request that names none.
    pub usual_purpose: Purpose,
    /// What is counted for you, and how much of each limit is left.
    pub limits: Vec<Left>,
}

/// A service account.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Via {
    /// Its id, which the log calls `via`.
    pub id: String,
    /// Account name.
    pub account: String,
}

/// How much of a limit is left.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Left {
    /// What is counted.
    pub counted: Counted,
    /// How many more are allowed now.
    pub left: u64,
}

impl Vault {
    /// The asker's own account. It shows nothing of anybody else, so that it is no entry of the log. A service account is told whom it
    /// acts for: the account that it named.
    ///
    /// # Errors
    /// [`Error::Key`] for a row that was edited; [`Error::Store`].
    pub async fn me(&self, session: &Session) -> Result<Me, Error> {
        let actor = &session.actor;
        let principal = self.principal_row(actor.id()).await?;
        let department = self.department_row(actor.department()).await?;
        let via = match actor.via() {
            Some((service, _)) => Some(self.principal_row(service).await?),
            None => None,
        };
        let left = self.left(actor, self.clock.now()?).await?;
        Ok(Me {
            id: actor.id().to_string(),
            account: principal.account.clone(),
            kind: principal.kind,
            acts_for: principal.acts_for,
            via: via.map(|service| Via {
                id: service.id.to_string(),
                account: service.account.clone(),
            }),
            department: department.into(),
            roles: actor.roles().iter().collect(),
            purposes: actor.roles().purposes().collect(),
            usual_purpose: actor.roles().usual_purpose(),
            limits: left.into_iter().map(|(counted, left)| Left { counted, left }).collect(),
        })
    }
}
