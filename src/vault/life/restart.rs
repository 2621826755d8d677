//! A log that cannot go on is followed by another (DESIGN §7): after a data store was restored from an older copy, say, which
//! the fence refuses. The first entry of the next log says how the old one stood; every old entry is kept.
//!
//! It is done with the vault stopped, by two persons who are there: a system administrator and somebody who may approve it.
//!
//! A restored data store has forgotten what was revoked since. So every token is good under one log only: the next log takes over
//! the tokens of these two, and all others are void. Roles may be older than what was lost; who holds which that takes two persons
//! to give is told to the two.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cells;
use crate::clock::Clock;
use crate::keyring::KeyError;
use crate::keyring::unlock::Opener;
use crate::log::Change;
use crate::log::startup::Proved;
use crate::model::approvals::ApprovalState;
use crate::model::ask::Action;
use crate::model::ids::{ApprovalId, TokenId};
use crate::model::key_roles::KeyRole;
use crate::model::principals::{PrincipalKind, Role, Roles};
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::policy::facts::{ApprovalFacts, Facts};
use crate::policy::{Permit, Why};
use crate::randomness::Randomness;
use crate::store::rows::{
    About, ApprovalRow, Cell, Column, DestroyedKeyRow, Genuine, PrincipalRow, TokenRow, principal,
};
use crate::store::{Guard, Write};
use crate::vault::core::{new_token, text_hash};
use crate::vault::life::again::ErasedAgain;
use crate::vault::life::init::Issued;
use crate::vault::life::next_log::{NextLog, ORIGIN, number_of};
use crate::vault::life::open::{OpenError, Opening, Places, Running, Unlocked};
use crate::vault::{Error, LARGEST_PAGE, Session, Vault};

const LONGEST_REASON: usize = 200;
/// As many digits as a reason may have, however they are written: fewer than a telephone number.
const MOST_DIGITS: usize = 6;

/// The two persons, by their tokens.
pub struct Two<'t> {
    /// A system administrator's.
    pub asker: &'t str,
    /// That of somebody who may approve it.
    pub approver: &'t str,
}

/// The log that is in force now.
pub struct Restarted {
    /// Its origin.
    pub origin: String,
    /// Its key, as verifiers take it.
    pub key: String,
    /// How the old one stood, word by word, as the first entry says.
    pub link: BTreeMap<String, String>,
    /// Accounts that administer the vault or may approve, as they stand in this data store.
    pub administrators: Vec<Standing>,
    /// The token of the security administrator who was readmitted, shown once.
    pub readmitted: Option<Issued>,
    /// On the next log.
    vault: Vault,
}

impl Restarted {
    /// Erases again what this data store has of callers who were erased since. The next start does it where nobody calls this, and goes on
    /// with what is left: so whatever is shown once can be shown first.
    ///
    /// # Errors
    /// Whatever the stores report.
    pub async fn erase_again(&self) -> Result<ErasedAgain, Error> {
        self.vault.erase_again().await
    }
}

/// An account as it stands.
pub struct Standing {
    /// Account name.
    pub account: String,
    /// What it may act as.
    pub roles: Roles,
    /// Whether it may authenticate once it has a token.
    pub active: bool,
}

impl Vault {
    /// Opens the next log, whose first entry links the old one. Every token but those of the two is void from then on; the account
    /// to be readmitted, a security administrator's, gets a new one.
    ///
    /// # Errors
    /// [`OpenError::DestroyedKey`] when something in the data store was made with a key that was destroyed since; [`OpenError::Log`] when the log that is there does not prove in itself: only what is behind the fence may be missing.
    /// [`OpenError::NotByThese`] when one of the two may not, or they are not two; [`Error::Bad`] when there is no security
    /// administrator's account of that name. Nothing is changed then.
    pub async fn restart<'o>(
        places: &Places,
        opener: impl Into<Opener<'o>>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        two: &Two<'_>,
        reason: &str,
        readmit: Option<&str>,
    ) -> Result<Restarted, OpenError> {
        let reason = fit(reason)?;
        let opened = Unlocked::open(places, opener.into(), &randomness).await?;
        let NextLog {
            origin,
            mut link,
            destroyed,
            owing,
        } = opened.next_log(places, reason).await?;
        let alone = Running {
            batch: 1,
            randomness,
            ..Running::default()
        };
        let opening = Opening::new(places.clone(), clock, "restart", alone);
        let proved = Proved::empty(origin.clone()).owing(owing);
        let vault = opened.serve(opening, proved).await?;
        let old = link.get(ORIGIN).map_or("", String::as_str);
        let number = number_of(vault.keyring.origin(), old);
        let sessions = vault.two_sessions(two, number).await?;
        let readmitted = match readmit {
            Some(account) => Some(vault.readmit(account, &sessions[1]).await?),
            None => None,
        };
        if let Some((issued, row)) = &readmitted {
            link.insert("readmitted".to_owned(), row.principal.to_string());
            link.insert("readmitted_role".to_owned(), issued.role.to_string());
        }
        let (permit, mut change) = vault.both(&sessions, &link).await?;
        change
            .writes
            .extend(readmitted.iter().map(|(_, row)| Write::put(row.clone())));
        change.writes.extend(vault.destroyed_before(&destroyed, &permit)?);
        vault.will_erase_again(&permit).await?;
        vault.record(permit, change).await?;
        Ok(Restarted {
            key: vault.keyring.verifier(&origin)?.to_string(),
            origin,
            link,
            administrators: vault.administrators().await?,
            readmitted: readmitted.map(|(issued, _)| issued),
            vault,
        })
    }

    /// That these versions of keys were destroyed, which this data store did not know: the asker says so.
    fn destroyed_before(&self, destroyed: &[(KeyRole, u8)], permit: &Permit) -> Result<Vec<Write>, KeyError> {
        let row = |&(role, version)| DestroyedKeyRow {
            role,
            version,
            destroyed_by: permit.ask().who().id(),
            destroyed_at: permit.ask().at(),
        };
        let rows = destroyed.iter().map(row);
        rows.map(|row| Ok(Write::put(self.keyring.protect(row)?))).collect()
    }

    /// The number of the log in force, from 1.
    pub(in crate::vault) fn log_number(&self) -> u64 {
        number_of(self.keyring.origin(), self.log.origin())
    }

    /// The two persons, by tokens that are good under the old log.
    async fn two_sessions(&self, two: &Two<'_>, log: u64) -> Result<[Session; 2], OpenError> {
        let request = self.new_request()?;
        let asker = self.authenticate_under(two.asker, request.clone(), log).await?;
        let approver = self.authenticate_under(two.approver, request, log).await?;
        Ok([asker, approver])
    }

    /// A token of the next log for a security administrator, so that others can be given theirs. Like any token of an administrator
    /// it takes a second person who may approve that.
    async fn readmit(&self, account: &str, second: &Session) -> Result<(Issued, Genuine<TokenRow>), OpenError> {
        let found = self
            .store
            .one(&principal::BY_ACCOUNT, &cells![account.to_owned()])
            .await?;
        let row = found.map(|row| self.keyring.genuine(row)).transpose()?;
        let fits = |row: &Genuine<PrincipalRow>| {
            row.active && row.kind == PrincipalKind::Person && row.roles.holds(Role::SecurityAdmin)
        };
        let row = row.filter(fits).ok_or(Error::Bad(problems::NOT_READMITTED))?;
        let approver = self.principal_row(second.actor.id()).await?;
        let kind = second.actor.department_kind();
        let rules = self.rules();
        if !rules.policy.may_approve(approver.roles, kind, Action::SetAdministrator) {
            return Err(OpenError::NotByThese(Why::NotApproved));
        }
        let secret = new_token(&*self.randomness).map_err(Error::from)?;
        let token = TokenRow {
            id: TokenId::random(&*self.randomness).map_err(Error::from)?,
            hash: text_hash(&secret),
            principal: row.id,
            label: None,
            epoch: row.epoch,
            log: self.log_number(),
            by_two: true,
            created_at: self.clock.now().map_err(Error::from)?,
            expires_at: None,
            revoked_at: None,
            version: 1,
        };
        let issued = Issued {
            account: row.account.clone(),
            role: Role::SecurityAdmin,
            token: secret,
        };
        Ok((issued, self.keyring.protect(token)?))
    }

    /// Accounts with roles that take two persons to give.
    async fn administrators(&self) -> Result<Vec<Standing>, Error> {
        let mut standing = Vec::new();
        let mut after = Cell::Bytes(Vec::new());
        loop {
            let page = self.store.all(&principal::AFTER, &[after, LARGEST_PAGE.cell()]).await?;
            let rows = self.genuine(page)?;
            let Some(last) = rows.last() else { return Ok(standing) };
            after = last.id.cell();
            let of_two = rows
                .iter()
                .filter(|row| self.rules.load().policy.takes_two_to_give(row.roles));
            standing.extend(of_two.map(|row| Standing {
                account: row.account.clone(),
                roles: row.roles,
                active: row.active,
            }));
        }
    }

    /// Whether these two may do it together. A refusal is not in the log: there is none that could take it.
    async fn both(&self, [asker, approver]: &[Session; 2], link: &About) -> Result<(Permit, Change), OpenError> {
        self.are_two(asker, approver).await?;
        let ask = self.ask(asker, Action::RestartLog, Purpose::Administer)?;
        let at = ask.at();
        let facts = Facts {
            approval: Some(ApprovalFacts {
                row: None,
                by: approver.actor.id(),
            }),
            ..Facts::default()
        };
        let permit = self.rules().policy.decide(ask, facts);
        let permit = permit.map_err(|denial| OpenError::NotByThese(denial.why()))?;
        let row = ApprovalRow {
            id: ApprovalId::random(&*self.randomness).map_err(Error::from)?,
            action: Action::RestartLog,
            subject: None,
            about: link.clone(),
            request: self.keyring.request_code(b"audit restart")?,
            bound: self.bound(link).await?.state,
            asker_reason: None,
            asker: asker.actor.id(),
            asker_epoch: self.principal_row(asker.actor.id()).await?.epoch,
            approver: Some(approver.actor.id()),
            approver_epoch: Some(self.principal_row(approver.actor.id()).await?.epoch),
            approver_reason: None,
            state: ApprovalState::Used,
            created_at: at,
            expires_at: at,
            version: 1,
        };
        let mut writes = vec![Write::NextLog, Write::put(self.keyring.protect(row)?)];
        for session in [asker, approver] {
            writes.push(self.taken_over(session).await?);
        }
        let change = Change {
            guards: vec![Guard::code_of::<PrincipalRow>(
                &approver.actor.id(),
                approver.actor.code(),
            )],
            writes,
            link: link.clone(),
            ..Change::default()
        };
        Ok((permit, change))
    }

    /// Makes the token that was presented good under the next log.
    async fn taken_over(&self, session: &Session) -> Result<Write, Error> {
        let row = self.token_row(session.actor.token()).await?;
        let row = TokenRow {
            log: self.log_number(),
            version: row.version + 1,
            ..row.into_row()
        };
        Ok(Write::put(self.keyring.protect(row)?))
    }

    async fn are_two(&self, asker: &Session, approver: &Session) -> Result<(), OpenError> {
        let first = self.principal_row(asker.actor.id()).await?;
        let second = self.principal_row(approver.actor.id()).await?;
        if first.kind != PrincipalKind::Person || second.kind != PrincipalKind::Person {
            return Err(OpenError::NotByThese(Why::NotAPerson));
        }
        if crate::vault::people::approvals::are_one(&first, &second) {
            return Err(OpenError::NotByThese(Why::OwnRequest));
        }
        let may =
            self.rules
                .load()
                .policy
                .may_approve(second.roles, approver.actor.department_kind(), Action::RestartLog);
        if may {
            Ok(())
        } else {
            Err(OpenError::NotByThese(Why::NotApproved))
        }
    }
}

/// The reason, if it is one and no number of a person can be read in it.
pub(in crate::vault) fn fit(reason: &str) -> Result<&str, Error> {
    let digits = reason.chars().filter(|c| c.is_numeric()).count();
    let fits = !reason.trim().is_empty()
        && reason.chars().count() <= LONGEST_REASON
        && !reason.chars().any(char::is_control)
        && digits <= MOST_DIGITS;
    if fits {
        Ok(reason)
    } else {
        Err(Error::Bad(problems::BAD_RESTART_REASON))
    }
}
