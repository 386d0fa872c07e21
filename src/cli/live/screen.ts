import { forTerminal } from '../../core/hostile-text.ts'
import type { Io } from '../io.ts'

/** Lines that are redrawn in place. `freeze` leaves them as they are, for what comes below. */
export interface Screen {
  draw(lines: readonly string[]): void
  freeze(): void
}

const ESC = '\u001b'

/** Draws on a terminal: up over what was drawn before, each line cleared to its end, the rest below erased. Writes nothing when nothing has changed. */
export function createScreen(io: Pick<Io, 'out'>): Screen {
  let height = 0
  let before = ''
  return {
    draw(lines) {
      const body = lines.map((it) => `${forTerminal(it)}${ESC}[K\n`).join('')
      if (body === before) return
      const up = height > 0 ? `${ESC}[${height}A\r` : ''
      // Hidden while it moves: it would flicker over the lines.
      io.out(`${ESC}[?25l${up}${body}${ESC}[J${ESC}[?25h`)
      height = lines.length
      before = body
    },
    freeze() {
      height = 0
      before = ''
    },
  }
}
