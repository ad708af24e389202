import { html, useEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { explain, problemsByField } from "../failure.js";
import { day } from "../format.js";
import { t } from "../i18n.js";
import { useLoad } from "../load.js";
import { Field } from "../parts/field.js";
import { Icon } from "../parts/icons.js";
import { Stars } from "../parts/product-parts.js";
import { Failure, Skeleton } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { toSignIn } from "../router.js";
import { session } from "../session.js";
import { useSignal } from "../signal.js";

/** The API's own bound. */
const COMMENT_CHARS_MAX = 2000;

export function Reviews({ product, onWritten }) {
  const user = useSignal(session);
  const [older, setOlder] = useState({ reviews: [], page: 1, loading: false, failure: null });
  const first = useLoad((signal) => api.reviews(product.id, 1, signal), [product.id]);
  const pages = first.data?.paginacion?.totalPaginas ?? 1;
  // A review that is written between two readings moves the others on: the last of one page comes first on the next, again.
  const seen = new Set();
  const all = [...(first.data?.datos ?? []), ...older.reviews].filter(({ id }) => !seen.has(id) && seen.add(id));

  async function more() {
    setOlder((now) => ({ ...now, loading: true, failure: null }));
    try {
      const page = await api.reviews(product.id, older.page + 1);
      setOlder((now) => ({ reviews: [...now.reviews, ...page.datos], page: now.page + 1, loading: false, failure: null }));
    } catch (failure) {
      setOlder((now) => ({ ...now, loading: false, failure }));
    }
  }

  // Who wrote a review is not told, so the page knows the reader's own only from the moment it is written.
  const [own, setOwn] = useState(null);
  function written(review) {
    setOwn(review);
    setOlder({ reviews: [], page: 1, loading: false, failure: null });
    first.reload();
    onWritten();
    toast(t("reviewThanks"));
  }

  return html`
    <section class="reviews" aria-labelledby="reviews">
      <h2 id="reviews" tabindex="-1">${t("reviews")}</h2>
      ${user && !own && first.data && html`<${ReviewForm} product=${product.id} onWritten=${written} />`}
      ${!user && html`<p class="notice notice-plain"><span class="notice-text">${t("signInToReview")}</span><a class="button" href=${toSignIn()}>${t("signIn")}</a></p>`}
      ${first.failure && html`<${Failure} failure=${first.failure} retry=${first.reload} />`}
      ${!first.data && !first.failure && html`<${Skeleton} rows=${2} />`}
      ${first.data && all.length === 0 && html`<p class="muted">${t("noReviews")}</p>`}
      <ul class="review-list" data-test="reviews">${all.map((review) => html`
        <li key=${review.id} class="card review">
          <p class="review-head"><${Stars} mean=${review.calificacion} single />
            ${own && review.id === own.id && html`<span class="chip chip-plain">${t("yourReview")}</span>`}
            <span class="fine">${day(review.creadoEn)}</span></p>
          ${review.comentario && html`<p class="description">${review.comentario}</p>`}
        </li>`)}</ul>
      ${older.failure && html`<${Failure} failure=${older.failure} />`}
      ${older.page < pages && html`<p class="more"><button type="button" class="button" disabled=${older.loading} onClick=${more}>${t(older.loading ? "loading" : "olderReviews")}</button></p>`}
    </section>
  `;
}

function ReviewForm({ product, onWritten }) {
  const [stars, setStars] = useState(0);
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [problems, setProblems] = useState({});
  const alive = useRef(true);
  useEffect(() => () => { alive.current = false; }, []);

  async function submit(event) {
    event.preventDefault();
    setProblems({});
    setProblem(stars ? "" : t("chooseStars"));
    if (!stars) return;
    setBusy(true);
    try {
      onWritten(await api.writeReview(product, stars, comment.trim()));
    } catch (failure) {
      const byField = problemsByField(failure);
      setProblems(byField);
      if (!byField.comentario) setProblem(explain(failure));
    } finally {
      if (alive.current) setBusy(false);
    }
  }

  return html`
    <form class="card review-form" onSubmit=${submit} novalidate data-test="review-form">
      <fieldset class="star-choice" disabled=${busy} aria-describedby="review-problem"><legend>${t("yourRating")}</legend>
        ${[1, 2, 3, 4, 5].map((n) => html`<label key=${n} class=${n <= stars ? "star star-full" : "star"}>
          <input type="radio" name="stars" value=${n} checked=${stars === n} onChange=${() => setStars(n)} /><${Icon} name="star" /><span class="visually-hidden">${t("starsCount", n)}</span></label>`)}
      </fieldset>
      <${Field} label=${t("yourReview")} name="comentario" optional problems=${problems.comentario} input=${(its) => html`
        <textarea ...${its} rows="3" maxlength=${COMMENT_CHARS_MAX} disabled=${busy} value=${comment} onInput=${(event) => setComment(event.target.value)}></textarea>`} />
      <p id="review-problem" class="problem" role="alert">${problem}</p>
      <div><button class="button primary" disabled=${busy}>${t(busy ? "sending" : "publish")}</button></div>
    </form>
  `;
}
