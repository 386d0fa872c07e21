import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLI_SAMPLES, type CliSample, sampleText } from './cli-samples.ts'
import { temporaryFolder } from './folder.ts'

/** What programs that are agents do to whoever starts them. All but the first play the run that went well, with something wrong in it. */
export type Nasty =
  | 'nothing'
  /** Says half and waits for ever. */
  | 'hangs'
  /** The same, and does not listen when it is asked to end. */
  | 'ignores SIGTERM'
  /** Leaves a child behind that has a session of its own. */
  | 'leaves a session leader'
  /** A character comes in two pieces. */
  | 'splits a character'
  | 'writes a line of 5 MB'
  | 'writes garbage between its lines'
  | 'ends without a line break'
  | 'leaves out its last event'
  /** Reports that it failed, with the exit code of success. */
  | 'ends with 0 after an error'
  | 'floods stderr'

/** Cursor's agent as its documentation has it; never recorded. */
const DOCUMENTED: CliSample & { text: string } = {
  file: 'cursor-agent.documented',
  cli: 'cursor-agent',
  case: 'ok',
  stream: 'stdout',
  exitCode: 0,
  signal: null,
  changed: true,
  stderr: '',
  expected: { status: 'completed', text: 'DONE: sum.mjs fixed and the test passes.', session: true, tools: 1 },
  text: [
    '{"type":"system","subtype":"init","apiKeySource":"env","cwd":"/repo","session_id":"c6b62c6f-7ead-4fd6","model":"some-model","permissionMode":"default"}',
    '{"type":"user","message":{"role":"user","content":[{"type":"text","text":"Fix sum."}]},"session_id":"c6b62c6f-7ead-4fd6"}',
    '{"type":"tool_call","subtype":"started","call_id":"t1","tool_call":{"writeToolCall":{"args":{"path":"sum.mjs","fileText":"x"}}},"session_id":"c6b62c6f-7ead-4fd6"}',
    '{"type":"tool_call","subtype":"completed","call_id":"t1","tool_call":{"writeToolCall":{"args":{"path":"sum.mjs"},"result":{"success":{"path":"sum.mjs","linesCreated":1}}}},"session_id":"c6b62c6f-7ead-4fd6"}',
    '{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"DONE: sum.mjs fixed and the test passes."}]},"session_id":"c6b62c6f-7ead-4fd6"}',
    '{"type":"result","subtype":"success","duration_ms":5234,"duration_api_ms":5234,"is_error":false,"result":"DONE: sum.mjs fixed and the test passes.","session_id":"c6b62c6f-7ead-4fd6"}',
    '',
  ].join('\n'),
}

/** One run that went well of every CLI agent there is one of. */
export const GOOD_RUNS: readonly CliSample[] = [...CLI_SAMPLES.filter((it) => it.case === 'ok'), DOCUMENTED]

function textOf(sample: CliSample): string {
  return sample === DOCUMENTED ? DOCUMENTED.text : sampleText(sample)
}

/**
 * A program that plays a recorded run: exit code, output, stderr, and the change of `sum.mjs` where there was one. What it was started with
 * lies in its home afterwards: `argv` (an argument a line), `stdin`.
 */
export function fakeCli(sample: CliSample, nasty: Nasty = 'nothing'): string {
  const folder = join(temporaryFolder(), 'bin')
  mkdirSync(folder)
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content)
    return `'${join(folder, name)}'`
  }
  const to = sample.stream === 'stderr' ? ' >&2' : ''
  const play = (name: string, content: string | Uint8Array) => `cat ${file(name, content)}${to}`
  const script = [
    '#!/bin/sh',
    // Codex is asked first whether its sandbox starts.
    '[ "$1" = sandbox ] && exit 0',
    nasty === 'ignores SIGTERM' ? "trap '' TERM" : '',
    `printf '%s\\n' "$@" > "$HOME/argv"; cat > "$HOME/stdin"`,
    ...(sample.stderr === '' ? [] : [`cat ${file('stderr', sample.stderr)} >&2`]),
    ...ACTS[nasty](textOf(sample), play),
    ...(sample.changed ? ["echo 'export const sum = (a, b) => a + b;' > sum.mjs"] : []),
    // Killed while it tried again: it goes on trying.
    sample.exitCode === null ? 'sleep 600' : `exit ${nasty === 'ends with 0 after an error' ? 0 : sample.exitCode}`,
  ]
  const program = join(folder, sample.cli)
  writeFileSync(program, `${script.join('\n')}\n`, { mode: 0o755 })
  return program
}

type Play = (name: string, content: string | Uint8Array) => string

/** Lines of a shell script that write the output of a run. */
const ACTS: Readonly<Record<Nasty, (text: string, play: Play) => string[]>> = {
  nothing: (text, play) => [play('all', text)],
  'ends with 0 after an error': (text, play) => [play('all', text)],
  hangs: (text, play) => [play('half', halfOf(text)), 'sleep 600'],
  'ignores SIGTERM': (text, play) => [play('half', halfOf(text)), 'while :; do sleep 600; done'],
  'leaves a session leader': (text, play) => [
    'setsid sh -c \'trap "" TERM HUP; sleep 600\' >/dev/null 2>&1 </dev/null &',
    play('all', text),
  ],
  'splits a character': (text, play) => inTheMiddle(text.replaceAll('DONE', 'DONÉ'), play),
  'writes a line of 5 MB': (text, play) => [play('all', `{"type":"x","data":"${'x'.repeat(5_000_000)}"}\n${text}`)],
  'writes garbage between its lines': (text, play) => [
    play(
      'all',
      text
        .split('\n')
        .flatMap((line) => [line, '\u0000\u001B[2J{"type":', '{"type":null}', '[1]'])
        .join('\n'),
    ),
  ],
  'ends without a line break': (text, play) => [play('all', text.trimEnd())],
  'leaves out its last event': (text, play) => [play('all', text.trimEnd().split('\n').slice(0, -1).join('\n'))],
  'floods stderr': (text, play) => [
    "head -c 5000000 /dev/zero | tr '\\0' 'e' >&2; echo >&2",
    'yes warning | head -n 10000 >&2',
    play('all', text),
  ],
}

function halfOf(text: string): string {
  const lines = text.split('\n')
  return lines.slice(0, Math.floor(lines.length / 2)).join('\n')
}

/** The bytes of every "É" apart. */
function inTheMiddle(text: string, play: Play): string[] {
  const bytes = Buffer.from(text)
  const cuts = [0, ...[...bytes.entries()].filter(([, it]) => it === 0x89).map(([index]) => index), bytes.length]
  return cuts.slice(1).flatMap((to, index) => [play(`part-${index}`, bytes.subarray(cuts[index], to)), 'sleep 0.05'])
}
