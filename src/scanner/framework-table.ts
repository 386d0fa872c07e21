import type { Ecosystem } from './manifests/parse.ts'

/** A framework or library that shapes a project. Found by a dependency of this name, or by a file. */
export interface Framework {
  name: string
  ecosystem: Ecosystem
  /** Exact names, or a pattern. */
  dependencies: readonly string[] | RegExp
  /** A file whose presence says it, against the path. */
  file?: RegExp
}

const npm = (name: string, ...dependencies: string[]): Framework => ({ name, ecosystem: 'npm', dependencies })
const python = (name: string, ...dependencies: string[]): Framework => ({ name, ecosystem: 'python', dependencies })
const rust = (name: string, ...dependencies: string[]): Framework => ({ name, ecosystem: 'rust', dependencies })
const ruby = (name: string, ...dependencies: string[]): Framework => ({ name, ecosystem: 'ruby', dependencies })
const elixir = (name: string, ...dependencies: string[]): Framework => ({ name, ecosystem: 'elixir', dependencies })
const go = (name: string, dependencies: RegExp): Framework => ({ name, ecosystem: 'go', dependencies })
const jvm = (name: string, dependencies: RegExp): Framework => ({ name, ecosystem: 'jvm', dependencies })
const native = (name: string, dependencies: RegExp): Framework => ({ name, ecosystem: 'native', dependencies })

export const FRAMEWORKS: readonly Framework[] = [
  { ...npm('next', 'next'), file: /(?:^|\/)next\.config\.[cm]?[jt]s$/ },
  { ...npm('nuxt', 'nuxt', 'nuxt3'), file: /(?:^|\/)nuxt\.config\.[cm]?[jt]s$/ },
  { ...npm('angular', '@angular/core'), file: /(?:^|\/)angular\.json$/ },
  { ...npm('astro', 'astro'), file: /(?:^|\/)astro\.config\.[cm]?[jt]s$/ },
  { ...npm('vite', 'vite'), file: /(?:^|\/)vite\.config\.[cm]?[jt]s$/ },
  npm('react', 'react'),
  npm('react native', 'react-native', 'expo'),
  npm('preact', 'preact'),
  npm('vue', 'vue'),
  npm('svelte', 'svelte', '@sveltejs/kit'),
  npm('solid', 'solid-js'),
  npm('remix', '@remix-run/react', '@remix-run/node'),
  npm('ink', 'ink'),
  npm('express', 'express'),
  npm('fastify', 'fastify'),
  npm('koa', 'koa'),
  npm('hono', 'hono'),
  npm('nestjs', '@nestjs/core'),
  npm('electron', 'electron'),
  npm('graphql', 'graphql', '@apollo/server'),
  npm('prisma', 'prisma', '@prisma/client'),
  npm('drizzle', 'drizzle-orm'),
  npm('kysely', 'kysely'),
  npm('tailwindcss', 'tailwindcss'),
  npm('storybook', 'storybook'),
  { ...python('django', 'django', 'djangorestframework'), file: /(?:^|\/)manage\.py$/ },
  python('flask', 'flask'),
  python('fastapi', 'fastapi'),
  python('starlette', 'starlette'),
  python('aiohttp', 'aiohttp'),
  python('tornado', 'tornado'),
  python('streamlit', 'streamlit'),
  python('sqlalchemy', 'sqlalchemy'),
  python('pydantic', 'pydantic'),
  python('celery', 'celery'),
  python('click', 'click', 'typer'),
  python('numpy', 'numpy'),
  python('pandas', 'pandas', 'polars'),
  python('pytorch', 'torch'),
  python('tensorflow', 'tensorflow'),
  python('scikit-learn', 'scikit-learn'),
  { ...ruby('rails', 'rails', 'railties'), file: /(?:^|\/)bin\/rails$/ },
  ruby('sinatra', 'sinatra'),
  ruby('hanami', 'hanami'),
  ruby('sidekiq', 'sidekiq'),
  elixir('phoenix', 'phoenix'),
  elixir('phoenix liveview', 'phoenix_live_view'),
  elixir('ecto', 'ecto', 'ecto_sql'),
  elixir('nerves', 'nerves'),
  go('gin', /^github\.com\/gin-gonic\/gin$/),
  go('echo', /^github\.com\/labstack\/echo/),
  go('fiber', /^github\.com\/gofiber\/fiber/),
  go('chi', /^github\.com\/go-chi\/chi/),
  go('cobra', /^github\.com\/spf13\/cobra$/),
  go('gorm', /^gorm\.io\/gorm$/),
  rust('axum', 'axum'),
  rust('actix', 'actix-web', 'actix'),
  rust('rocket', 'rocket'),
  rust('tokio', 'tokio'),
  rust('bevy', 'bevy'),
  rust('tauri', 'tauri'),
  rust('clap', 'clap'),
  jvm('spring', /^org\.springframework(?:\.boot)?:/),
  jvm('quarkus', /^io\.quarkus:/),
  jvm('micronaut', /^io\.micronaut[\w.]*:/),
  jvm('ktor', /^io\.ktor:/),
  jvm('android', /^com\.android\.(?:application|library):plugin$/),
  native('qt', /^qt\d?$/),
  native('boost', /^boost/),
  native('opencv', /^opencv\d?$/),
  native('sdl', /^sdl[23]$/),
  { name: 'laravel', ecosystem: 'php', dependencies: ['laravel/framework'], file: /(?:^|\/)artisan$/ },
  { name: 'symfony', ecosystem: 'php', dependencies: /^symfony\/(?:framework-bundle|symfony)$/ },
  { name: 'asp.net core', ecosystem: 'dotnet', dependencies: /^Microsoft\.AspNetCore/ },
]

/** Test frameworks that a dependency or a configuration file names; those that come with a language are in `test-frameworks.ts`. */
export const TEST_FRAMEWORKS: readonly Framework[] = [
  { ...npm('vitest', 'vitest'), file: /(?:^|\/)vitest\.(?:config|workspace)\.[cm]?[jt]s$/ },
  { ...npm('jest', 'jest', 'ts-jest', '@jest/core'), file: /(?:^|\/)jest\.config\.(?:[cm]?[jt]s|json)$/ },
  { ...npm('mocha', 'mocha'), file: /(?:^|\/)\.mocharc\.(?:[cm]?js|json|ya?ml)$/ },
  { ...npm('ava', 'ava'), file: /(?:^|\/)ava\.config\.[cm]?js$/ },
  { ...npm('playwright', '@playwright/test'), file: /(?:^|\/)playwright\.config\.[cm]?[jt]s$/ },
  { ...npm('cypress', 'cypress'), file: /(?:^|\/)cypress\.config\.[cm]?[jt]s$/ },
  npm('jasmine', 'jasmine', 'jasmine-core'),
  npm('tap', 'tap', 'tape'),
  npm('uvu', 'uvu'),
  { ...python('pytest', 'pytest'), file: /(?:^|\/)(?:pytest\.ini|conftest\.py)$/ },
  python('nose', 'nose', 'nose2'),
  python('hypothesis', 'hypothesis'),
  { ...ruby('rspec', 'rspec', 'rspec-rails', 'rspec-core'), file: /(?:^|\/)\.rspec$/ },
  ruby('minitest', 'minitest'),
  ruby('test-unit', 'test-unit'),
  jvm('junit', /^(?:junit:junit|org\.junit\.[\w.]+:)/),
  jvm('testng', /^org\.testng:testng$/),
  jvm('spock', /^org\.spockframework:/),
  jvm('kotest', /^io\.kotest:/),
  native('googletest', /^(?:gtest|gtest_main|gmock|googletest)$/),
  native('catch2', /^catch2$/),
  native('doctest', /^doctest$/),
  go('testify', /^github\.com\/stretchr\/testify$/),
  go('ginkgo', /^github\.com\/onsi\/ginkgo/),
  rust('proptest', 'proptest', 'quickcheck'),
  rust('criterion', 'criterion'),
  { name: 'phpunit', ecosystem: 'php', dependencies: ['phpunit/phpunit'], file: /(?:^|\/)phpunit\.xml(?:\.dist)?$/ },
  { name: 'xunit', ecosystem: 'dotnet', dependencies: /^xunit/ },
  { name: 'nunit', ecosystem: 'dotnet', dependencies: /^NUnit$/ },
]
