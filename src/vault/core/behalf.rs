//! On behalf of a clerk: a platform's service account sends the requests of the people who work with it. The act is then the
//! clerk's, in the roles that both hold, and its entry names both (decision 0029).

use crate::cells;
use crate::model::ask::Action;
use crate::model::principals::{PrincipalKind, Role, Roles};
use crate::policy::Why;
use crate::policy::facts::Facts;
use crate::store::rows::principal::BY_ACCOUNT;
use crate::store::rows::{Genuine, PrincipalRow};
use crate::vault::{Error, Session, Vault};

impl Vault {
    /// The session of a service account as that of the clerk with this account name. The clerk is then held back as a sender, too.
    ///
    /// # Errors
    /// [`Error::Refused`] where the service account may not act on behalf of anybody, or not of this account; [`Error::TooMany`] where
    /// as much was sent for the clerk, or refused, as one principal may; [`Error::Key`] for a row that was edited.
    pub async fn act_for(&self, session: Session, account: &str) -> Result<Session, Error> {
        let clerk = self.store.one(&BY_ACCOUNT, &cells![account.to_owned()]).await?;
        let clerk = clerk.map(|row| self.keyring.genuine(row)).transpose()?;
        let mut ask = self.ask(&session, Action::ActFor, session.actor.roles().usual_purpose())?;
        if let Some(clerk) = &clerk {
            ask = ask.account(clerk.id);
        }
        let permit = self.decide(ask, Facts::default()).await?;
        let (clerk, roles) = match self.acted_for(&session, clerk) {
            Ok(both) => both,
            Err(why) => return Err(self.refuse(permit, why).await),
        };
        // The permit ends here: what the service account does now is decided on as the clerk's act, and has an entry of its own.
        drop(permit);
        self.admit(Session {
            actor: session.actor.acting_for((clerk.id, *clerk.code()), roles),
            acts_for: false,
            ..session
        })
    }

    /// The clerk, if the service account may act on their behalf, and in which roles.
    fn acted_for(
        &self,
        session: &Session,
        clerk: Option<Genuine<PrincipalRow>>,
    ) -> Result<(Genuine<PrincipalRow>, Roles), Why> {
        let service = session.actor.roles();
        if !session.acts_for || !self.are_working(service) {
            return Err(Why::MayNotActFor);
        }
        let clerk = clerk.filter(|clerk| {
            clerk.kind == PrincipalKind::Person
                && clerk.active
                && clerk.department == session.actor.department()
                && self.are_working(clerk.roles)
        });
        let clerk = clerk.ok_or(Why::NotActedFor)?;
        let roles = service.common(clerk.roles).ok_or(Why::NotActedFor)?;
        Ok((clerk, roles))
    }

    /// Whether these are roles of those who work on calls and tickets: none that stands alone, and none that takes two persons to
    /// give.
    pub(in crate::vault) fn are_working(&self, roles: Roles) -> bool {
        !roles.iter().any(Role::stands_alone) && !self.rules.load().policy.takes_two_to_give(roles)
    }
}
