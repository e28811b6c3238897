//! The archive and its XML, both of which may have been made to harm.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use domain::documents::ReadError;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesEnd, BytesStart, Event};
use zip::ZipArchive;
use zip::read::ZipFile;

/// How much the document may unpack to, in bytes: ten times the largest file. Word's XML is packed to a tenth.
const DOCUMENT_MAX: u64 = 100 * 1024 * 1024;
/// As much for each of the other parts.
const PART_MAX: u64 = 16 * 1024 * 1024;
/// The longest tag, comment or run of text, in bytes, since each is held in memory.
const TOKEN_MAX: u64 = 4 * 1024 * 1024;
/// Documents that people write stay below a hundred.
const DEPTH_MAX: usize = 1_000;

/// What is said of archives and XML that break off or break the rules.
pub(crate) fn damaged() -> ReadError {
    let why = "The Word document is damaged or incomplete. Open it in Word, save it again and upload the new file.";
    ReadError::Unreadable(why.into())
}

fn too_large() -> ReadError {
    let why = "The Word document unpacks to more than can be read. Divide it into smaller documents and upload those.";
    ReadError::Unreadable(why.into())
}

fn too_deep() -> ReadError {
    let why = "The Word document is nested too deeply to be read. Copy its text into a new document and upload that.";
    ReadError::Unreadable(why.into())
}

fn locked() -> ReadError {
    let why =
        "The Word document is protected with a password. Save it without one and upload that.";
    ReadError::Unreadable(why.into())
}

/// A ZIP archive with parts that refer to each other (ECMA-376, part 2).
pub(crate) struct Package<'b>(ZipArchive<Cursor<&'b [u8]>>);

impl<'b> Package<'b> {
    /// `None` where the archive's directory can't be read.
    pub(crate) fn open(bytes: &'b [u8]) -> Option<Self> {
        ZipArchive::new(Cursor::new(bytes)).ok().map(Self)
    }

    /// The names of the parts, with slashes whatever the archive has.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let names = self.0.file_names_raw();
        names.map(|name| String::from_utf8_lossy(name).replace('\\', "/"))
    }

    /// The name of the part that the archive is about, where that is a document of Word.
    pub(crate) fn document(&mut self) -> Result<Option<String>, ReadError> {
        // Some programs number it: `word/document2.xml`.
        let is_document = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.starts_with("word/document") && name.ends_with(".xml")
        };
        let related = self.related("")?;
        let main = related
            .into_iter()
            .find(|(kind, _)| kind == "officeDocument");
        let main = main
            .map(|(_, name)| name)
            .filter(|name| self.index(name).is_some());
        Ok(main
            .filter(|name| name.to_ascii_lowercase().starts_with("word/"))
            .or_else(|| self.names().find(|name| is_document(name))))
    }

    /// What a part refers to: the last word of the relationship's type, and the name of the other part.
    pub(crate) fn related(&mut self, part: &str) -> Result<Vec<(String, String)>, ReadError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let folder = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let mut related = Vec::new();
        let name = format!("{folder}_rels/{file}.rels");
        let Some(mut xml) = self.small_part(Some(&name))? else {
            return Ok(related);
        };
        while let Some(token) = xml.next()? {
            let Token::Open(element) = token else {
                continue;
            };
            if let (Some(kind), Some(target)) =
                (attribute(&element, "Type"), attribute(&element, "Target"))
            {
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                let target = match target.strip_prefix('/') {
                    Some(whole) => whole.to_owned(),
                    None => format!("{folder}{target}"),
                };
                related.push((kind, target));
            }
        }
        Ok(related)
    }

    /// A part that is small in every document; `None` where there is none of that name.
    pub(crate) fn small_part(
        &mut self,
        name: Option<&String>,
    ) -> Result<Option<Xml<'_, 'b>>, ReadError> {
        name.map_or(Ok(None), |name| self.xml(name, PART_MAX))
    }

    /// The document itself.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<Xml<'_, 'b>>, ReadError> {
        self.xml(name, DOCUMENT_MAX)
    }

    fn xml(&mut self, name: &str, left: u64) -> Result<Option<Xml<'_, 'b>>, ReadError> {
        let Some(index) = self.index(name) else {
            return Ok(None);
        };
        let file = self.0.by_index(index).map_err(|error| match error {
            zip::result::ZipError::UnsupportedArchive(why)
                if why == zip::result::ZipError::PASSWORD_REQUIRED =>
            {
                locked()
            }
            _ => damaged(),
        })?;
        Ok(Some(Xml::new(Metered {
            inner: BufReader::new(file),
            left,
            token: 0,
        })))
    }

    /// Names of parts are the same in any case (ECMA-376, part 2, 6.2.2.3).
    fn index(&self, wanted: &str) -> Option<usize> {
        self.names()
            .position(|name| name.eq_ignore_ascii_case(wanted))
    }
}

/// A part as it is unpacked.
type Source<'p, 'b> = Metered<BufReader<ZipFile<'p, Cursor<&'b [u8]>>>>;

/// A part's XML, token by token. It knows no entities but XML's own and reads no document type.
pub(crate) struct Xml<'p, 'b> {
    reader: Reader<Source<'p, 'b>>,
    buffer: Vec<u8>,
    depth: usize,
}

/// A piece of XML. Every element that is opened is closed.
pub(crate) enum Token<'x> {
    Open(BytesStart<'x>),
    Close(BytesEnd<'x>),
    Text(Cow<'x, str>),
    /// Comments and the like.
    Other,
}

impl<'p, 'b> Xml<'p, 'b> {
    fn new(source: Source<'p, 'b>) -> Self {
        let mut reader = Reader::from_reader(source);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The next token, until the end.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`] for what is broken, too large, or nested too deeply.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'_>>, ReadError> {
        self.buffer.clear();
        self.reader.get_mut().token = 0;
        // Broken for the parser may be what was too large for the meter, which shows in its error.
        let event = self.reader.read_event_into(&mut self.buffer);
        Ok(Some(match event.map_err(unreadable)? {
            Event::Start(element) => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(too_deep());
                }
                Token::Open(element)
            }
            Event::End(element) => {
                self.depth = self.depth.saturating_sub(1);
                Token::Close(element)
            }
            Event::Text(text) => Token::Text(text.into_inner()),
            Event::CData(text) => Token::Text(text.into_inner()),
            Event::GeneralRef(name) => {
                let char = name.resolve_char_ref().ok().flatten();
                let text = char.map(|c| Cow::Owned(c.to_string()));
                let text =
                    text.or_else(|| resolve_xml_entity(&name.into_inner()).map(Cow::Borrowed));
                text.map_or(Token::Other, Token::Text)
            }
            Event::Eof if self.depth > 0 => return Err(damaged()),
            Event::Eof => return Ok(None),
            _ => Token::Other,
        }))
    }

    /// Passes over what is left of the element that was opened last.
    pub(crate) fn skip(&mut self) -> Result<(), ReadError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside && self.next()?.is_some() {}
        Ok(())
    }
}

/// The value of an attribute, by its name without prefix.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    // To compare each name with all before it takes too long where there are a hundred thousand.
    let mut attributes = element.attributes();
    let attributes = attributes.with_checks(false);
    let found = attributes
        .flatten()
        .find(|attribute| attribute.key.local_name().into_inner() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(value.into_owned())
}

/// The value of most of Word's elements.
pub(crate) fn value(element: &BytesStart<'_>) -> Option<String> {
    attribute(element, "val")
}

fn unreadable(error: quick_xml::Error) -> ReadError {
    match error {
        quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => too_large(),
        _ => damaged(),
    }
}

/// A source that gives no more than so many bytes, in all and for a token: whatever a file says of its size,
/// what was unpacked is what counts.
struct Metered<R> {
    inner: R,
    left: u64,
    token: u64,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 || self.token > TOKEN_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.token += amount as u64;
        self.inner.consume(amount);
    }
}
