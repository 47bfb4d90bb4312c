//! Long lines, thinned to what the width of a picture shows: a run of a million epochs is no picture of a million points.

/// Columns that are told apart across a picture: its units, more than its pixels on a phone.
const COLUMNS: usize = 560;

/// The numbers of those points of a line that make its picture, in their order: of every run of points in one column the first and
/// the last, and where each of the `heights` is least and greatest. Lines of no more points than columns are kept as they are.
///
/// `places` lie anywhere between `left` and `right`.
pub fn kept(places: &[f64], (left, right): (f64, f64), heights: &[&[f64]]) -> Vec<usize> {
    if places.len() <= COLUMNS {
        return (0..places.len()).collect();
    }
    let column = |at: usize| ((places[at] - left) / (right - left) * COLUMNS as f64) as i64;
    let mut kept = Vec::new();
    let mut start = 0;
    while start < places.len() {
        let own = column(start);
        let end = (start..places.len()).find(|&at| column(at) != own).unwrap_or(places.len());
        let mut run = vec![start, end - 1];
        for height in heights {
            run.extend((start..end).min_by(|&a, &b| height[a].total_cmp(&height[b])));
            run.extend((start..end).max_by(|&a, &b| height[a].total_cmp(&height[b])));
        }
        run.sort_unstable();
        run.dedup();
        kept.append(&mut run);
        start = end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_kept_whole() {
        let places: Vec<f64> = (0..COLUMNS as u32).map(f64::from).collect();
        assert_eq!(kept(&places, (0.0, 1e9), &[&places]), (0..COLUMNS).collect::<Vec<_>>());
        assert_eq!(kept(&[], (0.0, 1.0), &[&[]]), [0; 0]);
    }

    #[test]
    fn a_long_line_keeps_its_ends_and_its_extremes_and_no_more_than_the_width_shows() {
        let count = 100_000;
        let places: Vec<f64> = (0..count).map(|k| k as f64).collect();
        let mut heights: Vec<f64> = places.iter().map(|x| (x / 500.0).sin()).collect();
        (heights[54_321], heights[54_323]) = (9.0, -9.0);
        let second: Vec<f64> = heights.iter().map(|y| -y * y).collect();
        let kept = kept(&places, (0.0, count as f64), &[&heights, &second]);
        assert!(kept.len() <= 6 * COLUMNS, "{} points", kept.len());
        assert!([0, 54_321, 54_323, count - 1].iter().all(|point| kept.contains(point)));
        assert!(kept.is_sorted());
        // whatever is left out lies within what is kept beside it
        let mut last = 0;
        for &next in &kept {
            let near = |value: f64| kept.iter().any(|&at| places[at] - places[next] < 400.0 && heights[at] >= value);
            assert!((last..next).all(|left_out| near(heights[left_out] - 1e-9)), "{last} to {next}");
            last = next;
        }
    }

    #[test]
    fn points_in_one_place_and_numbers_that_are_none_are_survived() {
        let places = vec![1.0; 2000];
        let mut heights = vec![0.5; 2000];
        heights[700] = f64::NAN;
        assert!(kept(&places, (1.0, 1.0), &[&heights]).len() <= 4);
        let back: Vec<f64> = (0..2000).map(|k| f64::from(k % 2)).collect();
        assert_eq!(kept(&back, (0.0, 1.0), &[&heights]).len(), 2000, "a line that jumps is drawn as it jumps");
    }
}
