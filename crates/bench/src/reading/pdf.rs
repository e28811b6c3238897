//! A PDF of any number of pages: a heading, paragraphs of Helvetica in one column, a page number below.

use std::fmt::Write;

use super::prose;

const LINES: usize = 44;

/// The file.
pub fn book(pages: usize) -> Vec<u8> {
    let mut out = Vec::from(&b"%PDF-1.4\n"[..]);
    let mut offsets = Vec::new();
    let mut object = |out: &mut Vec<u8>, body: &str| {
        offsets.push(out.len());
        let number = offsets.len();
        out.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    };
    let kids: Vec<String> = (0..pages)
        .map(|page| format!("{} 0 R", 4 + page * 2))
        .collect();
    object(&mut out, "<< /Type /Catalog /Pages 2 0 R >>");
    object(
        &mut out,
        &format!(
            "<< /Type /Pages /Count {pages} /Kids [{}] >>",
            kids.join(" ")
        ),
    );
    object(
        &mut out,
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    );
    for page in 0..pages {
        let content = content(page);
        object(
            &mut out,
            &format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
                5 + page * 2
            ),
        );
        object(
            &mut out,
            &format!(
                "<< /Length {} >>\nstream\n{content}\nendstream",
                content.len()
            ),
        );
    }
    let table = out.len();
    let mut end = format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1);
    for offset in &offsets {
        // Writing into a string never fails.
        let _ = writeln!(end, "{offset:010} 00000 n ");
    }
    let _ = write!(
        end,
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        offsets.len() + 1
    );
    out.extend_from_slice(end.as_bytes());
    out
}

fn content(page: usize) -> String {
    let mut text = format!("BT /F1 18 Tf 60 780 Td (Chapter {page}) Tj /F1 10 Tf 0 -30 Td 14 TL\n");
    let words = prose::words(page, LINES * 12);
    let words: Vec<&str> = words.split(' ').collect();
    for line in words.chunks(12) {
        let _ = writeln!(text, "({}) Tj T*", line.join(" "));
    }
    let _ = write!(text, "ET BT /F1 9 Tf 290 30 Td ({}) Tj ET", page + 1);
    text
}
