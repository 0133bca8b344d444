//! What several runs of the same thing say together.

use std::fmt;

/// The middle of some figures, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// How many figures.
    pub(super) runs: usize,
    /// The smallest.
    pub(super) min: f64,
    /// A quarter are at most this.
    pub(super) lower_quartile: f64,
    /// The one in the middle.
    pub(super) median: f64,
    /// Three quarters are at most this.
    pub(super) upper_quartile: f64,
    /// The largest.
    pub(super) max: f64,
}

impl Spread {
    /// The spread of these figures; `None` if there are none.
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Self {
            runs: sorted.len(),
            min,
            lower_quartile: quantile(&sorted, 1),
            median: quantile(&sorted, 2),
            upper_quartile: quantile(&sorted, 3),
            max,
        })
    }
}

/// The quarter-quantile, between two figures in proportion.
fn quantile(sorted: &[f64], quarters: usize) -> f64 {
    let scaled = (sorted.len() - 1) * quarters;
    let (below, rest) = (scaled / 4, scaled % 4);
    let above = (below + 1).min(sorted.len() - 1);
    let share = [0.0, 0.25, 0.5, 0.75][rest];
    sorted[below] + (sorted[above] - sorted[below]) * share
}

/// `25,700 (23,300 to 27,300)`.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} to {})", figure(self.median), figure(self.min), figure(self.max))
    }
}

/// A figure for a person: with thousands parted by commas, small ones with decimals.
pub(super) fn figure(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_figures_in_proportion() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        let expected = Spread { runs: 4, min: 1.0, lower_quartile: 1.75, median: 2.5, upper_quartile: 3.25, max: 4.0 };
        assert_eq!(spread, expected);
        let spread = Spread::of([9.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.lower_quartile, spread.median, spread.upper_quartile), (1.5, 2.0, 5.5));
        let alone = Spread::of([7.0]).unwrap();
        assert_eq!((alone.min, alone.lower_quartile, alone.median, alone.max), (7.0, 7.0, 7.0, 7.0));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn figures_are_read_easily() {
        let shown: Vec<String> = [0.0, 4.217, 41.26, 999.6, 25_700.4, 1_234_567.0].into_iter().map(figure).collect();
        assert_eq!(shown, ["0.00", "4.22", "41.3", "1,000", "25,700", "1,234,567"]);
    }
}
