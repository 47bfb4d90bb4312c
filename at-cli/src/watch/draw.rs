//! A snapshot in a terminal: curves with their names at their ends, and the table.

use super::snapshot::{Snapshot, State, Training};
use super::text::{heading, progress, ranks, rows};
use crate::export::columns::fitting;
use crate::export::scores::{digits, headed};
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
    frame.render_widget(
        Paragraph::new(notes.into_iter().map(|note| Line::raw(line(note))).collect::<Vec<_>>()),
        parts[3],
    );
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
        Quantity::Score => headed(score, "test"),
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
    let names =
        curves.iter().map(|(_, own)| own.label.chars().count() as u16).max().unwrap_or(0).min(inside.width / 3) + 1;
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

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::training::{MethodName, Score};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn training(method: MethodName, epochs: usize) -> Training {
        let curve = |end: f64| (1..=epochs).map(|epoch| (epoch as f64, end * epoch as f64 / 10.0)).collect();
        Training {
            label: method.to_string(),
            method,
            done: (epochs, 10),
            busy: method == MethodName::InSilico,
            loss: (epochs > 0).then_some(0.25),
            test: (epochs > 0).then_some(0.9 * epochs as f64 / 10.0),
            best: None,
            misfit: (epochs == 10).then_some(0.125),
            pace: (epochs > 0).then_some(1.5),
            scores: curve(0.9),
            losses: curve(0.25),
        }
    }

    fn snapshot(trainings: Vec<Training>) -> Snapshot {
        let done = trainings.iter().map(|training| training.done.0).sum();
        Snapshot {
            title: "runs/digits-1  asyt train".to_string(),
            state: State::Running,
            silent: Some(2.0),
            unit: "epochs",
            done: (done, 10 * trainings.len()),
            left: Some(200.0),
            score: Score::Accuracy,
            trainings,
            notes: vec!["a note with \u{1b}[2J in it".to_string()],
        }
    }

    fn three() -> Snapshot {
        snapshot(vec![training(MethodName::At, 10), training(MethodName::InSilico, 4), training(MethodName::Ideal, 0)])
    }

    fn drawn(width: u16, height: u16, snapshot: &Snapshot, view: View) -> (String, bool) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, snapshot, view)).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        let coloured = buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        ((0..height).map(|y| line(y) + "\n").collect(), coloured)
    }

    #[test]
    fn a_frame_has_state_curves_with_names_table_and_keys() {
        let (text, coloured) = drawn(120, 30, &three(), View::default());
        for part in [
            "runs/digits-1  asyt train: running, last written 2 s ago",
            "14 of 30 epochs (47 %), about 3 min left",
            "test accuracy (%)",
            "training loss",
            "epoch 10",
            "10/10  90.00 %  0.2500",
            "12.5 %",
            "1.50 s",
            "note: a note with \\u{1b}[2J in it",
            "q ends",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(coloured);
        let picture: Vec<&str> = text.lines().filter(|line| line.starts_with('│')).collect();
        assert!(
            picture.iter().any(|line| line.contains("in-silico")) && picture.iter().any(|line| line.contains("at "))
        );
    }

    #[test]
    fn without_colours_there_are_none() {
        let (text, coloured) = drawn(120, 30, &three(), View { plain: true, ..View::default() });
        assert!(!coloured && text.contains("in-silico") && text.contains("q ends"), "{text}");
    }

    #[test]
    fn every_size_of_terminal_is_drawn_and_small_ones_keep_the_table() {
        let many = snapshot(vec![training(MethodName::At, 10); 40]);
        for (width, height) in [(1, 1), (2, 3), (20, 5), (40, 10), (80, 24), (99, 12), (300, 100)] {
            for snapshot in [&three(), &many, &snapshot(Vec::new())] {
                for view in [View::default(), View { first: 39, plain: true }, View { first: 1000, plain: false }] {
                    drawn(width, height, snapshot, view);
                }
            }
        }
        let (text, _) = drawn(40, 10, &three(), View::default());
        assert!(text.contains("in-silico") && text.contains("4/10") && !text.contains('│'), "{text}");
    }

    #[test]
    fn a_long_table_moves() {
        let mut trainings = vec![training(MethodName::At, 10); 40];
        trainings[39].label = "the last one".to_string();
        let many = snapshot(trainings);
        let (text, _) = drawn(80, 24, &many, View::default());
        assert!(text.contains("up and down move") && !text.contains("the last one"), "{text}");
        let (text, _) = drawn(80, 24, &many, View { first: 39, plain: false });
        assert!(text.contains("the last one"), "{text}");
    }

    #[test]
    fn names_that_end_together_stand_in_lines_of_their_own() {
        let all = vec![training(MethodName::At, 10); 4];
        let curves: Vec<(usize, &Training)> = all.iter().enumerate().collect();
        for (low, line_height, lines) in [(0.0, 0.1, 10), (0.9, 0.1, 10), (0.0, 0.1, 3)] {
            let places = names_at_ends(&curves, Quantity::Score, low, line_height, lines);
            let mut taken: Vec<i64> =
                places.iter().map(|place| ((place.3 - low) / line_height).round() as i64).collect();
            taken.dedup();
            assert_eq!(taken.len(), 4.min(usize::from(lines)), "{places:?}");
            assert!(taken.iter().all(|&line| (0..i64::from(lines)).contains(&line)), "{places:?}");
        }
    }
}
