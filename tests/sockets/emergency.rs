//! SPEC 6.7: a call for help by the button of a phone, with its location.

use super::agent::Agent;
use super::message::{header, status};
use super::support::Network;

#[test]
fn a_service_urn_leaves_by_the_trunk_with_the_location_and_again_without() {
    let network = Network::new();
    network.edit(
        "sites/london.toml",
        "none = true",
        "location = \"1 High Street\"\ncivic = { country = \"GB\", FLR = \"2\" }\ncaller_id = \"+441234567999\"",
    );
    let dial =
        "[[short_codes]]\ncode = \"999\"\nfeature = \"DialEmergency\"\nnumber = \"999\"\nline_group = \"pstn\"\n";
    network.edit("sites/london.toml", "[[short_codes]]\n", &format!("{dial}[[short_codes]]\n"));
    network.edit("sites/london.toml", "[[trunks]]\n", "[[trunks]]\ngeolocation = \"body\"\n");
    let _running = network.run(&[]);
    // Known by the digest alone: it is registered nowhere.
    let ada = Agent::new(&network, "london", "201");
    let trunk = Agent::trunk(&network, "london");
    let call = ada.call("urn:service:sos.ambulance");
    let with = trunk.request("INVITE");
    assert!(with.starts_with("INVITE sip:999@"), "{with}");
    assert!(header(&with, "P-Asserted-Identity").contains("+441234567999"), "{with}");
    let id = header(&with, "Geolocation").strip_prefix("<cid:").and_then(|id| id.strip_suffix('>')).expect("cid");
    assert!(with.contains(&format!("Content-ID: <{id}>")), "{with}");
    assert!(with.contains("<ca:country>GB</ca:country><ca:LOC>1 High Street</ca:LOC><ca:FLR>2</ca:FLR>"), "{with}");
    assert!(with.contains("Content-Type: application/sdp\n\nv=0\no=- 1 1 IN IP4 127.0.0.1\n"), "{with}");
    trunk.answer(&with, "424 Bad Location Information");
    let without = trunk.request("INVITE");
    assert!(!without.contains("Geolocation") && header(&without, "Content-Type") == "application/sdp", "{without}");
    trunk.answer(&without, "486 Busy Here");
    let last = trunk.request("INVITE");
    trunk.answer(&last, "486 Busy Here");
    assert_eq!(status(&ada.refusal(&call)), 486);
}
