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
/** What somebody put aside who is not signed in: `[{productoId, cantidad}]`. */
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

export const refresh = () => change(() => api.cart());

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
  const line = { productoId: productId, cantidad: Math.min(quantity, PIECES_MAX) };
  const lines = kept.get();
  const known = lines.some((one) => one.productoId === productId);
  const next = known ? lines.map((one) => (one.productoId === productId ? line : one)) : [...lines, line].slice(0, LINES_MAX);
  kept.set(next.filter(({ cantidad }) => cantidad > 0));
}

/** Adds to the cart what was put aside before signing in, then reads the cart. Does nothing while nobody is signed in. */
export const takeOver = () =>
  inTurn(async () => {
    for (let line; session.get() && (line = kept.get()[0]); ) {
      // Out of the list first: two tabs that sign in at once must not both add it.
      putAside(line.productoId, 0);
      try {
        await api.addToCart(line.productoId, line.cantidad);
      } catch (failure) {
        const refused = failure.status >= 400 && failure.status < 500 && ![401, 429].includes(failure.status);
        if (!refused) {
          kept.set([line, ...kept.get()]);
          throw failure;
        }
        missed.set([...missed.get(), { productoId: line.productoId, why: explain(failure) }]);
      }
    }
    if (session.get()) cart.set(await api.cart());
  });
