//! One chart.

use std::path::Path;

use anyhow::Context;
use plotters::chart::ChartContext;
use plotters::prelude::*;

use super::axis::Axis;
use super::number;
use crate::bench::spread::{Spread, figure};

/// Figures over a few values, which stand at equal distances.
pub(super) struct Chart {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) x_name: &'static str,
    pub(super) y_name: &'static str,
    /// What stands under each value.
    pub(super) ticks: Vec<String>,
    pub(super) logarithmic: bool,
    /// Whether neighbours are joined by a line.
    pub(super) joined: bool,
    /// Whether figures are bars, one on top of the other.
    pub(super) stacked: bool,
    pub(super) lines: Vec<Line>,
}

/// The figures of one contestant: which value, and the spread there.
pub(super) struct Line {
    pub(super) name: String,
    /// Which of the colours: a contestant has the same in every plot.
    pub(super) colour: usize,
    pub(super) points: Vec<(usize, Spread)>,
}

/// Told apart by everybody, in print too; the first is the product's.
const COLOURS: [RGBColor; 8] = [
    RGBColor(213, 94, 0),
    RGBColor(120, 120, 120),
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
/// The last of them.
pub(super) const BLACK: usize = COLOURS.len() - 1;
const SIZE: (u32, u32) = (860, 460);
const FONT: &str = "sans-serif";

type Drawing<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

impl Chart {
    /// Draws it into a file of its name.
    pub(super) fn draw(&self, folder: &Path) -> anyhow::Result<()> {
        let file = folder.join(self.name).with_extension("svg");
        self.draw_into(&file).with_context(|| format!("can't draw {}", file.display()))
    }

    fn draw_into(&self, file: &Path) -> anyhow::Result<()> {
        let root = SVGBackend::new(file, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        // Text has no measured width here, so the legend has a place of its own instead of one over the figures.
        let (chart, legend) = root.split_horizontally(SIZE.0 - 230);
        let mut drawing = self.axes(&chart)?;
        if self.stacked {
            self.draw_bars(&mut drawing)?;
        } else {
            self.draw_lines(&mut drawing)?;
        }
        for (i, line) in self.lines.iter().enumerate() {
            let y = 50 + 20 * i32::try_from(i)?;
            legend.draw(&Rectangle::new([(4, y), (16, y + 12)], colour(line.colour).filled()))?;
            legend.draw(&Text::new(line.name.clone(), (22, y), (FONT, 13)))?;
        }
        root.present()?;
        Ok(())
    }

    fn axes<'a, 'b>(&self, area: &'a DrawingArea<SVGBackend<'b>, plotters::coord::Shift>) -> anyhow::Result<Drawing<'a, 'b>> {
        let values = number(self.ticks.len().max(1) as u64);
        let x = Axis { range: -0.5..values - 0.5, marks: (0..self.ticks.len()).map(|i| number(i as u64)).collect() };
        let y = self.y_axis();
        let mut drawing = ChartBuilder::on(area)
            .caption(self.title, (FONT, 17))
            .margin(10)
            .x_label_area_size(50)
            .y_label_area_size(70)
            .build_cartesian_2d(x, y)?;
        drawing
            .configure_mesh()
            .disable_x_mesh()
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .label_style((FONT, 12))
            .axis_desc_style((FONT, 13))
            .x_label_formatter(&|x| self.tick(*x))
            .y_label_formatter(&|y| self.y_label(*y))
            .draw()?;
        Ok(drawing)
    }

    /// What stands under a value.
    fn tick(&self, x: f64) -> String {
        let places = self.ticks.iter().enumerate();
        let found = places.into_iter().find(|(i, _)| (number(*i as u64) - x).abs() < 0.01);
        found.map_or_else(String::new, |(_, tick)| tick.clone())
    }

    /// From nothing to a little more than the most; or in powers of ten.
    fn y_axis(&self) -> Axis {
        let spreads = || self.lines.iter().flat_map(|line| &line.points).map(|(_, spread)| spread);
        if self.logarithmic {
            let least = spreads().map(|spread| spread.min).filter(|min| *min > 0.0).fold(f64::INFINITY, f64::min);
            let most = spreads().map(|spread| spread.max).fold(0.0, f64::max);
            let (from, to) = if most > 0.0 { (least.log10().floor(), most.log10().ceil()) } else { (0.0, 1.0) };
            let to = to.max(from + 1.0);
            let points = std::iter::successors(Some(from), |at| Some(at + 1.0)).take_while(|at| *at <= to);
            return Axis { range: from..to, marks: points.collect() };
        }
        let most = if self.stacked {
            (0..self.ticks.len()).map(|i| self.height(i)).fold(0.0, f64::max)
        } else {
            spreads().map(|spread| spread.max).fold(0.0, f64::max)
        };
        let step = step(most);
        let points = std::iter::successors(Some(0.0), |at| Some(at + step)).take_while(|at| *at <= most * 1.05);
        Axis { range: 0.0..if most > 0.0 { most * 1.05 } else { 1.0 }, marks: points.collect() }
    }

    fn y_label(&self, y: f64) -> String {
        if self.logarithmic {
            figure(10_f64.powf(y))
        } else {
            figure(y).trim_end_matches(".00").trim_end_matches(".0").to_owned()
        }
    }

    /// How high all bars at a value are.
    fn height(&self, place: usize) -> f64 {
        let points = self.lines.iter().flat_map(|line| &line.points);
        points.filter(|(i, _)| *i == place).map(|(_, spread)| spread.median).sum()
    }

    fn draw_lines(&self, drawing: &mut Drawing<'_, '_>) -> anyhow::Result<()> {
        let scaled = |value: f64| if self.logarithmic { value.max(1e-9).log10() } else { value };
        for line in &self.lines {
            let style = colour(line.colour).stroke_width(2);
            let at = |(place, spread): &(usize, Spread)| (number(*place as u64), scaled(spread.median));
            if self.joined {
                drawing.draw_series(LineSeries::new(line.points.iter().map(at), style))?;
                drawing.draw_series(line.points.iter().map(|point| {
                    let (x, y) = at(point);
                    ErrorBar::new_vertical(x, scaled(point.1.min), y, scaled(point.1.max), style, 8)
                }))?;
            } else {
                drawing.draw_series(line.points.iter().map(|point| Circle::new(at(point), 4, style)))?;
            }
        }
        Ok(())
    }

    fn draw_bars(&self, drawing: &mut Drawing<'_, '_>) -> anyhow::Result<()> {
        let mut heights = vec![0.0; self.ticks.len()];
        for line in &self.lines {
            for (place, spread) in &line.points {
                let (x, below) = (number(*place as u64), heights[*place]);
                heights[*place] += spread.median;
                let bar = Rectangle::new([(x - 0.3, below), (x + 0.3, heights[*place])], colour(line.colour).filled());
                drawing.draw_series([bar])?;
            }
        }
        Ok(())
    }
}

const fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// A round step that comes four to nine times.
fn step(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let steps = [0.2, 0.5, 1.0, 2.0].map(|part| part * power);
    steps.into_iter().find(|step| most / step <= 9.0).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_not_too_many() {
        for (most, expected) in [(0.0, 1.0), (1.0, 0.2), (26_000.0, 5000.0), (84_000.0, 10_000.0), (999.0, 200.0)] {
            assert!((step(most) - expected).abs() < 1e-9, "{most}: {}", step(most));
        }
    }
}
