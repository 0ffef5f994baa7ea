// Does with kitsu what a client does, and prints what came of it.
import Kitsu from 'kitsu'

process.on('uncaughtException', (error) => {
  console.error(error.stack, error.errors ?? '') // and not the sockets that axios adds
  process.exit(1)
})

const api = new Kitsu({ baseURL: process.argv[2] })
const saw = {}
const names = async (params) => (await api.get('users', { params })).data.map(({ name }) => name)
const create = async (type, attributes) => (await api.post(type, attributes)).data

const editors = await create('roles', { name: 'Editors', permissions: ['users:read'] })
const staff = await create('groups', { name: 'Staff' })
const press = await create('groups', { name: 'Press' })
const ada = await create('users', { email: 'ada@example.com', name: 'Ada' })
await create('users', { email: 'grace@example.com', name: 'Grace', is_active: true })
await create('users', { email: 'mary@example.com', name: 'Mary' })
saw.created = { email: ada.email, is_active: ada.is_active }
saw.listed = await names({ sort: 'name' })

saw.pages = []
for (let number = 1, more = true; more; number += 1) {
  const page = await api.get('users', { params: { sort: 'name', page: { number, size: 2 } } })
  saw.pages.push(page.data.map(({ name }) => name))
  more = page.links.next
}

saw.filtered = await names({ filter: { is_active: true } })

const updated = await api.patch('users', { id: ada.id, name: 'Ada Lovelace' })
saw.updated = updated.data.name

const seen = async () => {
  const { data } = await api.get(`users/${ada.id}`, { params: { include: 'role,groups' } })
  return { role: data.role.data?.name ?? null, groups: data.groups.data.map(({ name }) => name).sort() }
}
const linkage = `users/${ada.id}/relationships/groups`
await api.post(linkage, [{ id: staff.id }])
await api.post(linkage, [{ id: press.id }])
await api.patch('users', { id: ada.id, role: { data: { id: editors.id, type: 'roles' } } })
saw.related = await seen()
await api.delete(linkage, [staff.id])
await api.patch('users', { id: ada.id, role: { data: null } })
saw.unrelated = await seen()

await api.delete('users', ada.id)
saw.left = await names({ sort: 'name' })

console.log(JSON.stringify(saw))
