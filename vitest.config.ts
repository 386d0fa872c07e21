import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      'test/fixtures/**',
      'templates/**',
      'node_modules/**',
      // The real agents are installed apart, and have a command of their own: npm run real.
      ...(process.env['REEVE_REAL'] === undefined ? ['test/real/**'] : []),
      // What takes minutes: npm run matrix. The attack cases of limits are in the suite.
      ...(process.env['REEVE_MATRIX'] === undefined ? ['test/scenarios/limits.test.ts'] : []),
    ],
    pool: 'forks',
    // More than the two cores of a small machine: most tests wait for programs they start.
    maxWorkers: 4,
    // Whole runs start git and test runners; a busy two-core machine needs the room.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', 'src/main.ts'],
      reporter: ['text-summary', 'json-summary', 'lcovonly'],
    },
  },
})
