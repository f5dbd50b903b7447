use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: Wall = Wall(1_790_000_000_000);
const REALM: &str = "hotdesk.example";
const URI: &str = "sip:london.example";

struct Site {
    auth: Authenticator,
    entropy: Entropy,
    md5: String,
    sha256: String,
}

impl Site {
    fn with(algorithms: &[DigestAlgorithm], seed: u8) -> Self {
        let auth = Auth { algorithms: algorithms.to_vec(), nonce_life: Duration::from_secs(300) };
        let ha1 = |algorithm| digest::ha1(algorithm, b"201", REALM.as_bytes(), b"secret").to_string();
        Self {
            auth: Authenticator::new(REALM, &auth, [seed; 32]),
            entropy: Entropy::new([seed; 32]),
            md5: ha1(DigestAlgorithm::Md5),
            sha256: ha1(DigestAlgorithm::Sha256),
        }
    }

    fn nonce(&mut self) -> String {
        self.auth.challenge(NOW, &mut self.entropy)
    }

    fn check(&self, now: Wall, phone: &Phone) -> Verdict {
        let (md5, sha256) = (self.md5.clone(), self.sha256.clone());
        let ha1s = Ha1s { md5: Some(&md5), sha256: Some(&sha256) };
        self.auth.check(now, b"REGISTER", &phone.given(), b"", Some(ha1s))
    }
}

/// What a phone sends.
#[derive(Clone)]
struct Phone {
    nonce: String,
    qop: Option<&'static str>,
    nc: String,
    algorithm: Option<&'static str>,
    response: String,
}

impl Phone {
    fn answers(
        nonce: &str,
        password: &str,
        count: u32,
        qop: Option<&'static str>,
        algorithm: Option<&'static str>,
    ) -> Self {
        let nc = format!("{count:08x}");
        let hash = digest::named(algorithm.unwrap_or("MD5").as_bytes()).expect("an algorithm");
        let counted = qop.map(|qop| Counted {
            qop: Qop::parse(qop.as_bytes()).expect("a qop"),
            nc: nc.as_bytes(),
            cnonce: b"c0ffee",
        });
        let statement = Statement {
            algorithm: hash,
            method: b"REGISTER",
            uri: URI.as_bytes(),
            nonce: nonce.as_bytes(),
            counted,
            entity: Entity::Body(b""),
        };
        let ha1 = digest::ha1(hash, b"201", REALM.as_bytes(), password.as_bytes());
        let response = digest::response(&statement, ha1.as_str().as_bytes()).to_string();
        Self { nonce: nonce.to_owned(), qop, nc, algorithm, response }
    }

    fn right(nonce: &str, count: u32) -> Self {
        Self::answers(nonce, "secret", count, Some("auth"), Some("MD5"))
    }

    fn given(&self) -> Given<'_> {
        Given {
            username: b"201",
            realm: REALM.as_bytes(),
            nonce: self.nonce.as_bytes(),
            uri: URI.as_bytes(),
            response: self.response.as_bytes(),
            algorithm: self.algorithm.map(str::as_bytes),
            qop: self.qop.map(str::as_bytes),
            nc: self.qop.map(|_| self.nc.as_bytes()),
            cnonce: self.qop.map(|_| b"c0ffee".as_slice()),
        }
    }
}

const GOOD: Verdict = Verdict::Good { nonce_issued: NOW };

/// The clock goes an hour ahead, and back to before the start.
#[test]
fn a_new_nonce_is_good_whatever_the_clock_has_done() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 9);
    let mut answer = |now: Wall| {
        let nonce = site.auth.challenge(now, &mut site.entropy);
        site.check(now, &Phone::answers(&nonce, "secret", 1, Some("auth"), None))
    };
    let back = |seconds: u64| Wall(NOW.0 - 1000 * seconds);
    for now in [NOW, NOW.plus(Duration::from_secs(3600)), back(10), back(59), back(61), back(7200), NOW] {
        assert!(matches!(answer(now), Verdict::Good { .. }), "{now:?}");
    }
}

#[test]
fn a_right_digest_is_good_once_for_each_count() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let nonce = site.nonce();
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 1)), GOOD);
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 1)), Verdict::Stale);
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 3)), GOOD);
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 2)), GOOD);
}

#[test]
fn a_count_that_one_shard_has_taken_no_other_takes() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let (nonce, sibling) = (site.nonce(), Site { auth: site.auth.clone(), ..Site::with(&[DigestAlgorithm::Md5], 2) });
    assert_eq!(sibling.check(NOW, &Phone::right(&nonce, 1)), GOOD);
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 1)), Verdict::Stale);
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 2)), GOOD);
    assert_eq!(sibling.auth.nonces_kept(), 1);
}

#[test]
fn a_nonce_that_ran_out_or_is_of_another_process_is_stale_and_no_failed_attempt() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let nonce = site.nonce();
    assert_eq!(site.check(NOW.plus(Duration::from_millis(300_001)), &Phone::right(&nonce, 1)), Verdict::Stale);
    assert_eq!(Site::with(&[DigestAlgorithm::Md5], 2).check(NOW, &Phone::right(&nonce, 1)), Verdict::Stale);
    let wrong = Phone::answers("nonsense", "guess", 1, Some("auth"), Some("MD5"));
    assert_eq!(site.check(NOW, &wrong), Verdict::Stale);
}

#[test]
fn wrong_digests_fill_nothing() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let nonce = site.nonce();
    for count in 1..200 {
        let wrong = Phone::answers(&nonce, "guess", count, Some("auth"), Some("MD5"));
        assert_eq!(site.check(NOW, &wrong), Verdict::Wrong);
    }
    assert_eq!(site.auth.nonces_kept(), 0);
    assert_eq!(site.check(NOW, &Phone::right(&nonce, 1)), GOOD);
    assert_eq!(site.auth.nonces_kept(), 1);
}

#[test]
fn an_unknown_user_and_one_without_that_hash_are_wrong_too() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let phone = Phone::right(&site.nonce(), 1);
    assert_eq!(site.auth.check(NOW, b"REGISTER", &phone.given(), b"", None), Verdict::Wrong);
    let other = Ha1s { md5: None, sha256: Some("00") };
    assert_eq!(site.auth.check(NOW, b"REGISTER", &phone.given(), b"", Some(other)), Verdict::Wrong);
}

#[test]
fn nobody_logs_in_with_the_hash_that_stands_for_unknown_users() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let nonce = site.nonce();
    let statement = Statement {
        algorithm: DigestAlgorithm::Md5,
        method: b"REGISTER",
        uri: URI.as_bytes(),
        nonce: nonce.as_bytes(),
        counted: None,
        entity: Entity::Body(b""),
    };
    let response = digest::response(&statement, "0".repeat(32).as_bytes()).to_string();
    let phone = Phone { response, qop: None, ..Phone::right(&nonce, 1) };
    assert_eq!(site.auth.check(NOW, b"REGISTER", &phone.given(), b"", None), Verdict::Wrong);
}

#[test]
fn every_kind_of_qop_and_algorithm_offered_is_taken() {
    let mut site = Site::with(&[DigestAlgorithm::Sha256, DigestAlgorithm::Md5], 1);
    for (qop, algorithm) in [
        (Some("auth"), Some("SHA-256")),
        (Some("auth-int"), Some("MD5")),
        (Some("auth"), None),
        (None, Some("MD5")),
        (None, None),
    ] {
        let phone = Phone::answers(&site.nonce(), "secret", 1, qop, algorithm);
        assert_eq!(site.check(NOW, &phone), GOOD, "{qop:?} {algorithm:?}");
    }
    let phone = Phone::answers(&site.nonce(), "secret", 1, None, None);
    assert_eq!((site.check(NOW, &phone), site.check(NOW, &phone)), (GOOD, Verdict::Stale));
}

#[test]
fn an_algorithm_that_is_not_offered_is_not_taken() {
    let mut site = Site::with(&[DigestAlgorithm::Sha256], 1);
    let phone = Phone::right(&site.nonce(), 1);
    assert_eq!(site.check(NOW, &phone), Verdict::Malformed(Flaw::Algorithm));
    let sess = Phone { algorithm: Some("MD5-sess"), ..phone };
    assert_eq!(site.check(NOW, &sess), Verdict::Malformed(Flaw::Algorithm));
}

#[test]
fn credentials_that_cannot_be_checked_say_why() {
    let mut site = Site::with(&[DigestAlgorithm::Md5], 1);
    let phone = Phone::right(&site.nonce(), 1);
    let right = phone.given();
    let flaw = |given: Given<'_>| site.auth.check(NOW, b"REGISTER", &given, b"", None);
    assert_eq!(flaw(Given { realm: b"elsewhere", ..right }), Verdict::OtherRealm);
    assert_eq!(flaw(Given { response: b"", ..right }), Verdict::Malformed(Flaw::Missing("response")));
    assert_eq!(flaw(Given { nc: None, ..right }), Verdict::Malformed(Flaw::Missing("nc")));
    assert_eq!(flaw(Given { cnonce: None, ..right }), Verdict::Malformed(Flaw::Missing("cnonce")));
    assert_eq!(flaw(Given { qop: Some(b"perhaps"), ..right }), Verdict::Malformed(Flaw::Qop));
    for nc in [b"+0000001".as_slice(), b"1", b"000000001", b"0000000g"] {
        assert_eq!(flaw(Given { nc: Some(nc), ..right }), Verdict::Malformed(Flaw::NonceCount));
    }
}

#[test]
fn a_home_site_checks_a_digest_whose_nonce_it_never_saw() {
    let site = Site::with(&[DigestAlgorithm::Md5], 1);
    let phone = Phone::right("a nonce of paris", 7);
    let claimed = Claimed::read(b"REGISTER", &phone.given(), Entity::Hash(b"")).expect("credentials");
    let ha1s = Ha1s { md5: Some(&site.md5), sha256: None };
    assert!(claimed.proves(Some(ha1s)) && !claimed.proves(None));
    let other = Claimed::read(b"INVITE", &phone.given(), Entity::Hash(b"")).expect("credentials");
    assert!(!other.proves(Some(ha1s)));
}

#[test]
fn challenges_stand_in_the_configured_order() {
    let site = Site::with(&[DigestAlgorithm::Sha256, DigestAlgorithm::Md5], 1);
    let values: Vec<_> = site.auth.challenge_values("N", true).collect();
    assert_eq!(
        values,
        [
            r#"Digest realm="hotdesk.example", nonce="N", algorithm=SHA-256, qop="auth", stale=true"#,
            r#"Digest realm="hotdesk.example", nonce="N", algorithm=MD5, qop="auth", stale=true"#,
        ]
    );
    assert!(!site.auth.challenge_value(DigestAlgorithm::Md5, "N", false).contains("stale"));
}

proptest! {
    #[test]
    fn no_credentials_panic(texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 8)) {
        let site = Site::with(&[DigestAlgorithm::Md5], 1);
        let [username, nonce, uri, response, algorithm, qop, nc, cnonce] = texts.each_slice();
        let given = Given {
            username, realm: REALM.as_bytes(), nonce, uri, response,
            algorithm: Some(algorithm), qop: Some(qop), nc: Some(nc), cnonce: Some(cnonce),
        };
        let verdict = site.auth.check(NOW, b"REGISTER", &given, b"", None);
        let good = matches!(verdict, Verdict::Good { .. });
        prop_assert!(!good);
    }
}

trait EachSlice {
    fn each_slice(&self) -> [&[u8]; 8];
}

impl EachSlice for Vec<Vec<u8>> {
    fn each_slice(&self) -> [&[u8]; 8] {
        std::array::from_fn(|at| self[at].as_slice())
    }
}
