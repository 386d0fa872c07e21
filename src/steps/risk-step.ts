import { needsRedProof } from '../core/task.ts'
import { trustedFile } from '../core/trusted-files.ts'
import type { Verdict } from '../core/verdict.ts'
import { addedHosts } from '../sandbox/network/registries/registries.ts'
import type { FileChange } from '../workspace/port.ts'
import { listFiles, showFile } from '../workspace/revisions.ts'
import type { Job } from './job.ts'

// A change that removes this much deserves a person's look, however green it is.
const MANY_REMOVED_LINES = 1000

/** One sentence why a person should look before this lands, or ''. Journaled. */
export async function riskStep(job: Job): Promise<string> {
  return job.run.step({ name: 'risk', kind: 'checkpoint', input: { commit: job.checkpoint } }, async (step) => {
    const changes = await job.workspace.changes()
    const trusted = changes.filter((it) => isTrusted(it.path)).map((it) => it.path)
    const removed = changes.reduce((sum, it) => sum + it.removed, 0)
    const hosts = await newHosts(job, changes)
    const risk = describe({ trusted, removed, hosts, config: gateFindings(job.verdict), noProof: unproved(job) })
    step.summarize(risk === '' ? 'nothing that needs a person' : risk)
    return risk
  })
}

/** Files that a program outside the sandbox would trust later: a change to one asks for a person even when the run is autonomous. */
function isTrusted(path: string): boolean {
  // What git ignores is what a person does not see, and no gate minds.
  return trustedFile(path) !== null || path.toLowerCase().endsWith('.gitignore')
}

function gateFindings(verdict: Verdict | null): string[] {
  return (
    verdict?.gates.flatMap((gate) =>
      gate.findings.filter((it) => it.rule.startsWith('reeve/gate-config')).map((it) => it.file ?? it.message),
    ) ?? []
  )
}

/** A proof that is needed and could not be made is not a failure, and not a reason to go on alone. */
function unproved(job: Job): string {
  const proof = job.verdict?.redProof
  return needsRedProof(job.task.kind) && proof?.status === 'not_run' ? proof.reason : ''
}

/** Hosts from which the changed lockfiles and settings of package managers would have others install, and the base does not. */
async function newHosts({ project, workspace, checkpoint }: Job, changes: readonly FileChange[]): Promise<string[]> {
  const paths = changes.filter((it) => it.status !== 'deleted' && !it.opaque).map((it) => it.path)
  const before = { paths: await listFiles(project, workspace.base), read: (path: string) => showFile(project, workspace.base, path) }
  const after = { paths, read: (path: string) => workspace.fileAt(path, checkpoint) }
  return (await addedHosts(before, after)).map(({ host, file }) => `${host} (${file})`)
}

interface Risks {
  trusted: readonly string[]
  hosts: readonly string[]
  config: readonly string[]
  noProof: string
  removed: number
}

function describe({ trusted, hosts, config, noProof, removed }: Risks): string {
  if (hosts.length > 0) return `It has packages installed from elsewhere: ${hosts.slice(0, 5).join(', ')}.`
  if (trusted.length > 0) return `It changes files that other programs trust: ${trusted.slice(0, 5).join(', ')}.`
  if (config.length > 0) return `It changes how the project is checked: ${config.slice(0, 5).join(', ')}.`
  if (noProof !== '') return `There is no red proof: ${noProof}`
  return removed > MANY_REMOVED_LINES ? `It removes ${removed} lines.` : ''
}
