import { posix } from 'node:path'
import { type Settings, settingsSchema } from '../core/settings.ts'
import type { Task } from '../core/task.ts'
import type { Checkout } from '../workspace/port.ts'
import { detectCommands } from './commands/detect.ts'
import { isInTarget, surveyFiles } from './files.ts'
import { LOCKFILES } from './folder-table.ts'
import { frameworksOf, type Named } from './frameworks.ts'
import type { Language } from './language-table.ts'
import { languageOf } from './languages.ts'
import { isManifest, readManifests } from './manifests/read.ts'
import { packageManagersOf } from './package-managers.ts'
import type { RepoScan } from './port.ts'
import { testFrameworksIn, testFrameworksOf } from './test-frameworks.ts'
import { isTestFile, layoutOf } from './test-layout.ts'
import { eachText } from './texts.ts'

export interface ScanOptions {
  /** The project's settings; without them the defaults hold. */
  settings?: Pick<Settings, 'gates' | 'tests'>
  acceptance?: Task['acceptance']
}

/** Everything the files of a checkout say about it. Runs nothing of it, asks no model, and changes nothing. */
export async function scanRepository(checkout: Checkout, options: ScanOptions = {}): Promise<RepoScan> {
  const began = performance.now()
  const settings = options.settings ?? settingsSchema.parse({})
  const survey = await surveyFiles(checkout)
  const own = survey.files.filter((it) => isInTarget(checkout, it))
  const texts = await eachText(
    checkout.path,
    own.filter((it) => !LOCKFILES.has(posix.basename(it))),
    factsOf,
  )
  const describing = describingFiles(checkout, survey.files)
  const { manifests, skipped } = await readManifests(checkout, describing)
  const commands = await detectCommands(checkout, survey.files, { gates: settings.gates, acceptance: options.acceptance ?? {} })
  const testFiles = own.filter((it) => isTestFile(it, settings.tests.files) && languageOf(it)?.kind === 'code')
  const ofTarget = manifests.filter((it) => isInTarget(checkout, it.path))
  return {
    languages: languagesOf(texts.done),
    // A package of a monorepo is described by its own manifests; where it has none, by those above it.
    frameworks: frameworksOf(ofTarget.length > 0 ? ofTarget : manifests, own),
    packageManagers: packageManagersOf(manifests, describing),
    tests: {
      frameworks: testFrameworksOf(
        manifests,
        own,
        texts.done.flatMap((it) => it.testFrameworks),
      ),
      files: testFiles,
      layout: layoutOf(testFiles, texts.done.filter((it) => it.testsInside).length),
    },
    commands,
    files: own.length,
    skipped: [...survey.skipped, ...texts.skipped, ...skipped].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    durationMs: Math.round(performance.now() - began),
  }
}

// Projects within the project: what an example or a template needs is not what this project is built on.
const ASIDE = /(?:^|\/)(?:examples?|samples?|demos?|templates?|fixtures|playground|docs?)\//

/** The files whose manifests and lockfiles describe this project; all where there would be none. */
function describingFiles(checkout: Checkout, files: readonly string[]): string[] {
  const target = `${posix.normalize(checkout.targetDir)}/`
  const describing = files.filter((it) => {
    const path = it.startsWith(target) ? it.slice(target.length) : it
    return !isTestFile(path) && !ASIDE.test(path)
  })
  return describing.some((it) => isManifest(it)) ? describing : [...files]
}

/** What the text of one file says. */
interface Facts {
  language: Language | undefined
  lines: number
  testFrameworks: Named[]
  /** A Rust source that holds its own tests. */
  testsInside: boolean
}

function factsOf(path: string, text: string): Facts {
  const testFrameworks = testFrameworksIn(path, text)
  return {
    language: languageOf(path, text),
    lines: linesOf(text),
    testFrameworks,
    testsInside: !isTestFile(path) && testFrameworks.some((it) => it.name === 'cargo test'),
  }
}

function linesOf(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1
  return text === '' || text.endsWith('\n') ? count : count + 1
}

/** Languages by their lines, most first. Percent of the lines of code; of everything where there is no code. */
function languagesOf(facts: readonly Facts[]): RepoScan['languages'] {
  const known = facts.flatMap(({ language, lines }) => (language ? [{ ...language, lines }] : []))
  const code = known.filter((it) => it.kind === 'code')
  const counted = code.length > 0 ? code : known
  const total = counted.reduce((all, it) => all + it.lines, 0)
  return [...Map.groupBy(counted, (it) => it.name)]
    .map(([name, files]) => {
      const own = files.reduce((all, it) => all + it.lines, 0)
      return { name, files: files.length, lines: own, percent: total === 0 ? 0 : Math.round((own * 1000) / total) / 10 }
    })
    .toSorted((a, b) => b.lines - a.lines || b.files - a.files || (a.name < b.name ? -1 : 1))
}
