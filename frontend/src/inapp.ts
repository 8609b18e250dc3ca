/** Browsers inside other programs: which one this is, and the way out of it where it gives no camera. */

/** Checked in this order: DingTalk and QQ on Android name MQQBrowser and others too. */
const PROGRAMS: readonly [RegExp, InApp][] = [
  [/DingTalk/i, "dingtalk"],
  [/wxwork/i, "wecom"],
  [/MicroMessenger/i, "wechat"],
  [/Lark|Feishu/i, "feishu"],
  [/AlipayClient/i, "alipay"],
  [/\bQQ\/[\d.]/i, "qq"],
  [/Weibo|aweme|NewsArticle|baiduboxapp/i, "other"],
];

export type InApp = "dingtalk" | "wecom" | "wechat" | "feishu" | "alipay" | "qq" | "other";

/** The program this page is shown in, by what its browser calls itself; null for a browser of its own. */
export function inApp(agent: string): InApp | null {
  return PROGRAMS.find(([pattern]) => pattern.test(agent))?.[1] ?? null;
}

/** This page's address as it can be typed or pasted elsewhere: without what belongs to this visit. */
export function ownAddress(address: string): string {
  const url = new URL(address);
  return url.origin + url.pathname;
}

/** Put text where it can be pasted from; whether that worked. Old kernels know only the way over a selection. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.setAttribute("readonly", "");
    field.className = "visually-hidden";
    // Behind an open dialog nothing can be selected.
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
