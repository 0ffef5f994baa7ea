/** What the API says of itself: its resources, their fields and relationships, and their rights. */

import { title } from "./i18n.js";

/**
 * @typedef {"line" | "text" | "email" | "url" | "boolean" | "integer" | "number" | "decimal" |
 *   "date" | "instant" | "choice" | "list" | "object" | "hidden"} Kind
 */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {Kind} kind
 * @property {boolean} isNullable
 * @property {boolean} isRequired on creation
 * @property {boolean} isReadable
 * @property {boolean} isCreatable
 * @property {boolean} isChangeable
 * @property {boolean} isSortable
 * @property {Set<string>} operators of filters
 * @property {unknown} default
 * @property {number} [minLength]
 * @property {number} [maxLength]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {{value: unknown, title: string}[]} choices
 * @property {boolean} isSelf whether users may change their own
 * @property {boolean} isHidden it is written and never shown
 * @property {string} confirms the field whose change of one's own needs this one; or empty
 */

/**
 * @typedef {object} Relationship
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {string} target the type it leads to
 * @property {boolean} isMany
 * @property {boolean} isRequired on creation
 * @property {boolean} isCreatable
 * @property {boolean} isChangeable
 * @property {boolean} isLarge not to be included whole
 * @property {string} inverse the name of the relationship back; empty if it is not shown
 * @property {"restrict" | "cascade" | "set_null" | ""} onDelete what the deletion of a target does
 * @property {string[]} changedBy the permissions that a change of it needs
 */

/**
 * @typedef {object} Resource
 * @property {string} type
 * @property {string} one its title
 * @property {string} many the title of several
 * @property {string} url of the collection
 * @property {string} namedBy the field that names a resource; empty for its id
 * @property {string[]} search the fields that a search looks into
 * @property {string[]} columns
 * @property {string} sort
 * @property {{title: string, fields: string[]}[]} sections of forms
 * @property {Map<string, Field>} fields
 * @property {Map<string, Relationship>} relationships those that the caller may read
 * @property {Set<string>} methods `GET`, `POST`, `PATCH`, `DELETE`
 * @property {boolean} isVisible whether the caller may see any
 * @property {Set<string>} hidden fields that the caller may not read of others, filter or sort by
 */

/**
 * @typedef {object} Model
 * @property {Map<string, Resource>} resources in the API's order
 * @property {string} operations the URL of atomic operations
 * @property {number} pageSize most resources on a page
 */

/**
 * Read the description.
 * @param {any} description the OpenAPI document
 * @param {any} entry the entry document
 * @param {(permission: string) => boolean} may tells what the caller may do
 * @returns {Model}
 */
export function read(description, entry, may) {
  const resolve = resolver(description);
  const found = new Map();
  for (const path of Object.values(description.paths)) {
    const type = path["x-jsonapi-type"];
    if (type && !found.has(type)) found.set(type, { tag: tagOf(description, type) });
    if (type) found.get(type)[path.parameters || hasId(path, resolve) ? "item" : "list"] = path;
  }
  const resources = new Map();
  const isOpen = (/** @type {any} */ method) => opens(method, may);
  for (const [type, at] of Object.entries(entry.meta.resources)) {
    const parts = found.get(type);
    if (parts?.list) resources.set(type, readResource(type, at, parts, description, resolve, isOpen));
  }
  const size = resolve(description.components.parameters["page.size"]).schema.maximum;
  return { resources, operations: entry.meta.operations, pageSize: size };
}

/** @typedef {(node: any) => any} Resolve follows references */

/**
 * @param {any} description
 * @returns {Resolve}
 */
function resolver(description) {
  return (node) => {
    let found = node;
    while (found?.$ref) {
      found = found.$ref
        .slice(2)
        .split("/")
        .reduce((/** @type {any} */ at, /** @type {string} */ key) => at[unescape(key)], description);
    }
    return found;
  };
}

/** @param {string} key a reference token (RFC 6901 §4) */
function unescape(key) {
  return decodeURIComponent(key).replace(/~1/g, "/").replace(/~0/g, "~");
}

/**
 * @param {any} path
 * @param {Resolve} resolve
 */
function hasId(path, resolve) {
  const parameters = path.get?.parameters ?? path.patch?.parameters ?? path.delete?.parameters ?? [];
  return parameters.some((/** @type {any} */ each) => resolve(each).in === "path");
}

/**
 * @param {any} description
 * @param {string} type
 */
function tagOf(description, type) {
  return description.tags.find((/** @type {any} */ tag) => tag.name === type) ?? {};
}

/**
 * @param {string} type
 * @param {any} at what the entry document says of it
 * @param {any} parts
 * @param {any} description
 * @param {Resolve} resolve
 * @param {(method: any) => boolean} isOpen whether the caller has the permissions for a method
 * @returns {Resource}
 */
function readResource(type, at, { list, item, tag }, description, resolve, isOpen) {
  const display = tag["x-display"] ?? {};
  const shown = shownOf(list, item, resolve);
  const created = sentOf(list.post, resolve);
  const changed = sentOf(item?.patch, resolve);
  const query = queryOf(list.get, resolve);
  const names = new Set([
    ...Object.keys(shown.attributes),
    ...Object.keys(created.attributes),
    ...Object.keys(changed.attributes),
  ]);
  const fields = new Map();
  for (const name of names) {
    fields.set(name, readField(type, name, shown, created, changed, query, resolve));
  }
  const relationships = new Map();
  for (const name of new Set([
    ...Object.keys(shown.relationships),
    ...Object.keys(created.relationships),
  ])) {
    const path = description.paths[`${pathOf(description, type)}/{id}/relationships/${name}`];
    if (!isOpen(path?.get)) continue;
    const relationship = readRelationship(type, name, shown, created, changed, path, resolve);
    if (relationship) relationships.set(name, relationship);
  }
  const methods = new Set(
    [list.get && "GET", list.post && "POST", item?.patch && "PATCH", item?.delete && "DELETE"].filter(
      Boolean,
    ),
  );
  const one = title(`${type}.one`, display.one ?? type);
  const many = title(type, display.many ?? type);
  return {
    type,
    one,
    many,
    url: at.href,
    namedBy: display.named_by ?? "",
    search: display.search ?? [],
    columns: display.columns ?? [...fields.keys()].slice(0, 4),
    sort: display.sort ?? "",
    sections: (display.sections ?? []).map((/** @type {any} */ section, /** @type {number} */ n) => ({
      title: title(`${type}.section${n + 1}`, section.title ?? ""),
      fields: section.fields ?? [],
    })),
    fields,
    relationships,
    methods,
    isVisible: methods.has("GET") && isOpen(list.get),
    hidden: new Set(at.hidden),
  };
}

/**
 * @param {any} description
 * @param {string} type
 */
function pathOf(description, type) {
  return Object.keys(description.paths).find(
    (path) => description.paths[path]["x-jsonapi-type"] === type && !path.includes("{"),
  );
}

/**
 * The schemas of the attributes and relationships of resource objects in answers.
 * @param {any} list
 * @param {any} item
 * @param {Resolve} resolve
 */
function shownOf(list, item, resolve) {
  const answer = (list.get ?? item?.get)?.responses["200"];
  const data = resolve(resolve(schemaOf(resolve(answer)))?.properties.data);
  const resource = resolve(data?.items ?? data);
  return membersOf(resource, resolve);
}

/**
 * The schemas of what a method takes.
 * @param {any} method
 * @param {Resolve} resolve
 */
function sentOf(method, resolve) {
  const document = resolve(schemaOf(resolve(method?.requestBody)));
  return membersOf(resolve(document?.properties.data), resolve);
}

/** @param {any} holder of content */
function schemaOf(holder) {
  return /** @type {any} */ (Object.values(holder?.content ?? {})[0])?.schema;
}

/**
 * @param {any} resource the schema of a resource object
 * @param {Resolve} resolve
 */
function membersOf(resource, resolve) {
  const attributes = resolve(resource?.properties?.attributes);
  const relationships = resolve(resource?.properties?.relationships);
  return {
    attributes: attributes?.properties ?? {},
    relationships: relationships?.properties ?? {},
    required: new Set([...(attributes?.required ?? []), ...(relationships?.required ?? [])]),
  };
}

/**
 * What lists can be sorted and filtered by.
 * @param {any} method
 * @param {Resolve} resolve
 */
function queryOf(method, resolve) {
  /** @type {Set<string>} */
  const sorts = new Set();
  /** @type {Map<string, Set<string>>} */
  const filters = new Map();
  for (const parameter of method?.parameters ?? []) {
    const { name, schema } = resolve(parameter);
    if (name === "sort") resolve(schema.items).enum.forEach((/** @type {string} */ each) => sorts.add(each));
    const found = /^filter\[([^\]]+)\](?:\[([a-z]+)\])?$/.exec(name);
    if (!found?.[1]) continue;
    if (!filters.has(found[1])) filters.set(found[1], new Set());
    filters.get(found[1])?.add(found[2] ?? "eq");
  }
  return { sorts, filters };
}

/**
 * @param {string} type
 * @param {string} name
 * @param {any} shown
 * @param {any} created
 * @param {any} changed
 * @param {ReturnType<typeof queryOf>} query
 * @param {Resolve} resolve
 * @returns {Field}
 */
function readField(type, name, shown, created, changed, query, resolve) {
  const schemas = [created, changed, shown].map((each) => resolve(each.attributes[name]));
  const schema = Object.assign({}, ...schemas.reverse());
  return {
    name,
    title: title(`${type}.${name}`, schema.title ?? name),
    description: describedBy(`${type}.${name}`, schema),
    kind: kindOf(schema),
    isNullable: Array.isArray(schema.type) && schema.type.includes("null"),
    isRequired: created.required.has(name),
    isReadable: name in shown.attributes,
    isCreatable: name in created.attributes,
    isChangeable: name in changed.attributes,
    isSortable: query.sorts.has(name),
    operators: query.filters.get(name) ?? new Set(),
    default: schema.default,
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    minimum: schema.minimum,
    maximum: schema.maximum,
    choices: choicesOf(schema, `${type}.${name}`),
    isSelf: schema["x-self"] === true,
    isHidden: schema.writeOnly === true,
    confirms: schema["x-confirms"] ?? "",
  };
}

/**
 * What explains a field or a relationship; empty if nothing does.
 * @param {string} path
 * @param {any} schema
 */
function describedBy(path, { description }) {
  return description ? title(`${path}.description`, description) : "";
}

/**
 * @param {any} schema
 * @param {string} path
 */
function choicesOf(schema, path) {
  const titled = schema.oneOf ?? (schema.enum ?? []).map((/** @type {any} */ value) => ({ const: value }));
  const values = titled.filter((/** @type {any} */ each) => (each.const ?? null) !== null);
  return values.map((/** @type {any} */ each) => ({
    value: each.const,
    title: title(`${path}.${each.const}`, each.title ?? String(each.const)),
  }));
}

/**
 * @param {any} schema
 * @returns {Kind}
 */
function kindOf(schema) {
  const types = [schema.type ?? "string"].flat();
  if (schema.oneOf || schema.enum) return "choice";
  if (types.includes("boolean")) return "boolean";
  if (types.includes("integer")) return "integer";
  if (types.includes("number")) return "number";
  if (types.includes("array")) return "list";
  if (types.includes("object")) return "object";
  if (schema.writeOnly) return "hidden";
  const formats = { "date-time": "instant", date: "date", "idn-email": "email", email: "email" };
  const format = /** @type {Record<string, Kind>} */ (formats)[schema.format];
  if (format) return format;
  if (["uri", "iri", "url"].includes(schema.format)) return "url";
  if (schema.format === "decimal") return "decimal";
  return schema["x-multiline"] ? "text" : "line";
}

/**
 * @param {string} type
 * @param {string} name
 * @param {any} shown
 * @param {any} created
 * @param {any} changed
 * @param {any} path that of its linkage
 * @param {Resolve} resolve
 * @returns {Relationship | null}
 */
function readRelationship(type, name, shown, created, changed, path, resolve) {
  const schemas = [shown, changed, created].map((each) => resolve(each.relationships[name]));
  const schema = Object.assign({}, ...schemas);
  const linkage = resolve(schema.properties?.data);
  const target = targetOf(linkage, resolve);
  if (!target) return null;
  const change = path?.post ?? path?.patch;
  return {
    name,
    title: title(`${type}.${name}`, schema.title ?? name),
    description: describedBy(`${type}.${name}`, schema),
    target,
    isMany: linkage.type === "array",
    isRequired: created.required.has(name),
    isCreatable: name in created.relationships,
    isChangeable: Boolean(path?.patch),
    isLarge: schema["x-large"] === true,
    inverse: schema["x-inverse"] ?? "",
    onDelete: schema["x-on-delete"] ?? "",
    changedBy: scopesOf(change),
  };
}

/**
 * The type in the identifiers of linkage.
 * @param {any} linkage
 * @param {Resolve} resolve
 * @returns {string | undefined}
 */
function targetOf(linkage, resolve) {
  const schema = resolve(linkage);
  const known = resolve(schema?.properties?.type)?.const;
  if (known) return known;
  const inner = [schema?.items, ...(schema?.anyOf ?? []), ...(schema?.oneOf ?? [])].filter(Boolean);
  return inner.map((each) => targetOf(each, resolve)).find(Boolean);
}

/**
 * The permissions that a method needs.
 * @param {any} method
 * @returns {string[]}
 */
function scopesOf(method) {
  return /** @type {string[]} */ (Object.values(method?.security?.[0] ?? {})[0] ?? []);
}

/**
 * Whether permissions open a method: all of one of the sets that it names.
 * @param {any} method undefined where there is none
 * @param {(permission: string) => boolean} may
 */
function opens(method, may) {
  const sets = (method?.security ?? []).map((/** @type {any} */ each) => Object.values(each).flat());
  return sets.some((/** @type {string[]} */ set) => set.every(may));
}

/**
 * Whether permissions cover one.
 * @param {readonly string[]} held
 * @param {string} permission
 */
export function covers(held, permission) {
  const type = permission.split(":")[0];
  return held.some((each) => each === "*" || each === permission || each === `${type}:*`);
}
