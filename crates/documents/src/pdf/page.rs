//! What is on a page: pieces of lines and ruled lines, each at its place.

use std::collections::HashMap;
use std::rc::Rc;

use hayro_font::kurbo::{Point, Rect, Vec2};

use super::letters;
use super::tables::Frame;

/// A page with more letters is no page; the rest is left out.
const LETTERS_MAX: usize = 400_000;
/// A page with more ruled lines is a drawing.
const RULES_MAX: usize = 4_000;
/// A rectangle this thin is a line.
const LINE: f64 = 3.0;

/// A letter as it is drawn: in points from the page's top left corner, y down.
pub(super) struct Glyph<'t> {
    pub(super) text: &'t str,
    pub(super) from: Point,
    pub(super) to: Point,
    /// The direction of its line.
    pub(super) along: Vec2,
    pub(super) size: f64,
    pub(super) is_bold: bool,
}

/// A piece of a line: letters that were written one behind the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) left: f32,
    pub(super) right: f32,
    /// The line on which the letters stand.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) is_bold: bool,
    /// What stands there instead of letters.
    pub(super) frame: Option<Rc<Frame>>,
}

impl Piece {
    /// How many letters it has.
    pub(super) fn letters(&self) -> usize {
        self.text.chars().count()
    }
}

/// A straight line, upright or level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

/// A page while it is read.
pub(super) struct Sheet {
    width: f64,
    height: f64,
    /// By the direction of their lines, in quarter turns.
    sides: [Side; 4],
    rules: Vec<Rule>,
    letters: usize,
    /// Letters of which the fonts don't tell what they are.
    pub(super) unknown: usize,
}

/// What is written on a page in one direction.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) pieces: Vec<Piece>,
    pub(super) rules: Vec<Rule>,
    open: Option<Pen>,
    /// Where which text begins, in whole points: what is written twice at a place is bold, not there twice.
    begun: HashMap<(i32, i32), usize>,
}

/// The piece that is being written.
#[derive(Debug)]
struct Pen {
    piece: Piece,
    /// Where the last letter began.
    last: f32,
    has_space: bool,
    is_rtl: bool,
    /// Written from left to right although it is read from right to left.
    is_reversed: bool,
}

impl Sheet {
    pub(super) fn new((width, height): (f32, f32)) -> Self {
        Self {
            width: f64::from(width),
            height: f64::from(height),
            sides: Default::default(),
            rules: Vec::new(),
            letters: 0,
            unknown: 0,
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.letters >= LETTERS_MAX
    }

    pub(super) fn write(&mut self, glyph: &Glyph<'_>) {
        self.letters += 1;
        if glyph.text.is_empty() {
            self.unknown += 1;
        }
        let on_page = Rect::new(-9.0, -9.0, self.width + 9.0, self.height + 9.0);
        let is_sound =
            glyph.size.is_finite() && (0.5..2000.0).contains(&glyph.size) && glyph.to.is_finite();
        if !is_sound || !on_page.contains(glyph.from) {
            return;
        }
        let quarters = (glyph.along.atan2() / std::f64::consts::FRAC_PI_2).round() as i64;
        let turn = quarters.rem_euclid(4);
        let (from, to) = (self.turned(glyph.from, turn), self.turned(glyph.to, turn));
        let side = &mut self.sides[turn as usize % 4];
        side.write(glyph, from, to);
    }

    /// Where a point is if lines in this direction are to run from left to right.
    fn turned(&self, point: Point, turn: i64) -> Point {
        match turn {
            1 => Point::new(point.y, self.width - point.x),
            2 => Point::new(self.width - point.x, self.height - point.y),
            3 => Point::new(self.height - point.y, point.x),
            _ => point,
        }
    }

    /// A stroked line, or the outline of a rectangle.
    pub(super) fn stroke(&mut self, rect: Rect) {
        if rect.width() < LINE || rect.height() < LINE {
            return self.rule(rect);
        }
        self.rule(Rect {
            y1: rect.y0,
            ..rect
        });
        self.rule(Rect {
            y0: rect.y1,
            ..rect
        });
        self.rule(Rect {
            x1: rect.x0,
            ..rect
        });
        self.rule(Rect {
            x0: rect.x1,
            ..rect
        });
    }

    /// A filled rectangle: a line if it is thin, and the ground of something if not.
    pub(super) fn fill(&mut self, rect: Rect) {
        if rect.width() < LINE || rect.height() < LINE {
            self.rule(rect);
        }
    }

    fn rule(&mut self, rect: Rect) {
        if self.rules.len() < RULES_MAX
            && rect.is_finite()
            && rect.width().max(rect.height()) > LINE
        {
            self.rules.push(Rule {
                left: rect.x0 as f32,
                top: rect.y0 as f32,
                right: rect.x1 as f32,
                bottom: rect.y1 as f32,
            });
        }
    }

    /// What is on it, by the direction in which it is written.
    pub(super) fn finish(mut self) -> [Side; 4] {
        for side in &mut self.sides {
            side.lift();
            side.begun = HashMap::new();
        }
        self.sides[0].rules = self.rules;
        self.sides
    }
}

impl Side {
    fn write(&mut self, glyph: &Glyph<'_>, from: Point, to: Point) {
        let text = letters::plain(glyph.text);
        if text.trim().is_empty() {
            if let Some(pen) = &mut self.open {
                pen.has_space |= !text.is_empty();
            }
            return;
        }
        let piece = Piece {
            text,
            left: from.x.min(to.x) as f32,
            right: from.x.max(to.x) as f32,
            y: from.y as f32,
            size: glyph.size as f32,
            is_bold: glyph.is_bold,
            frame: None,
        };
        let rest = match &mut self.open {
            Some(pen) => pen.write(piece),
            None => Some(piece),
        };
        if let Some(piece) = rest {
            self.lift();
            self.open = Some(Pen::new(piece));
        }
    }

    /// Ends the piece that is being written.
    fn lift(&mut self) {
        let Some(pen) = self.open.take() else {
            return;
        };
        let mut piece = pen.piece;
        if pen.is_reversed {
            piece.text = piece.text.chars().rev().collect();
        }
        let place = (piece.left.round() as i32, piece.y.round() as i32);
        let twin = self
            .begun
            .get(&place)
            .and_then(|at| self.pieces.get_mut(*at));
        match twin.filter(|twin| twin.text == piece.text) {
            Some(twin) => twin.is_bold = true,
            None => {
                self.begun.insert(place, self.pieces.len());
                self.pieces.push(piece);
            }
        }
    }
}

impl Pen {
    fn new(piece: Piece) -> Self {
        Self {
            last: piece.left,
            has_space: false,
            is_rtl: piece.text.chars().any(letters::is_rtl),
            is_reversed: false,
            piece,
        }
    }

    /// Adds a letter, or gives it back if it belongs to another piece.
    fn write(&mut self, next: Piece) -> Option<Piece> {
        let piece = &mut self.piece;
        let size = piece.size.max(next.size);
        let is_level =
            (next.y - piece.y).abs() < 0.15 * size && (next.size - piece.size).abs() < 0.2 * size;
        if !is_level {
            return Some(next);
        }
        // Written twice, a little beside itself, to look bold.
        let is_same_place =
            (next.left - self.last).abs() < 0.12 * size && next.right - next.left > 0.15 * size;
        if is_same_place && piece.text.ends_with(&next.text) {
            return None;
        }
        let is_rtl = self.is_rtl && next.text.chars().any(letters::is_rtl);
        let (rightward, leftward) = (next.left - piece.right, piece.left - next.right);
        let is_leftward = is_rtl && leftward.abs() < rightward.abs();
        let gap = if is_leftward { leftward } else { rightward };
        if !(-0.5 * size..size).contains(&gap) {
            return Some(next);
        }
        self.is_reversed |= is_rtl && !is_leftward;
        if rightward < -0.1 * size && letters::put_accent(&mut piece.text, &next.text) {
            piece.right = piece.right.max(next.right);
            return None;
        }
        if gap > letters::space(&piece.text, &next.text) * size
            || self.has_space && gap > -0.2 * size
        {
            piece.text.push(' ');
        }
        piece.text.push_str(&next.text);
        piece.left = piece.left.min(next.left);
        piece.right = piece.right.max(next.right);
        piece.is_bold &= next.is_bold;
        self.last = next.left;
        self.has_space = false;
        None
    }
}
