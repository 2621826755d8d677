//! Lines that an import rejected are kept sealed, and opened for mending by an agent, after the log has it.

use zeroize::Zeroizing;

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::purposes::Purpose;
use crate::vault::{Audit, Error, Session, Vault};

/// A line that was sealed: its number, and what was sealed.
pub type SealedLine = (u64, Vec<u8>);

impl Vault {
    /// Seals a line that was rejected, for its number.
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn seal_rejected(&self, line: u64, text: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.keyring.seal_rejected(line, text)?)
    }

    /// Opens such lines, after the log has by whom and how many.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Key`] where one was changed, has another number, or was sealed by another vault: then none
    /// is opened.
    pub async fn open_rejected(
        &self,
        session: &Session,
        lines: &[SealedLine],
    ) -> Result<(Vec<Zeroizing<Vec<u8>>>, Audit), Error> {
        let ask = self.ask(session, Action::Mend, Purpose::Intake)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let change = Change {
            link: [("lines".to_owned(), lines.len().to_string())].into(),
            ..Change::default()
        };
        let audit = self.record(permit, change).await?.position().into();
        let open = |(line, sealed): &SealedLine| Ok(self.keyring.open_rejected(*line, sealed)?);
        let opened = lines.iter().map(open).collect::<Result<_, Error>>()?;
        Ok((opened, audit))
    }
}
