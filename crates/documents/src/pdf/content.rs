//! What a page's content stream writes, and where.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use encoding_rs::{UTF_8, WINDOWS_1252};
use hayro_font::kurbo::{Affine, Point, Rect, Vec2};
use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction;
use hayro_syntax::object::dict::keys::{
    ANNOTS, CONTENTS, FORM, FT, MATRIX, PARENT, RECT, RESOURCES, SUBTYPE, V,
};
use hayro_syntax::object::{self, Array, Dict, Name, Number, Object, Stream};
use hayro_syntax::page::{Page, Resources};

use super::fonts::{Face, Fonts};
use super::page::{Glyph, Sheet};
use super::streams::Budget;

/// Forms are drawn within forms to this depth.
const DEPTH_MAX: u32 = 12;
/// The states that can be saved at a time.
const STATES_MAX: usize = 256;
/// What a document's pages may do altogether, so that reading them comes to an end.
const OPERATIONS_MAX: u64 = 50_000_000;
/// To look up a form or a font counts as so many operations.
const LOOK_UP: u64 = 20;
/// Forms are kept unpacked up to so many bytes: the same letterhead is on every page.
const FORMS_KEPT: usize = 4 << 20;
/// With more pictures within the text of a page, or more that looks like the end of one, the library's search for
/// their ends takes too long.
const PICTURES_MAX: usize = 100;
const PICTURE_ENDS_MAX: usize = 1_000;

/// Reads the pages of a document.
pub(super) struct Reader<'a> {
    fonts: Fonts<'a>,
    forms: HashMap<usize, Rc<[u8]>>,
    forms_size: usize,
    budget: Budget,
    operations: u64,
}

/// What the operators of a content stream change, and `q` and `Q` save and restore.
#[derive(Clone)]
struct State<'a> {
    ctm: Affine,
    face: Option<Rc<Face<'a>>>,
    size: f64,
    char_space: f64,
    word_space: f64,
    /// How much wider than normal, 1 if not at all.
    scale: f64,
    leading: f64,
    rise: f64,
    /// Filled and stroked, the poor man's bold.
    is_thick: bool,
}

/// A content stream as it is interpreted.
struct Run<'a> {
    state: State<'a>,
    saved: Vec<State<'a>>,
    matrix: Affine,
    line_matrix: Affine,
    /// The lines and rectangles of the path so far.
    path: Vec<Rect>,
    point: Point,
    start: Point,
}

impl<'a> Reader<'a> {
    pub(super) fn new() -> Self {
        Self {
            fonts: Fonts::new(),
            forms: HashMap::new(),
            forms_size: 0,
            budget: Budget::new(),
            operations: OPERATIONS_MAX,
        }
    }

    /// Whether something was not read because there was too much.
    pub(super) const fn is_spent(&self) -> bool {
        self.budget.is_spent() || self.operations == 0
    }

    /// Puts down on the sheet what is written on a page.
    pub(super) fn read(&mut self, page: &Page<'a>, sheet: &mut Sheet) {
        let top = Affine::new(page.initial_transform(true).as_coeffs());
        let content = self.content(page.raw());
        self.interpret(&content, page.resources(), State::new(top), sheet, 0);
        let annotations = page.raw().get::<Array<'a>>(ANNOTS);
        for annotation in annotations.iter().flat_map(|all| all.iter::<Dict<'a>>()) {
            fill_in(&annotation, top, sheet);
        }
    }

    fn content(&mut self, page: &Dict<'a>) -> Vec<u8> {
        let single = page.get::<Stream<'a>>(CONTENTS);
        let several = page.get::<Array<'a>>(CONTENTS);
        let several = several.iter().flat_map(|all| all.iter::<Stream<'a>>());
        let mut content = Vec::new();
        for stream in single.into_iter().chain(several) {
            if let Some(data) = self.budget.unpack(&stream) {
                content.extend_from_slice(&data);
                content.push(b'\n');
            }
        }
        content
    }

    fn form(
        &mut self,
        form: &Stream<'a>,
        outer: &Resources<'a>,
        state: &State<'a>,
        sheet: &mut Sheet,
        depth: u32,
    ) {
        let Some(content) = self.unpacked(form) else {
            return;
        };
        let dict = form.dict();
        let own = dict.get::<Dict<'a>>(RESOURCES).map(Resources::new);
        let matrix = dict
            .get::<[f64; 6]>(MATRIX)
            .map_or(Affine::IDENTITY, Affine::new);
        let state = State {
            ctm: state.ctm * matrix,
            ..state.clone()
        };
        self.interpret(&content, own.as_ref().unwrap_or(outer), state, sheet, depth);
    }

    fn unpacked(&mut self, form: &Stream<'a>) -> Option<Rc<[u8]>> {
        let key = form.dict().data().as_ptr() as usize;
        if let Some(data) = self.forms.get(&key) {
            return Some(data.clone());
        }
        let data: Rc<[u8]> = self.budget.unpack(form)?.into();
        if self.forms_size + data.len() > FORMS_KEPT {
            self.forms.clear();
            self.forms_size = 0;
        }
        self.forms_size += data.len();
        self.forms.insert(key, data.clone());
        Some(data)
    }

    fn interpret(
        &mut self,
        content: &[u8],
        resources: &Resources<'a>,
        state: State<'a>,
        sheet: &mut Sheet,
        depth: u32,
    ) {
        let content = without_many_pictures(content);
        let mut run = Run::new(state);
        let mut operations = TypedIter::new(&content);
        while let Some(operation) = operations.next() {
            let is_look_up = matches!(
                operation,
                TypedInstruction::XObject(_) | TypedInstruction::TextFont(_)
            );
            let cost = if is_look_up { LOOK_UP } else { 1 };
            self.operations = self.operations.saturating_sub(cost);
            if self.is_spent() || sheet.is_full() {
                return;
            }
            match operation {
                TypedInstruction::XObject(named) if depth < DEPTH_MAX => {
                    let form = resources.get_x_object(named.0);
                    let form = form.filter(|form| {
                        form.dict().get::<Name<'_>>(SUBTYPE).as_deref() == Some(FORM)
                    });
                    if let Some(form) = form {
                        self.form(&form, resources, &run.state, sheet, depth + 1);
                    }
                }
                TypedInstruction::TextFont(font) => {
                    let dict = resources.get_font(font.0);
                    run.state.face = dict.and_then(|dict| self.fonts.face(&dict, &mut self.budget));
                    run.state.size = font.1.as_f64();
                }
                operation => run.apply(operation, sheet),
            }
        }
    }
}

impl<'a> State<'a> {
    const fn new(ctm: Affine) -> Self {
        Self {
            ctm,
            face: None,
            size: 1.0,
            char_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            is_thick: false,
        }
    }
}

impl<'a> Run<'a> {
    const fn new(state: State<'a>) -> Self {
        Self {
            state,
            saved: Vec::new(),
            matrix: Affine::IDENTITY,
            line_matrix: Affine::IDENTITY,
            path: Vec::new(),
            point: Point::ZERO,
            start: Point::ZERO,
        }
    }

    fn apply(&mut self, operation: TypedInstruction<'_, '_>, sheet: &mut Sheet) {
        use TypedInstruction as Do;
        match operation {
            Do::SaveState(_) if self.saved.len() < STATES_MAX => {
                self.saved.push(self.state.clone())
            }
            Do::RestoreState(_) => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            Do::Transform(m) => self.state.ctm *= affine([m.0, m.1, m.2, m.3, m.4, m.5]),
            Do::BeginText(_) => self.set_matrix(Affine::IDENTITY),
            Do::SetTextMatrix(m) => self.set_matrix(affine([m.0, m.1, m.2, m.3, m.4, m.5])),
            Do::CharacterSpacing(space) => self.state.char_space = space.0.as_f64(),
            Do::WordSpacing(space) => self.state.word_space = space.0.as_f64(),
            Do::HorizontalScaling(percent) => self.state.scale = percent.0.as_f64() / 100.0,
            Do::TextLeading(leading) => self.state.leading = leading.0.as_f64(),
            Do::TextRise(rise) => self.state.rise = rise.0.as_f64(),
            Do::TextRenderingMode(mode) => self.state.is_thick = mode.0.as_i64() == 2,
            Do::NextLine(by) => self.next_line(by.0.as_f64(), by.1.as_f64()),
            Do::NextLineAndSetLeading(by) => {
                self.state.leading = -by.1.as_f64();
                self.next_line(by.0.as_f64(), by.1.as_f64());
            }
            Do::NextLineUsingLeading(_) => self.next_line(0.0, -self.state.leading),
            Do::ShowText(shown) => self.show(shown.0.as_bytes(), sheet),
            Do::NextLineAndShowText(shown) => {
                self.next_line(0.0, -self.state.leading);
                self.show(shown.0.as_bytes(), sheet);
            }
            Do::ShowTextWithParameters(shown) => {
                self.state.word_space = shown.0.as_f64();
                self.state.char_space = shown.1.as_f64();
                self.next_line(0.0, -self.state.leading);
                self.show(shown.2.as_bytes(), sheet);
            }
            Do::ShowTexts(shown) => {
                for part in shown.0.iter::<Object<'_>>() {
                    match part {
                        Object::String(string) => self.show(string.as_bytes(), sheet),
                        Object::Number(back) => {
                            self.advance(-back.as_f64() / 1000.0 * self.state.size)
                        }
                        _ => {}
                    }
                }
            }
            operation => self.draw(operation, sheet),
        }
    }

    /// Lines and rectangles: they rule tables.
    fn draw(&mut self, operation: TypedInstruction<'_, '_>, sheet: &mut Sheet) {
        use TypedInstruction as Do;
        match operation {
            Do::MoveTo(to) => {
                self.point = Point::new(to.0.as_f64(), to.1.as_f64());
                self.start = self.point;
            }
            Do::LineTo(to) => self.line_to(Point::new(to.0.as_f64(), to.1.as_f64())),
            Do::ClosePath(_) => self.line_to(self.start),
            Do::RectPath(r) => {
                let corner = Point::new(r.0.as_f64(), r.1.as_f64());
                self.add(Rect::from_points(
                    corner,
                    corner + Vec2::new(r.2.as_f64(), r.3.as_f64()),
                ));
            }
            Do::StrokePath(_) | Do::CloseAndStrokePath(_) => {
                for rect in self.path.drain(..) {
                    sheet.stroke(self.state.ctm.transform_rect_bbox(rect));
                }
            }
            Do::FillPathNonZero(_)
            | Do::FillPathNonZeroCompatibility(_)
            | Do::FillPathEvenOdd(_)
            | Do::FillAndStrokeNonZero(_)
            | Do::FillAndStrokeEvenOdd(_)
            | Do::CloseFillAndStrokeNonZero(_)
            | Do::CloseFillAndStrokeEvenOdd(_) => {
                for rect in self.path.drain(..) {
                    sheet.fill(self.state.ctm.transform_rect_bbox(rect));
                }
            }
            Do::EndPath(_) => self.path.clear(),
            _ => {}
        }
    }

    fn line_to(&mut self, to: Point) {
        self.add(Rect::from_points(self.point, to));
        self.point = to;
    }

    fn add(&mut self, rect: Rect) {
        // A path of more pieces is a drawing.
        if self.path.len() < 1000 {
            self.path.push(rect);
        }
    }

    const fn set_matrix(&mut self, matrix: Affine) {
        self.matrix = matrix;
        self.line_matrix = matrix;
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.set_matrix(self.line_matrix * Affine::translate((x, y)));
    }

    /// Moves the pen along the line.
    fn advance(&mut self, by: f64) {
        let is_horizontal = self
            .state
            .face
            .as_ref()
            .is_none_or(|face| face.is_horizontal());
        let by = if is_horizontal {
            (by * self.state.scale, 0.0)
        } else {
            (0.0, by)
        };
        self.matrix *= Affine::translate(by);
    }

    fn show(&mut self, string: &[u8], sheet: &mut Sheet) {
        let Some(face) = self.state.face.clone() else {
            return;
        };
        for (code, length) in face.codes(string) {
            let letter = face.letter(code);
            let word_space = if code == 32 && length == 1 {
                self.state.word_space
            } else {
                0.0
            };
            let advance = letter.advance * self.state.size + self.state.char_space + word_space;
            let place = self.state.ctm * self.matrix;
            let from = place * Point::new(0.0, self.state.rise);
            self.advance(advance);
            let to = self.state.ctm * self.matrix * Point::new(0.0, self.state.rise);
            let across = place * Point::new(0.0, self.state.size) - place * Point::ZERO;
            let along = place * Point::new(self.state.size, 0.0) - place * Point::ZERO;
            sheet.write(&Glyph {
                text: &letter.text,
                from,
                to,
                along: if face.is_horizontal() { along } else { -across },
                size: across.hypot(),
                is_bold: face.is_bold || self.state.is_thick,
            });
        }
    }
}

/// Writes down what was filled into a field of a form; other annotations are remarks of readers.
fn fill_in(field: &Dict<'_>, top: Affine, sheet: &mut Sheet) -> Option<()> {
    let parent = field.get::<Dict<'_>>(PARENT).unwrap_or_default();
    let kind = field.get::<Name<'_>>(FT).or_else(|| parent.get(FT))?;
    let value = field
        .get::<object::String<'_>>(V)
        .or_else(|| parent.get(V))?;
    if !matches!(kind.as_ref(), b"Tx" | b"Ch") {
        return None;
    }
    let bytes = value.as_bytes();
    let text = match bytes {
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0xef, 0xbb, 0xbf, ..] => UTF_8.decode(bytes).0,
        _ => WINDOWS_1252.decode(bytes).0,
    };
    let [x0, y0, x1, y1] = field.get::<[f64; 4]>(RECT)?;
    let rect = top.transform_rect_bbox(Rect::new(x0, y0, x1, y1));
    let size = rect.height().clamp(4.0, 10.0);
    let from = Point::new(rect.x0, (rect.y0 + rect.y1) / 2.0 + 0.3 * size);
    sheet.write(&Glyph {
        text: &text,
        from,
        to: Point::new(rect.x1, from.y),
        along: Vec2::new(1.0, 0.0),
        size,
        is_bold: false,
    });
    Some(())
}

fn affine(numbers: [Number; 6]) -> Affine {
    Affine::new(numbers.map(|number| number.as_f64()))
}

/// A content stream, its pictures blanked if there are very many: each could make the library look for its end
/// within itself.
fn without_many_pictures(content: &[u8]) -> Cow<'_, [u8]> {
    let is_token = |at: usize| {
        let is_edge = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric());
        is_edge(at.checked_sub(1).and_then(|before| content.get(before)))
            && is_edge(content.get(at + 2))
    };
    let tokens = |what: &'static [u8; 2]| {
        let all = content.windows(2).enumerate();
        all.filter(move |(at, window)| window == what && is_token(*at))
            .map(|(at, _)| at)
    };
    if tokens(b"BI").nth(PICTURES_MAX).is_none() && tokens(b"EI").nth(PICTURE_ENDS_MAX).is_none() {
        return Cow::Borrowed(content);
    }
    let mut blanked = content.to_vec();
    let mut ends = tokens(b"EI").peekable();
    let mut from = 0;
    for start in tokens(b"BI") {
        if start < from {
            continue;
        }
        while ends.next_if(|end| *end < start).is_some() {}
        from = ends.peek().map_or(content.len(), |end| end + 2);
        blanked[start..from].fill(b' ');
    }
    Cow::Owned(blanked)
}
