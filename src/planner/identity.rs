//! The identity of a plan: a digest of what it does and of nothing that varies.
//!
//! The problem: what people approved on Monday must be recognised on Tuesday, although ids of new images are chosen at
//! random and dates are set by the run. The idea: the digest is taken over every operation's address, verb, image and
//! attributes before and after, with placeholders for what only the run decides. What this does not solve: whether the
//! world still is as it was; for that the whole plan is made again and the two digests are compared.

use sha2::{Digest as _, Sha256};

use crate::model::image::Attributes;
use crate::model::operation::Operation;
use crate::model::passage::{Converter, Passage, Route};
use crate::model::plan::Plan;

/// SHA-256 over what the plan does, in hexadecimal.
pub fn plan_id(plan: &Plan) -> String {
    let mut steps: Vec<_> = plan.steps().map(|(_, step)| step).collect();
    steps.sort_by_key(|step| (&step.site, &step.address, step.operation.verb(), step.operation.id().cloned()));
    let mut hasher = Sha256::new();
    let mut field = |text: &str| {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    };
    for step in steps {
        field(step.operation.verb().name());
        field(step.site.as_str());
        field(&step.address.to_string());
        field(step.operation.id().map_or("", |id| id.as_str()));
        if let Operation::Create(create) = &step.operation {
            field(&create.version.origin.to_string());
            create.version.published.iter().for_each(|digest| field(&digest.to_string()));
            for text in passage(&create.passage) {
                field(&text);
            }
        }
        for attributes in [step.operation.before(), step.operation.stable_after()] {
            attributes.map_or_else(|| vec!["none".to_owned()], fields).iter().for_each(|text| field(text));
        }
    }
    hex::encode(hasher.finalize())
}

fn passage(passage: &Passage) -> Vec<String> {
    let Passage { route, stores, converter, disk_format } = passage;
    let original = match route {
        Route::Copy(original) => Some(original.site.to_string()),
        Route::Upload | Route::Direct | Route::Web => None,
    };
    let words = [Some(route.method().name()), Some(disk_format.name()), converter.map(Converter::name)];
    words.into_iter().flatten().map(str::to_owned).chain(original).chain(stores.iter().cloned()).collect()
}

fn fields(attributes: &Attributes) -> Vec<String> {
    let Attributes { name, visibility, protection, listing, min_disk, min_ram, properties, tags } = attributes;
    let mut fields = vec![
        name.clone(),
        visibility.to_string(),
        protection.to_string(),
        listing.to_string(),
        min_disk.to_string(),
        min_ram.to_string(),
        properties.len().to_string(),
    ];
    fields.extend(properties.iter().flat_map(|(key, value)| [key.clone(), value.clone()]));
    fields.extend(tags.iter().cloned());
    fields
}
