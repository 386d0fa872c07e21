/** A greeting for somebody. */
export function greeting(name) {
  return `Hello, ${name}!`
}
