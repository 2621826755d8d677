//! One-time codes: the owner of an account fetches its token by one, so that the administrator who made the account never holds the
//! token.
//!
//! Whoever has the code can fetch the token once, the administrator too; but then the owner cannot, and the log says that somebody did.
//! A claim comes without a token: wrong ones are bounded for each code, each of them an entry of the log, and what reaches no open code
//! is neither counted nor logged, so that no stranger fills the log.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::{Change, CommitError, Unasked, leaf};
use crate::model::ask::RequestId;
use crate::model::claim_code::ClaimCode;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::problems::{self, Thing};
use crate::policy::Why;
use crate::store::rows::principal::BY_ACCOUNT;
use crate::store::rows::token_code::OF_ACCOUNT;
use crate::store::rows::{Genuine, PrincipalRow, TokenCodeRow, TokenRow};
use crate::store::{Guard, Write};
use crate::vault::core::{new_token, token_hash};
use crate::vault::people::approvals::{Exact, PRINCIPAL, is_overtaken};
use crate::vault::people::tokens::{NewToken, Token};
use crate::vault::{Audit, Error, Session, Vault};

/// How long a code is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Wrong codes after which none is good for the account any more.
const MOST_FAILURES: u32 = 5;
/// How often a claim is decided on that others come before.
const TRIES: usize = 16;
/// The word of a claim's entry for who issued the code.
const ISSUED_BY: &str = "issued_by";
/// The word of a claim's entry for how many wrong ones there were.
const FAILURES: &str = "failures";

/// A one-time code, once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Code {
    /// The code: shown now and never again. It is for the account's owner.
    #[schema(example = "7K3M-9QX2-04TD-VB8N-H5")]
    pub code: String,
    /// From when on it is worth nothing.
    pub expires_at: String,
    /// Where its issue stands in the log.
    pub audit: Audit,
}

/// A claim of the token that a one-time code is for. No `Debug`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The account's name.
    #[schema(example = "water-handler-01")]
    pub account: String,
    /// The code, with or without hyphens.
    #[schema(example = "7K3M-9QX2-04TD-VB8N-H5")]
    pub code: String,
}

/// A token that was fetched, once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Claimed {
    /// The token.
    #[serde(flatten)]
    pub token: Token,
    /// Whose it is.
    pub principal: String,
}

/// A code that is open, and whose it is.
struct Open {
    owner: Genuine<PrincipalRow>,
    row: Genuine<TokenCodeRow>,
}

impl Vault {
    /// Issues a one-time code in place of a token. It ends an earlier one of the same account.
    ///
    /// # Errors
    /// As [`Vault::issue_token`].
    pub async fn issue_code(
        &self,
        session: &Session,
        id: PrincipalId,
        new: &NewToken,
        exact: &Exact,
    ) -> Result<Code, Error> {
        let done = self.issue_code_once(session, id, new, exact).await;
        if is_overtaken(&done, exact) {
            return self.issue_code_once(session, id, new, exact).await;
        }
        done
    }

    async fn issue_code_once(
        &self,
        session: &Session,
        id: PrincipalId,
        new: &NewToken,
        exact: &Exact,
    ) -> Result<Code, Error> {
        let issue = self.may_issue(session, id, new, "code", exact).await?;
        let code = ClaimCode::random(&*self.randomness)?;
        let expires_at = issue.at.checked_add(GOOD_FOR).map_err(|_| crate::clock::NoClock)?;
        let before = self.code_of(id).await?;
        let row = TokenCodeRow {
            principal: id,
            code: self.keyring.claim_code(&id, &code)?,
            label: issue.label,
            token_expires_at: issue.expires_at,
            epoch: issue.owner.epoch,
            log: self.log_number(),
            issued_by: session.actor.id(),
            created_at: issue.at,
            expires_at,
            failures: 0,
            open: true,
            version: before.map_or(0, |row| row.version) + 1,
        };
        let change = Change {
            guards: vec![Guard::unchanged(&issue.owner)],
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let audit = self.put(issue.act, change, Thing::Code).await?;
        Ok(Code {
            code: code.to_text().to_string(),
            expires_at: leaf::milliseconds(expires_at),
            audit,
        })
    }

    /// The token of an account, for whoever has its one-time code. Nobody is authenticated yet.
    ///
    /// # Errors
    /// [`Error::Bad`] for a mistyped code, which is not counted, and, in the same words, for an account that is not there or not
    /// active, has no open code, or has another one. [`Error::Log`] when the log does not take it.
    pub async fn claim(&self, claim: &Claim, request: &RequestId) -> Result<Claimed, Error> {
        let code: ClaimCode = claim.code.parse().map_err(|_| Error::Bad(problems::MISTYPED_CODE))?;
        for _ in 0..TRIES {
            let Some(open) = self.open_code(&claim.account).await? else {
                return Err(Error::Bad(problems::CLAIM_REFUSED));
            };
            let right = self.keyring.is_claim_code(&open.row.code, &open.owner.id, &code)?;
            let done = if right {
                self.fetch(open, request).await
            } else {
                Err(self.count_failure(open, request).await)
            };
            match done {
                // Another claim came between: it may have used the code up.
                Err(Error::Stale) => {}
                done => return done,
            }
        }
        Err(CommitError::Unavailable.into())
    }

    /// The open code of an account.
    async fn open_code(&self, account: &str) -> Result<Option<Open>, Error> {
        if self.keyring.is_locked() {
            return Err(crate::keyring::KeyError::Locked.into());
        }
        let Some(owner) = self.store.one(&BY_ACCOUNT, &cells![account.to_owned()]).await? else {
            return Ok(None);
        };
        let owner = self.keyring.genuine(owner)?;
        let Some(row) = self.code_of(owner.id).await? else {
            return Ok(None);
        };
        let now = self.clock.now()?;
        let good = row.open && now < row.expires_at && row.epoch == owner.epoch && row.log == self.log_number();
        Ok((good && owner.active).then_some(Open { owner, row }))
    }

    async fn code_of(&self, id: PrincipalId) -> Result<Option<Genuine<TokenCodeRow>>, Error> {
        let row = self.store.one(&OF_ACCOUNT, &cells![id]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// Makes the token, and ends the code, in one transaction.
    async fn fetch(&self, Open { owner, row }: Open, request: &RequestId) -> Result<Claimed, Error> {
        let at = self.clock.now()?;
        let secret = new_token(&*self.randomness)?;
        let token = TokenRow {
            id: TokenId::random(&*self.randomness)?,
            hash: token_hash(&secret),
            principal: owner.id,
            label: row.label.clone(),
            epoch: row.epoch,
            log: row.log,
            created_at: at,
            expires_at: row.token_expires_at,
            revoked_at: None,
            version: 1,
        };
        let (id, expires_at) = (token.id, token.expires_at);
        let link = [(ISSUED_BY.to_owned(), row.issued_by.to_string())].into();
        let guards = vec![Guard::unchanged(&owner), Guard::unchanged(&row)];
        let used = TokenCodeRow {
            open: false,
            version: row.version + 1,
            ..row.into_row()
        };
        let change = Change {
            guards,
            writes: vec![
                Write::put(self.keyring.protect(token)?),
                Write::put(self.keyring.protect(used)?),
            ],
            link,
            ..Change::default()
        };
        let claim = Unasked {
            request: Some(request),
            who: Some((owner.id, id)),
            ..Unasked::new(leaf::CLAIM, owner.department, at, self.rules.load().policy.hash())
        };
        let position = self.log.unasked(&claim, change).await?;
        Ok(Claimed {
            token: Token {
                id: id.to_string(),
                token: secret.to_string(),
                expires_at: expires_at.map(leaf::milliseconds),
                audit: position.into(),
            },
            principal: owner.id.to_string(),
        })
    }

    /// Counts a wrong code, durably, before it is told that it is wrong.
    async fn count_failure(&self, open: Open, request: &RequestId) -> Error {
        match self.failure_logged(open, request).await {
            Ok(()) => Error::Bad(problems::CLAIM_REFUSED),
            Err(error) => error,
        }
    }

    async fn failure_logged(&self, Open { owner, row }: Open, request: &RequestId) -> Result<(), Error> {
        let at = self.clock.now()?;
        let guards = vec![Guard::unchanged(&row)];
        let failures = row.failures.saturating_add(1);
        let row = TokenCodeRow {
            failures,
            open: failures < MOST_FAILURES,
            version: row.version + 1,
            ..row.into_row()
        };
        let change = Change {
            guards,
            link: [
                (PRINCIPAL.to_owned(), owner.id.to_string()),
                (FAILURES.to_owned(), failures.to_string()),
            ]
            .into(),
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let claim = Unasked {
            request: Some(request),
            denied: Some(Why::WrongCode),
            ..Unasked::new(leaf::CLAIM, owner.department, at, self.rules.load().policy.hash())
        };
        self.log.unasked(&claim, change).await?;
        Ok(())
    }
}
