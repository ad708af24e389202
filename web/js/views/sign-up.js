import { html, useLayoutEffect, useRef, useState } from "../html.js";
import * as api from "../api.js";
import { explain, problemsByField } from "../failure.js";
import { t } from "../i18n.js";
import { Door } from "../parts/door.js";
import { Field, focusProblem } from "../parts/field.js";
import { toSignIn } from "../router.js";
import { signIn } from "../session.js";
import { toast } from "../parts/toast.js";

const FIELDS = [
  { name: "username", label: "username", hint: "usernameRules", attributes: { autocomplete: "username", autocapitalize: "none", spellcheck: false, required: true } },
  { name: "email", label: "email", attributes: { type: "email", autocomplete: "email", required: true } },
  { name: "password", label: "password", hint: "passwordRules", attributes: { type: "password", autocomplete: "new-password", required: true } },
  { name: "age", label: "age", hint: "ageRules", optional: true, attributes: { inputmode: "numeric", autocomplete: "off", maxlength: 4 } },
];
const NAMES = FIELDS.map(({ name }) => name);

/** The rules are the API's: it names every one that is broken, and the page shows each at its field. */
export function SignUp() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [problems, setProblems] = useState({});
  const form = useRef(null);
  // Before the first paint: a focus that comes later would take what is typed in the next field.
  useLayoutEffect(() => form.current.elements.username.focus(), []);

  async function submit(event) {
    event.preventDefault();
    const { username, email, password, age } = form.current.elements;
    const user = { username: username.value.trim(), email: email.value.trim(), password: password.value };
    const years = age.value.trim();
    // What is no number goes there as it is, to be refused at its field.
    if (years) user.age = /^\d{1,4}$/.test(years) ? Number(years) : years;
    setBusy(true);
    setProblem("");
    setProblems({});
    try {
      await api.signUp(user);
    } catch (failure) {
      const byField = problemsByField(failure);
      setProblems(byField);
      const elsewhere = Object.keys(byField).filter((name) => !NAMES.includes(name));
      if (elsewhere.length || !Object.keys(byField).length) setProblem(explain(failure));
      setBusy(false);
      focusProblem(form.current);
      return;
    }
    try {
      await signIn(user.username, user.password);
      toast(t("welcome", user.username));
    } catch (failure) {
      // The API never tells whether a name was taken before; only that it does not open with this password.
      setProblem(failure.status === 401 || failure.status === 403 ? t("notSignedIn", user.username) : explain(failure));
      setBusy(false);
    }
  }

  return html`
    <${Door} title=${t("signUp")} foot=${html`${t("haveAccount")} <a href=${toSignIn()}>${t("signIn")}</a>`}>
      <form ref=${form} onSubmit=${submit} novalidate data-test="sign-up">
        ${FIELDS.map(({ name, label, hint, optional, attributes }) => html`
          <${Field} key=${name} name=${name} label=${t(label)} hint=${hint && t(hint)} optional=${optional} problems=${problems[name]}
            input=${(its) => html`<input ...${its} ...${attributes} disabled=${busy} />`} />`)}
        <p class="problem" role="alert" data-test="sign-up-problem">${problem}</p>
        <button class="button primary wide" disabled=${busy}>${t(busy ? "signingUp" : "signUp")}</button>
      </form>
    <//>
  `;
}
