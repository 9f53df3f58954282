//! Long lives of two appliers, drawn at random.
//!
//! The model check tries everything that can happen within a small budget; misfortunes that only hurt together, five in
//! a row, are beyond it. Here each seed draws one schedule of crashes, lost answers, damaged bytes, tenants and runs
//! that overlap, on the same real machines, and every moment of it is looked at. `SCHEDULES=100000` draws so many;
//! `SCHEDULES_FROM=1234` begins with that seed.

use std::io::Write as _;

use stateright::{Expectation, Model};

use crate::support::appliers::{Appliers, Lock};
use crate::support::arena::{Budget, Event, Sabotage};
use crate::support::dice::{Dice, number};

const PLENTY: Budget = Budget { runs: 8, crashes: 4, boots: 3, lost: 6, corrupt: 2 };
/// Where no lock keeps two runs apart nothing may get lost as well: one that undoes half a hand-over, because it was
/// told that the other half failed, can meet one that has just finished it. Glance has no request that would be
/// refused then, which is what the lock is for.
const WITHOUT_LOCK: Budget = Budget { lost: 0, ..PLENTY };

/// How much of a life was spent with misfortunes.
struct Life {
    steps: usize,
    misfortunes: usize,
}

/// What is usual, as opposed to what goes wrong.
const fn is_usual(event: Event) -> bool {
    match event {
        Event::Begin(_) | Event::Step(_) | Event::Unlock => true,
        Event::LoseAnswer(_)
        | Event::LoseRequest(_)
        | Event::Corrupt(_)
        | Event::Crash(_)
        | Event::Boot(_)
        | Event::Leave => false,
    }
}

/// Lives one life. Every moment obeys the properties of the model, the last of which is that it could be finished.
fn live(appliers: &Appliers, seed: u64) -> Life {
    let mut dice = Dice(seed);
    let mut arena = appliers.init_states().remove(0);
    let mut life = Life { steps: 0, misfortunes: 0 };
    let mut story = Vec::new();
    loop {
        let mut events = Vec::new();
        appliers.actions(&arena, &mut events);
        // Most of the time nothing is wrong, or nothing would ever get far.
        if events.iter().any(|event| is_usual(*event)) && dice.throw(5) > 0 {
            events.retain(|event| is_usual(*event));
        }
        // Tenants leave for ever; once nobody runs any more, that is the end.
        if arena.left.runs == 0 && !arena.is_running(0) && !arena.is_running(1) {
            return life;
        }
        let event = events[dice.throw(events.len())];
        life.steps += 1;
        life.misfortunes += usize::from(!is_usual(event));
        story.push(event);
        arena = appliers.next_state(&arena, event).expect("every event has a consequence");
        for property in appliers.properties() {
            assert!(matches!(property.expectation, Expectation::Always));
            assert!(
                (property.condition)(appliers, &arena),
                "seed {seed} (SCHEDULES_FROM={seed}): {} does not hold after {story:?}\n{arena:?}",
                property.name
            );
        }
    }
}

#[test]
fn thousands_of_random_schedules_break_no_rule_and_can_be_finished() {
    let (first, count) = (number("SCHEDULES_FROM", 1), number("SCHEDULES", 2_000));
    let halves = [(0, Lock::Honoured, PLENTY), (1, Lock::Ignored, WITHOUT_LOCK)];
    let lives = std::thread::scope(|scope| {
        let threads = halves.map(|(half, lock, budget)| {
            scope.spawn(move || {
                let appliers = Appliers::new(lock, budget, Sabotage::Nothing);
                let seeds = (first..first + count).filter(|seed| seed % 2 == half);
                seeds.map(|seed| live(&appliers, seed)).collect::<Vec<_>>()
            })
        });
        threads.map(|thread| thread.join().expect("the assertion has been printed")).into_iter().flatten()
    });
    let (lives, steps, misfortunes) = lives.fold((0, 0, 0), |(lives, steps, misfortunes), life| {
        (lives + 1, steps + life.steps, misfortunes + life.misfortunes)
    });
    writeln!(std::io::stderr(), "{lives} schedules, {steps} steps, {misfortunes} of them misfortunes").unwrap();
    assert!(misfortunes > 3 * lives, "only {misfortunes} misfortunes in {lives} schedules");
}
