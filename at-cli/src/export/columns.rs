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
