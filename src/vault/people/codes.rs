//! One-time codes: the owner of an account fetches its token by one, so that the administrator who made the account never holds the
//! token.
//!
//! Whoever has the code can fetch the token once, the administrator too; but then the owner cannot, and the log says that somebody did.
//! A claim comes without a token: wrong ones are bounded for each code, each of them an entry of the log, and what reaches no open code
//! is neither counted nor logged, so that no stranger fills the log.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::keyring::KeyError;
use crate::log::{Change, CommitError, Unasked, leaf};
use crate::model::ask::Action;
use crate::model::claim_code::ClaimCode;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::problems::{self, Thing};
use crate::policy::Why;
use crate::store::rows::principal::BY_ACCOUNT;
use crate::store::rows::token_code::OF_ACCOUNT;
use crate::store::rows::{Genuine, PrincipalRow, TokenCodeRow, TokenRow, token};
use crate::store::{Guard, Write};
use crate::vault::core::{new_token, text_hash};
use crate::vault::people::about;
use crate::vault::people::approvals::{Exact, PRINCIPAL, TOKEN_DEED, is_overtaken};
use crate::vault::people::tokens::{NewToken, Token};
use crate::vault::{Audit, Error, Session, Unnamed, Vault};

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

/// A one-time code as it stands, without the code.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CodeLine {
    /// Whether the token can still be fetched by it.
    pub open: bool,
    /// What the token is for.
    pub label: Option<String>,
    /// When it was issued.
    pub created_at: String,
    /// From when on it is worth nothing.
    pub expires_at: String,
    /// Who issued it: the principal's id.
    pub issued_by: String,
    /// How many wrong codes were tried.
    pub failures: u32,
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
    issuer: Genuine<PrincipalRow>,
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
        let issuer = self.principal_row(session.actor.id()).await?;
        let row = TokenCodeRow {
            principal: id,
            code: self.keyring.claim_code(&id, &code)?,
            token: TokenId::random(&*self.randomness)?,
            label: issue.label,
            token_expires_at: issue.expires_at,
            epoch: issue.owner.epoch,
            owner_version: issue.owner.version,
            log: self.log_number(),
            issued_by: issuer.id,
            issuer_epoch: issuer.epoch,
            by_two: issue.act.is_of_two(),
            created_at: issue.at,
            expires_at,
            failures: 0,
            open: true,
            version: before.map_or(0, |row| row.version) + 1,
        };
        let change = Change {
            guards: vec![Guard::unchanged(&issue.owner), Guard::unchanged(&issuer)],
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
    pub async fn claim(&self, claim: &Claim, request: &Unnamed) -> Result<Claimed, Error> {
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
        let issuer = self.principal_row(row.issued_by).await?;
        let open = Open { owner, issuer, row };
        Ok(self.is_good(&open).await?.then_some(open))
    }

    /// Whether the code can fetch its token now. One that has fetched it does not, also where an older row of it was put back.
    async fn is_good(&self, Open { owner, issuer, row }: &Open) -> Result<bool, Error> {
        let of_owner = owner.active && row.epoch == owner.epoch && row.owner_version == owner.version;
        let of_issuer = issuer.active && row.issuer_epoch == issuer.epoch;
        let in_time = self.clock.now()? < row.expires_at && row.log == self.log_number();
        Ok(row.open
            && of_owner
            && of_issuer
            && in_time
            && self.store.one(&token::BY_ID, &cells![row.token]).await?.is_none())
    }

    /// The account's newest code, as a list of its tokens shows it.
    pub(super) async fn code_line(&self, id: PrincipalId) -> Result<Option<CodeLine>, Error> {
        let Some(row) = self.code_of(id).await? else {
            return Ok(None);
        };
        let line = CodeLine {
            open: false,
            label: row.label.clone(),
            created_at: leaf::milliseconds(row.created_at),
            expires_at: leaf::milliseconds(row.expires_at),
            issued_by: row.issued_by.to_string(),
            failures: row.failures,
        };
        let owner = self.principal_row(id).await?;
        let issuer = self.principal_row(row.issued_by).await?;
        let open = self.is_good(&Open { owner, issuer, row }).await?;
        Ok(Some(CodeLine { open, ..line }))
    }

    /// Ends the open code of an account. One person is enough, as nobody loses what they have.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] where there is no such account or it has no open code; [`Error::Stale`] where it was
    /// used or replaced at the same time.
    pub async fn end_code(&self, session: &Session, id: PrincipalId) -> Result<Audit, Error> {
        let permit = self.administer(session, Action::SetToken).await?;
        let owner = self.principal_row(id).await?;
        let mut change = Change::default();
        self.end_code_with(owner.id, &mut change).await?;
        if change.writes.is_empty() {
            return Err(Error::NotFound(Thing::Code));
        }
        change.link = about([(PRINCIPAL, owner.id.to_string()), (TOKEN_DEED, "end-code".to_owned())]);
        Ok(self.record(permit, change).await?.position().into())
    }

    /// Adds to a change that the open code of an account ends. A row that is not as the vault wrote it fetches nothing, and is no reason
    /// not to revoke a token.
    pub(super) async fn end_code_with(&self, id: PrincipalId, change: &mut Change) -> Result<(), Error> {
        let row = match self.code_of(id).await {
            Err(Error::Key(KeyError::Broken)) => {
                tracing::error!("the row of a one-time code is not as the vault wrote it: run `callervault fsck`");
                return Ok(());
            }
            row => row?,
        };
        let Some(row) = row.filter(|row| row.open) else {
            return Ok(());
        };
        change.guards.push(Guard::unchanged(&row));
        let ended = ended(row);
        change.writes.push(Write::put(self.keyring.protect(ended)?));
        Ok(())
    }

    async fn code_of(&self, id: PrincipalId) -> Result<Option<Genuine<TokenCodeRow>>, Error> {
        let row = self.store.one(&OF_ACCOUNT, &cells![id]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// Makes the token, and ends the code, in one transaction.
    async fn fetch(&self, Open { owner, issuer, row }: Open, request: &Unnamed) -> Result<Claimed, Error> {
        let at = self.clock.now()?;
        let secret = new_token(&*self.randomness)?;
        let token = TokenRow {
            id: row.token,
            hash: text_hash(&secret),
            principal: owner.id,
            label: row.label.clone(),
            epoch: row.epoch,
            log: row.log,
            by_two: row.by_two,
            created_at: at,
            expires_at: row.token_expires_at,
            revoked_at: None,
            version: 1,
        };
        let (id, expires_at) = (token.id, token.expires_at);
        let link = [(ISSUED_BY.to_owned(), row.issued_by.to_string())].into();
        let guards = vec![
            Guard::unchanged(&owner),
            Guard::unchanged(&issuer),
            Guard::unchanged(&row),
        ];
        let used = ended(row);
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
            request: Some(&request.request),
            client: request.client.as_ref(),
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
    async fn count_failure(&self, open: Open, request: &Unnamed) -> Error {
        match self.failure_logged(open, request).await {
            Ok(()) => Error::Bad(problems::CLAIM_REFUSED),
            Err(error) => error,
        }
    }

    async fn failure_logged(&self, Open { owner, row, .. }: Open, request: &Unnamed) -> Result<(), Error> {
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
            request: Some(&request.request),
            client: request.client.as_ref(),
            denied: Some(Why::WrongCode),
            ..Unasked::new(leaf::CLAIM, owner.department, at, self.rules.load().policy.hash())
        };
        self.log.unasked(&claim, change).await?;
        Ok(())
    }
}

/// As it stands once it was used or ended.
fn ended(row: Genuine<TokenCodeRow>) -> TokenCodeRow {
    TokenCodeRow {
        open: false,
        version: row.version + 1,
        ..row.into_row()
    }
}
