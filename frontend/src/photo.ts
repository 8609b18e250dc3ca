/** Photos that are chosen from a device: made smaller before they travel. */

/** Pixels of the longer side: more than the server looks at, a tenth of what a telephone takes. */
export const LONGEST_SIDE = 1_920;
/** Bytes under which a photo is sent as it is. */
export const SMALL = 400_000;
const QUALITY = 0.92;

/** The size a picture is sent in. */
export function fitted(width: number, height: number, side = LONGEST_SIDE): [number, number] {
  const scale = Math.min(1, side / Math.max(width, height, 1));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** The photo upright and smaller, as a JPEG; the file itself where this browser cannot read it, or it is small anyway. */
export async function smaller(file: File): Promise<File> {
  if (file.size <= SMALL) return file;
  try {
    const picture = await decoded(file);
    const [width, height] = fitted(picture.width, picture.height);
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    if (pen === null) return file;
    // What shines through is laid on white, as the server does.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(picture, 0, 0, width, height);
    if ("close" in picture) picture.close();
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    canvas.width = 0;
    return blob === null || blob.size >= file.size ? file : new File([blob], "photo.jpg", { type: "image/jpeg" });
  } catch {
    return file;
  }
}

async function decoded(file: File): Promise<ImageBitmap | HTMLImageElement> {
  if (typeof createImageBitmap === "function") {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      // Older browsers do not know the option; an image element turns pictures by itself.
    }
  }
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Whenever a photo is chosen in the form, what the form sends is the smaller one. It waits for it. */
export function shrinkIn(form: HTMLFormElement): void {
  const input = form.querySelector<HTMLInputElement>('input[type="file"]');
  if (input === null || typeof DataTransfer !== "function") return;
  let working: Promise<void> | null = null;
  const chosen = (): void => {
    const [file] = input.files ?? [];
    if (file === undefined) return;
    working = smaller(file)
      .then((photo) => {
        if (input.files?.[0] !== file || photo === file) return;
        const held = new DataTransfer();
        held.items.add(photo);
        input.files = held.files;
      })
      .catch(() => undefined)
      .finally(() => (working = null));
  };
  input.addEventListener("change", chosen);
  // The page shows before this script has come: a photo may be chosen already.
  chosen();
  form.addEventListener("submit", (event) => {
    if (working === null) return;
    event.preventDefault();
    void working.then(() => form.requestSubmit());
  });
}
