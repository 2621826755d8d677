//! Where keys are used: stacks of their own, locked against swapping and overwritten after each use.
//!
//! Ciphers leave expanded keys on the stack, wide-register code further down than a compiler's frames suggest. Work with keys
//! therefore never runs on a thread's stack: [`Stacks::run`] is the one way to it
//! ([0015](../../docs/decisions/0015-stacks-of-their-own.md)).

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use corosensei::on_stack;
use corosensei::stack::{DefaultStack, Stack};
use zeroize::zeroize_stack;

use super::KeyError;

/// For ciphers, signatures and unlocking: overwritten after each use, in bytes. The deepest work reaches less than half as far: a
/// test measures it.
const DEEP: usize = 64 * 1024;
/// The same for hashes and codes, which are many and would pay for what they do not touch.
const SHALLOW: usize = 16 * 1024;
/// Left free above the work, in bytes, so that the frames of the switch and of the wiping itself, which hold no key, lie above
/// everything that is to be wiped.
const LEAD: usize = 2 * 1024;
/// At most as many stacks of each kind are made, 4.1 MiB together: about half of the memory that systems let a process
/// lock. Work beyond waits its turn.
const MOST: usize = 48;

/// The stacks on which keys are used, kept so that a use costs no system call.
#[derive(Default)]
pub(super) struct Stacks {
    deep: Pool<DEEP>,
    shallow: Pool<SHALLOW>,
}

impl Stacks {
    /// Runs `work` on a stack of its own, which is wiped afterwards, also when the work panics.
    ///
    /// What `work` returns goes to the caller's stack and must not be a key. Work must not run other work so: with every stack lent
    /// it would wait for itself.
    ///
    /// # Errors
    /// [`KeyError::MemoryNotLocked`] when the system gives no memory for a stack.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, KeyError> {
        self.deep.run(work)
    }

    /// As `run`, for work that makes hashes and codes alone. Work that went deeper than a shallow stack would end the process.
    ///
    /// # Errors
    /// As `run`.
    pub(super) fn run_shallow<T>(&self, work: impl FnOnce() -> T) -> Result<T, KeyError> {
        self.shallow.run(work)
    }

    /// Gives the idle stacks back to the system.
    pub(super) fn release(&self) {
        self.deep.release();
        self.shallow.release();
    }
}

/// A stack of zeros, in locked memory, except while work runs on it.
struct KeyStack<const WIPED: usize> {
    // Declared before the stack: the lock is released while the memory still exists.
    _locked: region::LockGuard,
    stack: DefaultStack,
}

impl<const WIPED: usize> KeyStack<WIPED> {
    fn new() -> Result<Self, KeyError> {
        // A guard page lies below.
        let stack = DefaultStack::new(WIPED + 2 * LEAD).map_err(|_| KeyError::MemoryNotLocked)?;
        // Without the guard page, which nothing can be written to.
        let lowest = stack.limit().get() + region::page::size();
        let room = stack.base().get() - lowest;
        let locked = region::lock(lowest as *const u8, room).map_err(|_| KeyError::MemoryNotLocked)?;
        Ok(Self { _locked: locked, stack })
    }

    fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        on_stack(&mut self.stack, || below_the_lead(work))
    }

    fn wipe(&mut self) {
        on_stack(&mut self.stack, zeroize_stack::<WIPED>);
    }
}

#[inline(never)]
fn below_the_lead<T>(work: impl FnOnce() -> T) -> T {
    let lead = [0_u8; LEAD];
    black_box(&lead);
    let done = in_a_frame_of_its_own(work);
    black_box(&lead);
    done
}

#[inline(never)]
fn in_a_frame_of_its_own<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Stacks of one size.
struct Pool<const WIPED: usize> {
    // Written under the lock by each use, at its begin and its end.
    kept: Mutex<Kept<WIPED>>,
    taken_back: Condvar,
}

struct Kept<const WIPED: usize> {
    idle: Vec<KeyStack<WIPED>>,
    /// Idle ones and lent ones.
    made: usize,
    /// How many wait for one. To wake nobody costs a system call too.
    waiting: usize,
}

impl<const WIPED: usize> Default for Pool<WIPED> {
    fn default() -> Self {
        let kept = Kept {
            idle: Vec::new(),
            made: 0,
            waiting: 0,
        };
        Self {
            kept: Mutex::new(kept),
            taken_back: Condvar::new(),
        }
    }
}

impl<const WIPED: usize> Pool<WIPED> {
    fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T, KeyError> {
        let mut stack = self.lend()?;
        let done = catch_unwind(AssertUnwindSafe(|| stack.run(work)));
        stack.wipe();
        self.take_back(stack);
        Ok(done.unwrap_or_else(|panic| resume_unwind(panic)))
    }

    fn release(&self) {
        let mut kept = self.kept();
        kept.made = kept.made.saturating_sub(kept.idle.len());
        kept.idle.clear();
        // Whoever waits may make one again.
        self.taken_back.notify_all();
    }

    fn lend(&self) -> Result<KeyStack<WIPED>, KeyError> {
        let mut kept = self.kept();
        loop {
            if let Some(stack) = kept.idle.pop() {
                return Ok(stack);
            }
            if kept.made < MOST {
                match KeyStack::new() {
                    Ok(stack) => {
                        kept.made += 1;
                        return Ok(stack);
                    }
                    // Where the system gives no more, those that it gave serve everybody.
                    Err(error) if kept.made == 0 => return Err(error),
                    Err(_) => {}
                }
            }
            kept.waiting += 1;
            kept = self.taken_back.wait(kept).unwrap_or_else(PoisonError::into_inner);
            kept.waiting -= 1;
        }
    }

    fn take_back(&self, stack: KeyStack<WIPED>) {
        let mut kept = self.kept();
        kept.idle.push(stack);
        let is_waited_for = kept.waiting > 0;
        drop(kept);
        if is_waited_for {
            self.taken_back.notify_one();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<WIPED>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use argon2::{Algorithm, Argon2, Block, Params, Version};

    use super::*;
    use crate::keyring::suites::{Key, Suite};
    use crate::keyring::{aead, derive};
    use crate::note::Signer;
    use crate::randomness::System;

    /// Everything on the stack, from its lowest byte.
    fn contents<const WIPED: usize>(stack: &KeyStack<WIPED>) -> Vec<u8> {
        let lowest = stack.stack.limit().get() + region::page::size();
        let mut bytes = vec![0; stack.stack.base().get() - lowest];
        let memory = File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut bytes, lowest as u64).unwrap();
        bytes
    }

    const MARK: [u8; 16] = *b"sixteen of a key";

    fn is_marked<const WIPED: usize>(stack: &KeyStack<WIPED>) -> bool {
        memchr::memmem::find(&contents(stack), &MARK).is_some()
    }

    /// Leaves marks down to the given depth, as a cipher leaves round keys.
    #[inline(never)]
    fn mark<const N: usize>() {
        let marks = [MARK; N];
        black_box(&marks);
    }

    /// Down to where the wiping ends, but for frames.
    fn mark_all<const WIPED: usize>() {
        if WIPED == DEEP {
            mark::<{ (DEEP - 2 * LEAD) / MARK.len() }>();
        } else {
            mark::<{ (SHALLOW - 2 * LEAD) / MARK.len() }>();
        }
    }

    fn is_wiped<const WIPED: usize>() {
        let mut stack = KeyStack::<WIPED>::new().unwrap();
        for marks in [mark::<1>, mark::<64>, mark_all::<WIPED>] {
            stack.run(marks);
            assert!(is_marked(&stack), "the search finds what is there");
            stack.wipe();
            assert!(!is_marked(&stack));
        }
    }

    #[test]
    fn nothing_is_left() {
        is_wiped::<DEEP>();
        is_wiped::<SHALLOW>();
    }

    #[test]
    fn nothing_is_left_after_a_panic_and_the_stack_serves_on() {
        let stacks = Pool::<DEEP>::default();
        let work = || {
            mark_all::<DEEP>();
            black_box(None::<()>).unwrap();
        };
        assert!(catch_unwind(AssertUnwindSafe(|| stacks.run(work))).is_err());
        let stack = stacks.kept().idle.pop().unwrap();
        assert!(!is_marked(&stack));
        stacks.take_back(stack);
        assert_eq!(stacks.run(|| 7), Ok(7));
        assert_eq!(stacks.kept().made, 1);
    }

    /// How far down work reaches, in bytes.
    fn depth<T>(work: impl FnOnce() -> T) -> usize {
        let mut stack = KeyStack::<DEEP>::new().unwrap();
        stack.run(work);
        contents(&stack).iter().skip_while(|&&byte| byte == 0).count()
    }

    /// Whatever the processor's cipher does with wide registers, and however large the frames are without optimisation.
    #[test]
    fn no_work_reaches_half_of_what_is_wiped() {
        let key = [7; 32];
        let long = vec![1; 64 * 1024];
        let mut blocks = vec![Block::new(); 256];
        let argon2 = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(256, 1, 1, Some(32)).unwrap(),
        );
        let mut unlocking = [0; 32];
        let depths = [
            (
                "sign",
                depth(|| Signer::from_seed("a.example/log/1", &key).map(|signer| signer.sign("a text\n"))),
            ),
            (
                "unlock",
                depth(|| argon2.hash_password_into_with_memory(b"a passphrase", &key, &mut unlocking, &mut blocks)),
            ),
        ];
        for (work, depth) in depths {
            assert!((LEAD..LEAD + DEEP / 2).contains(&depth), "{work} reaches {depth} bytes");
        }
        for &suite in Suite::ALL {
            let key = Key::of(suite, &key);
            let sealed = aead::seal(&System, key, 1, b"place", &long).unwrap();
            let seal = depth(|| aead::seal(&System, key, 1, b"place", &long));
            let open = depth(|| aead::open(key, 1, b"place", &sealed));
            for depth in [seal, open] {
                assert!(
                    (LEAD..LEAD + DEEP / 2).contains(&depth),
                    "{suite} reaches {depth} bytes"
                );
            }
            let code = depth(|| derive::keyed(key, &[b"label"], &long));
            assert!(
                (LEAD..LEAD + SHALLOW / 2).contains(&code),
                "a code of {suite} reaches {code} bytes"
            );
        }
    }

    #[test]
    fn stacks_are_locked_and_used_again() {
        let stacks = Pool::<SHALLOW>::default();
        let address = || {
            let here = 0_u8;
            black_box(&raw const here).addr()
        };
        let first = stacks.run(address).unwrap();
        for _ in 0..100 {
            assert_eq!(stacks.run(address), Ok(first));
        }
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut here = false;
        let flags = maps.lines().find(|line| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let hex = |text| u64::from_str_radix(text, 16).ok();
            if let Some((from, to)) = range.and_then(|(from, to)| hex(from).zip(hex(to))) {
                here = (from..to).contains(&(first as u64));
            }
            here && line.starts_with("VmFlags:")
        });
        assert!(flags.unwrap().split(' ').any(|flag| flag == "lo"), "{flags:?}");
    }

    #[test]
    fn more_work_than_stacks_waits_its_turn() {
        let stacks = Pool::<SHALLOW>::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * MOST {
                scope.spawn(|| (0..100).for_each(|_| stacks.run(mark::<64>).unwrap()));
            }
        });
        let kept = stacks.kept();
        assert!(kept.made <= MOST && kept.idle.len() == kept.made);
        assert!(!kept.idle.iter().any(is_marked));
    }

    /// With every stack lent, one that is given back goes to whoever waits; a hang fails.
    #[test]
    fn who_waits_gets_the_stack_that_is_given_back() {
        let stacks = Pool::<SHALLOW>::default();
        let mut lent: Vec<_> = (0..MOST).map(|_| stacks.lend().unwrap()).collect();
        let (done, heard) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| done.send(stacks.run(|| 7)).unwrap());
            while stacks.kept().waiting == 0 {
                std::thread::yield_now();
            }
            stacks.take_back(lent.pop().unwrap());
            let heard = heard.recv_timeout(std::time::Duration::from_secs(60));
            // Otherwise the scope would wait for ever.
            stacks.taken_back.notify_all();
            assert_eq!(heard, Ok(Ok(7)));
        });
    }
}
