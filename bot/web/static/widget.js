/*
 * Passerelle's widget. One line in a page is enough:
 *
 *   <script src="https://the-server/widget.js" async></script>
 *
 * It adds <passerelle-assistant> to the page and talks to the server it came from, and to no
 * other. Before a person opens it nothing is sent and nothing is stored; then sessionStorage
 * keeps the key of the conversation for as long as the tab lives. No cookie. What is received is
 * only ever shown as text. Its colours are custom properties that the page may set.
 */
(() => {
  "use strict";

  const TAG = "passerelle-assistant";
  if (customElements.get(TAG)) return;

  const SERVER = new URL(document.currentScript.src).origin;
  const KEY = `passerelle ${SERVER}`;
  const MAX_LENGTH = 4000; // characters, as the server counts them
  const NEAR_MAX = 3600;
  const MAX_FILE = 10 * 1024 * 1024; // bytes
  const FILE_TYPES = ".pdf,.odt,.docx,image/*";
  const ANSWER_WITHIN = 15_000; // ms, for a request
  const FILE_WITHIN = 120_000; // ms, for one that carries a file
  const SILENCE = 45_000; // ms: a stream gives a sign of life every 15 s
  const SILENCE_WAITING = 3_000; // ms: an answer is due, and a proxy may hold the stream back

  const NAMES = { person: "Vous", assistant: "Passerelle", agent: "La préfecture" };
  const SAY = {
    greeting: [
      "Bonjour\u00a0! Je suis Passerelle, un assistant automatique. Je réponds sur les aides au " +
        "numérique pour les communes et les aidants d’Indre-et-Loire.",
      "N’écrivez pas de données sensibles\u00a0: mot de passe, santé, numéro de sécurité sociale.",
    ],
    ask: "Posez votre question comme elle vous vient, ou essayez\u00a0:",
    examples: [
      "Quels projets une petite commune peut-elle faire financer\u00a0?",
      "Comment obtenir un conseiller numérique\u00a0?",
      "C’est quoi, Aidants Connect\u00a0?",
      "Faire le point sur mon projet",
    ],
    hint: "Entrée envoie, Maj\u00a0+\u00a0Entrée va à la ligne.",
    empty: "Écrivez d’abord votre question.",
    tooLong: "Votre message est trop long\u00a0: 4\u00a0000 caractères au plus.",
    unsent: "Votre message n’est pas parti\u00a0: vérifiez votre connexion, puis réessayez.",
    sending: "Envoi…",
    waiting: "Passerelle écrit…",
    useful: "Cette réponse vous est-elle utile\u00a0?",
    ratings: { up: "Utile", down: "Pas utile" },
    rated: "Merci, votre avis est noté.",
    unrated: "Votre avis n’est pas parti\u00a0: réessayez.",
    offline: "Connexion interrompue, nouvel essai en cours…",
    files: "Fichiers joints",
    unread: "Le fichier n’a pas pu être lu\u00a0: réessayez.",
    tooHeavy: "Ce fichier est trop lourd\u00a0: 10\u00a0Mo au plus.",
    restarted: "La conversation précédente n’existe plus\u00a0: en voici une nouvelle.",
  };

  const STYLE = `
    :host {
      all: initial;
      font: medium/1.5 system-ui, sans-serif; /* the reader's size, whatever the page does */
      --accent: var(--passerelle-accent, #1c5578);
      --on-accent: var(--passerelle-on-accent, #fff);
      --ground: var(--passerelle-ground, #fff);
      --soft: var(--passerelle-soft, #eef3f6);
      --ink: var(--passerelle-ink, #1b262d);
      --faint: var(--passerelle-faint, #44535c);
      --line: var(--passerelle-line, #7d8d97);
      --alarm: var(--passerelle-alarm, #a3231f);
    }
    @media (prefers-color-scheme: dark) {
      :host {
        --accent: var(--passerelle-accent, #8ccbe6);
        --on-accent: var(--passerelle-on-accent, #0b2230);
        --ground: var(--passerelle-ground, #172026);
        --soft: var(--passerelle-soft, #25323a);
        --ink: var(--passerelle-ink, #e8eef1);
        --faint: var(--passerelle-faint, #b9c7cf);
        --line: var(--passerelle-line, #7f919c);
        --alarm: var(--passerelle-alarm, #ffaba3);
      }
    }
    * { box-sizing: border-box; margin: 0; font: inherit; }
    [hidden] { display: none !important; }
    .unseen {
      position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
    }
    button {
      min-height: 2.75em; padding: .5em 1em; cursor: pointer; text-align: start;
      color: var(--accent); background: var(--ground);
      border: 1px solid var(--accent); border-radius: .5em;
    }
    button:hover { text-decoration: underline; text-underline-offset: .2em; }
    :focus-visible {
      outline: 3px solid var(--ink); outline-offset: 2px; box-shadow: 0 0 0 2px var(--ground);
    }
    .launcher, .send, header { color: var(--on-accent); background: var(--accent); }
    .launcher, .panel { position: fixed; z-index: 2147483000; right: 1em; bottom: 1em; }
    .launcher {
      display: flex; align-items: center; gap: .6em; padding: .6em 1.3em; border-radius: 2em;
      font-weight: 600; border-color: var(--ground); box-shadow: 0 .2em .8em rgb(0 0 0 / .3);
    }
    svg { flex: none; width: 1.6em; fill: none; stroke: currentcolor; stroke-width: 2; }
    .panel {
      display: flex; flex-direction: column; overflow: auto; overscroll-behavior: contain;
      width: 26em; height: 40em; max-width: calc(100vw - 2em); max-height: calc(100vh - 2em);
      color: var(--ink); background: var(--ground); overflow-wrap: anywhere;
      border: 1px solid var(--line); border-radius: .75em; box-shadow: 0 .4em 2em rgb(0 0 0 / .3);
    }
    header {
      display: flex; flex: none; align-items: center; gap: .6em; padding: .4em .4em .4em 1em;
    }
    h2 { flex: 1; font-weight: 600; line-height: 1.25; }
    small { display: block; font-size: .875em; font-weight: 400; }
    .close { color: inherit; background: none; border-color: transparent; }
    .log { position: relative; flex: 1 0 8em; overflow: auto; padding: 1em; }
    .log:focus-visible, header :focus-visible { outline-offset: -3px; box-shadow: none; }
    header :focus-visible { outline-color: currentcolor; }
    ol { display: grid; gap: .75em; padding: 0; list-style: none; }
    ol > li { justify-self: start; max-width: 94%; }
    ol > li > :is(p, ul):not(:first-of-type), ol > li > * + :is(ul, .choices) { margin-top: .6em; }
    ul { padding-inline-start: 1.2em; list-style: disc; }
    ul > li + li { margin-top: .25em; }
    .assistant, .agent {
      padding: .7em 1em; background: var(--soft); border-radius: .2em .75em .75em;
    }
    .agent { border-inline-start: .25em solid var(--accent); }
    .name { font-weight: 600; }
    .person {
      justify-self: end; padding: .5em 1em; white-space: pre-wrap;
      color: var(--on-accent); background: var(--accent); border-radius: .75em .75em .2em;
    }
    a { color: var(--accent); }
    .source, .hint, .status { font-size: .875em; color: var(--faint); }
    .choices, .files { display: grid; justify-items: start; gap: .5em; }
    .files { margin-top: .6em; }
    .file {
      display: flex; align-items: center; gap: .3em; font-weight: 600;
      padding-inline-start: .6em; /* the drawing has room around it */
    }
    .rating { display: flex; flex-wrap: wrap; gap: .5em; margin-top: .6em; }
    .rating button {
      display: flex; align-items: center; gap: .4em; min-height: 2em; padding: .2em .7em;
      font-size: .875em;
    }
    .rating svg { width: 1.2em; }
    .rating button[aria-pressed="true"] { color: var(--on-accent); background: var(--accent); }
    .status { min-height: 1.5em; padding-top: .5em; }
    .problem { color: var(--alarm); }
    .problem:not(:empty) {
      display: grid; justify-items: start; gap: .5em; padding: .6em 1em;
      border-top: 1px solid var(--line);
    }
    form {
      display: grid; grid-template-columns: 1fr auto; gap: .3em .6em; padding: .75em 1em;
      border-top: 1px solid var(--line);
    }
    label, .hint { grid-column: 1 / -1; }
    label { font-weight: 600; }
    textarea {
      min-width: 0; min-height: 2.75em; max-height: 8em; padding: .5em .7em;
      resize: none; field-sizing: content; color: inherit; background: var(--ground);
      border: 1px solid var(--line); border-radius: .5em;
    }
    textarea[aria-invalid="true"] { border: 2px solid var(--alarm); }
    .send { align-self: end; font-weight: 600; }
    @media (max-width: 30em), (max-height: 30em) {
      .panel {
        inset: 0 0 0 auto; height: auto; max-width: none; max-height: none; border-radius: 0;
      }
    }
    @media (max-width: 30em) { .panel { width: auto; left: 0; border: 0; } }
    @media (pointer: coarse) { .hint:not(.counting) { display: none; } }
    @media (prefers-reduced-motion: no-preference) {
      .pulse { animation: pulse 1.2s ease-in-out infinite alternate; }
      @keyframes pulse { to { opacity: .75; } }
    }
    @media print { :host { display: none; } }
  `;

  /** Return a new element; a function among the attributes is a listener, children may be text. */
  function build(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(key, value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  /** What is drawn: the footbridge is the sign of the assistant. Emoji need a font. */
  const DRAWINGS = {
    bridge: "M1 16h22M3 20v-4C3 4 21 4 21 16v4M8 9v7M12 7v9M16 9v7",
    up: "M3 11h4v10H3zM7 12l4-9c2 0 3 1 3 3v4h5c2 0 2 1 2 2l-2 7c0 1-1 2-2 2H7",
    down: "M3 13h4V3H3zM7 12l4 9c2 0 3-1 3-3v-4h5c2 0 2-1 2-2l-2-7c0-1-1-2-2-2H7",
    file: "M6 2h8l5 5v15H6zM14 2v5h5M12 11v7M9 15l3 3 3-3",
  };

  /** Return one of the drawings, of the colour of the text around. */
  function drawing(name) {
    const [icon, path] = ["svg", "path"].map((element) =>
      document.createElementNS("http://www.w3.org/2000/svg", element),
    );
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    path.setAttribute("d", DRAWINGS[name]);
    icon.append(path);
    return icon;
  }

  /** Return text whose web and mail addresses are links. */
  function linked(text) {
    const parts = [];
    let done = 0;
    for (const match of text.matchAll(/https?:\/\/[^\s<>«»"]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g)) {
      const address = match[0].replace(/[.,;:!?…)\]]+$/, "");
      const href = address.startsWith("http") ? address : `mailto:${address}`;
      parts.push(text.slice(done, match.index), build("a", { href }, address));
      done = match.index + address.length;
    }
    return [...parts, text.slice(done)];
  }

  /** Return an answer as paragraphs and lists. */
  function paragraphs(text) {
    const blocks = [];
    let block = null; // what the next line may join
    for (const line of text.split("\n")) {
      const kind = !line ? "" : line.startsWith("• ") ? "UL" : "P";
      if (block?.tagName !== kind) {
        block = kind && build(kind, /^Source\s*:/.test(line) ? { class: "source" } : {});
        if (block) blocks.push(block);
      } else if (kind === "P") block.append(build("br"));
      if (kind === "UL") block.append(build("li", {}, ...linked(line.slice(2))));
      if (kind === "P") block.append(...linked(line));
    }
    return blocks;
  }

  /** Return a random UUID; pages without HTTPS have no `crypto.randomUUID`. */
  function uuid() {
    const random = () => crypto.getRandomValues(new Uint8Array(1))[0];
    return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
      (digit ^ (random() & (15 >> (digit / 4)))).toString(16),
    );
  }

  class PasserelleAssistant extends HTMLElement {
    #state = {}; // what the next page finds again: token, heard (a number), open
    #last = 0; // the last number that the server gave
    #sending = false;
    #unsent = null; // {id, key} of a message: sent again, it keeps its id
    #offline = false;
    #link = null; // an AbortController while the conversation is followed
    #alive = 0; // when the server was last heard
    #wake = () => {};
    #gone = null; // an AbortController while the element is in a page

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      } catch {
        root.append(build("style", {}, STYLE)); // browsers from before 2023
      }
      const stop = (event, action) => (event.preventDefault(), action());
      this.launcher = build(
        "button",
        { class: "launcher", "aria-haspopup": "dialog", click: () => this.open() },
        drawing("bridge"),
        "Une question\u00a0?",
      );
      this.list = build("ol", { role: "list" });
      this.status = build("p", { class: "status" });
      this.log = build(
        "div", // silent: `news` says what is new, and only that
        { class: "log", role: "log", "aria-live": "off", "aria-label": "Échanges", tabindex: 0 },
        this.list,
        this.status,
      );
      this.problem = build("div", { class: "problem", role: "alert" });
      this.box = build("textarea", {
        id: "box",
        rows: 2,
        enterkeyhint: "send",
        "aria-describedby": "hint",
        input: () => this.#count(),
        keydown: (event) => {
          const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing;
          if (sends) stop(event, () => this.#submit());
        },
      });
      this.hint = build("p", { id: "hint", class: "hint" }, SAY.hint);
      this.news = build("div", { class: "unseen", "aria-live": "polite" });
      this.panel = build(
        "section",
        {
          class: "panel",
          role: "dialog",
          "aria-labelledby": "title",
          tabindex: -1,
          hidden: "",
          keydown: (event) => event.key === "Escape" && !event.isComposing && this.close(),
        },
        build(
          "header",
          {},
          drawing("bridge"),
          build("h2", { id: "title" }, "Passerelle ", build("small", {}, "assistant automatique")),
          build("button", { class: "close", click: () => this.close() }, "Fermer"),
        ),
        this.log,
        this.problem,
        build(
          "form",
          { submit: (event) => stop(event, () => this.#submit()) },
          build("label", { for: "box" }, "Votre question"),
          this.box,
          build("button", { class: "send" }, "Envoyer"),
          this.hint,
        ),
        this.news,
      );
      const label = "Assistant Passerelle";
      root.append(build("aside", { lang: "fr", "aria-label": label }, this.launcher, this.panel));
      this.#greet();
    }

    connectedCallback() {
      this.#gone = new AbortController();
      const { signal } = this.#gone;
      // A hidden page follows nothing: browsers allow six connections to a server, tabs together.
      const turn = () => (document.hidden ? this.#unfollow() : this.#follow());
      document.addEventListener("visibilitychange", turn, { signal });
      addEventListener("online", () => this.#wake(), { signal });
      try {
        this.#state = JSON.parse(sessionStorage.getItem(KEY)) ?? {};
      } catch {
        this.#state = {}; // storage is refused
      }
      // It stays open from page to page, unless it would cover the page.
      if (this.#state.open && !matchMedia("(max-width: 30em)").matches) this.#unfold();
    }

    disconnectedCallback() {
      this.#gone.abort();
      this.#unfollow();
    }

    open() {
      this.#unfold();
      // On a touch screen, the keyboard would hide what there is to read.
      (matchMedia("(pointer: coarse)").matches ? this.panel : this.box).focus();
    }

    close() {
      this.panel.hidden = true;
      this.launcher.hidden = false;
      this.launcher.focus();
      this.#unfollow();
      this.#remember({ open: false });
    }

    #unfold() {
      this.panel.hidden = false;
      this.launcher.hidden = true;
      this.#remember({ open: true });
      this.#follow();
    }

    #remember(changes) {
      Object.assign(this.#state, changes);
      try {
        sessionStorage.setItem(KEY, JSON.stringify(this.#state));
      } catch {
        // Storage is refused: the conversation lasts as long as the page.
      }
    }

    // Showing

    #greet(...before) {
      const greeting = [...before, ...SAY.greeting].map((text) => build("p", {}, text));
      const examples = SAY.examples.map((text) => [text, { text }]);
      const choices = this.#choices("Exemples de questions", examples);
      choices.prepend(build("p", {}, SAY.ask)); // it goes with them
      this.list.replaceChildren(build("li", { class: "assistant" }, ...greeting, choices));
    }

    #choices(label, choices) {
      const buttons = choices.map(([title, body, file]) => {
        const click = () => (file ? this.#choose() : this.#send(body, title));
        return build("button", { click }, title);
      });
      return build("div", { class: "choices", role: "group", "aria-label": label }, ...buttons);
    }

    /** Show a message in its place, unless it is there already. */
    #show({ seq, author, text, buttons = [], attachments = [], ratable, rating }) {
      if (this.list.querySelector(`[data-seq="${seq}"]`)) return;
      const typed = author === "person";
      const name = build("span", { class: author === "agent" ? "name" : "unseen" });
      name.append(`${NAMES[author]}\u00a0: `);
      const content = typed ? [build("p", {}, text)] : paragraphs(text);
      const item = build("li", { class: author, "data-seq": seq }, name, ...content);
      if (attachments.length) item.append(this.#files(attachments));
      const offered = buttons.map(({ id, title, file }) => [title, { button: id }, file]);
      if (offered.length) item.append(this.#choices("Suites proposées", offered));
      if (ratable) item.append(this.#ratings(seq, rating));
      const later = [...this.list.children].find((other) => other.dataset.seq > seq);
      this.list.insertBefore(item, later ?? null);
      // Buttons are for the last message only.
      for (const old of this.list.querySelectorAll(":scope > :not(:last-child) > .choices")) {
        if (old.contains(this.shadowRoot.activeElement)) this.log.focus();
        old.remove();
      }
      this.#tell();
      // One reads an answer from its start; a little of the question stays in sight.
      const start = item.offsetTop - this.log.clientHeight / 4;
      this.log.scrollTop = typed ? this.log.scrollHeight : start;
      if (typed || seq <= (this.#state.heard ?? 0)) return;
      this.#remember({ heard: seq });
      const choices = offered.length ? ` ${offered.length} suites proposées.` : "";
      this.#announce(name.textContent + text.replaceAll("•", "") + choices);
    }

    /** Return the files that go with a message: buttons, because a link could not show the token. */
    #files(attachments) {
      const buttons = attachments.map(({ name, path }) => {
        const click = async () => {
          try {
            const signal = AbortSignal.timeout(FILE_WITHIN);
            const href = URL.createObjectURL(await (await this.#fetch(path, { signal })).blob());
            build("a", { href, download: name }).click();
            setTimeout(() => URL.revokeObjectURL(href), 60_000);
            this.#complain();
          } catch {
            this.#complain(SAY.unread);
          }
        };
        return build("button", { class: "file", click }, drawing("file"), name);
      });
      return build("div", { class: "files", role: "group", "aria-label": SAY.files }, ...buttons);
    }

    /** Have the person choose a file, and send it. */
    #choose() {
      const input = build("input", { type: "file", accept: FILE_TYPES });
      input.addEventListener("change", () => {
        const [file] = input.files;
        if (!file) return;
        if (file.size > MAX_FILE) this.#complain(SAY.tooHeavy);
        else this.#send({ file }, file.name);
      });
      input.click();
    }

    /** Return the two buttons that say whether an answer is useful; the pressed one takes it back. */
    #ratings(seq, rating) {
      const buttons = Object.entries(SAY.ratings).map(([value, label]) => {
        const click = async ({ currentTarget: pressed }) => {
          const given = pressed.getAttribute("aria-pressed") === "true" ? null : value;
          try {
            await this.#fetch(`/api/messages/${seq}/rating`, {
              method: "PUT",
              signal: AbortSignal.timeout(ANSWER_WITHIN),
              body: JSON.stringify({ rating: given }),
            });
          } catch {
            return this.#complain(SAY.unrated);
          }
          for (const button of buttons) {
            button.setAttribute("aria-pressed", given !== null && button === pressed);
          }
          this.#complain();
          if (given) this.#announce(SAY.rated);
        };
        return build("button", { "aria-pressed": rating === value, click }, drawing(value), label);
      });
      return build("div", { class: "rating", role: "group", "aria-label": SAY.useful }, ...buttons);
    }

    /** Have a screen reader say something once. */
    #announce(text) {
      const said = build("p", {}, text);
      this.news.append(said);
      setTimeout(() => said.remove(), 10_000);
    }

    get #waiting() {
      return this.list.lastElementChild.className === "person";
    }

    #tell() {
      const waiting = this.#waiting ? "waiting" : "";
      const what = this.#sending ? "sending" : this.#offline ? "offline" : waiting;
      this.status.textContent = SAY[what] ?? "";
      this.status.classList.toggle("pulse", what === "waiting");
    }

    #complain(sentence, retry) {
      if (this.problem.contains(this.shadowRoot.activeElement)) this.box.focus();
      this.problem.replaceChildren(...(sentence ? [build("p", {}, sentence)] : []));
      if (retry) this.problem.append(build("button", { click: retry }, "Réessayer"));
    }

    /** Tell how long the text is when it is near the limit; return its length. */
    #count() {
      const length = [...this.box.value.trim().normalize()].length;
      const near = length > NEAR_MAX;
      this.box.setAttribute("aria-invalid", length > MAX_LENGTH);
      this.hint.classList.toggle("counting", near);
      this.hint.textContent = near ? `${length} caractères sur ${MAX_LENGTH} au plus` : SAY.hint;
      return length;
    }

    // Sending

    #submit() {
      const text = this.box.value.trim();
      if (!text) this.#complain(SAY.empty);
      else if (this.#count() > MAX_LENGTH) this.#complain(SAY.tooLong);
      else this.#send({ text }, text);
    }

    /** Send what was typed or pressed. The box is emptied once the server has it, not before. */
    async #send(body, shown) {
      if (this.#sending) return;
      const { file } = body;
      const key = JSON.stringify(file ? [file.name, file.size, file.lastModified] : body);
      if (this.#unsent?.key !== key) this.#unsent = { id: uuid(), key };
      this.#sending = this.box.readOnly = true;
      this.#complain();
      this.#tell();
      try {
        const { id } = this.#unsent;
        const { seq } = await (file ? this.#upload(id, file) : this.#deliver({ id, ...body }, shown));
        this.#unsent = null;
        if (this.box.value.trim() === body.text) this.box.value = "";
        this.#show({ seq, author: "person", text: shown });
        this.#alive = Date.now();
        this.#wake();
        this.#follow();
      } catch (error) {
        const refused = error.status < 500; // as it is, it will not pass
        // A file belongs to what is gone; a message has begun another conversation already.
        if (file && error.status === 401) this.#forget(this.#state.token);
        else {
          this.#complain(
            refused ? error.message : SAY.unsent,
            refused ? null : () => this.#send(body, shown),
          );
        }
      }
      this.#sending = this.box.readOnly = false;
      this.#count();
      this.#tell();
    }

    async #deliver(message, shown) {
      const { token } = this.#state;
      if (token) {
        try {
          return await this.#call("/api/messages", message);
        } catch (error) {
          if (error.status !== 401) throw error;
          this.#forget(token);
        }
      }
      this.#remember({ token: (await this.#call("/api/conversations", {})).token });
      // The buttons of another conversation mean nothing in this one; their words do.
      return this.#call("/api/messages", token ? { id: message.id, text: shown } : message);
    }

    async #upload(id, file) {
      const options = {
        signal: AbortSignal.timeout(FILE_WITHIN),
        body: file,
        headers: { "Content-Type": "application/octet-stream" },
      };
      const query = new URLSearchParams({ id, name: file.name });
      return (await this.#fetch(`/api/attachments?${query}`, options)).json();
    }

    /** Return what the server answers; an error has its status and its sentence. */
    async #call(path, body) {
      const signal = AbortSignal.timeout(ANSWER_WITHIN);
      return (await this.#fetch(path, { signal, body: body && JSON.stringify(body) })).json();
    }

    async #fetch(path, options) {
      const { token } = this.#state;
      const response = await fetch(SERVER + path, {
        method: options.body ? "POST" : "GET",
        ...options,
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        headers: {
          ...(options.body && { "Content-Type": "application/json" }),
          ...options.headers,
          ...(token && { Authorization: `Bearer ${token}` }),
        },
      });
      if (response.ok) return response;
      const { detail } = await response.json().catch(() => ({}));
      throw Object.assign(new Error(detail ?? SAY.unsent), { status: response.status });
    }

    /** The server knows the conversation of `token` no more. */
    #forget(token) {
      if (this.#state.token !== token) return;
      this.#unfollow();
      this.#last = 0;
      this.#remember({ token: undefined, heard: 0 });
      this.#greet(SAY.restarted);
      this.#tell();
    }

    // Following

    /** Read what was missed, then the stream; when it ends, again, less and less often. */
    async #follow() {
      const { token } = this.#state;
      if (this.#link || !token || this.panel.hidden || document.hidden) return;
      const link = (this.#link = new AbortController());
      for (let failures = 0; ; failures++) {
        const began = (this.#alive = Date.now());
        let reached = false;
        try {
          // Where streams do not pass, this is enough.
          const { messages } = await this.#call(`/api/messages?after=${this.#last}`);
          if (link.signal.aborted) return;
          reached = true;
          this.#offline = false;
          messages.forEach((message) => this.#receive(message));
          this.#tell();
          await this.#stream(link.signal);
        } catch (error) {
          if (link.signal.aborted) return;
          if (error.status === 401) return this.#forget(token);
          this.#offline = !reached;
          this.#tell();
        }
        if (this.#alive > began) failures = 0;
        const pause = this.#waiting ? 2 : Math.min(2 ** failures, 30);
        await new Promise((resolve) => {
          this.#wake = resolve;
          setTimeout(resolve, pause * 1000 * (0.75 + Math.random() / 2));
        });
        if (link.signal.aborted) return;
      }
    }

    async #stream(signal) {
      const watch = setInterval(() => {
        if (Date.now() - this.#alive < (this.#waiting ? SILENCE_WAITING : SILENCE)) return;
        this.#unfollow();
        this.#follow();
      }, 1000);
      signal.addEventListener("abort", () => clearInterval(watch));
      try {
        const headers = { "Last-Event-ID": this.#last };
        const { body } = await this.#fetch("/api/events", { signal, headers });
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        for (let text = ""; ; ) {
          const { done, value } = await reader.read();
          if (done) return;
          this.#alive = Date.now();
          const events = (text + value.replaceAll("\r", "")).split("\n\n");
          text = events.pop();
          for (const event of events) {
            const data = /^data: (.*)$/m.exec(event);
            if (data) this.#receive(JSON.parse(data[1]));
          }
        }
      } finally {
        clearInterval(watch);
      }
    }

    #receive(message) {
      this.#last = Math.max(this.#last, message.seq);
      this.#show(message);
    }

    #unfollow() {
      this.#link?.abort();
      this.#link = null;
    }
  }

  customElements.define(TAG, PasserelleAssistant);
  const add = () => document.querySelector(TAG) || document.body.append(build(TAG));
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", add);
  else add();
})();
