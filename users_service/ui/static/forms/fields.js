/** The fields of a form: sections of labelled controls, with the faults that the API finds. */

import { ApiError } from "../core/api.js";
import { data, fill, h, newId } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { faultText, inWords } from "../core/messages.js";
import { link, urlOf } from "../core/router.js";
import { nameOf, show } from "../lists/values.js";
import { may } from "../session/session.js";
import { picker } from "./picker.js";
import { MalformedError, widget } from "./widgets.js";

/**
 * @typedef {object} Options
 * @property {boolean} isNew
 * @property {boolean} isOwn whether it is the reader's own user
 * @property {any} object the resource object; null for a new one
 * @property {Map<string, any>} included by type and id
 */

/**
 * @typedef {object} Entry one field of the form
 * @property {string} name
 * @property {"attributes" | "relationships"} part
 * @property {HTMLElement} node
 * @property {HTMLElement | null} control null for what is only shown
 * @property {() => unknown} value undefined for nothing to be sent
 * @property {unknown} before its value at the beginning
 * @property {HTMLElement} fault
 * @property {string} confirms the field for whose change it is needed
 */

/**
 * Make the fields of a resource.
 * @param {import("../app.js").Context} context
 * @param {import("../core/model.js").Resource} resource
 * @param {Options} options
 */
export function fieldSet(context, resource, options) {
  const entries = [...resource.fields.values()]
    .map((field) => fieldEntry(resource, field, options))
    .concat([...resource.relationships.values()].map((each) => linkEntry(context, resource, each, options)))
    .filter((entry) => entry !== null);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const inputs = entries.filter(({ control }) => control !== null);

  /** The values that are sent, of a creation or as changes. @param {(entry: Entry) => boolean} wanted */
  function collect(wanted) {
    /** @type {any} */
    const found = {};
    /** @type {Record<string, string>} */
    const malformed = {};
    for (const entry of inputs) {
      try {
        const value = entry.value();
        if (value === undefined || !wanted(entry)) continue;
        (found[entry.part] ??= {})[entry.name] = entry.part === "attributes" ? value : { data: value };
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
        malformed[entry.name] = error.message;
      }
    }
    if (Object.keys(malformed).length) throw new FieldFaults(malformed);
    return found;
  }

  const isChanged = (/** @type {Entry} */ entry) => !same(entry.value(), entry.before);

  const node = h("div", { class: "fields" }, sections(resource, byName));
  return {
    node,
    isChangeable: inputs.length > 0,
    values: () => collect(({ confirms }) => !confirms),
    changes: () => collect((entry) => isChanged(entry) || needsConfirming(entry, byName)),
    isDirty: () =>
      inputs.some((entry) => {
        try {
          return isChanged(entry);
        } catch {
          return true; // it cannot be read, so it was typed
        }
      }),
    clearFaults: () => inputs.forEach((entry) => setFault(entry, "")),
    showFaults: (/** @type {unknown} */ error) => showFaults(byName, error),
    focusFault: () => {
      const faulty = node.querySelector("[aria-invalid]");
      if (faulty instanceof HTMLElement) faulty.focus();
      return faulty !== null;
    },
  };
}

/** Faults that are found before anything is sent. */
class FieldFaults extends Error {
  /** @param {Record<string, string>} byName */
  constructor(byName) {
    super();
    this.byName = byName;
  }
}

/**
 * @param {Entry} entry
 * @param {Map<string, Entry>} byName
 */
function needsConfirming({ confirms }, byName) {
  return Boolean(confirms) && byName.get(confirms)?.value() !== undefined;
}

/**
 * @param {unknown} left
 * @param {unknown} right
 */
function same(left, right) {
  return left === undefined || JSON.stringify(left) === JSON.stringify(right ?? null);
}

/**
 * @param {import("../core/model.js").Resource} resource
 * @param {Map<string, Entry>} byName
 */
function sections(resource, byName) {
  const rest = new Set(byName.keys());
  const found = resource.sections.map(({ title, fields }) => {
    const nodes = fields.filter((name) => rest.delete(name)).map((name) => byName.get(name)?.node);
    return nodes.length ? section(title, nodes) : null;
  });
  const others = [...rest].map((name) => byName.get(name)?.node);
  return [...found, others.length ? section(found.some(Boolean) ? t("form.more") : "", others) : null];
}

/**
 * @param {string} title
 * @param {(HTMLElement | undefined)[]} nodes
 */
function section(title, nodes) {
  return h("fieldset", {}, title ? h("legend", {}, title) : null, nodes);
}

/**
 * @param {import("../core/model.js").Resource} resource
 * @param {import("../core/model.js").Field} field
 * @param {Options} options
 * @returns {Entry | null} null for what this form does not show
 */
function fieldEntry(resource, field, { isNew, isOwn, object }) {
  const isThere = object !== null && field.name in (object.attributes ?? {});
  if (field.confirms && (isNew || !isOwn)) return null;
  if (!isNew && !isThere && field.isReadable) return null; // the reader may not read it
  const canWrite = isNew
    ? field.isCreatable && !(field.isHidden && !field.isChangeable)
    : field.isChangeable && mayChange(resource, field, isOwn);
  const value = isNew ? field.default : object.attributes?.[field.name];
  if (!canWrite) {
    if (isNew || !isThere) return null;
    return shownEntry(field.name, field.title, show(field, value));
  }
  const parts = labelled(field.title, field.description, isNew && field.isRequired);
  const made = widget(field, value, {
    ...parts.attributes,
    "aria-required": isNew && field.isRequired ? "true" : null,
  });
  return {
    name: field.name,
    part: "attributes",
    node: parts.wrap(made.node, field.kind === "boolean" && !field.isNullable),
    control: made.control,
    // What is required and empty is left out: the API says then that it is needed.
    value: () => (isNew && field.isRequired && made.value() === "" ? undefined : made.value()),
    before: isNew && value === undefined ? emptyOf(made) : value,
    fault: parts.fault,
    confirms: field.confirms,
  };
}

/**
 * What a control holds before anything is typed, so that only what is typed is sent.
 * @param {import("./widgets.js").Widget} made
 */
function emptyOf(made) {
  return made.value() ?? null;
}

/**
 * @param {import("../core/model.js").Resource} resource
 * @param {import("../core/model.js").Field} field
 * @param {boolean} isOwn
 */
function mayChange({ type }, field, isOwn) {
  return may(`${type}:update`) || (isOwn && field.isSelf && may("self:update"));
}

/**
 * @param {import("../app.js").Context} context
 * @param {import("../core/model.js").Resource} resource
 * @param {import("../core/model.js").Relationship} relationship
 * @param {Options} options
 * @returns {Entry | null}
 */
function linkEntry(context, resource, relationship, { isNew, object, included }) {
  const { name, title, description, target, isMany } = relationship;
  if (isMany && !isNew) return null; // it has a list of its own
  const known = context.model.resources.get(target);
  if (!known) return null;
  const isAllowed = relationship.changedBy.every(may);
  const canWrite = (isNew ? relationship.isCreatable : relationship.isChangeable) && isAllowed;
  const before = isNew ? (isMany ? [] : null) : (object.relationships?.[name]?.data ?? null);
  const related = [before].flat().filter(Boolean).map((each) => included.get(`${each.type} ${each.id}`) ?? each);
  if (!canWrite) {
    const [first] = related;
    if (isNew || object.relationships?.[name]?.data === undefined) return null;
    const text = first ? link(urlOf([target, first.id]), {}, data(nameOf(known, first))) : t("none");
    return shownEntry(name, title, text);
  }
  const parts = labelled(title, description, isNew && relationship.isRequired);
  const made = picker(context, { label: title, target, isMany, value: related, attributes: parts.attributes, onChange: () =>
    made.node.dispatchEvent(new Event("input", { bubbles: true })),
  });
  const identifiers = () => made.value().map(({ type, id }) => ({ type, id }));
  return {
    name,
    part: "relationships",
    node: parts.wrap(made.node, false),
    control: made.control,
    value: () => (isMany ? identifiers() : (identifiers()[0] ?? null)),
    before,
    fault: parts.fault,
    confirms: "",
  };
}

/**
 * What is shown and cannot be changed.
 * @param {string} name
 * @param {string} title
 * @param {import("../core/dom.js").Child} content
 * @returns {Entry}
 */
function shownEntry(name, title, content) {
  const node = h("div", { class: "field shown", "data-field": name }, h("span", { class: "label" }, title), h("div", {}, content));
  return { name, part: "attributes", node, control: null, value: () => undefined, before: undefined, fault: h("p"), confirms: "" };
}

/**
 * The label, the description and the fault of a control.
 * @param {string} title
 * @param {string} description
 * @param {boolean} isRequired
 */
function labelled(title, description, isRequired) {
  const [id, faultId, hintId] = [newId(), newId(), newId()];
  const fault = h("p", { id: faultId, class: "fault" });
  const hint = description ? h("p", { id: hintId, class: "hint" }, description) : null;
  const label = h("label", { for: id }, title, isRequired ? h("span", { class: "required" }, ` (${t("form.required")})`) : null);
  const attributes = { id, "aria-describedby": hint ? `${faultId} ${hintId}` : faultId };
  const wrap = (/** @type {HTMLElement} */ node, /** @type {boolean} */ isBox) =>
    h("div", { class: isBox ? "field box" : "field" }, isBox ? [node, label] : [label, node], hint, fault);
  return { fault, attributes, wrap };
}

/**
 * @param {Entry} entry
 * @param {string} text empty for none
 */
function setFault({ fault, control }, text) {
  fill(fault, text);
  if (text) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}

/**
 * Show faults at their fields.
 * @param {Map<string, Entry>} byName
 * @param {unknown} error
 * @returns {string[]} those that belong to no field here
 */
function showFaults(byName, error) {
  if (error instanceof FieldFaults) {
    for (const [name, text] of Object.entries(error.byName)) setFault(/** @type {Entry} */ (byName.get(name)), text);
    return [];
  }
  if (!(error instanceof ApiError) || !error.faults.length || error.status >= 500) return [inWords(error)];
  /** @type {string[]} */
  const rest = [];
  for (const fault of error.faults) {
    const name = /^\/data\/(?:attributes|relationships)\/([^/]+)/.exec(fault.source?.pointer ?? "")?.[1];
    const entry = byName.get(name ?? fault.meta?.attribute ?? "");
    if (entry?.control) setFault(entry, faultText(fault));
    else rest.push(faultText(fault));
  }
  return rest;
}
