import type { CommandSpec } from './command-spec.ts'
import { ACCESS_COMMANDS } from './tables/access-commands.ts'
import { DAEMON_COMMANDS } from './tables/daemon-commands.ts'
import { EVENT_COMMANDS } from './tables/event-commands.ts'
import { OTHER_COMMANDS } from './tables/other-commands.ts'
import { QUEUE_COMMANDS } from './tables/queue-commands.ts'
import { RUN_COMMANDS } from './tables/run-commands.ts'
import { STATE_COMMANDS } from './tables/state-commands.ts'

/** Every command of `reeve`, in the order of its help. */
export const COMMANDS: readonly CommandSpec[] = [
  ...RUN_COMMANDS,
  ...QUEUE_COMMANDS,
  ...EVENT_COMMANDS,
  ...OTHER_COMMANDS,
  ...ACCESS_COMMANDS,
  ...DAEMON_COMMANDS,
  ...STATE_COMMANDS,
]
