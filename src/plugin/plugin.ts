/**
 * What the author of a provider or an agent of their own needs: `import type { … } from 'reeve/plugin'`. A plug-in's module needs nothing of
 * it at run time: it exports an object named `plugin`. The promises are for its tests.
 */
export type { AgentPlugin, AgentPluginOptions, Plugin, PluginAgent } from '../agents/plugin.ts'
export type { Agent, AgentEvent, AgentRequest, AgentResult } from '../agents/port.ts'
export type { Json } from '../core/json.ts'
export { type Cost, NO_USAGE, type Usage } from '../core/run.ts'
export type { RawEvent, RawTokens } from '../models/guard.ts'
export type { PluginModel, PluginOptions, ProviderPlugin } from '../models/plugin.ts'
export type { GenerateRequest, ModelEvent, ModelMessage, ModelProvider, ProviderErrorClass, ToolCall, ToolSpec } from '../models/port.ts'
export { type AgentBench, agentPromises } from './agent-promises.ts'
export type { Promised } from './promised.ts'
export { type ProviderBench, providerOver, providerPromises, type Situation } from './provider-promises.ts'
