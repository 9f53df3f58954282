//! The document as it is, for programs and for `--out`.

use super::document::Document;
use super::escape;

/// The JSON Schema of the document (draft 2020-12).
pub const PLAN_SCHEMA: &str = include_str!("schema/plan.schema.json");

/// The document as JSON, one line a field.
pub(super) fn render(document: &Document) -> String {
    let text = serde_json::to_string_pretty(document).expect("a document is made of texts, numbers and flags");
    format!("{}\n", escape::json(&text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::passage::{Converter, Passage, Route};
    use crate::model::version::DiskFormat;
    use crate::render::escape::tests::hostile;
    use crate::render::testing::{blocked, empty, hostile_document, imported, rotation};

    /// The schema with every object closed, so that a field which it does not describe is found.
    fn closed(mut schema: Value) -> Value {
        fn close(value: &mut Value) {
            match value {
                Value::Object(object) => {
                    if object.contains_key("properties") && object.get("type") == Some(&json!("object")) {
                        object.insert("additionalProperties".to_owned(), json!(false));
                    }
                    object.values_mut().for_each(close);
                }
                Value::Array(items) => items.iter_mut().for_each(close),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        close(&mut schema);
        schema
    }

    fn errors(document: &Value) -> Vec<String> {
        let schema = closed(serde_json::from_str(PLAN_SCHEMA).unwrap());
        jsonschema::validator_for(&schema).unwrap().iter_errors(document).map(|error| error.to_string()).collect()
    }

    fn value(document: &Document) -> Value {
        serde_json::from_str(&render(document)).unwrap()
    }

    #[test]
    fn every_document_is_as_the_schema_says() {
        let passage = Passage {
            route: Route::Direct,
            stores: vec!["ceph".to_owned()],
            converter: Some(Converter::Glance),
            disk_format: DiskFormat::Raw,
        };
        for document in [rotation(), empty(), blocked(), imported(passage)] {
            assert_eq!(errors(&value(&document)), Vec::<String>::new());
        }
    }

    #[test]
    fn the_schema_finds_what_is_wrong() {
        for (pointer, wrong) in [
            ("/gallerist/plan_id", json!("7f3a91c2d0e4")),
            ("/resource_changes/0/change/actions/0", json!("replace")),
            ("/resource_changes/0/change/before/min_ram", json!("512")),
            ("/gallerist/summary/delete", json!(-1)),
            ("/gallerist", json!({})),
        ] {
            let mut document = value(&rotation());
            *document.pointer_mut(pointer).unwrap() = wrong;
            assert!(!errors(&document).is_empty(), "{pointer}");
        }
    }

    #[test]
    fn a_change_has_the_shape_of_terraforms() {
        let document = value(&rotation());
        let addresses: Vec<_> =
            document["resource_changes"].as_array().unwrap().iter().map(|change| change["address"].clone()).collect();
        assert_eq!(
            addresses,
            ["debian-12/20261110-2300", "ubuntu-24.04/20260807", "ubuntu-24.04/20261015", "ubuntu-24.04/20261118"]
        );
        let mut created = document["resource_changes"][3].clone();
        created["gallerist"]["packages"] = json!("told elsewhere");
        insta::assert_json_snapshot!(created, @r#"
        {
          "address": "ubuntu-24.04/20261118",
          "mode": "managed",
          "type": "openstack_image",
          "name": "ubuntu-24.04",
          "index": "20261118",
          "change": {
            "actions": [
              "create"
            ],
            "before": null,
            "after": {
              "name": "Ubuntu 24.04 Noble Numbat - Latest",
              "visibility": "public",
              "protected": true,
              "hidden": false,
              "min_ram": 512,
              "properties": {
                "architecture": "x86_64",
                "hw_disk_bus": "scsi",
                "os_distro": "ubuntu"
              },
              "tags": [
                "gallerist",
                "gallerist:catalogue=wiit-public",
                "gallerist:digest=sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0",
                "gallerist:family=ubuntu-24.04",
                "gallerist:uploaded=2026-11-23",
                "gallerist:version=20261118"
              ]
            },
            "after_unknown": {
              "id": true,
              "min_disk": true,
              "tags": true
            },
            "before_sensitive": {},
            "after_sensitive": {}
          },
          "action_reason": "create_because_new_version",
          "gallerist": {
            "site": "fra1",
            "depends_on": [],
            "reasons": [
              "a new version, it takes over from 20261015"
            ],
            "reactivate": false,
            "usage": null,
            "source": "https://cloud-images.ubuntu.com/noble/20261118/noble-server-cloudimg-amd64.img",
            "size": 625373184,
            "digest": "sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0",
            "trust": "signed:D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81",
            "uploaded": "2026-11-23",
            "superseded": null,
            "packages": "told elsewhere"
          }
        }
        "#);
    }

    #[test]
    fn a_new_version_carries_the_packages_it_changes() {
        let packages = &value(&rotation())["resource_changes"][3]["gallerist"]["packages"];
        assert_eq!(
            (&packages["from"], &packages["notable"]),
            (&json!("20261015"), &json!(["linux-image-virtual", "openssl"]))
        );
        assert_eq!(packages["changes"][1], json!({ "name": "openssl", "before": "3.0.13", "after": "3.0.14" }));
        assert_eq!(packages["changes"][4], json!({ "name": "zstd", "before": null, "after": "1.5.5" }));
    }

    #[test]
    fn a_deletion_carries_its_evidence() {
        let document = value(&rotation());
        insta::assert_json_snapshot!(document["resource_changes"][1]["gallerist"], @r#"
        {
          "site": "fra1",
          "depends_on": [
            "ubuntu-24.04/20261015",
            "ubuntu-24.04/20261118"
          ],
          "reasons": [
            "superseded, due, and nothing uses it"
          ],
          "reactivate": false,
          "usage": {
            "complete": true,
            "sources": {
              "servers": 0,
              "volumes": 0
            },
            "users": []
          },
          "source": null,
          "size": 625373184,
          "digest": "sha256:9d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a09d5ec1a0",
          "trust": null,
          "uploaded": "2026-08-08",
          "superseded": "2026-09-13",
          "packages": null
        }
        "#);
    }

    #[test]
    fn our_own_part_has_everything_else() {
        let document = value(&rotation());
        insta::assert_json_snapshot!(document["gallerist"], @r#"
        {
          "schema": "urn:gallerist:schema:plan:1",
          "version": "0.1.0",
          "plan_id": "sha256:7f3a91c2d0e47f3a91c2d0e47f3a91c2d0e47f3a91c2d0e47f3a91c2d0e47f3a",
          "catalogue": "wiit-public",
          "sites": [
            {
              "name": "fra1",
              "cloud": "prod",
              "region": "fra1",
              "auth_url": "https://keystone.prod.example:5000/v3",
              "project_id": "9f0c5e3d7a1b4c2e8d6f0a1b2c3d4e5f",
              "project": "service",
              "user": "image-publisher"
            }
          ],
          "config": {
            "path": "images.toml",
            "families": 12
          },
          "live": {
            "source": "api",
            "read_at": "2026-11-23T03:34:07Z",
            "milliseconds": 1234,
            "managed": 35
          },
          "targets": [],
          "summary": {
            "create": 1,
            "update": 2,
            "delete": 1,
            "no_op": 32,
            "drift": 1,
            "held": 1,
            "transfer_bytes": 625373184
          },
          "guards": [
            {
              "id": "max-deletes",
              "status": "pass",
              "detail": "1 of 35 managed images would be deleted; the limit is 10",
              "lift": null
            }
          ],
          "holds": [
            {
              "address": "ubuntu-24.04/20260701",
              "site": "fra1",
              "operation": "delete",
              "because": "in_use",
              "detail": "in use by at least 1 server and 1 volume in 1 project",
              "users": [
                {
                  "project_id": "7be2",
                  "servers": [
                    "c0ffee00-0000"
                  ],
                  "volumes": [
                    "beef0000-0000"
                  ]
                }
              ]
            }
          ],
          "notes": [
            {
              "code": "no_boot_test",
              "level": "warning",
              "detail": "new versions are shown without having been booted: images.toml has no [boot_test]"
            },
            {
              "code": "deletion_due",
              "level": "info",
              "detail": "debian-12/20261001-1 is to be deleted on 2026-12-24 or later, if nothing uses it"
            }
          ],
          "blocked": false
        }
        "#);
    }

    #[test]
    fn drift_says_what_was_meant_and_what_was_found() {
        let document = value(&rotation());
        let drift = document["resource_drift"].as_array().unwrap();
        assert_eq!(drift.len(), 1);
        assert_eq!(drift[0]["change"]["before"]["properties"]["hw_disk_bus"], "scsi");
        assert_eq!(drift[0]["change"]["after"]["properties"]["hw_disk_bus"], "virtio");
    }

    #[test]
    fn foreign_text_stays_as_it_is() {
        for name in hostile() {
            assert_eq!(value(&hostile_document(&name))["resource_changes"][2]["change"]["after"]["name"], json!(name));
        }
    }
}
