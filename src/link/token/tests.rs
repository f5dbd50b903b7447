use proptest::prelude::*;

use super::*;
use crate::ids::{Extension, LoginNumber, SiteName};
use crate::link::claims::tests::longest;
use crate::link::claims::{Caller, HomeUser, Identity, Purpose};
use crate::link::gate::Gate;
use crate::settings::{Network, Secret, SiteEntry};

const NOW: Wall = Wall(1_790_000_000_000);
const BOOT: BootId = BootId(0xfeed_beef_0bad_cafe);
const LONDON: SiteNumber = SiteNumber(1);
const PARIS: SiteNumber = SiteNumber(2);
const BOUND: Bound<'static> = Bound {
    method: b"INVITE",
    call_id: b"a84b4c76e66710@pc33.london.example",
    cseq: 314_159,
    request_uri: b"sip:201@127.0.0.2:5060",
    branch: b"z9hG4bK00nashds8a",
};

fn network(secret: u8, previous: Option<u8>) -> Network {
    let site = |name: &str, number| SiteEntry {
        name: SiteName::new(name),
        number: SiteNumber(number),
        domain: format!("{name}.example"),
        aliases: vec![],
        listen: vec![],
        address: ([127, 0, 0, 1], 5060).into(),
        extensions: vec![],
        link_secrets: Default::default(),
        admin: None,
        shards: 1,
    };
    let sites = [site("london", 1), site("paris", 2), site("berlin", 3)];
    Network {
        fingerprint: [0; 8],
        realm: "hotdesk.example".into(),
        link_secret: Some(Secret(vec![secret; 32])),
        link_secret_previous: previous.map(|byte| Secret(vec![byte; 32])),
        admin: None,
        admin_token: None,
        call_log: None,
        data_dir: None,
        resolvers: Vec::new(),
        profiles: Default::default(),
        sites: sites.into_iter().map(|site| (site.name.clone(), site)).collect(),
    }
}

fn keys(network: &Network, own: &str) -> Keyring {
    Keyring::new(network, &SiteName::new(own)).expect("a site of the network")
}

pub(crate) fn ring(own: &str) -> Keyring {
    keys(&network(1, None), own)
}

fn envelope() -> Envelope {
    Envelope { from: LONDON, to: PARIS, boot: BOOT, at: NOW }
}

fn claims() -> Claims {
    let ada = HomeUser { home: LONDON, extension: Extension::new("201") };
    Claims {
        login: Some(LoginNumber(1_790_000_000_001)),
        caller: Some(Caller::User(ada.clone())),
        payer: Some(ada),
        rights: Some("office".into()),
        identity: Some(Identity { user: "201".into(), display: "Ada Lovelace".into() }),
        ..Claims::of(Purpose::Deliver)
    }
}

fn minted(envelope: &Envelope, claims: &Claims) -> Minted {
    mint(ring("london").pair(PARIS).expect("keys"), envelope, claims, &BOUND)
}

fn at_paris(now: Wall, text: &str, bound: &Bound<'_>) -> Result<Token, Refused> {
    verify(&ring("paris"), BOOT, now, text.as_bytes(), bound)
}

#[test]
fn what_london_claims_paris_believes() {
    let Minted { text, receipt } = minted(&envelope(), &claims());
    let token = at_paris(NOW, &text, &BOUND).expect("a good token");
    assert_eq!(token, Token { envelope: envelope(), claims: claims(), receipt });
}

#[test]
fn the_form_stays_as_it_is() {
    insta::assert_snapshot!(minted(&envelope(), &claims()).text);
}

#[test]
fn everything_bound_counts() {
    let text = minted(&envelope(), &claims()).text;
    for bound in [
        Bound { method: b"MESSAGE", ..BOUND },
        Bound { call_id: b"b84b4c76e66710@pc33.london.example", ..BOUND },
        Bound { cseq: 314_160, ..BOUND },
        Bound { request_uri: b"sip:202@127.0.0.2:5060", ..BOUND },
        Bound { branch: b"z9hG4bK00nashds8b", ..BOUND },
    ] {
        assert_eq!(at_paris(NOW, &text, &bound), Err(Refused::BadMac(LONDON)), "{bound:?}");
    }
}

#[test]
fn the_longest_token_fits_its_line_with_a_display_name() {
    let text = minted(&envelope(), &longest()).text;
    let line = format!("{HEADER}: {text}\r\n");
    assert!(line.len() <= 350 && line.len() > 340, "{}", line.len());
    let token = at_paris(NOW, &text, &BOUND).expect("a good token");
    assert!(token.claims.identity.expect("an identity").display.len() >= 16);
    let ordinary = minted(&envelope(), &claims()).text;
    assert!(ordinary.len() < 140, "{}", ordinary.len());
}

#[test]
fn a_token_is_fresh_for_thirty_seconds_either_way() {
    let text = minted(&envelope(), &claims()).text;
    for (now, fresh) in
        [(NOW.0 + 30_000, true), (NOW.0 + 30_001, false), (NOW.0 - 30_000, true), (NOW.0 - 30_001, false)]
    {
        let verdict = at_paris(Wall(now), &text, &BOUND);
        assert_eq!(verdict.is_ok(), fresh, "{now}");
        assert!(fresh || matches!(&verdict, Err(Refused::Stale(token)) if token.envelope.at == NOW));
    }
}

#[test]
fn a_token_for_another_boot_or_for_none_is_refused_and_can_be_answered() {
    for boot in [BootId(0), BootId(1)] {
        let text = minted(&Envelope { boot, ..envelope() }, &claims()).text;
        let refused = at_paris(NOW, &text, &BOUND).expect_err("another boot");
        assert!(matches!(&refused, Refused::OtherBoot(_)));
        assert_eq!(refused.proven().map(|token| token.envelope.from), Some(LONDON));
    }
    let text = minted(&Envelope { boot: BootId(0), ..envelope() }, &claims()).text;
    let unknown = verify(&ring("paris"), BootId(0), NOW, text.as_bytes(), &BOUND);
    assert!(matches!(unknown, Err(Refused::OtherBoot(_))));
}

#[test]
fn a_token_comes_in_once() {
    let mut gate = Gate::new(ring("paris"), BOOT, [1, 2, 3, 4]);
    let text = minted(&envelope(), &claims()).text;
    assert!(gate.admit(NOW, text.as_bytes(), &BOUND).is_ok());
    assert!(matches!(gate.admit(NOW, text.as_bytes(), &BOUND), Err(Refused::Replay(_))));
    gate.configure(ring("paris"));
    assert!(matches!(gate.admit(NOW, text.as_bytes(), &BOUND), Err(Refused::Replay(_))));
}

#[test]
fn only_the_receiver_takes_it_and_only_from_the_sender() {
    let text = minted(&envelope(), &claims()).text;
    let at = |own| verify(&ring(own), BOOT, NOW, text.as_bytes(), &BOUND);
    assert_eq!(at("berlin"), Err(Refused::NotForUs(PARIS)));
    assert_eq!(at("london"), Err(Refused::NotForUs(PARIS)));
    // Berlin has keys of the same secret, but not those of London.
    let forged = mint(ring("berlin").pair(PARIS).expect("keys"), &envelope(), &claims(), &BOUND);
    assert_eq!(at_paris(NOW, &forged.text, &BOUND), Err(Refused::BadMac(LONDON)));
    // What Paris sent to London does not come back as London's.
    let mirrored = mint(ring("paris").pair(LONDON).expect("keys"), &envelope(), &claims(), &BOUND);
    assert_eq!(at_paris(NOW, &mirrored.text, &BOUND), Err(Refused::BadMac(LONDON)));
    let stranger = minted(&Envelope { from: SiteNumber(9), ..envelope() }, &claims());
    assert_eq!(at_paris(NOW, &stranger.text, &BOUND), Err(Refused::UnknownSender(SiteNumber(9))));
}

#[test]
fn secrets_are_known_while_they_are_being_changed() {
    let text = minted(&envelope(), &claims()).text;
    let at = |secret, previous| {
        let paris = keys(&network(secret, previous), "paris");
        verify(&paris, BOOT, NOW, text.as_bytes(), &BOUND)
    };
    assert!(at(2, Some(1)).is_ok());
    assert_eq!(at(2, None), Err(Refused::UnknownKey(LONDON)));
}

#[test]
fn a_pair_with_its_own_secret_takes_no_other() {
    let mut own = network(1, Some(2));
    let entry = own.sites.get_mut("paris").expect("paris");
    entry.link_secrets.insert(SiteName::new("london"), Secret(vec![7; 32]));
    let (london, paris) = (keys(&own, "london"), keys(&own, "paris"));
    let text = mint(london.pair(PARIS).expect("keys"), &envelope(), &claims(), &BOUND).text;
    assert!(verify(&paris, BOOT, NOW, text.as_bytes(), &BOUND).is_ok());
    let text = minted(&envelope(), &claims()).text;
    assert_eq!(verify(&paris, BOOT, NOW, text.as_bytes(), &BOUND), Err(Refused::UnknownKey(LONDON)));
}

#[test]
fn nonsense_is_no_token() {
    let text = minted(&envelope(), &claims()).text;
    let long = "A".repeat(TEXT + 1);
    for text in ["", "!", "AQ", &text[..40], &format!("{text}="), &long, &format!("Ag{}", &text[2..])] {
        assert_eq!(at_paris(NOW, text, &BOUND), Err(Refused::NotAToken), "{text}");
    }
}

proptest! {
    #[test]
    fn no_changed_byte_is_believed(at in 0usize..200, bit in 0u8..8) {
        let mut bytes = URL_SAFE_NO_PAD.decode(minted(&envelope(), &claims()).text).expect("base64url");
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(at_paris(NOW, &URL_SAFE_NO_PAD.encode(bytes), &BOUND).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..260)) {
        prop_assert!(verify(&ring("paris"), BOOT, NOW, &bytes, &BOUND).is_err());
        prop_assert!(at_paris(NOW, &URL_SAFE_NO_PAD.encode(bytes), &BOUND).is_err());
    }

    #[test]
    fn any_claims_come_back_within_the_line(
        number: u64, home: u16, forwards: u8, barred: bool, emergency: bool,
        extension in "[0-9]{1,31}", rights in "\\PC{0,60}", user in "\\PC{0,60}", display in "\\PC{0,120}",
        chain in proptest::collection::vec(any::<u16>(), 0..6),
    ) {
        let caller = HomeUser { home: SiteNumber(home), extension: Extension::new(extension) };
        let sent = Claims {
            login: Some(LoginNumber(number)),
            caller: Some(Caller::User(caller)),
            rights: Some(rights.clone()),
            chain: chain.into_iter().map(SiteNumber).collect(),
            identity: Some(Identity { user: user.clone(), display: display.clone() }),
            forwards, barred, emergency,
            ..Claims::of(Purpose::BreakOut)
        };
        let text = minted(&envelope(), &sent).text;
        prop_assert!(text.len() <= TEXT);
        let mut got = at_paris(NOW, &text, &BOUND).expect("a good token").claims;
        let identity = got.identity.take().expect("an identity");
        prop_assert!(user.starts_with(&identity.user) && display.starts_with(&identity.display));
        prop_assert!(crate::link::is_named(got.rights.as_deref().unwrap_or_default(), &rights));
        prop_assert_eq!(Claims { rights: None, ..got }, Claims { identity: None, rights: None, ..sent });
    }
}
