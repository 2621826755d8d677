//! CallerVault: a records vault for government hotlines. A call is entered once, what identifies the caller is sealed
//! field by field, and a field is read only after the read is durable in a log that outsiders can verify.
//!
//! The modules, from the top down; each uses only those below it (see `ARCHITECTURE.md`).

pub mod atomic_file;
pub mod audit;
pub mod causes;
pub mod cli;
pub mod clock;
pub mod http;
pub mod keyring;
pub mod log;
pub mod merkle;
pub mod model;
pub mod note;
pub mod policy;
pub mod randomness;
pub mod refs;
pub mod secret_file;
pub mod store;
pub mod vault;
pub mod witness;

/// Guard pages and checked free lists, and faster than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
