import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A repository of `count` source files in folders of a hundred, with one commit. Functions call each other across files. */
export function generateRepository(root: string, count: number): void {
  for (let folder = 0; folder * 100 < count; folder++) mkdirSync(join(root, 'src', `area-${folder}`), { recursive: true })
  for (let at = 0; at < count; at++) {
    const other = (at * 7 + 1) % count
    writeFileSync(
      join(root, place(at)),
      `import { value${other} } from '../area-${Math.floor(other / 100)}/part-${other}.js'

/** Adds the weight of part ${at} to a sum. */
export function value${at}(sum) {
  if (sum > ${at}) return sum
  return value${other}(sum + ${(at % 17) + 1})
}

export const name${at} = 'part ${at}'
`,
    )
  }
  writeFileSync(
    join(root, 'package.json'),
    '{ "name": "generated", "private": true, "type": "module", "scripts": { "test": "node --test" } }\n',
  )
  const as = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.invalid', '-c', 'gc.auto=0']
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    [...as, 'commit', '-q', '-m', 'First commit'],
  ]) {
    execFileSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  }
}

function place(at: number): string {
  return `src/area-${Math.floor(at / 100)}/part-${at}.js`
}
