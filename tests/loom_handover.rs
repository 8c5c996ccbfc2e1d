//! Models of `sync::Handover`, the state behind `signal::install` and `signal::uninstall`: `scripts/loom`.
//!
//! The kernel is the model's: one word that says who is installed, exchanged and read whole, as under the kernel's own lock. The
//! handler is a thread that asks the kernel who is installed and, where that is us, whom to chain to. Another component takes the signal
//! over by one exchange, and keeps what it replaced in order to chain to it.
//!
//! What loom cannot show here: a handler on the thread that installs (it runs between two operations of it, and reads only; so it
//! sees what the third thread sees at that moment); what a kernel does beyond that word (masks, flags, SA_RESETHAND: in
//! tests/handler_facts.rs). Preemptions are not bounded. Known limit, kept out of these models: a component that
//! took over from us and chains to us, over which we are installed again, makes a ring (src/signal.rs).
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{
    AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use loom::thread;
use sigwalk::sync::planted::{Bug, plant};
use sigwalk::sync::{Disposition, Handover, Published, Trouble};

/// Who may be installed.
const FIRST: u64 = 1;
const OTHER: u64 = 2;
const OURS: u64 = 3;

/// Handler, flags and mask of somebody.
fn words(who: u64) -> [u64; 3] {
    [who, who * 10, who * 100]
}

struct Kernel {
    installed: AtomicU64,
    /// Whom the other component replaced; 0: it did not come.
    behind_other: AtomicU64,
}

impl Kernel {
    fn new() -> Self {
        Kernel { installed: AtomicU64::new(FIRST), behind_other: AtomicU64::new(0) }
    }

    fn replace(&self, who: u64) -> [u64; 3] {
        words(self.installed.swap(who, AcqRel))
    }

    /// The other component takes the signal over.
    fn other_comes(&self) {
        let behind = self.installed.swap(OTHER, AcqRel);
        self.behind_other.store(behind, Release);
    }

    /// A fault, handled by whoever is installed: whom our handler finds, where it is ours.
    fn fault(&self, earlier: impl Fn() -> Option<[u64; 3]>) {
        if self.installed.load(Acquire) == OURS {
            let found = earlier().expect("our handler runs, and has nobody to chain to");
            assert!(found == words(FIRST) || found == words(OTHER), "torn: {found:?}");
        }
    }
}

impl Disposition for Kernel {
    type Error = ();

    fn ask(&self) -> Result<[u64; 3], ()> {
        Ok(words(self.installed.load(Acquire)))
    }

    fn install_ours(&self) -> Result<[u64; 3], ()> {
        Ok(self.replace(OURS))
    }

    fn put_back(&self, earlier: [u64; 3]) -> Result<[u64; 3], ()> {
        assert_eq!(earlier, words(earlier[0]), "torn");
        Ok(self.replace(earlier[0]))
    }

    fn is_ours(&self, [who, ..]: &[u64; 3]) -> bool {
        *who == OURS
    }
}

struct World<const N: usize> {
    kernel: Kernel,
    handover: Handover<N>,
}

impl<const N: usize> World<N> {
    fn new() -> Arc<Self> {
        Arc::new(World { kernel: Kernel::new(), handover: Handover::new() })
    }

    fn install(&self) -> Result<(), Trouble<()>> {
        self.handover.install(&self.kernel)
    }

    fn uninstall(&self) {
        self.handover.uninstall(&self.kernel).unwrap();
    }

    fn fault(&self) {
        self.kernel.fault(|| self.handover.earlier());
    }

    fn installed(&self) -> u64 {
        self.kernel.installed.load(Relaxed)
    }
}

fn on_a_thread<const N: usize, T: 'static>(
    world: &Arc<World<N>>,
    does: impl FnOnce(&World<N>) -> T + 'static,
) -> thread::JoinHandle<T> {
    let world = Arc::clone(world);
    thread::spawn(move || does(&world))
}

/// One place is enough for two installs over one handler.
fn two_installers() {
    loom::model(|| {
        let world = World::<1>::new();
        let second = on_a_thread(&world, |world| world.install());
        let handler = on_a_thread(&world, |world| world.fault());
        let first = world.install();
        assert_eq!((first, second.join().unwrap()), (Ok(()), Ok(())), "two places for one handler");
        handler.join().unwrap();
        assert_eq!(world.installed(), OURS);
        assert_eq!(world.handover.earlier(), Some(words(FIRST)));
    });
}

#[test]
fn two_threads_install_at_once_and_a_handler_runs() {
    two_installers();
}

#[test]
#[should_panic(expected = "two places for one handler")]
fn a_lock_that_two_can_take_is_found() {
    plant(Bug::TornExchange, two_installers);
}

#[test]
fn one_uninstalls_while_another_installs_and_a_handler_runs() {
    loom::model(|| {
        let world = World::<1>::new();
        world.install().unwrap();
        let installs = on_a_thread(&world, |world| world.install());
        let handler = on_a_thread(&world, |world| world.fault());
        world.uninstall();
        installs.join().unwrap().unwrap();
        handler.join().unwrap();
        // Whoever was last.
        assert!([FIRST, OURS].contains(&world.installed()), "{}", world.installed());
        assert_eq!(world.handover.earlier(), Some(words(FIRST)));
    });
}

/// After the end: from who is installed, the chain must lead to the first handler, past the other component if it came.
fn nobody_is_lost(installed: u64, behind_other: u64, earlier: Option<[u64; 3]>) {
    let mut at = installed;
    let mut passed = Vec::new();
    while at != FIRST {
        assert!(!passed.contains(&at), "a ring: {passed:?}");
        passed.push(at);
        at = match at {
            OURS => earlier.expect("somebody to chain to")[0],
            _ => behind_other,
        };
    }
    assert!(behind_other == 0 || passed.contains(&OTHER), "a component is lost: {passed:?}");
}

#[test]
fn another_component_takes_over_while_we_install_and_a_handler_runs() {
    loom::model(|| {
        let world = World::<2>::new();
        let other = on_a_thread(&world, |world| world.kernel.other_comes());
        let handler = on_a_thread(&world, |world| world.fault());
        world.install().unwrap();
        handler.join().unwrap();
        other.join().unwrap();
        let behind = world.kernel.behind_other.load(Relaxed);
        nobody_is_lost(world.installed(), behind, world.handover.earlier());
    });
}

#[test]
fn another_component_takes_over_while_we_uninstall_and_a_handler_runs() {
    loom::model(|| {
        let world = World::<2>::new();
        world.install().unwrap();
        let other = on_a_thread(&world, |world| world.kernel.other_comes());
        let handler = on_a_thread(&world, |world| world.fault());
        world.uninstall();
        handler.join().unwrap();
        other.join().unwrap();
        assert_eq!(world.installed(), OTHER, "a component is lost: it came last");
    });
}

/// What one would write first: each is one step of `Handover` left out, or made too late.
mod first_tries {
    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    pub enum Install {
        /// As `Handover` does: the model below is able to pass.
        Right,
        /// What the kernel hands back is published, after ours can run already.
        PublishesAfterwards,
        /// What the kernel hands back is not looked at.
        LooksAtNothing,
    }

    fn install(kernel: &Kernel, earlier: &Published<2>, how: Install) {
        let found = kernel.ask().unwrap();
        if how != Install::PublishesAfterwards {
            earlier.push(found).unwrap();
        }
        let replaced = kernel.install_ours().unwrap();
        if how != Install::LooksAtNothing && earlier.last() != Some(replaced) {
            earlier.push(replaced).unwrap();
        }
    }

    pub fn model(how: Install) {
        loom::model(move || {
            let world = Arc::new((Kernel::new(), Published::<2>::new()));
            let other = {
                let world = Arc::clone(&world);
                thread::spawn(move || world.0.other_comes())
            };
            let handler = {
                let world = Arc::clone(&world);
                thread::spawn(move || world.0.fault(|| world.1.last()))
            };
            install(&world.0, &world.1, how);
            handler.join().unwrap();
            other.join().unwrap();
            let behind = world.0.behind_other.load(Relaxed);
            nobody_is_lost(world.0.installed.load(Relaxed), behind, world.1.last());
        });
    }

    /// Uninstalling as it was first: ask, put back, done.
    pub fn uninstall_model() {
        loom::model(|| {
            let kernel = Arc::new(Kernel::new());
            kernel.install_ours().unwrap();
            let other = {
                let kernel = Arc::clone(&kernel);
                thread::spawn(move || kernel.other_comes())
            };
            if kernel.is_ours(&kernel.ask().unwrap()) {
                kernel.put_back(words(FIRST)).unwrap();
            }
            other.join().unwrap();
            assert_eq!(kernel.installed.load(Relaxed), OTHER, "a component is lost: it came last");
        });
    }
}

use first_tries::Install;

#[test]
fn the_order_of_the_original_passes() {
    first_tries::model(Install::Right);
}

#[test]
#[should_panic(expected = "nobody to chain to")]
fn publishing_what_the_kernel_hands_back_is_found() {
    first_tries::model(Install::PublishesAfterwards);
}

#[test]
#[should_panic(expected = "a component is lost")]
fn installing_without_a_second_look_is_found() {
    first_tries::model(Install::LooksAtNothing);
}

#[test]
#[should_panic(expected = "a component is lost")]
fn uninstalling_without_a_second_look_is_found() {
    first_tries::uninstall_model();
}
