import { detectCommands } from '../scanner/commands/detect.ts'
import { listProjectFiles } from '../scanner/files.ts'
import { isTestFile } from '../scanner/test-layout.ts'
import type { Detect } from './bench.ts'
import { createJudge } from './judge.ts'
import { measure } from './measure.ts'
import type { Judge } from './port.ts'
import { toolVersions } from './tool-versions.ts'

/** Detection by the checkout's own files. */
export const detect: Detect = async (checkout, { settings, acceptance }) =>
  detectCommands(checkout, await listProjectFiles(checkout), { gates: settings.gates, acceptance })

/** The judge as the product uses it: real detection, real programs. */
export const judge: Judge = createJudge({ measure, detect, isTestFile, toolVersion: toolVersions() })
