//! Whose a connection from this machine is, as Linux tells it in `/proc/net/tcp` and `/proc/net/tcp6` (proc_net_tcp(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// The state of a connection that is open (`include/net/tcp_states.h`). The ends of others are nobody's.
const ESTABLISHED: &str = "01";
/// Where both tables are.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// The number of the account whose connection this is the far end of. Nothing where the system does not say so, or names two.
pub(super) fn of(peer: SocketAddr) -> Option<u32> {
    let tables = TABLES.map(|table| std::fs::read_to_string(Path::new(table)).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let mut accounts: Vec<u32> = lines.filter_map(|line| account(line, peer)).collect();
    accounts.sort_unstable();
    accounts.dedup();
    match accounts.as_slice() {
        [account] => Some(*account),
        _ => None,
    }
}

/// The account of one line, if it is the peer's end.
fn account(line: &str, peer: SocketAddr) -> Option<u32> {
    let mut columns = line.split_whitespace().skip(1);
    let (local, _remote, state) = (columns.next()?, columns.next()?, columns.next()?);
    let (address, port) = local.split_once(':')?;
    let is_it = state == ESTABLISHED
        && u16::from_str_radix(port, 16) == Ok(peer.port())
        && address_of(address)?.to_canonical() == peer.ip().to_canonical();
    // Queues, timer and retransmissions come before it.
    columns.nth(3)?.parse().ok().filter(|_| is_it)
}

/// An address as the tables have it: words of 32 bits, each as this machine orders its bytes.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(8 * at)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_connection_of_this_process_is_its_accounts() {
        let mine = std::fs::metadata("/proc/self").unwrap().uid();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_accepted, peer) = listener.accept().unwrap();
            assert_eq!(peer, stream.local_addr().unwrap());
            assert_eq!(of(peer), Some(mine), "{address}");
        }
        assert_eq!(of("127.0.0.1:0".parse().unwrap()), None);
    }

    /// As a little-endian machine writes them.
    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_the_tables() {
        let line = |local: &str, state: &str| {
            format!("   1: {local} 0100007F:20F8 {state} 00000000:00000000 00:00000000 00000000  1000        0 4711 1")
        };
        let peer: SocketAddr = "127.0.0.1:50000".parse().unwrap();
        assert_eq!(account(&line("0100007F:C350", "01"), peer), Some(1000));
        assert_eq!(
            account(&line("0100007F:C350", "06"), peer),
            None,
            "it waits for its end"
        );
        assert_eq!(account(&line("0100007F:C351", "01"), peer), None);
        assert_eq!(account(&line("0200007F:C350", "01"), peer), None);
        let mapped = "0000000000000000FFFF00000100007F:C350";
        assert_eq!(account(&line(mapped, "01"), peer), Some(1000));
        assert_eq!(account("  sl  local_address", peer), None);
    }
}
