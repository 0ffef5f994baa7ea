/** The page to sign in, which leads to where the reader wanted to go. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { go, link, urlOf } from "../core/router.js";
import { announce, current } from "../session/session.js";
import { signInForm } from "./parts.js";

/** @type {import("./index.js").PageModule["view"]} */
export function view(context, { query }) {
  const title = t("sign_in.title");
  const to = below(context.ui, query.get("to") ?? "");
  const { authentication, caller } = current();
  if (caller) {
    void go(to, { replace: true });
    return { title, node: h("div") };
  }
  const signedIn = async () => {
    await context.restart();
    announce();
    await go(to, { replace: true });
  };
  const node = h(
    "div",
    { class: "page" },
    signInForm(context, signedIn),
    authentication.password_reset ? h("p", {}, link(urlOf(["forgot"]), {}, t("forgot.title"))) : null,
    authentication.sign_up ? h("p", {}, link(urlOf(["sign-up"]), {}, t("sign_up.title"))) : null,
  );
  return { title, node };
}

/**
 * A path below the UI: a link to sign in must not lead elsewhere.
 * @param {string} ui the path of the UI
 * @param {string} wanted
 * @returns {string} the home page, if it is none
 */
function below(ui, wanted) {
  const url = URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : null;
  const isBelow = url?.origin === location.origin && url.pathname.startsWith(`${ui}/`);
  return isBelow ? url.pathname + url.search : urlOf([]);
}
