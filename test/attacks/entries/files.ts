import type { Entry } from '../entry.ts'

const PATHS = 'src/workspace/paths.ts'
const TEST = 'src/workspace/paths.test.ts'
const WAYS_OUT = { file: TEST, name: 'by links in the middle or at the end, hard links, pipes and devices are closed' }

/** Paths and files that our own tools read and write. */
export const FILES: readonly Entry[] = [
  {
    case: '4',
    title: 'the write tool below a link to another folder',
    level: 'always',
    test: WAYS_OUT,
    file: PATHS,
    from: 'const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW',
    to: 'const FOLDER = O_RDONLY | O_DIRECTORY',
  },
  {
    case: '5',
    title: 'a folder and a link swapped while the write tool writes',
    level: 'always',
    test: { file: TEST, name: 'stay closed while a folder and a link are swapped' },
    file: PATHS,
    from: 'const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW',
    to: 'const FOLDER = O_RDONLY | O_DIRECTORY',
  },
  {
    case: '6',
    title: 'a hard link of an outside file, then a write',
    level: 'always',
    test: WAYS_OUT,
    file: PATHS,
    from: 'before.nlink !== 1',
    to: 'before.nlink === 0',
  },
  {
    case: '7',
    title: 'a neighbour whose name begins like the folder',
    level: 'always',
    test: { file: TEST, name: "does not take a neighbour's folder for its own" },
    file: PATHS,
    from: "name === '.' || name === '..'",
    to: "name === '.'",
  },
  {
    case: '8a',
    title: '".." in a path',
    level: 'always',
    test: { file: TEST, name: 'refuses the text of: the folder above' },
    file: PATHS,
    from: "name === '.' || name === '..'",
    to: "name === '.'",
  },
  {
    case: '8b',
    title: 'other spellings of .git',
    level: 'always',
    test: { file: TEST, name: 'refuses the text of: spellings of .git' },
    file: PATHS,
    from: 'if (isGitName(name)) refuse(\'".git" belongs to reeve and git\')',
    to: "if (name === '.git') refuse('\".git\" belongs to reeve and git')",
  },
  {
    case: '8c',
    title: 'control, right-to-left and invisible characters in a path',
    level: 'always',
    test: { file: TEST, name: 'refuses the text of: characters nobody sees' },
    file: PATHS,
    from: "if (/[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]/u.test(path)) refuse('it contains control or invisible characters')",
    to: '',
  },
  {
    case: '8d',
    title: 'names of new files that other systems cannot have, or that are taken for options',
    level: 'always',
    test: { file: 'src/agents/tools/file-rules.test.ts', name: 'is refused by every tool that makes one' },
    file: 'src/agents/tools/text-file.ts',
    from: '    checkNewName(loaded.path)\n',
    to: '',
  },
  {
    case: '9',
    title: 'a link inside an allowed folder',
    level: 'always',
    test: WAYS_OUT,
    file: PATHS,
    from: 'const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK',
    to: 'const READ = O_RDONLY | O_NONBLOCK',
  },
]
