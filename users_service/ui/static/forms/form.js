/** The form of one resource: what is new is created, what was changed is sent, and nothing else. */

import { ApiError, get, send } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { ask, open } from "../core/dialogs.js";
import { keepFocus } from "../core/focus.js";
import { t } from "../core/i18n.js";
import { uuid7 } from "../core/ids.js";
import { inWords, say, sayFault } from "../core/messages.js";
import { go, guard, urlOf } from "../core/router.js";
import { deleteWithUndo } from "../bulk/deletion.js";
import { nameOf } from "../lists/values.js";
import { isSelf, may } from "../session/session.js";
import { retitle, unknownView } from "../core/shell.js";
import { describeTaken, resolve } from "./conflict.js";
import { fieldSet } from "./fields.js";
import { linkageList } from "./linkage.js";
import { changes, merge, settle, together } from "./merge.js";

/** @typedef {import("../core/model.js").Resource} Resource */

// How often a change is merged and sent again where others are faster each time.
const MOST_MERGES = 5;

/**
 * Make the view of a resource, or of a new one.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {string} id `new` for a new one
 * @returns {Promise<import("../app.js").View>}
 */
export async function formView(context, resource, id) {
  if (id === "new") return newView(context, resource);
  try {
    const loaded = await fetchOne(resource, id);
    return editView(context, resource, loaded);
  } catch (error) {
    if (error instanceof ApiError && [400, 404].includes(error.status)) return unknownView();
    throw error;
  }
}

/**
 * @typedef {object} Loaded
 * @property {any} object the resource object
 * @property {Map<string, any>} included by type and id
 * @property {string} etag
 */

/**
 * Fetch a resource with what its to-one relationships lead to.
 * @param {Resource} resource
 * @param {string} id
 * @returns {Promise<Loaded>}
 */
async function fetchOne(resource, id) {
  const one = [...resource.relationships.values()].filter((each) => !each.isMany);
  const include = one.map(({ name }) => name).join();
  const url = `${resource.url}/${encodeURIComponent(id)}${include ? `?include=${include}` : ""}`;
  const { document, etag } = await get(url);
  const included = new Map(
    (document.included ?? []).map((/** @type {any} */ each) => [`${each.type} ${each.id}`, each]),
  );
  return { object: document.data, included, etag: etag ?? "" };
}

/**
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @returns {import("../app.js").View}
 */
function newView(context, resource) {
  if (!resource.methods.has("POST") || !may(`${resource.type}:create`)) return unknownView();
  const id = uuid7(); // the same for every try, so that it is stored once
  const fields = fieldSet(context, resource, { isNew: true, isOwn: false, object: null, included: new Map() });
  const title = t("list.new", { one: resource.one });
  let unanswered = ""; // what was sent first and may have been stored

  async function save() {
    const data = { type: resource.type, id, ...fields.values() };
    let created = null;
    try {
      created = (await send("POST", resource.url, { document: { data } })).document.data;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isUnclear(error)) unanswered ||= JSON.stringify(data);
      // Its unique values are then taken by itself.
      if (error.status !== 409 || !unanswered || !(await isStored(resource, id))) throw error;
      if (JSON.stringify(data) !== unanswered) {
        await send("PATCH", `${resource.url}/${id}`, { document: { data } });
      }
    }
    say(t("form.created", { one: resource.one }));
    const isHere = node.isConnected; // the reader may have gone on meanwhile
    if (isHere) guard(null);
    await showOnce(resource, created?.attributes ?? {});
    if (isHere) await go(urlOf([resource.type, id]), { replace: true });
  }

  const node = formNode({ fields, save, submit: t("form.create") });
  return { title, node };
}

/** Whether what was sent may have been done. @param {ApiError} error */
function isUnclear({ status }) {
  return status === 0 || status >= 500;
}

/**
 * Whether a creation that was refused has been stored by an earlier try, whose answer was lost.
 * @param {Resource} resource
 * @param {string} id
 */
async function isStored(resource, id) {
  try {
    await get(`${resource.url}/${id}`);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

/**
 * Show what the answer to a creation has and no other one, such as a token.
 * @param {Resource} resource
 * @param {Record<string, unknown>} attributes
 */
async function showOnce(resource, attributes) {
  const names = Object.keys(attributes).filter((name) => !resource.fields.has(name));
  for (const name of names) {
    const value = String(attributes[name]);
    await open(
      t("form.once"),
      (close) => [
        h("p", {}, t("form.once.text")),
        h("p", {}, h("code", {}, value)),
        h(
          "div",
          { class: "actions" },
          button(t("copy"), () => void navigator.clipboard?.writeText(value)),
          button(t("close"), () => close(null), { class: "primary" }),
        ),
      ],
      null,
    );
  }
}

/**
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Loaded} loaded
 * @returns {import("../app.js").View}
 */
function editView(context, resource, loaded) {
  const { id } = loaded.object;
  const isOwn = isSelf(loaded.object);
  let base = loaded;
  const body = h("div", {});
  /** @type {ReturnType<typeof fieldSet>} */
  let fields;

  function fillBody() {
    const { object, included } = base;
    fields = fieldSet(context, resource, { isNew: false, isOwn, object, included });
    const canSave = fields.isChangeable;
    const made = formNode({ fields, save, submit: canSave ? t("save") : "" });
    keepFocus(body, () => fill(body, made));
  }

  /** Read the resource anew, for what others and lists of related resources have changed. */
  async function reload() {
    if (fields.isDirty()) return; // what others have changed is merged when it is saved
    base = await fetchOne(resource, id);
    fillBody();
  }

  async function save() {
    const typed = fields.changes();
    if (!Object.keys(typed).length) {
      say(t("form.unchanged"));
      return;
    }
    let taken;
    try {
      taken = await store(typed);
    } catch (error) {
      if (!isGone(error)) throw error;
      await offerAgain();
      return;
    }
    if (taken === null) return; // the form keeps what was typed
    await refill().catch(sayFault);
    say(describeTaken(resource, taken) || t("form.saved"));
  }

  /**
   * Send what was typed, merged with what others have stored meanwhile.
   * @param {any} typed
   * @returns {Promise<string[] | null>} what was taken over from others; null if the reader was asked
   *   and left it
   */
  async function store(typed) {
    let was = valuesOf(base.object);
    let wanted = together(was, typed);
    let sent = typed;
    let { etag } = base;
    /** @type {Set<string>} */
    const taken = new Set();
    for (let tries = 1; ; tries += 1) {
      try {
        if (Object.keys(sent).length) await change(sent, etag);
        return [...taken];
      } catch (error) {
        const isOutdated = error instanceof ApiError && error.status === 412;
        if (!isOutdated || tries === MOST_MERGES) throw error;
      }
      const fresh = await fetchOne(resource, id);
      const theirs = together(was, valuesOf(fresh.object));
      const result = merge(was, theirs, wanted);
      const included = new Map([...base.included, ...fresh.included]);
      const choices = result.conflicts.length
        ? await resolve(context, resource, result.conflicts, { included })
        : {};
      if (choices === null) return null;
      result.taken.forEach((member) => taken.add(member));
      wanted = settle(result, choices);
      sent = changes(theirs, wanted);
      was = theirs;
      etag = fresh.etag;
    }
  }

  /**
   * @param {any} changed
   * @param {string} ifMatch
   */
  function change(changed, ifMatch) {
    const data = { type: resource.type, id, ...changed };
    return send("PATCH", `${resource.url}/${id}`, { document: { data }, ifMatch });
  }

  async function refill() {
    if (!body.isConnected) return; // the reader has gone on meanwhile
    base = await fetchOne(resource, id);
    guard(null);
    fillBody();
    retitle(context, nameOf(resource, base.object));
  }

  const again = uuid7(); // the same for every try, so that it is stored once

  /** The resource was deleted: what was typed can become a new one. */
  async function offerAgain() {
    const canCreate = resource.methods.has("POST") && may(`${resource.type}:create`);
    const text = t("form.deleted", { one: resource.one });
    if (!canCreate) {
      say(text, { kind: "fault" });
      return;
    }
    if (!(await ask(t("form.deleted.heading"), text, t("form.create_again")))) return;
    const data = { type: resource.type, id: again, ...fields.values() };
    await send("POST", resource.url, { document: { data } });
    guard(null);
    await go(urlOf([resource.type, again]), { replace: true });
  }

  fillBody();
  const isList = (/** @type {import("../core/model.js").Relationship} */ each) =>
    each.isMany && context.model.resources.has(each.target);
  const many = [...resource.relationships.values()].filter(isList);
  const canDelete = resource.methods.has("DELETE") && may(`${resource.type}:delete`);
  const remove = () =>
    void deleteWithUndo(context, resource, [{ ...base.object, meta: { etag: base.etag } }], () => {
      guard(null);
      void go(urlOf([resource.type]));
    });
  const name = nameOf(resource, base.object);
  return {
    title: name,
    node: h(
      "div",
      { class: "item" },
      body,
      many.map((each) => linkageList(context, resource, each, id, () => void reload().catch(sayFault))),
      canDelete ? h("div", { class: "danger" }, button(t("bulk.delete"), remove)) : null,
    ),
  };
}

/**
 * The attributes and the linkage of a resource object.
 * @param {any} object
 */
function valuesOf(object) {
  /** @type {Record<string, any>} */
  const relationships = {};
  for (const [name, each] of Object.entries(object.relationships ?? {})) {
    const { data } = /** @type {any} */ (each);
    if (data !== undefined) relationships[name] = { data };
  }
  return { attributes: object.attributes ?? {}, relationships };
}

/**
 * Whether the resource itself is not there any more, rather than one that it leads to.
 * @param {unknown} error
 */
function isGone(error) {
  return error instanceof ApiError && error.faults.some(({ code }) => code === "not_found");
}

/**
 * The form around the fields, which saves, and asks before it is left.
 * @param {{fields: ReturnType<typeof fieldSet>, save: () => Promise<void>, submit: string}} options
 */
function formNode({ fields, save, submit }) {
  const summary = h("div", { class: "summary", role: "alert", tabindex: "-1" });
  const saving = h("button", { class: "primary", "data-shortcut": "save" }, submit);
  let isSaving = false;

  async function onSubmit(/** @type {Event} */ event) {
    event.preventDefault();
    if (isSaving) return; // a double click sends once
    isSaving = true;
    saving.setAttribute("aria-disabled", "true");
    fields.clearFaults();
    fill(summary);
    try {
      await save();
    } catch (error) {
      if (!form.isConnected) {
        sayFault(error);
        return;
      }
      const rest = fields.showFaults(error);
      if (rest.length || !fields.focusFault()) {
        fill(summary, rest.length ? rest.join(" ") : inWords(error));
        if (!fields.focusFault()) summary.focus();
      }
    } finally {
      isSaving = false;
      saving.removeAttribute("aria-disabled");
    }
  }

  const leave = () => ask(t("form.leave"), t("form.leave.text"), t("form.leave.confirm"));
  const form = h(
    "form",
    { novalidate: true, onsubmit: onSubmit, oninput: () => guard(fields.isDirty() ? leave : null) },
    summary,
    fields.node,
    submit ? h("div", { class: "actions" }, saving) : null,
  );
  return form;
}
