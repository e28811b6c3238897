//! Bytes to text, whatever wrote them.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use domain::documents::{FileKind, ReadError};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// How much is looked at to guess an encoding, in pieces of this size that hold more than ASCII.
const SAMPLE: usize = 64 * 1024;
const SAMPLES: usize = 16;
/// Text that is not UTF-8 by one broken character in this many is broken UTF-8 and not another encoding.
const BROKEN: usize = 10;
/// Fewer control characters than this are accidents ...
const ACCIDENTS: usize = 4;
/// ... and so is less than one in this many characters. Random bytes have one in ten.
const CONTROL: usize = 50;

/// The text of a file that should hold nothing else, without its byte order mark. `promised` is what its name
/// says that it is.
///
/// # Errors
/// [`ReadError::Unreadable`] for what is no text.
pub(crate) fn text(promised: FileKind, bytes: Vec<u8>) -> Result<String, ReadError> {
    let text = decode(bytes);
    no_binary(promised, &text)?;
    // Stores can't keep NUL, and one of them is no reason to refuse a document.
    Ok(if text.contains('\0') {
        text.replace('\0', " ")
    } else {
        text
    })
}

/// # Errors
/// [`ReadError::Unreadable`] for what was decoded and is no text nevertheless.
pub(crate) fn no_binary(promised: FileKind, text: &str) -> Result<(), ReadError> {
    if !is_binary(text) {
        return Ok(());
    }
    let ending = promised.as_str();
    Err(ReadError::Unreadable(format!(
        "This file holds binary data that can't be read, although its name ends in .{ending}. It may be damaged: \
         open it in the program that it comes from, save it again and upload that."
    )))
}

fn decode(bytes: Vec<u8>) -> String {
    // Before UTF-16, whose mark is the beginning of this one.
    if bytes.len().is_multiple_of(4) {
        if let Some(units) = bytes.strip_prefix(b"\xFF\xFE\0\0") {
            return utf32(units, u32::from_le_bytes);
        }
        if let Some(units) = bytes.strip_prefix(b"\0\0\xFE\xFF") {
            return utf32(units, u32::from_be_bytes);
        }
    }
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return decoded(encoding, &bytes[mark..]);
    }
    if let Some(encoding) = unmarked_utf16(&bytes) {
        return decoded(encoding, &bytes);
    }
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let bytes = error.into_bytes();
            if is_broken_utf8(&bytes) {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            for sample in bytes
                .chunks(SAMPLE)
                .filter(|sample| !sample.is_ascii())
                .take(SAMPLES)
            {
                detector.feed(sample, false);
            }
            detector.feed(&[], true);
            decoded(detector.guess(None, Utf8Detection::Deny), &bytes)
        }
    }
}

fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

fn utf32(units: &[u8], unit: fn([u8; 4]) -> u32) -> String {
    units
        .as_chunks()
        .0
        .iter()
        .map(|bytes| char::from_u32(unit(*bytes)).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Western text in UTF-16 has NUL in nearly every second byte, and nearly always in the same half.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let (pairs, _) = sample.as_chunks::<2>();
    let high = pairs.iter().filter(|pair| pair[0] == 0).count();
    let low = pairs.iter().filter(|pair| pair[1] == 0).count();
    let (most, few) = (pairs.len() * 2 / 5, pairs.len() / 20);
    if low > most && high <= few {
        Some(UTF_16LE)
    } else if high > most && low <= few {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether it is UTF-8 but for a few places, as after a cut in the middle of a character.
fn is_broken_utf8(bytes: &[u8]) -> bool {
    let (mut broken, mut whole) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    broken * BROKEN <= whole
}

fn is_binary(text: &str) -> bool {
    let is_odd = |c: &char| match *c {
        // Escape colours the logs of terminals.
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}' | '\u{85}' => false,
        char::REPLACEMENT_CHARACTER => true,
        c => c.is_control(),
    };
    let odd = text.chars().filter(is_odd).count();
    odd > ACCIDENTS && odd * CONTROL > text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        text(FileKind::Txt, bytes.to_vec()).unwrap()
    }

    #[test]
    fn marks_tell_the_encoding_and_are_no_text() {
        let words = "Grüße, 漢字 🙂\r\n";
        let utf16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("\u{feff}{words}")
                .encode_utf16()
                .flat_map(unit)
                .collect()
        };
        let utf32 = |unit: fn(u32) -> [u8; 4]| -> Vec<u8> {
            format!("\u{feff}{words}")
                .chars()
                .flat_map(|c| unit(c.into()))
                .collect()
        };
        assert_eq!(read(words.as_bytes()), words);
        assert_eq!(read(format!("\u{feff}{words}").as_bytes()), words);
        assert_eq!(read(&utf16(u16::to_le_bytes)), words);
        assert_eq!(read(&utf16(u16::to_be_bytes)), words);
        assert_eq!(read(&utf32(u32::to_le_bytes)), words);
        assert_eq!(read(&utf32(u32::to_be_bytes)), words);
    }

    #[test]
    fn utf16_is_known_without_its_mark() {
        let words = "The café opens at nine.";
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = words.encode_utf16().flat_map(unit).collect();
            assert_eq!(read(&bytes), words);
        }
    }

    #[test]
    fn other_encodings_are_detected() {
        let latin = b"Wir \xf6ffnen um neun, au\xdfer montags. Gr\xfc\xdfe aus dem Caf\xe9!";
        assert_eq!(
            read(latin),
            "Wir öffnen um neun, außer montags. Grüße aus dem Café!"
        );
        let (russian, ..) =
            encoding_rs::WINDOWS_1251.encode("Мы открыты каждый день с девяти часов.");
        assert_eq!(read(&russian), "Мы открыты каждый день с девяти часов.");
        let (japanese, ..) =
            encoding_rs::SHIFT_JIS.encode("名前,年齢,住所\r\n佐藤太郎,30,東京\r\n");
        assert_eq!(read(&japanese), "名前,年齢,住所\r\n佐藤太郎,30,東京\r\n");
    }

    #[test]
    fn utf8_with_a_broken_end_stays_utf8() {
        let whole = "Grüße und Küsse über Öl, ähnlich wie süß, größer, schöner.".as_bytes();
        let cut = [whole, b" Gr\xc3"].concat();
        assert!(read(&cut).starts_with("Grüße und Küsse"));
    }

    #[test]
    fn binary_data_is_refused_and_a_stray_nul_is_not() {
        assert_eq!(
            read(b"Hello\0World, all is well."),
            "Hello World, all is well."
        );
        let noise: Vec<u8> = (0..4000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let Err(ReadError::Unreadable(why)) = text(FileKind::Csv, noise) else {
            panic!("noise was read");
        };
        assert!(
            why.contains("binary") && why.contains(".csv") && why.ends_with('.'),
            "{why}"
        );
    }
}
