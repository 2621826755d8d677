//! The day on which each token was last used for an act that the log holds, permitted or refused. It stands in a row of its own, which
//! the day's first act writes in its own transaction: the token's row, whose code guards every act, does not change.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::cells;
use crate::model::ask::Ask;
use crate::model::ids::TokenId;
use crate::store::Write;
use crate::store::rows::token_day::{BY_TOKEN, day_of};
use crate::store::rows::{Genuine, TokenDayRow};
use crate::vault::{Error, Vault};

/// For each token a day that stands in the data store, as far as this process has seen.
#[derive(Default)]
pub(in crate::vault) struct TokenDays(Mutex<HashMap<TokenId, u64>>);

/// What the first act of a token's day writes; nothing for a later one.
#[derive(Default)]
pub(in crate::vault) struct FirstUse(Option<Genuine<TokenDayRow>>);

impl FirstUse {
    pub(in crate::vault) fn writes(&self) -> Vec<Write> {
        self.0.iter().map(|row| Write::put(row.clone())).collect()
    }
}

impl TokenDays {
    /// What was written is durable now.
    pub(in crate::vault) fn note(&self, used: FirstUse) {
        if let Some(row) = used.0 {
            self.reach(row.token, row.day);
        }
    }

    fn reach(&self, token: TokenId, day: u64) {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = days.entry(token).or_default();
        *known = day.max(*known);
    }

    fn has(&self, token: TokenId, day: u64) -> bool {
        let days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.get(&token).is_some_and(|known| *known >= day)
    }
}

impl Vault {
    /// What this act writes beside itself, if it is the first of its token's day. Of two at once both write the same.
    pub(in crate::vault) async fn first_use(&self, ask: &Ask) -> Result<FirstUse, Error> {
        self.first_use_of(ask.who().token(), ask.at()).await
    }

    /// As [`Self::first_use`], where no ask says by which token and when.
    pub(in crate::vault) async fn first_use_of(&self, token: TokenId, at: Timestamp) -> Result<FirstUse, Error> {
        let day = day_of(at);
        if self.token_days.has(token, day) {
            return Ok(FirstUse::default());
        }
        // A clock that was set back makes no day earlier.
        if let Some(known) = self.last_used(token).await?.filter(|known| *known >= day) {
            self.token_days.reach(token, known);
            return Ok(FirstUse::default());
        }
        let row = self.keyring.protect(TokenDayRow { token, day })?;
        Ok(FirstUse(Some(row)))
    }

    /// The day on which a token was last used, counted from 1970-01-01 in UTC.
    pub(in crate::vault) async fn last_used(&self, token: TokenId) -> Result<Option<u64>, Error> {
        let row = self.store.one(&BY_TOKEN, &cells![token]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?.map(|row| row.day))
    }
}
