//! SPEC 10.5: what is dialled with a code that takes a PIN is masked in all that a site tells: right or wrong, complete or not, behind a
//! Break Out prefix too.

use crate::support::World;

/// Codes with a PIN that stands nowhere else.
const DIALLED: [(&str, &str); 6] = [
    ("*35*201*1201%23", "1201"),
    ("*35*201*98761%23", "98761"),
    ("*35*98762%23", "98762"),
    ("*35*201*98763", "98763"),
    ("*82*35*201*98764%23", "98764"),
    ("*83*35*98765%23", "98765"),
];

#[test]
fn no_pin_leaves_the_site() {
    let mut world = World::new(1);
    let phone = world.registered("205", "london");
    for (code, _) in DIALLED {
        let dialled = world.dial(phone, code);
        let _ = world.outcome(dialled);
        world.pass(2);
    }
    for site in ["london", "paris", "berlin"] {
        let told: Vec<String> = world.told(site).map(|event| format!("{event:?}")).collect();
        for (code, pin) in DIALLED {
            let leaks: Vec<_> = told.iter().filter(|line| line.contains(pin)).collect();
            assert!(leaks.is_empty(), "{site} tells of {code}: {leaks:?}");
        }
    }
    let shown = |part: &str| world.told("london").any(|event| format!("{event:?}").contains(part));
    assert!(shown("*35*201*…#") && shown("ExtnLogin 201") && shown("*82*35*…"), "what may be seen is");
    // History-Info and the like would carry it to other phones and to carriers.
    let to_others = |(_, to, _): &(&str, &str, &bytes::Bytes)| {
        !to.starts_with("205@") && !["london", "paris", "berlin"].contains(to)
    };
    for (_, to, bytes) in world.datagrams().filter(to_others) {
        let text = String::from_utf8_lossy(bytes);
        assert!(DIALLED.iter().all(|(_, pin)| !text.contains(pin)), "to {to}: {text}");
    }
    world.end();
}
