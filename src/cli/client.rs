//! A small client of the API, for `admin` and the demo's tour.

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};

use super::Failure;

/// Speaks to one server with one token at a time.
pub(super) struct Client {
    agent: Agent,
    base: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

impl Client {
    pub(super) fn new(base: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).build();
        Self {
            agent: config.new_agent(),
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    pub(super) fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {token}"));
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        let answer = match body {
            None => self.agent.run(request.body(()).map_err(Failure::usage)?),
            Some(body) => {
                let request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
                self.agent.run(request.map_err(Failure::usage)?)
            }
        };
        let unreachable = |error| Failure::unavailable(format!("{}: {error}\n  is the server running?", self.base));
        read(answer.map_err(unreachable)?)
    }

    /// Status and bytes of what stands there.
    pub(super) fn bytes(&self, token: &str, path: &str) -> Result<(u16, Vec<u8>), Failure> {
        let request = self
            .agent
            .get(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {token}"));
        let unreachable = |error| Failure::unavailable(format!("{}: {error}\n  is the server running?", self.base));
        let mut answer = request.call().map_err(unreachable)?;
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().read_to_vec().map_err(Failure::unavailable)?;
        Ok((status, bytes))
    }

    pub(super) fn get(&self, token: &str, path: &str) -> Result<Answer, Failure> {
        self.call(token, "GET", path, None, None)
    }

    pub(super) fn post(&self, token: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(token, "POST", path, None, Some(body))
    }
}

fn read(mut answer: Response<ureq::Body>) -> Result<Answer, Failure> {
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().map_err(Failure::unavailable)?;
    Ok(Answer { status, text })
}
