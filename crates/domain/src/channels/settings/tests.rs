use super::*;

fn settings(kind: ChannelType, value: Value) -> Result<ChannelSettings> {
    ChannelSettings::read(kind, &value)
}

fn credentials(kind: ChannelType, value: Value) -> Result<ChannelCredentials> {
    ChannelCredentials::read(kind, &value)
}

fn mail() -> Value {
    json!({"from": "help@shop.example", "smtp_host": "mail.shop.example", "smtp_user": "help"})
}

/// The field that an error names, and its sentence.
fn told(error: Error) -> (String, String) {
    match error {
        Error::Missing { field } => (field.into_owned(), "missing".into()),
        Error::Invalid { field, problem } => (field.into_owned(), problem),
        other => panic!("{other}"),
    }
}

/// A pair of objects that are accepted, for each kind.
fn accepted(kind: ChannelType) -> (Value, Value) {
    let meta = |token: &str| json!({token: "EAAG", "app_secret": "0123abcd", "verify_token": "a long enough word"});
    match kind {
        ChannelType::Telegram => (json!({}), json!({"bot_token": "123456:ABC-DEF_1"})),
        ChannelType::Whatsapp => (
            json!({"phone_number_id": "106540352242922"}),
            meta("access_token"),
        ),
        ChannelType::Messenger => (
            json!({"page_id": "1067280970047460"}),
            meta("page_access_token"),
        ),
        ChannelType::Slack => (
            json!({}),
            json!({"bot_token": "xoxb-1", "signing_secret": "8f74"}),
        ),
        ChannelType::Email => (
            mail(),
            json!({"smtp_password": "pw", "hook_secret": "a long enough word"}),
        ),
        _ => (json!({}), json!({})),
    }
}

#[test]
fn every_kind_with_an_adapter_is_read_and_written_again() {
    for kind in CHANNEL_KINDS {
        let (public, secret) = accepted(kind);
        let public = settings(kind, public).unwrap();
        let secret = credentials(kind, secret).unwrap();
        assert_eq!((public.kind(), secret.kind()), (kind, kind));
        assert_eq!(settings(kind, public.to_json()).unwrap(), public);
        assert_eq!(credentials(kind, secret.expose()).unwrap(), secret);
        assert_eq!(Connection::new(public, secret).unwrap().kind(), kind);
    }
    for kind in ChannelType::ALL
        .iter()
        .filter(|kind| !CHANNEL_KINDS.contains(kind))
    {
        let (field, problem) = told(settings(*kind, json!({})).unwrap_err());
        assert_eq!(field, "type");
        assert!(problem.contains("webchat, telegram, whatsapp"), "{problem}");
    }
}

#[test]
fn every_field_that_is_required_is_missed_by_name() {
    for kind in CHANNEL_KINDS {
        let (public, secret) = accepted(kind);
        let optional = ["smtp_user", "smtp_password"];
        for name in public
            .as_object()
            .unwrap()
            .keys()
            .filter(|n| !optional.contains(&&***n))
        {
            for absent in [Value::Null, json!(" ")] {
                let mut object = public.clone();
                object[name] = absent;
                let (field, problem) = told(settings(kind, object).unwrap_err());
                assert_eq!((field, &*problem), (format!("settings.{name}"), "missing"));
            }
        }
        for name in secret
            .as_object()
            .unwrap()
            .keys()
            .filter(|n| !optional.contains(&&***n))
        {
            let mut object = secret.clone();
            object.as_object_mut().unwrap().remove(name);
            let (field, problem) = told(credentials(kind, object).unwrap_err());
            assert_eq!(
                (field, &*problem),
                (format!("credentials.{name}"), "missing")
            );
        }
    }
}

#[test]
fn unknown_fields_are_refused_and_the_known_ones_named() {
    let (field, problem) = told(settings(ChannelType::Telegram, json!({"a": 1})).unwrap_err());
    assert_eq!(field, "settings");
    assert_eq!(
        problem,
        "The 'settings' object has no field 'a'; there are none here."
    );
    let given = json!({"phone_number_id": "1", "phone": "+4930"});
    let (_, problem) = told(settings(ChannelType::Whatsapp, given).unwrap_err());
    assert!(
        problem.ends_with("accepted are: phone_number_id."),
        "{problem}"
    );
    let given = json!({"bot_token": "1:a", "s3cret": "s3cret-value"});
    let (_, problem) = told(credentials(ChannelType::Telegram, given).unwrap_err());
    assert!(!problem.contains("s3cret-value"), "{problem}");
}

#[test]
fn values_of_another_form_are_refused() {
    for (kind, name, wrong) in [
        (
            ChannelType::Whatsapp,
            "phone_number_id",
            json!("+49 30 1234"),
        ),
        (
            ChannelType::Whatsapp,
            "phone_number_id",
            json!(106540352242922_u64),
        ),
        (ChannelType::Whatsapp, "phone_number_id", json!("../me")),
        (ChannelType::Messenger, "page_id", json!("my.page")),
        (ChannelType::Email, "from", json!("nobody")),
        (
            ChannelType::Email,
            "from_name",
            json!("A\r\nBcc: b@c.example"),
        ),
        (ChannelType::Email, "from_name", json!("x".repeat(501))),
        (ChannelType::Email, "smtp_host", json!("mail.example:25")),
        (
            ChannelType::Email,
            "smtp_host",
            json!("smtp://mail.example"),
        ),
        (ChannelType::Email, "smtp_port", json!(0)),
        (ChannelType::Email, "smtp_port", json!(65536)),
        (ChannelType::Email, "smtp_port", json!("25")),
        (ChannelType::Email, "security", json!("ssl")),
    ] {
        let (mut object, _) = accepted(kind);
        object[name] = wrong.clone();
        let (field, problem) = told(settings(kind, object).unwrap_err());
        assert_eq!(field, format!("settings.{name}"), "{wrong}");
        assert!(problem.contains("must"), "{problem}");
    }
    for token in ["123456", "a:b", "1:", ":a", "1:a/b", "1:a?b", "1:a b"] {
        let given = json!({"bot_token": token});
        let (field, problem) = told(credentials(ChannelType::Telegram, given).unwrap_err());
        assert_eq!(field, "credentials.bot_token", "{token}");
        assert!(problem.contains("BotFather"), "{problem}");
    }
    let (mut short, mut broken) = (
        accepted(ChannelType::Email).1,
        accepted(ChannelType::Slack).1,
    );
    short["hook_secret"] = json!("short");
    assert!(credentials(ChannelType::Email, short).is_err());
    broken["bot_token"] = json!("xoxb\u{e9}");
    assert!(credentials(ChannelType::Slack, broken).is_err());
    assert!(settings(ChannelType::Slack, json!([])).is_err());
}

#[test]
fn mail_has_defaults_and_a_password_for_a_user() {
    let read = |object: Value| match settings(ChannelType::Email, object).unwrap() {
        ChannelSettings::Email(own) => own,
        other => panic!("{other:?}"),
    };
    for (word, security, port) in [
        (json!(null), MailSecurity::Tls, 465),
        (json!("tls"), MailSecurity::Tls, 465),
        (json!("starttls"), MailSecurity::Starttls, 587),
        (json!("none"), MailSecurity::None, 25),
    ] {
        let mut object = mail();
        object["security"] = word;
        let own = read(object);
        assert_eq!((own.security, own.smtp_port), (security, port));
    }
    let key = json!({"hook_secret": "a long enough word"});
    let without = credentials(ChannelType::Email, key).unwrap();
    let with_user = settings(ChannelType::Email, mail()).unwrap();
    let error = Connection::new(with_user, without).unwrap_err();
    assert_eq!(told(error).0, "credentials.smtp_password");
    let telegram = settings(ChannelType::Telegram, json!({})).unwrap();
    assert!(Connection::new(telegram, ChannelCredentials::Webchat).is_err());
}

#[test]
fn nothing_shows_a_secret() {
    for kind in CHANNEL_KINDS {
        let (public, secret) = accepted(kind);
        let connection = Connection::new(
            settings(kind, public).unwrap(),
            credentials(kind, secret.clone()).unwrap(),
        );
        let shown = format!("{connection:?}");
        for value in secret.as_object().unwrap().values() {
            assert!(!shown.contains(value.as_str().unwrap()), "{shown}");
        }
    }
}
