//! When the security administrators' tokens are lost, one of them gets a new one: with the passphrase, with the vault stopped, by two
//! persons, after a delay in which everybody sees it coming (decision 0025).
//!
//! It has two steps. The first writes a leaf and a row that say for which account and from when on. While the vault serves,
//! `/readyz`, the metrics and the log tell of it, and one person who watches the vault stops it. The second step, after the delay,
//! makes the token. All tokens that the account had are void then: its epoch goes up.
//!
//! The account is a security administrator's that is active. There always is one: nobody sets their own standing.

use jiff::{SignedDuration, Timestamp};

use crate::cells;
use crate::log::{Change, Unasked, leaf};
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::principals::{PrincipalKind, Role};
use crate::model::problems;
use crate::model::reference::DepartmentCode;
use crate::store::rows::{About, Genuine, PrincipalRow, RecoveryRow, TokenRow, principal, recovery};
use crate::store::{Guard, Write};
use crate::vault::core::{new_token, text_hash};
use crate::vault::life::init::Issued;
use crate::vault::life::recovery_log::{CANCEL, DEED};
use crate::vault::life::restart::{Two, fit};
use crate::vault::people::approvals::{PRINCIPAL, are_one};
use crate::vault::people::recovery::closed;
use crate::vault::{Error, Session, Vault};

/// Whose tokens begin a recovery, beside the passphrase.
const RECOVERERS: [Role; 3] = [Role::Auditor, Role::Dpo, Role::SystemAdmin];

/// How long others have to see it and to stop it.
struct Delay {
    usual: SignedDuration,
    least: SignedDuration,
}

/// With two persons.
const BY_TWO: Delay = Delay {
    usual: SignedDuration::from_hours(24),
    least: SignedDuration::from_hours(1),
};
/// With the passphrase alone.
const BY_PASSPHRASE: Delay = Delay {
    usual: SignedDuration::from_hours(7 * 24),
    least: SignedDuration::from_hours(3 * 24),
};

/// What is to be recovered, and by whom.
pub struct Recovery<'r> {
    /// The account's name.
    pub account: &'r str,
    /// Two persons, by tokens. None where nobody has one any more: it takes longer then.
    pub two: Option<Two<'r>>,
    /// Why. It stays in the log.
    pub reason: &'r str,
    /// How long others have to stop it, if not as long as usual.
    pub delay: Option<SignedDuration>,
}

impl Vault {
    /// Begins a recovery, and says from when on it may be finished.
    ///
    /// # Errors
    /// [`Error::Bad`] where another is under way, where a witness contradicts the log, where the account is not one to recover or the two are not two who may, for a
    /// delay that is too short, and with a clock behind the log. [`Error::Unauthenticated`] for a token that is not good.
    pub async fn start_recovery(&self, asked: &Recovery<'_>) -> Result<Timestamp, Error> {
        let reason = fit(asked.reason)?;
        self.is_uncontradicted()?;
        let at = self.time_after_all().await?;
        if !self.open_recoveries().await?.is_empty() {
            return Err(Error::Bad(problems::RECOVERY_UNDER_WAY));
        }
        let target = self.to_recover(asked.account).await?;
        let two = match &asked.two {
            Some(two) => Some(self.two_recoverers(two).await?),
            None => None,
        };
        let ready_at = ready_at(at, two.is_some(), asked.delay)?;
        let [asker, approver] = two.as_ref().map_or([None, None], |two| {
            [0, 1].map(|one| two.get(one).map(|session| session.actor.id()))
        });
        let before = self.store.one(&recovery::OF_ACCOUNT, &cells![target.id]).await?;
        let before = before.map(|row| self.keyring.genuine(row)).transpose()?;
        let row = RecoveryRow {
            principal: target.id,
            asker,
            approver,
            started_at: at,
            ready_at,
            open: true,
            version: before.map_or(0, |row| row.version) + 1,
        };
        let mut change = Change {
            guards: vec![Guard::unchanged(&target)],
            link: link("start", &row),
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        change.link.insert("reason".to_owned(), reason.to_owned());
        change.link.insert("ready_at".to_owned(), leaf::milliseconds(ready_at));
        let by = two.as_ref().map(|[asker, _]| (asker.actor.id(), asker.actor.token()));
        if let Some((_, token)) = by {
            change.writes.extend(self.first_use_of(token, at).await?.writes());
        }
        self.recovered(at, by, approver, change).await?;
        self.recovery.set(Some(ready_at));
        Ok(ready_at)
    }

    /// Finishes the recovery once it is time: the new token, shown once.
    ///
    /// # Errors
    /// [`Error::Bad`] where none is under way, before its time, with a clock behind the log, where a witness contradicts the log, where
    /// the row is not as the log has it, where the vault was not served for half of the delay, and where the account is no longer one to
    /// recover.
    pub async fn finish_recovery(&self) -> Result<Issued, Error> {
        self.is_uncontradicted()?;
        let at = self.time_after_all().await?;
        let row = self.to_finish(at).await?;
        let owner = self.principal_row(row.principal).await?;
        if !administers(&owner) {
            return Err(Error::Bad(problems::NOT_RECOVERED));
        }
        let guards = vec![Guard::unchanged(&row), Guard::unchanged(&owner)];
        let owner = PrincipalRow {
            epoch: owner.epoch + 1,
            version: owner.version + 1,
            ..owner.into_row()
        };
        let secret = new_token(&*self.randomness)?;
        let token = TokenRow {
            id: TokenId::random(&*self.randomness)?,
            hash: text_hash(&secret),
            principal: owner.id,
            label: None,
            epoch: owner.epoch,
            log: self.log_number(),
            by_two: true,
            created_at: at,
            expires_at: None,
            revoked_at: None,
            version: 1,
        };
        let mut link = link("finish", &row);
        // They stay as they were, for the view of who has which role.
        for name in ["roles", "roles_before"] {
            link.insert(name.to_owned(), owner.roles.to_words());
        }
        let account = owner.account.clone();
        let change = Change {
            guards,
            writes: vec![
                Write::put(self.keyring.protect(owner)?),
                Write::put(self.keyring.protect(token)?),
                Write::put(self.keyring.protect(closed(row))?),
            ],
            link,
            ..Change::default()
        };
        self.recovered(at, None, None, change).await?;
        self.tell_of_recoveries().await?;
        Ok(Issued {
            account,
            role: Role::SecurityAdmin,
            token: secret,
        })
    }

    /// Ends the recovery that is under way, and each that has an open row.
    ///
    /// # Errors
    /// [`Error::Bad`] where none is.
    pub async fn cancel_recovery(&self) -> Result<(), Error> {
        let at = self.clock.now()?;
        let open = self.open_recoveries().await?;
        if open.is_empty() {
            return Err(Error::Bad(problems::NO_RECOVERY));
        }
        let mut change = self.closing(open.rows)?;
        change.link.insert(DEED.to_owned(), CANCEL.to_owned());
        self.recovered(at, None, None, change).await?;
        self.tell_of_recoveries().await
    }

    /// The recovery that is finished now: of the open rows the one that the log has.
    async fn to_finish(&self, at: Timestamp) -> Result<Genuine<RecoveryRow>, Error> {
        let open = self.open_recoveries().await?;
        let mut why = if open.others {
            problems::RECOVERY_NOT_LOGGED
        } else {
            problems::NO_RECOVERY
        };
        for row in open.rows {
            match self.unfinished(&row).await? {
                Some(problem) if problem.name == problems::RECOVERY_NOT_LOGGED.name => why = problem,
                _ if at < row.ready_at => return Err(Error::Bad(problems::RECOVERY_TOO_EARLY)),
                Some(problem) => return Err(Error::Bad(problem)),
                None => return Ok(row),
            }
        }
        Err(Error::Bad(why))
    }

    /// No witness says that the log was cut or rewritten: what stands in it then is not what others have seen.
    fn is_uncontradicted(&self) -> Result<(), Error> {
        if self.contradictions() > 0 {
            return Err(Error::Bad(problems::CONTRADICTED));
        }
        Ok(())
    }

    async fn recovered(
        &self,
        at: Timestamp,
        who: Option<(PrincipalId, TokenId)>,
        approver: Option<PrincipalId>,
        change: Change,
    ) -> Result<(), Error> {
        let act = Unasked {
            who,
            approver,
            ..Unasked::new(
                leaf::RECOVER,
                DepartmentCode::AUDITORS,
                at,
                self.rules.load().policy.hash(),
            )
        };
        self.log.unasked(&act, change).await?;
        Ok(())
    }

    /// The account of that name, if it is an active security administrator's.
    async fn to_recover(&self, account: &str) -> Result<Genuine<PrincipalRow>, Error> {
        let found = self
            .store
            .one(&principal::BY_ACCOUNT, &cells![account.to_owned()])
            .await?;
        let row = found.map(|row| self.keyring.genuine(row)).transpose()?;
        row.filter(administers).ok_or(Error::Bad(problems::NOT_RECOVERED))
    }

    /// Two persons who watch over the vault, neither of whom made the other's account.
    async fn two_recoverers(&self, two: &Two<'_>) -> Result<[Session; 2], Error> {
        let request = self.new_request()?;
        let asker = self.authenticate(two.asker, request.clone()).await?;
        let approver = self.authenticate(two.approver, request).await?;
        let first = self.principal_row(asker.actor.id()).await?;
        let second = self.principal_row(approver.actor.id()).await?;
        let may = |row: &PrincipalRow| {
            row.kind == PrincipalKind::Person && RECOVERERS.iter().any(|&role| row.roles.holds(role))
        };
        if may(&first) && may(&second) && !are_one(&first, &second) {
            Ok([asker, approver])
        } else {
            Err(Error::Bad(problems::NOT_TWO_RECOVERERS))
        }
    }
}

/// What an entry says of a recovery. A name stays out of the log.
fn link(deed: &str, row: &RecoveryRow) -> About {
    [
        (DEED.to_owned(), deed.to_owned()),
        (PRINCIPAL.to_owned(), row.principal.to_string()),
    ]
    .into()
}

fn administers(row: &Genuine<PrincipalRow>) -> bool {
    row.active && row.kind == PrincipalKind::Person && row.roles.holds(Role::SecurityAdmin)
}

fn ready_at(at: Timestamp, by_two: bool, delay: Option<SignedDuration>) -> Result<Timestamp, Error> {
    let Delay { usual, least } = if by_two { BY_TWO } else { BY_PASSPHRASE };
    let delay = delay.unwrap_or(usual);
    if delay < least {
        return Err(Error::Bad(problems::DELAY_TOO_SHORT));
    }
    Ok(at.checked_add(delay).map_err(|_| crate::clock::NoClock)?)
}
