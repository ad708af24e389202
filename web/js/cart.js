// The cart: the customer's own at the API; before they sign in, a list in this browser that is added to it once they do.
import * as api from "./api.js";
import { explain } from "./failure.js";
import { session } from "./session.js";
import { signal } from "./signal.js";
import { preferences } from "./storage.js";

const KEY = "almacen.cart";
/** The API's own bounds. */
export const PIECES_MAX = 999;
const LINES_MAX = 40;

/** As the API last told it; null while nobody is signed in or nothing was read yet. */
export const cart = signal(null);
/** What somebody put aside who is not signed in, and what could not be taken over yet: `[{productoId, cantidad}]`. */
export const kept = signal(readKept());
/** What could not be added after signing in: `[{productoId, why}]`. */
export const missed = signal([]);

function readKept() {
  try {
    const read = JSON.parse(preferences.get(KEY));
    const fits = ({ productoId, cantidad }) => typeof productoId === "string" && Number.isInteger(cantidad) && cantidad > 0;
    return Array.isArray(read) ? read.filter(fits).slice(0, LINES_MAX) : [];
  } catch {
    return [];
  }
}

kept.subscribe((lines) => (lines.length ? preferences.set(KEY, JSON.stringify(lines)) : preferences.remove(KEY)));
// Another tab of this browser has put something aside, or has signed in and taken it over.
addEventListener("storage", (event) => event.key === KEY && kept.set(readKept()));
session.subscribe((user) => {
  if (user) return;
  cart.set(null);
  missed.set([]);
});

export const pieces = (lines) => lines.reduce((sum, { cantidad }) => sum + cantidad, 0);

/** One change after the other, so that the last answer is the last state. */
let turn = Promise.resolve();
function inTurn(work) {
  const done = turn.then(work);
  turn = done.catch(() => {});
  return done;
}

/** Some changes answer the cart, some the cart beside a message, some nothing. */
const change = (work) =>
  inTurn(async () => {
    const user = session.get()?.username;
    const answer = await work();
    const now = answer?.carrito ?? answer ?? (await api.cart());
    if (session.get()?.username === user) cart.set(now);
  });

/** Adds; true if the cart has it now, false if it is only put aside until somebody signs in. */
export async function add(productId, quantity) {
  if (!session.get()) {
    putAside(productId, (kept.get().find((line) => line.productoId === productId)?.cantidad ?? 0) + quantity);
    return false;
  }
  await change(() => api.addToCart(productId, quantity));
  return true;
}

export const setQuantity = (productId, quantity) => change(() => api.setInCart(productId, quantity));
export const remove = (productId) => change(() => api.removeFromCart(productId));
export const applyCoupon = (code) => change(() => api.applyCoupon(code));
export const removeCoupon = () => change(() => api.removeCoupon());

/** Sets how many of a product are put aside; 0 forgets it. */
export function putAside(productId, quantity) {
  const lines = kept.get();
  const known = lines.find((one) => one.productoId === productId);
  const line = { ...known, productoId: productId, cantidad: Math.min(quantity, PIECES_MAX) };
  const next = known ? lines.map((one) => (one === known ? line : one)) : [...lines, line].slice(0, LINES_MAX);
  kept.set(next.filter(({ cantidad }) => cantidad > 0));
}

const piecesOf = (productId, now) => now.items.find((line) => line.productoId === productId)?.cantidad ?? 0;

/**
 * How many of a line are still to be added. `tried` is what a try left whose answer nobody heard: whatever the cart has more
 * of the product since then is that try's work, and is not added again.
 */
function stillToAdd({ productoId, cantidad, tried }, user, now) {
  if (tried?.user !== user) return cantidad;
  return Math.min(Math.max(tried.had + cantidad - piecesOf(productoId, now), 0), cantidad);
}

/**
 * Reads the cart and adds to it what was put aside before signing in. What cannot be added now stays put aside, for the
 * next call to try. Does nothing while nobody is signed in.
 */
export const takeOver = () =>
  inTurn(async () => {
    const user = session.get()?.username;
    const still = () => session.get()?.username === user;
    if (!user) return;
    let now = await api.cart();
    if (still()) cart.set(now);
    for (let line; still() && (line = kept.get()[0]); ) {
      // Out of the list first: two tabs that sign in at once must not both add it.
      putAside(line.productoId, 0);
      try {
        const missing = stillToAdd(line, user, now);
        if (missing) now = (await api.addToCart(line.productoId, missing)).carrito;
        if (still()) cart.set(now);
      } catch (failure) {
        const clear = failure.status >= 400 && failure.status < 500;
        if (!clear || [401, 429].includes(failure.status) || !still()) {
          const tried = line.tried?.user === user ? line.tried : { user, had: piecesOf(line.productoId, now) };
          kept.set([clear ? line : { ...line, tried }, ...kept.get()]);
          throw failure;
        }
        missed.set([...missed.get(), { productoId: line.productoId, why: explain(failure) }]);
      }
    }
  });
