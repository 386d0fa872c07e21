/** Does a path fit a glob? `*` and `?` within a name, `**` over folders, `{a,b}`; a glob without `/` fits any folder's files; a folder fits all below it. */
export function fitsGlob(path: string, glob: string): boolean {
  const anchored = glob.startsWith('/') ? glob.slice(1) : glob.includes('/') ? glob : `**/${glob}`
  const below = anchored.endsWith('/') ? `${anchored}**` : anchored
  return patternOf(below).test(path)
}

function patternOf(glob: string): RegExp {
  let text = ''
  let depth = 0
  for (let at = 0; at < glob.length; at++) {
    const it = glob[at] ?? ''
    if (glob.startsWith('**/', at)) {
      text += '(?:.*/)?'
      at += 2
    } else if (glob.startsWith('**', at)) {
      text += '.*'
      at += 1
    } else if (it === '*') text += '[^/]*'
    else if (it === '?') text += '[^/]'
    else if (it === '{') {
      text += '(?:'
      depth += 1
    } else if (it === '}' && depth > 0) {
      text += ')'
      depth -= 1
    } else if (it === ',' && depth > 0) text += '|'
    else text += it.replace(/[\\^$.+()|[\]{}]/, '\\$&')
  }
  // A folder named without a final "/" covers what is below it.
  return new RegExp(`^${text}${')'.repeat(depth)}(?:/.*)?$`, 'u')
}
