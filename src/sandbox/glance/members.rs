//! Sharing an image with single projects.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::record::{ImageRecord, Membership, time};
use super::{Glance, forbidden};
use crate::model::image::Visibility;
use crate::sandbox::answer::{Answer, Call, Refusal, empty, html, json_answer};

/// Answers what is asked about an image's members.
pub(super) fn answer(glance: &mut Glance, id: &str, call: &Call<'_>, now: Timestamp) -> Answer {
    let image = glance.visible(id, call.caller)?;
    let owned = image.belongs_to(call.caller);
    let own_project = call.caller.project_id.as_str();
    if image.visibility != Visibility::Shared {
        let message = format!("Not allowed to list members for image {id}: Only shared images have members.");
        return Err(html(StatusCode::FORBIDDEN, &message));
    }
    match (call.method, &call.segments[4..]) {
        ("GET", []) => {
            let visible = image.members.iter().filter(|(project, _)| owned || *project == own_project);
            let members: Vec<Value> = visible.map(|(project, member)| view(id, project, member)).collect();
            Ok(json_answer(StatusCode::OK, &json!({"members": members, "schema": "/v2/schemas/members"})))
        }
        ("POST", []) if owned => share(image, call, now),
        ("GET", [project]) if owned || *project == own_project => {
            Ok(json_answer(StatusCode::OK, &view(id, project, member(image, project)?)))
        }
        ("PUT", [project]) if *project == own_project || call.caller.is_admin() => {
            let status = call.json().and_then(|body| body["status"].as_str().map(str::to_owned)).unwrap_or_default();
            if !["pending", "accepted", "rejected"].contains(&status.as_str()) {
                return Err(html(StatusCode::BAD_REQUEST, "Expected a status among: pending, accepted, rejected"));
            }
            let member = member(image, project)?;
            (member.status, member.updated_at) = (status, now);
            Ok(json_answer(StatusCode::OK, &view(id, project, member)))
        }
        ("DELETE", [project]) if owned => {
            member(image, project)?;
            image.members.remove(*project);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        _ => Err(forbidden("modify_member")),
    }
}

fn share(image: &mut ImageRecord, call: &Call<'_>, now: Timestamp) -> Answer {
    let project = call
        .json()
        .and_then(|body| body["member"].as_str().map(str::to_owned))
        .filter(|project| !project.is_empty())
        .ok_or_else(|| html(StatusCode::BAD_REQUEST, "Expected a member to be specified"))?;
    if image.members.contains_key(&project) {
        let message = format!("Member {project} is duplicated for image {}", image.id);
        return Err(html(StatusCode::CONFLICT, &message));
    }
    let member = Membership { status: "pending".to_owned(), created_at: now, updated_at: now };
    let answer = json_answer(StatusCode::OK, &view(&image.id, &project, &member));
    image.members.insert(project, member);
    Ok(answer)
}

fn member<'a>(image: &'a mut ImageRecord, project: &str) -> Result<&'a mut Membership, Refusal> {
    let message = format!("{project} not found in the member list of the image {}.", image.id);
    image.members.get_mut(project).ok_or_else(|| html(StatusCode::NOT_FOUND, &message))
}

fn view(image: &str, project: &str, member: &Membership) -> Value {
    json!({
        "member_id": project, "image_id": image, "status": member.status, "created_at": time(member.created_at),
        "updated_at": time(member.updated_at), "schema": "/v2/schemas/member",
    })
}
