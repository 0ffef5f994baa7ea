/** What the special pages share: forms whose faults stand at their fields, and what they send. */

import { ApiError, send } from "../core/api.js";
import { button, fill, h, newId } from "../core/dom.js";
import { instant, t } from "../core/i18n.js";
import { faultText, inWords } from "../core/messages.js";
import { note, urlOf } from "../core/router.js";
import { current } from "../session/session.js";

/** @typedef {import("../app.js").Context} Context */

/** The path by which the browser has come in. */
export const cameIn = location.pathname;

/**
 * @typedef {object} Input a field of a form
 * @property {string} name of the attribute that it is sent as
 * @property {HTMLElement} node all of it: label, control, hint, and fault
 * @property {HTMLElement} control what gets the keyboard
 * @property {HTMLElement} fault
 * @property {() => any} value an empty text where it is missing
 * @property {() => boolean} isDirty whether it was changed
 * @property {(value: string) => void} reset begins anew
 */

/**
 * Make a field of one line.
 * @param {string} name
 * @param {string} label
 * @param {Record<string, any>} attributes of the control
 * @param {{hint?: string, beside?: (control: HTMLInputElement) => HTMLElement}} [more] what explains
 *   it, and what stands beside it
 * @returns {Input & {control: HTMLInputElement}}
 */
export function lineInput(name, label, attributes, { hint = "", beside } = {}) {
  const { id, described, fault, node } = frame(label, hint);
  let before = attributes.value ?? "";
  const control = h("input", { type: "text", id, name, "aria-describedby": described, ...attributes });
  node.firstElementChild?.after(control, ...(beside ? [beside(control)] : []));
  return {
    name,
    node,
    control,
    fault,
    value: () => control.value,
    isDirty: () => control.value !== before,
    reset: (value) => {
      before = value;
      control.value = value;
    },
  };
}

/**
 * The label, the hint and the fault of a control.
 * @param {string} label
 * @param {string} hint empty for none
 */
function frame(label, hint) {
  const [id, faultId, hintId] = [newId(), newId(), newId()];
  const fault = h("p", { id: faultId, class: "fault" });
  const node = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint ? h("p", { id: hintId, class: "hint" }, hint) : null,
    fault,
  );
  return { id, described: hint ? `${faultId} ${hintId}` : faultId, fault, node };
}

/**
 * @param {string} autocomplete whose address it is
 * @param {Record<string, any>} [attributes]
 */
export function emailInput(autocomplete, attributes = {}) {
  const all = { inputmode: "email", spellcheck: "false", autocapitalize: "none", dir: "auto" };
  return lineInput("email", t("title.users.email"), { ...all, autocomplete, ...attributes });
}

/**
 * @param {string} name
 * @param {string} label
 * @param {"current-password" | "new-password"} autocomplete
 * @param {Record<string, any>} [attributes]
 */
export function passwordInput(name, label, autocomplete, attributes = {}) {
  const hint = autocomplete === "new-password" ? t("sign_in.password_hint") : "";
  const all = { type: "password", autocomplete, spellcheck: "false", ...attributes };
  return lineInput(name, label, all, { hint, beside: showing });
}

/**
 * The button that shows a password, and hides it again.
 * @param {HTMLInputElement} control
 */
function showing(control) {
  const toggle = button(
    t("sign_in.show_password"),
    () => {
      const isShown = control.type === "text";
      control.type = isShown ? "password" : "text";
      toggle.setAttribute("aria-pressed", String(!isShown));
    },
    { "aria-pressed": "false", "aria-controls": control.id },
  );
  return toggle;
}

/**
 * For password managers: whose password a form is about.
 * @param {string} email
 */
export function usernameFor(email) {
  return h("input", { autocomplete: "username", value: email, hidden: true, readonly: true });
}

/**
 * @typedef {object} FormOptions
 * @property {Input[]} inputs
 * @property {string} submit the text of its button
 * @property {(values: Record<string, any>) => Promise<void>} act may throw: then all stays as it is
 * @property {string} [again] the field that one corrects where the fault is that of none
 * @property {string[]} [optional] the names of fields that may be empty
 * @property {import("../core/dom.js").Child} [beside] what stands beside the button
 * @property {import("../core/dom.js").Child} [within] what else is in the form
 */

/**
 * Make a form.
 * @param {FormOptions} options
 * @returns {HTMLFormElement}
 */
export function form({ inputs, submit, act, again = "", optional = [], beside, within }) {
  const summary = h("div", { class: "summary", role: "alert", tabindex: "-1" });
  const sending = h("button", { class: "primary" }, submit);
  let isSending = false;

  /** @param {Event} event */
  async function onSubmit(event) {
    event.preventDefault();
    if (isSending) return; // a double click sends once
    isSending = true;
    sending.setAttribute("aria-disabled", "true");
    for (const input of inputs) setFault(input, "");
    fill(summary);
    try {
      const values = Object.fromEntries(inputs.map((input) => [input.name, input.value()]));
      const missing = inputs.filter(({ name }) => values[name] === "" && !optional.includes(name));
      for (const input of missing) setFault(input, t("rule.required"));
      if (missing.length) showSummary([]);
      else await act(values);
    } catch (error) {
      showSummary(showFaults(inputs, error));
    } finally {
      isSending = false;
      sending.removeAttribute("aria-disabled");
    }
  }

  /** @param {string[]} rest what belongs to no field */
  function showSummary(rest) {
    const faulty = inputs.filter(({ fault }) => fault.textContent);
    const counted = faulty.length ? [t("sign_in.faulty", { n: faulty.length })] : [];
    fill(summary, [...rest, ...counted].join(" "));
    const wrong = faulty[0] ?? inputs.find(({ name }) => name === again);
    (wrong?.control ?? summary).focus();
  }

  const actions = h("div", { class: "actions" }, sending, beside);
  const nodes = inputs.map(({ node }) => node);
  return h("form", { novalidate: true, onsubmit: onSubmit }, summary, within, nodes, actions);
}

/**
 * @param {Input} input
 * @param {string} text empty for none
 */
function setFault({ fault, control }, text) {
  fill(fault, text);
  if (text) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

/**
 * Show faults at their fields.
 * @param {Input[]} inputs
 * @param {unknown} error
 * @returns {string[]} those that belong to none of them
 */
function showFaults(inputs, error) {
  if (!(error instanceof ApiError)) console.error(error);
  if (!(error instanceof ApiError) || ![401, 409, 422].includes(error.status)) return [wordsOf(error)];
  const rest = [];
  for (const fault of error.faults) {
    const pointed = /^\/data\/attributes\/([^/]+)/.exec(fault.source?.pointer ?? "")?.[1];
    const input = inputs.find(({ name }) => name === (pointed ?? fault.meta?.attribute));
    if (input) setFault(input, textOf(fault));
    else rest.push(fault.code === "invalid_code" ? t("verify.refused") : textOf(fault));
  }
  return error.faults.length ? rest : [wordsOf(error)];
}

/** @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof ApiError) || error.status !== 429) return inWords(error);
  return t("sign_in.too_many", { n: Math.max(1, Math.ceil(error.wait / 60)) });
}

/** @param {import("../core/api.js").Fault} fault */
function textOf(fault) {
  if (fault.code === "invalid_credentials") return t("sign_in.refused");
  const { limit } = fault.meta ?? {};
  const isTime = typeof limit === "string" && !Number.isNaN(Date.parse(limit));
  return faultText(isTime ? { ...fault, meta: { ...fault.meta, limit: instant(limit) } } : fault);
}

// As long as the page is open: whoever signs in again need not type it.
let lastEmail = "";

/**
 * The form that signs in.
 * @param {Context} context
 * @param {() => void | Promise<void>} done
 * @param {import("../core/dom.js").Child} [beside] what stands beside its button
 */
export function signInForm(context, done, beside) {
  const isKnown = current().caller !== null && lastEmail !== "";
  const email = emailInput("username", { value: isKnown ? lastEmail : "", autofocus: !isKnown });
  const password = passwordInput("password", t("title.users.password"), "current-password", {
    autofocus: isKnown,
  });
  return form({
    inputs: [email, password],
    submit: t("sign_in.submit"),
    again: "password",
    beside,
    act: async (values) => {
      await create(context, "tokens", { ...values, transport: "cookie" }, { anonymous: true });
      lastEmail = values.email;
      password.reset("");
      await done();
    },
  });
}

/**
 * The URL of a resource's collection.
 * @param {Context} context
 * @param {string} type
 */
export function urlOfType(context, type) {
  const resource = context.model.resources.get(type);
  if (!resource) throw new Error(`The API has no ${type}`);
  return resource.url;
}

/**
 * Create a resource.
 * @param {Context} context
 * @param {string} type
 * @param {Record<string, any>} attributes
 * @param {import("../core/api.js").Options} [options]
 */
export function create(context, type, attributes, options = {}) {
  const document = { data: { type, attributes } };
  return send("POST", urlOfType(context, type), { ...options, document });
}

// The mailed links are for whoever has them: who has signed in here does not matter.
const AS_NOBODY = { anonymous: true, withoutCookie: true };

/**
 * Ask for something that is done by mail.
 * @param {Context} context
 * @param {string} kind the last segment of its URL, which is also its type
 * @param {Record<string, any>} attributes
 * @param {import("../core/api.js").Options} [options]
 */
export function request(context, kind, attributes, options = AS_NOBODY) {
  const document = { data: { type: kind, attributes } };
  return send("POST", `${context.api}/auth/${kind}`, { ...options, document });
}

/**
 * Take the code that was mailed out of the URL, where histories would keep it.
 * @param {import("../core/router.js").Place} place
 * @returns {string} empty if there is none
 */
export function takeCode(place) {
  const code = location.hash.slice(1) || (place.query.get("code") ?? "");
  if (code) note(urlOf(place.segments), { replace: true });
  return code;
}

/** The field for a code that was not in the URL. */
export function codeInput() {
  const attributes = { autocomplete: "off", spellcheck: "false", autocapitalize: "none", dir: "ltr" };
  return lineInput("code", t("verify.code"), attributes, { hint: t("verify.code_hint") });
}

/**
 * Say that it is done, in place of the form.
 * @param {HTMLElement} node
 * @param {string} text
 * @param {...import("../core/dom.js").Child} links where to go from here
 */
export function showDone(node, text, ...links) {
  const message = h("p", { role: "status", tabindex: "-1" }, text);
  fill(node, message, links.map((each) => h("p", {}, each)));
  message.focus();
}
