//! An admin who does something to an image while a run is about to.
//!
//! A rotation with a deletion, and beside it another family's. At each of the moments that matter somebody renames,
//! protects, deactivates, deletes or alters one of the images. Whatever it is, the run leaves alone what is not as the
//! plan saw it, says so, does the other family's work, and the next runs settle.

use std::sync::Arc;

use gallerist::model::image::{Status, Visibility};
use gallerist::sandbox::{Effect, Fault, ImageRecord, Service, World};

use crate::support::stage::{DEBIAN, Exhibit, NEWER_DEBIAN, REGION, ROCKY, Stage};

const OLDEST: Exhibit<'_> = ("debian-12", "Debian 12", "20260901-2400");
const NEWER_ROCKY: Exhibit<'_> = ("rocky-9", "Rocky Linux 9", "9.9-20261101.0");

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meddling {
    Rename,
    Protect,
    Deactivate,
    Delete,
    Hide,
    AddProperty,
}

impl Meddling {
    const ALL: [Self; 6] = [Self::Rename, Self::Protect, Self::Deactivate, Self::Delete, Self::Hide, Self::AddProperty];

    fn happen(self, world: &mut World, id: &str) {
        let region = world.region(REGION).unwrap();
        if self == Self::Delete {
            region.delete_image(id);
            return;
        }
        let Ok(image) = region.image(id) else { return };
        match self {
            Self::Rename => image.name = Some("renamed by hand".to_owned()),
            Self::Protect => image.protected = !image.protected,
            Self::Deactivate => image.status = Status::Deactivated,
            Self::Hide => image.hidden = true,
            Self::AddProperty => {
                image.properties.insert("by_hand".to_owned(), "yes".into());
            }
            Self::Delete => {}
        }
    }
}

/// Before which request it happens, the first of that kind that names the image.
const MOMENTS: [(&str, &str); 4] = [("GET", ""), ("PATCH", ""), ("POST", "/actions/deactivate"), ("DELETE", "")];

fn version_of(image: &ImageRecord) -> Option<&str> {
    image.tags.iter().find_map(|tag| tag.strip_prefix("gallerist:version="))
}

/// Two nights before: a version to be deleted, one to be replaced.
fn stage() -> Stage {
    let stage = Stage::new();
    for night in [[OLDEST, ROCKY], [DEBIAN, ROCKY]] {
        stage.exhibit(&night);
        stage.run(&["apply", "--auto-approve"]).with(0);
    }
    stage.exhibit(&[NEWER_DEBIAN, NEWER_ROCKY]);
    stage
}

fn meddle(meddling: Meddling, version: &'static str, (method, below): (&str, &str)) {
    let stage = stage();
    let story = format!("{meddling:?} of {version} before {method} {below}");
    {
        let mut world = stage.world();
        let images = world.region(REGION).unwrap().images();
        let id = images.values().find(|image| version_of(image) == Some(version)).map(|image| image.id.clone());
        let id = id.unwrap_or_else(|| panic!("{story}: there is no such image"));
        let path = format!("/v2/images/{id}{below}");
        let act = Effect::Meanwhile(Arc::new(move |world| meddling.happen(world, &id)));
        world.inject(Fault::new(act).service(Service::Image).method(method).path(&path).unwrap());
    }
    let ended = stage.run(&["apply", "--auto-approve"]);
    assert!(matches!(ended.code, Some(0 | 5)), "{story}: {ended:?}");
    assert!(stage.names().contains(&"public Rocky Linux 9 - Latest".to_owned()), "{story}: {ended:?}");
    {
        let mut world = stage.world();
        let rocky =
            world.region(REGION).unwrap().images().values().find(|image| version_of(image) == Some(NEWER_ROCKY.2));
        assert_eq!(rocky.map(|image| image.visibility), Some(Visibility::Public), "{story}: the other family waited");
    }
    stage.world().heal();
    // Whatever is left is either put right or held, and it is the same from then on.
    for _ in 0..4 {
        let ended = stage.run(&["apply", "--auto-approve"]).with(0);
        if ended.stdout.contains("No changes.") {
            let names = stage.names();
            assert!(names.contains(&"public Debian 12 - Latest".to_owned()), "{story}: {names:?}");
            return;
        }
    }
    panic!("{story}: there is still something to do: {:?}", stage.names());
}

#[test]
fn whoever_meddles_with_what_is_replaced_is_noticed() {
    for meddling in Meddling::ALL {
        for moment in &MOMENTS[..2] {
            meddle(meddling, DEBIAN.2, *moment);
        }
    }
}

#[test]
fn whoever_meddles_with_what_is_deleted_is_noticed() {
    for meddling in Meddling::ALL {
        for moment in MOMENTS {
            meddle(meddling, OLDEST.2, moment);
        }
    }
}
