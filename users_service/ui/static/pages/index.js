/**
 * The special pages, one line each: its path, its module, and when menus and the home page lead
 * there. The title of a page is the text `<path>.title`.
 */

/** @typedef {import("../session/session.js").Session} Session */

/**
 * @typedef {object} PageModule
 * @property {(context: import("../app.js").Context, place: import("../core/router.js").Place) =>
 *   import("../app.js").View | Promise<import("../app.js").View>} view
 */

/**
 * @typedef {object} Page
 * @property {string[]} segments of its path below the UI
 * @property {string} title the key of its text
 * @property {() => Promise<PageModule>} load
 * @property {(session: Session) => boolean} [menu] whether the menu leads there now
 * @property {(session: Session, visible: number) => boolean} [entry] whether the home page does,
 *   where the reader sees so many resources
 */

const isNobody = (/** @type {Session} */ { caller }) => caller === null;
const isSomebody = (/** @type {Session} */ { caller }) => caller !== null;
const seesNothing = (/** @type {Session} */ session, /** @type {number} */ visible) =>
  isNobody(session) && visible === 0;
const maySignUp = (/** @type {Session} */ session) =>
  isNobody(session) && session.authentication.sign_up;

/** @type {Page[]} */
export const pages = [
  page("sign-in", () => import("./sign-in.js"), { menu: isNobody, entry: seesNothing }),
  page("sign-up", () => import("./sign-up.js"), { menu: maySignUp }),
  page("verify", () => import("./verify.js")),
  page("forgot", () => import("./forgot.js")),
  page("reset", () => import("./reset.js")),
  page("account", () => import("./account.js"), { menu: isSomebody }),
  page("sign-out", () => import("./sign-out.js"), { menu: isSomebody }),
];

/**
 * @param {string} path
 * @param {() => Promise<PageModule>} load
 * @param {Pick<Page, "menu" | "entry">} [leads]
 * @returns {Page}
 */
function page(path, load, leads = {}) {
  return { segments: [path], title: `${path.replace("-", "_")}.title`, load, ...leads };
}
