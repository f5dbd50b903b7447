//! MESSAGEs of the site's own to its users (RFC 3428): sent to wherever they are, and not waited for.

use super::Node;
use super::tasks::ClientTask;
use crate::ids::Extension;
use crate::link::{Bound, Claims};
use crate::proxy::{Kind, Target, branch_with};
use crate::sip::{Draft, Method, Name};
use crate::timing::Now;

impl Node {
    /// Tells a user something, at every phone that would ring first.
    pub(super) fn tell(&mut self, now: Now, extension: &Extension, text: &str) {
        let stages = self.extension_stages(now.instant, &Method::MESSAGE, extension.as_str(), &Claims::default());
        let first = stages.ok().and_then(|stages| stages.into_iter().next());
        for target in first.into_iter().flat_map(|stage| stage.targets) {
            self.send_text(now, &target, extension, text);
        }
    }

    fn send_text(&mut self, now: Now, target: &Target, extension: &Extension, text: &str) {
        let (hash, tag) = (self.entropy.next_u64(), self.entropy.token());
        let branch = branch_with(self.shard, &mut self.entropy, hash);
        let domain = self.entry().domain.clone();
        let call_id = format!("{}@{domain}", self.entropy.token());
        let out = self.listen[usize::from(target.flow.socket.0).min(self.listen.len() - 1)];
        let mut draft = Draft::request(&Method::MESSAGE, &target.uri)
            .header(&Name::Via, format!("SIP/2.0/UDP {out};branch={branch}"))
            .header(&Name::MaxForwards, "70")
            .header(&Name::From, format!("<sip:{domain}>;tag={tag}"))
            .header(&Name::To, format!("<sip:{extension}@{domain}>"))
            .header(&Name::CallId, &call_id)
            .header(&Name::CSeq, "1 MESSAGE");
        for route in &target.path {
            draft = draft.header(&Name::Route, route);
        }
        if let Kind::Site(site, claims) = &target.kind {
            let bound = Bound {
                method: b"MESSAGE",
                call_id: call_id.as_bytes(),
                cseq: 1,
                request_uri: &target.uri,
                branch: branch.as_bytes(),
            };
            let Some(minted) = self.links.mint(now, site, claims, &bound) else { return };
            draft = draft.header(&Name::HotdeskLink, minted.text);
        }
        let bytes = draft.body("text/plain;charset=UTF-8", text).write();
        let (method, task) = (Method::MESSAGE, ClientTask::Unheard);
        // A table that is full loses the notice; the log has it.
        let _ = self.transactions.begin_client(now.instant, &method, branch.as_bytes(), bytes, target.flow, task);
    }
}
