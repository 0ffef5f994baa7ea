/** What happens when a session ends while a page is open: the page stays, and a dialog signs in. */

import { onExpiry } from "../core/api.js";
import { open } from "../core/dialogs.js";
import { button, h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { say } from "../core/messages.js";
import { go, guard, urlOf } from "../core/router.js";
import { signInForm } from "../pages/parts.js";
import { announce, current, look, mayAll, onAnnouncement, refresh } from "./session.js";

/** @typedef {import("../app.js").Context} Context */
/** @typedef {"expired" | "signed_out" | "other"} Reason */
/** @typedef {"again" | "later" | "leave"} Answer */

/** @type {Promise<boolean> | null} */
let asking = null;

/** Lets the open dialog look again who has signed in. */
let lookAgain = () => {};

/**
 * Watch the session: its end, and what other tabs do with it.
 * @param {Context} context
 */
export function watch(context) {
  onExpiry(() => renew(context, "expired"));
  onAnnouncement(() => void notice(context));
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) void notice(context); // the browser has kept the page while we were elsewhere
  });
}

/**
 * Find out who has signed in or out in another tab.
 * @param {Context} context
 */
async function notice(context) {
  if (asking) {
    lookAgain();
    return;
  }
  const { caller } = current();
  const now = await look(context.api).catch(() => null);
  if (now === null) return; // the next request will tell
  if (now.caller?.id === caller?.id) await refresh(context.api);
  else if (!caller) await begin(context);
  else await renew(context, now.caller ? "other" : "signed_out");
}

/**
 * See to it that the page has its session again. Requests that find out together ask once.
 * @param {Context} context
 * @param {Reason} reason
 * @returns {Promise<boolean>} whether requests may be sent again
 */
function renew(context, reason) {
  asking ??= untilSettled(context, reason).finally(() => {
    asking = null;
  });
  return asking;
}

/**
 * @param {Context} context
 * @param {Reason} reason
 * @returns {Promise<boolean>}
 */
async function untilSettled(context, reason) {
  const { caller } = current();
  for (;;) {
    const now = await look(context.api);
    if (now.caller && !caller) {
      await begin(context);
      return true;
    }
    if (now.caller && now.caller.id === caller?.id) {
      await refresh(context.api);
      return true;
    }
    if (!now.caller && mayAll(now)) {
      await context.restart();
      if (caller) say(t("session.ended"));
      return true;
    }
    const why = now.caller ? "other" : reason;
    const answer = await ask(context, why);
    if (answer === "leave") return leave(why);
    if (answer === "later" && why !== "other") return false;
  }
}

/**
 * Somebody has signed in where nobody had: show what they may do.
 * @param {Context} context
 */
async function begin(context) {
  await context.restart();
  await go(location.pathname + location.search, { replace: true });
}

/**
 * Give up what is typed: for the page of who has signed in meanwhile, or that of nobody.
 * @param {Reason} why
 * @returns {false}
 */
function leave(why) {
  guard(null);
  if (why === "other") location.reload();
  else location.assign(urlOf([]));
  return false;
}

/**
 * Ask the reader to sign in, above the page.
 * @param {Context} context
 * @param {Reason} why
 * @returns {Promise<Answer>}
 */
function ask(context, why) {
  const reason = why === "expired" && !current().caller ? "needed" : why;
  return open(
    t(`session.${reason}`),
    (/** @type {(answer: Answer) => void} */ close) => {
      lookAgain = () => close("again");
      const done = () => {
        announce();
        close("again");
      };
      const other =
        why === "expired"
          ? button(t("cancel"), () => close("later"))
          : button(t(`session.${why}.leave`), () => close("leave"));
      return [h("p", {}, t(`session.${reason}.text`)), signInForm(context, done, other)];
    },
    "later",
  );
}
