/** A page without a browser: as much of the DOM as the scripts under test use, and clocks that a test moves. */

type Listener = (event: Event) => void;

/** An element: attributes, classes, children, text and listeners; no layout. */
export class Element {
  readonly tagName: string;
  readonly children: (Element | string)[] = [];
  readonly attributes = new Map<string, string>();
  readonly dataset: Record<string, string> = {};
  readonly style: Record<string, unknown> & { setProperty: (name: string, value: string) => void };
  readonly listeners = new Map<string, Set<Listener>>();
  readonly classes = new Set<string>();
  parent: Element | null = null;
  value = "";
  open = false;
  focused = false;
  clientWidth = 1_000;
  scrollLeft = 0;
  offsetWidth = 0;

  constructor(tagName: string) {
    this.tagName = tagName;
    const properties: Record<string, unknown> = {};
    this.style = Object.assign(properties, { setProperty: (name: string, value: string) => void (properties[name] = value) });
  }

  get className(): string {
    return [...this.classes].join(" ");
  }

  set className(names: string) {
    this.classes.clear();
    for (const name of names.split(/\s+/)) if (name !== "") this.classes.add(name);
  }

  get classList() {
    const { classes } = this;
    return {
      add: (...names: string[]) => names.forEach((name) => classes.add(name)),
      remove: (...names: string[]) => names.forEach((name) => classes.delete(name)),
      contains: (name: string) => classes.has(name),
      toggle: (name: string, on?: boolean) => void (on ?? !classes.has(name) ? classes.add(name) : classes.delete(name)),
    };
  }

  get textContent(): string {
    return this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join("");
  }

  set textContent(text: string) {
    this.replaceChildren(text);
  }

  get hidden(): boolean {
    return this.attributes.has("hidden");
  }

  set hidden(on: boolean) {
    this.toggleAttribute("hidden", on);
  }

  setAttribute(name: string, value: string): void {
    if (name === "class") this.className = value;
    else if (name.startsWith("data-")) this.dataset[name.slice(5).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] = value;
    this.attributes.set(name, value);
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  toggleAttribute(name: string, on: boolean): void {
    if (on) this.attributes.set(name, "");
    else this.attributes.delete(name);
  }

  append(...added: (Element | string)[]): void {
    for (const child of added) {
      if (typeof child !== "string") child.parent = this;
      if (child !== "") this.children.push(child);
    }
  }

  replaceChildren(...added: (Element | string)[]): void {
    this.children.length = 0;
    this.append(...added);
  }

  addEventListener(name: string, listener: Listener): void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners.add(listener));
  }

  removeEventListener(name: string, listener: Listener): void {
    this.listeners.get(name)?.delete(listener);
  }

  /** Let an event happen here; what it carries beside its name is up to the test. */
  happen(name: string, more: object = {}): void {
    const event = Object.assign(Object.create({ preventDefault: () => undefined }) as object, { type: name, target: this }, more);
    for (const listener of this.listeners.get(name) ?? []) listener(event as Event);
  }

  click(): void {
    this.happen("click");
  }

  focus(): void {
    this.focused = true;
  }

  showModal(): void {
    this.open = true;
    this.toggleAttribute("open", true);
  }

  close(): void {
    this.open = false;
    this.toggleAttribute("open", false);
    this.happen("close");
  }

  getBoundingClientRect(): { left: number; width: number } {
    return { left: 0, width: 1_000 };
  }

  *all(): Iterable<Element> {
    for (const child of this.children) {
      if (typeof child === "string") continue;
      yield child;
      yield* child.all();
    }
  }

  querySelector(selector: string): Element | null {
    return [...this.querySelectorAll(selector)][0] ?? null;
  }

  querySelectorAll(selector: string): Element[] {
    return [...this.all()].filter((element) => element.matches(selector));
  }

  private matches(selector: string): boolean {
    const tag = /^[a-z0-9]*/.exec(selector)?.[0] ?? "";
    const className = /^[a-z0-9]*\.([\w-]+)/.exec(selector)?.[1];
    const asked = /\[([\w-]+)(?:=['"]([^'"]*)['"])?\]/.exec(selector);
    if (tag !== "" && this.tagName !== tag) return false;
    if (className !== undefined && !this.classes.has(className)) return false;
    if (asked === null) return true;
    const found = this.attributes.get(asked[1] ?? "");
    return found !== undefined && (asked[2] === undefined || found === asked[2]);
  }
}

/** Draws nothing, and gives a picture of one shade. */
class Canvas extends Element {
  width = 0;
  height = 0;
  shade = 128;

  getContext(): object {
    const { shade } = this;
    return {
      drawImage: () => undefined,
      getImageData: (_x: number, _y: number, width: number, height: number) => ({ data: new Uint8ClampedArray(4 * width * height).fill(shade) }),
    };
  }

  toBlob(done: (blob: Blob) => void): void {
    done(new Blob(["jpeg"], { type: "image/jpeg" }));
  }
}

/** A film or a preview that a test moves. */
export class Video extends Element {
  videoWidth = 640;
  videoHeight = 480;
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  ended = false;
  seeking = false;
  muted = false;
  volume = 1;
  readyState = 4;
  poster = "";
  src = "";
  srcObject: unknown = null;
  error: unknown = null;
  textTracks = Object.assign([] as object[], { addEventListener: () => undefined });

  play(): Promise<void> {
    this.paused = false;
    this.happen(this.srcObject === null ? "play" : "loadeddata");
    return Promise.resolve();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.happen("pause");
  }

  load(): void {
    this.happen("emptied");
    this.happen("loadedmetadata");
  }

  canPlayType(): string {
    return "maybe";
  }
}

/** The button with this label below an element. */
export function buttonOf(element: Element, label: string): Element {
  const found = element.querySelectorAll("button").find((button) => button.textContent.includes(label));
  if (found === undefined) throw new Error(`no button ${label} in: ${element.querySelectorAll("button").map((each) => each.textContent).join(", ")}`);
  return found;
}

/** `parts(root, "stage", "seek")` gives the root elements with these `data-part` names. */
export function withParts(root: Element, ...names: string[]): Element {
  for (const name of names) {
    const part = new Element("div");
    part.setAttribute("data-part", name);
    root.append(part);
  }
  return root;
}

/** Put a document and a window where scripts look for them; call before they are imported. */
export function openPage(): { document: Element; body: Element } {
  const root = new Element("html");
  const body = new Element("body");
  root.append(body);
  const page = {
    documentElement: Object.assign(root, { lang: "zh" }),
    body,
    hidden: false,
    createElement: (tag: string) => (tag === "canvas" ? new Canvas(tag) : tag === "video" ? new Video(tag) : new Element(tag)),
    createElementNS: (_space: string, tag: string) => new Element(tag),
    querySelector: (selector: string) => root.querySelector(selector),
    querySelectorAll: (selector: string) => root.querySelectorAll(selector),
    addEventListener: () => undefined,
    fullscreenElement: null,
  };
  const known = globalThis as Record<string, unknown>;
  known["document"] = page;
  known["window"] = globalThis;
  known["HTMLElement"] = Element;
  for (const kind of ["HTMLSelectElement", "HTMLButtonElement", "HTMLInputElement"]) known[kind] = class extends Element {};
  known["location"] = { hash: "", href: "https://example.org/lesson", assign: () => undefined };
  known["addEventListener"] = () => undefined;
  known["removeEventListener"] = () => undefined;
  Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Linux Chrome" }, configurable: true, writable: true });
  return { document: root, body };
}

/** One answer of the platform. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": type, ...headers } });
}

/** Let everything that waits for nothing but its turn go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await Promise.resolve();
  await new Promise((done) => setImmediate(done));
}
