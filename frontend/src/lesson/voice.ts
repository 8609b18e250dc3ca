/** What is said aloud: prompts spoken where the browser has a voice, and three quiet tones. Silence is no error. */

const LANGUAGES: Record<string, string> = { zh: "zh-CN", en: "en-GB" };

export function speak(text: string): void {
  try {
    if (!("speechSynthesis" in window) || text === "") return;
    window.speechSynthesis.cancel();
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.lang = LANGUAGES[document.documentElement.lang.slice(0, 2)] ?? "zh-CN";
    spoken.rate = 0.95;
    window.speechSynthesis.speak(spoken);
  } catch {
    // Some in-app browsers name a voice and have none.
  }
}

export function hush(): void {
  if ("speechSynthesis" in window) window.speechSynthesis.cancel();
}

let audio: AudioContext | null = null;

/** Two tones upwards: a check comes. One short one: seen, go on. */
export function chime(kind: "begin" | "seen"): void {
  try {
    audio ??= new AudioContext();
    void audio.resume().catch(() => undefined);
    const tones = kind === "begin" ? [523, 659] : [784];
    tones.forEach((tone, place) => note(tone, place * 0.18));
  } catch {
    // Without sound the screen says it.
  }
}

function note(frequency: number, afterS: number): void {
  if (audio === null) return;
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  const start = audio.currentTime + afterS;
  tone.frequency.value = frequency;
  volume.gain.setValueAtTime(0.0001, start);
  volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.3);
  tone.connect(volume).connect(audio.destination);
  tone.start(start);
  tone.stop(start + 0.32);
}
