/** Python's way to write a number inside a complex: shortest digits, no `.0`, exponents with a sign and two digits. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0";
  const size = Math.abs(value);
  // Python switches to exponents at 1e16 and below 1e-4, JavaScript at 1e21 and below 1e-6.
  const text = size !== 0 && (size >= 1e16 || size < 1e-4) ? value.toExponential() : String(value);
  return text.replace(/e([-+])(\d)$/, "e$10$2");
}
