import type { DetectedCommand } from '../port.ts'
import { command } from './command.ts'
import { type ProjectFiles, under } from './project-files.ts'

const WRAPPER = 'It comes with the project; git must have kept it executable.'

async function maven(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const manifest = under(cwd, 'pom.xml')
  const wrapped = project.has(under(cwd, 'mvnw'))
  const program = wrapped ? './mvnw' : 'mvn'
  const needs = wrapped ? { program: './mvnw', hint: WRAPPER } : { program: 'mvn', hint: 'Install Maven and a JDK.' }
  const shared = { cwd, reason: manifest, needs }
  const quiet = ['-B', '-ntp'] as const
  const jacoco = (await project.text(manifest)).includes('jacoco-maven-plugin')
  const commands = [
    command({
      ...shared,
      gate: 'build',
      tool: 'maven-build',
      argv: [program, ...quiet, 'test-compile'],
      typed: `${program} test-compile`,
      report: { format: 'text', path: null },
    }),
    command({
      ...shared,
      gate: 'tests',
      tool: 'maven',
      argv: [program, ...quiet, '{tests}', 'test'],
      typed: `${program} test`,
      report: { format: 'junit', path: '**/target/surefire-reports/TEST-*.xml' },
    }),
  ]
  if (jacoco)
    commands.push(
      command({
        ...shared,
        gate: 'coverage',
        tool: 'jacoco',
        argv: [program, ...quiet, 'test', 'jacoco:report'],
        reason: `jacoco-maven-plugin in ${manifest}`,
        typed: `${program} test jacoco:report`,
        report: { format: 'text', path: '**/target/site/jacoco/jacoco.xml' },
      }),
    )
  return commands
}

async function gradle(project: ProjectFiles, cwd: string): Promise<DetectedCommand[]> {
  const manifest =
    ['build.gradle.kts', 'build.gradle'].map((it) => under(cwd, it)).find((it) => project.has(it)) ?? under(cwd, 'build.gradle')
  const wrapped = project.has(under(cwd, 'gradlew'))
  const program = wrapped ? './gradlew' : 'gradle'
  const needs = wrapped ? { program: './gradlew', hint: WRAPPER } : { program: 'gradle', hint: 'Install Gradle and a JDK.' }
  const shared = { cwd, reason: manifest, needs }
  // No daemon: it would outlive the gate.
  const quiet = ['--no-daemon', '--console=plain'] as const
  const commands = [
    command({
      ...shared,
      gate: 'build',
      tool: 'gradle-build',
      argv: [program, ...quiet, 'testClasses'],
      typed: `${program} testClasses`,
      report: { format: 'text', path: null },
    }),
    command({
      ...shared,
      gate: 'tests',
      tool: 'gradle',
      // Results that are up to date would not be written again.
      argv: [program, ...quiet, '--continue', 'cleanTest', 'test', '{tests}'],
      typed: `${program} test`,
      report: { format: 'junit', path: '**/build/test-results/test/*.xml' },
    }),
  ]
  if (/\bjacoco\b/.test(await project.text(manifest)))
    commands.push(
      command({
        ...shared,
        gate: 'coverage',
        tool: 'jacoco',
        argv: [program, ...quiet, 'test', 'jacocoTestReport'],
        reason: `jacoco in ${manifest}`,
        typed: `${program} jacocoTestReport`,
        report: { format: 'text', path: '**/build/reports/jacoco/test/jacocoTestReport.xml' },
      }),
    )
  return commands
}

/** Java and its relatives: Maven or Gradle. Both build into folders of their own, which their projects ignore. */
export async function detectJava(project: ProjectFiles): Promise<DetectedCommand[]> {
  const folders = project.foldersWith(['pom.xml', 'build.gradle', 'build.gradle.kts'])
  const found = await Promise.all(
    folders.map((folder) => (project.has(under(folder, 'pom.xml')) ? maven(project, folder) : gradle(project, folder))),
  )
  return found.flat()
}
