//! A passphrase or a share that unlocks: it came in a safe way and within a moment, and lies on a locked page.

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

use super::json::{is_json, parse_naming};
use super::{Proxies, account};
use crate::http::App;
use crate::http::listener::Encrypted;
use crate::http::problem::Problem;
use crate::keyring::KeyError;
use crate::keyring::unlock::{self, Incoming, Passphrase, Share};
use crate::model::problems;
use crate::model::unlocking::{Asker, CameFrom};
use crate::vault::life::gathering::Brought;

/// Within this a body must be whole. Whoever sends it slowly takes nobody's place: nothing is reserved for it before.
const FOR_BODY: Duration = Duration::from_secs(2);
/// Bytes that a body may have: as many as a page.
const LARGEST_BODY: usize = 4096;
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

/// A passphrase or a share, where it came from, and from whom.
pub(in crate::http) struct Unlocking {
    pub(in crate::http) brought: Brought,
    pub(in crate::http) from: CameFrom,
    pub(in crate::http) asker: Asker,
}

impl FromRequest<Arc<App>> for Unlocking {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(problems::NOT_JSON.into());
        }
        let (parts, body) = request.into_parts();
        let from = came_from(&parts, &app.proxies)?;
        app.door.is_locked()?;
        let frames = tokio::time::timeout(FOR_BODY, whole(body)).await;
        let frames = frames.map_err(|_| Problem::from(problems::TOO_SLOW))??;
        let asker = asker(&parts, from, &app.proxies).await;
        let body = onto_a_page(&frames)?;
        drop(frames);
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
        Ok(Self { brought, from, asker })
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

/// Whose connection it is: an account's of this machine, or an address's of the network.
async fn asker(parts: &Parts, from: CameFrom, proxies: &Proxies) -> Asker {
    if from == CameFrom::Network {
        return Asker::at(proxies.client(parts));
    }
    let Some(&ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
        return Asker::Account(None);
    };
    // The tables of a busy machine are long.
    let account = tokio::task::spawn_blocking(move || account::of(peer)).await;
    Asker::Account(account.ok().flatten())
}

/// Takes a body frame by frame. A frame is a part of the buffer that the library reads the connection into: nothing is copied.
async fn whole(mut body: Body) -> Result<Vec<Bytes>, Problem> {
    let (mut frames, mut length) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Problem::from(problems::NOT_UNDERSTOOD))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        tokio::spawn(overwrite(data.clone()));
        if length > LARGEST_BODY {
            return Err(problems::BODY_TOO_LARGE.into());
        }
        frames.push(data);
    }
    Ok(frames)
}

fn onto_a_page(frames: &[Bytes]) -> Result<Incoming, Problem> {
    let mut page = Incoming::new().map_err(|error| Problem::from(crate::vault::Error::Key(error)))?;
    if frames.iter().all(|frame| page.add(frame)) {
        Ok(page)
    } else {
        Err(problems::BODY_TOO_LARGE.into())
    }
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
