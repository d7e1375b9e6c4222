//! The latency histogram as an SVG that can be read on light and on dark pages.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

/// Draws latencies, given in microseconds.
pub fn latency(title: &str, latencies: &Histogram<u64>) -> String {
    let shares = shares(latencies);
    let tallest = shares.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Latency histogram: {title}">
<style>
  svg {{ color: #24292f; font: 13px system-ui, sans-serif }}
  text {{ fill: currentColor }}
  .title {{ font-size: 15px; font-weight: 600 }}
  .bar {{ fill: #2f7fd1 }}
  .axis {{ stroke: currentColor; stroke-opacity: .6 }}
  .grid {{ stroke: currentColor; stroke-opacity: .15 }}
  .mark {{ stroke: #c2410c; stroke-dasharray: 4 3 }}
  @media (prefers-color-scheme: dark) {{
    svg {{ color: #d5dae0 }}
    .bar {{ fill: #6bb0f5 }}
    .mark {{ stroke: #fb923c }}
  }}
</style>
<text class="title" x="{LEFT}" y="24">{title}</text>
<text x="{LEFT}" y="44">share of deliveries by time from send to arrival</text>
"#
    );
    for (index, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (from, until) = (x(bucket_start(index)), x(bucket_start(index + 1)));
        let height = share / tallest * PLOT_HEIGHT;
        // Writing to a string does not fail.
        _ = writeln!(
            svg,
            r#"<rect class="bar" x="{from:.1}" y="{:.1}" width="{:.1}" height="{height:.1}"><title>{:.2} ms and more: {:.2} %</title></rect>"#,
            BASE - height,
            until - from - 1.0,
            bucket_start(index) / 1000.0,
            share * 100.0
        );
    }
    ticks(&mut svg);
    marks(&mut svg, latencies);
    svg.push_str("</svg>\n");
    svg
}

/// The share of each bucket. What lies outside of the axis is in the outermost ones.
fn shares(latencies: &Histogram<u64>) -> Vec<f64> {
    let mut shares = vec![0.0; BUCKETS];
    for step in latencies.iter_recorded() {
        let decades = (step.value_iterated_to() as f64).log10() - FIRST_DECADE;
        let index = (decades * BUCKETS_PER_DECADE).clamp(0.0, BUCKETS as f64 - 1.0) as usize;
        shares[index] += step.count_since_last_iteration() as f64 / latencies.len() as f64;
    }
    shares
}

fn ticks(svg: &mut String) {
    _ = writeln!(svg, r#"<path class="axis" d="M{LEFT} {BASE}H{RIGHT}"/>"#);
    for (us, label) in [(100.0, "0.1 ms"), (1e3, "1 ms"), (1e4, "10 ms"), (1e5, "100 ms"), (1e6, "1 s")] {
        let x = x(us);
        _ = writeln!(svg, r#"<path class="grid" d="M{x:.1} {TOP}V{BASE}"/>"#);
        _ = writeln!(svg, r#"<text x="{x:.1}" y="{}" text-anchor="middle">{label}</text>"#, BASE + 20.0);
    }
}

fn marks(svg: &mut String, latencies: &Histogram<u64>) {
    for (line, (name, quantile)) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)].into_iter().enumerate() {
        let us = latencies.value_at_quantile(quantile) as f64;
        let (x, y) = (x(us), TOP + 14.0 + 17.0 * line as f64);
        _ = writeln!(svg, r#"<path class="mark" d="M{x:.1} {:.1}V{BASE}"/>"#, y - 12.0);
        _ = writeln!(svg, r#"<text x="{:.1}" y="{y:.1}">{name} {:.1} ms</text>"#, x + 5.0, us / 1000.0);
    }
}

fn x(us: f64) -> f64 {
    let decades = us.max(1.0).log10().clamp(FIRST_DECADE, FIRST_DECADE + DECADES) - FIRST_DECADE;
    LEFT + decades / DECADES * (RIGHT - LEFT)
}

fn bucket_start(index: usize) -> f64 {
    10_f64.powf(FIRST_DECADE + index as f64 / BUCKETS_PER_DECADE)
}

/// From 0.1 ms to 1 s.
const FIRST_DECADE: f64 = 2.0;
const DECADES: f64 = 4.0;
const BUCKETS_PER_DECADE: f64 = 20.0;
const BUCKETS: usize = (DECADES * BUCKETS_PER_DECADE) as usize;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 30.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 60.0;
const BASE: f64 = 295.0;
const PLOT_HEIGHT: f64 = 165.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delivery_is_in_a_bar() {
        let mut latencies = Histogram::new_with_bounds(1, 60_000_000, 3).unwrap();
        for us in [1, 900, 1_100, 30_000, 5_000_000] {
            latencies.record(us).unwrap();
        }
        assert!((shares(&latencies).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let svg = latency("a run", &latencies);
        assert_eq!(svg.matches("<rect").count(), 5);
        assert!(svg.contains("p50 1.1 ms") && svg.contains("prefers-color-scheme: dark"), "{svg}");
    }

    #[test]
    fn nothing_measured_is_still_a_picture() {
        let svg = latency("nothing", &Histogram::new_with_bounds(1, 1_000, 3).unwrap());
        assert!(!svg.contains("<rect") && !svg.contains("NaN"));
    }
}
