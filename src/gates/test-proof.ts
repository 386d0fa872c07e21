import type { Scratch } from '../workspace/port.ts'
import type { Bench } from './bench.ts'
import { needsBuild, testCommands } from './command-kinds.ts'
import { sortCases } from './proof-cases.ts'
import { isProductionCode, sidesOf } from './proof-sides.ts'
import type { ProofInput } from './red-proof.ts'
import { variantOfBase } from './variant.ts'

/**
 * Which new tests of a task for tests pass even where there is no production code at all: they test nothing. A weak question, but one that needs
 * no judgement: behaviour that is there already cannot be taken back to be missed. Where nothing can run without the code, nothing is said.
 */
export async function testsOfNothing(input: ProofInput): Promise<string[]> {
  const { bench } = input
  const files = sidesOf(bench, input.restored).tests.map((it) => it.path)
  const found: string[] = []
  for (const command of testCommands(input.runs.map((it) => it.command))) {
    const change = input.runs.find((it) => it.command === command)?.measurement
    // A compiler tells only that nothing compiles.
    if (!change?.cases || needsBuild(command) || files.length === 0) continue
    const scratch = await variantOfBase(bench, (it) => bench.isTest(it.path))
    try {
      await removeProduction(bench, scratch)
      const proof = await bench.measure(command, scratch, 'proof', files)
      if (proof.cases === null || proof.environmental) continue
      const sorted = sortCases({ change: change.cases, proof, base: null, files: input.files, judged: new Set(files), brought: new Set() })
      found.push(...sorted.vacuous)
    } finally {
      await scratch.dispose()
    }
  }
  return found
}

async function removeProduction(bench: Bench, scratch: Scratch): Promise<void> {
  const files = (await bench.request.comparison?.filesAtBase()) ?? []
  for (const path of files.filter((it) => isProductionCode(bench, it))) await scratch.put(path, null)
}
