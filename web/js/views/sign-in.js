import { html, useLayoutEffect, useRef, useState } from "../html.js";
import { explain } from "../failure.js";
import { t } from "../i18n.js";
import { Door } from "../parts/door.js";
import { Icon } from "../parts/icons.js";
import { toSignUp } from "../router.js";
import { expired, signIn } from "../session.js";
import { useSignal } from "../signal.js";

/** Where it leads to afterwards is the shell's to know: the view that was asked for, or the address's `back`. */
export function SignIn() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const ended = useSignal(expired);
  const name = useRef(null);
  const password = useRef(null);
  // Before the first paint: a focus that comes later would take what is typed in the next field.
  useLayoutEffect(() => name.current.focus(), []);

  async function submit(event) {
    event.preventDefault();
    const username = name.current.value.trim();
    if (!username || !password.current.value) {
      setProblem(t("bothNeeded"));
      (username ? password : name).current.focus();
      return;
    }
    setBusy(true);
    setProblem("");
    try {
      await signIn(username, password.current.value);
    } catch (failure) {
      // The API says which it is: a wrong password, or one that has to be changed first.
      setProblem(failure.status === 401 ? failure.said || t("wrongPassword") : explain(failure));
      setBusy(false);
      password.current.value = "";
      password.current.focus();
    }
  }

  return html`
    <${Door} title=${t("signIn")} foot=${html`${t("noAccount")} <a href=${toSignUp()} data-test="to-sign-up">${t("signUp")}</a>`}>
      ${ended && !problem && html`<p class="notice notice-plain" role="status"><${Icon} name="alert" />${t("sessionEnded")}</p>`}
      <form onSubmit=${submit} novalidate>
        <label class="field">${t("username")}
          <input ref=${name} name="username" autocomplete="username" autocapitalize="none" spellcheck=${false} required aria-describedby="sign-in-problem" />
        </label>
        <label class="field">${t("password")}
          <input ref=${password} name="password" type="password" autocomplete="current-password" required aria-describedby="sign-in-problem" />
        </label>
        <p id="sign-in-problem" class="problem" role="alert">${problem}</p>
        <button class="button primary wide" disabled=${busy}>${t(busy ? "signingIn" : "signIn")}</button>
      </form>
    <//>
  `;
}
