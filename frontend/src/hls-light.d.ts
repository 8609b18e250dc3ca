// hls.js publishes no types of its own for the build without subtitles and alternate audio: they are the whole build's.
declare module "hls.js/light" {
  export { default } from "hls.js";
}
