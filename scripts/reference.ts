/**
 * The generated pages of docs/reference: errors, exit codes, configuration, command line, events; and the routes of the client, which must not load
 * the operations. A test compares them with the files.
 * Run: node scripts/reference.ts
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandSpec, GROUPS } from '../src/cli/command-spec.ts'
import { COMMANDS } from '../src/cli/commands.ts'
import { EXITS } from '../src/cli/exits.ts'
import { settingKeys } from '../src/config/keys.ts'
import { ERRORS, type ErrorEntry } from '../src/core/errors.ts'
import { EVENT_TYPES } from '../src/core/event.ts'
import { type Route, routesOf } from '../src/http/routes.ts'

const MADE = '<!-- Made by scripts/reference.ts; change the code, not this page. -->'

/** A cell may hold what would end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}

function code(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``
}

function errorsPage(): string {
  const rows = Object.entries<ErrorEntry>(ERRORS)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, it]) => `| ${code(name)} | ${it.exit} | ${it.status} | ${cell(it.message)} | ${cell(it.hint ?? '')} |`)
  return `# Errors

${MADE}

Every error has a code, a sentence that says what was wrong and what is allowed, and often a hint. \`reeve explain <code>\` prints its entry.
On a terminal the sentence goes to standard error; with \`--json\` standard output holds \`{ "error": { "code", "message", "hint" } }\`.
\`{name}\` stands for the detail of that name.

| code | exit code | HTTP status | message | hint |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

function exitsPage(): string {
  const rows = Object.entries(EXITS).map(([exit, what]) => {
    const commands = COMMANDS.filter((it) => it.exits.includes(Number(exit) as keyof typeof EXITS)).map((it) => code(it.name))
    return `| ${exit} | ${what} | ${commands.length === COMMANDS.length ? 'all' : commands.join(', ')} |`
  })
  return `# Exit codes

${MADE}

| exit code | meaning | commands |
| --- | --- | --- |
${rows.join('\n')}

A command that works on several runs returns the worst of their codes; from best to worst: 0, 5, 1, 4, 2, 3, 130.
A run's code: succeeded 0; failed by its gates or cancelled 1; failed otherwise (error, budget, time-out, crash loop) 3; waiting 5; not ended 130.
Which error has which code: [errors](errors.md).
`
}

function configurationPage(): string {
  const rows = settingKeys().map((it) => `| ${code(it.key)} | ${cell(it.allowed)} | ${code(it.default)} | ${cell(it.note)} |`)
  return `# Configuration

${MADE}

Settings are TOML. Every key has a default, so no file is needed at all. \`reeve init\` writes a commented \`reeve.toml\`, \`reeve config show\`
prints every setting in force with its origin, \`reeve config validate\` checks them all.

## Where settings come from

Later ones win. Tables are merged key by key, lists are replaced whole.

1. the defaults below
2. the user's \`config.toml\` in \`$XDG_CONFIG_HOME/reeve\` (\`~/.config/reeve\`)
3. the files that \`reeve.toml\` names in \`extends = "path"\` or \`extends = ["a.toml", "b.toml"]\`, from the root of the project, within it
4. \`reeve.toml\` in the root of the project
5. \`reeve.<env>.toml\`, when the environment variable \`REEVE_ENV\` says \`<env>\`
6. environment variables: \`REEVE_RUNS__MAX_ATTEMPTS=5\` is \`runs.max_attempts\`; \`__\` stands for the dot, \`_\` also for \`-\` in names of providers and gates
7. flags of the command line

Files of a project (3 to 5) may raise \`sandbox.level\` and \`sandbox.minimum\`, never lower them, and may not set \`sandbox.read\` and
\`sandbox.private_hosts\`; a key of yours goes to a server that they name only after \`reeve trust\`. See [security](../security.md).

A run takes its settings when it is submitted and keeps them: from your checkout as it is, or from the commit that \`--base\` names.
No agent can change them.

## Variables

\`\${VAR}\` and \`\${VAR:-default}\` in a text are replaced by the environment variable, also where a number, \`true\` or \`false\`, or a list is wanted.
An empty variable counts as unset; an unset one without a default is an error. In command lines (\`project.setup\`, \`gates.<name>.command\`) they are
left to the shell.

## Secrets

No key holds a secret: \`api_key_env\` is the name of an environment variable. A value that looks like a key itself is refused and not printed.
The values of these variables are replaced by \`[redacted]\` in everything that reeve writes.

## Mistakes

All of them are listed at once, with file and line: \`reeve.toml:7: unknown key "runs.max_attemps"; did you mean "max_attempts"?\`

## Keys

| key | allowed | default | what it is for |
| --- | --- | --- | --- |
${rows.join('\n')}

Gates with a meaning of their own are \`build\`, \`types\`, \`lint\`, \`tests\` and \`coverage\`; any other name is a gate of yours and needs a \`command\`.

## An example

\`\`\`toml
[project]
setup = ["npm ci"]

[gates.tests]
command = "npm test"

[providers]
order = ["local", "claude"]

[providers.local]
kind = "openai-compatible"
base_url = "\${OLLAMA_URL:-http://127.0.0.1:11434}/v1"
model = "qwen3-coder:30b"

[providers.claude]
kind = "anthropic"
model = "claude-sonnet-4-5"
api_key_env = "ANTHROPIC_API_KEY"

[runs]
max_attempts = 4
\`\`\`

## Folders

| what | where | moved by |
| --- | --- | --- |
| \`config.toml\` | \`~/.config/reeve\` | \`XDG_CONFIG_HOME\` |
| store and logs | \`~/.local/state/reeve\` | \`XDG_STATE_HOME\` |
| workspaces and evidence | \`~/.local/share/reeve\` | \`XDG_DATA_HOME\` |
| what can be made again | \`~/.cache/reeve\` | \`XDG_CACHE_HOME\` |

\`REEVE_HOME\` moves all of them: \`$REEVE_HOME/{config,state,data,cache}\`.
`
}

function commandPart(spec: CommandSpec): string {
  const usage = ['reeve', spec.name, ...(spec.args ?? []).map((it) => it.name), ...(spec.options?.length ? ['[options]'] : [])].join(' ')
  const args = (spec.args ?? []).map((it) => `| ${code(it.name)} | ${cell(it.about)} |`)
  const options = (spec.options ?? []).map(
    (it) => `| ${code(it.flags)} | ${cell(it.about)}${it.choices ? `: ${it.choices.join(', ')}` : ''} |`,
  )
  const rows = [...args, ...options]
  return [
    `### reeve ${spec.name}`,
    '',
    `${spec.summary}.`,
    '',
    '```sh',
    ...(spec.examples.some(([line]) => line === usage) ? [] : [usage]),
    ...spec.examples.map(([line, what]) => `${line}   # ${what}`),
    '```',
    '',
    ...(rows.length > 0 ? ['| argument or option | |', '| --- | --- |', ...rows, ''] : []),
    `Exit codes: ${spec.exits.join(', ')}.`,
    '',
  ].join('\n')
}

function commandLinePage(): string {
  const parts = Object.entries(GROUPS).flatMap(([group, title]) => [
    `## ${title.replace(/:$/, '')}`,
    '',
    ...COMMANDS.filter((it) => it.group === group).map(commandPart),
  ])
  return `# Command line

${MADE}

Every command takes \`-C, --project <dir>\` (the folder of the project; the current one when absent), \`--json\` and \`--help\`.
\`<run>\` is the id of a run, a part of it that fits one run only, or \`last\`. What the exit codes mean: [exit codes](exit-codes.md).

With \`--json\` a command prints one JSON value. \`run\`, \`resume\`, \`retry\`, \`approve\` and \`reject\` print one event per line while they work; their last
line is the finished run, or one line for each of several, in the order of the tasks: [run as JSON](run-json.md). \`logs\` prints one event per line.
Remarks for people go to standard error.

${parts.join('\n').trimEnd()}
`
}

function eventsPage(): string {
  const rows = Object.entries(EVENT_TYPES).map(([type, fields]) => `| ${code(type)} | ${cell(fields)} |`)
  return `# Events

${MADE}

Everything that happens in a run is an event. It is written once and never changes. How to get at them, and how to be told of them:
[events and webhooks](../guides/events-and-webhooks.md).

| field | |
| --- | --- |
| \`run\` | id of the run |
| \`seq\` | number of the event in its run, from 1, without gaps |
| \`ts\` | when, in milliseconds since 1970, by the clock of the store |
| \`type\` | one of the types below |
| \`data\` | the fields of the type |
| \`position\` | in the events of all runs: its number among them; it goes up, gaps mean nothing |
| \`project\` | in the events of all runs: root of the run's project |

A field with \`?\` is not always there. New types and new fields may come with any version: pass over what you do not know.

| type | data |
| --- | --- |
${rows.join('\n')}
`
}

/** The pages by file name. */
export function referencePages(): Record<string, string> {
  return {
    'errors.md': errorsPage(),
    'exit-codes.md': exitsPage(),
    'configuration.md': configurationPage(),
    'cli.md': commandLinePage(),
    'events.md': eventsPage(),
  }
}

/** As the formatter leaves it: on one line where it fits. */
function clientRoute({ name, method, path, fields, streams, verb }: Route): string {
  const place = verb.place ?? 'daemon'
  const parts = [
    `method: '${method}'`,
    `path: '${path}'`,
    `fields: '${fields}'`,
    `streams: ${streams}`,
    `place: '${place}'`,
    `resume: ${resumeOf(verb)}`,
  ]
  const line = `  '${name}': { ${parts.join(', ')} },`
  return line.length <= 140 ? line : [`  '${name}': {`, ...parts.map((it) => `    ${it},`), '  },'].join('\n')
}

/** How a reader of a stream comes back: by the id of the last event, or by the last number of each of its runs. */
function resumeOf(verb: Route['verb']): string {
  if ('resume' in verb && verb.resume !== undefined) return "'id'"
  return 'events' in verb && 'runs' in verb.input.shape && 'after' in verb.input.shape ? "'runs'" : 'null'
}

/** `src/client/routes.ts`. */
export function clientRoutes(): string {
  return `// Made by scripts/reference.ts; change the operations, not this file.
import type { OperationName, StreamName } from './client.ts'

/** An operation over HTTP. \`{field}\` of the path is a field of its input; the others go where \`fields\` says. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  fields: 'query' | 'body'
  streams: boolean
  /** \`caller\`: the command line does it in its own process. */
  place: 'caller' | 'daemon'
  /** How a reader of a stream comes back: by the id of the last event, or by the last number of each of its runs. */
  resume: 'id' | 'runs' | null
}

/** All operations. A client knows them by this, so that it need not load what does them. */
export const ROUTES: Readonly<Record<OperationName | StreamName, Route>> = {
${routesOf().map(clientRoute).join('\n')}
}
`
}

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '../src/client/routes.ts'), clientRoutes())
  const folder = join(import.meta.dirname, '../docs/reference')
  for (const [name, text] of Object.entries(referencePages())) writeFileSync(join(folder, name), text)
}
