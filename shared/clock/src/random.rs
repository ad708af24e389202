//! Random numbers: the machine's own in Lambda, a seed's in a simulation.

use uuid::{Builder, Uuid};

use crate::MACHINE;

/// A number from 0 up to 1, not included. For pauses, never for secrets.
#[must_use]
pub fn unit() -> f64 {
    MACHINE.try_with(|machine| machine.random.borrow_mut().f64()).unwrap_or_else(|_| fastrand::f64())
}

/// Any number. For seeds and choices, never for secrets.
#[must_use]
pub fn number() -> u64 {
    MACHINE.try_with(|machine| machine.random.borrow_mut().u64(..)).unwrap_or_else(|_| fastrand::u64(..))
}

/// A new id that nobody can guess, such as `prod_8d5f…`: a version-4 UUID, whose bits are the operating system's.
#[must_use]
pub fn id(prefix: &str) -> String {
    format!("{prefix}_{}", uuid().simple())
}

fn uuid() -> Uuid {
    let seeded = MACHINE.try_with(|machine| machine.random.borrow_mut().u128(..));
    seeded.map_or_else(|_| Uuid::new_v4(), |bits| Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Machine, now};

    async fn drawn(seed: u64) -> (f64, u64, String) {
        Machine::new(now(), seed).run(async { (unit(), number(), id("x")) }).await
    }

    #[tokio::test]
    async fn a_seed_gives_the_same_numbers_again() {
        assert_eq!(drawn(7).await, drawn(7).await);
        assert_ne!(drawn(7).await, drawn(8).await);
        assert!((0.0..1.0).contains(&unit()));
    }

    #[test]
    fn ids_are_random() {
        let (a, b) = (id("prod"), id("prod"));
        assert!(a != b && a.starts_with("prod_") && a.len() == "prod_".len() + 32);
    }
}
