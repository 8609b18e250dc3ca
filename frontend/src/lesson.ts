/** The lesson page: opens a sitting and keeps film, beats, checks and the person's view of them in step. */

import { bringIconsAlong, datum, part } from "./dom.ts";
import { browserStorage, BeatStore } from "./lesson/beat-store.ts";
import { LessonPage } from "./lesson/page.ts";

/** Whether the person has just chosen "continue here"; said once, so that a later reload takes nothing from anybody. */
function takesTheTurn(): boolean {
  const url = new URL(location.href);
  const chosen = url.searchParams.has("continue");
  url.searchParams.delete("continue");
  if (chosen) history.replaceState(null, "", url);
  return chosen;
}

const root = document.getElementById("lesson");
if (root !== null) {
  const page = new LessonPage(root, new BeatStore(browserStorage()), {
    enrolmentId: datum(root, "enrolmentId"),
    lessonId: datum(root, "lessonId"),
    page: datum(root, "page"),
    sittingsUrl: datum(root, "sittingsUrl"),
    makesUp: new URL(location.href).searchParams.has("make_up"),
  });
  void bringIconsAlong();
  part(root, "stage").focus({ preventScroll: true });
  void page.open(takesTheTurn());
}
