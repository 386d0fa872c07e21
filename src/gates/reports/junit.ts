import { readXml, type XmlNode } from './xml.ts'

/** One `<testcase>` as it stands in a JUnit report; what its parts mean differs by tool. */
export interface JunitCase {
  /** Names of the suites around it, outermost first, without empty ones. */
  suites: string[]
  /** `file` attributes of the nearest suite or of the case. */
  file: string | null
  line: number | null
  className: string
  name: string
  status: 'passed' | 'failed' | 'skipped'
  /** What the report says about a failure; several for retries and soft assertions. */
  failures: { kind: 'failure' | 'error'; type: string; message: string; text: string }[]
  attributes: Readonly<Record<string, string>>
  skipMessage: string
  output: string
}

function numberOf(text: string | undefined): number | null {
  const value = Number(text)
  return text !== undefined && text !== '' && Number.isInteger(value) && value >= 0 ? value : null
}

function toCase(node: XmlNode, suites: readonly XmlNode[]): JunitCase {
  const { attributes } = node
  const failures = node.children
    .filter((it) => it.name === 'failure' || it.name === 'error')
    .map((it) => ({
      kind: it.name as 'failure' | 'error',
      type: it.attributes['type'] ?? '',
      message: it.attributes['message'] ?? '',
      text: it.text.trim(),
    }))
  const skip = node.children.find((it) => it.name === 'skipped')
  const file = attributes['file'] ?? suites.findLast((it) => it.attributes['file'] !== undefined)?.attributes['file'] ?? null
  const output = node.children.filter((it) => it.name === 'system-out' || it.name === 'system-err').map((it) => it.text)
  return {
    suites: suites.map((it) => it.attributes['name'] ?? '').filter((it) => it !== ''),
    file: file === '' ? null : file,
    line: numberOf(attributes['line']),
    className: attributes['classname'] ?? '',
    name: attributes['name'] ?? '',
    // A test that is marked "todo" may fail and is no failure.
    status: skip ? 'skipped' : failures.length > 0 ? 'failed' : 'passed',
    failures: skip ? [] : failures,
    attributes,
    skipMessage: skip?.attributes['message'] ?? '',
    output: output.join('\n'),
  }
}

function collect(node: XmlNode, suites: readonly XmlNode[], found: JunitCase[]): void {
  for (const child of node.children) {
    if (child.name === 'testcase') {
      found.push(toCase(child, suites))
      collect(child, suites, found)
    } else if (child.name === 'testsuite') collect(child, [...suites, child], found)
    else if (child.name === 'testsuites') collect(child, suites, found)
  }
}

/** Suites that broke outside any of their tests (a set-up that failed): the `<error>` directly below a suite. */
function brokenSuites(node: XmlNode, suites: readonly XmlNode[], found: JunitCase[]): void {
  for (const child of node.children) {
    if (child.name !== 'testsuite' && child.name !== 'testsuites') continue
    const inside = child.name === 'testsuite' ? [...suites, child] : suites
    if (child.children.some((it) => it.name === 'error' || it.name === 'failure')) found.push({ ...toCase(child, suites), className: '' })
    brokenSuites(child, inside, found)
  }
}

/** Reads JUnit XML of any tool. `problem` is null when the document is whole and is a JUnit report. */
export function readJunit(text: string): { cases: JunitCase[]; problem: string | null } {
  const { root, problem } = readXml(text)
  const cases: JunitCase[] = []
  collect(root, [], cases)
  brokenSuites(root, [], cases)
  const top = root.children[0]?.name
  const foreign = problem === null && top !== 'testsuites' && top !== 'testsuite' ? `its root is <${top ?? ''}>, not <testsuites>` : null
  return { cases, problem: problem ?? foreign }
}
