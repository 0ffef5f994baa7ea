// Does with openapi-fetch, on the types of openapi-typescript, what a client does, and prints what
// it saw.
import createClient from 'openapi-fetch'
import type { components, paths } from './api.js'

type User = components['schemas']['UsersResource']
type Identifier = components['schemas']['GroupsIdentifier']

declare const process: { argv: string[] }

export const api = createClient<paths>({
  baseUrl: process.argv[2],
  // The description is there at compile time alone: what it says of these two is said again.
  headers: { 'Content-Type': 'application/vnd.api+json' },
  querySerializer: { array: { style: 'form', explode: false } },
})

function the<T>(answer: { data?: T; error?: components['schemas']['ErrorsDocument'] }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error))
  return answer.data
}

async function create(email: string, name: string): Promise<User> {
  const data = { type: 'users', attributes: { email, name } } as const
  return the(await api.POST('/api/v1/users', { body: { data } })).data
}

async function createGroup(name: string): Promise<Identifier> {
  const data = { type: 'groups', attributes: { name } } as const
  const { type, id } = the(await api.POST('/api/v1/groups', { body: { data } })).data
  return { type, id }
}

const names = (users: User[]) => users.map((user) => user.attributes?.name)

const staff = await createGroup('Staff')
const press = await createGroup('Press')
const ada = await create('ada@example.com', 'Ada')
await create('grace@example.com', 'Grace')
await create('mary@example.com', 'Mary')
const path = { id: ada.id }

const read = the(await api.GET('/api/v1/users/{id}', { params: { path } }))

const filtered = the(
  await api.GET('/api/v1/users', { params: { query: { 'filter[email]': 'GRACE@example.com' } } }),
)

const sorted = the(
  await api.GET('/api/v1/users', {
    params: { query: { sort: ['-name', 'email'], 'page[size]': 2, 'page[total]': true } },
  }),
)

const attributes = { name: 'Ada Lovelace', is_active: true }
const updated = the(
  await api.PATCH('/api/v1/users/{id}', {
    params: { path },
    body: { data: { type: 'users', id: ada.id, attributes } },
  }),
).data

for (const data of [[staff], [press]]) {
  const { error } = await api.PATCH('/api/v1/users/{id}/relationships/groups', {
    params: { path },
    body: { data },
  })
  if (error) throw new Error(JSON.stringify(error))
}
const groups = the(await api.GET('/api/v1/users/{id}/groups', { params: { path } })).data

const deleted = await api.DELETE('/api/v1/users/{id}', { params: { path } })

const missing = await api.GET('/api/v1/users/{id}', { params: { path } })

console.log(
  JSON.stringify({
    created: { email: ada.attributes?.email, is_active: ada.attributes?.is_active },
    read: read.data.attributes?.name,
    filtered: names(filtered.data),
    sorted: names(sorted.data),
    total: sorted.meta?.page?.total,
    updated: { name: updated.attributes?.name, is_active: updated.attributes?.is_active },
    groups: groups.map((group) => group.attributes?.name),
    deleted: deleted.response.status,
    missing: { status: missing.response.status, code: missing.error?.errors[0]?.code },
  }),
)
