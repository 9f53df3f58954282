//! Two appliers, tenants and misfortunes on a very small cloud, as a model: what can happen next, what comes of it, and
//! what must hold at every moment. `model_check` tries everything, `schedules` lives long random lives.

use gallerist::model::image::Image;
use gallerist::model::name::SiteName;
use stateright::{Model, Property};

use super::arena::{Arena, Budget, Event, Sabotage};
use super::policies::Policy;
use super::sim::Cloud;
use super::world::{FamilySpec, WantedSpec, World, family_name, site_name};

/// Whether appliers wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Honoured,
    Ignored,
}

pub(crate) struct Appliers {
    world: World,
    site: SiteName,
    foreign: Image,
    lock: Lock,
    budget: Budget,
    sabotage: Sabotage,
}

impl Appliers {
    /// An old version, the present latest, and a newer one at the publisher.
    pub(crate) fn new(lock: Lock, budget: Budget, sabotage: Sabotage) -> Self {
        let family = FamilySpec::listed(Policy::Wiit, WantedSpec::Newest(1), vec![]);
        let mut cloud = Cloud::new(family.alone().build());
        for version in [1, 2] {
            cloud.publish(&family_name(0), WantedSpec::Newest(version));
            let plan = cloud.plan();
            cloud.apply(&plan, 0, usize::MAX);
        }
        cloud.publish(&family_name(0), WantedSpec::Newest(3));
        let (world, site) = (cloud.world, site_name(0));
        let foreign = Arena::new(&world, &site, budget).foreign().expect("a tenant's image").clone();
        Self { world, site, foreign, lock, budget, sabotage }
    }

    /// Undisturbed runs from here: they must come to an end, with nothing left to do and the newest version shown.
    pub(crate) fn converges(&self, arena: &Arena) -> bool {
        let mut arena = arena.clone();
        for _ in 0..5 {
            arena.begin(0, &self.world, &self.site, Sabotage::Nothing);
            if !arena.is_running(0) {
                return arena.broken.is_empty() && arena.plan(&self.world, &self.site, Sabotage::Nothing).is_empty();
            }
            while arena.is_running(0) {
                arena.step(0, Event::Step(0), Sabotage::Nothing);
            }
        }
        false
    }
}

impl Model for Appliers {
    type State = Arena;
    type Action = Event;

    fn init_states(&self) -> Vec<Arena> {
        vec![Arena::new(&self.world, &self.site, self.budget)]
    }

    fn actions(&self, arena: &Arena, events: &mut Vec<Event>) {
        let left = arena.left;
        for applier in 0..2 {
            if arena.is_running(applier) {
                events.push(Event::Step(applier));
                if left.lost > 0 {
                    events.extend([Event::LoseAnswer(applier), Event::LoseRequest(applier)]);
                }
                if left.corrupt > 0 && arena.is_delivering(applier) {
                    events.push(Event::Corrupt(applier));
                }
                if left.crashes > 0 {
                    events.push(Event::Crash(applier));
                }
            } else if left.runs > 0 && (self.lock == Lock::Ignored || arena.lock().is_none()) {
                events.push(Event::Begin(applier));
            }
        }
        if arena.lock().is_some_and(|holder| !arena.is_running(holder)) {
            events.push(Event::Unlock);
        }
        if left.boots > 0 {
            events.extend((0..arena.number_of_images()).filter(|number| arena.can_boot(*number)).map(Event::Boot));
        }
        if arena.has_users() {
            events.push(Event::Leave);
        }
    }

    fn next_state(&self, arena: &Arena, event: Event) -> Option<Arena> {
        let mut next = arena.clone();
        match event {
            Event::Begin(applier) => {
                next.left.runs -= 1;
                next.begin(applier, &self.world, &self.site, self.sabotage);
                next.set_lock(next.is_running(applier).then_some(applier));
            }
            Event::Step(applier)
            | Event::LoseAnswer(applier)
            | Event::LoseRequest(applier)
            | Event::Corrupt(applier) => {
                next.left.lost -= u8::from(matches!(event, Event::LoseAnswer(_) | Event::LoseRequest(_)));
                next.left.corrupt -= u8::from(matches!(event, Event::Corrupt(_)));
                next.step(applier, event, self.sabotage);
                if !next.is_running(applier) && next.lock() == Some(applier) {
                    next.set_lock(None);
                }
            }
            Event::Crash(applier) => {
                next.left.crashes -= 1;
                next.crash(applier);
            }
            Event::Unlock => next.set_lock(None),
            Event::Boot(number) => {
                next.left.boots -= 1;
                next.boot(number);
            }
            Event::Leave => next.leave(),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no rule is broken", |_, arena: &Arena| arena.broken.is_empty()),
            Property::always("what is foreign is as it was", |model: &Self, arena: &Arena| {
                arena.foreign() == Some(&model.foreign)
            }),
            Property::always("whatever is left behind is finished", |model: &Self, arena: &Arena| {
                model.sabotage != Sabotage::Nothing
                    || arena.is_running(0)
                    || arena.is_running(1)
                    || model.converges(arena)
            }),
        ]
    }
}
