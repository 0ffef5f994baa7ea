// What the types have to refuse: the compiler complains of an expected error that is none.
import type { components } from './api.js'
import { api } from './drive.js'

type Schemas = components['schemas']

export const misspelt: Schemas['UsersNew'] = {
  type: 'users',
  // @ts-expect-error
  attributes: { email: 'ada@example.com', name: 'Ada', is_activ: true },
}

export const incomplete: Schemas['UsersNew'] = {
  type: 'users',
  // @ts-expect-error
  attributes: { email: 'ada@example.com' },
}

export const readOnly: Schemas['UsersChanges']['attributes'] = {
  // @ts-expect-error
  creation_time: '2026-11-22T23:39:46.699941Z',
}

export const another: Schemas['UsersIdentifier'] = {
  // @ts-expect-error
  type: 'groups',
  id: '0190b5a0-0000-7000-8000-00000000ada0',
}

export const filtered = () =>
  // @ts-expect-error
  api.GET('/api/v1/users', { params: { query: { 'filter[emial]': 'ada@example.com' } } })

export const replaced = (id: string) =>
  // @ts-expect-error
  api.PUT('/api/v1/users/{id}', { params: { path: { id } } })
