//! Each request has a name, which its answer, its entry in the log and the program log repeat.

use axum::http::{HeaderName, HeaderValue};

use crate::model::ask::RequestId;
use crate::vault::life::door::Door;

/// The header of an answer with the name of its request.
pub(in crate::http) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's name.
#[derive(Clone)]
pub(in crate::http) struct Named {
    id: RequestId,
    random: bool,
}

impl Named {
    /// A random name; without randomness a counted one, and then the request does nothing.
    pub(in crate::http) fn new(door: &Door) -> Self {
        door.new_request().map_or_else(
            |_| Self {
                id: RequestId::counted(),
                random: false,
            },
            |id| Self { id, random: true },
        )
    }

    pub(in crate::http) const fn id(&self) -> &RequestId {
        &self.id
    }

    /// The name, if entries of the log may carry it.
    pub(super) fn for_the_log(&self) -> Option<RequestId> {
        self.random.then(|| self.id.clone())
    }

    /// As a header has it: hexadecimal digits.
    pub(in crate::http) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.id.as_str()).ok()
    }
}
