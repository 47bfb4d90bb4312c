//! A snapshot in a terminal: curves with their names at their ends, and the table.

use super::snapshot::{Snapshot, State, Training};
use super::text::{heading, progress, ranks, rows};
use crate::export::columns::fitting;
use crate::export::scores::digits;
use crate::terminal::visible;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::canvas::{Canvas, Context, Line as Stroke};
use ratatui::widgets::{Block, Paragraph, Row, Table};

/// Curves of a terminal's own colours, in turn.
const COLOURS: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red];

/// More curves are no picture.
const MOST_CURVES: usize = 8;

/// Lines of the least picture, and columns from which two stand side by side.
const LEAST_PICTURE: u16 = 7;
const SIDE_BY_SIDE: u16 = 100;

/// Columns for numbers beside a picture.
const NUMBERS: u16 = 8;

/// How a person looks at it.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// The first row of the table that is shown.
    pub first: usize,
    /// Without colours.
    pub plain: bool,
}

/// What is drawn of a training.
#[derive(Clone, Copy)]
enum Quantity {
    Score,
    Loss,
}

impl Quantity {
    fn of(self, training: &Training) -> &[(f64, f64)] {
        match self {
            Quantity::Score => &training.scores,
            Quantity::Loss => &training.losses,
        }
    }
}

/// Draws the snapshot over the whole frame.
pub fn draw(frame: &mut Frame, snapshot: &Snapshot, view: View) {
    let area = frame.area();
    let notes: Vec<String> = snapshot.notes.iter().take(3).map(|note| format!("note: {note}")).collect();
    let table_lines = snapshot.trainings.len() as u16 + 1;
    let rest = area.height.saturating_sub(3 + notes.len() as u16); // heading, progress, keys
    let picture = rest.saturating_sub(table_lines);
    let picture = if picture >= LEAST_PICTURE { picture } else { rest / 2 };
    let picture = if picture >= LEAST_PICTURE { picture } else { 0 };
    let parts = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(picture),
        Constraint::Min(0),
        Constraint::Length(notes.len() as u16),
        Constraint::Length(1),
    ])
    .split(area);
    let bold = if view.plain { Style::new() } else { Style::new().add_modifier(Modifier::BOLD) };
    let line = |text: String| visible(&text).into_owned();
    let state = match (snapshot.state, view.plain) {
        (_, true) => Style::new(),
        (State::Running, false) => Style::new().fg(Color::Green),
        (State::Finished, false) => bold,
        (State::Interrupted, false) => Style::new().fg(Color::Yellow),
    };
    let top = vec![Line::styled(line(heading(snapshot)), state), Line::raw(progress(snapshot))];
    frame.render_widget(Paragraph::new(top), parts[0]);
    if picture > 0 {
        pictures(frame, parts[1], snapshot, view);
    }
    table(frame, parts[2], snapshot, view, bold);
    frame.render_widget(Paragraph::new(notes.into_iter().map(|note| Line::raw(line(note))).collect::<Vec<_>>()), parts[3]);
    let keys = match usize::from(parts[2].height) < usize::from(table_lines) {
        true => "q ends; up and down move the table",
        false => "q ends",
    };
    frame.render_widget(Paragraph::new(keys), parts[4]);
}

fn pictures(frame: &mut Frame, area: Rect, snapshot: &Snapshot, view: View) {
    if area.width < SIDE_BY_SIDE {
        return picture(frame, area, snapshot, view, Quantity::Score);
    }
    let halves = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).split(area);
    picture(frame, halves[0], snapshot, view, Quantity::Score);
    picture(frame, halves[1], snapshot, view, Quantity::Loss);
}

/// The trainings that are drawn, with their places among all: those that are worked on first, where not all can be.
fn chosen(snapshot: &Snapshot) -> Vec<(usize, &Training)> {
    let mut all: Vec<_> = snapshot.trainings.iter().enumerate().filter(|(_, own)| !own.scores.is_empty()).collect();
    if all.len() > MOST_CURVES {
        all.sort_by_key(|(_, training)| !training.busy);
        all.truncate(MOST_CURVES);
        all.sort_by_key(|(index, _)| *index);
    }
    all
}

fn picture(frame: &mut Frame, area: Rect, snapshot: &Snapshot, view: View, quantity: Quantity) {
    let curves = chosen(snapshot);
    let score = snapshot.score;
    let title = match quantity {
        Quantity::Score => format!("{} on test samples", score.symbol()),
        Quantity::Loss => "training loss".to_string(),
    };
    let block = Block::bordered().title(title);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let points = || curves.iter().flat_map(|(_, training)| quantity.of(training)).filter(|point| point.1.is_finite());
    let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let high = points().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    if low > high || inside.width < NUMBERS + 12 || inside.height < 3 {
        let nothing = if low > high { "no epoch is over yet" } else { "" };
        return frame.render_widget(Paragraph::new(nothing), inside);
    }
    let [low, high] = if high - low > 1e-9 * high.abs() { [low, high] } else { [low - 0.5, high + 0.5] };
    let names = curves.iter().map(|(_, own)| own.label.chars().count() as u16).max().unwrap_or(0).min(inside.width / 3) + 1;
    let [beside, drawn] = Layout::horizontal([Constraint::Length(NUMBERS), Constraint::Min(0)]).areas(inside);
    let [drawn, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(drawn);
    let number = |value: f64| match quantity {
        Quantity::Score => digits(score, value),
        Quantity::Loss => format!("{value:.4}"),
    };
    let lines = drawn.height;
    let numbers = (0..lines).map(|line| match line {
        0 => Line::raw(number(high)),
        line if line + 1 == lines => Line::raw(number(low)),
        line if line == lines / 2 && lines > 4 => {
            Line::raw(number(high - (high - low) * f64::from(line) / f64::from(lines - 1)))
        }
        _ => Line::raw(""),
    });
    frame.render_widget(Paragraph::new(numbers.collect::<Vec<_>>()), beside);
    let columns = f64::from(drawn.width.saturating_sub(names).max(1));
    let epochs = format!("1{:>1$}", format!("epoch {last:.0}"), (columns as usize).saturating_sub(1));
    frame.render_widget(Paragraph::new(epochs), below);
    let marker = if view.plain { Marker::Dot } else { Marker::Braille };
    let right = 1.0 + (last - 1.0).max(1.0) * f64::from(drawn.width) / columns;
    let canvas = Canvas::default().marker(marker).x_bounds([1.0, right]).y_bounds([low, high]).paint(|context| {
        for &(index, training) in &curves {
            curve(context, quantity.of(training), style(index, view));
        }
        let line_height = (high - low) / f64::from(lines.max(2) - 1);
        for (index, label, x, y) in names_at_ends(&curves, quantity, low, line_height, lines) {
            let text: String = label.chars().take(usize::from(names) - 1).collect();
            let gap = (right - 1.0) / f64::from(drawn.width.max(2));
            context.print(x + gap, y, Line::from(Span::styled(text, Style::new().fg(style(index, view)))));
        }
    });
    frame.render_widget(canvas, drawn);
}

/// In colours the training's own; without, the terminal's.
fn style(index: usize, view: View) -> Color {
    if view.plain { Color::Reset } else { COLOURS[index % COLOURS.len()] }
}

fn curve(context: &mut Context, points: &[(f64, f64)], color: Color) {
    for pair in points.windows(2) {
        let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
        context.draw(&Stroke { x1, y1, x2, y2, color });
    }
    if let [(x, y)] = *points {
        context.draw(&Stroke { x1: x, y1: y, x2: x, y2: y, color });
    }
}

/// The name of every curve and where it stands: beside its last point, no two in one line where there are enough lines.
fn names_at_ends<'a>(
    curves: &[(usize, &'a Training)],
    quantity: Quantity,
    low: f64,
    line_height: f64,
    lines: u16,
) -> Vec<(usize, &'a str, f64, f64)> {
    let ends = curves.iter().filter_map(|&(index, training)| {
        let &(x, y) = quantity.of(training).last().filter(|point| point.1.is_finite())?;
        Some((index, training.label.as_str(), x, ((y - low) / line_height).round() as i64))
    });
    let mut ends: Vec<_> = ends.collect();
    ends.sort_by_key(|end| (end.3, std::cmp::Reverse(end.0)));
    let most = i64::from(lines) - 1;
    // from below each at least a line above the one before, and then down again from the top
    let mut least = 0;
    for end in &mut ends {
        end.3 = end.3.max(least);
        least = end.3 + 1;
    }
    let mut greatest = most;
    for end in ends.iter_mut().rev() {
        end.3 = end.3.min(greatest).max(0);
        greatest = end.3 - 1;
    }
    ends.into_iter().map(|(index, label, x, line)| (index, label, x, low + line as f64 * line_height)).collect()
}

fn table(frame: &mut Frame, area: Rect, snapshot: &Snapshot, view: View, bold: Style) {
    let (rows, _) = fitting(&rows(snapshot, 12), &ranks(), usize::from(area.width));
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0) as u16;
    let widths: Vec<u16> = (0..columns).map(width).collect();
    let cell = |row: &Vec<String>, column: usize| match column {
        0 => visible(&row[0]).into_owned(),
        _ => format!("{:>1$}", row[column], usize::from(widths[column])),
    };
    let cells = |row: &Vec<String>| (0..columns).map(|column| cell(row, column)).collect::<Vec<_>>();
    let shown = usize::from(area.height.saturating_sub(1));
    let first = view.first.min(snapshot.trainings.len().saturating_sub(shown));
    let body = rows.iter().skip(1).enumerate().skip(first).take(shown).map(|(index, row)| {
        let busy = if snapshot.trainings[index].busy { bold } else { Style::new() };
        Row::new(cells(row)).style(busy.fg(style(index, view)))
    });
    let head = rows.first().map(|row| Row::new(cells(row)).style(bold)).unwrap_or_default();
    let widths: Vec<Constraint> = widths.iter().map(|&width| Constraint::Length(width)).collect();
    frame.render_widget(Table::new(body, widths).column_spacing(2).header(head), area);
}
