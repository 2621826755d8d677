//! A passphrase or a share that unlocks: it came in a safe way, is one of few at once, and lies on a locked page.

use std::borrow::Cow;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::request::Parts;
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::Proxies;
use super::json::{is_json, parse_naming};
use crate::http::App;
use crate::http::listener::Encrypted;
use crate::http::problem::Problem;
use crate::keyring::KeyError;
use crate::keyring::unlock::{self, Incoming, Passphrase, Share};
use crate::model::problems;
use crate::model::unlocking::CameFrom;
use crate::vault::life::door::Admitted;
use crate::vault::life::gathering::Brought;

/// How often it is looked whether a connection has ended, for longer than any lives.
const EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 10 * 60 * 20;

/// What unlocks.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Unlock<'b> {
    /// The passphrase, where the vault opens by one.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = Password)]
    passphrase: Option<Text<'b>>,
    /// One share, where the vault opens by shares: `cvshare1…`. Spaces, hyphens and capitals do not matter.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = Password)]
    share: Option<Text<'b>>,
    /// The PIN, where the vault opens by a hardware module. It is taken on the machine alone: a few wrong ones lock the module.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = Password)]
    pin: Option<Text<'b>>,
}

/// A text that is not copied where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

impl Text<'_> {
    /// Takes it onto a locked page.
    fn taken<T>(self, take: impl FnOnce(&str) -> Result<T, KeyError>) -> Result<T, Problem> {
        let taken = take(&self.0);
        if let Cow::Owned(copied) = self.0 {
            drop(Zeroizing::new(copied));
        }
        taken.map_err(|error| match error {
            KeyError::BadPassphrase => problems::BAD_PASSPHRASE.into(),
            KeyError::BadShare => problems::BAD_SHARE.into(),
            KeyError::BadPin => problems::BAD_PIN.into(),
            other => Problem::from(crate::vault::Error::Key(other)),
        })
    }
}

/// A passphrase or a share, and where it came from.
pub(in crate::http) struct Unlocking {
    pub(in crate::http) brought: Brought,
    pub(in crate::http) from: CameFrom,
    _admitted: Admitted,
}

impl FromRequest<Arc<App>> for Unlocking {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(problems::NOT_JSON.into());
        }
        let (parts, body) = request.into_parts();
        let from = came_from(&parts, &app.proxies)?;
        let admitted = app.door.admit(from)?;
        let body = onto_a_page(body).await?;
        let brought = match parse_naming(body.bytes(), |_| false)? {
            Unlock {
                passphrase: Some(text),
                share: None,
                pin: None,
            } => Brought::Passphrase(text.taken(Passphrase::of)?),
            Unlock {
                passphrase: None,
                share: Some(text),
                pin: None,
            } => Brought::Share(text.taken(Share::read)?),
            Unlock {
                passphrase: None,
                share: None,
                pin: Some(text),
            } => {
                let pin = text.taken(unlock::Pin::of)?;
                if from != CameFrom::Machine {
                    return Err(problems::PIN_FROM_NETWORK.into());
                }
                Brought::Pin(pin)
            }
            _ => return Err(problems::NOT_ONE_OPENER.into()),
        };
        Ok(Self {
            brought,
            from,
            _admitted: admitted,
        })
    }
}

/// A passphrase crosses a network only under TLS: its own, or that of a proxy on this machine.
fn came_from(parts: &Parts, proxies: &Proxies) -> Result<CameFrom, Problem> {
    let is_here = |address: IpAddr| address.to_canonical().is_loopback();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let encrypted = parts.extensions.get::<Encrypted>().is_some();
    if !encrypted && !peer.is_some_and(|ConnectInfo(peer)| is_here(peer.ip())) {
        return Err(problems::UNLOCK_IN_CLEAR.into());
    }
    Ok(match proxies.client(parts) {
        Some(client) if is_here(client) => CameFrom::Machine,
        _ => CameFrom::Network,
    })
}

/// Takes a body frame by frame.
async fn onto_a_page(mut body: Body) -> Result<Incoming, Problem> {
    let mut page = Incoming::new().map_err(|error| Problem::from(crate::vault::Error::Key(error)))?;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Problem::from(problems::NOT_UNDERSTOOD))?;
        let Ok(data) = frame.into_data() else { continue };
        let fits = page.add(&data);
        tokio::spawn(overwrite(data));
        if !fits {
            return Err(problems::BODY_TOO_LARGE.into());
        }
    }
    Ok(page)
}

/// Overwrites a frame once nobody else has a part in its buffer: when its connection has ended.
async fn overwrite(mut frame: Bytes) {
    for _ in 0..LOOKS {
        match frame.try_into_mut() {
            Ok(mut alone) => return alone.as_mut().zeroize(),
            Err(shared) => frame = shared,
        }
        tokio::time::sleep(EVERY).await;
    }
}
