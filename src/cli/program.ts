import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { nearest, ReeveError } from '../core/errors.ts'
import { type CommandSpec, FAMILIES, GROUPS, type OptionSpec, type Options } from './command-spec.ts'
import { COMMANDS } from './commands.ts'
import { EXITS } from './exits.ts'

/** What the parser found: which command, with what. `help` is text to print. */
export type Parsed =
  | {
      kind: 'command'
      spec: CommandSpec
      args: string[]
      options: Options
      json: boolean
      project: string | undefined
      foreground: boolean
    }
  | { kind: 'help'; text: string }
  | { kind: 'version' }

/** Reads a command line. Throws `invalid_input` with the nearest known word for what it does not know. */
export function parseCommandLine(argv: readonly string[]): Parsed {
  let parsed: Parsed | undefined
  let help = ''
  const program = buildProgram((found) => {
    parsed = found
  })
  configure(program, (text) => {
    help += text
  })
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.version') return { kind: 'version' }
    if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed') return { kind: 'help', text: `${help.trimEnd()}\n` }
    throw wrongUse(error, argv)
  }
  return parsed ?? { kind: 'help', text: program.helpInformation() }
}

function configure(command: Command, write: (text: string) => void): void {
  command.exitOverride()
  command.configureOutput({ writeOut: write, writeErr: () => undefined })
  for (const inner of command.commands) configure(inner, write)
}

/** The parser of all commands; `found` is told which one was called. */
export function buildProgram(found: (parsed: Parsed) => void): Command {
  const program = new Command('reeve')
    .description('Agents propose, tools decide: takes a coding task on your repository to a commit that programs have proved right.')
    .usage('<command> [options]')
    .version('', '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .allowExcessArguments(true)
    .configureHelp({
      subcommandTerm: (it) =>
        [it.name(), ...it.registeredArguments.map((arg) => notation(arg.name(), arg.required, arg.variadic))].join(' '),
    })
    .addHelpText('after', overview())
  addGlobals(program)
  for (const spec of COMMANDS) addCommand(program, spec, found)
  program.action(() => {
    const [word, ...more] = program.args
    if (word === 'help') return found({ kind: 'help', text: helpOf(program, more) })
    if (word !== undefined) throw unknownCommand(word)
    found({ kind: 'help', text: helpOf(program, []) })
  })
  return program
}

function notation(name: string, required: boolean, variadic: boolean): string {
  const word = variadic ? `${name}...` : name
  return required ? `<${word}>` : `[${word}]`
}

function addGlobals(command: Command): void {
  command.option('-C, --project <dir>', 'folder of the project (default: the current one)')
  command.option('--json', 'print JSON for programs')
  command.option('--foreground', 'work in this process, without the daemon')
}

function addCommand(program: Command, spec: CommandSpec, found: (parsed: Parsed) => void): void {
  const words = spec.name.split(' ')
  const parent = words.length === 1 ? program : groupOf(program, words[0] ?? '')
  const command = parent
    .command(words.at(-1) ?? '')
    .description(spec.summary)
    .helpOption('-h, --help', 'show help')
  command.showSuggestionAfterError(false).allowExcessArguments(false).helpGroup(GROUPS[spec.group])
  for (const it of spec.args ?? []) command.argument(it.name, it.about)
  for (const it of spec.options ?? []) command.addOption(optionOf(it))
  addGlobals(command)
  command.addHelpText('after', helpAfter(spec))
  command.action(() => {
    const { json, project, foreground, ...options } = command.optsWithGlobals<Options>()
    found({
      kind: 'command',
      spec,
      args: command.args,
      options,
      json: json === true,
      project: typeof project === 'string' ? project : undefined,
      foreground: foreground === true,
    })
  })
}

function groupOf(program: Command, name: string): Command {
  const there = program.commands.find((it) => it.name() === name)
  if (there) return there
  const inner = () => COMMANDS.filter((it) => it.name.startsWith(`${name} `)).map((it) => it.name.slice(name.length + 1))
  const family = FAMILIES[name] ?? { about: `See: reeve help ${name}`, group: 'settings' }
  const group = program.command(name).description(family.about).helpOption('-h, --help', 'show help')
  group
    .allowExcessArguments(true)
    .helpGroup(GROUPS[family.group])
    .helpCommand(false)
    .action(() => {
      const [word] = group.args
      throw new ReeveError('invalid_input', {
        problem:
          word === undefined ? `reeve ${name} needs one of: ${inner().join(', ')}.` : unknownWord(`reeve ${name} "${word}"`, word, inner()),
      })
    })
  return group
}

function optionOf(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.about)
  const single = (text: string): string | number => valueOf(spec, text)
  if (spec.choices) option.argChoices = [...spec.choices]
  if (spec.many) return option.argParser((text: string, before: (string | number)[] | undefined) => [...(before ?? []), single(text)])
  return spec.kind || spec.choices ? option.argParser(single) : option
}

function valueOf(spec: OptionSpec, text: string): string | number {
  if (spec.choices && !spec.choices.includes(text)) throw new InvalidArgumentError(`allowed: ${spec.choices.join(', ')}`)
  if (!spec.kind) return text
  const value = Number(text)
  const fits = text.trim() !== '' && (spec.kind === 'whole' ? Number.isSafeInteger(value) : Number.isFinite(value)) && value >= 0
  if (!fits) throw new InvalidArgumentError(spec.kind === 'whole' ? 'allowed: a whole number' : 'allowed: a number')
  return value
}

function helpAfter(spec: CommandSpec): string {
  const lines = spec.examples.map(([line, what]) => `  ${line}\n      ${what}`)
  const exits = spec.exits.map((it) => `  ${String(it).padEnd(4)} ${EXITS[it]}`)
  return `\nExamples:\n${lines.join('\n')}\n\nExit codes:\n${exits.join('\n')}\n`
}

/** `reeve help run` is `reeve run --help`. */
function helpOf(program: Command, words: readonly string[]): string {
  let command = program
  for (const word of words) {
    const inner = command.commands.find((it) => it.name() === word)
    if (!inner) throw unknownCommand(word)
    command = inner
  }
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return `${text.trimEnd()}\n`
}

function overview(): string {
  return `
Examples:
  reeve init
      write a commented reeve.toml for this repository
  reeve run "Add a --json flag to the export command"
      from words to a branch that the gates have accepted
  reeve show last
      what happened, and what to do next
`
}

function unknownCommand(word: string): ReeveError {
  return new ReeveError('invalid_input', {
    problem: unknownWord(
      `No command "${word}"`,
      word,
      [...new Set(COMMANDS.map((it) => it.name.split(' ')[0] ?? ''))],
      'See: reeve --help',
    ),
  })
}

function unknownWord(what: string, word: string, known: readonly string[], otherwise = `Known: ${known.join(', ')}.`): string {
  const near = nearest(word, known)
  const start = what.startsWith('No ') ? what : `No ${what.replace(/ "(.+)"$/, ' command "$1"')}`
  return `${start}. ${near === undefined ? otherwise : `Did you mean "${near}"?`}`
}

/** The parser's complaints in our words. */
function wrongUse(error: CommanderError, argv: readonly string[]): ReeveError {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const command = COMMANDS.find((it) => it.name.split(' ').every((word, at) => argv.filter((arg) => !arg.startsWith('-'))[at] === word))
  const see = command ? ` See: reeve ${command.name} --help` : ' See: reeve --help'
  switch (error.code) {
    case 'commander.unknownCommand':
      return unknownCommand(quoted)
    case 'commander.unknownOption':
      return problem(`No option "${quoted}"${command ? ` of reeve ${command.name}` : ''}.${suggestion(quoted, command) || see}`)
    case 'commander.missingArgument':
      return problem(`${command ? `reeve ${command.name}` : 'reeve'} needs <${quoted}>.${see}`)
    case 'commander.optionMissingArgument':
      return problem(`The option ${quoted} needs a value.${see}`)
    case 'commander.excessArguments':
      return problem(`Too many arguments for ${command ? `reeve ${command.name}` : 'reeve'}.${see}`)
    case 'commander.invalidArgument':
      return problem(invalidValue(error.message))
    default:
      return problem(`${error.message.replace(/^error: /, '')}.${see}`)
  }
}

function invalidValue(message: string): string {
  const found = /option '([^']+)' argument '([^']*)' is invalid\. (.*)$/s.exec(message)
  if (!found) return message.replace(/^error: /, '')
  const [, flags = '', value = '', rest = ''] = found
  return `${flags.replace(/^-\w, /, '').split(' ')[0]} is "${value}"; ${rest}`
}

function suggestion(flag: string, command: CommandSpec | undefined): string {
  const known = [
    '--project',
    '--json',
    '--foreground',
    '--help',
    ...(command?.options ?? []).map((it) => /--[a-z-]+/.exec(it.flags)?.[0] ?? ''),
  ]
  const near = nearest(flag, known)
  return near === undefined ? '' : ` Did you mean "${near}"?`
}

function problem(text: string): ReeveError {
  return new ReeveError('invalid_input', { problem: text })
}
