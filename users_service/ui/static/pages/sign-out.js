/** The entry of the menu that signs out. */

import { ApiError, send } from "../core/api.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { link, urlOf } from "../core/router.js";
import { announce, current } from "../session/session.js";
import { cameIn, form, showDone, urlOfType } from "./parts.js";

/** @type {import("./index.js").PageModule["view"]} */
export async function view(context) {
  const node = h("div", { class: "page" });
  const title = t("sign_out.title");
  const showEnd = () => showDone(node, t("sign_out.done"), link(urlOf(["sign-in"]), {}, t("sign_in.title")));
  const act = async () => {
    await signOut(context);
    showEnd();
  };
  // A link from elsewhere signs nobody out.
  if (current().caller && cameIn === urlOf(["sign-out"])) {
    node.append(form({ inputs: [], submit: title, act }));
  } else {
    await act();
  }
  return { title, node };
}

/** @param {import("../app.js").Context} context */
async function signOut(context) {
  const { token } = current();
  if (!token) return;
  try {
    await send("DELETE", `${urlOfType(context, token.type)}/${token.id}`, { anonymous: true });
  } catch (error) {
    // One that has ended already is what we want.
    if (!(error instanceof ApiError) || ![401, 404].includes(error.status)) throw error;
  }
  await context.restart();
  announce();
}
