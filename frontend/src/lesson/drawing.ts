/** A face that makes the movement asked for, drawn in lines; the styles move it. It is mirrored, as the preview is. */

const SVG = "http://www.w3.org/2000/svg";

function shape(name: string, attributes: Record<string, string>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function drawMovement(prompt: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 64 64");
  svg.setAttribute("class", `movement movement-${prompt}`);
  svg.setAttribute("aria-hidden", "true");
  const inner = shape("g", { class: "movement-inner" });
  for (const x of ["23", "41"]) {
    inner.append(
      shape("ellipse", { class: "movement-eye", cx: x, cy: "27", rx: "3", ry: "3" }),
      shape("path", { class: "movement-lid", d: `M${Number(x) - 4} 28 q4 2.5 8 0` }),
    );
  }
  inner.append(
    shape("path", { class: "movement-nose", d: "M32 28 v9 h3" }),
    shape("path", { class: "movement-lips", d: "M25 45 h14" }),
    shape("ellipse", { class: "movement-mouth", cx: "32", cy: "46", rx: "5.5", ry: "6.5" }),
  );
  svg.append(shape("ellipse", { class: "movement-head", cx: "32", cy: "33", rx: "21", ry: "27" }), inner);
  return svg;
}
