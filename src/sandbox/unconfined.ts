import { programEnv } from '../process/env.ts'
import { unconfined } from '../process/unconfined.ts'
import type { Sandbox } from './port.ts'
import { profileVariables } from './profile-env.ts'

/** No sandbox at all: programs run as the user's own. For whoever said so outright, and for folders in which nothing is started. */
export const noSandbox: Sandbox = {
  report: { level: 'none', by: 'nothing', holds: [], reason: 'No sandbox was asked for.', improve: null },
  env: ({ home, run }, profile) => ({ ...programEnv({ home, run }), ...profileVariables({ install_scripts: true }, profile) }),
  confine: () => unconfined,
  close: () => Promise.resolve(),
}
