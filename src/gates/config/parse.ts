import { parse as parseToml } from 'smol-toml'
import { parseJson } from '../../core/json.ts'
import { maskSource } from '../outline/mask.ts'

/** JSON as tools read it: comments and commas before a closing bracket are allowed. Undefined when it is no JSON at all. */
export function parseLooseJson(text: string): unknown {
  try {
    return parseJson(text, 'configuration')
  } catch {
    // Comments are blank in the masked text but so are the strings' insides; only what is blank outside of strings is taken from it.
    const masked = maskSource(text, 'js')
    let out = ''
    let inString = false
    for (let at = 0; at < text.length; at++) {
      const char = text[at] ?? ''
      if (masked[at] === '"') inString = !inString
      out += inString || masked[at] === '"' ? char : (masked[at] ?? '')
    }
    try {
      return parseJson(out.replaceAll(/,(\s*[}\]])/g, '$1'), 'configuration')
    } catch {
      return undefined
    }
  }
}

export function parseLooseToml(text: string): unknown {
  try {
    return parseToml(text)
  } catch {
    return undefined
  }
}

/** INI as Python's tools read it: sections, `key = value`, values that go on over indented lines. */
export function parseIni(text: string): Record<string, Record<string, string | string[]>> {
  const sections: Record<string, Record<string, string | string[]>> = {}
  let section: Record<string, string | string[]> = {}
  let key = ''
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line) || line.trim() === '') continue
    const head = /^\[([^\]]+)\]/.exec(line)
    if (head) {
      section = {}
      sections[head[1] ?? ''] = section
      key = ''
      continue
    }
    const more = /^\s+(.*)$/.exec(line)
    if (more && key !== '') {
      const known = section[key] ?? []
      section[key] = [...(Array.isArray(known) ? known : [known]).filter(Boolean), (more[1] ?? '').trim().replace(/\s+[#;].*$/, '')]
      continue
    }
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line)
    key = pair?.[1]?.trim() ?? ''
    if (key !== '') section[key] = (pair?.[2] ?? '').trim()
  }
  return sections
}
