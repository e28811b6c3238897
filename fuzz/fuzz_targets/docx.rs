#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = documents::read(domain::documents::FileKind::Docx, bytes.to_vec());
});
