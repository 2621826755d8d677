//! The log takes decisions, not asks.
async fn skip(log: callervault::log::Log, ask: callervault::model::ask::Ask) {
    let _ = log.commit(ask, callervault::log::Change::default()).await;
}
fn main() {}
