/** Small typed helpers to find and make elements. */

/** The element of that `data-part` inside `root`. Throws when the page lacks it: script and template must agree. */
export function part<E extends HTMLElement = HTMLElement>(root: ParentNode, name: string): E {
  const found = root.querySelector<E>(`[data-part="${name}"]`);
  if (found === null) throw new Error(`the page has no part ${name}`);
  return found;
}

/** A required data attribute. */
export function datum(element: HTMLElement, name: string): string {
  const value = element.dataset[name];
  if (value === undefined) throw new Error(`the element has no data-${name}`);
  return value;
}

type Child = Node | string | null;

/** `make("p", {class: "quiet"}, "text")` */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

let sprite = document.querySelector<HTMLMetaElement>('meta[name="icons"]')?.content ?? "";

/** Put the icons into the page itself, so that they are there when the network is not. */
export async function bringIconsAlong(): Promise<void> {
  try {
    const text = await (await fetch(sprite)).text();
    const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    drawing.setAttribute("hidden", "");
    document.body.append(document.adoptNode(drawing));
    sprite = "";
  } catch {
    // They stay where they are.
  }
}

/** An icon of the sprite, decorative. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon. */
export function button(label: string, iconName: string | null, className: string, act: () => void): HTMLButtonElement {
  const made = make("button", { type: "button", class: className }, iconName === null ? null : icon(iconName), label);
  made.addEventListener("click", act);
  return made;
}

export function show(element: Element, visible: boolean): void {
  element.toggleAttribute("hidden", !visible);
}

/** A UUID, also where `crypto.randomUUID` is missing (Chromium before 92, insecure contexts). */
export function uuid(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
