/** One's own account: name, password, address, sign-ins, and named tokens. */

import { get, send } from "../core/api.js";
import { ask } from "../core/dialogs.js";
import { data, h, newId } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { say } from "../core/messages.js";
import { go, guard, link, urlOf } from "../core/router.js";
import { current, may } from "../session/session.js";
import { emailInput, form, lineInput, passwordInput, request, urlOfType, usernameFor } from "./parts.js";
import { namedTokens, signIns } from "./tokens.js";

/** @typedef {import("../app.js").Context} Context */
/** @typedef {import("./parts.js").Input} Input */

/** @type {import("./index.js").PageModule["view"]} */
export async function view(context) {
  const title = t("account.title");
  const { caller, authentication } = current();
  if (!caller) {
    const query = new URLSearchParams({ to: urlOf(["account"]) });
    void go(urlOf(["sign-in"], query), { replace: true });
    return { title, node: h("div") };
  }
  const url = `${urlOfType(context, caller.type)}/${encodeURIComponent(caller.id)}`;
  const { attributes } = (await get(url)).document.data;
  const change = (/** @type {Record<string, any>} */ changes) =>
    send("PATCH", url, { document: { data: { ...caller, attributes: changes } } });
  const canChange = may("self:update") || may(`${caller.type}:update`);
  const signedIn = signIns(context);
  const person = canChange ? nameForm(attributes.name, change) : null;
  const parts = [person, canChange ? passwordForm(attributes.email, change, signedIn.reload) : null];
  if (authentication.email_change && may("self:update")) parts.push(emailForm(context, attributes.email));
  const address = h("p", {}, t("account.address"), " ", data(attributes.email));
  const record = h("p", {}, link(urlOf([caller.type, caller.id]), {}, t("account.record")));
  const node = h(
    "div",
    { class: "page", oninput: () => guardForms(parts) },
    address,
    record,
    parts.map((part) => part?.node),
    signedIn.node,
    namedTokens(context),
  );
  return { title, node };
}

/**
 * @typedef {object} Part
 * @property {HTMLElement} node
 * @property {Input[]} inputs
 */

/**
 * Ask before what is typed is lost.
 * @param {(Part | null)[]} parts
 */
function guardForms(parts) {
  const isDirty = parts.some((part) => part?.inputs.some((input) => input.isDirty()));
  const leave = () => ask(t("form.leave"), t("form.leave.text"), t("form.leave.confirm"));
  guard(isDirty ? leave : null);
}

/**
 * @param {string} heading
 * @param {Omit<import("./parts.js").FormOptions, "act">} options
 * @param {(values: Record<string, any>) => Promise<void>} act
 * @returns {Part}
 */
function part(heading, options, act) {
  const id = newId();
  const made = form({
    ...options,
    act: async (values) => {
      await act(values);
      made.dispatchEvent(new Event("input", { bubbles: true })); // nothing typed is left
    },
  });
  return {
    node: h("section", { "aria-labelledby": id }, h("h2", { id }, heading), made),
    inputs: options.inputs,
  };
}

/** @typedef {(changes: Record<string, any>) => Promise<any>} Change */

/**
 * @param {string} name
 * @param {Change} change
 */
function nameForm(name, change) {
  const input = lineInput("name", t("title.users.name"), { value: name, autocomplete: "name", dir: "auto" });
  return part(t("title.users.name"), { inputs: [input], submit: t("save") }, async (values) => {
    const { document } = await change(values);
    input.reset(document.data.attributes.name);
    say(t("form.saved"));
  });
}

/**
 * @param {string} email
 * @param {Change} change
 * @param {() => Promise<void>} reload shows the sign-ins anew
 */
function passwordForm(email, change, reload) {
  const inputs = [
    passwordInput("current_password", t("title.users.current_password"), "current-password"),
    passwordInput("password", t("reset.password"), "new-password"),
  ];
  const options = { inputs, submit: t("reset.submit"), within: usernameFor(email) };
  return part(t("title.users.password"), options, async (values) => {
    await change(values);
    for (const input of inputs) input.reset("");
    say(t("account.password_set"));
    await reload();
  });
}

/**
 * @param {Context} context
 * @param {string} email
 */
function emailForm(context, email) {
  const inputs = [
    emailInput("email"),
    passwordInput("current_password", t("title.users.current_password"), "current-password"),
  ];
  const options = { inputs, submit: t("account.change_address"), within: usernameFor(email) };
  return part(t("account.new_address"), options, async (values) => {
    await request(context, "emails", values, {});
    for (const input of inputs) input.reset("");
    say(t("account.mailed", { email: values.email }), { seconds: 60 });
  });
}
