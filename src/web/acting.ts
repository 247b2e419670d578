// Forms that act. Each says before its button what follows from it, carries what was shown, asks who and why, and is good
// only for who signed in here.
import { html, type Insert, type Markup } from './html.ts';
import type { Acting } from './page.ts';
import { many } from './words.ts';

export interface ActionForm {
  readonly to: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields?: Insert;
  /** Where the record keeps one. */
  readonly asksReason?: boolean;
  readonly buttons: readonly { readonly name: string; readonly value: string; readonly words: string }[];
  /** What does the same without a browser. */
  readonly command: string;
}

export function actionForm(
  acting: Acting,
  { to, hidden, fields, asksReason = true, buttons, command }: ActionForm,
): Markup {
  if (acting.kind !== 'may')
    return html`<p class="soft">${how(acting)} On the command line: <code>${command}</code></p>`;
  return html`<form method="post" action="${to}" class="act">
<input type="hidden" name="form" value="${acting.form}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields}
${asksReason && html`<label>Reason <input name="reason" required maxlength="500" autocomplete="off"></label>`}
<label>Your name <input name="by" required maxlength="100" autocomplete="username"></label>
<span class="buttons">${buttons.map((one) => html`<button name="${one.name}" value="${one.value}">${one.words}</button>`)}</span>
</form>`;
}

const HOURS = [1, 8, 24, 72, 168, 720];

export const hoursField = (): Markup =>
  html`<label class="wide">For <select name="hours">${HOURS.map((one) => html`<option value="${one}"${one === 24 && html` selected`}>${one < 48 ? many(one, 'hour') : many(one / 24, 'day')}</option>`)}</select></label>`;

const how = ({ kind }: Acting): Markup =>
  kind === 'sign in'
    ? html`<a href="/sign-in">Sign in</a> to do it here.`
    : html`Nobody acts on this page, because no <code>listen.token_file</code> is set.`;
