/** Price in cents with tax, in whole cents. */
export function withTax(cents, rate) {
  return Math.floor(cents * (1 + rate))
}

/** Sum of a receipt in cents. */
export function total(items) {
  return items.reduce((sum, { cents, rate }) => sum + withTax(cents, rate), 0)
}
