import type { Env } from '../config/home.ts'
import { redactor } from '../core/redact.ts'
import type { Secrets } from './context.ts'

// Names that say outright that the value lets somebody in.
const SECRET_NAME = /(?:^|_)(?:API_?KEY|ACCESS_KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE)$/i

/** What is redacted: the values of telling variables, and what the settings name. Grows while the process lives. */
export function createSecrets(env: Env): Secrets {
  const known = new Set(Object.entries(env).flatMap(([name, value]) => (value !== undefined && SECRET_NAME.test(name) ? [value] : [])))
  let redact = redactor([...known])
  return {
    learn(values) {
      const before = known.size
      for (const it of values) known.add(it)
      if (known.size > before) redact = redactor([...known])
    },
    redact: (text) => redact(text),
  }
}
