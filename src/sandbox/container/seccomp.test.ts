import { expect, it } from 'vitest'
import { narrowed } from './seccomp.ts'

const allow = (names: string[]) => ({ names, action: 'SCMP_ACT_ALLOW', args: [], includes: {} })

it('takes calls that make namespaces from a filter, and keeps the rest as it is', () => {
  const given = {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [1],
    syscalls: [allow(['read', 'clone', 'unshare']), allow(['setns', 'keyctl'])],
  }
  const { syscalls, ...rest } = JSON.parse(narrowed(JSON.stringify(given), 'x')) as { syscalls: Record<string, unknown>[] }
  expect(rest).toEqual({ defaultAction: 'SCMP_ACT_ERRNO', archMap: [1] })
  expect(syscalls[0]).toEqual(allow(['read']))
  const rules = (name: string) => syscalls.filter((it) => (it['names'] as string[]).includes(name))
  expect(rules('clone')).toEqual([
    { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
  ])
  for (const name of ['unshare', 'setns', 'mount', 'keyctl']) expect(rules(name)).toMatchObject([{ action: 'SCMP_ACT_ERRNO', errnoRet: 1 }])
  for (const name of ['clone3', 'io_uring_setup']) expect(rules(name)).toMatchObject([{ action: 'SCMP_ACT_ERRNO', errnoRet: 38 }])
})

it('does not take another file for a filter', () => {
  expect(() => narrowed('{"a": 1}', 'x')).toThrow('syscalls')
  expect(() => narrowed('no', 'the filter')).toThrow('the filter is not valid JSON')
})
