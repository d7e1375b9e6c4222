/** Median, 10th and 90th percentile, in columns. */
export function cells(numbers, digits) {
  return [0.5, 0.1, 0.9].map((q) => cell(quantile(numbers, q), digits)).join("");
}

export function cell(number, digits) {
  return number.toFixed(digits).padStart(10);
}

export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}
