//! Plain tables: columns as wide as their widest cell, the first ones to the left, numbers to the right.

/// Lines of `rows`, the first of which is the heading; `left` columns are aligned to the left.
pub fn align(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &'_ Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column| rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = widths.iter().enumerate().map(|(column, &width)| match column < left {
            true => format!("{:<width$}", cell(row, column)),
            false => format!("{:>width$}", cell(row, column)),
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Width of a terminal as it opens, which tables and sentences keep to.
pub const TERMINAL: usize = 80;

/// The columns of `rows` that fit into `most` characters beside each other, and the headings of those that do not. Columns of rank 0
/// stay, the others come in by their rank.
pub fn fitting(rows: &[Vec<String>], ranks: &[u8], most: usize) -> (Vec<Vec<String>>, Vec<String>) {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..ranks.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut order: Vec<usize> = (0..ranks.len()).collect();
    order.sort_by_key(|&column| ranks[column]);
    let mut taken = 0;
    let mut kept = vec![false; ranks.len()];
    for column in order {
        let more = widths[column] + if taken == 0 { 0 } else { 2 };
        if ranks[column] > 0 && taken + more > most {
            break; // a column that matters less does not take the place of one that matters more
        }
        kept[column] = true;
        taken += more;
    }
    let chosen = |row: &Vec<String>| {
        row.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(cell, _)| cell.clone()).collect::<Vec<_>>()
    };
    let left_out = rows.first().into_iter().flat_map(|head| head.iter().zip(&kept).filter(|(_, kept)| !**kept));
    (rows.iter().map(chosen).collect(), left_out.map(|(name, _)| name.clone()).collect())
}

/// Lines of a text broken between words so that none is longer than a terminal is wide; what goes on is indented by `indent`.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut all = String::new();
    for line in text.lines() {
        let mut length = 0;
        let start = line.len() - line.trim_start().len();
        all += &line[..start];
        length += start;
        for (index, word) in line.trim_start().split(' ').enumerate() {
            let own = word.chars().count();
            if index > 0 && length + 1 + own > TERMINAL {
                all.push('\n');
                all += &" ".repeat(indent);
                length = indent;
            } else if index > 0 {
                all.push(' ');
                length += 1;
            }
            all += word;
            length += own;
        }
        all.push('\n');
    }
    all
}

/// Three digits with a prefix of the unit: `1.23 ms`; `0 s`; `inf` as it is.
pub fn si(value: f64, unit: &str) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value} {unit}");
    }
    let prefixes = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];
    let place = |value: f64| ((value.abs().log10() / 3.0).floor() as i32 + 5).clamp(0, prefixes.len() as i32 - 1);
    let scaled = |place: i32| value / 1000_f64.powi(place - 5);
    let mut index = place(value);
    if scaled(index).abs() >= 999.5 && index + 1 < prefixes.len() as i32 {
        index += 1; // 999.9 m is 1.00
    }
    let scaled = scaled(index);
    let digits = if scaled.abs() < 9.995 { 2 } else { usize::from(scaled.abs() < 99.95) };
    format!("{scaled:.digits$} {}{unit}", prefixes[index as usize])
}

/// Four digits and a unit: `12.34 M`.
pub fn count(count: u64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.into_iter().find(|&(size, _)| count as f64 >= size) {
        Some((size, unit)) => format!("{:.2} {unit}", count as f64 / size),
        None => count.to_string(),
    }
}

/// A share: `12.3 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        let cases = [(0, "0"), (999, "999"), (1000, "1.00 k"), (12_345_678, "12.35 M")];
        cases.into_iter().for_each(|(number, text)| assert_eq!(count(number), text));
    }

    #[test]
    fn columns_line_up() {
        let rows = [["method", "time"], ["at", "1.00 s"], ["in-silico", "2 s"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        assert_eq!(align(&rows, 1), "method       time\nat         1.00 s\nin-silico     2 s\n");
    }

    #[test]
    fn columns_that_matter_less_are_left_out_first() {
        let rows = [["method", "test", "best", "reads"], ["in-silico", "12.0 %", "13.0 %", "1.20 M"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        let (kept, left_out) = fitting(&rows, &[0, 0, 2, 1], 30);
        assert_eq!((kept[0].join(" "), left_out.join(" ")), ("method test reads".into(), "best".into()));
        assert!(align(&kept, 1).lines().all(|line| line.chars().count() <= 30));
        assert_eq!(fitting(&rows, &[0, 0, 2, 1], 3).0[0], ["method", "test"], "what matters most stays");
        assert_eq!(fitting(&rows, &[0, 0, 2, 1], 300).1, [""; 0]);
    }

    #[test]
    fn sentences_are_no_longer_than_a_line() {
        let text = wrapped(&format!("name   {}\nshort\n", "word ".repeat(40).trim_end()), 7);
        assert!(text.lines().all(|line| line.chars().count() <= TERMINAL) && text.ends_with("\nshort\n"), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("       word"), "{text}");
    }

    #[test]
    fn numbers_have_three_digits() {
        let cases = [
            (0.0, "0 s"),
            (1.0, "1.00 s"),
            (0.999_96, "1.00 s"),
            (12.345, "12.3 s"),
            (9.999, "10.0 s"),
            (1234.5, "1.23 ks"),
            (1.5e-3, "1.50 ms"),
            (2e-10, "200 ps"),
            (f64::INFINITY, "inf s"),
        ];
        cases.into_iter().for_each(|(value, text)| assert_eq!(si(value, "s"), text));
    }
}
