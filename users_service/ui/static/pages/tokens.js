/** The reader's own sign-ins and named tokens: listed, ended, and made. */

import { ApiError, get, send } from "../core/api.js";
import { ask, open } from "../core/dialogs.js";
import { button, data, fill, h, newId } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { inWords, say, sayFault } from "../core/messages.js";
import { link, urlOf } from "../core/router.js";
import { show } from "../lists/values.js";
import { current, may } from "../session/session.js";
import { create, form, lineInput, urlOfType } from "./parts.js";

/** @typedef {import("../app.js").Context} Context */
/** @typedef {{id: string, attributes: Record<string, any>}} Token */

const TYPE = "tokens";

// Days for which a new token is good, unless the reader wants others.
const LIFETIME = 30;

const ACTIONS = { GET: "read", POST: "create", PATCH: "update", DELETE: "delete" };

/**
 * The sign-ins of the reader, in all browsers.
 * @param {Context} context
 */
export function signIns(context) {
  const others = button(t("account.end_others"), () => void endOthers().catch(sayFault));
  const made = list(context, {
    heading: t("account.sign_ins"),
    text: t("account.sign_ins.text"),
    isNamed: false,
    columns: ["user_agent", "address", "creation_time", "last_used_time"],
    beside: others,
    onLoad: (found) => {
      others.hidden = found.length < 2;
    },
  });

  async function endOthers() {
    const confirmed = await ask(
      t("account.end_others"),
      t("account.end_others.text"),
      t("account.end_others"),
    );
    if (!confirmed) return;
    for (const { id } of await fetchAll(context, false)) {
      if (id !== current().token?.id) await end(context, id);
    }
    say(t("account.ended_others"));
    await made.reload();
  }

  return { node: made.node, reload: made.reload };
}

/**
 * The named tokens of the reader, and the form that makes one.
 * @param {Context} context
 */
export function namedTokens(context) {
  const made = list(context, {
    heading: t("account.tokens"),
    text: t("account.tokens.text"),
    isNamed: true,
    columns: ["name", "permissions", "expiration_time", "last_used_time"],
  });
  if (may("self:update")) made.node.append(tokenForm(context, made.reload));
  return made.node;
}

/**
 * @typedef {object} ListOptions
 * @property {string} heading
 * @property {string} text what they are
 * @property {boolean} isNamed whether it is named tokens that are listed, and not sign-ins
 * @property {string[]} columns
 * @property {HTMLElement} [beside] what stands below the list
 * @property {(found: Token[]) => void} [onLoad]
 */

/**
 * @param {Context} context
 * @param {ListOptions} options
 */
function list(context, { heading, text, isNamed, columns, beside, onLoad }) {
  const id = newId();
  const title = h("h2", { id, tabindex: "-1" }, heading);
  const rows = h("div", { class: "scroll" });
  const node = h("section", { "aria-labelledby": id }, title, h("p", {}, text), rows, beside);

  async function reload() {
    try {
      const found = await fetchAll(context, isNamed);
      fill(rows, found.length ? tokenTable(context, columns, found, id, remove) : h("p", {}, t("account.none")));
      onLoad?.(found);
    } catch (error) {
      fill(rows, h("p", {}, inWords(error), " ", button(t("try_again"), () => void reload())));
    }
  }

  /** @param {Token} token */
  async function remove(token) {
    const content = [t("account.end.text"), " ", data(nameOf(token))];
    if (!(await ask(t("account.end.heading"), content, t("account.end")))) return;
    await end(context, token.id);
    say(t("account.ended"));
    await reload();
    title.focus();
  }

  void reload();
  return { node, reload };
}

/**
 * Fetch the reader's sign-ins or named tokens. There are not many: the service has a limit.
 * @param {Context} context
 * @param {boolean} isNamed
 * @returns {Promise<Token[]>} those used last come first
 */
async function fetchAll(context, isNamed) {
  const query = new URLSearchParams({
    "filter[user]": current().caller?.id ?? "",
    "filter[name][isnull]": String(!isNamed),
    sort: "-last_used_time,-creation_time",
    "page[size]": "100",
  });
  /** @type {Token[]} */
  const found = [];
  let url = `${urlOfType(context, TYPE)}?${query}`;
  while (url) {
    const { document } = await get(url);
    found.push(...document.data);
    url = document.links.next ?? "";
  }
  return found;
}

/**
 * @param {Context} context
 * @param {string} id
 */
async function end(context, id) {
  try {
    await send("DELETE", `${urlOfType(context, TYPE)}/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error; // it has ended already
  }
}

/** @param {Token} token */
function nameOf({ attributes }) {
  return attributes.name ?? attributes.user_agent ?? t("account.unknown_device");
}

/**
 * @param {Context} context
 * @param {string} name
 */
function fieldOf(context, name) {
  const field = context.model.resources.get(TYPE)?.fields.get(name);
  if (!field) throw new Error(`${TYPE} have no ${name}`);
  return field;
}

/**
 * @param {Context} context
 * @param {string[]} columns
 * @param {Token[]} found
 * @param {string} labelId of their heading
 * @param {(token: Token) => Promise<void>} remove
 */
function tokenTable(context, columns, found, labelId, remove) {
  const fields = columns.map((name) => fieldOf(context, name));
  const canEnd = may("self:update");
  const headers = fields.map(({ title }) => h("th", { scope: "col" }, title));
  const rows = found.map((token) => {
    const [first, ...rest] = fields.map((field) => valueOf(field, token));
    const isThis = token.id === current().token?.id;
    const action = isThis ? link(urlOf(["sign-out"]), {}, t("sign_out.title")) : ending(token);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, first, isThis ? h("div", {}, h("strong", {}, t("account.this_one"))) : null),
      rest.map((each) => h("td", {}, each)),
      h("td", {}, isThis || canEnd ? action : null),
    );
  });

  /** @param {Token} token */
  function ending(token) {
    const label = t("account.end_one", { name: nameOf(token) });
    return button(t("account.end"), () => void remove(token).catch(sayFault), { "aria-label": label });
  }

  const header = h("tr", {}, headers, h("td"));
  const table = h("table", {}, h("thead", {}, header), h("tbody", {}, rows));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": labelId }, table);
}

/**
 * @param {import("../core/model.js").Field} field
 * @param {Token} token
 */
function valueOf(field, { attributes }) {
  const value = attributes[field.name];
  if (field.name === "permissions" && value === null) return t("account.all_permissions");
  return show(field, value);
}

/**
 * The form that makes a named token.
 * @param {Context} context
 * @param {() => Promise<void>} reload shows the tokens anew
 */
function tokenForm(context, reload) {
  const name = lineInput("name", fieldOf(context, "name").title, { autocomplete: "off", dir: "auto" });
  const expiry = lineInput(
    "expiration_time",
    fieldOf(context, "expiration_time").title,
    { type: "date", min: dayAfter(0), value: dayAfter(LIFETIME) },
    { hint: t("account.expiry_hint") },
  );
  const permissions = permissionsInput(context);
  const made = form({
    inputs: [name, expiry, permissions],
    submit: t("account.make"),
    act: async (values) => {
      const time = new Date(`${values.expiration_time}T23:59:59`); // the end of the reader's day
      const attributes = { ...values, expiration_time: time.toISOString() };
      const { document } = await create(context, TYPE, attributes);
      name.reset("");
      expiry.reset(dayAfter(LIFETIME));
      permissions.reset("");
      await showSecret(document.data.attributes.secret);
      await reload();
    },
  });
  return h("details", {}, h("summary", {}, t("account.new_token")), made);
}

/**
 * A day that is so many days ahead, as date fields have it.
 * @param {number} days
 */
function dayAfter(days) {
  const time = new Date();
  time.setDate(time.getDate() + days);
  const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
}

/**
 * What a token is narrowed to: nothing, or chosen permissions.
 * @param {Context} context
 * @returns {import("./parts.js").Input}
 */
function permissionsInput(context) {
  const [group, id, faultId] = [newId(), newId(), newId()];
  const fault = h("p", { id: faultId, class: "fault" });
  const choose = (/** @type {boolean} */ isNarrow) =>
    h("input", {
      type: "radio",
      name: group,
      checked: !isNarrow,
      "aria-describedby": faultId,
      onchange: () => {
        chosen.hidden = !isNarrow;
      },
    });
  const [whole, narrow] = [choose(false), choose(true)];
  const boxes = offered(context).map((value) => h("input", { type: "checkbox", value }));
  const more = h("input", { type: "text", id, autocomplete: "off", spellcheck: "false", dir: "ltr" });
  const chosen = h(
    "div",
    { class: "choices", hidden: true },
    boxes.map((box) => h("label", { class: "check" }, box, h("code", {}, box.value))),
    h("div", { class: "field" }, h("label", { for: id }, t("account.more_permissions")), more),
  );
  const ticked = () => boxes.filter(({ checked }) => checked).map(({ value }) => value);
  const typed = () => more.value.split(/[\s,]+/).filter(Boolean);
  const value = () => {
    if (whole.checked) return null;
    const all = [...new Set([...ticked(), ...typed()])];
    return all.length ? all : "";
  };
  return {
    name: "permissions",
    node: h(
      "fieldset",
      {},
      h("legend", {}, fieldOf(context, "permissions").title),
      h("label", { class: "check" }, whole, t("account.all_permissions")),
      h("label", { class: "check" }, narrow, t("account.only")),
      chosen,
      fault,
    ),
    control: narrow,
    fault,
    value,
    isDirty: () => value() !== null,
    reset: () => {
      whole.checked = true;
      chosen.hidden = true;
      more.value = "";
      for (const box of boxes) box.checked = false;
    },
  };
}

/**
 * The permissions that the reader has and a token can be narrowed to, as far as the API names them.
 * @param {Context} context
 */
function offered(context) {
  const resources = [...context.model.resources.values()];
  const all = resources.flatMap(({ type, methods, relationships }) => [
    ...Object.entries(ACTIONS).filter(([method]) => methods.has(method)).map(([, action]) => `${type}:${action}`),
    ...[...relationships.values()].flatMap(({ changedBy }) => changedBy),
  ]);
  const held = current().permissions.filter((each) => !each.endsWith("*"));
  return [...new Set(["self:read", "self:update", ...all, ...held])].filter(may).sort();
}

/**
 * Show a new token: nobody can do so later.
 * @param {string} secret
 * @returns {Promise<null>}
 */
function showSecret(secret) {
  const field = h("input", { readonly: true, value: secret, "aria-label": t("account.secret"), dir: "ltr" });
  const status = h("p", { role: "status" });

  async function copy() {
    try {
      await navigator.clipboard.writeText(secret);
      fill(status, t("account.copied"));
    } catch {
      field.select(); // the browser does not let us
      fill(status, t("account.copy_by_hand"));
    }
  }

  return open(
    t("account.secret"),
    (/** @type {(result: null) => void} */ close) => [
      h("p", {}, t("account.secret.text")),
      field,
      status,
      h(
        "div",
        { class: "actions" },
        button(t("copy"), () => void copy()),
        button(t("close"), () => close(null), { class: "primary" }),
      ),
    ],
    null,
  );
}
