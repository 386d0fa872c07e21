import type { CommandSpec, OptionSpec } from './command-spec.ts'
import { COMMANDS } from './commands.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

const GLOBAL: readonly OptionSpec[] = [
  { flags: '-C, --project <dir>', about: 'folder of the project' },
  { flags: '--json', about: 'print JSON for programs' },
  { flags: '-h, --help', about: 'show help' },
]

/** The completion script of a shell, made from the table of commands. It starts nothing while a person types. */
export function completionScript(shell: Shell): string {
  if (shell === 'fish') return fish()
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${bash()}` : bash()
}

function firstWords(): string[] {
  return [...new Set(COMMANDS.map((it) => it.name.split(' ')[0] ?? ''))]
}

/** Commands below a command: `config` has `show` and `validate`. */
function innerWords(word: string): string[] {
  return COMMANDS.filter((it) => it.name.startsWith(`${word} `)).map((it) => it.name.slice(word.length + 1))
}

function flagsOf(option: OptionSpec): string[] {
  return option.flags.split(/,?\s+/).filter((it) => it.startsWith('-'))
}

function optionsOf(spec: CommandSpec): OptionSpec[] {
  return [...(spec.options ?? []), ...GLOBAL]
}

function takesValue(option: OptionSpec): boolean {
  return option.flags.includes('<')
}

/** Words that may stand where a command wants its first argument. */
function argumentWords(spec: CommandSpec): string[] {
  if (spec.name === 'completion') return [...SHELLS]
  return spec.args?.some((it) => /run/.test(it.name)) ? ['last'] : []
}

function bash(): string {
  const values = COMMANDS.flatMap((spec) =>
    optionsOf(spec).flatMap((it) =>
      it.choices ? flagsOf(it).map((flag) => `    "${spec.name} ${flag}") words="${it.choices?.join(' ')}" ;;`) : [],
    ),
  )
  const files = [
    ...new Set(
      COMMANDS.flatMap((spec) => optionsOf(spec))
        .filter((it) => /<(path|dir|folder)>/.test(it.flags))
        .flatMap(flagsOf),
    ),
  ]
  const commands = COMMANDS.map(
    (spec) => `    "${spec.name}") words="${[...optionsOf(spec).flatMap(flagsOf), ...argumentWords(spec)].join(' ')}" ;;`,
  )
  const groups = firstWords().filter((it) => innerWords(it).length > 0)
  return `# Completion of reeve. In ~/.bashrc: source <(reeve completion bash)
_reeve() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" words="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      -C | --project) at=$((at + 1)) ;;
      -*) ;;
      *)
        if [ -z "$command" ]; then command="\${COMP_WORDS[at]}"
        else case "$command" in ${groups.join(' | ')}) command="$command \${COMP_WORDS[at]}" ;; esac; break; fi
        ;;
    esac
  done
  case "$before" in ${files.join(' | ')}) COMPREPLY=($(compgen -f -- "$word")); return ;; esac
  case "$command $before" in
${values.join('\n')}
  esac
  if [ -z "$words" ]; then case "$command" in
    "") words="${[...firstWords(), ...GLOBAL.flatMap(flagsOf), '--version', 'help'].join(' ')}" ;;
${groups.map((it) => `    "${it}") words="${innerWords(it).join(' ')}" ;;`).join('\n')}
${commands.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _reeve reeve
`
}

function fish(): string {
  const top = firstWords().map((it) => `complete -c reeve -n __fish_use_subcommand -f -a ${it} -d ${quoted(summaryOf(it))}`)
  const inner = COMMANDS.flatMap((spec) => {
    const [word = '', second] = spec.name.split(' ')
    const seen = `'__fish_seen_subcommand_from ${word}'`
    const below = second === undefined ? [] : [`complete -c reeve -n ${seen} -f -a ${second} -d ${quoted(spec.summary)}`]
    const words = argumentWords(spec).map((it) => `complete -c reeve -n ${seen} -a ${it}`)
    return [...below, ...words, ...optionsOf(spec).map((it) => fishOption(seen, it))]
  })
  return `# Completion of reeve. In ~/.config/fish/config.fish: reeve completion fish | source\n${[...top, ...new Set(inner)].join('\n')}\n`
}

function fishOption(seen: string, option: OptionSpec): string {
  const flags = flagsOf(option).map((it) => (it.startsWith('--') ? `-l ${it.slice(2)}` : `-s ${it.slice(1)}`))
  const value = option.choices ? ` -x -a '${option.choices.join(' ')}'` : takesValue(option) ? ' -r' : ''
  return `complete -c reeve -n ${seen} ${flags.join(' ')}${value} -d ${quoted(option.about)}`
}

function summaryOf(word: string): string {
  return COMMANDS.find((it) => it.name === word)?.summary ?? 'Show or check the settings'
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
