import { expect, it } from 'vitest'
import { temporaryFolder, writeFiles } from '../../test/support/folder.ts'
import { git, makeRepository } from '../../test/support/repository.ts'
import { settingsSchema } from '../core/settings.ts'
import { openProject } from './project.ts'
import { registriesAt } from './registries.ts'

const lockfile = (host: string) =>
  JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/a': { version: '1.0.0', resolved: `https://${host}/a/-/a-1.0.0.tgz` } } })

it('takes the hosts of the lockfile as the base has it, not as it lies in the checkout, and those of the settings', async () => {
  const root = makeRepository({ 'package.json': '{}', 'package-lock.json': lockfile('one.packages.example') })
  const project = await openProject(root)
  writeFiles(root, { 'package-lock.json': lockfile('two.packages.example') })
  git(root, 'commit', '-qam', 'another registry')
  const settings = settingsSchema.parse({ sandbox: { hosts: ['more.packages.example:8443'], private_hosts: ['10.0.0.5:8080'] } })
  const home = temporaryFolder('reeve-user-')
  writeFiles(home, { '.npmrc': 'registry=https://ada:secret@own.packages.example/\n//own.packages.example/:_authToken=t0ken\n' })

  const found = await registriesAt({ project, base: project.head, settings, env: { PATH: '/nowhere' }, home })
  const hosts = found.hosts.map(({ host, port, own }) => `${host}:${port}${own ? ' own' : ''}`)
  // A machine may name more for all of its users.
  expect(hosts).toEqual(
    expect.arrayContaining(['10.0.0.5:8080 own', 'more.packages.example:8443', 'one.packages.example:443', 'own.packages.example:443 own']),
  )
  expect(hosts).not.toContain('two.packages.example:443')
  expect(found.files).toContainEqual({ path: '.npmrc', text: 'registry=https://own.packages.example/\n' })
})

it('reaches nothing for a project that installs nothing', async () => {
  const project = await openProject(makeRepository({ 'main.c': '' }))
  const home = temporaryFolder('reeve-user-')
  const found = await registriesAt({ project, base: project.head, settings: settingsSchema.parse({}), env: { PATH: '/nowhere' }, home })
  expect(found.hosts).toEqual([])
})
