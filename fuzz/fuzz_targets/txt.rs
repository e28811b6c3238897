#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = documents::read(domain::documents::FileKind::Txt, bytes.to_vec());
});
