const MCP = 'reeve is no MCP client yet'

/** Cases that have no entry, each with the reason. One that gets an entry leaves this list. */
export const NOT_HERE: Readonly<Record<number, string>> = {
  21: 'no tool of reeve fetches anything',
  38: MCP,
  39: MCP,
  40: MCP,
  54: 'reeve registers no link and no URL handler',
}
/** The list of attack cases ends here. */
export const LAST_CASE = 55
